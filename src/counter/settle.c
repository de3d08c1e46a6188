/*
 * settle: doing or undoing what stands in the journal, each account once.
 *
 * No limit can refuse it, so every account is changed for itself, again where
 * somebody was faster.  Each change signs with the operation's number: that
 * of its first write where it is done, the one after its last where it is
 * undone.  An undoing signs also where nothing had been written, so that a
 * write that is still on its way finds another version and fails.
 */
#include <assert.h>
#include <string.h>

#include "base/metric.h"
#include "counter/account.h"
#include "counter/claim.h"
#include "counter/worker.h"

enum { PAUSE_US = 100, PAUSE_MOST_US = 10000 };

struct target {
	struct counter_subject subject;
	uint64_t bits; /* of the slot's entries */
	bool done, lost;
};

struct settle {
	struct counter_worker *worker;
	struct counter_store *store;
	struct journal_slot *slot;
	bool add;
	uint64_t seq;
	int64_t at_us;
	struct target targets[JOURNAL_ENTRIES];
	size_t n;
};

static void
find_targets(struct settle *s, uint64_t bits)
{
	for (size_t i = 0; i < s->slot->entries_n; i++) {
		const struct counter_subject *subject =
		    &s->slot->entries[i].subject;
		size_t at = 0;

		if ((bits >> i & 1) == 0) {
			continue;
		}
		while (at < s->n && memcmp(&s->targets[at].subject, subject,
					   sizeof(*subject)) != 0) {
			at++;
		}
		if (at == s->n) {
			s->targets[s->n++] =
			    (struct target){ .subject = *subject };
		}
		s->targets[at].bits |= UINT64_C(1) << i;
	}
}

/* Undone in the order against that in which they were done, since a sum
 * never falls below 0. */
static void
add_entries(const struct settle *s, const struct target *t,
	    struct account *account)
{
	size_t n = s->slot->entries_n;

	for (size_t k = 0; k < n; k++) {
		size_t i = s->add ? k : n - 1 - k;

		if ((t->bits >> i & 1) == 0) {
			continue;
		}
		struct account_entry entry =
		    claim_entry(&s->slot->entries[i], s->slot->evaluation_id);

		entry.alert = (s->slot->alerts >> i & 1) != 0;
		if (!s->add) {
			entry.amount = -entry.amount;
		}
		account_add(account, &entry);
	}
}

/* Change ACCOUNT; false: it is done already, or it cannot be known whether
 * (then it is left as it is). */
static bool
change(const struct settle *s, const struct target *t, struct account *account)
{
	const struct journal_slot *slot = s->slot;
	const struct account_writer *w = account_signed(account, slot->writer);

	if (w != NULL && w->seq >= s->seq) {
		return false;
	}
	if (s->add) {
		/* a signature that is not there may have been forgotten */
		if (w == NULL &&
		    account->seen_us - slot->now_us >= ACCOUNT_SIGNED_US) {
			return false;
		}
		add_entries(s, t, account);
	} else if (w != NULL && w->seq >= slot->first_seq && w->counted &&
		   !account_withdraw(account, slot->writer, slot->first_seq)) {
		add_entries(s, t, account); /* it was settled already */
	}
	account_sign(account, slot->writer, s->seq, s->add);
	return true;
}

/* What is not done, as items with their keys; returns how many. */
static size_t
list(struct settle *s, struct counter_item *items, struct target **of)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->targets[i].done && !s->targets[i].lost) {
			items[n] = (struct counter_item){ .next = NULL };
			counter_subject_key(&s->targets[i].subject,
					    items[n].key);
			of[n++] = &s->targets[i];
		}
	}
	return n;
}

/* Fill in what is to be written; returns how many. */
static size_t
prepare(struct settle *s, struct counter_item *items, struct target **of,
	size_t n)
{
	struct counter_worker *worker = s->worker;
	size_t starts[JOURNAL_ENTRIES], writes = 0;
	struct account account;

	buf_reset(&worker->values);
	for (size_t i = 0; i < n; i++) {
		starts[i] = worker->values.len;
		if (!counter_worker_account(worker, s->store, &items[i],
					    s->at_us, &account)) {
			of[i]->lost = true;
		} else if (!change(s, of[i], &account)) {
			of[i]->done = true;
		} else {
			counter_worker_mark(worker, &account);
			account_settle(&account);
			items[i].expires_s =
			    account_encode(&account, &worker->values);
			writes++;
		}
		items[i].next_n = worker->values.len - starts[i];
	}
	for (size_t i = 0; i < n; i++) {
		items[i].next =
		    items[i].next_n == 0
			? NULL
			: (const unsigned char *)worker->values.data +
			      starts[i];
	}
	return writes;
}

/* One turn: read and write what is not done. */
static void
turn(struct settle *s, struct counter_item *items, struct target **of, size_t n)
{
	struct counter_store *store = s->store;

	store->type->read(store, s->worker->arena, items, n);
	if (prepare(s, items, of, n) == 0) {
		return;
	}
	store->type->swap(store, items, n);
	for (size_t i = 0; i < n; i++) {
		if (items[i].next != NULL && items[i].result == ITEM_REPLACED) {
			of[i]->done = true;
		} else if (items[i].next != NULL &&
			   items[i].result == ITEM_MOVED) {
			metric_add(METRIC_counter_conflicts_total, 0, 1);
		} else if (items[i].next != NULL &&
			   items[i].result == ITEM_FAILED) {
			of[i]->lost = true;
		}
	}
}

uint64_t
counter_worker_settle(struct counter_worker *worker,
		      struct counter_store *store, struct journal_slot *slot,
		      uint64_t bits, bool add, int64_t at_us, int64_t wait_us)
{
	struct counter_item items[JOURNAL_ENTRIES];
	struct target *of[JOURNAL_ENTRIES];
	struct settle s = {
		.worker = worker,
		.store = store,
		.slot = slot,
		.add = add,
		.seq = add ? slot->first_seq : slot->seq + 1,
		.at_us = at_us,
	};
	int64_t begin = counter_worker_mono_us(worker);
	int64_t pause = PAUSE_US;
	uint64_t open = 0;

	find_targets(&s, bits);
	for (;;) {
		size_t n = list(&s, items, of);

		if (n > 0) {
			turn(&s, items, of, n);
		}
		if (list(&s, items, of) == 0 ||
		    counter_worker_mono_us(worker) - begin >= wait_us) {
			break;
		}
		counter_worker_pause(worker, pause);
		pause = pause * 2 > PAUSE_MOST_US ? PAUSE_MOST_US : pause * 2;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (!s.targets[i].done) {
			open |= s.targets[i].bits;
			counter_worker_failed(store);
		}
	}
	/* its number is used */
	if (slot->seq < s.seq) {
		slot->seq = s.seq;
	}
	return open;
}
