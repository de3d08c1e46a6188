#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* Standard error goes into a file while a test logs. */
static FILE *file;
static int saved;

static void
capture(void)
{
	file = tmpfile();
	assert_non_null(file);
	saved = dup(STDERR_FILENO);
	/* as a log file would be opened: each line at its end */
	assert_int_equal(fcntl(fileno(file), F_SETFL, O_APPEND), 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
}

/* What was logged since capture, in a static buffer. */
static const char *
captured(void)
{
	static char text[1 << 20];

	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void
a_line_has_its_four_parts(void **state)
{
	char want[64];
	const char *text;
	char time[CLOCK_TEXT_BYTES];
	int64_t us;

	(void)state;
	log_open("evaluate", LOG_INFO);
	capture();
	errno = EAGAIN;
	log_warning("cannot open %s: %d", "x", 42);
	assert_int_equal(errno, EAGAIN);
	text = captured();
	snprintf(time, sizeof(time), "%.27s", text);
	assert_true(clock_parse(time, &us));
	snprintf(want, sizeof(want),
		 " warning evaluate[%d] cannot open x: 42\n", (int)getpid());
	assert_string_equal(text + 27, want);
}

static void
what_is_below_the_level_is_dropped(void **state)
{
	static const enum log_level levels[] = { LOG_DEBUG, LOG_INFO,
						 LOG_WARNING, LOG_ERROR };
	const char *text;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		log_open("x", levels[i]);
		capture();
		log_debug("level0");
		log_info("level1");
		log_warning("level2");
		log_error("level3");
		text = captured();
		for (size_t k = 0; k < 4; k++) {
			char word[16];

			snprintf(word, sizeof(word), "level%zu", k);
			assert_int_equal(strstr(text, word) != NULL, k >= i);
		}
	}
	log_open("x", LOG_INFO);
}

static void
nothing_can_forge_a_line(void **state)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{ "a\nb", "a\\x0ab" },
		{ "a\r\x1b[2Jb\x7f", "a\\x0d\\x1b[2Jb\\x7f" },
		{ "\t", "\\x09" },
		{ "\xC2\x9B"
		  "31m",
		  "\\xc2\\x9b31m" },		/* C1's CSI */
		{ "a\x9B\x9F", "a\\x9b\\x9f" }, /* not text at all */
		{ "\xE4\x98\x80", "\xE4\x98\x80" },
		{ "caf\xC3\xA9 \xC2\xA0", "caf\xC3\xA9 \xC2\xA0" },
		{ "end\xC2", "end\xC2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text;

		capture();
		log_info("%s", cases[i].message);
		text = strstr(captured(), "] ");
		assert_non_null(text);
		assert_memory_equal(text + 2, cases[i].want,
				    strlen(cases[i].want));
		assert_string_equal(text + 2 + strlen(cases[i].want), "\n");
	}
}

/* However long, a line is one, fits a pipe's atomic write, and says so. */
static void
long_messages_are_cut(void **state)
{
	char message[10000];
	const char *text;

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	capture();
	log_info("%s", message);
	text = captured();
	assert_true(strlen(text) < 4096);
	assert_string_equal(text + strlen(text) - 7, "xxx...\n");

	memset(message, '\n', sizeof(message) - 1);
	capture();
	log_info("%s", message);
	text = captured();
	assert_true(strlen(text) <= 4096);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_string_equal(text + strlen(text) - 5, "\\x0a\n");
}

static void *
log_much(void *arg)
{
	for (int i = 0; i < 500; i++) {
		log_info("thread %s line", (const char *)arg);
	}
	return NULL;
}

static void
lines_of_threads_are_whole(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	pthread_t threads[4];
	size_t lines = 0;

	(void)state;
	capture();
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
		    pthread_create(&threads[i], NULL, log_much, names[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	for (const char *at = captured(); *at != '\0';) {
		const char *end = strchr(at, '\n');

		assert_non_null(end);
		assert_true(at[4] == '-' && at[26] == 'Z');
		assert_memory_equal(end - 5, " line", 5);
		at = end + 1;
		lines++;
	}
	assert_int_equal(lines, 2000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_its_four_parts),
		cmocka_unit_test(what_is_below_the_level_is_dropped),
		cmocka_unit_test(nothing_can_forge_a_line),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(lines_of_threads_are_whole),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
