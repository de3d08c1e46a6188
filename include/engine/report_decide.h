/*
 * report_decide: the decision about a call that is over.
 *
 * The facts are those of its reservation, but the model that served and the
 * figures that the report says; the text is its response.
 */
#ifndef ENGINE_REPORT_DECIDE_H
#define ENGINE_REPORT_DECIDE_H

#include "engine/call.h"
#include "engine/settle.h"

struct report_decided {
	struct context ctx;
	struct decision decision;
	struct outcome outcome; /* borrows from the others */
};

/* The facts that CALL's body says for itself, whatever call it reports. */
void report_said(const struct call *call, struct context *ctx);

/**
 * report_decide(call, settle, out):
 * Decide at post_execution.
 *
 * Gives:   OUT, with the violation `decision_not_honoured` of no policy where
 *          it is one.  Ids are made of the report's and of what they name, so
 *          that a settlement that is finished by another process, or is
 *          answered again, has the same.
 */
void report_decide(struct call *call, const struct settle *settle,
		   struct report_decided *out);

#endif /* ENGINE_REPORT_DECIDE_H */
