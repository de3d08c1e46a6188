/* counter_suite on memcached: on one server, and on three of which one is
 * spoken to by TCP.  What is lost is lost on all of them. */
#include <stdio.h>

#include "counter_suite.h"
#include "memcached_fixture.h"

#include <assert.h>

enum { SERVERS = 3, TIMEOUT_MS = 5000 };

struct cluster {
	struct memcached_process servers[SERVERS];
	size_t n;
	char setting[SERVERS * 100];
	uint64_t epoch;
};

static struct counter_store *
open_store(void *arg)
{
	struct cluster *cluster = arg;
	struct counter_store *store =
	    counter_memcached_store(cluster->setting, TIMEOUT_MS, NULL);

	assert(store != NULL);
	store->epoch = cluster->epoch;
	return store;
}

static void
reset(void *arg)
{
	struct cluster *cluster = arg;

	cluster->epoch += 10;
	struct counter_store *store = open_store(cluster);
	enum status status = store->type->begin(store, cluster->epoch, NULL);
	assert(status == STATUS_OK);
	counter_store_free(store);
}

static void
lose(void *arg)
{
	struct cluster *cluster = arg;

	for (size_t i = 0; i < cluster->n; i++) {
		memcached_fixture_kill(&cluster->servers[i]);
		memcached_fixture_restart(&cluster->servers[i]);
	}
}

static int
run(const char *name, size_t n)
{
	struct cluster cluster = { .n = n };
	const struct suite_stores stores = { .name = name,
					     .open = open_store,
					     .reset = reset,
					     .lose = lose,
					     .arg = &cluster };
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		cluster.servers[i].options[0] = "-M";
		if (i == 1) {
			memcached_fixture_start_tcp(&cluster.servers[i]);
		} else {
			memcached_fixture_start(&cluster.servers[i]);
		}
		at += (size_t)snprintf(
		    cluster.setting + at, sizeof(cluster.setting) - at, "%s%s",
		    i == 0 ? "" : ",", cluster.servers[i].where);
	}
	int failed = counter_suite_run(&stores);
	for (size_t i = 0; i < n; i++) {
		memcached_fixture_kill(&cluster.servers[i]);
	}
	return failed;
}

int
main(void)
{
	if (!memcached_fixture_begin()) {
		return 77; /* automake: skipped */
	}
	int failed = run("one memcached", 1) + run("three memcached", SERVERS);
	memcached_fixture_end();
	return failed;
}
