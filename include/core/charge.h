/*
 * charge: what a call would count if it ran on a model.
 *
 * One charge for each counting constraint of each policy that applies at
 * pre_flight, and of each that applies by the clock (continuous), in the order
 * of policies.  Pure: who keeps the counters is core/counter.h.
 */
#ifndef CORE_CHARGE_H
#define CORE_CHARGE_H

#include "core/counter.h"
#include "core/run.h"

/* What is said of a charge, beside what is counted. */
struct charge_say {
	const char *excused; /* as in its policy's findings */
	/* over the limit is no violation: it is judged by the clock, or its
	 * policy does not limit what has no price */
	bool silent;
};

struct charges {
	struct charge *items;	/* [n] */
	struct charge_say *say; /* [n] */
	size_t n;
	struct charge_model model;
	/* Continuous policies of which it cannot be told whether they apply;
	 * those of pre_flight have their finding from the plain run. */
	const struct policy **unclear; /* [unclear_n] */
	size_t unclear_n;
};

/**
 * charges_make(run, out):
 * The charges of RUN's model.
 *
 * Takes:   RUN with all its policies selected, not only what is by model.
 * Gives:   OUT, in RUN's arena.
 */
void charges_make(struct run *run, struct charges *out);

/* Does it fit nowhere else, because no other model changes what it counts? */
bool charge_is_fixed(const struct charge *charge);

/*
 * Would CHARGE refuse the call, by what was said of OTHER, which did?  Only
 * where both are the same counter.
 */
bool charge_is_hopeless(const struct charge *charge, const struct charge *other,
			const struct charged *said);

#endif /* CORE_CHARGE_H */
