/*
 * select: parts of a selection: what a fallback needs again, what counts.
 *
 * core/policy.h has the selection itself.
 */
#ifndef CORE_SELECT_H
#define CORE_SELECT_H

#include "core/policy.h"

/* May POLICY answer otherwise when another model runs?  By a constraint, its
 * condition, or the subject that its limits, exemptions and counters are
 * for. */
bool policy_by_model(const struct policy *policy);

/* policy_select, only those that are policy_by_model. */
size_t policy_select_by_model(const struct policy_set *set, enum stage stage,
			      const struct context *ctx, struct arena *arena,
			      struct applying **out);

/* policy_select, only those that count (core/counter.tbl.h). */
size_t policy_select_counting(const struct policy_set *set, enum stage stage,
			      const struct context *ctx, struct arena *arena,
			      struct applying **out);

#endif /* CORE_SELECT_H */
