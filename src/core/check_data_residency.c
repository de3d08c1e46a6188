/* Source: docs/policies.md, "data_residency". */
#include "core/check.h"

#include <string.h>

#include "base/arena.h"
#include "core/match.h"

enum { SHOWN = 20 }; /* of a list of regions */

/* Where a request may run; an element that is NULL is not known. */
struct places {
	const struct region *const *items;
	size_t n;
};

static const struct region *
known(const struct region *region)
{
	bool global = region != NULL && strcmp(region->name, "global") == 0;

	return global ? NULL : region;
}

/* The region that was named, else all where the model is served. */
static struct places
places_of(const struct check *check)
{
	const struct context *ctx = check->ctx;
	const char *name = context_text(ctx, FACT_region);

	if (ctx->region_given && name != NULL) {
		const struct region **one =
		    arena_alloc(check->arena, sizeof(const struct region *));

		one[0] = catalogue_region(check->world->catalogue, name);
		return (struct places){ one, 1 };
	}
	if (ctx->model == NULL) {
		return (struct places){ NULL, 0 };
	}
	return (struct places){ ctx->model->regions, ctx->model->regions_n };
}

/* A list's element is a region, a group or a vendor's name of a region. */
static bool
entry_is(const struct check *check, const char *entry,
	 const struct region *region)
{
	if (match_glob(entry, region->name) ||
	    match_glob(entry, region->group)) {
		return true;
	}
	const struct region *named =
	    catalogue_region(check->world->catalogue, entry);

	return named != NULL && strcmp(named->name, region->name) == 0;
}

static bool
listed(const struct check *check, const struct constraint *list,
       const struct region *region)
{
	for (size_t i = 0; i < list->texts_n; i++) {
		if (entry_is(check, list->texts[i], region)) {
			return true;
		}
	}
	return false;
}

/* How many of the places are known, and how many of those are on the list. */
struct tally {
	size_t known, listed;
};

static struct tally
tally_of(const struct check *check, const struct constraint *list,
	 struct places at)
{
	struct tally tally = { 0, 0 };

	for (size_t i = 0; i < at.n; i++) {
		const struct region *region = known(at.items[i]);

		if (region != NULL) {
			tally.known++;
			tally.listed += listed(check, list, region);
		}
	}
	return tally;
}

static void
describe(struct check *check, struct finding *f, struct places at)
{
	const char **names =
	    arena_array(check->arena, at.n + 1, sizeof(*names));
	const char *asked = context_text(check->ctx, FACT_region);

	for (size_t i = 0; i < at.n; i++) {
		names[i] = at.items[i] != NULL ? at.items[i]->name : asked;
	}
	if (at.n == 1) {
		finding_text(f, "observed", names[0]);
	} else {
		finding_texts(f, "observed", names, at.n);
	}
	size_t n = check->constraint->texts_n;

	finding_texts(f, "limit", check->constraint->texts,
		      n < SHOWN ? n : SHOWN);
}

static void
check_blocked(struct check *check, struct places at)
{
	const struct constraint *allowed =
	    policy_constraint(check->policy, CONSTRAINT_allowed_regions);
	struct tally tally = tally_of(check, check->constraint, at);

	if (tally.listed > 0) {
		describe(check,
			 check_add(check, FINDING_VIOLATION, "region_blocked",
				   "the request may run in a blocked region"),
			 at);
		return;
	}
	if ((at.n > 0 && tally.known == at.n) ||
	    check->constraint->texts_n == 0 ||
	    (allowed != NULL && allowed->texts_n > 0) ||
	    policy_flag(check->policy, CONSTRAINT_allow_unknown_region)) {
		return;
	}
	describe(check,
		 check_add(check, FINDING_UNKNOWN, "region_unknown",
			   "the region is not known, so it may be a blocked "
			   "one"),
		 at);
}

static void
check_unknown(struct check *check, struct places at)
{
	if (policy_flag(check->policy, CONSTRAINT_allow_unknown_region)) {
		describe(check,
			 check_add(check, FINDING_WARNING, "region_unknown",
				   "the region is not known, which is "
				   "permitted"),
			 at);
		return;
	}
	describe(check,
		 check_add(check, FINDING_VIOLATION, "region_unknown",
			   "it is not known that the request runs in a "
			   "permitted region"),
		 at);
}

static void
check_allowed(struct check *check, struct places at)
{
	const struct constraint *blocked =
	    policy_constraint(check->policy, CONSTRAINT_blocked_regions);
	struct tally tally = tally_of(check, check->constraint, at);

	if (check->constraint->texts_n == 0 ||
	    (blocked != NULL && tally_of(check, blocked, at).listed > 0)) {
		return;
	}
	if (at.n > 0 && tally.listed == at.n) {
		return;
	}
	if (at.n == 0 || tally.listed > 0 || tally.known < at.n) {
		check_unknown(check, at);
		return;
	}
	describe(check,
		 check_add(check, FINDING_VIOLATION, "region_not_allowed",
			   "the request runs in a region that is not "
			   "permitted"),
		 at);
}

void
check_regions(struct check *check)
{
	struct places at = places_of(check);

	if (check->constraint->key == CONSTRAINT_blocked_regions) {
		check_blocked(check, at);
	} else {
		check_allowed(check, at);
	}
}
