/*
 * bench_counter_store: reading and replacing the accounts of one call on one
 * memcached server, by counter/store_memcached.c and by libmemcached's own
 * mget and cas, in turns.
 *
 *	bench_counter_store [SECONDS A ROUND]
 *
 * It starts a memcached of its own.  The medians of fifteen rounds; CPU of the
 * client and of the server per operation, which is a read and a swap of 1 or 3
 * accounts of 400 bytes.  Figures are for comparing in one run; on a machine
 * that is busy, or wakes its processors slowly, under `taskset -c 0`.
 */
#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmemcached/memcached.h>

#include "../unit/memcached_fixture.h"
#include "base/clock.h"
#include "counter/store.h"

enum {
	VALUE_BYTES = 400,
	ROUNDS = 15,
	ACCOUNTS_MAX = 3,
	THREADS_MAX = 4,
	EXPIRES_S = 3600
};

enum way { OWN, TEXT, BINARY, WAYS };
static const char *const way_words[] = { "own pipelining", "libmemcached, text",
					 "libmemcached, binary" };

struct result {
	double latency_us, client_us, server_us, per_s;
};

struct worker {
	pthread_t thread;
	const char *where;
	enum way way;
	size_t accounts, number;
	int64_t until_us, done, round_trips;
};

static char value[VALUE_BYTES];

/* CPU of all threads of PID in nanoseconds. */
static int64_t
cpu_ns(pid_t pid)
{
	char path[600];
	int64_t sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	assert(tasks != NULL);
	for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
		int64_t ns = 0;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat",
			 (int)pid, task->d_name);
		FILE *file = fopen(path, "r");
		if (task->d_name[0] != '.' && file != NULL &&
		    fscanf(file, "%" SCNd64, &ns) == 1) {
			sum += ns;
		}
		if (file != NULL) {
			fclose(file);
		}
	}
	closedir(tasks);
	return sum;
}

static int64_t
own_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
by_store(struct worker *worker)
{
	struct err err;
	struct counter_store *store =
	    counter_memcached_store(worker->where, 1000, &err);
	struct arena *arena = arena_new(1 << 16);
	struct counter_item items[ACCOUNTS_MAX];

	assert(store != NULL);
	store->epoch = 1;
	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < worker->accounts; i++) {
		snprintf(items[i].key, sizeof(items[i].key), "w%zu.%zu",
			 worker->number, i);
		items[i].expires_s = clock_now_us() / 1000000 + EXPIRES_S;
	}
	while (clock_mono_us() < worker->until_us) {
		for (size_t i = 0; i < worker->accounts; i++) {
			items[i].next = NULL;
		}
		store->type->read(store, arena, items, worker->accounts);
		for (size_t i = 0; i < worker->accounts; i++) {
			assert(items[i].state != ITEM_UNKNOWN);
			items[i].next = (const unsigned char *)value;
			items[i].next_n = VALUE_BYTES;
		}
		store->type->swap(store, items, worker->accounts);
		for (size_t i = 0; i < worker->accounts; i++) {
			assert(items[i].result == ITEM_REPLACED);
		}
		arena_reset(arena);
		worker->done++;
	}
	worker->round_trips = (int64_t)store->round_trips;
	counter_store_free(store);
	arena_free(arena);
}

static memcached_st *
open_library(const char *where, bool binary)
{
	memcached_st *mc = memcached_create(NULL);

	memcached_server_add_unix_socket(mc, where);
	memcached_behavior_set(mc, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, binary);
	memcached_behavior_set(mc, MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
	memcached_behavior_set(mc, MEMCACHED_BEHAVIOR_NO_BLOCK, 1);
	memcached_behavior_set(mc, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
	memcached_behavior_set(mc, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 1000);
	return mc;
}

static void
by_library(struct worker *worker)
{
	memcached_st *mc = open_library(worker->where, worker->way == BINARY);
	char keys[ACCOUNTS_MAX][32];
	const char *pointers[ACCOUNTS_MAX];
	size_t lengths[ACCOUNTS_MAX];
	const time_t expires = (time_t)(clock_now_us() / 1000000 + EXPIRES_S);
	memcached_return_t rc = MEMCACHED_SUCCESS;

	for (size_t i = 0; i < worker->accounts; i++) {
		snprintf(keys[i], sizeof(keys[i]), "l%zu.%zu", worker->number,
			 i);
		pointers[i] = keys[i];
		lengths[i] = strlen(keys[i]);
		rc = memcached_set(mc, keys[i], lengths[i], value, VALUE_BYTES,
				   expires, 0);
		assert(rc == MEMCACHED_SUCCESS);
	}
	while (clock_mono_us() < worker->until_us) {
		uint64_t versions[ACCOUNTS_MAX] = { 0 };
		size_t n = 0;
		rc = memcached_mget(mc, pointers, lengths, worker->accounts);
		assert(rc == MEMCACHED_SUCCESS);
		for (memcached_result_st *r;
		     (r = memcached_fetch_result(mc, NULL, &rc)) != NULL;) {
			versions[n++] = memcached_result_cas(r);
			memcached_result_free(r);
		}
		assert(n == worker->accounts);
		for (size_t i = 0; i < n; i++) {
			rc =
			    memcached_cas(mc, keys[i], lengths[i], value,
					  VALUE_BYTES, expires, 0, versions[i]);
			assert(rc == MEMCACHED_SUCCESS);
		}
		worker->done++;
	}
	worker->round_trips = worker->done * (int64_t)(1 + worker->accounts);
	memcached_free(mc);
}

static void *
work(void *arg)
{
	struct worker *worker = arg;

	if (worker->way == OWN) {
		by_store(worker);
	} else {
		by_library(worker);
	}
	return NULL;
}

static struct result
run(const struct memcached_process *server, enum way way, size_t accounts,
    size_t threads, int64_t us, double *round_trips)
{
	struct worker workers[THREADS_MAX];
	const int64_t from_us = clock_mono_us(), own = own_cpu_ns(),
		      its = cpu_ns(server->pid);
	int64_t done = 0, trips = 0;

	for (size_t i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .where = server->where,
					      .way = way,
					      .accounts = accounts,
					      .number = i,
					      .until_us = from_us + us };
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		done += workers[i].done;
		trips += workers[i].round_trips;
	}
	const double n = (double)done;
	const double took_us = (double)(clock_mono_us() - from_us);
	*round_trips = (double)trips / n;
	return (struct result){
		.latency_us = took_us * (double)threads / n,
		.client_us = (double)(own_cpu_ns() - own) / 1000 / n,
		.server_us = (double)(cpu_ns(server->pid) - its) / 1000 / n,
		.per_s = n * 1e6 / took_us,
	};
}

static int
by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of one figure, which is at OFFSET in each of RESULTS. */
static double
median(const struct result results[ROUNDS], size_t offset)
{
	double all[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		memcpy(&all[round], (const char *)&results[round] + offset,
		       sizeof(all[round]));
	}
	qsort(all, ROUNDS, sizeof(all[0]), by_size);
	return all[ROUNDS / 2];
}

static void
compare(const struct memcached_process *server, size_t accounts, size_t threads,
	int64_t us)
{
	struct result results[WAYS][ROUNDS];
	double round_trips[WAYS];

	for (int round = 0; round < ROUNDS; round++) {
		for (int way = 0; way < WAYS; way++) {
			results[way][round] =
			    run(server, (enum way)way, accounts, threads, us,
				&round_trips[way]);
		}
	}
	for (int way = 0; way < WAYS; way++) {
		const struct result *r = results[way];
		printf("| %zu | %zu | %-20s | %.1f | %6.1f | %7.0f | %5.1f | "
		       "%5.1f |\n",
		       accounts, threads, way_words[way], round_trips[way],
		       median(r, offsetof(struct result, latency_us)),
		       median(r, offsetof(struct result, per_s)),
		       median(r, offsetof(struct result, client_us)),
		       median(r, offsetof(struct result, server_us)));
	}
}

int
main(int argc, char **argv)
{
	static const size_t accounts[] = { 1, 3 }, threads[] = { 1, 4 };
	struct memcached_process server = { .options = { "-M", "-m", "64" } };
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.2;
	struct err err;

	if (!memcached_fixture_begin()) {
		return 77;
	}
	memcached_fixture_start(&server);
	struct counter_store *store =
	    counter_memcached_store(server.where, 1000, &err);
	assert(store != NULL);
	enum status status = store->type->begin(store, 1, &err);
	assert(status == STATUS_OK);
	counter_store_free(store);
	printf("| accounts | threads | by | round trips | us | /s | client CPU "
	       "us | server CPU us |\n|---|---|---|---|---|---|---|---|\n");
	for (size_t a = 0; a < 2; a++) {
		for (size_t t = 0; t < 2; t++) {
			compare(&server, accounts[a], threads[t],
				(int64_t)(seconds * 1e6));
		}
	}
	memcached_fixture_kill(&server);
	memcached_fixture_end();
	return 0;
}
