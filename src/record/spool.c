/*
 * The writers' side.  A process has one descriptor of the current segment;
 * the flock belongs to it, so it is taken by the first thread that goes in and
 * given back by the last one out.
 */
#include "record/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "record/spool_file.h"

/* Values of the metric spool_appends_total. */
enum { APPEND_OK, APPEND_FULL, APPEND_ERROR };

/* Each try but the first needs another process to have gone on meanwhile. */
enum { ENTER_TRIES = 100 };

struct segment {
	uint64_t number;
	int fd;
	unsigned users; /* threads that are inside */
};

struct spool {
	char state_dir[CONFIG_TEXT_BYTES];
	struct board *board;
	atomic_bool prepared; /* false: the disk was full at the start */
	uint64_t segment_bytes;
	uint64_t max_bytes;
	pthread_mutex_t mutex;	 /* of the next, and of its users */
	struct segment *current; /* NULL: none open yet */
};

enum status
spool_open(const struct config *config, struct board *board, struct spool **out,
	   struct err *err)
{
	assert(config != NULL && board != NULL && out != NULL);
	enum status status = spool_file_prepare(config->state_dir, board, err);

	if (status != STATUS_OK && status != STATUS_FULL) {
		return status;
	}
	struct spool *spool = memory_get(sizeof(*spool));
	*spool = (struct spool){
		.board = board,
		.prepared = status == STATUS_OK,
		.segment_bytes = (uint64_t)config->spool_segment_bytes,
		.max_bytes = (uint64_t)config->spool_max_bytes,
	};
	snprintf(spool->state_dir, sizeof(spool->state_dir), "%s",
		 config->state_dir);
	pthread_mutex_init(&spool->mutex, NULL);
	*out = spool;
	return STATUS_OK;
}

static void
segment_free(struct segment *segment)
{
	if (segment != NULL) {
		close(segment->fd);
		free(segment);
	}
}

void
spool_close(struct spool *spool)
{
	if (spool == NULL) {
		return;
	}
	assert(spool->current == NULL || spool->current->users == 0);
	segment_free(spool->current);
	pthread_mutex_destroy(&spool->mutex);
	free(spool);
}

uint64_t
spool_backlog_bytes(const struct board *board)
{
	uint64_t drained = atomic_load(&board->spool_drained_bytes);
	uint64_t appended = atomic_load(&board->spool_appended_bytes);

	/* Two loads: what is drained in between must not wrap around. */
	return appended > drained ? appended - drained : 0;
}

/* Make segment NUMBER this process's; STATUS_BUSY: now try to go in. */
static enum status
adopt(struct spool *spool, uint64_t number, struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES];
	int fd = open(spool_file_segment(spool->state_dir, number, path),
		      O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		/* Somebody deleted it, perhaps with the whole folder. */
		enum status status = spool_file_rotate(
		    spool->state_dir, spool->board, number, err);
		return status == STATUS_OK ? STATUS_BUSY : status;
	}
	if (fd < 0) {
		return err_set(err, STATUS_IO, "cannot open %s: %s", path,
			       strerror(errno));
	}
	struct segment *fresh = memory_get(sizeof(*fresh));
	struct segment *old = NULL;
	*fresh = (struct segment){ .number = number, .fd = fd };

	pthread_mutex_lock(&spool->mutex);
	if (spool->current == NULL || spool->current->number < number) {
		old = spool->current;
		spool->current = fresh;
		fresh = NULL;
		if (old != NULL && old->users > 0) {
			old = NULL; /* the last one out frees it */
		}
	}
	pthread_mutex_unlock(&spool->mutex);
	segment_free(old);
	segment_free(fresh);
	return STATUS_BUSY;
}

/* Take the lock of segment NUMBER; NULL when that cannot be at once. */
static struct segment *
hold(struct spool *spool, uint64_t number)
{
	struct segment *segment = NULL;

	pthread_mutex_lock(&spool->mutex);
	if (spool->current != NULL && spool->current->number == number &&
	    (spool->current->users > 0 ||
	     flock(spool->current->fd, LOCK_SH | LOCK_NB) == 0)) {
		segment = spool->current;
		segment->users++;
	}
	pthread_mutex_unlock(&spool->mutex);
	return segment;
}

static void
leave(struct spool *spool, struct segment *segment)
{
	bool free_it = false;

	pthread_mutex_lock(&spool->mutex);
	if (--segment->users == 0) {
		flock(segment->fd, LOCK_UN);
		free_it = segment != spool->current;
	}
	pthread_mutex_unlock(&spool->mutex);
	if (free_it) {
		segment_free(segment);
	}
}

static bool
is_open(struct spool *spool, uint64_t number)
{
	pthread_mutex_lock(&spool->mutex);
	bool open = spool->current != NULL && spool->current->number == number;
	pthread_mutex_unlock(&spool->mutex);
	return open;
}

/* One try; STATUS_BUSY: the segment was changed, try again. */
static enum status
try_enter(struct spool *spool, size_t n, struct segment **out, struct err *err)
{
	uint64_t number = atomic_load(&spool->board->spool_segment);
	struct stat st;
	enum status status;

	if (!is_open(spool, number)) {
		return adopt(spool, number, err);
	}
	struct segment *segment = hold(spool, number);
	if (segment == NULL) {
		status = spool_file_rotate(spool->state_dir, spool->board,
					   number, err);
		return status == STATUS_OK ? STATUS_BUSY : status;
	}
	/* From here on the reader cannot leave this segment behind. */
	if (atomic_load(&spool->board->spool_segment) != number) {
		leave(spool, segment);
		return STATUS_BUSY;
	}
	if (fstat(segment->fd, &st) != 0 || st.st_nlink == 0 ||
	    (st.st_size > 0 &&
	     (uint64_t)st.st_size + n > spool->segment_bytes)) {
		status = spool_file_rotate(spool->state_dir, spool->board,
					   number, err);
		leave(spool, segment);
		return status == STATUS_OK ? STATUS_BUSY : status;
	}
	*out = segment;
	return STATUS_OK;
}

static enum status
enter(struct spool *spool, size_t n, struct segment **out, struct err *err)
{
	for (int i = 0; i < ENTER_TRIES; i++) {
		enum status status = try_enter(spool, n, out, err);
		/* A folder that is gone is made by the next try. */
		if (status != STATUS_BUSY) {
			return status;
		}
	}
	return err_set(err, STATUS_IO,
		       "cannot settle on a spool segment in %d tries",
		       ENTER_TRIES);
}

/* One frame with one system call. */
static enum status
write_frame(struct spool *spool, int fd, const char *bytes, size_t n,
	    struct err *err)
{
	struct spool_file_head head = spool_file_head(bytes, n);
	void *payload = NULL; /* writev only reads, its type lacks the const */
	memcpy(&payload, &bytes, sizeof(payload));
	struct iovec parts[2] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = payload, .iov_len = n },
	};
	ssize_t done;

	do {
		done = writev(fd, parts, 2);
	} while (done < 0 && errno == EINTR);
	if (done < 0) {
		return err_set(err, spool_file_status(errno),
			       "cannot append to the spool: %s",
			       strerror(errno));
	}
	/* Torn bytes are in the file, too: the reader passes over them. */
	atomic_fetch_add(&spool->board->spool_appended_bytes, (uint64_t)done);
	if ((size_t)done < sizeof(head) + n) {
		return err_set(err, STATUS_FULL,
			       "cannot append to the spool: only %zd of %zu "
			       "bytes were taken",
			       done, sizeof(head) + n);
	}
	return STATUS_OK;
}

static enum status
append(struct spool *spool, const char *bytes, size_t n, struct err *err)
{
	size_t frame_n = sizeof(struct spool_file_head) + n;
	struct segment *segment = NULL;

	if (spool_backlog_bytes(spool->board) + frame_n > spool->max_bytes) {
		return err_set(err, STATUS_FULL,
			       "cannot append to the spool: the backlog has "
			       "reached spool_max_bytes");
	}
	enum status status = STATUS_OK;
	if (!atomic_load_explicit(&spool->prepared, memory_order_relaxed)) {
		status =
		    spool_file_prepare(spool->state_dir, spool->board, err);
		atomic_store(&spool->prepared, status == STATUS_OK);
	}
	if (status == STATUS_OK) {
		status = enter(spool, frame_n, &segment, err);
	}
	if (status == STATUS_OK) {
		assert(segment != NULL);
		status = write_frame(spool, segment->fd, bytes, n, err);
		leave(spool, segment);
	}
	return status;
}

/* Count, and say once on the board and in the log that it changed. */
static void
account(struct spool *spool, enum status status, size_t n,
	const struct err *err)
{
	int failed = status != STATUS_OK;
	int value = status == STATUS_OK	    ? APPEND_OK
		    : status == STATUS_FULL ? APPEND_FULL
					    : APPEND_ERROR;

	metric_add(METRIC_spool_appends_total, value, 1);
	if (!failed) {
		metric_add(METRIC_spool_bytes_total, 0, n);
	}
	if (atomic_load_explicit(&spool->board->spool_failed,
				 memory_order_relaxed) == failed) {
		return;
	}
	if (atomic_exchange(&spool->board->spool_failed, failed) != failed) {
		if (failed) {
			log_error("the spool fails: %s", err->text);
		} else {
			log_info("the spool takes records again");
		}
	}
}

enum status
spool_append(struct spool *spool, const char *bytes, size_t n, struct err *err)
{
	assert(spool != NULL && bytes != NULL);
	assert(n > 0);
	struct err local;
	struct err *why = err != NULL ? err : &local;

	if (n > SPOOL_RECORD_MAX_BYTES) {
		metric_add(METRIC_spool_appends_total, APPEND_ERROR, 1);
		return err_set(why, STATUS_TOO_LARGE,
			       "cannot append to the spool: a record of %zu "
			       "bytes",
			       n);
	}
	enum status status = append(spool, bytes, n, why);
	account(spool, status, n, why);
	return status;
}
