#include "core/estimate.h"

#include <assert.h>

#include "base/money.h"

/* A count that somebody gave, not one that the engine computed. */
static bool
given(const struct context *ctx, enum fact_id id, int64_t *number)
{
	const struct fact *fact = &ctx->facts[id];

	if (fact->source == SOURCE_MISSING || fact->source == SOURCE_COMPUTED) {
		return false;
	}
	assert(fact->value.number >= 0);
	*number = fact->value.number;
	return true;
}

static int64_t
input_tokens_of(const struct context *ctx)
{
	int64_t n;

	if (given(ctx, FACT_input_tokens, &n)) {
		return n;
	}
	if (ctx->facts[FACT_prompt_length].source == SOURCE_MISSING) {
		return 0;
	}
	n = ctx->facts[FACT_prompt_length].value.number;
	assert(n >= 0);
	return n / 4 + (n % 4 != 0);
}

/* Prices per million tokens of MODEL for INPUT tokens of input. */
struct prices {
	int64_t input, output;
};

static struct prices
prices_of(const struct model *model, int64_t input, int64_t unknown)
{
	struct prices at = { MONEY_UNKNOWN, MONEY_UNKNOWN };

	if (model != NULL) {
		at.input = model->input_per_mil;
		at.output = model->output_per_mil;
	}
	if (model != NULL && model->tier_from_tokens > 0 &&
	    input > model->tier_from_tokens) {
		/* A tier that names one price only leaves the other as it is. */
		at.input = model->tier_input_per_mil == MONEY_UNKNOWN
			       ? at.input
			       : model->tier_input_per_mil;
		at.output = model->tier_output_per_mil == MONEY_UNKNOWN
				? at.output
				: model->tier_output_per_mil;
	}
	at.input = at.input == MONEY_UNKNOWN ? unknown : at.input;
	at.output = at.output == MONEY_UNKNOWN ? unknown : at.output;
	return at;
}

/* Output tokens where nobody asked for a number; -1 unknown. */
static int64_t
output_maximum(const struct model *model, int64_t unknown_per_mil)
{
	if (model != NULL && model->max_output_tokens >= 0) {
		return model->max_output_tokens;
	}
	return unknown_per_mil == MONEY_UNKNOWN ? -1 : ESTIMATE_OUTPUT_ASSUMED;
}

static int64_t
mean_of(struct prices at)
{
	int64_t sum = money_add(at.input, at.output);

	return sum / 2 + sum % 2;
}

struct estimate
estimate_make(const struct context *ctx, const struct model *model,
	      bool asked_for, int64_t unknown_per_mil)
{
	struct estimate e = { .basis = ESTIMATE_UNKNOWN_PRICE,
			      .cost_nanousd = MONEY_UNKNOWN,
			      .input_tokens = input_tokens_of(ctx) };
	int64_t output = 0, total = 0;
	bool has_output = given(ctx, FACT_max_output_tokens, &output);
	bool has_total = given(ctx, FACT_estimated_tokens, &total);

	e.total_tokens = has_total ? total : money_add(e.input_tokens, output);
	if (asked_for && given(ctx, FACT_estimated_cost, &e.cost_nanousd)) {
		e.basis = ESTIMATE_GIVEN;
		return e;
	}
	struct prices at = prices_of(model, e.input_tokens, unknown_per_mil);

	if (at.input == MONEY_UNKNOWN || at.output == MONEY_UNKNOWN) {
		return e;
	}
	if (has_total && !has_output) {
		e.basis = ESTIMATE_TOTAL;
		e.cost_nanousd = money_of_tokens(total, mean_of(at));
		return e;
	}
	e.basis = has_output ? ESTIMATE_INPUT_OUTPUT : ESTIMATE_MAXIMUM;
	output = has_output ? output : output_maximum(model, unknown_per_mil);
	if (output < 0) {
		e.basis = ESTIMATE_UNKNOWN_PRICE;
		return e;
	}
	e.cost_nanousd = money_add(money_of_tokens(e.input_tokens, at.input),
				   money_of_tokens(output, at.output));
	return e;
}
