/*
 * bypass: policies that do not enforce in development.
 *
 * A policy with bypass_policies names them.  It holds in the environment
 * `development`, and unless its require_dev_flag is false only with the
 * context's dev_flag; never from shadow, and not while it is exempted.
 * Source: docs/policies.md, "compliance".
 */
#ifndef CORE_BYPASS_H
#define CORE_BYPASS_H

#include "core/decide.h"

/* The bypasses that hold in a context. */
struct bypass {
	const struct context *ctx;
	const struct constraint **lists; /* [lists_n] of bypass_policies */
	size_t lists_n;
	bool any; /* does any policy that applies have one, held or not? */
};

/* Find them among the policies that apply. */
struct bypass bypass_find(const struct applying *applying, size_t n,
			  const struct context *ctx, struct arena *arena);

/* Is CTX one in which a bypass can hold at all: the environment? */
bool bypass_possible(const struct context *ctx);

/* Does POLICY's own bypass hold in CTX? */
bool bypass_holds(const struct policy *policy, const struct context *ctx);

/* Is POLICY bypassed?  A caller that names policies gets only those. */
bool bypass_excuses(const struct bypass *bypass, const struct policy *policy);

/* One warning for what the caller wished and is not permitted. */
void bypass_warn(const struct bypass *bypass, const struct applying *applying,
		 size_t n, struct arena *arena, struct findings *out);

#endif /* CORE_BYPASS_H */
