#include "text/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/fold.h"

enum { PATTERNS = 6, MATCHES = 6 };

struct fixture {
	struct arena *arena;
	struct pattern_scanner *scanner;
};

static int
set_up(void **state)
{
	static struct fixture fixture;

	fixture.arena = arena_new(1024);
	fixture.scanner = pattern_scanner_new();
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	pattern_scanner_free(fixture->scanner);
	arena_free(fixture->arena);
	return 0;
}

/* Compile the texts up to the first NULL; ids are 100, 101, ... */
static struct pattern_set *
make_set(enum pattern_kind kind, const char *const *texts)
{
	struct pattern patterns[PATTERNS];
	struct buf bytes = { 0 };
	struct pattern_set *set = NULL;
	size_t n = 0;

	while (n < PATTERNS && texts[n] != NULL) {
		patterns[n] =
		    (struct pattern){ kind, texts[n], (uint32_t)(100 + n) };
		n++;
	}
	assert_int_equal(pattern_compile(patterns, n, &bytes, NULL), STATUS_OK);
	assert_int_equal(pattern_set_open(bytes.data, bytes.len, &set, NULL),
			 STATUS_OK);
	buf_fini(&bytes);
	return set;
}

/* What a scan should give: "id:start-end" in its order. */
static const struct {
	enum pattern_kind kind;
	const char *patterns[PATTERNS];
	const char *text, *want;
} cases[] = {
	{ PATTERN_KEYWORD, { "bomb" }, "", "" },
	{ PATTERN_KEYWORD, { NULL }, "a bomb", "" },
	{ PATTERN_KEYWORD, { "bomb" }, "a bomb", "100:2-6" },
	{ PATTERN_KEYWORD, { "BoMB" }, "the Bomb!", "100:4-8" },
	{ PATTERN_KEYWORD, { "bomb" }, "bombs", "" },
	{ PATTERN_KEYWORD, { "bomb" }, "abomb", "" },
	{ PATTERN_KEYWORD, { "ass" }, "class ass ass", "100:6-9" },
	{ PATTERN_KEYWORD, { "c++" }, "c++ or rust", "100:0-3" },
	{ PATTERN_KEYWORD, { "two words" }, "in Two Words", "100:3-12" },
	{ PATTERN_KEYWORD, { "b", "a" }, "a b a", "101:0-1 100:2-3" },
	{ PATTERN_KEYWORD, { "a", "a" }, "x a", "100:2-3 101:2-3" },
	{ PATTERN_KEYWORD, { "a b", "a" }, "a b", "101:0-1 100:0-3" },
	{ PATTERN_KEYWORD, { "a.c" }, "abc", "" }, /* a dot is a dot */
	{ PATTERN_KEYWORD,
	  { "stra\xc3\x9f"
	    "e" },
	  "STRASSE",
	  "100:0-7" },
	{ PATTERN_KEYWORD,
	  { "\xe7\x88\x86\xe5\xbc\xbe" },
	  "\xe7\x88\x86\xe5\xbc\xbe\xe3\x81\xae",
	  "100:0-6" },
	{ PATTERN_REGEX, { "a+b" }, "xaab aab", "100:1-4" },
	{ PATTERN_REGEX, { "Ab" }, "ab Ab", "100:3-5" }, /* caseful */
	{ PATTERN_REGEX, { "(?i)Ab" }, "ab", "100:0-2" },
	{ PATTERN_REGEX, { "foo.*bar", "x" }, "foo x bar", "100:0-9 101:4-5" },
	{ PATTERN_REGEX, { "foo.*bar|x" }, "foo x bar", "100:0-9" },
	{ PATTERN_REGEX, { "^.$" }, "\xc3\xa9", "100:0-2" }, /* one character */
	{ PATTERN_REGEX, { "[a\xc3\xa9]+" }, "\xc3\xa9\xc3\xa9", "100:0-2" },
	{ PATTERN_REGEX, { "\\w+" }, "\xc3\xa9!", "100:2-2" }, /* too large */
	{ PATTERN_REGEX, { "\\bb\\b" }, "abc b", "100:4-5" },
	{ PATTERN_REGEX,
	  { "[a-z.]{1,64}@[a-z.]{1,190}\\.[a-z]{2,24}", "me" },
	  "to me@here.example",
	  "101:3-5 100:13-13" }, /* too large to know its start */
};

static void
a_scan_finds_each_once_at_its_first_place(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pattern_set *set =
		    make_set(cases[i].kind, cases[i].patterns);
		struct folded text = { .text = cases[i].text,
				       .n = strlen(cases[i].text) };
		struct pattern_match *got = NULL;
		struct buf said = { 0 };
		size_t n = 0;

		print_message("case %zu: %s\n", i, cases[i].text);
		if (cases[i].kind == PATTERN_KEYWORD) {
			fold(fixture->arena, text.text, text.n, &text);
		}
		assert_int_equal(pattern_scan(fixture->scanner, set, text.text,
					      text.n, fixture->arena, &got, &n,
					      NULL),
				 STATUS_OK);
		for (size_t j = 0; j < n; j++) {
			buf_printf(&said, "%s%u:%zu-%zu", j > 0 ? " " : "",
				   got[j].id, got[j].start, got[j].end);
		}
		assert_string_equal(buf_text(&said), cases[i].want);
		buf_fini(&said);
		pattern_set_free(set);
	}
}

static const struct {
	enum pattern_kind kind;
	const char *text;
	const char *reason; /* a part of it, NULL: good */
} checks[] = {
	{ PATTERN_KEYWORD, "bomb", NULL },
	{ PATTERN_KEYWORD, "\xe2\x80\x8b", "folding" },
	{ PATTERN_REGEX, "a+", NULL },
	{ PATTERN_REGEX, "[a-z]{1,64}@[a-z]{1,190}\\.[a-z]{2,24}", NULL },
	{ PATTERN_REGEX, "a*", "matches the empty text" },
	{ PATTERN_REGEX, "", "empty" },
	{ PATTERN_REGEX, "(a", "parenthesis" },
	{ PATTERN_REGEX, "(?<=a)b", "not supported" },
	{ PATTERN_REGEX, "(a)\\1", "unsupported" },
	{ PATTERN_REGEX, "\\bword\\b", NULL },
	{ PATTERN_REGEX, "a\\bb", "never match" },
	{ PATTERN_REGEX, "(.{1,5000}x){500}", "large" },
	{ PATTERN_REGEX, "\\xff\\p{Nonsense}", "property" },
};

static void
a_check_says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct pattern pattern = { checks[i].kind, checks[i].text, 0 };
		struct err err = { 0 };
		enum status got = pattern_check(&pattern, &err);

		print_message("case %zu: %s: %s\n", i, checks[i].text,
			      err.text);
		if (checks[i].reason == NULL) {
			assert_int_equal(got, STATUS_OK);
			continue;
		}
		assert_int_equal(got, STATUS_BODY);
		assert_non_null(strstr(err.text, checks[i].reason));
		assert_string_equal(err.items[0].pointer, "");
		assert_int_not_equal(err.text[strlen(err.text) - 1], '.');
	}
}

static void
compiling_names_the_place(void **state)
{
	(void)state;
	struct pattern regexes[12];
	struct pattern keywords[] = { { PATTERN_KEYWORD, "good", 1 },
				      { PATTERN_KEYWORD, "\xc2\xad", 2 } };
	struct buf out = { 0 };
	struct err err = { 0 };

	for (size_t i = 0; i < 12; i++) {
		regexes[i] =
		    (struct pattern){ PATTERN_REGEX, "a+b", (uint32_t)i };
	}
	regexes[10].text = "[";
	assert_int_equal(pattern_compile(regexes, 12, &out, &err), STATUS_BODY);
	assert_string_equal(err.items[0].pointer, "/10");
	err = (struct err){ 0 };
	assert_int_equal(pattern_compile(keywords, 2, &out, &err), STATUS_BODY);
	assert_string_equal(err.items[0].pointer, "/1");
	assert_int_equal(pattern_compile(keywords, 2, &out, NULL), STATUS_BODY);
	assert_int_equal(out.len, 0); /* written on success only */
	buf_fini(&out);
}

static void
damaged_bytes_are_refused(void **state)
{
	(void)state;
	struct pattern pattern = { PATTERN_REGEX, "a+b", 1 };
	struct buf bytes = { 0 };
	struct pattern_set *set = NULL;

	assert_int_equal(pattern_compile(&pattern, 1, &bytes, NULL), STATUS_OK);
	for (size_t n = 0; n < bytes.len; n += n < 64 ? 1 : 97) {
		assert_int_equal(pattern_set_open(bytes.data, n, &set, NULL),
				 STATUS_CORRUPT);
	}
	for (size_t at = 0; at < bytes.len; at += 13) {
		bytes.data[at] ^= 4;
		enum status got =
		    pattern_set_open(bytes.data, bytes.len, &set, NULL);
		if (got == STATUS_OK) { /* an id, whose value is free */
			pattern_set_free(set);
		} else {
			assert_true(got == STATUS_CORRUPT ||
				    got == STATUS_CONFLICT);
		}
		bytes.data[at] ^= 4;
	}
	assert_int_equal(pattern_set_open(bytes.data, bytes.len, &set, NULL),
			 STATUS_OK);
	pattern_set_free(set);
	buf_fini(&bytes);
}

/* At every place of texts of every length, since the library looks at 64 bytes
 * at once: Vectorscan 5.4.9 fails here (docs/decisions/ADR-0013). */
static void
a_pattern_is_found_wherever_it_is(void **state)
{
	struct fixture *fixture = *state;
	enum { LENGTHS = 300 };
	static const struct {
		enum pattern_kind kind;
		const char *pattern, *hit;
	} hits[] = {
		{ PATTERN_REGEX, "a+b", "aab" },
		{ PATTERN_REGEX, "x+", "x" },
		{ PATTERN_REGEX, "[0-9]+kg", "7kg" },
		{ PATTERN_REGEX, "[0-9]{3}-[0-9]{2}", "123-45" },
		{ PATTERN_REGEX, "sk-[a-z]{6}", "sk-abcdef" },
		{ PATTERN_KEYWORD, "bomb", "bomb" },
	};

	for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++) {
		const char *const patterns[PATTERNS] = { hits[i].pattern };
		struct pattern_set *set = make_set(hits[i].kind, patterns);
		size_t hit_n = strlen(hits[i].hit), found = 0, asked = 0;

		for (size_t n = hit_n; n <= LENGTHS; n++) {
			for (size_t at = 0; at + hit_n <= n; at++, asked++) {
				char text[LENGTHS + 1] = { 0 };
				struct pattern_match *got = NULL;
				size_t got_n = 0;

				memset(text, '.', n);
				memcpy(text + at, hits[i].hit, hit_n);
				assert_int_equal(
				    pattern_scan(fixture->scanner, set, text, n,
						 fixture->arena, &got, &got_n,
						 NULL),
				    STATUS_OK);
				found += got_n == 1 && got->start == at;
				arena_reset(fixture->arena);
			}
		}
		print_message("%s\n", hits[i].pattern);
		assert_int_equal(found, asked);
		pattern_set_free(set);
	}
}

/* Hyperscan's own header: magic, version, length, platform (5.4). */
static void
another_processors_bytes_are_a_conflict(void **state)
{
	(void)state;
	struct pattern pattern = { PATTERN_REGEX, "a+b", 1 };
	struct buf bytes = { 0 };
	struct pattern_set *set = NULL;
	size_t database = 24 + 12; /* behind our header and one item */

	assert_int_equal(pattern_compile(&pattern, 1, &bytes, NULL), STATUS_OK);
	bytes.data[database + 4] ^= 1; /* its version */
	assert_int_equal(pattern_set_open(bytes.data, bytes.len, &set, NULL),
			 STATUS_CONFLICT);
	buf_fini(&bytes);
}

/* One scanner goes from set to set, small and large, many times. */
static void
a_scanner_serves_any_set(void **state)
{
	struct fixture *fixture = *state;
	static const char *const small[PATTERNS] = { "a" };
	static const char *const large[PATTERNS] = { "b",    "[a-z]{3,200}x",
						     "c.*d", "(e|f){2,90}g",
						     "h",    "i.{1,300}j" };
	struct pattern_set *sets[6];

	for (size_t i = 0; i < 6; i++) {
		sets[i] = make_set(PATTERN_REGEX, i % 2 == 0 ? small : large);
	}
	for (size_t round = 0; round < 24; round++) {
		struct pattern_match *got = NULL;
		size_t n = 0;

		assert_int_equal(pattern_scan(fixture->scanner, sets[round % 6],
					      "zab", 3, fixture->arena, &got,
					      &n, NULL),
				 STATUS_OK);
		assert_int_equal(n, 1);
		assert_int_equal(got[0].id, 100);
		assert_int_equal(got[0].start, round % 2 == 0 ? 1 : 2);
	}
	for (size_t i = 0; i < 6; i++) {
		pattern_set_free(sets[i]);
	}
}

/* More keywords than the first array of matches holds. */
static void
many_matches_are_all_given(void **state)
{
	struct fixture *fixture = *state;
	enum { N = 500 };
	static char texts[N][8];
	struct pattern patterns[N];
	struct buf bytes = { 0 }, text = { 0 };
	struct pattern_set *set = NULL;
	struct pattern_match *got = NULL;
	size_t n = 0;

	for (uint32_t i = 0; i < N; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "k%03u", i);
		patterns[i] = (struct pattern){ PATTERN_KEYWORD, texts[i], i };
		buf_printf(&text, "%s ", texts[i]);
	}
	assert_int_equal(pattern_compile(patterns, N, &bytes, NULL), STATUS_OK);
	assert_int_equal(pattern_set_open(bytes.data, bytes.len, &set, NULL),
			 STATUS_OK);
	assert_false(pattern_set_empty(set));
	for (int round = 0; round < 2; round++) {
		assert_int_equal(pattern_scan(fixture->scanner, set, text.data,
					      text.len, fixture->arena, &got,
					      &n, NULL),
				 STATUS_OK);
		assert_int_equal(n, N);
		for (uint32_t i = 0; i < N; i++) {
			assert_int_equal(got[i].id, i);
			assert_int_equal(got[i].start, i * 5);
		}
	}
	pattern_set_free(set);
	buf_fini(&bytes);
	buf_fini(&text);
}

static void
nothing_is_fine(void **state)
{
	(void)state;
	static const char *const none[PATTERNS] = { NULL };
	struct pattern_set *set = make_set(PATTERN_REGEX, none);

	assert_true(pattern_set_empty(set));
	pattern_set_free(set);
	pattern_set_free(NULL);
	pattern_scanner_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scan_finds_each_once_at_its_first_place),
		cmocka_unit_test(a_pattern_is_found_wherever_it_is),
		cmocka_unit_test(a_check_says_what_is_wrong),
		cmocka_unit_test(compiling_names_the_place),
		cmocka_unit_test(damaged_bytes_are_refused),
		cmocka_unit_test(another_processors_bytes_are_a_conflict),
		cmocka_unit_test(a_scanner_serves_any_set),
		cmocka_unit_test(many_matches_are_all_given),
		cmocka_unit_test(nothing_is_fine),
	};
	return cmocka_run_group_tests_name("pattern", tests, set_up, tear_down);
}
