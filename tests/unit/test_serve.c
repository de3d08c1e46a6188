#include "handler/handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/metric.h"
#include "http_fixture.h"
#include "record/spool.h"

#define SECRET "0123456789012345678901234567890123456789-_Z"
#define MODEL "{\"model_id\":\"m\",\"user_id\":\"u\",\"correlation_id\":\"c\"}"

/* The whole program but its processes, in a folder of its own. */
struct world {
	struct fixture *f;
	char folder[32];
	struct config config;
	struct board *board;
	struct spool *spool;
	struct handler_app app;
	struct http_app http;
	void *worker;
	struct http_response res;
};

static const char *const ids[ROLE_N] = { "eeeeeeeeeeeeeeee", "vvvvvvvvvvvvvvvv",
					 "rrrrrrrrrrrrrrrr",
					 "aaaaaaaaaaaaaaaa" };

static void
publish(struct world *w)
{
	unsigned char hash[KEY_HASH_BYTES];
	struct buf text = { 0 };
	struct err err;

	auth_hash(SECRET, hash);
	buf_adds(&text, "{\"revision\":5,\"models\":[{\"model_id\":\"m\","
			"\"vendor_id\":\"v\"}],\"api_keys\":[");
	for (int i = 0; i < ROLE_N; i++) {
		buf_printf(&text,
			   "%s{\"key_id\":\"%s\",\"name\":\"k\",\"role\":"
			   "\"%s\",\"hash\":\"",
			   i == 0 ? "" : ",", ids[i], role_words[i]);
		for (int j = 0; j < KEY_HASH_BYTES; j++) {
			buf_printf(&text, "%02x", hash[j]);
		}
		buf_adds(&text, "\"}");
	}
	buf_adds(&text, "]}");
	enum status status =
	    snapshot_publish(w->folder, w->board, text.data, text.len, &err);
	if (status != STATUS_OK) {
		print_message("%s\n", err.text);
	}
	assert_int_equal(status, STATUS_OK);
	buf_fini(&text);
}

static int
world_begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *f = NULL;
	struct err err;

	assert_non_null(w);
	assert_int_equal(fixture_begin(&f), 0);
	w->f = f;
	assert_int_equal(digest_init(&err), STATUS_OK);
	snprintf(w->folder, sizeof(w->folder), "/tmp/ims-serve.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	config_default(&w->config);
	snprintf(w->config.state_dir, sizeof(w->config.state_dir), "%s",
		 w->folder);
	assert_int_equal(board_open(w->folder, &w->board, &err), STATUS_OK);
	assert_int_equal(spool_open(&w->config, w->board, &w->spool, &err),
			 STATUS_OK);
	w->app = (struct handler_app){ .config = &w->config,
				       .board = w->board,
				       .self = board_join(w->board, "test"),
				       .engine = engine_new(&w->config,
							    w->spool, NULL),
				       .pool = POOL_BOTH };
	assert_int_equal(
	    snapshot_source_open(w->folder, w->board, &w->app.snapshots, &err),
	    STATUS_OK);
	w->http = handler_http_app(&w->app);
	w->worker = w->http.worker_new(w->http.app);
	*state = w;
	return 0;
}

static int
world_end(void **state)
{
	struct world *w = *state;
	char command[64];
	void *f = w->f;

	w->http.worker_free(w->worker);
	snapshot_source_close(w->app.snapshots);
	engine_free(w->app.engine);
	spool_close(w->spool);
	board_leave(w->app.self);
	buf_fini(&w->res.body);
	snprintf(command, sizeof(command), "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(fixture_end(&f), 0);
	free(w);
	return 0;
}

/* A call as ROLE (-1: nobody) with BODY; the answer is in w->res. */
static void
call(struct world *w, const char *method, const char *path, int role,
     const char *body)
{
	char method_text[32], uri[128], key[128];
	struct err err;

	fixture_clear(w->f);
	snprintf(method_text, sizeof(method_text), "REQUEST_METHOD=%s", method);
	snprintf(uri, sizeof(uri), "REQUEST_URI=%s", path);
	fixture_set(w->f, method_text);
	fixture_set(w->f, uri);
	if (role >= 0) {
		snprintf(key, sizeof(key), "HTTP_X_API_KEY=ims_%s_%s",
			 ids[role], SECRET);
		fixture_set(w->f, key);
	}
	struct http_request req = fixture_request(w->f);
	if (http_request_parse(&req, &err) != STATUS_OK) {
		req.refused = &err;
	}
	req.body = body;
	req.body_n = strlen(body);
	http_response_reset(&w->res);
	w->http.serve(w->worker, &req, &w->res);
}

static const char *
body(const struct world *w)
{
	return buf_text(&w->res.body);
}

static const char *
header(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->res.headers_n; i++) {
		if (strcmp(w->res.headers[i].name, name) == 0) {
			return w->res.headers[i].value;
		}
	}
	return NULL;
}

/* Before the first publish: health says so, decisions are refused as 503. */
static void
no_snapshot_is_said(void **state)
{
	struct world *w = *state;

	call(w, "GET", "/health/live", -1, "");
	assert_int_equal(w->res.status, 200);
	call(w, "GET", "/health/ready", -1, "");
	assert_int_equal(w->res.status, 503);
	assert_non_null(strstr(body(w), "\"policies\":\"missing\""));
	assert_non_null(strstr(body(w), "\"status\":\"not_ready\""));
	assert_string_equal(header(w, "Retry-After"), "1");
	call(w, "POST", "/evaluate.fcgi", ROLE_EVALUATOR, MODEL);
	assert_int_equal(w->res.status, 503);
	assert_string_equal(header(w, "Retry-After"), "1");
	assert_null(header(w, "X-Policy-Decision"));
	publish(w);
}

/* Every route for every role: -1 is nobody. */
static const struct {
	const char *method, *path;
	int want[1 + ROLE_N]; /* nobody, evaluator, viewer, resolver, admin */
} access_rows[] = {
	{ "POST", "/evaluate.fcgi", { 401, 200, 403, 403, 200 } },
	{ "POST", "/api/v1/evaluate", { 401, 200, 403, 403, 200 } },
	{ "GET", "/health/live", { 200, 200, 200, 200, 200 } },
	{ "GET", "/health/ready", { 200, 200, 200, 200, 200 } },
	{ "GET", "/metrics", { 200, 200, 200, 200, 200 } },
	/* who may is told that there is no PostgreSQL */
	{ "GET", "/api/v1/compliance/usage", { 401, 403, 503, 503, 503 } },
};

static void
each_route_for_each_role(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(access_rows) / sizeof(access_rows[0]);
	     i++) {
		for (int role = -1; role < ROLE_N; role++) {
			print_message("%s as %d\n", access_rows[i].path, role);
			call(w, access_rows[i].method, access_rows[i].path,
			     role, MODEL);
			assert_int_equal(w->res.status,
					 access_rows[i].want[role + 1]);
		}
	}
}

/* A route that was added to the table is one of the rows above, too. */
static void
access_rows_are_all_routes(void **state)
{
	size_t n = 0;
	const struct route *routes = handler_routes(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t j = 0;
		     j < sizeof(access_rows) / sizeof(access_rows[0]); j++) {
			found = found || strcmp(routes[i].path,
						access_rows[j].path) == 0;
		}
		print_message("%s\n", routes[i].path);
		assert_true(found);
	}
}

static void
decision_is_answered(void **state)
{
	struct world *w = *state;
	uint64_t before = atomic_load(&w->app.self->requests);

	call(w, "POST", "/evaluate.fcgi", ROLE_EVALUATOR, MODEL);
	assert_int_equal(w->res.status, 200);
	assert_string_equal(w->res.content_type, "application/json");
	assert_string_equal(header(w, "X-Policy-Decision"), "allow");
	assert_non_null(strstr(body(w), "\"decision\":\"allow\""));
	assert_int_equal(atomic_load(&w->app.self->requests), before + 1);
	assert_int_equal(atomic_load(&w->app.self->revision), 5);
}

/* What is refused, how, and into which series of the metrics it counts. */
static const struct {
	const char *method, *path, *body;
	int role;
	int status, series;
} refused[] = {
	{ "POST", "/evaluate.fcgi", "{", ROLE_EVALUATOR, 400, 0 },
	{ "POST", "/evaluate.fcgi", "{}", ROLE_EVALUATOR, 400, 1 },
	{ "POST", "/%2e%2e", "", -1, 400, 2 },
	{ "POST", "/evaluate.fcgi", MODEL, -1, 401, 3 },
	{ "POST", "/evaluate.fcgi", MODEL, ROLE_VIEWER, 403, 4 },
	{ "GET", "/", "", -1, 404, 5 },
	{ "GET", "/evaluate.fcgi", "", -1, 405, 6 },
	{ "BREW", "/metrics", "", -1, 405, 6 },
};

static void
bad_calls_are_problems_and_counted(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int64_t before =
		    metric_read(METRIC_http_refused_total, refused[i].series);
		int64_t answers = metric_read(METRIC_http_answers_total, 2);

		print_message("case %zu: %s\n", i, refused[i].path);
		call(w, refused[i].method, refused[i].path, refused[i].role,
		     refused[i].body);
		assert_int_equal(w->res.status, refused[i].status);
		assert_string_equal(w->res.content_type,
				    "application/problem+json");
		assert_null(header(w, "X-Policy-Decision"));
		assert_int_equal(
		    metric_read(METRIC_http_refused_total, refused[i].series),
		    before + 1);
		assert_int_equal(metric_read(METRIC_http_answers_total, 2),
				 answers + 1);
	}
	assert_string_equal(header(w, "Allow"), "GET, HEAD, OPTIONS");
}

/* What is asked of PostgreSQL while there is none: the caller is told so, and
 * not where it should be. */
static void
postgresql_that_is_away_is_503(void **state)
{
	static const char *const paths[] = {
		"/api/v1/compliance/usage",
		"/api/v1/compliance/usage?view=budgets",
	};
	struct world *w = *state;

	snprintf(w->config.pg_api, sizeof(w->config.pg_api),
		 "host=/nowhere dbname=secret");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		call(w, "GET", paths[i], ROLE_VIEWER, "");
		assert_int_equal(w->res.status, 503);
		assert_string_equal(header(w, "Retry-After"), "1");
		assert_non_null(
		    strstr(body(w), "PostgreSQL cannot answer this now"));
		assert_null(strstr(body(w), "nowhere"));
		assert_null(header(w, "X-Total-Count"));
	}
	w->config.pg_api[0] = '\0';
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		call(w, "GET", paths[i], ROLE_VIEWER, "");
		assert_int_equal(w->res.status, 503);
		assert_non_null(strstr(body(w), "pg_api is empty"));
	}
	call(w, "GET", "/api/v1/compliance/usage?limit=0", ROLE_VIEWER, "");
	assert_int_equal(w->res.status, 400);
	call(w, "GET", "/api/v1/compliance/usage?view=budgets&sort=cost",
	     ROLE_VIEWER, "");
	assert_int_equal(w->res.status, 400);
	assert_non_null(strstr(body(w), "\"parameter\":\"sort\""));
}

static void
form_is_not_read_as_json(void **state)
{
	struct world *w = *state;
	struct err err;

	fixture_clear(w->f);
	fixture_set(w->f, "REQUEST_METHOD=POST");
	fixture_set(w->f, "REQUEST_URI=/evaluate.fcgi");
	fixture_set(w->f, "CONTENT_TYPE=text/plain");
	fixture_set(w->f, "HTTP_X_API_KEY=ims_eeeeeeeeeeeeeeee_" SECRET);
	struct http_request req = fixture_request(w->f);
	assert_int_equal(http_request_parse(&req, &err), STATUS_OK);
	http_response_reset(&w->res);
	w->http.serve(w->worker, &req, &w->res);
	assert_int_equal(w->res.status, 415);
}

static void
options_says_what_is_allowed(void **state)
{
	struct world *w = *state;

	call(w, "OPTIONS", "/evaluate.fcgi", -1, "");
	assert_int_equal(w->res.status, 204);
	assert_string_equal(header(w, "Allow"), "POST, OPTIONS");
	assert_int_equal(w->res.body.len, 0);
	call(w, "OPTIONS", "/nowhere", -1, "");
	assert_int_equal(w->res.status, 404);
}

static void
ready_says_what_is_up(void **state)
{
	struct world *w = *state;
	struct board *board = w->board;

	call(w, "GET", "/health/ready", -1, "");
	assert_string_equal(body(w), "{\"status\":\"ready\",\"checks\":{"
				     "\"policies\":\"ok\",\"spool\":\"ok\","
				     "\"clock\":\"ok\","
				     "\"counters\":\"unknown\","
				     "\"housekeeper\":\"missing\","
				     "\"postgresql\":\"unknown\"}}");
	atomic_store(&board->keeper_beat_us, clock_mono_us());
	atomic_store(&board->keeper_pid, (int32_t)getpid());
	call(w, "GET", "/health/ready", -1, "");
	assert_non_null(strstr(body(w), "\"housekeeper\":\"ok\","
					"\"postgresql\":\"down\""));
	assert_int_equal(w->res.status, 200);
	atomic_store(&board->pg_up, 1);
	call(w, "GET", "/health/ready", -1, "");
	assert_non_null(strstr(body(w), "\"postgresql\":\"ok\""));
	atomic_store(&board->counter_counts, BOARD_COUNTS_MEMCACHED);
	atomic_store(&board->clock_off, 1);
	call(w, "GET", "/health/ready", -1, "");
	assert_non_null(strstr(body(w), "\"clock\":\"off\","
					"\"counters\":\"memcached\""));
	assert_int_equal(w->res.status, 503);
	atomic_store(&board->clock_off, 0);
	/* killed: its last beat is young */
	pid_t gone = fork();
	if (gone == 0) {
		_exit(0);
	}
	assert_int_equal(waitpid(gone, NULL, 0), gone);
	atomic_store(&board->keeper_pid, (int32_t)gone);
	call(w, "GET", "/health/ready", -1, "");
	assert_non_null(strstr(body(w), "\"housekeeper\":\"missing\""));
	call(w, "GET", "/metrics", -1, "");
	assert_non_null(strstr(body(w), "\nims_policy_housekeeper_up 0\n"));
	atomic_store(&board->keeper_pid, (int32_t)getpid());
	/* a beat of before the machine's last start */
	atomic_store(&board->keeper_beat_us, INT64_MAX);
	call(w, "GET", "/health/ready", -1, "");
	assert_non_null(strstr(body(w), "\"housekeeper\":\"missing\""));
	atomic_store(&board->spool_failed, 1);
	call(w, "GET", "/health/ready", -1, "");
	assert_int_equal(w->res.status, 503);
	assert_non_null(strstr(body(w), "\"spool\":\"failing\""));
	atomic_store(&board->spool_failed, 0);
}

static void
details_are_for_readers(void **state)
{
	static const bool reads[ROLE_N] = { false, true, true, true };
	struct world *w = *state;

	for (int role = 0; role < ROLE_N; role++) {
		call(w, "GET", "/health/ready", role, "");
		bool has = strstr(body(w), "\"processes\":[{\"pid\":") != NULL;
		assert_int_equal(has, reads[role]);
		has = strstr(body(w), "\"spool_backlog_bytes\":") != NULL;
		assert_int_equal(has, reads[role]);
	}
	char process[80];
	snprintf(process, sizeof(process),
		 "{\"pid\":%d,\"name\":\"test\",\"policy_revision\":5,",
		 (int)getpid());
	assert_non_null(strstr(body(w), process));
}

static void
metrics_are_text(void **state)
{
	struct world *w = *state;

	atomic_store(&w->board->pg_up, 1);
	call(w, "GET", "/metrics", -1, "");
	assert_string_equal(w->res.content_type,
			    "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(strstr(body(w), "\nims_policy_policy_revision 5\n"));
	assert_non_null(strstr(body(w), "\nims_policy_postgresql_up 1\n"));
	assert_non_null(strstr(body(w), "\nims_policy_request_seconds_count "));
}

/* How long /health/live takes is the web server's word, and bounded. */
static void
hold_is_bounded(void **state)
{
	static const struct {
		const char *variable;
		int64_t low_ms, high_ms;
	} rows[] = {
		{ "IMS_HOLD_MS=60", 60, 1500 },
		{ "IMS_HOLD_MS=9999999", 3000, 6000 },
		{ "IMS_HOLD_MS=-1", 0, 1000 },
		{ "IMS_HOLD_MS=x", 0, 1000 },
		{ "HTTP_IMS_HOLD_MS=2000", 0, 1000 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err;
		fixture_clear(w->f);
		fixture_set(w->f, "REQUEST_METHOD=GET");
		fixture_set(w->f, "REQUEST_URI=/health/live");
		fixture_set(w->f, rows[i].variable);
		struct http_request req = fixture_request(w->f);
		assert_int_equal(http_request_parse(&req, &err), STATUS_OK);
		http_response_reset(&w->res);
		int64_t begun_us = clock_mono_us();
		w->http.serve(w->worker, &req, &w->res);
		int64_t took_ms = (clock_mono_us() - begun_us) / 1000;
		assert_in_range(took_ms, rows[i].low_ms, rows[i].high_ms);
		assert_string_equal(body(w), "{\"status\":\"alive\"}");
	}
}

static void
pools_serve_their_own_routes(void **state)
{
	struct world *w = *state;

	w->app.pool = POOL_API;
	call(w, "POST", "/evaluate.fcgi", ROLE_EVALUATOR, MODEL);
	assert_int_equal(w->res.status, 404);
	call(w, "GET", "/health/live", -1, "");
	assert_int_equal(w->res.status, 200);
	w->app.pool = POOL_EVALUATE;
	call(w, "POST", "/evaluate.fcgi", ROLE_EVALUATOR, MODEL);
	assert_int_equal(w->res.status, 200);
	w->app.pool = POOL_BOTH;
}

/* A process that has no place on the board serves all the same. */
static void
unlisted_process_serves(void **state)
{
	struct world *w = *state;
	struct board_process *self = w->app.self;

	w->app.self = NULL;
	call(w, "POST", "/evaluate.fcgi", ROLE_EVALUATOR, MODEL);
	assert_int_equal(w->res.status, 200);
	w->app.self = self;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_snapshot_is_said), /* publishes */
		cmocka_unit_test(each_route_for_each_role),
		cmocka_unit_test(access_rows_are_all_routes),
		cmocka_unit_test(decision_is_answered),
		cmocka_unit_test(bad_calls_are_problems_and_counted),
		cmocka_unit_test(postgresql_that_is_away_is_503),
		cmocka_unit_test(form_is_not_read_as_json),
		cmocka_unit_test(options_says_what_is_allowed),
		cmocka_unit_test(ready_says_what_is_up),
		cmocka_unit_test(details_are_for_readers),
		cmocka_unit_test(metrics_are_text),
		cmocka_unit_test(hold_is_bounded),
		cmocka_unit_test(pools_serve_their_own_routes),
		cmocka_unit_test(unlisted_process_serves),
	};
	return cmocka_run_group_tests_name("serve", tests, world_begin,
					   world_end);
}
