/*
 * counter_cases: counters in a real PostgreSQL, one caller at a time.
 *
 * Run by test_store.sh, with what items_fixture.h wants, and IMS_PG_ROOT, a
 * superuser.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "items_fixture.h"

/* --- one item, several ------------------------------------------------------ */

static void
item_is_added_once(void **state)
{
	struct items *w = *state;
	struct store_counter_item it[3] = { items_item("b", 0, "1"),
					    items_item("a", 0, NULL),
					    items_item("c", 0, "3") };
	char text[64];

	items_read(w, it, 3);
	assert_string_equal(items_said(&it[0], text), "+");
	assert_string_equal(items_said(&it[1], text), "-");
	assert_string_equal(items_said(&it[2], text), "+");
	uint64_t first = it[0].version;
	it[1] = items_item("a", 0, "2");
	items_read(w, it, 3);
	assert_string_equal(items_said(&it[0], text), "1");
	assert_int_equal(it[0].version, first);
	assert_string_equal(items_said(&it[1], text), "+");
	assert_string_equal(items_said(&it[2], text), "3");
	/* what was added can be replaced by the version that is given */
	it[0].version = first;
	it[0].next = (const unsigned char *)"9";
	size_t moved;
	assert_int_equal(items_swap(w, it, 1, &moved), STORE_COUNTER_DONE);
	assert_string_equal(items_now(w, "b", text), "9");
}

static void
swap_is_for_what_was_read(void **state)
{
	struct items *w = *state;
	struct store_counter_item it = items_item("k", 0, "1");
	size_t moved = 7;
	char text[64];

	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_DONE);
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_MOVED);
	assert_int_equal(moved, 0);
	items_read(w, &it, 1);
	uint64_t version = it.version;
	it = items_item("k", version, "2");
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_DONE);
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_MOVED);
	assert_string_equal(items_now(w, "k", text), "2");
	/* a version of what is not there */
	it = items_item("nothing", version, "2");
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_MOVED);
	assert_string_equal(items_now(w, "nothing", text), "-");
	/* deleted and there again: no version comes twice */
	struct store_counter_item gone = items_item("k", 0, NULL);
	struct err err;
	it = items_item("k", 0, NULL);
	items_read(w, &it, 1);
	version = it.version;
	assert_int_equal(store_counter_put(w->pg, w->epoch, &gone, 1, &err),
			 STATUS_OK);
	it = items_item("k", 0, "2");
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_DONE);
	it = items_item("k", version, "3");
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_MOVED);
}

static void
swap_is_all_or_nothing(void **state)
{
	struct items *w = *state;
	struct store_counter_item it[3] = { items_item("c", 0, "1"),
					    items_item("a", 0, "1"),
					    items_item("b", 0, "1") };
	size_t moved = 7;
	char text[64];

	/* of each place in turn another one is moved */
	for (size_t wrong = 0; wrong < 3; wrong++) {
		for (size_t i = 0; i < 3; i++) {
			it[i].version = i == wrong ? 12345678 : 0;
		}
		assert_int_equal(items_swap(w, it, 3, &moved),
				 STORE_COUNTER_MOVED);
		assert_int_equal(moved, wrong);
		assert_string_equal(items_now(w, "a", text), "-");
		assert_string_equal(items_now(w, "b", text), "-");
		assert_string_equal(items_now(w, "c", text), "-");
		it[wrong].version = 0;
	}
	assert_int_equal(items_swap(w, it, 3, &moved), STORE_COUNTER_DONE);
	it[0].next = it[1].next = it[2].next = NULL;
	items_read(w, it, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(items_said(&it[i], text), "1");
		it[i].next = (const unsigned char *)"2";
		it[i].next_n = 1;
	}
	it[2].version++;
	assert_int_equal(items_swap(w, it, 3, &moved), STORE_COUNTER_MOVED);
	assert_int_equal(moved, 2);
	assert_string_equal(items_now(w, "a", text), "1");
	it[2].version--;
	assert_int_equal(items_swap(w, it, 3, &moved), STORE_COUNTER_DONE);
	assert_string_equal(items_now(w, "c", text), "2");
}

static void
expired_is_absent(void **state)
{
	struct items *w = *state;
	struct store_counter_item it = items_item("k", 0, "1");
	size_t moved;
	char text[64];

	it.expires_s = clock_now_us() / 1000000 - 1;
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_DONE);
	assert_string_equal(items_now(w, "k", text), "-");
	uint64_t version = (uint64_t)pg_fixture_number(
	    w->owner, "SELECT max(version) FROM counter_items");
	/* not to be replaced by its version, but as absent */
	it = items_item("k", version, "2");
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_MOVED);
	struct store_counter_item two[2] = { items_item("j", 0, "2"),
					     items_item("k", 0, "2") };
	assert_int_equal(items_swap(w, two, 2, &moved), STORE_COUNTER_DONE);
	assert_string_equal(items_now(w, "k", text), "2");
	/* and to be added to */
	pg_fixture_run(w->owner, "UPDATE counter_items SET expires_at = now() "
				 "WHERE key = 'k'");
	it = items_item("k", 0, "3");
	items_read(w, &it, 1);
	assert_string_equal(items_said(&it, text), "+");
	assert_string_equal(items_now(w, "k", text), "3");
}

static void
put_writes_whatever_is_there(void **state)
{
	struct items *w = *state;
	struct store_counter_item it[3] = { items_item("b", 0, "1"),
					    items_item("a", 0, "1"),
					    items_item("c", 0, NULL) };
	struct err err;
	char text[64];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    store_counter_put(w->pg, w->epoch, it, 3, &err), STATUS_OK);
		assert_string_equal(items_now(w, "a", text), "1");
		assert_string_equal(items_now(w, "b", text), "1");
		assert_string_equal(items_now(w, "c", text), "-");
	}
	it[0].next = NULL;
	assert_int_equal(store_counter_put(w->pg, w->epoch, it, 3, &err),
			 STATUS_OK);
	assert_string_equal(items_now(w, "b", text), "-");
}

static void
any_bytes_come_back(void **state)
{
	struct items *w = *state;
	enum { MANY = 1000 * 1000 };
	unsigned char *bytes = malloc(MANY + 1);
	static const char *const keys[] = { "\"", "\\", "{a,b}", "NULL", "'" };
	size_t moved;

	for (size_t i = 0; i <= MANY; i++) {
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	}
	for (size_t i = 0; i < 5; i++) {
		struct store_counter_item it = items_item(keys[i], 0, "");
		static const size_t sizes[] = { 0, 1, 256, 5000, MANY };
		it.next = bytes;
		it.next_n = sizes[i];
		assert_int_equal(items_swap(w, &it, 1, &moved),
				 STORE_COUNTER_DONE);
		it = items_item(keys[i], 0, NULL);
		items_read(w, &it, 1);
		assert_int_equal(it.state, STORE_COUNTER_FOUND);
		assert_int_equal(it.value_n, sizes[i]);
		assert_memory_equal(it.value, bytes, sizes[i] + 0);
	}
	struct store_counter_item large = items_item("large", 0, "");
	large.next = bytes;
	large.next_n = MANY + 1;
	assert_int_equal(items_swap(w, &large, 1, &moved),
			 STORE_COUNTER_FAILED);
	free(bytes);
}

/* --- epochs ------------------------------------------------------------------ */

static void
epoch_that_does_not_hold_is_unknown(void **state)
{
	struct items *w = *state;
	struct store_counter_item it = items_item("k", 0, "1");
	struct err err;
	size_t moved;
	char text[64];

	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_DONE);
	for (int i = 0; i < 3; i++) {
		/* one to come, none, and one that is over */
		uint64_t right = w->epoch;
		w->epoch = i == 0 ? right + 1 : i == 1 ? 0 : right - 1;
		assert_string_equal(items_now(w, "k", text), "?");
		it = items_item("k", 0, "2");
		items_read(w, &it, 1);
		assert_string_equal(items_said(&it, text), "?");
		assert_int_equal(items_swap(w, &it, 1, &moved),
				 STORE_COUNTER_FAILED);
		assert_int_equal(
		    store_counter_put(w->pg, w->epoch, &it, 1, &err),
		    STATUS_CONFLICT);
		assert_int_equal(store_counter_begin(w->pg, w->epoch, &err),
				 STATUS_CONFLICT);
		w->epoch = right;
	}
	assert_string_equal(items_now(w, "k", text), "1");
	/* memcached counts now */
	uint64_t memcached = items_epoch(w->owner, STORE_NODE_MEMCACHED);
	assert_string_equal(items_now(w, "k", text), "?");
	w->epoch = memcached;
	assert_int_equal(store_counter_begin(w->pg, memcached, &err),
			 STATUS_CONFLICT);
	assert_int_equal(store_node_epoch_ready(w->owner, memcached, &err),
			 STATUS_OK);
	assert_string_equal(items_now(w, "k", text), "?");
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_FAILED);
	assert_int_equal(store_counter_put(w->pg, memcached, &it, 1, &err),
			 STATUS_CONFLICT);
}

static void
epoch_is_rebuilt_by_put(void **state)
{
	struct items *w = *state;
	struct store_counter_item there = items_item("there", 0, "1");
	struct store_counter_item other = items_item("other", 0, "1");
	struct err err;
	size_t moved;
	char text[64];

	w->epoch = items_epoch(w->owner, STORE_NODE_POSTGRESQL);
	assert_int_equal(store_counter_put(w->pg, w->epoch, &there, 1, &err),
			 STATUS_OK);
	/* what is there is known, what is not there is not */
	assert_string_equal(items_now(w, "there", text), "1");
	assert_string_equal(items_now(w, "other", text), "?");
	items_read(w, &other, 1);
	assert_string_equal(items_said(&other, text), "?");
	other = items_item("other", 0, "1");
	assert_int_equal(items_swap(w, &other, 1, &moved),
			 STORE_COUNTER_FAILED);
	assert_int_equal(store_counter_begin(w->pg, w->epoch, &err), STATUS_OK);
	assert_int_equal(store_counter_begin(w->pg, w->epoch, &err), STATUS_OK);
	assert_string_equal(items_now(w, "other", text), "-");
	assert_int_equal(items_swap(w, &other, 1, &moved), STORE_COUNTER_DONE);
}

static void
clean_leaves_what_counts(void **state)
{
	struct items *w = *state;
	struct store_counter_item it[3] = { items_item("a", 0, "1"),
					    items_item("b", 0, "1"),
					    items_item("c", 0, "1") };
	int64_t gone = -1;
	struct err err;
	size_t moved;
	char text[64];

	pg_fixture_run(w->owner, "DELETE FROM counter_items");
	assert_int_equal(items_swap(w, it, 3, &moved), STORE_COUNTER_DONE);
	pg_fixture_run(
	    w->owner,
	    "UPDATE counter_items SET epoch = epoch - 1 WHERE key = 'a'");
	pg_fixture_run(w->owner, "UPDATE counter_items SET expires_at = now() "
				 "WHERE key = 'b'");
	pg_fixture_run(w->owner,
		       "UPDATE counter_epochs SET begun_at = now() - interval "
		       "'91 days' WHERE epoch = 1");
	assert_int_equal(store_counter_clean(w->owner, 1, &gone, &err),
			 STATUS_OK);
	assert_int_equal(gone, 1);
	assert_int_equal(store_counter_clean(w->owner, 100, &gone, &err),
			 STATUS_OK);
	assert_int_equal(gone, 1);
	assert_int_equal(store_counter_clean(w->owner, 100, &gone, &err),
			 STATUS_OK);
	assert_int_equal(gone, 0);
	assert_string_equal(items_now(w, "c", text), "1");
	assert_int_equal(
	    pg_fixture_number(w->owner, "SELECT count(*) FROM counter_epochs "
					"WHERE epoch = 1"),
	    0);
}

/* --- plans ---------------------------------------------------------------------- */

/* Rows of counter_items that this session has read; a scan is a million. */
static int64_t
rows_read(struct items *w)
{
	return pg_fixture_number(
	    w->pg, "SELECT seq_scan * 1000000 + idx_tup_fetch FROM "
		   "pg_stat_xact_all_tables WHERE relname = 'counter_items'");
}

static void
reads_are(struct items *w, const char *what, int64_t *since, int64_t most)
{
	int64_t n = rows_read(w);

	print_message("%s reads %d rows\n", what, (int)(n - *since));
	assert_in_range(n - *since, 0, most);
	*since = n;
}

/* Also where the planner knows nothing of the epoch, and few rows. */
static void
rows_are_read_by_key(void **state)
{
	struct items *w = *state;
	struct store_counter_item it[4] = { items_item("17", 0, "x"),
					    items_item("23", 0, "x"),
					    items_item("4000", 0, "x"),
					    items_item("none", 0, "x") };
	struct err err;
	size_t moved;

	pg_fixture_run(w->owner, "DELETE FROM counter_items");
	pg_fixture_run(w->owner, "VACUUM ANALYZE counter_items");
	pg_fixture_run(w->pg, "BEGIN");
	for (int round = 0; round < 8; round++) {
		struct store_counter_item plain[4];
		for (size_t i = 0; i < 4; i++) {
			plain[i] = items_item(it[i].key, 0, NULL);
		}
		items_read(w, plain, 4);
		items_read(w, it, round == 0 ? 3 : 4);
	}
	pg_fixture_run(w->pg, "COMMIT");
	char sql[400];
	snprintf(sql, sizeof(sql),
		 "INSERT INTO counter_items SELECT %llu, g, "
		 "nextval('counter_version'), 'x', now() + interval '1 hour' "
		 "FROM generate_series(1, 5000) g ON CONFLICT DO NOTHING",
		 (unsigned long long)w->epoch);
	pg_fixture_run(w->owner, sql);
	for (int round = 0; round < 2; round++) {
		pg_fixture_run(w->pg, "BEGIN");
		int64_t since = rows_read(w);
		for (size_t i = 0; i < 4; i++) {
			it[i] = items_item(it[i].key, 0, NULL);
		}
		items_read(w, it, 4);
		reads_are(w, "a read", &since, 8);
		for (size_t i = 0; i < 4; i++) {
			it[i] = items_item(it[i].key, 0, "y");
		}
		items_read(w, it, 4);
		reads_are(w, "a read that adds", &since, 8);
		for (size_t i = 0; i < 4; i++) {
			it[i] = items_item(it[i].key, it[i].version, "y");
		}
		assert_int_equal(items_swap(w, it, 4, &moved),
				 STORE_COUNTER_DONE);
		reads_are(w, "a swap", &since, 8);
		items_read(w, it, 4);
		assert_int_equal(items_swap(w, it, 1, &moved),
				 STORE_COUNTER_DONE);
		reads_are(w, "a swap of one", &since, 8);
		assert_int_equal(
		    store_counter_put(w->pg, w->epoch, it, 4, &err), STATUS_OK);
		reads_are(w, "a put", &since, 8);
		pg_fixture_run(w->pg, "COMMIT");
		pg_fixture_run(w->owner, "ANALYZE counter_items");
	}
}

/* --- a server that fails ------------------------------------------------------ */

static void
swap_knows_whether_it_was_written(void **state)
{
	struct items *w = *state;
	struct store_counter_item it = items_item("k", 0, "1");
	struct pg *wrong = pg_fixture_nobody();
	struct err err;
	size_t moved;
	char sql[128];

	/* never sent */
	assert_int_equal(
	    store_counter_swap(wrong, w->epoch, &it, 1, &moved, &err),
	    STORE_COUNTER_FAILED);
	assert_int_equal(
	    store_counter_read(wrong, w->epoch, w->arena, &it, 1, &err),
	    STATUS_UNAVAILABLE);
	assert_int_equal(store_counter_put(wrong, w->epoch, &it, 1, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_counter_begin(wrong, w->epoch, &err),
			 STATUS_UNAVAILABLE);
	int64_t gone;
	assert_int_equal(store_counter_clean(wrong, 1, &gone, &err),
			 STATUS_UNAVAILABLE);
	pg_free(wrong);
	/* answered with an error: a writer that waits for too long */
	struct pg *hasty = pg_new(getenv("IMS_PG_COUNTER"), "hasty", 200);
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_DONE);
	items_read(w, &it, 1);
	pg_fixture_run(w->owner, "BEGIN; SELECT FROM counter_items FOR UPDATE");
	assert_int_equal(
	    store_counter_swap(hasty, w->epoch, &it, 1, &moved, &err),
	    STORE_COUNTER_FAILED);
	pg_fixture_run(w->owner, "ROLLBACK");
	pg_free(hasty);
	/* cut off while it waits */
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d, 5000)",
		 (int)pg_fixture_number(w->pg, "SELECT pg_backend_pid()"));
	pg_fixture_run(w->owner, "BEGIN; SELECT FROM counter_items FOR UPDATE");
	pid_t cutter = fork();
	if (cutter == 0) {
		clock_sleep_us(300000);
		pg_fixture_number(pg_fixture_open("IMS_PG_ROOT"), sql);
		_exit(0);
	}
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_UNSURE);
	assert_int_equal(waitpid(cutter, NULL, 0), cutter);
	pg_fixture_run(w->owner, "ROLLBACK");
	/* not as a part of an older moment */
	clock_sleep_us(1000000);
	pg_fixture_run(w->pg,
		       "SET default_transaction_isolation = 'repeatable read'");
	assert_int_equal(items_swap(w, &it, 1, &moved), STORE_COUNTER_FAILED);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, items_begin, items_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(item_is_added_once),
		CASE(swap_is_for_what_was_read),
		CASE(swap_is_all_or_nothing),
		CASE(expired_is_absent),
		CASE(put_writes_whatever_is_there),
		CASE(any_bytes_come_back),
		CASE(epoch_that_does_not_hold_is_unknown),
		CASE(epoch_is_rebuilt_by_put),
		CASE(clean_leaves_what_counts),
		CASE(rows_are_read_by_key),
		CASE(swap_knows_whether_it_was_written),
	};

	if (getenv("IMS_PG") == NULL || getenv("IMS_PG_COUNTER") == NULL) {
		fputs("counter_cases: IMS_PG, IMS_PG_COUNTER are not set\n",
		      stderr);
		return 2;
	}
	log_open("counter_cases", LOG_ERROR);
	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
