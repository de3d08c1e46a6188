/* store_host: many processes at once, forks, and processes that are killed
 * while they write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "counter/host_file.h"
#include "host_fixture.h"

enum {
	PROCESSES = 8,
	TURNS = 500,
	KILLS = 400,
	LARGE = 6000, /* on pages of its own */
	KILLED_MAP_BYTES = 512 * 1024 * 1024
};

/* ---- many processes */

static uint64_t
number_of(const struct counter_item *item)
{
	uint64_t n = 0;

	if (item->state == ITEM_FOUND) {
		must(item->value_n >= sizeof(n));
		memcpy(&n, item->value, sizeof(n));
	}
	return n;
}

static void
count_up(int number)
{
	struct counter_store *store = open_store(NULL);

	(void)number;
	for (int i = 0; i < TURNS;) {
		struct counter_item hot = read_one(store, "hot");
		uint64_t n = number_of(&hot) + 1;
		must(hot.state != ITEM_UNKNOWN);
		enum counter_item_result result =
		    swap_one(store, &hot, &n, sizeof(n));
		must(result == ITEM_REPLACED || result == ITEM_MOVED);
		i += result == ITEM_REPLACED;
		arena_reset(host_arena);
	}
	counter_store_free(store);
}

static void
processes_count_exactly(void **unused)
{
	struct counter_store *store = begun();
	pid_t pids[PROCESSES];
	int status;

	(void)unused;
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = run(count_up, i);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	struct counter_item hot = read_one(store, "hot");
	assert_int_equal(number_of(&hot), PROCESSES * TURNS);
	counter_store_free(store);
}

static struct counter_store *inherited;

/* A child uses and frees what its parent opened. */
static void
use_inherited(int number)
{
	(void)number;
	struct counter_item k = read_one(inherited, "k");
	must(k.state == ITEM_FOUND && k.value[0] == 'a');
	must(swap_one(inherited, &k, "b", 1) == ITEM_REPLACED);
	must(inherited->type->check(inherited, NULL) == STATUS_OK);
	counter_store_free(inherited);
}

static void
free_inherited(int number)
{
	(void)number;
	counter_store_free(inherited);
}

static void
a_fork_has_a_store_of_its_own(void **unused)
{
	static void (*const functions[])(int) = { use_inherited,
						  free_inherited };
	struct counter_store *other;
	int status;

	(void)unused;
	inherited = begun();
	other = open_store(NULL);
	for (int i = 0; i < 2; i++) {
		put_one(inherited, "k", "a", LATER);
		assert_int_equal(read_one(other, "k").state, ITEM_FOUND);
		pid_t pid = run(functions[i], 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_memory_equal(read_one(inherited, "k").value,
				    i == 0 ? "b" : "a", 1);
		struct counter_item k = read_one(other, "k");
		assert_int_equal(swap_one(other, &k, "c", 1), ITEM_REPLACED);
	}
	counter_store_free(inherited);
	counter_store_free(other);
}

static void *
fork_often(void *arg)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = run(free_inherited, 0);
		int status;
		(void)waitpid(pid, &status, 0);
		*(int *)arg += status != 0;
	}
	return NULL;
}

/* A fork while another thread opens and closes. */
static void
a_fork_at_any_time(void **unused)
{
	pthread_t thread;
	int failed = 0;

	(void)unused;
	inherited = begun();
	assert_int_equal(pthread_create(&thread, NULL, fork_often, &failed), 0);
	for (int i = 0; i < 300; i++) {
		struct counter_store *store = open_store(NULL);
		assert_int_equal(store->type->check(store, NULL), STATUS_OK);
		counter_store_free(store);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(failed, 0);
	counter_store_free(inherited);
}

/* ---- kill -9 */

static volatile uint64_t *answered; /* [PROCESSES]: counted, and said so */

static void
key_of_own(int number, char key[COUNTER_KEY_BYTES])
{
	snprintf(key, COUNTER_KEY_BYTES, "own%d", number);
}

/* Count on the hot key and on an own one, both or none, for ever. */
static void
count_both(int number)
{
	static unsigned char large[LARGE];
	struct counter_store *store = open_store(NULL);
	struct counter_item items[2];

	for (uint64_t turn = 0;; turn++) {
		items[0] = item_of("hot", NULL, 0);
		items[1] = item_of("", NULL, 0);
		key_of_own(number, items[1].key);
		store->type->read(store, host_arena, items, 2);
		must(items[0].state != ITEM_UNKNOWN);
		uint64_t hot = number_of(&items[0]) + 1;
		uint64_t own = number_of(&items[1]) + 1;
		memcpy(large, &own, sizeof(own));
		items[0].next = (const unsigned char *)&hot;
		items[0].next_n = sizeof(hot);
		items[1].next = large;
		items[1].next_n = turn % 3 == 0 ? LARGE : 400;
		store->type->swap(store, items, 2);
		must(items[0].result == ITEM_REPLACED ||
		     items[0].result == ITEM_MOVED);
		must(items[0].result == items[1].result);
		if (items[0].result == ITEM_REPLACED) {
			answered[number]++;
		}
		arena_reset(host_arena);
	}
}

static void
kill_one(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* it had not ended by itself */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
killed_at_any_time(void **unused)
{
	struct counter_store *store = begun_of(KILLED_MAP_BYTES);
	pid_t pids[PROCESSES];
	uint64_t kills[PROCESSES] = { 0 }, sum = 0;
	unsigned seed = 1;
	size_t gone;

	(void)unused;
	answered =
	    mmap(NULL, PROCESSES * sizeof(*answered), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(answered != MAP_FAILED);
	alarm(120);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = run(count_both, i);
	}
	for (int i = 0; i < KILLS; i++) {
		clock_sleep_us(rand_r(&seed) % 5000);
		int victim = rand_r(&seed) % PROCESSES;
		kill_one(pids[victim]);
		kills[victim]++;
		pids[victim] = run(count_both, victim);
	}
	for (int i = 0; i < PROCESSES; i++) {
		kill_one(pids[i]);
		kills[i]++;
	}
	for (int i = 0; i < PROCESSES; i++) {
		char key[COUNTER_KEY_BYTES];
		key_of_own(i, key);
		struct counter_item own = read_one(store, key);
		uint64_t n = number_of(&own);
		assert_true(n >= answered[i] && n <= answered[i] + kills[i]);
		sum += n;
	}
	struct counter_item hot = read_one(store, "hot");
	assert_int_equal(number_of(&hot), sum);
	assert_true(sum > KILLS);
	/* the places of the dead are given back */
	MDB_envinfo info;
	struct host_file *file;
	int dead = -1;
	assert_int_equal(counter_host_sweep(store, 10, &gone, NULL), STATUS_OK);
	assert_int_equal(host_file_open(host_folder, host_epoch, &file, NULL),
			 STATUS_OK);
	assert_int_equal(mdb_reader_check(file->env, &dead), 0);
	assert_int_equal(dead, 0);
	assert_int_equal(mdb_env_info(file->env, &info), 0);
	/* and what they had open did not fill the file: in the time */
	assert_true(info.me_last_pgno * 4096 < KILLED_MAP_BYTES / 2);
	host_file_close(file);
	counter_store_free(store);
	alarm(0);
}

/* ---- readers */

static void
read_and_die(int number)
{
	struct counter_store *stores[200];

	(void)number;
	for (int i = 0; i < 200; i++) {
		stores[i] = open_store(NULL);
		must(read_one(stores[i], "k").state == ITEM_ABSENT);
	}
	must(stores[0] != NULL);
}

/* More than there is room for, but for those that are gone. */
static void
places_of_the_dead_are_taken(void **unused)
{
	struct counter_store *store = begun();
	int status;

	(void)unused;
	for (int i = 0; i < 12; i++) {
		pid_t pid = run(read_and_die, i);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	counter_store_free(store);
}

static void
too_many_readers(void **unused)
{
	enum { MANY = 2056 };
	static struct counter_store *stores[MANY];
	struct counter_store *store = begun();
	int unknown = 0;

	(void)unused;
	for (int i = 0; i < MANY; i++) {
		stores[i] = open_store(NULL);
		unknown += read_one(stores[i], "k").state == ITEM_UNKNOWN;
	}
	assert_true(unknown >= 8 && unknown < 12);
	put_one(store, "k", "1", LATER); /* writing needs no place */
	for (int i = 0; i < MANY; i++) {
		counter_store_free(stores[i]);
	}
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	counter_store_free(store);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
	const struct CMUnitTest tests[] = {
		CASE(processes_count_exactly),
		CASE(a_fork_has_a_store_of_its_own),
		CASE(a_fork_at_any_time),
		CASE(killed_at_any_time),
		CASE(places_of_the_dead_are_taken),
		CASE(too_many_readers),
	};
#undef CASE

	if (!host_fixture_begin()) {
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	host_fixture_end();
	return failed;
}
