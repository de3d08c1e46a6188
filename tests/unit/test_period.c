#include "handler/period.h"

#include <string.h>

#include "http_fixture.h"

static const char *const names[] = { PERIOD_NAMES, NULL };

/* The period of a query at 2026-11-23T04:44:27Z, or what is refused. */
static const struct {
	const char *query, *from, *to, *said;
} periods[] = {
	{ "", "2026-11-01T00:00:00.000000Z", "2026-11-23T04:44:27.000000Z",
	  NULL },
	{ "start_date=2026-11-23", "2026-11-23T00:00:00.000000Z",
	  "2026-11-23T04:44:27.000000Z", NULL },
	{ "start_date=2026-01-01&end_date=2026-02-01",
	  "2026-01-01T00:00:00.000000Z", "2026-02-01T00:00:00.000000Z", NULL },
	{ "start_date=2026-11-23T04:00:00Z&end_date=2026-11-23T06:30:00%2B02:"
	  "00",
	  "2026-11-23T04:00:00.000000Z", "2026-11-23T04:30:00.000000Z", NULL },
	{ "start_date=1970-01-01&timezone=Europe/Berlin",
	  "1970-01-01T00:00:00.000000Z", "2026-11-23T04:44:27.000000Z", NULL },
	{ "start_date=1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z",
	  "2026-11-23T04:44:27.000000Z", NULL },
	{ "end_date=9999-12-31", "2026-11-01T00:00:00.000000Z",
	  "9999-12-31T00:00:00.000000Z", NULL },
	/* a date is the zone's day: 23 and 25 hours, and one without 0:00 */
	{ "start_date=2026-03-29&end_date=2026-03-30&timezone=Europe/Berlin",
	  "2026-03-28T23:00:00.000000Z", "2026-03-29T22:00:00.000000Z", NULL },
	{ "start_date=2026-10-25&end_date=2026-10-26&timezone=Europe/Berlin",
	  "2026-10-24T22:00:00.000000Z", "2026-10-25T23:00:00.000000Z", NULL },
	{ "start_date=2018-11-04&end_date=2018-11-05&timezone=America/"
	  "Sao_Paulo",
	  "2018-11-04T03:00:00.000000Z", "2018-11-05T02:00:00.000000Z", NULL },
	/* the ends of the world */
	{ "start_date=2026-03-01&end_date=2026-03-02&timezone="
	  "Pacific/Kiritimati",
	  "2026-02-28T10:00:00.000000Z", "2026-03-01T10:00:00.000000Z", NULL },
	{ "start_date=2026-03-01&end_date=2026-03-02&timezone=Etc/GMT%2B12",
	  "2026-03-01T12:00:00.000000Z", "2026-03-02T12:00:00.000000Z", NULL },
	{ "start_date=2026-03-01&end_date=2026-03-02&timezone=Asia/Kathmandu",
	  "2026-02-28T18:15:00.000000Z", "2026-03-01T18:15:00.000000Z", NULL },
	/* a time has its own offset */
	{ "start_date=2026-03-01T00:00:00Z&end_date=2026-03-02&timezone="
	  "Europe/Berlin",
	  "2026-03-01T00:00:00.000000Z", "2026-03-01T23:00:00.000000Z", NULL },
	{ "start_date=2026-11-23&end_date=2026-11-23", NULL, NULL,
	  "start_date" },
	{ "start_date=2026-11-24", NULL, NULL, "start_date" },
	{ "end_date=2026-10-31", NULL, NULL, "start_date" },
	{ "start_date=", NULL, NULL, "start_date" },
	{ "start_date=today", NULL, NULL, "start_date" },
	{ "start_date=2026-02-29", NULL, NULL, "start_date" },
	{ "start_date=2026-13-01", NULL, NULL, "start_date" },
	{ "start_date=2026-1-1", NULL, NULL, "start_date" },
	{ "start_date=2026-11-23T", NULL, NULL, "start_date" },
	{ "start_date=2026-11-23T04:00:00", NULL, NULL, "start_date" },
	{ "start_date=2026-11-23%2004:00:00Z%20", NULL, NULL, "start_date" },
	{ "start_date=1969-12-31", NULL, NULL, "start_date" },
	{ "start_date=0000-01-01", NULL, NULL, "start_date" },
	{ "end_date=10000-01-01", NULL, NULL, "end_date" },
	{ "end_date=2026-11-23T04:00:00.000000000000000000000000000000000000000"
	  "0000000000000000Z",
	  NULL, NULL, "end_date" },
	{ "timezone=", NULL, NULL, "timezone" },
	{ "timezone=Berlin", NULL, NULL, "timezone" },
	{ "timezone=../../../etc/passwd", NULL, NULL, "timezone" },
	{ "timezone=FOO%2B3", NULL, NULL, "timezone" },
	{ "timezone=UTC';--", NULL, NULL, "timezone" },
};

static void
each_period(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		struct http_query query;
		struct period period;
		struct err err;
		char text[CLOCK_TEXT_BYTES];

		fixture_clear(f);
		struct http_request req = fixture_request(f);
		req.query = periods[i].query;
		http_query_parse(&req, names, &query, &err);
		period_read(&query, FIXTURE_NOW_US, &period);
		print_message("%s\n", periods[i].query);
		if (periods[i].said != NULL) {
			assert_int_equal(http_query_done(&query),
					 STATUS_REQUEST);
			assert_string_equal(err.items[0].pointer,
					    periods[i].said);
			continue;
		}
		assert_int_equal(http_query_done(&query), STATUS_OK);
		assert_string_equal(clock_rfc3339(period.from_us, text),
				    periods[i].from);
		assert_string_equal(period.fixed[0].value, text);
		assert_string_equal(clock_rfc3339(period.to_us, text),
				    periods[i].to);
		assert_string_equal(period.fixed[1].value, text);
	}
}

static void
timezone_is_kept(void **state)
{
	struct http_query query;
	struct period period;
	struct err err;

	fixture_clear(*state);
	struct http_request req = fixture_request(*state);
	req.query = "timezone=Asia/Tokyo";
	http_query_parse(&req, names, &query, &err);
	period_read(&query, FIXTURE_NOW_US, &period);
	assert_string_equal(period.timezone, "Asia/Tokyo");
	req.query = "";
	http_query_parse(&req, names, &query, &err);
	period_read(&query, FIXTURE_NOW_US, &period);
	assert_string_equal(period.timezone, "UTC");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_period),
		cmocka_unit_test(timezone_is_kept),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
