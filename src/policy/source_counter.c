/*
 * source_counter: which counter each constraint of a policy is.
 *
 * A number that every host makes the same of the same policy: a digest of
 * what a counter depends on, in words, so that neither the order of members,
 * of values or of our enums, nor the machine, comes into it.  Source:
 * docs/policies.md, "Reservations".
 */
#include "policy/source_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "core/counter.h"
#include "core/window.h"

enum { NUMBER_BYTES = 32 };

/* A digest of a part of applies_to, which is put in order. */
struct sum {
	unsigned char bytes[DIGEST_MIN_BYTES];
};

static struct sum
sum_of(const struct digest_part *parts, size_t n)
{
	struct sum sum;

	digest_parts(parts, n, sum.bytes, sizeof(sum.bytes));
	return sum;
}

static int
compare_sums(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sum));
}

/* One of all N SUMS, whatever their order. */
static struct digest_part
sorted_part(struct sum *sums, size_t n)
{
	if (n > 0) {
		qsort(sums, n, sizeof(*sums), compare_sums);
	}
	return (struct digest_part){ .bytes = sums, .n = n * sizeof(*sums) };
}

/* To all digits, so that numbers that differ do so here. */
static struct digest_part
number_part(double number, char text[NUMBER_BYTES])
{
	(void)snprintf(text, NUMBER_BYTES, "%a", number + 0.0);
	return digest_text(text);
}

static struct sum
value_sum(const struct condition_value *value)
{
	char number[NUMBER_BYTES];
	struct digest_part parts[2];

	switch (value->type) {
	case FACT_TYPE_TEXT:
		parts[0] = digest_text("text");
		parts[1] = digest_text(value->value.text);
		break;
	case FACT_TYPE_FLAG:
		parts[0] = digest_text("flag");
		parts[1] = digest_text(value->value.flag ? "true" : "false");
		break;
	default:
		parts[0] = digest_text("number");
		parts[1] = number_part(value->value.ratio, number);
		break;
	}
	return sum_of(parts, 2);
}

static const char *
op_word(const struct condition *condition)
{
	switch (condition->op) {
	case CONDITION_AND:
		return "and";
	case CONDITION_OR:
		return "or";
	case CONDITION_IN:
		return "in";
	case CONDITION_NOT_IN:
		return "not";
	case CONDITION_RANGE:
		return "range";
	default:
		return condition->wanted ? "exists" : "missing";
	}
}

/* CONDITION NULL: every context. */
static struct sum
condition_sum(struct arena *arena, const struct condition *condition)
{
	if (condition == NULL) {
		return sum_of(NULL, 0);
	}
	const bool tree =
	    condition->op == CONDITION_AND || condition->op == CONDITION_OR;
	const bool fact = !tree && condition->fact != FACT_N;
	const bool range = condition->op == CONDITION_RANGE;
	size_t n = condition->children_n + condition->values_n;
	struct sum *sums = arena_array(arena, n, sizeof(*sums));
	char low[NUMBER_BYTES], high[NUMBER_BYTES];

	for (size_t i = 0; i < condition->children_n; i++) {
		sums[i] = condition_sum(arena, &condition->children[i]);
	}
	for (size_t i = 0; i < condition->values_n; i++) {
		sums[condition->children_n + i] =
		    value_sum(&condition->values[i]);
	}
	const struct digest_part parts[] = {
		digest_text(op_word(condition)),
		digest_text(fact ? fact_name(condition->fact) : NULL),
		digest_text(tree ? NULL : condition->tag),
		number_part(range ? condition->low : 0, low),
		number_part(range ? condition->high : 0, high),
		digest_text(range && condition->low_open ? "open" : ""),
		digest_text(range && condition->high_open ? "open" : ""),
		sorted_part(sums, n),
	};
	return sum_of(parts, sizeof(parts) / sizeof(parts[0]));
}

/* Where the days of POLICY's budgets begin. */
static const char *
day_begin(const struct policy *policy, char text[NUMBER_BYTES])
{
	const struct constraint *zone =
	    policy_constraint(policy, CONSTRAINT_timezone);
	const struct constraint *hour =
	    policy_constraint(policy, CONSTRAINT_reset_hour_utc);

	if (zone != NULL) {
		return zone->text;
	}
	(void)snprintf(text, NUMBER_BYTES, "%d",
		       hour == NULL ? 0 : (int)hour->number);
	return text;
}

static uint64_t
counter_of(const struct policy *policy, const struct constraint *constraint,
	   const struct sum *condition)
{
	char hour[NUMBER_BYTES];
	const struct digest_part parts[] = {
		digest_text(policy->policy_id),
		digest_text(constraint_row(constraint->key)->key),
		digest_text(scope_words[policy->scope]),
		{ .bytes = condition->bytes, .n = sizeof(condition->bytes) },
		digest_text(day_begin(policy, hour)),
	};
	struct sum sum = sum_of(parts, sizeof(parts) / sizeof(parts[0]));
	uint64_t counter = 0;

	for (size_t i = 0; i < sizeof(counter); i++) {
		counter = counter << 8 | sum.bytes[i];
	}
	return counter == 0 ? 1 : counter;
}

void
source_counters(struct reading *r, struct policy *policy)
{
	size_t n = policy->constraints_n;
	struct sum condition;

	policy->counts = false;
	if (r->bad || n == 0) {
		return; /* its values may be void */
	}
	struct constraint *items = arena_array(r->arena, n, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		items[i] = policy->constraints[i];
		if (counter_row(items[i].key) == NULL) {
			continue;
		}
		if (!policy->counts) {
			condition = condition_sum(r->arena, policy->condition);
			policy->counts = true;
		}
		items[i].counter = counter_of(policy, &items[i], &condition);
	}
	policy->constraints = items;
}
