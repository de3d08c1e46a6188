/*
 * drain_cases: record/drain.c against a real PostgreSQL with the schema.
 *
 * Run by test_store.sh, with IMS_PG, the owner of a migrated database.
 */
#include <pthread.h>
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
#include "pg_fixture.h"

struct world {
	struct fixture *f;
	struct pg *pg;
	struct drain *drain;
};

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *fixture = NULL;
	struct err err;

	fixture_begin(&fixture);
	w->f = fixture;
	w->pg = pg_new(getenv("IMS_PG"), "drain_cases", 1000);
	pg_fixture_run(
	    w->pg,
	    "TRUNCATE evaluations, policy_violations, usage, usage_rollups");
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

/* An evaluation with a DECISION and a new ID. */
static void
evaluation(struct buf *out, const char *decision, char id[UUID_TEXT_BYTES])
{
	struct row row;
	int64_t now = clock_now_us();

	uuid_make(now, id);
	row_begin(&row, out, ROW_EVALUATIONS);
	row_text(&row, id);
	row_time(&row, now);
	row_text(&row, "pre_flight");
	row_text(&row, decision);
	row_bool(&row, true);
	while (row.columns_n < row_table_columns_n(ROW_EVALUATIONS)) {
		row_null(&row);
	}
	row_end(&row);
}

/* One as a payload; returns its id. */
static const char *
append(struct world *w, const char *decision)
{
	static char id[UUID_TEXT_BYTES];
	struct buf out = { .data = NULL };

	evaluation(&out, decision, id);
	fixture_append(w->f, buf_text(&out));
	buf_fini(&out);
	return id;
}

/* An ENTRY of the call ID by a USER (NULL: unknown), with its COST. */
static void
usage(struct buf *out, const char *id, const char *entry, const char *user,
      int64_t cost_nanousd)
{
	bool reserve = strcmp(entry, "reserve") == 0;
	bool report = strcmp(entry, "report") == 0;
	struct row row;

	row_begin(&row, out, ROW_USAGE);
	row_text(&row, id);
	row_text(&row, entry);
	row_time(&row, clock_now_us());
	row_null(&row); /* report_id */
	row_text(&row, "abcdefgh01234567");
	row_text(&row, user);
	while (row.columns_n < 16) { /* up to calls */
		row_null(&row);
	}
	row_int(&row, reserve ? 1 : 0);
	row_difference(&row, cost_nanousd);
	row_int(&row, reserve ? 100 : 10);
	row_int(&row, 7); /* input_tokens */
	row_null(&row);	  /* output_tokens */
	row_null(&row);	  /* overrun */
	row_bool(&row, report);
	row_null(&row); /* latency_ms */
	if (reserve) {
		row_time(&row, clock_now_us() + 900 * INT64_C(1000000));
	} else {
		row_null(&row);
	}
	row_int(&row, 1); /* epoch */
	row_bool(&row, true);
	row_text(&row, reserve ? "{1,2,3,4,5,6,7}" : NULL);
	row_null(&row); /* said */
	row_end(&row);
}

/* An entry alone, as a payload. */
static void
append_usage(struct fixture *f, const char *id, const char *entry,
	     int64_t cost_nanousd)
{
	struct buf out = { .data = NULL };

	usage(&out, id, entry, "ann", cost_nanousd);
	fixture_append(f, buf_text(&out));
	buf_fini(&out);
}

/* A call of its own by the N-th of some users. */
static void
append_call(struct fixture *f, int n)
{
	struct buf out = { .data = NULL };
	char id[UUID_TEXT_BYTES], user[16];

	uuid_make(clock_now_us(), id);
	snprintf(user, sizeof(user), "user-%d", n % 50);
	usage(&out, id, "reserve", user, 1);
	fixture_append(f, buf_text(&out));
	buf_fini(&out);
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

/* The one value that QUERY answers, as text, until the next call. */
static const char *
ask(struct world *w, const char *query)
{
	static char value[PG_FIXTURE_BYTES];

	return pg_fixture_text(w->pg, query, value);
}

static long
stored(struct world *w)
{
	return strtol(ask(w, "SELECT count(*) FROM evaluations"), NULL, 10);
}

/* The roll-ups of a user, and how many entries there are. */
static const char *
rolled(struct world *w)
{
	return ask(w, "SELECT concat_ws(' ', user_id, calls, cost, tokens, "
		      "input_tokens, settled, failed, (SELECT count(*) "
		      "FROM usage)) FROM usage_rollups WHERE user_id = 'ann'");
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
	pg_fixture_run(w->pg,
		       "UPDATE spool_cursors SET segment = 0, \"offset\" = 0");
	append(w, "allow"); /* a drainer with its own idea finds it moved */
	size_t moved = 0;
	struct err err;
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err),
			 STATUS_BUSY);
	assert_int_equal(drain_all(w), 6);
	assert_int_equal(stored(w), 6);
	assert_int_equal(metric_read(METRIC_drain_rejected_total, 0), before);
}

/* Entries of one call in any order and number, and the roll-up after each:
 * calls, cost, tokens, input tokens, settled, failed; entries. */
static const struct {
	const char *entry;
	int64_t cost_nanousd;
	const char *want;
} entries[] = {
	{ "settle", -1, "ann 0 -0.000000001 10 7 1 1 1" },
	{ "reserve", 187500000, "ann 1 0.187499999 110 14 1 1 2" },
	{ "reserve", 187500000, "ann 1 0.187499999 110 14 1 1 2" },
	{ "settle", 500, "ann 1 0.187499999 110 14 1 1 2" },
	{ "report", 1000, "ann 1 0.187499999 110 14 1 1 3" },
	{ "report", 1000, "ann 1 0.187499999 110 14 1 1 3" },
	{ "expire", -1000, "ann 1 0.187498999 120 21 1 1 4" },
};
enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

/* One by one, then all of them again in one batch: nothing is counted twice. */
static void
drain_takes_an_entry_once(void **state)
{
	struct world *w = *state;
	char id[UUID_TEXT_BYTES];

	uuid_make(clock_now_us(), id);
	for (size_t i = 0; i < ENTRIES; i++) {
		print_message("entry %zu\n", i);
		append_usage(w->f, id, entries[i].entry,
			     entries[i].cost_nanousd);
		assert_int_equal(drain_all(w), 1);
		assert_string_equal(rolled(w), entries[i].want);
	}
	for (size_t i = 0; i < ENTRIES; i++) {
		append_usage(w->f, id, entries[i].entry,
			     entries[i].cost_nanousd);
	}
	assert_int_equal(drain_all(w), ENTRIES);
	assert_string_equal(rolled(w), entries[ENTRIES - 1].want);
	assert_string_equal(ask(w, "SELECT count(*) FROM usage_rollups"), "1");
}

/* An entry that is there already leaves the rest of its record alone. */
static void
drain_keeps_the_rest_of_a_record(void **state)
{
	struct world *w = *state;
	struct buf out = { .data = NULL };
	char first[UUID_TEXT_BYTES], second[UUID_TEXT_BYTES];

	evaluation(&out, "allow", first);
	usage(&out, first, "reserve", "ann", 1000000000);
	fixture_append(w->f, buf_text(&out));
	assert_int_equal(drain_all(w), 1);
	buf_reset(&out);
	evaluation(&out, "allow", second);
	usage(&out, first, "reserve", "ann", 1000000000);
	usage(&out, second, "reserve", NULL, 2000000000);
	usage(&out, second, "reserve", NULL, 2000000000);
	fixture_append(w->f, buf_text(&out));
	assert_int_equal(drain_all(w), 1);
	assert_int_equal(stored(w), 2);
	assert_string_equal(rolled(w), "ann 1 1 100 7 0 0 2");
	assert_string_equal(ask(w, "SELECT calls || ' ' || cost "
				   "FROM usage_rollups WHERE user_id = ''"),
			    "1 2");
	/* the cursor is set back: E rows conflict, entries are passed over */
	pg_fixture_run(w->pg,
		       "UPDATE spool_cursors SET segment = 0, \"offset\" = 0");
	append_usage(w->f, second, "expire", 0);
	size_t moved = 0;
	struct err err;
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err),
			 STATUS_BUSY);
	assert_int_equal(drain_all(w), 3);
	assert_int_equal(stored(w), 2);
	assert_string_equal(rolled(w), "ann 1 1 110 14 0 0 3");
	assert_string_equal(ask(w, "SELECT sum(cost) || ' ' || sum(calls) "
				   "FROM usage_rollups"),
			    "3 2");
	buf_fini(&out);
}

/* Entries that the ledger refuses, between good ones. */
static const struct {
	const char *entry;
	int64_t cost_nanousd;
} wrong_entries[] = {
	{ "refund", 1 },   /* no such entry */
	{ "reserve", -5 }, /* less than nothing */
};

static void
drain_puts_wrong_entries_aside(void **state)
{
	struct world *w = *state;
	int64_t before = metric_read(METRIC_drain_rejected_total, 0);
	char id[UUID_TEXT_BYTES];

	for (size_t i = 0; i < 2; i++) {
		uuid_make(clock_now_us(), id);
		append_usage(w->f, id, "reserve", 1);
		uuid_make(clock_now_us(), id);
		append_usage(w->f, id, wrong_entries[i].entry,
			     wrong_entries[i].cost_nanousd);
		uuid_make(clock_now_us(), id);
		append_usage(w->f, id, "reserve", 1);
	}
	fixture_append(w->f, "U\\N\treserve\n"); /* too few columns */
	append(w, "allow");
	assert_int_equal(drain_all(w), 8);
	assert_int_equal(metric_read(METRIC_drain_rejected_total, 0),
			 before + 3);
	assert_string_equal(rolled(w), "ann 4 0.000000004 400 28 0 0 4");
	assert_int_equal(stored(w), 1);
}

enum { HOSTS = 2, SHARED_CALLS = 3000 };

/* A host of its own that drains what it has until nothing is left. */
static void *
drain_host(void *arg)
{
	struct world *w = arg;
	size_t moved = 1;
	struct err err = { .status = STATUS_OK };

	while (moved > 0) {
		if (drain_step(w->drain, w->pg, &moved, &err) != STATUS_OK) {
			print_error("%s\n", err.text);
			return w;
		}
	}
	return NULL;
}

/* Two hosts bring the same entries and those of the same users at once, in
 * opposite orders: neither waits for the other for ever, each counts once. */
static void
drain_shares_the_ledger(void **state)
{
	static char ids[SHARED_CALLS][UUID_TEXT_BYTES];
	struct world *hosts[HOSTS] = { *state, NULL };
	pthread_t threads[HOSTS];
	void *other = NULL, *failed = NULL;

	begin(&other);
	hosts[1] = other;
	for (int i = 0; i < SHARED_CALLS; i++) {
		uuid_make(clock_now_us(), ids[i]);
	}
	for (int i = 0; i < SHARED_CALLS; i++) {
		int back = SHARED_CALLS - 1 - i;
		append_usage(hosts[0]->f, ids[i], "reserve", 1);
		append_call(hosts[0]->f, i);
		append_usage(hosts[1]->f, ids[back], "reserve", 1);
		append_call(hosts[1]->f, back);
	}
	for (int i = 0; i < HOSTS; i++) {
		pg_free(hosts[i]->pg); /* a second may be too short */
		hosts[i]->pg = pg_new(getenv("IMS_PG"), "drain_cases", 30000);
		assert_int_equal(
		    pthread_create(&threads[i], NULL, drain_host, hosts[i]), 0);
	}
	for (int i = 0; i < HOSTS; i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		failed = result != NULL ? result : failed;
	}
	assert_null(failed);
	assert_string_equal(ask(hosts[0], "SELECT sum(calls) || ' ' || "
					  "sum(cost) FROM usage_rollups"),
			    "9000 0.000009000");
	end(&other);
}

static void
drain_goes_on_after_a_loss(void **state)
{
	struct world *w = *state;
	size_t moved = 99;
	struct err err;
	struct pg *gone = pg_fixture_nobody();

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

	pg_fixture_run(
	    w->pg, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
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
	pg_fixture_run(w->pg, "DROP FUNCTION slow CASCADE");
	assert_int_equal(stored(w), RECORDS);
	assert_true(tries > 1);
}

/* More than a batch is there, or what came since. */
static void
drain_knows_when_it_is_behind(void **state)
{
	struct world *w = *state;
	size_t moved = 0;
	struct err err;

	drain_close(w->drain);
	w->f->config.drain_batch_bytes = 4096;
	assert_int_equal(
	    drain_open(&w->f->config, w->f->board, &w->drain, &err), STATUS_OK);
	assert_false(drain_behind(w->drain));
	for (int i = 0; i < 200; i++) {
		append(w, "allow");
	}
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err), STATUS_OK);
	assert_true(moved > 0 && moved < 200);
	assert_true(drain_behind(w->drain));
	assert_int_equal(drain_all(w), 200 - moved);
	assert_false(drain_behind(w->drain));
	append(w, "allow");
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err), STATUS_OK);
	assert_int_equal(moved, 1);
	assert_false(drain_behind(w->drain));
	append(w, "maybe"); /* refused: what comes after it is not known */
	assert_int_equal(drain_step(w->drain, w->pg, &moved, &err), STATUS_OK);
	assert_true(drain_behind(w->drain));
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
		CASE(drain_takes_an_entry_once),
		CASE(drain_keeps_the_rest_of_a_record),
		CASE(drain_puts_wrong_entries_aside),
		CASE(drain_shares_the_ledger),
		CASE(drain_goes_on_after_a_loss),
		CASE(drain_makes_slow_batches_smaller),
		CASE(drain_knows_when_it_is_behind),
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
