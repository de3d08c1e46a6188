/*
 * take: all charges of a call, or none.
 *
 *	read the accounts -> judge (counter/claim.h) -> write -> again
 *
 * One account, or all of a store that replaces several at once, is counted by
 * the write itself.  Else each is written with a claim, which is open until
 * the last of them is written; that one needs no claim.  An account that
 * somebody else wrote meanwhile is read and judged again, the others keep
 * their claims.
 *
 * A write without an answer is looked for in the account; where it is not,
 * the account is signed, so that it cannot happen any more.
 */
#include "counter/take.h"

#include "base/log.h"
#include "base/metric.h"

enum {
	PAUSE_US = 20,
	PAUSE_MOST_US = 2000,
	WAIT_US = 1000,
	WAIT_MOST_US = 16000
};
enum { TAKEN, REFUSED, UNKNOWN }; /* of counter_takes_total */

static bool
is_late(const struct take *t)
{
	return take_elapsed_us(t) >= t->wait_us;
}

static enum claim_verdict
verdict_of(const struct take *t)
{
	enum claim_verdict verdict = CLAIM_TAKES;

	for (size_t i = 0; i < t->places_n; i++) {
		if (t->places[i].verdict == CLAIM_REFUSED) {
			return CLAIM_REFUSED;
		}
		if (t->places[i].verdict == CLAIM_CONTENDED) {
			verdict = CLAIM_CONTENDED;
		}
	}
	return verdict;
}

static void
refuse(struct take *t)
{
	if (t->begun) {
		/* from now on it is to be given back in any case */
		t->worker->slot->phase = JOURNAL_UNDOING;
		take_withdraw(t);
		take_unnote(t);
		counter_worker_end(t->worker);
	}
	for (size_t i = 0; i < t->n; i++) {
		claim_refused(&t->charges[i], t->call->now_us, &t->out[i]);
	}
}

/* ---- waiting */

/* The claims that are in the way are over by now, all of those of the host:
 * so what is read next is decided by them. */
static bool
are_over(struct take *t)
{
	struct counter_worker *worker = t->worker;
	bool all = true;

	for (size_t i = 0; i < t->places_n; i++) {
		const struct account *account = &t->places[i].account;

		for (size_t j = 0; t->places[i].verdict == CLAIM_CONTENDED &&
				   j < account->claims_n;
		     j++) {
			const struct account_claim *claim = &account->claims[j];

			if (claim->stands) {
				continue;
			}
			if (worker->over_n < COUNTER_OVER_MAX &&
			    journal_knows(worker->counter->journal,
					  claim->writer,
					  claim->seq) == JOURNAL_OVER) {
				worker->over[worker->over_n++] =
				    (struct counter_over){ claim->writer,
							   claim->seq };
			} else {
				all = false;
			}
		}
	}
	return all;
}

static void
give_up(struct take *t)
{
	for (size_t i = 0; i < t->places_n; i++) {
		struct place *p = &t->places[i];

		if (p->verdict == CLAIM_CONTENDED) {
			p->verdict = claim_give_up(&p->claim);
		}
	}
}

static void
wait_for_claims(struct take *t)
{
	if (are_over(t)) {
		return;
	}
	/* two calls must not wait for each other */
	take_withdraw(t);
	metric_add(METRIC_counter_waits_total, 0, 1);
	counter_worker_pause(t->worker, t->pause_wait_us);
	t->pause_wait_us = t->pause_wait_us * 2 > WAIT_MOST_US
			       ? WAIT_MOST_US
			       : t->pause_wait_us * 2;
}

static void
pause_turn(struct take *t)
{
	counter_worker_pause(t->worker, t->pause_us);
	t->pause_us =
	    t->pause_us * 2 > PAUSE_MOST_US ? PAUSE_MOST_US : t->pause_us * 2;
}

/* ---- the whole */

static bool
is_open(const struct take *t)
{
	return take_places_in(t, PLACE_PENDING) +
		   take_places_in(t, PLACE_UNSURE) >
	       0;
}

/* What is still open is not known in time. */
static void
lose_open(struct take *t)
{
	for (size_t i = 0; i < t->places_n; i++) {
		struct place *p = &t->places[i];

		if (p->state == PLACE_PENDING || p->state == PLACE_UNSURE) {
			take_lose(t, p);
		}
	}
}

/* Turn after turn; false: refused. */
static bool
decide(struct take *t)
{
	for (;;) {
		take_read(t);
		enum claim_verdict verdict = verdict_of(t);

		if (verdict == CLAIM_CONTENDED && is_late(t)) {
			give_up(t);
			verdict = verdict_of(t);
		}
		if (verdict == CLAIM_REFUSED) {
			return false;
		}
		if (verdict == CLAIM_CONTENDED) {
			wait_for_claims(t);
			continue;
		}
		take_write(t);
		if (is_open(t) && is_late(t)) {
			lose_open(t);
		}
		if (!is_open(t)) {
			return verdict_of(t) != CLAIM_REFUSED;
		}
		pause_turn(t);
	}
}

static void
admit(struct take *t)
{
	if (t->begun) {
		t->worker->slot->phase = JOURNAL_TAKEN;
		take_settle(t);
	}
	take_note(t);
}

/* No store: nothing is known. */
static bool
take_nothing(const struct charge *charges, size_t n, struct charged *out)
{
	bool admitted = true;

	for (size_t i = 0; i < n; i++) {
		out[i] = (struct charged){ .result = CHARGE_UNKNOWN };
		admitted = admitted && !charges[i].must_count;
	}
	return admitted;
}

static void
measure(const struct take *t, bool admitted)
{
	int result = admitted ? TAKEN : REFUSED;

	for (size_t i = 0; i < t->n; i++) {
		if (t->out[i].result == CHARGE_UNKNOWN) {
			result = UNKNOWN;
		}
	}
	metric_add(METRIC_counter_takes_total, result, 1);
}

bool
counter_take(struct counter_worker *worker, const struct counter_call *call,
	     const struct charge *charges, size_t n, struct charged *out)
{
	struct take t = {
		.worker = worker,
		.store = counter_worker_store(worker),
		.call = call,
		.charges = charges,
		.n = n,
		.out = out,
		.wait_us = worker->counter->config->counter_wait_ms * 1000,
		.pause_us = PAUSE_US,
		.pause_wait_us = WAIT_US,
	};
	bool admitted = true;

	counter_worker_end(worker);
	arena_reset(worker->arena);
	worker->over_n = 0;
	if (n > COUNTER_CHARGES_MAX) {
		log_error("a call cannot be counted in %zu counters, only %d",
			  n, COUNTER_CHARGES_MAX);
		t.store = NULL;
	}
	worker->epoch = t.store == NULL ? 0 : t.store->epoch;
	if (t.store == NULL) {
		admitted = take_nothing(charges, n, out);
		measure(&t, admitted);
		return admitted;
	}
	uint64_t trips = t.store->round_trips;
	if (n > 0) {
		take_places(&t);
		t.began_us = counter_worker_mono_us(worker);
		admitted = decide(&t);
		measure(&t, admitted);
	}
	if (admitted) {
		admit(&t);
	} else {
		refuse(&t);
	}
	counter_worker_trips(t.store, trips);
	return admitted;
}
