/*
 * source: a whole document of policy/source.h, section by section: regions and
 * names first, since all else is put through them.
 */
#include "policy/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/source_parts.h"

struct sections {
	int64_t revision;
	struct json policies, limits, exemptions, keys, subjects;
	struct source_catalogue catalogue;
};

#define SECTION(text, member)                                \
	{                                                    \
		.name = text, .kind = READING_PLACE,         \
		.offset = offsetof(struct sections, member), \
	}

static const struct reading_field fields[] = {
	{ .name = "revision",
	  .kind = READING_COUNT,
	  .required = true,
	  .offset = offsetof(struct sections, revision),
	  .low = 0,
	  .high = INT64_MAX },
	SECTION("policies", policies),
	SECTION("subject_limits", limits),
	SECTION("exemptions", exemptions),
	SECTION("models", catalogue.models),
	SECTION("regions", catalogue.regions),
	SECTION("region_aliases", catalogue.region_aliases),
	SECTION("vendor_aliases", catalogue.vendor_aliases),
	SECTION("api_keys", keys),
	SECTION("subjects", subjects),
};

/* ---- policies */

static int
compare_names(const void *a, const void *b)
{
	const struct source_policy *x = a, *y = b;

	return strcmp(x->policy.name, y->policy.name);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct source_policy *x = a, *y = b;

	return strcmp(x->policy.policy_id, y->policy.policy_id);
}

/* The order of core/policy.h, and before all that what is enabled. */
static int
compare_policies(const void *a, const void *b)
{
	const struct source_policy *x = a, *y = b;

	if (x->enabled != y->enabled) {
		return x->enabled ? -1 : 1;
	}
	if (x->policy.priority != y->policy.priority) {
		return x->policy.priority > y->policy.priority ? -1 : 1;
	}
	int order = compare_names(a, b);
	return order != 0 ? order : compare_ids(a, b);
}

/* Refuse two of the N POLICIES, in the order of AT, that ORDER finds equal. */
static void
refuse_equal(struct reading *r, const struct json *at,
	     const struct source_policy *policies, size_t n,
	     reading_order *order)
{
	struct source_policy *copy = arena_array(r->arena, n, sizeof(*copy));

	if (n > 0) {
		memcpy(copy, policies, n * sizeof(*copy));
	}
	reading_sort(r, at, copy, n, sizeof(*copy), order);
}

static int
compare_source_ids(const void *a, const void *b)
{
	const struct source_id *x = a, *y = b;

	return strcmp(x->policy_id, y->policy_id);
}

static struct source_ids
list_ids(struct reading *r, struct source_policy *policies, size_t n)
{
	struct source_id *items = arena_array(r->arena, n, sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		items[i].policy_id = policies[i].policy.policy_id;
		items[i].policy = policies[i].enabled ? &policies[i] : NULL;
	}
	if (n > 0) {
		qsort(items, n, sizeof(*items), compare_source_ids);
	}
	return (struct source_ids){ items, n };
}

/* A place in the document says little to a person: say whose it is. */
static void
name_policy(struct err *err, const char *name)
{
	char text[ERR_TEXT_BYTES];

	if (err != NULL && name != NULL) {
		(void)snprintf(text, sizeof(text), "policy %.128s: %.300s",
			       name, err->text);
		memcpy(err->text, text, sizeof(text));
	}
}

static struct source_ids
read_policies(struct reading *r, const struct json *at, struct source *out)
{
	size_t n = json_n(at);

	if (json_type(at) != JSON_NULL &&
	    !reading_ok(r, json_expect(at, JSON_ARRAY, r->err))) {
		return (struct source_ids){ 0 };
	}
	struct source_policy *policies =
	    arena_array(r->arena, n, sizeof(*policies));
	for (size_t i = 0; i < n; i++) {
		struct json item = json_item(at, i);
		bool first = !r->bad;

		source_policy(r, &item, &policies[i]);
		if (first && r->bad) {
			name_policy(r->err, policies[i].policy.name);
		}
		policies[i].place = i;
		if (policies[i].policy.policy_id == NULL) {
			(void)reading_refuse_member(r, &item, "policy_id",
						    "is required");
		}
	}
	if (r->bad) { /* a name or an id may not be there */
		return (struct source_ids){ 0 };
	}
	refuse_equal(r, at, policies, n, compare_ids);
	refuse_equal(r, at, policies, n, compare_names);
	reading_sort(r, at, policies, n, sizeof(*policies), compare_policies);
	out->policies = policies;
	for (size_t i = 0; i < n && policies[i].enabled; i++) {
		policies[i].policy.index = (uint32_t)i;
		out->policies_n = i + 1;
	}
	return list_ids(r, policies, n);
}

/* ---- all of it */

enum status
source_read(struct reading *r, const struct json *root, struct source *out)
{
	struct sections at = { 0 };

	*out = (struct source){ 0 };
	if (!reading_object(r, root, fields, sizeof(fields) / sizeof(fields[0]),
			    &at)) {
		return STATUS_BODY;
	}
	out->revision = at.revision;
	source_catalogue(r, &at.catalogue, &out->catalogue);
	if (r->bad) {
		return STATUS_BODY;
	}
	r->catalogue = &out->catalogue;
	struct source_ids ids = read_policies(r, &at.policies, out);
	if (!r->bad) {
		source_limits(r, &at.limits, &ids);
		source_exemptions(r, &at.exemptions, &ids);
	}
	source_keys(r, &at.keys, out);
	source_subjects(r, &at.subjects, out);
	return r->bad ? STATUS_BODY : STATUS_OK;
}
