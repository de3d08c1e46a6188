/*
 * store_postgresql: counters in the table counter_items, while memcached does
 * not keep them.
 *
 * Exact and slower: a swap is a transaction, which waits for the disk.  Its
 * functions check the epoch in the statement that reads or writes, so that
 * nobody counts in one that is over.
 */
#include "counter/store_postgresql.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/store_counter.h"
#include "store/store_node.h"

/* A connection that was not used for so long may be closed. */
#define IDLE_US INT64_C(10000000)

struct postgresql_store {
	struct counter_store base;
	char *conninfo;
	int64_t timeout_ms;
	struct pg *pg;	     /* NULL: none */
	int64_t used_us;     /* last */
	struct arena *arena; /* of one call */
	bool failing;	     /* that has been logged */
};

static struct postgresql_store *
of(struct counter_store *store)
{
	return (struct postgresql_store *)store;
}

struct pg *
counter_postgresql_pg(struct counter_store *store)
{
	struct postgresql_store *s = of(store);

	if (s->pg == NULL) {
		s->pg =
		    pg_new(s->conninfo, "ims-policy counter", s->timeout_ms);
	}
	s->used_us = clock_mono_us();
	return s->pg;
}

void
counter_postgresql_rest(struct counter_store *store)
{
	struct postgresql_store *s = of(store);

	if (s->pg != NULL && clock_mono_us() - s->used_us > IDLE_US) {
		pg_free(s->pg);
		s->pg = NULL;
	}
}

/* One line when it begins to fail, one when it works again. */
static void
say(struct postgresql_store *s, enum status status, const struct err *err)
{
	/* An epoch that is over is no failure. */
	bool failing = status != STATUS_OK && status != STATUS_CONFLICT;

	if (failing && !s->failing) {
		log_warning("PostgreSQL does not count: %s", err->text);
	} else if (!failing && s->failing) {
		log_info("PostgreSQL counts again");
	}
	s->failing = failing;
}

/* That has to be there for a swap; 0: none. */
static uint64_t
version_of(const struct counter_item *item)
{
	switch (item->state) {
	case ITEM_FOUND:
		return item->version;
	case ITEM_ABSENT:
		return 0;
	default:
		return INT64_MAX; /* no item ever has it: moved */
	}
}

/* The N items that have NEXT, or all where ALL, and their places in PLACES. */
static struct store_counter_item *
rows(struct postgresql_store *s, const struct counter_item *items, size_t *n,
     bool all, size_t **places)
{
	struct store_counter_item *out =
	    arena_array(s->arena, *n, sizeof(*out));
	size_t used = 0;

	*places = arena_array(s->arena, *n, sizeof(**places));
	for (size_t i = 0; i < *n; i++) {
		const struct counter_item *item = &items[i];
		if (!all && item->next == NULL) {
			continue;
		}
		(*places)[used] = i;
		out[used++] = (struct store_counter_item){
			.key = item->key,
			.version = version_of(item),
			.next = item->next,
			.next_n = item->next_n,
			.expires_s = item->expires_s,
		};
	}
	*n = used;
	return out;
}

static void
postgresql_read(struct counter_store *store, struct arena *arena,
		struct counter_item *items, size_t n)
{
	static const enum counter_item_state states[] = {
		[STORE_COUNTER_UNKNOWN] = ITEM_UNKNOWN,
		[STORE_COUNTER_ABSENT] = ITEM_ABSENT,
		[STORE_COUNTER_FOUND] = ITEM_FOUND,
	};
	struct postgresql_store *s = of(store);
	struct err err;
	size_t *places;

	if (n == 0) {
		return;
	}
	arena_reset(s->arena);
	struct store_counter_item *read = rows(s, items, &n, true, &places);
	store->round_trips++;
	enum status status = store_counter_read(
	    counter_postgresql_pg(store), store->epoch, arena, read, n, &err);
	say(s, status, &err);
	for (size_t i = 0; i < n; i++) {
		bool known = status == STATUS_OK;
		items[i].state = known ? states[read[i].state] : ITEM_UNKNOWN;
		items[i].version = known ? read[i].version : 0;
		items[i].value = known ? read[i].value : NULL;
		items[i].value_n = known ? read[i].value_n : 0;
	}
}

/*
 * Nothing is written where one item was moved; that it was read is over for
 * all of them, so all are ITEM_MOVED.
 */
static void
postgresql_swap(struct counter_store *store, struct counter_item *items,
		size_t n)
{
	static const enum counter_item_result results[] = {
		[STORE_COUNTER_UNSURE] = ITEM_UNSURE,
		[STORE_COUNTER_FAILED] = ITEM_FAILED,
		[STORE_COUNTER_MOVED] = ITEM_MOVED,
		[STORE_COUNTER_DONE] = ITEM_REPLACED,
	};
	struct postgresql_store *s = of(store);
	struct err err = { .status = STATUS_OK };
	size_t *places, moved;

	if (n == 0) {
		return;
	}
	arena_reset(s->arena);
	struct store_counter_item *write = rows(s, items, &n, false, &places);
	if (n == 0) {
		return;
	}
	store->round_trips++;
	enum store_counter_swapped swapped = store_counter_swap(
	    counter_postgresql_pg(store), store->epoch, write, n, &moved, &err);
	say(s, err.status, &err);
	for (size_t i = 0; i < n; i++) {
		items[places[i]].result = results[swapped];
	}
}

static void
postgresql_put(struct counter_store *store, const struct counter_item *items,
	       size_t n)
{
	struct postgresql_store *s = of(store);
	struct err err;
	size_t *places;

	if (n == 0) {
		return;
	}
	arena_reset(s->arena);
	struct store_counter_item *write = rows(s, items, &n, false, &places);
	for (size_t i = 0; i < n; i++) {
		write[i].next = write[i].next_n > 0 ? write[i].next : NULL;
	}
	if (n == 0) {
		return;
	}
	store->round_trips++;
	enum status status = store_counter_put(counter_postgresql_pg(store),
					       store->epoch, write, n, &err);
	say(s, status, &err);
}

static enum status
postgresql_begin(struct counter_store *store, uint64_t epoch, struct err *err)
{
	store->round_trips++;
	return store_counter_begin(counter_postgresql_pg(store), epoch, err);
}

static enum status
postgresql_check(struct counter_store *store, struct err *err)
{
	struct store_node_epoch newest;

	store->round_trips++;
	enum status status =
	    store_node_epoch(counter_postgresql_pg(store), &newest, err);
	if (status != STATUS_OK) {
		return STATUS_UNAVAILABLE;
	}
	if (newest.epoch != store->epoch || !newest.ready ||
	    newest.counts != STORE_NODE_POSTGRESQL) {
		return err_set(err, STATUS_CORRUPT,
			       "the epoch does not count in PostgreSQL");
	}
	return STATUS_OK;
}

static void
postgresql_free(struct counter_store *store)
{
	struct postgresql_store *s = of(store);

	pg_free(s->pg);
	free(s->conninfo);
	arena_free(s->arena);
	free(s);
}

struct counter_store *
counter_postgresql_store(const char *conninfo, int64_t timeout_ms)
{
	static const struct counter_store_type type = {
		.name = "postgresql",
		.atomic = true,
		.read = postgresql_read,
		.swap = postgresql_swap,
		.put = postgresql_put,
		.begin = postgresql_begin,
		.check = postgresql_check,
		.free = postgresql_free,
	};
	struct postgresql_store *s = memory_get(sizeof(*s));

	*s = (struct postgresql_store){
		.base = { .type = &type },
		.conninfo = memory_get(strlen(conninfo) + 1),
		.timeout_ms = timeout_ms,
		.arena = arena_new(1024),
	};
	strcpy(s->conninfo, conninfo);
	return &s->base;
}
