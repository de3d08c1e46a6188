#include "engine/meaning.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "json/write.h"

struct member {
	const char *key;
	struct json at;
};

static int
compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key,
		      ((const struct member *)b)->key);
}

static void put_meaning(struct json_writer *w, struct arena *arena,
			const struct json *at);

static void
put_members(struct json_writer *w, struct arena *arena, const struct json *at)
{
	size_t n = 0;
	struct member *members =
	    arena_array(arena, json_n(at), sizeof(*members));
	struct json_iter iter = { 0 };
	struct json member;

	while (json_next(at, &iter, &member)) {
		members[n++] = (struct member){ member.key, member };
	}
	if (n > 0) {
		qsort(members, n, sizeof(*members), compare_members);
	}
	json_object_begin(w);
	for (size_t i = 0; i < n; i++) {
		json_key(w, members[i].key);
		put_meaning(w, arena, &members[i].at);
	}
	json_object_finish(w);
}

/* Neither white space, nor the order of members, nor how a character is
 * escaped is part of what a document means. */
static void
put_meaning(struct json_writer *w, struct arena *arena, const struct json *at)
{
	switch (json_type(at)) {
	case JSON_OBJECT:
		put_members(w, arena, at);
		return;
	case JSON_ARRAY:
		json_array_begin(w);
		for (size_t i = 0; i < json_n(at); i++) {
			const struct json item = json_item(at, i);

			put_meaning(w, arena, &item);
		}
		json_array_finish(w);
		return;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_STRING:
	default:
		json_put_raw(w, json_text(at));
		return;
	}
}

void
meaning_digest(const struct json *root, struct arena *arena,
	       struct buf *scratch, unsigned char out[MEANING_DIGEST_BYTES])
{
	struct json_writer w;

	buf_reset(scratch);
	json_write_init(&w, scratch);
	put_meaning(&w, arena, root);
	json_write_end(&w);
	digest_bytes(scratch->data, scratch->len, out, MEANING_DIGEST_BYTES);
}
