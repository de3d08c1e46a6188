/*
 * body: the JSON of an evaluation's request, read and typed.
 *
 * Says what the caller said and nothing about whether it counts: that is
 * engine/facts.c.  Every field is a row of engine/field.tbl.h.
 * Source: docs/openapi.yaml.
 */
#ifndef ENGINE_BODY_H
#define ENGINE_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "core/context.h"
#include "core/policy.h"
#include "engine/body_text.h"
#include "json/read.h"

enum {
	BODY_TAGS_MAX = 64,
	BODY_TEXT_MAX = 256, /* bytes of an id, a name, a tag's value */
	BODY_BYPASS_MAX = 100
};

enum explain { EXPLAIN_BRIEF, EXPLAIN_FULL };

/* What a report says; numbers are -1 where it does not. */
struct body_report {
	const char *evaluation_id; /* lower case, or NULL */
	int64_t input_tokens, output_tokens, cost_nanousd;
	int64_t latency_us;
	enum body_success {
		BODY_SUCCESS_UNSAID,
		BODY_SUCCESS_NO,
		BODY_SUCCESS_YES
	} success;
	const char *error; /* NULL: none, or an empty one */
	const char *served_model_id,
	    *served_vendor_id; /* lower case, or NULL */
};

struct body {
	enum stage stage;
	enum explain explain;
	bool said[FACT_N]; /* an empty text is as good as none */
	union value values[FACT_N];
	struct tag *tags; /* [tags_n] by name */
	size_t tags_n;
	struct requirements requires;
	bool bypass_all;
	const char **bypass; /* [bypass_n] */
	size_t bypass_n;
	struct body_texts texts;   /* in the order of the body */
	struct body_report report; /* of STAGE_POST_EXECUTION */
	const char **ignored;	   /* [ignored_n] members that nobody reads */
	size_t ignored_n;
};

/**
 * body_read(root, arena, out, err):
 * Read the document ROOT.
 *
 * Gives:   OUT; its strings are borrowed from ROOT's document or in ARENA.  A
 *          report (STAGE_POST_EXECUTION) needs no model_id, but says which call
 *          it is about: evaluation_id, or correlation_id and request_id.
 * Errors:  STATUS_BODY with every wrong place; STATUS_NOT_IMPLEMENTED for a
 *          stage that is not built.
 */
enum status body_read(const struct json *root, struct arena *arena,
		      struct body *out, struct err *err) MUST_CHECK;

/* Is what the body says of FACT the caller's own to say, under any key? */
bool body_own(enum fact_id fact);

#endif /* ENGINE_BODY_H */
