#include "core/charge.h"

#include <string.h>

#include "base/buf.h"
#include "base/money.h"
#include "core_fixture.h"

/* 1000 tokens cost 45000000 on big, 375000 on mini. */
#define BIG "model_id=big user_id=u estimated_tokens=1000"

static void
begin(struct fixture *fx, struct run *run)
{
	fixture_compile(fx);
	*run = (struct run){
		.world = &fx->world,
		.settings = &fx->settings,
		.arena = fx->arena,
		.ctx = fx->ctx,
		.asked_for = true,
	};
	run_estimate(run);
	run_select(run, false);
}

/* "a.max_daily_cost u 45000000/9 limits": policy, key, subject, amount/limit,
 * mode, and ! where it must count, ~ where it is silent. */
static const char *
charges_text(struct fixture *fx, const struct charges *charges)
{
	static const char *const modes[] = { [CHARGE_LIMITS] = "limits",
					     [CHARGE_PASSES] = "passes",
					     [CHARGE_FOLLOWS] = "follows" };
	struct buf buf = { 0 };

	for (size_t i = 0; i < charges->n; i++) {
		const struct charge *c = &charges->items[i];

		buf_printf(&buf, "%s%s.%s %s %lld/%lld %s%s%s",
			   i == 0 ? "" : "; ", c->policy->name,
			   constraint_row(c->constraint->key)->key, c->subject,
			   (long long)c->amount, (long long)c->limit,
			   modes[c->mode], c->must_count ? "!" : "",
			   charges->say[i].silent ? "~" : "");
	}
	for (size_t i = 0; i < charges->unclear_n; i++) {
		buf_printf(&buf, " ?%s", charges->unclear[i]->name);
	}
	const char *text =
	    buf.len == 0 ? "" : arena_strdup(fx->arena, buf_text(&buf));

	buf_fini(&buf);
	return text;
}

static const struct {
	const char *context, *charges;
	const char *policies[3];
} cases[] = {
	{ BIG, "", { NULL } },
	{ BIG, "", { "block cost 95 max_cost_per_request=1" } },
	/* what one call adds */
	{ BIG,
	  "a.max_daily_cost u 45000000/9 limits; a.max_weekly_cost u "
	  "45000000/8 limits; a.max_monthly_cost u 45000000/7 limits; "
	  "a.max_daily_tokens u 1000/6 limits; a.max_monthly_tokens u 1000/5 "
	  "limits",
	  { "block cost 95 max_daily_cost=9 max_weekly_cost=8 "
	    "max_monthly_cost=7 max_daily_tokens=6 max_monthly_tokens=5" } },
	{ BIG,
	  "a.max_requests_per_minute u 1/3 limits; a.max_requests_per_hour u "
	  "1/4 limits; a.max_requests_per_day u 1/5 limits; "
	  "a.max_tokens_per_minute u 1000/6 limits; a.max_parallel_requests u "
	  "1/2 limits",
	  { "block behavioral 95 max_requests_per_minute=3 "
	    "max_requests_per_hour=4 max_requests_per_day=5 "
	    "max_tokens_per_minute=6 max_parallel_requests=2" } },
	/* nobody can tell the tokens; the gateway tells the cost */
	{ "model_id=big",
	  "a.max_daily_cost anonymous 245760000/9 limits; "
	  "a.max_daily_tokens anonymous 0/9 limits",
	  { "block cost 95 max_daily_cost=9 max_daily_tokens=9" } },
	{ BIG " estimated_cost=5",
	  "a.max_daily_cost u 5/9 limits",
	  { "block cost 95 max_daily_cost=9" } },
	/* a model without a price is never free */
	{ "model_id=none user_id=u estimated_tokens=1000",
	  "a.max_daily_cost u 60000000/9 limits; b.max_daily_cost u 60000000/9 "
	  "passes~; c.max_daily_tokens u 1000/9 limits",
	  { "block cost 95 max_daily_cost=9",
	    "block cost 94 max_daily_cost=9 unknown_price=2",
	    "block cost 93 max_daily_tokens=9 unknown_price=2" } },
	{ BIG,
	  "a.max_daily_cost u 45000000/9 limits",
	  { "block cost 95 max_daily_cost=9 unknown_price=2" } },
	/* whose counter */
	{ "model_id=big organization_id=o team_id=t api_key_id=k",
	  "a.max_requests_per_minute o 1/3 limits; "
	  "b.max_requests_per_minute t 1/3 limits; "
	  "c.max_requests_per_minute k 1/3 limits",
	  { "block behavioral 9 max_requests_per_minute=3 "
	    "@scope=organization",
	    "block behavioral 8 max_requests_per_minute=3 @scope=team",
	    "block behavioral 7 max_requests_per_minute=3 @scope=api_key" } },
	{ BIG,
	  "a.max_requests_per_minute big 1/3 limits; "
	  "b.max_requests_per_minute openai 1/3 limits; "
	  "c.max_requests_per_minute global 1/3 limits",
	  { "block behavioral 9 max_requests_per_minute=3 @scope=model",
	    "block behavioral 8 max_requests_per_minute=3 @scope=vendor",
	    "block behavioral 7 max_requests_per_minute=3 @scope=global" } },
	/* which refuse */
	{ BIG,
	  "a.max_daily_cost u 45000000/9 limits; b.max_daily_cost u 45000000/9 "
	  "passes; c.max_daily_cost u 45000000/9 passes",
	  { "degrade cost 95 max_daily_cost=9", "warn cost 94 max_daily_cost=9",
	    "log cost 93 max_daily_cost=9" } },
	{ BIG,
	  "a.max_daily_cost u 45000000/9 follows; b.max_daily_cost u "
	  "45000000/9 follows; c.max_daily_cost u 45000000/9 passes",
	  { "block cost 95 max_daily_cost=9 @shadow",
	    "degrade cost 94 max_daily_cost=9 @shadow",
	    "warn cost 93 max_daily_cost=9 @shadow" } },
	/* which must count */
	{ BIG,
	  "a.max_daily_cost u 45000000/9 limits!; b.max_daily_cost u "
	  "45000000/9 passes!; c.max_daily_cost u 45000000/9 follows",
	  { "block cost 95 max_daily_cost=9 @on_error=block",
	    "warn cost 94 max_daily_cost=9 @on_error=block",
	    "block cost 93 max_daily_cost=9 @on_error=block @shadow" } },
	/* by the clock; in the order of policies */
	{ BIG,
	  "a.max_daily_cost u 45000000/9 passes~; b.max_daily_cost u "
	  "45000000/9 limits; c.max_monthly_cost u 45000000/9 passes~",
	  { "warn cost 95 max_daily_cost=9 @stage=continuous @on_error=block",
	    "block cost 94 max_daily_cost=9",
	    "warn cost 93 max_monthly_cost=9 @stage=continuous" } },
	{ BIG,
	  "b.max_daily_cost u 45000000/9 passes~",
	  { "warn vendor 95 min_vendor_count=2 @stage=continuous",
	    "warn cost 94 max_daily_cost=9 @stage=continuous",
	    "warn cost 93 max_daily_cost=9 @stage=continuous "
	    "?user_id=other" } },
	/* one that may not apply is not counted, and not forgotten */
	{ BIG " tags.t=#1",
	  "c.max_daily_cost u 45000000/9 limits ?b",
	  { "block cost 95 max_daily_cost=9 ?tags.t=x",
	    "warn cost 94 max_daily_cost=9 ?tags.t=x @stage=continuous",
	    "block cost 93 max_daily_cost=9" } },
	/* a bypass */
	{ BIG " environment=development",
	  "b.max_daily_cost u 45000000/9 passes; c.max_daily_cost u 45000000/9 "
	  "passes",
	  { "log compliance 95 bypass_policies=b,c require_dev_flag=0",
	    "block cost 94 max_daily_cost=9 @on_error=block",
	    "block cost 93 max_daily_cost=9 @shadow" } },
};

static void
charges_of_each_case(void **state)
{
	static const char *const names[] = { "a", "b", "c" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct charges charges;
		struct run run;

		for (size_t p = 0; p < 3 && cases[i].policies[p]; p++) {
			fixture_policy(fx, names[p], cases[i].policies[p]);
		}
		fixture_context(fx, cases[i].context);
		begin(fx, &run);
		charges_make(&run, &charges);
		const char *got = charges_text(fx, &charges);

		if (strcmp(got, cases[i].charges) != 0) {
			fail_msg("case %zu: %s, not %s", i, got,
				 cases[i].charges);
		}
		fixture_free(fx);
	}
}

/* A limit for one subject, an exemption, and the server's fail mode. */
static void
exceptions_change_a_charge(void **state)
{
	static const struct {
		const char *user, *policy, *charges;
		bool fail_closed;
	} rows[] = {
		{ "user_id=rich", "block cost 9 max_daily_cost=9",
		  "a.max_daily_cost rich 45000000/77 limits", false },
		{ "user_id=poor", "block cost 9 max_daily_cost=9",
		  "a.max_daily_cost poor 45000000/9 limits!", true },
		{ "user_id=free", "block cost 9 max_daily_cost=9",
		  "a.max_daily_cost free 45000000/9 passes", true },
		{ "user_id=free", "block cost 9 max_daily_cost=9 @shadow",
		  "a.max_daily_cost free 45000000/9 passes", true },
		{ "user_id=u", "warn cost 9 max_daily_cost=9 @stage=continuous",
		  "a.max_daily_cost u 45000000/9 passes~", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *fx = fixture_new();
		struct policy *a = fixture_policy(fx, "a", rows[i].policy);
		struct charges charges;
		struct run run;

		fixture_limit(fx, a,
			      (struct subject_limit){ CONSTRAINT_max_daily_cost,
						      "rich", 77, INT64_MAX });
		fixture_exempt(fx, a,
			       (struct exemption){ "e", SCOPE_USER, "free", 0,
						   INT64_MAX });
		fixture_context(fx, arena_printf(fx->arena,
						 "model_id=big "
						 "estimated_tokens=1000 %s",
						 rows[i].user));
		fx->settings.fail_closed = rows[i].fail_closed;
		begin(fx, &run);
		charges_make(&run, &charges);
		assert_string_equal(charges_text(fx, &charges),
				    rows[i].charges);
		fixture_free(fx);
	}
}

static void
windows_and_alerts(void **state)
{
	static const int64_t hour_us = INT64_C(3600) * 1000000;
	static const struct zone_change change = { 0, 7200 };
	static const struct zone zone = { &change, 1 };
	static const struct {
		const char *policy;
		bool zoned;
		int64_t from_h, to_h; /* from 1970-01-01 */
		int64_t alert_at;
	} rows[] = {
		{ "block cost 9 max_daily_cost=9 alert_threshold=5", false, 0,
		  24, INT64_MAX },
		{ "block cost 9 max_daily_cost=9 reset_hour_utc=6", false, -18,
		  6, INT64_MAX },
		{ "block cost 9 max_daily_cost=9", true, -2, 22, INT64_MAX },
		{ "block cost 9 max_weekly_cost=9 alert_threshold=5", false,
		  -3 * 24, 4 * 24, 5 },
		{ "block cost 9 max_monthly_cost=9", false, 0, 31 * 24,
		  INT64_MAX },
		{ "block cost 9 max_daily_tokens=9 alert_threshold=5", false, 0,
		  24, INT64_MAX },
		{ "block behavioral 9 max_requests_per_day=9", false, 0, 0,
		  INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *fx = fixture_new();
		struct policy *a = fixture_policy(fx, "a", rows[i].policy);
		struct charges charges;
		struct run run;

		a->zone = rows[i].zoned ? &zone : NULL;
		fixture_context(fx, BIG);
		begin(fx, &run);
		charges_make(&run, &charges);
		assert_int_equal(charges.n, 1);
		assert_int_equal(charges.items[0].window.from_us,
				 rows[i].from_h * hour_us);
		assert_int_equal(charges.items[0].window.to_us,
				 rows[i].to_h * hour_us);
		assert_int_equal(charges.items[0].alert_at, rows[i].alert_at);
		fixture_free(fx);
	}
}

static void
the_model_is_named(void **state)
{
	struct fixture *fx = fixture_new();
	struct charges charges;
	struct run run;

	(void)state;
	fixture_context(fx, BIG);
	begin(fx, &run);
	charges_make(&run, &charges);
	assert_ptr_equal(charges.model.model, fx->ctx.model);
	assert_string_equal(charges.model.model_id, "big");
	assert_string_equal(charges.model.vendor_id, "openai");
	assert_int_equal(charges.model.cost_nanousd, 45000000);
	assert_int_equal(charges.model.tokens, 1000);
	assert_true(charges.model.asked_for);

	fixture_context(fx, "model_id=none estimated_tokens=1000");
	fx->settings.unknown_per_mil = MONEY_UNKNOWN;
	begin(fx, &run);
	charges_make(&run, &charges);
	assert_null(charges.model.model);
	assert_null(charges.model.vendor_id);
	assert_int_equal(charges.model.cost_nanousd, 0);
	fixture_free(fx);
}

static void
what_is_hopeless(void **state)
{
	static const struct policy p, q;
	static const struct constraint c, d;
	const struct charge refused = { .policy = &p,
					.constraint = &c,
					.subject = "u",
					.mode = CHARGE_LIMITS,
					.must_count = true,
					.amount = 50,
					.limit = 100 };
	static const struct {
		const struct policy *policy;
		const struct constraint *constraint;
		const char *subject;
		enum charge_mode mode;
		int64_t amount;
		enum charge_result result;
		bool must_count, hopeless;
	} rows[] = {
		{ &p, &c, "u", CHARGE_LIMITS, 41, CHARGE_OVER, false, true },
		{ &p, &c, "u", CHARGE_LIMITS, 40, CHARGE_OVER, false, false },
		{ &q, &c, "u", CHARGE_LIMITS, 41, CHARGE_OVER, false, false },
		{ &p, &d, "u", CHARGE_LIMITS, 41, CHARGE_OVER, false, false },
		{ &p, &c, "v", CHARGE_LIMITS, 41, CHARGE_OVER, false, false },
		{ &p, &c, "u", CHARGE_PASSES, 41, CHARGE_OVER, true, false },
		{ &p, &c, "u", CHARGE_FOLLOWS, 41, CHARGE_OVER, false, false },
		{ &p, &c, "u", CHARGE_LIMITS, 41, CHARGE_FITS, true, false },
		{ &p, &c, "u", CHARGE_LIMITS, 1, CHARGE_UNKNOWN, true, true },
		{ &p, &c, "u", CHARGE_PASSES, 1, CHARGE_UNKNOWN, true, true },
		{ &p, &c, "u", CHARGE_LIMITS, 1, CHARGE_UNKNOWN, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct charge charge = refused;
		const struct charged said = { .result = rows[i].result,
					      .used = 60 };

		charge.policy = rows[i].policy;
		charge.constraint = rows[i].constraint;
		charge.subject = rows[i].subject;
		charge.mode = rows[i].mode;
		charge.amount = rows[i].amount;
		charge.must_count = rows[i].must_count;
		assert_int_equal(charge_is_hopeless(&charge, &refused, &said),
				 rows[i].hopeless);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(charges_of_each_case),
		cmocka_unit_test(exceptions_change_a_charge),
		cmocka_unit_test(windows_and_alerts),
		cmocka_unit_test(the_model_is_named),
		cmocka_unit_test(what_is_hopeless),
	};
	return cmocka_run_group_tests_name("charge", tests, NULL, NULL);
}
