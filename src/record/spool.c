/*
 * The writers' side.  The threads of a process share one descriptor of the
 * current segment, which they read together with its number.  One that was
 * replaced is closed when no word on the board says any more that a thread of
 * this process is inside of its segment: by the thread that replaced it, or by
 * the last one out.
 *
 *	who writes:  word on the board, then number and descriptor, then use
 *	who closes:  another number and descriptor, then the words, then close
 *
 * Numbers only go up, so a descriptor that was replaced is not found again.
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
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "record/spool_file.h"
#include "record/spool_inside.h"

/* Values of the metric spool_appends_total. */
enum { APPEND_OK, APPEND_FULL, APPEND_ERROR };

/* Each try but the first needs another process to have gone on meanwhile. */
enum { ENTER_TRIES = 100 };

#define NO_SEGMENT UINT64_MAX

struct segment {
	struct segment *next;
	uint64_t number;
	int fd;
};

struct spool {
	char state_dir[CONFIG_TEXT_BYTES];
	struct board *board;
	atomic_bool prepared; /* false: the disk was full at the start */
	uint64_t segment_bytes;
	uint64_t max_bytes;
	/* low 32 bits of the number << 32 | descriptor, of the first below */
	_Atomic uint64_t current;
	pthread_mutex_t mutex; /* of the next */
	/* newest first: the current one, and those that are not closed yet */
	struct segment *segments;
};

/* A thread inside of a segment. */
struct visit {
	uint64_t number;
	unsigned place; /* on the board */
	int fd;
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
		.current = NO_SEGMENT,
	};
	snprintf(spool->state_dir, sizeof(spool->state_dir), "%s",
		 config->state_dir);
	pthread_mutex_init(&spool->mutex, NULL);
	*out = spool;
	return STATUS_OK;
}

static void
segments_free(struct segment *segment)
{
	while (segment != NULL) {
		struct segment *next = segment->next;
		close(segment->fd);
		free(segment);
		segment = next;
	}
}

void
spool_close(struct spool *spool)
{
	if (spool == NULL) {
		return;
	}
	segments_free(spool->segments);
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

/* The descriptor of segment NUMBER, -1 where it is not the current one. */
static int
current_fd(const struct spool *spool, uint64_t number)
{
	uint64_t current = atomic_load(&spool->current);

	return current != NO_SEGMENT &&
		       (uint32_t)(current >> 32) == (uint32_t)number
		   ? (int)(uint32_t)current
		   : -1;
}

/* Close what was replaced, where nobody is inside. */
static void
close_replaced(struct spool *spool)
{
	struct segment *done = NULL;

	pthread_mutex_lock(&spool->mutex);
	assert(spool->segments != NULL);
	struct segment **at = &spool->segments->next;
	while (*at != NULL) {
		struct segment *segment = *at;
		if (spool_inside_own(spool->board, segment->number)) {
			at = &segment->next;
			continue;
		}
		*at = segment->next;
		segment->next = done;
		done = segment;
	}
	pthread_mutex_unlock(&spool->mutex);
	segments_free(done);
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
	*fresh = (struct segment){ .number = number, .fd = fd };

	pthread_mutex_lock(&spool->mutex);
	if (spool->segments == NULL || spool->segments->number < number) {
		fresh->next = spool->segments;
		spool->segments = fresh;
		fresh = NULL;
		atomic_store(&spool->current, number << 32 | (uint32_t)fd);
	}
	pthread_mutex_unlock(&spool->mutex);
	segments_free(fresh);
	close_replaced(spool);
	return STATUS_BUSY;
}

static void
leave(struct spool *spool, const struct visit *visit)
{
	spool_inside_leave(spool->board, visit->place);
	if (current_fd(spool, visit->number) < 0) {
		close_replaced(spool);
	}
}

/* One try; STATUS_BUSY: the segment was changed, try again. */
static enum status
try_enter(struct spool *spool, size_t n, struct visit *out, struct err *err)
{
	uint64_t number = atomic_load(&spool->board->spool_segment);
	struct visit visit = { .number = number, .fd = -1 };
	struct stat st;

	if (current_fd(spool, number) < 0) {
		return adopt(spool, number, err);
	}
	visit.place = spool_inside_enter(spool->board, number);
	/* From here on the reader cannot leave this segment behind. */
	if (atomic_load(&spool->board->spool_segment) == number) {
		visit.fd = current_fd(spool, number);
	}
	if (visit.fd < 0) {
		leave(spool, &visit);
		return STATUS_BUSY;
	}
	if (fstat(visit.fd, &st) != 0 || st.st_nlink == 0 ||
	    (st.st_size > 0 &&
	     (uint64_t)st.st_size + n > spool->segment_bytes)) {
		enum status status = spool_file_rotate(
		    spool->state_dir, spool->board, number, err);
		leave(spool, &visit);
		return status == STATUS_OK ? STATUS_BUSY : status;
	}
	*out = visit;
	return STATUS_OK;
}

static enum status
enter(struct spool *spool, size_t n, struct visit *out, struct err *err)
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
	struct visit visit = { .fd = -1 };

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
		status = enter(spool, frame_n, &visit, err);
	}
	if (status == STATUS_OK) {
		status = write_frame(spool, visit.fd, bytes, n, err);
		leave(spool, &visit);
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
