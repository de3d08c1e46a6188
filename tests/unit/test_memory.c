#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"

static void
nothing_is_also_something(void **state)
{
	char *got = memory_get(0);

	(void)state;
	assert_non_null(got);
	got = memory_resize(got, 10);
	memset(got, 1, 10);
	got = memory_resize(got, 0);
	assert_non_null(got);
	free(got);
}

/* As much as no machine has; volatile, so that no compiler knows it. */
static volatile size_t huge = SIZE_MAX / 2;

static void
get_huge(void)
{
	free(memory_get(huge));
}

static void
resize_huge(void)
{
	free(memory_resize(malloc(1), huge));
}

static void
buf_huge(void)
{
	struct buf buf = { 0 };

	buf_addc(&buf, 'x');
	buf_room(&buf, huge);
	buf_fini(&buf);
}

static void
buf_overflow(void)
{
	struct buf buf = { 0 };

	buf_addc(&buf, 'x');
	buf_room(&buf, SIZE_MAX);
	buf_fini(&buf);
}

static void
arena_overflow(void)
{
	struct arena *arena = arena_new(1);

	arena_alloc(arena, SIZE_MAX);
	arena_free(arena);
}

static void
array_overflow(void)
{
	struct arena *arena = arena_new(1);

	arena_array(arena, huge, 3);
	arena_free(arena);
}

/* What RUN says on standard error before it dies, into OUT. */
static int
run_in_child(void (*run)(void), char *out, size_t cap)
{
	int ends[2], how;

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		run();
		_exit(0);
	}
	close(ends[1]);
	size_t n = 0;
	ssize_t got;
	char rest[4096];
	while ((got = read(ends[0], rest, sizeof(rest))) > 0) {
		size_t take =
		    (size_t)got < cap - 1 - n ? (size_t)got : cap - 1 - n;
		memcpy(out + n, rest, take);
		n += take;
	}
	out[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	return how;
}

static void
without_memory_the_process_says_so_and_ends(void **state)
{
	static const struct {
		void (*run)(void);
		const char *says; /* a sanitizer has words of its own */
	} cases[] = {
		{ get_huge, "out of memory" },
		{ resize_huge, "out of memory" },
		{ buf_huge, "out of memory" },
		{ buf_overflow, "out of memory" },
		{ arena_overflow, "out of memory" },
		{ array_overflow, "Assertion" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char said[8192];
		int how = run_in_child(cases[i].run, said, sizeof(said));

		assert_false(WIFEXITED(how) && WEXITSTATUS(how) == 0);
		if (strstr(said, "Sanitizer") == NULL) {
			assert_true(WIFSIGNALED(how));
			assert_int_equal(WTERMSIG(how), SIGABRT);
			assert_non_null(strstr(said, cases[i].says));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_also_something),
		cmocka_unit_test(without_memory_the_process_says_so_and_ends),
	};
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
