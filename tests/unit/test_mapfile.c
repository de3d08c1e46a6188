#include "base/mapfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder_fixture.h"

enum { BYTES = 8192, CHILDREN = 24 };

struct shared {
	struct mapfile_head head;
	_Atomic uint64_t joined;
	_Atomic uint64_t ready; /* set under the lock by the first */
};

static const struct mapfile_head head = { 0x1234, 1 };
static struct shared *
map(struct mapfile_head with, size_t bytes)
{
	void *out = NULL;
	int lock = -1;
	struct err err = { 0 };

	if (mapfile_open(path, bytes, with, &out, &lock, &err) != STATUS_OK) {
		fail_msg("%s", err.text);
	}
	mapfile_unlock(lock);
	return out;
}

static void
a_second_mapping_sees_the_first(void **state)
{
	struct shared *a = map(head, BYTES), *b;
	struct stat st;

	(void)state;
	assert_int_equal(a->head.magic, 0x1234);
	assert_int_equal(a->joined, 0);
	a->joined = 42;
	b = map(head, BYTES);
	assert_ptr_not_equal(a, b);
	assert_int_equal(b->joined, 42);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, BYTES);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* really on the disk, or a full one would be a SIGBUS later */
	assert_true(st.st_blocks * 512 >= BYTES);
	munmap(a, BYTES);
	munmap(b, BYTES);
}

/* Another magic, shape or size, and a file that was only half made. */
static void
a_file_of_another_shape_is_replaced(void **state)
{
	static const struct {
		struct mapfile_head head;
		size_t bytes;
	} cases[] = {
		{ { 0x1234, 2 }, BYTES },
		{ { 0x4321, 2 }, BYTES },
		{ { 0x4321, 2 }, BYTES * 2 },
		{ { 0x1234, 1 }, BYTES },
	};
	struct shared *old = map(head, BYTES);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t bytes = i == 0 ? BYTES : cases[i - 1].bytes;

		old->joined = 7;
		struct shared *new = map(cases[i].head, cases[i].bytes);
		assert_int_equal(new->joined, 0);
		assert_int_equal(new->head.shape, cases[i].head.shape);
		assert_int_equal(old->joined, 7); /* still there for its user */
		munmap(old, bytes);
		old = new;
	}
	munmap(old, BYTES);

	int fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, BYTES), 0); /* all zero: no head */
	close(fd);
	old = map(head, BYTES);
	assert_int_equal(old->head.magic, 0x1234);
	munmap(old, BYTES);

	assert_int_equal(truncate(path, 3), 0);
	old = map(head, BYTES);
	assert_int_equal(old->head.magic, 0x1234);
	munmap(old, BYTES);
}

/* One of many: maps the file, and is the first or sees what the first did. */
static int
join(int round)
{
	struct mapfile_head with = { 0x1234, (uint32_t)round };
	void *out;
	int lock;

	if (mapfile_open(path, BYTES, with, &out, &lock, NULL) != STATUS_OK) {
		return 1;
	}
	struct shared *shared = out;
	if (shared->joined == 0) {
		usleep(2000); /* so that the others really wait */
		shared->ready = 1;
	}
	bool good = shared->ready == 1;
	shared->joined++;
	mapfile_unlock(lock);
	return good ? 0 : 2;
}

static void
processes_that_start_at_once_agree_on_one_file(void **state)
{
	(void)state;
	/* each round finds the file of the round before: another shape */
	for (int round = 100; round < 110; round++) {
		pid_t pids[CHILDREN];

		for (int i = 0; i < CHILDREN; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0) {
				_exit(join(round));
			}
		}
		for (int i = 0; i < CHILDREN; i++) {
			int how;

			assert_int_equal(waitpid(pids[i], &how, 0), pids[i]);
			assert_true(WIFEXITED(how));
			assert_int_equal(WEXITSTATUS(how), 0);
		}
		struct shared *shared = map(
		    (struct mapfile_head){ 0x1234, (uint32_t)round }, BYTES);
		assert_int_equal(shared->joined, CHILDREN);
		munmap(shared, BYTES);
	}
}

static enum status
try_map(const char *at, struct err *err)
{
	void *out = NULL;
	int lock = -1;
	enum status status = mapfile_open(at, BYTES, head, &out, &lock, err);

	assert_null(out);
	assert_int_equal(lock, -1);
	return status;
}

static void
what_cannot_be_mapped_says_why(void **state)
{
	char link[80], none[80];
	struct err err = { 0 };

	(void)state;
	snprintf(none, sizeof(none), "%s/no/such", folder);
	assert_int_equal(try_map(none, &err), STATUS_IO);
	assert_memory_equal(err.text, "cannot open ", 12);
	assert_non_null(strstr(err.text, none));
	/* a link could lead anywhere */
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(try_map(link, &err), STATUS_IO);
	unlink(link);
}

/* A limit of the size of files stands in for a full disk. */
static void
a_full_disk_is_said_and_leaves_nothing_wrong(void **state)
{
	struct rlimit old, none;
	struct err err = { 0 };

	(void)state;
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = old;
	none.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum status status = try_map(path, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(status, STATUS_IO);
	assert_memory_equal(err.text, "cannot make room for ", 21);
	struct shared *shared = map(head, BYTES);
	assert_int_equal(shared->joined, 0);
	munmap(shared, BYTES);
}

static void
wake(int signal)
{
	(void)signal;
}

static void *
map_in_thread(void *arg)
{
	(void)arg;
	return map(head, BYTES);
}

/* Whoever waited for a file that was replaced meanwhile takes the new one. */
static void
a_waiting_process_gets_the_file_that_is_there_now(void **state)
{
	struct sigaction action = { .sa_handler = wake };
	struct shared *now = map(head, BYTES);
	void *got;
	pthread_t thread;

	(void)state;
	now->joined = 1; /* of the old file */
	munmap(now, BYTES);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, map_in_thread, NULL), 0);
	usleep(20000);
	pthread_kill(thread, SIGUSR1); /* a signal does not end the wait */
	usleep(20000);
	assert_int_equal(unlink(path), 0);
	close(fd);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_int_equal(((struct shared *)got)->joined, 0);
	((struct shared *)got)->joined = 7;
	now = map(head, BYTES);
	assert_int_equal(now->joined, 7);
	munmap(now, BYTES);
	munmap(got, BYTES);
}

/* Nobody is root here, so that permissions count. */
static void
a_wrong_file_that_cannot_be_replaced_says_why(void **state)
{
	struct err err = { 0 };
	bool root = geteuid() == 0;

	(void)state;
	munmap(map((struct mapfile_head){ 9, 9 }, BYTES), BYTES);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(chmod(folder, 0555), 0);
	if (root) {
		assert_int_equal(seteuid(65534), 0);
	}
	enum status status = try_map(path, &err);
	if (root) {
		assert_int_equal(seteuid(0), 0);
	}
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(status, STATUS_IO);
	assert_memory_equal(err.text, "cannot replace ", 15);
}

static void
a_hash_tells_bytes_apart(void **state)
{
	(void)state;
	/* the test vectors of the Internet-Draft on FNV */
	assert_int_equal(mapfile_hash(MAPFILE_HASH, "", 0), 0x811c9dc5);
	assert_int_equal(mapfile_hash(MAPFILE_HASH, "a", 1), 0xe40c292c);
	assert_int_equal(mapfile_hash(MAPFILE_HASH, "foobar", 6), 0xbf9cf968);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_mapping_sees_the_first),
		cmocka_unit_test(a_file_of_another_shape_is_replaced),
		cmocka_unit_test(
		    processes_that_start_at_once_agree_on_one_file),
		cmocka_unit_test(what_cannot_be_mapped_says_why),
		cmocka_unit_test(a_full_disk_is_said_and_leaves_nothing_wrong),
		cmocka_unit_test(
		    a_waiting_process_gets_the_file_that_is_there_now),
		cmocka_unit_test(a_wrong_file_that_cannot_be_replaced_says_why),
		cmocka_unit_test(a_hash_tells_bytes_apart),
	};
	return cmocka_run_group_tests_name("mapfile", tests, make_folder,
					   remove_folder);
}
