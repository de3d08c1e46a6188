#include "core/bypass.h"

#include <string.h>

#include "base/arena.h"
#include "core/finding.h"

static bool
named(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static const struct constraint *
list_of(const struct policy *policy)
{
	return policy->category == CATEGORY_COMPLIANCE
		   ? policy_constraint(policy, CONSTRAINT_bypass_policies)
		   : NULL;
}

bool
bypass_possible(const struct context *ctx)
{
	const char *environment = context_text(ctx, FACT_environment);

	return environment != NULL && strcmp(environment, "development") == 0;
}

bool
bypass_holds(const struct policy *policy, const struct context *ctx)
{
	const struct fact *flag = &ctx->facts[FACT_dev_flag];
	const struct constraint *require =
	    policy_constraint(policy, CONSTRAINT_require_dev_flag);
	bool needed = require == NULL || require->number != 0;
	bool sent = flag->source != SOURCE_MISSING && flag->value.flag;

	return bypass_possible(ctx) && policy->mode == MODE_ENFORCE &&
	       (sent || !needed) && policy_exemption(policy, ctx) == NULL;
}

struct bypass
bypass_find(const struct applying *applying, size_t n,
	    const struct context *ctx, struct arena *arena)
{
	struct bypass bypass = { .ctx = ctx };

	for (size_t i = 0; i < n; i++) {
		const struct policy *policy = applying[i].policy;
		const struct constraint *list = list_of(policy);

		if (list == NULL) {
			continue;
		}
		if (!bypass.any) {
			bypass.any = true;
			bypass.lists =
			    arena_array(arena, n - i, sizeof(*bypass.lists));
		}
		if (!applying[i].error && bypass_holds(policy, ctx)) {
			bypass.lists[bypass.lists_n++] = list;
		}
	}
	return bypass;
}

/* Does a bypass that holds name NAME? */
static bool
permitted(const struct bypass *bypass, const char *name)
{
	for (size_t i = 0; i < bypass->lists_n; i++) {
		if (named(bypass->lists[i]->texts, bypass->lists[i]->texts_n,
			  name)) {
			return true;
		}
	}
	return false;
}

bool
bypass_excuses(const struct bypass *bypass, const struct policy *policy)
{
	const struct context *ctx = bypass->ctx;

	if (bypass->lists_n == 0 || !permitted(bypass, policy->name)) {
		return false;
	}
	return ctx->bypass_all || ctx->bypass_n == 0 ||
	       named(ctx->bypass, ctx->bypass_n, policy->name);
}

/* Is the policy called NAME (NULL: is any) exempted? */
static bool
exempted(const struct applying *applying, size_t n, const char *name,
	 const struct context *ctx)
{
	for (size_t i = 0; i < n; i++) {
		const struct policy *policy = applying[i].policy;

		if ((name == NULL || strcmp(policy->name, name) == 0) &&
		    policy_exemption(policy, ctx) != NULL) {
			return true;
		}
	}
	return false;
}

static struct finding *
warn(struct arena *arena, struct findings *out)
{
	struct finding_of nobody = { .key = CONSTRAINT_N };

	return finding_add(out, arena, &nobody, FINDING_WARNING,
			   "bypass_not_permitted",
			   "the bypass that was asked for is not permitted");
}

void
bypass_warn(const struct bypass *bypass, const struct applying *applying,
	    size_t n, struct arena *arena, struct findings *out)
{
	const struct context *ctx = bypass->ctx;

	if (ctx->bypass_all) {
		if (bypass->lists_n == 0 && !exempted(applying, n, NULL, ctx)) {
			warn(arena, out);
		}
		return;
	}
	if (ctx->bypass_n == 0) {
		return;
	}
	const char **refused =
	    arena_array(arena, ctx->bypass_n, sizeof(*refused));
	size_t refused_n = 0;

	for (size_t i = 0; i < ctx->bypass_n; i++) {
		if (!permitted(bypass, ctx->bypass[i]) &&
		    !exempted(applying, n, ctx->bypass[i], ctx)) {
			refused[refused_n++] = ctx->bypass[i];
		}
	}
	if (refused_n > 0) {
		finding_texts(warn(arena, out), "policies", refused, refused_n);
	}
}
