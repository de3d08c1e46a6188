#include "core/check.h"

#include "base/money.h"
#include "core_fixture.h"

#define NEXT_M " input_tokens=1000 max_output_tokens=500"

/* middle of google costs 0.003 dollars for NEXT_M; its mean is 2.5. */
static const struct fixture_row rows[] = {
	/* cost of a request, both sides of the limit and the threshold */
	{ "model_id=middle" NEXT_M,
	  "allow",
	  { "block cost 90 max_cost_per_request=3000000" } },
	{ "model_id=middle" NEXT_M,
	  "block a!cost_per_request_exceeded",
	  { "block cost 90 max_cost_per_request=2999999" } },
	{ "model_id=middle" NEXT_M,
	  "allow a~cost_near_limit",
	  { "block cost 90 max_cost_per_request=3000000 "
	    "warn_threshold=3000000" } },
	{ "model_id=middle" NEXT_M,
	  "allow",
	  { "block cost 90 max_cost_per_request=4000000 "
	    "warn_threshold=3000001" } },
	{ "model_id=middle" NEXT_M,
	  "block a!cost_per_request_exceeded",
	  { "block cost 90 max_cost_per_request=1 warn_threshold=0" } },
	{ "model_id=middle estimated_cost=7",
	  "warn a!cost_per_request_exceeded",
	  { "warn cost 90 max_cost_per_request=6" } },
	{ "model_id=middle estimated_cost=0",
	  "allow",
	  { "block cost 90 max_cost_per_request=0" } },
	/* the model's price */
	{ "model_id=middle",
	  "allow",
	  { "warn cost 50 max_cost_per_mil_tokens=2500000000" } },
	{ "model_id=middle",
	  "warn a!model_price_exceeded",
	  { "warn cost 50 max_cost_per_mil_tokens=2499999999" } },
	{ "model_id=middle",
	  "allow a~model_price_near_limit",
	  { "warn cost 50 max_cost_per_mil_tokens=2500000000 "
	    "warn_threshold=2500000000" } },
	{ "model_id=middle",
	  "allow",
	  { "warn cost 50 max_cost_per_mil_tokens=2500000000 "
	    "warn_threshold=2500000001" } },
	/* one threshold for both */
	{ "model_id=middle estimated_cost=5",
	  "allow a~cost_near_limit a~model_price_near_limit",
	  { "warn cost 50 max_cost_per_mil_tokens=2500000000 "
	    "max_cost_per_request=10 warn_threshold=5" } },
	/* a model without a price is never free */
	{ "model_id=none" NEXT_M,
	  "block a!unknown_price",
	  { "block cost 90 unknown_price=0" } },
	{ "model_id=none" NEXT_M,
	  "warn a!unknown_price",
	  { "warn cost 90 unknown_price=0" } },
	{ "model_id=none" NEXT_M,
	  "allow a~unknown_price",
	  { "block cost 90 unknown_price=1" } },
	{ "model_id=none" NEXT_M,
	  "allow a~unknown_price",
	  { "block cost 90 unknown_price=2" } },
	{ "model_id=middle" NEXT_M,
	  "allow",
	  { "block cost 90 unknown_price=0" } },
	{ "model_id=none estimated_cost=5",
	  "allow",
	  { "block cost 90 unknown_price=0 max_cost_per_request=5" } },
	{ "model_id=none estimated_cost=6",
	  "block a!cost_per_request_exceeded",
	  { "block cost 90 unknown_price=0 max_cost_per_request=5" } },
	/* 60 dollars a million are assumed: 0.09 for NEXT_M */
	{ "model_id=none" NEXT_M,
	  "allow a~unknown_price",
	  { "block cost 90 max_cost_per_request=90000000" } },
	{ "model_id=none" NEXT_M,
	  "block a!cost_per_request_exceeded a~unknown_price",
	  { "block cost 90 max_cost_per_request=89999999" } },
	{ "model_id=priceless" NEXT_M,
	  "block a!cost_per_request_exceeded a~unknown_price",
	  { "block cost 90 max_cost_per_request=89999999 "
	    "unknown_price=1" } },
	{ "model_id=none" NEXT_M,
	  "allow a~unknown_price",
	  { "block cost 90 max_cost_per_request=0 unknown_price=2" } },
	{ "model_id=none" NEXT_M,
	  "block a!unknown_price",
	  { "block cost 90 max_cost_per_request=0 unknown_price=0" } },
	/* and so is the price, whatever the gateway says of the cost */
	{ "model_id=none estimated_cost=1",
	  "block a!model_price_exceeded a~unknown_price",
	  { "block cost 90 max_cost_per_mil_tokens=59999999999" } },
	{ "model_id=none estimated_cost=1",
	  "allow a~unknown_price",
	  { "block cost 90 max_cost_per_mil_tokens=60000000000" } },
	{ "model_id=none estimated_cost=1",
	  "block a!unknown_price",
	  { "block cost 90 max_cost_per_mil_tokens=1 unknown_price=0" } },
	{ "model_id=none estimated_cost=1",
	  "allow a~unknown_price",
	  { "block cost 90 max_cost_per_mil_tokens=1 unknown_price=2" } },
	/* it is said once a policy */
	{ "model_id=none" NEXT_M,
	  "block a!unknown_price b!unknown_price",
	  { "block cost 90 max_cost_per_mil_tokens=1 unknown_price=0 "
	    "max_cost_per_request=1",
	    "block cost 80 max_cost_per_mil_tokens=1 unknown_price=0" } },
	/* an output maximum that is not known is a cost that is not known */
	{ "model_id=nomax input_tokens=1000000",
	  "allow a~unknown_price",
	  { "block cost 90 max_cost_per_request=5020480000" } },
	{ "model_id=nomax input_tokens=1000000",
	  "block a!cost_per_request_exceeded a~unknown_price",
	  { "block cost 90 max_cost_per_request=5020479999" } },
};

static void
answers_each_case(void **state)
{
	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
details_say_observed_and_limit(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block cost 90 max_cost_per_request=7 "
		       "max_cost_per_mil_tokens=2500000000 "
		       "warn_threshold=1000000000");
	fixture_context(fx, "model_id=middle estimated_cost=9");
	fixture_decide(fx, &d);
	assert_int_equal(d.findings.n, 2);
	const struct finding *f = &d.findings.items[0];

	assert_int_equal(f->key, CONSTRAINT_max_cost_per_request);
	assert_int_equal(fixture_detail(f, "observed")->type, DETAIL_MONEY);
	assert_int_equal(fixture_detail(f, "observed")->value.number, 9);
	assert_int_equal(fixture_detail(f, "limit")->value.number, 7);
	assert_string_equal(fixture_detail(f, "unit")->value.text, "USD");
	f = &d.findings.items[1];
	assert_string_equal(f->type, "model_price_near_limit");
	assert_int_equal(fixture_detail(f, "threshold")->value.number,
			 1000000000);
	assert_int_equal(fixture_detail(f, "observed")->value.number,
			 2500000000);
	assert_string_equal(fixture_detail(f, "unit")->value.text,
			    "USD per million tokens");
	fixture_free(fx);
}

static void
a_subjects_limit_counts(void **state)
{
	static const struct {
		const char *context, *answer;
	} cases[] = {
		{ "model_id=middle estimated_cost=9 user_id=rich", "allow" },
		{ "model_id=middle estimated_cost=10 user_id=rich",
		  "allow a~cost_near_limit" },
		{ "model_id=middle estimated_cost=11 user_id=rich",
		  "block a!cost_per_request_exceeded" },
		{ "model_id=middle estimated_cost=9 user_id=poor",
		  "block a!cost_per_request_exceeded" },
	};
	struct fixture *fx = fixture_new();
	struct policy *p = fixture_policy(
	    fx, "a", "block cost 90 max_cost_per_request=5 warn_threshold=5");

	(void)state;
	fixture_limit(fx, p,
		      (struct subject_limit){ CONSTRAINT_max_cost_per_request,
					      "rich", 10, INT64_MAX });
	fixture_limit(fx, p,
		      (struct subject_limit){ CONSTRAINT_warn_threshold, "rich",
					      10, INT64_MAX });
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decision d;

		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
	}
	fixture_free(fx);
}

/* Without a price to assume nothing is known: on_error decides. */
static void
nothing_to_assume_is_an_error(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fx->settings.unknown_per_mil = MONEY_UNKNOWN;
	fixture_policy(fx, "a", "warn cost 90 max_cost_per_request=5");
	fixture_context(fx, "model_id=none estimated_tokens=1");
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d), "allow a?unknown_price");
	assert_null(fixture_detail(&d.findings.items[0], "assumed"));
	fx->settings.fail_closed = true;
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d), "block a?unknown_price");
	fixture_free(fx);
}

static void
the_assumed_price_is_told(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a", "warn cost 90 unknown_price=1");
	fixture_context(fx, "estimated_tokens=1"); /* not even a model */
	fixture_decide(fx, &d);
	const struct finding *f = &d.findings.items[0];

	assert_string_equal(fixture_answer(fx, &d), "allow a~unknown_price");
	assert_int_equal(fixture_detail(f, "assumed")->value.number,
			 60000000000);
	assert_null(fixture_detail(f, "model_id"));
	fixture_context(fx, "model_id=none estimated_tokens=1");
	fixture_decide(fx, &d);
	f = &d.findings.items[0];
	assert_string_equal(fixture_detail(f, "model_id")->value.text, "none");
	assert_int_equal(f->key, CONSTRAINT_unknown_price);
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_case),
		cmocka_unit_test(details_say_observed_and_limit),
		cmocka_unit_test(a_subjects_limit_counts),
		cmocka_unit_test(nothing_to_assume_is_an_error),
		cmocka_unit_test(the_assumed_price_is_told),
	};
	return cmocka_run_group_tests_name("check_cost", tests, NULL, NULL);
}
