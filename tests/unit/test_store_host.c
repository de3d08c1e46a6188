/* store_host: what one host keeps, through deleted and damaged files, full
 * maps and expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metric.h"
#include "counter/host_txn.h"
#include "counter_suite.h"
#include "host_fixture.h"

enum { SWEPT = 100 };

static void
reset(void *arg)
{
	(void)arg;
	host_epoch += 10;
	counter_store_free(begun());
}

static void
lose(void *arg)
{
	(void)arg;
	drop_marker(host_epoch);
}

/* The path of the host_epoch's file, or of what is beside it. */
static void
path_of(const char *end, char out[1300])
{
	struct host_file *file;

	assert_int_equal(host_file_open(host_folder, host_epoch, &file, NULL),
			 STATUS_OK);
	snprintf(out, 1300, "%s%s", file->path, end);
	host_file_close(file);
}

static size_t
files(void)
{
	DIR *dir = opendir(host_folder);
	size_t n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		n += e->d_name[0] != '.';
	}
	closedir(dir);
	return n;
}

/* ---- the host_epoch and its file */

static void
nothing_is_known_before_it_begins(void **unused)
{
	struct counter_store *store = open_store(NULL);
	struct counter_item one = read_one(store, "k");
	struct err err;
	size_t gone = 7;

	(void)unused;
	assert_int_equal(one.state, ITEM_UNKNOWN);
	one.state = ITEM_ABSENT;
	assert_int_equal(swap_one(store, &one, "1", 1), ITEM_FAILED);
	put_one(store, "k", "1", LATER);
	assert_int_equal(store->type->check(store, &err), STATUS_CORRUPT);
	assert_int_equal(counter_host_sweep(store, 1, &gone, &err),
			 STATUS_CORRUPT);
	assert_int_equal(gone, 7);
	assert_int_equal(files(), 0);
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_OK);
	assert_int_equal(files(), 2);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	assert_int_equal(store->round_trips, 0);
	counter_store_free(store);
}

static void
beginning_again_keeps_everything(void **unused)
{
	struct counter_store *store = begun();

	(void)unused;
	put_one(store, "k", "one", LATER);
	struct counter_item one = read_one(store, "k");
	assert_int_equal(store->type->begin(store, host_epoch, NULL),
			 STATUS_OK);
	assert_int_equal(swap_one(store, &one, "two", 3), ITEM_REPLACED);
	counter_store_free(store);
	store = begun();
	assert_memory_equal(read_one(store, "k").value, "two", 3);
	counter_store_free(store);
}

static void
a_new_epoch_is_a_new_file(void **unused)
{
	struct counter_store *old = begun();
	char other[300], path[1300];
	struct stat st;

	(void)unused;
	put_one(old, "k", "old", LATER);
	/* of another boot, and what is not ours */
	static const char *const names[] = {
		"counters-0b0e7b0e-0000-4000-8000-000000000000-9.mdb",
		"counters-0b0e7b0e-0000-4000-8000-000000000000-9.mdb-lock",
		"counters-notes", "claims"
	};
	for (int i = 0; i < 4; i++) {
		snprintf(other, sizeof(other), "%s/%s", host_folder, names[i]);
		close(open(other, O_CREAT | O_WRONLY, 0600));
	}
	host_epoch++;
	struct counter_store *next = begun();
	assert_int_equal(files(), 4);
	assert_int_equal(read_one(next, "k").state, ITEM_ABSENT);
	put_one(next, "k", "new", LATER);
	path_of("", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* who has the old one goes on in it until told of the new one */
	assert_memory_equal(read_one(old, "k").value, "old", 3);
	assert_int_equal(old->type->check(old, NULL), STATUS_CORRUPT);
	old->epoch = host_epoch;
	assert_memory_equal(read_one(old, "k").value, "new", 3);
	counter_store_free(old);
	counter_store_free(next);
	counter_host_delete(host_folder);
	assert_int_equal(files(), 2);
	counter_host_delete("/nonexistent/host_folder");
}

static void
a_deleted_file_is_lost(void **unused)
{
	static const char *const ends[] = { "", "-lock" };
	char path[1300];
	struct err err;

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct counter_store *a = begun(), *b = open_store(NULL);
		put_one(a, "k", "one", LATER);
		path_of(ends[i], path);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(a->type->check(a, &err), STATUS_CORRUPT);
		assert_int_equal(read_one(b, "k").state, ITEM_UNKNOWN);
		host_epoch++;
		a->epoch = host_epoch;
		assert_int_equal(a->type->begin(a, host_epoch, &err),
				 STATUS_OK);
		b->epoch = host_epoch;
		assert_int_equal(read_one(b, "k").state, ITEM_ABSENT);
		put_one(b, "k", "two", LATER);
		assert_memory_equal(read_one(a, "k").value, "two", 3);
		counter_store_free(a);
		counter_store_free(b);
	}
}

/* The same name again, while the old file is still open. */
static void
a_deleted_file_is_made_anew(void **unused)
{
	struct counter_store *old = begun();
	char path[1300];

	(void)unused;
	put_one(old, "k", "old", LATER);
	struct counter_item was = read_one(old, "k");
	path_of("", path);
	assert_int_equal(unlink(path), 0);
	struct counter_store *next = begun();
	put_one(next, "k", "new", LATER);
	assert_memory_equal(read_one(old, "k").value, "old", 3);
	assert_int_equal(swap_one(next, &was, "old", 3), ITEM_MOVED);
	assert_int_equal(old->type->check(old, NULL), STATUS_CORRUPT);
	assert_int_equal(next->type->check(next, NULL), STATUS_OK);
	counter_store_free(old);
	assert_memory_equal(read_one(next, "k").value, "new", 3);
	counter_store_free(next);
}

static void
write_file(const char *path, size_t n)
{
	static char junk[HOST_FILE_MIN_BYTES];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	memset(junk, 'x', sizeof(junk));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, junk, n), n);
	close(fd);
}

/* What a process leaves that was killed while it made the file, and worse. */
static void
a_damaged_file_is_replaced(void **unused)
{
	static const size_t sizes[] = { 0, 100, 8192, HOST_FILE_MIN_BYTES };
	char path[1300];
	struct err err;

	(void)unused;
	for (int i = 0; i < 4; i++) {
		struct counter_store *store = begun();
		path_of("", path);
		counter_store_free(store);
		write_file(path, sizes[i]);
		store = open_store(NULL);
		assert_int_equal(store->type->check(store, &err),
				 STATUS_CORRUPT);
		assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
		assert_int_equal(store->type->begin(store, host_epoch, &err),
				 STATUS_OK);
		assert_int_equal(store->type->check(store, &err), STATUS_OK);
		counter_store_free(store);
	}
}

static void
values_that_are_damaged_are_not_believed(void **unused)
{
	struct counter_store *store = begun();
	struct host_file *file;
	MDB_txn *txn;
	MDB_val marker = host_txn_marker();
	MDB_val key = { .mv_size = 1, .mv_data = (char[]){ 'k' } };
	MDB_val value = { .mv_size = 3, .mv_data = (char[]){ "abc" } };
	struct err err;

	(void)unused;
	put_one(store, "fine", "1", LATER);
	struct counter_item absent = read_one(store, "k");
	assert_int_equal(host_file_open(host_folder, host_epoch, &file, NULL),
			 STATUS_OK);
	assert_int_equal(mdb_txn_begin(file->env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, file->dbi, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	struct counter_item both[] = { item_of("fine", NULL, 0),
				       item_of("k", NULL, 0) };
	store->type->read(store, host_arena, both, 2);
	assert_int_equal(both[0].state, ITEM_UNKNOWN);
	assert_int_equal(both[1].state, ITEM_UNKNOWN);
	assert_int_equal(read_one(store, "fine").state, ITEM_FOUND);
	assert_int_equal(swap_one(store, &absent, "1", 1), ITEM_FAILED);
	/* the marker itself */
	assert_int_equal(mdb_txn_begin(file->env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_put(txn, file->dbi, &marker, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	host_file_close(file);
	assert_int_equal(read_one(store, "fine").state, ITEM_UNKNOWN);
	assert_int_equal(store->type->check(store, &err), STATUS_UNAVAILABLE);
	counter_store_free(store);
}

static void
no_folder_no_counters(void **unused)
{
	char path[HOST_FILE_FOLDER_BYTES + 2];
	struct err err;
	size_t gone;

	(void)unused;
	struct counter_store *store =
	    counter_host_store("/nonexistent/host_folder", MAP_BYTES, &err);
	store->epoch = host_epoch;
	assert_int_equal(store->type->check(store, &err), STATUS_UNAVAILABLE);
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(counter_host_sweep(store, 1, &gone, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
	counter_store_free(store);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_null(counter_host_store(path, MAP_BYTES, &err));
	path[sizeof(path) - 2] = '\0';
	store = counter_host_store(path, MAP_BYTES, &err);
	assert_non_null(store);
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_UNAVAILABLE);
	counter_store_free(store);
}

/* A host_folder stands where the file should be. */
static void
what_cannot_be_opened(void **unused)
{
	struct counter_store *store = begun();
	char path[1300];
	struct err err;

	(void)unused;
	path_of("", path);
	counter_store_free(store);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	store = open_store(NULL);
	assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_UNAVAILABLE);
	host_epoch++;
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_OK);
	store->epoch = host_epoch;
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	counter_store_free(store);
	assert_int_equal(rmdir(path), 0);
}

/* ---- values */

static void
what_expired_is_absent(void **unused)
{
	struct counter_store *store = begun();
	const int64_t at_s = clock_now_us() / 1000000;

	(void)unused;
	put_one(store, "past", "1", at_s);
	put_one(store, "never", "1", 0);
	put_one(store, "soon", "1", at_s + 2);
	assert_int_equal(read_one(store, "past").state, ITEM_ABSENT);
	assert_int_equal(read_one(store, "never").state, ITEM_ABSENT);
	struct counter_item soon = read_one(store, "soon");
	assert_int_equal(soon.state, ITEM_FOUND);
	struct counter_item past = read_one(store, "past");
	assert_int_equal(swap_one(store, &past, "2", 1), ITEM_REPLACED);
	assert_memory_equal(read_one(store, "past").value, "2", 1);
	struct counter_item never = item_of("never", "3", 1);
	store->type->read(store, host_arena, &never, 1);
	assert_int_equal(never.state, ITEM_ABSENT);
	assert_memory_equal(read_one(store, "never").value, "3", 1);
	while (clock_now_us() < (at_s + 2) * 1000000) {
		clock_sleep_us(20000);
	}
	assert_int_equal(swap_one(store, &soon, "2", 1), ITEM_MOVED);
	soon = read_one(store, "soon");
	assert_int_equal(soon.state, ITEM_ABSENT);
	assert_int_equal(swap_one(store, &soon, "2", 1), ITEM_REPLACED);
	counter_store_free(store);
}

static void
nothing_to_write_writes_nothing(void **unused)
{
	struct counter_store *store = begun();
	struct counter_item none = read_one(store, "k");

	(void)unused;
	none.result = ITEM_UNSURE;
	store->type->swap(store, &none, 1);
	assert_int_equal(none.result, ITEM_UNSURE);
	store->type->put(store, &none, 1);
	store->type->read(store, host_arena, &none, 0);
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	none.state = ITEM_UNKNOWN;
	assert_int_equal(swap_one(store, &none, "1", 1), ITEM_MOVED);
	put_one(store, "k", "1", LATER);
	assert_int_equal(swap_one(store, &none, "1", 1), ITEM_MOVED);
	counter_store_free(store);
}

static void
values_have_a_largest_size(void **unused)
{
	static char large[COUNTER_VALUE_MAX_BYTES + 1];
	struct counter_store *store = begun();
	struct counter_item absent = read_one(store, "k");

	(void)unused;
	assert_int_equal(swap_one(store, &absent, large, sizeof(large)),
			 ITEM_FAILED);
	struct counter_item item = item_of("k", large, sizeof(large));
	store->type->put(store, &item, 1);
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	assert_int_equal(swap_one(store, &absent, large, sizeof(large) - 1),
			 ITEM_REPLACED);
	assert_int_equal(read_one(store, "k").value_n, sizeof(large) - 1);
	counter_store_free(store);
}

/* ---- room */

static const int64_t SMALL_MAP = 1024 * 1024;

/* Write values until one is refused; returns how many there are. */
static int
fill(struct counter_store *store, int64_t expires_s)
{
	static const char bytes[400];
	int n = 0;

	for (;; n++) {
		char key[COUNTER_KEY_BYTES];
		snprintf(key, sizeof(key), "fill%d", n);
		struct counter_item item = read_one(store, key);
		item.next = (const unsigned char *)bytes;
		item.next_n = sizeof(bytes);
		item.expires_s = expires_s;
		store->type->swap(store, &item, 1);
		if (item.result != ITEM_REPLACED) {
			assert_int_equal(item.result, ITEM_FAILED);
			return n;
		}
	}
}

static void
a_full_map_refuses_and_keeps(void **unused)
{
	struct counter_store *store = begun_of(SMALL_MAP);
	struct counter_item one = item_of("one", "1", 1);
	size_t gone, all = 0;
	struct err err;

	(void)unused;
	put_one(store, "k", "kept", LATER);
	const int64_t soon_s = clock_now_us() / 1000000 + 2;
	int n = fill(store, soon_s);
	assert_true(n > 500 && n < 3000);
	assert_memory_equal(read_one(store, "k").value, "kept", 4);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	store->type->read(store, host_arena, &one, 1);
	assert_true(one.state == ITEM_UNKNOWN || one.state == ITEM_ABSENT);
	/* of whoever opens it, the size stays */
	struct counter_store *large = begun_of(SMALL_MAP * 64);
	assert_true(fill(large, soon_s) < n + 100);
	counter_store_free(large);
	clock_sleep_us(3000000);
	for (int i = 0; i < 300 && (all == 0 || gone > 0); i++) {
		assert_int_equal(counter_host_sweep(store, 100, &gone, &err),
				 STATUS_OK);
		all += gone;
	}
	assert_true(all >= (size_t)n);
	assert_memory_equal(read_one(store, "k").value, "kept", 4);
	struct counter_item again = read_one(store, "again");
	assert_int_equal(swap_one(store, &again, "1", 1), ITEM_REPLACED);
	counter_store_free(store);
}

static void
the_sweep_goes_round(void **unused)
{
	struct counter_store *store = begun();
	const int64_t past_s = clock_now_us() / 1000000 - 1;
	struct err err;
	size_t gone, all = 0;

	(void)unused;
	for (int i = 0; i < SWEPT; i++) {
		char key[COUNTER_KEY_BYTES];
		snprintf(key, sizeof(key), "k%03d", i);
		put_one(store, key, "1", i % 2 == 0 ? past_s : LATER);
	}
	/* the marker is the first that it looks at */
	for (int i = 0; i <= SWEPT / 10; i++) {
		assert_int_equal(counter_host_sweep(store, 10, &gone, &err),
				 STATUS_OK);
		assert_int_equal(gone, i < SWEPT / 10 ? 5 : 0);
		all += gone;
	}
	assert_int_equal(all, SWEPT / 2);
	put_one(store, "a", "1", past_s);
	assert_int_equal(counter_host_sweep(store, 1000, &gone, &err),
			 STATUS_OK);
	assert_int_equal(gone, 1);
	for (int i = 0; i < SWEPT; i++) {
		char key[COUNTER_KEY_BYTES];
		snprintf(key, sizeof(key), "k%03d", i);
		assert_int_equal(read_one(store, key).state,
				 i % 2 == 0 ? ITEM_ABSENT : ITEM_FOUND);
	}
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	drop_marker(host_epoch);
	assert_int_equal(counter_host_sweep(store, 1, &gone, &err),
			 STATUS_CORRUPT);
	counter_store_free(store);
}

/* Calls come and nobody's note expires: the oldest make room. */
static void
little_room_takes_the_oldest_notes(void **unused)
{
	enum { CALLS = 20000, A_SWEEP = 50 };
	struct counter_store *store = begun_of(SMALL_MAP * 4);
	static const char bytes[400];
	const uint64_t dropped =
	    (uint64_t)metric_read(METRIC_counter_notes_dropped_total, 0);
	char key[COUNTER_KEY_BYTES];
	uint64_t all = 0;
	struct err err;
	size_t gone;

	(void)unused;
	put_one(store, "a", "kept", LATER);
	put_one(store, "s", "kept", LATER);
	for (int i = 0; i < CALLS; i++) {
		snprintf(key, sizeof(key), "%c%06d", COUNTER_KEY_CALL, i);
		struct counter_item absent = { .state = ITEM_ABSENT };
		strcpy(absent.key, key);
		assert_int_equal(swap_one(store, &absent, bytes, sizeof(bytes)),
				 ITEM_REPLACED);
		if (i % (A_SWEEP / 2) == 0) {
			assert_int_equal(
			    counter_host_sweep(store, A_SWEEP, &gone, &err),
			    STATUS_OK);
			all += gone;
		}
	}
	assert_in_range(all, CALLS - 9000, CALLS - 3500);
	assert_int_equal(metric_read(METRIC_counter_notes_dropped_total, 0),
			 dropped + all);
	for (int i = 0; i < CALLS; i += 100) {
		snprintf(key, sizeof(key), "%c%06d", COUNTER_KEY_CALL, i);
		assert_int_equal(read_one(store, key).state,
				 (uint64_t)i < all ? ITEM_ABSENT : ITEM_FOUND);
	}
	assert_memory_equal(read_one(store, "a").value, "kept", 4);
	assert_memory_equal(read_one(store, "s").value, "kept", 4);
	/* until there is room again */
	for (int i = 0; i < CALLS / A_SWEEP; i++) {
		assert_int_equal(
		    counter_host_sweep(store, A_SWEEP, &gone, &err), STATUS_OK);
		all += gone;
	}
	assert_int_equal(gone, 0);
	assert_in_range(all, CALLS - 9000, CALLS - 3500);
	counter_store_free(store);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_known_before_it_begins),
		CASE(beginning_again_keeps_everything),
		CASE(a_new_epoch_is_a_new_file),
		CASE(a_deleted_file_is_lost),
		CASE(a_deleted_file_is_made_anew),
		CASE(a_damaged_file_is_replaced),
		CASE(values_that_are_damaged_are_not_believed),
		CASE(no_folder_no_counters),
		CASE(what_cannot_be_opened),
		CASE(what_expired_is_absent),
		CASE(nothing_to_write_writes_nothing),
		CASE(values_have_a_largest_size),
		CASE(a_full_map_refuses_and_keeps),
		CASE(the_sweep_goes_round),
		CASE(little_room_takes_the_oldest_notes),
	};
#undef CASE
	const struct suite_stores stores = {
		.name = "host", .open = open_store, .reset = reset, .lose = lose
	};

	if (!host_fixture_begin()) {
		return 1;
	}
	int failed = counter_suite_run(&stores);
	counter_host_delete(host_folder);
	failed += cmocka_run_group_tests(tests, NULL, NULL);
	host_fixture_end();
	return failed;
}
