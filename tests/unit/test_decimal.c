#include "base/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	int scale;
	int64_t want;
	bool inexact;
} numbers[] = {
	{ "0", 0, 0, false },
	{ "-0", 9, 0, false },
	{ "7", 0, 7, false },
	{ "-7", 2, -700, false },
	{ "1.5", 0, 1, true },
	{ "-1.5", 0, -1, true },
	{ "1.5", 1, 15, false },
	{ "1.50", 1, 15, false },
	{ "1.51", 1, 15, true },
	{ "0.05", 9, 50000000, false },
	{ "5e-2", 9, 50000000, false },
	{ "5E-2", 9, 50000000, false },
	{ "0.5e-1", 9, 50000000, false },
	{ "50e+6", 0, 50000000, false },
	{ "1e3", 0, 1000, false },
	{ "123e-2", 0, 1, true },
	{ "100e-2", 0, 1, false },
	{ "0.001", 0, 0, true },
	{ "0.000", 0, 0, false },
	{ "1e-999999999999999999999999", 9, 0, true },
	{ "0e999999999999999999999999", 9, 0, false },
	{ "0.0e-999999999999999999999999", 9, 0, false },
	{ "9223372036854775807", 0, INT64_MAX, false },
	{ "-9223372036854775808", 0, INT64_MIN, false },
	{ "9223372036.854775807", 9, INT64_MAX, false },
	{ "9223372036.8547758079", 9, INT64_MAX, true },
	{ "-9223372036.854775808", 9, INT64_MIN, false },
	{ "9.223372036854775807e18", 0, INT64_MAX, false },
	{ "1", 18, INT64_C(1000000000000000000), false },
	{ "0.00000000000000000000000001e26", 0, 1, false },
	{ "100000000000000000000000000e-26", 0, 1, false },
};

static const struct {
	const char *text;
	int scale;
} wrong[] = {
	{ "", 0 },
	{ "-", 0 },
	{ "+1", 0 },
	{ " 1", 0 },
	{ "1 ", 0 },
	{ "01", 0 },
	{ "-01", 0 },
	{ ".5", 0 },
	{ "1.", 0 },
	{ "1.e1", 0 },
	{ "1e", 0 },
	{ "1e+", 0 },
	{ "1e-", 0 },
	{ "1e1.5", 0 },
	{ "1x", 0 },
	{ "0x10", 0 },
	{ "1,5", 0 },
	{ "NaN", 0 },
	{ "Infinity", 0 },
	{ "--1", 0 },
	/* these do not fit */
	{ "9223372036854775808", 0 },
	{ "-9223372036854775809", 0 },
	{ "9223372036.854775808", 9 },
	{ "18446744073709551616", 0 },
	{ "1e19", 0 },
	{ "10", 18 },
	{ "1e999999999999999999999999", 0 },
	{ "0.1e999999999999999999999999", 9 },
};

static void
right_numbers_are_scaled(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(numbers); i++) {
		int64_t got = 42;
		bool inexact = !numbers[i].inexact;

		print_message("%s by 1e%d\n", numbers[i].text,
			      numbers[i].scale);
		assert_true(decimal_parse(numbers[i].text, numbers[i].scale,
					  &got, &inexact));
		assert_true(got == numbers[i].want);
		assert_int_equal(inexact, numbers[i].inexact);
	}
}

static void
wrong_numbers_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		int64_t got = 42;
		bool inexact = true;

		print_message("%s by 1e%d\n", wrong[i].text, wrong[i].scale);
		assert_false(decimal_parse(wrong[i].text, wrong[i].scale, &got,
					   &inexact));
		assert_true(got == 42 && inexact);
	}
}

static uint64_t seed = 5;

static uint64_t
random_number(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return seed >> 11;
}

/* Any int64_t with its point moved anywhere and its exponent moved back. */
static void
moving_the_point_changes_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 50000; i++) {
		int64_t value =
		    (int64_t)(random_number() >> random_number() % 53);
		char digits[32], text[64];
		int n = snprintf(digits, sizeof(digits), "%" PRId64, value);
		int point = 1 + (int)(random_number() % (uint64_t)n);
		bool negative = random_number() % 2 == 1;
		int64_t got;
		bool inexact;

		snprintf(text, sizeof(text), "%s%.*s.%s0e%d",
			 negative ? "-" : "", point, digits, digits + point,
			 n - point);
		if (digits[0] == '0' && point > 1) {
			continue;
		}
		assert_true(decimal_parse(text, 0, &got, &inexact));
		assert_true(got == (negative ? -value : value));
		assert_false(inexact);
	}
}

static void
digits_are_those_of_printf(void **state)
{
	static const struct {
		uint64_t n;
		int width;
		const char *want;
	} rows[] = {
		{ 0, 0, "0" },	     { 0, 1, "0" },
		{ 0, 3, "000" },     { 7, 3, "007" },
		{ 1234, 3, "1234" }, { UINT64_MAX, 1, "18446744073709551615" },
		{ 10, 2, "10" },     { 100, 1, "100" },
		{ 99, 4, "0099" },   { 10005, 8, "00010005" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[32] = "", *end = text + sizeof(text) - 1;

		assert_string_equal(
		    decimal_digits(end, rows[i].n, rows[i].width),
		    rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_numbers_are_scaled),
		cmocka_unit_test(wrong_numbers_are_refused),
		cmocka_unit_test(moving_the_point_changes_nothing),
		cmocka_unit_test(digits_are_those_of_printf),
	};
	return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
