#include "policy/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define S_US INT64_C(1000000)

enum { DAY_S = 24 * 60 * 60, STEP_S = 6 * 60 * 60 };

static int
arena_begin(void **state)
{
	*state = arena_new(4096);
	return 0;
}

static int
arena_end(void **state)
{
	arena_free(*state);
	return 0;
}

static int64_t
time_of(const char *text)
{
	int64_t us;

	if (!clock_parse(text, &us)) {
		fail_msg("%s is no time", text);
	}
	return us;
}

static const struct {
	const char *now, *name;
	struct {
		const char *from;
		int32_t offset_s;
	} changes[9];
} known[] = {
	/* 400 days before, and 1100 days after */
	{ "2026-06-15T12:00:00Z",
	  "Europe/Berlin",
	  { { "2025-05-11T12:00:00Z", 7200 },
	    { "2025-10-26T01:00:00Z", 3600 },
	    { "2026-03-29T01:00:00Z", 7200 },
	    { "2026-10-25T01:00:00Z", 3600 },
	    { "2027-03-28T01:00:00Z", 7200 },
	    { "2027-10-31T01:00:00Z", 3600 },
	    { "2028-03-26T01:00:00Z", 7200 },
	    { "2028-10-29T01:00:00Z", 3600 },
	    { "2029-03-25T01:00:00Z", 7200 } } },
	{ "2017-06-01T00:00:00Z",
	  "America/Sao_Paulo",
	  { { "2016-04-27T00:00:00Z", -10800 },
	    { "2016-10-16T03:00:00Z", -7200 },
	    { "2017-02-19T02:00:00Z", -10800 },
	    { "2017-10-15T03:00:00Z", -7200 },
	    { "2018-02-18T02:00:00Z", -10800 },
	    { "2018-11-04T03:00:00Z", -7200 },
	    { "2019-02-17T02:00:00Z", -10800 } } },
	{ "2011-12-01T00:00:00Z",
	  "Asia/Kathmandu",
	  { { "2010-10-27T00:00:00Z", 20700 } } },
	{ "2026-06-15T12:00:00Z", "UTC", { { "2025-05-11T12:00:00Z", 0 } } },
	{ "2026-06-15T12:00:00Z",
	  "Etc/GMT+5",
	  { { "2025-05-11T12:00:00Z", -18000 } } },
	/* only its name changed, in December 2000 */
	{ "2001-01-01T00:00:00Z",
	  "Pacific/Guam",
	  { { "1999-11-28T00:00:00Z", 36000 } } },
	/* what a document is checked with */
	{ "1970-01-01T00:00:00Z",
	  "Asia/Kolkata",
	  { { "1968-11-27T00:00:00Z", 19800 } } },
};

static void
changes_of_a_zone(void **state)
{
	for (size_t i = 0; i < N(known); i++) {
		const struct zone *zone =
		    zone_read(*state, known[i].name, time_of(known[i].now));
		size_t n = 0;

		print_message("%s\n", known[i].name);
		assert_non_null(zone);
		while (n < N(known[i].changes) &&
		       known[i].changes[n].from != NULL) {
			assert_true(n < zone->changes_n);
			assert_int_equal(zone->changes[n].from_s * S_US,
					 time_of(known[i].changes[n].from));
			assert_int_equal(zone->changes[n].offset_s,
					 known[i].changes[n].offset_s);
			n++;
		}
		assert_int_equal(zone->changes_n, n);
	}
}

static int32_t
offset_at(const struct zone *zone, int64_t at_s)
{
	size_t i = 0;

	while (i + 1 < zone->changes_n && zone->changes[i + 1].from_s <= at_s) {
		i++;
	}
	return zone->changes[i].offset_s;
}

static void
check_offset(const struct zone *zone, int64_t at_s)
{
	time_t at = at_s;
	struct tm tm;

	assert_non_null(localtime_r(&at, &tm));
	assert_int_equal(offset_at(zone, at_s), tm.tm_gmtoff);
}

/* Those whose clocks change in unusual ways, or not at all. */
static void
offsets_are_as_in_libc(void **state)
{
	static const char *const names[] = {
		"Europe/Berlin",
		"Europe/Dublin",
		"Africa/Casablanca",
		"America/Havana",
		"America/Nuuk",
		"America/St_Johns",
		"America/New_York",
		"America/Argentina/Buenos_Aires",
		"America/Sao_Paulo",
		"Asia/Tehran",
		"Asia/Gaza",
		"Africa/Cairo",
		"Asia/Kathmandu",
		"Australia/Lord_Howe",
		"Antarctica/Troll",
		"Pacific/Apia",
		"Pacific/Kiritimati",
		"Pacific/Marquesas",
		"NZ-CHAT",
		"W-SU",
		"Zulu",
	};
	/* the second is when Apia left out a day */
	static const char *const nows[] = { "2026-06-15T12:34:56Z",
					    "2011-06-15T12:34:56Z" };

	for (size_t i = 0; i < N(names) * N(nows); i++) {
		const char *name = names[i / N(nows)];
		int64_t now_us = time_of(nows[i % N(nows)]);
		int64_t now_s = now_us / S_US;
		const struct zone *zone = zone_read(*state, name, now_us);

		print_message("%s\n", name);
		assert_non_null(zone);
		assert_int_equal(setenv("TZ", name, 1), 0);
		tzset();
		for (int64_t at_s = now_s - 400 * DAY_S;
		     at_s <= now_s + 1100 * DAY_S; at_s += STEP_S) {
			check_offset(zone, at_s);
		}
		for (size_t c = 1; c < zone->changes_n; c++) {
			check_offset(zone, zone->changes[c].from_s - 1);
			check_offset(zone, zone->changes[c].from_s);
			assert_true(zone->changes[c].from_s >
				    zone->changes[c - 1].from_s);
			assert_int_not_equal(zone->changes[c].offset_s,
					     zone->changes[c - 1].offset_s);
		}
	}
}

static void
other_names_are_no_zones(void **state)
{
	static const char *const names[] = {
		"",
		"Europe",
		"Europe/",
		"/Europe/Berlin",
		"Europe//Berlin",
		"Europe/Berlin/",
		"Europe/Nowhere",
		"europe/berlin",
		"Europe/New York",
		"A/B/C/D",
		"America/Argentina/Buenos_Aires/X",
		/* offsets and rules, which GLib takes */
		"Z",
		"+3",
		"+01:00",
		"ABC5",
		"UTC+3",
		"EST5EDT",
		"EST5EDT,M3.2.0,M11.1.0",
		"CET-1CEST/Oslo",
		/* files beside the zones */
		"localtime",
		"posixrules",
		"leapseconds",
		"tzdata.zi",
		"posix/Europe/Berlin",
		"right/Europe/Berlin",
		"../../etc/localtime",
		"Europe/../UTC",
		"Europe/.",
		/* what could end a C text early, or is no ASCII */
		"Europe/Berlin\n",
		"Europe/\xc3\x84",
	};

	for (size_t i = 0; i < N(names); i++) {
		if (zone_read(*state, names[i], 0) != NULL) {
			fail_msg("%s is a zone", names[i]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_of_a_zone),
		cmocka_unit_test(offsets_are_as_in_libc),
		cmocka_unit_test(other_names_are_no_zones),
	};

	return cmocka_run_group_tests_name("zone", tests, arena_begin,
					   arena_end);
}
