#include "core/estimate.h"

#include "base/money.h"
#include "core_fixture.h"

#define GIVEN ESTIMATE_GIVEN
#define IN_OUT ESTIMATE_INPUT_OUTPUT
#define TOTAL ESTIMATE_TOTAL
#define MAXIMUM ESTIMATE_MAXIMUM
#define UNKNOWN ESTIMATE_UNKNOWN_PRICE

/* middle of google: 1 and 4 dollars a million, 2 and 8 above 128,000. */
static const struct {
	const char *context;
	int64_t unknown_per_mil;
	enum estimate_basis basis;
	int64_t cost, input, total;
} cases[] = {
	/* 1: the gateway's */
	{ "model_id=middle estimated_cost=5 input_tokens=9", MONEY_UNKNOWN,
	  GIVEN, 5, 9, 9 },
	{ "model_id=none estimated_cost=0", MONEY_UNKNOWN, GIVEN, 0, 0, 0 },
	/* 2: input and output */
	{ "model_id=middle input_tokens=1000 max_output_tokens=500",
	  MONEY_UNKNOWN, IN_OUT, 1000000 + 2000000, 1000, 1500 },
	{ "model_id=middle prompt_length=4001 max_output_tokens=0",
	  MONEY_UNKNOWN, IN_OUT, 1001000, 1001, 1001 },
	{ "model_id=middle prompt_length=4000 max_output_tokens=0",
	  MONEY_UNKNOWN, IN_OUT, 1000000, 1000, 1000 },
	{ "model_id=middle input_tokens=10 prompt_length=4000 "
	  "max_output_tokens=0",
	  MONEY_UNKNOWN, IN_OUT, 10000, 10, 10 },
	{ "model_id=middle input_tokens=10 max_output_tokens=1 "
	  "estimated_tokens=99",
	  MONEY_UNKNOWN, IN_OUT, 14000, 10, 99 },
	/* 3: the whole at the mean price */
	{ "model_id=middle estimated_tokens=1000000", MONEY_UNKNOWN, TOTAL,
	  2500000000, 0, 1000000 },
	{ "model_id=middle estimated_tokens=1000 prompt_length=40",
	  MONEY_UNKNOWN, TOTAL, 2500000, 10, 1000 },
	/* 4: the catalogue's maximum, 8192 */
	{ "model_id=middle input_tokens=1000", MONEY_UNKNOWN, MAXIMUM,
	  1000000 + INT64_C(8192) * 4000, 1000, 1000 },
	{ "model_id=middle", MONEY_UNKNOWN, MAXIMUM, INT64_C(8192) * 4000, 0,
	  0 },
	/* the tier begins above its start */
	{ "model_id=middle input_tokens=128000 max_output_tokens=1000",
	  MONEY_UNKNOWN, IN_OUT, 128000000 + 4000000, 128000, 129000 },
	{ "model_id=middle input_tokens=128001 max_output_tokens=1000",
	  MONEY_UNKNOWN, IN_OUT, 256002000 + 8000000, 128001, 129001 },
	/* what is unknown stays so, or is assumed */
	{ "model_id=none input_tokens=5 max_output_tokens=5", MONEY_UNKNOWN,
	  UNKNOWN, MONEY_UNKNOWN, 5, 10 },
	{ "model_id=none input_tokens=5 max_output_tokens=5", 1000000, IN_OUT,
	  10, 5, 10 },
	{ "model_id=priceless estimated_tokens=10", 1000000, TOTAL, 10, 0, 10 },
	{ "model_id=none input_tokens=5", 1000000, MAXIMUM, 5 + 4096, 5, 5 },
	{ "model_id=nomax input_tokens=5", MONEY_UNKNOWN, UNKNOWN,
	  MONEY_UNKNOWN, 5, 5 },
	{ "model_id=nomax input_tokens=5", 1000000, MAXIMUM,
	  INT64_C(4101) * 5000, 5, 5 },
	{ "model_id=nomax input_tokens=5 max_output_tokens=1", MONEY_UNKNOWN,
	  IN_OUT, INT64_C(6) * 5000, 5, 6 },
	/* too large for the type is the largest there is */
	{ "model_id=big input_tokens=9223372036854775807 "
	  "max_output_tokens=9223372036854775807",
	  MONEY_UNKNOWN, IN_OUT, INT64_MAX, INT64_MAX, INT64_MAX },
};

static void
estimate_of_each_case(void **state)
{
	struct fixture *fx = fixture_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_context(fx, cases[i].context);
		struct estimate e = estimate_make(&fx->ctx, fx->ctx.model, true,
						  cases[i].unknown_per_mil);

		print_message("case %zu: %s\n", i, cases[i].context);
		assert_int_equal(e.basis, cases[i].basis);
		assert_int_equal(e.cost_nanousd, cases[i].cost);
		assert_int_equal(e.input_tokens, cases[i].input);
		assert_int_equal(e.total_tokens, cases[i].total);
	}
	fixture_free(fx);
}

static void
a_fallback_never_takes_the_gateways_cost(void **state)
{
	struct fixture *fx = fixture_new();

	(void)state;
	fixture_context(fx, "model_id=middle estimated_cost=5 input_tokens=1 "
			    "max_output_tokens=1");
	struct estimate e =
	    estimate_make(&fx->ctx, fx->ctx.model, false, MONEY_UNKNOWN);

	assert_int_equal(e.basis, ESTIMATE_INPUT_OUTPUT);
	assert_int_equal(e.cost_nanousd, 5000);
	fixture_free(fx);
}

static void
what_was_computed_is_not_given(void **state)
{
	struct fixture *fx = fixture_new();

	(void)state;
	fixture_context(fx, "model_id=middle estimated_cost=5 "
			    "estimated_tokens=7 input_tokens=9 "
			    "prompt_length=40 max_output_tokens=1");
	fx->ctx.facts[FACT_estimated_cost].source = SOURCE_COMPUTED;
	fx->ctx.facts[FACT_estimated_tokens].source = SOURCE_COMPUTED;
	fx->ctx.facts[FACT_input_tokens].source = SOURCE_COMPUTED;
	struct estimate e =
	    estimate_make(&fx->ctx, fx->ctx.model, true, MONEY_UNKNOWN);

	assert_int_equal(e.basis, ESTIMATE_INPUT_OUTPUT);
	assert_int_equal(e.input_tokens, 10);
	assert_int_equal(e.total_tokens, 11);
	fixture_free(fx);
}

/* A tier that names one price leaves the other one as it is. */
static void
half_a_tier_changes_half(void **state)
{
	struct fixture *fx = fixture_new();
	struct model m = fx->models[2];

	(void)state;
	fixture_context(fx, "input_tokens=200000 max_output_tokens=1000000");
	m.tier_output_per_mil = MONEY_UNKNOWN;
	assert_int_equal(
	    estimate_make(&fx->ctx, &m, true, MONEY_UNKNOWN).cost_nanousd,
	    400000000 + 4000000000);
	m = fx->models[2];
	m.tier_input_per_mil = MONEY_UNKNOWN;
	assert_int_equal(
	    estimate_make(&fx->ctx, &m, true, MONEY_UNKNOWN).cost_nanousd,
	    200000000 + 8000000000);
	fixture_free(fx);
}

/* The example of docs/policies.md. */
static void
a_million_tokens_at_the_mean(void **state)
{
	const struct model m = { .input_per_mil = 75000000,
				 .output_per_mil = 300000000,
				 .max_output_tokens = 8192,
				 .tier_from_tokens = 128000,
				 .tier_input_per_mil = 150000000,
				 .tier_output_per_mil = 600000000 };
	struct fixture *fx = fixture_new();

	(void)state;
	fixture_context(fx, "estimated_tokens=1000000");
	assert_int_equal(
	    estimate_make(&fx->ctx, &m, true, MONEY_UNKNOWN).cost_nanousd,
	    187500000);
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(estimate_of_each_case),
		cmocka_unit_test(a_fallback_never_takes_the_gateways_cost),
		cmocka_unit_test(what_was_computed_is_not_given),
		cmocka_unit_test(half_a_tier_changes_half),
		cmocka_unit_test(a_million_tokens_at_the_mean),
	};
	return cmocka_run_group_tests_name("estimate", tests, NULL, NULL);
}
