#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
an_empty_buf_has_a_text(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	buf_reset(&buf);
	assert_null(buf.data);
	buf_add(&buf, NULL, 0);
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf.len, 0);
	buf_fini(&buf);
	buf_fini(&buf);
}

static void
what_is_added_stands_one_after_another(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_adds(&buf, "abc");
	buf_addc(&buf, 'd');
	buf_add(&buf, "e\0f", 3);
	buf_printf(&buf, "%d-%s", 42, "x");
	assert_int_equal(buf.len, 11);
	assert_memory_equal(buf.data, "abcde\0f42-x", 12);
	memcpy(buf_room(&buf, 3), "ghi", 3);
	buf_grown(&buf, 2);
	assert_string_equal(buf.data + 7, "42-xgh");

	const char *before = buf.data;
	buf_reset(&buf);
	assert_string_equal(buf_text(&buf), "");
	buf_adds(&buf, "z");
	assert_ptr_equal(buf.data, before);
	buf_fini(&buf);
	assert_null(buf.data);
}

/* At every length around a growth the NUL is there, and printf fits. */
static void
every_length_has_its_nul(void **state)
{
	char text[1200];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t n = 0; n < sizeof(text); n++) {
		const char *tail = text + sizeof(text) - 1 - n;
		struct buf printed = { 0 }, added = { 0 }, chars = { 0 };

		buf_printf(&printed, "%s", tail);
		buf_printf(&printed, "%s", tail);
		buf_adds(&added, tail);
		buf_adds(&added, tail);
		for (size_t i = 0; i < 2 * n; i++) {
			buf_addc(&chars, 'x');
		}
		assert_int_equal(printed.len, 2 * n);
		assert_int_equal(strlen(buf_text(&printed)), 2 * n);
		assert_string_equal(buf_text(&printed), buf_text(&added));
		assert_string_equal(buf_text(&printed), buf_text(&chars));
		buf_fini(&printed);
		buf_fini(&added);
		buf_fini(&chars);
	}
}

static void
growing_doubles(void **state)
{
	struct buf buf = { 0 };
	size_t moves = 0, cap = 0;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		buf_addc(&buf, 'x');
		moves += buf.cap != cap;
		cap = buf.cap;
	}
	assert_true(moves <= 14);
	buf_fini(&buf);
}

static void
numbers_are_decimal(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_addi(&buf, 0);
	buf_addc(&buf, ' ');
	buf_addi(&buf, -7);
	buf_addc(&buf, ' ');
	buf_addi(&buf, INT64_MAX);
	buf_addc(&buf, ' ');
	buf_addi(&buf, INT64_MIN);
	assert_string_equal(buf_text(&buf),
			    "0 -7 9223372036854775807 -9223372036854775808");
	buf_fini(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buf_has_a_text),
		cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(what_is_added_stands_one_after_another),
		cmocka_unit_test(every_length_has_its_nul),
		cmocka_unit_test(growing_doubles),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
