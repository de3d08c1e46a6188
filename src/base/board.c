#include "base/board.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mapfile.h"

enum { MAGIC = 0x494d5342, SHAPE = 3 };

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

static bool
is_gone(int32_t pid)
{
	return kill(pid, 0) != 0 && errno == ESRCH;
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
