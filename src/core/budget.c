#include "core/budget.h"

const char *const budget_state_words[] = { "ok", "alert", "exceeded", NULL };

enum { TOLD_FROM = 100 /* of 1 / TOLD_FROM of the window on */ };

size_t
budget_list(const struct policy_set *set, int64_t now_us, struct arena *arena,
	    struct budget **out)
{
	struct budget *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < set->policies_n; i++) {
		const struct policy *policy = &set->policies[i];
		for (size_t j = 0; j < policy->constraints_n; j++) {
			const struct constraint *c = &policy->constraints[j];
			const struct counter_row *row = counter_row(c->key);
			if (row == NULL || row->kind != COUNTER_BUDGET) {
				continue;
			}
			list = arena_grow(arena, list, n, &cap, sizeof(*list));
			list[n++] = (struct budget){
				.policy = policy,
				.constraint = c,
				.row = row,
				.window = counter_window(policy, row, now_us),
			};
		}
	}
	*out = list;
	return n;
}

struct charge
budget_charge(const struct budget *budget, const char *subject, int64_t now_us)
{
	const struct policy *policy = budget->policy;
	const enum fact_id fact = scope_fact(policy->scope);
	/* The one fact that a subject limit is found by. */
	struct context ctx = { .now_us = now_us };

	if (fact != FACT_N) {
		ctx.facts[fact] = (struct fact){ .source = SOURCE_BODY,
						 .value.text = subject };
	}
	return (struct charge){
		.policy = policy,
		.constraint = budget->constraint,
		.row = budget->row,
		.subject = subject,
		.mode = CHARGE_LIMITS,
		.limit = policy_number(policy, budget->constraint, &ctx),
		.alert_at = counter_alert_at(policy, budget->row, &ctx),
		.window = budget->window,
	};
}

/* USED of ELAPSED as of the whole LENGTH. */
static int64_t
at_this_pace(int64_t used, int64_t elapsed_us, int64_t length_us)
{
	/* long double has 64 bits of it, as many as an int64_t needs */
	long double all = (long double)used * (long double)length_us /
			  (long double)elapsed_us;

	return all >= 9.2e18L ? INT64_MAX : (int64_t)(all + 0.5L);
}

struct budget_standing
budget_standing(const struct charge *charge, int64_t used, int64_t now_us)
{
	const int64_t length_us = charge->window.to_us - charge->window.from_us;
	int64_t elapsed_us = now_us - charge->window.from_us;
	struct budget_standing s = {
		.remaining = used < charge->limit ? charge->limit - used : 0,
		.has_share = charge->limit > 0,
		.has_projected = elapsed_us >= length_us / TOLD_FROM,
		.state = used >= charge->limit	    ? BUDGET_EXCEEDED
			 : used >= charge->alert_at ? BUDGET_ALERT
						    : BUDGET_OK,
	};

	if (s.has_share) {
		s.share = (double)used / (double)charge->limit;
	}
	if (s.has_projected) {
		s.projected = at_this_pace(used, elapsed_us, length_us);
	}
	return s;
}
