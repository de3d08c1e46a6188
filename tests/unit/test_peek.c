#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "counter_fixture.h"

enum { MANY = 150, SUBJECTS = 40, EPOCH = 3 };

static struct counter_memory *memory;
static char state[64];
static struct config config;
static struct counter *counter;
static struct counter_store *store; /* WORKER's */
static struct counter_worker *worker;

static int
begin(void **unused)
{
	(void)unused;
	memory = counter_memory_new();
	store = counter_memory_store(memory);
	assert_int_equal(store->type->begin(store, EPOCH, NULL), STATUS_OK);
	store->epoch = EPOCH;
	make_state(state);
	config_default(&config);
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", state);
	assert_int_equal(counter_open(&config, NULL, &counter, NULL),
			 STATUS_OK);
	worker = counter_worker_on(counter, store);
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	counter_worker_free(worker);
	counter_close(counter);
	counter_memory_free(memory);
	remove_state(state);
	return 0;
}

static void
take(struct charging *c)
{
	const struct counter_call call = {
		.evaluation_id = "01933f5e-7a11-7000-8000-000000000001",
		.now_us = FIXTURE_NOW_US,
		.expires_us = FIXTURE_NOW_US + 60 * INT64_C(1000000),
	};

	assert_true(counter_take(worker, &call, c->items, c->n, c->out));
	counter_done(worker);
}

/* A budget, a rate and a lease of one subject, and one of nobody's. */
static void
peek_says_what_is_used_and_takes_nothing(void **unused)
{
	struct charging taken = { .n = 0 }, asked = { .n = 0 };

	(void)unused;
	charging_add(&taken, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100,
		     30);
	charging_add(&taken, CONSTRAINT_max_requests_per_minute, SCOPE_USER,
		     "ann", 5, 1);
	charging_add(&taken, CONSTRAINT_max_parallel_requests, SCOPE_USER,
		     "ann", 1, 1);
	take(&taken);
	/* amounts are as if 0, however large */
	charging_add(&asked, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100,
		     1000);
	charging_add(&asked, CONSTRAINT_max_requests_per_minute, SCOPE_USER,
		     "ann", 5, 1000);
	charging_add(&asked, CONSTRAINT_max_parallel_requests, SCOPE_USER,
		     "ann", 1, 1);
	charging_add(&asked, CONSTRAINT_max_daily_cost, SCOPE_TEAM, "ann", 100,
		     1000);
	for (int again = 0; again < 2; again++) {
		uint64_t trips = store->round_trips;

		counter_peek(worker, FIXTURE_NOW_US, asked.items, asked.n,
			     asked.out);
		assert_int_equal(store->round_trips, trips + 1);
		assert_int_equal(asked.out[0].result, CHARGE_FITS);
		assert_int_equal(asked.out[0].used, 30);
		assert_int_equal(asked.out[0].remaining, 70);
		assert_int_equal(asked.out[1].used, 1);
		assert_int_equal(asked.out[1].remaining, 4);
		assert_int_equal(asked.out[2].used, 1);
		assert_int_equal(asked.out[2].remaining, 0);
		assert_int_equal(asked.out[3].used, 0);
		assert_int_equal(asked.out[3].remaining, 100);
		for (size_t i = 0; i < asked.n; i++) {
			assert_false(asked.out[i].taken);
			assert_false(asked.out[i].alert);
		}
	}
}

/* A limit that was lowered since: more is used than it is. */
static void
more_than_the_limit_is_over(void **unused)
{
	struct charging taken = { .n = 0 }, asked = { .n = 0 };

	(void)unused;
	charging_add(&taken, CONSTRAINT_max_daily_cost, SCOPE_USER, "bob", 100,
		     80);
	take(&taken);
	charging_add(&asked, CONSTRAINT_max_daily_cost, SCOPE_USER, "bob", 50,
		     0);
	counter_peek(worker, FIXTURE_NOW_US, asked.items, 1, asked.out);
	assert_int_equal(asked.out[0].result, CHARGE_OVER);
	assert_int_equal(asked.out[0].used, 80);
	assert_int_equal(asked.out[0].remaining, 0);
}

static void
many_are_asked_in_batches(void **unused)
{
	static struct charge charges[MANY];
	static struct charged out[MANY];
	static char names[SUBJECTS][16];
	struct charging one = { .n = 0 };

	(void)unused;
	for (int i = 0; i < SUBJECTS; i++) {
		struct charging taken = { .n = 0 };

		snprintf(names[i], sizeof(names[i]), "user-%d", i);
		charging_add(&taken, CONSTRAINT_max_daily_cost, SCOPE_USER,
			     names[i], 1000, i);
		take(&taken);
	}
	charging_add(&one, CONSTRAINT_max_daily_cost, SCOPE_USER, "", 1000, 0);
	for (int i = 0; i < MANY; i++) {
		charges[i] = one.items[0];
		charges[i].subject = names[i % SUBJECTS];
	}
	uint64_t trips = store->round_trips;
	counter_peek(worker, FIXTURE_NOW_US, charges, MANY, out);
	assert_int_equal(store->round_trips - trips, 3);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(out[i].result, CHARGE_FITS);
		assert_int_equal(out[i].used, i % SUBJECTS);
	}
	counter_peek(worker, FIXTURE_NOW_US, charges, 0, out);
	assert_int_equal(store->round_trips - trips, 3);
}

static void
what_is_lost_is_not_known(void **unused)
{
	struct charging asked = { .n = 0 };
	struct counter_worker *without = counter_worker_new(counter);

	(void)unused;
	charging_add(&asked, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann", 100,
		     0);
	asked.items[0].must_count = true;
	counter_memory_flush(memory);
	counter_peek(worker, FIXTURE_NOW_US, asked.items, 1, asked.out);
	assert_int_equal(asked.out[0].result, CHARGE_UNKNOWN);
	asked.out[0].result = CHARGE_FITS;
	counter_peek(without, FIXTURE_NOW_US, asked.items, 1, asked.out);
	assert_int_equal(asked.out[0].result, CHARGE_UNKNOWN);
	counter_worker_free(without);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    peek_says_what_is_used_and_takes_nothing, begin, end),
		cmocka_unit_test_setup_teardown(more_than_the_limit_is_over,
						begin, end),
		cmocka_unit_test_setup_teardown(many_are_asked_in_batches,
						begin, end),
		cmocka_unit_test_setup_teardown(what_is_lost_is_not_known,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
