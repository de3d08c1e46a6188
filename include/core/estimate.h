/*
 * estimate: how many tokens a request is, and what it will cost on a model.
 *
 * First that applies (docs/policies.md, "cost"):
 *   1 estimated_cost from the gateway, only for the model that was asked for
 *   2 input tokens x input price + max_output_tokens x output price, where
 *     max_output_tokens is given; input tokens not given are
 *     ceil(characters / 4) of all text
 *   3 estimated_tokens x the mean of both prices
 *   4 input tokens x input price + the catalogue's output maximum x output
 *     price; an unknown maximum makes the cost unknown
 * The catalogue's tiered prices apply where input tokens exceed their start.
 * What was computed by the engine itself (SOURCE_COMPUTED) is not given.
 */
#ifndef CORE_ESTIMATE_H
#define CORE_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/catalogue.h"
#include "core/context.h"

/* Where a price must be assumed and nobody says how long the answer may be:
 * the commonest output maximum of the catalogue's models. */
enum { ESTIMATE_OUTPUT_ASSUMED = 4096 };

enum estimate_basis {
	ESTIMATE_GIVEN,	       /* 1 */
	ESTIMATE_INPUT_OUTPUT, /* 2 */
	ESTIMATE_TOTAL,	       /* 3 */
	ESTIMATE_MAXIMUM,      /* 4 */
	ESTIMATE_UNKNOWN_PRICE
};

struct estimate {
	enum estimate_basis basis;
	int64_t cost_nanousd; /* MONEY_UNKNOWN with ESTIMATE_UNKNOWN_PRICE */
	int64_t input_tokens; /* given or ceil(characters / 4) */
	int64_t total_tokens; /* estimated_tokens, or input + max_output_tokens
				 where given */
};

/**
 * estimate_make(ctx, model, asked_for, unknown_per_mil):
 * The estimate of CTX on MODEL.
 *
 * Takes:   MODEL may be NULL (unknown, so without a price); ASKED_FOR is false
 *          for a fallback, which never reuses the gateway's estimated_cost;
 *          UNKNOWN_PER_MIL is the price to assume where one is unknown
 *          (and ESTIMATE_OUTPUT_ASSUMED for an unknown output maximum), or
 *          MONEY_UNKNOWN to leave an unknown price unknown.
 */
struct estimate estimate_make(const struct context *ctx,
			      const struct model *model, bool asked_for,
			      int64_t unknown_per_mil);

#endif /* CORE_ESTIMATE_H */
