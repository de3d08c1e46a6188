#include "counter/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "counter/worker.h"

/* Accounts written and read again at once. */
enum { BATCH = 128, ARENA_BYTES = 256 * 1024 };

struct counter_rebuild {
	struct counter_store *store;
	int64_t now_us;
	struct arena *arena;
	bool open; /* the account of SUBJECT is being made */
	struct counter_subject subject;
	struct account account;
	struct counter_item items[BATCH];
	size_t items_n;
	size_t accounts_n;
};

struct counter_rebuild *
counter_rebuild_new(struct counter_store *store, int64_t now_us)
{
	struct counter_rebuild *rebuild = memory_get(sizeof(*rebuild));

	*rebuild = (struct counter_rebuild){
		.store = store,
		.now_us = now_us,
		.arena = arena_new(ARENA_BYTES),
	};
	return rebuild;
}

void
counter_rebuild_free(struct counter_rebuild *rebuild)
{
	if (rebuild != NULL) {
		arena_free(rebuild->arena);
		free(rebuild);
	}
}

static bool
same(const struct counter_item *item, const struct counter_item *wanted)
{
	return item->state == ITEM_FOUND && item->value_n == wanted->next_n &&
	       memcmp(item->value, wanted->next, wanted->next_n) == 0;
}

/* Write the batch and see that it is there. */
static bool
flush(struct counter_rebuild *rebuild)
{
	struct counter_store *store = rebuild->store;
	size_t n = rebuild->items_n;
	struct counter_item *read =
	    arena_array(rebuild->arena, n, sizeof(*read));
	bool good = true;

	if (n == 0) {
		return true;
	}
	store->type->put(store, rebuild->items, n);
	for (size_t i = 0; i < n; i++) {
		memcpy(read[i].key, rebuild->items[i].key, sizeof(read[i].key));
	}
	store->type->read(store, rebuild->arena, read, n);
	for (size_t i = 0; i < n; i++) {
		good = good && same(&read[i], &rebuild->items[i]);
	}
	rebuild->items_n = 0;
	arena_reset(rebuild->arena);
	return good;
}

/* The account is whole: put it into the batch. */
static bool
close_account(struct counter_rebuild *rebuild)
{
	struct buf value = { 0 };
	struct counter_item *item = &rebuild->items[rebuild->items_n++];

	if (!rebuild->open) {
		rebuild->items_n--;
		return true;
	}
	rebuild->open = false;
	rebuild->accounts_n++;
	*item = (struct counter_item){ .expires_s = account_encode(
					   &rebuild->account, &value) };
	counter_subject_key(&rebuild->subject, item->key);
	unsigned char *copy = arena_array(rebuild->arena, value.len, 1);
	memcpy(copy, value.data, value.len);
	item->next = copy;
	item->next_n = value.len;
	buf_fini(&value);
	return rebuild->items_n < BATCH || flush(rebuild);
}

bool
counter_rebuild_add(struct counter_rebuild *rebuild,
		    const struct counter_subject *subject,
		    const struct account_entry *entry)
{
	if (rebuild->open &&
	    memcmp(&rebuild->subject, subject, sizeof(*subject)) != 0) {
		if (!close_account(rebuild)) {
			return false;
		}
	}
	if (!rebuild->open) {
		rebuild->open = true;
		rebuild->subject = *subject;
		account_begin(&rebuild->account, rebuild->arena);
		account_see(&rebuild->account, rebuild->now_us);
	}
	account_add(&rebuild->account, entry);
	return true;
}

bool
counter_rebuild_end(struct counter_rebuild *rebuild, size_t *accounts_n)
{
	if (!close_account(rebuild) || !flush(rebuild)) {
		return false;
	}
	*accounts_n = rebuild->accounts_n;
	return true;
}
