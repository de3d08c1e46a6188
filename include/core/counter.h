/*
 * counter: what one call would count, and core's one question to whoever
 * counts: take all of it, or nothing.
 *
 * Core says what is to be counted (a charge for each counter of each policy
 * that applies); counter/ keeps the numbers.  Source: docs/policies.md, "How a
 * decision is made", 4, and "Reservations".
 */
#ifndef CORE_COUNTER_H
#define CORE_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/policy.h"
#include "core/window.h"

enum counter_kind { COUNTER_RATE, COUNTER_BUDGET, COUNTER_LEASE };
enum counter_unit {
	COUNTER_REQUESTS,
	COUNTER_TOKENS,
	COUNTER_COST, /* nano-dollars; "USD" in words */
	COUNTER_CALLS
};
extern const char *const counter_unit_words[]; /* "requests", "USD", ... */

/* A row of core/counter.tbl.h; NULL: KEY does not count. */
struct counter_row {
	enum constraint_key key;
	enum counter_kind kind;
	enum counter_unit unit;
	enum window_unit window;
	bool alerts;
	const char *violation, *message;
};
const struct counter_row *counter_row(enum constraint_key key);

/* The window of POLICY's BUDGET of that ROW that holds NOW_US. */
struct window counter_window(const struct policy *policy,
			     const struct counter_row *row, int64_t now_us);

/* From how much on POLICY's counter of that ROW alerts CTX's subject;
 * INT64_MAX: never. */
int64_t counter_alert_at(const struct policy *policy,
			 const struct counter_row *row,
			 const struct context *ctx);

/* What a charge that does not fit means. */
enum charge_mode {
	/* the call is refused and takes nothing anywhere */
	CHARGE_LIMITS,
	/* it is taken all the same: warn, log, continuous, excused */
	CHARGE_PASSES,
	/* shadow: a call that is admitted takes what its policy's charges
	   would have let it take: all of them or none */
	CHARGE_FOLLOWS
};

/* One counter that a call would count in. */
struct charge {
	const struct policy *policy;
	const struct constraint *constraint;
	const struct counter_row *row;
	const char *subject; /* whose counter, in policy->scope */
	enum charge_mode mode;
	bool must_count;  /* a call that cannot be counted here is refused */
	int64_t amount;	  /* >= 0, in the row's unit; a lease is 1 */
	int64_t limit;	  /* used + amount <= limit fits */
	int64_t alert_at; /* used from which one alert a window is raised;
			      INT64_MAX: never */
	struct window window; /* of a BUDGET: the one that holds now */
};

enum charge_result {
	CHARGE_FITS,
	CHARGE_OVER,
	CHARGE_UNKNOWN /* its counter cannot be asked or is not known now */
};

/* What came of a charge. */
struct charged {
	enum charge_result result;
	bool taken;   /* it was counted */
	bool alert;   /* this call brought USED to alert_at, once a window */
	int64_t used; /* before this call; CHARGE_UNKNOWN: void, as the rest */
	int64_t remaining; /* after this call, not below 0 */
	/* When something comes back: the oldest part of a RATE leaves, a
	 * BUDGET's window ends, the first LEASE expires; now: all is free. */
	int64_t reset_us;
	/* CHARGE_OVER: when it would fit if nobody else came; INT64_MAX:
	 * never, the amount is above the limit. */
	int64_t retry_us;
};

/* Did CHARGE refuse the call, by what was SAID of it? */
bool counter_refuses(const struct charge *charge, const struct charged *said);

/* The model that the charges are for. */
struct charge_model {
	const struct model *model;	  /* NULL: not in the catalogue */
	const char *model_id, *vendor_id; /* vendor NULL: not known */
	int64_t cost_nanousd;		  /* of the estimate, never unknown */
	int64_t tokens;
	bool asked_for; /* no fallback */
};

/**
 * counter_take_fn(arg, model, charges, n, out):
 * Take all N charges of a call, or none.
 *
 * Gives:   OUT[N], filled in either way.
 * Returns: true: the call is admitted and each charge taken by its mode;
 *          false: one that CHARGE_LIMITS is CHARGE_OVER, or one that
 *          must_count is CHARGE_UNKNOWN; nothing is taken.  May be asked again
 *          in the same decision, for another model, until it is true.
 */
typedef bool counter_take_fn(void *arg, const struct charge_model *model,
			     const struct charge *charges, size_t n,
			     struct charged *out);

#endif /* CORE_COUNTER_H */
