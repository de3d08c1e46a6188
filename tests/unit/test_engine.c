#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metric.h"
#include "base/uuid.h"
#include "record/spool_reader.h"

/* An engine with a spool of its own and one snapshot. */
struct house {
	char path[32];
	struct config config;
	struct board *board;
	struct spool *spool;
	struct engine *engine;
	struct engine_worker *worker;
	struct snapshot *snapshot;
	struct arena *arena;
	struct engine_answer answer;
	struct err err;
};

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

static struct house *
build(const char *policies)
{
	struct house *h = calloc(1, sizeof(*h));
	char source[4096];

	assert_non_null(h);
	strcpy(h->path, "/tmp/test_engine.XXXXXX");
	assert_non_null(mkdtemp(h->path));
	config_default(&h->config);
	strcpy(h->config.state_dir, h->path);
	assert_int_equal(board_open(h->path, &h->board, &h->err), STATUS_OK);
	assert_int_equal(spool_open(&h->config, h->board, &h->spool, &h->err),
			 STATUS_OK);
	snprintf(source, sizeof(source), "{\"revision\":7,\"policies\":[%s]}",
		 policies);
	if (snapshot_compile(source, strlen(source), 1, &h->snapshot,
			     &h->err) != STATUS_OK) {
		fail_msg("%s: %s", h->err.items[0].pointer, h->err.text);
	}
	h->engine = engine_new(&h->config, h->spool);
	h->worker = engine_worker_new(h->engine);
	h->arena = arena_new(16384);
	return h;
}

static void
tear_down(struct house *h)
{
	char command[64];

	engine_worker_free(h->worker);
	engine_free(h->engine);
	spool_close(h->spool);
	snapshot_unref(h->snapshot);
	arena_free(h->arena);
	snprintf(command, sizeof(command), "rm -rf %s", h->path);
	assert_int_equal(system(command), 0);
	free(h);
}

static enum status
ask(struct house *h, const char *body)
{
	const struct engine_request request = { .body = body,
						.body_n = strlen(body),
						.now_us = 1000000000 };

	return engine_evaluate(h->worker, h->snapshot, &request, h->arena,
			       &h->answer, &h->err);
}

static bool
says(const struct house *h, const char *part)
{
	return strstr(buf_text(h->answer.body), part) != NULL;
}

/* All that is in the spool. */
static void
read_spool(struct house *h, struct buf *out)
{
	struct spool_reader *reader;
	struct spool_place at = { 0 };
	size_t n;

	assert_int_equal(
	    spool_reader_open(&h->config, h->board, &reader, &h->err),
	    STATUS_OK);
	assert_int_equal(
	    spool_reader_read(reader, at, 1 << 20, out, &n, &at, &h->err),
	    STATUS_OK);
	spool_reader_close(reader);
}

/* The value of the string member NAME where it comes first. */
static void
member(const struct house *h, const char *name, char out[64])
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":\"", name);
	const char *at = strstr(buf_text(h->answer.body), key);
	assert_non_null(at);
	at += strlen(key);
	size_t n = strcspn(at, "\"");
	assert_true(n < 64);
	memcpy(out, at, n);
	out[n] = '\0';
}

static void
what_is_answered_is_recorded(void **state)
{
	struct house *h = build(WORDS);
	struct buf spool = { 0 };
	char id[64];

	(void)state;
	assert_int_equal(ask(h, "{\"model_id\":\"m\",\"user_id\":\"ada\","
				"\"prompt\":\"a bomb here\"}"),
			 STATUS_OK);
	assert_int_equal(h->answer.http_status, 403);
	assert_true(says(h, "\"durability\":\"async\""));
	assert_int_equal(h->answer.headers_n, 2);
	assert_string_equal(h->answer.headers[0].name, "X-Policy-Decision");
	assert_string_equal(h->answer.headers[0].value, "block");
	assert_string_equal(h->answer.headers[1].name, "X-Policy-Revision");
	assert_string_equal(h->answer.headers[1].value, "7");
	read_spool(h, &spool);
	assert_int_equal(spool.data[0], 'E');
	member(h, "evaluation_id", id);
	assert_non_null(strstr(buf_text(&spool), id));
	member(h, "violation_id", id);
	assert_non_null(strstr(buf_text(&spool), id));
	/* where it was found, never what */
	assert_non_null(strstr(buf_text(&spool), "/prompt"));
	assert_null(strstr(buf_text(&spool), "bomb"));
	assert_null(strstr(buf_text(h->answer.body), "bomb"));
	buf_fini(&spool);
	tear_down(h);
}

static void
a_refused_body_is_not_recorded(void **state)
{
	struct house *h = build(WORDS);
	struct buf spool = { 0 };

	(void)state;
	assert_int_equal(ask(h, "{"), STATUS_JSON);
	assert_int_equal(ask(h, "{\"model_id\":1}"), STATUS_BODY);
	assert_int_equal(h->err.items_n, 1);
	assert_string_equal(h->err.items[0].pointer, "/model_id");
	assert_int_equal(ask(h, "{\"evaluation_type\":\"runtime\"}"),
			 STATUS_NOT_IMPLEMENTED);
	assert_int_equal(h->err.items_n, 0);
	const struct engine_request request = { .body = "[", .body_n = 1 };
	assert_int_equal(engine_evaluate(h->worker, h->snapshot, &request,
					 h->arena, &h->answer, NULL),
			 STATUS_JSON);
	read_spool(h, &spool);
	assert_int_equal(spool.len, 0);
	buf_fini(&spool);
	tear_down(h);
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
		struct house *h = build(full[i].policies);

		print_message("case %zu\n", i);
		h->config.fail_mode = full[i].fail_mode;
		engine_worker_free(h->worker);
		engine_free(h->engine);
		h->engine = engine_new(&h->config, h->spool);
		h->worker = engine_worker_new(h->engine);
		atomic_store(&h->board->spool_appended_bytes,
			     (uint64_t)h->config.spool_max_bytes);
		assert_int_equal(ask(h, "{\"model_id\":\"m\"}"), STATUS_OK);
		assert_int_equal(h->answer.http_status, full[i].want_status);
		assert_string_equal(h->answer.headers[0].value,
				    full[i].decision);
		assert_true(says(h, "\"durability\":\"degraded\""));
		assert_int_equal(says(h, "\"type\":\"not_recorded\""),
				 full[i].warned);
		/* it recovers by itself */
		atomic_store(&h->board->spool_appended_bytes, 0);
		assert_int_equal(ask(h, "{\"model_id\":\"m\"}"), STATUS_OK);
		assert_true(says(h, "\"durability\":\"async\""));
		assert_int_equal(h->answer.http_status, 200);
		tear_down(h);
	}
}

/* What is found last may come first, and moves what has an id. */
static void
a_violation_behind_what_is_not_recorded_has_its_id(void **state)
{
	struct house *h = build(AUDIT("default") "," POLICY(
	    "short", "\"category\":\"behavioral\",\"priority\":40,"
		     "\"constraints\":{\"max_output_tokens\":1}"));
	char id[64];

	(void)state;
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	assert_int_equal(ask(h, "{\"model_id\":\"m\","
				"\"max_output_tokens\":2}"),
			 STATUS_OK);
	assert_true(says(h, "\"type\":\"not_recorded\""));
	member(h, "violation_id", id);
	assert_true(uuid_valid(id));
	tear_down(h);
}

static void
warnings_about_facts_follow_those_of_policies(void **state)
{
	struct house *h = build(RATE);

	(void)state;
	const struct api_key key = { .key_id = "k" };
	static const char body[] = "{\"model_id\":\"m\",\"user_id\":\"u\"}";
	const struct engine_request request = { .body = body,
						.body_n = strlen(body),
						.key = &key };
	assert_int_equal(engine_evaluate(h->worker, h->snapshot, &request,
					 h->arena, &h->answer, &h->err),
			 STATUS_OK);
	const char *policy = strstr(buf_text(h->answer.body), "not_evaluated");
	const char *fact =
	    strstr(buf_text(h->answer.body), "fact_not_permitted");
	assert_non_null(policy);
	assert_non_null(fact);
	assert_true(policy < fact);
	tear_down(h);
}

static void
counts_what_it_decides(void **state)
{
	struct house *h = build(WORDS "," AUDIT("default") "," RATE "," TYPED);

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
	assert_int_equal(ask(h, "{\"model_id\":\"m\",\"prompt\":\"bomb\"}"),
			 STATUS_OK);
	assert_int_equal(ask(h, "{\"model_id\":\"m\",\"tags\":{\"n\":\"x\"}}"),
			 STATUS_OK);
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	assert_int_equal(ask(h, "{\"model_id\":\"m\"}"), STATUS_OK);
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
	assert_int_equal(metric_read(METRIC_policy_errors_total, 1),
			 errors[1] + 3);
	assert_int_equal(metric_read(METRIC_policy_errors_total, 2),
			 errors[2] + 1);
	tear_down(h);
}

static void
an_amount_that_is_none_is_dear(void **state)
{
	static const char *const amounts[] = { "", "cheap", "-1" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct house *h = build(
		    POLICY("cap", "\"category\":\"cost\",\"priority\":95,"
				  "\"constraints\":{\"max_cost_per_request\":"
				  "0.0019}"));

		strcpy(h->config.unknown_price_per_mil_tokens, amounts[i]);
		engine_worker_free(h->worker);
		engine_free(h->engine);
		h->engine = engine_new(&h->config, NULL);
		h->worker = engine_worker_new(h->engine);
		assert_int_equal(ask(h, "{\"model_id\":\"m\","
					"\"input_tokens\":1,"
					"\"max_output_tokens\":1}"),
				 STATUS_OK);
		assert_int_equal(h->answer.http_status, 403);
		assert_true(says(h, "\"observed\":0.002,"));
		tear_down(h);
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
