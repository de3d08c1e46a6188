/*
 * fuzz: json/read.h takes any bytes; what it takes can be read in every way,
 * and its text is taken again and stays the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "json/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Every typed reader on one value; each refuses or answers. */
static void
read_all_ways(const struct json *at, struct arena *arena)
{
	static const char *const words[] = { "a", "b", NULL };
	const char *text, **list;
	bool flag;
	int64_t number;
	double real;
	size_t list_n;
	int word;
	struct err err = { 0 };

	if (json_string(at, &text, &err) == STATUS_OK) {
		assert(json_string_max(at, strlen(text), &text, &err) ==
		       STATUS_OK);
	}
	if (json_int(at, INT64_MIN, INT64_MAX, &number, &err) == STATUS_OK) {
		assert(json_double(at, -1e19, 1e19, &real, &err) == STATUS_OK);
	}
	if (json_money(at, INT64_MAX, &number, &err) == STATUS_OK) {
		assert(number >= 0);
	}
	(void)!json_bool(at, &flag, &err);
	(void)!json_word(at, words, &word, &err);
	(void)!json_strings(at, arena, &list, &list_n, &err);
	assert(err.items_n > 0);
}

static void
walk(const struct json *at, struct arena *arena)
{
	char pointer[ERR_POINTER_BYTES];

	read_all_ways(at, arena);
	assert(strlen(json_pointer(at, pointer, sizeof(pointer))) <
	       sizeof(pointer));
	if (json_type(at) == JSON_ARRAY) {
		for (size_t i = 0; i < json_n(at); i++) {
			struct json item = json_item(at, i);
			walk(&item, arena);
		}
	} else if (json_type(at) == JSON_OBJECT) {
		struct json child, found;
		struct json_iter iter = { 0 };
		size_t members = 0;

		while (json_next(at, &iter, &child)) {
			assert(json_get(at, child.key, &found));
			assert(found.value == child.value);
			walk(&child, arena);
			members++;
		}
		assert(members == json_n(at));
	}
}

static void
check_round_trip(const struct json *root)
{
	char *text = strdup(json_text(root));
	struct json_doc *again;

	assert(text != NULL);
	assert(json_doc_parse(text, strlen(text), &again, NULL) == STATUS_OK);
	struct json again_root = json_root(again);
	assert(strcmp(json_text(&again_root), text) == 0);
	json_doc_free(again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = input_text(data, n);
	struct json_doc *doc;
	struct err err = { 0 };

	enum status status = json_doc_parse(text, n, &doc, &err);
	if (status == STATUS_OK) {
		struct arena *arena = arena_new(4096);
		struct json root = json_root(doc);

		walk(&root, arena);
		check_round_trip(&root);
		arena_free(arena);
		json_doc_free(doc);
	} else {
		/* never INTERNAL: json-c takes all that the scan takes */
		assert(status == STATUS_JSON || status == STATUS_TOO_LARGE);
		assert(err.items_n == 1 && err.text[0] != '\0');
	}
	free(text);
	return 0;
}
