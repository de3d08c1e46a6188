/*
 * What is JSON and what is not: every row of the two tables is a document, as
 * RFC 8259 (with RFC 3629 for UTF-8) or our limits see it.
 */
#include "json/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "json/scan.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define T(text) text, sizeof(text) - 1

#define COMMA "no comma between two values"
#define VALUE "no value begins like this"
#define END "the text ends too early"
#define WORD "an unknown word"
#define MORE "more text after the document"
#define ZERO "a number with a leading zero"
#define POINT "no digit after the point"
#define EXPONENT "no digit in the exponent"
#define MINUS "no digit after the minus"
#define NAME "no name of a member"
#define COLON "no colon after a name"
#define UTF8 "not UTF-8"
#define CONTROL "a control character in a string"
#define UNICODE "\\u without four hex digits"
#define HALF "half of a surrogate pair"
#define UNKNOWN "an unknown escape"
#define ESCAPED_NUL "an escaped NUL is not permitted"
#define BOM "a byte order mark"
#define TWICE "a second member of this name"
#define INTEGER "the integer does not fit into 64 bits"
#define LARGE "the number is too large"
#define DEEP "nested too deep"

#define OPEN8 "[[[[[[[["
#define CLOSE8 "]]]]]]]]"
#define OPEN32 OPEN8 OPEN8 OPEN8 OPEN8
#define CLOSE32 CLOSE8 CLOSE8 CLOSE8 CLOSE8
#define ZEROS8 "/0/0/0/0/0/0/0/0"
#define ZEROS32 ZEROS8 ZEROS8 ZEROS8 ZEROS8

/* The document, the pointer of what is wrong, at which byte, and why. */
static const struct {
	const char *text;
	size_t n;
	const char *pointer;
	size_t at;
	const char *why;
} refused[] = {
#include "scan_refused.tbl.h"
};

/* The document, and json-c's compact text of it; NULL: the same. */
static const struct {
	const char *text;
	size_t n;
	enum json_type type;
	const char *want;
} accepted[] = {
#include "scan_accepted.tbl.h"
};

/* A copy that ends where it says, so that a sanitizer sees one byte more. */
static char *
exact(const char *text, size_t n)
{
	char *copy = malloc(n + 1);

	assert_non_null(copy);
	memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

static void
each_wrong_document_is_refused_at_its_place(void **state)
{
	(void)state;
	assert_true(N(refused) >= 190);
	for (size_t i = 0; i < N(refused); i++) {
		char *text = exact(refused[i].text, refused[i].n);
		char want[ERR_TEXT_BYTES];
		struct json_doc *doc = NULL;
		struct err err = { 0 };

		print_message("%zu: %s\n", i, text);
		assert_int_equal(json_doc_parse(text, refused[i].n, &doc, &err),
				 STATUS_JSON);
		assert_null(doc);
		assert_int_equal(err.status, STATUS_JSON);
		assert_int_equal(err.items_n, 1);
		assert_string_equal(err.items[0].pointer, refused[i].pointer);
		snprintf(want, sizeof(want), "%s, at byte %zu", refused[i].why,
			 refused[i].at);
		assert_string_equal(err.items[0].detail, want);
		/* and without anybody who wants to know why */
		assert_int_equal(json_doc_parse(text, refused[i].n, &doc, NULL),
				 STATUS_JSON);
		free(text);
	}
}

static void
each_right_document_is_read(void **state)
{
	(void)state;
	assert_true(N(accepted) >= 95);
	for (size_t i = 0; i < N(accepted); i++) {
		char *text = exact(accepted[i].text, accepted[i].n);
		const char *want = accepted[i].want;
		struct json_doc *doc;
		struct err err = { 0 };

		print_message("%zu: %s\n", i, text);
		assert_int_equal(
		    json_doc_parse(text, accepted[i].n, &doc, &err), STATUS_OK);
		struct json root = json_root(doc);
		assert_int_equal(json_type(&root), accepted[i].type);
		assert_string_equal(json_text(&root),
				    want == NULL ? text : want);
		json_doc_free(doc);
		free(text);
	}
}

/* Every text that is cut short, and no more than that, is refused. */
static void
no_beginning_of_a_document_is_one(void **state)
{
	static const char whole[] =
	    "{\"a\":[1.5e-3,-20,true,false,null,\"x\\n\\u00e9\\ud83d\\ude00 "
	    "\xE4\xB8\xAD\"],\"b\":{\"c\":{}}}";

	(void)state;
	for (size_t n = 0; n <= sizeof(whole) - 1; n++) {
		char *text = exact(whole, n);
		struct json_doc *doc = NULL;

		assert_int_equal(json_doc_parse(text, n, &doc, NULL),
				 n == sizeof(whole) - 1 ? STATUS_OK
							: STATUS_JSON);
		json_doc_free(doc);
		free(text);
	}
}

/* Long strings of digits whose size only the position of the point tells. */
static void
far_shifted_numbers_are_judged_by_their_value(void **state)
{
	static const struct {
		const char *head;
		size_t zeros;
		const char *tail;
		enum status want;
	} cases[] = {
		{ "1", 308, ".0", STATUS_OK },
		{ "1", 309, ".0", STATUS_JSON },
		{ "1", 400, "e-400", STATUS_OK },
		{ "1", 400, "e-91", STATUS_JSON },
		{ "0.", 400, "1e708", STATUS_OK },
		{ "0.", 400, "1e710", STATUS_JSON },
		{ "0.", 1000, "e400", STATUS_OK },
		{ "1", 18, "", STATUS_OK },
		{ "1", 19, "", STATUS_JSON },
		{ "1e-", 400, "1", STATUS_OK },
		{ "1e", 400, "308", STATUS_OK },
		{ "1e", 400, "309", STATUS_JSON },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct buf text = { 0 };
		struct json_doc *doc = NULL;

		buf_adds(&text, cases[i].head);
		for (size_t k = 0; k < cases[i].zeros; k++) {
			buf_addc(&text, '0');
		}
		buf_adds(&text, cases[i].tail);
		print_message("%zu: %s\n", i, text.data);
		assert_int_equal(
		    json_doc_parse(text.data, text.len, &doc, NULL),
		    cases[i].want);
		json_doc_free(doc);
		buf_fini(&text);
	}
}

/* A place too deep for its pointer's text: cut, but still UTF-8 and whole. */
static void
a_long_pointer_is_cut_between_characters(void **state)
{
	struct buf text = { 0 };
	struct json_doc *doc;
	struct err err = { 0 };

	(void)state;
	buf_adds(&text, "{\"");
	for (int i = 0; i < 200; i++) {
		buf_adds(&text, "\xE4\xB8\xAD");
	}
	buf_adds(&text, "\":x}");
	assert_int_equal(json_doc_parse(text.data, text.len, &doc, &err),
			 STATUS_JSON);
	/* a slash and 84 characters of 3 bytes are 253; one more is 256 */
	assert_int_equal(strlen(err.items[0].pointer), 253);
	assert_memory_equal(err.items[0].pointer + 250, "\xE4\xB8\xAD", 3);
	buf_fini(&text);
}

static char *
repeat(const char *head, const char *unit, size_t times, const char *tail)
{
	struct buf text = { 0 };

	buf_adds(&text, head);
	for (size_t i = 0; i < times; i++) {
		buf_adds(&text, unit);
	}
	buf_adds(&text, tail);
	return text.data;
}

/* 64 MiB: 83886 objects, 419430 arrays, 671088 others fit. */
static void
a_tree_that_takes_too_much_memory_is_refused(void **state)
{
	static const struct {
		const char *unit, *last;
		size_t times;
		enum status want;
	} cases[] = {
		{ "{},", "{}]", 83884, STATUS_OK },
		{ "{},", "{}]", 83885, STATUS_TOO_LARGE },
		{ "[],", "[]]", 419427, STATUS_OK },
		{ "[],", "[]]", 419430, STATUS_TOO_LARGE },
		{ "1,", "1]", 671085, STATUS_OK },
		{ "1,", "1]", 671088, STATUS_TOO_LARGE },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		char *text =
		    repeat("[", cases[i].unit, cases[i].times, cases[i].last);
		struct json_doc *doc = NULL;
		struct err err = { 0 };

		assert_int_equal(json_doc_parse(text, strlen(text), &doc, &err),
				 cases[i].want);
		if (cases[i].want != STATUS_OK) {
			assert_string_equal(err.items[0].pointer, "");
			assert_null(doc);
			assert_int_equal(
			    json_doc_parse_own(text, strlen(text), &doc, NULL),
			    STATUS_OK);
		}
		json_doc_free(doc);
		free(text);
	}
}

static void
what_json_c_cannot_count_is_too_large(void **state)
{
	size_t n = (size_t)INT32_MAX;
	struct json_doc *doc;
	/* all zero, and never touched but for the last page */
	char *text = mmap(NULL, n + 1, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)state;
	if (text == MAP_FAILED) {
		skip();
	}
	assert_int_equal(json_doc_parse(text, n, &doc, NULL), STATUS_TOO_LARGE);
	assert_int_equal(json_doc_parse(text, n - 1, &doc, NULL), STATUS_JSON);
	munmap(text, n + 1);
}

static void
a_large_document_does_not_disturb_the_next(void **state)
{
	char *text = repeat("[\"", "a", 200000, "\"]");
	struct json_doc *doc;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(json_doc_parse(text, strlen(text), &doc, NULL),
				 STATUS_OK);
		struct json root = json_root(doc);
		assert_int_equal(strlen(json_text(&root)), strlen(text));
		json_doc_free(doc);
		assert_int_equal(json_doc_parse("[1]", 3, &doc, NULL),
				 STATUS_OK);
		json_doc_free(doc);
	}
	free(text);
}

/* splitmix64: the same documents in each run. */
static uint64_t seed = 20261123;

static uint64_t
random_number(void)
{
	uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* Change TEXT of N bytes in one to four places. */
static void
mutate(char *text, size_t n)
{
	static const char bytes[] = "[]{}\",:\\u0eE+-.19 \ntfn\0\xC3\xA9\xED";
	uint64_t times = 1 + random_number() % 4;

	for (uint64_t i = 0; i < times; i++) {
		size_t at = random_number() % n;
		size_t from = random_number() % n;

		switch (random_number() % 4) {
		case 0:
			text[at] = bytes[random_number() % (sizeof(bytes) - 1)];
			break;
		case 1:
			text[at] = (char)random_number();
			break;
		case 2:
			text[at] = text[from];
			break;
		default:
			text[at] ^= (char)(1 << random_number() % 8);
		}
	}
}

/* What is taken has a text, which is taken again and stays the same. */
static void
check_round_trip(const struct json_doc *doc)
{
	struct json root = json_root(doc), again_root;
	struct json_doc *again;
	char *text = strdup(json_text(&root));

	assert_non_null(text);
	assert_int_equal(json_doc_parse(text, strlen(text), &again, NULL),
			 STATUS_OK);
	again_root = json_root(again);
	assert_string_equal(json_text(&again_root), text);
	json_doc_free(again);
	free(text);
}

static void
random_damage_is_refused_or_read_but_never_crashes(void **state)
{
	size_t taken = 0, refusals = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		for (size_t i = 0; i < N(accepted); i++) {
			char *text = exact(accepted[i].text, accepted[i].n);
			struct json_doc *doc = NULL;
			struct err err = { 0 };

			mutate(text, accepted[i].n);
			enum status status =
			    json_doc_parse(text, accepted[i].n, &doc, &err);
			if (status == STATUS_OK) {
				check_round_trip(doc);
				json_doc_free(doc);
				taken++;
			} else {
				/* INTERNAL: json-c knows less than the scan */
				assert_int_equal(status, STATUS_JSON);
				assert_int_equal(err.items_n, 1);
				refusals++;
			}
			free(text);
		}
	}
	print_message("%zu taken, %zu refused\n", taken, refusals);
	assert_true(taken > 1000 && refusals > 1000);
}

static void *
parse_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		struct json_doc *doc;

		for (size_t k = 0; k < N(accepted); k++) {
			if (json_doc_parse(accepted[k].text, accepted[k].n,
					   &doc, NULL) != STATUS_OK) {
				return NULL;
			}
			json_doc_free(doc);
		}
	}
	return arg;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[4];
	int token;

	(void)state;
	for (size_t i = 0; i < N(threads); i++) {
		assert_int_equal(
		    pthread_create(&threads[i], NULL, parse_much, &token), 0);
	}
	for (size_t i = 0; i < N(threads); i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, &token);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_document_is_refused_at_its_place),
		cmocka_unit_test(each_right_document_is_read),
		cmocka_unit_test(no_beginning_of_a_document_is_one),
		cmocka_unit_test(far_shifted_numbers_are_judged_by_their_value),
		cmocka_unit_test(a_long_pointer_is_cut_between_characters),
		cmocka_unit_test(a_tree_that_takes_too_much_memory_is_refused),
		cmocka_unit_test(what_json_c_cannot_count_is_too_large),
		cmocka_unit_test(a_large_document_does_not_disturb_the_next),
		cmocka_unit_test(
		    random_damage_is_refused_or_read_but_never_crashes),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};
	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
