/*
 * store_memory: values in a hash table of this process, for tests and as the
 * reference of what a store is.
 *
 * It has no clock, so nothing expires.
 *
 * Every value has a version of its own, which is never used again, also when
 * it is deleted and written anew.
 */
#include "counter/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BUCKETS = 1024 };

struct value {
	struct value *next;
	uint64_t epoch;
	char key[COUNTER_KEY_BYTES];
	uint64_t version;
	size_t n;
	unsigned char bytes[];
};

struct counter_memory {
	pthread_mutex_t lock;
	uint64_t epoch; /* that has begun and was not lost; 0: none */
	uint64_t version;
	struct value *buckets[BUCKETS];
};

struct memory_store {
	struct counter_store store;
	struct counter_memory *memory;
};

static struct counter_memory *
lock_of(struct counter_store *store)
{
	struct counter_memory *memory =
	    ((struct memory_store *)(void *)store)->memory;
	int rc = pthread_mutex_lock(&memory->lock);

	assert(rc == 0);
	return memory;
}

static void
unlock(struct counter_memory *memory)
{
	int rc = pthread_mutex_unlock(&memory->lock);

	assert(rc == 0);
}

struct counter_memory *
counter_memory_new(void)
{
	struct counter_memory *memory = memory_get(sizeof(*memory));
	int rc;

	memset(memory, 0, sizeof(*memory));
	rc = pthread_mutex_init(&memory->lock, NULL);
	assert(rc == 0);
	return memory;
}

static void
forget(struct counter_memory *memory)
{
	for (int i = 0; i < BUCKETS; i++) {
		for (struct value *next, *v = memory->buckets[i]; v != NULL;
		     v = next) {
			next = v->next;
			free(v);
		}
		memory->buckets[i] = NULL;
	}
	memory->epoch = 0;
}

void
counter_memory_flush(struct counter_memory *memory)
{
	int rc = pthread_mutex_lock(&memory->lock);

	assert(rc == 0);
	forget(memory);
	unlock(memory);
}

void
counter_memory_free(struct counter_memory *memory)
{
	if (memory != NULL) {
		forget(memory);
		pthread_mutex_destroy(&memory->lock);
		free(memory);
	}
}

/* FNV-1a */
static size_t
bucket_of(const char *key)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *key != '\0'; key++) {
		hash = (hash ^ (unsigned char)*key) * UINT32_C(16777619);
	}
	return hash % BUCKETS;
}

/* Where the value of KEY in EPOCH hangs, or would. */
static struct value **
find(struct counter_memory *memory, uint64_t epoch, const char *key)
{
	struct value **at = &memory->buckets[bucket_of(key)];

	while (*at != NULL &&
	       ((*at)->epoch != epoch || strcmp((*at)->key, key) != 0)) {
		at = &(*at)->next;
	}
	return at;
}

static void
drop(struct value **at)
{
	struct value *value = *at;

	if (value != NULL) {
		*at = value->next;
		free(value);
	}
}

/* Replace what hangs at AT by ITEM's next. */
static void
set(struct counter_memory *memory, uint64_t epoch, struct value **at,
    const struct counter_item *item)
{
	struct value *value = memory_get(sizeof(*value) + item->next_n);

	drop(at);
	value->next = *at;
	value->epoch = epoch;
	memcpy(value->key, item->key, sizeof(value->key));
	value->version = ++memory->version;
	value->n = item->next_n;
	memcpy(value->bytes, item->next, item->next_n);
	*at = value;
}

static void
read_one(struct counter_memory *memory, uint64_t epoch, struct arena *arena,
	 struct counter_item *item)
{
	struct value **at = find(memory, epoch, item->key);

	if (*at == NULL) {
		item->state = ITEM_ABSENT;
		if (item->next != NULL) {
			set(memory, epoch, at, item);
		}
		return;
	}
	unsigned char *copy = arena_alloc(arena, (*at)->n + 1);
	memcpy(copy, (*at)->bytes, (*at)->n);
	item->state = ITEM_FOUND;
	item->version = (*at)->version;
	item->value = copy;
	item->value_n = (*at)->n;
}

static void
memory_read(struct counter_store *store, struct arena *arena,
	    struct counter_item *items, size_t n)
{
	struct counter_memory *memory = lock_of(store);

	store->round_trips++;
	for (size_t i = 0; i < n; i++) {
		if (memory->epoch == 0 || memory->epoch != store->epoch) {
			items[i].state = ITEM_UNKNOWN;
		} else {
			read_one(memory, store->epoch, arena, &items[i]);
		}
	}
	unlock(memory);
}

static bool
is_current(struct counter_memory *memory, uint64_t epoch,
	   const struct counter_item *item)
{
	const struct value *value = *find(memory, epoch, item->key);

	if (value == NULL) {
		return item->state == ITEM_ABSENT;
	}
	return item->state == ITEM_FOUND && item->version == value->version;
}

static void
memory_swap(struct counter_store *store, struct counter_item *items, size_t n)
{
	struct counter_memory *memory = lock_of(store);
	enum counter_item_result result = ITEM_REPLACED;

	store->round_trips++;
	for (size_t i = 0; i < n; i++) {
		if (items[i].next != NULL &&
		    !is_current(memory, store->epoch, &items[i])) {
			result = ITEM_MOVED;
		}
	}
	if (memory->epoch == 0 || memory->epoch != store->epoch) {
		result = ITEM_FAILED;
	}
	for (size_t i = 0; i < n; i++) {
		if (items[i].next == NULL) {
			continue;
		}
		items[i].result = result;
		if (result == ITEM_REPLACED) {
			set(memory, store->epoch,
			    find(memory, store->epoch, items[i].key),
			    &items[i]);
		}
	}
	unlock(memory);
}

static void
memory_put(struct counter_store *store, const struct counter_item *items,
	   size_t n)
{
	struct counter_memory *memory = lock_of(store);

	for (size_t i = 0; i < n; i++) {
		struct value **at = find(memory, store->epoch, items[i].key);

		if (items[i].next == NULL) {
			continue;
		}
		if (items[i].next_n == 0) {
			drop(at);
		} else {
			set(memory, store->epoch, at, &items[i]);
		}
	}
	unlock(memory);
}

static enum status
memory_begin(struct counter_store *store, uint64_t epoch, struct err *err)
{
	struct counter_memory *memory = lock_of(store);

	(void)err;
	assert(epoch != 0);
	memory->epoch = epoch;
	unlock(memory);
	return STATUS_OK;
}

static enum status
memory_check(struct counter_store *store, struct err *err)
{
	struct counter_memory *memory = lock_of(store);
	bool held = memory->epoch != 0 && memory->epoch == store->epoch;

	unlock(memory);
	return held ? STATUS_OK
		    : err_set(err, STATUS_CORRUPT,
			      "the memory has lost its counters");
}

static void
memory_free(struct counter_store *store)
{
	free(store);
}

static const struct counter_store_type type = {
	.name = "memory",
	.atomic = true,
	.read = memory_read,
	.swap = memory_swap,
	.put = memory_put,
	.begin = memory_begin,
	.check = memory_check,
	.free = memory_free,
};

struct counter_store *
counter_memory_store(struct counter_memory *memory)
{
	struct memory_store *store = memory_get(sizeof(*store));

	*store = (struct memory_store){ .store = { .type = &type,
						   .epoch = memory->epoch },
					.memory = memory };
	return &store->store;
}
