#include "counter_place.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/memcached_fixture.h"
#include "store/store_counter.h"
#include "store/store_node.h"

enum { TIMEOUT_MS = 1000 };

#define HOST_BYTES (INT64_C(64) << 20)
#define NODE "01930000-0000-7000-8000-00000000000a"

static struct counter_memory *memory;
static struct memcached_process memcached = { .options = { "-M", "-m", "64" } };

void
counter_place_die(const char *what, const char *why)
{
	fprintf(stderr, "bench_counter: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

bool
counter_place_begin(struct counter_place *place, const char *folder)
{
	place->folder = folder;
	return place->begin(place);
}

/* By the store itself. */
static bool
begin_epoch(struct counter_place *place)
{
	struct err err;
	struct counter_store *store = place->open(place, &err);

	place->epoch = 1;
	if (store == NULL ||
	    store->type->begin(store, place->epoch, &err) != STATUS_OK) {
		counter_place_die(place->name, err.text);
	}
	counter_store_free(store);
	return true;
}

/* ---- in memory */

static struct counter_store *
memory_open(const struct counter_place *place, struct err *err)
{
	(void)place;
	(void)err;
	return counter_memory_store(memory);
}

static bool
memory_begin(struct counter_place *place)
{
	memory = counter_memory_new();
	return begin_epoch(place);
}

static void
memory_end(struct counter_place *place)
{
	(void)place;
	counter_memory_free(memory);
}

/* ---- of a host */

static struct counter_store *
host_open(const struct counter_place *place, struct err *err)
{
	return counter_host_store(place->folder, HOST_BYTES, err);
}

static void
host_end(struct counter_place *place)
{
	counter_host_delete(place->folder);
}

/* ---- memcached, a server of its own */

static struct counter_store *
memcached_open(const struct counter_place *place, struct err *err)
{
	(void)place;
	return counter_memcached_store(memcached.where, TIMEOUT_MS, err);
}

static bool
memcached_begin(struct counter_place *place)
{
	if (!memcached_fixture_begin()) {
		return false;
	}
	memcached_fixture_start(&memcached);
	return begin_epoch(place);
}

static void
memcached_end(struct counter_place *place)
{
	(void)place;
	memcached_fixture_kill(&memcached);
	memcached_fixture_end();
}

/* ---- PostgreSQL, where the owner begins an epoch */

static struct counter_store *
postgresql_open(const struct counter_place *place, struct err *err)
{
	(void)place;
	(void)err;
	return counter_postgresql_store(getenv("IMS_PG_COUNTER"), TIMEOUT_MS);
}

static bool
postgresql_begin(struct counter_place *place)
{
	struct store_node_epoch newest;
	struct err err;

	if (getenv("IMS_PG") == NULL || getenv("IMS_PG_COUNTER") == NULL) {
		return false;
	}
	struct pg *owner = pg_new(getenv("IMS_PG"), "bench", TIMEOUT_MS);
	if (store_node_epoch(owner, &newest, &err) != STATUS_OK ||
	    store_node_epoch_begin(owner, STORE_NODE_POSTGRESQL, "a bench",
				   NODE, newest.epoch, &place->epoch,
				   &err) != STATUS_OK ||
	    store_counter_begin(owner, place->epoch, &err) != STATUS_OK) {
		counter_place_die(place->name, err.text);
	}
	pg_free(owner);
	return true;
}

static void
postgresql_end(struct counter_place *place)
{
	(void)place;
}

struct counter_place counter_places[COUNTER_PLACES] = {
	{ .name = "memory",
	  .begin = memory_begin,
	  .open = memory_open,
	  .end = memory_end },
	{ .name = "host",
	  .begin = begin_epoch,
	  .open = host_open,
	  .end = host_end },
	{ .name = "memcached",
	  .begin = memcached_begin,
	  .open = memcached_open,
	  .end = memcached_end },
	{ .name = "postgresql",
	  .begin = postgresql_begin,
	  .open = postgresql_open,
	  .end = postgresql_end },
};
