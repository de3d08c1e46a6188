#include "http/response.h"

#include <string.h>

#include "http_fixture.h"

#define ALWAYS "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"

struct given {
	int status;
	enum http_method method;
	const char *traceparent;
	const char *header; /* value of X-Test, or NULL */
	const char *body;
};

static const struct {
	struct given given;
	const char *text;
} cases[] = {
	{ { 200, HTTP_GET, NULL, NULL, "{}" },
	  "Status: 200 OK\r\nContent-Type: application/json\r\n"
	  "Content-Length: 2\r\nX-Request-Id: id-1\r\n" ALWAYS "\r\n{}" },
	{ { 403, HTTP_POST, "00-a-b-01", "v", "no" },
	  "Status: 403 Forbidden\r\nContent-Type: application/json\r\n"
	  "Content-Length: 2\r\nX-Request-Id: id-1\r\n"
	  "traceparent: 00-a-b-01\r\n" ALWAYS "X-Test: v\r\n\r\nno" },
	{ { 200, HTTP_HEAD, NULL, NULL, "{}" },
	  "Status: 200 OK\r\nContent-Type: application/json\r\n"
	  "Content-Length: 2\r\nX-Request-Id: id-1\r\n" ALWAYS "\r\n" },
	{ { 204, HTTP_OPTIONS, NULL, "v", "" },
	  "Status: 204 No Content\r\nX-Request-Id: id-1\r\n" ALWAYS
	  "X-Test: v\r\n\r\n" },
	{ { 299, HTTP_GET, NULL, NULL, "" },
	  "Status: 299 Other\r\nContent-Type: application/json\r\n"
	  "Content-Length: 0\r\nX-Request-Id: id-1\r\n" ALWAYS "\r\n" },
};

static void
response_is_written(void **state)
{
	struct fixture *f = *state;
	struct http_response res = { 0 };
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct given *given = &cases[i].given;
		struct http_request req = fixture_request(f);
		req.request_id = "id-1";
		req.method = given->method;
		req.traceparent = given->traceparent;
		http_response_reset(&res);
		res.status = given->status;
		buf_adds(&res.body, given->body);
		if (given->header != NULL) {
			http_response_header(&res, "X-Test", given->header);
		}
		buf_reset(&out);
		http_response_write(&req, &res, &out);
		assert_string_equal(buf_text(&out), cases[i].text);
	}
	buf_fini(&res.body);
	buf_fini(&out);
}

static void
reset_forgets_everything(void **state)
{
	struct http_response res = { 0 };

	(void)state;
	http_response_header(&res, "X", "y\tz");
	res.status = 500;
	res.content_type = "text/plain";
	buf_adds(&res.body, "x");
	http_response_reset(&res);
	assert_int_equal(res.status, 200);
	assert_string_equal(res.content_type, "application/json");
	assert_int_equal(res.headers_n, 0);
	assert_int_equal(res.body.len, 0);
	buf_fini(&res.body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(response_is_written),
		cmocka_unit_test(reset_forgets_everything),
	};
	return cmocka_run_group_tests_name("response", tests, fixture_begin,
					   fixture_end);
}
