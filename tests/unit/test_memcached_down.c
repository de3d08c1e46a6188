/* memcached_down: who may ask a server, by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "counter/memcached_down.h"

enum { S = MEMCACHED_DOWN_US, THREADS = 8 };

static void
test_left_alone_for_a_second(void **state)
{
	struct memcached_down down = { 0 };
	(void)state;

	assert_true(memcached_down_may_ask(&down, 10));
	assert_true(memcached_down_may_ask(&down, 10));
	memcached_down_silent(&down, 10, 5000);
	assert_false(memcached_down_may_ask(&down, 5000));
	assert_false(memcached_down_may_ask(&down, 5000 + S - 1));
	/* one asks, and no other until that one knows, or a second later */
	assert_true(memcached_down_may_ask(&down, 5000 + S));
	assert_false(memcached_down_may_ask(&down, 5000 + S));
	assert_false(memcached_down_may_ask(&down, 5000 + S + S - 1));
	assert_true(memcached_down_may_ask(&down, 5000 + S + S));
	memcached_down_answered(&down, 5000 + S + S);
	assert_true(memcached_down_may_ask(&down, 5000 + S + S));
	assert_true(memcached_down_may_ask(&down, 5000 + S + S));
}

/* One answer that is late says nothing of a server that answers others. */
static void
test_answers_others(void **state)
{
	struct memcached_down down = { 0 };
	(void)state;

	memcached_down_answered(&down, 20000);
	memcached_down_silent(&down, 18000, 23000);
	assert_true(memcached_down_may_ask(&down, 23000));
	/* but nothing since this was sent */
	memcached_down_silent(&down, 20000, 25000);
	assert_false(memcached_down_may_ask(&down, 25000));
}

/* It is left alone after so many answers in a row that were late. */
static void
test_late_in_a_row(void **state)
{
	struct memcached_down down = { 0 };
	(void)state;

	for (int i = 1; i < MEMCACHED_DOWN_LATE; i++) {
		memcached_down_late(&down, i * 1000, i * 1000 + 500);
		assert_true(memcached_down_may_ask(&down, i * 1000 + 500));
	}
	memcached_down_answered(&down, 50000);
	for (int i = 0; i < MEMCACHED_DOWN_LATE - 1; i++) {
		memcached_down_late(&down, 60000 + i * 1000, 61000 + i * 1000);
	}
	/* the other threads that wait for the same one are no more of them */
	for (int i = 0; i < THREADS; i++) {
		memcached_down_late(&down, 60500, 61600);
	}
	assert_true(memcached_down_may_ask(&down, 61600));
	memcached_down_late(&down, 62000, 61000);
	assert_false(memcached_down_may_ask(&down, 61000));
	/* one that was asked again and is late again is down at once */
	assert_true(memcached_down_may_ask(&down, 61000 + S));
	memcached_down_late(&down, 61000 + S, 62000 + S);
	assert_false(memcached_down_may_ask(&down, 62000 + S));
}

static void
test_of_a_name(void **state)
{
	struct memcached_down own = { 0 };
	struct memcached_down *a = memcached_down_of("a:1", &own);
	struct memcached_down *b = memcached_down_of("b:1", &own);
	char name[16];
	(void)state;

	assert_ptr_not_equal(a, &own);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(memcached_down_of("a:1", &own), a);
	/* more servers than there is room for: each store for itself */
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		(void)memcached_down_of(name, &own);
	}
	assert_ptr_equal(memcached_down_of("one more", &own), &own);
	assert_ptr_equal(memcached_down_of("b:1", &own), b);
}

static struct memcached_down shared;
static atomic_int asked;
static pthread_barrier_t barrier;

static void *
ask(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	if (memcached_down_may_ask(&shared, 2 * S)) {
		atomic_fetch_add(&asked, 1);
	}
	return NULL;
}

static void
test_one_thread_asks(void **state)
{
	pthread_t threads[THREADS];
	(void)state;

	for (int round = 0; round < 50; round++) {
		atomic_store(&asked, 0);
		atomic_store(&shared.until_us, S);
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (size_t i = 0; i < THREADS; i++) {
			pthread_create(&threads[i], NULL, ask, NULL);
		}
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
		}
		pthread_barrier_destroy(&barrier);
		assert_int_equal(atomic_load(&asked), 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_alone_for_a_second),
		cmocka_unit_test(test_answers_others),
		cmocka_unit_test(test_late_in_a_row),
		cmocka_unit_test(test_of_a_name),
		cmocka_unit_test(test_one_thread_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
