/*
 * store_usage_keep: what the housekeeper does with the ledger: expiring calls,
 * settling reports that waited, what is open, what the counters do not have
 * yet, what they are rebuilt from, and how long its roll-ups are kept.
 */
#ifndef STORE_STORE_USAGE_KEEP_H
#define STORE_STORE_USAGE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/pg.h"

/* Add `expire` to at most about BATCH calls whose report is overdue; RELEASE:
 * their estimates are given back.  DONE: there are no more now. */
enum status store_usage_expire(struct pg *pg, bool release, int64_t batch,
			       int64_t *expired, bool *done,
			       struct err *err) MUST_CHECK;

/* Settle at most BATCH reports that waited for their call.  What has no price in
 * the catalogue costs UNKNOWN_PRICE, dollars for a million tokens. */
enum status store_usage_settle(struct pg *pg, int64_t batch,
			       const char *unknown_price, int64_t *settled,
			       struct err *err) MUST_CHECK;

/* An entry that the counters do not have. */
struct store_usage_entry {
	const char *evaluation_id;
	const char *entry;
	int64_t at_us;
	const char *charges; /* as counter/reservation.h parses them, or NULL */
};

/**
 * store_usage_uncounted(pg, epoch, batch, each, arg, n, err):
 * Call EACH with at most BATCH entries of EPOCH, until it returns false.
 *
 * Gives:   N, how many EACH returned true for: they count as counted now.
 */
enum status store_usage_uncounted(
    struct pg *pg, uint64_t epoch, int64_t batch,
    bool (*each)(void *arg, const struct store_usage_entry *entry), void *arg,
    size_t *n, struct err *err) MUST_CHECK;

/* How many calls are neither reported nor expired, and how many entries the
 * counters do not have.  The first reads every call of the time in which a
 * report may come. */
enum status store_usage_open_n(struct pg *pg, int64_t *n,
			       struct err *err) MUST_CHECK;
enum status store_usage_uncounted_n(struct pg *pg, int64_t *n,
				    struct err *err) MUST_CHECK;

/* What a counter holds by the ledger. */
struct store_usage_counter {
	unsigned char subject[16];
	uint64_t counter;
	int kind, unit, window;	   /* as core/counter.h has them */
	int64_t from_s, to_s;	   /* BUDGET; a LEASE's expiry in to_s */
	int64_t bucket_s;	   /* RATE: begin of its part */
	const char *evaluation_id; /* LEASE: of its call */
	int64_t amount;
	bool alert; /* BUDGET: its window's alert was raised */
};

struct store_usage_rebuild {
	/* A counter; false: it could not be kept. */
	bool (*each)(void *arg, const struct store_usage_counter *counter);
	/* There are no more of them; false: they are not all kept. */
	bool (*end)(void *arg);
	void *arg;
};

/**
 * store_usage_rebuild(pg, epoch, rebuild, err):
 * Rebuild the counters of EPOCH, which becomes ready, in one transaction of one
 * moment, by one host at a time: every entry is marked as counted, and what
 * every counter holds is given to REBUILD, subject by subject.
 *
 * Errors:  STATUS_BUSY: another host is at it, or EPOCH is ready or over;
 *          STATUS_FULL: REBUILD could not keep it; then nothing is marked, and
 *          what it wrote may still be on its way, so that EPOCH must not become
 *          ready any more; else as pg_query.
 */
enum status store_usage_rebuild(struct pg *pg, uint64_t epoch,
				const struct store_usage_rebuild *rebuild,
				struct err *err) MUST_CHECK;

/* Is ENTRY of the call there, and counted?  As far as spools are drained. */
enum status store_usage_recorded(struct pg *pg, const char *evaluation_id,
				 const char *entry, bool *recorded,
				 struct err *err) MUST_CHECK;

/* Delete at most BATCH roll-ups older than DAYS, but for the last 62 days';
 * GONE: how many. */
enum status store_usage_clean(struct pg *pg, int64_t days, int64_t batch,
			      int64_t *gone, struct err *err) MUST_CHECK;

#endif /* STORE_STORE_USAGE_KEEP_H */
