/* memcached_link, and what store_memcached makes of servers that answer
 * garbage, in pieces, too late, too much or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "counter/memcached_link.h"
#include "counter/store.h"
#include "memcached_fixture.h"

enum { TIMEOUT_MS = 60, PATIENT_MS = 5000 };

#define MARKER "mg 1.m u O"

static struct arena *arena;

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
open_store(const char *servers, int64_t timeout_ms)
{
	struct err err;
	struct counter_store *store =
	    counter_memcached_store(servers, timeout_ms, &err);

	assert_non_null(store);
	store->epoch = 1;
	return store;
}

/* '#' is the number that the marker was asked with. */
static const struct {
	const char *answer;
	enum counter_item_state state;
	bool closes;
} reads[] = {
	{ "EN\r\nHD O#\r\n", ITEM_ABSENT, false },
	{ "VA 2 c7\r\nab\r\nHD O#\r\n", ITEM_FOUND, false },
	/* the epoch is lost */
	{ "EN\r\nEN O#\r\n", ITEM_UNKNOWN, false },
	{ "EN\r\nEN\r\n", ITEM_UNKNOWN, false },
	{ "VA 2 c7\r\nab\r\nEN\r\n", ITEM_UNKNOWN, false },
	/* somebody else's answers */
	{ "EN\r\nHD O1#\r\n", ITEM_UNKNOWN, false },
	{ "EN\r\nHD\r\n", ITEM_UNKNOWN, false },
	{ "EN\r\nEN O1#\r\n", ITEM_UNKNOWN, false },
	{ "EN\r\nEN\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "HD O#\r\nEN\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "EN\r\nHD O#\r\nH", ITEM_UNKNOWN, false },
	{ "EN\r\nHD O#\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "EN\r\nSTORED\r\n", ITEM_UNKNOWN, false },
	{ "EN\r\nVA 1 c1\r\nx\r\n", ITEM_UNKNOWN, false },
	{ "MN\r\nEN\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	/* not what was asked */
	{ "VA 2\r\nab\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "VA 2 c0\r\nab\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "VA 3 c7\r\nab\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "VA 1 c7\r\nab\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "VA 9000000 c7\r\nab\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "SERVER_ERROR out of memory\r\nHD O#\r\n", ITEM_UNKNOWN, false },
	{ "ERROR\r\nERROR\r\n", ITEM_UNKNOWN, false },
	{ "\r\n\r\n", ITEM_UNKNOWN, false },
	{ "HTTP/1.1 400 Bad Request\r\n\r\n", ITEM_UNKNOWN, true },
	/* cut off */
	{ "EN\r\nHD", ITEM_UNKNOWN, true },
	{ "EN\r\n", ITEM_UNKNOWN, false },
	{ "VA 2 c7\r\na", ITEM_UNKNOWN, true },
	{ "", ITEM_UNKNOWN, true },
	{ "", ITEM_UNKNOWN, false },
};

static void
test_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		struct memcached_fake fake = { .expected = MARKER,
					       .answer = reads[i].answer,
					       .closes = reads[i].closes };
		struct counter_item item = { .key = "key" };
		memcached_fixture_fake(&fake);
		struct counter_store *store = open_store(fake.path, TIMEOUT_MS);
		const int64_t from_us = clock_mono_us();
		store->type->read(store, arena, &item, 1);
		if (item.state != reads[i].state) {
			fail_msg("%zu: %d from %s", i, (int)item.state,
				 reads[i].answer);
		}
		assert_in_range(clock_mono_us() - from_us, 0,
				TIMEOUT_MS * 1000 + 500000);
		if (item.state == ITEM_FOUND) {
			assert_int_equal(item.version, 7);
			assert_memory_equal(item.value, "ab", 2);
		}
		assert_int_equal(store->round_trips, 1);
		counter_store_free(store);
		memcached_fixture_fake_end(&fake);
	}
}

static const struct {
	const char *answer;
	enum counter_item_result cas, add;
	bool closes;
} swaps[] = {
	{ "STORED\r\nHD O#\r\n", ITEM_REPLACED, ITEM_REPLACED, false },
	{ "EXISTS\r\nHD O#\r\n", ITEM_MOVED, ITEM_UNSURE, false },
	{ "NOT_FOUND\r\nHD O#\r\n", ITEM_MOVED, ITEM_UNSURE, false },
	{ "NOT_STORED\r\nHD O#\r\n", ITEM_UNSURE, ITEM_MOVED, false },
	{ "SERVER_ERROR out of memory storing object\r\nHD O#\r\n", ITEM_FAILED,
	  ITEM_FAILED, false },
	{ "SERVER_ERROR object too large for cache\r\nHD O#\r\n", ITEM_FAILED,
	  ITEM_FAILED, false },
	/* the epoch is lost: nobody will ever read it */
	{ "STORED\r\nEN\r\n", ITEM_FAILED, ITEM_FAILED, false },
	{ "SERVER_ERROR x\r\nEN\r\n", ITEM_FAILED, ITEM_FAILED, false },
	{ "NOT_STORED\r\nEN\r\n", ITEM_UNSURE, ITEM_MOVED, false },
	/* not known to which request it belongs, or what became of it */
	{ "STORED\r\nHD O1#\r\n", ITEM_UNSURE, ITEM_UNSURE, false },
	{ "STORED\r\nHD O#\r\nSTORED\r\n", ITEM_UNSURE, ITEM_UNSURE, false },
	{ "STORED\r\n", ITEM_UNSURE, ITEM_UNSURE, true },
	{ "STORED\r\n", ITEM_UNSURE, ITEM_UNSURE, false },
	{ "STOR", ITEM_UNSURE, ITEM_UNSURE, true },
	{ "HD\r\nHD O#\r\n", ITEM_UNSURE, ITEM_UNSURE, false },
	{ "CLIENT_ERROR bad data chunk\r\nERROR\r\n", ITEM_UNSURE, ITEM_UNSURE,
	  false },
	{ "", ITEM_UNSURE, ITEM_UNSURE, true },
	{ "", ITEM_UNSURE, ITEM_UNSURE, false },
	/* refused for sure, whatever came then */
	{ "SERVER_ERROR x\r\n", ITEM_FAILED, ITEM_FAILED, true },
	{ "EXISTS\r\n", ITEM_MOVED, ITEM_UNSURE, true },
};

static void
swap(const char *answer, bool closes, bool adds, enum counter_item_result want)
{
	struct memcached_fake fake = { .expected = MARKER,
				       .answer = answer,
				       .closes = closes };
	struct counter_item item = { .key = "key",
				     .state = adds ? ITEM_ABSENT : ITEM_FOUND,
				     .version = 7,
				     .next = (const unsigned char *)"x",
				     .next_n = 1 };

	memcached_fixture_fake(&fake);
	struct counter_store *store = open_store(fake.path, TIMEOUT_MS);
	store->type->swap(store, &item, 1);
	if (item.result != want) {
		fail_msg("%d from %s", (int)item.result, answer);
	}
	counter_store_free(store);
	memcached_fixture_fake_end(&fake);
}

static void
test_swaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
		swap(swaps[i].answer, swaps[i].closes, false, swaps[i].cas);
		swap(swaps[i].answer, swaps[i].closes, true, swaps[i].add);
	}
}

/* A note that is read and added in one. */
static void
test_added(void **state)
{
	static const struct {
		const char *answer;
		enum counter_item_state state;
	} rows[] = {
		{ "STORED\r\nVA 1 c3\r\nx\r\nHD O#\r\n", ITEM_ABSENT },
		{ "STORED\r\nEN\r\nHD O#\r\n", ITEM_ABSENT },
		{ "NOT_STORED\r\nVA 1 c3\r\ny\r\nHD O#\r\n", ITEM_FOUND },
		{ "NOT_STORED\r\nEN\r\nHD O#\r\n", ITEM_UNKNOWN },
		{ "SERVER_ERROR x\r\nEN\r\nHD O#\r\n", ITEM_UNKNOWN },
		{ "SERVER_ERROR x\r\nVA 1 c3\r\ny\r\nHD O#\r\n", ITEM_FOUND },
		{ "STORED\r\nVA 1 c3\r\nx\r\nEN\r\n", ITEM_UNKNOWN },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct memcached_fake fake = { .expected = MARKER,
					       .answer = rows[i].answer };
		struct counter_item item = { .key = "key",
					     .next = (const unsigned char *)"x",
					     .next_n = 1 };
		memcached_fixture_fake(&fake);
		struct counter_store *store = open_store(fake.path, TIMEOUT_MS);
		store->type->read(store, arena, &item, 1);
		if (item.state != rows[i].state) {
			fail_msg("%d from %s", (int)item.state, rows[i].answer);
		}
		counter_store_free(store);
		memcached_fixture_fake_end(&fake);
	}
}

/* Byte by byte: in time it is an answer, after the time it is none, however
 * many bytes still come. */
static void
test_slow(void **state)
{
	struct memcached_fake fake = { .expected = MARKER,
				       .answer = "VA 2 c7\r\nab\r\nHD O#\r\n",
				       .slow_us = 5000 };
	struct counter_item item = { .key = "key" };
	(void)state;

	memcached_fixture_fake(&fake);
	struct counter_store *store = open_store(fake.path, PATIENT_MS);
	store->type->read(store, arena, &item, 1);
	assert_int_equal(item.state, ITEM_FOUND);
	counter_store_free(store);

	store = open_store(fake.path, TIMEOUT_MS);
	const int64_t from_us = clock_mono_us();
	store->type->read(store, arena, &item, 1);
	assert_int_equal(item.state, ITEM_UNKNOWN);
	assert_in_range(clock_mono_us() - from_us, TIMEOUT_MS * 900,
			TIMEOUT_MS * 1000 + 100000);
	counter_store_free(store);
	memcached_fixture_fake_end(&fake);
}

/* A server that hangs up on connections that were idle: a read asks again,
 * once; a swap only where nothing can have been sent. */
static void
test_hangs_up(void **state)
{
	struct memcached_fake fake = { .expected = MARKER,
				       .answer = "EN\r\nHD O#\r\n",
				       .closes = true };
	struct counter_item item = { .key = "key" };
	(void)state;

	memcached_fixture_fake(&fake);
	struct counter_store *store = open_store(fake.path, PATIENT_MS);
	for (int i = 1; i <= 5; i++) {
		store->type->read(store, arena, &item, 1);
		assert_int_equal(item.state, ITEM_ABSENT);
		assert_int_equal(fake.connections, i);
		clock_sleep_us(20000);
	}
	counter_store_free(store);
	memcached_fixture_fake_end(&fake);
}

/* What quiet requests left behind is not taken for an answer. */
static void
test_fence(void **state)
{
	static const struct {
		const char *left;
		enum counter_item_state state;
	} rows[] = {
		{ "MN\r\n", ITEM_ABSENT },
		{ "SERVER_ERROR out of memory\r\nNF\r\nMN\r\n", ITEM_ABSENT },
		{ "NS\r\nEX\r\nSERVER_ERROR x\r\nMN\r\n", ITEM_ABSENT },
		{ "", ITEM_UNKNOWN },
		{ "ERROR\r\nMN\r\n", ITEM_UNKNOWN },
		{ "MN\r\nMN\r\n", ITEM_UNKNOWN },
	};
	char answer[200];
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct memcached_fake fake = { .expected = MARKER,
					       .answer = answer };
		struct counter_item item = { .key = "key",
					     .next = (const unsigned char *)"x",
					     .next_n = 1,
					     .expires_s = INT64_MAX };
		snprintf(answer, sizeof(answer), "%sEN\r\nHD O#\r\n",
			 rows[i].left);
		memcached_fixture_fake(&fake);
		struct counter_store *store = open_store(fake.path, TIMEOUT_MS);
		store->type->put(store, &item, 1);
		item.next = NULL;
		store->type->read(store, arena, &item, 1);
		if (item.state != rows[i].state) {
			fail_msg("%d from %s", (int)item.state, answer);
		}
		counter_store_free(store);
		memcached_fixture_fake_end(&fake);
	}
}

/* One that takes nothing: what was not sent did not happen. */
static void
test_takes_nothing(void **state)
{
	static unsigned char large[900000];
	struct memcached_fake fake = { .at = "" };
	struct counter_item items[3] = {
		{ .key = "first", .next = large, .next_n = 10 },
		{ .key = "large", .next = large, .next_n = sizeof(large) },
		{ .key = "last", .next = large, .next_n = 10 },
	};
	(void)state;

	memcached_fixture_deaf(&fake);
	struct counter_store *store = open_store(fake.path, TIMEOUT_MS);
	for (size_t i = 0; i < 3; i++) {
		items[i].state = ITEM_ABSENT;
	}
	store->type->swap(store, items, 3);
	assert_int_equal(items[0].result, ITEM_UNSURE);
	assert_int_equal(items[1].result, ITEM_FAILED);
	assert_int_equal(items[2].result, ITEM_FAILED);
	counter_store_free(store);
	close(fake.listener);
}

/* Nobody is there; a path that is no socket; a name that nobody has. */
static void
test_nobody(void **state)
{
	static const char *const wheres[] = { "/nowhere/socket", "/dev/null",
					      "127.0.0.1:1", "[::1]:1",
					      "no-such-host.invalid" };
	(void)state;

	for (size_t i = 0; i < sizeof(wheres) / sizeof(wheres[0]); i++) {
		struct counter_store *store = open_store(wheres[i], TIMEOUT_MS);
		struct counter_item item = { .key = "key" };
		struct err err;
		for (int turn = 0; turn < 3; turn++) {
			const int64_t from_us = clock_mono_us();
			store->type->read(store, arena, &item, 1);
			assert_int_equal(item.state, ITEM_UNKNOWN);
			assert_in_range(clock_mono_us() - from_us, 0,
					TIMEOUT_MS * 1000 + 50000);
			item.state = ITEM_ABSENT;
			item.next = (const unsigned char *)"x";
			item.next_n = 1;
			store->type->swap(store, &item, 1);
			assert_int_equal(item.result, ITEM_FAILED);
			store->type->put(store, &item, 1);
			item.next = NULL;
		}
		assert_int_equal(store->type->begin(store, 1, &err),
				 STATUS_UNAVAILABLE);
		assert_int_equal(store->type->check(store, &err),
				 STATUS_UNAVAILABLE);
		counter_store_free(store);
	}
}

/* A name is looked up; where the first of its addresses refuses, the next is
 * tried (localhost is ::1 first on many machines). */
static void
test_name(void **state)
{
	struct memcached_process server = { 0 };
	struct err err;
	char where[64];
	(void)state;

	memcached_fixture_start_tcp(&server);
	snprintf(where, sizeof(where), "localhost%s",
		 strchr(server.where, ':'));
	struct counter_store *store = open_store(where, PATIENT_MS);
	assert_int_equal(store->type->begin(store, 1, &err), STATUS_OK);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	memcached_fixture_kill(&server);
	assert_int_equal(store->type->check(store, &err), STATUS_UNAVAILABLE);
	memcached_fixture_restart(&server);
	clock_sleep_us(1050000);
	assert_int_equal(store->type->check(store, &err), STATUS_CORRUPT);
	counter_store_free(store);
	memcached_fixture_kill(&server);
}

/* Nothing is to be done, or nothing that can be. */
static void
test_nothing(void **state)
{
	struct counter_store *store = open_store("127.0.0.1:1", TIMEOUT_MS);
	struct counter_item item = { .key = "key", .state = ITEM_ABSENT };
	(void)state;

	store->type->read(store, arena, NULL, 0);
	store->type->swap(store, NULL, 0);
	store->type->put(store, NULL, 0);
	store->type->swap(store, &item, 1);
	store->type->put(store, &item, 1);
	assert_int_equal(item.result, ITEM_FAILED);
	item.state = ITEM_UNKNOWN;
	item.next = (const unsigned char *)"x";
	item.next_n = 1;
	store->type->swap(store, &item, 1);
	assert_int_equal(item.result, ITEM_FAILED);
	assert_int_equal(store->round_trips, 0);
	counter_store_free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_swaps),
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_hangs_up),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_takes_nothing),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_nothing),
	};

	if (!memcached_fixture_begin()) {
		return 77;
	}
	int failed = cmocka_run_group_tests(tests, make_arena, free_arena);
	memcached_fixture_end();
	return failed;
}
