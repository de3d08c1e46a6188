/* memcached_epoch: keys, and which servers can hold an epoch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "counter/memcached_epoch.h"
#include "counter/store.h"
#include "memcached_fixture.h"

enum { TIMEOUT_MS = 60, PATIENT_MS = 5000 };

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

static void
test_keys(void **state)
{
	static const struct {
		uint64_t epoch;
		const char *name, *want;
	} rows[] = {
		{ 0, "m", "0.m" },
		{ 9, "k", "9.k" },
		{ 10, "k", "a.k" },
		{ 35, "k", "z.k" },
		{ 36, "k", "10.k" },
		{ UINT64_MAX, "12345678901234567890123456789012345678901234567",
		  "3w5e11264sgsf."
		  "12345678901234567890123456789012345678901234567" },
	};
	char key[MEMCACHED_WIRE_KEY_BYTES];
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcached_epoch_key(rows[i].epoch, rows[i].name, key);
		assert_string_equal(key, rows[i].want);
	}
}

/* What a server says of itself; "%s" in a row is the time, more or less. */
static const struct {
	const char *version, *stats;
	int64_t ahead_s;
	const char *then; /* to its marker */
	enum status want;
	const char *text;
} begins[] = {
	{ "VERSION 1.6.18\r\n", "END\r\n", 0, "STORED\r\n", STATUS_OK, "" },
	{ "VERSION 1.6.10\r\n", "END\r\n", 1, "STORED\r\n", STATUS_OK, "" },
	{ "VERSION 1.6.18\r\n", "END\r\n", 0, "NOT_STORED\r\n", STATUS_BUSY,
	  "somebody else" },
	{ "VERSION 1.7.0\r\n", "END\r\n", 2, "STORED\r\n", STATUS_OK, "" },
	{ "VERSION 2.0.1-rc1\r\n", "END\r\n", -9000, "STORED\r\n", STATUS_OK,
	  "" },
	{ "VERSION 1.6.9\r\n", "END\r\n", 0, "STORED\r\n", STATUS_UNAVAILABLE,
	  "1.6.10 or newer" },
	{ "VERSION 1.5.22\r\n", "END\r\n", 0, "STORED\r\n", STATUS_UNAVAILABLE,
	  "1.6.10 or newer" },
	{ "VERSION 0.9.99\r\n", "END\r\n", 0, "STORED\r\n", STATUS_UNAVAILABLE,
	  "1.6.10 or newer" },
	{ "VERSION 1.6.18\r\n", "END\r\n", 5, "STORED\r\n", STATUS_UNAVAILABLE,
	  "ahead" },
	{ "VERSION 1.6.18\r\n", "END\r\n", 0, "SERVER_ERROR x\r\n",
	  STATUS_UNAVAILABLE, "no room" },
	{ "VERSION 1.6.18\r\n", "END\r\n", 0, "ERROR\r\n", STATUS_UNAVAILABLE,
	  "does not answer" },
	{ "VERSION 1.6.18\r\n", "END\r\n", 0, "", STATUS_UNAVAILABLE,
	  "does not answer" },
	{ "VERSION x\r\n", "END\r\n", 0, "STORED\r\n", STATUS_UNAVAILABLE,
	  "does not answer" },
	{ "EN\r\n", "END\r\n", 0, "STORED\r\n", STATUS_UNAVAILABLE,
	  "does not answer" },
	{ "STAT version 1.6.18\r\n", "END\r\n", 0, "STORED\r\n",
	  STATUS_UNAVAILABLE, "does not answer" },
	{ "VERSION 1.6.18\r\n", "ERROR\r\n", 0, "STORED\r\n",
	  STATUS_UNAVAILABLE, "does not answer" },
	{ "VERSION 1.6.18\r\n", "HD\r\n", 0, "STORED\r\n", STATUS_UNAVAILABLE,
	  "does not answer" },
};

static void
test_begins(void **state)
{
	char answer[400];
	(void)state;

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		struct memcached_fake fake = { .expected = "1.m",
					       .answer = answer,
					       .then = begins[i].then };
		struct err err = { .text = "" };
		memcached_fixture_fake(&fake);
		struct counter_store *store = open_store(fake.path, TIMEOUT_MS);
		snprintf(answer, sizeof(answer),
			 "%sSTAT pid 1\r\nSTAT uptime 7\r\nSTAT time %" PRId64
			 "\r\n%sEN\r\n",
			 begins[i].version,
			 clock_now_us() / 1000000 + begins[i].ahead_s,
			 begins[i].stats);
		enum status status = store->type->begin(store, 1, &err);
		if (status != begins[i].want ||
		    strstr(err.text, begins[i].text) == NULL) {
			fail_msg("%zu: %s", i, err.text);
		}
		counter_store_free(store);
		memcached_fixture_fake_end(&fake);
	}
}

/* A server's statistics beside the marker's value. */
static void
test_checks(void **state)
{
#define SAVED "pid 1 start 100 flushes 0 evictions 3 moved 0 stuck 0"
#define VALUE(n) "VA " n " c9\r\n"
	static const struct {
		const char *stats, *marker;
		enum status want;
		const char *text;
	} rows[] = {
		{ "STAT evictions 3\r\n", VALUE("53") SAVED "\r\n", STATUS_OK,
		  "" },
		{ "STAT evictions 4\r\n", VALUE("53") SAVED "\r\n",
		  STATUS_CORRUPT, "evictions 4" },
		{ "STAT evictions 3\r\nSTAT cmd_flush 1\r\n",
		  VALUE("53") SAVED "\r\n", STATUS_CORRUPT, "flushes 1" },
		{ "STAT evictions 3\r\nSTAT pid 2\r\n",
		  VALUE("53") SAVED "\r\n", STATUS_CORRUPT, "pid 2" },
		{ "STAT evictions 3\r\nSTAT uptime 1\r\n",
		  VALUE("53") SAVED "\r\n", STATUS_CORRUPT, "start" },
		{ "STAT evictions 3\r\nSTAT slab_reassign_evictions_nomem "
		  "1\r\n",
		  VALUE("53") SAVED "\r\n", STATUS_CORRUPT, "moved 1" },
		{ "STAT evictions 3\r\nSTAT slab_reassign_busy_deletes 1\r\n",
		  VALUE("53") SAVED "\r\n", STATUS_CORRUPT, "stuck 1" },
		{ "STAT evictions 3\r\n", VALUE("2") "xy\r\n", STATUS_CORRUPT,
		  "lost" },
		{ "STAT evictions 3\r\n", VALUE("0") "\r\n", STATUS_CORRUPT,
		  "lost" },
		{ "STAT evictions 3\r\n", "EN\r\n", STATUS_CORRUPT,
		  "restarted or flushed" },
		{ "STAT evictions 3\r\n", "HD\r\n", STATUS_UNAVAILABLE,
		  "does not answer" },
		{ "STAT evictions 3\r\nSTAT time 9999999999\r\n"
		  "STAT uptime 9999999899\r\n",
		  VALUE("53") SAVED "\r\n", STATUS_CORRUPT, "ahead" },
	};
	char answer[600];
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct memcached_fake fake = { .expected = "1.m",
					       .answer = answer };
		struct err err = { .text = "" };
		memcached_fixture_fake(&fake);
		struct counter_store *store = open_store(fake.path, TIMEOUT_MS);
		snprintf(answer, sizeof(answer),
			 "VERSION 1.6.18\r\nSTAT pid 1\r\nSTAT time 1000\r\n"
			 "STAT uptime 900\r\n%sEND\r\n%s",
			 rows[i].stats, rows[i].marker);
		enum status status = store->type->check(store, &err);
		if (status != rows[i].want ||
		    strstr(err.text, rows[i].text) == NULL) {
			fail_msg("%zu: %d %s", i, (int)status, err.text);
		}
		counter_store_free(store);
		memcached_fixture_fake_end(&fake);
	}
}

static struct memcached_process servers[2];
static char setting[250];

static void
start_two(void)
{
	memcached_fixture_start(&servers[0]);
	memcached_fixture_start_tcp(&servers[1]);
	snprintf(setting, sizeof(setting), "%s,%s", servers[0].where,
		 servers[1].where);
}

static void
end_two(void)
{
	memcached_fixture_kill(&servers[0]);
	memcached_fixture_kill(&servers[1]);
}

static void
flush(const char *request)
{
	char said[200];

	memcached_fixture_say(&servers[1], request, said, sizeof(said));
	assert_string_equal(said, "OK\r\n");
}

/* Begun again, since it was not ready: a marker that is not true any more is
 * replaced, and then all counters are written again. */
static void
test_begins_again(void **state)
{
	struct err err;
	(void)state;

	start_two();
	struct counter_store *store = open_store(setting, PATIENT_MS);
	assert_int_equal(store->type->check(store, &err), STATUS_CORRUPT);
	assert_int_equal(store->type->begin(store, 1, &err), STATUS_OK);
	assert_int_equal(store->type->begin(store, 1, &err), STATUS_OK);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	/* it says that it has been flushed; the marker is still there */
	flush("flush_all 100000\r\n");
	assert_int_equal(store->type->check(store, &err), STATUS_CORRUPT);
	assert_int_equal(store->type->begin(store, 1, &err), STATUS_OK);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	memcached_fixture_kill(&servers[0]);
	assert_int_equal(store->type->begin(store, 3, &err),
			 STATUS_UNAVAILABLE);
	counter_store_free(store);
	end_two();
}

/* Two housekeepers begin the same epoch.  The second does not disturb the
 * first, except where the first must know that what it wrote is lost. */
static void
test_two_begin(void **state)
{
	struct err err;
	(void)state;

	start_two();
	struct counter_store *a = open_store(setting, PATIENT_MS);
	struct counter_store *b = open_store(setting, PATIENT_MS);
	assert_int_equal(a->type->begin(a, 1, &err), STATUS_OK);
	assert_int_equal(b->type->begin(b, 1, &err), STATUS_OK);
	assert_int_equal(a->type->check(a, &err), STATUS_OK);
	assert_int_equal(b->type->check(b, &err), STATUS_OK);
	clock_sleep_us(1100000);
	flush("flush_all\r\n");
	assert_int_equal(b->type->begin(b, 1, &err), STATUS_OK);
	assert_int_equal(b->type->check(b, &err), STATUS_OK);
	assert_int_equal(a->type->check(a, &err), STATUS_CORRUPT);
	assert_non_null(strstr(err.text, "begun the epoch again"));
	/* whoever has not begun it takes it as it is */
	struct counter_store *c = open_store(setting, PATIENT_MS);
	assert_int_equal(c->type->check(c, &err), STATUS_OK);
	counter_store_free(c);
	counter_store_free(b);
	counter_store_free(a);
	end_two();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_begins),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_begins_again),
		cmocka_unit_test(test_two_begin),
	};

	if (!memcached_fixture_begin()) {
		return 77;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	memcached_fixture_end();
	return failed;
}
