#include "engine/meaning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"

static void
digest_of(const char *text, unsigned char out[MEANING_DIGEST_BYTES])
{
	struct arena *arena = arena_new(1024);
	struct buf scratch = { 0 };
	struct json_doc *doc;
	struct err err;

	assert_int_equal(json_doc_parse(text, strlen(text), &doc, &err),
			 STATUS_OK);
	const struct json root = json_root(doc);
	meaning_digest(&root, arena, &scratch, out);
	json_doc_free(doc);
	buf_fini(&scratch);
	arena_free(arena);
}

static const struct {
	const char *a, *b;
	bool same;
} cases[] = {
	{ "{}", " { } ", true },
	{ "{\"a\":1,\"b\":[true,null]}", "{ \"b\" : [ true , null ],\"a\":1}",
	  true },
	{ "{\"a\":{\"x\":\"\",\"y\":{}}}", "{\"a\":{\"y\":{},\"x\":\"\"}}",
	  true },
	{ "{\"a\":\"\\u00e9\\n\\/\"}", "{\"a\":\"\xc3\xa9\\u000a/\"}", true },
	{ "[1,2]", "[2,1]", false },
	{ "{\"a\":1}", "{\"a\":2}", false },
	{ "{\"a\":1}", "{\"b\":1}", false },
	{ "{\"a\":1}", "{\"a\":\"1\"}", false },
	{ "{\"a\":null}", "{}", false },
	{ "{\"a\":true}", "{\"a\":false}", false },
	{ "{\"a\":\"b\",\"c\":\"d\"}", "{\"a\":\"b\\\",\\\"c\\\":\\\"d\"}",
	  false },
	{ "[[],[]]", "[[[]]]", false },
	{ "0.1", "0.10000000000000001", false },
};

static void
only_what_is_said_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char a[MEANING_DIGEST_BYTES], b[MEANING_DIGEST_BYTES];

		print_message("%s %s\n", cases[i].a, cases[i].b);
		digest_of(cases[i].a, a);
		digest_of(cases[i].b, b);
		assert_int_equal(memcmp(a, b, sizeof(a)) == 0, cases[i].same);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_said_counts),
	};
	struct err err;

	if (digest_init(&err) != STATUS_OK) {
		return 1;
	}
	return cmocka_run_group_tests_name("meaning", tests, NULL, NULL);
}
