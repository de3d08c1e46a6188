/*
 * content: the keywords and regular expressions of all policies, compiled as
 * two sets (text/pattern.h), and whose each is.
 */
#ifndef POLICY_CONTENT_H
#define POLICY_CONTENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "policy/snapshot.h"
#include "policy/source_parts.h"

struct content {
	const struct content_item *items; /* [items_n] by a pattern's id */
	size_t items_n;
	struct buf keywords, regexes; /* bytes of text/pattern.h */
};

/**
 * content_compile(source, arena, out, err):
 * Compile the content constraints of SOURCE's policies.
 *
 * Gives:   OUT, end by content_fini (also after an error).
 * Errors:  STATUS_BODY with the pointer of the pattern in the document.
 */
enum status content_compile(const struct source *source, struct arena *arena,
			    struct content *out, struct err *err) MUST_CHECK;
void content_fini(struct content *content);

#endif /* POLICY_CONTENT_H */
