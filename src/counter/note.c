/* note: small values under a name of their own, in the store that counts. */
#include <string.h>

#include "counter/worker.h"

static int64_t
seconds(int64_t us)
{
	return us / 1000000 + 1;
}

static struct counter_item
item_of(const char *name)
{
	struct counter_item item = { .next = NULL };

	memcpy(item.key, name, strnlen(name, COUNTER_KEY_BYTES - 1));
	return item;
}

void
counter_note_read(struct counter_worker *worker, struct arena *arena,
		  struct counter_note *note, const void *first, size_t first_n,
		  int64_t expires_us)
{
	static const enum counter_note_state states[] = {
		[ITEM_UNKNOWN] = NOTE_UNKNOWN,
		[ITEM_ABSENT] = NOTE_ABSENT,
		[ITEM_FOUND] = NOTE_FOUND,
	};
	struct counter_store *store = counter_worker_store(worker);
	struct counter_item item = item_of(note->name);

	note->state = NOTE_UNKNOWN;
	if (store == NULL) {
		return;
	}
	uint64_t trips = store->round_trips;
	item.next = first;
	item.next_n = first_n;
	item.expires_s = seconds(expires_us);
	store->type->read(store, arena, &item, 1);
	note->state = states[item.state];
	note->value = item.value;
	note->n = item.value_n;
	note->version = item.version;
	if (note->state == NOTE_UNKNOWN) {
		counter_worker_failed(store);
	}
	counter_worker_trips(store, trips);
}

enum counter_item_result
counter_note_swap(struct counter_worker *worker,
		  const struct counter_note *note, const void *value, size_t n,
		  int64_t expires_us)
{
	struct counter_store *store = counter_worker_store(worker);
	struct counter_item item = item_of(note->name);

	if (store == NULL || note->state == NOTE_UNKNOWN ||
	    n > COUNTER_VALUE_MAX_BYTES) {
		return ITEM_FAILED;
	}
	uint64_t trips = store->round_trips;
	item.state = note->state == NOTE_FOUND ? ITEM_FOUND : ITEM_ABSENT;
	item.version = note->version;
	item.next = value;
	item.next_n = n;
	item.expires_s = seconds(expires_us);
	store->type->swap(store, &item, 1);
	if (item.result == ITEM_UNSURE || item.result == ITEM_FAILED) {
		counter_worker_failed(store);
	}
	counter_worker_trips(store, trips);
	return item.result;
}

void
counter_note_put(struct counter_worker *worker, const char *name,
		 const void *value, size_t n, int64_t expires_us)
{
	struct counter_store *store = counter_worker_store(worker);
	struct counter_item item = item_of(name);

	if (store == NULL || n > COUNTER_VALUE_MAX_BYTES) {
		return;
	}
	/* NEXT of NULL would be left as it is */
	item.next = n == 0 ? (const unsigned char *)"" : value;
	item.next_n = n;
	item.expires_s = seconds(expires_us);
	store->type->put(store, &item, 1);
}
