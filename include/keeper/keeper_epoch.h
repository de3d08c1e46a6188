/*
 * keeper_epoch: what keeps the counters, as this host's housekeeper sees it.
 *
 *	newest epoch in PostgreSQL -> the board, so that every process follows
 *	what counts should be another (keeper_choice.h) -> a new epoch
 *	an epoch is not ready, every host follows it and is drained past that
 *	   -> all counters from the ledger, then it is ready
 *
 * Source: docs/decisions/ADR-0015-an-epoch-says-what-counts.md.
 */
#ifndef KEEPER_KEEPER_EPOCH_H
#define KEEPER_KEEPER_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/board.h"
#include "base/config.h"
#include "base/status.h"
#include "store/pg.h"

struct keeper_epoch;

/* SPOOL_ID is copied: the host's name among the nodes. */
struct keeper_epoch *keeper_epoch_new(const struct config *config,
				      struct board *board,
				      const char *spool_id);
void keeper_epoch_free(struct keeper_epoch *epoch); /* NULL is fine */

/**
 * keeper_epoch_step(epoch, pg, drained_until_us, err):
 * One look, and what follows from it.
 *
 * Takes:   DRAINED_UNTIL_US: what was recorded on this host before that time
 *          is in PostgreSQL.
 * Errors:  those of PostgreSQL; then everything stays as it is.
 */
enum status keeper_epoch_step(struct keeper_epoch *epoch, struct pg *pg,
			      int64_t drained_until_us,
			      struct err *err) MUST_CHECK;

/* Forget some of what has expired in this host's own memory, where that counts;
 * MORE: at once again, much of it had. */
enum status keeper_epoch_sweep(struct keeper_epoch *epoch, bool *more,
			       struct err *err) MUST_CHECK;

#endif /* KEEPER_KEEPER_EPOCH_H */
