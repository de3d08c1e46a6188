/*
 * record_fixture: a state folder of a test's own, and the spool in it.
 */
#ifndef TESTS_UNIT_RECORD_FIXTURE_H
#define TESTS_UNIT_RECORD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/board.h"
#include "base/buf.h"
#include "base/config.h"
#include "record/spool.h"
#include "record/spool_file.h"
#include "record/spool_reader.h"

struct fixture {
	struct config config;
	struct board *board;
	struct spool *spool;
	struct spool_reader *reader;
	struct spool_place at; /* where the reader has got to */
	struct buf out;
};

/* cmocka's set-up and tear-down; segments of 64 KiB. */
int fixture_begin(void **state);
int fixture_end(void **state);

/* Close and open both sides again, as other processes would. */
void fixture_reopen(struct fixture *f);

/* Append TEXT, which must work. */
void fixture_append(struct fixture *f, const char *text);

/* Read one batch into f->out and move on; how many records. */
size_t fixture_read(struct fixture *f, size_t batch_bytes);

/* Read all there is, in batches; f->out has them all. */
size_t fixture_read_all(struct fixture *f);

/* Path of the segment that is being written. */
char *fixture_segment(const struct fixture *f, char out[SPOOL_FILE_PATH_BYTES]);

/* Add N raw bytes to the end of the current segment. */
void fixture_damage(const struct fixture *f, const void *bytes, size_t n);

/* How many *.seg files there are. */
size_t fixture_segments_n(const struct fixture *f);

/* Run a shell command in the state folder. */
void fixture_shell(const struct fixture *f, const char *command);

#endif /* TESTS_UNIT_RECORD_FIXTURE_H */
