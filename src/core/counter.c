#include "core/counter.h"

#include <assert.h>

const char *const counter_unit_words[] = { "requests", "tokens", "USD", "calls",
					   NULL };

static const struct counter_row rows[CONSTRAINT_N] = {
#define COUNTED(key, kind, unit, window, alerts, violation, message)   \
	[CONSTRAINT_##                                                 \
	    key] = { CONSTRAINT_##key, COUNTER_##kind, COUNTER_##unit, \
		     WINDOW_##window,  alerts,	       violation,      \
		     message },
#include "core/counter.tbl.h"
#undef COUNTED
};

const struct counter_row *
counter_row(enum constraint_key key)
{
	assert(key < CONSTRAINT_N);
	return rows[key].violation == NULL ? NULL : &rows[key];
}

struct window
counter_window(const struct policy *policy, const struct counter_row *row,
	       int64_t now_us)
{
	const struct constraint *c =
	    policy->zone == NULL
		? policy_constraint(policy, CONSTRAINT_reset_hour_utc)
		: NULL;

	assert(row->kind == COUNTER_BUDGET);
	return window_calendar(row->window, policy->zone,
			       c == NULL ? 0 : (int)c->number, now_us);
}

int64_t
counter_alert_at(const struct policy *policy, const struct counter_row *row,
		 const struct context *ctx)
{
	const struct constraint *c =
	    row->alerts ? policy_constraint(policy, CONSTRAINT_alert_threshold)
			: NULL;

	return c == NULL ? INT64_MAX : policy_number(policy, c, ctx);
}

bool
counter_refuses(const struct charge *charge, const struct charged *said)
{
	return (said->result == CHARGE_OVER && charge->mode == CHARGE_LIMITS) ||
	       (said->result == CHARGE_UNKNOWN && charge->must_count);
}
