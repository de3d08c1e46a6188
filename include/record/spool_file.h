/*
 * spool_file: the names and frames of the spool's files, for its two sides.
 */
#ifndef RECORD_SPOOL_FILE_H
#define RECORD_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/board.h"
#include "base/config.h"
#include "base/status.h"

enum { SPOOL_FILE_PATH_BYTES = CONFIG_TEXT_BYTES + 64 };

/*
 * FF and FE occur in no UTF-8 text, so no payload can hold the magic: what a
 * caller sent cannot look like a frame of its own after a torn one.
 */
#define SPOOL_FILE_MAGIC "\xffIS\xfe"

/* The head of a frame, as it stands in the file; a spool stays on its host. */
struct spool_file_head {
	char magic[4];
	uint32_t length;
	uint32_t crc;
};

/* Segment 0 is the place before everything. */
struct spool_place {
	uint64_t segment;
	uint64_t offset;
};

/* The head for a payload of N bytes. */
struct spool_file_head spool_file_head(const char *payload, size_t n);

/* Path of state_dir/spool/NAME; returns OUT. */
char *spool_file_path(const char *state_dir, const char *name,
		      char out[SPOOL_FILE_PATH_BYTES]);
char *spool_file_segment(const char *state_dir, uint64_t number,
			 char out[SPOOL_FILE_PATH_BYTES]);

/**
 * spool_file_prepare(state_dir, board, err):
 * Make what is missing of the folder, and see that the board names a segment
 * that may be written: not behind a file that exists (the board was lost), and
 * not one of before the last boot (a power cut may have shortened it to below
 * what is already drained).
 */
enum status spool_file_prepare(const char *state_dir, struct board *board,
			       struct err *err) MUST_CHECK;

/* STATUS_FULL for the errno's of a full disk, else STATUS_IO. */
enum status spool_file_status(int number);

/* Begin the segment after NUMBER, unless somebody has. */
enum status spool_file_rotate(const char *state_dir, struct board *board,
			      uint64_t number, struct err *err) MUST_CHECK;

/* Call EACH with every segment's number, in no order. */
enum status spool_file_each(const char *state_dir,
			    void (*each)(void *arg, uint64_t number), void *arg,
			    struct err *err) MUST_CHECK;

/* Lowest number from FROM on, 0: there is none. */
uint64_t spool_file_lowest(const char *state_dir, uint64_t from);

#endif /* RECORD_SPOOL_FILE_H */
