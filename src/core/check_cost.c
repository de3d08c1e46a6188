/* Source: docs/policies.md, "cost". */
#include "core/check.h"

#include <string.h>

#include "base/money.h"

/* In the order of unknown_price_words. */
enum unknown_price {
	UNKNOWN_PRICE_BLOCK,
	UNKNOWN_PRICE_ESTIMATE,
	UNKNOWN_PRICE_ALLOW
};

/* How a limit of money is judged and what is said about it. */
static const struct check_words request = {
	"cost_per_request_exceeded",
	"the request is estimated to cost more than one request may",
	"cost_near_limit",
	"the request's estimated cost is near the limit",
	"USD",
	DETAIL_MONEY,
};
static const struct check_words price = {
	"model_price_exceeded",	  "the model's mean price is above the limit",
	"model_price_near_limit", "the model's mean price is near the limit",
	"USD per million tokens", DETAIL_MONEY,
};

static const char unknown_type[] = "unknown_price";

static enum unknown_price
unknown_mode(const struct policy *policy)
{
	const struct constraint *c =
	    policy_constraint(policy, CONSTRAINT_unknown_price);

	return c == NULL ? UNKNOWN_PRICE_ESTIMATE
			 : (enum unknown_price)c->number;
}

/* Was it said already?  A policy's findings stand together at the end. */
static bool
unknown_said(const struct check *check)
{
	for (size_t i = check->out->n; i-- > 0;) {
		const struct finding *f = &check->out->items[i];

		if (f->policy != check->policy) {
			break;
		}
		if (f->type == unknown_type) {
			return true;
		}
	}
	return false;
}

static void
unknown_say(struct check *check, enum finding_kind kind, const char *message)
{
	if (unknown_said(check)) {
		return;
	}
	struct finding_of of = {
		.policy = check->policy,
		.key = CONSTRAINT_unknown_price,
		.excused = check->excused,
		.fail_closed = check->settings->fail_closed,
	};
	struct finding *f = finding_add(check->out, check->arena, &of, kind,
					unknown_type, message);
	const char *model = context_text(check->ctx, FACT_model_id);

	if (model != NULL) {
		finding_text(f, "model_id", model);
	}
	if (check->settings->unknown_per_mil != MONEY_UNKNOWN &&
	    unknown_mode(check->policy) == UNKNOWN_PRICE_ESTIMATE) {
		finding_money(f, "assumed", check->settings->unknown_per_mil);
		finding_text(f, "unit", price.unit);
	}
}

/*
 * What the policy does where an amount is not known: says so, and gives back
 * ASSUMED where it is to go on with that, else MONEY_UNKNOWN.
 */
static int64_t
unknown_amount(struct check *check, int64_t assumed)
{
	switch (unknown_mode(check->policy)) {
	case UNKNOWN_PRICE_BLOCK:
		unknown_say(check, FINDING_VIOLATION,
			    "the model's price is not known");
		return MONEY_UNKNOWN;
	case UNKNOWN_PRICE_ALLOW:
		unknown_say(check, FINDING_WARNING,
			    "the model's price is not known, cost is not "
			    "limited");
		return MONEY_UNKNOWN;
	case UNKNOWN_PRICE_ESTIMATE:
		break;
	}
	unknown_say(
	    check, assumed == MONEY_UNKNOWN ? FINDING_UNKNOWN : FINDING_WARNING,
	    assumed == MONEY_UNKNOWN
		? "the model's price is not known and none is assumed"
		: "the model's price is not known, the configured one "
		  "is assumed");
	return assumed;
}

/* The cost with what is unknown assumed by the settings. */
static int64_t
assumed_cost(const struct check *check)
{
	return estimate_make(check->ctx, check->ctx->model, check->asked_for,
			     check->settings->unknown_per_mil)
	    .cost_nanousd;
}

void
check_cost_per_request(struct check *check)
{
	int64_t cost = check->estimate.cost_nanousd;

	if (cost == MONEY_UNKNOWN) {
		cost = unknown_amount(check, assumed_cost(check));
	}
	if (cost != MONEY_UNKNOWN) {
		check_limit(check, &request, cost);
	}
}

void
check_model_price(struct check *check)
{
	const struct model *model = check->ctx->model;
	int64_t mean =
	    model == NULL ? MONEY_UNKNOWN : model_mean_per_mil(model);

	if (mean == MONEY_UNKNOWN) {
		mean = unknown_amount(check, check->settings->unknown_per_mil);
	}
	if (mean != MONEY_UNKNOWN) {
		check_limit(check, &price, mean);
	}
}

/* The amount is held against its limit where it is counted (core/count.h). */
void
check_counted(struct check *check)
{
	if (counter_row(check->constraint->key)->unit == COUNTER_COST) {
		check_unknown_price(check);
	}
}

void
check_unknown_price(struct check *check)
{
	if (check->estimate.cost_nanousd == MONEY_UNKNOWN) {
		unknown_amount(check, assumed_cost(check));
	}
}
