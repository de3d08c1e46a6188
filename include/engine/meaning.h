/*
 * meaning: what a JSON document says, without how it is written.
 *
 * White space, the order of members and how a character is escaped are no part
 * of it; how a number is written is.
 */
#ifndef ENGINE_MEANING_H
#define ENGINE_MEANING_H

#include "base/arena.h"
#include "base/buf.h"
#include "json/read.h"

enum { MEANING_DIGEST_BYTES = 16 };

/* The digest of what ROOT means into OUT; SCRATCH is overwritten. */
void meaning_digest(const struct json *root, struct arena *arena,
		    struct buf *scratch,
		    unsigned char out[MEANING_DIGEST_BYTES]);

#endif /* ENGINE_MEANING_H */
