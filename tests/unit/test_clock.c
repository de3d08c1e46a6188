#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define S INT64_C(1000000)

static const struct {
	const char *text;
	int64_t us;
	const char *back; /* NULL: the same as text */
} times[] = {
	{ "1970-01-01T00:00:00.000000Z", 0, NULL },
	{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000000Z" },
	{ "1970-01-01t00:00:00z", 0, "1970-01-01T00:00:00.000000Z" },
	{ "1970-01-01 00:00:00+00:00", 0, "1970-01-01T00:00:00.000000Z" },
	{ "1970-01-01T00:00:00-00:00", 0, "1970-01-01T00:00:00.000000Z" },
	{ "2026-11-23T04:44:27.123456Z", 1795409067 * S + 123456, NULL },
	{ "2026-11-23T10:14:27.123456+05:30", 1795409067 * S + 123456,
	  "2026-11-23T04:44:27.123456Z" },
	{ "2026-11-22T23:44:27.123456-05:00", 1795409067 * S + 123456,
	  "2026-11-23T04:44:27.123456Z" },
	{ "2026-11-23T04:44:27.5Z", 1795409067 * S + 500000,
	  "2026-11-23T04:44:27.500000Z" },
	/* finer than a microsecond is cut off */
	{ "2026-11-23T04:44:27.123456999Z", 1795409067 * S + 123456,
	  "2026-11-23T04:44:27.123456Z" },
	{ "1969-12-31T23:59:59.999999Z", -1, NULL },
	{ "1969-12-31T23:59:59.000000Z", -S, NULL },
	{ "0000-01-01T00:00:00.000000Z", -62167219200 * S, NULL },
	{ "9999-12-31T23:59:59.999999Z", 253402300800 * S - 1, NULL },
	{ "2000-02-29T00:00:00.000000Z", 951782400 * S, NULL },
	{ "2024-02-29T12:00:00.000000Z", 1709208000 * S, NULL },
	{ "2016-12-31T23:59:60Z", 1483228800 * S,
	  "2017-01-01T00:00:00.000000Z" },
	{ "2016-12-31T15:59:60.5-08:00", 1483228800 * S + 500000,
	  "2017-01-01T00:00:00.500000Z" },
};

static const char *const wrong[] = {
	"",
	"2026",
	"2026-11-23",
	"2026-11-23T",
	"2026-11-23T04:44",
	"2026-11-23T04:44Z",
	"2026-11-23T04:44:27",
	"2026-11-23T04:44:27.Z",
	"2026-11-23T04:44:27.123",
	"2026-11-23T04:44:27Zx",
	"2026-11-23T04:44:27Z ",
	" 2026-11-23T04:44:27Z",
	"2026-11-23_04:44:27Z",
	"2026/11/23T04:44:27Z",
	"2026-11-23T04.44.27Z",
	"2026-1-23T04:44:27Z",
	"26-11-23T04:44:27Z",
	"02026-11-23T04:44:27Z",
	"-026-11-23T04:44:27Z",
	"2026-00-23T04:44:27Z",
	"2026-13-23T04:44:27Z",
	"2026-11-00T04:44:27Z",
	"2026-11-31T04:44:27Z",
	"2026-02-29T04:44:27Z",
	"1900-02-29T04:44:27Z",
	"2026-12-32T04:44:27Z",
	"2026-11-23T24:00:00Z",
	"2026-11-23T04:60:27Z",
	"2026-11-23T04:44:61Z",
	"2026-11-23T04:44:60Z",	     /* no leap second in the middle */
	"2016-12-31T23:59:60+01:00", /* nor at the end of a local day */
	"2026-11-23T04:44:27+05",
	"2026-11-23T04:44:27+0530",
	"2026-11-23T04:44:27+24:00",
	"2026-11-23T04:44:27+05:60",
	"2026-11-23T04:44:27*05:30",
	"2026-11-23T04:44:27+5:30",
	"2026-11-23T04:44:27 Z",
	"now",
	/* of no year of four digits in UTC */
	"9999-12-31T23:59:60Z",
	"9999-12-31T23:59:59.999999-00:01",
	"0000-01-01T00:00:00+00:01",
};

static void
right_times_are_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(times); i++) {
		char out[CLOCK_TEXT_BYTES];
		int64_t us = 42;

		print_message("%s\n", times[i].text);
		assert_true(clock_parse(times[i].text, &us));
		assert_true(us == times[i].us);
		assert_string_equal(clock_rfc3339(us, out),
				    times[i].back == NULL ? times[i].text
							  : times[i].back);
	}
}

static void
wrong_times_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		int64_t us = 42;

		print_message("%s\n", wrong[i]);
		assert_false(clock_parse(wrong[i], &us));
		assert_true(us == 42);
	}
}

static void
no_time_that_fits_overflows_the_text(void **state)
{
	char out[CLOCK_TEXT_BYTES];

	(void)state;
	assert_string_equal(clock_rfc3339(INT64_MAX, out),
			    "294247-01-10T04:00:54.775807Z");
	clock_rfc3339(INT64_MIN, out);
	assert_true(strlen(out) < CLOCK_TEXT_BYTES);
}

static void
every_time_comes_back_the_same(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char out[CLOCK_TEXT_BYTES];
		int64_t us, back;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963;
		us = (int64_t)(seed % (253402300800 * S + 62167219200 * S)) -
		     62167219200 * S;
		assert_true(clock_parse(clock_rfc3339(us, out), &back));
		assert_true(back == us);
	}
}

static void
wake(int signal)
{
	(void)signal;
}

static void
a_sleep_lasts_also_over_a_signal(void **state)
{
	struct sigaction action = { .sa_handler = wake };
	int64_t start = clock_mono_us();

	(void)state;
	clock_sleep_us(0);
	clock_sleep_us(-5);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	ualarm(5000, 0);
	clock_sleep_us(30000);
	assert_true(clock_mono_us() - start >= 30000);
}

static void
the_time_of_day_is_of_this_age(void **state)
{
	(void)state;
	assert_true(clock_now_us() > 1700000000 * S);
	assert_true(clock_now_us() < 253402300800 * S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_times_are_read_and_written),
		cmocka_unit_test(wrong_times_are_refused),
		cmocka_unit_test(no_time_that_fits_overflows_the_text),
		cmocka_unit_test(every_time_comes_back_the_same),
		cmocka_unit_test(a_sleep_lasts_also_over_a_signal),
		cmocka_unit_test(the_time_of_day_is_of_this_age),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
