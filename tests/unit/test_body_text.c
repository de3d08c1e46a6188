#include "engine/body_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Messages and what is read of them: "pointer=text" with a space behind. */
static const struct {
	const char *messages;
	const char *pieces;
	const char *refused; /* pointers with a space behind; "": accepted */
	size_t length;
} cases[] = {
	{ "[]", "", "", 0 },
	{ "[{\"role\":\"user\",\"content\":\"hi\"}]", "/messages/0/content=hi ",
	  "", 2 },
	{ "[{\"role\":\"system\",\"content\":\"a\"},"
	  "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"b\"},"
	  "{\"type\":\"image_url\",\"image_url\":{}},"
	  "{\"type\":\"text\",\"text\":\"日本\"}]}]",
	  "/messages/0/content=a /messages/1/content/0/text=b "
	  "/messages/1/content/2/text=日本 ",
	  "", 4 },
	{ "[{\"role\":\"assistant\",\"content\":null},"
	  "{\"role\":\"assistant\"},{\"role\":\"user\",\"content\":[]}]",
	  "", "", 0 },
	{ "[{\"role\":\"user\",\"content\":[{\"type\":\"other\","
	  "\"text\":\"x\"},{\"type\":\"other\",\"text\":7}]}]",
	  "/messages/0/content/0/text=x ", "", 1 },
	{ "[{\"role\":\"user\",\"content\":\"\"}]", "/messages/0/content= ", "",
	  0 },
	{ "{}", "", "/messages ", 0 },
	{ "[1]", "", "/messages/0 ", 0 },
	{ "[{}]", "", "/messages/0/role ", 0 },
	{ "[{\"role\":1,\"content\":true}]", "",
	  "/messages/0/role /messages/0/content ", 0 },
	{ "[{\"role\":\"u\",\"content\":{}}]", "", "/messages/0/content ", 0 },
	{ "[{\"role\":\"u\",\"content\":5}]", "", "/messages/0/content ", 0 },
	{ "[{\"role\":\"u\",\"content\":[2,{},{\"type\":3},"
	  "{\"type\":\"text\"},{\"type\":\"text\",\"text\":4}]}]",
	  "",
	  "/messages/0/content/0 /messages/0/content/1/type "
	  "/messages/0/content/2/type /messages/0/content/3/text "
	  "/messages/0/content/4/text ",
	  0 },
};

static void
reads_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *arena = arena_new(4096);
		struct body_texts texts = { 0 };
		struct err err = { 0 };
		struct json_doc *doc;
		char text[1024], got[1024] = "", refused[1024] = "";
		struct json messages;

		print_message("%s\n", cases[i].messages);
		snprintf(text, sizeof(text), "{\"messages\":%s}",
			 cases[i].messages);
		assert_int_equal(json_doc_parse(text, strlen(text), &doc, &err),
				 STATUS_OK);
		const struct json root = json_root(doc);
		assert_true(json_get(&root, "messages", &messages));
		enum status status =
		    body_text_messages(&texts, arena, &messages, &err);
		for (size_t k = 0; k < err.items_n; k++) {
			strcat(refused, err.items[k].pointer);
			strcat(refused, " ");
		}
		assert_string_equal(refused, cases[i].refused);
		assert_int_equal(status,
				 refused[0] == '\0' ? STATUS_OK : STATUS_BODY);
		for (size_t k = 0; k < texts.n; k++) {
			strcat(got, body_text_pointer(&texts.items[k], arena));
			strcat(got, "=");
			strcat(got, texts.items[k].text);
			strcat(got, " ");
			assert_int_equal(texts.items[k].n,
					 strlen(texts.items[k].text));
		}
		assert_string_equal(got, cases[i].pieces);
		assert_int_equal(body_text_length(&texts), cases[i].length);
		json_doc_free(doc);
		arena_free(arena);
	}
}

static void
reads_single_pieces(void **state)
{
	struct arena *arena = arena_new(4096);
	struct body_texts texts = { 0 };
	struct err err = { 0 };
	struct json_doc *doc;
	static const char text[] = "[\"p\",\"s\",3]";

	(void)state;
	assert_int_equal(json_doc_parse(text, strlen(text), &doc, &err),
			 STATUS_OK);
	const struct json root = json_root(doc);
	struct json at = json_item(&root, 0);
	assert_int_equal(
	    body_text_read(&texts, arena, BODY_TEXT_PROMPT, &at, &err),
	    STATUS_OK);
	at = json_item(&root, 1);
	assert_int_equal(
	    body_text_read(&texts, arena, BODY_TEXT_SYSTEM, &at, &err),
	    STATUS_OK);
	at = json_item(&root, 2);
	assert_int_equal(
	    body_text_read(&texts, arena, BODY_TEXT_SYSTEM, &at, &err),
	    STATUS_BODY);
	assert_int_equal(texts.n, 2);
	assert_string_equal(body_text_pointer(&texts.items[0], arena),
			    "/prompt");
	assert_string_equal(body_text_pointer(&texts.items[1], arena),
			    "/system_instruction");
	/* more than one growth of the list */
	at = json_item(&root, 0);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(
		    body_text_read(&texts, arena, BODY_TEXT_PROMPT, &at, &err),
		    STATUS_OK);
	}
	assert_int_equal(texts.n, 42);
	assert_string_equal(texts.items[1].text, "s");
	assert_int_equal(body_text_length(&texts), 42);
	json_doc_free(doc);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_messages),
		cmocka_unit_test(reads_single_pieces),
	};
	return cmocka_run_group_tests_name("body_text", tests, NULL, NULL);
}
