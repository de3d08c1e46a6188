/*
 * board: the host's notice board, a small file that every process maps.
 *
 * What processes of one host must know of each other without asking anybody:
 * which snapshot is published, which spool segment is being written, who is
 * alive, whether the housekeeper reaches PostgreSQL.  All fields are atomic,
 * each has one writer named below, and none is a lock: exclusion is the host
 * lock (flock on state_dir/keeper.lock), which dies with its holder.
 */
#ifndef BASE_BOARD_H
#define BASE_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* A housekeeper turns at least each second, but may wait for a statement's
 * time-out several times in one turn. */
#define BOARD_BEAT_OLD_US INT64_C(30000000)

enum { BOARD_PROCESSES = 512, BOARD_NAME_BYTES = 16, BOARD_INSIDE = 1024 };

/* Who a process is: its pid, and above it ten bits of when it started. */
enum { BOARD_PID_BITS = 22 };

/* What keeps the counters in the board's counter_epoch. */
enum board_counts {
	BOARD_COUNTS_NOTHING, /* not known yet, or being rebuilt */
	BOARD_COUNTS_MEMCACHED,
	BOARD_COUNTS_POSTGRESQL,
	BOARD_COUNTS_HOST, /* the memory of this host */
	BOARD_COUNTS_N
};

/* A running process.  Written by itself; freed by itself or the keeper. */
struct board_process {
	_Atomic int32_t pid; /* 0 or less: free, or not filled in yet */
	char name[BOARD_NAME_BYTES];
	_Atomic int64_t started_us;
	_Atomic int64_t revision;  /* policy revision that it serves */
	_Atomic uint64_t requests; /* answered since start */
};

struct board {
	uint32_t magic;
	uint32_t shape; /* changes with this struct */
	uint64_t boot;	/* of the host; by board_open, under the file's lock */
	/* written by the keeper */
	_Atomic uint64_t snapshot_generation; /* +1 each publish */
	_Atomic int64_t policy_revision;      /* of the published snapshot */
	_Atomic int64_t refused_revision; /* newest that did not compile; 0 */
	_Atomic int64_t keeper_beat_us;	  /* CLOCK_MONOTONIC, each turn */
	_Atomic int32_t keeper_pid;
	_Atomic int32_t pg_up;		      /* 1: last statement succeeded */
	_Atomic int64_t pg_changed_us;	      /* when pg_up last changed */
	_Atomic uint64_t spool_drained_bytes; /* total ever drained */
	_Atomic uint64_t counter_epoch;	      /* of the counters; 0: none */
	_Atomic int32_t counter_counts;	      /* enum board_counts */
	_Atomic int32_t clock_off;	      /* 1: the clock is off */
	/* written by whoever appends */
	_Atomic uint64_t spool_segment;	       /* number that is written now */
	_Atomic uint64_t spool_appended_bytes; /* total ever appended */
	_Atomic int32_t spool_failed;	       /* 1: the last append failed */
	/* written by whoever counts; the keeper takes the epoch away */
	_Atomic uint64_t counter_unreadable; /* accounts met, total ever */
	_Atomic uint64_t counter_unreadable_epoch; /* of the last; 0: none */
	struct board_process processes[BOARD_PROCESSES];
	/*
	 * Written by whoever appends (record/spool_inside.h): one word for each
	 * append under way, board_self() << 32 | the low 32 bits of the number
	 * of the segment that it is inside of; 0: free.
	 */
	_Atomic uint64_t spool_inside[BOARD_INSIDE];
};

/*
 * Map state_dir/board, made when missing; lives as long as the process.
 * After the host was booted the processes, the words of who appends and the
 * keeper's fields are empty.
 */
enum status board_open(const char *state_dir, struct board **out,
		       struct err *err) MUST_CHECK;

/*
 * The one slot of this process, NULL when all are taken (it then runs
 * unlisted).  Takes over those of processes that are gone.
 */
struct board_process *board_join(struct board *board, const char *name);
void board_leave(struct board_process *self); /* NULL is fine */

/*
 * Free the slots and the words whose processes are gone.  By the keeper, and by
 * whoever finds no room.
 */
void board_reap(struct board *board);

/* Who this process is; after a fork the child is another. */
uint32_t board_self(void);

/*
 * Is that process gone for good, so that none of its threads runs any more?  A
 * zombie is, and who had its pid before another.  Where WHO is a pid alone,
 * whoever has that pid is it.
 */
bool board_gone(uint32_t who);

/*
 * Does a housekeeper hold the host's lock now?  To see it, the lock is taken
 * shared for an instant, so who wants to hold it tries more than once.
 */
bool board_keeper_alive(const char *state_dir);

/*
 * Is the housekeeper at work, by what the board says at NOW_US of
 * CLOCK_MONOTONIC: its process is there, its beat not older than
 * BOARD_BEAT_OLD_US?  Costs no lock.
 */
bool board_keeper_beats(const struct board *board, int64_t now_us);

#endif /* BASE_BOARD_H */
