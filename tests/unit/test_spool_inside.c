/*
 * Who is inside of which segment: what the writers say on the board, what the
 * reader makes of it, and what it does to the descriptors of a process.
 */
#include "record/spool_inside.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/spool_keep.h"
#include "record_fixture.h"

static size_t
words_n(const struct fixture *f)
{
	size_t n = 0;

	for (int i = 0; i < BOARD_INSIDE; i++) {
		n += f->board->spool_inside[i] != 0;
	}
	return n;
}

static void
go_on(struct fixture *f)
{
	struct err err;

	assert_int_equal(spool_file_rotate(f->config.state_dir, f->board,
					   f->board->spool_segment, &err),
			 STATUS_OK);
}

static void
inside_is_said_and_taken_back(void **state)
{
	struct fixture *f = *state;
	uint64_t far = UINT64_C(5) << 32;
	unsigned places[3];

	assert_false(spool_inside_anyone(f->board, 7));
	assert_false(spool_inside_own(f->board, 7));
	places[0] = spool_inside_enter(f->board, 7);
	places[1] = spool_inside_enter(f->board, 7);
	places[2] = spool_inside_enter(f->board, far);
	assert_int_equal(words_n(f), 3);
	for (int i = 0; i < 2; i++) {
		assert_true(spool_inside_anyone(f->board, 7));
		assert_true(spool_inside_own(f->board, 7));
		assert_false(spool_inside_anyone(f->board, 6));
		assert_false(spool_inside_own(f->board, 6));
		spool_inside_leave(f->board, places[i]);
	}
	assert_false(spool_inside_anyone(f->board, 7));
	assert_true(spool_inside_anyone(f->board, far));
	/* a free word is of no segment, also where its low bits agree */
	spool_inside_leave(f->board, places[2]);
	assert_false(spool_inside_anyone(f->board, far));
	assert_false(spool_inside_own(f->board, far));
	/* the same place again */
	assert_int_equal(spool_inside_enter(f->board, 8), places[2]);
	spool_inside_leave(f->board, places[2]);
}

/* A child that goes in, writes half of a frame, and stays. */
static pid_t
start_inside(const struct fixture *f)
{
	struct spool_file_head head = spool_file_head("Ehalf\n", 6);
	uint64_t number = f->board->spool_segment;
	pid_t child = fork();

	if (child == 0) {
		spool_inside_enter(f->board, number);
		fixture_damage(f, &head, 9);
		raise(SIGSTOP);
		_exit(1);
	}
	assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
	return child;
}

/* How a writer may be found after it was killed. */
static void
reader_waits_until_it_is_killed(struct fixture *f, bool reaped)
{
	uint64_t number = f->board->spool_segment;
	siginfo_t info;

	fixture_append(f, "Eone\n");
	pid_t child = start_inside(f);
	assert_int_equal(fixture_read_all(f), 1);
	struct spool_place place = f->at;
	go_on(f);
	fixture_append(f, "Etwo\n");
	assert_int_equal(fixture_read_all(f), 0);
	assert_int_equal(f->at.segment, number);
	assert_int_equal(f->at.offset, place.offset); /* not passed over */
	spool_keep_trim(f->config.state_dir, f->board,
			(struct spool_place){ number + 1, 0 });
	assert_int_equal(fixture_segments_n(f), 2);

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT),
			 0);
	if (reaped) {
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	assert_int_equal(words_n(f), 1);
	assert_int_equal(fixture_read_all(f), 1);
	assert_string_equal(buf_text(&f->out), "Etwo\n");
	assert_int_equal(f->at.segment, number + 1);
	assert_int_equal(words_n(f), 0);
	spool_keep_trim(f->config.state_dir, f->board, f->at);
	assert_int_equal(fixture_segments_n(f), 1);
	if (!reaped) {
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
}

static void
reader_waits_for_who_lives(void **state)
{
	reader_waits_until_it_is_killed(*state, true);
	reader_waits_until_it_is_killed(*state, false);
}

/* One append of another thread. */
struct late {
	struct fixture *f;
	atomic_int done;
};

static void *
append_late(void *arg)
{
	struct late *late = arg;

	fixture_append(late->f, "Elate\n");
	late->done = 1;
	return NULL;
}

static void
fill_table(struct fixture *f, uint32_t who)
{
	for (int i = 0; i < BOARD_INSIDE; i++) {
		f->board->spool_inside[i] = (uint64_t)who << 32 | 1;
	}
}

static void
append_waits_for_room(void **state)
{
	struct fixture *f = *state;
	struct late late = { .f = f };
	pthread_t thread;

	fixture_append(f, "Eone\n");
	fill_table(f, board_self());
	assert_int_equal(pthread_create(&thread, NULL, append_late, &late), 0);
	clock_sleep_us(100000);
	assert_int_equal(late.done, 0);
	assert_int_equal(fixture_read_all(f), 1);
	spool_inside_leave(f->board, 333);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(words_n(f), BOARD_INSIDE - 1);
	assert_true(f->board->spool_inside[333] == 0);
	assert_int_equal(fixture_read_all(f), 1);
	fill_table(f, 0);
}

static void
append_takes_the_place_of_the_dead(void **state)
{
	struct fixture *f = *state;
	pid_t child = fork();

	if (child == 0) {
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (int i = 0; i < BOARD_INSIDE; i++) {
		f->board->spool_inside[i] = (uint64_t)child << 32 | 1;
	}
	fixture_append(f, "Eone\n");
	assert_int_equal(words_n(f), 0);
}

/* How many descriptors of segments this process has. */
static size_t
descriptors_n(void)
{
	char path[64], target[512];
	DIR *dir = opendir("/proc/self/fd");
	size_t found = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		snprintf(path, sizeof(path), "/proc/self/fd/%.20s",
			 entry->d_name);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found += strstr(target, ".seg") != NULL;
	}
	closedir(dir);
	return found;
}

/* What is replaced is closed, but for what somebody is still inside of. */
static void
replaced_descriptors_are_closed(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		fixture_append(f, "Esome\n");
		assert_int_equal(descriptors_n(), 1);
		go_on(f);
	}
	/* as if a thread had been late */
	fixture_append(f, "Esome\n");
	unsigned late = spool_inside_enter(f->board, f->board->spool_segment);
	for (int i = 0; i < 5; i++) {
		go_on(f);
		fixture_append(f, "Esome\n");
		assert_int_equal(descriptors_n(), 2);
	}
	spool_inside_leave(f->board, late);
	go_on(f);
	fixture_append(f, "Esome\n");
	assert_int_equal(descriptors_n(), 1);
	fixture_reopen(f);
	assert_int_equal(descriptors_n(), 0);
}

/* Many threads, a new segment every few records, and a reader meanwhile. */
enum { THREADS = 8, EACH = 4000, ALL = THREADS * EACH, SMALL = 256 };

struct writer {
	struct fixture *f;
	int number;
	pthread_t thread;
};

static void *
write_each(void *arg)
{
	const struct writer *writer = arg;
	char record[64];
	struct err err;

	for (int i = 0; i < EACH; i++) {
		int n = snprintf(record, sizeof(record), "E%d %d\n",
				 writer->number, i);
		if (spool_append(writer->f->spool, record, (size_t)n, &err) !=
		    STATUS_OK) {
			fprintf(stderr, "%s\n", err.text);
			abort();
		}
	}
	return NULL;
}

/* Each record is the next one of its writer. */
static void
check_order(const struct fixture *f, int *next)
{
	const char *end = f->out.data + f->out.len;

	for (const char *at = f->out.data; at < end;) {
		int writer = -1, i = -1, n = 0;
		assert_int_equal(sscanf(at, "E%d %d%n", &writer, &i, &n), 2);
		assert_in_range(writer, 0, THREADS - 1);
		assert_int_equal(i, next[writer]);
		next[writer]++;
		assert_int_equal(at[n], '\n');
		at += n + 1;
	}
}

static void
threads_keep_their_order_over_many_segments(void **state)
{
	struct fixture *f = *state;
	struct writer writers[THREADS];
	int next[THREADS] = { 0 };
	size_t n = 0, open_n = 0;

	f->config.spool_segment_bytes = SMALL;
	fixture_reopen(f);
	uint64_t first = f->board->spool_segment;
	for (int i = 0; i < THREADS; i++) {
		writers[i] = (struct writer){ .f = f, .number = i };
		assert_int_equal(pthread_create(&writers[i].thread, NULL,
						write_each, &writers[i]),
				 0);
	}
	int64_t until = clock_mono_us() + 100 * 1000000;
	while (n < ALL && clock_mono_us() < until) {
		size_t got = fixture_read(f, 2000);
		check_order(f, next);
		n += got;
		if (got == 0) {
			clock_sleep_us(200);
		}
		spool_keep_trim(f->config.state_dir, f->board, f->at);
		size_t now_n = descriptors_n();
		open_n = now_n > open_n ? now_n : open_n;
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
		assert_int_equal(next[i], EACH);
	}
	assert_int_equal(fixture_read_all(f), 0);
	assert_int_equal(words_n(f), 0);
	assert_true(f->board->spool_segment - first > ALL / 20);
	/* the reader's, the current one, one that each writer is late in and
	 * one that it is just opening */
	assert_in_range(open_n, 1, 2 + 2 * THREADS);
	assert_in_range(descriptors_n(), 1, 2);
}

#define CASE(test) \
	cmocka_unit_test_setup_teardown(test, fixture_begin, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(inside_is_said_and_taken_back),
		CASE(reader_waits_for_who_lives),
		CASE(append_waits_for_room),
		CASE(append_takes_the_place_of_the_dead),
		CASE(replaced_descriptors_are_closed),
		CASE(threads_keep_their_order_over_many_segments),
	};
	return cmocka_run_group_tests_name("spool_inside", tests, NULL, NULL);
}
