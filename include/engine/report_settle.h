/*
 * report_settle: the settlement of a reservation, once.
 *
 *	claim: the note becomes SETTLING, by one report
 *	   -> decided at post_execution -> counters -> the ledger
 *	   -> the note becomes SETTLED
 *
 * Belongs to report.c.  Where its process dies on the way, the journal
 * (counter/counter.h) has the counters changed back unless the ledger has the
 * entry, and the next report takes over.
 */
#ifndef ENGINE_REPORT_SETTLE_H
#define ENGINE_REPORT_SETTLE_H

#include "engine/call.h"
#include "engine/settle.h"

/* A report at work. */
struct report {
	struct call *call;
	char id[UUID_TEXT_BYTES];	 /* of the call that it is about */
	char report_id[UUID_TEXT_BYTES]; /* of its own evaluation */
	unsigned char digest[RESERVATION_DIGEST_BYTES];
	struct counter_note note;
	struct reservation r;
	struct settle settle;
};

/* What REPORT is counted with. */
struct counter_worker *report_counter(const struct report *report);

enum report_claim {
	REPORT_CLAIM_OURS,
	REPORT_CLAIM_AGAIN,  /* look at it again */
	REPORT_CLAIM_UNKNOWN /* the note cannot be written now */
};

/* Make the note SETTLING by REPORT, whose figures are made. */
enum report_claim report_claim(struct report *report);

/* Settle and answer: the claim is REPORT's. */
enum status report_settle(struct report *report) MUST_CHECK;

/**
 * report_take_over(report, claimed):
 * Settle what somebody had claimed who has died.
 *
 * Where that was the same report, this one goes on in its name; else what is
 * known of it is settled, and this one is too late.
 * Gives:   CLAIMED, OURS where REPORT is answered.
 */
enum status report_take_over(struct report *report,
			     enum report_claim *claimed) MUST_CHECK;

/* What the answer says of S, a settlement of REPORT's call. */
struct settlement report_settlement(const struct report *report,
				    const struct settle *s);

#endif /* ENGINE_REPORT_SETTLE_H */
