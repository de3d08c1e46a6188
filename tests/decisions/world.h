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

#include "base/buf.h"
#include "json/read.h"

enum { WORLD_LAYERS = 3, WORLD_POLICIES_MAX = 64 };

#define WORLD_KEY_ID "gateway000000001"

struct world {
	const struct json *layers[WORLD_LAYERS]; /* NULL: not there */
	const struct json *key; /* the case's key, NULL: asserts anything */
};

/* The member names that a layer may have. */
bool world_member(const char *name);

/*
 * The document (policy/source.h) of WORLD behind what OUT holds; TURNED: with
 * its policies in the other order.
 */
void world_compose(const struct world *world, bool turned, struct buf *out);

#endif /* DECISIONS_WORLD_H */
