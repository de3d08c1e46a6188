#include "http/request.h"

#include <string.h>

#include "base/uuid.h"
#include "http_fixture.h"

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define LONG_16 "0123456789abcdef"
#define LONG_128 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16

/* What is given, and the path that comes out; NULL: refused. */
static const struct {
	const char *uri, *script, *info;
	const char *path;
} paths[] = {
	{ "REQUEST_URI=/evaluate.fcgi", NULL, NULL, "/evaluate.fcgi" },
	{ "REQUEST_URI=/a?x=/../", NULL, NULL, "/a" },
	{ "REQUEST_URI=/a#part", NULL, NULL, "/a" },
	{ "REQUEST_URI=/", NULL, NULL, "/" },
	{ "REQUEST_URI=/a%20b%7e", NULL, NULL, "/a b~" },
	{ "REQUEST_URI=/a%c3%A9", NULL, NULL, "/a\xc3\xa9" },
	{ "REQUEST_URI=/a+b", NULL, NULL, "/a+b" },
	{ "REQUEST_URI=/.hidden/..two/a..", NULL, NULL, "/.hidden/..two/a.." },
	{ "REQUEST_URI=http://host:8/a/b?c", NULL, NULL, "/a/b" },
	{ "REQUEST_URI=HTTPS://host/a", NULL, NULL, "/a" },
	{ "REQUEST_URI=", "SCRIPT_NAME=/s", "PATH_INFO=/i", "/s/i" },
	{ NULL, "SCRIPT_NAME=/s", NULL, "/s" },
	{ NULL, NULL, "PATH_INFO=/i", "/i" },
	{ NULL, "SCRIPT_NAME=/a%2fb", NULL, "/a%2fb" }, /* decoded already */
	{ NULL, NULL, NULL, NULL },
	{ NULL, "SCRIPT_NAME=s", NULL, NULL },
	{ NULL, "SCRIPT_NAME=/s/..", NULL, NULL },
	{ "REQUEST_URI=*", NULL, NULL, NULL },
	{ "REQUEST_URI=a", NULL, NULL, NULL },
	{ "REQUEST_URI=ftp://host/a", NULL, NULL, NULL },
	{ "REQUEST_URI=http://host", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%2Fb", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%2fb", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%00b", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%0ab", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%1Fb", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%7fb", NULL, NULL, NULL },
	{ "REQUEST_URI=/a\tb", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%4", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%4g", NULL, NULL, NULL },
	{ "REQUEST_URI=/a%g4", NULL, NULL, NULL },
	{ "REQUEST_URI=/./a", NULL, NULL, NULL },
	{ "REQUEST_URI=/a/.", NULL, NULL, NULL },
	{ "REQUEST_URI=/../a", NULL, NULL, NULL },
	{ "REQUEST_URI=/a/..", NULL, NULL, NULL },
	{ "REQUEST_URI=/a/%2e%2E/b", NULL, NULL, NULL },
};

static void
path_is_decoded_strictly(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct err err;
		fixture_clear(f);
		fixture_set(f, paths[i].uri);
		fixture_set(f, paths[i].script);
		fixture_set(f, paths[i].info);
		struct http_request req = fixture_request(f);

		print_message("path %zu: %s\n", i,
			      paths[i].uri != NULL ? paths[i].uri : "-");
		enum status status = http_request_parse(&req, &err);
		if (paths[i].path == NULL) {
			assert_int_equal(status, STATUS_REQUEST);
			assert_string_equal(req.path, "/");
			assert_non_null(req.request_id);
		} else {
			assert_int_equal(status, STATUS_OK);
			assert_string_equal(req.path, paths[i].path);
		}
	}
}

/* Parse with one more variable; the path is "/". */
static struct http_request
parse_with(struct fixture *f, const char *variable)
{
	struct err err;

	fixture_clear(f);
	fixture_set(f, "REQUEST_URI=/");
	fixture_set(f, variable);
	struct http_request req = fixture_request(f);
	assert_int_equal(http_request_parse(&req, &err), STATUS_OK);
	return req;
}

static const struct {
	const char *variable;
	enum http_method method;
} methods[] = {
	{ "REQUEST_METHOD=GET", HTTP_GET },
	{ "REQUEST_METHOD=HEAD", HTTP_HEAD },
	{ "REQUEST_METHOD=POST", HTTP_POST },
	{ "REQUEST_METHOD=PUT", HTTP_PUT },
	{ "REQUEST_METHOD=PATCH", HTTP_PATCH },
	{ "REQUEST_METHOD=DELETE", HTTP_DELETE },
	{ "REQUEST_METHOD=OPTIONS", HTTP_OPTIONS },
	{ "REQUEST_METHOD=get", HTTP_OTHER },
	{ "REQUEST_METHOD=OTHER", HTTP_OTHER },
	{ "REQUEST_METHOD=", HTTP_OTHER },
	{ NULL, HTTP_OTHER },
};

static void
method_is_known_or_other(void **state)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct http_request req =
		    parse_with(*state, methods[i].variable);
		assert_int_equal(req.method, methods[i].method);
		assert_non_null(req.method_name);
	}
}

/* The caller's id is taken over, or one is made. */
static const struct {
	const char *variable;
	bool taken;
} ids[] = {
	{ "HTTP_X_REQUEST_ID=a", true },
	{ "HTTP_X_REQUEST_ID=!~<>\"", true },
	{ "HTTP_X_REQUEST_ID=" LONG_128, true },
	{ "HTTP_X_REQUEST_ID=" LONG_128 "1", false },
	{ "HTTP_X_REQUEST_ID=a b", false },
	{ "HTTP_X_REQUEST_ID=a\x7f", false },
	{ "HTTP_X_REQUEST_ID=a\xc3\xa9", false },
	{ "HTTP_X_REQUEST_ID=a\x01", false },
	{ "HTTP_X_REQUEST_ID=", false },
	{ NULL, false },
};

static void
request_id_is_taken_or_made(void **state)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct http_request req = parse_with(*state, ids[i].variable);
		if (ids[i].taken) {
			assert_string_equal(req.request_id,
					    strchr(ids[i].variable, '=') + 1);
			assert_ptr_equal(req.request_id, req.caller_request_id);
		} else {
			assert_true(uuid_valid(req.request_id));
			assert_null(req.caller_request_id);
		}
	}
}

static const struct {
	const char *variable;
	bool valid;
} traces[] = {
	{ "HTTP_TRACEPARENT=" TRACE, true },
	{ "HTTP_TRACEPARENT="
	  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
	  true },
	{ "HTTP_TRACEPARENT="
	  "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	  true },
	{ "HTTP_TRACEPARENT="
	  "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
	  true },
	{ "HTTP_TRACEPARENT="
	  "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-a b",
	  false },
	{ "HTTP_TRACEPARENT="
	  "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
	  false },
	{ "HTTP_TRACEPARENT="
	  "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-" LONG_128,
	  false },
	{ "HTTP_TRACEPARENT=" TRACE "-more", false },
	{ "HTTP_TRACEPARENT="
	  "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	  false },
	{ "HTTP_TRACEPARENT="
	  "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	  false },
	{ "HTTP_TRACEPARENT="
	  "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
	  false },
	{ "HTTP_TRACEPARENT="
	  "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
	  false },
	{ "HTTP_TRACEPARENT="
	  "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	  false },
	{ "HTTP_TRACEPARENT="
	  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
	  false },
	{ "HTTP_TRACEPARENT="
	  "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	  false },
	{ "HTTP_TRACEPARENT="
	  "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
	  false },
	{ "HTTP_TRACEPARENT="
	  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
	  false },
	{ "HTTP_TRACEPARENT=00-4bf9", false },
	{ "HTTP_TRACEPARENT=", false },
	{ NULL, false },
};

static void
traceparent_is_valid_or_ignored(void **state)
{
	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		struct http_request req =
		    parse_with(*state, traces[i].variable);
		print_message("trace %zu\n", i);
		assert_int_equal(req.traceparent != NULL, traces[i].valid);
	}
}

static void
other_variables_are_kept(void **state)
{
	struct http_request req = parse_with(*state, NULL);

	assert_string_equal(req.content_type, "");
	assert_string_equal(req.remote_addr, "");
	assert_string_equal(req.body, "");
	assert_int_equal(req.received_us, FIXTURE_NOW_US);
	assert_null(http_header(&req, "HTTP_AUTHORIZATION"));
	req = parse_with(*state, "CONTENT_TYPE=text/x");
	assert_string_equal(req.content_type, "text/x");
	req = parse_with(*state, "REMOTE_ADDR=127.0.0.1");
	assert_string_equal(req.remote_addr, "127.0.0.1");
	req = parse_with(*state, "HTTP_AUTHORIZATION=Bearer x");
	assert_string_equal(http_header(&req, "HTTP_AUTHORIZATION"),
			    "Bearer x");
}

/* -2: refused. */
static const struct {
	const char *variable;
	int64_t length;
} lengths[] = {
	{ NULL, -1 },
	{ "CONTENT_LENGTH=", -1 },
	{ "CONTENT_LENGTH=0", 0 },
	{ "CONTENT_LENGTH=007", 7 },
	{ "CONTENT_LENGTH=999999999999999999", 999999999999999999 },
	{ "CONTENT_LENGTH=1000000000000000000", -2 },
	{ "CONTENT_LENGTH=-1", -2 },
	{ "CONTENT_LENGTH=+1", -2 },
	{ "CONTENT_LENGTH= 1", -2 },
	{ "CONTENT_LENGTH=1 ", -2 },
	{ "CONTENT_LENGTH=1,1", -2 },
	{ "CONTENT_LENGTH=0x1", -2 },
};

static void
length_is_digits(void **state)
{
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct http_request req =
		    parse_with(*state, lengths[i].variable);
		struct err err;
		int64_t got = -3;
		enum status status = http_request_length(&req, &got, &err);
		if (lengths[i].length == -2) {
			assert_int_equal(status, STATUS_REQUEST);
			assert_int_equal(got, -3);
		} else {
			assert_int_equal(status, STATUS_OK);
			assert_int_equal(got, lengths[i].length);
		}
	}
}

static const struct {
	const char *variable;
	bool json;
} types[] = {
	{ NULL, true },
	{ "CONTENT_TYPE=", true },
	{ "CONTENT_TYPE=application/json", true },
	{ "CONTENT_TYPE=Application/JSON", true },
	{ "CONTENT_TYPE=application/json;charset=utf-8", true },
	{ "CONTENT_TYPE=application/json; charset=\"UTF-8\"", true },
	{ "CONTENT_TYPE=application/json; x=y", true },
	{ "CONTENT_TYPE=application/merge-patch+json", true },
	{ "CONTENT_TYPE=application/json; charset=utf-16", false },
	{ "CONTENT_TYPE=application/json; charset=utf-8x", false },
	{ "CONTENT_TYPE=application/jsonx", false },
	{ "CONTENT_TYPE=application/jso", false },
	{ "CONTENT_TYPE=+json", false },
	{ "CONTENT_TYPE=x+json", false },
	{ "CONTENT_TYPE=text/plain", false },
	{ "CONTENT_TYPE=application/x-www-form-urlencoded", true },
	{ "CONTENT_TYPE=application/x-www-form", false },
	{ "CONTENT_TYPE=multipart/form-data; boundary=application/json",
	  false },
};

static void
json_is_said_or_nothing(void **state)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct http_request req = parse_with(*state, types[i].variable);
		struct err err;
		print_message("type %zu\n", i);
		assert_int_equal(http_request_is_json(&req, &err),
				 types[i].json ? STATUS_OK : STATUS_MEDIA_TYPE);
	}
}

static void
query_of_the_uri_serves_where_there_is_no_other(void **state)
{
	struct fixture *f = *state;
	struct err err;

	fixture_clear(f);
	fixture_set(f, "REQUEST_URI=/a?x=1");
	struct http_request req = fixture_request(f);
	assert_int_equal(http_request_parse(&req, &err), STATUS_OK);
	assert_string_equal(req.query, "x=1");
	fixture_set(f, "QUERY_STRING=x=2");
	assert_int_equal(http_request_parse(&req, &err), STATUS_OK);
	assert_string_equal(req.query, "x=2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_is_decoded_strictly),
		cmocka_unit_test(method_is_known_or_other),
		cmocka_unit_test(request_id_is_taken_or_made),
		cmocka_unit_test(traceparent_is_valid_or_ignored),
		cmocka_unit_test(other_variables_are_kept),
		cmocka_unit_test(length_is_digits),
		cmocka_unit_test(json_is_said_or_nothing),
		cmocka_unit_test(
		    query_of_the_uri_serves_where_there_is_no_other),
	};
	return cmocka_run_group_tests_name("request", tests, fixture_begin,
					   fixture_end);
}
