/*
 * counter_world: hosts with workers that count at once, one store call of one
 * of them at a time, in an order by chance, over a clock of their own.
 *
 * Answers get lost, writes happen later than their answer was waited for,
 * and workers die between any two calls.  What every write makes of an
 * account is looked at.
 */
#ifndef COUNTER_WORLD_H
#define COUNTER_WORLD_H

#include "counter/account.h"
#include "counter/worker.h"
#include "counter_fixture.h"

struct world_settings {
	unsigned seed;
	bool atomic;	    /* the store replaces several values at once */
	int hosts;	    /* 1 or 2, each with a journal */
	int unsure_per_mil; /* writes without an answer */
	int die_per_mil;    /* workers that die, a store call */
	int64_t step_us;    /* a store call takes up to that */
	int64_t wait_ms;    /* counter_wait_ms */
};

struct world;

/* A worker, for its own thread. */
struct world_worker {
	struct world *world;
	struct counter_worker *worker;
	int host;
	void *arg;
	/* When the accounts were counted in that this worker wrote last. */
	struct {
		char key[COUNTER_KEY_BYTES];
		int64_t at_us;
	} counted[8];
};

struct world *world_new(const struct world_settings *settings);
void world_free(struct world *world);

/* A worker that will RUN. */
void world_add(struct world *world, int host,
	       void (*run)(struct world_worker *self), void *arg);

/* Let all run until they have ended or died; then there are none. */
void world_run(struct world *world);

int64_t world_now_us(const struct world *world);
void world_sleep_us(struct world_worker *self, int64_t us);
unsigned world_roll(struct world *world, unsigned sides);
int world_died(const struct world *world); /* so far */

/* When SELF's last call was counted in SUBJECT's account. */
int64_t world_counted_us(const struct world_worker *self, enum scope scope,
			 const char *subject);

/* What ENTRY's counter holds; the world must not run. */
int64_t world_used(struct world *world, enum scope scope, const char *subject,
		   const struct account_entry *entry);

/*
 * Every late write has happened by now; then everything that was left is
 * settled: kept where RECORDED says so.  Also in a worker of its own, as long
 * as others are there, by world_housekeeper.
 */
typedef bool recorded_fn(const char *evaluation_id, bool adjusting);
void world_settle(struct world *world, recorded_fn *recorded);
void world_housekeeper(struct world_worker *self); /* ARG: a recorded_fn ** */

#endif /* COUNTER_WORLD_H */
