/*
 * adjust: what is counted or given back whatever its limit, and what the
 * journal says was left by others.
 */
#include <assert.h>
#include <string.h>

#include "counter/worker.h"

void
counter_done(struct counter_worker *worker)
{
	counter_worker_end(worker);
}

static int64_t
wait_us(const struct counter_worker *worker)
{
	return worker->counter->config->counter_wait_ms * 1000;
}

/* Give back what the worker's slot has, or leave it to the housekeeper. */
static void
give_back(struct counter_worker *worker, struct counter_store *store,
	  int64_t now_us)
{
	struct journal_slot *slot = worker->slot;
	uint64_t open = slot->taken;

	slot->phase = JOURNAL_UNDOING;
	if (store != NULL && store->epoch == slot->epoch) {
		open = counter_worker_settle(worker, store, slot, slot->taken,
					     false, now_us, wait_us(worker));
	}
	counter_worker_abandon(worker, open);
	counter_worker_end(worker);
}

void
counter_undo(struct counter_worker *worker, int64_t now_us)
{
	struct counter_store *store = counter_worker_store(worker);
	uint32_t phase = worker->slot->phase;
	char name[COUNTER_KEY_BYTES];

	if (phase != JOURNAL_TAKEN && phase != JOURNAL_ADJUSTED) {
		return;
	}
	uint64_t trips = store == NULL ? 0 : store->round_trips;
	if (phase == JOURNAL_TAKEN) {
		counter_call_note(worker->slot->evaluation_id, name);
		counter_note_put(worker, name, NULL, 0, 0);
	}
	give_back(worker, store, now_us);
	if (store != NULL) {
		counter_worker_trips(store, trips);
	}
}

bool
counter_adjust(struct counter_worker *worker, int64_t now_us,
	       const char *evaluation_id, const struct counter_entry *changes,
	       size_t n)
{
	struct counter_store *store = counter_worker_store(worker);
	struct journal_slot *slot = worker->slot;

	assert(n <= COUNTER_CHARGES_MAX);
	counter_worker_end(worker);
	worker->epoch = store == NULL ? 0 : store->epoch;
	if (n == 0) {
		return true;
	}
	if (store == NULL) {
		return false;
	}
	uint64_t trips = store->round_trips;
	arena_reset(worker->arena);
	worker->over_n = 0;
	counter_worker_begin(worker, JOURNAL_ADJUSTING, evaluation_id, now_us,
			     store->epoch);
	memcpy(slot->entries, changes, n * sizeof(changes[0]));
	slot->entries_n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		slot->alerts |= (uint64_t)changes[i].alert << i;
	}
	slot->seq++;
	slot->taken = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
	uint64_t open = counter_worker_settle(worker, store, slot, slot->taken,
					      true, now_us, wait_us(worker));
	if (open == 0) {
		slot->phase = JOURNAL_ADJUSTED;
	} else {
		give_back(worker, store, now_us);
	}
	counter_worker_trips(store, trips);
	return open == 0;
}

/* ---- what was left */

size_t
counter_left(struct counter *counter, struct arena *arena,
	     struct counter_left **out)
{
	struct journal_slot *slot;
	size_t n = 0, cap = 0, at = 0;

	*out = NULL;
	while ((slot = journal_left(counter->journal, &at)) != NULL) {
		struct counter_entry *entries =
		    arena_array(arena, JOURNAL_ENTRIES, sizeof(*slot->entries));
		struct counter_left left = { .slot = slot,
					     .now_us = slot->now_us,
					     .entries = entries };

		memcpy(left.evaluation_id, slot->evaluation_id,
		       sizeof(left.evaluation_id) - 1);
		left.adjusting = slot->phase == JOURNAL_ADJUSTING ||
				 slot->phase == JOURNAL_ADJUSTED;
		left.refused = slot->phase == JOURNAL_UNDOING;
		for (size_t i = 0; i < slot->entries_n; i++) {
			if ((slot->taken >> i & 1) != 0) {
				entries[left.entries_n++] = slot->entries[i];
			}
		}
		*out = arena_grow(arena, *out, n, &cap, sizeof(**out));
		(*out)[n++] = left;
	}
	return n;
}

bool
counter_left_settle(struct counter_worker *worker, int64_t now_us,
		    const struct counter_left *left, bool keep)
{
	struct counter_store *store = counter_worker_store(worker);
	struct journal_slot *slot = left->slot;
	uint64_t open = 0;

	assert(!keep || !left->refused);
	if (store == NULL) {
		return false;
	}
	/* the counters of a later epoch were made from what was recorded */
	if (store->epoch == slot->epoch && (!keep || left->adjusting)) {
		uint64_t trips = store->round_trips;

		arena_reset(worker->arena);
		worker->over_n = 0;
		open = counter_worker_settle(worker, store, slot, slot->taken,
					     keep, now_us, wait_us(worker));
		counter_worker_trips(store, trips);
	}
	if (open == 0) {
		journal_clear(slot);
	}
	return open == 0;
}
