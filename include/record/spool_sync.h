/*
 * spool_sync: flushing the spool to the disk, so that a power cut takes no
 * more than the last spool_sync_ms of what was answered.  Of one thread.
 */
#ifndef RECORD_SPOOL_SYNC_H
#define RECORD_SPOOL_SYNC_H

#include "base/board.h"
#include "base/status.h"

struct spool_sync;

/* STATE_DIR is copied. */
struct spool_sync *spool_sync_new(const char *state_dir,
				  const struct board *board);
void spool_sync_free(struct spool_sync *sync); /* NULL is fine */

/* Flush what was appended since the last call; free when nothing was. */
enum status spool_sync_run(struct spool_sync *sync, struct err *err) MUST_CHECK;

#endif /* RECORD_SPOOL_SYNC_H */
