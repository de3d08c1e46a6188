/*
 * source_parts: what the files source_*.c read, and what comes out.
 *
 * Everything read lies in the reading's arena, in core's own structs, with
 * texts borrowed from the document; policy/freeze.h copies it into an image.
 * A reader that finds something wrong complains, marks the reading as bad, and
 * goes on; what it gives is used only when nothing was bad.
 */
#ifndef POLICY_SOURCE_PARTS_H
#define POLICY_SOURCE_PARTS_H

#include "core/catalogue.h"
#include "core/policy.h"
#include "policy/reading.h"
#include "policy/snapshot.h"

/* A policy with what core has no use for. */
struct source_policy {
	struct policy policy;
	bool enabled;
	size_t place; /* element of the document's policies */
};

/* A whole document. */
struct source {
	int64_t revision;
	struct source_policy *policies; /* [policies_n] enabled, in the order
					   of core/policy.h */
	size_t policies_n;
	struct catalogue catalogue;
	const struct api_key *keys; /* [keys_n] by key_id */
	size_t keys_n;
	const struct subject *subjects; /* [subjects_n] by user_id */
	size_t subjects_n;
};

/**
 * source_read(r, root, out):
 * Read a document of policy/source.h.
 *
 * Gives:   OUT->revision as soon as it is known, the rest when all is good.
 * Returns: STATUS_BODY when something was refused.
 */
enum status source_read(struct reading *r, const struct json *root,
			struct source *out) MUST_CHECK;

/* source_policy.c: one policy document. */
void source_policy(struct reading *r, const struct json *at,
		   struct source_policy *out);

/* source_condition.c: applies_to; NULL is every context. */
const struct condition *source_condition(struct reading *r,
					 const struct json *at);
bool source_condition_by_model(const struct condition *condition);

/*
 * source_possible.c: can a test hold beside those that must hold with it?
 * The tests of one object and those of the objects around it.
 */
struct source_tests {
	const struct condition *tests; /* [n] */
	size_t n;
	const struct source_tests *up;
};
bool source_possible(const struct source_tests *tests);
/* Can it hold on its own? */
bool source_possible_alone(const struct condition *test);

/*
 * source_constraint.c: the constraints into POLICY, whose category and stage
 * are CATEGORY_N, STAGE_N where they are not known.
 */
void source_constraints(struct reading *r, const struct json *at,
			struct policy *policy);
/* The number of KEY in a policy of CATEGORY. */
bool source_constraint_number(struct reading *r, const struct json *at,
			      enum constraint_key key, enum category category,
			      int64_t *out);
bool source_constraint_has_number(enum constraint_key key);

/* source_counter.c: which counters POLICY's constraints are, when all else of
 * it is read. */
void source_counters(struct reading *r, struct policy *policy);

/* Is TEXT one that core/match.h takes: a '*' first or last or not at all? */
bool source_glob_valid(const char *text);
bool source_glob(const char *text); /* has it one? */

/* source_catalogue.c: the five sections of models, regions and aliases. */
struct source_catalogue {
	struct json models, regions, region_aliases, vendor_aliases;
};
void source_catalogue(struct reading *r, const struct source_catalogue *at,
		      struct catalogue *out);

/* source_key.c */
void source_keys(struct reading *r, const struct json *at, struct source *out);
void source_subjects(struct reading *r, const struct json *at,
		     struct source *out);

/* source_exception.c: subject limits and exemptions, into OUT's policies.
 * IDS has all policies, also those that are not in OUT. */
struct source_id {
	const char *policy_id;
	struct source_policy *policy; /* NULL: not enabled */
};
struct source_ids {
	const struct source_id *items; /* [n] by policy_id */
	size_t n;
};
void source_limits(struct reading *r, const struct json *at,
		   const struct source_ids *ids);
void source_exemptions(struct reading *r, const struct json *at,
		       const struct source_ids *ids);

#endif /* POLICY_SOURCE_PARTS_H */
