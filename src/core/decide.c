#include "core/decide.h"

#include <assert.h>

#include "base/arena.h"
#include "core/count.h"
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
no_fallback(struct run *run, const struct finding_of *asked)
{
	struct finding *f =
	    finding_add(&run->out, run->arena, asked, FINDING_VIOLATION,
			"no_permitted_fallback",
			"no model that may run instead is permitted");

	f->action = ACTION_BLOCK;
}

/* Is one of the policies that would have counted only for some regions? */
static bool
counts_by_region(const struct count *count,
		 const struct fallback_search *search)
{
	for (size_t i = 0; i < count->last.n; i++) {
		if (fallback_by_region(search, count->last.items[i].policy)) {
			return true;
		}
	}
	return false;
}

/* Steps 3 and 4: the first model that passes and can be counted. */
static void
find_model(struct count *count, const struct finding_of *asked,
	   struct decision *out)
{
	struct run *run = count->base;
	struct fallback_search search = fallback_begin(run, true);
	enum count_result result = COUNT_ELSEWHERE;
	struct fallback found;
	bool again = false;

	while (result != COUNT_REFUSED && out->chain_n < FALLBACK_CHAIN &&
	       fallback_next(&search, again, &found)) {
		if (result != COUNT_TAKEN) {
			result = count_take(count, &search.trial, out);
			again = result == COUNT_ELSEWHERE &&
				counts_by_region(count, &search);
		}
		if (result == COUNT_TAKEN) {
			out->chain[out->chain_n++] = found;
		}
	}
	if (out->chain_n == 0 && find_action(&run->out, ACTION_BLOCK) == NULL) {
		count_give_up(count);
		no_fallback(run, asked);
	}
}

/*
 * Step 4 on the model that was asked for, unless another must run; step 3
 * where a check or a counter asks for that.  Not for what is blocked already.
 */
static void
count_or_degrade(struct run *run, struct decision *out)
{
	struct count count = { .base = run };
	const struct finding *f = find_action(&run->out, ACTION_DEGRADE);

	if (f == NULL && count_take(&count, run, out) == COUNT_ELSEWHERE) {
		f = find_action(&run->out, ACTION_DEGRADE);
	}
	if (f != NULL) {
		struct finding_of asked = { .policy = f->policy,
					    .key = f->key };

		find_model(&count, &asked, out);
	}
}

/* Steps 3 and 4 of what no check has blocked, and all that they have to say. */
static void
go_on(struct run *run, struct decision *out)
{
	bool blocked = find_action(&run->out, ACTION_BLOCK) != NULL;
	struct fallback chain[FALLBACK_CHAIN];

	if (!blocked) {
		count_or_degrade(run, out);
	}
	if (!wants_alternatives(&run->out)) {
		return;
	}
	if (!blocked && find_action(&run->out, ACTION_DEGRADE) != NULL) {
		tell_alternatives(run, out->chain, out->chain_n);
	} else {
		tell_alternatives(run, chain,
				  fallback_find(run, !blocked, chain));
	}
}

/*
 * Bypasses of what was found since the first N findings were: by counters.
 * What is told so late can warn, no more: the call has been counted.
 */
static void
tell_late_bypasses(struct run *run, size_t n)
{
	size_t late = run->out.n;

	if (!run->bypass.any || late == n) {
		return;
	}
	run->told_n = n;
	run_all(run, RUN_BYPASS);
	for (size_t i = late; i < run->out.n; i++) {
		struct finding *f = &run->out.items[i];

		f->action = f->action > ACTION_WARN ? ACTION_WARN : f->action;
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

/* What the early exit has left out. */
struct skipped {
	bool content, counters;
};

static bool
is_skipped(const struct skipped *skipped, const struct applying *a)
{
	return !a->error && ((skipped->content && a->policy->needs_content) ||
			     (skipped->counters && a->policy->counts));
}

/* The findings of E's policy, the first of which is AT; returns the next. */
static size_t
take_in(const struct findings *findings, size_t at, struct execution *e)
{
	for (; at < findings->n && findings->items[at].policy == e->policy;
	     at++) {
		e->result =
		    stronger(e->result, result_of(&findings->items[at]));
	}
	return at;
}

/*
 * Policies that apply and sorted findings are in the same order.  A policy
 * that only counts here, or only on the fallback, is there where it has a
 * finding.
 */
static void
tell_executions(const struct run *run, const struct skipped *skipped,
		struct decision *out)
{
	const struct findings *findings = &out->findings;
	size_t at = 0, i = 0;

	assert(findings->n == 0 || findings->items != NULL);
	out->executions =
	    arena_array(run->arena, run->applying_n + findings->n + 1,
			sizeof(*out->executions));
	while (i < run->applying_n ||
	       (at < findings->n && findings->items[at].policy != NULL)) {
		struct execution *e = &out->executions[out->executions_n++];
		const struct finding *f =
		    at < findings->n ? &findings->items[at] : NULL;

		if (i == run->applying_n ||
		    (f != NULL && f->policy != NULL &&
		     f->policy->index < run->applying[i].policy->index)) {
			e->policy = f->policy;
			e->excused = f->excused;
			at = take_in(findings, at, e);
			continue;
		}
		e->policy = run->applying[i].policy;
		e->excused = run_excused(run, e->policy);
		e->result = is_skipped(skipped, &run->applying[i])
				? EXECUTION_SKIPPED
				: EXECUTION_PASSED;
		at = take_in(findings, at, e);
		out->record_all |=
		    policy_flag(e->policy, CONSTRAINT_log_all_requests);
		i++;
	}
}

void
decide(const struct decide_world *world, const struct decide_settings *settings,
       const struct decide_ops *ops, enum stage stage,
       const struct context *ctx, struct arena *arena, struct decision *out)
{
	assert(world != NULL && settings != NULL && ctx != NULL);
	struct scan scan = { .done = false };
	struct skipped skipped;
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

	skipped.content =
	    content && find_action(&run.out, ACTION_BLOCK) != NULL;
	if (content && !skipped.content) {
		run_all(&run, RUN_CONTENT);
	}
	if (run.bypass.any) {
		run_all(&run, RUN_BYPASS);
	}
	bypass_warn(&run.bypass, run.applying, run.applying_n, arena, &run.out);
	skipped.counters = stage == STAGE_PRE_FLIGHT &&
			   find_action(&run.out, ACTION_BLOCK) != NULL;
	*out = (struct decision){ .estimate = run.estimate };
	size_t checked = run.out.n;

	go_on(&run, out);
	tell_late_bypasses(&run, checked);
	findings_sort(&run.out, arena);
	out->findings = run.out;
	settle(out);
	tell_executions(&run, &skipped, out);
	assert(!out->taken || out->action != ACTION_BLOCK);
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
