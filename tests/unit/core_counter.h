/*
 * core_counter: who counts, in memory, for core's tests.
 *
 * Sums that only grow, one for each policy, constraint, subject and calendar
 * window; a rate or a lease is a sum that nothing leaves.
 */
#ifndef CORE_COUNTER_FIXTURE_H
#define CORE_COUNTER_FIXTURE_H

#include "base/arena.h"
#include "core/counter.h"

enum {
	CORE_COUNTER_RETRY_US = 7000000, /* when a refused charge would fit */
	CORE_COUNTER_RESET_US = 9000000
};

struct core_sum {
	const char *policy; /* its name */
	const char *policy_id;
	enum constraint_key key;
	const char *subject;
	int64_t from_us;
	int64_t used;
	bool alerted;
};

struct core_counter {
	struct arena *arena;
	struct core_sum *sums; /* [n] */
	size_t n, cap;
	bool down;    /* nothing is known */
	bool forgets; /* what is taken is not kept */
	bool roomy;   /* everything fits */
	/* What a sum begins with, -1: it is not known.  NULL: 0. */
	int64_t (*begin)(const struct core_counter *counter,
			 const struct charge *charge);
	unsigned seed; /* for BEGIN */
	/* what was asked */
	int takes, granted;
	int64_t counted;  /* of all amounts, kept or not */
	size_t charges_n; /* of the last */
	struct charge_model model;
};

struct core_counter *core_counter_new(struct arena *arena);

/* USED by SUBJECT already, of policy NAME's constraint KEY; -1: not known. */
void core_counter_set(struct core_counter *counter, const char *name,
		      enum constraint_key key, const char *subject,
		      int64_t used);

/* counter_take_fn's answer */
bool core_counter_take(struct core_counter *counter,
		       const struct charge_model *model,
		       const struct charge *charges, size_t n,
		       struct charged *out);

#endif /* CORE_COUNTER_FIXTURE_H */
