#include "record/spool_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/spool.h"
#include "record/spool_inside.h"

struct trim {
	const char *state_dir;
	struct board *board;
	uint64_t before;
};

static void
trim_one(void *arg, uint64_t number)
{
	const struct trim *trim = arg;
	char path[SPOOL_FILE_PATH_BYTES];

	if (number >= trim->before ||
	    number >= atomic_load(&trim->board->spool_segment)) {
		return;
	}
	/* Who comes in after this finds that the board has gone on. */
	if (!spool_inside_anyone(trim->board, number)) {
		unlink(spool_file_segment(trim->state_dir, number, path));
	}
}

void
spool_keep_trim(const char *state_dir, struct board *board,
		struct spool_place from)
{
	struct trim trim = { .state_dir = state_dir,
			     .board = board,
			     .before = from.segment };

	/* What cannot be deleted now is tried again after the next one. */
	(void)!spool_file_each(state_dir, trim_one, &trim, NULL);
}

struct sizes {
	const char *state_dir;
	struct spool_place from;
	uint64_t bytes;
};

static void
add_size(void *arg, uint64_t number)
{
	struct sizes *sizes = arg;
	char path[SPOOL_FILE_PATH_BYTES];
	struct stat st;

	if (number < sizes->from.segment ||
	    stat(spool_file_segment(sizes->state_dir, number, path), &st) !=
		0) {
		return;
	}
	uint64_t size = (uint64_t)st.st_size;
	uint64_t done = number == sizes->from.segment ? sizes->from.offset : 0;
	sizes->bytes += size > done ? size - done : 0;
}

void
spool_keep_account(const char *state_dir, struct board *board,
		   const struct spool_place *from)
{
	struct sizes sizes = { .state_dir = state_dir };
	uint64_t said = spool_backlog_bytes(board);
	/*
	 * Before the files are looked at: what is appended meanwhile then counts
	 * as not yet drained, and nothing as drained that is not.
	 */
	uint64_t appended = atomic_load(&board->spool_appended_bytes);

	if (from != NULL) {
		sizes.from = *from;
	}
	if (spool_file_each(state_dir, add_size, &sizes, NULL) != STATUS_OK) {
		return;
	}
	if (from == NULL && appended > 0 && said <= sizes.bytes) {
		return; /* what the last keeper said is as good */
	}
	if (appended < sizes.bytes) { /* the board is younger than the files */
		atomic_fetch_add(&board->spool_appended_bytes,
				 sizes.bytes - appended);
		appended = sizes.bytes;
	}
	atomic_store(&board->spool_drained_bytes, appended - sizes.bytes);
}

/* A new file in the folder of refused records. */
static int
open_rejected(const char *state_dir, const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == ENOENT) {
		char folder[SPOOL_FILE_PATH_BYTES];
		mkdir(spool_file_path(state_dir, "rejected", folder), 0700);
		fd = open(path, flags, 0600);
	}
	return fd;
}

enum status
spool_keep_rejected(const char *state_dir, struct spool_place place,
		    const struct buf *payload, const char *why, struct err *err)
{
	char name[64], path[SPOOL_FILE_PATH_BYTES];
	enum status status = STATUS_OK;
	struct buf text = { .data = NULL };

	/* Named by its place: after a crash in between it is the same file. */
	snprintf(name, sizeof(name),
		 "rejected/%016" PRIu64 "-%012" PRIu64 ".txt", place.segment,
		 place.offset);
	int fd =
	    open_rejected(state_dir, spool_file_path(state_dir, name, path));
	buf_printf(&text, "# %s\n", why);
	buf_add(&text, payload->data, payload->len);
	if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len ||
	    fsync(fd) != 0) {
		status = err_set(err, spool_file_status(errno),
				 "cannot keep a refused record in %s: %s", path,
				 strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
	buf_fini(&text);
	return status;
}
