#include "engine/reserve.h"

#include "engine_fixture.h"

#include <string.h>

#include "base/metric.h"
#include "counter/worker.h"

/* Columns of a U line (record/row.tbl.h). */
enum {
	U_ID,
	U_ENTRY,
	U_TIME,
	U_REPORT,
	U_KEY,
	U_USER,
	U_TIER,
	U_TEAM,
	U_ORGANIZATION,
	U_API_KEY,
	U_ENVIRONMENT,
	U_ASKED_MODEL,
	U_ASKED_VENDOR,
	U_MODEL,
	U_VENDOR,
	U_DECISION,
	U_CALLS,
	U_COST,
	U_TOKENS,
	U_INPUT,
	U_OUTPUT,
	U_OVERRUN,
	U_SUCCESS,
	U_LATENCY,
	U_EXPIRES,
	U_EPOCH,
	U_COUNTED,
	U_CHARGES,
	U_N
};

#define POLICY(name, more) \
	"{\"policy_id\":\"id-" name "\",\"name\":\"" name "\"," more "}"
#define BUDGET                                                    \
	POLICY("budget", "\"category\":\"cost\",\"priority\":95," \
			 "\"constraints\":{\"max_daily_cost\":1}")
#define ALERT                                                       \
	POLICY("alert", "\"category\":\"cost\",\"priority\":94,"    \
			"\"constraints\":{\"max_weekly_cost\":0.9," \
			"\"max_daily_cost\":5,\"alert_threshold\":0.3}")
#define TEAM                                                    \
	POLICY("team", "\"category\":\"cost\",\"priority\":93," \
		       "\"scope\":\"team\",\"constraints\":{"   \
		       "\"max_daily_cost\":9}")
#define RATE                                                          \
	POLICY("rate", "\"category\":\"behavioral\",\"priority\":92," \
		       "\"constraints\":{\"max_requests_per_minute\":1}")
#define SHADOW                                                    \
	POLICY("shadow", "\"category\":\"cost\",\"priority\":91," \
			 "\"mode\":\"shadow\",\"constraints\":"   \
			 "{\"max_daily_cost\":0.01}")
#define AUDIT                                                          \
	POLICY("audit", "\"category\":\"compliance\",\"priority\":90," \
			"\"on_error\":\"block\","                      \
			"\"constraints\":{\"log_all_requests\":true}")
#define MODELS                                                           \
	",\"models\":[{\"model_id\":\"big\",\"vendor_id\":\"openai\","   \
	"\"capability_tier\":2,\"active\":true,\"context_tokens\":1000," \
	"\"max_output_tokens\":100,\"input_price_per_mil_tokens\":1000," \
	"\"output_price_per_mil_tokens\":1000},"                         \
	"{\"model_id\":\"small\",\"vendor_id\":\"openai\","              \
	"\"capability_tier\":1,\"active\":true,\"context_tokens\":1000," \
	"\"max_output_tokens\":100,\"input_price_per_mil_tokens\":10,"   \
	"\"output_price_per_mil_tokens\":10}]"

#define ASK(cost) \
	"{\"model_id\":\"m\",\"user_id\":\"ada\",\"estimated_cost\":" #cost "}"

static void
an_admitted_call_is_reserved_and_in_the_ledger(void **state)
{
	struct house *h = house_build(BUDGET, "", true);
	struct api_key key = { .key_id = "gate" };
	const char *u[U_N];
	char id[64], reservation[64];

	(void)state;
	for (int i = 0; i < FACT_N; i++) {
		key.asserts[i] = true;
	}
	h->key = &key;
	int64_t opened = metric_read(METRIC_reservations_total, 0);
	house_must(h,
		   "{\"model_id\":\"m\",\"estimated_cost\":0.4,"
		   "\"estimated_tokens\":70}",
		   200);
	house_member(h, "evaluation_id", id);
	house_member(h, "id", reservation);
	assert_string_equal(id, reservation);
	assert_true(house_says(h, "\"amount\":0.4,\"tokens\":70,\"expires_at\":"
				  "\"1970-01-01T00:31:40.000000Z\"}"));
	assert_true(house_says(
	    h, "\"limits\":[{\"policy_name\":\"budget\",\"scope\":\"user\","
	       "\"constraint\":\"max_daily_cost\",\"window\":\"day\","
	       "\"unit\":\"USD\",\"limit\":1,\"remaining\":0.6,"
	       "\"reset_at\":\"1970-01-02T00:00:00.000000Z\"}]"));
	assert_int_equal(house_lines_n(h, 'U'), 1);
	assert_int_equal(house_line(h, 'U', 0, u, U_N), U_N);
	assert_string_equal(u[U_ID], id);
	assert_string_equal(u[U_ENTRY], "reserve");
	assert_string_equal(u[U_REPORT], "\\N");
	assert_string_equal(u[U_KEY], "gate");
	assert_string_equal(u[U_MODEL], "m");
	assert_string_equal(u[U_DECISION], "allow");
	assert_string_equal(u[U_CALLS], "1");
	assert_string_equal(u[U_COST], "0.4");
	assert_string_equal(u[U_TOKENS], "70");
	assert_string_equal(u[U_OVERRUN], "\\N");
	assert_string_equal(u[U_EXPIRES], "1970-01-01T00:31:40.000000Z");
	assert_string_equal(u[U_COUNTED], "t");
	assert_non_null(strstr(u[U_CHARGES], "400000000"));
	assert_int_equal(metric_read(METRIC_reservations_total, 0), opened + 1);
	house_free(h);
}

static void
a_refused_call_takes_nothing_and_says_when(void **state)
{
	struct house *h = house_build(BUDGET "," RATE, "", true);

	(void)state;
	house_must(h, ASK(0.1), 200);
	assert_string_equal(house_header(h, "RateLimit-Policy"),
			    "\"rate.minute\";q=1;w=60, "
			    "\"budget.day\";q=1000000;qu=\"micro-usd\";"
			    "w=86400");
	assert_string_equal(house_header(h, "RateLimit"),
			    "\"rate.minute\";r=0;t=61, "
			    "\"budget.day\";r=900000;t=85400");
	assert_null(house_header(h, "Retry-After"));
	for (int i = 0; i < 3; i++) {
		house_must(h, ASK(0.1), 403);
		assert_true(house_says(h, "\"reservation\":null"));
		assert_string_equal(house_header(h, "Retry-After"), "61");
	}
	assert_int_equal(house_lines_n(h, 'U'), 1);
	assert_int_equal(house_lines_n(h, 'E'), 4);
	h->now_us += INT64_C(61000000);
	house_must(h, ASK(0.9), 200);
	assert_true(house_says(h, "\"remaining\":0,"));
	/* waiting does not help against a price above the budget */
	h->now_us += INT64_C(61000000);
	house_must(h, ASK(1.1), 403);
	assert_null(house_header(h, "Retry-After"));
	house_free(h);
}

/* Of two budgets one has a threshold: week, 83, and 512. */
static void
the_call_that_raises_an_alert_is_in_the_ledger(void **state)
{
	static const struct {
		const char *ask;
		int http;
		bool alert;
	} rows[] = {
		{ ASK(0.2), 200, false },
		{ ASK(0.8), 403, false },
		{ ASK(0.2), 200, true },
		{ ASK(0.2), 200, false },
	};
	struct house *h = house_build(ALERT, "", true);
	const char *u[U_N];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		house_must(h, rows[i].ask, rows[i].http);
		assert_int_equal(house_says(h, "\"budget_alert\""),
				 rows[i].alert);
		if (rows[i].http == 200) {
			assert_int_equal(house_line(h, 'U', n++, u, U_N), U_N);
			assert_int_equal(strstr(u[U_CHARGES], ",595,") != NULL,
					 rows[i].alert);
			assert_int_equal(strstr(u[U_CHARGES], ",83,") != NULL,
					 !rows[i].alert);
			assert_non_null(strstr(u[U_CHARGES], ",82,"));
		}
	}
	assert_int_equal(house_lines_n(h, 'U'), 3);
	house_free(h);
}

static void
a_call_without_counters_is_in_the_ledger(void **state)
{
	struct house *h = house_build("", "", true);
	const char *u[U_N];

	(void)state;
	house_must(h, "{\"model_id\":\"m\",\"estimated_cost\":0}", 200);
	assert_true(house_says(h, "\"limits\":[]"));
	assert_null(house_header(h, "RateLimit"));
	assert_int_equal(house_line(h, 'U', 0, u, U_N), U_N);
	assert_string_equal(u[U_COST], "0");
	assert_string_equal(u[U_COUNTED], "t");
	assert_string_equal(u[U_CHARGES], "\\N");
	house_free(h);
}

static void
what_nobody_counts_is_counted_later(void **state)
{
	struct house *h = house_build(BUDGET, "", false);
	const char *u[U_N];

	(void)state;
	house_must(h, ASK(0.4), 200);
	assert_true(house_says(h, "\"type\":\"counter_unavailable\""));
	assert_true(house_says(h, "\"limits\":[]"));
	assert_true(house_says(h, "\"amount\":0.4"));
	assert_int_equal(house_line(h, 'U', 0, u, U_N), U_N);
	assert_string_equal(u[U_COUNTED], "f");
	assert_string_equal(u[U_EPOCH], "0");
	assert_non_null(strstr(u[U_CHARGES], "400000000"));
	house_free(h);
}

/* Nobody can read the account of this team. */
static void
damage_team(struct house *h, const char *team_id)
{
	struct counter_store *store = counter_memory_store(h->memory);
	const struct counter_subject team =
	    counter_subject(SCOPE_TEAM, team_id);
	struct counter_item item = { .next = (const unsigned char *)"?",
				     .next_n = 1,
				     .expires_s = INT64_C(1) << 40 };

	counter_subject_key(&team, item.key);
	store->type->put(store, &item, 1);
	store->type->free(store);
}

/* 82: a budget, USD, day; 1024: it was counted in epoch 1. */
static void
what_is_not_known_is_counted_later_and_nothing_else(void **state)
{
	struct house *h = house_build(BUDGET "," TEAM, "", true);
	const char *u[U_N];

	(void)state;
	damage_team(h, "red");
	house_must(h,
		   "{\"model_id\":\"m\",\"user_id\":\"ada\","
		   "\"team_id\":\"red\",\"estimated_cost\":0.4}",
		   200);
	assert_true(house_says(h, "\"type\":\"counter_unavailable\""));
	assert_true(house_says(h, "\"remaining\":0.6,"));
	assert_int_equal(house_line(h, 'U', 0, u, U_N), U_N);
	assert_string_equal(u[U_COUNTED], "f");
	const char *known = strstr(u[U_CHARGES], ",1106,");
	const char *unknown = strstr(u[U_CHARGES], ",82,");
	assert_non_null(known);
	assert_non_null(unknown);
	assert_null(strstr(known + 1, ",1106,"));
	assert_null(strstr(unknown + 1, ",82,"));
	/* All of it is known: nothing has to be said. */
	house_must(h,
		   "{\"model_id\":\"m\",\"user_id\":\"ada\","
		   "\"team_id\":\"blue\",\"estimated_cost\":0.4}",
		   200);
	assert_int_equal(house_line(h, 'U', 1, u, U_N), U_N);
	assert_string_equal(u[U_COUNTED], "t");
	assert_null(strstr(u[U_CHARGES], ",1106,"));
	house_free(h);
}

static uint64_t begins_epoch; /* just before the next take; 0: none */

bool __real_counter_take(struct counter_worker *worker,
			 const struct counter_call *call,
			 const struct charge *charges, size_t n,
			 struct charged *out);
bool __wrap_counter_take(struct counter_worker *worker,
			 const struct counter_call *call,
			 const struct charge *charges, size_t n,
			 struct charged *out);

bool
__wrap_counter_take(struct counter_worker *worker,
		    const struct counter_call *call,
		    const struct charge *charges, size_t n, struct charged *out)
{
	if (begins_epoch != 0) {
		struct counter_store *store = counter_worker_store(worker);

		store->epoch = begins_epoch;
		begins_epoch = 0;
		assert_int_equal(store->type->begin(store, store->epoch, NULL),
				 STATUS_OK);
	}
	return __real_counter_take(worker, call, charges, n, out);
}

/* An epoch may begin at any moment. */
static void
the_ledger_says_in_which_epoch_it_was_counted(void **state)
{
	struct house *h = house_build(BUDGET, "", true);
	const char *u[U_N];

	(void)state;
	begins_epoch = 2;
	house_must(h, ASK(0.4), 200);
	assert_true(house_says(h, "\"remaining\":0.6,"));
	assert_int_equal(house_line(h, 'U', 0, u, U_N), U_N);
	assert_string_equal(u[U_EPOCH], "2");
	assert_string_equal(u[U_COUNTED], "t");
	house_free(h);
}

static void
counters_that_are_lost_are_counted_later(void **state)
{
	struct house *h = house_build(BUDGET, "", true);
	const char *u[U_N];

	(void)state;
	house_must(h, ASK(0.4), 200);
	counter_memory_flush(h->memory);
	house_must(h, ASK(0.4), 200);
	assert_true(house_says(h, "\"type\":\"counter_unavailable\""));
	assert_int_equal(house_line(h, 'U', 1, u, U_N), U_N);
	assert_string_equal(u[U_COUNTED], "f");
	assert_non_null(strstr(u[U_CHARGES], "400000000"));
	house_free(h);
}

/* Over the shadow's limit: what it does not take is not in the ledger. */
static void
a_shadow_takes_what_it_would_have_let_pass(void **state)
{
	struct house *h = house_build(BUDGET "," SHADOW, "", true);
	const char *u[U_N];

	(void)state;
	house_must(h, ASK(0.4), 200);
	assert_null(strstr(house_header(h, "RateLimit"), "shadow"));
	assert_false(house_says(h, "\"limits\":[{\"policy_name\":\"shadow\""));
	assert_int_equal(house_line(h, 'U', 0, u, U_N), U_N);
	assert_string_equal(u[U_COUNTED], "t");
	const char *first = strstr(u[U_CHARGES], "400000000");
	assert_non_null(first);
	assert_null(strstr(first + 1, "400000000"));
	house_free(h);
}

static void
what_cannot_be_recorded_and_may_not_pass_is_given_back(void **state)
{
	struct house *h = house_build(BUDGET "," AUDIT, "", true);

	(void)state;
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	for (int i = 0; i < 3; i++) {
		house_must(h, ASK(1), 403);
		assert_true(house_says(h, "\"type\":\"not_recorded\""));
		assert_true(house_says(h, "\"reservation\":null"));
	}
	atomic_store(&h->board->spool_appended_bytes, 0);
	house_must(h, ASK(1), 200);
	house_must(h, ASK(0.1), 403);
	house_free(h);
}

static void
what_cannot_be_recorded_and_passes_stays_counted(void **state)
{
	struct house *h = house_build(BUDGET, "", true);

	(void)state;
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	house_must(h, ASK(0.7), 200);
	assert_true(house_says(h, "\"durability\":\"degraded\""));
	assert_true(house_says(h, "\"amount\":0.7"));
	house_must(h, ASK(0.7), 403);
	house_free(h);
}

/* The model that will really run is what is reserved. */
static void
a_fallback_is_what_is_reserved(void **state)
{
	struct house *h = house_build(
	    POLICY("cheap", "\"category\":\"cost\",\"priority\":95,"
			    "\"action_on_violation\":\"degrade\","
			    "\"constraints\":{\"max_daily_cost\":0.1}"),
	    MODELS, true);
	const char *u[U_N];

	(void)state;
	house_must(h,
		   "{\"model_id\":\"big\",\"input_tokens\":100,"
		   "\"max_output_tokens\":100}",
		   200);
	assert_string_equal(house_header(h, "X-Policy-Decision"), "degrade");
	assert_true(house_says(h, "\"amount\":0.002"));
	assert_int_equal(house_line(h, 'U', 0, u, U_N), U_N);
	assert_string_equal(u[U_ASKED_MODEL], "big");
	assert_string_equal(u[U_MODEL], "small");
	assert_string_equal(u[U_DECISION], "degrade");
	assert_string_equal(u[U_COST], "0.002");
	house_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_admitted_call_is_reserved_and_in_the_ledger),
		cmocka_unit_test(a_refused_call_takes_nothing_and_says_when),
		cmocka_unit_test(
		    the_call_that_raises_an_alert_is_in_the_ledger),
		cmocka_unit_test(a_call_without_counters_is_in_the_ledger),
		cmocka_unit_test(what_nobody_counts_is_counted_later),
		cmocka_unit_test(
		    what_is_not_known_is_counted_later_and_nothing_else),
		cmocka_unit_test(the_ledger_says_in_which_epoch_it_was_counted),
		cmocka_unit_test(counters_that_are_lost_are_counted_later),
		cmocka_unit_test(a_shadow_takes_what_it_would_have_let_pass),
		cmocka_unit_test(
		    what_cannot_be_recorded_and_may_not_pass_is_given_back),
		cmocka_unit_test(
		    what_cannot_be_recorded_and_passes_stays_counted),
		cmocka_unit_test(a_fallback_is_what_is_reserved),
	};
	return cmocka_run_group_tests_name("reserve", tests, NULL, NULL);
}
