/*
 * facts: whose word counts; from what was said to the context of a decision.
 *
 * In this order: what is bound to the API key; the directory of users; the
 * body, as far as the key may assert it; the server's defaults.  What was said
 * and does not count is a warning, never an error, and never forgotten.
 * Source: docs/policies.md, "Whose word counts"; the reasons are in
 * docs/decisions/ADR-0006-whose-word-counts.md.
 */
#ifndef ENGINE_FACTS_H
#define ENGINE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/config.h"
#include "core/context.h"
#include "core/decision.h"
#include "engine/body.h"
#include "policy/snapshot.h"

/* Who else has a word. */
struct facts_sources {
	const struct config *config;
	const struct snapshot_data *snapshot;
	const struct api_key *key;     /* NULL: no limits, nothing bound */
	const char *header_request_id; /* X-Request-ID, or NULL */
	int64_t now_us;
};

/**
 * facts_settle(body, sources, arena, ctx, warnings):
 * Decide every fact.
 *
 * Gives:   CTX, whose strings live as long as the arena, the body's document
 *          and the snapshot; WARNINGS, in ARENA: `fact_overridden`,
 *          `fact_not_permitted`, `vendor_mismatch`, `vendor_ambiguous`.
 */
void facts_settle(const struct body *body, const struct facts_sources *sources,
		  struct arena *arena, struct context *ctx,
		  struct findings *warnings);

/* Can the header's TEXT, which is bytes or NULL, be an id? */
bool facts_header_is_id(const char *text);

#endif /* ENGINE_FACTS_H */
