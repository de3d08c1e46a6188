#include "core/check.h"

#include "core_fixture.h"

#define DEV "model_id=big environment=development dev_flag=1"
#define BYPASS "log compliance 10 bypass_policies=a,z require_dev_flag=1"
#define LOGGED BYPASS " log_all_bypasses=1"
#define NO_USER "block compliance 90 require_user_id=1"

static const struct fixture_row rows[] = {
	/* ids */
	{ "model_id=big",
	  "block a!missing_correlation_id a!missing_user_id",
	  { "block compliance 90 require_correlation_id=1 "
	    "require_user_id=1" } },
	{ "model_id=big correlation_id=c user_id=u",
	  "allow",
	  { "block compliance 90 require_correlation_id=1 "
	    "require_user_id=1" } },
	{ "model_id=big correlation_id=c",
	  "block a!missing_user_id",
	  { "block compliance 90 require_correlation_id=1 "
	    "require_user_id=1" } },
	{ "model_id=big user_id= correlation_id=",
	  "block a!missing_correlation_id a!missing_user_id",
	  { "block compliance 90 require_correlation_id=1 "
	    "require_user_id=1" } },
	/* a bypass needs development and, unless it says no, the dev flag */
	{ DEV, "allow a!missing_user_id/bypass", { NO_USER, BYPASS } },
	{ DEV,
	  "log a!missing_user_id/bypass b!policy_bypassed",
	  { NO_USER, LOGGED } },
	{ "model_id=big environment=production dev_flag=1",
	  "block a!missing_user_id",
	  { NO_USER, LOGGED } },
	{ "model_id=big dev_flag=1",
	  "block a!missing_user_id",
	  { NO_USER, LOGGED } },
	{ "model_id=big environment=development",
	  "block a!missing_user_id",
	  { NO_USER, LOGGED } },
	{ "model_id=big environment=development dev_flag=0",
	  "block a!missing_user_id",
	  { NO_USER, LOGGED } },
	{ "model_id=big environment=development",
	  "block a!missing_user_id",
	  { NO_USER, "log compliance 10 bypass_policies=a" } },
	{ "model_id=big environment=development",
	  "allow a!missing_user_id/bypass",
	  { NO_USER,
	    "log compliance 10 bypass_policies=a require_dev_flag=0" } },
	/* only what it names, and only what would have counted is told */
	{ DEV,
	  "block b!missing_user_id",
	  { LOGGED, NO_USER } }, /* the bypass is called a here */
	{ DEV " user_id=u", "allow", { NO_USER, LOGGED } },
	{ DEV,
	  "block a!missing_user_id/bypass b!policy_bypassed c!missing_user_id",
	  { NO_USER, "log compliance 20 bypass_policies=a log_all_bypasses=1",
	    "block compliance 10 require_user_id=1" } },
	{ DEV " estimated_cost=9",
	  "allow a~cost_near_limit/bypass",
	  { "block cost 90 max_cost_per_request=9 warn_threshold=9", LOGGED } },
	{ DEV,
	  "log a?counter_unavailable/bypass b!policy_bypassed",
	  { "warn cost 90 max_daily_cost=9 @on_error=block", LOGGED } },
	{ DEV,
	  "allow a?counter_unavailable/bypass",
	  { "warn cost 90 max_daily_cost=9", LOGGED } },
	/* each policy once, also with two violations */
	{ DEV,
	  "log a!missing_correlation_id/bypass a!missing_user_id/bypass "
	  "b!policy_bypassed",
	  { "block compliance 90 require_correlation_id=1 require_user_id=1",
	    LOGGED } },
	/* shadow has nothing to bypass, and a bypass in shadow does nothing */
	{ DEV,
	  "allow a!missing_user_id/shadow",
	  { NO_USER " @shadow", LOGGED } },
	{ DEV, "block a!missing_user_id", { NO_USER, LOGGED " @shadow" } },
	/* a bypass that asks for more than a log gets it */
	{ DEV,
	  "block a!missing_user_id/bypass b!policy_bypassed",
	  { NO_USER, "block compliance 10 bypass_policies=a "
		     "log_all_bypasses=1" } },
	/* the caller's wish */
	{ DEV " bypass=*",
	  "allow a!missing_user_id/bypass",
	  { NO_USER, BYPASS } },
	{ DEV " bypass=a",
	  "allow a!missing_user_id/bypass",
	  { NO_USER, BYPASS } },
	{ DEV " bypass=z", "block a!missing_user_id", { NO_USER, BYPASS } },
};

static void
answers_each_case(void **state)
{
	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
a_wish_that_is_not_permitted_is_told(void **state)
{
	static const struct {
		const char *context, *answer;
		size_t refused_n; /* 0: of all */
	} cases[] = {
		{ "model_id=big user_id=u bypass=*",
		  "allow ~bypass_not_permitted", 0 },
		{ "model_id=big user_id=u bypass=a",
		  "allow ~bypass_not_permitted", 1 },
		{ DEV " user_id=u bypass=a,x,y", "allow ~bypass_not_permitted",
		  2 },
		{ DEV " bypass=a,x",
		  "allow a!missing_user_id/bypass ~bypass_not_permitted", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a", NO_USER);
		fixture_policy(fx, "b", BYPASS);
		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		const struct detail *refused = fixture_detail(
		    &d.findings.items[d.findings.n - 1], "policies");

		assert_int_equal(refused == NULL ? 0 : refused->n,
				 cases[i].refused_n);
		fixture_free(fx);
	}
}

static void
an_exemption_permits_a_wish(void **state)
{
	static const struct {
		const char *context, *answer;
	} cases[] = {
		{ "model_id=big team_id=t bypass=*",
		  "allow a!missing_user_id/exemption" },
		{ "model_id=big team_id=t bypass=a",
		  "allow a!missing_user_id/exemption" },
		{ "model_id=big team_id=t bypass=b",
		  "allow a!missing_user_id/exemption ~bypass_not_permitted" },
		{ "model_id=big team_id=s bypass=a",
		  "block a!missing_user_id ~bypass_not_permitted" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_exempt(fx, fixture_policy(fx, "a", NO_USER),
			       (struct exemption){ "ex-1", SCOPE_TEAM, "t", 0,
						   INT64_MAX });
		fixture_policy(fx, "b", "log vendor 1 allowed_vendors=");
		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		fixture_free(fx);
	}
}

/* An exempted bypass runs as if in shadow, so it bypasses nothing. */
static void
an_exempted_bypass_bypasses_nothing(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a", NO_USER);
	fixture_exempt(
	    fx, fixture_policy(fx, "b", LOGGED),
	    (struct exemption){ "ex-1", SCOPE_GLOBAL, "global", 0, INT64_MAX });
	fixture_context(fx, DEV);
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d), "block a!missing_user_id");
	fixture_free(fx);
}

static void
a_bypass_that_may_not_apply_bypasses_nothing(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a", NO_USER);
	fixture_policy(fx, "b", LOGGED " ?tags.team=x");
	fixture_context(fx, DEV " tags.team=#1");
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "block a!missing_user_id b?condition_error");
	fixture_free(fx);
}

/* What a bypass tells is not told again by one that names it, in any order. */
static void
a_bypassed_bypass_is_not_told(void **state)
{
	static const int priorities[] = { 5, 95 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_policy(fx, "a", NO_USER);
		fixture_policy(fx, "b",
			       "log compliance 50 bypass_policies=a "
			       "log_all_bypasses=1");
		fixture_policy(fx, "c",
			       "log compliance 50 bypass_policies=b "
			       "log_all_bypasses=1")
		    ->priority = priorities[i];
		fixture_context(fx, DEV);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d),
				    "allow a!missing_user_id/bypass "
				    "b!policy_bypassed/bypass");
		fixture_free(fx);
	}
}

static void
details_say_what_was_bypassed(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a", NO_USER);
	fixture_policy(fx, "b", LOGGED);
	fixture_context(fx, DEV);
	fixture_decide(fx, &d);
	const struct finding *f = &d.findings.items[1];

	assert_string_equal(fixture_detail(f, "bypassed_policy")->value.text,
			    "a");
	assert_string_equal(fixture_detail(f, "excused_violation")->value.text,
			    "missing_user_id");
	assert_false(d.passed);
	assert_int_equal(d.winner, 1);
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_case),
		cmocka_unit_test(a_wish_that_is_not_permitted_is_told),
		cmocka_unit_test(an_exemption_permits_a_wish),
		cmocka_unit_test(an_exempted_bypass_bypasses_nothing),
		cmocka_unit_test(a_bypass_that_may_not_apply_bypasses_nothing),
		cmocka_unit_test(a_bypassed_bypass_is_not_told),
		cmocka_unit_test(details_say_what_was_bypassed),
	};
	return cmocka_run_group_tests_name("check_compliance", tests, NULL,
					   NULL);
}
