#include "base/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Has what is exported this line, as a whole? */
static bool
has_line(const char *line)
{
	struct buf out = { 0 };
	size_t n = strlen(line);
	bool found = false;

	metric_write(&out);
	for (const char *at = buf_text(&out); !found && *at != '\0';) {
		const char *end = strchr(at, '\n');

		assert_non_null(end);
		found = (size_t)(end - at) == n && memcmp(at, line, n) == 0;
		at = end + 1;
	}
	if (!found) {
		print_message("%s", buf_text(&out));
	}
	buf_fini(&out);
	return found;
}

/* First: before a file is opened they count in private. */
static void
counters_gauges_and_histograms_add_up(void **state)
{
	(void)state;
	metric_add(METRIC_evaluations_total, 4, 3);
	metric_add(METRIC_evaluations_total, 0, 1);
	metric_add(METRIC_evaluations_total, 4, 2);
	metric_add(METRIC_spool_bytes_total, 0, 1000);
	metric_add(METRIC_http_refused_total, 9, 1);
	metric_set(METRIC_policy_revision, 42);
	metric_set(METRIC_policy_revision, 41);
	metric_set(METRIC_postgresql_up, -1);
	assert_int_equal(metric_read(METRIC_evaluations_total, 4), 5);
	assert_int_equal(metric_read(METRIC_evaluations_total, 1), 0);
	assert_int_equal(metric_read(METRIC_policy_revision, 0), 41);
	assert_true(has_line("ims_policy_evaluations_total"
			     "{decision=\"allow\"} 1"));
	assert_true(has_line("ims_policy_evaluations_total"
			     "{decision=\"block\"} 5"));
	assert_true(has_line("ims_policy_http_refused_total"
			     "{reason=\"other\"} 1"));
	assert_true(has_line("ims_policy_spool_bytes_total 1000"));
	assert_true(has_line("ims_policy_policy_revision 41"));
	assert_true(has_line("ims_policy_postgresql_up -1"));
	assert_true(has_line("# TYPE ims_policy_evaluations_total counter"));
	assert_true(has_line("# TYPE ims_policy_policy_revision gauge"));
	assert_true(has_line("# HELP ims_policy_evaluations_total "
			     "decisions answered"));
}

static void
histograms_are_cumulative_and_in_seconds(void **state)
{
	static const int64_t us[] = {
		-5, 0, 50, 51, 1000000, 1000001, 123456789
	};

	(void)state;
	for (size_t i = 0; i < N(us); i++) {
		metric_observe(METRIC_request_seconds, us[i]);
	}
	assert_int_equal(metric_read(METRIC_request_seconds, 0), 7);
	assert_int_equal(metric_read(METRIC_evaluation_seconds, 0), 0);
	assert_true(has_line("# TYPE ims_policy_request_seconds histogram"));
	assert_true(has_line("ims_policy_request_seconds_bucket"
			     "{le=\"0.000050\"} 3"));
	assert_true(has_line("ims_policy_request_seconds_bucket"
			     "{le=\"0.000100\"} 4"));
	assert_true(has_line("ims_policy_request_seconds_bucket"
			     "{le=\"0.100000\"} 4"));
	assert_true(has_line("ims_policy_request_seconds_bucket"
			     "{le=\"1.000000\"} 5"));
	assert_true(has_line("ims_policy_request_seconds_bucket"
			     "{le=\"+Inf\"} 7"));
	assert_true(has_line("ims_policy_request_seconds_sum 125.456891"));
	assert_true(has_line("ims_policy_request_seconds_count 7"));
}

static void *
add_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++) {
		metric_add(METRIC_violations_total, i % 4, 1);
		metric_observe(METRIC_evaluation_seconds, i);
	}
	return NULL;
}

static void
add_from_threads(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < N(threads); i++) {
		assert_int_equal(
		    pthread_create(&threads[i], NULL, add_much, NULL), 0);
	}
	for (size_t i = 0; i < N(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
}

/* Also what a process added that was killed. */
static void
a_file_sums_over_processes_and_threads(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(metric_open(path, &err), STATUS_OK);
	assert_int_equal(metric_read(METRIC_violations_total, 0), 0);
	for (int i = 0; i < 3; i++) {
		int how;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			if (metric_open(path, NULL) != STATUS_OK) {
				_exit(1);
			}
			add_from_threads();
			raise(SIGKILL);
		}
		assert_int_equal(waitpid(pid, &how, 0), pid);
		assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
	}
	add_from_threads();
	assert_int_equal(metric_read(METRIC_violations_total, 0), 80000);
	assert_int_equal(metric_read(METRIC_violations_total, 3), 80000);
	assert_int_equal(metric_read(METRIC_evaluation_seconds, 0), 320000);
	/* and whoever opens it later finds them */
	assert_int_equal(metric_open(path, &err), STATUS_OK);
	assert_int_equal(metric_read(METRIC_violations_total, 0), 80000);
}

static void
a_file_that_cannot_be_opened_keeps_the_old_block(void **state)
{
	char none[80];
	struct err err = { 0 };
	int64_t before = metric_read(METRIC_violations_total, 0);

	(void)state;
	snprintf(none, sizeof(none), "%s/no/metrics", folder);
	assert_int_equal(metric_open(none, &err), STATUS_IO);
	assert_int_equal(metric_read(METRIC_violations_total, 0), before);
}

/* Every series: each name once with HELP and TYPE, each line well formed. */
static void
every_metric_is_exported(void **state)
{
	struct buf out = { 0 };
	size_t helps = 0, types = 0;

	(void)state;
	metric_write(&out);
	for (const char *at = buf_text(&out); *at != '\0';) {
		const char *end = strchr(at, '\n');

		helps += strncmp(at, "# HELP ims_policy_", 18) == 0;
		types += strncmp(at, "# TYPE ims_policy_", 18) == 0;
		if (*at != '#') {
			assert_memory_equal(at, "ims_policy_", 11);
			assert_non_null(memchr(at, ' ', (size_t)(end - at)));
		}
		at = end + 1;
	}
	assert_int_equal(helps, METRIC_N);
	assert_int_equal(types, METRIC_N);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_gauges_and_histograms_add_up),
		cmocka_unit_test(histograms_are_cumulative_and_in_seconds),
		cmocka_unit_test(a_file_sums_over_processes_and_threads),
		cmocka_unit_test(
		    a_file_that_cannot_be_opened_keeps_the_old_block),
		cmocka_unit_test(every_metric_is_exported),
	};
	return cmocka_run_group_tests_name("metric", tests, make_folder,
					   remove_folder);
}
