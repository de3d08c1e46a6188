#include "base/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	bool ok;
	int64_t want;
} texts[] = {
	{ "0", true, 0 },
	{ "12", true, 12 * MONEY_ONE_USD },
	{ "0.05", true, 50000000 },
	{ "1e-3", true, 1000000 },
	{ "0.000000001", true, 1 },
	{ "-0.000000001", true, -1 },
	/* away from zero, so that a cost is never less than it was */
	{ "0.0000000001", true, 1 },
	{ "0.0000000009", true, 1 },
	{ "0.0000000010", true, 1 },
	{ "0.00000000101", true, 2 },
	{ "-0.0000000001", true, -1 },
	{ "-0.0000000011", true, -2 },
	{ "1e-400", true, 1 },
	{ "-1e-400", true, -1 },
	{ "0e-400", true, 0 },
	{ "9223372036.854775807", true, INT64_MAX },
	{ "9223372036.8547758069", true, INT64_MAX },
	{ "9223372036.8547758071", false, 0 },
	{ "9223372036.854775808", false, 0 },
	{ "-9223372036.854775808", true, INT64_MIN },
	{ "-9223372036.8547758081", false, 0 },
	{ "9223372037", false, 0 },
	{ "", false, 0 },
	{ "$1", false, 0 },
	{ "1.", false, 0 },
	{ "01", false, 0 },
	{ "1,5", false, 0 },
	{ "nan", false, 0 },
};

static void
texts_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		int64_t got = 42;

		print_message("%s\n", texts[i].text);
		assert_int_equal(money_parse(texts[i].text, &got), texts[i].ok);
		assert_true(got == (texts[i].ok ? texts[i].want : 42));
	}
}

static void
amounts_are_written_short(void **state)
{
	static const struct {
		int64_t nanousd;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ 1, "0.000000001" },
		{ MONEY_UNKNOWN, "-0.000000001" },
		{ 187500000, "0.1875" },
		{ 12 * MONEY_ONE_USD, "12" },
		{ 12 * MONEY_ONE_USD + 500000000, "12.5" },
		{ -12 * MONEY_ONE_USD - 10, "-12.00000001" },
		{ 100 * MONEY_ONE_USD, "100" },
		{ INT64_MAX, "9223372036.854775807" },
		{ INT64_MIN, "-9223372036.854775808" },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		char out[MONEY_TEXT_BYTES];

		assert_ptr_equal(money_text(cases[i].nanousd, out), out);
		assert_string_equal(out, cases[i].want);
	}
}

static uint64_t seed = 9;

static uint64_t
random_number(void)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return seed ^ seed >> 32;
}

static void
what_is_written_is_read_back_the_same(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		/* of all sizes, and with zeroes at the end */
		int64_t value =
		    (int64_t)random_number() >> random_number() % 64;
		char text[MONEY_TEXT_BYTES];
		int64_t back;

		if (i % 2 == 0) {
			value -= value % 1000000;
		}
		assert_true(money_parse(money_text(value, text), &back));
		assert_true(back == value);
		if (strchr(text, '.') != NULL) {
			assert_true(text[strlen(text) - 1] != '0');
		}
	}
}

static void
tokens_cost_their_price_rounded_up(void **state)
{
	static const struct {
		int64_t tokens, per_mil, want;
	} cases[] = {
		{ 0, 0, 0 },
		{ 0, INT64_MAX, 0 },
		{ INT64_MAX, 0, 0 },
		{ 1, 1, 1 },
		{ 1, 1000000, 1 },
		{ 1, 1000001, 2 },
		{ 1000000, 187500000, 187500000 },
		{ 1500, 75000000, 112500 },
		{ 3, 333333, 1 },
		{ 4, 333333, 2 },
		{ INT64_MAX, 1000000, INT64_MAX },
		{ INT64_MAX, 1000001, INT64_MAX },
		{ INT64_MAX, INT64_MAX, INT64_MAX },
		{ INT64_MAX, 1, 9223372036855 },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		assert_true(money_of_tokens(cases[i].tokens,
					    cases[i].per_mil) == cases[i].want);
	}
	/* never less than the exact price, and less than one above it */
	for (int i = 0; i < 100000; i++) {
		int64_t tokens = (int64_t)(random_number() >> 34);
		int64_t per_mil = (int64_t)(random_number() >> 34);
		int64_t got = money_of_tokens(tokens, per_mil);

		assert_true(got * 1000000 >= tokens * per_mil);
		assert_true((got - 1) * 1000000 < tokens * per_mil || got == 0);
	}
}

static void
sums_stop_at_the_top(void **state)
{
	(void)state;
	assert_true(money_add(0, 0) == 0);
	assert_true(money_add(1, 2) == 3);
	assert_true(money_add(INT64_MAX - 1, 1) == INT64_MAX);
	assert_true(money_add(INT64_MAX, 1) == INT64_MAX);
	assert_true(money_add(INT64_MAX, INT64_MAX) == INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read),
		cmocka_unit_test(amounts_are_written_short),
		cmocka_unit_test(what_is_written_is_read_back_the_same),
		cmocka_unit_test(tokens_cost_their_price_rounded_up),
		cmocka_unit_test(sums_stop_at_the_top),
	};
	return cmocka_run_group_tests_name("money", tests, NULL, NULL);
}
