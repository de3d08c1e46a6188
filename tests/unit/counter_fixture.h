/*
 * counter_fixture: charges without policies, and a folder for the journal.
 */
#ifndef COUNTER_FIXTURE_H
#define COUNTER_FIXTURE_H

#include "counter/counter.h"

enum { FIXTURE_CHARGES = 64 };

#define FIXTURE_NOW_US INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */

/* What a call would count, each charge of a policy of its own. */
struct charging {
	struct policy policies[FIXTURE_CHARGES];
	struct constraint constraints[FIXTURE_CHARGES];
	struct charge items[FIXTURE_CHARGES];
	struct charged out[FIXTURE_CHARGES];
	size_t n;
};

/*
 * One more: KEY of SUBJECT in SCOPE, which CHARGE_LIMITS, counts AMOUNT, never
 * alerts, and is the same counter for the same key.  A budget's window is
 * fixture_day of FIXTURE_NOW_US.
 */
struct charge *charging_add(struct charging *c, enum constraint_key key,
			    enum scope scope, const char *subject,
			    int64_t limit, int64_t amount);

/* The UTC day of NOW_US. */
struct window fixture_day(int64_t now_us);

/* What is counted in memory, with a folder for the journal. */
struct counting {
	char state[64];
	struct config config; /* by default, of that folder */
	struct counter *counter;
	struct counter_memory *memory; /* no epoch has begun */
	struct arena *arena;
};

void counting_begin(struct counting *on, struct board *board);
/* And free WORKER before. */
void counting_end(struct counting *on, struct counter_worker *worker);

/* A new folder; remove_state removes it with the journal in it. */
void make_state(char path[64]);
void remove_state(const char *path);

#endif /* COUNTER_FIXTURE_H */
