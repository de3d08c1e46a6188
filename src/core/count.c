#include "core/count.h"

#include <assert.h>

#include "base/arena.h"
#include "base/money.h"
#include "core/finding.h"

/* ---- what came of it, in words */

static struct finding *
say(struct count *count, const struct count_attempt *a, size_t i,
    enum finding_kind kind, const char *type, const char *message)
{
	struct run *base = count->base;
	struct finding_of of = {
		.policy = a->charges.items[i].policy,
		.key = a->charges.items[i].constraint->key,
		.excused = a->charges.say[i].excused,
		.fail_closed = base->settings->fail_closed,
	};

	return finding_add(&base->out, base->arena, &of, kind, type, message);
}

/* NUMBER in the unit of CHARGE. */
static void
say_amount(struct finding *f, const struct charge *charge, const char *name,
	   int64_t number)
{
	if (charge->row->unit == COUNTER_COST) {
		finding_money(f, name, number);
	} else {
		finding_count(f, name, number);
	}
}

static void
say_whose(struct finding *f, const struct charge *charge)
{
	finding_text(f, "unit", counter_unit_words[charge->row->unit]);
	finding_text(f, "window", window_words[charge->row->window]);
	finding_text(f, "scope", scope_words[charge->policy->scope]);
	finding_text(f, "subject", charge->subject);
}

static int64_t
observed_of(const struct charge *charge, const struct charged *said)
{
	return money_add(said->used, charge->amount);
}

static void
say_over(struct count *count, const struct count_attempt *a, size_t i)
{
	const struct charge *charge = &a->charges.items[i];
	const struct charged *said = &a->charged[i];
	struct finding *f = say(count, a, i, FINDING_VIOLATION,
				charge->row->violation, charge->row->message);

	say_amount(f, charge, "observed", observed_of(charge, said));
	say_amount(f, charge, "limit", charge->limit);
	say_whose(f, charge);
	say_amount(f, charge, "used", said->used);
	say_amount(f, charge, "requested", charge->amount);
	say_amount(f, charge, "remaining", said->remaining);
	finding_time(f, "reset_at", said->reset_us);
	if (said->retry_us != INT64_MAX) {
		finding_time(f, "retry_at", said->retry_us);
	}
}

static void
say_alert(struct count *count, const struct count_attempt *a, size_t i)
{
	const struct charge *charge = &a->charges.items[i];
	struct finding *f =
	    say(count, a, i, FINDING_WARNING, "budget_alert",
		"the spend of the window has reached the alert threshold");

	say_amount(f, charge, "threshold", charge->alert_at);
	say_amount(f, charge, "observed", observed_of(charge, &a->charged[i]));
	say_amount(f, charge, "limit", charge->limit);
	say_whose(f, charge);
}

static const char unknown_type[] = "counter_unavailable";

static bool
unknown_said(const struct count *count, const struct policy *policy)
{
	const struct findings *said = &count->base->out;

	for (size_t i = 0; i < said->n; i++) {
		if (said->items[i].policy == policy &&
		    said->items[i].type == unknown_type) {
			return true;
		}
	}
	return false;
}

/* One finding for all of the policy's, by the first of them, which is I. */
static void
say_unknown(struct count *count, const struct count_attempt *a, size_t i)
{
	const struct policy *policy = a->charges.items[i].policy;
	const char **keys;
	size_t n = 0;

	if (unknown_said(count, policy)) {
		return;
	}
	keys = arena_array(count->base->arena, a->charges.n - i, sizeof(*keys));
	for (size_t at = i;
	     at < a->charges.n && a->charges.items[at].policy == policy; at++) {
		if (a->charged[at].result == CHARGE_UNKNOWN) {
			keys[n++] =
			    constraint_row(a->charges.items[at].constraint->key)
				->key;
		}
	}
	struct finding *f = say(count, a, i, FINDING_UNKNOWN, unknown_type,
				"what was counted so far is not known now");

	if (policy->stage == STAGE_CONTINUOUS) {
		f->action = ACTION_ALLOW; /* it judges by the clock */
	}
	finding_texts(f, "constraints", keys, n);
}

/* Did charge I refuse the call and ask for another model? */
static bool
asks_degrade(const struct count_attempt *a, size_t i)
{
	return a->charged[i].result == CHARGE_OVER &&
	       a->charges.items[i].mode == CHARGE_LIMITS &&
	       a->charges.items[i].policy->action == ACTION_DEGRADE;
}

static void
say_degrades(struct count *count, const struct count_attempt *a)
{
	for (size_t i = 0; i < a->charges.n; i++) {
		if (asks_degrade(a, i)) {
			say_over(count, a, i);
		}
	}
	count->degrades = true;
}

/* Everything that is not said yet. */
static void
say_all(struct count *count, const struct count_attempt *a, bool admitted)
{
	for (size_t i = 0; i < a->charges.n; i++) {
		const struct charged *said = &a->charged[i];
		bool over = said->result == CHARGE_OVER &&
			    !a->charges.say[i].silent &&
			    !(count->degrades && asks_degrade(a, i));

		if (over) {
			say_over(count, a, i);
		}
		if (said->result == CHARGE_UNKNOWN) {
			say_unknown(count, a, i);
		} else if (admitted && said->alert) {
			say_alert(count, a, i);
		}
	}
	for (size_t i = 0; i < a->charges.unclear_n; i++) {
		run_say_unclear(count->base, a->charges.unclear[i])->action =
		    ACTION_ALLOW;
	}
}

/* ---- asking */

/* Nobody counts: nothing is known, and nothing is taken. */
static bool
take_unknown(const struct charge *charges, size_t n, struct charged *out)
{
	bool admitted = true;

	for (size_t i = 0; i < n; i++) {
		out[i].result = CHARGE_UNKNOWN;
		admitted &= !charges[i].must_count;
	}
	return admitted;
}

static bool
ask(const struct run *run, const struct count_attempt *a, bool *taken)
{
	const struct decide_ops *ops = run->ops;
	const struct charges *charges = &a->charges;

	if (ops == NULL || ops->take == NULL) {
		*taken = false;
		return take_unknown(charges->items, charges->n, a->charged);
	}
	*taken = ops->take(ops->arg, &charges->model, charges->items,
			   charges->n, a->charged);
	return *taken;
}

/*
 * Why was A refused: may another model fit?  What blocks the model that was
 * asked for, or blocks whatever runs, is final.
 */
static enum count_result
refusal_of(const struct count_attempt *a)
{
	bool asked_for = a->charges.model.asked_for;
	bool refused = false, final = false;

	for (size_t i = 0; i < a->charges.n; i++) {
		const struct charge *charge = &a->charges.items[i];

		if (counter_refuses(charge, &a->charged[i])) {
			refused = true;
			final |= !asks_degrade(a, i) &&
				 (asked_for || charge_is_fixed(charge));
		}
	}
	assert(refused); /* who says no must say why */
	return final ? COUNT_REFUSED : COUNT_ELSEWHERE;
}

/* Would CHARGE be refused, as an attempt was? */
static bool
was_refused(const struct count *count, const struct charge *charge)
{
	for (size_t n = 0; n < count->n; n++) {
		const struct count_attempt *a = &count->attempts[n];

		for (size_t i = 0; i < a->charges.n; i++) {
			if (charge_is_hopeless(charge, &a->charges.items[i],
					       &a->charged[i])) {
				return true;
			}
		}
	}
	return false;
}

static bool
is_hopeless(const struct count *count, const struct charges *charges)
{
	for (size_t i = 0; i < charges->n; i++) {
		if (was_refused(count, &charges->items[i])) {
			return true;
		}
	}
	return false;
}

enum count_result
count_take(struct count *count, struct run *run, struct decision *out)
{
	if (run->stage != STAGE_PRE_FLIGHT) {
		return COUNT_TAKEN;
	}
	if (count->n == COUNT_TAKES_MAX) {
		return COUNT_REFUSED;
	}
	struct count_attempt *a = &count->attempts[count->n];

	if (!run->asked_for) {
		run_select(run, false);
	}
	charges_make(run, &a->charges);
	count->last = a->charges;
	if (is_hopeless(count, &a->charges)) {
		return COUNT_ELSEWHERE;
	}
	count->n++;
	a->charged =
	    arena_array(run->arena, a->charges.n + 1, sizeof(*a->charged));
	bool admitted = ask(run, a, &out->taken);
	enum count_result result = admitted ? COUNT_TAKEN : refusal_of(a);

	out->charges = a->charges.items;
	out->charged = a->charged;
	out->charges_n = a->charges.n;
	out->charged_model = a->charges.model;
	if (result != COUNT_ELSEWHERE) {
		say_all(count, a, admitted);
	} else if (run->asked_for) {
		say_degrades(count, a);
	}
	return result;
}

void
count_give_up(struct count *count)
{
	for (size_t n = 0; n < count->n; n++) {
		const struct count_attempt *a = &count->attempts[n];

		if (n == 0) {
			say_all(count, a, false);
		}
		for (size_t i = 0; i < a->charges.n; i++) {
			if (a->charged[i].result == CHARGE_UNKNOWN) {
				say_unknown(count, a, i);
			}
		}
	}
}
