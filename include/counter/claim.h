/*
 * claim: what one call asks of one subject's account.
 *
 * All charges of a policy have one subject, so whether a charge fits, and what
 * a shadow policy would have let the call take, is known from one account;
 * only whether the call is admitted depends on all of them.
 *
 * Pure.  Source: core/counter.h.
 */
#ifndef COUNTER_CLAIM_H
#define COUNTER_CLAIM_H

#include "counter/account.h"
#include "counter/counter.h"

/* One subject's charges. */
struct claim {
	const struct counter_call *call;
	const struct charge *charges; /* of the whole call */
	const size_t *which;	      /* [n] its own */
	size_t n;
	struct charged *out; /* of the whole call; its own are written */
	/* As OUT: it would fit but for claims that are still open. */
	bool *contended;
};

enum claim_verdict {
	CLAIM_TAKES,
	CLAIM_REFUSED,
	CLAIM_CONTENDED /* ask again: an open claim is in the way */
};

/* What becomes of CLAIM on ACCOUNT now; nothing is changed but OUT, which is
 * as for a call that is admitted. */
enum claim_verdict claim_judge(const struct claim *claim,
			       const struct account *account);

/* The account is not known, or cannot be written. */
enum claim_verdict claim_unknown(const struct claim *claim);

/* What is still contended is CHARGE_UNKNOWN now. */
enum claim_verdict claim_give_up(const struct claim *claim);

/* Is anything of it taken? */
bool claim_takes(const struct claim *claim);

/* Add what is taken to ACCOUNT: to its sums, or as a claim. */
void claim_count(const struct claim *claim, struct account *account);
void claim_open(const struct claim *claim, struct account *account,
		uint64_t writer, uint64_t seq, int64_t deadline_us);

/* The call is refused: CHARGED of CHARGE is what it is for one that takes
 * nothing at NOW_US. */
void claim_refused(const struct charge *charge, int64_t now_us,
		   struct charged *charged);

/* What is taken leaves no room below a limit for the same once more. */
bool claim_fills(const struct claim *claim);

/* The amount of an entry of the ledger, of the call with LEASE. */
struct account_entry claim_entry(const struct counter_entry *entry,
				 const char *evaluation_id);

#endif /* COUNTER_CLAIM_H */
