/*
 * source_catalogue: models, regions and the names that both have elsewhere.
 */
#include "policy/source_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/money.h"

enum {
	NAME_BYTES = 256,
	PRICE_MAX_USD = 1000000, /* for a million tokens */
	TIER_MAX = 3
};
#define TOKENS_MAX INT64_C(1000000000000)

/* A model while its lists wait for the regions. */
struct model_row {
	struct model model;
	struct json features, regions; /* null: none */
};

static int
compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
compare_aliases(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;

	return strcmp(x->from, y->from);
}

static int
compare_models(const void *a, const void *b)
{
	const struct model_row *x = a, *y = b;
	int order = strcmp(x->model.model_id, y->model.model_id);

	return order != 0 ? order
			  : strcmp(x->model.vendor_id, y->model.vendor_id);
}

/* ---- regions and aliases */

static void
read_regions(struct reading *r, const struct json *at, struct catalogue *out)
{
	static const struct reading_field fields[] = {
		{ .name = "region",
		  .kind = READING_LOWER,
		  .required = true,
		  .offset = offsetof(struct region, name),
		  .low = 1,
		  .high = NAME_BYTES },
		{ .name = "region_group",
		  .kind = READING_LOWER,
		  .required = true,
		  .offset = offsetof(struct region, group),
		  .low = 1,
		  .high = NAME_BYTES },
	};
	static const struct region none = { "", "" };
	void *rows;

	out->regions_n =
	    reading_rows(r, at, fields, 2, &none, sizeof(none), &rows);
	reading_sort(r, at, rows, out->regions_n, sizeof(none),
		     compare_regions);
	out->regions = rows;
}

/* Aliases whose target is called TO in the document, in its order. */
static struct alias *
read_aliases(struct reading *r, const struct json *at, const char *to,
	     size_t *n)
{
	const struct reading_field fields[] = {
		{ .name = "alias",
		  .kind = READING_LOWER,
		  .required = true,
		  .offset = offsetof(struct alias, from),
		  .low = 1,
		  .high = NAME_BYTES },
		{ .name = to,
		  .kind = READING_LOWER,
		  .required = true,
		  .offset = offsetof(struct alias, to),
		  .low = 1,
		  .high = NAME_BYTES },
	};
	static const struct alias none = { "", "" };
	void *rows;

	*n = reading_rows(r, at, fields, 2, &none, sizeof(none), &rows);
	return rows;
}

static void
read_region_aliases(struct reading *r, const struct json *at,
		    struct catalogue *out)
{
	size_t n;
	struct alias *rows = read_aliases(r, at, "region", &n);

	for (size_t i = 0; i < n; i++) {
		struct json row = json_item(at, i);

		if (rows[i].to[0] != '\0' &&
		    catalogue_region(out, rows[i].to) == NULL) {
			(void)reading_refuse_member(r, &row, "region",
						    "unknown region");
		}
	}
	reading_sort(r, at, rows, n, sizeof(*rows), compare_aliases);
	out->region_aliases = rows;
	out->region_aliases_n = n;
}

static void
read_vendor_aliases(struct reading *r, const struct json *at,
		    struct catalogue *out)
{
	size_t n;
	struct alias *rows = read_aliases(r, at, "vendor_id", &n);

	reading_sort(r, at, rows, n, sizeof(*rows), compare_aliases);
	out->vendor_aliases = rows;
	out->vendor_aliases_n = n;
}

/* ---- models */

#define AT(member) offsetof(struct model_row, member)
#define PRICE(field, member)                                                  \
	{                                                                     \
		.name = field "_price_per_mil_tokens", .kind = READING_PRICE, \
		.offset = AT(model.member), .high = PRICE_MAX_USD             \
	}

static const struct reading_field model_fields[] = {
	{ .name = "model_id",
	  .kind = READING_LOWER,
	  .required = true,
	  .offset = AT(model.model_id),
	  .low = 1,
	  .high = NAME_BYTES },
	{ .name = "vendor_id",
	  .kind = READING_LOWER,
	  .required = true,
	  .offset = AT(model.vendor_id),
	  .low = 1,
	  .high = NAME_BYTES },
	{ .name = "capability_tier",
	  .kind = READING_INT,
	  .offset = AT(model.tier),
	  .low = 1,
	  .high = TIER_MAX },
	{ .name = "active", .kind = READING_FLAG, .offset = AT(model.active) },
	{ .name = "context_tokens",
	  .kind = READING_COUNT,
	  .offset = AT(model.context_tokens),
	  .low = 1,
	  .high = TOKENS_MAX },
	{ .name = "max_output_tokens",
	  .kind = READING_COUNT,
	  .offset = AT(model.max_output_tokens),
	  .low = 1,
	  .high = TOKENS_MAX },
	PRICE("input", input_per_mil),
	PRICE("output", output_per_mil),
	PRICE("cached_input", cached_input_per_mil),
	{ .name = "tier_from_tokens",
	  .kind = READING_COUNT,
	  .offset = AT(model.tier_from_tokens),
	  .low = 1,
	  .high = TOKENS_MAX },
	PRICE("tier_input", tier_input_per_mil),
	PRICE("tier_output", tier_output_per_mil),
	{ .name = "features", .kind = READING_PLACE, .offset = AT(features) },
	{ .name = "regions", .kind = READING_PLACE, .offset = AT(regions) },
};

static const struct model_row unknown_model = {
	.model = { .model_id = "",
		   .vendor_id = "",
		   .active = true,
		   .context_tokens = -1,
		   .max_output_tokens = -1,
		   .input_per_mil = MONEY_UNKNOWN,
		   .output_per_mil = MONEY_UNKNOWN,
		   .cached_input_per_mil = MONEY_UNKNOWN,
		   .tier_input_per_mil = MONEY_UNKNOWN,
		   .tier_output_per_mil = MONEY_UNKNOWN },
};

static uint32_t
read_features(struct reading *r, const struct json *at)
{
	/* by the bits of core/context.h */
	static const char *const words[] = { "function_calling", "vision",
					     "reasoning", NULL };
	uint32_t features = 0;
	int word;

	if (json_type(at) == JSON_NULL ||
	    !reading_ok(r, json_expect(at, JSON_ARRAY, r->err))) {
		return 0;
	}
	for (size_t i = 0; i < json_n(at); i++) {
		struct json item = json_item(at, i);

		if (reading_ok(r, json_word(&item, words, &word, r->err))) {
			features |= (uint32_t)1 << word;
		}
	}
	return features;
}

static void
read_model_regions(struct reading *r, const struct json *at,
		   const struct catalogue *catalogue, struct model *model)
{
	const char *const *names;
	size_t n;

	if (json_type(at) == JSON_NULL ||
	    !reading_texts(r, at, NAME_BYTES, SIZE_MAX, &names, &n)) {
		return;
	}
	const struct region **regions =
	    arena_array(r->arena, n, sizeof(*regions));
	for (size_t i = 0; i < n; i++) {
		struct json item = json_item(at, i);

		regions[i] = catalogue_region(catalogue,
					      arena_lower(r->arena, names[i]));
		if (regions[i] == NULL) {
			(void)reading_refuse(r, &item, "unknown region");
		}
	}
	model->regions = regions;
	model->regions_n = n;
}

static int
compare_prices(const void *a, const void *b)
{
	const struct model *x = *(const struct model *const *)a;
	const struct model *y = *(const struct model *const *)b;
	int64_t p = model_mean_per_mil(x), q = model_mean_per_mil(y);

	if (p != q) {
		return p < q ? -1 : 1;
	}
	int order = strcmp(x->model_id, y->model_id);
	return order != 0 ? order : strcmp(x->vendor_id, y->vendor_id);
}

static void
order_by_price(struct reading *r, struct catalogue *out)
{
	const struct model **list =
	    arena_array(r->arena, out->models_n, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < out->models_n; i++) {
		const struct model *model = &out->models[i];

		if (model->active &&
		    model_mean_per_mil(model) != MONEY_UNKNOWN) {
			list[n++] = model;
		}
	}
	if (n > 0) {
		qsort(list, n, sizeof(*list), compare_prices);
	}
	out->by_price = list;
	out->by_price_n = n;
}

static void
read_models(struct reading *r, const struct json *at, struct catalogue *out)
{
	void *read;
	size_t n = reading_rows(r, at, model_fields,
				sizeof(model_fields) / sizeof(model_fields[0]),
				&unknown_model, sizeof(unknown_model), &read);
	struct model_row *rows = read;
	struct model *models = arena_array(r->arena, n, sizeof(*models));

	for (size_t i = 0; i < n; i++) {
		struct model *model = &rows[i].model;

		model->vendor_id = catalogue_vendor(out, model->vendor_id);
		model->features = read_features(r, &rows[i].features);
		read_model_regions(r, &rows[i].regions, out, model);
	}
	reading_sort(r, at, rows, n, sizeof(*rows), compare_models);
	for (size_t i = 0; i < n; i++) {
		models[i] = rows[i].model;
	}
	out->models = models;
	out->models_n = n;
	order_by_price(r, out);
}

void
source_catalogue(struct reading *r, const struct source_catalogue *at,
		 struct catalogue *out)
{
	*out = (struct catalogue){ 0 };
	read_regions(r, &at->regions, out);
	read_region_aliases(r, &at->region_aliases, out);
	read_vendor_aliases(r, &at->vendor_aliases, out);
	read_models(r, &at->models, out);
}
