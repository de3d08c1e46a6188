#include "engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "base/uuid.h"

#define POLICY(name, more) \
	"{\"policy_id\":\"id-" name "\",\"name\":\"" name "\"," more "}"
#define AUDIT(on_error)                                                \
	POLICY("audit", "\"category\":\"compliance\",\"priority\":90," \
			"\"on_error\":\"" on_error "\","               \
			"\"constraints\":{\"log_all_requests\":true}")
#define WORDS                                                          \
	POLICY("words", "\"category\":\"behavioral\",\"priority\":95," \
			"\"constraints\":{\"blocked_keywords\":[\"bomb\"]}")
#define RATE                                                          \
	POLICY("rate", "\"category\":\"behavioral\",\"priority\":50," \
		       "\"constraints\":{\"max_requests_per_minute\":1}")
#define TYPED                                                          \
	POLICY("typed", "\"category\":\"behavioral\",\"priority\":40," \
			"\"applies_to\":{\"tags.n\":{\"gt\":1}},"      \
			"\"constraints\":{\"max_output_tokens\":1}")

static void
what_is_answered_is_recorded(void **state)
{
	struct house *h = house_build(WORDS, "", false);
	struct buf spool = { 0 };
	char id[64];

	(void)state;
	assert_int_equal(house_ask(h, "{\"model_id\":\"m\",\"user_id\":\"ada\","
				      "\"prompt\":\"a bomb here\"}"),
			 STATUS_OK);
	assert_int_equal(h->answer.http_status, 403);
	assert_true(house_says(h, "\"durability\":\"async\""));
	assert_int_equal(h->answer.headers_n, 2);
	assert_string_equal(h->answer.headers[0].name, "X-Policy-Decision");
	assert_string_equal(h->answer.headers[0].value, "block");
	assert_string_equal(h->answer.headers[1].name, "X-Policy-Revision");
	assert_string_equal(h->answer.headers[1].value, "7");
	house_spool(h, &spool);
	assert_int_equal(spool.data[0], 'E');
	house_member(h, "evaluation_id", id);
	assert_non_null(strstr(buf_text(&spool), id));
	house_member(h, "violation_id", id);
	assert_non_null(strstr(buf_text(&spool), id));
	/* where it was found, never what */
	assert_non_null(strstr(buf_text(&spool), "/prompt"));
	assert_null(strstr(buf_text(&spool), "bomb"));
	assert_null(strstr(buf_text(h->answer.body), "bomb"));
	buf_fini(&spool);
	house_free(h);
}

static void
a_refused_body_is_not_recorded(void **state)
{
	struct house *h = house_build(WORDS, "", false);
	struct buf spool = { 0 };

	(void)state;
	assert_int_equal(house_ask(h, "{"), STATUS_JSON);
	assert_int_equal(house_ask(h, "{\"model_id\":1}"), STATUS_BODY);
	assert_int_equal(h->err.items_n, 1);
	assert_string_equal(h->err.items[0].pointer, "/model_id");
	assert_int_equal(house_ask(h, "{\"evaluation_type\":\"runtime\"}"),
			 STATUS_NOT_IMPLEMENTED);
	assert_int_equal(h->err.items_n, 0);
	const struct engine_request request = { .body = "[", .body_n = 1 };
	assert_int_equal(engine_evaluate(h->worker, h->snapshot, &request,
					 h->arena, &h->answer, NULL),
			 STATUS_JSON);
	house_spool(h, &spool);
	assert_int_equal(spool.len, 0);
	buf_fini(&spool);
	house_free(h);
}

static const struct {
	const char *policies;
	int fail_mode;
	int want_status;
	const char *decision;
	bool warned;
} full[] = {
	{ WORDS, CONFIG_FAIL_OPEN, 200, "allow", false },
	{ AUDIT("default"), CONFIG_FAIL_OPEN, 200, "allow", true },
	{ AUDIT("default"), CONFIG_FAIL_CLOSED, 403, "block", true },
	{ AUDIT("block"), CONFIG_FAIL_OPEN, 403, "block", true },
	{ AUDIT("allow"), CONFIG_FAIL_CLOSED, 200, "allow", true },
};

static void
a_full_spool_degrades_durability(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
		struct house *h = house_build(full[i].policies, "", false);

		print_message("case %zu\n", i);
		h->config.fail_mode = full[i].fail_mode;
		house_rebuild(h);
		atomic_store(&h->board->spool_appended_bytes,
			     (uint64_t)h->config.spool_max_bytes);
		assert_int_equal(house_ask(h, "{\"model_id\":\"m\"}"),
				 STATUS_OK);
		assert_int_equal(h->answer.http_status, full[i].want_status);
		assert_string_equal(h->answer.headers[0].value,
				    full[i].decision);
		assert_true(house_says(h, "\"durability\":\"degraded\""));
		assert_int_equal(house_says(h, "\"type\":\"not_recorded\""),
				 full[i].warned);
		/* it recovers by itself */
		atomic_store(&h->board->spool_appended_bytes, 0);
		assert_int_equal(house_ask(h, "{\"model_id\":\"m\"}"),
				 STATUS_OK);
		assert_true(house_says(h, "\"durability\":\"async\""));
		assert_int_equal(h->answer.http_status, 200);
		house_free(h);
	}
}

/* What is found last may come first, and moves what has an id. */
static void
a_violation_behind_what_is_not_recorded_has_its_id(void **state)
{
	struct house *h = house_build(
	    AUDIT("default") "," POLICY(
		"short", "\"category\":\"behavioral\",\"priority\":40,"
			 "\"constraints\":{\"max_output_tokens\":1}"),
	    "", false);
	char id[64];

	(void)state;
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	assert_int_equal(house_ask(h, "{\"model_id\":\"m\","
				      "\"max_output_tokens\":2}"),
			 STATUS_OK);
	assert_true(house_says(h, "\"type\":\"not_recorded\""));
	house_member(h, "violation_id", id);
	assert_true(uuid_valid(id));
	house_free(h);
}

static void
warnings_about_facts_follow_those_of_policies(void **state)
{
	struct house *h = house_build(RATE, "", false);

	(void)state;
	const struct api_key key = { .key_id = "k" };
	static const char body[] = "{\"model_id\":\"m\",\"user_id\":\"u\"}";
	const struct engine_request request = { .body = body,
						.body_n = strlen(body),
						.key = &key };
	assert_int_equal(engine_evaluate(h->worker, h->snapshot, &request,
					 h->arena, &h->answer, &h->err),
			 STATUS_OK);
	const char *policy =
	    strstr(buf_text(h->answer.body), "counter_unavailable");
	const char *fact =
	    strstr(buf_text(h->answer.body), "fact_not_permitted");
	assert_non_null(policy);
	assert_non_null(fact);
	assert_true(policy < fact);
	house_free(h);
}

static void
counts_what_it_decides(void **state)
{
	struct house *h = house_build(
	    WORDS "," AUDIT("default") "," RATE "," TYPED, "", false);

	(void)state;
	int64_t blocks = metric_read(METRIC_evaluations_total, ACTION_BLOCK);
	int64_t allows = metric_read(METRIC_evaluations_total, ACTION_ALLOW);
	int64_t critical =
	    metric_read(METRIC_violations_total, SEVERITY_CRITICAL);
	int64_t timed = metric_read(METRIC_evaluation_seconds, 0);
	int64_t errors[3];
	for (int i = 0; i < 3; i++) {
		errors[i] = metric_read(METRIC_policy_errors_total, i);
	}
	assert_int_equal(
	    house_ask(h, "{\"model_id\":\"m\",\"prompt\":\"bomb\"}"),
	    STATUS_OK);
	assert_int_equal(
	    house_ask(h, "{\"model_id\":\"m\",\"tags\":{\"n\":\"x\"}}"),
	    STATUS_OK);
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	assert_int_equal(house_ask(h, "{\"model_id\":\"m\"}"), STATUS_OK);
	assert_int_equal(metric_read(METRIC_evaluations_total, ACTION_BLOCK),
			 blocks + 1);
	assert_int_equal(metric_read(METRIC_evaluations_total, ACTION_ALLOW),
			 allows + 2);
	assert_int_equal(
	    metric_read(METRIC_violations_total, SEVERITY_CRITICAL),
	    critical + 1);
	assert_int_equal(metric_read(METRIC_evaluation_seconds, 0), timed + 3);
	/* condition, not_built, unavailable */
	assert_int_equal(metric_read(METRIC_policy_errors_total, 0),
			 errors[0] + 1);
	assert_int_equal(metric_read(METRIC_policy_errors_total, 1), errors[1]);
	/* the rate of the two that were not blocked, and not_recorded */
	assert_int_equal(metric_read(METRIC_policy_errors_total, 2),
			 errors[2] + 3);
	house_free(h);
}

static void
an_amount_that_is_none_is_dear(void **state)
{
	static const char *const amounts[] = { "", "cheap", "-1" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct house *h = house_build(
		    POLICY("cap", "\"category\":\"cost\",\"priority\":95,"
				  "\"constraints\":{\"max_cost_per_request\":"
				  "0.0019}"),
		    "", false);

		strcpy(h->config.unknown_price_per_mil_tokens, amounts[i]);
		house_rebuild(h);
		assert_int_equal(house_ask(h, "{\"model_id\":\"m\","
					      "\"input_tokens\":1,"
					      "\"max_output_tokens\":1}"),
				 STATUS_OK);
		assert_int_equal(h->answer.http_status, 403);
		assert_true(house_says(h, "\"observed\":0.002,"));
		house_free(h);
	}
	engine_worker_free(NULL);
	engine_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_answered_is_recorded),
		cmocka_unit_test(a_refused_body_is_not_recorded),
		cmocka_unit_test(a_full_spool_degrades_durability),
		cmocka_unit_test(
		    a_violation_behind_what_is_not_recorded_has_its_id),
		cmocka_unit_test(warnings_about_facts_follow_those_of_policies),
		cmocka_unit_test(counts_what_it_decides),
		cmocka_unit_test(an_amount_that_is_none_is_dear),
	};
	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
