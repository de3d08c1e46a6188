/*
 * The writers' side: what was taken is there, once and whole, whatever
 * happens to its writer, its file and its folder.
 */
#include "record/spool.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metric.h"
#include "record/spool_keep.h"
#include "record_fixture.h"

enum { APPENDED_OK, APPENDED_FULL, APPENDED_ERROR };

static void
spool_keeps_the_order(void **state)
{
	struct fixture *f = *state;
	int64_t before = metric_read(METRIC_spool_appends_total, APPENDED_OK);

	assert_int_equal(fixture_read_all(f), 0);
	fixture_append(f, "Ea\n");
	fixture_append(f, "Eb\nVc\n");
	assert_int_equal(fixture_read_all(f), 2);
	assert_string_equal(buf_text(&f->out), "Ea\nEb\nVc\n");
	assert_int_equal(fixture_read_all(f), 0);
	fixture_append(f, "Ed\n");
	fixture_reopen(f);
	assert_int_equal(fixture_read_all(f), 1);
	assert_string_equal(buf_text(&f->out), "Ed\n");
	assert_int_equal(metric_read(METRIC_spool_appends_total, APPENDED_OK),
			 before + 3);
}

/* Writers of many processes and threads, and segments of 64 KiB. */
enum { PROCESSES = 4, THREADS = 4, EACH = 600, RECORD_BYTES = 700 };

struct writer {
	struct spool *spool;
	int number;
};

/* "E<writer> <i> <filling>\n", of a length that depends on both. */
static size_t
make_record(int writer, int i, char *out)
{
	int n = snprintf(out, RECORD_BYTES, "E%d %d ", writer, i);
	int fill = (writer * 131 + i * 37) % (RECORD_BYTES - n - 2);

	memset(out + n, 'a' + (writer + i) % 26, (size_t)fill);
	out[n + fill] = '\n';
	return (size_t)(n + fill + 1);
}

static void *
write_each(void *arg)
{
	const struct writer *writer = arg;
	char record[RECORD_BYTES];
	struct err err;

	for (int i = 0; i < EACH; i++) {
		size_t n = make_record(writer->number, i, record);
		if (spool_append(writer->spool, record, n, &err) != STATUS_OK) {
			_exit(1);
		}
	}
	return NULL;
}

/* A process with THREADS writers; its exit status is 0 when all worked. */
static pid_t
start_process(const struct fixture *f, int number)
{
	pid_t child = fork();
	pthread_t threads[THREADS];
	struct writer writers[THREADS];
	struct spool *spool = NULL;
	struct err err;

	if (child != 0) {
		return child;
	}
	if (spool_open(&f->config, f->board, &spool, &err) != STATUS_OK) {
		_exit(2);
	}
	for (int i = 0; i < THREADS; i++) {
		writers[i] = (struct writer){ spool, number * THREADS + i };
		pthread_create(&threads[i], NULL, write_each, &writers[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	_exit(0);
}

/* Tick off each line of f->out; every one must be whole and new. */
static void
tick_off(const struct fixture *f, char *seen, size_t *n)
{
	char want[RECORD_BYTES];

	for (const char *at = f->out.data; at < f->out.data + f->out.len;) {
		int writer = -1, i = -1;
		assert_int_equal(sscanf(at, "E%d %d ", &writer, &i), 2);
		size_t size = make_record(writer, i, want);
		assert_memory_equal(at, want, size);
		assert_false(seen[writer * EACH + i]);
		seen[writer * EACH + i] = 1;
		at += size;
		++*n;
	}
}

static void
spool_takes_many_writers(void **state)
{
	struct fixture *f = *state;
	enum { ALL = PROCESSES * THREADS * EACH };
	char *seen = calloc(ALL, 1);
	size_t n = 0;
	pid_t children[PROCESSES];

	for (int i = 0; i < PROCESSES; i++) {
		children[i] = start_process(f, i);
	}
	int64_t until = clock_mono_us() + 60 * 1000000;
	while (n < ALL && clock_mono_us() < until) {
		if (fixture_read(f, 30000) == 0) {
			clock_sleep_us(500);
			continue;
		}
		tick_off(f, seen, &n);
		spool_keep_trim(f->config.state_dir, f->board, f->at);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;
		waitpid(children[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(n, ALL);
	assert_int_equal(fixture_read_all(f), 0);
	spool_keep_trim(f->config.state_dir, f->board, f->at);
	assert_true(fixture_segments_n(f) <= 2);
	free(seen);
}

/* A writer that is killed: all that it was told is there, and no half. */
static void
spool_survives_kill(void **state)
{
	struct fixture *f = *state;
	int *acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char record[RECORD_BYTES];

	for (int round = 0; round < 20; round++) {
		*acknowledged = 0;
		pid_t child = fork();
		if (child == 0) {
			struct spool *spool = NULL;
			struct err err;
			if (spool_open(&f->config, f->board, &spool, &err) !=
			    STATUS_OK) {
				_exit(1);
			}
			for (int i = 0;; i++) {
				size_t n = make_record(round, i, record);
				if (spool_append(spool, record, n, &err) !=
				    STATUS_OK) {
					_exit(1);
				}
				*acknowledged = i + 1;
			}
		}
		clock_sleep_us(2000 + (round * 7919) % 9000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		size_t n = fixture_read_all(f);
		assert_in_range(n, *acknowledged, *acknowledged + 1);
		const char *at = f->out.data;
		for (size_t i = 0; i < n; i++) {
			size_t size = make_record(round, (int)i, record);
			assert_memory_equal(at, record, size);
			at += size;
		}
	}
	munmap(acknowledged, 4096);
}

static void
spool_is_full_at_its_limit(void **state)
{
	struct fixture *f = *state;
	int64_t before = metric_read(METRIC_spool_appends_total, APPENDED_FULL);
	struct err err;

	f->config.spool_max_bytes = 40;
	fixture_reopen(f);
	fixture_append(f, "Eabcdefg\n"); /* 21 bytes with its head */
	assert_int_equal(spool_append(f->spool, "Eabcdefg\n", 9, &err),
			 STATUS_FULL);
	assert_int_equal(f->board->spool_failed, 1);
	assert_int_equal(metric_read(METRIC_spool_appends_total, APPENDED_FULL),
			 before + 1);
	/* up to the limit exactly */
	fixture_append(f, "Eabcd1\n");
	assert_int_equal(f->board->spool_failed, 0);
	assert_int_equal(spool_backlog_bytes(f->board), 40);
	assert_int_equal(fixture_read_all(f), 2);
	spool_keep_account(f->config.state_dir, f->board, &f->at);
	assert_int_equal(spool_backlog_bytes(f->board), 0);
	fixture_append(f, "Eagain\n");
	assert_int_equal(f->board->spool_failed, 0);
	assert_int_equal(fixture_read_all(f), 1);
}

static void
set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that takes part of a record, then none, then all again. */
static void
spool_recovers_from_a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct err err;

	signal(SIGXFSZ, SIG_IGN);
	fixture_append(f, "Efirst\n"); /* 19 bytes */
	set_file_limit(30);
	assert_int_equal(spool_append(f->spool, "Ehalf\n", 6, &err),
			 STATUS_FULL);
	assert_non_null(strstr(err.text, "only 11 of 18"));
	assert_int_equal(spool_append(f->spool, "Enone\n", 6, &err),
			 STATUS_FULL);
	assert_int_equal(f->board->spool_failed, 1);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(fixture_read_all(f), 1);
	fixture_append(f, "Elast\n");
	assert_int_equal(f->board->spool_failed, 0);
	assert_int_equal(fixture_read_all(f), 1);
	assert_string_equal(buf_text(&f->out), "Elast\n");
}

/* A process that starts while the disk is full. */
static void
spool_opens_on_a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct spool *spool = NULL;
	struct spool_reader *reader = NULL;
	struct err err;

	signal(SIGXFSZ, SIG_IGN);
	fixture_shell(f, "rm -r spool");
	set_file_limit(0);
	assert_int_equal(spool_open(&f->config, f->board, &spool, &err),
			 STATUS_OK);
	assert_int_equal(spool_append(spool, "Enone\n", 6, &err), STATUS_FULL);
	assert_int_equal(spool_reader_open(&f->config, f->board, &reader, &err),
			 STATUS_FULL);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(spool_append(spool, "Esome\n", 6, &err), STATUS_OK);
	spool_close(spool);
	fixture_reopen(f);
	assert_int_equal(fixture_read_all(f), 1);
	assert_string_equal(buf_text(&f->out), "Esome\n");
}

static void
spool_refuses_what_is_too_large(void **state)
{
	struct fixture *f = *state;
	struct err err;
	char *large = malloc(SPOOL_RECORD_MAX_BYTES + 1);

	memset(large, 'x', SPOOL_RECORD_MAX_BYTES + 1);
	large[0] = 'E';
	large[SPOOL_RECORD_MAX_BYTES] = '\n';
	assert_int_equal(
	    spool_append(f->spool, large, SPOOL_RECORD_MAX_BYTES + 1, &err),
	    STATUS_TOO_LARGE);
	assert_int_equal(f->board->spool_failed, 0);
	large[SPOOL_RECORD_MAX_BYTES - 1] = '\n';
	assert_int_equal(
	    spool_append(f->spool, large, SPOOL_RECORD_MAX_BYTES, NULL),
	    STATUS_OK);
	fixture_append(f, "Eafter\n"); /* in the next segment */
	assert_int_equal(fixture_read(f, 1), 1);
	assert_int_equal(f->out.len, SPOOL_RECORD_MAX_BYTES);
	assert_memory_equal(f->out.data, large, SPOOL_RECORD_MAX_BYTES);
	assert_int_equal(fixture_read(f, 1), 1);
	assert_string_equal(buf_text(&f->out), "Eafter\n");
	free(large);
}

/* What somebody may do to the files, and how many old records it costs. */
static const struct {
	const char *command;
	size_t lost;
} accidents[] = {
	{ "true", 0 },
	{ "rm spool/*.seg", 1 },
	{ "rm spool/boot", 0 },
	{ "rm spool/lock spool/id", 0 },
};

static void
spool_outlives_its_files(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(accidents) / sizeof(accidents[0]); i++) {
		print_message("accident: %s\n", accidents[i].command);
		fixture_append(f, "Ebefore\n");
		fixture_shell(f, accidents[i].command);
		fixture_append(f, "Eafter\n");
		fixture_append(f, "Eonce more\n");
		/* a reader that has the file open would still get it */
		fixture_reopen(f);
		assert_int_equal(fixture_read_all(f), 3 - accidents[i].lost);
		assert_non_null(
		    strstr(buf_text(&f->out), "Eafter\nEonce more\n"));
		/* and whoever starts now writes to the same place */
		fixture_reopen(f);
		fixture_append(f, "Enew\n");
		assert_int_equal(fixture_read_all(f), 1);
	}
}

/* Another process has gone on; this one follows with its next record. */
static void
spool_follows_the_board(void **state)
{
	struct fixture *f = *state;
	uint64_t number;
	struct err err;

	fixture_append(f, "Eold\n");
	number = f->board->spool_segment;
	assert_int_equal(
	    spool_file_rotate(f->config.state_dir, f->board, number, &err),
	    STATUS_OK);
	assert_int_equal(f->board->spool_segment, number + 1);
	/* somebody is late with the same */
	assert_int_equal(
	    spool_file_rotate(f->config.state_dir, f->board, number, &err),
	    STATUS_OK);
	assert_int_equal(f->board->spool_segment, number + 1);
	fixture_append(f, "Enew\n");
	assert_int_equal(fixture_read(f, 1), 1);
	assert_string_equal(buf_text(&f->out), "Eold\n");
	assert_int_equal(fixture_read(f, 1), 1);
	assert_string_equal(buf_text(&f->out), "Enew\n");
	assert_int_equal(f->at.segment, number + 1);
}

/* After a boot nobody writes on in a segment that may have been cut. */
static void
spool_begins_anew_after_a_boot(void **state)
{
	struct fixture *f = *state;
	uint64_t number = f->board->spool_segment;

	fixture_append(f, "Eold\n");
	fixture_shell(f, "echo another > spool/boot");
	fixture_reopen(f);
	assert_int_equal(f->board->spool_segment, number + 1);
	fixture_reopen(f);
	assert_int_equal(f->board->spool_segment, number + 1);
	fixture_append(f, "Enew\n");
	assert_int_equal(fixture_read_all(f), 2);
}

/* A board that was lost names no segment that exists already. */
static void
spool_outlives_the_board(void **state)
{
	struct fixture *f = *state;
	uint64_t number = f->board->spool_segment;

	fixture_append(f, "Eold\n");
	f->board->spool_segment = 0;
	fixture_reopen(f);
	assert_int_equal(f->board->spool_segment, number);
	/* no file either: past all numbers that there can have been */
	assert_int_equal(fixture_read_all(f), 1);
	fixture_shell(f, "rm -r spool");
	f->board->spool_segment = 0;
	clock_sleep_us(1000001);
	fixture_reopen(f);
	assert_true(f->board->spool_segment > number);
	fixture_append(f, "Enew\n");
	assert_int_equal(fixture_read_all(f), 1);
}

static void
spool_says_what_it_cannot_open(void **state)
{
	struct fixture *f = *state;
	struct config config = f->config;
	struct spool *spool = NULL;
	struct err err;

	strcat(config.state_dir, "/missing");
	f->board->spool_segment = 0;
	assert_int_equal(spool_open(&config, f->board, &spool, &err),
			 STATUS_IO);
	assert_null(spool);
	fixture_shell(f, "touch file");
	strcpy(config.state_dir, f->config.state_dir);
	strcat(config.state_dir, "/file");
	assert_int_equal(spool_open(&config, f->board, &spool, &err),
			 STATUS_IO);
	/* a folder where the segment should be */
	f->board->spool_segment = 77;
	char path[SPOOL_FILE_PATH_BYTES];
	char command[SPOOL_FILE_PATH_BYTES + 16];
	snprintf(command, sizeof(command), "mkdir %s",
		 fixture_segment(f, path));
	fixture_shell(f, command);
	assert_int_equal(spool_append(f->spool, "E\n", 2, &err), STATUS_IO);
	assert_int_equal(f->board->spool_failed, 1);
}

static void
spool_close_takes_null(void **state)
{
	(void)state;
	spool_close(NULL);
	spool_reader_close(NULL);
}

#define CASE(test) \
	cmocka_unit_test_setup_teardown(test, fixture_begin, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(spool_keeps_the_order),
		CASE(spool_takes_many_writers),
		CASE(spool_survives_kill),
		CASE(spool_is_full_at_its_limit),
		CASE(spool_recovers_from_a_full_disk),
		CASE(spool_opens_on_a_full_disk),
		CASE(spool_refuses_what_is_too_large),
		CASE(spool_outlives_its_files),
		CASE(spool_follows_the_board),
		CASE(spool_begins_anew_after_a_boot),
		CASE(spool_outlives_the_board),
		CASE(spool_says_what_it_cannot_open),
		cmocka_unit_test(spool_close_takes_null),
	};
	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
