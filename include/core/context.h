/*
 * context: the facts of one LLM request, each with where it came from.
 *
 * Made by engine/facts.c by the rule "whose word counts" (docs/policies.md);
 * core only reads it.  Strings are borrowed and live as long as the request.
 */
#ifndef CORE_CONTEXT_H
#define CORE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;

enum fact_id {
#define FACT(name, type, fold, asserted, by_model) FACT_##name,
#include "core/fact.tbl.h"
#undef FACT
	FACT_N
};

enum fact_type {
	FACT_TYPE_TEXT,
	FACT_TYPE_COUNT,
	FACT_TYPE_MONEY,
	FACT_TYPE_RATIO,
	FACT_TYPE_FLAG
};

/* Whose word it is; SOURCE_MISSING: nobody said, the value is void. */
enum fact_source {
	SOURCE_MISSING,
	SOURCE_KEY,	  /* bound to the API key */
	SOURCE_DIRECTORY, /* the table subjects */
	SOURCE_BODY,
	SOURCE_HEADER,
	SOURCE_CATALOGUE,  /* the model catalogue */
	SOURCE_DEFAULT,	   /* the server's setting */
	SOURCE_COMPUTED,   /* from the text */
	SOURCE_RESERVATION /* of a report: what counted before the call */
};

union value {
	const char *text; /* of a FOLD fact: already lower case */
	int64_t number;	  /* COUNT; MONEY in nano-dollars */
	double ratio;
	bool flag;
};

struct fact {
	enum fact_source source;
	union value value;
};

/* A member of the body's tags; sorted by name. */
struct tag {
	const char *name;
	enum fact_type type; /* TEXT, RATIO (any number) or FLAG */
	union value value;
};

enum {
	FEATURE_FUNCTION_CALLING = 1 << 0,
	FEATURE_VISION = 1 << 1,
	FEATURE_REASONING = 1 << 2
};

/* What the caller asks of any model that would serve it. */
struct requirements {
	uint32_t features;	/* FEATURE_ bits */
	int64_t context_tokens; /* 0: nothing asked */
};

struct context {
	struct fact facts[FACT_N];
	const struct tag *tags; /* [tags_n] by name */
	size_t tags_n;
	/* The catalogue's entry of model_id + vendor_id; NULL: unknown. */
	const struct model *model;
	struct requirements requires;
	/* Was the region named (key or body), not taken from the catalogue? */
	bool region_given;
	bool has_text; /* any prompt, message or instruction */
	/* Does the caller wish a bypass: of all, or of these names? */
	bool bypass_all;
	const char *const *bypass; /* [bypass_n] policy names */
	size_t bypass_n;
	int64_t now_us;
};

const char *fact_name(enum fact_id id);
enum fact_type fact_type(enum fact_id id);
bool fact_folds(enum fact_id id);
bool fact_from_body(enum fact_id id);
bool fact_by_model(enum fact_id id);
const char *fact_source_name(enum fact_source source);

/* The fact called NAME (N bytes), FACT_N when there is none. */
enum fact_id fact_find(const char *name, size_t n);

/* A fact's text, NULL when it is missing. */
const char *context_text(const struct context *ctx, enum fact_id id);

/* The tag called NAME, NULL when it is missing. */
const struct tag *context_tag(const struct context *ctx, const char *name);

#endif /* CORE_CONTEXT_H */
