#include "http/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* N bytes of the first sequence, 0: none; edges of RFC 3629, 4. */
static const struct {
	const char *text;
	size_t n;
} sequences[] = {
	{ "a", 1 },
	{ "\x7f", 1 },
	{ "\xc2\x80", 2 },
	{ "\xdf\xbf", 2 },
	{ "\xe0\xa0\x80", 3 },
	{ "\xed\x9f\xbf", 3 },
	{ "\xee\x80\x80", 3 },
	{ "\xef\xbf\xbf", 3 },
	{ "\xf0\x90\x80\x80", 4 },
	{ "\xf4\x8f\xbf\xbf", 4 },
	{ "\x80", 0 },
	{ "\xbf", 0 },
	{ "\xc0\x80", 0 },
	{ "\xc1\xbf", 0 },
	{ "\xc2", 0 },
	{ "\xc2\x41", 0 },
	{ "\xe0\x9f\xbf", 0 },
	{ "\xe1\x80", 0 },
	{ "\xed\xa0\x80", 0 },
	{ "\xf0\x8f\xbf\xbf", 0 },
	{ "\xf1\x80\x80", 0 },
	{ "\xf4\x90\x80\x80", 0 },
	{ "\xf5\x80\x80\x80", 0 },
	{ "\xff", 0 },
};

static void
sequences_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		const char *text = sequences[i].text;

		print_message("%zu\n", i);
		assert_int_equal(utf8_sequence(text), sequences[i].n);
		assert_int_equal(utf8_is_valid(text), sequences[i].n > 0);
	}
}

static void
texts_are_valid_to_their_end(void **state)
{
	(void)state;
	assert_true(utf8_is_valid(""));
	assert_true(utf8_is_valid("a\xc3\xa9z"));
	assert_false(utf8_is_valid("a\xc3\xa9\xc3"));
	assert_false(utf8_is_valid("abc\x80z"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences_are_known),
		cmocka_unit_test(texts_are_valid_to_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
