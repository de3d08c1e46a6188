/*
 * store_cases: the rooms store and record against a real PostgreSQL.
 *
 * Run by test_store.sh, with IMS_PG, the owner of a migrated database, and
 * TMPDIR, a folder that every user can enter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "store/pg.h"
#include "store/store_migrate.h"
#include "store/store_partition.h"
#include "store/store_record.h"
#include "store/store_snapshot.h"
#include "pg_fixture.h"

enum { TIMEOUT_MS = 1000 };

static struct pg *
open_pg(void)
{
	return pg_new(getenv("IMS_PG"), "store_cases", TIMEOUT_MS);
}

static int
begin(void **state)
{
	*state = open_pg();
	return 0;
}

static int
end(void **state)
{
	pg_free(*state);
	return 0;
}

static void
pg_gives_values(void **state)
{
	struct pg *pg = *state;
	const char *params[] = { "a\\'b", NULL, "3" };
	struct pg_result *result = NULL;
	struct err err;

	assert_false(pg_connected(pg));
	assert_int_equal(pg_epoch(pg), 0);
	assert_int_equal(pg_query(pg,
				  "SELECT $1::text, $2::text, g FROM "
				  "generate_series(1, $3::integer) g",
				  params, 3, &result, &err),
			 STATUS_OK);
	assert_true(pg_connected(pg));
	assert_int_equal(pg_epoch(pg), 1);
	assert_int_equal(pg_rows(result), 3);
	assert_int_equal(pg_affected(result), 3);
	assert_string_equal(pg_value(result, 0, 0), "a\\'b");
	assert_int_equal(pg_value_bytes(result, 0, 0), 4);
	assert_true(pg_is_null(result, 0, 1));
	assert_false(pg_is_null(result, 0, 0));
	assert_string_equal(pg_value(result, 2, 2), "3");
	pg_result_free(result);
	pg_result_free(NULL);
	pg_free(NULL);
}

/* Each class of SQLSTATE, and what it means to a caller. */
static const struct {
	const char *state;
	enum status want;
} states[] = {
	{ "22012", STATUS_BODY },	 { "22P05", STATUS_BODY },
	{ "23502", STATUS_BODY },	 { "23514", STATUS_BODY },
	{ "23505", STATUS_CONFLICT },	 { "23P01", STATUS_CONFLICT },
	{ "54000", STATUS_BODY },	 { "08006", STATUS_UNAVAILABLE },
	{ "25006", STATUS_UNAVAILABLE }, { "25001", STATUS_INTERNAL },
	{ "40001", STATUS_UNAVAILABLE }, { "40P01", STATUS_UNAVAILABLE },
	{ "53100", STATUS_UNAVAILABLE }, { "55P03", STATUS_UNAVAILABLE },
	{ "57014", STATUS_UNAVAILABLE }, { "58030", STATUS_UNAVAILABLE },
	{ "42P01", STATUS_INTERNAL },	 { "42501", STATUS_INTERNAL },
	{ "P0001", STATUS_INTERNAL },	 { "XX000", STATUS_INTERNAL },
};

static void
pg_tells_errors_apart(void **state)
{
	struct pg *pg = *state;
	char sql[256], value[256];
	struct err err;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		snprintf(sql, sizeof(sql),
			 "DO $$ BEGIN RAISE NOTICE 'for the log'; "
			 "RAISE EXCEPTION 'told so' "
			 "USING ERRCODE = '%s'; END $$",
			 states[i].state);
		print_message("SQLSTATE %s\n", states[i].state);
		assert_int_equal(pg_query(pg, sql, NULL, 0, NULL, &err),
				 states[i].want);
		assert_int_equal(err.status, states[i].want);
		assert_non_null(strstr(err.text, "told so"));
		assert_non_null(strstr(err.text, states[i].state));
		assert_int_equal(pg_script(pg, sql, NULL), states[i].want);
	}
	/* all the while it was the same connection */
	assert_int_equal(pg_epoch(pg), 1);
	assert_string_equal(pg_fixture_text(pg, "SELECT 7", value), "7");
}

static void
pg_stops_at_the_time_out(void **state)
{
	struct pg *pg = *state;
	char value[256];
	struct err err;
	int64_t before = clock_mono_us();

	assert_int_equal(
	    pg_query(pg, "SELECT pg_sleep(30)", NULL, 0, NULL, &err),
	    STATUS_UNAVAILABLE);
	assert_in_range(clock_mono_us() - before, 900000, 5000000);
	assert_string_equal(pg_fixture_text(pg, "SELECT 7", value), "7");
	assert_int_equal(pg_epoch(pg), 1);
}

/* A server that hangs cannot keep its own time-out. */
static void
pg_notices_a_server_that_hangs(void **state)
{
	struct pg *pg = *state;
	char value[256];
	struct err err;
	pid_t backend = (pid_t)strtol(
	    pg_fixture_text(pg, "SELECT pg_backend_pid()", value), NULL, 10);

	assert_int_equal(kill(backend, SIGSTOP), 0);
	int64_t before = clock_mono_us();
	enum status status = pg_query(pg, "SELECT 1", NULL, 0, NULL, &err);
	int64_t took = clock_mono_us() - before;
	kill(backend, SIGCONT);
	assert_int_equal(status, STATUS_UNAVAILABLE);
	assert_in_range(took, 1900000, 9000000);
	assert_false(pg_connected(pg));
	assert_string_equal(pg_fixture_text(pg, "SELECT 7", value), "7");
	assert_int_equal(pg_epoch(pg), 2);
}

/* Something that listens and never says a word. */
static void
pg_notices_a_silent_server(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[64], conninfo[128];
	struct err err;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/ims-silent.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432",
		 folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(listen(fd, 5), 0);
	snprintf(conninfo, sizeof(conninfo), "host=%s user=x", folder);
	struct pg *pg = pg_new(conninfo, "silent", 300);
	int64_t before = clock_mono_us();
	assert_int_equal(pg_script(pg, "SELECT 1", &err), STATUS_UNAVAILABLE);
	assert_in_range(clock_mono_us() - before, 290000, 5000000);
	assert_non_null(strstr(err.text, "cannot connect to PostgreSQL"));
	/* the next attempt is only made a second after this one */
	before = clock_mono_us();
	assert_int_equal(pg_script(pg, "SELECT 1", NULL), STATUS_UNAVAILABLE);
	assert_int_equal(pg_begin(pg, NULL), STATUS_UNAVAILABLE);
	assert_in_range(clock_mono_us() - before, 0, 200000);
	/* a plain wait works without a connection */
	before = clock_mono_us();
	assert_false(pg_wait_notify(pg, -1, 50));
	assert_in_range(clock_mono_us() - before, 49000, 2000000);
	pg_free(pg);
	close(fd);
	unlink(address.sun_path);
	rmdir(folder);
}

static const char *const wrong_conninfos[] = {
	"host=/nonexistent user=x",
	"nonsense",
	"host=127.0.0.1 port=1 user=x",
};

static void
pg_says_why_it_cannot_connect(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pg *pg = pg_new(wrong_conninfos[i], "wrong", 1000);
		struct err err = { .status = STATUS_OK };
		assert_int_equal(pg_script(pg, "SELECT 1", &err),
				 STATUS_UNAVAILABLE);
		assert_int_equal(err.status, STATUS_UNAVAILABLE);
		assert_true(strlen(err.text) > 30);
		assert_null(strchr(err.text, '\n'));
		assert_false(pg_connected(pg));
		pg_free(pg);
	}
}

/* End the connection from the server's side. */
static void
cut(struct pg *pg)
{
	char pid[256], sql[300], value[256];
	struct pg *other = open_pg();

	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%s, 5000)",
		 pg_fixture_text(pg, "SELECT pg_backend_pid()", pid));
	pg_fixture_text(other, sql, value);
	pg_free(other);
}

static void
pg_connects_anew(void **state)
{
	struct pg *pg = *state;
	char value[256];

	/* an end that came while nobody asked costs nobody a statement */
	cut(pg);
	assert_string_equal(pg_fixture_text(pg, "SELECT 7", value), "7");
	assert_int_equal(pg_epoch(pg), 2);
	cut(pg);
	assert_true(pg_wait_notify(pg, -1, 1000));
	assert_false(pg_connected(pg));
}

static void
pg_transaction_is_whole(void **state)
{
	struct pg *pg = *state;
	char value[256];
	struct err err;

	assert_int_equal(pg_script(pg, "CREATE TEMP TABLE t (n integer)", &err),
			 STATUS_OK);
	assert_int_equal(pg_begin(pg, &err), STATUS_OK);
	assert_int_equal(pg_script(pg, "INSERT INTO t VALUES (1)", &err),
			 STATUS_OK);
	assert_int_equal(pg_commit(pg, &err), STATUS_OK);
	assert_int_equal(pg_begin(pg, &err), STATUS_OK);
	assert_int_equal(pg_script(pg, "INSERT INTO t VALUES (2)", &err),
			 STATUS_OK);
	pg_rollback(pg);
	pg_rollback(pg); /* nothing is open */
	/* one that has failed cannot be committed */
	assert_int_equal(pg_begin(pg, &err), STATUS_OK);
	assert_int_equal(pg_script(pg, "INSERT INTO t VALUES (3)", &err),
			 STATUS_OK);
	assert_int_equal(pg_script(pg, "SELECT 1/0", &err), STATUS_BODY);
	assert_int_equal(pg_commit(pg, &err), STATUS_INTERNAL);
	assert_string_equal(
	    pg_fixture_text(pg, "SELECT string_agg(n::text, ',') FROM t",
			    value),
	    "1");
}

static void
pg_transaction_ends_with_its_connection(void **state)
{
	struct pg *pg = *state;
	char value[256];
	struct err err;

	assert_int_equal(pg_begin(pg, &err), STATUS_OK);
	cut(pg);
	assert_int_equal(pg_script(pg, "SELECT 1", &err), STATUS_UNAVAILABLE);
	/* nothing runs outside of it by mistake */
	assert_int_equal(pg_script(pg, "SELECT 1", &err), STATUS_UNAVAILABLE);
	assert_non_null(strstr(err.text, "within a transaction"));
	assert_int_equal(pg_commit(pg, &err), STATUS_UNAVAILABLE);
	pg_rollback(pg);
	assert_string_equal(pg_fixture_text(pg, "SELECT 7", value), "7");
	/* cut off at the commit itself */
	assert_int_equal(pg_begin(pg, &err), STATUS_OK);
	cut(pg);
	assert_int_equal(pg_commit(pg, &err), STATUS_UNAVAILABLE);
	pg_rollback(pg);
	/* and at the rollback */
	clock_sleep_us(1000000);
	assert_int_equal(pg_begin(pg, &err), STATUS_OK);
	cut(pg);
	pg_rollback(pg);
	clock_sleep_us(1000000);
	assert_string_equal(pg_fixture_text(pg, "SELECT 8", value), "8");
}

static const struct {
	const char *sql, *data;
	enum status want;
	int64_t rows;
} copies[] = {
	{ "COPY t FROM STDIN", "1\ta\n2\tb\n", STATUS_OK, 2 },
	{ "COPY t FROM STDIN", "", STATUS_OK, 0 },
	{ "COPY t FROM STDIN", "3\t\\N\n", STATUS_OK, 1 },
	{ "COPY t FROM STDIN", "4\ta\nx\tb\n", STATUS_BODY, 0 },
	{ "COPY t FROM STDIN", "1\tagain\n", STATUS_CONFLICT, 0 },
	{ "COPY t FROM STDIN", "5\n", STATUS_BODY, 0 },
	{ "COPY t FROM STDIN", "5\t\xff\n", STATUS_BODY, 0 },
	{ "COPY nowhere FROM STDIN", "1\n", STATUS_INTERNAL, 0 },
	{ "COPY t FROM STDIN", "6\ta\n\\.\n7\tb\n", STATUS_OK, 1 },
};

static void
pg_copies(void **state)
{
	struct pg *pg = *state;
	struct err err;
	char value[256];

	assert_int_equal(
	    pg_script(pg, "CREATE TEMP TABLE t (n integer PRIMARY KEY, x text)",
		      &err),
	    STATUS_OK);
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		int64_t rows = 0;
		print_message("copy %zu\n", i);
		assert_int_equal(pg_copy(pg, copies[i].sql, copies[i].data,
					 strlen(copies[i].data), &rows, &err),
				 copies[i].want);
		assert_int_equal(rows, copies[i].rows);
		/* and it is of use afterwards */
		pg_fixture_text(pg, "SELECT count(*) FROM t", value);
	}
	assert_string_equal(value, "4");
	assert_int_equal(pg_epoch(pg), 1);
}

/* Far more than a socket takes at once, wrong at its very beginning. */
static void
pg_copies_much(void **state)
{
	struct pg *pg = *state;
	enum { ROWS = 400000 };
	struct buf data = { .data = NULL };
	struct err err;
	int64_t rows = 0;

	for (int i = 0; i < ROWS; i++) {
		buf_printf(&data, "%d\tsome text of no great length\n", i);
	}
	assert_int_equal(pg_script(pg,
				   "SET statement_timeout = 0;"
				   "CREATE TEMP TABLE t (n integer, x text)",
				   &err),
			 STATUS_OK);
	data.data[0] = 'x';
	assert_int_equal(
	    pg_copy(pg, "COPY t FROM STDIN", data.data, data.len, &rows, &err),
	    STATUS_BODY);
	data.data[0] = '0';
	assert_int_equal(
	    pg_copy(pg, "COPY t FROM STDIN", data.data, data.len, &rows, &err),
	    STATUS_OK);
	assert_int_equal(rows, ROWS);
	buf_fini(&data);
}

static void
pg_waits_for_notifications(void **state)
{
	struct pg *pg = *state;
	struct pg *other = open_pg();
	int wake = eventfd(0, 0);
	uint64_t one = 1;
	struct err err;

	assert_int_equal(store_snapshot_listen(pg, &err), STATUS_OK);
	assert_false(pg_wait_notify(pg, wake, 20));
	assert_int_equal(pg_script(other,
				   "NOTIFY policy_revision; "
				   "NOTIFY policy_revision, 'x'",
				   &err),
			 STATUS_OK);
	assert_true(pg_wait_notify(pg, wake, 2000));
	assert_false(pg_wait_notify(pg, wake, 0)); /* all were taken */
	/* one that comes with an answer is not lost */
	assert_int_equal(pg_script(other, "NOTIFY policy_revision", &err),
			 STATUS_OK);
	clock_sleep_us(50000);
	assert_int_equal(pg_script(pg, "SELECT 1", &err), STATUS_OK);
	assert_true(pg_wait_notify(pg, wake, 0));
	/* somebody else wants something */
	assert_int_equal(write(wake, &one, sizeof(one)), sizeof(one));
	int64_t before = clock_mono_us();
	assert_false(pg_wait_notify(pg, wake, 5000));
	assert_in_range(clock_mono_us() - before, 0, 1000000);
	close(wake);
	pg_free(other);
}

static void
snapshot_has_its_revision(void **state)
{
	struct pg *pg = *state;
	struct buf document = { .data = NULL };
	int64_t first = 0, second = 0, of_document = 0;
	struct err err;
	char want[64];

	assert_int_equal(store_snapshot_revision(pg, &first, &err), STATUS_OK);
	assert_int_equal(
	    store_snapshot_fetch(pg, &document, &of_document, &err), STATUS_OK);
	assert_int_equal(of_document, first);
	snprintf(want, sizeof(want), "\"revision\" : %lld,", (long long)first);
	assert_non_null(strstr(buf_text(&document), want));
	assert_int_equal(
	    pg_script(pg, "UPDATE subjects SET user_tier = NULL", &err),
	    STATUS_OK);
	assert_int_equal(store_snapshot_revision(pg, &second, &err), STATUS_OK);
	assert_int_equal(second, first + 1);
	/* a table that somebody emptied */
	assert_int_equal(
	    pg_script(pg, "BEGIN; DELETE FROM policy_revision", &err),
	    STATUS_OK);
	assert_int_equal(store_snapshot_revision(pg, &second, &err),
			 STATUS_CORRUPT);
	assert_int_equal(pg_script(pg, "ROLLBACK", &err), STATUS_OK);
	buf_fini(&document);
}

static void
partitions_are_made_once(void **state)
{
	struct pg *pg = *state;
	int64_t made = -1, dropped = -1;
	struct err err;

	assert_int_equal(store_partition_ensure(pg, 7, &made, &err), STATUS_OK);
	assert_int_equal(made, 12); /* 4 months of 3 tables were there */
	assert_int_equal(store_partition_ensure(pg, 7, &made, &err), STATUS_OK);
	assert_int_equal(made, 0);
	assert_int_equal(store_partition_ensure(pg, 1000, &made, &err),
			 STATUS_BODY);
	assert_int_equal(store_partition_drop(pg, 1, &dropped, &err),
			 STATUS_OK);
	assert_int_equal(dropped, 0);
	dropped = -1;
	assert_int_equal(store_partition_drop_usage(pg, 1, &dropped, &err),
			 STATUS_OK);
	assert_int_equal(dropped, 0);
}

#define SPOOL "01930000-0000-7000-8000-00000000000a"

/* One row of a table of the test's own. */
static struct store_record_rows
rows_of(const char *bytes, size_t rows_n)
{
	return (struct store_record_rows){ .table = "t",
					   .columns = "\"n\",\"x\"",
					   .bytes = bytes,
					   .bytes_n = strlen(bytes),
					   .rows_n = rows_n };
}

/* What is sent from where to where, and what comes of it. */
static const struct {
	const char *bytes;
	size_t rows_n;
	uint64_t from, to;
	enum status want;
	const char *rows_after;
} records[] = {
	{ "1\ta\n", 1, 0, 10, STATUS_OK, "1" },
	{ "2\ta\n", 1, 0, 20, STATUS_BUSY, "1" }, /* the cursor is at 10 */
	{ "2\ta\n3\tb\n", 2, 10, 20, STATUS_OK, "3" },
	{ "", 0, 20, 30, STATUS_OK, "3" }, /* the cursor alone */
	{ "4\ta\nx\tb\n", 2, 30, 40, STATUS_BODY, "3" },
	{ "4\ta\n1\tb\n", 2, 30, 40, STATUS_CONFLICT, "3" },
	{ "4\ta\n\\.\n5\tb\n", 3, 30, 40, STATUS_BODY, "3" },
	{ "4\ta\n", 1, 30, 40, STATUS_OK, "4" },
};

static void
record_moves_the_cursor_with_the_rows(void **state)
{
	struct pg *pg = *state;
	struct store_record_cursor seen = { .spool_id = SPOOL };
	uint64_t place = 0;
	struct err err;
	char value[256];

	assert_int_equal(
	    pg_script(pg, "CREATE TEMP TABLE t (n integer PRIMARY KEY, x text)",
		      &err),
	    STATUS_OK);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct store_record_rows rows =
		    rows_of(records[i].bytes, records[i].rows_n);
		struct store_record_cursor from = { SPOOL, 5, records[i].from };
		struct store_record_cursor to = { SPOOL, 5, records[i].to };

		if (i == 0) { /* a spool that nobody knows begins at 0, 0 */
			assert_int_equal(store_record_cursor(pg, &seen, &err),
					 STATUS_OK);
			assert_int_equal(seen.segment, 0);
			assert_int_equal(seen.offset, 0);
			from.segment = 0;
		}
		print_message("record %zu\n", i);
		assert_int_equal(store_record(pg, &rows, 1, &from, &to, &err),
				 records[i].want);
		place = records[i].want == STATUS_OK ? records[i].to : place;
		assert_string_equal(
		    pg_fixture_text(pg, "SELECT count(*) FROM t", value),
		    records[i].rows_after);
		assert_int_equal(store_record_cursor(pg, &seen, &err),
				 STATUS_OK);
		assert_int_equal(seen.segment, 5);
		assert_int_equal(seen.offset, place);
	}
	assert_int_equal(pg_script(pg,
				   "DELETE FROM spool_cursors "
				   "WHERE spool_id = '" SPOOL "'",
				   &err),
			 STATUS_OK);
}

static void
record_fails_without_a_server(void **state)
{
	struct pg *pg = pg_fixture_nobody();
	struct store_record_cursor cursor = { .spool_id = SPOOL };
	struct store_migration migration = { 1, "001_x.sql", "SELECT 1" };
	struct buf document = { .data = NULL };
	int64_t n = -1;
	int applied = -1;
	struct err err;

	(void)state;
	assert_int_equal(store_record_cursor(pg, &cursor, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_record(pg, NULL, 0, &cursor, &cursor, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_snapshot_revision(pg, &n, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_snapshot_fetch(pg, &document, &n, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_partition_ensure(pg, 1, &n, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_partition_drop(pg, 1, &n, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_partition_drop_usage(pg, 1, &n, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_migrate_apply(pg, &migration, &applied, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_migrate_seed(pg, "SELECT 1", &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(n, -1);
	assert_int_equal(applied, -1);
	pg_free(pg);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(pg_gives_values),
		CASE(pg_tells_errors_apart),
		CASE(pg_stops_at_the_time_out),
		CASE(pg_notices_a_server_that_hangs),
		CASE(pg_notices_a_silent_server),
		CASE(pg_says_why_it_cannot_connect),
		CASE(pg_connects_anew),
		CASE(pg_transaction_is_whole),
		CASE(pg_transaction_ends_with_its_connection),
		CASE(pg_copies),
		CASE(pg_copies_much),
		CASE(pg_waits_for_notifications),
		CASE(snapshot_has_its_revision),
		CASE(partitions_are_made_once),
		CASE(record_moves_the_cursor_with_the_rows),
		CASE(record_fails_without_a_server),
	};

	if (getenv("IMS_PG") == NULL) {
		fputs("store_cases: IMS_PG is not set\n", stderr);
		return 2;
	}
	log_open("store_cases", LOG_ERROR);
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
