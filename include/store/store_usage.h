/*
 * store_usage: what the ledger has about one call (tables usage, evaluations).
 */
#ifndef STORE_STORE_USAGE_H
#define STORE_STORE_USAGE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/uuid.h"
#include "store/pg.h"

enum store_usage_state {
	STORE_USAGE_UNKNOWN,  /* some host's spool may still have it */
	STORE_USAGE_ABSENT,   /* there is no such call, and none can come */
	STORE_USAGE_OPEN,     /* admitted; no report is known of */
	STORE_USAGE_SETTLING, /* a report has come and waits to be settled */
	STORE_USAGE_SETTLED,
	STORE_USAGE_REFUSED /* the call was blocked */
};

/* Texts may be NULL: not known. */
struct store_usage {
	enum store_usage_state state;
	/* OPEN, SETTLING, SETTLED; of REFUSED what an evaluation has */
	const char *key_id;
	const char *user_id, *user_tier, *team_id, *organization_id,
	    *api_key_id, *environment;
	const char *original_model, *original_vendor;
	const char *model_id, *vendor_id;
	const char *decision;
	int64_t made_us, expires_us;
	int64_t cost_nanousd, tokens; /* reserved */
	const char *charges;	      /* the column, as PostgreSQL's text */
	/* SETTLED: what it came to; SETTLING: what the report says */
	char report_id[UUID_TEXT_BYTES]; /* "": not known */
	int64_t settled_us;
	int64_t settled_nanousd, settled_tokens;
};

/**
 * store_usage_find(pg, evaluation_id, arena, out, err):
 * The call of a UUID.  Texts are in ARENA.
 *
 * Errors:  STATUS_BODY: EVALUATION_ID is no UUID; else as pg_query.
 */
enum status store_usage_find(struct pg *pg, const char *evaluation_id,
			     struct arena *arena, struct store_usage *out,
			     struct err *err) MUST_CHECK;

#endif /* STORE_STORE_USAGE_H */
