#include "core/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/clock.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define S_US INT64_C(1000000)
#define HOUR_US (INT64_C(3600) * S_US)
#define DAY_US (24 * HOUR_US)
#define H 3600

/* Zones of the IANA database, as far as the cases below need them. */
static const struct zone_change berlin_changes[] = {
	{ 1761440400, 1 * H }, /* 2025-10-26T01:00Z */
	{ 1774746000, 2 * H }, /* 2026-03-29T01:00Z: 02:00 becomes 03:00 */
	{ 1792890000, 1 * H }, /* 2026-10-25T01:00Z: 03:00 becomes 02:00 */
};
/* Summer begins at midnight, so that midnight is left out; at its end clocks
 * go from 24:00 to 23:00. */
static const struct zone_change sao_paulo_changes[] = {
	{ 1487469600, -3 * H }, /* 2017-02-19T02:00Z */
	{ 1508036400, -2 * H }, /* 2017-10-15T03:00Z: 00:00 becomes 01:00 */
	{ 1518919200, -3 * H }, /* 2018-02-18T02:00Z: 00:00 becomes 23:00 */
};
/* At the end of summer 01:00 becomes 00:00: midnight comes twice. */
static const struct zone_change havana_changes[] = {
	{ 1762059600, -5 * H }, /* 2025-11-02T05:00Z */
	{ 1772946000, -4 * H }, /* 2026-03-08T05:00Z: 00:00 becomes 01:00 */
	{ 1793509200, -5 * H }, /* 2026-11-01T05:00Z: 01:00 becomes 00:00 */
};
/* A minute after midnight, 23:01 of the day before is shown again. */
static const struct zone_change st_johns_changes[] = {
	{ 1268537460, -9000 },	/* 2010-03-14T03:31Z */
	{ 1289097060, -12600 }, /* 2010-11-07T02:31Z: 00:01 becomes 23:01 */
};
/* The 30th of December 2011 was left out. */
static const struct zone_change apia_changes[] = {
	{ 1316872800, -10 * H }, /* 2011-09-24T14:00Z */
	{ 1325239200, 14 * H },	 /* 2011-12-30T10:00Z */
};
static const struct zone_change kathmandu_changes[] = {
	{ 504901800, 20700 },
};

#define ZONE(name)                                                   \
	static const struct zone name = { .changes = name##_changes, \
					  .changes_n = N(name##_changes) }
ZONE(berlin);
ZONE(sao_paulo);
ZONE(havana);
ZONE(st_johns);
ZONE(apia);
ZONE(kathmandu);

static const struct zone *const zones[] = { NULL,      &berlin,	  &sao_paulo,
					    &havana,   &st_johns, &apia,
					    &kathmandu };

static const struct {
	enum window_unit unit;
	const struct zone *zone;
	int reset_hour;
	const char *at, *from, *to;
} cases[] = {
	/* the day of UTC, and one of a reset hour */
	{ WINDOW_DAY, NULL, 0, "2026-03-10T00:00:00Z", "2026-03-10T00:00:00Z",
	  "2026-03-11T00:00:00Z" },
	{ WINDOW_DAY, NULL, 0, "2026-03-10T23:59:59.999999Z",
	  "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z" },
	{ WINDOW_DAY, NULL, 6, "2026-03-10T05:59:59.999999Z",
	  "2026-03-09T06:00:00Z", "2026-03-10T06:00:00Z" },
	{ WINDOW_DAY, NULL, 6, "2026-03-10T06:00:00Z", "2026-03-10T06:00:00Z",
	  "2026-03-11T06:00:00Z" },
	{ WINDOW_DAY, NULL, 23, "2028-02-29T22:00:00Z", "2028-02-28T23:00:00Z",
	  "2028-02-29T23:00:00Z" },
	/* weeks: 2026 has 53 of them, the last ends in 2027 */
	{ WINDOW_WEEK, NULL, 0, "2026-12-31T12:00:00Z", "2026-12-28T00:00:00Z",
	  "2027-01-04T00:00:00Z" },
	{ WINDOW_WEEK, NULL, 0, "2027-01-03T23:59:59Z", "2026-12-28T00:00:00Z",
	  "2027-01-04T00:00:00Z" },
	{ WINDOW_WEEK, NULL, 0, "2027-01-04T00:00:00Z", "2027-01-04T00:00:00Z",
	  "2027-01-11T00:00:00Z" },
	{ WINDOW_WEEK, NULL, 8, "2026-03-09T07:59:59Z", "2026-03-02T08:00:00Z",
	  "2026-03-09T08:00:00Z" },
	/* months: their ends, leap days, the reset hour of the first */
	{ WINDOW_MONTH, NULL, 0, "2026-01-31T23:59:59Z", "2026-01-01T00:00:00Z",
	  "2026-02-01T00:00:00Z" },
	{ WINDOW_MONTH, NULL, 0, "2026-02-28T12:00:00Z", "2026-02-01T00:00:00Z",
	  "2026-03-01T00:00:00Z" },
	{ WINDOW_MONTH, NULL, 0, "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z",
	  "2028-03-01T00:00:00Z" },
	{ WINDOW_MONTH, NULL, 0, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z",
	  "2027-01-01T00:00:00Z" },
	{ WINDOW_MONTH, NULL, 6, "2028-03-01T05:59:59Z", "2028-02-01T06:00:00Z",
	  "2028-03-01T06:00:00Z" },
	/* Berlin: a day of 23 hours, and one of 25 */
	{ WINDOW_DAY, &berlin, 0, "2026-03-29T12:00:00Z",
	  "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z" },
	{ WINDOW_DAY, &berlin, 0, "2026-03-29T22:00:00Z",
	  "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z" },
	{ WINDOW_DAY, &berlin, 0, "2026-10-25T00:59:59Z",
	  "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z" },
	{ WINDOW_DAY, &berlin, 0, "2026-10-25T22:59:59Z",
	  "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z" },
	{ WINDOW_WEEK, &berlin, 0, "2026-10-25T12:00:00Z",
	  "2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z" },
	{ WINDOW_MONTH, &berlin, 0, "2026-03-31T21:59:59Z",
	  "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z" },
	/* before the first change and after the last its offset goes on */
	{ WINDOW_DAY, &berlin, 0, "2020-07-01T12:00:00Z",
	  "2020-06-30T23:00:00Z", "2020-07-01T23:00:00Z" },
	{ WINDOW_DAY, &berlin, 0, "2040-07-01T12:00:00Z",
	  "2040-06-30T23:00:00Z", "2040-07-01T23:00:00Z" },
	/* Sao Paulo: the 15th begins at 01:00, which is 03:00 of UTC */
	{ WINDOW_DAY, &sao_paulo, 0, "2017-10-15T02:59:59Z",
	  "2017-10-14T03:00:00Z", "2017-10-15T03:00:00Z" },
	{ WINDOW_DAY, &sao_paulo, 0, "2017-10-15T03:00:00Z",
	  "2017-10-15T03:00:00Z", "2017-10-16T02:00:00Z" },
	/* the 17th has its last hour twice, the 18th begins after both */
	{ WINDOW_DAY, &sao_paulo, 0, "2018-02-18T02:00:00Z",
	  "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z" },
	{ WINDOW_DAY, &sao_paulo, 0, "2018-02-18T02:30:00Z",
	  "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z" },
	{ WINDOW_DAY, &sao_paulo, 0, "2018-02-18T03:00:00Z",
	  "2018-02-18T03:00:00Z", "2018-02-19T03:00:00Z" },
	/* Havana: the day and the month begin with the first midnight */
	{ WINDOW_DAY, &havana, 0, "2026-11-01T03:59:59Z",
	  "2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z" },
	{ WINDOW_DAY, &havana, 0, "2026-11-01T05:30:00Z",
	  "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z" },
	{ WINDOW_MONTH, &havana, 0, "2026-11-01T04:00:00Z",
	  "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z" },
	{ WINDOW_DAY, &havana, 0, "2026-03-08T05:00:00Z",
	  "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z" },
	/* St John's: what shows the day before again is still the new one */
	{ WINDOW_DAY, &st_johns, 0, "2010-11-07T02:29:59Z",
	  "2010-11-06T02:30:00Z", "2010-11-07T02:30:00Z" },
	{ WINDOW_DAY, &st_johns, 0, "2010-11-07T02:30:30Z",
	  "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z" },
	{ WINDOW_DAY, &st_johns, 0, "2010-11-07T02:45:00Z",
	  "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z" },
	/* Apia: a day that is left out is no window */
	{ WINDOW_DAY, &apia, 0, "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z",
	  "2011-12-30T10:00:00Z" },
	{ WINDOW_DAY, &apia, 0, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
	  "2011-12-31T10:00:00Z" },
	{ WINDOW_WEEK, &apia, 0, "2011-12-30T10:00:00Z", "2011-12-26T10:00:00Z",
	  "2012-01-01T10:00:00Z" },
	{ WINDOW_MONTH, &apia, 0, "2011-12-30T10:00:00Z",
	  "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z" },
	{ WINDOW_DAY, &kathmandu, 0, "2026-05-05T18:14:59Z",
	  "2026-05-04T18:15:00Z", "2026-05-05T18:15:00Z" },
};

static int64_t
time_of(const char *text)
{
	int64_t us;

	if (!clock_parse(text, &us)) {
		fail_msg("%s is no time", text);
	}
	return us;
}

static void
windows_of_the_calendar(void **state)
{
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct window window =
		    window_calendar(cases[i].unit, cases[i].zone,
				    cases[i].reset_hour, time_of(cases[i].at));

		if (window.from_us != time_of(cases[i].from) ||
		    window.to_us != time_of(cases[i].to)) {
			fail_msg("case %zu, %s of %s: %s to %s", i,
				 window_words[cases[i].unit], cases[i].at,
				 clock_rfc3339(window.from_us, from),
				 clock_rfc3339(window.to_us, to));
		}
	}
}

/* xorshift64* */
static int64_t
random_between(int64_t low, int64_t high)
{
	static uint64_t state = 88172645463325252;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return low + (int64_t)(state * UINT64_C(2685821657736338717) %
			       (uint64_t)(high - low));
}

/* The same by libc, in UTC. */
static struct window
window_of_libc(enum window_unit unit, int64_t at_s)
{
	time_t at = at_s;
	struct tm begin = { 0 }, end;

	assert_non_null(gmtime_r(&at, &begin));
	begin.tm_sec = begin.tm_min = begin.tm_hour = 0;
	if (unit == WINDOW_WEEK) {
		begin.tm_mday -= (begin.tm_wday + 6) % 7;
	} else if (unit == WINDOW_MONTH) {
		begin.tm_mday = 1;
	}
	end = begin;
	if (unit == WINDOW_MONTH) {
		end.tm_mon++;
	} else {
		end.tm_mday += unit == WINDOW_WEEK ? 7 : 1;
	}
	return (struct window){ .from_us = timegm(&begin) * S_US,
				.to_us = timegm(&end) * S_US };
}

/* From the year 1370 to 2570, also before 1970, at the edges of days. */
static void
utc_is_as_in_libc(void **state)
{
	const int64_t span_us = INT64_C(219000) * DAY_US;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		int64_t at_us = random_between(-span_us, span_us);
		enum window_unit unit = WINDOW_DAY + (enum window_unit)(i % 3);
		int hour = i % 2 == 0 ? 0 : i % 24;

		if (i % 5 == 0) { /* an edge of a day, or just before it */
			at_us = at_us / DAY_US * DAY_US - i % 2;
		}
		struct window window = window_calendar(unit, NULL, hour, at_us);
		int64_t shift_us = hour * HOUR_US;
		int64_t at_s = (at_us - shift_us) / S_US -
			       ((at_us - shift_us) % S_US < 0 ? 1 : 0);
		struct window want = window_of_libc(unit, at_s);

		assert_int_equal(window.from_us, want.from_us + shift_us);
		assert_int_equal(window.to_us, want.to_us + shift_us);
	}
}

static void
check_length(enum window_unit unit, const struct window *window)
{
	int64_t us = window->to_us - window->from_us;
	int64_t days = unit == WINDOW_DAY ? 1 : unit == WINDOW_WEEK ? 7 : 28;
	int64_t most = unit == WINDOW_MONTH ? 31 : days;

	/* clocks are changed by an hour, but Apia's were by a day */
	assert_true(us >= (days - (days > 1 ? 1 : 0)) * DAY_US - HOUR_US);
	assert_true(us <= most * DAY_US + HOUR_US);
}

/* Each window holds its instant, and the next begins where it ends. */
static void
windows_follow_each_other(void **state)
{
	(void)state;
	for (int i = 0; i < 30000; i++) {
		const struct zone *zone = zones[i % N(zones)];
		enum window_unit unit = WINDOW_DAY + (enum window_unit)(i % 3);
		int hour = zone == NULL ? i % 24 : 0;
		int64_t at_us = random_between(-DAY_US * 1000, DAY_US * 25000);

		if (zone != NULL && i % 2 == 0) { /* near a change */
			size_t c = (size_t)i / 2 % zone->changes_n;
			at_us = zone->changes[c].from_s * S_US +
				random_between(-DAY_US, DAY_US);
		}
		struct window w = window_calendar(unit, zone, hour, at_us);
		assert_true(w.from_us <= at_us && at_us < w.to_us);
		assert_int_equal(w.from_us % S_US, 0);
		check_length(unit, &w);
		/* the same at both ends of it */
		struct window first =
		    window_calendar(unit, zone, hour, w.from_us);
		struct window last =
		    window_calendar(unit, zone, hour, w.to_us - 1);
		assert_memory_equal(&first, &w, sizeof(w));
		assert_memory_equal(&last, &w, sizeof(w));
		/* and its neighbours touch it */
		struct window next = window_calendar(unit, zone, hour, w.to_us);
		struct window before =
		    window_calendar(unit, zone, hour, w.from_us - 1);
		assert_int_equal(next.from_us, w.to_us);
		assert_int_equal(before.to_us, w.from_us);
	}
}

static void
rolling_windows_have_lengths(void **state)
{
	(void)state;
	assert_int_equal(window_length_us(WINDOW_MINUTE), 60 * S_US);
	assert_int_equal(window_length_us(WINDOW_HOUR), HOUR_US);
	assert_int_equal(window_length_us(WINDOW_DAY), DAY_US);
}

static void
each_unit_has_a_word(void **state)
{
	static const char *const words[WINDOW_N] = {
		[WINDOW_MINUTE] = "minute", [WINDOW_HOUR] = "hour",
		[WINDOW_DAY] = "day",	    [WINDOW_WEEK] = "week",
		[WINDOW_MONTH] = "month",   [WINDOW_OPEN] = "open",
	};

	(void)state;
	for (size_t i = 0; i < WINDOW_N; i++) {
		assert_string_equal(window_words[i], words[i]);
	}
	assert_null(window_words[WINDOW_N]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_the_calendar),
		cmocka_unit_test(utc_is_as_in_libc),
		cmocka_unit_test(windows_follow_each_other),
		cmocka_unit_test(rolling_windows_have_lengths),
		cmocka_unit_test(each_unit_has_a_word),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
