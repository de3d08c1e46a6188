/* Source: docs/policies.md, "vendor". */
#include "core/check.h"

#include "core/match.h"

enum { SHOWN = 20 }; /* of a list of permitted names */

/* A pair of lists and what is said about them. */
struct pair {
	enum fact_id fact;
	enum constraint_key blocked, allowed;
	const char *blocked_type, *blocked_message;
	const char *allowed_type, *allowed_message;
	const char *unknown_type, *unknown_message;
};

static const struct pair vendors = {
	FACT_vendor_id,
	CONSTRAINT_blocked_vendors,
	CONSTRAINT_allowed_vendors,
	"vendor_blocked",
	"the vendor is blocked",
	"vendor_not_allowed",
	"the vendor is not among those that may be used",
	"vendor_unknown",
	"the vendor is not known, so it may be a blocked one",
};
static const struct pair models = {
	FACT_model_id,
	CONSTRAINT_blocked_models,
	CONSTRAINT_allowed_models,
	"model_blocked",
	"the model is blocked",
	"model_not_allowed",
	"the model is not among those that may be used",
	"model_unknown",
	"the model is not known, so it may be a blocked one",
};

/* The element of list KEY that NAME matches, or NULL. */
static const char *
listed(const struct check *check, enum constraint_key key, const char *name)
{
	const struct constraint *c = policy_constraint(check->policy, key);

	return c == NULL || name == NULL
		   ? NULL
		   : match_any(c->texts, c->texts_n, name);
}

static void
check_blocked(struct check *check, const struct pair *pair, const char *name)
{
	const struct constraint *allowed =
	    policy_constraint(check->policy, pair->allowed);

	if (name == NULL) {
		/* A list of permitted names says so itself. */
		if (check->constraint->texts_n > 0 &&
		    (allowed == NULL || allowed->texts_n == 0)) {
			check_add(check, FINDING_UNKNOWN, pair->unknown_type,
				  pair->unknown_message);
		}
		return;
	}
	const char *hit = listed(check, pair->blocked, name);

	if (hit != NULL) {
		struct finding *f =
		    check_add(check, FINDING_VIOLATION, pair->blocked_type,
			      pair->blocked_message);

		finding_text(f, "observed", name);
		finding_text(f, "limit", hit);
	}
}

/* An unlisted vendor passes where it was approved. */
static bool
approved(struct check *check, const char *name)
{
	const struct exemption *e = policy_exemption(check->policy, check->ctx);

	if (e == NULL) {
		return false;
	}
	struct finding *f =
	    check_add(check, FINDING_WARNING, "vendor_approved_by_exemption",
		      "the vendor is not listed, but approved");

	finding_text(f, "observed", name);
	finding_text(f, "exemption_id", e->exemption_id);
	return true;
}

static void
check_allowed(struct check *check, const struct pair *pair, const char *name)
{
	const struct constraint *c = check->constraint;
	bool approval = pair == &vendors &&
			policy_flag(check->policy, CONSTRAINT_require_approval);

	if (c->texts_n == 0 || listed(check, pair->blocked, name) != NULL ||
	    listed(check, pair->allowed, name) != NULL) {
		return;
	}
	if (name == NULL) {
		name = "unknown";
	}
	if (approval && approved(check, name)) {
		return;
	}
	struct finding *f =
	    check_add(check, FINDING_VIOLATION, pair->allowed_type,
		      pair->allowed_message);

	finding_text(f, "observed", name);
	finding_texts(f, "limit", c->texts,
		      c->texts_n < SHOWN ? c->texts_n : SHOWN);
	if (approval) {
		finding_flag(f, "approval_required", true);
	}
}

static void
check_pair(struct check *check, const struct pair *pair)
{
	const char *name = context_text(check->ctx, pair->fact);

	if (check->constraint->key == pair->blocked) {
		check_blocked(check, pair, name);
	} else {
		check_allowed(check, pair, name);
	}
}

void
check_vendors(struct check *check)
{
	check_pair(check, &vendors);
}

void
check_models(struct check *check)
{
	check_pair(check, &models);
}
