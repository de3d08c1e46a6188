#include "core/charge.h"

#include <string.h>

#include "base/arena.h"
#include "base/money.h"
#include "core/finding.h"
#include "core/select.h"

/* The policies of both stages, each in the order of the set. */
struct sources {
	const struct applying *called; /* [called_n] at pre_flight */
	size_t called_n;
	struct applying *clocked; /* [clocked_n] continuous ones that count */
	size_t clocked_n;
};

static struct charge_model
model_of(const struct run *run)
{
	const struct context *ctx = &run->ctx;
	struct charge_model model = {
		.model = ctx->model,
		.model_id = context_text(ctx, FACT_model_id),
		.vendor_id = context_text(ctx, FACT_vendor_id),
		.cost_nanousd = run->estimate.cost_nanousd,
		.tokens = run->estimate.total_tokens,
		.asked_for = run->asked_for,
	};

	if (model.cost_nanousd == MONEY_UNKNOWN) {
		model.cost_nanousd =
		    estimate_make(ctx, ctx->model, run->asked_for,
				  run->settings->unknown_per_mil)
			.cost_nanousd;
	}
	if (model.cost_nanousd == MONEY_UNKNOWN) {
		model.cost_nanousd = 0; /* no price is configured either */
	}
	return model;
}

static int64_t
amount_of(const struct counter_row *row, const struct charge_model *model)
{
	switch (row->unit) {
	case COUNTER_TOKENS:
		return model->tokens;
	case COUNTER_COST:
		return model->cost_nanousd;
	case COUNTER_REQUESTS:
	case COUNTER_CALLS:
		break;
	}
	return 1;
}

/* Does POLICY say that what has no price is not limited? */
static bool
is_unlimited(const struct run *run, const struct policy *policy,
	     const struct counter_row *row)
{
	const struct constraint *c =
	    policy_constraint(policy, CONSTRAINT_unknown_price);

	return row->unit == COUNTER_COST && c != NULL &&
	       run->estimate.cost_nanousd == MONEY_UNKNOWN &&
	       strcmp(unknown_price_words[c->number], "allow") == 0;
}

/*
 * A policy in shadow counts as it would if it enforced; so one that would be
 * excused then passes here as well.
 */
static enum charge_mode
mode_of(const struct run *run, const struct policy *policy,
	const struct charge_say *say)
{
	if (say->silent || policy->action < ACTION_DEGRADE) {
		return CHARGE_PASSES;
	}
	if (say->excused == NULL) {
		return CHARGE_LIMITS;
	}
	return policy->mode == MODE_SHADOW &&
		       policy_exemption(policy, &run->ctx) == NULL &&
		       !bypass_excuses(&run->bypass, policy)
		   ? CHARGE_FOLLOWS
		   : CHARGE_PASSES;
}

static void
add(struct run *run, const struct policy *policy, const struct constraint *c,
    struct charges *out)
{
	const struct counter_row *row = counter_row(c->key);
	bool clocked = policy->stage == STAGE_CONTINUOUS;
	struct charge_say *say = &out->say[out->n];
	struct charge *charge = &out->items[out->n++];

	say->excused = run_excused(run, policy);
	say->silent = clocked || is_unlimited(run, policy, row);
	*charge = (struct charge){
		.policy = policy,
		.constraint = c,
		.row = row,
		.subject = policy_subject(policy, &run->ctx),
		.mode = mode_of(run, policy, say),
		.must_count =
		    say->excused == NULL && !clocked &&
		    finding_on_error(policy, run->settings->fail_closed) ==
			ACTION_BLOCK,
		.amount = amount_of(row, &out->model),
		.limit = policy_number(policy, c, &run->ctx),
		.alert_at = counter_alert_at(policy, row, &run->ctx),
	};
	if (row->kind == COUNTER_BUDGET) {
		charge->window = counter_window(policy, row, run->ctx.now_us);
	}
}

static void
add_policy(struct run *run, const struct applying *a, struct charges *out)
{
	const struct policy *policy = a->policy;

	if (!policy->counts) {
		return;
	}
	if (a->error) {
		if (policy->stage == STAGE_CONTINUOUS) {
			out->unclear[out->unclear_n++] = policy;
		}
		return;
	}
	for (size_t i = 0; i < policy->constraints_n; i++) {
		if (counter_row(policy->constraints[i].key) != NULL) {
			add(run, policy, &policy->constraints[i], out);
		}
	}
}

/* More than enough: every constraint of every policy that counts. */
static size_t
room_for(const struct applying *applying, size_t n)
{
	size_t room = 0;

	for (size_t i = 0; i < n; i++) {
		if (applying[i].policy->counts) {
			room += applying[i].policy->constraints_n;
		}
	}
	return room;
}

void
charges_make(struct run *run, struct charges *out)
{
	struct sources in = { run->applying, run->applying_n, NULL, 0 };
	size_t at = 0, clocked_at = 0, room;

	in.clocked_n =
	    policy_select_counting(run->world->policies, STAGE_CONTINUOUS,
				   &run->ctx, run->arena, &in.clocked);
	*out = (struct charges){ .model = model_of(run) };
	room = room_for(in.called, in.called_n) +
	       room_for(in.clocked, in.clocked_n);
	if (room == 0) {
		return;
	}
	out->items = arena_array(run->arena, room, sizeof(*out->items));
	out->say = arena_array(run->arena, room, sizeof(*out->say));
	out->unclear =
	    arena_array(run->arena, in.clocked_n + 1, sizeof(*out->unclear));
	while (at < in.called_n || clocked_at < in.clocked_n) {
		bool called = clocked_at == in.clocked_n ||
			      (at < in.called_n &&
			       in.called[at].policy->index <
				   in.clocked[clocked_at].policy->index);

		add_policy(
		    run, called ? &in.called[at++] : &in.clocked[clocked_at++],
		    out);
	}
}

bool
charge_is_fixed(const struct charge *charge)
{
	return charge->row->unit != COUNTER_COST &&
	       !policy_by_model(charge->policy);
}

bool
charge_is_hopeless(const struct charge *charge, const struct charge *other,
		   const struct charged *said)
{
	if (charge->policy != other->policy ||
	    charge->constraint != other->constraint ||
	    strcmp(charge->subject, other->subject) != 0 ||
	    !counter_refuses(charge, said)) {
		return false;
	}
	return said->result == CHARGE_UNKNOWN ||
	       money_add(said->used, charge->amount) > charge->limit;
}
