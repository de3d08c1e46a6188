/*
 * condition: does a context fulfil a policy's applies_to?
 *
 * What is missing makes a test false, what is of another type makes it an
 * error.  Source: docs/policies.md, "A policy document".
 */
#include "core/policy.h"

#include <assert.h>
#include <string.h>

#include "core/match.h"

/* What a test looks at, in the types of struct condition_value. */
struct operand {
	bool there;
	enum fact_type type; /* TEXT, RATIO, FLAG */
	union value value;
};

static struct operand
operand_of_tag(const struct tag *tag)
{
	if (tag == NULL) {
		return (struct operand){ .there = false };
	}
	return (struct operand){ true, tag->type, tag->value };
}

static struct operand
operand_of_fact(enum fact_id id, const struct fact *fact)
{
	struct operand at = { .there = fact->source != SOURCE_MISSING,
			      .type = fact_type(id),
			      .value = fact->value };

	switch (at.type) {
	case FACT_TYPE_COUNT:
		at.type = FACT_TYPE_RATIO;
		at.value.ratio = (double)fact->value.number;
		break;
	case FACT_TYPE_MONEY:
		/* Divided, so that 100,000,000 is the double nearest 0.1. */
		at.type = FACT_TYPE_RATIO;
		at.value.ratio = (double)fact->value.number / 1e9;
		break;
	case FACT_TYPE_TEXT:
	case FACT_TYPE_RATIO:
	case FACT_TYPE_FLAG:
		break;
	}
	return at;
}

static bool
equals(const struct condition_value *value, const struct operand *at)
{
	switch (value->type) {
	case FACT_TYPE_TEXT:
		return value->glob
			   ? match_glob(value->value.text, at->value.text)
			   : strcmp(value->value.text, at->value.text) == 0;
	case FACT_TYPE_FLAG:
		return value->value.flag == at->value.flag;
	case FACT_TYPE_RATIO:
	case FACT_TYPE_COUNT:
	case FACT_TYPE_MONEY:
		break;
	}
	return value->value.ratio >= at->value.ratio &&
	       value->value.ratio <= at->value.ratio;
}

/* Is AT one of the values?  An error when none is of its type. */
static enum holds
among(const struct condition *c, const struct operand *at)
{
	bool comparable = c->values_n == 0;

	for (size_t i = 0; i < c->values_n; i++) {
		if (c->values[i].type != at->type) {
			continue;
		}
		comparable = true;
		if (equals(&c->values[i], at)) {
			return HOLDS_YES;
		}
	}
	return comparable ? HOLDS_NO : HOLDS_ERROR;
}

static enum holds
in_range(const struct condition *c, const struct operand *at)
{
	if (at->type != FACT_TYPE_RATIO) {
		return HOLDS_ERROR;
	}
	double n = at->value.ratio;
	bool low = c->low_open ? n > c->low : n >= c->low;
	bool high = c->high_open ? n < c->high : n <= c->high;

	return low && high ? HOLDS_YES : HOLDS_NO;
}

static enum holds
test_holds(const struct condition *c, const struct context *ctx)
{
	struct operand at =
	    c->fact == FACT_N ? operand_of_tag(context_tag(ctx, c->tag))
			      : operand_of_fact(c->fact, &ctx->facts[c->fact]);

	if (c->op == CONDITION_EXISTS) {
		return at.there == c->wanted ? HOLDS_YES : HOLDS_NO;
	}
	if (!at.there) {
		return HOLDS_NO;
	}
	if (c->op == CONDITION_RANGE) {
		return in_range(c, &at);
	}
	enum holds found = among(c, &at);

	if (c->op == CONDITION_IN || found == HOLDS_ERROR) {
		return found;
	}
	return found == HOLDS_YES ? HOLDS_NO : HOLDS_YES;
}

enum holds
condition_holds(const struct condition *condition, const struct context *ctx)
{
	if (condition == NULL) {
		return HOLDS_YES;
	}
	if (condition->op != CONDITION_AND && condition->op != CONDITION_OR) {
		return test_holds(condition, ctx);
	}
	/* A child that is DECIDES settles it, whatever the others are. */
	bool and = condition->op == CONDITION_AND;
	enum holds decides = and? HOLDS_NO : HOLDS_YES;
	enum holds answer = and? HOLDS_YES : HOLDS_NO;

	for (size_t i = 0; i < condition->children_n; i++) {
		enum holds child =
		    condition_holds(&condition->children[i], ctx);

		if (child == decides) {
			return decides;
		}
		if (child == HOLDS_ERROR) {
			answer = HOLDS_ERROR;
		}
	}
	return answer;
}
