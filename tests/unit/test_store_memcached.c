/* store_memcached on real servers: what it keeps, and what it says when they
 * forget, hang, are full or gone. */
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
#include <sys/socket.h>

#include "base/clock.h"
#include "counter/memcached_down.h"
#include "counter/store.h"
#include "memcached_fixture.h"

enum {
	TIMEOUT_MS = 1000, /* where none is wanted */
	HUNG_MS = 20,
	THREADS = 8,
	MANY = 300
};

static struct arena *arena;
static const int64_t LATER = INT64_C(4000000000); /* after 2038 */

static int
make_arena(void **state)
{
	(void)state;
	arena = arena_new(1 << 16);
	return 0;
}

static int
free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct counter_store *
open_store(const char *servers, int64_t timeout_ms, uint64_t epoch)
{
	struct err err;
	struct counter_store *store =
	    counter_memcached_store(servers, timeout_ms, &err);

	assert_non_null(store);
	store->epoch = epoch;
	return store;
}

/* One that has begun EPOCH. */
static struct counter_store *
begun(const char *servers, int64_t timeout_ms, uint64_t epoch)
{
	struct counter_store *store = open_store(servers, timeout_ms, epoch);
	struct err err = { .status = STATUS_OK };
	enum status status = store->type->begin(store, epoch, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(status, STATUS_OK);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	return store;
}

static struct counter_item
make_item(const char *key, const char *next)
{
	struct counter_item item = { .expires_s =
					 clock_now_us() / 1000000 + 3600 };

	snprintf(item.key, sizeof(item.key), "%s", key);
	item.next = (const unsigned char *)next;
	item.next_n = next != NULL ? strlen(next) : 0;
	item.state = ITEM_ABSENT;
	return item;
}

static void
read_one(struct counter_store *store, struct counter_item *item)
{
	const unsigned char *next = item->next;

	item->next = NULL;
	store->type->read(store, arena, item, 1);
	item->next = next;
}

static enum counter_item_result
swap_one(struct counter_store *store, struct counter_item *item,
	 const char *next)
{
	item->next = (const unsigned char *)next;
	item->next_n = strlen(next);
	store->type->swap(store, item, 1);
	return item->result;
}

static void
expect(struct counter_store *store, const char *key,
       enum counter_item_state state, const char *value)
{
	struct counter_item item = make_item(key, NULL);

	read_one(store, &item);
	assert_int_equal(item.state, state);
	if (state == ITEM_FOUND) {
		assert_int_equal(item.value_n, strlen(value));
		assert_memory_equal(item.value, value, strlen(value));
	}
}

static enum status
check(struct counter_store *store, const char *text)
{
	struct err err = { .status = STATUS_OK };
	enum status status = store->type->check(store, &err);

	if (text != NULL && strstr(err.text, text) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", text, err.text);
	}
	return status;
}

static void
test_keeps_what_is_written(void **state)
{
	struct memcached_process server = { 0 };
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	struct counter_item item = make_item("one", NULL);
	assert_string_equal(store->type->name, "memcached");
	read_one(store, &item);
	assert_int_equal(item.state, ITEM_ABSENT);
	assert_int_equal(swap_one(store, &item, "first"), ITEM_REPLACED);
	/* it is not absent any more */
	assert_int_equal(swap_one(store, &item, "again"), ITEM_MOVED);
	read_one(store, &item);
	assert_int_equal(item.state, ITEM_FOUND);
	assert_memory_equal(item.value, "first", 5);
	assert_int_equal(swap_one(store, &item, "second"), ITEM_REPLACED);
	/* nor the version that was read */
	assert_int_equal(swap_one(store, &item, "third"), ITEM_MOVED);
	expect(store, "one", ITEM_FOUND, "second");

	item = make_item("one", "put");
	store->type->put(store, &item, 1);
	expect(store, "one", ITEM_FOUND, "put");
	item.next_n = 0;
	store->type->put(store, &item, 1);
	store->type->put(store, &item, 1); /* also what is not there */
	expect(store, "one", ITEM_ABSENT, NULL);

	/* gone meanwhile */
	item = make_item("two", "x");
	store->type->put(store, &item, 1);
	read_one(store, &item);
	assert_int_equal(item.state, ITEM_FOUND);
	struct counter_item gone = make_item("two", "");
	store->type->put(store, &gone, 1);
	assert_int_equal(swap_one(store, &item, "y"), ITEM_MOVED);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

static void
test_adds_in_the_same_round_trip(void **state)
{
	struct memcached_process server = { 0 };
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	struct counter_store *other = open_store(server.where, TIMEOUT_MS, 1);
	struct counter_item item = make_item("note", "mine");
	struct counter_item late = make_item("note", "others");
	const uint64_t before = store->round_trips;
	store->type->read(store, arena, &item, 1);
	assert_int_equal(store->round_trips, before + 1);
	assert_int_equal(item.state, ITEM_ABSENT);
	other->type->read(other, arena, &late, 1);
	assert_int_equal(late.state, ITEM_FOUND);
	assert_memory_equal(late.value, "mine", 4);
	assert_int_equal(swap_one(other, &late, "done"), ITEM_REPLACED);
	expect(store, "note", ITEM_FOUND, "done");
	counter_store_free(other);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

static void
test_keeps_any_bytes(void **state)
{
	static const size_t sizes[] = { 0,     1,      100,	5000,
					70000, 700000, 1000000, 1000001 };
	struct memcached_process server = { 0 };
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t n = sizes[i];
		unsigned char *bytes = malloc(n + 16);
		struct counter_item item = make_item("", NULL);
		snprintf(item.key, sizeof(item.key), "bytes%zu", n);
		for (size_t at = 0; at < n; at++) {
			bytes[at] =
			    (unsigned char)"\r\nEN\r\nHD O1\r\n"[at % 14] ^
			    (unsigned char)(at >> 8);
		}
		item.next = bytes;
		item.next_n = n;
		store->type->swap(store, &item, 1);
		if (n > COUNTER_VALUE_MAX_BYTES) {
			assert_int_equal(item.result, ITEM_FAILED);
			store->type->put(store, &item, 1);
			read_one(store, &item);
			assert_int_equal(item.state, ITEM_ABSENT);
		} else {
			assert_int_equal(item.result, ITEM_REPLACED);
			read_one(store, &item);
			assert_int_equal(item.state, ITEM_FOUND);
			assert_int_equal(item.value_n, n);
			assert_memory_equal(item.value, bytes, n);
		}
		free(bytes);
		arena_reset(arena);
	}
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

/* Many at once, on three servers, one of them by TCP; each gets some. */
static void
test_spreads_over_servers(void **state)
{
	struct memcached_process servers[3] = { { 0 } };
	struct counter_item items[MANY];
	char setting[300], said[4096];
	(void)state;

	memcached_fixture_start(&servers[0]);
	memcached_fixture_start_tcp(&servers[1]);
	memcached_fixture_start(&servers[2]);
	snprintf(setting, sizeof(setting), "%s, %s ,%s", servers[0].where,
		 servers[1].where, servers[2].where);
	struct counter_store *store = begun(setting, TIMEOUT_MS, 7);
	for (size_t i = 0; i < MANY; i++) {
		items[i] = make_item("", "value");
		snprintf(items[i].key, sizeof(items[i].key), "key%zu", i);
	}
	const uint64_t before = store->round_trips;
	store->type->swap(store, items, MANY);
	assert_int_equal(store->round_trips, before + 1);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(items[i].result, ITEM_REPLACED);
		items[i].next = NULL;
	}
	store->type->read(store, arena, items, MANY);
	assert_int_equal(store->round_trips, before + 2);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(items[i].state, ITEM_FOUND);
	}
	for (size_t s = 0; s < 3; s++) {
		memcached_fixture_say(&servers[s], "stats\r\n", said,
				      sizeof(said));
		const char *count = strstr(said, "STAT curr_items ");
		assert_non_null(count);
		assert_true(strtol(count + 16, NULL, 10) > MANY / 6);
	}

	/* one is lost: its own keys are not known, and no others */
	memcached_fixture_kill(&servers[1]);
	for (int round = 0; round < 2; round++) {
		size_t unknown = 0;
		store->type->read(store, arena, items, MANY);
		for (size_t i = 0; i < MANY; i++) {
			unknown += items[i].state == ITEM_UNKNOWN;
			items[i].next = (const unsigned char *)"next";
			items[i].next_n = 4;
		}
		assert_in_range(unknown, MANY / 6, MANY / 2);
		store->type->swap(store, items, MANY);
		for (size_t i = 0; i < MANY; i++) {
			assert_int_equal(items[i].result,
					 items[i].state == ITEM_UNKNOWN
					     ? ITEM_FAILED
					     : ITEM_REPLACED);
			items[i].next = NULL;
		}
	}
	assert_int_equal(check(store, "does not answer"), STATUS_UNAVAILABLE);
	/* two lost in different ways: what is lost for good is said */
	memcached_fixture_say(&servers[2], "flush_all\r\n", said, sizeof(said));
	assert_int_equal(check(store, "lost"), STATUS_CORRUPT);
	counter_store_free(store);
	for (size_t s = 0; s < 3; s++) {
		memcached_fixture_kill(&servers[s]);
	}
}

/* What was written is gone; whatever a server still has is not believed. */
static void
expect_lost(struct counter_store *store, struct counter_item *found,
	    struct counter_item *absent)
{
	expect(store, "found", ITEM_UNKNOWN, NULL);
	expect(store, "absent", ITEM_UNKNOWN, NULL);
	assert_int_equal(swap_one(store, found, "new"), ITEM_MOVED);
	assert_int_equal(swap_one(store, absent, "new"), ITEM_FAILED);
	/* what that wrote is nothing that counts */
	expect(store, "absent", ITEM_UNKNOWN, NULL);
	struct counter_item note = make_item("note", "mine");
	store->type->read(store, arena, &note, 1);
	assert_int_equal(note.state, ITEM_UNKNOWN);
	assert_int_equal(check(store, "restarted or flushed"), STATUS_CORRUPT);
}

static void
test_says_what_is_lost(void **state)
{
	struct memcached_process server = { 0 };
	struct err err;
	char said[200];
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	struct counter_item found = make_item("found", "x");
	struct counter_item absent = make_item("absent", NULL);
	store->type->put(store, &found, 1);
	read_one(store, &found);
	read_one(store, &absent);
	/* its clock has whole seconds: older than the flush */
	clock_sleep_us(1100000);
	/* nothing that is done to the marker makes it younger */
	for (int i = 0; i < 5; i++) {
		expect(store, "absent", ITEM_ABSENT, NULL);
		assert_int_equal(check(store, NULL), STATUS_OK);
	}
	memcached_fixture_say(&server, "flush_all\r\n", said, sizeof(said));
	assert_string_equal(said, "OK\r\n");
	expect_lost(store, &found, &absent);

	store->epoch = 2;
	expect(store, "found", ITEM_UNKNOWN, NULL); /* it has not begun */
	assert_int_equal(store->type->begin(store, 2, &err), STATUS_OK);
	expect(store, "found", ITEM_ABSENT, NULL);
	found = make_item("found", "x");
	store->type->put(store, &found, 1);
	read_one(store, &found);
	assert_int_equal(found.state, ITEM_FOUND);
	absent = make_item("absent", NULL);
	read_one(store, &absent);
	memcached_fixture_kill(&server);
	memcached_fixture_restart(&server);
	expect_lost(store, &found, &absent);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

/* A flush in the second in which the epoch began takes nothing that is newer
 * than the marker, or the marker as well. */
static void
test_flush_in_the_first_second(void **state)
{
	struct memcached_process server = { 0 };
	char said[200];
	(void)state;

	memcached_fixture_start(&server);
	for (uint64_t epoch = 1; epoch <= 20; epoch++) {
		struct counter_store *store =
		    begun(server.where, TIMEOUT_MS, epoch);
		struct counter_item item = make_item("counted", "1");
		store->type->put(store, &item, 1);
		expect(store, "counted", ITEM_FOUND, "1");
		memcached_fixture_say(&server, "flush_all\r\n", said,
				      sizeof(said));
		read_one(store, &item);
		assert_int_not_equal(item.state, ITEM_ABSENT);
		assert_int_equal(check(store, NULL), STATUS_CORRUPT);
		counter_store_free(store);
	}
	memcached_fixture_kill(&server);
}

/* How long one read takes that must find WANT. */
static int64_t
took_us(struct counter_store *store, enum counter_item_state want)
{
	const int64_t from_us = clock_mono_us();

	expect(store, "key", want, "x");
	return clock_mono_us() - from_us;
}

static void
test_hangs(void **state)
{
	struct memcached_process server = { 0 };
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, HUNG_MS, 1);
	struct counter_store *other = open_store(server.where, HUNG_MS, 1);
	struct counter_item item = make_item("key", "x");
	store->type->put(store, &item, 1);
	expect(store, "key", ITEM_FOUND, "x");
	read_one(store, &item);
	memcached_fixture_stop(&server);
	/* sent, and no answer */
	const int64_t from_us = clock_mono_us();
	assert_int_equal(swap_one(store, &item, "unsure"), ITEM_UNSURE);
	assert_in_range(clock_mono_us() - from_us, HUNG_MS * 900,
			HUNG_MS * 1000 + 50000);
	/* late so often, and nobody asks it, in any store of this process */
	for (int i = 1; i < MEMCACHED_DOWN_LATE; i++) {
		read_one(store, &item);
		assert_int_equal(item.state, ITEM_UNKNOWN);
	}
	int64_t sum_us = 0;
	for (int i = 0; i < 100; i++) {
		sum_us += took_us(store, ITEM_UNKNOWN);
		sum_us += took_us(other, ITEM_UNKNOWN);
		assert_int_equal(swap_one(store, &item, "no"), ITEM_FAILED);
	}
	/* a millisecond each would be much; it is some microseconds */
	assert_in_range(sum_us, 0, 200 * 1000);
	store->type->put(store, &item, 1);
	/* after a second one asks, and finds the same */
	clock_sleep_us(1050000);
	assert_in_range(took_us(store, ITEM_UNKNOWN), HUNG_MS * 900,
			HUNG_MS * 1000 + 50000);
	assert_in_range(took_us(other, ITEM_UNKNOWN), 0, HUNG_MS * 900);
	assert_int_equal(check(store, "does not answer"), STATUS_UNAVAILABLE);
	kill(server.pid, SIGCONT);
	clock_sleep_us(1050000);
	/* it goes on with what it had been sent; the streams are in step */
	for (int i = 0; i < 20; i++) {
		expect(store, "key", ITEM_FOUND, "unsure");
		expect(other, "key", ITEM_FOUND, "unsure");
	}
	counter_store_free(other);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

static pthread_barrier_t barrier;

static void *
read_hung(void *arg)
{
	const char *where = arg;
	struct arena *mine = arena_new(4096);
	struct counter_store *store = open_store(where, HUNG_MS, 1);
	struct counter_item item = make_item("key", NULL);
	int64_t waited_us = 0;

	pthread_barrier_wait(&barrier);
	const int64_t from_us = clock_mono_us();
	while (clock_mono_us() < from_us + 2500000) {
		const int64_t begin_us = clock_mono_us();
		store->type->read(store, mine, &item, 1);
		waited_us += clock_mono_us() - begin_us;
		assert_int_equal(item.state, ITEM_UNKNOWN);
		clock_sleep_us(2000);
	}
	counter_store_free(store);
	arena_free(mine);
	int64_t *out = malloc(sizeof(*out));
	*out = waited_us;
	return out;
}

/* Of 2.5 s, eight threads wait as often as it takes to know, and then one of
 * them twice. */
static void
test_hangs_once_a_process(void **state)
{
	struct memcached_process server = { 0 };
	pthread_t threads[THREADS];
	int64_t sum_us = 0;
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	counter_store_free(store);
	memcached_fixture_stop(&server);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_create(&threads[i], NULL, read_hung, server.where);
	}
	for (size_t i = 0; i < THREADS; i++) {
		void *waited_us = NULL;
		pthread_join(threads[i], &waited_us);
		sum_us += *(int64_t *)waited_us;
		free(waited_us);
	}
	pthread_barrier_destroy(&barrier);
	/* and what else the calls cost, on a machine that is busy */
	assert_in_range(sum_us, (THREADS + 2) * HUNG_MS * 900,
			(THREADS * MEMCACHED_DOWN_LATE + 3) * HUNG_MS * 1000 +
			    400000);
	kill(server.pid, SIGCONT);
	memcached_fixture_kill(&server);
}

static void
test_refuses(void **state)
{
	struct memcached_process server = { 0 };
	(void)state;

	memcached_fixture_start_tcp(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	struct counter_item item = make_item("key", "x");
	store->type->put(store, &item, 1);
	read_one(store, &item);
	memcached_fixture_kill(&server);
	assert_int_not_equal(swap_one(store, &item, "y"), ITEM_REPLACED);
	for (int i = 0; i < 20; i++) {
		assert_in_range(took_us(store, ITEM_UNKNOWN), 0, 20000);
	}
	memcached_fixture_restart(&server);
	clock_sleep_us(1050000);
	/* it answers, and has lost everything */
	expect(store, "key", ITEM_UNKNOWN, NULL);
	assert_int_equal(check(store, "restarted"), STATUS_CORRUPT);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

/* A connection that the server closed while nobody used it costs nothing. */
static void
test_idle_connection_is_closed(void **state)
{
	struct memcached_process server = { .options = { "-o",
							 "idle_timeout=1" } };
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	struct counter_item item = make_item("key", "x");
	for (int round = 0; round < 2; round++) {
		item = make_item("key", "x");
		store->type->put(store, &item, 1);
		expect(store, "key", ITEM_FOUND, "x");
		read_one(store, &item);
		clock_sleep_us(3000000);
		/* by a Unix socket it is known before anything is sent */
		assert_int_equal(swap_one(store, &item, "y"), ITEM_REPLACED);
		clock_sleep_us(3000000);
	}
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

/* Fill SERVER until it says that it is full, or has evicted; false: neither. */
static bool
fill(struct counter_store *store, const char *bytes)
{
	bool failed = false;

	for (int i = 0; i < 400 && !failed; i++) {
		struct counter_item item = make_item("", bytes);
		snprintf(item.key, sizeof(item.key), "fill%d", i);
		store->type->swap(store, &item, 1);
		failed = item.result == ITEM_FAILED;
		assert_true(failed || item.result == ITEM_REPLACED);
	}
	return failed;
}

static void
test_full(void **state)
{
	struct memcached_process server = { .options = { "-M", "-m", "2", "-I",
							 "512k" } };
	static char bytes[20001];
	(void)state;

	memset(bytes, 'b', sizeof(bytes) - 1);
	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	struct counter_item kept = make_item("kept", bytes);
	store->type->swap(store, &kept, 1);
	assert_int_equal(kept.result, ITEM_REPLACED);
	assert_true(fill(store, bytes));
	/* what is there stays, whatever is tried: a counter is never dropped
	 * because there is no room for its next value */
	for (int i = 0; i < 5; i++) {
		read_one(store, &kept);
		assert_int_equal(kept.state, ITEM_FOUND);
		assert_int_equal(swap_one(store, &kept, bytes), ITEM_FAILED);
		struct counter_item added = make_item("added", bytes);
		store->type->read(store, arena, &added, 1);
		assert_int_equal(added.state, ITEM_UNKNOWN);
	}
	expect(store, "kept", ITEM_FOUND, bytes);
	/* refused quietly, many times: the answers do not get in the way */
	for (int i = 0; i < 600; i++) {
		struct counter_item put = make_item("put", bytes);
		store->type->put(store, &put, 1);
	}
	expect(store, "kept", ITEM_FOUND, bytes);
	expect(store, "put", ITEM_ABSENT, NULL);
	assert_int_equal(check(store, NULL), STATUS_OK);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

static void
test_evicts(void **state)
{
	struct memcached_process server = { .options = { "-m", "2", "-I",
							 "512k" } };
	static char bytes[20001];
	(void)state;

	memset(bytes, 'b', sizeof(bytes) - 1);
	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	assert_false(fill(store, bytes));
	assert_int_equal(check(store, "-M"), STATUS_CORRUPT);
	counter_store_free(store);
	/* the next epoch counts from there */
	store = begun(server.where, TIMEOUT_MS, 2);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

static void
test_expires(void **state)
{
	struct memcached_process server = { 0 };
	const int64_t now_s = clock_now_us() / 1000000;
	const int64_t day = 86400;
	const struct {
		int64_t expires_s;
		bool at_once, soon;
	} rows[] = {
		{ 0, true, false },
		{ -1, true, false },
		{ INT64_MIN, true, false },
		{ 100, true, false }, /* not: in 100 s */
		{ now_s - 1, true, false },
		{ now_s + 1, false, true },
		{ now_s + 29 * day, false, false },
		{ now_s + 31 * day, false, false },
		{ now_s + 400 * day, false, false },
		{ INT32_MAX, false, false },
		{ LATER, false, false },
		{ INT64_MAX, false, false },
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	(void)state;

	memcached_fixture_start(&server);
	struct counter_store *store = begun(server.where, TIMEOUT_MS, 1);
	for (size_t i = 0; i < ROWS; i++) {
		struct counter_item item = make_item("", "x");
		item.key[0] = (char)('A' + i);
		item.expires_s = rows[i].expires_s;
		store->type->swap(store, &item, 1);
		assert_int_equal(item.result, ITEM_REPLACED);
		expect(store, item.key,
		       rows[i].at_once ? ITEM_ABSENT : ITEM_FOUND, "x");
		/* the same by the other two ways of writing */
		item.key[1] = 'p';
		store->type->put(store, &item, 1);
		expect(store, item.key,
		       rows[i].at_once ? ITEM_ABSENT : ITEM_FOUND, "x");
		item.key[1] = 'r';
		store->type->read(store, arena, &item, 1);
		assert_int_equal(item.state, ITEM_ABSENT);
		expect(store, item.key,
		       rows[i].at_once ? ITEM_ABSENT : ITEM_FOUND, "x");
	}
	clock_sleep_us(6100000);
	for (size_t i = 0; i < ROWS; i++) {
		char key[2] = { (char)('A' + i), '\0' };
		expect(store, key,
		       rows[i].at_once || rows[i].soon ? ITEM_ABSENT
						       : ITEM_FOUND,
		       "x");
	}
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

static void
test_epochs_are_apart(void **state)
{
	struct memcached_process server = { 0 };
	static const uint64_t epochs[] = { 0, 1, 35, 36, 37, UINT64_MAX };
	(void)state;

	memcached_fixture_start(&server);
	for (size_t i = 0; i < sizeof(epochs) / sizeof(epochs[0]); i++) {
		struct counter_store *store =
		    begun(server.where, TIMEOUT_MS, epochs[i]);
		struct counter_item item = make_item("key", "x");
		expect(store, "key", ITEM_ABSENT, NULL);
		store->type->swap(store, &item, 1);
		expect(store, "key", ITEM_FOUND, "x");
		counter_store_free(store);
	}
	counter_store_free(NULL);
	memcached_fixture_kill(&server);
}

static void
test_no_server_list(void **state)
{
	struct err err;
	(void)state;

	assert_null(counter_memcached_store("", TIMEOUT_MS, &err));
	assert_int_equal(err.status, STATUS_BODY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_what_is_written),
		cmocka_unit_test(test_adds_in_the_same_round_trip),
		cmocka_unit_test(test_keeps_any_bytes),
		cmocka_unit_test(test_spreads_over_servers),
		cmocka_unit_test(test_says_what_is_lost),
		cmocka_unit_test(test_flush_in_the_first_second),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_hangs_once_a_process),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_idle_connection_is_closed),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_evicts),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_epochs_are_apart),
		cmocka_unit_test(test_no_server_list),
	};

	if (!memcached_fixture_begin()) {
		return 77; /* automake: skipped */
	}
	int failed = cmocka_run_group_tests(tests, make_arena, free_arena);
	memcached_fixture_end();
	return failed;
}
