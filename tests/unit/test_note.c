#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "counter/account.h"
#include "counter/counter.h"
#include "counter_fixture.h"

#define EXPIRES_US (FIXTURE_NOW_US + 1500000)

static struct counting on;
static struct counter_worker *worker;

/* What the store was given last. */
static struct counter_item seen;
static enum counter_item_result answer; /* FAILED: none is given */

static void
spy_swap(struct counter_store *store, struct counter_item *items, size_t n)
{
	(void)store;
	assert_int_equal(n, 1);
	seen = items[0];
	items[0].result = answer;
}

static void
spy_read(struct counter_store *store, struct arena *into,
	 struct counter_item *items, size_t n)
{
	(void)store;
	(void)into;
	assert_int_equal(n, 1);
	seen = items[0];
	items[0].state = ITEM_UNKNOWN;
}

static void
spy_put(struct counter_store *store, const struct counter_item *items, size_t n)
{
	(void)store;
	assert_int_equal(n, 1);
	seen = items[0];
}

static void
spy_free(struct counter_store *store)
{
	(void)store;
}

static const struct counter_store_type spy_type = {
	.name = "memcached",
	.read = spy_read,
	.swap = spy_swap,
	.put = spy_put,
	.free = spy_free,
};
static struct counter_store spy = { .type = &spy_type, .epoch = 1 };

static int
begin(void **unused)
{
	(void)unused;
	counting_begin(&on, NULL);
	struct counter_store *store = counter_memory_store(on.memory);
	store->epoch = 1;
	assert_int_equal(store->type->begin(store, 1, NULL), STATUS_OK);
	worker = counter_worker_on(on.counter, store);
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	counting_end(&on, worker);
	return 0;
}

static void
names_are_of_their_parts(void **unused)
{
	static const struct {
		const char *parts[3];
		size_t n;
	} rows[] = {
		{ { "a" }, 1 },	     { { "a", "b" }, 2 },
		{ { "ab" }, 1 },     { { "", "ab" }, 2 },
		{ { "b", "a" }, 2 }, { { "a", "b", "" }, 3 },
	};
	enum { N = sizeof(rows) / sizeof(rows[0]) };
	char names[N][COUNTER_KEY_BYTES], again[COUNTER_KEY_BYTES];

	(void)unused;
	for (size_t i = 0; i < N; i++) {
		counter_decision_note(rows[i].parts, rows[i].n, names[i]);
		assert_int_equal(strlen(names[i]), 33);
		assert_int_equal(names[i][0], 'd');
		assert_int_equal(strspn(names[i] + 1, "0123456789abcdef"), 32);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(names[i], names[k]);
		}
	}
	counter_decision_note(rows[1].parts, 2, again);
	assert_string_equal(again, names[1]);
}

static void
subjects_have_keys(void **unused)
{
	struct counter_subject ann = counter_subject(SCOPE_USER, "ann");
	struct counter_subject team = counter_subject(SCOPE_TEAM, "ann");
	struct counter_subject again = counter_subject(SCOPE_USER, "ann");
	char key[COUNTER_KEY_BYTES], other[COUNTER_KEY_BYTES];

	(void)unused;
	assert_memory_equal(&ann, &again, sizeof(ann));
	assert_memory_not_equal(&ann, &team, sizeof(ann));
	counter_subject_key(&ann, key);
	counter_subject_key(&team, other);
	assert_int_equal(key[0], 'a');
	assert_int_equal(strlen(key), 33);
	assert_string_not_equal(key, other);
}

static void
what_a_store_is_given(void **unused)
{
	struct counter_worker *spied = counter_worker_on(on.counter, &spy);
	struct counter_note note = { .name = "d1", .version = 9 };
	const int64_t s = EXPIRES_US / 1000000 + 1;

	(void)unused;
	counter_note_read(spied, on.arena, &note, "one", 3, EXPIRES_US);
	assert_int_equal(note.state, NOTE_UNKNOWN);
	assert_string_equal(seen.key, "d1");
	assert_int_equal(seen.next_n, 3);
	assert_int_equal(seen.expires_s, s);
	/* what is not known is not replaced */
	seen.next = NULL;
	assert_int_equal(counter_note_swap(spied, &note, "two", 3, EXPIRES_US),
			 ITEM_FAILED);
	assert_null(seen.next);
	for (int i = ITEM_UNSURE; i <= ITEM_REPLACED; i++) {
		answer = (enum counter_item_result)i;
		note.state = i % 2 == 0 ? NOTE_ABSENT : NOTE_FOUND;
		note.version = 9;
		assert_int_equal(
		    counter_note_swap(spied, &note, "two", 3, EXPIRES_US), i);
		assert_int_equal(seen.state,
				 i % 2 == 0 ? ITEM_ABSENT : ITEM_FOUND);
		assert_int_equal(seen.version, 9);
		assert_int_equal(seen.expires_s, s);
		assert_memory_equal(seen.next, "two", 3);
	}
	counter_note_put(spied, "d2", NULL, 0, EXPIRES_US);
	assert_string_equal(seen.key, "d2");
	assert_non_null(seen.next);
	assert_int_equal(seen.next_n, 0);
	/* what is too large is not sent */
	counter_note_put(spied, "d3", "", COUNTER_VALUE_MAX_BYTES + 1, 0);
	assert_string_equal(seen.key, "d2");
	assert_int_equal(
	    counter_note_swap(spied, &note, "", COUNTER_VALUE_MAX_BYTES + 1, 0),
	    ITEM_FAILED);
	assert_string_equal(seen.key, "d2");
	counter_worker_free(spied);
}

static void
what_was_taken_is_listed(void **unused)
{
	const struct counter_call call = { .evaluation_id = "e1",
					   .now_us = FIXTURE_NOW_US + 999999,
					   .expires_us =
					       FIXTURE_NOW_US + 1000001 };
	struct charging c = { .n = 0 };
	struct counter_entry entries[4];
	const struct window day = fixture_day(FIXTURE_NOW_US);
	struct counter_subject ann = counter_subject(SCOPE_USER, "ann");
	struct counter_subject red = counter_subject(SCOPE_TEAM, "ann");

	(void)unused;
	charging_add(&c, CONSTRAINT_max_tokens_per_minute, SCOPE_USER, "ann",
		     100, 5);
	charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 1, 5)
	    ->mode = CHARGE_FOLLOWS;
	charging_add(&c, CONSTRAINT_max_daily_tokens, SCOPE_TEAM, "ann", 100,
		     6);
	charging_add(&c, CONSTRAINT_max_parallel_requests, SCOPE_USER, "ann",
		     100, 1);
	assert_true(counter_take(worker, &call, c.items, c.n, c.out));
	assert_int_equal(counter_entries(&call, c.items, c.out, c.n, entries),
			 3);
	counter_done(worker);
	const struct counter_entry wanted[] = {
		{ .subject = ann,
		  .counter = 1000 + CONSTRAINT_max_tokens_per_minute,
		  .kind = COUNTER_RATE,
		  .unit = COUNTER_TOKENS,
		  .window = WINDOW_MINUTE,
		  .from_s = FIXTURE_NOW_US / 1000000,
		  .amount = 5 },
		{ .subject = red,
		  .counter = 1000 + CONSTRAINT_max_daily_tokens,
		  .kind = COUNTER_BUDGET,
		  .unit = COUNTER_TOKENS,
		  .window = WINDOW_DAY,
		  .from_s = day.from_us / 1000000,
		  .to_s = day.to_us / 1000000,
		  .amount = 6 },
		{ .subject = ann,
		  .counter = 1000 + CONSTRAINT_max_parallel_requests,
		  .kind = COUNTER_LEASE,
		  .unit = COUNTER_CALLS,
		  .window = WINDOW_OPEN,
		  .to_s = FIXTURE_NOW_US / 1000000 + 2,
		  .amount = 1 },
	};
	for (int i = 0; i < 3; i++) {
		assert_memory_equal(&entries[i].subject, &wanted[i].subject,
				    sizeof(ann));
		assert_true(entries[i].counter == wanted[i].counter);
		assert_int_equal(entries[i].kind, wanted[i].kind);
		assert_int_equal(entries[i].unit, wanted[i].unit);
		assert_int_equal(entries[i].window, wanted[i].window);
		assert_int_equal(entries[i].from_s, wanted[i].from_s);
		assert_int_equal(entries[i].to_s, wanted[i].to_s);
		assert_int_equal(entries[i].amount, wanted[i].amount);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(names_are_of_their_parts),
		CASE(subjects_have_keys),
		CASE(what_a_store_is_given),
		CASE(what_was_taken_is_listed),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
