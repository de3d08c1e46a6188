/*
 * usage: what a call reserved and cost, as lines of the ledger.
 *
 * Rows of the table usage (record/row.tbl.h) behind what OUT holds.  The sum
 * over a call's entries, but for `report`, is what it cost.
 * Source: docs/decisions/ADR-0016-usage-is-the-ledger.md.
 */
#ifndef ENGINE_USAGE_H
#define ENGINE_USAGE_H

#include "engine/settle.h"

/* `reserve`: the call of R is admitted. */
void usage_reserve(const struct reservation *r, struct buf *scratch,
		   struct buf *out);

/* `settle` with its changes of the counters, and before it `move` where another
 * model served than was to run. */
void usage_settle(const struct settle *settle,
		  const struct settle_changes *changes, struct buf *scratch,
		  struct buf *out);

/* What is said of a call of which nothing is known now. */
struct usage_report {
	const char *id;	       /* the call */
	const char *report_id; /* the report's own evaluation */
	const char *key_id;    /* of who reports, or NULL */
	const struct body_report *report;
	const struct context *ctx; /* the ids and tags that it says */
	int64_t at_us;
};

/* `report`: to be settled later. */
void usage_report(const struct usage_report *said, struct buf *scratch,
		  struct buf *out);

#endif /* ENGINE_USAGE_H */
