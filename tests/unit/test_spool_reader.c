/*
 * The reader's side: damaged files, the ends of segments, places that cannot
 * be, and what is done with the files beside reading.
 */
#include "record/spool_reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/uuid.h"
#include "record/spool_inside.h"
#include "record/spool_keep.h"
#include "record/spool_sync.h"
#include "record_fixture.h"

/* What may stand between two good frames. */
static const struct {
	const char *name;
	const char *bytes;
	size_t n;
} damages[] = {
	{ "a byte", "x", 1 },
	{ "a newline", "\n", 1 },
	{ "zeros of a power cut", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16 },
	{ "half a magic", "\xffI", 2 },
	{ "a magic alone", SPOOL_FILE_MAGIC, 4 },
	{ "two magics", SPOOL_FILE_MAGIC SPOOL_FILE_MAGIC, 8 },
	{ "a head without its payload", SPOOL_FILE_MAGIC "\5\0\0\0abcd", 12 },
	{ "half a payload", SPOOL_FILE_MAGIC "\5\0\0\0abcdEx", 14 },
	{ "a wrong checksum", SPOOL_FILE_MAGIC "\3\0\0\0abcdEx\n", 15 },
	{ "a length of zero", SPOOL_FILE_MAGIC "\0\0\0\0\0\0\0\0", 12 },
	{ "a huge length", SPOOL_FILE_MAGIC "\xff\xff\xff\xff\0\0\0\0", 12 },
	{ "a length beyond the file", SPOOL_FILE_MAGIC "\0\0\1\0\0\0\0\0", 12 },
};
enum { DAMAGES_N = sizeof(damages) / sizeof(damages[0]) };

static void
reader_passes_over_damage(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < DAMAGES_N; i++) {
		print_message("damage: %s\n", damages[i].name);
		fixture_append(f, "Ebefore\n");
		fixture_damage(f, damages[i].bytes, damages[i].n);
		fixture_append(f, "Eafter\n");
		assert_int_equal(fixture_read_all(f), 2);
		assert_string_equal(buf_text(&f->out), "Ebefore\nEafter\n");
	}
}

/* Damage at the very end: passed over only when nobody can be writing it. */
static void
reader_waits_for_a_writer(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < DAMAGES_N; i++) {
		print_message("damage: %s\n", damages[i].name);
		fixture_append(f, "Ebefore\n");
		fixture_damage(f, damages[i].bytes, damages[i].n);
		unsigned word =
		    spool_inside_enter(f->board, f->board->spool_segment);
		assert_int_equal(fixture_read_all(f), 1);
		struct spool_place place = f->at;
		assert_int_equal(fixture_read_all(f), 0);
		assert_int_equal(f->at.offset, place.offset);
		spool_inside_leave(f->board, word);
		assert_int_equal(fixture_read_all(f), 0);
		assert_int_equal(f->at.offset, place.offset + damages[i].n);
	}
}

/* A frame that comes in pieces is taken when it is whole, and only then. */
static void
reader_takes_a_late_frame(void **state)
{
	struct fixture *f = *state;
	const char *payload = "Eslow\n";
	struct spool_file_head head = spool_file_head(payload, 6);
	unsigned word = spool_inside_enter(f->board, f->board->spool_segment);

	fixture_damage(f, &head, 7);
	assert_int_equal(fixture_read_all(f), 0);
	fixture_damage(f, (const char *)&head + 7, sizeof(head) - 7);
	assert_int_equal(fixture_read_all(f), 0);
	fixture_damage(f, payload, 3);
	assert_int_equal(fixture_read_all(f), 0);
	fixture_damage(f, payload + 3, 3);
	assert_int_equal(fixture_read_all(f), 1);
	assert_string_equal(buf_text(&f->out), payload);
	spool_inside_leave(f->board, word);
}

/* Torn bytes larger than the reader's window, with a magic across its edge. */
static void
reader_searches_far(void **state)
{
	struct fixture *f = *state;
	enum { FAR = 3 * 1024 * 1024 };
	char *zeros = calloc(FAR, 1);

	f->config.spool_segment_bytes = 64 * 1024 * 1024;
	fixture_reopen(f);
	for (size_t n = FAR - 8; n < FAR; n++) {
		fixture_damage(f, zeros, n);
		fixture_append(f, "Efound\n");
		assert_int_equal(fixture_read_all(f), 1);
		assert_string_equal(buf_text(&f->out), "Efound\n");
	}
	free(zeros);
}

static void
reader_keeps_to_the_batch(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++) {
		fixture_append(f, "E123456\n"); /* 8 bytes */
	}
	assert_int_equal(fixture_read(f, 1), 1);
	assert_int_equal(fixture_read(f, 8), 1);
	assert_int_equal(fixture_read(f, 9), 2);
	assert_int_equal(fixture_read(f, 16), 2);
	assert_int_equal(fixture_read(f, 1000), 4);
	assert_int_equal(fixture_read(f, 1000), 0);
}

/* A segment is left when the board has gone on and nobody is inside. */
static void
reader_leaves_a_segment_last(void **state)
{
	struct fixture *f = *state;
	char path[SPOOL_FILE_PATH_BYTES];
	uint64_t number = f->board->spool_segment;
	struct err err;

	fixture_append(f, "Eone\n");
	int late = open(fixture_segment(f, path), O_WRONLY | O_APPEND);
	unsigned word = spool_inside_enter(f->board, number);
	assert_int_equal(
	    spool_file_rotate(f->config.state_dir, f->board, number, &err),
	    STATUS_OK);
	fixture_append(f, "Ethree\n");
	assert_int_equal(fixture_read_all(f), 1);
	assert_int_equal(f->at.segment, number);
	spool_keep_trim(f->config.state_dir, f->board,
			(struct spool_place){ number + 1, 0 });
	assert_int_equal(access(path, F_OK), 0); /* it is written */

	struct spool_file_head head = spool_file_head("Etwo\n", 5);
	assert_int_equal(write(late, &head, sizeof(head)), sizeof(head));
	assert_int_equal(write(late, "Etwo\n", 5), 5);
	close(late);
	spool_inside_leave(f->board, word);
	assert_int_equal(fixture_read_all(f), 2);
	assert_string_equal(buf_text(&f->out), "Etwo\nEthree\n");
	assert_int_equal(f->at.segment, number + 1);
	spool_keep_trim(f->config.state_dir, f->board, f->at);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(fixture_segments_n(f), 1);
	/* the current one is never deleted */
	spool_keep_trim(f->config.state_dir, f->board,
			(struct spool_place){ number + 9, 0 });
	assert_int_equal(fixture_segments_n(f), 1);
}

/* A reader that begins knows nothing but the cursor. */
static void
reader_resumes(void **state)
{
	struct fixture *f = *state;
	uint64_t number = f->board->spool_segment;
	struct spool_place got, place = { number, 0 };

	fixture_append(f, "Eone\n"); /* 17 bytes */
	got = spool_reader_resume(f->reader, (struct spool_place){ 0, 0 });
	assert_int_equal(got.segment, 0);
	f->at = got;
	assert_int_equal(fixture_read_all(f), 1);
	for (uint64_t offset = 0; offset <= 17; offset += 17) {
		place.offset = offset;
		got = spool_reader_resume(f->reader, place);
		assert_int_equal(got.segment, number);
		assert_int_equal(got.offset, offset);
	}
	place.offset = 18; /* it was cut */
	got = spool_reader_resume(f->reader, place);
	assert_int_equal(got.segment, number);
	assert_int_equal(got.offset, 0);
	place.segment = number + 1; /* the spool is another one */
	got = spool_reader_resume(f->reader, place);
	assert_int_equal(got.segment, 0);
	assert_int_equal(got.offset, 0);
	place.segment = number - 1; /* it is trimmed */
	got = spool_reader_resume(f->reader, place);
	assert_int_equal(got.segment, number - 1);
}

static void
reader_keeps_its_id(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT_BYTES];

	strcpy(id, spool_reader_id(f->reader));
	assert_true(uuid_valid(id));
	fixture_reopen(f);
	assert_string_equal(spool_reader_id(f->reader), id);
	fixture_shell(f, "echo nonsense > spool/id");
	fixture_reopen(f);
	assert_true(uuid_valid(spool_reader_id(f->reader)));
	assert_string_not_equal(spool_reader_id(f->reader), id);
	struct spool_reader *reader = NULL;
	struct err err;
	fixture_shell(f, "rm spool/id && mkdir spool/id.new");
	assert_int_equal(spool_reader_open(&f->config, f->board, &reader, &err),
			 STATUS_IO);
	fixture_shell(f, "rmdir spool/id.new");
}

static void
reader_says_what_it_cannot_read(void **state)
{
	struct fixture *f = *state;
	char command[SPOOL_FILE_PATH_BYTES + 16], path[SPOOL_FILE_PATH_BYTES];
	struct spool_place next;
	struct err err;
	size_t n;

	f->at = (struct spool_place){ f->board->spool_segment, 0 };
	snprintf(command, sizeof(command), "rm %s && mkdir %s",
		 fixture_segment(f, path), path);
	fixture_shell(f, command);
	assert_int_equal(
	    spool_reader_read(f->reader, f->at, 100, &f->out, &n, &next, &err),
	    STATUS_IO);
	assert_int_equal(
	    spool_reader_read(f->reader, f->at, 100, &f->out, &n, &next, NULL),
	    STATUS_IO);
}

static void
keep_accounts_for_the_files(void **state)
{
	struct fixture *f = *state;
	const char *dir = f->config.state_dir;
	struct spool_place none = { 0, 0 };
	struct err err;

	fixture_append(f, "Eone\n"); /* 17 bytes */
	fixture_append(f, "Etwo\n");
	assert_int_equal(spool_backlog_bytes(f->board), 34);
	/* a keeper that cannot know the cursor believes the last one */
	f->board->spool_drained_bytes = 17;
	spool_keep_account(dir, f->board, NULL);
	assert_int_equal(spool_backlog_bytes(f->board), 17);
	/* but not that there is more than the files have */
	f->board->spool_appended_bytes = 1000;
	spool_keep_account(dir, f->board, NULL);
	assert_int_equal(spool_backlog_bytes(f->board), 34);
	/* a new board */
	f->board->spool_appended_bytes = 0;
	f->board->spool_drained_bytes = 0;
	spool_keep_account(dir, f->board, NULL);
	assert_int_equal(spool_backlog_bytes(f->board), 34);
	/* the cursor is known */
	f->board->spool_appended_bytes = 5;
	f->board->spool_drained_bytes = 999;
	spool_keep_account(dir, f->board, &none);
	assert_int_equal(spool_backlog_bytes(f->board), 34);
	assert_int_equal(fixture_read(f, 1), 1);
	spool_keep_account(dir, f->board, &f->at);
	assert_int_equal(spool_backlog_bytes(f->board), 17);
	/* over more segments */
	assert_int_equal(
	    spool_file_rotate(dir, f->board, f->board->spool_segment, &err),
	    STATUS_OK);
	fixture_append(f, "Ethree\n");
	spool_keep_account(dir, f->board, &f->at);
	assert_int_equal(spool_backlog_bytes(f->board), 36);
	fixture_read_all(f);
	spool_keep_account(dir, f->board, &f->at);
	assert_int_equal(spool_backlog_bytes(f->board), 0);
	/* no folder: what is said stays */
	fixture_append(f, "Efour\n");
	fixture_shell(f, "rm -r spool");
	spool_keep_account(dir, f->board, &f->at);
	assert_int_equal(spool_backlog_bytes(f->board), 18);
	/* drained while it is looked at */
	f->board->spool_drained_bytes = f->board->spool_appended_bytes + 7;
	assert_int_equal(spool_backlog_bytes(f->board), 0);
}

static void
keep_rejected_records(void **state)
{
	struct fixture *f = *state;
	const char *dir = f->config.state_dir;
	struct spool_place place = { 12, 345 };
	struct buf payload = { .data = NULL };
	struct err err;

	buf_adds(&payload, "Ebad\nVworse\n");
	for (int i = 0; i < 2; i++) { /* the same again is the same file */
		assert_int_equal(spool_keep_rejected(dir, place, &payload,
						     "not a number", &err),
				 STATUS_OK);
		fixture_shell(f, "printf '# not a number\\nEbad\\nVworse\\n' | "
				 "cmp - spool/rejected/"
				 "0000000000000012-000000000345.txt");
		fixture_shell(f, "rm -r spool/rejected");
	}
	fixture_shell(f, "touch spool/rejected");
	assert_int_equal(spool_keep_rejected(dir, place, &payload, "why", &err),
			 STATUS_IO);
	buf_fini(&payload);
}

static void
sync_follows_the_segments(void **state)
{
	struct fixture *f = *state;
	const char *dir = f->config.state_dir;
	struct spool_sync *sync = spool_sync_new(dir, f->board);
	struct err err;

	assert_int_equal(spool_sync_run(sync, &err), STATUS_OK);
	for (int i = 0; i < 5; i++) {
		fixture_append(f, "Esome\n");
		assert_int_equal(spool_sync_run(sync, &err), STATUS_OK);
		assert_int_equal(spool_sync_run(sync, &err), STATUS_OK);
		/* one or three further at a time */
		for (int turn = 0; turn < 1 + i % 2 * 2; turn++) {
			assert_int_equal(
			    spool_file_rotate(dir, f->board,
					      f->board->spool_segment, &err),
			    STATUS_OK);
		}
	}
	assert_int_equal(spool_sync_run(sync, &err), STATUS_OK);
	fixture_shell(f, "mv spool away");
	f->board->spool_segment++;
	f->board->spool_appended_bytes++;
	assert_int_equal(spool_sync_run(sync, &err), STATUS_OK);
	spool_sync_free(sync);
	spool_sync_free(NULL);
}

#define CASE(test) \
	cmocka_unit_test_setup_teardown(test, fixture_begin, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reader_passes_over_damage),
		CASE(reader_waits_for_a_writer),
		CASE(reader_takes_a_late_frame),
		CASE(reader_searches_far),
		CASE(reader_keeps_to_the_batch),
		CASE(reader_leaves_a_segment_last),
		CASE(reader_resumes),
		CASE(reader_keeps_its_id),
		CASE(reader_says_what_it_cannot_read),
		CASE(keep_accounts_for_the_files),
		CASE(keep_rejected_records),
		CASE(sync_follows_the_segments),
	};
	return cmocka_run_group_tests_name("spool_reader", tests, NULL, NULL);
}
