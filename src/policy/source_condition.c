/*
 * source_condition: applies_to (docs/policies.md, "A policy document").
 *
 *	{ FIELD: [VALUE...] | { OPERATOR: ... }, "any": [ { ... } ... ] }
 */
#include "policy/source_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { VALUE_BYTES = 256, VALUES_MAX = 1000, TESTS_OF_FIELD = 3 };

static const char tag_prefix[] = "tags.";

/* What a member of applies_to is about. */
struct operand {
	enum fact_id fact; /* FACT_N: tag */
	const char *tag;
};

/* The tests of one object, as they come in. */
struct reading_tests {
	struct reading *r;
	struct condition *items; /* room for all of the object */
	struct source_tests seen;
};

/* ---- values */

static enum fact_type
operand_type(const struct operand *operand)
{
	return operand->fact == FACT_N ? FACT_TYPE_TEXT
				       : fact_type(operand->fact);
}

/* A text as the fact has it: folded, and by our own name of it. */
static const char *
normal(struct reading *r, enum fact_id fact, const char *text)
{
	if (fact == FACT_N || !fact_folds(fact)) {
		return text;
	}
	const char *lower = arena_lower(r->arena, text);
	if (r->catalogue == NULL || source_glob(lower)) {
		return lower;
	}
	if (fact == FACT_vendor_id) {
		return catalogue_vendor(r->catalogue, lower);
	}
	if (fact == FACT_region) {
		const struct region *region =
		    catalogue_region(r->catalogue, lower);
		return region == NULL ? lower : region->name;
	}
	return lower;
}

static void
read_text_value(struct reading *r, const struct json *at, enum fact_id fact,
		struct condition_value *out)
{
	const char *text;

	if (!reading_text(r, at, 1, VALUE_BYTES, &text)) {
		return;
	}
	if (!source_glob_valid(text)) {
		(void)reading_refuse(r, at,
				     "a '*' can only stand first or last");
	}
	out->value.text = normal(r, fact, text);
	out->glob = source_glob(text);
}

/* A tag's value may be of any simple type, a fact's is of its own. */
static enum fact_type
value_type(const struct json *at, const struct operand *operand)
{
	if (operand->fact != FACT_N) {
		return fact_type(operand->fact);
	}
	switch (json_type(at)) {
	case JSON_BOOL:
		return FACT_TYPE_FLAG;
	case JSON_NUMBER:
		return FACT_TYPE_RATIO;
	default:
		return FACT_TYPE_TEXT;
	}
}

static void
read_value(struct reading *r, const struct json *at,
	   const struct operand *operand, struct condition_value *out)
{
	int64_t count;
	double high = DBL_MAX;

	out->type = FACT_TYPE_RATIO;
	switch (value_type(at, operand)) {
	case FACT_TYPE_TEXT:
		out->type = FACT_TYPE_TEXT;
		read_text_value(r, at, operand->fact, out);
		break;
	case FACT_TYPE_FLAG:
		out->type = FACT_TYPE_FLAG;
		(void)reading_ok(r, json_bool(at, &out->value.flag, r->err));
		break;
	case FACT_TYPE_COUNT:
		if (reading_ok(r, json_int(at, 0, INT64_MAX, &count, r->err))) {
			out->value.ratio = (double)count;
		}
		break;
	case FACT_TYPE_MONEY:
		(void)reading_ok(
		    r, json_double(at, 0, high, &out->value.ratio, r->err));
		break;
	case FACT_TYPE_RATIO:
		(void)reading_ok(
		    r, json_double(at, -high, high, &out->value.ratio, r->err));
		break;
	}
}

static void
read_list(struct reading *r, const struct json *at,
	  const struct operand *operand, struct condition *out)
{
	size_t n = json_n(at);

	if (!reading_ok(r, json_expect(at, JSON_ARRAY, r->err))) {
		return;
	}
	if (n == 0 || n > VALUES_MAX) {
		(void)reading_refuse(r, at,
				     n == 0 ? "an empty list: it can never "
					      "hold, or says nothing"
					    : "has too many elements");
		return;
	}
	struct condition_value *values =
	    arena_array(r->arena, n, sizeof(*values));
	for (size_t i = 0; i < n; i++) {
		struct json item = json_item(at, i);

		read_value(r, &item, operand, &values[i]);
	}
	out->values = values;
	out->values_n = n;
}

/* ---- tests */

/* Add TEST, which stands at AT, unless it cannot hold. */
static void
add_test(struct reading_tests *tests, const struct json *at,
	 const struct condition *test)
{
	struct reading *r = tests->r;

	if (r->bad) {
		return; /* its values may be void */
	}
	tests->items[tests->seen.n++] = *test;
	if (!source_possible_alone(test)) {
		(void)reading_refuse(r, at, "can never hold");
	} else if (!source_possible(&tests->seen)) {
		(void)reading_refuse(
		    r, at,
		    "can never hold: another test of the same field "
		    "excludes it");
	}
}

static struct condition
new_test(enum condition_op op, const struct operand *operand)
{
	return (struct condition){ .op = op,
				   .fact = operand->fact,
				   .tag = operand->tag,
				   .low = -INFINITY,
				   .high = INFINITY };
}

/* One bound of a range; with two of a side the narrower one counts. */
static void
read_bound(struct reading *r, const struct json *at,
	   const struct operand *operand, struct condition *range)
{
	bool open = strlen(at->key) == 2; /* gt, lt */
	enum fact_type type = operand_type(operand);
	double bound;

	if (operand->fact != FACT_N &&
	    (type == FACT_TYPE_TEXT || type == FACT_TYPE_FLAG)) {
		(void)reading_refuse(r, at, "is for numbers, %s is none",
				     fact_name(operand->fact));
		return;
	}
	if (!reading_ok(r,
			json_double(at, -DBL_MAX, DBL_MAX, &bound, r->err))) {
		return;
	}
	if (at->key[0] == 'g') {
		if (bound > range->low || (bound >= range->low && open)) {
			range->low = bound;
			range->low_open = open;
		}
	} else if (bound < range->high || (bound <= range->high && open)) {
		range->high = bound;
		range->high_open = open;
	}
}

static bool
is_bound(const char *operator)
{
	return strcmp(operator, "gt") == 0 || strcmp(operator, "gte") == 0 ||
	       strcmp(operator, "lt") == 0 || strcmp(operator, "lte") == 0;
}

static void
read_operators(struct reading_tests *tests, const struct json *at,
	       const struct operand *operand)
{
	struct condition range = new_test(CONDITION_RANGE, operand);
	struct condition none = new_test(CONDITION_NOT_IN, operand);
	struct condition exists = new_test(CONDITION_EXISTS, operand);
	struct json_iter iter = { 0 };
	struct json member;
	bool has_range = false, has_none = false, has_exists = false;

	while (json_next(at, &iter, &member)) {
		if (is_bound(member.key)) {
			read_bound(tests->r, &member, operand, &range);
			has_range = true;
		} else if (strcmp(member.key, "not") == 0) {
			read_list(tests->r, &member, operand, &none);
			has_none = true;
		} else if (strcmp(member.key, "exists") == 0) {
			(void)reading_ok(
			    tests->r,
			    json_bool(&member, &exists.wanted, tests->r->err));
			has_exists = true;
		} else {
			(void)reading_refuse(tests->r, &member,
					     "unknown operator");
		}
	}
	if (json_n(at) == 0) {
		(void)reading_refuse(tests->r, at, "expected an operator");
	}
	if (has_range) {
		add_test(tests, at, &range);
	}
	if (has_none) {
		add_test(tests, at, &none);
	}
	if (has_exists) {
		add_test(tests, at, &exists);
	}
}

static bool
read_operand(struct reading *r, const struct json *at, struct operand *out)
{
	size_t prefix_n = strlen(tag_prefix);

	*out = (struct operand){ .fact = FACT_N };
	if (strncmp(at->key, tag_prefix, prefix_n) == 0) {
		out->tag = at->key + prefix_n;
		return out->tag[0] != '\0' ||
		       reading_refuse(r, at, "a tag must have a name");
	}
	out->fact = fact_find(at->key, strlen(at->key));
	return out->fact != FACT_N || reading_refuse(r, at, "unknown field");
}

static void
read_field(struct reading_tests *tests, const struct json *at)
{
	struct reading *r = tests->r;
	bool was_bad = r->bad;
	struct operand operand;

	r->bad = false;
	if (!read_operand(r, at, &operand)) {
		return;
	}
	if (json_type(at) == JSON_OBJECT) {
		read_operators(tests, at, &operand);
	} else if (json_type(at) == JSON_ARRAY) {
		struct condition in = new_test(CONDITION_IN, &operand);

		read_list(r, at, &operand, &in);
		add_test(tests, at, &in);
	} else {
		(void)reading_refuse(
		    r, at,
		    "expected a list of values or an object of operators");
	}
	r->bad |= was_bad;
}

/* ---- objects */

static void read_object(struct reading *r, const struct json *at,
			const struct source_tests *up, struct condition *out);

static void
read_any(struct reading *r, const struct json *at,
	 const struct source_tests *up, struct condition *out)
{
	size_t n = json_n(at);

	if (!reading_ok(r, json_expect(at, JSON_ARRAY, r->err))) {
		return;
	}
	if (n == 0) {
		(void)reading_refuse(r, at, "an empty list can never hold");
		return;
	}
	struct condition *branches =
	    arena_array(r->arena, n, sizeof(*branches));
	for (size_t i = 0; i < n; i++) {
		struct json branch = json_item(at, i);

		if (json_type(&branch) == JSON_OBJECT && json_n(&branch) == 0) {
			(void)reading_refuse(r, &branch,
					     "an empty branch always holds");
			continue;
		}
		read_object(r, &branch, up, &branches[i]);
	}
	*out = (struct condition){ .op = CONDITION_OR,
				   .children = branches,
				   .children_n = n };
}

/* AT as one condition; UP are the tests of the objects around it. */
static void
read_object(struct reading *r, const struct json *at,
	    const struct source_tests *up, struct condition *out)
{
	struct json_iter iter = { 0 };
	struct json member;

	if (!reading_ok(r, json_expect(at, JSON_OBJECT, r->err))) {
		return;
	}
	size_t room = json_n(at) * TESTS_OF_FIELD;
	struct reading_tests tests = {
		.r = r,
		.items = arena_array(r->arena, room, sizeof(*tests.items)),
		.seen = { .up = up },
	};
	tests.seen.tests = tests.items;
	while (json_next(at, &iter, &member)) {
		if (strcmp(member.key, "any") != 0) {
			read_field(&tests, &member);
		}
	}
	/* last, so that its branches are held against all that is beside it */
	size_t n = tests.seen.n;
	if (json_get(at, "any", &member)) {
		read_any(r, &member, &tests.seen, &tests.items[n]);
		n++;
	}
	if (n == 1) {
		*out = tests.items[0];
		return;
	}
	*out = (struct condition){ .op = CONDITION_AND,
				   .children = tests.items,
				   .children_n = n };
}

const struct condition *
source_condition(struct reading *r, const struct json *at)
{
	if (!reading_ok(r, json_expect(at, JSON_OBJECT, r->err)) ||
	    json_n(at) == 0) {
		return NULL;
	}
	struct condition *condition = arena_alloc(r->arena, sizeof(*condition));
	read_object(r, at, NULL, condition);
	return condition;
}

bool
source_condition_by_model(const struct condition *condition)
{
	if (condition == NULL) {
		return false;
	}
	if (condition->op != CONDITION_AND && condition->op != CONDITION_OR) {
		return condition->fact != FACT_N &&
		       fact_by_model(condition->fact);
	}
	for (size_t i = 0; i < condition->children_n; i++) {
		if (source_condition_by_model(&condition->children[i])) {
			return true;
		}
	}
	return false;
}
