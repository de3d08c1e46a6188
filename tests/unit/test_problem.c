#include "http/response.h"

#include <string.h>

#include "base/metric.h"
#include "http_fixture.h"
#include "json/read.h"

/* Each status, its answer, its slug and the series that it counts into. */
static const struct {
	enum status status;
	int http;
	const char *type;
	int series;
	const char *header; /* one that it must have, or NULL */
} cases[] = {
	{ STATUS_JSON, 400, "urn:ims-policy:problem:invalid-json", 0, NULL },
	{ STATUS_BODY, 400, "urn:ims-policy:problem:invalid-body", 1, NULL },
	{ STATUS_REQUEST, 400, "urn:ims-policy:problem:invalid-request", 2,
	  NULL },
	{ STATUS_UNAUTHENTICATED, 401, "urn:ims-policy:problem:unauthenticated",
	  3, "WWW-Authenticate" },
	{ STATUS_FORBIDDEN, 403, "urn:ims-policy:problem:forbidden", 4, NULL },
	{ STATUS_NOT_FOUND, 404, "urn:ims-policy:problem:not-found", 5, NULL },
	{ STATUS_METHOD, 405, "urn:ims-policy:problem:method-not-allowed", 6,
	  NULL },
	{ STATUS_TOO_LARGE, 413, "urn:ims-policy:problem:too-large", 7, NULL },
	{ STATUS_MEDIA_TYPE, 415,
	  "urn:ims-policy:problem:unsupported-media-type", 8, NULL },
	{ STATUS_CONFLICT, 409, "urn:ims-policy:problem:conflict", 9, NULL },
	{ STATUS_INTERNAL, 500, "urn:ims-policy:problem:internal", 9, NULL },
	{ STATUS_NOT_IMPLEMENTED, 501, "urn:ims-policy:problem:not-implemented",
	  9, NULL },
	{ STATUS_UNAVAILABLE, 503, "urn:ims-policy:problem:unavailable", 9,
	  "Retry-After" },
	{ STATUS_FULL, 503, "urn:ims-policy:problem:full", 9, "Retry-After" },
};

static struct http_request
request(struct fixture *f, const char *id)
{
	struct http_request req = fixture_request(f);

	req.request_id = id;
	return req;
}

/* The string at KEY of the problem in RES, copied into the arena. */
static const char *
member(struct fixture *f, const struct http_response *res, const char *key)
{
	struct json_doc *doc = NULL;
	struct json root, child;
	const char *text = NULL;
	struct err err;

	assert_int_equal(
	    json_doc_parse(buf_text(&res->body), res->body.len, &doc, &err),
	    STATUS_OK);
	root = json_root(doc);
	assert_true(json_get(&root, key, &child));
	if (json_type(&child) == JSON_STRING) {
		assert_int_equal(json_string(&child, &text, &err), STATUS_OK);
	} else {
		text = json_text(&child);
	}
	text = arena_strdup(f->arena, text);
	json_doc_free(doc);
	return text;
}

static bool
has_header(const struct http_response *res, const char *name)
{
	for (size_t i = 0; i < res->headers_n; i++) {
		if (strcmp(res->headers[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static void
problem_of_each_status(void **state)
{
	struct fixture *f = *state;
	struct http_response res = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request req = request(f, "id-1");
		struct err err;
		int64_t before =
		    metric_read(METRIC_http_refused_total, cases[i].series);

		print_message("case %zu: %s\n", i, cases[i].type);
		http_response_reset(&res);
		buf_adds(&res.body, "half an answer");
		(void)err_set(&err, cases[i].status, "why %d", 7);
		http_problem(&req, &res, &err);
		assert_int_equal(res.status, cases[i].http);
		assert_string_equal(res.content_type,
				    "application/problem+json");
		assert_string_equal(member(f, &res, "type"), cases[i].type);
		assert_string_equal(member(f, &res, "title"),
				    status_title(cases[i].status));
		assert_string_equal(member(f, &res, "detail"), "why 7");
		assert_string_equal(member(f, &res, "instance"),
				    "urn:ims-policy:request:id-1");
		assert_int_equal(res.headers_n, cases[i].header != NULL);
		if (cases[i].header != NULL) {
			assert_true(has_header(&res, cases[i].header));
		}
		assert_int_equal(
		    metric_read(METRIC_http_refused_total, cases[i].series),
		    before + 1);
	}
	buf_fini(&res.body);
}

static void
errors_are_listed(void **state)
{
	struct fixture *f = *state;
	struct http_response res = { 0 };
	struct http_request req = request(f, "id");
	struct err err;

	(void)err_set(&err, STATUS_BODY, "x");
	for (int i = 0; i < ERR_ITEMS + 2; i++) {
		(void)err_at(&err, STATUS_BODY, i == 0 ? "/a" : "/b",
			     "wrong %d", i);
	}
	http_problem(&req, &res, &err);
	const char *errors = member(f, &res, "errors");
	assert_non_null(strstr(errors, "\"pointer\":\"/a\""));
	assert_non_null(strstr(errors, "wrong 7"));
	assert_null(strstr(errors, "wrong 8"));
	buf_fini(&res.body);
}

/* Of a request itself the places are parameters of its query. */
static void
parameters_are_listed(void **state)
{
	struct fixture *f = *state;
	struct http_response res = { 0 };
	struct http_request req = request(f, "id");
	struct err err = { .items_n = 0 };

	(void)err_at(&err, STATUS_REQUEST, "limit", "must be a number");
	(void)err_at(&err, STATUS_REQUEST, "x\xff", "is no parameter here");
	http_problem(&req, &res, &err);
	assert_string_equal(member(f, &res, "detail"), "must be a number");
	assert_string_equal(
	    member(f, &res, "errors"),
	    "[{\"parameter\":\"limit\",\"detail\":\"must be a number\"},"
	    "{\"parameter\":\"x?\",\"detail\":\"is no parameter here\"}]");
	buf_fini(&res.body);
}

/* What is not UTF-8 must not make the answer something else than JSON. */
static const struct {
	const char *text, *clean;
} texts[] = {
	{ "plain", "plain" },
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", /* two to four bytes */
	  "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "cut \xe2\x82", "cut ??" },
	{ "\xff\xfe", "??" },
	{ "\x80", "?" },
	{ "\xc0\xaf", "??" },		/* overlong */
	{ "\xe0\x80\xaf", "???" },	/* overlong */
	{ "\xf0\x80\x80\xaf", "????" }, /* overlong */
	{ "\xed\xa0\x80", "???" },	/* a surrogate */
	{ "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
	{ "\xf5\x80\x80\x80", "????" },
	{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
};

static void
detail_is_utf8(void **state)
{
	struct fixture *f = *state;
	struct http_response res = { 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct http_request req = request(f, "id");
		struct err err;
		http_response_reset(&res);
		(void)err_set(&err, STATUS_REQUEST, "%s", texts[i].text);
		http_problem(&req, &res, &err);
		assert_string_equal(member(f, &res, "detail"), texts[i].clean);
	}
	buf_fini(&res.body);
}

static void
instance_is_a_uri(void **state)
{
	struct fixture *f = *state;
	struct http_response res = { 0 };
	struct http_request req = request(f, "a/b:\"~%");
	struct err err;

	(void)err_set(&err, STATUS_REQUEST, "x");
	http_problem(&req, &res, &err);
	assert_string_equal(member(f, &res, "instance"),
			    "urn:ims-policy:request:a%2Fb%3A%22~%25");
	buf_fini(&res.body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(problem_of_each_status),
		cmocka_unit_test(errors_are_listed),
		cmocka_unit_test(parameters_are_listed),
		cmocka_unit_test(detail_is_utf8),
		cmocka_unit_test(instance_is_a_uri),
	};
	return cmocka_run_group_tests_name("problem", tests, fixture_begin,
					   fixture_end);
}
