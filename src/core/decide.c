#include "core/decide.h"

#include <assert.h>

#include "base/arena.h"
#include "core/fallback.h"
#include "core/finding.h"
#include "core/run.h"

static void
run_all(struct run *run, unsigned parts)
{
	for (size_t i = 0; i < run->applying_n; i++) {
		run_policy(run, i, parts);
	}
}

/* The first finding that counts with ACTION, or NULL. */
static const struct finding *
find_action(const struct findings *findings, enum action action)
{
	for (size_t i = 0; i < findings->n; i++) {
		if (finding_counts(&findings->items[i]) &&
		    findings->items[i].action == action) {
			return &findings->items[i];
		}
	}
	return NULL;
}

static bool
is_price_exceeded(const struct finding *f)
{
	return f->kind == FINDING_VIOLATION &&
	       f->key == CONSTRAINT_max_cost_per_mil_tokens;
}

static bool
wants_alternatives(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		if (is_price_exceeded(&findings->items[i])) {
			return true;
		}
	}
	return false;
}

/* What may run instead, into the findings of a price that is too high. */
static void
tell_alternatives(struct run *run, const struct fallback *chain, size_t n)
{
	const struct model **models =
	    arena_array(run->arena, FALLBACK_CHAIN, sizeof(*models));

	for (size_t i = 0; i < n; i++) {
		models[i] = chain[i].model;
	}
	for (size_t i = 0; i < run->out.n; i++) {
		struct finding *f = &run->out.items[i];

		if (is_price_exceeded(f)) {
			finding_models(f, "alternatives", models, n);
		}
	}
}

/* The policy that asked for a fallback blocks when there is none. */
static void
no_fallback(struct run *run, const struct finding *asked)
{
	struct finding_of of = { .policy = asked->policy, .key = asked->key };
	struct finding *f =
	    finding_add(&run->out, run->arena, &of, FINDING_VIOLATION,
			"no_permitted_fallback",
			"no model that may run instead is permitted");

	f->action = ACTION_BLOCK;
}

/* Step 3: look for other models where one is asked for or to be told. */
static void
degrade(struct run *run, struct decision *out)
{
	bool blocked = find_action(&run->out, ACTION_BLOCK) != NULL;
	const struct finding *asked = find_action(&run->out, ACTION_DEGRADE);
	struct fallback chain[FALLBACK_CHAIN];
	bool needed = asked != NULL && !blocked;
	bool told = wants_alternatives(&run->out);

	if (!needed && !told) {
		return;
	}
	size_t n = fallback_find(run, !blocked, chain);

	if (told) {
		tell_alternatives(run, chain, n);
	}
	if (needed && n == 0) {
		no_fallback(run, asked);
	}
	for (size_t i = 0; needed && i < n; i++) {
		out->chain[out->chain_n++] = chain[i];
	}
}

/* Step 5: the strongest enforced action, of the first that asks for it. */
static void
settle(struct decision *out)
{
	out->action = ACTION_ALLOW;
	out->winner = SIZE_MAX;
	for (size_t i = 0; i < out->findings.n; i++) {
		const struct finding *f = &out->findings.items[i];

		if (finding_counts(f) && f->action > out->action) {
			out->action = f->action;
			out->winner = i;
		}
	}
	out->passed = out->winner == SIZE_MAX;
	if (out->action != ACTION_DEGRADE) {
		out->chain_n = 0;
	}
	out->final_estimate =
	    out->chain_n > 0 ? out->chain[0].estimate : out->estimate;
}

static enum execution_result
result_of(const struct finding *f)
{
	switch (f->kind) {
	case FINDING_VIOLATION:
		return EXECUTION_VIOLATED;
	case FINDING_UNKNOWN:
		return EXECUTION_NOT_EVALUATED;
	case FINDING_WARNING:
		break;
	}
	return EXECUTION_WARNED;
}

/* The one of two results that says more. */
static enum execution_result
stronger(enum execution_result a, enum execution_result b)
{
	static const int rank[] = {
		[EXECUTION_PASSED] = 0,	  [EXECUTION_WARNED] = 1,
		[EXECUTION_SKIPPED] = 2,  [EXECUTION_NOT_EVALUATED] = 3,
		[EXECUTION_VIOLATED] = 4,
	};

	return rank[a] >= rank[b] ? a : b;
}

/* Policies that apply and sorted findings are in the same order. */
static void
tell_executions(const struct run *run, bool skipped, struct decision *out)
{
	const struct findings *findings = &out->findings;
	size_t at = 0;

	out->executions_n = run->applying_n;
	out->executions = arena_array(run->arena, run->applying_n + 1,
				      sizeof(*out->executions));
	for (size_t i = 0; i < run->applying_n; i++) {
		const struct policy *policy = run->applying[i].policy;
		struct execution *e = &out->executions[i];
		bool error = run->applying[i].error;

		e->policy = policy;
		e->excused = run_excused(run, policy);
		e->result = skipped && policy->needs_content && !error
				? EXECUTION_SKIPPED
				: EXECUTION_PASSED;
		for (; at < findings->n && findings->items[at].policy == policy;
		     at++) {
			e->result = stronger(e->result,
					     result_of(&findings->items[at]));
		}
		out->record_all |=
		    policy_flag(policy, CONSTRAINT_log_all_requests);
	}
}

void
decide(const struct decide_world *world, const struct decide_settings *settings,
       const struct decide_ops *ops, enum stage stage,
       const struct context *ctx, struct arena *arena, struct decision *out)
{
	assert(world != NULL && settings != NULL && ctx != NULL);
	struct scan scan = { .done = false };
	struct run run = {
		.world = world,
		.settings = settings,
		.ops = ops,
		.arena = arena,
		.stage = stage,
		.scan = &scan,
		.ctx = *ctx,
		.asked_for = true,
	};

	run_estimate(&run);
	run_select(&run, false);
	run_all(&run, RUN_PLAIN);
	bool content = run_needs_content(&run);
	bool skipped = content && find_action(&run.out, ACTION_BLOCK) != NULL;

	if (content && !skipped) {
		run_all(&run, RUN_CONTENT);
	}
	if (run.bypass.any) {
		run_all(&run, RUN_BYPASS);
	}
	bypass_warn(&run.bypass, run.applying, run.applying_n, arena, &run.out);
	*out = (struct decision){ .estimate = run.estimate };
	degrade(&run, out);
	findings_sort(&run.out, arena);
	out->findings = run.out;
	settle(out);
	tell_executions(&run, skipped, out);
}

void
decide_unrecorded(const struct decide_settings *settings, struct arena *arena,
		  struct decision *decision)
{
	for (size_t i = 0; i < decision->executions_n; i++) {
		struct execution *e = &decision->executions[i];
		struct finding_of of = {
			.policy = e->policy,
			.key = CONSTRAINT_log_all_requests,
			.excused = e->excused,
			.fail_closed = settings->fail_closed,
		};

		if (!policy_flag(e->policy, CONSTRAINT_log_all_requests)) {
			continue;
		}
		finding_add(&decision->findings, arena, &of, FINDING_UNKNOWN,
			    "not_recorded",
			    "the evaluation could not be recorded");
		e->result = stronger(e->result, EXECUTION_NOT_EVALUATED);
	}
	findings_sort(&decision->findings, arena);
	settle(decision);
}
