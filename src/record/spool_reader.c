/*
 * A frame is believed when its magic, length and checksum agree.  Where they
 * do not, bytes are passed over up to the next frame that is whole; one that
 * only lacks its end is waited for while somebody may still be writing it.
 */
#include "record/spool_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "record/crc32c.h"
#include "record/spool.h"
#include "record/spool_file.h"
#include "record/spool_inside.h"

enum { WINDOW_BYTES = 1024 * 1024, HEAD_BYTES = 12 };

_Static_assert(sizeof(struct spool_file_head) == HEAD_BYTES, "no padding");

struct spool_reader {
	char state_dir[CONFIG_TEXT_BYTES];
	char id[UUID_TEXT_BYTES];
	struct board *board;
	/* the segment that is read, and a piece of it */
	uint64_t number; /* 0: none is open */
	int fd;
	uint64_t size;
	struct buf window;
	uint64_t window_at;
};

/* Read the spool's id, or make one. */
static enum status
read_id(struct spool_reader *reader, struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES], fresh[SPOOL_FILE_PATH_BYTES];
	int fd = open(spool_file_path(reader->state_dir, "id", path),
		      O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, reader->id, UUID_TEXT_BYTES - 1) : 0;

	if (fd >= 0) {
		close(fd);
	}
	reader->id[n > 0 ? n : 0] = '\0';
	if (uuid_valid(reader->id)) {
		return STATUS_OK;
	}
	uuid_make(clock_now_us(), reader->id);
	spool_file_path(reader->state_dir, "id.new", fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	n = UUID_TEXT_BYTES - 1;
	bool ok = fd >= 0 && write(fd, reader->id, (size_t)n) == n &&
		  fsync(fd) == 0 && rename(fresh, path) == 0;
	enum status status = STATUS_OK;
	if (!ok) {
		status = err_set(err, spool_file_status(errno),
				 "cannot write %s: %s", fresh, strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
	return status;
}

enum status
spool_reader_open(const struct config *config, struct board *board,
		  struct spool_reader **out, struct err *err)
{
	assert(config != NULL && board != NULL && out != NULL);
	struct spool_reader *reader = memory_get(sizeof(*reader));

	*reader = (struct spool_reader){ .board = board, .fd = -1 };
	snprintf(reader->state_dir, sizeof(reader->state_dir), "%s",
		 config->state_dir);
	enum status status = spool_file_prepare(reader->state_dir, board, err);
	if (status == STATUS_OK) {
		status = read_id(reader, err);
	}
	if (status != STATUS_OK) {
		spool_reader_close(reader);
		return status;
	}
	*out = reader;
	return STATUS_OK;
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
spool_reader_close(struct spool_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	close_fd(&reader->fd);
	buf_fini(&reader->window);
	free(reader);
}

const char *
spool_reader_id(const struct spool_reader *reader)
{
	return reader->id;
}

/* Has the board gone on from segment NUMBER? */
static bool
passed(const struct spool_reader *reader, uint64_t number)
{
	return atomic_load(&reader->board->spool_segment) > number;
}

/* Have segment NUMBER open and know its size; false: there is none. */
static bool
open_segment(struct spool_reader *reader, uint64_t number)
{
	char path[SPOOL_FILE_PATH_BYTES];
	struct stat st;

	if (reader->number != number || reader->fd < 0) {
		close_fd(&reader->fd);
		buf_reset(&reader->window);
		reader->number = number;
		reader->fd =
		    open(spool_file_segment(reader->state_dir, number, path),
			 O_RDONLY | O_CLOEXEC);
	}
	if (reader->fd < 0 || fstat(reader->fd, &st) != 0) {
		close_fd(&reader->fd);
		return false;
	}
	reader->size = (uint64_t)st.st_size;
	return true;
}

/*
 * The N bytes at AT of the open segment, borrowed until the next call; NULL
 * when the file has not so many, or cannot be read (then ERR is set).
 */
static const char *
window(struct spool_reader *reader, uint64_t at, size_t n, struct err *err)
{
	struct buf *w = &reader->window;

	if (at + n > reader->size) {
		return NULL;
	}
	if (at >= reader->window_at && at + n <= reader->window_at + w->len) {
		return w->data + (at - reader->window_at);
	}
	size_t want = n > WINDOW_BYTES ? n : WINDOW_BYTES;
	buf_reset(w);
	reader->window_at = at;
	while (w->len < want) {
		char *room = buf_room(w, want - w->len);
		ssize_t got = pread(reader->fd, room, want - w->len,
				    (off_t)(at + w->len));
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			err_set(err, STATUS_IO, "cannot read the spool: %s",
				strerror(errno));
			return NULL;
		}
		if (got == 0) {
			break;
		}
		buf_grown(w, (size_t)got);
	}
	return w->len >= n ? w->data : NULL;
}

/* The payload of a good frame at AT, NULL when there is none. */
static const char *
frame_at(struct spool_reader *reader, uint64_t at, size_t *n, struct err *err)
{
	struct spool_file_head head;
	const char *bytes = window(reader, at, HEAD_BYTES, err);

	if (bytes == NULL) {
		return NULL;
	}
	memcpy(&head, bytes, HEAD_BYTES);
	if (memcmp(head.magic, SPOOL_FILE_MAGIC, sizeof(head.magic)) != 0 ||
	    head.length == 0 || head.length > SPOOL_RECORD_MAX_BYTES) {
		return NULL;
	}
	bytes = window(reader, at, HEAD_BYTES + head.length, err);
	if (bytes == NULL ||
	    crc32c(bytes + HEAD_BYTES, head.length) != head.crc) {
		return NULL;
	}
	*n = head.length;
	return bytes + HEAD_BYTES;
}

/* Where the next good frame after AT begins, the file's size: nowhere. */
static uint64_t
next_frame(struct spool_reader *reader, uint64_t at, struct err *err)
{
	size_t n;

	for (at++; at < reader->size; at++) {
		uint64_t left = reader->size - at;
		size_t look = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
		const char *bytes = window(reader, at, look, err);
		if (bytes == NULL) {
			return reader->size;
		}
		const char *hit = memmem(bytes, look, SPOOL_FILE_MAGIC, 4);
		if (hit == NULL) {
			/* The magic may lie across the end of this piece. */
			at += look > 4 ? look - 4 : look;
			continue;
		}
		at += (uint64_t)(hit - bytes);
		if (frame_at(reader, at, &n, err) != NULL) {
			return at;
		}
	}
	return reader->size;
}

/*
 * Nobody is writing the open segment, and its size is still the known one.  In
 * this order: who is out when it is looked at has written all that it will, and
 * who comes in after that cannot have written what is known.
 */
static bool
quiet(struct spool_reader *reader)
{
	struct stat st;

	return !spool_inside_anyone(reader->board, reader->number) &&
	       fstat(reader->fd, &st) == 0 &&
	       (uint64_t)st.st_size == reader->size;
}

/* Records of the open segment from *AT on. */
static enum status
read_segment(struct spool_reader *reader, uint64_t *at, size_t batch_bytes,
	     struct buf *out, size_t *records_n, struct err *err)
{
	err->status = STATUS_OK;
	while (out->len < batch_bytes && *at < reader->size) {
		size_t n = 0;
		const char *payload = frame_at(reader, *at, &n, err);
		if (payload != NULL) {
			buf_add(out, payload, n);
			*at += HEAD_BYTES + n;
			++*records_n;
			continue;
		}
		uint64_t next = next_frame(reader, *at, err);
		if (err->status != STATUS_OK ||
		    (next == reader->size && !quiet(reader))) {
			break;
		}
		log_warning("spool segment %" PRIu64 ": passed over %" PRIu64
			    " torn bytes at %" PRIu64,
			    reader->number, next - *at, *at);
		*at = next;
	}
	/* What was read before an error is good. */
	return *records_n > 0 ? STATUS_OK : err->status;
}

/* May the reader leave the open segment behind, being at AT? */
static bool
finished(struct spool_reader *reader, uint64_t at)
{
	/* In this order: see the head of record/spool.h. */
	return passed(reader, reader->number) && at == reader->size &&
	       quiet(reader);
}

enum status
spool_reader_read(struct spool_reader *reader, struct spool_place from,
		  size_t batch_bytes, struct buf *out, size_t *records_n,
		  struct spool_place *next, struct err *err)
{
	struct err local;
	struct err *why = err != NULL ? err : &local;
	struct spool_place at = from;
	size_t n = 0;

	buf_reset(out);
	for (;;) {
		if (open_segment(reader, at.segment)) {
			enum status status = read_segment(
			    reader, &at.offset, batch_bytes, out, &n, why);
			if (status != STATUS_OK) {
				return status;
			}
			if (n > 0 || !finished(reader, at.offset)) {
				break;
			}
		} else if (!passed(reader, at.segment)) {
			break;
		}
		uint64_t number =
		    spool_file_lowest(reader->state_dir, at.segment + 1);
		if (number == 0) {
			break;
		}
		at = (struct spool_place){ .segment = number };
	}
	*records_n = n;
	*next = at;
	return STATUS_OK;
}

struct spool_place
spool_reader_resume(struct spool_reader *reader, struct spool_place from)
{
	uint64_t current = atomic_load(&reader->board->spool_segment);

	if (from.segment > current) {
		log_warning("the spool's cursor is in segment %" PRIu64
			    ", the spool only in %" PRIu64
			    ": reading all files again",
			    from.segment, current);
		return (struct spool_place){ .segment = 0 };
	}
	if (open_segment(reader, from.segment) && reader->size < from.offset) {
		log_warning("spool segment %" PRIu64 " is shorter than what "
			    "was drained of it: reading it again",
			    from.segment);
		return (struct spool_place){ .segment = from.segment };
	}
	return from;
}
