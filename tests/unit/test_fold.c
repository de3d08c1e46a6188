#include "text/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

/* One text, what it folds to, and where chosen bytes of it come from. */
static const struct {
	const char *text, *want;
	size_t at, offset; /* of WANT, of TEXT */
} cases[] = {
	{ "", "", 0, 0 },
	{ "BOMB", "bomb", 3, 3 },
	{ "@[`{Zz", "@[`{zz", 4, 4 },
	{ "\xef\xbc\xa2omb", "bomb", 1, 3 },  /* full-width B */
	{ "bo\xe2\x80\x8bmb", "bomb", 2, 5 }, /* zero width space */
	{ "so\xc2\xad"
	  "ft",
	  "soft", 2, 4 }, /* soft hyphen */
	{ "stra\xc3\x9f"
	  "e!",
	  "strasse!", 7, 7 },				   /* sharp s */
	{ "e\xcc\x81t", "\xc3\xa9t", 2, 3 },		   /* e + acute */
	{ "\xc3\x89t", "\xc3\xa9t", 2, 2 },		   /* E acute */
	{ "a\xef\xac\x81x", "afix", 2, 1 },		   /* ligature fi */
	{ "a\xcc\xa7\xcc\x81", "\xc3\xa1\xcc\xa7", 0, 0 }, /* reordered */
	{ "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "\xea\xb0\x81", 0, 0 },
	{ "\xe3\x84\xb1\xe3\x85\x8f", "\xea\xb0\x80", 0, 0 }, /* old jamo */
	{ "x\xe3\x8e\x8f", "xkg", 2, 1 },		      /* square kg */
	{ "\xe2\x84\xaa", "k", 0, 0 },			      /* Kelvin sign */
	{ "\xef\xb7\xba", /* one character, eighteen of them */
	  "\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84\xd9\x87 "
	  "\xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 \xd9\x88\xd8\xb3\xd9\x84\xd9\x85",
	  5, 0 },
	{ "\xc2\xad", "", 0, 2 }, /* nothing is left */
};

static void
fold_gives_the_form_and_the_way_back(void **state)
{
	(void)state;
	struct arena *arena = arena_new(0);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct folded got;

		print_message("case %zu: %s\n", i, cases[i].text);
		fold(arena, cases[i].text, strlen(cases[i].text), &got);
		assert_string_equal(got.text, cases[i].want);
		assert_int_equal(got.n, strlen(cases[i].want));
		size_t offset = got.offsets == NULL ? cases[i].at
						    : got.offsets[cases[i].at];
		assert_int_equal(offset, cases[i].offset);
		if (got.offsets != NULL) {
			assert_int_equal(got.offsets[got.n],
					 strlen(cases[i].text));
		}
	}
	arena_free(arena);
}

static void
only_plain_ascii_needs_no_offsets(void **state)
{
	(void)state;
	struct arena *arena = arena_new(0);
	struct folded got;

	fold(arena, "Ab\n\x7f", 4, &got);
	assert_null(got.offsets);
	fold(arena, "Ab\xc3\xa9", 4, &got);
	assert_non_null(got.offsets);
	fold(arena, "abc", 2, &got); /* no byte beyond N is looked at */
	assert_string_equal(got.text, "ab");
	arena_free(arena);
}

/* Characters that join, reorder, vanish and grow, to be mixed at random. */
static const utf8proc_int32_t points[] = {
	'a',	'Z',	' ',	0x0301, 0x0327,	 0x0323,   0x0345,
	0x00C5, 0x212B, 0x1100, 0x1161, 0x11A8,	 0xAC00,   0x3131,
	0x314F, 0xFF76, 0xFF9E, 0x09C7, 0x09BE,	 0x0B47,   0x0B3E,
	0x0DD9, 0x0DCF, 0x200B, 0x00AD, 0xFE0F,	 0xFB01,   0x1E9E,
	0x0130, 0x03A3, 0x1F80, 0xFDFA, 0x1D15E, 0x1F600,  0x1F1E9,
	0x200D, 0x4E00, 0x0F71, 0x0F72, 0x0F73,	 0x10FFFF, 0x0378,
};

/* utf8proc's own folding of a whole text is what the pieces must equal. */
static void
pieces_equal_the_whole(void **state)
{
	(void)state;
	struct arena *arena = arena_new(4096);
	uint32_t random = 2463534242;

	for (int round = 0; round < 20000; round++) {
		utf8proc_uint8_t text[64];
		utf8proc_ssize_t n = 0;

		for (int i = 0; i < 12; i++) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			size_t pick =
			    random % (sizeof(points) / sizeof(points[0]));
			n += utf8proc_encode_char(points[pick], text + n);
		}
		text[n] = '\0';
		utf8proc_uint8_t *want = utf8proc_NFKC_Casefold(text);
		struct folded got;
		fold(arena, (const char *)text, (size_t)n, &got);
		assert_string_equal(got.text, (const char *)want);
		for (size_t i = 1; got.offsets != NULL && i <= got.n; i++) {
			assert_true(got.offsets[i - 1] <= got.offsets[i]);
		}
		free(want);
		arena_reset(arena);
	}
	arena_free(arena);
}

/* Sorting a million marks as one run would take hours. */
static void
many_marks_take_linear_time(void **state)
{
	(void)state;
	enum { MARKS = 1000000 };
	struct arena *arena = arena_new(0);
	char *text = malloc(2 * MARKS + 1);
	struct folded got;

	assert_non_null(text);
	text[0] = 'a';
	for (size_t i = 0; i < MARKS; i++) {
		memcpy(text + 1 + 2 * i, i % 2 == 0 ? "\xcc\x81" : "\xcc\xa3",
		       2);
	}
	fold(arena, text, 2 * MARKS + 1, &got);
	assert_true(got.n > MARKS && got.n < 2 * MARKS + 2);
	assert_int_equal(got.offsets[got.n], 2 * MARKS + 1);
	free(text);
	arena_free(arena);
}

static const struct {
	const char *text;
	size_t at;
	bool want;
} edges[] = {
	{ "", 0, true },
	{ "bomb", 0, true },
	{ "bomb", 4, true },
	{ "bomb", 2, false },
	{ "a bomb", 2, true },
	{ "a1", 1, false },			 /* a digit goes on */
	{ "bomb_x", 4, true },			 /* no letter, digit or mark */
	{ "c++d", 3, true },			 /* beside a sign */
	{ "\xc3\xa9t", 2, false },		 /* two bytes before */
	{ "a\xcc\x81", 1, false },		 /* a mark goes on */
	{ "x\xe2\x85\xa7", 1, false },		 /* Roman numeral eight */
	{ "\xe7\x88\x86\xe5\xbc\xbe", 3, true }, /* Han: always */
	{ "\xe5\xbc\xbe"
	  "a",
	  3, true },
	{ "\xe0\xb8\x81\xe0\xb8\x82", 3, true }, /* Thai */
	{ "\xf0\x9f\x92\xa3"
	  "bomb",
	  4, true },				  /* an emoji */
	{ "\xea\xb0\x80\xea\xb0\x81", 3, false }, /* Hangul has spaces */
};

static void
word_edges_stand_between_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		print_message("case %zu: %s\n", i, edges[i].text);
		assert_int_equal(fold_word_edge(edges[i].text,
						strlen(edges[i].text),
						edges[i].at),
				 edges[i].want);
	}
}

static void
characters_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(utf8_count("", 0), 0);
	assert_int_equal(utf8_count("abc", 2), 2);
	assert_int_equal(utf8_count("a\xc3\xa9\xf0\x9f\x92\xa3", 7), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fold_gives_the_form_and_the_way_back),
		cmocka_unit_test(only_plain_ascii_needs_no_offsets),
		cmocka_unit_test(pieces_equal_the_whole),
		cmocka_unit_test(many_marks_take_linear_time),
		cmocka_unit_test(word_edges_stand_between_words),
		cmocka_unit_test(characters_are_counted_not_bytes),
	};
	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
