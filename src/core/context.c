#include "core/context.h"

#include <assert.h>
#include <string.h>

enum { FOLD = 1, EXACT = 0, BODY = 1, ENGINE = 0, MODEL = 1, FIXED = 0 };

static const struct {
	const char *name;
	enum fact_type type;
	bool folds, from_body, by_model;
} rows[FACT_N] = {
#define FACT(name, type, fold, asserted, by_model) \
	{ #name, FACT_TYPE_##type, fold, asserted, by_model },
#include "core/fact.tbl.h"
#undef FACT
};

static const char *const sources[] = {
	"missing",   "key",	"directory", "body",	    "header",
	"catalogue", "default", "computed",  "reservation",
};

const char *
fact_name(enum fact_id id)
{
	assert(id < FACT_N);
	return rows[id].name;
}

enum fact_type
fact_type(enum fact_id id)
{
	assert(id < FACT_N);
	return rows[id].type;
}

bool
fact_folds(enum fact_id id)
{
	assert(id < FACT_N);
	return rows[id].folds;
}

bool
fact_from_body(enum fact_id id)
{
	assert(id < FACT_N);
	return rows[id].from_body;
}

bool
fact_by_model(enum fact_id id)
{
	assert(id < FACT_N);
	return rows[id].by_model;
}

const char *
fact_source_name(enum fact_source source)
{
	assert(source < sizeof(sources) / sizeof(sources[0]));
	return sources[source];
}

enum fact_id
fact_find(const char *name, size_t n)
{
	for (enum fact_id id = 0; id < FACT_N; id++) {
		if (strlen(rows[id].name) == n &&
		    memcmp(rows[id].name, name, n) == 0) {
			return id;
		}
	}
	return FACT_N;
}

const char *
context_text(const struct context *ctx, enum fact_id id)
{
	assert(fact_type(id) == FACT_TYPE_TEXT);
	const struct fact *fact = &ctx->facts[id];

	return fact->source == SOURCE_MISSING ? NULL : fact->value.text;
}

const struct tag *
context_tag(const struct context *ctx, const char *name)
{
	size_t low = 0, high = ctx->tags_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(ctx->tags[middle].name, name);

		if (order == 0) {
			return &ctx->tags[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}
