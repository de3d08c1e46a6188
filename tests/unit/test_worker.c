/* What a worker does with an account that it cannot read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/metric.h"
#include "counter/account.h"
#include "counter/worker.h"
#include "counter_fixture.h"

#define S INT64_C(1000000)
#define T FIXTURE_NOW_US
#define ID "01a20846-fe00-710a-bf3e-cc9cabefba7a"

enum { EPOCH = 7, DAMAGED = 0, VERSION_OTHER = 1 };

static struct board board;
static struct counting on;
static struct counter_worker *worker;
static const struct counter_call call = { .evaluation_id = ID,
					  .now_us = T,
					  .expires_us = T + 900 * S };

/* EPOCH counts now. */
static void
begin_epoch(uint64_t epoch)
{
	struct counter_store *store = worker->stores[BOARD_COUNTS_MEMCACHED];

	store->epoch = epoch;
	assert_int_equal(store->type->begin(store, epoch, NULL), STATUS_OK);
	board.counter_epoch = epoch;
	board.counter_counts = BOARD_COUNTS_MEMCACHED;
}

static int
begin(void **unused)
{
	(void)unused;
	on.config.counter_wait_ms = 1;
	memset(&board, 0, sizeof(board));
	counting_begin(&on, &board);
	worker = counter_worker_new(on.counter);
	worker->stores[BOARD_COUNTS_MEMCACHED] =
	    counter_memory_store(on.memory);
	begin_epoch(EPOCH);
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	counting_end(&on, worker);
	return 0;
}

/* Let the account of "ann" be these bytes. */
static void
put(const void *bytes, size_t n)
{
	struct counter_store *store = worker->stores[BOARD_COUNTS_MEMCACHED];
	const struct counter_subject subject =
	    counter_subject(SCOPE_USER, "ann");
	struct counter_item item = { .next = bytes,
				     .next_n = n,
				     .expires_s = T / S + 3600 };

	counter_subject_key(&subject, item.key);
	store->type->put(store, &item, 1);
}

/* One that can be read, but for what ODD does to it. */
enum odd { SOUND, CHANGED, CUT, OTHER_VERSION };

static void
put_odd(enum odd odd)
{
	struct buf bytes = { 0 };
	struct account account;

	account_begin(&account, on.arena);
	account_see(&account, T);
	(void)account_encode(&account, &bytes);
	if (odd == CHANGED) {
		bytes.data[bytes.len - 1] ^= 1;
	} else if (odd == OTHER_VERSION) {
		bytes.data[0]++;
	}
	put(bytes.data, odd == CUT ? bytes.len - 1 : bytes.len);
	buf_fini(&bytes);
}

static enum charge_result
take(void)
{
	struct charging c = { .n = 0 };

	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100, 1);
	assert_true(counter_take(worker, &call, c.items, c.n, c.out));
	counter_done(worker);
	return c.out[0].result;
}

static int64_t
met(int why)
{
	return metric_read(METRIC_counter_unreadable_total, why);
}

static void
what_cannot_be_read_stands_on_the_board(void **unused)
{
	static const struct {
		enum odd odd;
		int damaged, version;
	} rows[] = {
		{ SOUND, 0, 0 },
		{ CHANGED, 1, 0 },
		{ CUT, 1, 0 },
		{ OTHER_VERSION, 0, 1 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool odd = rows[i].odd != SOUND;
		int64_t damaged = met(DAMAGED), version = met(VERSION_OTHER);
		uint64_t before = board.counter_unreadable;

		board.counter_unreadable_epoch = 0;
		put_odd(rows[i].odd);
		assert_int_equal(take(), odd ? CHARGE_UNKNOWN : CHARGE_FITS);
		assert_int_equal(board.counter_unreadable_epoch,
				 odd ? EPOCH : 0);
		assert_int_equal(board.counter_unreadable - before, odd);
		assert_int_equal(met(DAMAGED) - damaged, rows[i].damaged);
		assert_int_equal(met(VERSION_OTHER) - version, rows[i].version);
	}
}

/* Whoever looks meets it: asking, changing and giving back, too. */
static void
every_way_to_it_says_so(void **unused)
{
	struct charging c = { .n = 0 };
	struct counter_entry change = {
		.subject = counter_subject(SCOPE_USER, "ann"),
		.kind = COUNTER_BUDGET,
		.from_s = T / S,
		.to_s = T / S + 3600,
		.amount = 1,
	};

	(void)unused;
	put_odd(CHANGED);
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100, 1);
	counter_peek(worker, T, c.items, c.n, c.out);
	assert_int_equal(c.out[0].result, CHARGE_UNKNOWN);
	assert_int_equal(board.counter_unreadable_epoch, EPOCH);
	board.counter_unreadable_epoch = 0;
	assert_false(counter_adjust(worker, T, ID, &change, 1));
	assert_int_equal(board.counter_unreadable_epoch, EPOCH);
}

/* The lines that RUN logs. */
static int
lines_of(void (*run)(void))
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO), n = 0;

	assert_non_null(file);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	run();
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	for (int c; (c = fgetc(file)) != EOF;) {
		n += c == '\n';
	}
	fclose(file);
	return n;
}

static void
take_three_times(void)
{
	for (int i = 0; i < 3; i++) {
		assert_int_equal(take(), CHARGE_UNKNOWN);
	}
}

/* Another thread read it before the epoch was over. */
static void
read_late(void)
{
	struct counter_store store = { .epoch = EPOCH };
	const struct counter_item item = { .key = "a",
					   .state = ITEM_FOUND,
					   .value = (const unsigned char *)"?",
					   .value_n = 1 };
	struct account account;

	assert_false(
	    counter_worker_account(worker, &store, &item, T, &account));
}

static void
it_is_logged_once_an_epoch(void **unused)
{
	(void)unused;
	put_odd(CHANGED);
	assert_int_equal(lines_of(take_three_times), 1);
	assert_int_equal(lines_of(take_three_times), 0);
	assert_int_equal(board.counter_unreadable, 6);
	begin_epoch(EPOCH + 1);
	put_odd(OTHER_VERSION);
	assert_int_equal(lines_of(take_three_times), 1);
	assert_int_equal(board.counter_unreadable_epoch, EPOCH + 1);
	assert_int_equal(lines_of(read_late), 0);
	assert_int_equal(board.counter_unreadable_epoch, EPOCH + 1);
}

/* A store that a tool brings is not what the board speaks of. */
static void
a_store_of_its_own_is_not_on_the_board(void **unused)
{
	struct counter_worker *other =
	    counter_worker_on(on.counter, counter_memory_store(on.memory));
	struct charging c = { .n = 0 };

	(void)unused;
	other->given->epoch = EPOCH;
	put_odd(CHANGED);
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100, 1);
	assert_true(counter_take(other, &call, c.items, c.n, c.out));
	assert_int_equal(c.out[0].result, CHARGE_UNKNOWN);
	assert_int_equal(board.counter_unreadable_epoch, 0);
	assert_int_equal(board.counter_unreadable, 0);
	counter_worker_free(other);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_cannot_be_read_stands_on_the_board),
		CASE(every_way_to_it_says_so),
		CASE(it_is_logged_once_an_epoch),
		CASE(a_store_of_its_own_is_not_on_the_board),
	};
#undef CASE

	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
