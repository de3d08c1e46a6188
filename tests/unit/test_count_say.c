/* What a decision says of what it counted; which calls are: test_count.c */
#include "core/count.h"

#include <string.h>

#include "count_fixture.h"

static void
nobody_counts(void **state)
{
	static const struct fixture_row rows[] = {
		{ BIG, "allow", { NULL } },
		{ BIG, "allow a?counter_unavailable", { "block " DAY } },
		{ BIG,
		  "block b?counter_unavailable a?counter_unavailable",
		  { "block " DAY, "warn " RATE " @on_error=block" } },
	};
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
	fixture_policy(fx, "a", "block " DAY " max_daily_tokens=9");
	fixture_decide(fx, &d);
	assert_false(d.taken);
	assert_int_equal(d.charges_n, 2);
	assert_int_equal(d.charged[1].result, CHARGE_UNKNOWN);
	const struct detail *keys =
	    fixture_detail(&d.findings.items[0], "constraints");

	assert_int_equal(keys->n, 2);
	assert_string_equal(keys->value.texts[0], "max_daily_cost");
	assert_string_equal(keys->value.texts[1], "max_daily_tokens");
	decide(&fx->world, &fx->settings, NULL, STAGE_PRE_FLIGHT, &fx->ctx,
	       fx->arena, &d);
	assert_false(d.taken);
	assert_string_equal(fixture_answer(fx, &d),
			    "allow a?counter_unavailable");
	fixture_free(fx);
}

static void
other_stages_count_nothing(void **state)
{
	struct fixture *fx = count_world(
	    BIG, "",
	    (const char *const[3]){ "warn " DAY " @stage=continuous" });
	struct decision d;

	(void)state;
	fixture_compile(fx);
	for (enum stage stage = STAGE_RUNTIME; stage < STAGE_N; stage++) {
		decide(&fx->world, &fx->settings, &fx->ops, stage, &fx->ctx,
		       fx->arena, &d);
		assert_int_equal(fx->counter->takes, 0);
		assert_int_equal(d.charges_n, 0);
		assert_false(d.taken);
	}
	fixture_free(fx);
}

/* ---- what is said */

static void
assert_number(const struct finding *f, const char *name, enum detail_type type,
	      int64_t number)
{
	const struct detail *d = fixture_detail(f, name);

	assert_non_null(d);
	assert_int_equal(d->type, type);
	assert_int_equal(d->value.number, number);
}

static void
assert_text(const struct finding *f, const char *name, const char *text)
{
	assert_string_equal(fixture_detail(f, name)->value.text, text);
}

static void
a_violation_says_it_all(void **state)
{
	struct fixture *fx = count_world(
	    BIG, "a.max_daily_cost.u=6 b.max_requests_per_minute.u=5",
	    (const char *const[3]){
		"block cost 90 max_daily_cost=9",
		"block behavioral 80 max_requests_per_minute=3" });
	struct decision d;

	(void)state;
	fixture_decide(fx, &d);
	const struct finding *f = &d.findings.items[0];

	assert_int_equal(f->key, CONSTRAINT_max_daily_cost);
	assert_string_equal(f->message,
			    "the budget of the day would be exceeded");
	assert_number(f, "observed", DETAIL_MONEY, 45000006);
	assert_number(f, "limit", DETAIL_MONEY, 9);
	assert_number(f, "used", DETAIL_MONEY, 6);
	assert_number(f, "requested", DETAIL_MONEY, 45000000);
	assert_number(f, "remaining", DETAIL_MONEY, 3);
	assert_number(f, "reset_at", DETAIL_TIME, CORE_COUNTER_RESET_US);
	assert_null(fixture_detail(f, "retry_at")); /* it never fits */
	assert_text(f, "unit", "USD");
	assert_text(f, "window", "day");
	assert_text(f, "scope", "user");
	assert_text(f, "subject", "u");
	f++;
	assert_number(f, "observed", DETAIL_COUNT, 6);
	assert_number(f, "remaining", DETAIL_COUNT, 0);
	assert_number(f, "retry_at", DETAIL_TIME, CORE_COUNTER_RETRY_US);
	assert_text(f, "unit", "requests");
	assert_text(f, "window", "minute");
	fixture_free(fx);
}

static void
an_alert_is_given_once(void **state)
{
	static const struct {
		const char *policy, *first, *second;
	} rows[] = {
		{ "warn cost 60 max_monthly_cost=500000000 "
		  "alert_threshold=80000000 @stage=continuous",
		  "allow", "allow a~budget_alert" },
		{ "block cost 60 max_weekly_cost=500000000 "
		  "alert_threshold=45000000",
		  "allow a~budget_alert", "allow" },
		{ "block cost 60 max_weekly_cost=500000000 "
		  "alert_threshold=45000000 @shadow",
		  "allow a~budget_alert/shadow", "allow" },
		{ "warn cost 60 max_weekly_cost=50000000 "
		  "alert_threshold=60000000",
		  "allow", "warn a!weekly_budget_exceeded a~budget_alert" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *fx = count_world(
		    BIG, "", (const char *const[3]){ rows[i].policy });
		struct decision d;

		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), rows[i].first);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), rows[i].second);
		fixture_decide(fx, &d);
		assert_null(strstr(fixture_answer(fx, &d), "alert"));
		fixture_free(fx);
	}
}

static void
an_alert_says_it_all(void **state)
{
	struct fixture *fx = count_world(
	    BIG, "a.max_monthly_cost.u=36000000",
	    (const char *const[3]){ "warn cost 60 max_monthly_cost=100000000 "
				    "alert_threshold=80000000 @scope=user "
				    "@stage=continuous" });
	struct decision d;

	(void)state;
	fixture_decide(fx, &d);
	const struct finding *f = &d.findings.items[0];

	assert_int_equal(f->kind, FINDING_WARNING);
	assert_int_equal(f->key, CONSTRAINT_max_monthly_cost);
	assert_number(f, "threshold", DETAIL_MONEY, 80000000);
	assert_number(f, "observed", DETAIL_MONEY, 81000000);
	assert_number(f, "limit", DETAIL_MONEY, 100000000);
	assert_text(f, "window", "month");
	assert_text(f, "subject", "u");
	/* who warns is listed, though it is of another stage */
	assert_int_equal(d.executions_n, 1);
	assert_int_equal(d.executions[0].result, EXECUTION_WARNED);
	fixture_free(fx);
}

/* ---- executions */

static void
executions_tell_what_was_counted(void **state)
{
	static const struct {
		const char *used, *policy, *other;
		const char *text; /* the policies and their results */
	} rows[] = {
		{ "", "block " RATE, "warn " DAY " @stage=continuous",
		  "a passed" },
		{ "a.max_requests_per_minute.u=3", "block " RATE, NULL,
		  "a violated" },
		{ "a.max_requests_per_minute.u=-1", "block " RATE, NULL,
		  "a not_evaluated" },
		/* the early exit */
		{ "", "block " RATE,
		  "block compliance 10 require_correlation_id=1",
		  "a skipped b violated" },
		/* of the fallback only */
		{ "a.max_daily_cost.u=49000000 b.max_requests_per_minute.u=3",
		  "degrade " DAY,
		  "warn behavioral 90 max_requests_per_minute=3 ?model_id=mini",
		  "b violated a violated" },
		{ "a.max_daily_cost.u=49000000 b.max_requests_per_minute.u=3",
		  "degrade " DAY,
		  "warn behavioral 10 max_requests_per_minute=3 ?model_id=mini",
		  "a violated b violated" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *fx = count_world(
		    BIG, rows[i].used,
		    (const char *const[3]){ rows[i].policy, rows[i].other });
		const char *text = "";
		struct decision d;

		fixture_decide(fx, &d);
		for (size_t e = 0; e < d.executions_n; e++) {
			text = arena_printf(
			    fx->arena, "%s%s%s %s", text, e == 0 ? "" : " ",
			    d.executions[e].policy->name,
			    execution_words[d.executions[e].result]);
		}
		assert_string_equal(text, rows[i].text);
		fixture_free(fx);
	}
}

static void
a_bypass_of_a_counter_is_told(void **state)
{
	static const struct count_row rows[] = {
		{ BIG " environment=development",
		  "a.max_requests_per_minute.u=3",
		  "log a!rate_limit_exceeded/bypass b!policy_bypassed",
		  1,
		  true,
		  { "block " RATE,
		    "log compliance 9 bypass_policies=a require_dev_flag=0 "
		    "log_all_bypasses=1" } },
		/* too late to refuse */
		{ BIG " environment=development",
		  "a.max_requests_per_minute.u=3",
		  "warn a!rate_limit_exceeded/bypass b!policy_bypassed",
		  1,
		  true,
		  { "block " RATE,
		    "block compliance 9 bypass_policies=a require_dev_flag=0 "
		    "log_all_bypasses=1" } },
		/* once a policy */
		{ BIG " environment=development prompt_length=9",
		  "a.max_parallel_requests.u=3",
		  "log a!prompt_too_long/bypass "
		  "a!too_many_parallel_requests/bypass b!policy_bypassed",
		  1,
		  true,
		  { "block behavioral 75 max_prompt_length=1 "
		    "max_parallel_requests=3",
		    "log compliance 9 bypass_policies=a require_dev_flag=0 "
		    "log_all_bypasses=1" } },
	};

	(void)state;
	count_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_counts),
		cmocka_unit_test(other_stages_count_nothing),
		cmocka_unit_test(a_violation_says_it_all),
		cmocka_unit_test(an_alert_is_given_once),
		cmocka_unit_test(an_alert_says_it_all),
		cmocka_unit_test(executions_tell_what_was_counted),
		cmocka_unit_test(a_bypass_of_a_counter_is_told),
	};
	return cmocka_run_group_tests_name("count_say", tests, NULL, NULL);
}
