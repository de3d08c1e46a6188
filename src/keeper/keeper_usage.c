#include "keeper/keeper_usage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "base/money.h"
#include "base/uuid.h"
#include "counter/counter.h"
#include "counter/journal.h"
#include "counter/reservation.h"
#include "store/store_usage_keep.h"

enum { BATCH = 1000, ARENA_BYTES = 64 * 1024 };

/* Open calls are counted at most so often, and at most for a hundredth of the
 * time: it takes about a second a million calls, and nothing else is done. */
#define OPEN_US INT64_C(10000000)
enum { OPEN_PART = 100 };

/* Values of config->reservation_unsettled, of the metric reservations_total. */
enum { UNSETTLED_CHARGE, UNSETTLED_RELEASE };
enum { EVENT_SETTLED = 1, EVENT_EXPIRED = 2, EVENT_RELEASED = 3 };

/* What a dead process left, and when that was first seen. */
struct seen {
	const struct journal_slot *slot;
	char evaluation_id[UUID_TEXT_BYTES];
	int64_t begun_us, seen_us;
};

struct keeper_usage {
	const struct config *config;
	struct board *board;
	struct counter *counter;
	struct counter_worker *worker;
	struct arena *arena;
	char unknown_price[MONEY_TEXT_BYTES]; /* for a million tokens */
	uint64_t epoch; /* in which entries are counted afterwards */
	struct seen seen[JOURNAL_SLOTS]; /* [seen_n] of the last step */
	size_t seen_n;
	int64_t open_next_us; /* CLOCK_MONOTONIC: count the open calls then */
};

enum status
keeper_usage_new(const struct config *config, struct board *board,
		 struct keeper_usage **out, struct err *err)
{
	struct counter *counter;
	enum status status = counter_open(config, board, &counter, err);

	if (status != STATUS_OK) {
		return status;
	}
	struct keeper_usage *u = memory_get(sizeof(*u));
	*u = (struct keeper_usage){
		.config = config,
		.board = board,
		.counter = counter,
		.worker = counter_worker_new(counter),
		.arena = arena_new(ARENA_BYTES),
	};
	money_text(config_unknown_per_mil(config), u->unknown_price);
	*out = u;
	return STATUS_OK;
}

void
keeper_usage_free(struct keeper_usage *u)
{
	if (u == NULL) {
		return;
	}
	counter_worker_free(u->worker);
	counter_close(u->counter);
	arena_free(u->arena);
	free(u);
}

/* ---- expiring, and reports that waited */

static enum status
expire(struct keeper_usage *u, struct pg *pg, bool *more, struct err *err)
{
	bool release = u->config->reservation_unsettled == UNSETTLED_RELEASE;
	int64_t expired = 0;
	bool done = true;
	enum status status =
	    store_usage_expire(pg, release, BATCH, &expired, &done, err);

	if (status == STATUS_OK) {
		metric_add(METRIC_reservations_total,
			   release ? EVENT_RELEASED : EVENT_EXPIRED,
			   (uint64_t)expired);
		*more = *more || !done;
	}
	return status;
}

static enum status
settle(struct keeper_usage *u, struct pg *pg, bool *more, struct err *err)
{
	int64_t settled = 0;
	enum status status =
	    store_usage_settle(pg, BATCH, u->unknown_price, &settled, err);
	if (status == STATUS_OK) {
		metric_add(METRIC_reservations_total, EVENT_SETTLED,
			   (uint64_t)settled);
		*more = *more || settled == BATCH;
	}
	return status;
}

/* ---- counting what was not counted */

/*
 * What a call could not be counted in.  The lease of a call that nothing
 * counted is not there to be ended.
 */
static size_t
without_counted(struct counter_entry *entries, size_t n, uint64_t epoch)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (entries[i].kind != COUNTER_LEASE &&
		    entries[i].counted_epoch != epoch) {
			entries[kept++] = entries[i];
		}
	}
	return kept;
}

/* A report that comes now is to ask the ledger, not a note that says open. */
static void
forget_note(struct keeper_usage *u, const char *evaluation_id)
{
	char name[COUNTER_KEY_BYTES];

	counter_call_note(evaluation_id, name);
	counter_note_put(u->worker, name, NULL, 0, 0);
}

static bool
count_entry(void *arg, const struct store_usage_entry *entry)
{
	struct keeper_usage *u = arg;
	struct counter_entry *changes = NULL;
	size_t n = 0;
	struct err err;

	arena_reset(u->arena);
	if (entry->charges == NULL) {
		return true;
	}
	if (reservation_charges_parse(entry->charges, u->arena, &changes, &n,
				      &err) != STATUS_OK) {
		log_error("an entry of the ledger cannot be counted, %s %s: %s",
			  entry->evaluation_id, entry->entry, err.text);
		return true;
	}
	if (strcmp(entry->entry, "reserve") == 0) {
		n = without_counted(changes, n, u->epoch);
	}
	if (strcmp(entry->entry, "settle") == 0) {
		forget_note(u, entry->evaluation_id);
	}
	bool counted =
	    n == 0 || counter_adjust(u->worker, clock_now_us(),
				     entry->evaluation_id, changes, n);
	counter_done(u->worker);
	return counted;
}

static enum status
count(struct keeper_usage *u, struct pg *pg, bool *more, struct err *err)
{
	size_t n = 0;

	if (atomic_load(&u->board->counter_counts) == BOARD_COUNTS_NOTHING) {
		return STATUS_OK;
	}
	u->epoch = atomic_load(&u->board->counter_epoch);
	enum status status =
	    store_usage_uncounted(pg, u->epoch, BATCH, count_entry, u, &n, err);
	if (status == STATUS_OK) {
		*more = *more || n == BATCH;
	}
	return status;
}

/* ---- what killed processes left */

/*
 * Was what LEFT counted for also recorded?  What its process had recorded is
 * in PostgreSQL when the spool was drained since it was found dead.
 */
static enum status
give_back(struct keeper_usage *u, struct pg *pg,
	  const struct counter_left *left, struct err *err)
{
	bool keep = false;
	enum status status = STATUS_OK;

	if (!left->refused) {
		status = store_usage_recorded(
		    pg, left->evaluation_id,
		    left->adjusting ? "settle" : "reserve", &keep, err);
	}
	if (status == STATUS_OK &&
	    counter_left_settle(u->worker, clock_now_us(), left, keep)) {
		log_info("evaluation %s of a process that is gone: what it "
			 "had counted is %s",
			 left->evaluation_id, keep ? "kept" : "given back");
	}
	return status;
}

/* Each by itself: of as many as before, one may be another. */
static int64_t
seen_us(const struct keeper_usage *u, const struct counter_left *left)
{
	for (size_t i = 0; i < u->seen_n; i++) {
		const struct seen *seen = &u->seen[i];

		if (seen->slot == left->slot &&
		    seen->begun_us == left->now_us &&
		    strcmp(seen->evaluation_id, left->evaluation_id) == 0) {
			return seen->seen_us;
		}
	}
	return clock_now_us();
}

static void
see(struct keeper_usage *u, const struct counter_left *left, size_t n)
{
	struct seen *now = arena_array(u->arena, n, sizeof(*now));

	assert(n <= JOURNAL_SLOTS);
	for (size_t i = 0; i < n; i++) {
		now[i] = (struct seen){ .slot = left[i].slot,
					.begun_us = left[i].now_us,
					.seen_us = seen_us(u, &left[i]) };
		memcpy(now[i].evaluation_id, left[i].evaluation_id,
		       sizeof(now[i].evaluation_id));
	}
	memcpy(u->seen, now, n * sizeof(*now));
	u->seen_n = n;
}

static enum status
settle_left(struct keeper_usage *u, struct pg *pg, int64_t drained_until_us,
	    struct err *err)
{
	struct counter_left *left = NULL;
	enum status status = STATUS_OK;

	arena_reset(u->arena);
	size_t n = counter_left(u->counter, u->arena, &left);
	see(u, left, n);
	for (size_t i = 0; i < n && status == STATUS_OK; i++) {
		if (left[i].refused || drained_until_us > u->seen[i].seen_us) {
			status = give_back(u, pg, &left[i], err);
		}
	}
	return status;
}

/* ---- how many are open */

/* A number for a graph: that it cannot be had keeps nothing else from being
 * done. */
static void
count_open(struct keeper_usage *u, struct pg *pg)
{
	int64_t begun = clock_mono_us(), n = 0;
	struct err err;

	if (begun < u->open_next_us) {
		return;
	}
	if (store_usage_open_n(pg, &n, &err) == STATUS_OK) {
		metric_set(METRIC_reservations_open, n);
	} else {
		log_warning("open calls cannot be counted: %s", err.text);
	}
	int64_t now = clock_mono_us(), rest = OPEN_PART * (now - begun);
	u->open_next_us = now + (rest > OPEN_US ? rest : OPEN_US);
}

/* ---- the step */

enum status
keeper_usage_step(struct keeper_usage *u, struct pg *pg,
		  int64_t drained_until_us, bool *more, struct err *err)
{
	enum status status = expire(u, pg, more, err);

	if (status == STATUS_OK) {
		status = settle(u, pg, more, err);
	}
	if (status == STATUS_OK) {
		status = count(u, pg, more, err);
	}
	if (status == STATUS_OK) {
		status = settle_left(u, pg, drained_until_us, err);
	}
	if (status == STATUS_OK) {
		count_open(u, pg);
	}
	return status;
}
