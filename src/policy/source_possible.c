/*
 * source_possible: conditions that can never hold.
 *
 * Tests of one fact are held against each other, two at a time.  What is
 * called impossible is; three tests that only together exclude each other
 * are not found.
 */
#include "policy/source_parts.h"

#include <math.h>
#include <string.h>

#include "core/match.h"

static bool
same_operand(const struct condition *a, const struct condition *b)
{
	return a->fact == b->fact &&
	       (a->fact != FACT_N || strcmp(a->tag, b->tag) == 0);
}

/* Is there a number in the RANGE test? Counts and money are never negative. */
static bool
range_possible(double low, bool low_open, double high, bool high_open,
	       const struct condition *of)
{
	enum fact_type type =
	    of->fact == FACT_N ? FACT_TYPE_RATIO : fact_type(of->fact);

	if (type != FACT_TYPE_RATIO && low < 0) {
		low = 0;
		low_open = false;
	}
	if (type == FACT_TYPE_COUNT) {
		low = low_open ? floor(low) + 1 : ceil(low);
		low_open = false;
	}
	return low_open || high_open ? low < high : low <= high;
}

static bool
in_range(const struct condition *range, const struct condition_value *value)
{
	double n = value->value.ratio;

	if (value->type != FACT_TYPE_RATIO) {
		return false;
	}
	return (range->low_open ? n > range->low : n >= range->low) &&
	       (range->high_open ? n < range->high : n <= range->high);
}

/* Can one text (number, flag) be both? */
static bool
values_meet(const struct condition_value *a, const struct condition_value *b)
{
	if (a->type != b->type) {
		return false;
	}
	switch (a->type) {
	case FACT_TYPE_TEXT:
		if (a->glob && b->glob) {
			return true; /* not looked into */
		}
		return a->glob	 ? match_glob(a->value.text, b->value.text)
		       : b->glob ? match_glob(b->value.text, a->value.text)
				 : strcmp(a->value.text, b->value.text) == 0;
	case FACT_TYPE_FLAG:
		return a->value.flag == b->value.flag;
	default:
		return a->value.ratio >= b->value.ratio &&
		       a->value.ratio <= b->value.ratio;
	}
}

/* Is all that A can be also B? A glob's own text stands for its texts. */
static bool
covers(const struct condition_value *b, const struct condition_value *a)
{
	if (a->type == FACT_TYPE_TEXT && b->type == FACT_TYPE_TEXT) {
		return b->glob ? match_glob(b->value.text, a->value.text)
			       : !a->glob && values_meet(a, b);
	}
	return values_meet(a, b);
}

static bool
value_left(const struct condition_value *value, const struct condition *beside)
{
	switch (beside->op) {
	case CONDITION_RANGE:
		return in_range(beside, value);
	case CONDITION_IN:
		for (size_t i = 0; i < beside->values_n; i++) {
			if (values_meet(value, &beside->values[i])) {
				return true;
			}
		}
		return false;
	case CONDITION_NOT_IN:
		for (size_t i = 0; i < beside->values_n; i++) {
			if (covers(&beside->values[i], value)) {
				return false;
			}
		}
		return true;
	default:
		return true;
	}
}

/* Can A, a list of what may be, hold where B does? */
static bool
list_possible(const struct condition *a, const struct condition *b)
{
	for (size_t i = 0; i < a->values_n; i++) {
		if (value_left(&a->values[i], b)) {
			return true;
		}
	}
	return false;
}

static bool
both_possible(const struct condition *a, const struct condition *b)
{
	if (a->op == CONDITION_EXISTS || b->op == CONDITION_EXISTS) {
		bool without = (a->op == CONDITION_EXISTS && !a->wanted) ||
			       (b->op == CONDITION_EXISTS && !b->wanted);
		bool with = a->op != CONDITION_EXISTS || a->wanted ||
			    b->op != CONDITION_EXISTS || b->wanted;

		return !(without && with);
	}
	if (a->op == CONDITION_IN) {
		return list_possible(a, b);
	}
	if (b->op == CONDITION_IN) {
		return list_possible(b, a);
	}
	if (a->op == CONDITION_RANGE && b->op == CONDITION_RANGE) {
		bool low = a->low > b->low || (a->low >= b->low && a->low_open);
		bool high =
		    a->high < b->high || (a->high <= b->high && a->high_open);
		const struct condition *from = low ? a : b;
		const struct condition *to = high ? a : b;

		return range_possible(from->low, from->low_open, to->high,
				      to->high_open, a);
	}
	return true;
}

bool
source_possible_alone(const struct condition *test)
{
	bool flags[2] = { false, false };

	if (test->op == CONDITION_RANGE) {
		return range_possible(test->low, test->low_open, test->high,
				      test->high_open, test);
	}
	if (test->op != CONDITION_NOT_IN) {
		return true;
	}
	for (size_t i = 0; i < test->values_n; i++) {
		const struct condition_value *value = &test->values[i];

		if (value->type == FACT_TYPE_FLAG) {
			flags[value->value.flag] = true;
		} else if (value->glob && strspn(value->value.text, "*") ==
					      strlen(value->value.text)) {
			return false;
		}
	}
	return !(flags[0] && flags[1]);
}

bool
source_possible(const struct source_tests *tests)
{
	const struct condition *last = &tests->tests[tests->n - 1];

	for (const struct source_tests *at = tests; at != NULL; at = at->up) {
		for (size_t i = 0; i < at->n; i++) {
			const struct condition *test = &at->tests[i];

			if (test != last && same_operand(test, last) &&
			    !both_possible(test, last)) {
				return false;
			}
		}
	}
	return true;
}
