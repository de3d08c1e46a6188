/*
 * report: what a call really cost, from its report to its settlement.
 *
 *	which call? -> its reservation: a note, else the ledger
 *	   -> the note becomes SETTLING, so that one report settles it
 *	   -> decided at post_execution -> recorded -> counters corrected
 *	   -> the note becomes SETTLED
 *
 * What cannot be looked up now is recorded and settled later (202) by the
 * housekeeper, and so is what it may have released.
 * Source: docs/policies.md, "Reservations".
 */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "engine/call.h"

enum {
	/* A settlement that is older is of a process that died. */
	REPORT_SETTLING_OLD_US = 2 * 1000 * 1000
};

/* Answer a body of STAGE_POST_EXECUTION; errors as engine_evaluate. */
enum status report_answer(struct call *call) MUST_CHECK;

#endif /* ENGINE_REPORT_H */
