#include "ctl/ctl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/board.h"
#include "base/clock.h"
#include "record/spool.h"

static void
print_keeper(const struct ctl *ctl, const struct board *board)
{
	if (!board_keeper_alive(ctl->config.state_dir)) {
		puts("housekeeper      none runs");
		return;
	}
	printf("housekeeper      process %d, last turn %" PRId64 " ms ago\n",
	       (int)board->keeper_pid,
	       (clock_mono_us() - board->keeper_beat_us) / 1000);
}

static void
print_postgresql(const struct board *board)
{
	char text[CLOCK_TEXT_BYTES];

	printf("postgresql       %s", board->pg_up ? "up" : "down");
	if (board->pg_changed_us != 0) {
		printf(" since %s", clock_rfc3339(board->pg_changed_us, text));
	}
	putchar('\n');
}

static void
print_snapshot(const struct board *board)
{
	printf("policy revision  %" PRId64 " (publication %" PRIu64 ")\n",
	       board->policy_revision, board->snapshot_generation);
	if (board->refused_revision != 0) {
		printf("refused          revision %" PRId64
		       " does not compile, see the housekeeper's log\n",
		       board->refused_revision);
	}
}

static void
print_processes(const struct board *board)
{
	char text[CLOCK_TEXT_BYTES];

	puts("processes");
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		const struct board_process *p = &board->processes[i];
		if (p->pid > 0) {
			printf("    %-8d %-15s since %s revision %" PRId64
			       " answered %" PRIu64 "\n",
			       (int)p->pid, p->name,
			       clock_rfc3339(p->started_us, text), p->revision,
			       p->requests);
		}
	}
}

/* Opening would make it, and then it would be this user's. */
enum status
ctl_board(const struct ctl *ctl, struct board **out, struct err *err)
{
	char path[CONFIG_TEXT_BYTES + 8];

	snprintf(path, sizeof(path), "%s/board", ctl->config.state_dir);
	if (access(path, F_OK) != 0) {
		return err_set(err, STATUS_NOT_FOUND,
			       "no engine has run with state_dir %s",
			       ctl->config.state_dir);
	}
	return board_open(ctl->config.state_dir, out, err);
}

int
ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	struct board *board = NULL;
	struct err err;

	if (argc > 1) {
		return ctl_usage(ctl, "unexpected: %s", argv[1]);
	}
	if (ctl_board(ctl, &board, &err) != STATUS_OK) {
		return ctl_failed(ctl, &err, "read the notice board");
	}
	assert(board != NULL);
	printf("state            %s\n", ctl->config.state_dir);
	print_keeper(ctl, board);
	print_postgresql(board);
	print_snapshot(board);
	printf("spool            %" PRIu64 " bytes not yet in PostgreSQL, "
	       "segment %" PRIu64 "%s\n",
	       spool_backlog_bytes(board), board->spool_segment,
	       board->spool_failed ? ", the last append FAILED" : "");
	print_processes(board);
	return CTL_OK;
}
