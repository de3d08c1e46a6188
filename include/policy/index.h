/*
 * index: which policies of a stage are worth a look, by what must hold.
 *
 * See core/policy.h, struct policy_index.  Of the tests that must hold for a
 * policy to apply, the one with the fewest policies behind its values is
 * taken, so that a user's name is preferred to an environment that all share.
 */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include "base/arena.h"
#include "core/policy.h"

/* The index of STAGE over the N POLICIES, in ARENA; texts are borrowed. */
void index_build(struct arena *arena, const struct policy *policies, size_t n,
		 enum stage stage, struct policy_index *out);

#endif /* POLICY_INDEX_H */
