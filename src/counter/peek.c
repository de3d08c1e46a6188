/*
 * peek: what charges would meet, taking nothing.
 */
#include <string.h>

#include "counter/account.h"
#include "counter/claim.h"
#include "counter/worker.h"

/* Up to COUNTER_CHARGES_MAX charges that are asked in one round trip. */
struct peek {
	struct counter_worker *worker;
	struct counter_store *store;
	struct counter_call call;
	struct charge charges[COUNTER_CHARGES_MAX]; /* [n], of nothing */
	size_t n;
	struct charged *out; /* [n] */
	/* the accounts that they are in, each once */
	struct counter_item items[COUNTER_CHARGES_MAX]; /* [items_n] */
	size_t items_n;
	size_t item_of[COUNTER_CHARGES_MAX]; /* [n] */
};

static void
add(struct peek *peek, const struct charge *charge)
{
	struct counter_item *item = &peek->items[peek->items_n];
	struct counter_subject subject =
	    counter_subject(charge->policy->scope, charge->subject);
	size_t at = 0;

	*item = (struct counter_item){ 0 };
	counter_subject_key(&subject, item->key);
	while (strcmp(peek->items[at].key, item->key) != 0) {
		at++;
	}
	peek->items_n += at == peek->items_n;
	peek->item_of[peek->n] = at;
	peek->charges[peek->n] = *charge;
	peek->charges[peek->n].amount = 0;
	peek->charges[peek->n].must_count = false;
	peek->n++;
}

/* The charges in one account. */
static void
judge(struct peek *peek, size_t at)
{
	size_t which[COUNTER_CHARGES_MAX];
	bool contended[COUNTER_CHARGES_MAX];
	struct claim claim = { .call = &peek->call,
			       .charges = peek->charges,
			       .which = which,
			       .out = peek->out,
			       .contended = contended };
	struct account account;

	for (size_t i = 0; i < peek->n; i++) {
		if (peek->item_of[i] == at) {
			which[claim.n++] = i;
		}
	}
	if (counter_worker_account(peek->worker, peek->store, &peek->items[at],
				   peek->call.now_us, &account)) {
		(void)claim_judge(&claim, &account);
	} else {
		(void)claim_unknown(&claim);
		counter_worker_failed(peek->store);
	}
	for (size_t k = 0; k < claim.n; k++) {
		claim_refused(&peek->charges[which[k]], peek->call.now_us,
			      &peek->out[which[k]]);
	}
}

/* Ask about what was added, and be empty again. */
static void
ask(struct peek *peek)
{
	uint64_t trips = peek->store->round_trips;

	arena_reset(peek->worker->arena);
	peek->store->type->read(peek->store, peek->worker->arena, peek->items,
				peek->items_n);
	for (size_t at = 0; at < peek->items_n; at++) {
		judge(peek, at);
	}
	counter_worker_trips(peek->store, trips);
	peek->out += peek->n;
	peek->n = 0;
	peek->items_n = 0;
}

void
counter_peek(struct counter_worker *worker, int64_t now_us,
	     const struct charge *charges, size_t n, struct charged *out)
{
	struct peek peek = {
		.worker = worker,
		.store = counter_worker_store(worker),
		.call = { .evaluation_id = "", .now_us = now_us },
		.out = out,
	};

	if (peek.store == NULL) {
		for (size_t i = 0; i < n; i++) {
			out[i] = (struct charged){ .result = CHARGE_UNKNOWN };
		}
		return;
	}
	for (size_t i = 0; i < n; i++) {
		add(&peek, &charges[i]);
		if (peek.n == COUNTER_CHARGES_MAX || i + 1 == n) {
			ask(&peek);
		}
	}
}
