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

/* A look through the candidates, cheapest first. */
struct fallback_search {
	const struct run *base;
	bool with_content;
	int64_t tier_max;
	int64_t context_tokens;	    /* that a candidate must have */
	const struct region *named; /* by the request, or NULL */
	bool stays;		    /* the region is bound to the key */
	bool bypasses;		    /* may one hold? */
	size_t at;		    /* in the catalogue's by_price */
	size_t place;		    /* next place to try that model in */
	struct run trial;	    /* of the candidate that passed last */
	bool by_region;		    /* the trial failed by where it would run */
};

/**
 * fallback_begin(base, with_content):
 * Begin a search.
 *
 * Takes:   BASE, the run on the model that was asked for, all its policies
 *          checked; WITH_CONTENT is false where the early exit has skipped
 *          the text, which is then not looked at for candidates either.
 */
struct fallback_search fallback_begin(const struct run *base,
				      bool with_content);

/**
 * fallback_next(search, elsewhere, found):
 * The next model that passes; its run is SEARCH's trial.
 *
 * Takes:   ELSEWHERE: also the last one again, where it passes in another
 *          region.
 * Returns: false: there is none.
 */
bool fallback_next(struct fallback_search *search, bool elsewhere,
		   struct fallback *found);

/* May POLICY apply otherwise where a model runs elsewhere? */
bool fallback_by_region(const struct fallback_search *search,
			const struct policy *policy);

/* Up to FALLBACK_CHAIN models that pass; returns how many. */
size_t fallback_find(const struct run *base, bool with_content,
		     struct fallback chain[FALLBACK_CHAIN]);

#endif /* CORE_FALLBACK_H */
