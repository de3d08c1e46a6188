#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void
each_status_has_its_row(void **state)
{
	(void)state;
	assert_int_equal(status_http(STATUS_OK), 200);
	assert_int_equal(status_http(STATUS_TOO_LARGE), 413);
	assert_string_equal(status_name(STATUS_BODY), "BODY");
	assert_string_equal(status_slug(STATUS_JSON), "invalid-json");
	assert_string_equal(status_title(STATUS_FORBIDDEN),
			    "The API key's role does not permit this");
	for (int i = 0; i < STATUS_N; i++) {
		enum status status = (enum status)i;

		assert_true(status_http(status) >= 200 &&
			    status_http(status) < 600);
		assert_true(status_name(status)[0] != '\0');
		assert_true(status_title(status)[0] != '\0');
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(status_slug(status),
						status_slug((enum status)k));
		}
	}
}

static void
err_set_forgets_what_was_said(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_at(&err, STATUS_BODY, "/a", "one"), STATUS_BODY);
	assert_int_equal(err_set(&err, STATUS_IO, "cannot open %s: %d", "x", 2),
			 STATUS_IO);
	assert_int_equal(err.status, STATUS_IO);
	assert_int_equal(err.items_n, 0);
	assert_string_equal(err.text, "cannot open x: 2");
	/* what it said may be part of what it says next */
	assert_int_equal(err_set(&err, STATUS_IO, "start: %s", err.text),
			 STATUS_IO);
	assert_string_equal(err.text, "start: cannot open x: 2");
	assert_int_equal(err_set(NULL, STATUS_BUSY, "x"), STATUS_BUSY);
}

static void
err_at_keeps_the_first_places(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_at(NULL, STATUS_BODY, "", "x"), STATUS_BODY);
	for (int i = 0; i < ERR_ITEMS + 2; i++) {
		char pointer[16] = { '/', (char)('a' + i), '\0' };

		assert_int_equal(err_at(&err,
					i == 0 ? STATUS_BODY : STATUS_REQUEST,
					pointer, "place %d", i),
				 i == 0 ? STATUS_BODY : STATUS_REQUEST);
	}
	assert_int_equal(err.status, STATUS_BODY);
	assert_string_equal(err.text, "place 0");
	assert_int_equal(err.items_n, ERR_ITEMS + 2);
	assert_string_equal(err.items[ERR_ITEMS - 1].pointer, "/h");
	assert_string_equal(err.items[ERR_ITEMS - 1].detail, "place 7");
}

/* Text that does not fit is cut, but never inside a character. */
static void
long_texts_are_cut_between_characters(void **state)
{
	static const struct {
		const char *character;
		size_t before; /* bytes in front of the first one */
	} cases[] = {
		{ "x", 0 },
		{ "\xC3\xA9", 0 },
		{ "\xC3\xA9", 1 },
		{ "\xE4\xB8\xAD", 0 },
		{ "\xE4\xB8\xAD", 1 },
		{ "\xE4\xB8\xAD", 2 },
		{ "\xF0\x9F\x98\x80", 0 },
		{ "\xF0\x9F\x98\x80", 1 },
		{ "\xF0\x9F\x98\x80", 2 },
		{ "\xF0\x9F\x98\x80", 3 },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		char text[ERR_TEXT_BYTES * 2];
		size_t step = strlen(cases[i].character), n = cases[i].before;
		struct err err = { 0 };

		memset(text, '.', n);
		while (n + step < sizeof(text)) {
			memcpy(text + n, cases[i].character, step);
			n += step;
		}
		text[n] = '\0';
		size_t room = ERR_TEXT_BYTES - 1 - cases[i].before;
		size_t want = cases[i].before + room / step * step;
		size_t p_room = ERR_POINTER_BYTES - 1 - cases[i].before;
		size_t p_want = cases[i].before + p_room / step * step;

		assert_int_equal(err_set(&err, STATUS_IO, "%s", text),
				 STATUS_IO);
		assert_int_equal(strlen(err.text), want);
		assert_memory_equal(err.text, text, want);
		assert_int_equal(err_at(&err, STATUS_IO, text, "%s", text),
				 STATUS_IO);
		assert_int_equal(strlen(err.items[0].detail), want);
		assert_int_equal(strlen(err.items[0].pointer), p_want);
	}
}

/* Bytes that are no UTF-8 at all do not lead out of the text. */
static void
cutting_bytes_that_are_no_text_does_no_harm(void **state)
{
	char text[ERR_TEXT_BYTES * 2];
	struct err err = { 0 };

	(void)state;
	memset(text, 0x80, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(err_set(&err, STATUS_IO, "%s", text), STATUS_IO);
	assert_true(strlen(err.text) <= ERR_TEXT_BYTES - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_status_has_its_row),
		cmocka_unit_test(err_set_forgets_what_was_said),
		cmocka_unit_test(err_at_keeps_the_first_places),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(cutting_bytes_that_are_no_text_does_no_harm),
	};
	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
