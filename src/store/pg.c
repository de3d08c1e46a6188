#include "store/pg.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/pg_wire.h"

enum { COPY_CHUNK_BYTES = 65536 /* put, then flush */ };

struct pg_result; /* libpq's PGresult under a name of ours */

static struct pg_result *
wrap(PGresult *result)
{
	return (struct pg_result *)result;
}

/* libpq's readers take a const PGresult *. */
static const PGresult *
unwrap(const struct pg_result *result)
{
	return (const PGresult *)result;
}

struct pg *
pg_new(const char *conninfo, const char *application_name, int64_t timeout_ms)
{
	assert(conninfo != NULL && application_name != NULL && timeout_ms > 0);
	struct pg *pg = memory_get(sizeof(*pg));

	*pg = (struct pg){ .timeout_ms = timeout_ms };
	pg->conninfo = memory_get(strlen(conninfo) + 1);
	strcpy(pg->conninfo, conninfo);
	pg->application_name = memory_get(strlen(application_name) + 1);
	strcpy(pg->application_name, application_name);
	return pg;
}

void
pg_free(struct pg *pg)
{
	if (pg == NULL) {
		return;
	}
	pg_wire_drop(pg);
	free(pg->conninfo);
	free(pg->application_name);
	free(pg);
}

bool
pg_connected(const struct pg *pg)
{
	return pg->conn != NULL;
}

uint64_t
pg_epoch(const struct pg *pg)
{
	return pg->epoch;
}

enum status
pg_query(struct pg *pg, const char *sql, const char *const *params, int n,
	 struct pg_result **out, struct err *err)
{
	assert(sql != NULL && n >= 0 && (n == 0 || params != NULL));
	PGresult *result = NULL;
	enum status status = pg_wire_ready(pg, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (PQsendQueryParams(pg->conn, sql, n, NULL, params, NULL, NULL, 0) ==
	    0) {
		return pg_wire_lost(pg, "cannot send to", err);
	}
	status = pg_wire_collect(pg, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	if (out != NULL) {
		*out = wrap(result);
	} else {
		PQclear(result);
	}
	return STATUS_OK;
}

/* Run SQL without parameters; TAG, if asked for, is its command tag. */
static enum status
run(struct pg *pg, const char *sql, char tag[32], struct err *err)
{
	PGresult *result = NULL;

	if (PQsendQuery(pg->conn, sql) == 0) {
		return pg_wire_lost(pg, "cannot send to", err);
	}
	enum status status = pg_wire_collect(pg, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	if (tag != NULL) {
		snprintf(tag, 32, "%s", PQcmdStatus(result));
	}
	PQclear(result);
	return STATUS_OK;
}

enum status
pg_script(struct pg *pg, const char *sql, struct err *err)
{
	enum status status = pg_wire_ready(pg, err);

	return status != STATUS_OK ? status : run(pg, sql, NULL, err);
}

enum status
pg_begin(struct pg *pg, struct err *err)
{
	assert(!pg->in_transaction);
	enum status status = pg_wire_ready(pg, err);

	if (status == STATUS_OK) {
		status = run(pg, "BEGIN", NULL, err);
	}
	pg->in_transaction = status == STATUS_OK;
	return status;
}

enum status
pg_commit(struct pg *pg, struct err *err)
{
	assert(pg->in_transaction);
	char tag[32] = "";
	enum status status = pg_wire_ready(pg, err);

	if (status == STATUS_OK) {
		status = run(pg, "COMMIT", tag, err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	pg->in_transaction = false;
	/* COMMIT of a failed transaction succeeds and is a ROLLBACK. */
	if (strcmp(tag, "COMMIT") != 0) {
		return err_set(err, STATUS_INTERNAL,
			       "PostgreSQL gave the transaction up");
	}
	return STATUS_OK;
}

void
pg_rollback(struct pg *pg)
{
	struct err err;

	if (!pg->in_transaction) {
		return;
	}
	if (pg->conn != NULL && PQtransactionStatus(pg->conn) != PQTRANS_IDLE &&
	    pg_wire_ready(pg, &err) == STATUS_OK &&
	    run(pg, "ROLLBACK", NULL, &err) != STATUS_OK && pg->conn != NULL) {
		pg_wire_drop(pg); /* in a state that nobody knows */
	}
	pg->in_transaction = false;
}

int
pg_rows(const struct pg_result *result)
{
	return PQntuples(unwrap(result));
}

int64_t
pg_affected(const struct pg_result *result)
{
	/* PQcmdTuples lacks a const and only reads. */
	PGresult *raw = NULL;
	memcpy(&raw, &result, sizeof(raw));
	return strtoll(PQcmdTuples(raw), NULL, 10);
}

const char *
pg_value(const struct pg_result *result, int row, int column)
{
	return PQgetvalue(unwrap(result), row, column);
}

size_t
pg_value_bytes(const struct pg_result *result, int row, int column)
{
	return (size_t)PQgetlength(unwrap(result), row, column);
}

bool
pg_is_null(const struct pg_result *result, int row, int column)
{
	return PQgetisnull(unwrap(result), row, column) == 1;
}

int64_t
pg_int(const struct pg_result *result, int row, int column)
{
	/* a NULL's value is "" */
	return strtoll(pg_value(result, row, column), NULL, 10);
}

char *
pg_number(int64_t number, char out[PG_NUMBER_BYTES])
{
	snprintf(out, PG_NUMBER_BYTES, "%" PRId64, number);
	return out;
}

void
pg_result_free(struct pg_result *result)
{
	PQclear((PGresult *)result);
}

/* Send the N bytes in pieces, so that libpq's buffer stays small. */
static bool
copy_data(struct pg *pg, const char *bytes, size_t n)
{
	for (size_t at = 0; at < n; at += COPY_CHUNK_BYTES) {
		size_t part =
		    n - at < COPY_CHUNK_BYTES ? n - at : COPY_CHUNK_BYTES;
		if (PQputCopyData(pg->conn, bytes + at, (int)part) != 1 ||
		    !pg_wire_flush(pg)) {
			return false;
		}
	}
	return PQputCopyEnd(pg->conn, NULL) == 1;
}

enum status
pg_copy(struct pg *pg, const char *sql, const char *bytes, size_t n,
	int64_t *rows_n, struct err *err)
{
	PGresult *result = NULL;
	enum status status = pg_wire_ready(pg, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (PQsendQuery(pg->conn, sql) == 0) {
		return pg_wire_lost(pg, "cannot send to", err);
	}
	status = pg_wire_collect(pg, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	assert(PQresultStatus(result) == PGRES_COPY_IN);
	PQclear(result);
	result = NULL;
	if (!copy_data(pg, bytes, n)) {
		return pg_wire_lost(pg, "cannot send to", err);
	}
	status = pg_wire_collect(pg, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	*rows_n = pg_affected(wrap(result));
	PQclear(result);
	return STATUS_OK;
}

/* Take all that is waiting. */
static bool
take_notifies(struct pg *pg)
{
	bool any = false;

	if (PQconsumeInput(pg->conn) == 0) {
		pg_wire_drop(pg);
		return true;
	}
	for (PGnotify *n; (n = PQnotifies(pg->conn)) != NULL;) {
		any = true;
		PQfreemem(n);
	}
	return any;
}

bool
pg_wait_notify(struct pg *pg, int wake_fd, int64_t timeout_ms)
{
	int64_t until = clock_mono_us() + timeout_ms * 1000;

	/* One may have been read together with an earlier answer. */
	if (pg->conn != NULL && take_notifies(pg)) {
		return true;
	}
	for (;;) {
		struct pollfd fds[2] = {
			{ .fd = wake_fd, .events = POLLIN },
			{ .fd = pg->conn != NULL ? PQsocket(pg->conn) : -1,
			  .events = POLLIN },
		};
		int64_t left = until - clock_mono_us();
		if (left < 0) {
			return false;
		}
		int n = poll(fds, 2, (int)((left + 999) / 1000));
		if (n <= 0 || fds[0].revents != 0) {
			return false;
		}
		if (take_notifies(pg)) {
			return true;
		}
	}
}
