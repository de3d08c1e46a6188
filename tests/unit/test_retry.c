#include "engine/retry.h"

#include "engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "engine/retry_note.h"

/* The counters by way of the linker (--wrap): what comes of the next swap; and
 * what the next look at a note that was there finds. */
static bool swap_told, look_told;
static enum counter_item_result swap_says;
static enum counter_note_state look_says;

enum counter_item_result
__real_counter_note_swap(struct counter_worker *worker,
			 const struct counter_note *note, const void *value,
			 size_t n, int64_t expires_us);
enum counter_item_result
__wrap_counter_note_swap(struct counter_worker *worker,
			 const struct counter_note *note, const void *value,
			 size_t n, int64_t expires_us);
void __real_counter_note_read(struct counter_worker *worker,
			      struct arena *arena, struct counter_note *note,
			      const void *first, size_t first_n,
			      int64_t expires_us);
void __wrap_counter_note_read(struct counter_worker *worker,
			      struct arena *arena, struct counter_note *note,
			      const void *first, size_t first_n,
			      int64_t expires_us);

enum counter_item_result
__wrap_counter_note_swap(struct counter_worker *worker,
			 const struct counter_note *note, const void *value,
			 size_t n, int64_t expires_us)
{
	if (swap_told) {
		swap_told = false;
		return swap_says;
	}
	return __real_counter_note_swap(worker, note, value, n, expires_us);
}

void
__wrap_counter_note_read(struct counter_worker *worker, struct arena *arena,
			 struct counter_note *note, const void *first,
			 size_t first_n, int64_t expires_us)
{
	__real_counter_note_read(worker, arena, note, first, first_n,
				 expires_us);
	if (first == NULL && look_told) {
		look_told = false;
		note->state = look_says;
	}
}

#define POLICY(name, more) \
	"{\"policy_id\":\"id-" name "\",\"name\":\"" name "\"," more "}"
#define RATE                                                          \
	POLICY("rate", "\"category\":\"behavioral\",\"priority\":92," \
		       "\"constraints\":{\"max_requests_per_minute\":1}")
#define STRICT                                                        \
	POLICY("rate", "\"category\":\"behavioral\",\"priority\":92," \
		       "\"on_error\":\"block\","                      \
		       "\"constraints\":{\"max_requests_per_minute\":1}")

#define ASK "{\"model_id\":\"m\",\"user_id\":\"ada\",\"request_id\":\"r-1\"}"
#define SAME                                                      \
	" { \"request_id\" : \"r-\\u0031\", \"user_id\":\"ada\"," \
	"\"model_id\":\"m\" }"
#define OTHER "{\"model_id\":\"n\",\"user_id\":\"ada\",\"request_id\":\"r-1\"}"
#define NEXT "{\"model_id\":\"m\",\"user_id\":\"ada\",\"request_id\":\"r-2\"}"

enum { ANSWERED, CONFLICT, RUNNING };

static char *
kept_answer(const struct house *h)
{
	char *copy = strdup(buf_text(h->answer.body));

	assert_non_null(copy);
	return copy;
}

static void
a_retry_gets_the_first_answer_and_counts_once(void **state)
{
	struct house *h = house_build(RATE, "", true);
	struct engine_worker *first, *second;
	char name[64];

	(void)state;
	int64_t answered = metric_read(METRIC_retries_total, ANSWERED);
	house_must(h, ASK, 200);
	assert_null(house_header(h, "Idempotent-Replayed"));
	char *was = kept_answer(h);
	size_t headers_n = h->answer.headers_n;
	snprintf(name, sizeof(name), "%s", house_header(h, "RateLimit"));

	/* also by another process */
	first = h->worker;
	second = house_worker(h);
	h->now_us += 3000000;
	for (int i = 0; i < 4; i++) {
		h->worker = i % 2 == 0 ? first : second;
		house_must(h, i < 2 ? ASK : SAME, 200);
		assert_string_equal(buf_text(h->answer.body), was);
		assert_string_equal(house_header(h, "Idempotent-Replayed"),
				    "true");
		assert_string_equal(house_header(h, "RateLimit"), name);
		assert_int_equal(h->answer.headers_n, headers_n + 1);
	}
	h->worker = first;
	engine_worker_free(second);
	assert_int_equal(metric_read(METRIC_retries_total, ANSWERED),
			 answered + 4);
	assert_int_equal(house_lines_n(h, 'E'), 1);
	assert_int_equal(house_lines_n(h, 'U'), 1);
	/* another request is another call */
	house_must(h, NEXT, 403);
	free(was);
	house_free(h);
}

static void
another_body_is_a_conflict(void **state)
{
	struct house *h = house_build(RATE, "", true);

	(void)state;
	int64_t conflicts = metric_read(METRIC_retries_total, CONFLICT);
	house_must(h, ASK, 200);
	assert_int_equal(house_ask(h, OTHER), STATUS_CONFLICT);
	assert_int_equal(h->err.items_n, 1);
	assert_string_equal(h->err.items[0].pointer, "/request_id");
	assert_int_equal(metric_read(METRIC_retries_total, CONFLICT),
			 conflicts + 1);
	assert_int_equal(house_lines_n(h, 'E'), 1);
	house_free(h);
}

static void
another_key_has_its_own_requests(void **state)
{
	struct house *h = house_build("", "", true);
	const struct api_key one = { .key_id = "one" },
			     two = { .key_id = "two" };

	(void)state;
	house_must(h, ASK, 200);
	h->key = &one;
	house_must(h, ASK, 200);
	assert_null(house_header(h, "Idempotent-Replayed"));
	h->key = &two;
	house_must(h, OTHER, 200);
	assert_null(house_header(h, "Idempotent-Replayed"));
	h->key = &one;
	house_must(h, ASK, 200);
	assert_non_null(house_header(h, "Idempotent-Replayed"));
	house_free(h);
}

static void
no_window_no_retries(void **state)
{
	struct house *h = house_build("", "", true);

	(void)state;
	h->config.retry_window_s = 0;
	house_must(h, ASK, 200);
	house_must(h, OTHER, 200);
	assert_int_equal(house_lines_n(h, 'U'), 2);
	assert_false(house_says(h, "retry_unknown"));
	house_free(h);
}

/* A refusal that said when to come again is not given then. */
static void
a_refusal_holds_until_it_said(void **state)
{
	struct house *h = house_build(RATE, "", true);

	(void)state;
	house_must(h, NEXT, 200);
	h->now_us += 1000000;
	house_must(h, ASK, 403);
	assert_string_equal(house_header(h, "Retry-After"), "60");
	house_must(h, ASK, 403);
	assert_non_null(house_header(h, "Idempotent-Replayed"));
	h->now_us += INT64_C(60000000);
	house_must(h, ASK, 200);
	assert_null(house_header(h, "Idempotent-Replayed"));
	assert_false(house_says(h, "retry_unknown"));
	house_free(h);
}

static void
what_is_not_known_is_said_and_decided(void **state)
{
	struct house *h = house_build(STRICT, "", true);

	(void)state;
	house_must(h, NEXT, 200);
	counter_memory_flush(h->memory);
	house_must(h, ASK, 403);
	assert_true(house_says(h, "\"type\":\"retry_unknown\""));
	assert_null(house_header(h, "Idempotent-Replayed"));
	house_free(h);
}

/* --- notes of others ------------------------------------------------------ */

static void
note_name(char out[COUNTER_KEY_BYTES])
{
	const char *const parts[] = { "", "r-1", "pre_flight" };

	counter_decision_note(parts, 3, out);
}

static void
put_note(struct house *h, const void *bytes, size_t n)
{
	struct counter_worker *worker =
	    counter_worker_on(h->counter, counter_memory_store(h->memory));
	char name[COUNTER_KEY_BYTES];

	note_name(name);
	counter_note_put(worker, name, bytes, n,
			 h->now_us + INT64_C(300000000));
	counter_worker_free(worker);
}

static void
read_note(struct house *h, struct counter_note *note)
{
	struct counter_worker *worker =
	    counter_worker_on(h->counter, counter_memory_store(h->memory));

	note_name(note->name);
	counter_note_read(worker, h->arena, note, NULL, 0, 0);
	counter_worker_free(worker);
}

/* Another process's claim on ASK, made AGE_US ago. */
static void
put_claim(struct house *h, int64_t age_us)
{
	struct retry_note claim = { .claimed_us = h->now_us - age_us,
				    .until_us = h->now_us + 300000000,
				    .evaluation_id = "e",
				    .correlation_id = "" };
	struct buf bytes = { 0 };
	struct json_doc *doc;

	assert_int_equal(json_doc_parse(ASK, strlen(ASK), &doc, &h->err),
			 STATUS_OK);
	const struct json root = json_root(doc);
	meaning_digest(&root, h->arena, &bytes, claim.digest);
	json_doc_free(doc);
	retry_note_write(&claim, &bytes);
	put_note(h, bytes.data, bytes.len);
	buf_fini(&bytes);
}

static void
who_is_second_waits_or_is_sent_away(void **state)
{
	struct house *h = house_build("", "", true);

	(void)state;
	int64_t running = metric_read(METRIC_retries_total, RUNNING);
	h->config.counter_wait_ms = 10;
	put_claim(h, 4000000);
	assert_int_equal(house_ask(h, ASK), STATUS_BUSY);
	assert_int_equal(metric_read(METRIC_retries_total, RUNNING),
			 running + 1);
	assert_int_equal(house_lines_n(h, 'E'), 0);
	/* with another body it is not even waited for */
	assert_int_equal(house_ask(h, OTHER), STATUS_CONFLICT);
	house_free(h);
}

static void
an_old_claim_is_taken_over(void **state)
{
	struct house *h = house_build("", "", true);

	(void)state;
	put_claim(h, 6000000);
	house_must(h, ASK, 200);
	assert_null(house_header(h, "Idempotent-Replayed"));
	assert_false(house_says(h, "retry_unknown"));
	house_must(h, ASK, 200);
	assert_non_null(house_header(h, "Idempotent-Replayed"));
	assert_int_equal(house_lines_n(h, 'E'), 1);
	house_free(h);
}

/* What comes of taking over, and whether the answer says it is not known. */
static const struct {
	enum counter_item_result says;
	bool unknown;
} takings[] = {
	{ ITEM_MOVED, false }, /* looked at again, and taken over then */
	{ ITEM_UNSURE, true },
	{ ITEM_FAILED, true },
};

static void
a_claim_may_not_be_had(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(takings) / sizeof(takings[0]); i++) {
		struct house *h = house_build("", "", true);

		put_claim(h, 6000000);
		swap_told = true;
		swap_says = takings[i].says;
		house_must(h, ASK, 200);
		assert_int_equal(house_says(h, "retry_unknown"),
				 takings[i].unknown);
		assert_false(swap_told);
		house_free(h);
	}
}

static void
a_claim_that_is_gone_is_not_known(void **state)
{
	struct house *h = house_build("", "", true);

	(void)state;
	put_claim(h, 0);
	look_told = true;
	look_says = NOTE_ABSENT;
	house_must(h, ASK, 200);
	assert_true(house_says(h, "retry_unknown"));
	assert_false(look_told);
	house_free(h);
}

/* What was refused because something was not known may be known next time. */
static void
a_refusal_for_what_is_not_known_is_not_kept(void **state)
{
	struct house *h = house_build(
	    POLICY("audit", "\"category\":\"compliance\",\"priority\":90,"
			    "\"on_error\":\"block\","
			    "\"constraints\":{\"log_all_requests\":true}"),
	    "", true);

	(void)state;
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	house_must(h, ASK, 403);
	atomic_store(&h->board->spool_appended_bytes, 0);
	house_must(h, ASK, 200);
	assert_null(house_header(h, "Idempotent-Replayed"));
	house_free(h);
}

static void
a_damaged_note_is_as_none(void **state)
{
	struct house *h = house_build("", "", true);
	struct counter_note note = { .state = NOTE_UNKNOWN };

	(void)state;
	house_must(h, ASK, 200);
	read_note(h, &note);
	assert_int_equal(note.state, NOTE_FOUND);
	unsigned char *bytes = arena_alloc(h->arena, note.n + 1);
	memcpy(bytes, note.value, note.n);
	for (size_t n = 1; n <= note.n + 1; n += n < 200 ? 1 : 97) {
		if (n == note.n) {
			continue; /* that is the whole */
		}
		put_note(h, bytes, n);
		house_must(h, ASK, 200);
		assert_true(house_says(h, "\"type\":\"retry_unknown\""));
	}
	bytes[0] ^= 0x40;
	put_note(h, bytes, note.n);
	house_must(h, ASK, 200);
	assert_true(house_says(h, "\"type\":\"retry_unknown\""));
	house_free(h);
}

static void
of_many_at_once_one_decides(void **state)
{
	enum { MANY = 8 };
	struct house *h = house_build(RATE, "", true);

	(void)state;
	h->config.counter_wait_ms = 5000;
	for (int round = 0; round < 20; round++) {
		char body[128];
		int statuses[MANY];

		snprintf(body, sizeof(body),
			 "{\"model_id\":\"m\",\"user_id\":\"u%d\","
			 "\"request_id\":\"r\"}",
			 round);
		/* a request_id of its own a round */
		body[strlen(body) - 3] = (char)('A' + round);
		house_ask_at_once(h, body, MANY, statuses);
		for (int i = 0; i < MANY; i++) {
			assert_int_equal(statuses[i], 200);
		}
	}
	assert_int_equal(house_lines_n(h, 'E'), 20);
	assert_int_equal(house_lines_n(h, 'U'), 20);
	house_free(h);
}

/* --- large answers -------------------------------------------------------- */

/* A body whose explanation has more than N bytes, by a list of tags. */
static char *
large_body(size_t n)
{
	struct buf body = { 0 };

	buf_adds(&body, "{\"model_id\":\"m\",\"request_id\":\"r-1\","
			"\"explain\":\"full\"");
	for (int i = 0; body.len < n; i++) {
		buf_printf(&body, ",\"member-%d-%0100d\":1", i, 0);
	}
	buf_adds(&body, "}");
	return body.data;
}

static void
a_large_answer_is_kept_without_its_explanation(void **state)
{
	struct house *h = house_build("", "", true);
	char *body = large_body(400 * 1024);

	(void)state;
	house_must(h, body, 200);
	assert_true(h->answer.body->len > RETRY_ANSWER_BYTES);
	assert_true(house_says(h, "\"explanation\""));
	house_must(h, body, 200);
	assert_non_null(house_header(h, "Idempotent-Replayed"));
	assert_true(h->answer.body->len < 4096);
	assert_false(house_says(h, "\"explanation\""));
	assert_true(house_says(h, "\"decision\":\"allow\""));
	free(body);
	house_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_retry_gets_the_first_answer_and_counts_once),
		cmocka_unit_test(another_body_is_a_conflict),
		cmocka_unit_test(another_key_has_its_own_requests),
		cmocka_unit_test(no_window_no_retries),
		cmocka_unit_test(a_refusal_holds_until_it_said),
		cmocka_unit_test(what_is_not_known_is_said_and_decided),
		cmocka_unit_test(who_is_second_waits_or_is_sent_away),
		cmocka_unit_test(an_old_claim_is_taken_over),
		cmocka_unit_test(a_claim_may_not_be_had),
		cmocka_unit_test(a_claim_that_is_gone_is_not_known),
		cmocka_unit_test(a_refusal_for_what_is_not_known_is_not_kept),
		cmocka_unit_test(a_damaged_note_is_as_none),
		cmocka_unit_test(of_many_at_once_one_decides),
		cmocka_unit_test(
		    a_large_answer_is_kept_without_its_explanation),
	};
	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
