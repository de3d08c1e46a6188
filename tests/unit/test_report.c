#include "engine/report.h"

#include "engine_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "base/uuid.h"
#include "counter/reservation.h"
#include "counter/worker.h"

/* The ledger by way of the linker (--wrap): says what it is told to. */
static enum reservation_found ledger_says;
static struct reservation ledger_has;

enum reservation_found __wrap_reservation_find(struct counter_worker *worker,
					       const char *evaluation_id,
					       struct arena *arena,
					       struct reservation *out);

enum reservation_found
__wrap_reservation_find(struct counter_worker *worker,
			const char *evaluation_id, struct arena *arena,
			struct reservation *out)
{
	(void)worker;
	(void)arena;
	if (ledger_says == RESERVATION_FOUND) {
		*out = ledger_has;
		memcpy(out->evaluation_id, evaluation_id, UUID_TEXT_BYTES);
	}
	return ledger_says;
}

/* The counters by the same way: what comes of the next swap, whether it is
 * done, and whether adjustments work. */
static bool swap_told;
static bool swap_done;
static enum counter_item_result swap_says;
static bool adjusts_fail;
/* When an epoch begins, of the next adjustment. */
static enum { EPOCH_STAYS, EPOCH_BEFORE, EPOCH_AFTER } epoch_begins;
static bool reads_told; /* the next one that would make a note */
static enum counter_note_state reads_say;

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
bool __real_counter_adjust(struct counter_worker *worker, int64_t now_us,
			   const char *evaluation_id,
			   const struct counter_entry *changes, size_t n);
bool __wrap_counter_adjust(struct counter_worker *worker, int64_t now_us,
			   const char *evaluation_id,
			   const struct counter_entry *changes, size_t n);

enum counter_item_result
__wrap_counter_note_swap(struct counter_worker *worker,
			 const struct counter_note *note, const void *value,
			 size_t n, int64_t expires_us)
{
	if (!swap_told) {
		return __real_counter_note_swap(worker, note, value, n,
						expires_us);
	}
	swap_told = false;
	if (swap_done) {
		(void)__real_counter_note_swap(worker, note, value, n,
					       expires_us);
	}
	return swap_says;
}

void
__wrap_counter_note_read(struct counter_worker *worker, struct arena *arena,
			 struct counter_note *note, const void *first,
			 size_t first_n, int64_t expires_us)
{
	if (first != NULL && reads_told) {
		reads_told = false;
		note->state = reads_say;
		return;
	}
	__real_counter_note_read(worker, arena, note, first, first_n,
				 expires_us);
}

static void
begin_epoch(struct counter_worker *worker)
{
	struct counter_store *store = counter_worker_store(worker);

	store->epoch++;
	assert_int_equal(store->type->begin(store, store->epoch, NULL),
			 STATUS_OK);
	epoch_begins = EPOCH_STAYS;
}

bool
__wrap_counter_adjust(struct counter_worker *worker, int64_t now_us,
		      const char *evaluation_id,
		      const struct counter_entry *changes, size_t n)
{
	if (adjusts_fail) {
		return false;
	}
	if (epoch_begins == EPOCH_BEFORE) {
		begin_epoch(worker);
	}
	bool counted =
	    __real_counter_adjust(worker, now_us, evaluation_id, changes, n);
	if (epoch_begins == EPOCH_AFTER) {
		begin_epoch(worker);
	}
	return counted;
}

static void
tell_swap(enum counter_item_result says, bool done)
{
	swap_told = true;
	swap_says = says;
	swap_done = done;
}

/* Columns of a U line (record/row.tbl.h). */
enum {
	U_ID = 0,
	U_ENTRY = 1,
	U_REPORT = 3,
	U_KEY = 4,
	U_USER = 5,
	U_MODEL = 13,
	U_VENDOR = 14,
	U_DECISION = 15,
	U_CALLS = 16,
	U_COST = 17,
	U_TOKENS = 18,
	U_INPUT = 19,
	U_OUTPUT = 20,
	U_OVERRUN = 21,
	U_SUCCESS = 22,
	U_LATENCY = 23,
	U_EXPIRES = 24,
	U_COUNTED = 26,
	U_CHARGES = 27,
	U_SAID = 28,
	U_N = 29
};

enum { OPENED, SETTLED, EXPIRED, RELEASED, LATE, REPEATED };

#define POLICY(name, more) \
	"{\"policy_id\":\"id-" name "\",\"name\":\"" name "\"," more "}"
#define BUDGET                                                    \
	POLICY("budget", "\"category\":\"cost\",\"priority\":95," \
			 "\"constraints\":{\"max_daily_cost\":1," \
			 "\"max_daily_tokens\":1000}")
#define PARALLEL                                                       \
	POLICY("open", "\"category\":\"behavioral\",\"priority\":94,"  \
		       "\"constraints\":{\"max_parallel_requests\":1," \
		       "\"max_requests_per_minute\":100}")
#define WORDS                                                          \
	POLICY("words", "\"category\":\"behavioral\",\"priority\":95," \
			"\"evaluation_type\":\"post_execution\","      \
			"\"constraints\":{\"blocked_keywords\":[\"bomb\"]}")
#define LONG                                                          \
	POLICY("long", "\"category\":\"behavioral\",\"priority\":50," \
		       "\"evaluation_type\":\"post_execution\","      \
		       "\"constraints\":{\"max_output_tokens\":50}")
#define MODELS                                                             \
	",\"models\":[{\"model_id\":\"big\",\"vendor_id\":\"openai\","     \
	"\"capability_tier\":2,\"active\":true,"                           \
	"\"input_price_per_mil_tokens\":1000,"                             \
	"\"output_price_per_mil_tokens\":3000,\"regions\":[\"us-east\"]}," \
	"{\"model_id\":\"small\",\"vendor_id\":\"openai\","                \
	"\"capability_tier\":1,\"active\":true,"                           \
	"\"input_price_per_mil_tokens\":10,"                               \
	"\"output_price_per_mil_tokens\":20}],"                            \
	"\"regions\":[{\"region\":\"us-east\",\"region_group\":\"us\"}]"

static struct house *
open_house(const char *policies)
{
	ledger_says = RESERVATION_UNKNOWN;
	return house_build(policies, MODELS, true);
}

/* A call of "big" at COST; its id in ID. */
static void
call_it(struct house *h, const char *cost, char id[64])
{
	char body[256];

	snprintf(body, sizeof(body),
		 "{\"model_id\":\"big\",\"user_id\":\"ada\",\"team_id\":\"t\","
		 "\"estimated_tokens\":400,\"estimated_cost\":%s}",
		 cost);
	house_must(h, body, 200);
	house_member(h, "evaluation_id", id);
}

static enum status
report(struct house *h, const char *id, const char *more)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"evaluation_type\":\"post_execution\","
		 "\"evaluation_id\":\"%s\"%s}",
		 id, more);
	return house_ask(h, body);
}

static void
must_report(struct house *h, const char *id, const char *more, int http_status)
{
	if (report(h, id, more) != STATUS_OK) {
		fail_msg("%s: %s", status_name(h->err.status), h->err.text);
	}
	if (h->answer.http_status != http_status) {
		fail_msg("%d: %s", h->answer.http_status,
			 buf_text(h->answer.body));
	}
}

/* What is left of ada's budget, as the next call says. */
static void
must_be_left(struct house *h, const char *remaining)
{
	char id[64];

	call_it(h, "0", id);
	if (!house_says(h, remaining)) {
		fail_msg("%s: %s", remaining, buf_text(h->answer.body));
	}
	must_report(h, id, ",\"usage\":{\"cost\":0,\"output_tokens\":0}", 200);
}

/* Line N of the ledger in the order of the spool. */
static void
ledger(struct house *h, size_t n, const char **u)
{
	assert_int_equal(house_line(h, 'U', n, u, U_N), U_N);
}

static void
a_report_settles_at_the_real_cost(void **state)
{
	struct house *h = open_house(BUDGET "," PARALLEL);
	const char *u[U_N], *e[64];
	char id[64], again[64];

	(void)state;
	int64_t settled = metric_read(METRIC_reservations_total, SETTLED);
	call_it(h, "0.4", id);
	/* the lease is taken */
	assert_int_equal(house_ask(h, "{\"model_id\":\"big\","
				      "\"user_id\":\"ada\"}"),
			 STATUS_OK);
	assert_int_equal(h->answer.http_status, 403);
	h->now_us += 2000000;
	must_report(h, id,
		    ",\"usage\":{\"input_tokens\":100,\"output_tokens\":50,"
		    "\"cost\":0.1},\"latency_ms\":812.5,\"success\":true,"
		    "\"correlation_id\":\"c\"",
		    200);
	assert_true(house_says(h, "\"settlement\":{\"status\":\"settled\","));
	assert_true(house_says(h, "\"amount\":0.1,\"reserved\":0.4,"
				  "\"overrun\":0,\"already_settled\":false,"
				  "\"late\":false}"));
	assert_true(house_says(h, "\"decision\":\"allow\""));
	assert_true(house_says(h, "\"correlation_id\":\"c\""));
	assert_true(house_says(h, "\"reservation\":null"));
	house_member(h, "evaluation_id", again);
	assert_string_not_equal(again, id);
	assert_int_equal(house_lines_n(h, 'U'), 2);
	ledger(h, 1, u);
	assert_string_equal(u[U_ID], id);
	assert_string_equal(u[U_ENTRY], "settle");
	assert_string_equal(u[U_REPORT], again);
	assert_string_equal(u[U_USER], "ada");
	assert_string_equal(u[U_MODEL], "big");
	assert_string_equal(u[U_VENDOR], "openai");
	assert_string_equal(u[U_CALLS], "0");
	assert_string_equal(u[U_COST], "-0.3");
	assert_string_equal(u[U_TOKENS], "-250");
	assert_string_equal(u[U_INPUT], "100");
	assert_string_equal(u[U_OUTPUT], "50");
	assert_string_equal(u[U_OVERRUN], "0");
	assert_string_equal(u[U_SUCCESS], "t");
	assert_string_equal(u[U_LATENCY], "812.500");
	assert_string_equal(u[U_EXPIRES], "\\N");
	assert_string_equal(u[U_COUNTED], "t");
	assert_non_null(strstr(u[U_CHARGES], "-300000000"));
	assert_non_null(strstr(u[U_CHARGES], "-250"));
	assert_string_equal(u[U_SAID], "\\N");
	assert_int_equal(house_line(h, 'E', 2, e, 64), 32);
	assert_string_equal(e[0], again);
	assert_string_equal(e[2], "post_execution");
	assert_string_equal(e[15], "big");
	assert_int_equal(metric_read(METRIC_reservations_total, SETTLED),
			 settled + 1);
	must_be_left(h, "\"remaining\":0.9,");
	must_be_left(h, "\"limit\":1000,\"remaining\":450,");
	house_free(h);
}

static void
the_same_again_changes_nothing(void **state)
{
	static const char said[] = ",\"usage\":{\"cost\":0.25}";
	struct house *h = open_house(BUDGET "," LONG);
	char id[64], first[64], second[64];

	(void)state;
	int64_t repeated = metric_read(METRIC_reservations_total, REPEATED);
	call_it(h, "0.4", id);
	must_report(h, id, said, 200);
	house_member(h, "evaluation_id", first);
	size_t lines = house_lines_n(h, 'U') + house_lines_n(h, 'E');
	h->now_us += 5000000;
	must_report(h, id, said, 200);
	house_member(h, "evaluation_id", second);
	assert_string_equal(first, second);
	assert_true(house_says(h, "\"amount\":0.25,\"reserved\":0.4,"
				  "\"overrun\":0,\"already_settled\":true,"
				  "\"late\":false}"));
	assert_int_equal(house_lines_n(h, 'U') + house_lines_n(h, 'E'), lines);
	assert_int_equal(metric_read(METRIC_reservations_total, REPEATED),
			 repeated + 1);
	/* by other words, the same */
	char body[256];
	snprintf(body, sizeof(body),
		 "{\"usage\":{\"cost\":0.250},\"reservation_id\":\"%s\","
		 "\"evaluation_type\":\"post_execution\"}",
		 id);
	house_must(h, body, 200);
	assert_true(house_says(h, "\"already_settled\":true"));
	/* otherwise */
	assert_int_equal(report(h, id, ",\"usage\":{\"cost\":0.26}"),
			 STATUS_CONFLICT);
	must_be_left(h, "\"remaining\":0.75,");
	house_free(h);
}

/* usage, and what it settles at of 0.4 dollars and 400 tokens for "big" */
static const struct {
	const char *said;
	const char *cost, *tokens; /* difference in the ledger */
	const char *success;
	bool missing;
} figures[] = {
	/* 1000 dollars a million input, 3000 a million output tokens */
	{ ",\"usage\":{\"input_tokens\":100,\"output_tokens\":50}", "-0.15",
	  "-250", "\\N", false },
	{ ",\"usage\":{\"output_tokens\":200},\"success\":true", "0.2", "-200",
	  "t", false },
	{ ",\"usage\":{\"input_tokens\":0}", "-0.4", "-400", "\\N", false },
	{ ",\"success\":false", "-0.4", "-400", "f", false },
	{ ",\"error\":\"timeout\"", "-0.4", "-400", "f", false },
	{ ",\"error\":\"\",\"success\":false,\"usage\":{\"cost\":0.4}", "0",
	  "-400", "f", false },
	{ ",\"success\":true", "0", "0", "t", true },
	{ "", "0", "0", "\\N", true },
	{ ",\"usage\":{\"cost\":0.400000001}", "0.000000001", "0", "\\N",
	  false },
	{ ",\"usage\":{\"cost\":0.399999999}", "-0.000000001", "0", "\\N",
	  false },
};

static void
figures_come_from_what_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		struct house *h = open_house(BUDGET);
		const char *u[U_N];
		char id[64];

		print_message("%s\n", figures[i].said);
		call_it(h, "0.4", id);
		must_report(h, id, figures[i].said, 200);
		ledger(h, 1, u);
		assert_string_equal(u[U_COST], figures[i].cost);
		assert_string_equal(u[U_TOKENS], figures[i].tokens);
		assert_string_equal(u[U_SUCCESS], figures[i].success);
		assert_int_equal(house_says(h, "\"type\":\"usage_missing\""),
				 figures[i].missing);
		house_free(h);
	}
}

static void
what_is_above_the_estimate_is_an_overrun(void **state)
{
	struct house *h = open_house(BUDGET);
	const char *u[U_N];
	char id[64];

	(void)state;
	call_it(h, "0.4", id);
	must_report(h, id, ",\"usage\":{\"cost\":1.5}", 200);
	assert_true(house_says(h, "\"amount\":1.5,\"reserved\":0.4,"
				  "\"overrun\":1.1,"));
	ledger(h, 1, u);
	assert_string_equal(u[U_COST], "1.1");
	assert_string_equal(u[U_OVERRUN], "1.1");
	house_must(h,
		   "{\"model_id\":\"big\",\"user_id\":\"ada\","
		   "\"estimated_cost\":0.000000001}",
		   403);
	house_free(h);
}

static void
a_late_report_still_settles(void **state)
{
	struct house *h = open_house(BUDGET);
	char id[64];

	(void)state;
	int64_t late = metric_read(METRIC_reservations_total, LATE);
	call_it(h, "0.4", id);
	h->now_us += INT64_C(900000000);
	must_report(h, id, "", 200);
	assert_true(house_says(h, "\"late\":false"));
	call_it(h, "0.4", id);
	h->now_us += INT64_C(900000001);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	assert_true(house_says(h, "\"late\":true"));
	assert_int_equal(metric_read(METRIC_reservations_total, LATE),
			 late + 1);
	house_free(h);
}

/* --- which call ----------------------------------------------------------- */

static const char unknown[] = "01900000-0000-7000-8000-000000000000";

static void
an_unknown_call_is_kept_or_not_found(void **state)
{
	struct house *h = open_house(BUDGET);
	const struct api_key key = { .key_id = "gate" };
	const char *u[U_N];
	char id[64];

	(void)state;
	h->key = &key;
	must_report(h, unknown,
		    ",\"usage\":{\"cost\":0.5,\"output_tokens\":7},"
		    "\"served_model_id\":\"Big\",\"success\":true,"
		    "\"session_id\":\"s\",\"request_id\":\"r\","
		    "\"user_id\":\"eve\",\"tags\":{\"a\":\"b\"}",
		    202);
	assert_true(house_says(h, "\"settlement\":{\"status\":\"pending\","
				  "\"id\":\"01900000-0000-7000-8000-"
				  "000000000000\"}}"));
	assert_null(house_header(h, "X-Policy-Decision"));
	house_member(h, "evaluation_id", id);
	ledger(h, 0, u);
	assert_string_equal(u[U_ID], unknown);
	assert_string_equal(u[U_ENTRY], "report");
	assert_string_equal(u[U_REPORT], id);
	assert_string_equal(u[U_KEY], "gate");
	assert_string_equal(u[U_USER], "\\N");
	assert_string_equal(u[U_MODEL], "big");
	assert_string_equal(u[U_CALLS], "0");
	assert_string_equal(u[U_COST], "0.5");
	assert_string_equal(u[U_TOKENS], "7");
	assert_string_equal(u[U_INPUT], "\\N");
	assert_string_equal(u[U_SUCCESS], "t");
	assert_string_equal(u[U_COUNTED], "f");
	assert_string_equal(u[U_CHARGES], "\\N");
	assert_string_equal(u[U_SAID],
			    "{\"session_id\":\"s\",\"request_id\":\"r\","
			    "\"sources\":{},\"tags\":{\"a\":\"b\"}}");
	ledger_says = RESERVATION_ABSENT;
	assert_int_equal(report(h, unknown, ""), STATUS_NOT_FOUND);
	assert_int_equal(house_lines_n(h, 'U'), 1);
	/* nor can it be kept where there is no room */
	ledger_says = RESERVATION_UNKNOWN;
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	assert_int_equal(report(h, unknown, ""), STATUS_FULL);
	house_free(h);
}

/* Nobody knows yet which model it was, and from whom. */
static void
tokens_of_an_unknown_call_have_no_price(void **state)
{
	struct house *h = open_house(BUDGET);
	const char *u[U_N];

	(void)state;
	must_report(h, unknown,
		    ",\"usage\":{\"input_tokens\":100,\"output_tokens\":50},"
		    "\"served_model_id\":\"big\"",
		    202);
	ledger(h, 0, u);
	assert_string_equal(u[U_COST], "\\N");
	assert_string_equal(u[U_TOKENS], "150");
	house_free(h);
}

/* Its estimate may have been given back, which only the ledger knows. */
static void
a_late_report_of_what_may_be_released_is_settled_later(void **state)
{
	struct house *h = open_house(BUDGET);
	const char *u[U_N];
	char id[64];

	(void)state;
	h->config.reservation_unsettled = 1;
	call_it(h, "0.4", id);
	h->now_us += INT64_C(900000000);
	must_report(h, id, "", 200);
	call_it(h, "0.4", id);
	h->now_us += INT64_C(900000001);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 202);
	ledger(h, 3, u);
	assert_string_equal(u[U_ENTRY], "report");
	assert_string_equal(u[U_COST], "0.1");
	house_free(h);
}

static void
without_counters_every_report_is_kept(void **state)
{
	struct house *h = house_build(BUDGET, MODELS, false);
	const char *u[U_N];
	char id[64];

	(void)state;
	call_it(h, "0.4", id);
	must_report(h, id, "", 202);
	ledger(h, 1, u);
	assert_string_equal(u[U_ENTRY], "report");
	assert_string_equal(u[U_COST], "\\N");
	assert_string_equal(u[U_TOKENS], "\\N");
	assert_int_equal(house_ask(h, "{\"evaluation_type\":\"post_execution\","
				      "\"correlation_id\":\"c\","
				      "\"request_id\":\"r\"}"),
			 STATUS_UNAVAILABLE);
	house_free(h);
}

static void
only_the_caller_and_an_admin_may_report(void **state)
{
	struct house *h = open_house("");
	const struct api_key one = { .key_id = "one" };
	const struct api_key two = { .key_id = "two" };
	const struct api_key admin = { .key_id = "root", .role = ROLE_ADMIN };
	char id[64];

	(void)state;
	h->key = &one;
	house_must(h, "{\"model_id\":\"big\"}", 200);
	house_member(h, "evaluation_id", id);
	h->key = &two;
	assert_int_equal(report(h, id, ""), STATUS_FORBIDDEN);
	h->key = &admin;
	must_report(h, id, "", 200);
	h->key = &two;
	assert_int_equal(report(h, id, ""), STATUS_FORBIDDEN);
	h->key = &one;
	must_report(h, id, "", 200);
	assert_true(house_says(h, "\"already_settled\":true"));
	house_free(h);
}

static void
a_call_is_found_by_its_request(void **state)
{
	struct house *h = open_house(BUDGET);
	char id[64], settled[64];

	(void)state;
	house_must(h,
		   "{\"model_id\":\"big\",\"user_id\":\"ada\","
		   "\"estimated_cost\":0.4,\"correlation_id\":\"c\","
		   "\"request_id\":\"r\"}",
		   200);
	house_member(h, "evaluation_id", id);
#define BY(correlation, request)                                           \
	"{\"evaluation_type\":\"post_execution\","                         \
	"\"correlation_id\":\"" correlation "\",\"request_id\":\"" request \
	"\",\"usage\":{\"cost\":0.1}}"
	assert_int_equal(house_ask(h, BY("x", "r")), STATUS_NOT_FOUND);
	assert_int_equal(house_ask(h, BY("c", "x")), STATUS_NOT_FOUND);
	house_must(h, BY("c", "r"), 200);
	house_member(h, "id", settled);
	assert_string_equal(id, settled);
	house_must(h, BY("c", "r"), 200);
	assert_true(house_says(h, "\"already_settled\":true"));
	counter_memory_flush(h->memory);
	assert_int_equal(house_ask(h, BY("c", "r")), STATUS_UNAVAILABLE);
	house_free(h);
}

/* --- what is decided ------------------------------------------------------ */

static void
the_response_is_judged(void **state)
{
	struct house *h = open_house(BUDGET "," WORDS "," LONG);
	struct buf spool = { 0 };
	char id[64], first[64], second[64];

	(void)state;
	call_it(h, "0.1", id);
	must_report(h, id, ",\"response\":\"a bomb\",\"usage\":{\"cost\":0.1}",
		    200);
	assert_string_equal(house_header(h, "X-Policy-Decision"), "block");
	assert_true(house_says(h, "\"violation_type\":\"blocked_content\""));
	assert_true(house_says(h, "\"pointer\":\"/response\""));
	assert_true(house_says(h, "\"status\":\"settled\""));
	house_member(h, "violation_id", first);
	assert_true(uuid_valid(first));
	house_spool(h, &spool);
	assert_non_null(strstr(buf_text(&spool), first));
	assert_null(strstr(buf_text(&spool), "bomb"));
	buf_fini(&spool);
	/* the same again has the ids that are in the table */
	must_report(h, id, ",\"response\":\"a bomb\",\"usage\":{\"cost\":0.1}",
		    200);
	house_member(h, "violation_id", second);
	assert_string_equal(first, second);
	assert_string_equal(house_header(h, "X-Policy-Decision"), "block");

	call_it(h, "0.1", id);
	must_report(h, id, ",\"usage\":{\"output_tokens\":51}", 200);
	assert_string_equal(house_header(h, "X-Policy-Decision"), "warn");
	assert_true(house_says(h, "\"observed\":51,\"limit\":50"));
	call_it(h, "0.1", id);
	must_report(h, id,
		    ",\"usage\":{\"output_tokens\":50},\"explain\":\"full\"",
		    200);
	assert_string_equal(house_header(h, "X-Policy-Decision"), "allow");
	assert_true(house_says(h, "\"user_id\":{\"value\":\"ada\","
				  "\"source\":\"reservation\"}"));
	house_free(h);
}

static void
another_model_is_not_honoured(void **state)
{
	struct house *h = open_house(BUDGET);
	const char *u[U_N], *v[64];
	char id[64], violation[64];

	(void)state;
	call_it(h, "0.4", id);
	must_report(h, id,
		    ",\"served_model_id\":\"SMALL\",\"usage\":"
		    "{\"input_tokens\":100000,\"output_tokens\":50000}",
		    200);
	assert_string_equal(house_header(h, "X-Policy-Decision"), "log");
	assert_true(house_says(h, "\"passed\":false"));
	assert_true(
	    house_says(h, "\"policy_id\":null,\"policy_name\":null,"
			  "\"category\":\"vendor\",\"violation_type\":"
			  "\"decision_not_honoured\",\"severity\":\"high\","
			  "\"action\":\"log\",\"mode\":\"enforce\""));
	assert_true(house_says(h, "\"served_model_id\":\"small\","
				  "\"served_vendor_id\":\"openai\""));
	/* at the prices of the model that served */
	assert_true(house_says(h, "\"amount\":2,\"reserved\":0.4,"));
	house_member(h, "violation_id", violation);
	assert_int_equal(house_line(h, 'V', 0, v, 64), 31);
	assert_string_equal(v[0], violation);
	assert_string_equal(v[3], "\\N");
	assert_string_equal(v[4], "\\N");
	assert_string_equal(v[5], "\\N");
	assert_string_equal(v[6], "vendor");
	assert_string_equal(v[9], "high");
	assert_string_equal(v[12], "logged");
	ledger(h, 1, u);
	assert_string_equal(u[U_ENTRY], "move");
	assert_string_equal(u[U_MODEL], "big");
	assert_string_equal(u[U_CALLS], "-1");
	assert_string_equal(u[U_COST], "-0.4");
	assert_string_equal(u[U_TOKENS], "-400");
	ledger(h, 2, u);
	assert_string_equal(u[U_ENTRY], "settle");
	assert_string_equal(u[U_MODEL], "small");
	assert_string_equal(u[U_CALLS], "1");
	assert_string_equal(u[U_COST], "2");
	assert_string_equal(u[U_TOKENS], "150000");
	assert_string_equal(u[U_OVERRUN], "1.6");
	house_free(h);
}

static void
the_model_that_was_asked_for_is_honoured(void **state)
{
	static const char *const same[] = {
		",\"served_model_id\":\"big\"",
		",\"served_vendor_id\":\"openai\"",
		",\"served_model_id\":\"Big\",\"served_vendor_id\":\"OpenAI\"",
	};
	struct house *h = open_house("");
	char id[64];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		call_it(h, "0.4", id);
		must_report(h, id, same[i], 200);
		assert_false(house_says(h, "decision_not_honoured"));
	}
	assert_int_equal(house_lines_n(h, 'U'), 6); /* no move */
	call_it(h, "0.4", id);
	must_report(h, id, ",\"served_vendor_id\":\"azure\"", 200);
	assert_true(house_says(h, "decision_not_honoured"));
	house_free(h);
}

/* --- from the ledger ------------------------------------------------------ */

static void
a_refused_call_that_ran_is_not_honoured(void **state)
{
	struct house *h = open_house(BUDGET);
	const char *u[U_N];

	(void)state;
	ledger_says = RESERVATION_FOUND;
	ledger_has = (struct reservation){ .state = RESERVATION_REFUSED,
					   .decision = ACTION_BLOCK,
					   .user_id = "ada",
					   .original_model = "big",
					   .model_id = "big",
					   .vendor_id = "openai" };
	must_report(h, unknown, ",\"usage\":{\"cost\":0.3}", 200);
	assert_true(house_says(h, "\"violation_type\":"
				  "\"decision_not_honoured\""));
	assert_true(house_says(h, "the call had been refused"));
	assert_true(house_says(h, "\"amount\":0.3,\"reserved\":0,"
				  "\"overrun\":0.3,\"already_settled\":false,"
				  "\"late\":false"));
	ledger(h, 0, u);
	assert_string_equal(u[U_ENTRY], "settle");
	assert_string_equal(u[U_CALLS], "0");
	assert_string_equal(u[U_COST], "0.3");
	assert_string_equal(u[U_DECISION], "block");
	assert_string_equal(u[U_CHARGES], "\\N");
	must_report(h, unknown, ",\"usage\":{\"cost\":0.3}", 200);
	assert_true(house_says(h, "\"already_settled\":true"));
	assert_true(house_says(h, "decision_not_honoured"));
	house_free(h);
}

static void
what_only_the_ledger_has_is_settled(void **state)
{
	struct house *h = open_house(BUDGET);
	char id[64] = "01900000-0000-7000-8000-000000000001";

	(void)state;
	ledger_says = RESERVATION_FOUND;
	ledger_has = (struct reservation){ .state = RESERVATION_OPEN,
					   .user_id = "ada",
					   .original_model = "big",
					   .model_id = "big",
					   .vendor_id = "openai",
					   .cost_nanousd = 400000000,
					   .tokens = 400,
					   .expires_us = h->now_us + 1 };
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	assert_true(house_says(h, "\"already_settled\":false"));
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	assert_true(house_says(h, "\"already_settled\":true"));

	/* settled long ago: the ledger keeps the figures, no digest */
	id[35] = '2';
	ledger_has.state = RESERVATION_SETTLED;
	ledger_has.settled_nanousd = 100000000;
	ledger_has.settled_tokens = 400;
	memcpy(ledger_has.report_id, unknown, UUID_TEXT_BYTES);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	assert_true(house_says(h, "\"already_settled\":true"));
	assert_int_equal(report(h, id, ",\"usage\":{\"cost\":0.2}"),
			 STATUS_CONFLICT);

	/* a report waits in the ledger */
	id[35] = '3';
	ledger_has.state = RESERVATION_SETTLING;
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 202);
	house_free(h);
}

/* --- trouble -------------------------------------------------------------- */

static void
what_cannot_be_recorded_is_not_settled(void **state)
{
	struct house *h = open_house(BUDGET "," PARALLEL);
	char id[64];

	(void)state;
	call_it(h, "0.4", id);
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	assert_int_equal(report(h, id, ",\"usage\":{\"cost\":0.1}"),
			 STATUS_FULL);
	atomic_store(&h->board->spool_appended_bytes, 0);
	/* the lease is still taken */
	house_must(h, "{\"model_id\":\"big\",\"user_id\":\"ada\"}", 403);
	must_report(h, id, ",\"usage\":{\"cost\":0.2}", 200);
	assert_true(house_says(h, "\"already_settled\":false"));
	must_be_left(h, "\"remaining\":0.8,");

	/* the counters of a later epoch have nothing to give back */
	call_it(h, "0.4", id);
	epoch_begins = EPOCH_AFTER;
	atomic_store(&h->board->spool_appended_bytes,
		     (uint64_t)h->config.spool_max_bytes);
	assert_int_equal(report(h, id, ",\"usage\":{\"cost\":0.1}"),
			 STATUS_FULL);
	atomic_store(&h->board->spool_appended_bytes, 0);
	must_be_left(h, "\"remaining\":1,");
	house_free(h);
}

/* Change the note of call ID as if another process were at it. */
static void
put_state(struct house *h, const char *id, enum reservation_state state,
	  int64_t age_us)
{
	struct counter_worker *worker =
	    counter_worker_on(h->counter, counter_memory_store(h->memory));
	struct counter_note note = { .state = NOTE_UNKNOWN };
	struct reservation r;
	struct buf bytes = { 0 };

	counter_call_note(id, note.name);
	counter_note_read(worker, h->arena, &note, NULL, 0, 0);
	assert_int_equal(note.state, NOTE_FOUND);
	assert_int_equal(
	    reservation_decode(note.value, note.n, h->arena, &r, &h->err),
	    STATUS_OK);
	r.state = state;
	r.settled_us = h->now_us - age_us;
	reservation_encode(&r, &bytes);
	counter_note_put(worker, note.name, bytes.data, bytes.len,
			 h->now_us + INT64_C(900000000));
	buf_fini(&bytes);
	counter_worker_free(worker);
}

/* Let the note of call ID be one that cannot be read: damaged, or (OTHER) of
 * another version of the program. */
static void
put_unreadable(struct house *h, const char *id, bool other)
{
	struct counter_worker *worker =
	    counter_worker_on(h->counter, counter_memory_store(h->memory));
	char name[COUNTER_KEY_BYTES];

	counter_call_note(id, name);
	counter_note_put(worker, name, other ? "\x7f" : "\1\2", other ? 1 : 2,
			 h->now_us + INT64_C(900000000));
	counter_worker_free(worker);
}

/* The ledger says what became of the call.  What it has as open may be settled
 * by an entry that is on its way: the report waits there, and is settled once. */
static void
a_note_that_cannot_be_read_is_the_ledgers(void **state)
{
	static const struct {
		enum reservation_found says;
		enum reservation_state is;
		int http;
		const char *answer;
	} rows[] = {
		{ RESERVATION_FOUND, RESERVATION_OPEN, 202, "\"pending\"" },
		{ RESERVATION_FOUND, RESERVATION_SETTLING, 202, "\"pending\"" },
		{ RESERVATION_UNKNOWN, 0, 202, "\"pending\"" },
		{ RESERVATION_FOUND, RESERVATION_SETTLED, 200,
		  "\"already_settled\":true" },
		{ RESERVATION_ABSENT, 0, 404, NULL },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		static const char said[] = ",\"usage\":{\"cost\":0.25}";
		const bool other = i % 2 != 0;
		struct house *h = open_house(BUDGET);
		char id[64];

		call_it(h, "0.4", id);
		put_unreadable(h, id, other);
		ledger_says = rows[i / 2].says;
		ledger_has = (struct reservation){
			.state = rows[i / 2].is,
			.made_us = h->now_us,
			.expires_us = h->now_us + 900000000,
			.settled_us = h->now_us - 60000000,
			.settled_nanousd = 250000000,
			.settled_tokens = 400,
			.tokens = 400,
		};
		if (rows[i / 2].http == 404) {
			assert_int_equal(report(h, id, said), STATUS_NOT_FOUND);
		} else {
			must_report(h, id, said, rows[i / 2].http);
			assert_true(house_says(h, rows[i / 2].answer));
		}
		/* nothing was counted, not even twice */
		must_be_left(h, "\"remaining\":0.6,");
		house_free(h);
	}
}

static void
who_dies_on_the_way_is_followed(void **state)
{
	static const char said[] = ",\"usage\":{\"cost\":0.25}";
	struct house *h = open_house(BUDGET);
	char id[64], first[64], again[64];

	(void)state;
	h->config.counter_wait_ms = 10;
	call_it(h, "0.4", id);
	must_report(h, id, said, 200);
	house_member(h, "evaluation_id", first);

	/* as if it had died between the ledger and its note */
	put_state(h, id, RESERVATION_SETTLING, 1000000);
	assert_int_equal(report(h, id, said), STATUS_BUSY);
	put_state(h, id, RESERVATION_SETTLING, 3000000);
	ledger_says = RESERVATION_FOUND;
	ledger_has = (struct reservation){ .state = RESERVATION_SETTLED,
					   .settled_us = h->now_us,
					   .settled_nanousd = 250000000,
					   .settled_tokens = 400 };
	memcpy(ledger_has.report_id, first, UUID_TEXT_BYTES);
	must_report(h, id, said, 200);
	assert_true(house_says(h, "\"already_settled\":true"));
	must_be_left(h, "\"remaining\":0.75,");

	/* before the counters: the same report goes on in its name */
	ledger_says = RESERVATION_UNKNOWN;
	call_it(h, "0.4", id);
	put_state(h, id, RESERVATION_OPEN, 0);
	must_report(h, id, said, 200);
	house_member(h, "evaluation_id", first);
	size_t lines = house_lines_n(h, 'U');
	put_state(h, id, RESERVATION_SETTLING, 3000000);
	must_report(h, id, said, 200);
	house_member(h, "evaluation_id", again);
	assert_string_equal(first, again);
	assert_true(house_says(h, "\"already_settled\":false"));
	assert_int_equal(house_lines_n(h, 'U'), lines + 1);

	/* another report finds it settled as the first had said */
	put_state(h, id, RESERVATION_SETTLING, 3000000);
	assert_int_equal(report(h, id, ",\"usage\":{\"cost\":0.5}"),
			 STATUS_CONFLICT);
	must_report(h, id, said, 200);
	assert_true(house_says(h, "\"already_settled\":true"));
	house_free(h);
}

static void
a_note_that_moves_is_looked_at_again(void **state)
{
	struct house *h = open_house("");
	char id[64];

	(void)state;
	call_it(h, "0.1", id);
	tell_swap(ITEM_MOVED, false);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	assert_true(house_says(h, "\"already_settled\":false"));
	/* not answered, but it has happened */
	call_it(h, "0.1", id);
	tell_swap(ITEM_UNSURE, true);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	assert_true(house_says(h, "\"already_settled\":false"));
	assert_int_equal(house_lines_n(h, 'U'), 4);
	/* it cannot be written at all: kept for later */
	call_it(h, "0.1", id);
	tell_swap(ITEM_FAILED, false);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 202);
	counter_memory_flush(h->memory);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 202);
	house_free(h);
}

static void
a_note_that_is_made_anew_may_be_there_already(void **state)
{
	struct house *h = open_house(BUDGET);

	(void)state;
	ledger_says = RESERVATION_FOUND;
	ledger_has = (struct reservation){ .state = RESERVATION_OPEN,
					   .original_model = "big",
					   .model_id = "big",
					   .vendor_id = "openai",
					   .expires_us = h->now_us + 1 };
	reads_told = true;
	reads_say = NOTE_UNKNOWN;
	must_report(h, unknown, ",\"usage\":{\"cost\":0.1}", 202);
	reads_told = true;
	reads_say = NOTE_FOUND;
	must_report(h, unknown, ",\"usage\":{\"cost\":0.1}", 200);
	house_free(h);
}

static void
what_the_counters_did_not_take_is_said_in_the_ledger(void **state)
{
	struct house *h = open_house(BUDGET);
	const char *u[U_N];
	char id[64];

	(void)state;
	call_it(h, "0.4", id);
	adjusts_fail = true;
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	adjusts_fail = false;
	ledger(h, 1, u);
	assert_string_equal(u[U_COST], "-0.3");
	assert_string_equal(u[U_COUNTED], "f");
	assert_non_null(strstr(u[U_CHARGES], "-300000000"));
	house_free(h);
}

/* Whichever it is by then: the ledger takes what was counted in one that is
 * over for not counted. */
static void
the_ledger_says_in_which_epoch_it_was_counted(void **state)
{
	static const struct {
		int begins;
		const char *epoch;
	} rows[] = { { EPOCH_STAYS, "1" },
		     { EPOCH_BEFORE, "2" },
		     { EPOCH_AFTER, "1" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct house *h = open_house(BUDGET);
		const char *u[U_N];
		char id[64];

		call_it(h, "0.4", id);
		ledger(h, 0, u);
		assert_string_equal(u[25], "1");
		epoch_begins = rows[i].begins;
		must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
		ledger(h, 1, u);
		assert_string_equal(u[25], rows[i].epoch);
		assert_string_equal(u[U_COUNTED], "t");
		house_free(h);
	}
}

static void
two_that_follow_a_dead_one_do_not_both(void **state)
{
	struct house *h = open_house(BUDGET);
	char id[64];

	(void)state;
	call_it(h, "0.4", id);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	size_t lines = house_lines_n(h, 'U');
	put_state(h, id, RESERVATION_SETTLING, 3000000);
	tell_swap(ITEM_MOVED, false);
	must_report(h, id, ",\"usage\":{\"cost\":0.1}", 200);
	assert_int_equal(house_lines_n(h, 'U'), lines + 1);
	house_free(h);
}

static void
of_many_reports_at_once_one_settles(void **state)
{
	enum { MANY = 8 };
	struct house *h = open_house(
	    POLICY("spend", "\"category\":\"cost\",\"priority\":95,"
			    "\"constraints\":{\"max_daily_cost\":100}"));
	char id[64], body[256];
	int statuses[MANY];

	(void)state;
	h->config.counter_wait_ms = 5000;
	for (int round = 0; round < 20; round++) {
		call_it(h, "0.4", id);
		snprintf(body, sizeof(body),
			 "{\"evaluation_type\":\"post_execution\","
			 "\"evaluation_id\":\"%s\","
			 "\"usage\":{\"cost\":0.1}}",
			 id);
		house_ask_at_once(h, body, MANY, statuses);
		for (int i = 0; i < MANY; i++) {
			assert_int_equal(statuses[i], 200);
		}
	}
	assert_int_equal(house_lines_n(h, 'U'), 40);
	must_be_left(h, "\"remaining\":98,");
	house_free(h);
}

static void
the_header_is_the_correlation_of_a_report(void **state)
{
	struct house *h = open_house("");
	char id[64];

	(void)state;
	call_it(h, "0.4", id);
	h->header_request_id = "from-the-header";
	must_report(h, id, "", 200);
	assert_true(house_says(h, "\"correlation_id\":\"from-the-header\""));
	h->header_request_id = "not an id";
	call_it(h, "0.4", id);
	must_report(h, id, "", 200);
	assert_true(house_says(h, "\"correlation_id\":null"));
	house_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_settles_at_the_real_cost),
		cmocka_unit_test(the_same_again_changes_nothing),
		cmocka_unit_test(figures_come_from_what_is_said),
		cmocka_unit_test(what_is_above_the_estimate_is_an_overrun),
		cmocka_unit_test(a_late_report_still_settles),
		cmocka_unit_test(an_unknown_call_is_kept_or_not_found),
		cmocka_unit_test(tokens_of_an_unknown_call_have_no_price),
		cmocka_unit_test(
		    a_late_report_of_what_may_be_released_is_settled_later),
		cmocka_unit_test(without_counters_every_report_is_kept),
		cmocka_unit_test(only_the_caller_and_an_admin_may_report),
		cmocka_unit_test(a_call_is_found_by_its_request),
		cmocka_unit_test(the_response_is_judged),
		cmocka_unit_test(another_model_is_not_honoured),
		cmocka_unit_test(the_model_that_was_asked_for_is_honoured),
		cmocka_unit_test(a_refused_call_that_ran_is_not_honoured),
		cmocka_unit_test(what_only_the_ledger_has_is_settled),
		cmocka_unit_test(what_cannot_be_recorded_is_not_settled),
		cmocka_unit_test(a_note_that_cannot_be_read_is_the_ledgers),
		cmocka_unit_test(who_dies_on_the_way_is_followed),
		cmocka_unit_test(a_note_that_moves_is_looked_at_again),
		cmocka_unit_test(a_note_that_is_made_anew_may_be_there_already),
		cmocka_unit_test(
		    what_the_counters_did_not_take_is_said_in_the_ledger),
		cmocka_unit_test(the_ledger_says_in_which_epoch_it_was_counted),
		cmocka_unit_test(two_that_follow_a_dead_one_do_not_both),
		cmocka_unit_test(of_many_reports_at_once_one_settles),
		cmocka_unit_test(the_header_is_the_correlation_of_a_report),
	};
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
