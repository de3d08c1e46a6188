#include "record/spool_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/spool_file.h"

struct spool_sync {
	char state_dir[CONFIG_TEXT_BYTES];
	const struct board *board;
	uint64_t number; /* the segment that fds[0] is */
	int fds[2];	 /* that and the one before; -1: none */
	uint64_t bytes;	 /* of the board's appended bytes are flushed */
};

struct spool_sync *
spool_sync_new(const char *state_dir, const struct board *board)
{
	struct spool_sync *sync = memory_get(sizeof(*sync));

	*sync = (struct spool_sync){ .board = board, .fds = { -1, -1 } };
	snprintf(sync->state_dir, sizeof(sync->state_dir), "%s", state_dir);
	return sync;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

void
spool_sync_free(struct spool_sync *sync)
{
	if (sync == NULL) {
		return;
	}
	close_fd(&sync->fds[0]);
	close_fd(&sync->fds[1]);
	free(sync);
}

/* Make NUMBER the segment that is synced, and its forerunner still too. */
static enum status
turn(struct spool_sync *sync, uint64_t number, struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES];
	int dir = open(spool_file_path(sync->state_dir, ".", path),
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* The file's name must survive a power cut, too. */
	if (dir < 0 || fsync(dir) != 0) {
		enum status status =
		    err_set(err, STATUS_IO, "cannot flush folder %s: %s", path,
			    strerror(errno));
		close_fd(&dir);
		return status;
	}
	close_fd(&dir);
	close_fd(&sync->fds[1]);
	sync->fds[1] = sync->fds[0];
	sync->fds[0] = open(spool_file_segment(sync->state_dir, number, path),
			    O_RDONLY | O_CLOEXEC);
	return STATUS_OK;
}

enum status
spool_sync_run(struct spool_sync *sync, struct err *err)
{
	uint64_t appended = atomic_load(&sync->board->spool_appended_bytes);
	uint64_t number = atomic_load(&sync->board->spool_segment);

	if (appended == sync->bytes && number == sync->number) {
		return STATUS_OK;
	}
	/* Several may have been filled since; each has its turn. */
	uint64_t from = spool_file_lowest(sync->state_dir, sync->number + 1);
	while (sync->number < number && from != 0 && from <= number) {
		enum status status = turn(sync, from, err);
		if (status != STATUS_OK) {
			return status;
		}
		sync->number = from;
		if (from < number && sync->fds[0] >= 0) {
			(void)!fdatasync(sync->fds[0]);
		}
		from = spool_file_lowest(sync->state_dir, from + 1);
	}
	for (int i = 0; i < 2; i++) {
		if (sync->fds[i] >= 0 && fdatasync(sync->fds[i]) != 0) {
			return err_set(err, STATUS_IO,
				       "cannot flush the spool: %s",
				       strerror(errno));
		}
	}
	sync->bytes = appended;
	return STATUS_OK;
}
