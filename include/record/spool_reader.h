/*
 * spool_reader: the housekeeper's side of the spool.
 *
 * One reader a host (the keeper's lock sees to that), of one thread.
 */
#ifndef RECORD_SPOOL_READER_H
#define RECORD_SPOOL_READER_H

#include <stddef.h>

#include "base/board.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/status.h"
#include "record/spool_file.h"

struct spool_reader;
enum status spool_reader_open(const struct config *config, struct board *board,
			      struct spool_reader **out,
			      struct err *err) MUST_CHECK;
void spool_reader_close(struct spool_reader *reader); /* NULL is fine */

/* The spool's own id, a UUID kept in state_dir/spool/id. */
const char *spool_reader_id(const struct spool_reader *reader);

/**
 * spool_reader_read(reader, from, batch_bytes, out, records_n, next, err):
 * Whole records from FROM on, at least one if there is any, until their sum
 * reaches BATCH_BYTES.
 *
 * Gives:   OUT, emptied first, their payloads one after another; NEXT, where
 *          to go on: FROM itself where there is nothing new.
 * Returns: STATUS_OK also with nothing read; NEXT may still have moved past
 *          torn bytes or finished segments.
 * Errors:  STATUS_IO.
 */
enum status spool_reader_read(struct spool_reader *reader,
			      struct spool_place from, size_t batch_bytes,
			      struct buf *out, size_t *records_n,
			      struct spool_place *next,
			      struct err *err) MUST_CHECK;

/*
 * FROM, or where it cannot be a place of these files (they were deleted or cut
 * by hand) a place before everything that may be unread.
 */
struct spool_place spool_reader_resume(struct spool_reader *reader,
				       struct spool_place from);

#endif /* RECORD_SPOOL_READER_H */
