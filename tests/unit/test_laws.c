/*
 * The laws of docs/policies.md, "How a decision is made", that need no
 * counter, on random policies, contexts and catalogues.  A world is made from
 * its seed alone, so a failure names the one to look at.
 */
#include "core/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_random.h"

enum { WORLDS = 3000, FINDINGS_MAX = 128 };

/* ---- answers that can be compared */

struct answer {
	char findings[FINDINGS_MAX][96]; /* sorted */
	size_t n;
	enum action action;
	bool passed;
	struct fallback chain[FALLBACK_CHAIN];
	size_t chain_n;
};

static int
text_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Whose it is; by which policy a fallback that is missing is told is a matter
 * of order. */
static const char *
teller(struct fixture *fx, const struct finding *f)
{
	if (f->policy == NULL ||
	    strcmp(f->type, "no_permitted_fallback") == 0) {
		return "";
	}
	return arena_printf(fx->arena, "%s.%d", f->policy->name, (int)f->key);
}

/* DECISION without what policy EXCEPT said. */
static void
answer_of(struct fixture *fx, const struct decision *d, const char *except,
	  struct answer *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < d->findings.n; i++) {
		const struct finding *f = &d->findings.items[i];

		if (except != NULL && f->policy != NULL &&
		    strcmp(f->policy->name, except) == 0) {
			continue;
		}
		assert_true(out->n < FINDINGS_MAX);
		snprintf(out->findings[out->n++], sizeof(out->findings[0]),
			 "%s %d %s %s", teller(fx, f), (int)f->kind, f->type,
			 f->excused == NULL ? "-" : f->excused);
	}
	qsort(out->findings, out->n, sizeof(out->findings[0]), text_order);
	out->action = d->action;
	out->passed = d->passed;
	out->chain_n = d->chain_n;
	memcpy(out->chain, d->chain, d->chain_n * sizeof(d->chain[0]));
}

static void
drop_doubles(struct answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (n == 0 || strcmp(a->findings[i], a->findings[n - 1]) != 0) {
			memmove(a->findings[n++], a->findings[i],
				sizeof(a->findings[0]));
		}
	}
	a->n = n;
}

static void
assert_same_chain(unsigned seed, const struct fallback *a, size_t a_n,
		  const struct fallback *b, size_t b_n)
{
	bool same = a_n == b_n;

	for (size_t i = 0; same && i < a_n; i++) {
		same = a[i].model == b[i].model && a[i].region == b[i].region;
	}
	if (!same) {
		fail_msg("seed %u: another chain", seed);
	}
}

static void
assert_same(unsigned seed, const struct answer *a, const struct answer *b)
{
	bool same =
	    a->action == b->action && a->passed == b->passed && a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++) {
		same = strcmp(a->findings[i], b->findings[i]) == 0;
	}
	if (!same) {
		fail_msg("seed %u: another answer", seed);
	}
	assert_same_chain(seed, a->chain, a->chain_n, b->chain, b->chain_n);
}

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
		assert_same(seed, &before, &after);
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
		assert_same(seed, &before, &after);
		fixture_free(fx);
	}
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
			copy->policy_id = "copy";
		}
		fixture_decide(fx, &d);
		answer_of(fx, &d, NULL, &after);
		drop_doubles(&before);
		drop_doubles(&after);
		assert_same(seed, &before, &after);
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

			chain[n].model = m;
			n += suits(&as, m) &&
			     passes_somewhere(fx, &as, m, &chain[n].region);
		}
		assert_same_chain(seed, chain, n, d.chain, d.chain_n);
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
