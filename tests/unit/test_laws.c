/*
 * The laws of docs/policies.md, "How a decision is made", on random policies,
 * contexts, catalogues and counters.  A world is made from its seed alone, so a
 * failure names the one to look at.
 */
#include "core/decide.h"

#include <string.h>

#include "core/select.h"
#include "core_answer.h"
#include "core_random.h"

enum { WORLDS = 3000 };

/* ---- the laws */

static void
the_order_changes_nothing(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct answer before, after;
		struct decision d;

		fixture_decide(fx, &d);
		answer_of(fx, &d, NULL, &before);
		for (size_t i = 0; i < fx->policies_n; i++) {
			fx->policies[i].priority = (int)random_roll(&dice, 101);
		}
		fixture_decide(fx, &d);
		answer_of(fx, &d, NULL, &after);
		answer_assert_same(seed, &before, &after);
		fixture_free(fx);
	}
}

static void
a_block_policy_never_weakens(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct decision before, after;

		fixture_decide(fx, &before);
		fixture_policy(
		    fx, "more",
		    random_text(fx, &dice, "block", random_rule(&dice)));
		fixture_decide(fx, &after);
		if (after.action < before.action ||
		    (after.passed && !before.passed)) {
			fail_msg("seed %u: weaker", seed);
		}
		fixture_free(fx);
	}
}

static void
a_shadow_policy_never_changes_an_answer(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct answer before, after;
		struct decision d;

		fixture_decide(fx, &d);
		answer_of(fx, &d, "more", &before);
		const char *rule = random_roll(&dice, 5) == 0
				       ? random_bypass(&dice)
				       : random_rule(&dice);
		struct policy *more = fixture_policy(
		    fx, "more",
		    random_text(fx, &dice, random_action(&dice), rule));

		more->mode = MODE_SHADOW;
		fixture_decide(fx, &d);
		answer_of(fx, &d, "more", &after);
		answer_assert_same(seed, &before, &after);
		fixture_free(fx);
	}
}

static void
assert_counting_is_part(unsigned seed, struct fixture *fx,
			const struct applying *all, size_t n)
{
	struct applying *counting;
	size_t at = 0,
	       counting_n = policy_select_counting(
		   &fx->set, STAGE_PRE_FLIGHT, &fx->ctx, fx->arena, &counting);

	for (size_t i = 0; i < n; i++) {
		if (all[i].policy->counts &&
		    (at == counting_n ||
		     counting[at++].policy != all[i].policy)) {
			fail_msg("seed %u: what counts is not found", seed);
		}
	}
	assert_int_equal(at, counting_n);
}

static void
the_index_is_as_good_as_a_scan(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct applying *a, *b;

		for (unsigned more = random_roll(&dice, 60); more > 0; more--) {
			random_policy(fx, &dice, "more");
		}
		fixture_compile(fx);
		size_t n = policy_select(&fx->set, STAGE_PRE_FLIGHT, &fx->ctx,
					 fx->arena, &a);
		size_t b_n = policy_select_by_scan(&fx->set, STAGE_PRE_FLIGHT,
						   &fx->ctx, fx->arena, &b);
		bool same = n == b_n;

		for (size_t i = 0; same && i < n; i++) {
			same = a[i].policy == b[i].policy &&
			       a[i].error == b[i].error;
		}
		if (!same) {
			fail_msg("seed %u: the index differs", seed);
		}
		assert_counting_is_part(seed, fx, b, b_n);
		fixture_free(fx);
	}
}

static void
duplicates_change_nothing(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct answer before, after;
		struct decision d;
		size_t n = fx->policies_n;

		fixture_decide(fx, &d);
		answer_of(fx, &d, NULL, &before);
		for (size_t i = 0; i < n; i++) {
			struct policy *copy =
			    fixture_policy(fx, "copy", "log cost 0");

			*copy = fx->policies[i];
			copy->policy_id = arena_printf(fx->arena, "copy%zu", i);
		}
		fixture_decide(fx, &d);
		answer_of(fx, &d, NULL, &after);
		answer_drop_doubles(&before);
		answer_drop_doubles(&after);
		answer_assert_same(seed, &before, &after);
		fixture_free(fx);
	}
}

static void
the_winner_is_the_decision(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct decision d;

		fixture_decide(fx, &d);
		assert_int_equal(d.winner == SIZE_MAX,
				 d.action == ACTION_ALLOW);
		assert_int_equal(d.passed, d.action == ACTION_ALLOW);
		assert_int_equal(d.chain_n > 0, d.action == ACTION_DEGRADE);
		for (size_t i = 0; i < d.findings.n; i++) {
			const struct finding *f = &d.findings.items[i];

			if (i == d.winner) {
				assert_true(f->enforced);
				assert_int_equal(f->action, d.action);
			} else if (f->enforced && f->action != ACTION_ALLOW) {
				assert_true(i < d.winner
						? f->action < d.action
						: f->action <= d.action);
			}
		}
		fixture_free(fx);
	}
}

/* ---- a fallback passes when it is asked for itself, and nothing cheaper */

/* Ask for MODEL in REGION (NULL: not known) as it would have been asked. */
static enum action
ask_for(struct fixture *fx, const struct context *as, const struct model *model,
	const struct region *region)
{
	struct context *ctx = &fx->ctx;
	struct decision d;

	*ctx = *as;
	ctx->facts[FACT_estimated_cost].source = SOURCE_MISSING;
	ctx->facts[FACT_model_id].value.text = model->model_id;
	ctx->facts[FACT_vendor_id].source = SOURCE_BODY;
	ctx->facts[FACT_vendor_id].value.text = model->vendor_id;
	ctx->model = model;
	ctx->facts[FACT_model_tier].source = SOURCE_CATALOGUE;
	ctx->facts[FACT_model_tier].value.number = model->tier;
	ctx->region_given = region != NULL;
	if (region != NULL) {
		ctx->facts[FACT_region].source = SOURCE_BODY;
		ctx->facts[FACT_region].value.text = region->name;
	}
	decide(&fx->world, &fx->settings, &fx->ops, STAGE_PRE_FLIGHT, ctx,
	       fx->arena, &d);
	*ctx = *as;
	return d.action;
}

static bool
suits(const struct context *ctx, const struct model *model)
{
	int64_t need = ctx->requires.context_tokens;
	int64_t input =
	    ctx->facts[FACT_prompt_length].source == SOURCE_MISSING
		? 0
		: (ctx->facts[FACT_prompt_length].value.number + 3) / 4;

	if (input == 0 &&
	    ctx->facts[FACT_estimated_tokens].source != SOURCE_MISSING) {
		input = ctx->facts[FACT_estimated_tokens].value.number;
	} else if (input == 0 && ctx->facts[FACT_max_output_tokens].source !=
				     SOURCE_MISSING) {
		input = ctx->facts[FACT_max_output_tokens].value.number;
	}
	need = input > need ? input : need;
	int tier =
	    ctx->model == NULL || ctx->model->tier == 0 ? 1 : ctx->model->tier;
	bool itself =
	    ctx->model == model ||
	    (ctx->model == NULL &&
	     strcmp(model->model_id, context_text(ctx, FACT_model_id)) == 0);

	return !itself && model->tier >= 1 && model->tier <= tier &&
	       (model->features & ctx->requires.features) ==
		   ctx->requires.features &&
	       (need == 0 || model->context_tokens >= need);
}

/* The first region in which MODEL passes, tried one by one. */
static bool
passes_somewhere(struct fixture *fx, const struct context *as,
		 const struct model *model, const struct region **where)
{
	const struct fact *fact = &as->facts[FACT_region];
	const struct region *named =
	    as->region_given
		? catalogue_region(&fx->catalogue, fact->value.text)
		: NULL;

	*where = NULL;
	if (model->regions_n == 0) {
		return ask_for(fx, as, model, NULL) < ACTION_DEGRADE;
	}
	for (size_t i = 0; named != NULL && i < model->regions_n; i++) {
		*where = named;
		if (model->regions[i] == named &&
		    ask_for(fx, as, model, named) < ACTION_DEGRADE) {
			return true;
		}
	}
	if (as->region_given && fact->source == SOURCE_KEY) {
		return false;
	}
	for (size_t i = 0; i < model->regions_n; i++) {
		*where = model->regions[i];
		if (ask_for(fx, as, model, *where) < ACTION_DEGRADE) {
			return true;
		}
	}
	return false;
}

static bool
wanted_a_fallback(const struct decision *d)
{
	for (size_t i = 0; i < d->findings.n; i++) {
		if (strcmp(d->findings.items[i].type,
			   "no_permitted_fallback") == 0) {
			return true;
		}
	}
	return d->action == ACTION_DEGRADE;
}

static void
fallbacks_are_those_that_pass_themselves(void **state)
{
	unsigned with = 0, without = 0;

	(void)state;
	for (unsigned seed = 0; seed < 2 * WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		const struct context as = fx->ctx;
		struct fallback chain[FALLBACK_CHAIN];
		struct decision d;
		size_t n = 0;

		fixture_decide(fx, &d);
		if (!wanted_a_fallback(&d)) {
			fixture_free(fx);
			continue;
		}
		for (size_t i = 0;
		     i < fx->catalogue.by_price_n && n < FALLBACK_CHAIN; i++) {
			const struct model *m = fx->catalogue.by_price[i];

			/* only the first one is counted */
			fx->counter->roomy = n > 0;
			chain[n].model = m;
			n += suits(&as, m) &&
			     passes_somewhere(fx, &as, m, &chain[n].region);
		}
		answer_assert_chain(seed, chain, n, d.chain, d.chain_n);
		with += n > 0;
		without += n == 0;
		fixture_free(fx);
	}
	/* The generator must make both, or this says nothing. */
	assert_true(with > 50 && without > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_changes_nothing),
		cmocka_unit_test(a_block_policy_never_weakens),
		cmocka_unit_test(a_shadow_policy_never_changes_an_answer),
		cmocka_unit_test(the_index_is_as_good_as_a_scan),
		cmocka_unit_test(duplicates_change_nothing),
		cmocka_unit_test(the_winner_is_the_decision),
		cmocka_unit_test(fallbacks_are_those_that_pass_themselves),
	};
	return cmocka_run_group_tests_name("laws", tests, NULL, NULL);
}
