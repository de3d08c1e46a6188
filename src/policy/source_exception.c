/*
 * source_exception: subject limits and exemptions, handed to their policies.
 */
#include "policy/source_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { ID_BYTES = 64, SUBJECT_BYTES = 256 };

/* The policy that ROW names; NULL: not enabled, or (said so) unknown. */
static struct source_policy *
find_policy(struct reading *r, const struct source_ids *ids,
	    const struct json *row, const char *policy_id)
{
	size_t low = 0, high = ids->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(ids->items[middle].policy_id, policy_id);

		if (order == 0) {
			return ids->items[middle].policy;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (policy_id[0] != '\0') { /* else it is missing, and was said so */
		(void)reading_refuse_member(r, row, "policy_id",
					    "unknown policy");
	}
	return NULL;
}

/* SUBJECT as it is compared in SCOPE (core/policy.h). */
static const char *
normal_subject(struct reading *r, enum scope scope, const char *subject)
{
	switch (scope) {
	case SCOPE_GLOBAL:
		return "global";
	case SCOPE_MODEL:
		return arena_lower(r->arena, subject);
	case SCOPE_VENDOR:
		subject = arena_lower(r->arena, subject);
		return r->catalogue == NULL
			   ? subject
			   : catalogue_vendor(r->catalogue, subject);
	default:
		return subject;
	}
}

/* ---- subject limits */

struct limit_row {
	struct subject_limit limit;
	const char *policy_id;
	const char *constraint;
	struct json value;
	struct source_policy *policy; /* NULL: not enabled, or refused */
};

#define LIMIT_AT(member) offsetof(struct limit_row, member)

static const struct reading_field limit_fields[] = {
	{ .name = "policy_id",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = LIMIT_AT(policy_id),
	  .low = 1,
	  .high = ID_BYTES },
	{ .name = "constraint",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = LIMIT_AT(constraint),
	  .low = 1,
	  .high = ID_BYTES },
	{ .name = "subject",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = LIMIT_AT(limit.subject),
	  .low = 1,
	  .high = SUBJECT_BYTES },
	{ .name = "value",
	  .kind = READING_PLACE,
	  .required = true,
	  .offset = LIMIT_AT(value) },
	{ .name = "until",
	  .kind = READING_TIME,
	  .offset = LIMIT_AT(limit.until_us) },
};

static void
read_limit(struct reading *r, const struct json *at,
	   const struct source_ids *ids, struct limit_row *row)
{
	struct source_policy *policy = find_policy(r, ids, at, row->policy_id);
	enum constraint_key key = constraint_find(row->constraint);

	if (row->constraint[0] == '\0') {
		return;
	}
	if (key == CONSTRAINT_N || !source_constraint_has_number(key)) {
		(void)reading_refuse_member(
		    r, at, "constraint",
		    "expected a constraint that has a number");
		return;
	}
	if (policy == NULL || row->value.up == NULL ||
	    !source_constraint_number(r, &row->value, key,
				      policy->policy.category,
				      &row->limit.number)) {
		return;
	}
	if (policy_constraint(&policy->policy, key) == NULL) {
		/* an edit took the constraint away and left its limits */
		log_warning("policy %s has no %s: its limit for a subject is "
			    "ignored",
			    policy->policy.name, row->constraint);
		return;
	}
	row->limit.key = key;
	row->limit.subject =
	    normal_subject(r, policy->policy.scope, row->limit.subject);
	row->policy = policy;
}

/* In the order of the policies; those of none stand first. */
static int
compare_owners(const struct source_policy *x, const struct source_policy *y)
{
	int64_t a = x == NULL ? -1 : (int64_t)x->policy.index;
	int64_t b = y == NULL ? -1 : (int64_t)y->policy.index;

	return (a > b) - (a < b);
}

/* By policy, key, subject; one that ends stands before one for good. */
static int
compare_limits(const void *a, const void *b)
{
	const struct limit_row *x = a, *y = b;

	int order = compare_owners(x->policy, y->policy);

	if (order != 0) {
		return order;
	}
	if (x->limit.key != y->limit.key) {
		return x->limit.key < y->limit.key ? -1 : 1;
	}
	order = strcmp(x->limit.subject, y->limit.subject);
	if (order != 0) {
		return order;
	}
	return (x->limit.until_us > y->limit.until_us) -
	       (x->limit.until_us < y->limit.until_us);
}

void
source_limits(struct reading *r, const struct json *at,
	      const struct source_ids *ids)
{
	static const struct limit_row fallback = {
		.limit = { .subject = "", .until_us = INT64_MAX },
		.policy_id = "",
		.constraint = "",
	};
	void *read;
	size_t n = reading_rows(r, at, limit_fields,
				sizeof(limit_fields) / sizeof(limit_fields[0]),
				&fallback, sizeof(fallback), &read);
	struct limit_row *rows = read;
	struct subject_limit *limits =
	    arena_array(r->arena, n, sizeof(*limits));

	for (size_t i = 0; i < n; i++) {
		struct json row = json_item(at, i);

		read_limit(r, &row, ids, &rows[i]);
	}
	if (n > 0) {
		qsort(rows, n, sizeof(*rows), compare_limits);
	}
	for (size_t i = 0; i < n; i++) {
		if (rows[i].policy != NULL) {
			struct policy *policy = &rows[i].policy->policy;

			limits[i] = rows[i].limit;
			if (policy->limits_n++ == 0) {
				policy->limits = &limits[i];
			}
		}
	}
}

/* ---- exemptions */

struct exemption_row {
	struct exemption exemption;
	const char *policy_id;
	struct source_policy *policy;
};

#define EXEMPTION_AT(member) offsetof(struct exemption_row, member)

static const struct reading_field exemption_fields[] = {
	{ .name = "exemption_id",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = EXEMPTION_AT(exemption.exemption_id),
	  .low = 1,
	  .high = ID_BYTES },
	{ .name = "policy_id",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = EXEMPTION_AT(policy_id),
	  .low = 1,
	  .high = ID_BYTES },
	{ .name = "scope",
	  .kind = READING_WORD,
	  .required = true,
	  .offset = EXEMPTION_AT(exemption.scope),
	  .words = scope_words },
	{ .name = "subject",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = EXEMPTION_AT(exemption.subject),
	  .low = 1,
	  .high = SUBJECT_BYTES },
	{ .name = "valid_from",
	  .kind = READING_TIME,
	  .required = true,
	  .offset = EXEMPTION_AT(exemption.from_us) },
	{ .name = "valid_until",
	  .kind = READING_TIME,
	  .required = true,
	  .offset = EXEMPTION_AT(exemption.until_us) },
};

static int
compare_exemptions(const void *a, const void *b)
{
	const struct exemption_row *x = a, *y = b;

	int order = compare_owners(x->policy, y->policy);

	if (order != 0) {
		return order;
	}
	return strcmp(x->exemption.exemption_id, y->exemption.exemption_id);
}

void
source_exemptions(struct reading *r, const struct json *at,
		  const struct source_ids *ids)
{
	static const struct exemption_row fallback = {
		.exemption = { .exemption_id = "",
			       .subject = "",
			       .until_us = INT64_MAX },
		.policy_id = "",
	};
	void *read;
	size_t n =
	    reading_rows(r, at, exemption_fields,
			 sizeof(exemption_fields) / sizeof(exemption_fields[0]),
			 &fallback, sizeof(fallback), &read);
	struct exemption_row *rows = read;
	struct exemption *exemptions =
	    arena_array(r->arena, n, sizeof(*exemptions));

	for (size_t i = 0; i < n; i++) {
		struct json row = json_item(at, i);
		struct exemption *e = &rows[i].exemption;

		rows[i].policy = find_policy(r, ids, &row, rows[i].policy_id);
		e->subject = normal_subject(r, e->scope, e->subject);
		if (e->from_us >= e->until_us) {
			(void)reading_refuse_member(
			    r, &row, "valid_until",
			    "must be later than valid_from");
		}
	}
	if (n > 0) {
		qsort(rows, n, sizeof(*rows), compare_exemptions);
	}
	for (size_t i = 0; i < n; i++) {
		if (rows[i].policy != NULL) {
			struct policy *policy = &rows[i].policy->policy;

			exemptions[i] = rows[i].exemption;
			if (policy->exemptions_n++ == 0) {
				policy->exemptions = &exemptions[i];
			}
		}
	}
}
