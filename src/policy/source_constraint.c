/*
 * source_constraint: the constraints of a policy document, by the rows of
 * core/constraint.tbl.h.
 */
#include "policy/source_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "core/counter.h"
#include "policy/zone.h"
#include "text/pattern.h"

/* Largest threshold, in dollars: what a nano-dollar number can hold. */
#define MONEY_MAX_USD 9000000000.0

/* ---- texts */

bool
source_glob(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && (text[0] == '*' || text[n - 1] == '*');
}

bool
source_glob_valid(const char *text)
{
	size_t n = strlen(text);

	return n < 3 || memchr(text + 1, '*', n - 2) == NULL;
}

/* What a list of KEY holds for TEXT: lower case, a vendor by our name. */
static const char *
normal(struct reading *r, enum constraint_key key, const char *text)
{
	const char *lower = arena_lower(r->arena, text);
	bool vendors = key == CONSTRAINT_allowed_vendors ||
		       key == CONSTRAINT_blocked_vendors;

	if (!vendors || r->catalogue == NULL || source_glob(lower)) {
		return lower;
	}
	return catalogue_vendor(r->catalogue, lower);
}

static bool
check_pattern(struct reading *r, const struct json *at, enum pattern_kind kind,
	      const char *text)
{
	struct pattern pattern = { .kind = kind, .text = text };
	struct err inner = { 0 };

	if (kind == PATTERN_REGEX && r->patterns_later) {
		return true;
	}
	return pattern_check(&pattern, &inner) == STATUS_OK ||
	       reading_refuse(r, at, "%s", inner.text);
}

static void
read_texts(struct reading *r, const struct json *at,
	   const struct constraint_row *row, struct constraint *out)
{
	const char *const *texts;
	size_t n;

	if (!reading_texts(r, at, (int64_t)row->low, (size_t)row->high, &texts,
			   &n)) {
		return;
	}
	const char **normals = arena_array(r->arena, n, sizeof(*normals));
	for (size_t i = 0; i < n; i++) {
		struct json item = json_item(at, i);

		normals[i] = texts[i];
		if (row->type == CONSTRAINT_TYPE_KEYWORDS) {
			(void)check_pattern(r, &item, PATTERN_KEYWORD,
					    texts[i]);
		} else if (row->type == CONSTRAINT_TYPE_PATTERNS) {
			(void)check_pattern(r, &item, PATTERN_REGEX, texts[i]);
		} else if (row->type == CONSTRAINT_TYPE_TEXTS) {
			normals[i] = normal(r, out->key, texts[i]);
			if (!source_glob_valid(texts[i])) {
				(void)reading_refuse(
				    r, &item,
				    "a '*' can only stand first or last");
			}
		}
	}
	out->texts = normals;
	out->texts_n = n;
}

static void
read_timezone(struct reading *r, const struct json *at, struct policy *policy,
	      struct constraint *out)
{
	int64_t bytes_max = (int64_t)constraint_row(out->key)->low;

	if (!reading_text(r, at, 1, bytes_max, &out->text)) {
		return;
	}
	policy->zone = zone_read(r->arena, out->text, r->now_us);
	if (policy->zone == NULL) {
		(void)reading_refuse(r, at,
				     "expected a time zone's name, such as "
				     "Europe/Berlin");
	}
}

/* ---- moderation */

struct moderation {
	int provider, timeout_ms, on_unavailable;
};

static void
read_thresholds(struct reading *r, const struct json *at, void *out)
{
	struct json_iter iter = { 0 };
	struct json member;
	double score;

	(void)out;
	if (!reading_ok(r, json_expect(at, JSON_OBJECT, r->err))) {
		return;
	}
	while (json_next(at, &iter, &member)) {
		if (member.key[0] == '\0') {
			(void)reading_refuse(r, &member,
					     "a category must have a name");
		}
		(void)reading_ok(r, json_double(&member, 0, 1, &score, r->err));
	}
}

static void
read_moderation(struct reading *r, const struct json *at,
		struct constraint *out)
{
	static const char *const providers[] = { "local", "openai",
						 "perspective", "azure", NULL };
	static const char *const instead[] = { "local", "allow", "block",
					       NULL };
	static const struct reading_field fields[] = {
		{ .name = "provider",
		  .kind = READING_WORD,
		  .required = true,
		  .offset = offsetof(struct moderation, provider),
		  .words = providers },
		{ .name = "thresholds",
		  .kind = READING_BY,
		  .read = read_thresholds },
		{ .name = "timeout_ms",
		  .kind = READING_INT,
		  .offset = offsetof(struct moderation, timeout_ms),
		  .low = 1,
		  .high = 60000 },
		{ .name = "on_unavailable",
		  .kind = READING_WORD,
		  .offset = offsetof(struct moderation, on_unavailable),
		  .words = instead },
	};
	struct moderation moderation;

	if (reading_object(r, at, fields, sizeof(fields) / sizeof(fields[0]),
			   &moderation)) {
		out->text = arena_strdup(r->arena, json_text(at));
	}
}

/* ---- one constraint */

bool
source_constraint_has_number(enum constraint_key key)
{
	switch (constraint_row(key)->type) {
	case CONSTRAINT_TYPE_MONEY:
	case CONSTRAINT_TYPE_COUNT:
	case CONSTRAINT_TYPE_THRESHOLD:
		return true;
	default:
		return false;
	}
}

bool
source_constraint_number(struct reading *r, const struct json *at,
			 enum constraint_key key, enum category category,
			 int64_t *out)
{
	const struct constraint_row *row = constraint_row(key);
	bool money = row->type == CONSTRAINT_TYPE_MONEY ||
		     (row->type == CONSTRAINT_TYPE_THRESHOLD &&
		      category == CATEGORY_COST);

	if (money) {
		double high =
		    row->high < MONEY_MAX_USD ? row->high : MONEY_MAX_USD;
		return reading_ok(
		    r,
		    json_money(at, (int64_t)high * MONEY_ONE_USD, out, r->err));
	}
	return reading_ok(r, json_int(at, (int64_t)row->low, (int64_t)row->high,
				      out, r->err));
}

static void
read_word(struct reading *r, const struct json *at, struct constraint *out)
{
	const char *const *words = out->key == CONSTRAINT_unknown_price
				       ? unknown_price_words
				       : pii_action_words;
	int word;

	if (reading_ok(r, json_word(at, words, &word, r->err))) {
		out->number = word;
	}
}

static void
read_value(struct reading *r, const struct json *at, struct policy *policy,
	   struct constraint *out)
{
	const struct constraint_row *row = constraint_row(out->key);
	bool flag;

	switch (row->type) {
	case CONSTRAINT_TYPE_MONEY:
	case CONSTRAINT_TYPE_COUNT:
	case CONSTRAINT_TYPE_THRESHOLD:
		(void)source_constraint_number(r, at, out->key,
					       policy->category, &out->number);
		break;
	case CONSTRAINT_TYPE_RATIO:
		(void)reading_ok(r, json_double(at, row->low, row->high,
						&out->ratio, r->err));
		break;
	case CONSTRAINT_TYPE_FLAG:
		if (reading_ok(r, json_bool(at, &flag, r->err))) {
			out->number = flag;
		}
		break;
	case CONSTRAINT_TYPE_TEXT:
		read_timezone(r, at, policy, out);
		break;
	case CONSTRAINT_TYPE_WORDS:
		read_word(r, at, out);
		break;
	case CONSTRAINT_TYPE_TEXTS:
	case CONSTRAINT_TYPE_NAMES:
	case CONSTRAINT_TYPE_KEYWORDS:
	case CONSTRAINT_TYPE_PATTERNS:
		read_texts(r, at, row, out);
		break;
	case CONSTRAINT_TYPE_OBJECT:
		read_moderation(r, at, out);
		break;
	}
}

/* ---- all of them */

/* May a policy of this category and stage have the constraint of ROW? */
static bool
fits(struct reading *r, const struct json *at, const struct constraint_row *row,
     const struct policy *policy)
{
	if (row->category != CATEGORY_ANY && policy->category != CATEGORY_N &&
	    row->category != policy->category) {
		return reading_refuse(
		    r, at, "is a constraint of category %s, not of %s",
		    category_words[row->category],
		    category_words[policy->category]);
	}
	if (policy->stage != STAGE_N &&
	    (row->stages & 1U << policy->stage) == 0) {
		return reading_refuse(r, at,
				      "cannot be used at evaluation_type %s",
				      stage_words[policy->stage]);
	}
	return true;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct constraint *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* Does a constraint say anything on its own? */
static bool
says_something(enum constraint_key key)
{
	return constraint_row(key)->by != CONSTRAINT_BY_PARAM ||
	       key == CONSTRAINT_log_all_requests ||
	       key == CONSTRAINT_retention_days;
}

static bool
has_budget(const struct policy *policy)
{
	for (size_t i = 0; i < policy->constraints_n; i++) {
		const struct counter_row *row =
		    counter_row(policy->constraints[i].key);

		if (row != NULL && row->kind == COUNTER_BUDGET) {
			return true;
		}
	}
	return false;
}

static void
check_day(struct reading *r, const struct json *at, const struct policy *policy)
{
	static const enum constraint_key keys[] = { CONSTRAINT_reset_hour_utc,
						    CONSTRAINT_timezone };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (policy_constraint(policy, keys[i]) != NULL &&
		    !has_budget(policy)) {
			(void)reading_refuse_member(
			    r, at, constraint_row(keys[i])->key,
			    "there is no budget whose day it could begin");
		}
	}
}

static void
check_alert(struct reading *r, const struct json *at,
	    const struct policy *policy)
{
	const struct constraint *alert =
	    policy_constraint(policy, CONSTRAINT_alert_threshold);
	int64_t highest = -1;

	if (alert == NULL) {
		return;
	}
	for (size_t i = 0; i < policy->constraints_n; i++) {
		const struct constraint *c = &policy->constraints[i];
		const struct counter_row *row = counter_row(c->key);

		if (row != NULL && row->alerts && c->number > highest) {
			highest = c->number;
		}
	}
	if (highest < 0) {
		(void)reading_refuse_member(
		    r, at, constraint_row(alert->key)->key,
		    "belongs to max_weekly_cost or max_monthly_cost");
	} else if (alert->number > highest) {
		(void)reading_refuse_member(
		    r, at, constraint_row(alert->key)->key,
		    "is above every limit that it belongs to");
	}
}

static void
check_together(struct reading *r, const struct json *at,
	       const struct policy *policy)
{
	bool something = false;

	if (policy_constraint(policy, CONSTRAINT_timezone) != NULL &&
	    policy_constraint(policy, CONSTRAINT_reset_hour_utc) != NULL) {
		(void)reading_refuse_member(
		    r, at, "timezone",
		    "cannot be used together with reset_hour_utc");
	}
	if (policy->constraints_n != json_n(at)) {
		return; /* what is missing may only be misspelt */
	}
	for (size_t i = 0; i < policy->constraints_n; i++) {
		something |= says_something(policy->constraints[i].key);
	}
	if (!something) {
		(void)reading_refuse(r, at,
				     "no constraint that says anything alone");
		return;
	}
	check_day(r, at, policy);
	check_alert(r, at, policy);
}

void
source_constraints(struct reading *r, const struct json *at,
		   struct policy *policy)
{
	struct json_iter iter = { 0 };
	struct json member;
	size_t n = 0;

	if (!reading_ok(r, json_expect(at, JSON_OBJECT, r->err))) {
		return;
	}
	struct constraint *items =
	    arena_array(r->arena, json_n(at), sizeof(*items));
	while (json_next(at, &iter, &member)) {
		enum constraint_key key = constraint_find(member.key);

		if (key == CONSTRAINT_N) {
			(void)reading_refuse(r, &member, "unknown constraint");
			continue;
		}
		items[n].key = key;
		if (fits(r, &member, constraint_row(key), policy)) {
			read_value(r, &member, policy, &items[n]);
		}
		if (items[n].texts_n > 0 &&
		    (key == CONSTRAINT_blocked_keywords ||
		     key == CONSTRAINT_blocked_patterns)) {
			policy->needs_content = true;
		}
		n++;
	}
	if (n > 0) {
		qsort(items, n, sizeof(*items), compare_keys);
	}
	policy->constraints = items;
	policy->constraints_n = n;
	check_together(r, at, policy);
}
