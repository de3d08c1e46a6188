#include "core/decide.h"

#include <string.h>

#include "core_fixture.h"

#define TEXT "model_id=big prompt_length=9"

static const struct fixture_row rows[] = {
	{ "model_id=big", "allow", { NULL } },
	/* the strongest enforced action, every violation told */
	{ "model_id=big",
	  "block a!missing_user_id b!vendor_not_allowed "
	  "c!missing_correlation_id",
	  { "log compliance 90 require_user_id=1",
	    "block vendor 80 allowed_vendors=google",
	    "warn compliance 70 require_correlation_id=1" } },
	{ "model_id=big",
	  "warn a!missing_user_id b!missing_correlation_id",
	  { "log compliance 90 require_user_id=1",
	    "warn compliance 70 require_correlation_id=1" } },
	{ "model_id=big",
	  "log a!missing_user_id",
	  { "log compliance 90 require_user_id=1" } },
	{ "model_id=big",
	  "log a!missing_user_id/shadow b!missing_correlation_id",
	  { "block compliance 90 require_user_id=1 @shadow",
	    "log compliance 70 require_correlation_id=1" } },
	/* a condition that cannot be told: on_error */
	{ "model_id=big tags.t=#1",
	  "allow a?condition_error",
	  { "block compliance 90 require_user_id=1 ?tags.t=x" } },
	{ "model_id=big tags.t=#1",
	  "block a?condition_error",
	  { "warn compliance 90 require_user_id=1 ?tags.t=x "
	    "@on_error=block" } },
	{ "model_id=big tags.t=#1",
	  "allow a?condition_error/shadow",
	  { "warn compliance 90 require_user_id=1 ?tags.t=x @on_error=block "
	    "@shadow" } },
	/* degrade: cheapest first, no higher tier */
	{ "model_id=middle vendor_id=google estimated_tokens=1000",
	  "degrade a!cost_per_request_exceeded -> mini little",
	  { "degrade cost 65 max_cost_per_request=2499999" } },
	{ "model_id=big estimated_tokens=1000",
	  "degrade a!cost_per_request_exceeded -> mini little middle",
	  { "degrade cost 65 max_cost_per_request=44999999" } },
	{ "model_id=big estimated_tokens=1000",
	  "degrade a!cost_per_request_exceeded -> mini",
	  { "degrade cost 65 max_cost_per_request=400000" } },
	{ "model_id=big estimated_tokens=1000",
	  "block a!cost_per_request_exceeded a!no_permitted_fallback",
	  { "degrade cost 65 max_cost_per_request=0" } },
	/* each candidate by every policy */
	{ "model_id=big estimated_tokens=1000",
	  "degrade a!cost_per_request_exceeded -> little middle",
	  { "degrade cost 65 max_cost_per_request=44999999",
	    "block vendor 60 blocked_vendors=openai ?model_id!=big" } },
	{ "model_id=big estimated_tokens=1000",
	  "block a!vendor_blocked b!cost_per_request_exceeded",
	  { "block vendor 80 blocked_vendors=openai",
	    "degrade cost 65 max_cost_per_request=44999999" } },
	{ "model_id=big estimated_tokens=1000",
	  "degrade a!vendor_blocked -> little middle",
	  { "degrade vendor 80 blocked_vendors=openai" } },
	{ "model_id=big estimated_tokens=1000",
	  "degrade a!vendor_blocked b!model_not_allowed -> middle",
	  { "degrade vendor 80 blocked_vendors=openai",
	    "degrade vendor 60 allowed_models=mi*" } },
	/* a warning or a shadow does not keep one away */
	{ "model_id=big estimated_tokens=1000",
	  "degrade a!vendor_blocked -> little middle",
	  { "degrade vendor 80 blocked_vendors=openai",
	    "warn vendor 60 blocked_models=little",
	    "block vendor 60 blocked_models=middle @shadow" } },
	/* degrade in shadow looks for nothing */
	{ "model_id=big estimated_tokens=1000",
	  "allow a!vendor_blocked/shadow",
	  { "degrade vendor 80 blocked_vendors=openai @shadow" } },
	/* what every model would fail leaves none */
	{ "model_id=big",
	  "block a!missing_user_id a!no_permitted_fallback",
	  { "degrade compliance 90 require_user_id=1" } },
};

static void
answers_each_case(void **state)
{
	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
winner_passed_and_estimates(void **state)
{
	static const struct {
		const char *policy;
		size_t winner;
		int64_t cost, final_cost;
		enum action action;
		bool passed;
	} cases[] = {
		{ "block cost 65 max_cost_per_request=45000000", SIZE_MAX,
		  45000000, 45000000, ACTION_ALLOW, true },
		{ "warn cost 65 max_cost_per_request=44999999", 0, 45000000,
		  45000000, ACTION_WARN, false },
		{ "degrade cost 65 max_cost_per_request=44999999", 0, 45000000,
		  375000, ACTION_DEGRADE, false },
		{ "degrade cost 65 max_cost_per_request=0", 1, 45000000,
		  45000000, ACTION_BLOCK, false },
		{ "block cost 65 max_cost_per_request=0 @shadow", SIZE_MAX,
		  45000000, 45000000, ACTION_ALLOW, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a", cases[i].policy);
		fixture_context(fx, "model_id=big estimated_tokens=1000");
		fixture_decide(fx, &d);
		assert_int_equal(d.action, cases[i].action);
		assert_int_equal(d.winner, cases[i].winner);
		assert_int_equal(d.passed, cases[i].passed);
		assert_int_equal(d.estimate.cost_nanousd, cases[i].cost);
		assert_int_equal(d.final_estimate.cost_nanousd,
				 cases[i].final_cost);
		assert_int_equal(d.chain_n > 0, d.action == ACTION_DEGRADE);
		fixture_free(fx);
	}
}

static void
the_first_of_the_strongest_wins(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "low", "block compliance 10 require_user_id=1");
	fixture_policy(fx, "mid", "block compliance 50 require_user_id=1");
	fixture_policy(fx, "top", "warn compliance 90 require_user_id=1");
	fixture_decide(fx, &d);
	assert_string_equal(d.findings.items[d.winner].policy->name, "mid");
	fixture_free(fx);
}

/* An enforced block skips the text; all else that is plain is still told. */
static void
an_early_exit_skips_the_text(void **state)
{
	static const struct {
		const char *first, *context;
		const char *answer;
		int scans;
		enum execution_result text_result;
	} cases[] = {
		{ "block compliance 90 require_user_id=1", TEXT,
		  "block a!missing_user_id c!missing_correlation_id", 0,
		  EXECUTION_SKIPPED },
		{ "block compliance 90 require_user_id=1",
		  TEXT " user_id=u correlation_id=c", "block b!blocked_content",
		  1, EXECUTION_VIOLATED },
		{ "warn compliance 90 require_user_id=1", TEXT,
		  "block a!missing_user_id b!blocked_content "
		  "c!missing_correlation_id",
		  1, EXECUTION_VIOLATED },
		{ "block compliance 90 require_user_id=1 @shadow", TEXT,
		  "block a!missing_user_id/shadow b!blocked_content "
		  "c!missing_correlation_id",
		  1, EXECUTION_VIOLATED },
		{ "block compliance 90 require_user_id=1", "model_id=big",
		  "block a!missing_user_id c!missing_correlation_id", 0,
		  EXECUTION_PASSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a", cases[i].first);
		fixture_policy(fx, "b",
			       "block behavioral 50 blocked_keywords=k");
		fixture_policy(fx, "c",
			       "warn compliance 10 require_correlation_id=1");
		fx->hits_n = 1;
		fx->hits[0] = (struct content_hit){
			1, CONSTRAINT_blocked_keywords, 0, "/prompt", 0, 1
		};
		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		assert_int_equal(fx->scans, cases[i].scans);
		assert_int_equal(d.executions_n, 3);
		assert_int_equal(d.executions[1].result, cases[i].text_result);
		fixture_free(fx);
	}
}

static void
what_cannot_be_scanned_is_not_clean(void **state)
{
	static const struct {
		const char *why;
		bool scanner;
		const char *policy, *answer;
	} cases[] = {
		{ "out of scratch", true,
		  "block behavioral 50 blocked_keywords=k",
		  "allow a?content_not_scanned" },
		{ "out of scratch", true,
		  "warn behavioral 50 blocked_keywords=k @on_error=block",
		  "block a?content_not_scanned" },
		{ "out of scratch", true,
		  "warn behavioral 50 blocked_keywords=k @on_error=block "
		  "@shadow",
		  "allow a?content_not_scanned/shadow" },
		{ NULL, false,
		  "block behavioral 50 blocked_keywords=k blocked_patterns=p",
		  "allow a?content_not_scanned" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a", cases[i].policy);
		fx->scan_fails = cases[i].why;
		if (!cases[i].scanner) {
			fx->ops.scan = NULL;
		}
		fixture_context(fx, TEXT);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		assert_int_equal(d.executions[0].result,
				 EXECUTION_NOT_EVALUATED);
		decide(&fx->world, &fx->settings, NULL, STAGE_PRE_FLIGHT,
		       &fx->ctx, fx->arena, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		fixture_free(fx);
	}
}

static void
executions_say_what_each_came_to(void **state)
{
	static const struct {
		const char *name, *policy;
		enum execution_result result;
		const char *excused;
	} cases[] = {
		{ "passed", "block compliance 99 require_user_id=0",
		  EXECUTION_PASSED, NULL },
		{ "warned",
		  "warn cost 98 max_cost_per_request=9 "
		  "warn_threshold=1",
		  EXECUTION_WARNED, NULL },
		{ "violated", "warn compliance 97 require_user_id=1",
		  EXECUTION_VIOLATED, NULL },
		{ "shadow", "warn compliance 96 require_user_id=1 @shadow",
		  EXECUTION_VIOLATED, "shadow" },
		{ "unknown", "warn cost 95 max_daily_cost=1",
		  EXECUTION_NOT_EVALUATED, NULL },
		{ "both",
		  "warn cost 94 max_daily_cost=1 "
		  "max_cost_per_request=4",
		  EXECUTION_VIOLATED, NULL },
		{ "error", "warn cost 93 max_cost_per_request=4 ?tags.t=x",
		  EXECUTION_NOT_EVALUATED, NULL },
		{ "warned-unknown",
		  "warn cost 92 max_daily_cost=1 max_cost_per_request=9 "
		  "warn_threshold=1",
		  EXECUTION_NOT_EVALUATED, NULL },
	};
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		fixture_policy(fx, cases[i].name, cases[i].policy);
	}
	fixture_policy(fx, "elsewhere", "warn cost 100 ?user_tier=free");
	fixture_context(fx, "model_id=big estimated_cost=5 tags.t=#1");
	fixture_decide(fx, &d);
	assert_int_equal(d.executions_n, N);
	for (size_t i = 0; i < N; i++) {
		assert_string_equal(d.executions[i].policy->name,
				    cases[i].name);
		assert_int_equal(d.executions[i].result, cases[i].result);
		if (cases[i].excused == NULL) {
			assert_null(d.executions[i].excused);
		} else {
			assert_string_equal(d.executions[i].excused,
					    cases[i].excused);
		}
	}
	fixture_free(fx);
}

static void
a_price_that_is_too_high_names_others(void **state)
{
	static const struct {
		const char *policy, *context, *answer;
		size_t n;
	} cases[] = {
		{ "warn cost 70 max_cost_per_mil_tokens=10000000000",
		  "model_id=big", "warn a!model_price_exceeded", 3 },
		{ "block cost 70 max_cost_per_mil_tokens=10000000000",
		  "model_id=big", "block a!model_price_exceeded", 3 },
		{ "block cost 70 max_cost_per_mil_tokens=10000000000 @shadow",
		  "model_id=big", "allow a!model_price_exceeded/shadow", 3 },
		{ "degrade cost 70 max_cost_per_mil_tokens=400000000",
		  "model_id=big", "degrade a!model_price_exceeded -> mini", 1 },
		{ "warn cost 70 max_cost_per_mil_tokens=0", "model_id=mini",
		  "warn a!model_price_exceeded", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a", cases[i].policy);
		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		assert_int_equal(
		    fixture_detail(&d.findings.items[0], "alternatives")->n,
		    cases[i].n);
		fixture_free(fx);
	}
}

/* What is left out cannot escape a condition on it. */
static void
figures_left_out_are_computed_for_conditions(void **state)
{
	static const struct {
		const char *condition, *context, *answer;
	} cases[] = {
		{ "?estimated_cost>=0.0003",
		  "model_id=mini estimated_tokens=800",
		  "warn a!missing_user_id" },
		{ "?estimated_cost>0.0003",
		  "model_id=mini estimated_tokens=800", "allow" },
		{ "?estimated_cost>=0", "model_id=none estimated_tokens=800",
		  "allow" },
		{ "?estimated_cost>0.0003",
		  "model_id=mini estimated_tokens=800 estimated_cost=1",
		  "allow" },
		{ "?estimated_tokens>=100", "model_id=mini prompt_length=400",
		  "warn a!missing_user_id" },
		{ "?input_tokens>=100", "model_id=mini prompt_length=400",
		  "warn a!missing_user_id" },
		{ "?input_tokens>=0", "model_id=mini", "allow" },
		{ "?input_tokens=#0", "model_id=mini estimated_tokens=800",
		  "allow" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a",
			       arena_printf(fx->arena,
					    "warn compliance 50 "
					    "require_user_id=1 %s",
					    cases[i].condition));
		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		fixture_free(fx);
	}
}

static void
a_record_that_cannot_be_kept(void **state)
{
	static const struct {
		const char *policy, *context, *before, *after;
		enum execution_result result;
	} cases[] = {
		{ "warn compliance 90 log_all_requests=1 @on_error=block",
		  "model_id=big", "allow", "block a?not_recorded",
		  EXECUTION_NOT_EVALUATED },
		{ "warn compliance 90 log_all_requests=1", "model_id=big",
		  "allow", "allow a?not_recorded", EXECUTION_NOT_EVALUATED },
		{ "warn compliance 90 log_all_requests=0 @on_error=block",
		  "model_id=big", "allow", "allow", EXECUTION_PASSED },
		{ "warn compliance 90 log_all_requests=1 @on_error=block "
		  "@shadow",
		  "model_id=big", "allow", "allow a?not_recorded/shadow",
		  EXECUTION_NOT_EVALUATED },
		{ "warn compliance 90 log_all_requests=1 require_user_id=1",
		  "model_id=big", "warn a!missing_user_id",
		  "warn a!missing_user_id a?not_recorded", EXECUTION_VIOLATED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a", cases[i].policy);
		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].before);
		assert_int_equal(d.record_all,
				 strstr(cases[i].policy, "requests=1") != NULL);
		decide_unrecorded(&fx->settings, fx->arena, &d);
		const char *after = fixture_answer(fx, &d);

		if (strcmp(after, cases[i].after) != 0) {
			fail_msg("%s, not %s", after, cases[i].after);
		}
		assert_int_equal(d.executions[0].result, cases[i].result);
		fixture_free(fx);
	}
}

/* A degraded call that becomes a block has no fallback left. */
static void
a_record_that_cannot_be_kept_ends_a_fallback(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a", "degrade vendor 80 blocked_models=big");
	fixture_policy(fx, "b", "warn compliance 90 log_all_requests=1");
	fixture_context(fx, "model_id=big estimated_tokens=1000");
	fixture_decide(fx, &d);
	assert_true(d.chain_n > 0);
	assert_true(d.final_estimate.cost_nanousd < d.estimate.cost_nanousd);
	fx->settings.fail_closed = true;
	decide_unrecorded(&fx->settings, fx->arena, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "block b?not_recorded a!model_blocked");
	assert_int_equal(d.winner, 0);
	assert_int_equal(d.final_estimate.cost_nanousd,
			 d.estimate.cost_nanousd);
	fixture_free(fx);
}

static void
other_stages_have_their_own_policies(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block compliance 90 require_user_id=1 "
		       "@stage=post_execution");
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d), "allow");
	decide(&fx->world, &fx->settings, &fx->ops, STAGE_POST_EXECUTION,
	       &fx->ctx, fx->arena, &d);
	assert_string_equal(fixture_answer(fx, &d), "block a!missing_user_id");
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_case),
		cmocka_unit_test(winner_passed_and_estimates),
		cmocka_unit_test(the_first_of_the_strongest_wins),
		cmocka_unit_test(an_early_exit_skips_the_text),
		cmocka_unit_test(what_cannot_be_scanned_is_not_clean),
		cmocka_unit_test(executions_say_what_each_came_to),
		cmocka_unit_test(a_price_that_is_too_high_names_others),
		cmocka_unit_test(figures_left_out_are_computed_for_conditions),
		cmocka_unit_test(a_record_that_cannot_be_kept),
		cmocka_unit_test(a_record_that_cannot_be_kept_ends_a_fallback),
		cmocka_unit_test(other_stages_have_their_own_policies),
	};
	return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
