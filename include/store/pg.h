/*
 * pg: the door to libpq.
 *
 * One connection of one thread.  Connecting is lazy and repeated: a call on a
 * broken connection connects anew, at most once a second.  Every statement has
 * the configured time-out, kept by the server and, a second later, by this
 * side too, so that a server that hangs is noticed.  SQL stands in the files
 * of store/, one file a table group; nobody else speaks it.
 */
#ifndef STORE_PG_H
#define STORE_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct pg;
struct pg_result;

/* CONNINFO is copied; nothing is connected yet. */
struct pg *pg_new(const char *conninfo, const char *application_name,
		  int64_t timeout_ms);
void pg_free(struct pg *pg);		/* NULL is fine */
bool pg_connected(const struct pg *pg); /* as far as is known */

/**
 * pg_query(pg, sql, params, n, out, err):
 * Run one statement with text parameters ($1 ... $N).
 *
 * Takes:   a NULL parameter is SQL NULL.
 * Gives:   OUT, yours, end by pg_result_free; OUT may be NULL.
 * Errors:  STATUS_UNAVAILABLE: no connection, lost, timed out, or the server
 *          cannot now (class 08, 25006, 40, 53, 55, 57, 58);
 *          STATUS_CONFLICT: unique or exclusion violation;
 *          STATUS_BODY: the server refused the data (class 22, 23, 54);
 *          STATUS_INTERNAL: anything else.  The text has the server's message
 *          and SQLSTATE, never the parameters.
 */
enum status pg_query(struct pg *pg, const char *sql, const char *const *params,
		     int n, struct pg_result **out, struct err *err) MUST_CHECK;

/* Several statements without parameters (a migration).  Errors as above. */
enum status pg_script(struct pg *pg, const char *sql,
		      struct err *err) MUST_CHECK;

/*
 * A transaction.  When its connection is lost, everything fails with
 * STATUS_UNAVAILABLE until pg_rollback, so that no later statement runs
 * outside of it.  pg_commit fails with STATUS_INTERNAL where the server had
 * already given the transaction up; where it answers STATUS_UNAVAILABLE it is
 * not known whether the commit took place.
 */
enum status pg_begin(struct pg *pg, struct err *err) MUST_CHECK;
enum status pg_commit(struct pg *pg, struct err *err) MUST_CHECK;
void pg_rollback(struct pg *pg); /* fine where nothing is open */

int pg_rows(const struct pg_result *result);
int64_t pg_affected(const struct pg_result *result);
const char *pg_value(const struct pg_result *result, int row, int column);
size_t pg_value_bytes(const struct pg_result *result, int row, int column);
bool pg_is_null(const struct pg_result *result, int row, int column);

/* A value that is a whole number; 0 for NULL. */
int64_t pg_int(const struct pg_result *result, int row, int column);

/* NUMBER as a parameter; returns OUT. */
enum { PG_NUMBER_BYTES = 24 };
char *pg_number(int64_t number, char out[PG_NUMBER_BYTES]);

void pg_result_free(struct pg_result *result); /* NULL is fine */

/**
 * pg_copy(pg, sql, bytes, n, rows_n, err):
 * COPY ... FROM STDIN: begin with the statement SQL, send N bytes, end.
 *
 * Gives:   ROWS_N, how many rows the server took.
 * Errors:  as pg_query; the connection stays usable where it is not lost.
 */
enum status pg_copy(struct pg *pg, const char *sql, const char *bytes, size_t n,
		    int64_t *rows_n, struct err *err) MUST_CHECK;

/*
 * Wait up to TIMEOUT_MS for a notification on a channel that was LISTENed to,
 * or until WAKE_FD can be read (-1: none).  True: a notification came (all
 * that are waiting are taken), or the connection was lost.  Works as a plain
 * wait where nothing is connected.
 */
bool pg_wait_notify(struct pg *pg, int wake_fd, int64_t timeout_ms);

/* The connection's number: changes with each reconnect (LISTEN again then). */
uint64_t pg_epoch(const struct pg *pg);

#endif /* STORE_PG_H */
