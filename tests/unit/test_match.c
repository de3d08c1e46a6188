#include "core/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	const char *pattern, *text;
	bool want;
} cases[] = {
	{ "", "", true },	 { "", "a", false },
	{ "*", "", true },	 { "*", "a", true },
	{ "**", "", true },	 { "**", "abc", true },
	{ "abc", "abc", true },	 { "abc", "abcd", false },
	{ "abc", "ab", false },	 { "abc", "abd", false },
	{ "a*", "a", true },	 { "a*", "abc", true },
	{ "a*", "ba", false },	 { "*c", "c", true },
	{ "*c", "abc", true },	 { "*c", "cb", false },
	{ "*b*", "abc", true },	 { "*b*", "b", true },
	{ "*b*", "ac", false },	 { "*abc*", "ab", false },
	{ "a*c", "abc", false }, /* a star inside is a star */
	{ "a*c", "a*c", true },
};

static void
glob_answers_each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (match_glob(cases[i].pattern, cases[i].text) !=
		    cases[i].want) {
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
		}
	}
}

static void
any_gives_the_first(void **state)
{
	static const char *const patterns[] = { "x", "a*", "abc" };

	(void)state;
	assert_ptr_equal(match_any(patterns, 3, "abc"), patterns[1]);
	assert_ptr_equal(match_any(patterns, 3, "x"), patterns[0]);
	assert_null(match_any(patterns, 3, "y"));
	assert_null(match_any(patterns, 0, "x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(glob_answers_each_case),
		cmocka_unit_test(any_gives_the_first),
	};
	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
