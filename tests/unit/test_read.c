#include "json/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/money.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct json_doc *
parse(const char *text)
{
	struct json_doc *doc;
	struct err err = { 0 };

	if (json_doc_parse(text, strlen(text), &doc, &err) != STATUS_OK) {
		fail_msg("%s: %s", text, err.text);
	}
	return doc;
}

static void
walking_a_tree_finds_what_is_there(void **state)
{
	struct json_doc *doc = parse("{\"a\":[1,null,\"x\"],\"b\":null}");
	struct json root = json_root(doc), a, b, c;

	(void)state;
	assert_int_equal(json_n(&root), 2);
	assert_true(json_get(&root, "a", &a));
	assert_true(json_get(&root, "b", &b)); /* null is there */
	assert_false(json_get(&root, "c", &c));
	assert_false(json_get(&a, "a", &c)); /* an array has no members */
	assert_false(json_get(&b, "a", &c)); /* nor has null */
	assert_int_equal(json_type(&a), JSON_ARRAY);
	assert_int_equal(json_n(&a), 3);
	assert_int_equal(json_type(&b), JSON_NULL);
	assert_int_equal(json_n(&b), 0);
	assert_string_equal(json_text(&b), "null");
	c = json_item(&a, 1);
	assert_int_equal(json_type(&c), JSON_NULL);
	c = json_item(&a, 2);
	assert_int_equal(json_n(&c), 0);
	assert_string_equal(json_text(&c), "\"x\"");
	json_doc_free(doc);
	json_doc_free(NULL);
}

static void
iteration_gives_each_member_once(void **state)
{
	static const char *const keys[] = { "b", "a", "" };
	struct json_doc *doc = parse("{\"b\":1,\"a\":[],\"\":null}");
	struct json root = json_root(doc), child;
	struct json_iter iter = { 0 };
	size_t n = 0;

	(void)state;
	while (json_next(&root, &iter, &child)) {
		assert_string_equal(child.key, keys[n]);
		assert_ptr_equal(child.up, &root);
		n++;
	}
	assert_int_equal(n, 3);
	assert_false(json_next(&root, &iter, &child)); /* the end stays */
	json_doc_free(doc);

	doc = parse("{}");
	root = json_root(doc);
	iter = (struct json_iter){ 0 };
	assert_false(json_next(&root, &iter, &child));
	json_doc_free(doc);
}

static void
pointers_are_escaped_and_cut(void **state)
{
	static const struct {
		size_t cap;
		const char *want;
	} cases[] = {
		{ 64, "/a~1b~0/0/\xC3\xA9" },
		{ 14, "/a~1b~0/0/\xC3\xA9" },
		{ 13, "/a~1b~0/0/\xC3\xA9" },
		{ 12, "/a~1b~0/0/" }, /* no half of a character */
		{ 10, "/a~1b~0/0" },
		{ 9, "/a~1b~0" }, /* nor of an index */
		{ 4, "/a" },	  /* nor of an escape */
		{ 1, "" },
	};
	struct json_doc *doc = parse("{\"a/b~\":[{\"\xC3\xA9\":1}]}");
	struct json root = json_root(doc), list, object, leaf;

	(void)state;
	assert_true(json_get(&root, "a/b~", &list));
	object = json_item(&list, 0);
	assert_true(json_get(&object, "\xC3\xA9", &leaf));
	for (size_t i = 0; i < N(cases); i++) {
		char out[64];

		print_message("%zu\n", cases[i].cap);
		assert_string_equal(json_pointer(&leaf, out, cases[i].cap),
				    cases[i].want);
	}
	char out[8];
	assert_string_equal(json_pointer(&root, out, sizeof(out)), "");
	json_doc_free(doc);
}

static void
types_have_names(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "null", "null" },	{ "true", "true or false" },
		{ "1", "a number" },	{ "1.5", "a number" },
		{ "\"\"", "a string" }, { "[]", "an array" },
		{ "{}", "an object" },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct json_doc *doc = parse(cases[i].text);
		struct json root = json_root(doc);

		assert_string_equal(json_type_name(json_type(&root)),
				    cases[i].name);
		json_doc_free(doc);
	}
}

/* A wrong type is refused at its place, and nothing is written. */
static void
wrong_types_are_refused_by_every_reader(void **state)
{
	static const char *const words[] = { "a", "b", NULL };
	static const char *const wrong[] = {
		/* for string, bool, number, array; the right ones left out */
		"{\"k\":null}",
		"{\"k\":{}}",
	};

	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		struct json_doc *doc = parse(wrong[i]);
		struct json root = json_root(doc), at;
		struct arena *arena = arena_new(64);
		const char *text = "old", **list = NULL;
		bool flag = true;
		int64_t number = 42;
		double real = 4.2;
		size_t n = 42;
		int word = 42;
		struct err err = { 0 };

		assert_true(json_get(&root, "k", &at));
		assert_int_equal(json_string(&at, &text, &err), STATUS_BODY);
		assert_int_equal(json_string_max(&at, 9, &text, &err),
				 STATUS_BODY);
		assert_int_equal(json_bool(&at, &flag, &err), STATUS_BODY);
		assert_int_equal(json_int(&at, 0, 9, &number, &err),
				 STATUS_BODY);
		assert_int_equal(json_double(&at, 0, 9, &real, &err),
				 STATUS_BODY);
		assert_int_equal(json_money(&at, 9, &number, &err),
				 STATUS_BODY);
		assert_int_equal(json_word(&at, words, &word, &err),
				 STATUS_BODY);
		assert_int_equal(json_strings(&at, arena, &list, &n, &err),
				 STATUS_BODY);
		assert_int_equal(json_expect(&at, JSON_ARRAY, &err),
				 STATUS_BODY);
		assert_int_equal(err.items_n, 9);
		for (size_t k = 0; k < ERR_ITEMS; k++) {
			assert_string_equal(err.items[k].pointer, "/k");
			assert_memory_equal(err.items[k].detail, "expected ",
					    9);
		}
		assert_string_equal(text, "old");
		assert_true(flag && number == 42 && real == 4.2 && n == 42 &&
			    word == 42 && list == NULL);
		arena_free(arena);
		json_doc_free(doc);
	}
}

static void
strings_and_flags_are_read(void **state)
{
	struct json_doc *doc = parse("[\"\\u00e9t\xC3\xA9\",true,false]");
	struct json root = json_root(doc);
	struct json text_at = json_item(&root, 0);
	struct json true_at = json_item(&root, 1);
	struct json false_at = json_item(&root, 2);
	const char *text = NULL;
	bool flag = false;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(json_string(&text_at, &text, &err), STATUS_OK);
	assert_string_equal(text, "\xC3\xA9t\xC3\xA9");
	assert_int_equal(json_string_max(&text_at, 5, &text, &err), STATUS_OK);
	assert_int_equal(json_string_max(&text_at, 4, &text, &err),
			 STATUS_BODY);
	assert_string_equal(err.items[0].pointer, "/0");
	assert_string_equal(err.text, "expected at most 4 bytes");
	assert_int_equal(json_bool(&true_at, &flag, &err), STATUS_OK);
	assert_true(flag);
	assert_int_equal(json_bool(&false_at, &flag, &err), STATUS_OK);
	assert_false(flag);
	assert_int_equal(json_bool(&text_at, &flag, NULL), STATUS_BODY);
	assert_int_equal(json_string(&true_at, &text, NULL), STATUS_BODY);
	json_doc_free(doc);
}

static const struct {
	const char *text;
	int64_t low, high;
	bool ok;
	int64_t want;
} integers[] = {
	{ "3", 0, 9, true, 3 },
	{ "3.0", 0, 9, true, 3 },
	{ "3e0", 0, 9, true, 3 },
	{ "0.3e1", 0, 9, true, 3 },
	{ "300e-2", 0, 9, true, 3 },
	{ "3.5", 0, 9, false, 0 },
	{ "3.00000000000000000000001", 0, 9, false, 0 },
	{ "1e-400", 0, 9, false, 0 },
	{ "0e-400", 0, 9, true, 0 },
	{ "0", 0, 9, true, 0 },
	{ "-0", 0, 9, true, 0 },
	{ "-0.0", 0, 9, true, 0 },
	{ "-1", 0, 9, false, 0 },
	{ "9", 0, 9, true, 9 },
	{ "10", 0, 9, false, 0 },
	{ "-0.5", -1, 9, false, 0 },
	/* a double would make these one less or more */
	{ "9007199254740993.0", 0, INT64_MAX, true, 9007199254740993 },
	{ "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
	{ "9223372036854775807.0", INT64_MIN, INT64_MAX, true, INT64_MAX },
	{ "9223372036854775808.0", INT64_MIN, INT64_MAX, false, 0 },
	{ "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
	{ "-9.223372036854775808e18", INT64_MIN, INT64_MAX, true, INT64_MIN },
	{ "1e300", INT64_MIN, INT64_MAX, false, 0 },
	{ "true", 0, 9, false, 0 },
	{ "\"3\"", 0, 9, false, 0 },
};

static void
integers_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(integers); i++) {
		struct json_doc *doc = parse(integers[i].text);
		struct json root = json_root(doc);
		int64_t got = 77;
		struct err err = { 0 };

		print_message("%s\n", integers[i].text);
		assert_int_equal(json_int(&root, integers[i].low,
					  integers[i].high, &got, &err),
				 integers[i].ok ? STATUS_OK : STATUS_BODY);
		assert_true(got == (integers[i].ok ? integers[i].want : 77));
		assert_int_equal(err.items_n, integers[i].ok ? 0 : 1);
		json_doc_free(doc);
	}
}

static void
a_refused_number_says_what_was_expected(void **state)
{
	struct json_doc *doc = parse("{\"a\":[10.5]}");
	struct json root = json_root(doc), list;
	int64_t n;
	double d;
	struct err err = { 0 };

	(void)state;
	assert_true(json_get(&root, "a", &list));
	struct json at = json_item(&list, 0);
	assert_int_equal(json_int(&at, -1, 10, &n, &err), STATUS_BODY);
	assert_int_equal(json_double(&at, 0, 10.25, &d, &err), STATUS_BODY);
	assert_int_equal(json_money(&at, 10 * MONEY_ONE_USD, &n, &err),
			 STATUS_BODY);
	assert_int_equal(json_int(&list, -1, 10, &n, &err), STATUS_BODY);
	assert_int_equal(err.items_n, 4);
	assert_string_equal(err.text, "expected an integer from -1 to 10");
	assert_string_equal(err.items[0].pointer, "/a/0");
	assert_string_equal(err.items[1].detail,
			    "expected a number from 0 to 10.25");
	assert_string_equal(err.items[2].detail,
			    "expected dollars from 0 to 10");
	assert_string_equal(err.items[3].pointer, "/a");
	assert_string_equal(err.items[3].detail,
			    "expected a number, found an array");
	json_doc_free(doc);
}

static void
doubles_are_read_within_their_range(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		double want;
	} cases[] = {
		{ "0", true, 0 },	{ "1", true, 1 },
		{ "0.5", true, 0.5 },	{ "5e-1", true, 0.5 },
		{ "-1e-9", false, 0 },	{ "1.0000001", false, 0 },
		{ "-0.0", true, -0.0 }, { "2", false, 0 },
		{ "\"1\"", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct json_doc *doc = parse(cases[i].text);
		struct json root = json_root(doc);
		double got = 77;

		print_message("%s\n", cases[i].text);
		assert_int_equal(json_double(&root, 0, 1, &got, NULL),
				 cases[i].ok ? STATUS_OK : STATUS_BODY);
		assert_true(got == (cases[i].ok ? cases[i].want : 77));
		json_doc_free(doc);
	}
}

static void
money_is_exact(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} cases[] = {
		{ "0", true, 0 },
		{ "0.05", true, 50000000 },
		{ "12", true, 12000000000 },
		{ "12.0", true, 12000000000 },
		{ "0.1875", true, 187500000 },
		{ "1e-9", true, 1 },
		{ "1e-10", true, 1 }, /* rounded up */
		{ "0.0000000011", true, 2 },
		{ "1.2e1", true, 12000000000 },
		{ "-0", true, 0 },
		{ "-0.0", true, 0 },
		{ "-1", false, 0 },
		{ "-1e-400", false, 0 },
		/* as a double this is ...806.999999999 or ...807 dollars */
		{ "8999999999.999999999", true, 8999999999999999999 },
		{ "9000000000", true, 9000000000 * MONEY_ONE_USD },
		{ "9000000000.000000001", false, 0 },
		{ "9000000001", false, 0 },
		{ "9223372037", false, 0 }, /* not even an int64_t */
		{ "9223372036854775807", false, 0 },
		{ "1e300", false, 0 },
		{ "null", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct json_doc *doc = parse(cases[i].text);
		struct json root = json_root(doc);
		int64_t got = 77;

		print_message("%s\n", cases[i].text);
		assert_int_equal(
		    json_money(&root, 9000000000 * MONEY_ONE_USD, &got, NULL),
		    cases[i].ok ? STATUS_OK : STATUS_BODY);
		assert_true(got == (cases[i].ok ? cases[i].want : 77));
		json_doc_free(doc);
	}
}

static void
words_are_found_by_their_place(void **state)
{
	static const char *const words[] = { "allow", "block", "default",
					     NULL };
	static const char *const one[] = { "yes", NULL };
	struct json_doc *doc = parse("[\"block\",\"blocked\",\"\"]");
	struct json root = json_root(doc);
	struct json right = json_item(&root, 0), wrong = json_item(&root, 1);
	int got = -1;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(json_word(&right, words, &got, &err), STATUS_OK);
	assert_int_equal(got, 1);
	assert_int_equal(json_word(&wrong, words, &got, &err), STATUS_BODY);
	assert_int_equal(got, 1);
	assert_string_equal(err.text, "expected allow, block or default");
	assert_string_equal(err.items[0].pointer, "/1");
	assert_int_equal(json_word(&wrong, one, &got, &err), STATUS_BODY);
	assert_string_equal(err.items[1].detail, "expected yes");
	json_doc_free(doc);
}

/* More words than an err can hold are cut, and nothing else happens. */
static void
a_long_list_of_words_is_cut(void **state)
{
	char word[200];
	const char *words[8] = { 0 };
	struct json_doc *doc = parse("\"x\"");
	struct json root = json_root(doc);
	struct err err = { 0 };
	int got;

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	for (size_t i = 0; i < N(words) - 1; i++) {
		words[i] = word;
	}
	assert_int_equal(json_word(&root, words, &got, &err), STATUS_BODY);
	assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
	json_doc_free(doc);
}

static void
lists_of_strings_name_each_wrong_element(void **state)
{
	struct json_doc *doc = parse("{\"good\":[\"a\",\"\",\"c\"],\"none\":[],"
				     "\"bad\":[\"a\",1,\"c\",null]}");
	struct json root = json_root(doc), at;
	struct arena *arena = arena_new(64);
	const char **list = NULL;
	size_t n = 77;
	struct err err = { 0 };

	(void)state;
	assert_true(json_get(&root, "bad", &at));
	assert_int_equal(json_strings(&at, arena, &list, &n, &err),
			 STATUS_BODY);
	assert_null(list);
	assert_int_equal(n, 77);
	assert_int_equal(err.items_n, 2);
	assert_string_equal(err.items[0].pointer, "/bad/1");
	assert_string_equal(err.items[1].pointer, "/bad/3");

	assert_true(json_get(&root, "good", &at));
	assert_int_equal(json_strings(&at, arena, &list, &n, NULL), STATUS_OK);
	assert_int_equal(n, 3);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "");
	assert_string_equal(list[2], "c");

	assert_true(json_get(&root, "none", &at));
	assert_int_equal(json_strings(&at, arena, &list, &n, NULL), STATUS_OK);
	assert_int_equal(n, 0);
	arena_free(arena);
	json_doc_free(doc);
}

static void
a_complaint_of_ones_own_has_the_place(void **state)
{
	struct json_doc *doc = parse("{\"a\":{\"gt\":100,\"lt\":50}}");
	struct json root = json_root(doc), at;
	struct err err = { 0 };

	(void)state;
	assert_true(json_get(&root, "a", &at));
	assert_int_equal(
	    json_refuse(&at, &err, "gt %d and lt %d never hold", 100, 50),
	    STATUS_BODY);
	assert_string_equal(err.items[0].pointer, "/a");
	assert_string_equal(err.text, "gt 100 and lt 50 never hold");
	assert_int_equal(json_refuse(&at, NULL, "x"), STATUS_BODY);
	json_doc_free(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walking_a_tree_finds_what_is_there),
		cmocka_unit_test(iteration_gives_each_member_once),
		cmocka_unit_test(pointers_are_escaped_and_cut),
		cmocka_unit_test(types_have_names),
		cmocka_unit_test(wrong_types_are_refused_by_every_reader),
		cmocka_unit_test(strings_and_flags_are_read),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(a_refused_number_says_what_was_expected),
		cmocka_unit_test(doubles_are_read_within_their_range),
		cmocka_unit_test(money_is_exact),
		cmocka_unit_test(words_are_found_by_their_place),
		cmocka_unit_test(a_long_list_of_words_is_cut),
		cmocka_unit_test(lists_of_strings_name_each_wrong_element),
		cmocka_unit_test(a_complaint_of_ones_own_has_the_place),
	};
	return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
