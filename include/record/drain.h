/*
 * drain: from the spool to PostgreSQL, exactly once.
 *
 * A batch is one transaction: COPY into the tables and the spool's cursor in
 * spool_cursors, so a batch that was cut off anywhere is either there with its
 * cursor or not at all.  The ledger (usage) goes last, since hosts share its
 * roll-ups; an entry that it has already is passed over by itself.  A batch
 * that PostgreSQL refuses for its data is halved until the bad record stands
 * alone; that one goes to spool/rejected/, is logged and counted, and the
 * cursor passes it.  A record alone whose id is there already was recorded
 * before the cursor was set back (by hand, or with a backup): it is logged and
 * passed, and not kept a second time.
 */
#ifndef RECORD_DRAIN_H
#define RECORD_DRAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/board.h"
#include "base/config.h"
#include "base/status.h"
#include "store/pg.h"

struct drain;

enum status drain_open(const struct config *config, struct board *board,
		       struct drain **out, struct err *err) MUST_CHECK;
void drain_close(struct drain *drain); /* NULL is fine */

/**
 * drain_step(drain, pg, moved, err):
 * Move one batch.
 *
 * Gives:   MOVED, the records that the cursor passed; 0: the spool is empty.
 * Errors:  STATUS_UNAVAILABLE when PostgreSQL cannot be reached, and whatever
 *          else it answers that is not about the data; nothing is lost, call
 *          again later.
 */
enum status drain_step(struct drain *drain, struct pg *pg, size_t *moved,
		       struct err *err) MUST_CHECK;

/* Is there probably more than the last step took?  If not, waiting makes the
 * next batch larger: one of 100 records costs PostgreSQL twice as much a record
 * as one of 3,000. */
bool drain_behind(const struct drain *drain);

/* The id of the spool that it drains; lives as long as DRAIN. */
const char *drain_spool_id(const struct drain *drain);

/* Put the backlog on the board and into the metric. */
void drain_account(struct drain *drain);

#endif /* RECORD_DRAIN_H */
