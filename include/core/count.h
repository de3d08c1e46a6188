/*
 * count: step 4 of a decision: ask who counts (struct decide_ops), and say
 * what came of it.
 *
 *	count_take on the model that was asked for
 *	   TAKEN, REFUSED -> that is all
 *	   ELSEWHERE -> count_take on each fallback that passes its checks
 *	      none is TAKEN -> count_give_up
 *
 * Belongs to decide.c.
 */
#ifndef CORE_COUNT_H
#define CORE_COUNT_H

#include "core/charge.h"

/* How often one decision asks: each time costs round trips.  The first model
 * and the cheapest others; what the answers make hopeless is not asked. */
enum { COUNT_TAKES_MAX = 8 };

enum count_result {
	COUNT_TAKEN,	 /* all of it; at other stages: there is nothing */
	COUNT_ELSEWHERE, /* refused, another model may fit */
	COUNT_REFUSED	 /* and no other model would fit */
};

struct count_attempt {
	struct charges charges;
	struct charged *charged; /* [charges.n] */
};

/* The counting of one decision; all zero but for BASE to begin with. */
struct count {
	struct run *base; /* whose findings are added to */
	struct count_attempt attempts[COUNT_TAKES_MAX]; /* [n] that were made */
	size_t n;
	struct charges last; /* of the model that came last, asked or not */
	bool degrades;	     /* its violations that ask for degrade are said */
};

/**
 * count_take(count, run, out):
 * Take what RUN's model would count.
 *
 * Takes:   RUN, COUNT's base or a candidate that has passed its checks; of a
 *          candidate the policies are selected again, all of them.
 * Gives:   OUT's charges and `taken`.  Findings: all of them with TAKEN and
 *          REFUSED; with ELSEWHERE, for the base, what asks for another model.
 */
enum count_result count_take(struct count *count, struct run *run,
			     struct decision *out);

/* No model can be taken: say what is not said yet of the first one that was
 * asked about, and what is not known of any. */
void count_give_up(struct count *count);

#endif /* CORE_COUNT_H */
