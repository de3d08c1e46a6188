/*
 * budget: the budgets that policies give, and how one of them stands.
 *
 * For people who ask what is left, not for deciding: nothing is taken here.
 * Pure.  Source: docs/policies.md, "Budgets and rates".
 */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/counter.h"
#include "core/policy.h"
#include "core/window.h"

/* A budget constraint of a policy, in the window that holds now. */
struct budget {
	const struct policy *policy;
	const struct constraint *constraint;
	const struct counter_row *row;
	struct window window;
};

/* Every budget of SET, in the order of its policies, then their keys; the
 * return value is how many are in OUT, an array in ARENA. */
size_t budget_list(const struct policy_set *set, int64_t now_us,
		   struct arena *arena, struct budget **out);

/*
 * What SUBJECT's counter is asked by: a charge of nothing, with the limit that
 * is SUBJECT's own where it has one.
 */
struct charge budget_charge(const struct budget *budget, const char *subject,
			    int64_t now_us);

enum budget_state {
	BUDGET_OK,
	BUDGET_ALERT,	/* the alert threshold is reached */
	BUDGET_EXCEEDED /* nothing is left */
};
extern const char *const budget_state_words[]; /* NULL-terminated */

struct budget_standing {
	int64_t remaining; /* not below 0 */
	bool has_share;	   /* the limit is not 0 */
	double share;	   /* used of the limit, 0 to ... */
	/* USED at the end of the window, if it goes on as it has so far; not
	 * told in the first hundredth of the window. */
	bool has_projected;
	int64_t projected; /* INT64_MAX where it is more */
	enum budget_state state;
};

/* How CHARGE's budget stands at NOW_US, of which USED is used. */
struct budget_standing budget_standing(const struct charge *charge,
				       int64_t used, int64_t now_us);

#endif /* CORE_BUDGET_H */
