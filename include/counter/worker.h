/*
 * worker: what a thread needs to count: its store, its slot of the journal,
 * its memory.  For the files of this room, and tests that have a clock of
 * their own.
 */
#ifndef COUNTER_WORKER_H
#define COUNTER_WORKER_H

#include "base/buf.h"
#include "counter/counter.h"
#include "counter/journal.h"

/* A claim is open so long at most; then it counts as one that stands. */
#define COUNTER_CLAIM_US INT64_C(250000)

struct counter {
	const struct config *config;
	struct board *board;	 /* NULL: only workers with a store given */
	struct journal *journal; /* NULL: none could be opened */
};

/* Where a worker's time comes from. */
struct counter_clock {
	int64_t (*mono_us)(void *arg);
	void (*sleep_us)(void *arg, int64_t us);
	void *arg;
};

/* A claim that is known to be over. */
struct counter_over {
	uint64_t writer, seq;
};

enum { COUNTER_OVER_MAX = 64, COUNTER_STORES = BOARD_COUNTS_N };

struct counter_worker {
	struct counter *counter;
	struct counter_store *given; /* not NULL: instead of the board's */
	struct counter_store *stores[COUNTER_STORES]; /* by what counts */
	uint64_t epoch;				      /* counter_epoch */
	struct journal_slot *slot;
	struct journal_slot *unlisted; /* its own, where the journal is full */
	bool renames;		       /* before the next operation */
	struct arena *arena;	       /* of one operation */
	struct buf values;	       /* what is being written */
	uint64_t random;
	struct counter_clock clock;
	struct counter_over over[COUNTER_OVER_MAX];
	size_t over_n;
};

/* The store that counts now, in its epoch; NULL: nothing counts. */
struct counter_store *counter_worker_store(struct counter_worker *worker);

/* Microseconds of the worker's steady clock. */
int64_t counter_worker_mono_us(struct counter_worker *worker);

/* Wait by chance, up to MOST_US. */
void counter_worker_pause(struct counter_worker *worker, int64_t most_us);

/* The store could not be asked: into the metrics. */
void counter_worker_failed(const struct counter_store *store);

/* Round trips since there were BEFORE: into the metrics. */
void counter_worker_trips(const struct counter_store *store, uint64_t before);

/* A new operation, whose phase is TAKING or ADJUSTING; what was not done
 * before is. */
void counter_worker_begin(struct counter_worker *worker,
			  enum journal_phase phase, const char *evaluation_id,
			  int64_t now_us, uint64_t epoch);

/* Make SLOT's operation a thing of the past. */
void counter_worker_end(struct counter_worker *worker);

/* Leave BITS of the worker's slot to the housekeeper. */
void counter_worker_abandon(struct counter_worker *worker, uint64_t bits);

/* CHARGE as the ledger and the journal keep it. */
struct counter_entry
counter_worker_entry(const struct counter_call *call,
		     const struct charge *charge,
		     const struct counter_subject *subject);

/*
 * The account in ITEM as it was read from STORE, at AT_US; false: not known.
 * One that cannot be read stands on the board, so that the housekeeper has all
 * of them made anew.
 */
struct account;
bool counter_worker_account(struct counter_worker *worker,
			    const struct counter_store *store,
			    const struct counter_item *item, int64_t at_us,
			    struct account *out);

/* Mark the claims that stand by what the journal says now. */
void counter_worker_mark(struct counter_worker *worker,
			 struct account *account);

/*
 * Undo, or (ADD) do, the entries of BITS of SLOT in all their accounts, each
 * once, by the writers' signatures; WAIT_US: how long to try.
 * Returns the bits of which it is not known.
 */
uint64_t counter_worker_settle(struct counter_worker *worker,
			       struct counter_store *store,
			       struct journal_slot *slot, uint64_t bits,
			       bool add, int64_t at_us, int64_t wait_us);

#endif /* COUNTER_WORKER_H */
