#include "counter_suite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "counter/account.h"
#include "counter_fixture.h"

enum { THREADS = 8, CALLS = 40, LIMIT = 100, LARGE = 500 * 1000 };

static const struct suite_stores *stores;
static char state[64];
static struct config config;
static struct counter *counter;
static struct arena *arena;

static int
begin(void **unused)
{
	(void)unused;
	stores->reset(stores->arg);
	make_state(state);
	config_default(&config);
	config.counter_wait_ms = 20000;
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", state);
	assert_int_equal(counter_open(&config, NULL, &counter, NULL),
			 STATUS_OK);
	arena = arena_new(4096);
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	arena_free(arena);
	counter_close(counter);
	remove_state(state);
	return 0;
}

/* ---- the store itself */

static struct counter_item
item(const char *key, const char *next)
{
	struct counter_item out = { .expires_s =
					clock_now_us() / 1000000 + 60 };

	snprintf(out.key, sizeof(out.key), "%s", key);
	if (next != NULL) {
		out.next = (const unsigned char *)next;
		out.next_n = strlen(next);
	}
	return out;
}

static struct counter_item
read_one(struct counter_store *store, const char *key)
{
	struct counter_item out = item(key, NULL);

	store->type->read(store, arena, &out, 1);
	return out;
}

static void
assert_value(struct counter_store *store, const char *key, const char *value)
{
	struct counter_item got = read_one(store, key);

	assert_int_equal(got.state, ITEM_FOUND);
	assert_int_equal(got.value_n, strlen(value));
	assert_memory_equal(got.value, value, got.value_n);
}

static enum counter_item_result
swap_one(struct counter_store *store, const struct counter_item *was,
	 const char *next)
{
	struct counter_item one = *was;

	one.next = (const unsigned char *)next;
	one.next_n = strlen(next);
	store->type->swap(store, &one, 1);
	return one.result;
}

static void
what_was_written_is_read(void **unused)
{
	struct counter_store *a = stores->open(stores->arg);
	struct counter_store *b = stores->open(stores->arg);

	(void)unused;
	struct counter_item absent = read_one(a, "k");
	assert_int_equal(absent.state, ITEM_ABSENT);
	assert_int_equal(swap_one(a, &absent, "one"), ITEM_REPLACED);
	assert_value(b, "k", "one");
	struct counter_item one = read_one(b, "k");
	assert_int_equal(swap_one(b, &one, "two"), ITEM_REPLACED);
	assert_value(a, "k", "two");
	assert_int_equal(read_one(a, "other").state, ITEM_ABSENT);
	counter_store_free(a);
	counter_store_free(b);
}

static void
what_moved_is_not_replaced(void **unused)
{
	struct counter_store *a = stores->open(stores->arg);
	struct counter_store *b = stores->open(stores->arg);

	(void)unused;
	struct counter_item absent = read_one(a, "k");
	assert_int_equal(swap_one(b, &absent, "one"), ITEM_REPLACED);
	assert_int_equal(swap_one(a, &absent, "mine"), ITEM_MOVED);
	struct counter_item one = read_one(a, "k");
	assert_int_equal(swap_one(b, &one, "two"), ITEM_REPLACED);
	assert_int_equal(swap_one(a, &one, "mine"), ITEM_MOVED);
	assert_value(a, "k", "two");
	counter_store_free(a);
	counter_store_free(b);
}

/* The same bytes again are another version. */
static void
a_version_never_comes_back(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);

	(void)unused;
	struct counter_item absent = read_one(store, "k");
	assert_int_equal(swap_one(store, &absent, "one"), ITEM_REPLACED);
	struct counter_item one = read_one(store, "k");
	assert_int_equal(swap_one(store, &one, "two"), ITEM_REPLACED);
	struct counter_item two = read_one(store, "k");
	assert_int_equal(swap_one(store, &two, "one"), ITEM_REPLACED);
	assert_int_equal(swap_one(store, &one, "mine"), ITEM_MOVED);
	counter_store_free(store);
}

static void
several_items_at_once(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);
	struct counter_item items[] = { item("a", NULL), item("b", NULL),
					item("c", NULL) };

	(void)unused;
	struct counter_item b = read_one(store, "b");
	assert_int_equal(swap_one(store, &b, "before"), ITEM_REPLACED);
	store->type->read(store, arena, items, 3);
	assert_int_equal(items[0].state, ITEM_ABSENT);
	assert_int_equal(items[1].state, ITEM_FOUND);
	assert_int_equal(items[2].state, ITEM_ABSENT);
	for (int i = 0; i < 2; i++) {
		items[i].next = (const unsigned char *)"after";
		items[i].next_n = 5;
	}
	uint64_t trips = store->round_trips;
	store->type->swap(store, items, 3);
	assert_true(store->round_trips <= trips + 1);
	assert_int_equal(items[0].result, ITEM_REPLACED);
	assert_int_equal(items[1].result, ITEM_REPLACED);
	assert_value(store, "a", "after");
	assert_value(store, "b", "after");
	assert_int_equal(read_one(store, "c").state, ITEM_ABSENT);
	/* once more by what was read before: each has moved */
	store->type->swap(store, items, 3);
	assert_int_equal(items[0].result, ITEM_MOVED);
	assert_int_equal(items[1].result, ITEM_MOVED);
	counter_store_free(store);
}

static void
all_or_none_where_it_is_promised(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);
	struct counter_item items[] = { item("a", NULL), item("b", NULL) };

	(void)unused;
	store->type->read(store, arena, items, 2);
	assert_int_equal(swap_one(store, &items[1], "faster"), ITEM_REPLACED);
	for (int i = 0; i < 2; i++) {
		items[i].next = (const unsigned char *)"mine";
		items[i].next_n = 4;
	}
	store->type->swap(store, items, 2);
	assert_int_equal(items[1].result, ITEM_MOVED);
	assert_value(store, "b", "faster");
	if (store->type->atomic) {
		assert_int_not_equal(items[0].result, ITEM_REPLACED);
		assert_int_equal(read_one(store, "a").state, ITEM_ABSENT);
	} else {
		assert_int_equal(items[0].result, ITEM_REPLACED);
		assert_value(store, "a", "mine");
	}
	counter_store_free(store);
}

static void
reading_adds_for_one_caller(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);
	struct counter_item first = item("k", "first");
	struct counter_item second = item("k", "second");

	(void)unused;
	uint64_t trips = store->round_trips;
	store->type->read(store, arena, &first, 1);
	assert_true(store->round_trips <= trips + 1);
	assert_int_equal(first.state, ITEM_ABSENT);
	store->type->read(store, arena, &second, 1);
	assert_int_equal(second.state, ITEM_FOUND);
	assert_int_equal(second.value_n, 5);
	assert_memory_equal(second.value, "first", 5);
	assert_value(store, "k", "first");
	counter_store_free(store);
}

static void
putting_writes_and_deletes(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);
	struct counter_item put[] = { item("a", "one"), item("b", NULL) };

	(void)unused;
	store->type->put(store, put, 2);
	assert_value(store, "a", "one");
	assert_int_equal(read_one(store, "b").state, ITEM_ABSENT);
	put[0] = item("a", "two");
	store->type->put(store, put, 1);
	assert_value(store, "a", "two");
	put[0] = item("a", "");
	store->type->put(store, put, 1);
	assert_int_equal(read_one(store, "a").state, ITEM_ABSENT);
	counter_store_free(store);
}

static void
any_bytes_up_to_large(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);
	struct counter_item one = item("k", NULL);
	static unsigned char bytes[LARGE];

	(void)unused;
	for (size_t i = 0; i < LARGE; i++) {
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	}
	store->type->read(store, arena, &one, 1);
	one.next = bytes;
	one.next_n = sizeof(bytes);
	store->type->swap(store, &one, 1);
	assert_int_equal(one.result, ITEM_REPLACED);
	struct counter_item got = read_one(store, "k");
	assert_int_equal(got.state, ITEM_FOUND);
	assert_int_equal(got.value_n, LARGE);
	assert_memory_equal(got.value, bytes, LARGE);
	counter_store_free(store);
}

static void
what_is_lost_is_unknown(void **unused)
{
	(void)unused;
	if (stores->lose == NULL) {
		skip();
	}
	struct counter_store *store = stores->open(stores->arg);
	struct counter_item absent = read_one(store, "k");
	assert_int_equal(swap_one(store, &absent, "one"), ITEM_REPLACED);
	struct counter_item one = read_one(store, "k");
	assert_int_equal(store->type->check(store, NULL), STATUS_OK);
	stores->lose(stores->arg);
	assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
	assert_int_equal(read_one(store, "never").state, ITEM_UNKNOWN);
	assert_int_not_equal(swap_one(store, &one, "two"), ITEM_REPLACED);
	assert_int_equal(store->type->check(store, NULL), STATUS_CORRUPT);
	/* a new epoch begins, without what was of the old one */
	store->epoch++;
	assert_int_equal(store->type->begin(store, store->epoch, NULL),
			 STATUS_OK);
	assert_int_equal(store->type->check(store, NULL), STATUS_OK);
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	counter_store_free(store);
}

/* ---- counting on it */

static struct counter_call
call_of(char id[UUID_TEXT_BYTES])
{
	uuid_make(FIXTURE_NOW_US, id);
	return (struct counter_call){ .evaluation_id = id,
				      .now_us = clock_now_us(),
				      .expires_us =
					  clock_now_us() + 900000000 };
}

/* Count C once; CHARGED is in it. */
static bool
take(struct counter_worker *worker, struct charging *c)
{
	char id[UUID_TEXT_BYTES];
	struct counter_call call = call_of(id);

	for (size_t i = 0; i < c->n; i++) {
		if (c->items[i].row->kind == COUNTER_BUDGET) {
			c->items[i].window = fixture_day(call.now_us);
		}
	}
	bool admitted = counter_take(worker, &call, c->items, c->n, c->out);
	counter_done(worker);
	return admitted;
}

static struct counter_worker *
worker_new(void)
{
	return counter_worker_on(counter, stores->open(stores->arg));
}

static void
a_rate_admits_its_limit(void **unused)
{
	struct counter_worker *worker = worker_new();
	struct charging c = { .n = 0 };

	(void)unused;
	charging_add(&c, CONSTRAINT_max_requests_per_day, SCOPE_USER, "ann", 5,
		     1);
	for (int i = 0; i < 5; i++) {
		assert_true(take(worker, &c));
		assert_int_equal(c.out[0].used, i);
		assert_int_equal(c.out[0].remaining, 4 - i);
	}
	for (int i = 0; i < 3; i++) {
		assert_false(take(worker, &c));
		assert_int_equal(c.out[0].result, CHARGE_OVER);
		assert_int_equal(c.out[0].used, 5);
		assert_false(c.out[0].taken);
	}
	c.items[0].subject = "bob";
	assert_true(take(worker, &c));
	counter_worker_free(worker);
}

static void
two_round_trips(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);
	struct counter_worker *worker = counter_worker_on(counter, store);
	struct charging c = { .n = 0 };

	(void)unused;
	charging_add(&c, CONSTRAINT_max_requests_per_minute, SCOPE_USER, "ann",
		     50, 1);
	charging_add(&c, CONSTRAINT_max_requests_per_hour, SCOPE_USER, "ann",
		     50, 1);
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_TEAM, "red", 1000,
		     10);
	for (int i = 0; i < 3; i++) {
		uint64_t trips = store->round_trips;

		assert_true(take(worker, &c));
		assert_true(store->round_trips <= trips + 2);
	}
	uint64_t trips = store->round_trips;
	assert_true(take(worker, &(struct charging){ .n = 0 }));
	assert_int_equal(store->round_trips, trips);
	counter_worker_free(worker);
}

static void
all_subjects_or_none(void **unused)
{
	struct counter_worker *worker = worker_new();
	struct charging c = { .n = 0 };

	(void)unused;
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100, 30);
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_TEAM, "red", 60, 30);
	assert_true(take(worker, &c));
	assert_true(take(worker, &c));
	assert_false(take(worker, &c));
	assert_int_equal(c.out[0].result, CHARGE_FITS);
	assert_false(c.out[0].taken);
	assert_int_equal(c.out[0].used, 60);
	assert_int_equal(c.out[1].result, CHARGE_OVER);
	c.n = 1;
	c.items[0].amount = 40;
	assert_true(take(worker, &c));
	assert_int_equal(c.out[0].remaining, 0);
	counter_worker_free(worker);
}

static void
what_is_given_back_fits_again(void **unused)
{
	struct counter_worker *worker = worker_new();
	struct charging c = { .n = 0 };
	struct counter_entry entries[3];
	char id[UUID_TEXT_BYTES];
	struct counter_call call = call_of(id);

	(void)unused;
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100,
		     100);
	charging_add(&c, CONSTRAINT_max_parallel_requests, SCOPE_USER, "ann", 1,
		     1);
	charging_add(&c, CONSTRAINT_max_requests_per_day, SCOPE_TEAM, "red", 1,
		     1);
	c.items[0].window = fixture_day(call.now_us);
	assert_true(counter_take(worker, &call, c.items, c.n, c.out));
	assert_int_equal(counter_entries(&call, c.items, c.out, c.n, entries),
			 3);
	counter_done(worker);
	assert_false(take(worker, &c));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(c.out[i].result, CHARGE_OVER);
	}
	for (int i = 0; i < 3; i++) {
		entries[i].amount = -entries[i].amount;
	}
	assert_true(counter_adjust(worker, call.now_us, id, entries, 3));
	counter_done(worker);
	assert_true(take(worker, &c));
	counter_undo(worker, call.now_us); /* it is done: nothing happens */
	assert_false(take(worker, &c));
	counter_worker_free(worker);
}

static void
an_undone_call_takes_nothing(void **unused)
{
	struct counter_worker *worker = worker_new();
	struct charging c = { .n = 0 };
	char id[UUID_TEXT_BYTES];
	struct counter_call call = call_of(id);

	(void)unused;
	charging_add(&c, CONSTRAINT_max_daily_tokens, SCOPE_USER, "ann", 100,
		     100);
	charging_add(&c, CONSTRAINT_max_parallel_requests, SCOPE_TEAM, "red", 1,
		     1);
	charging_add(&c, CONSTRAINT_max_requests_per_minute, SCOPE_TEAM, "red",
		     1, 1);
	c.items[0].window = fixture_day(call.now_us);
	for (int i = 0; i < 3; i++) {
		assert_true(counter_take(worker, &call, c.items, c.n, c.out));
		counter_undo(worker, call.now_us);
	}
	assert_true(take(worker, &c));
	assert_false(take(worker, &c));
	counter_worker_free(worker);
}

static void
notes_are_kept(void **unused)
{
	struct counter_worker *worker = worker_new();
	const char *parts[] = { "one", "two" };
	struct counter_note note = { .n = 0 }, again;
	int64_t expires_us = clock_now_us() + 60000000;

	(void)unused;
	counter_decision_note(parts, 2, note.name);
	again = note;
	counter_note_read(worker, arena, &note, "first", 5, expires_us);
	assert_int_equal(note.state, NOTE_ABSENT);
	counter_note_read(worker, arena, &again, "second", 6, expires_us);
	assert_int_equal(again.state, NOTE_FOUND);
	assert_int_equal(again.n, 5);
	assert_memory_equal(again.value, "first", 5);
	assert_int_equal(
	    counter_note_swap(worker, &again, "third", 5, expires_us),
	    ITEM_REPLACED);
	assert_int_equal(
	    counter_note_swap(worker, &again, "fourth", 6, expires_us),
	    ITEM_MOVED);
	counter_note_read(worker, arena, &again, NULL, 0, 0);
	assert_memory_equal(again.value, "third", 5);
	counter_note_put(worker, again.name, NULL, 0, 0);
	counter_note_read(worker, arena, &again, NULL, 0, 0);
	assert_int_equal(again.state, NOTE_ABSENT);
	counter_worker_free(worker);
}

static void
give_note(struct counter_call *call)
{
	call->note = "note";
	call->note_n = 4;
	call->note_expires_us = call->expires_us;
}

/* What is replaced at once takes the note along; else it goes by itself, and
 * nothing is waited for. */
static void
a_note_is_no_round_trip(void **unused)
{
	struct counter_store *store = stores->open(stores->arg);
	struct counter_worker *worker = counter_worker_on(counter, store);
	struct charging c = { .n = 0 };
	char id[UUID_TEXT_BYTES];
	struct counter_call call = call_of(id);
	struct counter_note note = { .n = 0 };

	(void)unused;
	give_note(&call);
	charging_add(&c, CONSTRAINT_max_requests_per_day, SCOPE_USER, "ann", 9,
		     1);
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_TEAM, "red", 90, 10);
	uint64_t trips = store->round_trips;
	assert_true(counter_take(worker, &call, c.items, c.n, c.out));
	assert_true(store->round_trips <= trips + 2);
	counter_call_note(call.evaluation_id, note.name);
	counter_note_read(worker, arena, &note, NULL, 0, 0);
	assert_int_equal(note.state, NOTE_FOUND);
	assert_memory_equal(note.value, "note", 4);
	/* It is there: the charges are taken all the same. */
	assert_true(counter_take(worker, &call, c.items, c.n, c.out));
	assert_int_equal(c.out[0].result, CHARGE_FITS);
	assert_int_equal(c.out[0].used, 1);
	counter_worker_free(worker);
}

static void
a_call_brings_its_note(void **unused)
{
	struct counter_worker *worker = worker_new();
	struct charging c = { .n = 0 };
	struct counter_note note = { .n = 0 };
	char id[UUID_TEXT_BYTES];
	struct counter_call call = call_of(id);

	(void)unused;
	give_note(&call);
	charging_add(&c, CONSTRAINT_max_requests_per_day, SCOPE_USER, "ann", 0,
		     1);
	counter_call_note(call.evaluation_id, note.name);
	assert_false(counter_take(worker, &call, c.items, c.n, c.out));
	counter_note_read(worker, arena, &note, NULL, 0, 0);
	assert_int_equal(note.state, NOTE_ABSENT);
	c.items[0].limit = 1;
	for (size_t n = 0; n < 2; n++) {
		assert_true(counter_take(worker, &call, c.items, n, c.out));
		counter_note_read(worker, arena, &note, NULL, 0, 0);
		assert_int_equal(note.state, NOTE_FOUND);
		assert_int_equal(note.n, 4);
		assert_memory_equal(note.value, "note", 4);
	}
	counter_undo(worker, call.now_us);
	counter_note_read(worker, arena, &note, NULL, 0, 0);
	assert_int_equal(note.state, NOTE_ABSENT);
	counter_worker_free(worker);
}

/* ---- many at once */

struct crowd {
	int subjects; /* 1: a user; 2: its team as well */
	atomic_int admitted, refused, unknown;
	atomic_int spent; /* by admitted calls */
};

static void
crowd_charges(const struct crowd *crowd, struct charging *c)
{
	charging_add(c, CONSTRAINT_max_requests_per_day, SCOPE_USER, "ann",
		     LIMIT, 1);
	charging_add(c, CONSTRAINT_max_requests_per_hour, SCOPE_USER, "ann",
		     LIMIT * 2, 1);
	charging_add(c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann",
		     LIMIT * 7 + 6, 7);
	if (crowd->subjects > 1) {
		charging_add(c, CONSTRAINT_max_daily_cost, SCOPE_TEAM, "red",
			     LIMIT * 7 + 6, 7);
	}
}

static void *
crowd_run(void *arg)
{
	struct crowd *crowd = arg;
	struct counter_worker *worker = worker_new();
	struct charging c = { .n = 0 };

	crowd_charges(crowd, &c);
	for (int i = 0; i < CALLS; i++) {
		bool admitted = take(worker, &c);

		for (size_t k = 0; k < c.n; k++) {
			if (c.out[k].result == CHARGE_UNKNOWN) {
				crowd->unknown++;
			}
		}
		crowd->admitted += admitted;
		crowd->refused += !admitted;
	}
	counter_worker_free(worker);
	return NULL;
}

static void
crowd_of(int subjects)
{
	struct crowd crowd = { .subjects = subjects };
	pthread_t threads[THREADS];
	struct charging c = { .n = 0 };

	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(
		    pthread_create(&threads[i], NULL, crowd_run, &crowd), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	assert_int_equal(crowd.unknown, 0);
	assert_int_equal(crowd.admitted, LIMIT);
	assert_int_equal(crowd.refused, THREADS * CALLS - LIMIT);
	/* what is left is what was not admitted, to the nano-dollar */
	struct counter_worker *worker = worker_new();
	crowd_charges(&crowd, &c);
	assert_false(take(worker, &c));
	for (size_t i = 0; i < c.n; i++) {
		assert_int_equal(c.out[i].used, LIMIT * c.items[i].amount);
	}
	counter_worker_free(worker);
}

static void
a_crowd_on_one_subject(void **unused)
{
	(void)unused;
	crowd_of(1);
}

static void
a_crowd_on_two_subjects(void **unused)
{
	(void)unused;
	crowd_of(2);
}

int
counter_suite_run(const struct suite_stores *given)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(what_was_written_is_read),
		CASE(what_moved_is_not_replaced),
		CASE(a_version_never_comes_back),
		CASE(several_items_at_once),
		CASE(all_or_none_where_it_is_promised),
		CASE(reading_adds_for_one_caller),
		CASE(putting_writes_and_deletes),
		CASE(any_bytes_up_to_large),
		CASE(what_is_lost_is_unknown),
		CASE(a_rate_admits_its_limit),
		CASE(two_round_trips),
		CASE(a_note_is_no_round_trip),
		CASE(all_subjects_or_none),
		CASE(what_is_given_back_fits_again),
		CASE(an_undone_call_takes_nothing),
		CASE(notes_are_kept),
		CASE(a_call_brings_its_note),
		CASE(a_crowd_on_one_subject),
		CASE(a_crowd_on_two_subjects),
	};
#undef CASE

	stores = given;
	return cmocka_run_group_tests_name(given->name, tests, NULL, NULL);
}
