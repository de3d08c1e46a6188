#include "handler/usage.h"

#include <string.h>

#include "http_fixture.h"

#define USD INT64_C(1000000000)

static struct http_request
request(struct fixture *f, const char *query)
{
	fixture_clear(f);
	struct http_request req = fixture_request(f);
	req.path = "/api/v1/compliance/usage";
	req.query = query;
	req.received_us = FIXTURE_NOW_US;
	return req;
}

/* What the query names comes to; SAID: the parameter that is refused. */
static const struct {
	const char *query;
	unsigned by;
	enum store_usage_bucket bucket;
	enum store_usage_sort sort;
	int64_t limit;
	const char *said;
} reports[] = {
	{ "", 0, STORE_USAGE_WHOLE, STORE_USAGE_COST, 100, NULL },
	{ "view=usage", 0, STORE_USAGE_WHOLE, STORE_USAGE_COST, 100, NULL },
	{ "group_by=organization,team,user,api_key,model,vendor&limit=1000", 63,
	  STORE_USAGE_WHOLE, STORE_USAGE_COST, 1000, NULL },
	{ "group_by=vendor&bucket=15m", 32, STORE_USAGE_QUARTER,
	  STORE_USAGE_COST, 100, NULL },
	{ "group_by=team,organization&bucket=hour&sort=calls", 3,
	  STORE_USAGE_HOUR, STORE_USAGE_CALLS, 100, NULL },
	{ "bucket=day&sort=tokens", 0, STORE_USAGE_DAY, STORE_USAGE_TOKENS, 100,
	  NULL },
	{ "bucket=week", 0, STORE_USAGE_WEEK, STORE_USAGE_COST, 100, NULL },
	{ "bucket=month", 0, STORE_USAGE_MONTH, STORE_USAGE_COST, 100, NULL },
	{ "bucket=none", 0, STORE_USAGE_WHOLE, STORE_USAGE_COST, 100, NULL },
	{ .query = "view=all", .said = "view" },
	{ .query = "group_by=global", .said = "group_by" },
	{ .query = "group_by=user_id", .said = "group_by" },
	{ .query = "group_by=user,user", .said = "group_by" },
	{ .query = "group_by=user;DROP TABLE usage", .said = "group_by" },
	{ .query = "bucket=quarter", .said = "bucket" },
	{ .query = "sort=overrun", .said = "sort" },
	{ .query = "sort=-cost", .said = "sort" },
	{ .query = "limit=0", .said = "limit" },
	{ .query = "limit=1001", .said = "limit" },
	{ .query = "timezone=Nowhere", .said = "timezone" },
	{ .query = "start_date=x", .said = "start_date" },
	{ .query = "scope=user", .said = "scope" },
	{ .query = "policy_id=p", .said = "policy_id" },
	{ .query = "format=csv", .said = "format" },
	{ .query = "cursor=31", .said = "cursor" },
};

static void
report_is_read(void **state)
{
	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		struct http_request req = request(*state, reports[i].query);
		struct usage_report report;
		struct err err;

		print_message("%s\n", reports[i].query);
		enum status status = usage_report_read(
		    &req, NULL, FIXTURE_NOW_US, &report, &err);
		if (reports[i].said != NULL) {
			assert_int_equal(status, STATUS_REQUEST);
			assert_int_equal(err.items_n, 1);
			assert_string_equal(err.items[0].pointer,
					    reports[i].said);
			continue;
		}
		assert_int_equal(status, STATUS_OK);
		assert_int_equal(report.ask.by, reports[i].by);
		assert_int_equal(report.ask.bucket, reports[i].bucket);
		assert_int_equal(report.ask.sort, reports[i].sort);
		assert_int_equal(report.ask.limit, reports[i].limit);
		assert_int_equal(report.ask.to_us, FIXTURE_NOW_US);
		assert_string_equal(report.ask.timezone, "UTC");
		assert_null(report.ask.after);
	}
}

static void
filters_and_what_a_key_is_bound_to_are_apart(void **state)
{
	static const struct bound_fact facts[] = {
		{ FACT_organization_id, "acme" },
		{ FACT_team_id, "red" },
		{ FACT_environment, "production" },
	};
	static const struct api_key key = { .facts = facts, .facts_n = 3 };
	struct http_request req =
	    request(*state, "organization_id=other&user_id=&model_id=m%2F1");
	struct usage_report report;
	struct err err;

	assert_int_equal(
	    usage_report_read(&req, &key, FIXTURE_NOW_US, &report, &err),
	    STATUS_OK);
	const struct store_usage_filter *filter = &report.ask.filter;
	assert_string_equal(filter->asked[STORE_USAGE_ORGANIZATION], "other");
	assert_string_equal(filter->asked[STORE_USAGE_USER], "");
	assert_string_equal(filter->asked[STORE_USAGE_MODEL], "m/1");
	assert_null(filter->asked[STORE_USAGE_TEAM]);
	assert_string_equal(filter->bound[STORE_USAGE_ORGANIZATION], "acme");
	assert_string_equal(filter->bound[STORE_USAGE_TEAM], "red");
	assert_null(filter->bound[STORE_USAGE_USER]);
	assert_null(filter->bound[STORE_USAGE_VENDOR]);
}

static void
too_long_a_value_is_refused(void **state)
{
	char query[16 + 257 + 1] = "user_id=";
	struct http_request req = request(*state, query);
	struct usage_report report;
	struct err err;

	memset(query + 8, 'u', 257);
	assert_int_equal(
	    usage_report_read(&req, NULL, FIXTURE_NOW_US, &report, &err),
	    STATUS_REQUEST);
	assert_string_equal(err.items[0].pointer, "user_id");
	query[8 + 256] = '\0';
	assert_int_equal(
	    usage_report_read(&req, NULL, FIXTURE_NOW_US, &report, &err),
	    STATUS_OK);
}

/* The query of the link that follows LAST. */
static const char *
next_query(struct fixture *f, const struct http_request *req,
	   const struct page_link *link, const struct page_place *last)
{
	struct http_response res = { 0 };

	page_next(req, &res, link, last);
	char *text = arena_strdup(f->arena, res.headers[0].value);
	*strchr(text, '>') = '\0';
	return strchr(text, '?') + 1;
}

/* Places of a report by user and day, sorted by cost; false: refused. */
static const struct {
	const char *bucket, *amount, *user;
	bool good;
} cursors[] = {
	{ "2026-11-23T00:00:00.000000Z", "1.5", "ann", true },
	{ "2026-11-23T00:00:00.000000Z", "-0.000000001", "", true },
	{ "2026-11-23T00:00:00.000000Z", "1.5'", "ann", false },
	{ "2026-11-23T00:00:00.000000Z", "NaN", "ann", false },
	{ "2026-11-23T00:00:00.000000Z", "", "ann", false },
	{ "2026-11-23", "1.5", "ann", false },
	{ "1969-11-23T00:00:00.000000Z", "1.5", "ann", false },
	{ "infinity", "1.5", "ann", false },
};

static void
cursor_of_a_report_is_checked(void **state)
{
	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		struct http_request req =
		    request(*state, "group_by=user&bucket=day");
		struct usage_report report, next;
		struct err err;

		assert_int_equal(usage_report_read(&req, NULL, FIXTURE_NOW_US,
						   &report, &err),
				 STATUS_OK);
		const struct page_link link = { &report.query,
						report.period.fixed,
						PERIOD_ITEMS, report.list };
		const struct page_place place = {
			{ cursors[i].bucket, cursors[i].amount, "", "",
			  cursors[i].user, "", "", "" },
			8
		};
		req.query = next_query(*state, &req, &link, &place);
		print_message("%zu\n", i);
		/* Time goes on; the period of the next page does not. */
		enum status status = usage_report_read(
		    &req, NULL, FIXTURE_NOW_US + 7, &next, &err);
		if (!cursors[i].good) {
			assert_int_equal(status, STATUS_REQUEST);
			assert_string_equal(err.items[0].pointer, "cursor");
			continue;
		}
		assert_int_equal(status, STATUS_OK);
		assert_int_equal(next.ask.to_us, FIXTURE_NOW_US);
		assert_string_equal(next.ask.after->bucket, cursors[i].bucket);
		assert_string_equal(next.ask.after->amount, cursors[i].amount);
		assert_string_equal(next.ask.after->by[STORE_USAGE_USER],
				    cursors[i].user);
		/* of another order: refused */
		req.query = arena_printf(req.arena, "%s&sort=calls", req.query);
		assert_int_equal(
		    usage_report_read(&req, NULL, FIXTURE_NOW_US, &next, &err),
		    STATUS_REQUEST);
	}
}

static const struct constraint costs[] = {
	{ .key = CONSTRAINT_max_daily_cost, .number = USD },
	{ .key = CONSTRAINT_max_monthly_cost, .number = 9 * USD },
};
static const struct constraint tokens[] = {
	{ .key = CONSTRAINT_max_daily_tokens, .number = 1000 },
};
static const struct policy policies[] = {
	{ .policy_id = "p-user",
	  .scope = SCOPE_USER,
	  .constraints = costs,
	  .constraints_n = 2 },
	{ .policy_id = "p-team",
	  .scope = SCOPE_TEAM,
	  .constraints = costs,
	  .constraints_n = 1 },
	{ .policy_id = "p-all",
	  .scope = SCOPE_GLOBAL,
	  .constraints = tokens,
	  .constraints_n = 1 },
};
static const struct policy_set set = { .policies = policies, .policies_n = 3 };

/* Which policies' budgets are asked about, by the first letters behind p-. */
static const struct {
	const char *query, *budgets, *said;
} budgets[] = {
	{ "view=budgets", "uuta", NULL },
	{ "view=budgets&scope=user", "uu", NULL },
	{ "view=budgets&scope=global", "a", NULL },
	{ "view=budgets&scope=vendor", "", NULL },
	{ "view=budgets&policy_id=p-team", "t", NULL },
	{ "view=budgets&policy_id=none", "", NULL },
	{ "view=budgets&user_id=ann", "uu", NULL },
	{ "view=budgets&user_id=ann&team_id=red", "uut", NULL },
	{ "view=budgets&user_id=ann&scope=team", "", NULL },
	{ "view=budgets&organization_id=acme", "", NULL },
	{ "view=budgets&scope=all", NULL, "scope" },
	{ "view=budgets&group_by=user", NULL, "group_by" },
	{ "view=budgets&start_date=2026-01-01", NULL, "start_date" },
	{ "view=budgets&limit=x", NULL, "limit" },
	{ "view=budgets&cursor=x", NULL, "cursor" },
};

static void
budgets_are_chosen(void **state)
{
	for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		struct http_request req = request(*state, budgets[i].query);
		struct usage_budgets out;
		char letters[8] = "";
		struct err err;

		print_message("%s\n", budgets[i].query);
		enum status status = usage_budgets_read(
		    &req, NULL, &set, FIXTURE_NOW_US, &out, &err);
		if (budgets[i].said != NULL) {
			assert_int_equal(status, STATUS_REQUEST);
			assert_string_equal(err.items[0].pointer,
					    budgets[i].said);
			continue;
		}
		assert_int_equal(status, STATUS_OK);
		for (size_t j = 0; j < out.ask.budgets_n; j++) {
			const struct budget *budget = &out.budgets[j];

			letters[j] = budget->policy->policy_id[2];
			assert_string_equal(out.ask.budgets[j].scope,
					    scope_words[budget->policy->scope]);
			assert_int_equal(out.ask.budgets[j].from_us,
					 budget->window.from_us);
			assert_int_equal(out.ask.budgets[j].tokens,
					 letters[j] == 'a');
		}
		assert_string_equal(letters, budgets[i].budgets);
	}
}

/* Places of the budgets above; BUDGET: which of those of the query, or -1. */
static const struct {
	const char *policy_id, *key, *used;
	int budget;
} places[] = {
	{ "p-user", "max_daily_cost", "0.5", 0 },
	{ "p-user", "max_monthly_cost", "0.5", 1 },
	{ "p-team", "max_daily_cost", "0", 2 },
	{ "p-gone", "max_daily_cost", "0", -1 },
	{ "p-team", "max_monthly_cost", "0", -1 },
	{ "p-team", "max_daily_cost", "x", -1 },
};

static void
cursor_of_budgets_is_checked(void **state)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct http_request req = request(*state, "view=budgets");
		struct usage_budgets out, next;
		struct err err;

		assert_int_equal(usage_budgets_read(&req, NULL, &set,
						    FIXTURE_NOW_US, &out, &err),
				 STATUS_OK);
		const struct page_link link = { &out.query, NULL, 0, out.list };
		const struct page_place place = { { places[i].policy_id,
						    places[i].key,
						    places[i].used, "ann" },
						  4 };
		req.query = next_query(*state, &req, &link, &place);
		print_message("%zu\n", i);
		enum status status = usage_budgets_read(
		    &req, NULL, &set, FIXTURE_NOW_US, &next, &err);
		if (places[i].budget < 0) {
			assert_int_equal(status, STATUS_REQUEST);
			assert_string_equal(err.items[0].pointer, "cursor");
			continue;
		}
		assert_int_equal(status, STATUS_OK);
		assert_int_equal(next.ask.after->budget, places[i].budget);
		assert_string_equal(next.ask.after->used, places[i].used);
		assert_string_equal(next.ask.after->subject, "ann");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_is_read),
		cmocka_unit_test(filters_and_what_a_key_is_bound_to_are_apart),
		cmocka_unit_test(too_long_a_value_is_refused),
		cmocka_unit_test(cursor_of_a_report_is_checked),
		cmocka_unit_test(budgets_are_chosen),
		cmocka_unit_test(cursor_of_budgets_is_checked),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
