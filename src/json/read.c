#include "json/read.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "json/json_c.h"
#include "json/pointer.h"
#include "json/scan.h"

/* A tokener keeps room for the longest string: only after small bodies. */
enum { TOKENER_KEEP_BYTES = 64 * 1024 };

struct json_doc {
	struct json_object *root;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t tokener_key;

static void
free_tokener(void *tokener)
{
	json_tokener_free(tokener);
}

static void
make_key(void)
{
	int rc = pthread_key_create(&tokener_key, free_tokener);

	assert(rc == 0);
}

/* This thread's tokener: making one costs more than a small body does. */
static struct json_tokener *
tokener_get(void)
{
	pthread_once(&once, make_key);
	struct json_tokener *tokener = pthread_getspecific(tokener_key);

	if (tokener == NULL) {
		/* a value inside the deepest array is one deeper */
		tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
		assert(tokener != NULL);
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
		int rc = pthread_setspecific(tokener_key, tokener);
		assert(rc == 0);
	}
	return tokener;
}

static void
tokener_put(struct json_tokener *tokener, size_t n)
{
	json_tokener_reset(tokener);
	if (n > TOKENER_KEEP_BYTES) {
		pthread_setspecific(tokener_key, NULL);
		json_tokener_free(tokener);
	}
}

/* The members of all objects in VALUE. */
static size_t
count_members(struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_array)) {
		size_t items = json_object_array_length(value);

		for (size_t i = 0; i < items; i++) {
			n += count_members(json_object_array_get_idx(value, i));
		}
	} else if (json_object_is_type(value, json_type_object)) {
		struct lh_table *table = json_object_get_object(value);

		n = (size_t)lh_table_length(table);
		for (struct lh_entry *e = table->head; e != NULL; e = e->next) {
			n += count_members(lh_entry_v(e));
		}
	}
	return n;
}

/* The names seen in each object that is open. */
struct names {
	struct json_object *levels[JSON_DEPTH_MAX];
	struct buf key;
};

static bool
note_member(struct scan *scan, const char *key, size_t key_n)
{
	struct names *names = scan->arg;
	struct json_object **seen = &names->levels[scan->depth - 1];

	if (key == NULL) {
		json_object_put(*seen);
		*seen = json_object_new_object();
		return true;
	}
	buf_reset(&names->key);
	size_t n = scan_unescape(key, key_n, buf_room(&names->key, key_n));
	buf_grown(&names->key, n);
	if (json_object_object_get_ex(*seen, names->key.data, NULL)) {
		scan->why = "a second member of this name";
		return false;
	}
	json_object_object_add(*seen, names->key.data, NULL);
	return true;
}

/*
 * json-c lets the second of two members win in silence.  Where the tree has
 * fewer members than the text, a slower second scan finds the place.
 */
static void
find_duplicate(struct scan *scan)
{
	struct names names = { .key = { 0 } };

	scan->member = note_member;
	scan->arg = &names;
	bool unique = scan_text(scan);
	assert(!unique);
	scan->member = NULL;
	scan->arg = NULL;
	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		json_object_put(names.levels[i]);
	}
	buf_fini(&names.key);
}

/* The innermost place that SCAN had reached. */
static enum status
refuse_text(const struct scan *scan, struct err *err)
{
	enum { KEY_MAX = ERR_POINTER_BYTES, CHARACTER_MAX = 4 };
	char text[ERR_POINTER_BYTES], key[KEY_MAX + CHARACTER_MAX];
	struct pointer pointer;

	pointer_init(&pointer, text, sizeof(text));
	for (int i = 0; i < scan->depth; i++) {
		const struct scan_level *level = &scan->levels[i];

		if (level->inside && level->object) {
			/* What does not fit would be cut anyway.  An escape
			 * that the cut goes through is still read whole. */
			size_t n =
			    level->key_n < KEY_MAX ? level->key_n : KEY_MAX;
			n = scan_unescape(level->key, n, key);
			pointer_key(&pointer, key, n);
		} else if (level->inside) {
			pointer_index(&pointer, level->index);
		}
	}
	return err_at(err, STATUS_JSON, text, "%s, at byte %zu", scan->why,
		      (size_t)(scan->at - scan->start));
}

/* Build the tree of what was scanned. */
static enum status
build(const struct scan *scan, struct json_object **root, struct err *err)
{
	size_t n = (size_t)(scan->end - scan->start);
	struct json_tokener *tokener = tokener_get();

	/* with the NUL, so that a number knows its end */
	*root = json_tokener_parse_ex(tokener, scan->start, (int)n + 1);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	tokener_put(tokener, n);
	if (error == json_tokener_success) {
		return STATUS_OK;
	}
	json_object_put(*root);
	return err_set(err, STATUS_INTERNAL,
		       "json-c refused what the scan took: %s",
		       json_tokener_error_desc(error));
}

/* Measured with json-c 0.16 and glibc; the strings themselves come on top. */
static size_t
tree_bytes(const struct scan *scan)
{
	return scan->values * 100 + scan->arrays * 60 + scan->objects * 700 +
	       scan->members * 150;
}

static enum status
parse(const char *text, size_t n, size_t tree_max_bytes, struct json_doc **out,
      struct err *err)
{
	struct scan scan = { .start = text, .end = text + n };
	struct json_object *root;

	assert(text[n] == '\0');
	if (n >= INT_MAX) {
		return err_at(err, STATUS_TOO_LARGE, "", "2 GiB or larger");
	}
	if (!scan_text(&scan)) {
		return refuse_text(&scan, err);
	}
	if (tree_bytes(&scan) > tree_max_bytes) {
		return err_at(err, STATUS_TOO_LARGE, "",
			      "too many values: %zu, of which %zu are objects",
			      scan.values, scan.objects);
	}
	enum status status = build(&scan, &root, err);
	if (status != STATUS_OK) {
		return status;
	}
	if (count_members(root) != scan.members) {
		json_object_put(root);
		find_duplicate(&scan);
		return refuse_text(&scan, err);
	}
	*out = memory_get(sizeof(**out));
	(*out)->root = root;
	return STATUS_OK;
}

enum status
json_doc_parse(const char *text, size_t n, struct json_doc **out,
	       struct err *err)
{
	return parse(text, n, JSON_TREE_MAX_BYTES, out, err);
}

enum status
json_doc_parse_own(const char *text, size_t n, struct json_doc **out,
		   struct err *err)
{
	return parse(text, n, SIZE_MAX, out, err);
}

void
json_doc_free(struct json_doc *doc)
{
	if (doc != NULL) {
		json_object_put(doc->root);
		free(doc);
	}
}

struct json
json_root(const struct json_doc *doc)
{
	return (struct json){ .value = doc->root };
}

enum json_type
json_type(const struct json *at)
{
	switch (json_object_get_type(at->value)) {
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_double:
	case json_type_int:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_null:
	default:
		return JSON_NULL;
	}
}

const char *
json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	    [JSON_BOOL] = "true or false",
		[JSON_NUMBER] = "a number", [JSON_STRING] = "a string",
		[JSON_ARRAY] = "an array",  [JSON_OBJECT] = "an object",
	};

	assert((unsigned)type < sizeof(names) / sizeof(names[0]));
	return names[type];
}

size_t
json_n(const struct json *at)
{
	switch (json_type(at)) {
	case JSON_ARRAY:
		return json_object_array_length(at->value);
	case JSON_OBJECT:
		return (size_t)json_object_object_length(at->value);
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_STRING:
	default:
		return 0;
	}
}

bool
json_get(const struct json *at, const char *key, struct json *child)
{
	struct json_object *value;

	if (!json_object_object_get_ex(at->value, key, &value)) {
		return false;
	}
	*child = (struct json){ .value = value, .up = at, .key = key };
	return true;
}

struct json
json_item(const struct json *at, size_t i)
{
	assert(json_type(at) == JSON_ARRAY && i < json_n(at));
	return (struct json){ .value = json_object_array_get_idx(at->value, i),
			      .up = at,
			      .index = i };
}

bool
json_next(const struct json *at, struct json_iter *iter, struct json *child)
{
	if (!iter->begun) {
		assert(json_type(at) == JSON_OBJECT);
		iter->begun = true;
		iter->next = json_object_get_object(at->value)->head;
	}
	struct lh_entry *entry = iter->next;
	if (entry == NULL) {
		return false;
	}
	iter->next = entry->next;
	*child = (struct json){ .value = lh_entry_v(entry),
				.up = at,
				.key = lh_entry_k(entry) };
	return true;
}

char *
json_pointer(const struct json *at, char *out, size_t out_bytes)
{
	const struct json *chain[JSON_DEPTH_MAX + 1];
	int n = 0;
	struct pointer pointer;

	for (; at->up != NULL; at = at->up) {
		assert(n <= JSON_DEPTH_MAX);
		chain[n++] = at;
	}
	pointer_init(&pointer, out, out_bytes);
	while (n-- > 0) {
		if (chain[n]->key != NULL) {
			pointer_key(&pointer, chain[n]->key,
				    strlen(chain[n]->key));
		} else {
			pointer_index(&pointer, chain[n]->index);
		}
	}
	return out;
}

const char *
json_text(const struct json *at)
{
	if (at->value == NULL) {
		return "null";
	}
	return json_object_to_json_string_ext(
	    at->value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
