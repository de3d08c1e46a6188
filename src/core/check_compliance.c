/* Source: docs/policies.md, "compliance". */
#include "core/check.h"

#include <string.h>

#include "core/bypass.h"

/* An empty id is none. */
static bool
missing(const struct check *check, enum fact_id id)
{
	const char *text = context_text(check->ctx, id);

	return text == NULL || text[0] == '\0';
}

void
check_correlation_id(struct check *check)
{
	if (missing(check, FACT_correlation_id)) {
		check_add(check, FINDING_VIOLATION, "missing_correlation_id",
			  "a correlation id must be sent");
	}
}

void
check_user_id(struct check *check)
{
	if (missing(check, FACT_user_id)) {
		check_add(check, FINDING_VIOLATION, "missing_user_id",
			  "a user id must be known");
	}
}

/*
 * Would F have counted without a bypass that names its policy?  What a bypass
 * tells of others is not told again.
 */
static bool
excused_here(const struct check *check, const struct finding *f)
{
	const struct constraint *c = check->constraint;

	if (f->key == CONSTRAINT_bypass_policies || f->action == ACTION_ALLOW ||
	    f->excused == NULL || strcmp(f->excused, "bypass") != 0) {
		return false;
	}
	for (size_t i = 0; i < c->texts_n; i++) {
		if (strcmp(c->texts[i], f->policy->name) == 0) {
			return true;
		}
	}
	return false;
}

/* Is finding AT the first of its policy that was excused? */
static bool
first_of_policy(const struct findings *findings, size_t at)
{
	const struct finding *f = &findings->items[at];

	for (size_t i = 0; i < at; i++) {
		const struct finding *other = &findings->items[i];

		if (other->policy == f->policy &&
		    other->action != ACTION_ALLOW) {
			return false;
		}
	}
	return true;
}

/* Called when all others have been: each policy that was excused is told. */
void
check_bypass(struct check *check)
{
	size_t n = check->out->n;

	if (!policy_flag(check->policy, CONSTRAINT_log_all_bypasses) ||
	    !bypass_holds(check->policy, check->ctx)) {
		return;
	}
	for (size_t i = check->told_n; i < n; i++) {
		const struct finding *f = &check->out->items[i];
		const char *name, *type = f->type;

		if (!excused_here(check, f) ||
		    !first_of_policy(check->out, i)) {
			continue;
		}
		name = f->policy->name;
		struct finding *told =
		    check_add(check, FINDING_VIOLATION, "policy_bypassed",
			      "a policy was bypassed in development");

		finding_text(told, "bypassed_policy", name);
		finding_text(told, "excused_violation", type);
	}
}
