/*
 * catalogue: the models that exist, what they cost, where they are served.
 *
 * Compiled by policy/ into a snapshot and immutable there.  What is unknown is
 * said to be unknown (MONEY_UNKNOWN, -1, tier 0, no region) and never counts
 * as permitted or free.
 */
#ifndef CORE_CATALOGUE_H
#define CORE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word of the one vocabulary ("us-east") and its group ("us"). */
struct region {
	const char *name;
	const char *group; /* "other" for what belongs to no named group */
};

struct model {
	const char *model_id;  /* lower case */
	const char *vendor_id; /* lower case, after the alias table */
	int tier;	   /* capability 1 (small) to 3 (frontier); 0 unknown */
	bool active;	   /* may be chosen as a fallback */
	uint32_t features; /* FEATURE_ bits of core/context.h */
	int64_t context_tokens;	   /* -1 unknown */
	int64_t max_output_tokens; /* -1 unknown */
	/* nano-dollars per million tokens, MONEY_UNKNOWN */
	int64_t input_per_mil;
	int64_t output_per_mil;
	int64_t cached_input_per_mil;
	/* above tier_from_tokens of input all tokens cost this; 0: no tier */
	int64_t tier_from_tokens;
	int64_t tier_input_per_mil;
	int64_t tier_output_per_mil;
	const struct region *const
	    *regions;	  /* [regions_n] where it is served */
	size_t regions_n; /* 0 unknown */
};

/* An alias of a vendor or region: both lower case, sorted by from. */
struct alias {
	const char *from;
	const char *to;
};

struct catalogue {
	const struct model
	    *models; /* [models_n] sorted by model_id, vendor_id */
	size_t models_n;
	/* Active models with known prices, cheapest mean price first, ties by
	 * model_id: the order in which a fallback is looked for. */
	const struct model *const *by_price; /* [by_price_n] */
	size_t by_price_n;
	const struct region *regions; /* [regions_n] sorted by name */
	size_t regions_n;
	const struct alias *vendor_aliases;
	size_t vendor_aliases_n;
	const struct alias *region_aliases;
	size_t region_aliases_n;
};

/**
 * catalogue_model(catalogue, model_id, vendor_id):
 * The model's entry, or NULL when it is unknown.
 *
 * Takes:   lower case names; VENDOR_ID may be NULL: then the entry of that
 *          model_id whose vendor comes first by name.
 */
const struct model *catalogue_model(const struct catalogue *catalogue,
				    const char *model_id,
				    const char *vendor_id);

/* VENDOR's name after the alias table; VENDOR itself where there is none. */
const char *catalogue_vendor(const struct catalogue *catalogue,
			     const char *vendor);

/* The region that NAME (a word of ours or of a vendor) means, or NULL. */
const struct region *catalogue_region(const struct catalogue *catalogue,
				      const char *name);

/* Mean of input and output price per million tokens, or MONEY_UNKNOWN. */
int64_t model_mean_per_mil(const struct model *model);

#endif /* CORE_CATALOGUE_H */
