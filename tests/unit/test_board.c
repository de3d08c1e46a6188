#include "base/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

static char folder[] = "/tmp/test_board.XXXXXX";
static char path[64], lock_path[64];

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/board", folder);
	snprintf(lock_path, sizeof(lock_path), "%s/keeper.lock", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	unlink(lock_path);
	return rmdir(folder);
}

static struct board *
open_board(void)
{
	struct board *board = NULL;
	struct err err = { 0 };

	if (board_open(folder, &board, &err) != STATUS_OK) {
		fail_msg("%s", err.text);
	}
	return board;
}

/* A pid that was a process's and is nobody's now. */
static int32_t
dead_pid(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return (int32_t)pid;
}

static void
two_processes_see_one_board(void **state)
{
	struct board *a = open_board(), *b = open_board();

	(void)state;
	a->snapshot_generation++;
	a->policy_revision = 42;
	assert_int_equal(b->snapshot_generation, 1);
	assert_int_equal(b->policy_revision, 42);
	munmap(a, sizeof(*a));
	munmap(b, sizeof(*b));
	a = open_board();
	assert_int_equal(a->policy_revision, 42); /* it is a file */
	munmap(a, sizeof(*a));
}

static void
a_process_has_one_slot_and_leaves_it(void **state)
{
	struct board *board = open_board();
	struct board_process *self = board_join(board, "evaluate");

	(void)state;
	assert_non_null(self);
	assert_int_equal(self->pid, getpid());
	assert_string_equal(self->name, "evaluate");
	assert_true(self->started_us > 0);
	self->requests = 7;
	/* again, as after an exec: the same slot, begun anew */
	assert_ptr_equal(board_join(board, "a name that is too long"), self);
	assert_string_equal(self->name, "a name that is ");
	assert_int_equal(self->requests, 0);
	board_leave(self);
	assert_int_equal(self->pid, 0);
	board_leave(NULL);
	munmap(board, sizeof(*board));
}

static void
what_another_took_over_is_not_left(void **state)
{
	struct board *board = open_board();
	struct board_process *self = board_join(board, "x");

	(void)state;
	self->pid = 1;
	board_leave(self);
	assert_int_equal(self->pid, 1);
	self->pid = 0;
	munmap(board, sizeof(*board));
}

static void
slots_of_dead_processes_are_reaped(void **state)
{
	struct board *board = open_board();
	int32_t dead = dead_pid();

	(void)state;
	board->processes[0].pid = dead;
	board->processes[1].pid = (int32_t)getpid();
	board->processes[2].pid = -dead; /* died while it joined */
	board->processes[3].pid = 1;
	board_reap(board);
	assert_int_equal(board->processes[0].pid, 0);
	assert_int_equal(board->processes[1].pid, getpid());
	assert_int_equal(board->processes[2].pid, 0);
	assert_int_equal(board->processes[3].pid, 1);
	board->processes[1].pid = board->processes[3].pid = 0;
	munmap(board, sizeof(*board));
}

static uint64_t
word_of(uint32_t who)
{
	return (uint64_t)who << 32 | 77;
}

static void
words_of_dead_processes_are_reaped(void **state)
{
	struct board *board = open_board();
	uint32_t other = board_self() ^ UINT32_C(1) << BOARD_PID_BITS;
	const struct {
		uint32_t who;
		bool stays;
	} words[] = {
		{ (uint32_t)dead_pid(), false },
		{ board_self(), true },
		{ (uint32_t)getpid(), true }, /* its start is not known */
		{ other, false },	      /* had the same pid, long ago */
		{ other, false },
		{ 1, true },
	};
	enum { WORDS_N = sizeof(words) / sizeof(words[0]) };

	(void)state;
	for (int i = 0; i < WORDS_N; i++) {
		board->spool_inside[BOARD_INSIDE - WORDS_N + i] =
		    word_of(words[i].who);
	}
	board_reap(board);
	for (int i = 0; i < WORDS_N; i++) {
		print_message("word %d\n", i);
		assert_true(board->spool_inside[BOARD_INSIDE - WORDS_N + i] ==
			    (words[i].stays ? word_of(words[i].who) : 0));
		board->spool_inside[BOARD_INSIDE - WORDS_N + i] = 0;
	}
	munmap(board, sizeof(*board));
}

/* Threads of a child: the first may end before the others. */
static void *
sleep_on(void *arg)
{
	for (;;) {
		pause();
	}
	return arg;
}

static void
a_process_is_gone_when_all_its_threads_are(void **state)
{
	struct board *board = open_board();
	uint32_t parent = board_self();
	siginfo_t info;

	(void)state;
	board->policy_revision = 0;
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t thread;
		pthread_create(&thread, NULL, sleep_on, NULL);
		board->policy_revision = board_self();
		pthread_exit(NULL);
	}
	while (board->policy_revision == 0) {
		sched_yield();
	}
	uint32_t child = (uint32_t)board->policy_revision;
	assert_int_not_equal(child, parent);
	assert_int_equal(board_self(), parent);
	usleep(50000); /* its first thread is a zombie by now */
	assert_false(board_gone(child));
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
	assert_false(board_gone(child));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(board_gone(child)); /* a zombie */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(board_gone(child));
	assert_true(board_gone((uint32_t)pid));
	munmap(board, sizeof(*board));
}

static void
a_full_board_takes_over_the_dead_or_says_no(void **state)
{
	struct board *board = open_board();

	(void)state;
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		board->processes[i].pid = 1;
	}
	log_open("test", LOG_ERROR); /* a warning is expected */
	assert_null(board_join(board, "x"));
	board->processes[300].pid = dead_pid();
	assert_ptr_equal(board_join(board, "x"), &board->processes[300]);
	board->processes[300].pid = 1;
	board->processes[301].pid = -dead_pid();
	assert_ptr_equal(board_join(board, "x"), &board->processes[301]);
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		board->processes[i].pid = 0;
	}
	munmap(board, sizeof(*board));
}

enum { CHILDREN = 40 };

static void
processes_that_join_at_once_have_different_slots(void **state)
{
	struct board *board = open_board();
	pid_t pids[CHILDREN];
	int go[2];
	size_t found = 0;

	(void)state;
	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			char c;
			close(go[1]);
			ssize_t n =
			    read(go[0], &c, 1); /* until all are there */
			_exit(n == 0 &&
				      board_join(open_board(), "child") != NULL
				  ? 0
				  : 1);
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < CHILDREN; i++) {
		siginfo_t info;

		/* it stays a zombie, so its pid stays taken */
		assert_int_equal(
		    waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT), 0);
		assert_int_equal(info.si_status, 0);
	}
	for (int i = 0; i < CHILDREN; i++) {
		size_t mine = 0;

		for (int k = 0; k < BOARD_PROCESSES; k++) {
			mine += board->processes[k].pid == pids[i];
		}
		assert_int_equal(mine, 1);
		found += mine;
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	}
	assert_int_equal(found, CHILDREN);
	board_reap(board);
	for (int k = 0; k < BOARD_PROCESSES; k++) {
		assert_int_equal(board->processes[k].pid, 0);
	}
	munmap(board, sizeof(*board));
}

static void
after_a_boot_the_processes_are_forgotten(void **state)
{
	struct board *board = open_board();

	(void)state;
	assert_true(board->boot != 0);
	board->boot++; /* as if it had been another */
	board->processes[5].pid = 1;
	board->spool_inside[5] = word_of(1);
	board->keeper_pid = 1;
	board->keeper_beat_us = 1;
	board->pg_up = 1;
	board->counter_epoch = 7;
	board->counter_counts = BOARD_COUNTS_MEMCACHED;
	board->clock_off = 1;
	board->policy_revision = 42;
	board->spool_appended_bytes = 43;
	struct board *again = open_board();
	assert_int_equal(again->processes[5].pid, 0);
	assert_true(again->spool_inside[5] == 0);
	assert_int_equal(again->keeper_pid, 0);
	assert_int_equal(again->keeper_beat_us, 0);
	assert_int_equal(again->pg_up, 0);
	assert_int_equal(again->counter_epoch, 0);
	assert_int_equal(again->counter_counts, BOARD_COUNTS_NOTHING);
	assert_int_equal(again->clock_off, 0);
	assert_int_equal(again->policy_revision, 42);
	assert_int_equal(again->spool_appended_bytes, 43);
	again->processes[5].pid = 1;
	munmap(board, sizeof(*board));
	board = open_board(); /* and only once */
	assert_int_equal(board->processes[5].pid, 1);
	board->processes[5].pid = 0;
	munmap(board, sizeof(*board));
	munmap(again, sizeof(*again));
}

static void
a_keeper_is_seen_by_its_lock(void **state)
{
	(void)state;
	assert_false(board_keeper_alive(folder)); /* no file at all */
	int fd = open(lock_path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_false(board_keeper_alive(folder));
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_true(board_keeper_alive(folder));
	assert_true(board_keeper_alive(folder));
	close(fd);
	assert_false(board_keeper_alive(folder));
}

static void
folders_that_cannot_be_are_refused(void **state)
{
	char longest[PATH_MAX + 1];
	struct board *board = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(board_open("/no/such/folder", &board, &err),
			 STATUS_IO);
	assert_non_null(strstr(err.text, "/no/such/folder/board"));
	assert_false(board_keeper_alive("/no/such/folder"));
	memset(longest, 'x', PATH_MAX);
	longest[PATH_MAX] = '\0';
	assert_int_equal(board_open(longest, &board, &err), STATUS_IO);
	assert_false(board_keeper_alive(longest));
	assert_null(board);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_processes_see_one_board),
		cmocka_unit_test(a_process_has_one_slot_and_leaves_it),
		cmocka_unit_test(what_another_took_over_is_not_left),
		cmocka_unit_test(slots_of_dead_processes_are_reaped),
		cmocka_unit_test(words_of_dead_processes_are_reaped),
		cmocka_unit_test(a_process_is_gone_when_all_its_threads_are),
		cmocka_unit_test(a_full_board_takes_over_the_dead_or_says_no),
		cmocka_unit_test(
		    processes_that_join_at_once_have_different_slots),
		cmocka_unit_test(after_a_boot_the_processes_are_forgotten),
		cmocka_unit_test(a_keeper_is_seen_by_its_lock),
		cmocka_unit_test(folders_that_cannot_be_are_refused),
	};
	return cmocka_run_group_tests_name("board", tests, make_folder,
					   remove_folder);
}
