#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "http_fixture.h"

enum { BODY_MAX = 1000 };

/* What the application was handed. */
struct seen {
	enum status refused; /* STATUS_OK: not refused */
	size_t body_n;
	char last; /* byte of the body, 0 where there is none */
	int workers;
};

static void *
app_new(void *app)
{
	struct seen *seen = app;

	seen->workers++;
	return seen;
}

static void
app_free(void *worker)
{
	struct seen *seen = worker;

	seen->workers--;
}

static void
app_serve(void *worker, const struct http_request *req,
	  struct http_response *res)
{
	struct seen *seen = worker;

	seen->refused = req->refused == NULL ? STATUS_OK : req->refused->status;
	seen->body_n = req->body_n;
	seen->last = '\0';
	if (req->body_n > 0) {
		seen->last = req->body[req->body_n - 1];
		assert_int_equal(req->body[req->body_n], '\0');
	}
	if (req->refused != NULL) {
		http_problem(req, res, req->refused);
		return;
	}
	buf_adds(&res->body, "done");
}

struct bench {
	struct seen seen;
	struct http_app app;
	struct http_exchange exchange;
};

static void
bench_begin(struct bench *b)
{
	b->seen = (struct seen){ .refused = STATUS_N };
	b->app = (struct http_app){ .worker_new = app_new,
				    .worker_free = app_free,
				    .serve = app_serve,
				    .app = &b->seen };
	http_exchange_init(&b->exchange, &b->app, BODY_MAX);
	assert_int_equal(b->seen.workers, 1);
}

static void
bench_end(struct bench *b)
{
	http_exchange_fini(&b->exchange);
	assert_int_equal(b->seen.workers, 0);
}

/* A body of BODY_N bytes 'x' that breaks off at BREAKS_AT. */
static const struct {
	const char *name;
	size_t body_n, breaks_at;
	const char *variable;
	enum status refused;
} cases[] = {
	{ "none", 0, SIZE_MAX, NULL, STATUS_OK },
	{ "without a length", 10, SIZE_MAX, NULL, STATUS_OK },
	{ "with its length", 10, SIZE_MAX, "CONTENT_LENGTH=10", STATUS_OK },
	{ "shorter", 9, SIZE_MAX, "CONTENT_LENGTH=10", STATUS_REQUEST },
	{ "longer", 11, SIZE_MAX, "CONTENT_LENGTH=10", STATUS_REQUEST },
	{ "no number", 1, SIZE_MAX, "CONTENT_LENGTH=x", STATUS_REQUEST },
	{ "broken off", 10, 5, "CONTENT_LENGTH=10", STATUS_REQUEST },
	{ "the largest", BODY_MAX, SIZE_MAX, NULL, STATUS_OK },
	{ "too large", BODY_MAX + 1, SIZE_MAX, NULL, STATUS_TOO_LARGE },
	{ "much too large", 10 * BODY_MAX, SIZE_MAX, "CONTENT_LENGTH=10000",
	  STATUS_TOO_LARGE },
	{ "too large, and broken", 200000, 100000, NULL, STATUS_TOO_LARGE },
	{ "responder", 1, SIZE_MAX, "FCGI_ROLE=RESPONDER", STATUS_OK },
	{ "authorizer", 1, SIZE_MAX, "FCGI_ROLE=AUTHORIZER",
	  STATUS_NOT_IMPLEMENTED },
	{ "filter", 1, SIZE_MAX, "FCGI_ROLE=FILTER", STATUS_NOT_IMPLEMENTED },
};

static void
body_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	char *body = malloc(200000);
	struct bench b;

	assert_non_null(body);
	memset(body, 'x', 200000);
	bench_begin(&b);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu: %s\n", i, cases[i].name);
		fixture_clear(f);
		fixture_set(f, "REQUEST_URI=/a");
		fixture_set(f, "REQUEST_METHOD=POST");
		fixture_set(f, cases[i].variable);
		f->body = body;
		f->body_n = cases[i].body_n;
		f->breaks_at = cases[i].breaks_at;
		struct http_transport transport = fixture_transport(f);
		http_exchange_run(&b.exchange, &transport);
		assert_int_equal(b.seen.refused, cases[i].refused);
		assert_false(b.exchange.undrained);
		if (cases[i].breaks_at == SIZE_MAX) {
			assert_int_equal(f->read_n, cases[i].body_n);
		}
		if (cases[i].refused == STATUS_OK) {
			assert_int_equal(b.seen.body_n, cases[i].body_n);
			assert_int_equal(b.seen.last,
					 cases[i].body_n > 0 ? 'x' : '\0');
			assert_non_null(
			    strstr(b.exchange.out.data, "\r\n\r\ndone"));
		}
	}
	bench_end(&b);
	free(body);
}

static void
bad_path_goes_before_a_bad_body(void **state)
{
	struct fixture *f = *state;
	struct bench b;

	bench_begin(&b);
	fixture_clear(f);
	fixture_set(f, "REQUEST_URI=/..");
	f->body_n = BODY_MAX + 1;
	f->body = calloc(1, f->body_n);
	struct http_transport transport = fixture_transport(f);
	http_exchange_run(&b.exchange, &transport);
	assert_int_equal(b.seen.refused, STATUS_REQUEST);
	assert_int_equal(f->read_n, f->body_n);
	assert_non_null(strstr(b.exchange.out.data, "Status: 400 "));
	free((void *)(uintptr_t)f->body);
	bench_end(&b);
}

/* A body without an end. */
static int64_t
read_for_ever(void *transport, char *bytes, size_t n)
{
	(void)transport;
	memset(bytes, ' ', n);
	return (int64_t)n;
}

static void
endless_body_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct bench b;

	bench_begin(&b);
	fixture_clear(f);
	fixture_set(f, "REQUEST_URI=/a");
	struct http_transport transport = fixture_transport(f);
	transport.read = read_for_ever;
	http_exchange_run(&b.exchange, &transport);
	assert_int_equal(b.seen.refused, STATUS_TOO_LARGE);
	assert_true(b.exchange.undrained);
	/* and the next one is not blamed for it */
	transport = fixture_transport(f);
	http_exchange_run(&b.exchange, &transport);
	assert_int_equal(b.seen.refused, STATUS_OK);
	assert_false(b.exchange.undrained);
	bench_end(&b);
}

static void
memory_of_a_large_body_is_given_back(void **state)
{
	const size_t large = 3 * 1024 * 1024;
	struct fixture *f = *state;
	struct bench b;

	bench_begin(&b);
	b.exchange.body_max_bytes = large;
	fixture_clear(f);
	fixture_set(f, "REQUEST_URI=/a");
	f->body = calloc(1, large);
	f->body_n = large;
	struct http_transport transport = fixture_transport(f);
	http_exchange_run(&b.exchange, &transport);
	assert_int_equal(b.seen.refused, STATUS_OK);
	assert_int_equal(b.seen.body_n, large);
	f->body_n = 1;
	f->read_n = 0;
	http_exchange_run(&b.exchange, &transport);
	assert_int_equal(b.seen.body_n, 1);
	assert_true(b.exchange.body.cap < large);
	free((void *)(uintptr_t)f->body);
	bench_end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_is_read_to_its_end),
		cmocka_unit_test(bad_path_goes_before_a_bad_body),
		cmocka_unit_test(endless_body_is_given_up),
		cmocka_unit_test(memory_of_a_large_body_is_given_back),
	};
	return cmocka_run_group_tests_name("exchange", tests, fixture_begin,
					   fixture_end);
}
