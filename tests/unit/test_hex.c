#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void
digits_are_those_of_both_cases(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	(void)state;
	for (int c = -128; c < 128; c++) {
		const char *found =
		    c == 0 ? NULL : memchr(digits, c, sizeof(digits) - 1);
		int want = found == NULL	 ? -1
			   : found - digits < 16 ? (int)(found - digits)
						 : (int)(found - digits) - 6;

		assert_int_equal(hex_digit((char)c), want);
	}
}

static void
every_byte_comes_back(void **state)
{
	unsigned char bytes[256], back[257];
	char text[2 * 256 + 1];

	(void)state;
	for (size_t i = 0; i < N(bytes); i++) {
		bytes[i] = (unsigned char)i;
	}
	hex_write(bytes, N(bytes), text);
	assert_int_equal(strlen(text), 2 * N(bytes));
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 2 * 253, "fdfeff");
	back[256] = 0xee;
	assert_true(hex_read(text, N(bytes), back));
	assert_memory_equal(back, bytes, N(bytes));
	assert_int_equal(back[256], 0xee);
}

static void
nothing_is_an_empty_text(void **state)
{
	char text[] = "x";

	(void)state;
	hex_write("", 0, text);
	assert_string_equal(text, "");
	assert_true(hex_read("zz", 0, text));
}

static void
what_is_no_digit_is_refused(void **state)
{
	static const char *const wrong[] = { "0g", "g0", "0",  "",  "00 1",
					     "0:", "/0", "0@", "0`" };
	unsigned char out[2];

	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		assert_false(hex_read(wrong[i], 2, out));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_are_those_of_both_cases),
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(nothing_is_an_empty_text),
		cmocka_unit_test(what_is_no_digit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
