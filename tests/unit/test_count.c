/* Which calls are counted, and which model runs; what is said: test_count_say.c */
#include "core/count.h"

#include "count_fixture.h"

static const struct count_row limits[] = {
	/* also where there is nothing to count */
	{ BIG, "", "allow", 1, true, { NULL } },
	{ BIG, "", "allow", 1, true, { "block " RATE } },
	{ BIG,
	  "a.max_requests_per_minute.u=2",
	  "allow",
	  1,
	  true,
	  { "block " RATE } },
	{ BIG,
	  "a.max_requests_per_minute.u=3",
	  "block a!rate_limit_exceeded",
	  1,
	  false,
	  { "block " RATE } },
	{ BIG,
	  "a.max_requests_per_minute.v=3",
	  "allow",
	  1,
	  true,
	  { "block " RATE } },
	{ "model_id=big",
	  "a.max_requests_per_minute.anonymous=3",
	  "block a!rate_limit_exceeded",
	  1,
	  false,
	  { "block " RATE } },
	{ BIG,
	  "a.max_daily_cost.u=5000000",
	  "allow",
	  1,
	  true,
	  { "block " DAY } },
	{ BIG,
	  "a.max_daily_cost.u=5000001",
	  "block a!daily_budget_exceeded",
	  1,
	  false,
	  { "block " DAY } },
	/* each that is over is told, in its order */
	{ BIG,
	  "a.max_requests_per_minute.u=3 b.max_daily_cost.u=6000000",
	  "block a!rate_limit_exceeded b!daily_budget_exceeded",
	  1,
	  false,
	  { "block " RATE, "degrade " DAY } },
	{ BIG,
	  "a.max_requests_per_hour.u=9 a.max_parallel_requests.u=9",
	  "block a!rate_limit_exceeded a!too_many_parallel_requests",
	  1,
	  false,
	  { "block behavioral 75 max_requests_per_minute=3 "
	    "max_requests_per_hour=9 max_parallel_requests=9" } },
	/* warn and log charge past their limit */
	{ BIG,
	  "a.max_requests_per_minute.u=3 b.max_daily_cost.u=6000000",
	  "warn a!rate_limit_exceeded b!daily_budget_exceeded",
	  1,
	  true,
	  { "log " RATE, "warn " DAY } },
	/* a shadow is told and refuses nothing */
	{ BIG,
	  "a.max_requests_per_minute.u=3",
	  "allow a!rate_limit_exceeded/shadow",
	  1,
	  true,
	  { "block " RATE " @shadow" } },
	{ BIG,
	  "a.max_daily_cost.u=6000000",
	  "allow a!daily_budget_exceeded/shadow",
	  1,
	  true,
	  { "degrade " DAY " @shadow" } },
	/* by the clock: no violation here */
	{ BIG,
	  "a.max_daily_cost.u=60000000",
	  "allow",
	  1,
	  true,
	  { "warn " DAY " @stage=continuous" } },
	{ BIG " tags.t=#1",
	  "",
	  "allow a?condition_error",
	  1,
	  true,
	  { "warn " DAY " ?tags.t=x @stage=continuous @on_error=block" } },
	/* what is blocked before is not asked about */
	{ BIG,
	  "b.max_requests_per_minute.u=3",
	  "block a!missing_correlation_id",
	  0,
	  false,
	  { "block compliance 90 require_correlation_id=1", "block " RATE } },
	{ BIG,
	  "",
	  "block a!vendor_blocked a!no_permitted_fallback",
	  0,
	  false,
	  { "degrade vendor 90 blocked_vendors=*", "block " RATE } },
	/* a price that is not known */
	{ "model_id=none user_id=u estimated_tokens=1000",
	  "",
	  "block a!daily_budget_exceeded a~unknown_price",
	  1,
	  false,
	  { "block " DAY } },
	{ "model_id=none user_id=u estimated_tokens=1000",
	  "",
	  "allow a~unknown_price",
	  1,
	  true,
	  { "block " DAY " unknown_price=2" } },
	{ "model_id=none user_id=u estimated_tokens=1000",
	  "",
	  "block a!unknown_price",
	  0,
	  false,
	  { "block " DAY " unknown_price=0" } },
	{ "model_id=none user_id=u estimated_tokens=1000",
	  "",
	  "allow",
	  1,
	  true,
	  { "block cost 60 max_daily_tokens=1000" } },
};

static void
limits_of_each_case(void **state)
{
	(void)state;
	count_rows(limits, sizeof(limits) / sizeof(limits[0]));
}

static const struct count_row degrades[] = {
	/* a cheaper model fits */
	{ BIG,
	  "a.max_daily_cost.u=49000000",
	  "degrade a!daily_budget_exceeded -> mini little middle",
	  2,
	  true,
	  { "degrade " DAY } },
	/* none does; what cannot fit is not asked */
	{ BIG,
	  "a.max_daily_cost.u=50000000",
	  "block a!daily_budget_exceeded a!no_permitted_fallback",
	  1,
	  false,
	  { "degrade " DAY } },
	/* by policies that apply to the other one */
	{ BIG,
	  "a.max_daily_cost.u=49000000",
	  "degrade a!daily_budget_exceeded -> little middle",
	  2,
	  true,
	  { "degrade " DAY,
	    "block vendor 50 blocked_models=mini,priceless "
	    "?model_id!=big",
	    "block vendor 40 blocked_vendors=openai ?vendor_id=openai&"
	    "model_id=middle" } },
	/* by the subjects of the other one */
	{ BIG,
	  "a.max_daily_cost.u=49000000 b.max_requests_per_minute.mini=3",
	  "degrade a!daily_budget_exceeded -> little middle middle",
	  3,
	  true,
	  { "degrade " DAY, "block " RATE " @scope=model" } },
	{ BIG,
	  "a.max_daily_cost.u=49000000 b.max_requests_per_minute.mini=3 "
	  "b.max_requests_per_minute.little=3 "
	  "b.max_requests_per_minute.middle=3",
	  "block a!daily_budget_exceeded a!no_permitted_fallback",
	  3,
	  false,
	  { "degrade " DAY, "block " RATE " @scope=model" } },
	{ BIG,
	  "a.max_daily_cost.openai=6000000",
	  "degrade a!daily_budget_exceeded -> mini little middle",
	  2,
	  true,
	  { "degrade " DAY " @scope=vendor" } },
	/* a check asks for another model, its counters are asked */
	{ BIG,
	  "b.max_requests_per_minute.u=2",
	  "degrade a!cost_per_request_exceeded -> mini little middle",
	  1,
	  true,
	  { "degrade cost 65 max_cost_per_request=44999999", "block " RATE } },
	{ BIG,
	  "b.max_requests_per_minute.u=3",
	  "block b!rate_limit_exceeded a!cost_per_request_exceeded",
	  1,
	  false,
	  { "degrade cost 65 max_cost_per_request=44999999", "block " RATE } },
	{ BIG,
	  "b.max_requests_per_minute.mini=3",
	  "degrade a!cost_per_request_exceeded -> little middle middle",
	  2,
	  true,
	  { "degrade cost 65 max_cost_per_request=44999999",
	    "block " RATE " @scope=model" } },
	{ BIG,
	  "b.max_daily_cost.u=50000000",
	  "block a!cost_per_request_exceeded a!no_permitted_fallback "
	  "b!daily_budget_exceeded",
	  1,
	  false,
	  { "degrade cost 65 max_cost_per_request=44999999", "block " DAY } },
	/* of the model that runs: what it passes */
	{ BIG,
	  "a.max_daily_cost.u=49000000 b.max_requests_per_minute.mini=3",
	  "degrade b!rate_limit_exceeded a!daily_budget_exceeded -> mini "
	  "little middle",
	  2,
	  true,
	  { "degrade " DAY, "warn " RATE " @scope=model" } },
	{ BIG,
	  "a.max_daily_cost.u=49000000 b.max_requests_per_minute.big=3",
	  "degrade a!daily_budget_exceeded -> mini little middle",
	  2,
	  true,
	  { "degrade " DAY, "warn " RATE " @scope=model" } },
	/* another region is another chance */
	{ BIG,
	  "a.max_daily_cost.u=47000000 b.max_requests_per_minute.u=3",
	  "degrade a!daily_budget_exceeded -> middle middle",
	  3,
	  true,
	  { "degrade " DAY, "block " RATE " ?region=eu-west",
	    "block vendor 50 allowed_models=middle,big" } },
	/* a shadow degrade looks for nothing */
	{ BIG,
	  "a.max_daily_cost.u=49000000",
	  "allow a!daily_budget_exceeded/shadow",
	  1,
	  true,
	  { "degrade " DAY " @shadow" } },
};

static void
degrades_of_each_case(void **state)
{
	(void)state;
	count_rows(degrades, sizeof(degrades) / sizeof(degrades[0]));
}

static const struct count_row unknowns[] = {
	{ BIG,
	  "a.max_daily_cost.u=-1",
	  "allow a?counter_unavailable",
	  1,
	  true,
	  { "block " DAY } },
	{ BIG,
	  "a.max_daily_cost.u=-1",
	  "block a?counter_unavailable",
	  1,
	  false,
	  { "block " DAY " @on_error=block" } },
	{ BIG,
	  "a.max_daily_cost.u=-1",
	  "block a?counter_unavailable",
	  1,
	  false,
	  { "log " DAY " @on_error=block" } },
	{ BIG,
	  "a.max_daily_cost.u=-1",
	  "allow a?counter_unavailable/shadow",
	  1,
	  true,
	  { "block " DAY " @on_error=block @shadow" } },
	{ BIG,
	  "a.max_daily_cost.u=-1",
	  "allow a?counter_unavailable",
	  1,
	  true,
	  { "warn " DAY " @on_error=block @stage=continuous" } },
	/* once a policy, and beside what is known */
	{ BIG,
	  "a.max_daily_cost.u=-1 a.max_weekly_cost.u=-1 "
	  "a.max_daily_tokens.u=9000",
	  "block a?counter_unavailable a!token_budget_exceeded",
	  1,
	  false,
	  { "block cost 9 max_daily_cost=9 max_weekly_cost=9 "
	    "max_daily_tokens=9999" } },
	/* of another model */
	{ BIG,
	  "a.max_daily_cost.u=49000000 b.max_daily_tokens.mini=-1",
	  "degrade a!daily_budget_exceeded -> little middle middle",
	  3,
	  true,
	  { "degrade " DAY, "block cost 50 max_daily_tokens=9999 @scope=model "
			    "@on_error=block" } },
	{ BIG,
	  "a.max_daily_cost.u=49000000 b.max_daily_tokens.u=-1",
	  "block a!daily_budget_exceeded a!no_permitted_fallback "
	  "b?counter_unavailable",
	  2,
	  false,
	  { "degrade " DAY,
	    "block cost 50 max_daily_tokens=9999 ?model_id!=big "
	    "@on_error=block" } },
	{ BIG,
	  "b.max_daily_cost.u=-1",
	  "block a!cost_per_request_exceeded a!no_permitted_fallback "
	  "b?counter_unavailable",
	  1,
	  false,
	  { "degrade cost 65 max_cost_per_request=44999999",
	    "block " DAY " @on_error=block" } },
	{ BIG,
	  "b.max_requests_per_minute.u=-1",
	  "block b?counter_unavailable a!cost_per_request_exceeded",
	  1,
	  false,
	  { "degrade cost 65 max_cost_per_request=44999999",
	    "block " RATE " @on_error=block" } },
};

static void
unknowns_of_each_case(void **state)
{
	(void)state;
	count_rows(unknowns, sizeof(unknowns) / sizeof(unknowns[0]));
}

/* So many models, each with a counter of its own that is full. */
static void
asking_has_an_end(void **state)
{
	enum { MODELS = 40 };
	struct fixture *fx = count_world(
	    BIG, "a.max_daily_cost.u=49000000",
	    (const char *const[3]){ "degrade " DAY,
				    "block behavioral 75 "
				    "max_requests_per_minute=1 @scope=model "
				    "?model_id!=big" });
	struct model *models =
	    arena_array(fx->arena, MODELS + 1, sizeof(*models));
	struct decision d;

	(void)state;
	models[0] = fx->models[0]; /* big */
	for (int i = 1; i <= MODELS; i++) {
		models[i] = fx->models[4]; /* mini */
		models[i].model_id = arena_printf(fx->arena, "mini%02d", i);
		core_counter_set(fx->counter, "b",
				 CONSTRAINT_max_requests_per_minute,
				 models[i].model_id, 1);
	}
	fx->models = models;
	fx->catalogue.models = models;
	fx->catalogue.models_n = MODELS + 1;
	fixture_context(fx, BIG);
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "block a!daily_budget_exceeded "
			    "a!no_permitted_fallback");
	assert_int_equal(fx->counter->takes, COUNT_TAKES_MAX);
	assert_int_equal(fx->counter->counted, 0);
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_of_each_case),
		cmocka_unit_test(degrades_of_each_case),
		cmocka_unit_test(unknowns_of_each_case),
		cmocka_unit_test(asking_has_an_end),
	};
	return cmocka_run_group_tests_name("count", tests, NULL, NULL);
}
