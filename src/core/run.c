#include "core/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/money.h"
#include "core/check.h"
#include "core/finding.h"
#include "core/select.h"

static void
compute(struct context *ctx, enum fact_id id, int64_t number)
{
	struct fact *fact = &ctx->facts[id];

	if (fact->source == SOURCE_MISSING) {
		fact->source = SOURCE_COMPUTED;
		fact->value.number = number;
	}
}

void
run_estimate(struct run *run)
{
	struct context *ctx = &run->ctx;
	bool sized = ctx->facts[FACT_input_tokens].source != SOURCE_MISSING ||
		     ctx->facts[FACT_prompt_length].source != SOURCE_MISSING;

	run->estimate =
	    estimate_make(ctx, ctx->model, run->asked_for, MONEY_UNKNOWN);
	if (sized) {
		compute(ctx, FACT_input_tokens, run->estimate.input_tokens);
		compute(ctx, FACT_estimated_tokens, run->estimate.total_tokens);
	}
	if (run->estimate.cost_nanousd != MONEY_UNKNOWN) {
		compute(ctx, FACT_estimated_cost, run->estimate.cost_nanousd);
	}
}

void
run_select(struct run *run, bool by_model_only)
{
	const struct policy_set *set = run->world->policies;

	run->applying_n =
	    by_model_only ? policy_select_by_model(set, run->stage, &run->ctx,
						   run->arena, &run->applying)
			  : policy_select(set, run->stage, &run->ctx,
					  run->arena, &run->applying);
	run->bypass =
	    bypass_find(run->applying, run->applying_n, &run->ctx, run->arena);
}

const char *
run_excused(const struct run *run, const struct policy *policy)
{
	if (policy->mode == MODE_SHADOW) {
		return "shadow";
	}
	if (policy_exemption(policy, &run->ctx) != NULL) {
		return "exemption";
	}
	return bypass_excuses(&run->bypass, policy) ? "bypass" : NULL;
}

bool
run_needs_content(const struct run *run)
{
	for (size_t i = 0; run->ctx.has_text && i < run->applying_n; i++) {
		if (run->applying[i].policy->needs_content &&
		    !run->applying[i].error) {
			return true;
		}
	}
	return false;
}

static int
hit_order(const void *a, const void *b)
{
	const struct content_hit *x = a, *y = b;

	if (x->policy != y->policy) {
		return x->policy < y->policy ? -1 : 1;
	}
	if (x->key != y->key) {
		return x->key < y->key ? -1 : 1;
	}
	if (x->item != y->item) {
		return x->item < y->item ? -1 : 1;
	}
	return x->start < y->start ? -1 : x->start > y->start;
}

static void
scan(struct run *run)
{
	struct scan *scan = run->scan;
	const struct content_hit *hits = NULL;

	if (scan->done) {
		return;
	}
	scan->done = true;
	if (run->ops == NULL || run->ops->scan == NULL) {
		scan->why = "there is no scanner";
		return;
	}
	const char *why = "the scanner failed";

	if (!run->ops->scan(run->ops->arg, run->arena, &hits, &scan->hits_n,
			    &why)) {
		scan->why = why;
		scan->hits_n = 0;
		return;
	}
	if (scan->hits_n > 0) {
		struct content_hit *sorted =
		    arena_array(run->arena, scan->hits_n, sizeof(*sorted));

		memcpy(sorted, hits, scan->hits_n * sizeof(*sorted));
		qsort(sorted, scan->hits_n, sizeof(*sorted), hit_order);
		scan->hits = sorted;
	}
}

static enum run_part
part_of(enum constraint_key key)
{
	if (key == CONSTRAINT_bypass_policies) {
		return RUN_BYPASS;
	}
	return check_is_content(key) ? RUN_CONTENT : RUN_PLAIN;
}

/* The policy as a whole could not be evaluated. */
static struct finding *
add_unknown(struct run *run, const struct policy *policy, const char *type,
	    const char *message)
{
	struct finding_of of = {
		.policy = policy,
		.key = CONSTRAINT_N,
		.excused = run_excused(run, policy),
		.fail_closed = run->settings->fail_closed,
	};

	return finding_add(&run->out, run->arena, &of, FINDING_UNKNOWN, type,
			   message);
}

struct finding *
run_say_unclear(struct run *run, const struct policy *policy)
{
	return add_unknown(run, policy, "condition_error",
			   "it cannot be told whether the policy applies: a "
			   "fact has another type");
}

/* Is the text of POLICY to be looked at, and could it be scanned? */
static bool
content_ready(struct run *run, const struct policy *policy)
{
	if (!policy->needs_content || !run->ctx.has_text) {
		return false;
	}
	scan(run);
	if (run->scan->why != NULL) {
		add_unknown(run, policy, "content_not_scanned", run->scan->why);
		return false;
	}
	return true;
}

void
run_policy(struct run *run, size_t i, unsigned parts)
{
	const struct policy *policy = run->applying[i].policy;

	if (run->applying[i].error) {
		if (parts & RUN_PLAIN) {
			run_say_unclear(run, policy);
		}
		return;
	}
	if ((parts & RUN_CONTENT) && !content_ready(run, policy)) {
		parts &= ~(unsigned)RUN_CONTENT;
	}
	if (parts == 0) {
		return;
	}
	struct check check = {
		.world = run->world,
		.settings = run->settings,
		.ctx = &run->ctx,
		.policy = policy,
		.estimate = run->estimate,
		.asked_for = run->asked_for,
		.excused = run_excused(run, policy),
		.hits = run->scan->hits,
		.hits_n = run->scan->hits_n,
		.told_n = run->told_n,
		.arena = run->arena,
		.out = &run->out,
	};
	for (size_t c = 0; c < policy->constraints_n; c++) {
		check.constraint = &policy->constraints[c];
		if (parts & part_of(check.constraint->key)) {
			check_run(&check);
		}
	}
}
