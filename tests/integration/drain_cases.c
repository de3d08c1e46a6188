/*
 * drain_cases: record/drain.c against a real PostgreSQL with the schema.
 *
 * Run by test_store.sh, with IMS_PG, the owner of a migrated database.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../unit/record_fixture.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/uuid.h"
#include "record/drain.h"
#include "record/row.h"

struct world {
	struct fixture *f;
	struct pg *pg;
	struct drain *drain;
};

static void
sql(struct pg *pg, const char *text)
{
	struct err err;

	assert_int_equal(pg_script(pg, text, &err), STATUS_OK);
}

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *fixture = NULL;
	struct err err;

	fixture_begin(&fixture);
	w->f = fixture;
	w->pg = pg_new(getenv("IMS_PG"), "drain_cases", 1000);
	sql(w->pg, "TRUNCATE evaluations, policy_violations");
	assert_int_equal(
	    drain_open(&w->f->config, w->f->board, &w->drain, &err), STATUS_OK);
	*state = w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;
	void *fixture = w->f;

	drain_close(w->drain);
	drain_close(NULL);
	pg_free(w->pg);
	fixture_end(&fixture);
	free(w);
	return 0;
}

/* An evaluation with a DECISION, as a payload; returns its id. */
static const char *
append(struct world *w, const char *decision)
{
	static char id[UUID_TEXT_BYTES];
	struct buf out = { .data = NULL };
	struct row row;
	int64_t now = clock_now_us();

	uuid_make(now, id);
	row_begin(&row, &out, ROW_EVALUATIONS);
	row_text(&row, id);
	row_time(&row, now);
	row_text(&row, "pre_flight");
	row_text(&row, decision);
	row_bool(&row, true);
	while (row.columns_n < row_table_columns_n(ROW_EVALUATIONS)) {
		row_null(&row);
	}
	row_end(&row);
	fixture_append(w->f, buf_text(&out));
	buf_fini(&out);
	return id;
}

/* Steps until the spool is empty; how many records the cursor passed. */
static size_t
drain_all(struct world *w)
{
	size_t sum = 0, moved = 1;
	struct err err;

	while (moved > 0) {
		assert_int_equal(drain_step(w->drain, w->pg, &moved, &err),
				 STATUS_OK);
		sum += moved;
	}
	return sum;
}

static long
stored(struct world *w)
{
	struct pg_result *result = NULL;
	struct err err;

	assert_int_equal(pg_query(w->pg, "SELECT count(*) FROM evaluations",
				  NULL, 0, &result, &err),
			 STATUS_OK);
	long n = strtol(pg_value(result, 0, 0), NULL, 10);
	pg_result_free(result);
	return n;
}

static void
drain_moves_all(void **state)
{
	struct world *w = *state;

	assert_int_equal(drain_all(w), 0);
	for (int i = 0; i < 10; i++) {
		append(w, "allow");
	}
	drain_account(w->drain);
	assert_true(spool_backlog_bytes(w->f->board) > 0);
	assert_int_equal(drain_all(w), 10);
	assert_int_equal(stored(w), 10);
	drain_account(w->drain);
	assert_int_equal(spool_backlog_bytes(w->f->board), 0);
	assert_int_equal(metric_read(METRIC_spool_backlog_bytes, 0), 0);
}

/* Where the bad ones stand in a batch of eight. */
static const char *const patterns[] = {
	"b.......", ".......b", "...b....", "b......b",
	"bb......", "bbbbbbbb", ".b.b.b.b", "........",
};

static void
drain_puts_bad_records_aside(void **state)
{
	struct world *w = *state;
	long good = 0;
	int64_t bad = 0;
	int64_t before = metric_read(METRIC_drain_rejected_total, 0);

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		print_message("pattern %s\n", patterns[i]);
		for (const char *p = patterns[i]; *p != '\0'; p++) {
			append(w, *p == 'b' ? "maybe" : "allow");
			good += *p != 'b';
			bad += *p == 'b';
		}
		assert_int_equal(drain_all(w), 8);
		assert_int_equal(stored(w), good);
		assert_int_equal(metric_read(METRIC_drain_rejected_total, 0),
				 before + bad);
	}
}

/* Payloads that no writer of this house makes. */
static const char *const strange[] = {
	"Xof no table\n",     "Eno newline at the end", "\n",  "E\\.\n",
	"Etoo few columns\n", "Vtoo few columns\n",	"E\n",
};

static void
drain_survives_strange_payloads(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		print_message("payload %zu\n", i);
		append(w, "allow");
		fixture_append(w->f, strange[i]);
		append(w, "allow");
		assert_int_equal(drain_all(w), 3);
		assert_int_equal(stored(w), (long)(2 * i + 2));
	}
	fixture_shell(w->f, "test $(ls spool/rejected | wc -l) -eq 7");
}

/* What cannot be kept aside is not passed. */
static void
drain_waits_for_room_to_reject(void **state)
{
	struct world *w = *state;
	size_t moved = 0;
	struct err err;

	append(w, "maybe");
	append(w, "allow");
	fixture_shell(w->f, "rm -r spool/rejected && touch spool/rejected");
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err), STATUS_IO);
	assert_int_equal(stored(w), 0);
	fixture_shell(w->f, "rm spool/rejected");
	assert_int_equal(drain_all(w), 2);
	assert_int_equal(stored(w), 1);
	fixture_shell(w->f, "test $(ls spool/rejected | wc -l) -eq 1");
}

static void
drain_passes_what_is_there_already(void **state)
{
	struct world *w = *state;
	int64_t before = metric_read(METRIC_drain_rejected_total, 0);

	for (int i = 0; i < 5; i++) {
		append(w, "allow");
	}
	assert_int_equal(drain_all(w), 5);
	sql(w->pg, "UPDATE spool_cursors SET segment = 0, \"offset\" = 0");
	append(w, "allow"); /* a drainer with its own idea finds it moved */
	size_t moved = 0;
	struct err err;
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err),
			 STATUS_BUSY);
	assert_int_equal(drain_all(w), 6);
	assert_int_equal(stored(w), 6);
	assert_int_equal(metric_read(METRIC_drain_rejected_total, 0), before);
}

static void
drain_goes_on_after_a_loss(void **state)
{
	struct world *w = *state;
	size_t moved = 99;
	struct err err;
	struct pg *gone = pg_new("host=/nonexistent", "gone", 500);

	append(w, "allow");
	assert_int_equal(drain_step(w->drain, gone, &moved, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(drain_step(w->drain, gone, &moved, NULL),
			 STATUS_UNAVAILABLE);
	assert_int_equal(moved, 99);
	drain_account(w->drain);
	assert_true(spool_backlog_bytes(w->f->board) > 0);
	assert_int_equal(drain_all(w), 1);
	pg_free(gone);
}

/* A batch that takes too long is made smaller until it does not. */
static void
drain_makes_slow_batches_smaller(void **state)
{
	struct world *w = *state;
	size_t moved = 0, tries = 0;
	enum { RECORDS = 2000 };
	struct err err;

	sql(w->pg, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
		   "$$ BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END $$; "
		   "CREATE TRIGGER slow BEFORE INSERT ON evaluations "
		   "FOR EACH ROW EXECUTE FUNCTION slow()");
	for (int i = 0; i < RECORDS; i++) {
		append(w, "allow");
	}
	while (stored(w) < RECORDS && tries++ < 50) {
		enum status status = drain_step(w->drain, w->pg, &moved, &err);
		assert_true(status == STATUS_OK ||
			    status == STATUS_UNAVAILABLE);
	}
	sql(w->pg, "DROP FUNCTION slow CASCADE");
	assert_int_equal(stored(w), RECORDS);
	assert_true(tries > 1);
}

static void
drain_says_what_it_cannot_read(void **state)
{
	struct world *w = *state;
	char command[SPOOL_FILE_PATH_BYTES * 2 + 32];
	char path[SPOOL_FILE_PATH_BYTES];
	size_t moved = 0;
	struct err err;

	append(w, "allow");
	assert_int_equal(drain_all(w), 1);
	assert_int_equal(spool_file_rotate(w->f->config.state_dir, w->f->board,
					   w->f->board->spool_segment, &err),
			 STATUS_OK);
	snprintf(command, sizeof(command), "rm %s && mkdir %s",
		 fixture_segment(w->f, path), path);
	fixture_shell(w->f, command);
	/* the old segment ends, then the folder cannot be read */
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err), STATUS_IO);
	snprintf(command, sizeof(command), "rmdir %s", path);
	fixture_shell(w->f, command);
	append(w, "allow");
	assert_int_equal(drain_all(w), 1);
}

static void
drain_needs_its_folder(void **state)
{
	struct world *w = *state;
	struct config config = w->f->config;
	struct drain *drain = NULL;
	struct err err;

	strcat(config.state_dir, "/missing");
	w->f->board->spool_segment = 0;
	assert_int_equal(drain_open(&config, w->f->board, &drain, &err),
			 STATUS_IO);
	assert_null(drain);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(drain_moves_all),
		CASE(drain_puts_bad_records_aside),
		CASE(drain_survives_strange_payloads),
		CASE(drain_waits_for_room_to_reject),
		CASE(drain_passes_what_is_there_already),
		CASE(drain_goes_on_after_a_loss),
		CASE(drain_makes_slow_batches_smaller),
		CASE(drain_says_what_it_cannot_read),
		CASE(drain_needs_its_folder),
	};

	if (getenv("IMS_PG") == NULL) {
		fputs("drain_cases: IMS_PG is not set\n", stderr);
		return 2;
	}
	/* What is refused is meant to be. */
	log_open("drain_cases", LOG_ERROR);
	return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
