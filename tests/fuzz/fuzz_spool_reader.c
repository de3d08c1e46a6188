/*
 * fuzz_spool_reader: of any segment exactly the whole frames are read.
 *
 * The first byte says how large a batch is, the second where the cursor
 * stands, the rest is the segment.  What is read is held against a search of
 * the simplest kind: a frame at this byte, or go on to the next.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "input.h"
#include "record/crc32c.h"
#include "record/spool.h"
#include "record/spool_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The length of the frame with its head at AT of N bytes; 0: there is none. */
static size_t
frame_n(const uint8_t *at, size_t n)
{
	struct spool_file_head head;

	if (n < sizeof(head)) {
		return 0;
	}
	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	n -= sizeof(head);
	if (memcmp(head.magic, SPOOL_FILE_MAGIC, sizeof(head.magic)) != 0 ||
	    head.length == 0 || head.length > n ||
	    head.length > SPOOL_RECORD_MAX_BYTES ||
	    crc32c(at, head.length) != head.crc) {
		return 0;
	}
	return sizeof(head) + head.length;
}

static size_t
search(const uint8_t *data, size_t n, size_t at, struct buf *out)
{
	size_t records = 0;

	while (at < n) {
		size_t frame = frame_n(data + at, n - at);
		size_t head = frame == 0 ? 0 : sizeof(struct spool_file_head);

		buf_add(out, data + at + head, frame - head);
		records += frame > 0;
		at += frame > 0 ? frame : 1;
	}
	return records;
}

/* All that READER has from AT on, which is left where it ended. */
static size_t
read_all(struct spool_reader *reader, struct spool_place *at, size_t batch,
	 struct buf *out)
{
	struct buf some = { 0 };
	size_t records = 0, n;

	do {
		enum status status =
		    spool_reader_read(reader, *at, batch, &some, &n, at, NULL);
		assert(status == STATUS_OK);
		buf_add(out, some.data, some.len);
		records += n;
	} while (n > 0);
	buf_fini(&some);
	return records;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct board board;
	static struct config config;
	char path[SPOOL_FILE_PATH_BYTES];
	struct spool_reader *reader = NULL;
	struct buf read = { 0 }, found = { 0 };

	if (n < 2) {
		return 0;
	}
	log_open("fuzz", LOG_ERROR);
	snprintf(config.state_dir, sizeof(config.state_dir), "%s",
		 input_folder());
	enum status status = spool_reader_open(&config, &board, &reader, NULL);
	assert(status == STATUS_OK);
	struct spool_place at = { board.spool_segment, data[1] };
	size_t batch = (size_t)1 << data[0] % 16, from = at.offset;

	data += 2;
	n -= 2;
	spool_file_segment(config.state_dir, at.segment, path);
	input_write(path, data, n);
	at = spool_reader_resume(reader, at);
	assert(at.offset == (from > n ? 0 : from));
	size_t records = search(data, n, at.offset, &found);
	assert(read_all(reader, &at, batch, &read) == records);
	assert(at.offset == n && at.segment == board.spool_segment);
	assert(strcmp(spool_reader_id(reader), "") != 0);
	assert(read.len == found.len);
	assert(read.len == 0 || memcmp(read.data, found.data, read.len) == 0);
	spool_reader_close(reader);
	buf_fini(&read);
	buf_fini(&found);
	return 0;
}
