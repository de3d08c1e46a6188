#include "http/route.h"

#include "http_fixture.h"

static const struct route routes[] = {
	{ POOL_EVALUATE, HTTP_POST, "/evaluate", 1, 0, "" },
	{ POOL_BOTH, HTTP_GET, "/health", 0, 1, "" },
	{ POOL_API, HTTP_GET, "/things", 2, 2, "" },
	{ POOL_API, HTTP_POST, "/things", 2, 3, "" },
	{ POOL_API, HTTP_GET, "/things/{id}", 2, 4, "" },
	{ POOL_API, HTTP_PATCH, "/things/{id}/resolve", 2, 5, "" },
	{ POOL_API, HTTP_DELETE, "/things/{id}", 2, 6, "" },
};

/* ROW is the row that is found, or -1 with the error and what is allowed. */
static const struct {
	enum pool pool;
	enum http_method method;
	const char *path;
	int row;
	enum status status;
	const char *allow;
} cases[] = {
	{ POOL_EVALUATE, HTTP_POST, "/evaluate", 0, STATUS_OK, NULL },
	{ POOL_BOTH, HTTP_POST, "/evaluate", 0, STATUS_OK, NULL },
	{ POOL_API, HTTP_POST, "/evaluate", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_EVALUATE, HTTP_GET, "/health", 1, STATUS_OK, NULL },
	{ POOL_API, HTTP_GET, "/health", 1, STATUS_OK, NULL },
	{ POOL_API, HTTP_HEAD, "/health", 1, STATUS_OK, NULL },
	{ POOL_API, HTTP_HEAD, "/things", 2, STATUS_OK, NULL },
	{ POOL_API, HTTP_POST, "/things", 3, STATUS_OK, NULL },
	{ POOL_API, HTTP_GET, "/things/7", 4, STATUS_OK, NULL },
	{ POOL_API, HTTP_PATCH, "/things/7/resolve", 5, STATUS_OK, NULL },
	{ POOL_API, HTTP_DELETE, "/things/resolve", 6, STATUS_OK, NULL },
	{ POOL_EVALUATE, HTTP_GET, "/evaluate", -1, STATUS_METHOD,
	  "POST, OPTIONS" },
	{ POOL_EVALUATE, HTTP_HEAD, "/evaluate", -1, STATUS_METHOD,
	  "POST, OPTIONS" },
	{ POOL_API, HTTP_OTHER, "/things", -1, STATUS_METHOD,
	  "GET, HEAD, POST, OPTIONS" },
	{ POOL_API, HTTP_OPTIONS, "/things/7", -1, STATUS_METHOD,
	  "GET, HEAD, DELETE, OPTIONS" },
	{ POOL_BOTH, HTTP_GET, "/", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_GET, "/healt", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_GET, "/healthy", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_GET, "/health/", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_GET, "//health", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_GET, "/HEALTH", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_GET, "/things/", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_PATCH, "/things//resolve", -1, STATUS_NOT_FOUND,
	  NULL },
	{ POOL_BOTH, HTTP_GET, "/things/7/8", -1, STATUS_NOT_FOUND, NULL },
	{ POOL_BOTH, HTTP_GET, "/things/{id}/x", -1, STATUS_NOT_FOUND, NULL },
};

static void
route_answers_each_case(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request req = fixture_request(f);
		const struct route *got = NULL;
		const char *allow = NULL;
		struct err err;

		print_message("case %zu: %s\n", i, cases[i].path);
		req.method = cases[i].method;
		req.path = cases[i].path;
		enum status status =
		    route_find(routes, sizeof(routes) / sizeof(routes[0]),
			       cases[i].pool, &req, &got, &allow, &err);
		assert_int_equal(status, cases[i].status);
		if (status == STATUS_OK) {
			assert_ptr_equal(got, &routes[cases[i].row]);
		} else {
			assert_null(got);
		}
		if (cases[i].allow != NULL) {
			assert_string_equal(allow, cases[i].allow);
		} else {
			assert_null(allow);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_answers_each_case),
	};
	return cmocka_run_group_tests_name("route", tests, fixture_begin,
					   fixture_end);
}
