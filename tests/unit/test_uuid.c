#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define NOW INT64_C(1795409067123456)

/* First in the program: the order bits start at the fraction. */
static void
an_id_has_its_time_version_and_variant(void **state)
{
	char id[UUID_TEXT_BYTES], want[16];

	(void)state;
	uuid_make(NOW, id);
	assert_true(uuid_valid(id));
	assert_int_equal(strlen(id), UUID_TEXT_BYTES - 1);
	snprintf(want, sizeof(want), "%08llx-%04llx",
		 (unsigned long long)(NOW / 1000 >> 16),
		 (unsigned long long)(NOW / 1000 & 0xffff));
	assert_memory_equal(id, want, 13);
	/* 456 of 1000 of 4096 is 1867 */
	assert_memory_equal(id + 13, "-774b-", 6);
	assert_non_null(strchr("89ab", id[19]));
}

static void
ids_of_one_moment_are_in_order(void **state)
{
	char last[UUID_TEXT_BYTES] = "", id[UUID_TEXT_BYTES];

	(void)state;
	/* more than 12 bits can count: the millisecond moves on then */
	for (int i = 0; i < 10000; i++) {
		uuid_make(NOW, id);
		assert_true(strcmp(last, id) < 0);
		assert_true(uuid_valid(id));
		strcpy(last, id);
	}
	/* and with a clock that steps and hesitates */
	for (int i = 0; i < 20000; i++) {
		uuid_make(NOW + i / 7 - (i % 5) * 300, id);
		assert_true(strcmp(last, id) < 0);
		strcpy(last, id);
	}
}

static void
a_clock_that_is_set_back_is_followed(void **state)
{
	char id[UUID_TEXT_BYTES];

	(void)state;
	uuid_make(NOW, id);
	uuid_make(NOW - 3600 * INT64_C(1000000), id);
	char hour[UUID_TEXT_BYTES];
	uuid_make(0, hour);
	assert_memory_equal(hour, "00000000-0000-7000-", 19);
	assert_true(strcmp(hour, id) < 0);
}

enum { THREADS = 4, EACH = 20000 };

static void *
make_many(void *arg)
{
	char(*out)[UUID_TEXT_BYTES] = arg;

	for (int i = 0; i < EACH; i++) {
		uuid_make(NOW, out[i]);
	}
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
assert_all_differ(char (*ids)[UUID_TEXT_BYTES], size_t n)
{
	qsort(ids, n, sizeof(*ids), compare);
	for (size_t i = 1; i < n; i++) {
		assert_string_not_equal(ids[i - 1], ids[i]);
	}
}

static void
threads_make_different_ids(void **state)
{
	pthread_t threads[THREADS];
	char(*ids)[UUID_TEXT_BYTES] = calloc(THREADS * EACH, sizeof(*ids));

	(void)state;
	assert_non_null(ids);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, make_many,
						ids + i * EACH),
				 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	assert_all_differ(ids, THREADS * EACH);
	free(ids);
}

/* Parent and child hold the same random bytes, and the child drops them. */
static void
a_child_makes_other_ids_than_its_parent(void **state)
{
	char ids[2][UUID_TEXT_BYTES];
	int ends[2], how;

	(void)state;
	uuid_make(NOW, ids[0]); /* now there are some left */
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	uuid_make(NOW, ids[0]);
	if (pid == 0) {
		ssize_t n = write(ends[1], ids[0], sizeof(ids[0]));
		exit(n == sizeof(ids[0]) ? 0 : 1);
	}
	assert_int_equal(read(ends[0], ids[1], sizeof(ids[1])), sizeof(ids[1]));
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	close(ends[0]);
	close(ends[1]);
	/* the time and order are the same, the random bits are not */
	assert_memory_equal(ids[0], ids[1], 18);
	assert_string_not_equal(ids[0] + 19, ids[1] + 19);
}

static void
texts_are_judged(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{ "019a206f-0a3c-774b-8000-000000000000", true },
		{ "019A206F-0A3C-774B-8000-00000000abCD", true },
		{ "00000000-0000-0000-0000-000000000000", true },
		{ "550e8400-e29b-41d4-a716-446655440000", true },
		{ "", false },
		{ "019a206f", false },
		{ "019a206f-0a3c-774b-8000-00000000000", false },
		{ "019a206f-0a3c-774b-8000-0000000000000", false },
		{ "019a206f-0a3c-774b-8000-00000000000g", false },
		{ "019a206f0a3c-774b-8000-0000000000000", false },
		{ "019a206f00a3c0774b08000-000000000000", false },
		{ "{19a206f-0a3c-774b-8000-000000000000", false },
		{ "019a206f-0a3c-774b-8000-00000000000 ", false },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		print_message("%s\n", cases[i].text);
		assert_int_equal(uuid_valid(cases[i].text), cases[i].valid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_has_its_time_version_and_variant),
		cmocka_unit_test(ids_of_one_moment_are_in_order),
		cmocka_unit_test(a_clock_that_is_set_back_is_followed),
		cmocka_unit_test(threads_make_different_ids),
		cmocka_unit_test(a_child_makes_other_ids_than_its_parent),
		cmocka_unit_test(texts_are_judged),
	};
	return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
