#include "core/fallback.h"

#include <string.h>

#include "core_fixture.h"

/* The chain for a policy that wants another model than the one asked for. */
static const struct {
	const char *context, *chain;
	const char *more[2]; /* policies beside it */
} cases[] = {
	/* same tier or lower, cheapest first; without a tier the lowest */
	{ "model_id=big", "mini little middle", { NULL } },
	{ "model_id=middle vendor_id=openai", "mini little middle", { NULL } },
	{ "model_id=mini", "little nomax", { NULL } },
	{ "model_id=tierless", "mini little nomax", { NULL } },
	{ "model_id=none", "mini little nomax", { NULL } },
	/* enough context, by what is asked for or estimated */
	{ "model_id=big requires=0:8000", "mini little middle", { NULL } },
	{ "model_id=big requires=0:8001", "mini middle middle", { NULL } },
	{ "model_id=big input_tokens=128001", "middle", { NULL } },
	{ "model_id=big prompt_length=32004", "mini middle middle", { NULL } },
	{ "model_id=big estimated_tokens=200000", "middle", { NULL } },
	{ "model_id=big requires=0:1000001", "", { NULL } },
	/* features: 1 function calling, 2 vision */
	{ "model_id=big requires=1:0", "mini", { NULL } },
	{ "model_id=big requires=2:0", "middle middle", { NULL } },
	{ "model_id=big requires=3:0", "", { NULL } },
	/* every policy, also one that comes to apply with the model */
	{ "model_id=big",
	  "little middle middle",
	  { "block vendor 50 blocked_models=mini" } },
	{ "model_id=big",
	  "mini middle middle",
	  { "block vendor 50 blocked_models=* ?vendor_id=anthropic" } },
	{ "model_id=big",
	  "middle middle",
	  { "block vendor 50 blocked_models=* ?model_tier<2" } },
	{ "model_id=big",
	  "mini little nomax",
	  { "degrade vendor 50 blocked_models=* ?model_tier=#2" } },
	{ "model_id=big estimated_tokens=1000000",
	  "",
	  { "block vendor 50 blocked_models=* "
	    "?estimated_cost>0&model_id!=big" } },
	{ "model_id=big estimated_tokens=1000",
	  "mini",
	  { "block vendor 50 blocked_models=* "
	    "?estimated_cost>0.0005&model_id!=big" } },
	{ "model_id=big estimated_cost=1 estimated_tokens=1000",
	  "mini",
	  { "block vendor 50 blocked_models=* "
	    "?estimated_cost>0.0005&model_id!=big" } },
	{ "model_id=big",
	  "little middle middle",
	  { "warn cost 50 max_daily_cost=1 ?model_id=mini @on_error=block" } },
	{ "model_id=big tags.t=#1",
	  "mini middle middle",
	  { "warn cost 50 max_daily_cost=1 @on_error=block "
	    "?model_id=little&tags.t=x" } },
};

static void
chain_of_each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;
		const char *got = "";

		fixture_context(fx, cases[i].context);
		fixture_policy(
		    fx, "other",
		    arena_printf(fx->arena,
				 "degrade vendor 90 blocked_models=* "
				 "?model_id=%s&vendor_id=%s;model_id=none",
				 context_text(&fx->ctx, FACT_model_id),
				 fx->ctx.model == NULL
				     ? "none"
				     : fx->ctx.model->vendor_id));
		for (size_t p = 0; p < 2 && cases[i].more[p] != NULL; p++) {
			fixture_policy(fx, p == 0 ? "x" : "y",
				       cases[i].more[p]);
		}
		fixture_decide(fx, &d);
		for (size_t c = 0; c < d.chain_n; c++) {
			got = arena_printf(fx->arena, "%s%s%s", got,
					   c == 0 ? "" : " ",
					   d.chain[c].model->model_id);
		}
		if (strcmp(got, cases[i].chain) != 0) {
			fail_msg("case %zu (%s): %s, not %s", i,
				 cases[i].context, got, cases[i].chain);
		}
		assert_int_equal(d.action,
				 d.chain_n > 0 ? ACTION_DEGRADE : ACTION_BLOCK);
		fixture_free(fx);
	}
}

/* Where the first of the chain would run. */
static const struct {
	const char *context;
	bool bound;
	const char *policy;
	const char *want; /* model@region */
} places[] = {
	/* the first region in which it passes */
	{ "model_id=big", false, NULL, "mini@us-east" },
	{ "model_id=big", false, "degrade data_residency 70 allowed_regions=eu",
	  "little@eu-west" },
	{ "model_id=big requires=2:0", false,
	  "degrade data_residency 70 allowed_regions=us", "middle@us-east" },
	/* what is not known is not permitted */
	{ "model_id=mini", false,
	  "degrade data_residency 70 allowed_regions=ap-south", "none" },
	{ "model_id=mini requires=2:0", false, NULL, "none" },
	/* a named region is kept where the model is served in it */
	{ "model_id=big region=eu-west requires=2:0", false, NULL,
	  "middle@eu-west" },
	{ "model_id=big region=us-east requires=2:0", false, NULL,
	  "middle@us-east" },
	{ "model_id=big region=us-east-1 requires=2:0", false, NULL,
	  "middle@us-east" },
	/* else its own count, but for a region that is bound to the key */
	{ "model_id=big region=eu-west", false, NULL, "mini@us-east" },
	{ "model_id=big region=eu-west", true, NULL, "little@eu-west" },
	{ "model_id=big region=atlantis", true, NULL, "nomax@" },
	/* moving the region is what degrade is for */
	{ "model_id=big region=eu-west requires=2:0", false,
	  "degrade data_residency 70 allowed_regions=us", "middle@us-east" },
	{ "model_id=big region=eu-west requires=2:0", true,
	  "degrade data_residency 70 allowed_regions=us", "none" },
	/* a condition may depend on where, too */
	{ "model_id=big requires=2:0", false,
	  "block vendor 70 blocked_models=* ?region=eu-west",
	  "middle@us-east" },
	{ "model_id=big requires=2:0", false,
	  "block vendor 70 blocked_models=* ?region=eu-west;user_tier=free",
	  "middle@us-east" },
	{ "model_id=big region=eu-west requires=2:0", false,
	  "block vendor 70 blocked_models=middle", "none" },
};

static void
region_of_each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;
		const char *got = "none";

		fixture_policy(fx, "a",
			       "degrade vendor 90 blocked_models=big,mini");
		if (strstr(places[i].want, "mini") != NULL) {
			fx->policies_n = 0;
			fixture_policy(fx, "a",
				       "degrade vendor 90 blocked_models=big");
		}
		if (places[i].policy != NULL) {
			fixture_policy(fx, "b", places[i].policy);
		}
		fixture_context(fx, places[i].context);
		if (places[i].bound) {
			fx->ctx.facts[FACT_region].source = SOURCE_KEY;
		}
		fixture_decide(fx, &d);
		if (d.chain_n > 0) {
			got = arena_printf(fx->arena, "%s@%s",
					   d.chain[0].model->model_id,
					   d.chain[0].region == NULL
					       ? ""
					       : d.chain[0].region->name);
		}
		if (strcmp(got, places[i].want) != 0) {
			fail_msg("case %zu (%s): %s, not %s", i,
				 places[i].context, got, places[i].want);
		}
		fixture_free(fx);
	}
}

/* The text is looked at for a policy that only a candidate brings. */
static void
content_of_a_candidates_policy_counts(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a", "degrade vendor 90 blocked_models=big");
	fixture_policy(fx, "b",
		       "block behavioral 50 blocked_keywords=k "
		       "?model_id=mini|little");
	fixture_context(fx, "model_id=big prompt_length=9");
	fx->hits_n = 1;
	fx->hits[0] = (struct content_hit){ 1, CONSTRAINT_blocked_keywords,
					    0, "/prompt",
					    0, 1 };
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "degrade a!model_blocked -> middle middle");
	assert_int_equal(fx->scans, 1);
	fx->scan_fails = "down";
	fx->settings.fail_closed = true;
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "degrade a!model_blocked -> middle middle");
	fixture_free(fx);
}

/* After an early exit it is not, also not for alternatives. */
static void
alternatives_of_a_block_leave_the_text(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block cost 90 max_cost_per_mil_tokens=10000000000");
	fixture_policy(fx, "b",
		       "block behavioral 50 blocked_keywords=k "
		       "?model_id=mini|little");
	fixture_context(fx, "model_id=big prompt_length=9");
	fixture_decide(fx, &d);
	assert_int_equal(
	    fixture_detail(&d.findings.items[0], "alternatives")->n, 3);
	assert_int_equal(fx->scans, 0);
	fixture_free(fx);
}

/* A subject's limit and an exemption may be those of a model. */
static void
subjects_that_are_models_change_with_it(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	struct policy *p = fixture_policy(
	    fx, "a", "block behavioral 50 max_prompt_length=5 @scope=model");

	fixture_limit(fx, p,
		      (struct subject_limit){ CONSTRAINT_max_prompt_length,
					      "big", 9, INT64_MAX });
	fixture_limit(fx, p,
		      (struct subject_limit){ CONSTRAINT_max_prompt_length,
					      "little", 9, INT64_MAX });
	p = fixture_policy(fx, "b", "block compliance 50 require_user_id=1");
	fixture_exempt(
	    fx, p, (struct exemption){ "x", SCOPE_MODEL, "big", 0, INT64_MAX });
	fixture_exempt(
	    fx, p,
	    (struct exemption){ "x", SCOPE_VENDOR, "anthropic", 0, INT64_MAX });
	fixture_policy(fx, "c", "degrade vendor 90 blocked_models=big");
	fixture_context(fx, "model_id=big prompt_length=9");
	fixture_decide(fx, &d);
	assert_string_equal(
	    fixture_answer(fx, &d),
	    "degrade c!model_blocked b!missing_user_id/exemption "
	    "-> little");
	fixture_free(fx);
}

/* A bypass may hold for the model that was asked for alone. */
static void
bypasses_come_and_go_with_the_model(void **state)
{
	static const struct {
		const char *bypass, *answer;
	} bypasses[] = {
		{ "log compliance 10 bypass_policies=b",
		  "degrade c!model_blocked b!missing_user_id/bypass -> mini "
		  "little middle" },
		{ "log compliance 10 bypass_policies=b ?vendor_id=openai",
		  "degrade c!model_blocked b!missing_user_id/bypass -> mini "
		  "middle nomax" },
		{ "block compliance 10 bypass_policies=d log_all_bypasses=1 "
		  "?vendor_id=anthropic|google",
		  "block c!model_blocked b!missing_user_id" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "b",
			       "block compliance 50 require_user_id=1");
		fixture_policy(fx, "c", "degrade vendor 90 blocked_models=big");
		fixture_policy(fx, "x", bypasses[i].bypass);
		fixture_context(fx, "model_id=big environment=development "
				    "dev_flag=1");
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), bypasses[i].answer);
		fixture_free(fx);
	}
}

/* One that appears with the candidate and asks for a block has its way. */
static void
a_bypass_that_appears_is_told(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "b", "block vendor 50 allowed_vendors=openai");
	fixture_policy(fx, "c", "degrade vendor 90 blocked_models=big,m*");
	fixture_policy(fx, "x",
		       "block compliance 10 bypass_policies=b "
		       "log_all_bypasses=1 ?vendor_id=anthropic");
	fixture_context(fx, "model_id=big environment=development dev_flag=1");
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "degrade c!model_blocked -> nomax");
	fixture_free(fx);
}

/* What every model fails but for a bypass that comes with the candidate. */
static void
a_bypass_may_excuse_what_does_not_depend_on_the_model(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "b", "degrade compliance 50 require_user_id=1");
	fixture_policy(fx, "x",
		       "log compliance 10 bypass_policies=b "
		       "?vendor_id=anthropic");
	fixture_context(fx, "model_id=big environment=development dev_flag=1");
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "degrade b!missing_user_id -> little");
	fixture_free(fx);
}

/* It may also come with the region, so each region is tried. */
static void
a_bypass_may_hold_in_one_region(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "b", "block compliance 50 require_user_id=1");
	fixture_policy(fx, "c", "degrade vendor 90 blocked_models=big");
	fixture_policy(fx, "x",
		       "log compliance 10 bypass_policies=b "
		       "?region=ap-south|us-east");
	fixture_context(fx, "model_id=big region=ap-south requires=2:0 "
			    "environment=development dev_flag=1");
	fixture_decide(fx, &d);
	assert_string_equal(
	    fixture_answer(fx, &d),
	    "degrade c!model_blocked b!missing_user_id/bypass -> middle");
	assert_string_equal(d.chain[0].region->name, "us-east");
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_of_each_case),
		cmocka_unit_test(region_of_each_case),
		cmocka_unit_test(content_of_a_candidates_policy_counts),
		cmocka_unit_test(alternatives_of_a_block_leave_the_text),
		cmocka_unit_test(subjects_that_are_models_change_with_it),
		cmocka_unit_test(bypasses_come_and_go_with_the_model),
		cmocka_unit_test(a_bypass_that_appears_is_told),
		cmocka_unit_test(
		    a_bypass_may_excuse_what_does_not_depend_on_the_model),
		cmocka_unit_test(a_bypass_may_hold_in_one_region),
	};
	return cmocka_run_group_tests_name("fallback", tests, NULL, NULL);
}
