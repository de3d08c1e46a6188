/*
 * test_keeper_usage: what keeper_usage does with what PostgreSQL and the
 * counters say, both by way of the linker (--wrap); and the clock is ours.
 */
#include "keeper/keeper_usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "counter/counter.h"
#include "counter/journal.h"
#include "store/store_usage_keep.h"

#define S INT64_C(1000000)
#define ID_A "01930000-0000-7000-8000-00000000000a"
#define ID_B "01930000-0000-7000-8000-00000000000b"

/* What was asked, one after the other. */
static struct buf asked;

/* What is answered. */
static struct {
	int64_t now_us;
	enum status open, expire, settle, uncounted, recorded, open_n;
	int64_t expired, settled, opened_n;
	size_t uncounted_n;
	bool done, is_recorded;
	bool adjusts, gives_back;
	struct store_usage_entry entry; /* given where `entry.entry` is set */
	bool counted;			/* what was said of it */
	struct counter_left left[3];
	size_t left_n;
} says;

static struct config config;
static struct board board;
static struct keeper_usage *usage;
static bool more;
static struct err err;

/* ---- in the place of others */

int64_t __wrap_clock_now_us(void);
int64_t __wrap_clock_mono_us(void);

int64_t
__wrap_clock_now_us(void)
{
	return says.now_us;
}

int64_t
__wrap_clock_mono_us(void)
{
	return says.now_us;
}

enum status __wrap_counter_open(const struct config *c, struct board *b,
				struct counter **out, struct err *e);
void __wrap_counter_close(struct counter *counter);
struct counter_worker *__wrap_counter_worker_new(struct counter *counter);
void __wrap_counter_worker_free(struct counter_worker *worker);

enum status
__wrap_counter_open(const struct config *c, struct board *b,
		    struct counter **out, struct err *e)
{
	assert_ptr_equal(c, &config);
	assert_ptr_equal(b, &board);
	if (says.open != STATUS_OK) {
		return err_set(e, says.open, "no counters");
	}
	*out = NULL;
	return STATUS_OK;
}

void
__wrap_counter_close(struct counter *counter)
{
	(void)counter;
}

struct counter_worker *
__wrap_counter_worker_new(struct counter *counter)
{
	(void)counter;
	return NULL;
}

void
__wrap_counter_worker_free(struct counter_worker *worker)
{
	(void)worker;
}

bool __wrap_counter_adjust(struct counter_worker *worker, int64_t now_us,
			   const char *evaluation_id,
			   const struct counter_entry *changes, size_t n);
void __wrap_counter_done(struct counter_worker *worker);
void __wrap_counter_note_put(struct counter_worker *worker, const char *name,
			     const void *value, size_t n, int64_t expires_us);
size_t __wrap_counter_left(struct counter *counter, struct arena *arena,
			   struct counter_left **out);
bool __wrap_counter_left_settle(struct counter_worker *worker, int64_t now_us,
				const struct counter_left *left, bool keep);

bool
__wrap_counter_adjust(struct counter_worker *worker, int64_t now_us,
		      const char *evaluation_id,
		      const struct counter_entry *changes, size_t n)
{
	(void)worker;
	assert_true(now_us == says.now_us);
	assert_string_equal(evaluation_id, ID_A);
	buf_adds(&asked, " adjust");
	for (size_t i = 0; i < n; i++) {
		buf_printf(&asked, ":%d", (int)changes[i].amount);
	}
	return says.adjusts;
}

void
__wrap_counter_done(struct counter_worker *worker)
{
	(void)worker;
	buf_adds(&asked, " done");
}

void
__wrap_counter_note_put(struct counter_worker *worker, const char *name,
			const void *value, size_t n, int64_t expires_us)
{
	char wanted[COUNTER_KEY_BYTES];

	(void)worker;
	(void)value;
	(void)expires_us;
	counter_call_note(ID_A, wanted);
	assert_string_equal(name, wanted);
	assert_int_equal(n, 0);
	buf_adds(&asked, " forget");
}

size_t
__wrap_counter_left(struct counter *counter, struct arena *arena,
		    struct counter_left **out)
{
	(void)counter;
	*out = arena_array(arena, says.left_n, sizeof(**out));
	memcpy(*out, says.left, says.left_n * sizeof(**out));
	return says.left_n;
}

bool
__wrap_counter_left_settle(struct counter_worker *worker, int64_t now_us,
			   const struct counter_left *left, bool keep)
{
	(void)worker;
	assert_true(now_us == says.now_us);
	buf_printf(&asked, " %s:%c", keep ? "keep" : "give",
		   left->evaluation_id[UUID_TEXT_BYTES - 2]);
	return says.gives_back;
}

enum status __wrap_store_usage_expire(struct pg *pg, bool release,
				      int64_t batch, int64_t *expired,
				      bool *done, struct err *e);
enum status __wrap_store_usage_settle(struct pg *pg, int64_t batch,
				      const char *unknown_price,
				      int64_t *settled, struct err *e);
enum status __wrap_store_usage_uncounted(
    struct pg *pg, uint64_t epoch, int64_t batch,
    bool (*each)(void *arg, const struct store_usage_entry *entry), void *arg,
    size_t *n, struct err *e);
enum status __wrap_store_usage_recorded(struct pg *pg,
					const char *evaluation_id,
					const char *entry, bool *recorded,
					struct err *e);
enum status __wrap_store_usage_open_n(struct pg *pg, int64_t *n, struct err *e);

static enum status
answer(enum status status, struct err *e)
{
	return status == STATUS_OK ? status : err_set(e, status, "no");
}

enum status
__wrap_store_usage_expire(struct pg *pg, bool release, int64_t batch,
			  int64_t *expired, bool *done, struct err *e)
{
	(void)pg;
	(void)batch;
	buf_adds(&asked, release ? " release" : " expire");
	if (says.expire == STATUS_OK) {
		*expired = says.expired;
		*done = says.done;
	}
	return answer(says.expire, e);
}

enum status
__wrap_store_usage_settle(struct pg *pg, int64_t batch,
			  const char *unknown_price, int64_t *settled,
			  struct err *e)
{
	(void)pg;
	assert_string_equal(unknown_price, "60");
	assert_int_equal(batch, 1000);
	buf_adds(&asked, " settle");
	if (says.settle == STATUS_OK) {
		*settled = says.settled;
	}
	return answer(says.settle, e);
}

enum status
__wrap_store_usage_uncounted(
    struct pg *pg, uint64_t epoch, int64_t batch,
    bool (*each)(void *arg, const struct store_usage_entry *entry), void *arg,
    size_t *n, struct err *e)
{
	(void)pg;
	assert_int_equal(batch, 1000);
	buf_printf(&asked, " uncounted:%d", (int)epoch);
	if (says.uncounted == STATUS_OK) {
		if (says.entry.entry != NULL) {
			says.counted = each(arg, &says.entry);
		}
		*n = says.uncounted_n;
	}
	return answer(says.uncounted, e);
}

enum status
__wrap_store_usage_recorded(struct pg *pg, const char *evaluation_id,
			    const char *entry, bool *recorded, struct err *e)
{
	(void)pg;
	buf_printf(&asked, " %s:%c?", entry,
		   evaluation_id[UUID_TEXT_BYTES - 2]);
	if (says.recorded == STATUS_OK) {
		*recorded = says.is_recorded;
	}
	return answer(says.recorded, e);
}

enum status
__wrap_store_usage_open_n(struct pg *pg, int64_t *n, struct err *e)
{
	(void)pg;
	buf_adds(&asked, " open");
	says.now_us += 2 * S; /* that is how long it takes */
	if (says.open_n == STATUS_OK) {
		*n = says.opened_n;
	}
	return answer(says.open_n, e);
}

/* ---- a world */

static int
begin(void **state)
{
	(void)state;
	memset(&says, 0, sizeof(says));
	says.now_us = 1000 * S;
	says.done = true;
	says.adjusts = true;
	says.gives_back = true;
	config_default(&config);
	atomic_store(&board.counter_counts, BOARD_COUNTS_MEMCACHED);
	atomic_store(&board.counter_epoch, 7);
	assert_int_equal(keeper_usage_new(&config, &board, &usage, &err),
			 STATUS_OK);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	keeper_usage_free(usage);
	keeper_usage_free(NULL);
	buf_fini(&asked);
	return 0;
}

/* A step, all drained until DRAINED_US; what it asked, but for how many are
 * open. */
static const char *
step(int64_t drained_us, enum status want)
{
	more = false;
	buf_reset(&asked);
	assert_int_equal(
	    keeper_usage_step(usage, NULL, drained_us, &more, &err), want);
	return buf_text(&asked);
}

#define ALL " expire settle uncounted:7"

/* ---- cases */

static void
a_step_does_each(void **state)
{
	int64_t settled = metric_read(METRIC_reservations_total, 1),
		expired = metric_read(METRIC_reservations_total, 2),
		released = metric_read(METRIC_reservations_total, 3);

	(void)state;
	says.expired = 3;
	says.settled = 2;
	says.opened_n = 9;
	assert_string_equal(step(0, STATUS_OK), ALL " open");
	assert_false(more);
	assert_int_equal(metric_read(METRIC_reservations_total, 1),
			 settled + 2);
	assert_int_equal(metric_read(METRIC_reservations_total, 2),
			 expired + 3);
	assert_int_equal(metric_read(METRIC_reservations_open, 0), 9);
	config.reservation_unsettled = 1;
	assert_string_equal(step(0, STATUS_OK), " release settle uncounted:7");
	assert_int_equal(metric_read(METRIC_reservations_total, 3),
			 released + 3);
	assert_int_equal(metric_read(METRIC_reservations_total, 2),
			 expired + 3);
	/* nothing counts, so nothing can be counted later */
	atomic_store(&board.counter_counts, BOARD_COUNTS_NOTHING);
	assert_string_equal(step(0, STATUS_OK), " release settle");
}

static void
a_full_batch_is_not_all(void **state)
{
	(void)state;
	says.done = false;
	(void)step(0, STATUS_OK);
	assert_true(more);
	says.done = true;
	says.settled = 999;
	says.uncounted_n = 999;
	(void)step(0, STATUS_OK);
	assert_false(more);
	says.settled = 1000;
	(void)step(0, STATUS_OK);
	assert_true(more);
	says.settled = 0;
	says.uncounted_n = 1000;
	(void)step(0, STATUS_OK);
	assert_true(more);
}

static void
an_error_ends_the_step(void **state)
{
	int64_t settled = metric_read(METRIC_reservations_total, 1);

	(void)state;
	says.settled = 1000;
	says.uncounted_n = 1000;
	says.left_n = 1;
	says.left[0] =
	    (struct counter_left){ .refused = true, .evaluation_id = ID_A };
	says.uncounted = STATUS_UNAVAILABLE;
	assert_string_equal(step(0, STATUS_UNAVAILABLE), ALL);
	says.settle = STATUS_BUSY;
	assert_string_equal(step(0, STATUS_BUSY), " expire settle");
	assert_false(more);
	assert_int_equal(metric_read(METRIC_reservations_total, 1),
			 settled + 1000);
	says.expire = STATUS_INTERNAL;
	says.done = false;
	assert_string_equal(step(0, STATUS_INTERNAL), " expire");
	assert_false(more);
}

#define BUDGET "0,1,5,82,0,86400,3"
#define LEASE "0,1,6,157,0,900,1"

/* An entry that the counters do not have, and what is done with it. */
static const struct {
	const char *entry, *charges;
	bool adjusts;
	const char *asked;
	bool counted;
} entries[] = {
	{ "settle", NULL, true, "", true },
	{ "settle", "{" BUDGET "," LEASE "}", true, " forget adjust:3:1 done",
	  true },
	{ "settle", "{" BUDGET "}", false, " forget adjust:3 done", false },
	/* what was never begun is not to be ended */
	{ "reserve", "{" LEASE "," BUDGET "}", true, " adjust:3 done", true },
	{ "reserve", "{" LEASE "}", false, " done", true },
	/* counted in epoch 7, which is this one, and in epoch 6 (82, and 1024 for
	 * each) */
	{ "reserve", "{0,1,5,7250,0,86400,3," BUDGET "}", true,
	  " adjust:3 done", true },
	{ "reserve", "{0,1,5,7250,0,86400,3}", true, " done", true },
	{ "reserve", "{0,1,5,6226,0,86400,3}", true, " adjust:3 done", true },
	/* it will not be any better the next time */
	{ "settle", "{1,2,3,99999,5,6,7}", true, "", true },
};

static void
entries_are_counted_later(void **state)
{
	(void)state;
	(void)step(0, STATUS_OK); /* with how many are open */
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		char want[100];

		print_message("entry %zu\n", i);
		says.entry = (struct store_usage_entry){
			.evaluation_id = ID_A,
			.entry = entries[i].entry,
			.charges = entries[i].charges,
		};
		says.adjusts = entries[i].adjusts;
		says.counted = !entries[i].counted;
		snprintf(want, sizeof(want), ALL "%s", entries[i].asked);
		assert_string_equal(step(0, STATUS_OK), want);
		assert_int_equal(says.counted, entries[i].counted);
	}
}

static struct counter_left
left(const char *id, int slot)
{
	static char slots[8];
	struct counter_left out = { .now_us = says.now_us };

	out.slot = (struct journal_slot *)(void *)&slots[slot];
	memcpy(out.evaluation_id, id, UUID_TEXT_BYTES);
	return out;
}

/* What a process recorded before it was killed is in PostgreSQL when all was
 * drained that was recorded before it was found dead. */
static void
what_is_left_waits_for_the_spool(void **state)
{
	int64_t found = 0;

	(void)state;
	(void)step(0, STATUS_OK);
	says.left[0] = left(ID_A, 0);
	says.left_n = 1;
	found = says.now_us;
	assert_string_equal(step(found - 1, STATUS_OK), ALL);
	says.now_us += S;
	assert_string_equal(step(found, STATUS_OK), ALL);
	/* asked again for as long as it cannot be */
	says.recorded = STATUS_UNAVAILABLE;
	assert_string_equal(step(found + 1, STATUS_UNAVAILABLE),
			    ALL " reserve:a?");
	says.recorded = STATUS_OK;
	says.gives_back = false;
	assert_string_equal(step(found + 1, STATUS_OK),
			    ALL " reserve:a? give:a");
	says.gives_back = true;
	says.is_recorded = true;
	assert_string_equal(step(found + 1, STATUS_OK),
			    ALL " reserve:a? keep:a");
	says.left[0].adjusting = true;
	says.is_recorded = false;
	assert_string_equal(step(found + 1, STATUS_OK),
			    ALL " settle:a? give:a");
	/* a refusal is given back whatever is drained, and is in no ledger */
	says.left[0] = left(ID_B, 1);
	says.left[0].refused = true;
	says.is_recorded = true;
	assert_string_equal(step(0, STATUS_OK), ALL " give:b");
}

/* One is found dead when another one's is settled: there are as many as
 * before, and it has been waited for the other one only. */
static void
each_that_is_left_waits_for_itself(void **state)
{
	int64_t first = says.now_us, second, third;

	(void)state;
	says.left[0] = left(ID_A, 0);
	says.left_n = 1;
	(void)step(0, STATUS_OK);
	says.now_us += 10 * S;
	second = says.now_us;
	says.left[0] = left(ID_B, 0);
	assert_string_equal(step(first + 5 * S, STATUS_OK), ALL);
	/* nor does it begin anew when there are more or fewer */
	says.now_us += 10 * S;
	third = says.now_us;
	says.left[1] = left(ID_A, 1);
	says.left_n = 2;
	assert_string_equal(step(second + 1, STATUS_OK),
			    ALL " reserve:b? give:b");
	says.now_us += 10 * S;
	says.left[0] = says.left[1];
	says.left_n = 1;
	assert_string_equal(step(third, STATUS_OK), ALL);
	assert_string_equal(step(third + 1, STATUS_OK),
			    ALL " reserve:a? give:a");
}

static void
open_calls_are_counted_now_and_then(void **state)
{
	(void)state;
	says.opened_n = 5;
	assert_string_equal(step(0, STATUS_OK), ALL " open");
	/* it took two seconds: not again for two hundred */
	says.now_us += 200 * S - 1;
	assert_string_equal(step(0, STATUS_OK), ALL);
	says.now_us += 1;
	says.open_n = STATUS_UNAVAILABLE; /* keeps nothing from being done */
	says.opened_n = 6;
	assert_string_equal(step(0, STATUS_OK), ALL " open");
	assert_int_equal(metric_read(METRIC_reservations_open, 0), 5);
}

static void
there_is_none_without_counters(void **state)
{
	struct keeper_usage *none = NULL;

	(void)state;
	says.open = STATUS_IO;
	assert_int_equal(keeper_usage_new(&config, &board, &none, &err),
			 STATUS_IO);
	assert_null(none);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_step_does_each),
		CASE(a_full_batch_is_not_all),
		CASE(an_error_ends_the_step),
		CASE(entries_are_counted_later),
		CASE(what_is_left_waits_for_the_spool),
		CASE(each_that_is_left_waits_for_itself),
		CASE(open_calls_are_counted_now_and_then),
		CASE(there_is_none_without_counters),
	};

	log_open("test_keeper_usage", LOG_ERROR);
	return cmocka_run_group_tests_name("keeper_usage", tests, NULL, NULL);
}
