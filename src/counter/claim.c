#include "counter/claim.h"

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t sum;

	/* both are >= 0 */
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* What CHARGE adds to ACCOUNT at the account's own time. */
static struct account_entry
entry_of(const struct counter_call *call, const struct charge *charge,
	 const struct account *account)
{
	struct account_entry entry = {
		.counter = charge->constraint->counter,
		.kind = charge->row->kind,
		.window = charge->row->window,
		.amount = charge->amount,
	};

	switch (entry.kind) {
	case COUNTER_RATE:
		entry.at_us = account->seen_us;
		break;
	case COUNTER_BUDGET:
		entry.from_s = charge->window.from_us / 1000000;
		entry.to_s = charge->window.to_us / 1000000;
		break;
	case COUNTER_LEASE:
	default:
		entry.lease = account_lease_id(call->evaluation_id);
		entry.expires_us = call->expires_us;
		entry.amount = 1;
	}
	return entry;
}

struct account_entry
claim_entry(const struct counter_entry *entry, const char *evaluation_id)
{
	struct account_entry out = {
		.counter = entry->counter,
		.kind = entry->kind,
		.window = entry->window,
		.amount = entry->amount,
	};

	switch (entry->kind) {
	case COUNTER_RATE:
		out.at_us = entry->from_s * 1000000;
		break;
	case COUNTER_BUDGET:
		out.from_s = entry->from_s;
		out.to_s = entry->to_s;
		break;
	case COUNTER_LEASE:
	default:
		out.lease = account_lease_id(evaluation_id);
		out.expires_us = entry->to_s * 1000000;
	}
	return out;
}

static int64_t
left(const struct charge *charge, int64_t used)
{
	return charge->limit > used ? charge->limit - used : 0;
}

/* Is the window of a BUDGET so long over that it was forgotten? */
static bool
is_over(const struct account *account, const struct charge *charge)
{
	return charge->row->kind == COUNTER_BUDGET &&
	       charge->window.to_us + ACCOUNT_GRACE_US <= account->seen_us;
}

static void
judge_one(const struct claim *claim, const struct account *account, size_t i)
{
	const struct charge *charge = &claim->charges[i];
	const struct account_entry entry =
	    entry_of(claim->call, charge, account);
	struct charged *out = &claim->out[i];

	*out = (struct charged){ .result = CHARGE_UNKNOWN };
	claim->contended[i] = false;
	if (is_over(account, charge)) {
		return;
	}
	out->used = account_used(account, &entry, true);
	out->result = CHARGE_FITS;
	if (plus(out->used, entry.amount) > charge->limit) {
		int64_t stands = account->claims_n == 0
				     ? out->used
				     : account_used(account, &entry, false);

		claim->contended[i] =
		    plus(stands, entry.amount) <= charge->limit;
		out->result = claim->contended[i] ? CHARGE_FITS : CHARGE_OVER;
	}
	out->retry_us = out->result == CHARGE_FITS
			    ? account->seen_us
			    : account_room_us(account, &entry,
					      charge->limit - entry.amount);
	out->reset_us = account_reset_us(account, &entry);
	out->remaining = left(charge, out->used);
}

/* Would CHARGE's shadow policy have let the call take all that it counts? */
static bool
lets_take(const struct claim *claim, const struct policy *policy)
{
	for (size_t i = 0; i < claim->n; i++) {
		const struct charge *other = &claim->charges[claim->which[i]];

		if (other->policy == policy && other->mode == CHARGE_FOLLOWS &&
		    claim->out[claim->which[i]].result != CHARGE_FITS) {
			return false;
		}
	}
	return true;
}

static bool
is_taken(const struct claim *claim, size_t i)
{
	const struct charge *charge = &claim->charges[i];

	switch (charge->mode) {
	case CHARGE_PASSES:
		return claim->out[i].result != CHARGE_UNKNOWN;
	case CHARGE_FOLLOWS:
		return lets_take(claim, charge->policy);
	case CHARGE_LIMITS:
	default:
		return claim->out[i].result == CHARGE_FITS;
	}
}

/* When the oldest that is used then comes back; a call that takes something
 * of an empty counter is the oldest itself. */
static int64_t
reset_with(const struct account_entry *entry, const struct account *account,
	   const struct charged *out)
{
	if (out->used > 0 || entry->amount == 0) {
		return out->reset_us;
	}
	switch (entry->kind) {
	case COUNTER_RATE:
		return (account_part_index(entry->window, account->seen_us) +
			ACCOUNT_PARTS + 1) *
		       account_part_us(entry->window);
	case COUNTER_BUDGET:
		return entry->to_s * 1000000;
	case COUNTER_LEASE:
	default:
		return entry->expires_us;
	}
}

static void
take_one(const struct claim *claim, const struct account *account, size_t i)
{
	const struct charge *charge = &claim->charges[i];
	const struct account_entry entry =
	    entry_of(claim->call, charge, account);
	struct charged *out = &claim->out[i];
	int64_t used = plus(out->used, entry.amount);

	out->taken = true;
	out->remaining = left(charge, used);
	out->reset_us = reset_with(&entry, account, out);
	out->alert = entry.kind == COUNTER_BUDGET && used >= charge->alert_at &&
		     charge->alert_at != INT64_MAX &&
		     !account_alerted(account, &entry);
}

/* By what is in OUT. */
static enum claim_verdict
verdict_of(const struct claim *claim)
{
	enum claim_verdict verdict = CLAIM_TAKES;

	for (size_t k = 0; k < claim->n; k++) {
		size_t i = claim->which[k];

		if (counter_refuses(&claim->charges[i], &claim->out[i])) {
			return CLAIM_REFUSED;
		}
		if (claim->contended[i]) {
			verdict = CLAIM_CONTENDED;
		}
	}
	return verdict;
}

enum claim_verdict
claim_judge(const struct claim *claim, const struct account *account)
{
	for (size_t k = 0; k < claim->n; k++) {
		judge_one(claim, account, claim->which[k]);
	}
	for (size_t k = 0; k < claim->n; k++) {
		if (is_taken(claim, claim->which[k])) {
			take_one(claim, account, claim->which[k]);
		}
	}
	return verdict_of(claim);
}

enum claim_verdict
claim_unknown(const struct claim *claim)
{
	for (size_t k = 0; k < claim->n; k++) {
		size_t i = claim->which[k];

		claim->contended[i] = false;
		claim->out[i] = (struct charged){ .result = CHARGE_UNKNOWN };
	}
	return verdict_of(claim);
}

enum claim_verdict
claim_give_up(const struct claim *claim)
{
	for (size_t k = 0; k < claim->n; k++) {
		size_t i = claim->which[k];

		if (claim->contended[i]) {
			claim->contended[i] = false;
			claim->out[i] =
			    (struct charged){ .result = CHARGE_UNKNOWN };
		}
	}
	/* A shadow policy takes all that it counts, or none of it. */
	for (size_t k = 0; k < claim->n; k++) {
		size_t i = claim->which[k];

		if (claim->out[i].taken && !is_taken(claim, i)) {
			claim_refused(&claim->charges[i], claim->call->now_us,
				      &claim->out[i]);
		}
	}
	return verdict_of(claim);
}

void
claim_refused(const struct charge *charge, int64_t now_us,
	      struct charged *charged)
{
	if (charged->result == CHARGE_UNKNOWN) {
		return;
	}
	charged->taken = false;
	charged->alert = false;
	charged->remaining = left(charge, charged->used);
	if (charged->used == 0) {
		charged->reset_us = now_us;
	}
}

bool
claim_fills(const struct claim *claim)
{
	for (size_t k = 0; k < claim->n; k++) {
		size_t i = claim->which[k];

		if (claim->out[i].taken &&
		    claim->charges[i].mode == CHARGE_LIMITS &&
		    claim->out[i].remaining < claim->charges[i].amount) {
			return true;
		}
	}
	return false;
}

static size_t
taken_n(const struct claim *claim)
{
	size_t n = 0;

	for (size_t k = 0; k < claim->n; k++) {
		n += claim->out[claim->which[k]].taken;
	}
	return n;
}

bool
claim_takes(const struct claim *claim)
{
	return taken_n(claim) > 0;
}

/* The next entry of what is taken from the K-th on; moves K past it. */
static struct account_entry
next_taken(const struct claim *claim, const struct account *account, size_t *k)
{
	while (!claim->out[claim->which[*k]].taken) {
		(*k)++;
	}
	size_t i = claim->which[(*k)++];
	struct account_entry entry =
	    entry_of(claim->call, &claim->charges[i], account);

	entry.alert = claim->out[i].alert;
	return entry;
}

void
claim_count(const struct claim *claim, struct account *account)
{
	size_t k = 0;

	for (size_t n = taken_n(claim); n > 0; n--) {
		struct account_entry entry = next_taken(claim, account, &k);

		account_add(account, &entry);
	}
}

void
claim_open(const struct claim *claim, struct account *account, uint64_t writer,
	   uint64_t seq, int64_t deadline_us)
{
	size_t n = taken_n(claim), k = 0;
	struct account_claim *open =
	    account_claim(account, writer, seq, deadline_us, n);

	for (size_t i = 0; i < n; i++) {
		open->entries[i] = next_taken(claim, account, &k);
	}
}
