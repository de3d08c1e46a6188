/*
 * crowd_cases: counters in a real PostgreSQL as the store of counter/, and
 * many processes at once.
 *
 * Run by test_store.sh, with what items_fixture.h wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "counter/store_postgresql.h"
#include "items_fixture.h"

enum { PROCESSES = 8 };

/* --- as the store of counter/ ------------------------------------------------ */

static struct counter_item
store_item(const char *key, const char *next)
{
	struct counter_item it = { .expires_s = FAR_S };

	snprintf(it.key, sizeof(it.key), "%s", key);
	it.next = (const unsigned char *)next;
	it.next_n = next != NULL ? strlen(next) : 0;
	return it;
}

static void
store_speaks_counter(void **state)
{
	struct items *w = *state;
	struct counter_store *store =
	    counter_postgresql_store(getenv("IMS_PG_COUNTER"), PG_FIXTURE_MS);
	struct counter_item it[3] = { store_item("a", "1"),
				      store_item("b", NULL),
				      store_item("c", "3") };
	struct err err;

	assert_string_equal(store->type->name, "postgresql");
	assert_true(store->type->atomic);
	assert_int_equal(store->type->check(store, &err), STATUS_CORRUPT);
	store->epoch = w->epoch;
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	assert_int_equal(store->type->begin(store, w->epoch, &err), STATUS_OK);
	uint64_t trips = store->round_trips;
	store->type->read(store, w->arena, it, 0);
	store->type->swap(store, it, 0);
	store->type->put(store, it, 0);
	store->type->swap(store, &it[1], 1); /* without NEXT */
	store->type->put(store, &it[1], 1);
	assert_int_equal(store->round_trips, trips);
	store->type->read(store, w->arena, it, 3);
	assert_int_equal(it[0].state, ITEM_ABSENT);
	assert_int_equal(it[1].state, ITEM_ABSENT);
	/* what was absent is there now */
	store->type->swap(store, it, 3);
	assert_int_equal(it[0].result, ITEM_MOVED);
	assert_int_equal(it[2].result, ITEM_MOVED);
	store->type->read(store, w->arena, it, 3);
	assert_int_equal(it[0].state, ITEM_FOUND);
	it[0].next = (const unsigned char *)"10";
	it[0].next_n = 2;
	store->type->swap(store, it, 3);
	assert_int_equal(it[0].result, ITEM_REPLACED);
	assert_int_equal(it[2].result, ITEM_REPLACED);
	assert_int_equal(store->round_trips, trips + 4);
	it[0].state = ITEM_UNKNOWN;
	store->type->swap(store, it, 1);
	assert_int_equal(it[0].result, ITEM_MOVED);
	counter_postgresql_rest(store); /* is in use */
	assert_true(pg_connected(counter_postgresql_pg(store)));
	it[0].next_n = 0; /* deletes */
	store->type->put(store, it, 3);
	store->type->read(store, w->arena, &it[2], 1);
	assert_int_equal(it[2].state, ITEM_FOUND);
	assert_memory_equal(it[2].value, "3", 1);
	it[0] = store_item("a", NULL);
	store->type->read(store, w->arena, it, 1);
	assert_int_equal(it[0].state, ITEM_ABSENT);
	/* an epoch that is over */
	items_epoch(w->owner, STORE_NODE_POSTGRESQL);
	assert_int_equal(store->type->check(store, &err), STATUS_CORRUPT);
	store->type->read(store, w->arena, it, 1);
	assert_int_equal(it[0].state, ITEM_UNKNOWN);
	it[0].next = (const unsigned char *)"1";
	store->type->swap(store, it, 1);
	assert_int_equal(it[0].result, ITEM_FAILED);
	store->type->put(store, it, 1);
	counter_store_free(store);
	counter_store_free(NULL);
}

static void
store_without_a_server(void **state)
{
	struct items *w = *state;
	struct counter_store *store =
	    counter_postgresql_store("host=/nonexistent", 500);
	struct counter_item it = store_item("a", "1");
	struct err err;

	store->type->read(store, w->arena, &it, 1);
	assert_int_equal(it.state, ITEM_UNKNOWN);
	store->type->swap(store, &it, 1);
	assert_int_equal(it.result, ITEM_FAILED);
	store->type->put(store, &it, 1);
	assert_int_equal(store->type->begin(store, 1, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store->type->check(store, &err), STATUS_UNAVAILABLE);
	counter_store_free(store);
}

/* --- many at once -------------------------------------------------------------- */

/* Shared by the processes of a test. */
struct shared {
	_Atomic int64_t conflicts, wrong, done, last_us;
	_Atomic uint64_t epoch;
	_Atomic bool stop;
};

static struct shared *
share(void)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(s != MAP_FAILED);
	return s;
}

/* Add 1 to each of N keys at once; false: another one was faster. */
static bool
add_one(struct items *w, const char *const *keys, size_t n, struct shared *s)
{
	struct store_counter_item it[4];
	char next[4][24];
	size_t moved;
	struct err err;

	arena_reset(w->arena);
	for (size_t i = 0; i < n; i++) {
		it[i] = items_item(keys[i], 0, NULL);
	}
	if (store_counter_read(w->pg, w->epoch, w->arena, it, n, &err) !=
	    STATUS_OK) {
		s->wrong++;
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		char text[64];
		const char *was = items_said(&it[i], text);
		long had = was[0] == '-' ? 0 : strtol(was, NULL, 10);
		if (was[0] == '?') {
			return false;
		}
		snprintf(next[i], sizeof(next[i]), "%ld", had + 1);
		it[i] = items_item(keys[i], it[i].version, next[i]);
	}
	int64_t sent = clock_mono_us();
	switch (store_counter_swap(w->pg, w->epoch, it, n, &moved, &err)) {
	case STORE_COUNTER_DONE:
		for (int64_t last = s->last_us;
		     last < sent &&
		     !atomic_compare_exchange_weak(&s->last_us, &last, sent);) {
		}
		s->done++;
		return true;
	case STORE_COUNTER_MOVED:
		s->conflicts++;
		return false;
	default:
		/* only an epoch that is over */
		s->wrong += err.status != STATUS_CONFLICT;
		return false;
	}
}

/* Run BODY in processes of their own; PROCESSES of them. */
static void
fork_all(struct items *w, struct shared *s, pid_t pids[PROCESSES],
	 void (*body)(struct items *w, struct shared *s, int number))
{
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			struct items mine = { .epoch = w->epoch,
					      .pg = pg_fixture_open(
						  "IMS_PG_COUNTER"),
					      .arena = arena_new(4096) };
			body(&mine, s, i);
			_exit(0);
		}
	}
}

static void
wait_all(const pid_t pids[PROCESSES])
{
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void
hot_body(struct items *w, struct shared *s, int number)
{
	static const char *const hot[] = { "hot" };

	(void)number;
	for (int done = 0; done < 50;) {
		done += add_one(w, hot, 1, s);
	}
}

static void
hot_key_is_exact(void **state)
{
	struct items *w = *state;
	struct shared *s = share();
	pid_t pids[PROCESSES];
	char text[64];

	fork_all(w, s, pids, hot_body);
	wait_all(pids);
	assert_string_equal(items_now(w, "hot", text), "400");
	assert_int_equal(s->wrong, 0);
	assert_true(s->conflicts > 0);
	print_message("%d processes, one key: 400 writes, %d conflicts\n",
		      PROCESSES, (int)s->conflicts);
	munmap(s, sizeof(*s));
}

/* Two to four of five keys in any order. */
static void
several_body(struct items *w, struct shared *s, int number)
{
	static const char *const keys[] = { "v", "w", "x", "y", "z" };
	unsigned seed = (unsigned)number;

	for (int done = 0; done < 40;) {
		const char *mine[4];
		size_t n = 0, step = 1 + (size_t)(rand_r(&seed) % 4),
		       at = (size_t)(rand_r(&seed) % 5);
		for (size_t want = 2 + (size_t)(rand_r(&seed) % 3); n < want;
		     n++, at += step) {
			mine[n] = keys[at % 5];
		}
		if (add_one(w, mine, n, s)) {
			done++;
			s->last_us += (int64_t)n; /* the sum, see below */
		}
	}
}

static void
several_keys_do_not_deadlock(void **state)
{
	struct items *w = *state;
	struct shared *s = share();
	pid_t pids[PROCESSES];

	s->last_us = INT64_MAX / 2; /* is added to, and never set */
	fork_all(w, s, pids, several_body);
	wait_all(pids);
	assert_int_equal(s->wrong, 0);
	assert_int_equal(s->done, 40 * PROCESSES);
	char sql[200];
	snprintf(sql, sizeof(sql),
		 "SELECT sum(convert_from(value, 'UTF8')::bigint) "
		 "FROM counter_items WHERE epoch = %llu",
		 (unsigned long long)w->epoch);
	assert_int_equal(pg_fixture_number(w->owner, sql),
			 s->last_us - INT64_MAX / 2);
	munmap(s, sizeof(*s));
}

static void
until_stopped(struct items *w, struct shared *s, int number)
{
	char key[16];
	const char *const keys[] = { key };

	snprintf(key, sizeof(key), "k%d", number % 4);
	while (!s->stop) {
		w->epoch = s->epoch;
		add_one(w, keys, 1, s);
	}
}

/* Nothing that is sent after counter_epoch_begin has returned is written. */
static void
switch_under_load_is_sharp(void **state)
{
	struct items *w = *state;
	struct shared *s = share();
	pid_t pids[PROCESSES];
	struct err err;

	s->epoch = w->epoch;
	fork_all(w, s, pids, until_stopped);
	for (int round = 0; round < 5; round++) {
		int64_t before = s->done;
		for (int i = 0; i < 4000 && s->done < before + 30; i++) {
			clock_sleep_us(5000);
		}
		assert_true(s->done >= before + 30);
		items_epoch(w->owner, STORE_NODE_MEMCACHED);
		int64_t over = clock_mono_us();
		int64_t sum = pg_fixture_number(w->owner, "SELECT sum(version) "
							  "FROM counter_items");
		clock_sleep_us(50000);
		assert_true(s->last_us <= over);
		assert_int_equal(pg_fixture_number(w->owner,
						   "SELECT sum(version) "
						   "FROM counter_items"),
				 sum);
		w->epoch = items_epoch(w->owner, STORE_NODE_POSTGRESQL);
		assert_int_equal(store_counter_begin(w->pg, w->epoch, &err),
				 STATUS_OK);
		s->epoch = w->epoch;
	}
	s->stop = true;
	wait_all(pids);
	assert_int_equal(s->wrong, 0);
	munmap(s, sizeof(*s));
}

static void
add_body(struct items *w, struct shared *s, int number)
{
	for (int i = 0; i < 30; i++) {
		char key[16];
		struct store_counter_item it;
		struct err err;

		snprintf(key, sizeof(key), "n%d", i);
		it = items_item(key, 0, number % 2 == 0 ? "even" : "odd");
		if (store_counter_read(w->pg, w->epoch, w->arena, &it, 1,
				       &err) != STATUS_OK ||
		    it.state == STORE_COUNTER_UNKNOWN) {
			s->wrong++;
		}
		s->done += it.state == STORE_COUNTER_ABSENT;
	}
}

static void
one_of_many_adds(void **state)
{
	struct items *w = *state;
	struct shared *s = share();
	pid_t pids[PROCESSES];

	fork_all(w, s, pids, add_body);
	wait_all(pids);
	assert_int_equal(s->wrong, 0);
	assert_int_equal(s->done, 30);
	munmap(s, sizeof(*s));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, items_begin, items_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(store_speaks_counter),
		CASE(store_without_a_server),
		CASE(hot_key_is_exact),
		CASE(several_keys_do_not_deadlock),
		CASE(switch_under_load_is_sharp),
		CASE(one_of_many_adds),
	};

	if (getenv("IMS_PG") == NULL || getenv("IMS_PG_COUNTER") == NULL) {
		fputs("crowd_cases: IMS_PG, IMS_PG_COUNTER are not set\n",
		      stderr);
		return 2;
	}
	log_open("crowd_cases", LOG_ERROR);
	return cmocka_run_group_tests_name("crowds", tests, NULL, NULL);
}
