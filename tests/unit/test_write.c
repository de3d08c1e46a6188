#include "json/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json/read.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void
a_document_of_all_kinds(void **state)
{
	struct buf out = { 0 };
	struct json_writer w;

	(void)state;
	json_write_init(&w, &out);
	json_object_begin(&w);
	json_member(&w, "text", "a\"b");
	json_member(&w, "none", NULL);
	json_member_int(&w, "int", INT64_MIN);
	json_member_bool(&w, "yes", true);
	json_member_bool(&w, "no", false);
	json_member_money(&w, "cost", 187500000);
	json_key(&w, "list");
	json_array_begin(&w);
	json_put_null(&w);
	json_put_double(&w, 0.1);
	json_array_begin(&w);
	json_array_finish(&w);
	json_object_begin(&w);
	json_object_finish(&w);
	json_put_raw(&w, "{\"raw\":1}");
	json_array_finish(&w);
	json_key(&w, "at");
	json_put_time(&w, 0);
	json_key(&w, "part");
	json_put_string_n(&w, "abcdef", 3);
	json_object_finish(&w);
	json_write_end(&w);
	assert_string_equal(
	    buf_text(&out),
	    "{\"text\":\"a\\\"b\",\"int\":-9223372036854775808,\"yes\":true,"
	    "\"no\":false,\"cost\":0.1875,\"list\":[null,0.1,[],{},"
	    "{\"raw\":1}],\"at\":\"1970-01-01T00:00:00.000000Z\","
	    "\"part\":\"abc\"}");
	buf_fini(&out);
}

static void
a_single_value_is_a_document(void **state)
{
	struct buf out = { 0 };
	struct json_writer w;

	(void)state;
	json_write_init(&w, &out);
	json_put_int(&w, 7);
	json_write_end(&w);
	assert_string_equal(buf_text(&out), "7");
	buf_fini(&out);
}

static void
strings_are_escaped(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *want;
	} cases[] = {
		{ "", 0, "\"\"" },
		{ "plain", 5, "\"plain\"" },
		{ "\"\\/", 3, "\"\\\"\\\\/\"" },
		{ "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
		{ "a\x01z", 3, "\"a\\u0001z\"" },
		{ "\x1F\x20\x7F", 3, "\"\\u001f \x7F\"" },
		{ "a\0b", 3, "\"a\\u0000b\"" },
		{ "\xC3\xA9\xF0\x9F\x98\x80", 6,
		  "\"\xC3\xA9\xF0\x9F\x98\x80\"" },
		{ "\n\n", 2, "\"\\n\\n\"" },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct buf out = { 0 };
		struct json_writer w;

		json_write_init(&w, &out);
		json_put_string_n(&w, cases[i].text, cases[i].n);
		json_write_end(&w);
		assert_string_equal(buf_text(&out), cases[i].want);
		buf_fini(&out);
	}
}

static void
doubles_are_short_and_come_back_the_same(void **state)
{
	static const struct {
		double d;
		const char *want;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "-0" },
		{ 0.1, "0.1" },
		{ 1, "1" },
		{ 1e21, "1e+21" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 5e-324, "4.94065645841247e-324" },
		{ DBL_MAX, "1.7976931348623157e+308" },
		{ 1.0 / 3, "0.3333333333333333" },
	};
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct buf out = { 0 };
		struct json_writer w;

		json_write_init(&w, &out);
		json_put_double(&w, cases[i].d);
		assert_string_equal(buf_text(&out), cases[i].want);
		buf_fini(&out);
	}
	for (int i = 0; i < 20000; i++) {
		struct buf out = { 0 };
		struct json_writer w;
		double d;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963;
		memcpy(&d, &seed, sizeof(d));
		if (!isfinite(d)) {
			continue;
		}
		json_write_init(&w, &out);
		json_put_double(&w, d);
		assert_true(strtod(buf_text(&out), NULL) == d);
		buf_fini(&out);
	}
}

/* Whatever bytes a string has, it is read back as it was. */
static void
strings_come_back_the_same(void **state)
{
	char text[64];
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct buf out = { 0 };
		struct json_writer w;
		struct json_doc *doc;
		const char *got;
		size_t n = (size_t)round % (sizeof(text) - 1);

		for (size_t i = 0; i < n; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 99;
			text[i] = (char)(1 + (seed >> 33) % 127);
		}
		text[n] = '\0';
		json_write_init(&w, &out);
		json_array_begin(&w);
		json_put_string(&w, text);
		json_array_finish(&w);
		json_write_end(&w);
		assert_int_equal(json_doc_parse(out.data, out.len, &doc, NULL),
				 STATUS_OK);
		struct json root = json_root(doc), item = json_item(&root, 0);
		assert_int_equal(json_string(&item, &got, NULL), STATUS_OK);
		assert_string_equal(got, text);
		json_doc_free(doc);
		buf_fini(&out);
	}
}

/* Each is a wrong program. */
static void
value_without_key(struct json_writer *w)
{
	json_object_begin(w);
	json_put_int(w, 1);
}

static void
two_documents(struct json_writer *w)
{
	json_put_int(w, 1);
	json_put_int(w, 2);
}

static void
key_in_array(struct json_writer *w)
{
	json_array_begin(w);
	json_key(w, "a");
}

static void
key_after_key(struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "a");
	json_key(w, "b");
}

static void
key_alone(struct json_writer *w)
{
	json_key(w, "a");
}

static void
wrong_end(struct json_writer *w)
{
	json_array_begin(w);
	json_object_finish(w);
}

static void
end_after_key(struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "a");
	json_object_finish(w);
}

static void
end_without_begin(struct json_writer *w)
{
	json_array_finish(w);
}

static void
begin_without_end(struct json_writer *w)
{
	json_array_begin(w);
	json_write_end(w);
}

static void
nothing_at_all(struct json_writer *w)
{
	json_write_end(w);
}

static void
too_deep(struct json_writer *w)
{
	for (int i = 0; i <= JSON_WRITE_DEPTH; i++) {
		json_array_begin(w);
	}
}

static void
not_finite(struct json_writer *w)
{
	json_put_double(w, HUGE_VAL);
}

static void
raw_nothing(struct json_writer *w)
{
	json_put_raw(w, "");
}

static void
a_wrong_program_is_stopped(void **state)
{
	static void (*const wrong[])(struct json_writer *) = {
		value_without_key, two_documents,     key_in_array,
		key_after_key,	   key_alone,	      wrong_end,
		end_after_key,	   end_without_begin, begin_without_end,
		nothing_at_all,	   too_deep,	      not_finite,
		raw_nothing,
	};

	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		int how;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct buf out = { 0 };
			struct json_writer w;

			close(STDERR_FILENO);
			json_write_init(&w, &out);
			wrong[i](&w);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &how, 0), pid);
		assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_of_all_kinds),
		cmocka_unit_test(a_single_value_is_a_document),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(doubles_are_short_and_come_back_the_same),
		cmocka_unit_test(strings_come_back_the_same),
		cmocka_unit_test(a_wrong_program_is_stopped),
	};
	return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
