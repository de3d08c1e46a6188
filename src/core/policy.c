#include "core/policy.h"

#include <assert.h>
#include <string.h>

const struct constraint *
policy_constraint(const struct policy *policy, enum constraint_key key)
{
	for (size_t i = 0; i < policy->constraints_n; i++) {
		const struct constraint *c = &policy->constraints[i];

		if (c->key >= key) {
			return c->key == key ? c : NULL;
		}
	}
	return NULL;
}

bool
policy_flag(const struct policy *policy, enum constraint_key key)
{
	const struct constraint *c = policy_constraint(policy, key);

	return c != NULL && c->number != 0;
}

enum fact_id
scope_fact(enum scope scope)
{
	static const enum fact_id facts[SCOPE_N] = {
		[SCOPE_GLOBAL] = FACT_N,
		[SCOPE_ORGANIZATION] = FACT_organization_id,
		[SCOPE_TEAM] = FACT_team_id,
		[SCOPE_USER] = FACT_user_id,
		[SCOPE_API_KEY] = FACT_api_key_id,
		[SCOPE_MODEL] = FACT_model_id,
		[SCOPE_VENDOR] = FACT_vendor_id,
	};
	assert(scope < SCOPE_N);
	return facts[scope];
}

/* The subject of CTX in SCOPE; an empty name is none. */
static const char *
subject_in(enum scope scope, const struct context *ctx)
{
	const enum fact_id fact = scope_fact(scope);

	if (fact == FACT_N) {
		return "global";
	}
	const char *subject = context_text(ctx, fact);

	return subject == NULL || subject[0] == '\0' ? "anonymous" : subject;
}

const char *
policy_subject(const struct policy *policy, const struct context *ctx)
{
	return subject_in(policy->scope, ctx);
}

/* The order of a limit against KEY and SUBJECT, as of strcmp. */
static int
limit_order(const struct subject_limit *limit, enum constraint_key key,
	    const char *subject)
{
	if (limit->key != key) {
		return limit->key < key ? -1 : 1;
	}
	return strcmp(limit->subject, subject);
}

/* The first of POLICY's limits that is not before KEY and SUBJECT. */
static size_t
first_limit(const struct policy *policy, enum constraint_key key,
	    const char *subject)
{
	size_t low = 0, high = policy->limits_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (limit_order(&policy->limits[middle], key, subject) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

int64_t
policy_number(const struct policy *policy, const struct constraint *c,
	      const struct context *ctx)
{
	if (policy->limits_n == 0) {
		return c->number;
	}
	const char *subject = policy_subject(policy, ctx);

	for (size_t i = first_limit(policy, c->key, subject);
	     i < policy->limits_n; i++) {
		const struct subject_limit *limit = &policy->limits[i];

		if (limit_order(limit, c->key, subject) != 0) {
			break;
		}
		if (ctx->now_us < limit->until_us) {
			return limit->number;
		}
	}
	return c->number;
}

const struct exemption *
policy_exemption(const struct policy *policy, const struct context *ctx)
{
	for (size_t i = 0; i < policy->exemptions_n; i++) {
		const struct exemption *e = &policy->exemptions[i];

		if (e->from_us <= ctx->now_us && ctx->now_us < e->until_us &&
		    strcmp(e->subject, subject_in(e->scope, ctx)) == 0) {
			return e;
		}
	}
	return NULL;
}
