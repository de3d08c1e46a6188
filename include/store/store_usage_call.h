/*
 * store_usage_call: one call as the ledger has it, for a person to read (views
 * usage_calls and table usage).
 */
#ifndef STORE_STORE_USAGE_CALL_H
#define STORE_STORE_USAGE_CALL_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "store/pg.h"

/* As texts, money in dollars, times in RFC 3339; "" where not known. */
struct store_usage_entry_row {
	const char *entry;
	const char *at;
	const char *model_id, *vendor_id;
	const char *calls, *cost, *tokens;
	const char *epoch;
	const char *counted; /* "t" */
	const char *charges; /* as counter/reservation.h parses them */
};

struct store_usage_call {
	const char *state; /* "open", "expired", "reported", "settled" */
	const char *reserved_at, *expires_at, *expired_at, *settled_at;
	const char *report_id;
	const char *key_id;
	const char *user_id, *user_tier, *team_id, *organization_id,
	    *api_key_id, *environment;
	const char *decision;
	const char *original_model, *original_vendor; /* asked for */
	const char *model_id, *vendor_id;	      /* that ran, or is to */
	const char *reserved, *cost, *overrun;
	const char *tokens, *input_tokens, *output_tokens;
	const char *success; /* "t", "f" */
	const char *latency_ms;
	const struct store_usage_entry_row *entries; /* [entries_n] in the
							order they were made */
	size_t entries_n;
};

/**
 * store_usage_call(pg, evaluation_id, arena, out, err):
 * The call of a UUID, all of it in ARENA.
 *
 * Errors:  STATUS_NOT_FOUND: the ledger has no entry of it (what that means
 *          says store_usage_find); STATUS_BODY: it is no UUID; else as
 *          pg_query.
 */
enum status store_usage_call(struct pg *pg, const char *evaluation_id,
			     struct arena *arena, struct store_usage_call *out,
			     struct err *err) MUST_CHECK;

#endif /* STORE_STORE_USAGE_CALL_H */
