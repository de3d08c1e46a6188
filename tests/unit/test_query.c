#include "http/query.h"

#include <string.h>

#include "http_fixture.h"

static const char *const names[] = { "a", "b", "limit", "word", "words", NULL };
static const char *const words[] = { "red", "green", "blue", NULL };

/* The query of TEXT, taken apart. */
static void
parse(struct fixture *f, const char *text, struct http_query *out,
      struct err *err)
{
	fixture_clear(f);
	struct http_request req = fixture_request(f);
	req.query = text;
	http_query_parse(&req, names, out, err);
}

/* "parameter: detail" of the first that is refused, "" where none is. */
static const char *
said(const struct http_query *query)
{
	const struct err *err = query->err;

	if (http_query_done(query) == STATUS_OK) {
		return "";
	}
	assert_int_equal(err->status, STATUS_REQUEST);
	assert_true(err->items_n > 0);
	return arena_printf(query->arena, "%s: %s", err->items[0].pointer,
			    err->items[0].detail);
}

/* The value of a, NULL: missing; and what is refused. */
static const struct {
	const char *query, *value, *said;
} texts[] = {
	{ "", NULL, "" },
	{ "a=1&b=2", "1", "" },
	{ "b=2&a=1", "1", "" },
	{ "&&a=1&", "1", "" },
	{ "a=", "", "" },
	{ "a", "", "" },
	{ "a=b=c", "b=c", "" },
	{ "%61=x%20y+z%2B%26", "x y z+&", "" },
	{ "a=%c3%A9", "\xc3\xa9", "" },
	{ "a=%0a", "\n", "" },
	{ "a=1&a=1", "1", "a: is there twice" },
	{ "a=1&%61=2", "1", "a: is there twice" },
	{ "c=1", NULL, "c: is no parameter here" },
	{ "A=1", NULL, "A: is no parameter here" },
	{ "=1", NULL, ": is no parameter here" },
	{ "aa=1", NULL, "aa: is no parameter here" },
	{ "%zz=1", NULL, "?: is no parameter here" },
	{ "a=%2", NULL, "a: must be UTF-8, percent-encoded" },
	{ "a=%", NULL, "a: must be UTF-8, percent-encoded" },
	{ "a=%00", NULL, "a: must be UTF-8, percent-encoded" },
	{ "a=%g1", NULL, "a: must be UTF-8, percent-encoded" },
	{ "a=%ff", NULL, "a: must be UTF-8, percent-encoded" },
	{ "a=%ed%a0%80", NULL, "a: must be UTF-8, percent-encoded" },
	{ "a=\xff", NULL, "a: must be UTF-8, percent-encoded" },
	{ "a=1234567890", "1234567890", "" },
	{ "a=12345678901", NULL, "a: may have up to 10 bytes" },
};

static void
texts_are_decoded_strictly(void **state)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct http_query query;
		struct err err;

		parse(*state, texts[i].query, &query, &err);
		const char *value = http_query_text(&query, "a", 10);
		print_message("text %zu\n", i);
		assert_string_equal(said(&query), texts[i].said);
		if (texts[i].value == NULL) {
			assert_null(value);
		} else {
			assert_non_null(value);
			assert_string_equal(value, texts[i].value);
		}
	}
}

#define NUMBERS "limit: must be a number from 1 to 1000"
static const struct {
	const char *query;
	int64_t value;
	const char *said;
} numbers[] = {
	{ "", 7, "" },
	{ "limit=1", 1, "" },
	{ "limit=1000", 1000, "" },
	{ "limit=0100", 100, "" },
	{ "limit=0", 7, NUMBERS },
	{ "limit=1001", 7, NUMBERS },
	{ "limit=", 7, NUMBERS },
	{ "limit=-1", 7, NUMBERS },
	{ "limit=%2B1", 7, NUMBERS },
	{ "limit=+1", 7, NUMBERS },
	{ "limit=1.0", 7, NUMBERS },
	{ "limit=1e2", 7, NUMBERS },
	{ "limit=0x1", 7, NUMBERS },
	{ "limit=99999999999999999999", 7, NUMBERS },
};

static void
numbers_are_plain_digits(void **state)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct http_query query;
		struct err err;

		parse(*state, numbers[i].query, &query, &err);
		print_message("%s\n", numbers[i].query);
		assert_int_equal(http_query_int(&query, "limit", 1, 1000, 7),
				 numbers[i].value);
		assert_string_equal(said(&query), numbers[i].said);
	}
}

#define WORD "word: must be of: red, green, blue"
#define WORDS "words: must be of: red, green, blue"
static const struct {
	const char *query;
	int word;
	unsigned words;
	const char *said;
} choices[] = {
	{ "", 9, 0, "" },
	{ "word=red", 0, 0, "" },
	{ "word=blue&words=red", 2, 1, "" },
	{ "words=blue,red", 9, 5, "" },
	{ "words=red,green,blue", 9, 7, "" },
	{ "word=", 9, 0, WORD },
	{ "word=Red", 9, 0, WORD },
	{ "word=re", 9, 0, WORD },
	{ "word=redd", 9, 0, WORD },
	{ "word=red,blue", 9, 0, WORD },
	{ "words=", 9, 0, WORDS },
	{ "words=red,", 9, 0, WORDS },
	{ "words=,red", 9, 0, WORDS },
	{ "words=red, blue", 9, 0, WORDS },
	{ "words=red,red", 9, 0, "words: has red twice" },
};

static void
words_are_of_a_list(void **state)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		struct http_query query;
		struct err err;

		parse(*state, choices[i].query, &query, &err);
		print_message("%s\n", choices[i].query);
		assert_int_equal(http_query_word(&query, "word", words, 9),
				 choices[i].word);
		assert_int_equal(http_query_words(&query, "words", words),
				 choices[i].words);
		assert_string_equal(said(&query), choices[i].said);
	}
}

static void
all_that_is_wrong_is_said(void **state)
{
	struct http_query query;
	struct err err;

	parse(*state, "x=1&limit=0&word=pink", &query, &err);
	(void)http_query_int(&query, "limit", 1, 2, 1);
	(void)http_query_word(&query, "word", words, 0);
	assert_int_equal(http_query_done(&query), STATUS_REQUEST);
	assert_int_equal(err.items_n, 3);
	assert_string_equal(err.items[0].pointer, "x");
	assert_string_equal(err.items[1].pointer, "limit");
	assert_string_equal(err.items[2].pointer, "word");
	assert_string_equal(err.text, "is no parameter here");
}

static void
query_has_a_bound(void **state)
{
	char text[HTTP_QUERY_MAX_BYTES + 2];
	struct http_query query;
	struct err err;

	memset(text, '&', sizeof(text));
	text[0] = 'a';
	text[HTTP_QUERY_MAX_BYTES] = '\0';
	parse(*state, text, &query, &err);
	assert_string_equal(said(&query), "");
	text[HTTP_QUERY_MAX_BYTES] = '&';
	text[HTTP_QUERY_MAX_BYTES + 1] = '\0';
	parse(*state, text, &query, &err);
	assert_string_equal(said(&query),
			    ": a query may have up to 4096 bytes");
	assert_int_equal(query.n, 0);
}

/* More words than a message has room for: it is cut, not overrun. */
static void
long_lists_of_words_are_cut(void **state)
{
	enum { N = 100 };
	const char *many[N + 1] = { NULL };
	struct http_query query;
	struct err err;

	for (size_t i = 0; i < N; i++) {
		many[i] = "0123456789";
	}
	parse(*state, "word=x", &query, &err);
	assert_int_equal(http_query_word(&query, "word", many, 1), 1);
	assert_int_equal(http_query_done(&query), STATUS_REQUEST);
	assert_true(strlen(err.text) < ERR_TEXT_BYTES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_decoded_strictly),
		cmocka_unit_test(numbers_are_plain_digits),
		cmocka_unit_test(words_are_of_a_list),
		cmocka_unit_test(all_that_is_wrong_is_said),
		cmocka_unit_test(query_has_a_bound),
		cmocka_unit_test(long_lists_of_words_are_cut),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
