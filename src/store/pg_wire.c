#include "store/pg_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	RETRY_US = 1000000, /* between two attempts to connect */
	GRACE_US = 1000000  /* the server's time-out comes first */
};

void
pg_wire_drop(struct pg *pg)
{
	PQfinish(pg->conn);
	pg->conn = NULL;
}

/* libpq's message without the line end that it always has. */
static const char *
message(const PGconn *conn, char out[ERR_TEXT_BYTES])
{
	snprintf(out, ERR_TEXT_BYTES, "%s", PQerrorMessage(conn));
	size_t n = strlen(out);
	while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == ' ')) {
		out[--n] = '\0';
	}
	for (size_t i = 0; i < n; i++) {
		out[i] = out[i] == '\n' ? ' ' : out[i];
	}
	return out;
}

enum status
pg_wire_lost(struct pg *pg, const char *what, struct err *err)
{
	char text[ERR_TEXT_BYTES];

	message(pg->conn, text);
	pg_wire_drop(pg);
	return err_set(err, STATUS_UNAVAILABLE, "%s PostgreSQL: %.400s", what,
		       text[0] != '\0' ? text : "no answer in time");
}

static void
notice(void *arg, const PGresult *result)
{
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	(void)arg;
	log_debug("PostgreSQL says: %s", text != NULL ? text : "");
}

/* Until the socket can do one of EVENTS; false when the time is up. */
static bool
wait_socket(const struct pg *pg, short events)
{
	struct pollfd fd = { .fd = PQsocket(pg->conn), .events = events };

	for (;;) {
		int64_t left = pg->deadline_us - clock_mono_us();
		if (left <= 0) {
			return false;
		}
		int n = poll(&fd, 1, (int)(left / 1000 + 1));
		if (n > 0) {
			return true;
		}
		if (n < 0 && errno != EINTR) {
			return false;
		}
	}
}

static bool
connect_poll(struct pg *pg)
{
	for (;;) {
		switch (PQconnectPoll(pg->conn)) {
		case PGRES_POLLING_OK:
			return true;
		case PGRES_POLLING_READING:
			if (!wait_socket(pg, POLLIN)) {
				return false;
			}
			break;
		case PGRES_POLLING_WRITING:
			if (!wait_socket(pg, POLLOUT)) {
				return false;
			}
			break;
		default:
			return false;
		}
	}
}

/* Start to connect; what stands behind dbname cannot be set by conninfo. */
static PGconn *
connect_start(const struct pg *pg)
{
	char ms[24];
	snprintf(ms, sizeof(ms), "%" PRId64, pg->timeout_ms);
	const char *const names[] = { "tcp_user_timeout",
				      "keepalives_idle",
				      "keepalives_interval",
				      "application_name",
				      "dbname",
				      "client_encoding",
				      NULL };
	const char *const values[] = {
		ms, "10", "5", pg->application_name, pg->conninfo, "UTF8", NULL
	};

	return PQconnectStartParams(names, values, 1);
}

bool
pg_wire_flush(struct pg *pg)
{
	for (;;) {
		int left = PQflush(pg->conn);
		if (left <= 0) {
			return left == 0;
		}
		if (!wait_socket(pg, POLLIN | POLLOUT) ||
		    PQconsumeInput(pg->conn) == 0) {
			return false;
		}
	}
}

/* The next result, NULL in OUT at the end; false: lost or out of time. */
static bool
next_result(struct pg *pg, PGresult **out)
{
	while (PQisBusy(pg->conn)) {
		if (!wait_socket(pg, POLLIN) || PQconsumeInput(pg->conn) == 0) {
			return false;
		}
	}
	*out = PQgetResult(pg->conn);
	return true;
}

static enum status
state_status(const char *state)
{
	static const struct {
		const char *prefix;
		enum status status;
	} rows[] = {
		{ "23505", STATUS_CONFLICT },
		{ "23P01", STATUS_CONFLICT },
		{ "22", STATUS_BODY },
		{ "23", STATUS_BODY },
		/* a value too large for an index is 54000 */
		{ "54", STATUS_BODY },
		{ "08", STATUS_UNAVAILABLE },
		{ "25006", STATUS_UNAVAILABLE }, /* a standby */
		{ "40", STATUS_UNAVAILABLE },	 /* deadlock */
		{ "53", STATUS_UNAVAILABLE },	 /* disk full, connections */
		{ "55", STATUS_UNAVAILABLE },	 /* locked */
		{ "57", STATUS_UNAVAILABLE },	 /* time-out, shutdown */
		{ "58", STATUS_UNAVAILABLE },	 /* I/O error */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].prefix);
		if (strncmp(state, rows[i].prefix, n) == 0) {
			return rows[i].status;
		}
	}
	return STATUS_INTERNAL;
}

static enum status
refused(const PGresult *result, struct err *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL) { /* made by libpq, not by the server */
		return err_set(err, STATUS_UNAVAILABLE,
			       "cannot reach PostgreSQL: %.400s",
			       PQresultErrorMessage(result));
	}
	return err_set(err, state_status(state),
		       "PostgreSQL refused: %.400s (SQLSTATE %s)",
		       text != NULL ? text : "no reason given", state);
}

static bool
is_error(const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
	case PGRES_COPY_IN:
		return false;
	default:
		return true;
	}
}

enum status
pg_wire_collect(struct pg *pg, PGresult **out, struct err *err)
{
	PGresult *kept = NULL, *got = NULL;
	enum status status = STATUS_OK;

	if (!pg_wire_flush(pg)) {
		return pg_wire_lost(pg, "cannot send to", err);
	}
	for (;;) {
		if (!next_result(pg, &got)) {
			PQclear(kept);
			return pg_wire_lost(pg, "cannot read from", err);
		}
		if (got == NULL) {
			break;
		}
		if (kept == NULL || !is_error(kept)) {
			PQclear(kept);
			kept = got;
		} else {
			PQclear(got);
			continue;
		}
		if (PQresultStatus(kept) == PGRES_COPY_IN) {
			break;
		}
	}
	if (kept != NULL && is_error(kept)) {
		status = refused(kept, err);
	}
	if (PQstatus(pg->conn) == CONNECTION_BAD) {
		pg_wire_drop(pg);
		if (status == STATUS_OK) {
			status = err_set(err, STATUS_UNAVAILABLE,
					 "PostgreSQL closed the connection");
		}
	}
	if (status != STATUS_OK) {
		PQclear(kept);
		return status;
	}
	*out = kept;
	return STATUS_OK;
}

/* Set what each connection needs. */
static enum status
set_up(struct pg *pg, struct err *err)
{
	char sql[256];
	PGresult *result = NULL;

	PQsetnonblocking(pg->conn, 1);
	PQsetNoticeReceiver(pg->conn, notice, NULL);
	snprintf(sql, sizeof(sql),
		 "SET statement_timeout = %" PRId64
		 "; SET idle_in_transaction_session_timeout = %" PRId64
		 "; SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'",
		 pg->timeout_ms, pg->timeout_ms * 2);
	if (PQsendQuery(pg->conn, sql) == 0) {
		return pg_wire_lost(pg, "cannot send to", err);
	}
	enum status status = pg_wire_collect(pg, &result, err);
	if (status != STATUS_OK) {
		if (pg->conn != NULL) {
			pg_wire_drop(pg);
		}
		return status;
	}
	PQclear(result);
	return STATUS_OK;
}

static enum status
connect_now(struct pg *pg, struct err *err)
{
	struct err local;
	struct err *why = err != NULL ? err : &local;
	enum status status;

	pg->deadline_us = clock_mono_us() + pg->timeout_ms * 1000;
	pg->conn = connect_start(pg);
	if (pg->conn == NULL || PQstatus(pg->conn) == CONNECTION_BAD ||
	    !connect_poll(pg)) {
		status = pg_wire_lost(pg, "cannot connect to", why);
	} else {
		status = set_up(pg, why);
	}
	if (status != STATUS_OK) {
		snprintf(pg->why, sizeof(pg->why), "%s", why->text);
		why->status = STATUS_UNAVAILABLE;
		return STATUS_UNAVAILABLE;
	}
	pg->epoch++;
	return STATUS_OK;
}

/*
 * Has the server ended the connection while nobody asked?  Looking costs a
 * system call; not looking, the next statement of everybody after a restart.
 */
static bool
is_ended(const struct pg *pg)
{
	enum { LOOKS = 16 }; /* what it said may come before its end */
	struct pollfd fd = { .fd = PQsocket(pg->conn), .events = POLLIN };

	for (int i = 0; i < LOOKS && poll(&fd, 1, 0) > 0; i++) {
		if (PQconsumeInput(pg->conn) == 0) {
			return true;
		}
	}
	return PQstatus(pg->conn) == CONNECTION_BAD;
}

enum status
pg_wire_ready(struct pg *pg, struct err *err)
{
	if (pg->conn != NULL && is_ended(pg)) {
		pg_wire_drop(pg);
	}
	if (pg->conn == NULL) {
		int64_t now = clock_mono_us();

		if (pg->in_transaction) {
			return err_set(err, STATUS_UNAVAILABLE,
				       "the connection was lost within a "
				       "transaction");
		}
		if (pg->tried_us != 0 && now - pg->tried_us < RETRY_US &&
		    pg->why[0] != '\0') {
			return err_set(err, STATUS_UNAVAILABLE, "%s", pg->why);
		}
		pg->tried_us = now;
		enum status status = connect_now(pg, err);
		if (status != STATUS_OK) {
			return status;
		}
		pg->why[0] = '\0';
	}
	pg->deadline_us = clock_mono_us() + pg->timeout_ms * 1000 + GRACE_US;
	return STATUS_OK;
}
