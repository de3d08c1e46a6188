/*
 * content_scan: core's question "which keywords and patterns does the text hold?"
 *
 * Every piece of text is looked through twice: folded, for the keywords of all
 * policies at once, and as it is, for all regular expressions at once.
 */
#ifndef ENGINE_CONTENT_SCAN_H
#define ENGINE_CONTENT_SCAN_H

#include "core/decide.h"
#include "engine/body.h"
#include "policy/snapshot.h"
#include "text/pattern.h"

/* The argument of content_scan: one evaluation's. */
struct content_scan {
	struct pattern_scanner *scanner;
	const struct snapshot *snapshot;
	const struct body *body;
};

/* decide_ops.scan; ARG is a struct content_scan. */
bool content_scan(void *arg, struct arena *arena,
		  const struct content_hit **hits, size_t *hits_n,
		  const char **why);

#endif /* ENGINE_CONTENT_SCAN_H */
