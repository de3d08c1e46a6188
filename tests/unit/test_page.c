#include "http/page.h"

#include <string.h>

#include "http_fixture.h"

static const char *const names[] = { "a", "end", "limit", "cursor", NULL };

static struct http_request
request(struct fixture *f, const char *query)
{
	fixture_clear(f);
	struct http_request req = fixture_request(f);
	req.path = "/api/v1/list";
	req.query = query;
	return req;
}

/* TEXT in hexadecimal as ?cursor=. */
static const char *
cursor(struct arena *arena, const char *text)
{
	const char *out = "cursor=";

	for (; *text != '\0'; text++) {
		out = arena_printf(arena, "%s%02x", out, (unsigned char)*text);
	}
	return out;
}

/* Cursors of the list "l" that have two fields; NULL: refused. */
static const struct {
	const char *text, *first, *second;
} places[] = {
	{ "1:l,1:a,1:b,", "a", "b" },
	{ "1:l,0:,0:,", "", "" },
	{ "1:l,4:a,:\n,2:\xc3\xa9,", "a,:\n", "\xc3\xa9" },
	{ "01:l,1:a,1:b,", "a", "b" },
	{ "", NULL, NULL },
	{ "1:l,", NULL, NULL },
	{ "1:l,1:a,", NULL, NULL },
	{ "1:l,1:a,1:b", NULL, NULL },
	{ "1:l,1:a,1:b,0:,", NULL, NULL },
	{ "1:m,1:a,1:b,", NULL, NULL },
	{ "2:ll,1:a,1:b,", NULL, NULL },
	{ "1:l,:a,1:b,", NULL, NULL },
	{ "1:l,2:a,1:b,", NULL, NULL },
	{ "1:l,9:a,1:b,", NULL, NULL },
	{ "1:l,1:a,1;b,", NULL, NULL },
	{ "1:l,-1:a,1:b,", NULL, NULL },
	{ "1:l,1025:a,1:b,", NULL, NULL },
	{ "1:l,99999999999999999999999:a,1:b,", NULL, NULL },
	{ "1:l,1:\xff,1:b,", NULL, NULL },
};

static void
cursor_is_a_place(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct http_request req = request(f, "");
		struct http_query query;
		struct page_place place;
		struct err err;

		req.query = cursor(f->arena, places[i].text);
		http_query_parse(&req, names, &query, &err);
		page_cursor(&query, "l", 2, &place);
		print_message("place %zu\n", i);
		if (places[i].first == NULL) {
			assert_int_equal(place.n, 0);
			assert_int_equal(http_query_done(&query),
					 STATUS_REQUEST);
			assert_string_equal(err.items[0].pointer, "cursor");
			continue;
		}
		assert_int_equal(http_query_done(&query), STATUS_OK);
		assert_int_equal(place.n, 2);
		assert_string_equal(place.fields[0], places[i].first);
		assert_string_equal(place.fields[1], places[i].second);
	}
}

static void
cursor_is_lower_hexadecimal(void **state)
{
	static const char *const wrong[] = { "cursor=3",  "cursor=3G",
					     "cursor=3A", "cursor=00",
					     "cursor=g3", "cursor=" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct http_request req = request(*state, wrong[i]);
		struct http_query query;
		struct page_place place;
		struct err err;

		http_query_parse(&req, names, &query, &err);
		page_cursor(&query, "l", 1, &place);
		assert_int_equal(place.n, 0);
		assert_int_equal(http_query_done(&query), STATUS_REQUEST);
	}
}

static void
no_cursor_is_the_beginning(void **state)
{
	struct http_request req = request(*state, "a=1");
	struct http_query query;
	struct page_place place;
	struct err err;

	http_query_parse(&req, names, &query, &err);
	page_cursor(&query, "l", 1, &place);
	assert_int_equal(place.n, 0);
	assert_int_equal(page_limit(&query), PAGE_LIMIT_DEFAULT);
	assert_int_equal(http_query_done(&query), STATUS_OK);
}

/* All of the query but the old cursor, with what is fixed in its place. */
static void
link_leads_on(void **state)
{
	struct http_request req =
	    request(*state, "a=x%26y%3E%0d%0aZ,%22&end=1&limit=5&cursor=66");
	const struct http_query_item fixed[] = { { "end", "2" },
						 { "begin", "1:0" } };
	const struct page_place last = { { "4.5", "\xc3\xa9>" }, 2 };
	struct http_query query;
	struct http_response res = { 0 };
	struct err err;

	req.path = "/api/v1/li\"st>";
	http_query_parse(&req, names, &query, &err);
	assert_int_equal(page_limit(&query), 5);
	const struct page_link link = { &query, fixed, 2, "l" };
	page_next(&req, &res, &link, &last);
	assert_int_equal(res.headers_n, 1);
	assert_string_equal(res.headers[0].name, "Link");
	assert_string_equal(
	    res.headers[0].value,
	    "</api/v1/li%22st%3E?a=x%26y%3E%0D%0AZ,%22&limit=5&end=2&"
	    "begin=1:0&cursor=313a6c2c333a342e352c333ac3a93e2c>; "
	    "rel=\"next\"");
}

static void
total_is_exact_up_to_a_bound(void **state)
{
	static const struct {
		int64_t n;
		const char *text;
	} totals[] = { { 0, "0" },
		       { 9999, "9999" },
		       { 10000, "10000" },
		       { 10001, "10000+" } };

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct http_request req = request(*state, "");
		struct http_response res = { 0 };

		page_total(&req, &res, totals[i].n);
		assert_string_equal(res.headers[0].name, "X-Total-Count");
		assert_string_equal(res.headers[0].value, totals[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursor_is_a_place),
		cmocka_unit_test(cursor_is_lower_hexadecimal),
		cmocka_unit_test(no_cursor_is_the_beginning),
		cmocka_unit_test(link_leads_on),
		cmocka_unit_test(total_is_exact_up_to_a_bound),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
