/*
 * spool: what was decided, on the disk before it is answered.
 *
 * Every process of the host appends whole records to one segment file with
 * one write(2) each (O_APPEND), so what was answered survives kill -9 of the
 * writer; the housekeeper flushes it to the disk each spool_sync_ms and drains
 * it to PostgreSQL (record/spool_reader.h, record/drain.h).  Files:
 * state_dir/spool/<number>.seg, numbers only go up and none is used twice.
 *
 *	frame: magic u32 | payload length u32 | CRC-32C u32 | payload
 *	payload: lines, each a table's letter and a row in COPY text form:
 *	         "E<row>\n" evaluations, "V<row>\n" policy_violations,
 *	         "U<row>\n" usage
 *
 * A writer is let in by three steps: its word on the board that it is inside
 * of the segment (record/spool_inside.h), then a look at the board that it is
 * still the current one, then a look that the file still has a name.  The
 * reader leaves a segment behind, and passes over torn bytes at its end, only
 * when it has seen no word of a living process for it and the file has not
 * grown meanwhile; a segment only when the board had gone on before that.  So
 * no record can come in behind its back.  Neither ever waits for the other, and
 * no append takes a lock.
 */
#ifndef RECORD_SPOOL_H
#define RECORD_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/board.h"
#include "base/config.h"
#include "base/status.h"

struct spool; /* safe for many threads of a process */

enum { SPOOL_RECORD_MAX_BYTES = 16 * 1024 * 1024 };

/* A disk that is full is no error here: the appends will say so. */
enum status spool_open(const struct config *config, struct board *board,
		       struct spool **out, struct err *err) MUST_CHECK;
void spool_close(struct spool *spool); /* NULL is fine */

/**
 * spool_append(spool, bytes, n, err):
 * Store one record of N bytes of lines, and count it (metrics, board).
 *
 * Takes:   UTF-8, at least a byte.
 * Returns: STATUS_OK when it will survive the process.
 * Errors:  STATUS_TOO_LARGE over SPOOL_RECORD_MAX_BYTES; STATUS_FULL when the
 *          backlog's limit or the disk is reached; STATUS_IO.  Then nothing
 *          counts as stored; the next call tries anew, so it recovers by
 *          itself.
 */
enum status spool_append(struct spool *spool, const char *bytes, size_t n,
			 struct err *err) MUST_CHECK;

/* Bytes appended and not yet drained. */
uint64_t spool_backlog_bytes(const struct board *board);

#endif /* RECORD_SPOOL_H */
