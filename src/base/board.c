#include "base/board.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mapfile.h"

enum { MAGIC = 0x494d5342, SHAPE = 4 };

_Static_assert(offsetof(struct board, magic) == 0 &&
		   offsetof(struct board, shape) == sizeof(uint32_t),
	       "a board begins as struct mapfile_head");

/* A number that is another after each boot of the host; 0: not known. */
static uint64_t
boot_number(void)
{
	char id[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return 0;
	}
	ssize_t n = read(fd, id, sizeof(id));
	close(fd);
	return n <= 0 ? 0 : mapfile_hash(MAPFILE_HASH, id, (size_t)n) | 1;
}

/*
 * What was true of processes and of the monotonic clock before the host was
 * booted is not true any more: pids begin anew and would look alive.
 */
static void
forget_last_boot(struct board *board)
{
	uint64_t now = boot_number();

	if (board->boot == now) {
		return;
	}
	board->boot = now;
	board->keeper_pid = 0;
	board->keeper_beat_us = 0;
	board->pg_up = 0;
	board->counter_epoch = 0; /* others may have begun another */
	board->counter_counts = BOARD_COUNTS_NOTHING;
	board->counter_unreadable_epoch = 0;
	board->clock_off = 0;
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		board->processes[i].pid = 0;
	}
	for (int i = 0; i < BOARD_INSIDE; i++) {
		board->spool_inside[i] = 0;
	}
}

static bool
join_path(char *out, size_t cap, const char *folder, const char *name)
{
	int n = snprintf(out, cap, "%s/%s", folder, name);

	return n > 0 && (size_t)n < cap;
}

enum status
board_open(const char *state_dir, struct board **out, struct err *err)
{
	struct mapfile_head head = { MAGIC,
				     SHAPE ^ (uint32_t)sizeof(struct board)
						 << 8 };
	char path[PATH_MAX];
	void *map;
	int lock;

	if (!join_path(path, sizeof(path), state_dir, "board")) {
		return err_set(err, STATUS_IO, "state_dir is too long");
	}
	enum status status =
	    mapfile_open(path, sizeof(struct board), head, &map, &lock, err);
	if (status != STATUS_OK) {
		return status;
	}
	forget_last_boot(map);
	mapfile_unlock(lock);
	*out = map;
	return STATUS_OK;
}

/* What the kernel says of a process. */
struct life {
	int32_t pid;
	char state;
	unsigned long long threads;
	unsigned long long started; /* in ticks since the boot */
};

/*
 * PID 0: this process, by whatever pid the mounted /proc knows it.  Source:
 * proc(5), /proc/pid/stat; some of the fields are below 0.
 */
static bool
read_life(int32_t pid, struct life *out)
{
	enum { THREADS = 20, STARTED = 22 };
	char path[32] = "/proc/self/stat", text[1024];

	if (pid != 0) {
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (fd >= 0) {
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	/* The name before it may be anything, also a bracket. */
	char *at = strrchr(text, ')');
	if (at == NULL || at[1] != ' ' || at[2] == '\0') {
		return false;
	}
	out->pid = (int32_t)strtol(text, NULL, 10);
	out->state = at[2];
	at += 3;
	for (int field = 4; field <= STARTED; field++) {
		char *end;
		unsigned long long value = strtoull(at, &end, 10);

		if (end == at) {
			return false;
		}
		if (field == THREADS) {
			out->threads = value;
		}
		out->started = value;
		at = end;
	}
	return true;
}

static uint32_t
with_start(const struct life *life)
{
	/* 0 is kept for what is not known */
	uint32_t start = 1 + (uint32_t)(life->started % 1023);

	return start << BOARD_PID_BITS | (uint32_t)life->pid;
}

static int32_t
pid_of(uint32_t who)
{
	return (int32_t)(who & ((UINT32_C(1) << BOARD_PID_BITS) - 1));
}

uint32_t
board_self(void)
{
	static _Atomic uint32_t known;
	int32_t pid = (int32_t)getpid();
	uint32_t was = atomic_load_explicit(&known, memory_order_relaxed);
	struct life life;

	if (pid_of(was) == pid) {
		return was;
	}
	/* The /proc of other processes says nothing about ours. */
	bool good = read_life(0, &life) && life.pid == pid;
	uint32_t self = good ? with_start(&life) : (uint32_t)pid;
	/* All threads say the same, also where only one could read it. */
	return atomic_compare_exchange_strong(&known, &was, self) ? self : was;
}

bool
board_gone(uint32_t who)
{
	int32_t pid = pid_of(who);
	struct life life;

	if (kill(pid, 0) != 0 && errno == ESRCH) {
		return true;
	}
	if (board_self() >> BOARD_PID_BITS == 0 || !read_life(pid, &life)) {
		return false; /* no /proc, or not ours */
	}
	/* The first thread of a process may be a zombie before the others. */
	if (life.state == 'Z' && life.threads <= 1) {
		return true;
	}
	return who != (uint32_t)pid && who != with_start(&life);
}

static bool
is_gone(int32_t pid)
{
	return board_gone((uint32_t)pid);
}

/*
 * A slot is claimed with the negative pid, filled, and then shown with the
 * positive one, so that nobody sees the name of the process before.
 */
static bool
claim(struct board_process *slot, int32_t was, int32_t pid)
{
	return atomic_compare_exchange_strong(&slot->pid, &was, -pid);
}

static struct board_process *
find_slot(struct board *board, int32_t pid)
{
	/* one process has one slot: what has its pid died long ago */
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		int32_t was = board->processes[i].pid;

		if ((was == pid || was == -pid) &&
		    claim(&board->processes[i], was, pid)) {
			return &board->processes[i];
		}
	}
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		if (claim(&board->processes[i], 0, pid)) {
			return &board->processes[i];
		}
	}
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		int32_t was = board->processes[i].pid;

		if (was != 0 && is_gone(was < 0 ? -was : was) &&
		    claim(&board->processes[i], was, pid)) {
			return &board->processes[i];
		}
	}
	return NULL;
}

struct board_process *
board_join(struct board *board, const char *name)
{
	int32_t pid = (int32_t)getpid();
	struct board_process *slot = find_slot(board, pid);

	if (slot == NULL) {
		log_warning("the notice board has no place for this process");
		return NULL;
	}
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	slot->started_us = clock_now_us();
	slot->revision = 0;
	slot->requests = 0;
	slot->pid = pid;
	return slot;
}

void
board_leave(struct board_process *self)
{
	int32_t pid = (int32_t)getpid();

	/* not when it was taken for dead, or this is a child of its owner */
	if (self != NULL) {
		atomic_compare_exchange_strong(&self->pid, &pid, 0);
	}
}

static void
reap_inside(struct board *board)
{
	uint32_t last = 0;
	bool gone = false;

	for (int i = 0; i < BOARD_INSIDE; i++) {
		uint64_t word = board->spool_inside[i];
		uint32_t who = (uint32_t)(word >> 32);

		if (word == 0) {
			continue;
		}
		if (who != last) { /* one process has many words */
			last = who;
			gone = board_gone(who);
		}
		if (gone) {
			atomic_compare_exchange_strong(&board->spool_inside[i],
						       &word, 0);
		}
	}
}

void
board_reap(struct board *board)
{
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		int32_t pid = board->processes[i].pid;

		if (pid != 0 && is_gone(pid < 0 ? -pid : pid)) {
			atomic_compare_exchange_strong(&board->processes[i].pid,
						       &pid, 0);
		}
	}
	reap_inside(board);
}

bool
board_keeper_alive(const char *state_dir)
{
	char path[PATH_MAX];

	if (!join_path(path, sizeof(path), state_dir, "keeper.lock")) {
		return false;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false; /* nobody ever held it */
	}
	/* shared, so that several who ask do not see each other */
	bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

bool
board_keeper_beats(const struct board *board, int64_t now_us)
{
	int64_t beat_us = atomic_load(&board->keeper_beat_us);
	int32_t pid = atomic_load(&board->keeper_pid);
	int64_t age_us = now_us - beat_us;

	/* A beat in the future is one of before the machine's last start. */
	return beat_us != 0 && age_us >= 0 && age_us < BOARD_BEAT_OLD_US &&
	       pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}
