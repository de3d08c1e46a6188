#include "engine/content_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* pattern_scan by way of the linker (--wrap): fails when told to. */
static bool engine_gives_up;

enum status __real_pattern_scan(struct pattern_scanner *scanner,
				const struct pattern_set *set, const char *text,
				size_t n, struct arena *arena,
				struct pattern_match **out, size_t *out_n,
				struct err *err);
enum status __wrap_pattern_scan(struct pattern_scanner *scanner,
				const struct pattern_set *set, const char *text,
				size_t n, struct arena *arena,
				struct pattern_match **out, size_t *out_n,
				struct err *err);

enum status
__wrap_pattern_scan(struct pattern_scanner *scanner,
		    const struct pattern_set *set, const char *text, size_t n,
		    struct arena *arena, struct pattern_match **out,
		    size_t *out_n, struct err *err)
{
	if (engine_gives_up) {
		return err_set(err, STATUS_INTERNAL, "no room to scan");
	}
	return __real_pattern_scan(scanner, set, text, n, arena, out, out_n,
				   err);
}

/* Lists of one policy, the text, and the hits: "key:item@pointer[start,end] ".
 * A pattern's place is not always known, so its bytes are not shown. */
static const struct {
	const char *constraints, *prompt, *message;
	const char *hits;
} cases[] = {
	{ "\"max_prompt_length\":9", "bomb", "bomb", "" },
	{ "\"blocked_keywords\":[\"bomb\"]", "a bomb", NULL,
	  "k0@/prompt[2,6] " },
	{ "\"blocked_keywords\":[\"bomb\"]", "bombs", "the Ｂｏｍｂ!",
	  "k0@/messages/0/content[4,16] " },
	{ "\"blocked_keywords\":[\"bomb\",\"war\"]", "war", "bomb",
	  "k1@/prompt[0,3] k0@/messages/0/content[0,4] " },
	{ "\"blocked_keywords\":[\"bomb\"]", "bo\xe2\x80\x8bmb", NULL,
	  "k0@/prompt[0,7] " },
	{ "\"blocked_patterns\":[\"x\",\"b.mb\"]", "bomb bamb", NULL,
	  "p1@/prompt " },
	{ "\"blocked_keywords\":[\"bomb\"],\"blocked_patterns\":[\"b.mb\"]",
	  "bomb", NULL, "k0@/prompt[0,4] p0@/prompt " },
	{ "\"blocked_keywords\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\","
	  "\"h\",\"i\"]",
	  "a b c d e f g h i", NULL,
	  "k0@/prompt[0,1] k1@/prompt[2,3] k2@/prompt[4,5] k3@/prompt[6,7] "
	  "k4@/prompt[8,9] k5@/prompt[10,11] k6@/prompt[12,13] "
	  "k7@/prompt[14,15] k8@/prompt[16,17] " },
	{ "\"blocked_keywords\":[\"bomb\"]", "", NULL, "" },
};

static void
tell(const struct content_hit *hits, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		bool keyword = hits[i].key == CONSTRAINT_blocked_keywords;

		assert_int_equal(hits[i].policy, 0);
		out += sprintf(out, "%c%u@%s", keyword ? 'k' : 'p',
			       hits[i].item, hits[i].pointer);
		if (keyword) {
			out += sprintf(out, "[%zu,%zu]", hits[i].start,
				       hits[i].end);
		}
		out += sprintf(out, " ");
	}
}

static void
finds_each_where_it_is(void **state)
{
	struct pattern_scanner *scanner = pattern_scanner_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new(16384);
		struct err err = { 0 };
		struct snapshot *snapshot;
		char source[1024], got[1024] = "";
		struct body_text texts[] = {
			{ cases[i].prompt, strlen(cases[i].prompt),
			  BODY_TEXT_PROMPT, 0, 0 },
			{ cases[i].message, 0, BODY_TEXT_MESSAGE, 0, 0 },
		};
		const struct content_hit *hits;
		const char *why = NULL;
		size_t n;

		print_message("case %zu\n", i);
		snprintf(source, sizeof(source),
			 "{\"revision\":1,\"policies\":[{\"policy_id\":\"p\","
			 "\"name\":\"p\",\"category\":\"behavioral\","
			 "\"priority\":50,\"constraints\":{%s}}]}",
			 cases[i].constraints);
		assert_int_equal(snapshot_compile(source, strlen(source), 1,
						  &snapshot, &err),
				 STATUS_OK);
		if (cases[i].message != NULL) {
			texts[1].n = strlen(cases[i].message);
		}
		const struct body body = {
			.texts = { .items = texts,
				   .n = cases[i].message == NULL ? 1 : 2 },
		};
		struct content_scan scan = { .scanner = scanner,
					     .snapshot = snapshot,
					     .body = &body };
		assert_true(content_scan(&scan, arena, &hits, &n, &why));
		assert_null(why);
		tell(hits, n, got);
		assert_string_equal(got, cases[i].hits);
		snapshot_unref(snapshot);
		arena_free(arena);
	}
	pattern_scanner_free(scanner);
}

/* Texts longer than a window: what stands at its edge is found, once. */
static void
finds_at_every_place_of_a_long_text(void **state)
{
	enum { LONG = 600 * 1024, WINDOW = 256 * 1024 };
	static const struct {
		size_t at;
		char filler;
		const char *word;
		bool found;
	} places[] = {
		{ 1, ' ', "bomb", true },
		{ WINDOW - 6, ' ', "bomb", true },
		{ WINDOW - 2, ' ', "bomb", true },
		{ WINDOW, ' ', "bomb", true },
		{ WINDOW - 8 * 1024 - 2, ' ', "bomb", true },
		{ 2 * WINDOW - 3, ' ', "bomb", true },
		{ LONG - 4, ' ', "bomb", true },
		{ WINDOW - 2, ' ', "bombs", false },
		{ WINDOW - 2, 'x', " bomb ", true },
		{ WINDOW - 2, 'x', "bomb", false },
		{ WINDOW + 8 * 1024, 'x', " \xef\xbc\xa2OMB ", true },
	};
	static const char source[] =
	    "{\"revision\":1,\"policies\":[{\"policy_id\":\"p\",\"name\":"
	    "\"p\",\"category\":\"behavioral\",\"constraints\":{"
	    "\"blocked_keywords\":[\"bomb\"]}}]}";
	struct pattern_scanner *scanner = pattern_scanner_new();
	struct snapshot *snapshot;
	struct err err = { 0 };
	static char text[LONG + 1];

	(void)state;
	assert_int_equal(
	    snapshot_compile(source, strlen(source), 1, &snapshot, &err),
	    STATUS_OK);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct arena *arena = arena_new(4096);
		struct body_text piece = { text, LONG, BODY_TEXT_PROMPT, 0, 0 };
		const struct body body = {
			.texts = { .items = &piece, .n = 1 },
		};
		struct content_scan scan = { .scanner = scanner,
					     .snapshot = snapshot,
					     .body = &body };
		const struct content_hit *hits;
		const char *why = NULL;
		size_t n, lead = strspn(places[i].word, " ");

		print_message("place %zu\n", i);
		memset(text, places[i].filler, LONG);
		memcpy(text + places[i].at, places[i].word,
		       strlen(places[i].word));
		assert_true(content_scan(&scan, arena, &hits, &n, &why));
		assert_int_equal(n, places[i].found);
		if (places[i].found) {
			assert_int_equal(hits[0].start, places[i].at + lead);
		}
		arena_free(arena);
	}
	snapshot_unref(snapshot);
	pattern_scanner_free(scanner);
}

static void
says_why_it_could_not(void **state)
{
	static const char *const lists[] = {
		"\"blocked_keywords\":[\"bomb\"]",
		"\"blocked_patterns\":[\"bomb\"]",
	};
	struct body_text text = { "x", 1, BODY_TEXT_PROMPT, 0, 0 };
	const struct body body = { .texts = { .items = &text, .n = 1 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct arena *arena = arena_new(4096);
		struct err err = { 0 };
		struct content_scan scan = { .body = &body };
		struct snapshot *snapshot;
		const struct content_hit *hits;
		const char *why = NULL;
		char source[512];
		size_t n;

		snprintf(source, sizeof(source),
			 "{\"revision\":1,\"policies\":[{\"policy_id\":\"p\","
			 "\"name\":\"p\",\"category\":\"behavioral\","
			 "\"priority\":50,\"constraints\":{%s}}]}",
			 lists[i]);
		assert_int_equal(snapshot_compile(source, strlen(source), 1,
						  &snapshot, &err),
				 STATUS_OK);
		scan.scanner = pattern_scanner_new();
		scan.snapshot = snapshot;
		engine_gives_up = true;
		assert_false(content_scan(&scan, arena, &hits, &n, &why));
		engine_gives_up = false;
		assert_string_equal(why, "no room to scan");
		pattern_scanner_free(scan.scanner);
		snapshot_unref(snapshot);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each_where_it_is),
		cmocka_unit_test(finds_at_every_place_of_a_long_text),
		cmocka_unit_test(says_why_it_could_not),
	};
	return cmocka_run_group_tests_name("content_scan", tests, NULL, NULL);
}
