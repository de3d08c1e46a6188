/*
 * fallback: which other models would be permitted, cheapest first.
 *
 * Candidates are active models of a known price, of the same capability tier
 * as the model that was asked for or a lower one (of tier 1 where that is not
 * known), with enough context and the features asked for.  One passes where no
 * policy would block or degrade it had it been asked for.
 *
 * Where it would run: the region that the request names, if the candidate is
 * served there; else the first of its own regions in which it passes, unless
 * the region is bound to the caller's key, which nothing moves.
 * Source: docs/policies.md, "How a decision is made", 3.
 */
#ifndef CORE_FALLBACK_H
#define CORE_FALLBACK_H

#include "core/run.h"

/**
 * fallback_find(base, with_content, chain):
 * Up to FALLBACK_CHAIN models that pass.
 *
 * Takes:   BASE, the run on the model that was asked for, all its policies
 *          checked; WITH_CONTENT is false where the early exit has skipped
 *          the text, which is then not looked at for candidates either.
 * Returns: how many of CHAIN were filled.
 */
size_t fallback_find(const struct run *base, bool with_content,
		     struct fallback chain[FALLBACK_CHAIN]);

#endif /* CORE_FALLBACK_H */
