/*
 * reserve: what an admitted call takes, kept for its report.
 *
 *	core asks for charges -> a reservation of them is made and taken with it
 *	   -> the decision stands: the note says what really was taken
 *	   -> recorded: done; or it could not be, and it is all given back
 *
 * Source: docs/policies.md, "Reservations".
 */
#ifndef ENGINE_RESERVE_H
#define ENGINE_RESERVE_H

#include "counter/reservation.h"
#include "engine/call.h"

struct reserve {
	struct call *call;
	const struct context *ctx;
	const char *evaluation_id;
	struct reservation made; /* for the model that was last asked about */
	bool taken;		 /* the counters took it */
};

void reserve_begin(struct reserve *reserve, struct call *call,
		   const struct context *ctx, const char *evaluation_id);

/* Core's question (core/counter.h). */
bool reserve_take(struct reserve *reserve, const struct charge_model *model,
		  const struct charge *charges, size_t n, struct charged *out);

/**
 * reserve_hold(reserve, decision):
 * The reservation of an admitted call, as its record and its report need it.
 *
 * Returns: NULL for a call that is refused; else it lives as long as RESERVE.
 *          A call that has nothing to count has one, too: its report says what
 *          it cost.
 */
const struct reservation *reserve_hold(struct reserve *reserve,
				       const struct decision *decision);

/* The call does not stand: give back what it took; instead of reserve_done. */
void reserve_give_back(struct reserve *reserve);

/* The call is answered as it was decided. */
void reserve_done(struct reserve *reserve);

#endif /* ENGINE_RESERVE_H */
