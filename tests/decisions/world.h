/*
 * world: the stored side of a case, as a document that a snapshot is made of.
 *
 * Later layers win: the file's world_file, its world, the case itself.  Lists
 * are replaced as a whole, policies one by one by their name.  What every row
 * would repeat is filled in: ids, versions, the members of a policy that have
 * an obvious value here (tests/decisions/README.md lists them).
 */
#ifndef DECISIONS_WORLD_H
#define DECISIONS_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "json/read.h"

enum {
	WORLD_LAYERS = 3,
	WORLD_POLICIES_MAX = 64,
	WORLD_KEYS_MAX = 4,
	WORLD_KEY_ID_BYTES = 20
};

struct world {
	const struct json *layers[WORLD_LAYERS]; /* NULL: not there */
	/* [keys_n] API keys; NULL: bound to nothing, asserts anything */
	const struct json *keys[WORLD_KEYS_MAX];
	size_t keys_n; /* 0: one, the same as NULL */
};

/* The id of the first key, and of the I-th. */
#define WORLD_KEY_ID "gateway000000001"
void world_key_id(size_t i, char out[WORLD_KEY_ID_BYTES]);

/* The member names that a layer may have. */
bool world_member(const char *name);

/*
 * The document (policy/source.h) of WORLD behind what OUT holds; TURNED: with
 * its policies in the other order.
 */
void world_compose(const struct world *world, bool turned, struct buf *out);

#endif /* DECISIONS_WORLD_H */
