/*
 * pg_wire: a connection's way of waiting, inside of store/pg.c.
 *
 * Everything goes through libpq's non-blocking calls with a deadline of our
 * own, because no setting of libpq notices a server that accepts and then says
 * nothing on a Unix socket.
 *
 * Source: PostgreSQL 15 documentation, 34.1, 34.4, 34.10, appendix A.
 */
#ifndef STORE_PG_WIRE_H
#define STORE_PG_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/status.h"

struct pg {
	PGconn *conn; /* NULL: none */
	char *conninfo;
	char *application_name;
	int64_t timeout_ms;
	int64_t tried_us;    /* last attempt to connect, 0: none */
	int64_t deadline_us; /* of the running call */
	uint64_t epoch;
	bool in_transaction;	  /* pg_begin without its end */
	char why[ERR_TEXT_BYTES]; /* why the last attempt failed */
};

/* Have a connection and begin a call's time. */
enum status pg_wire_ready(struct pg *pg, struct err *err) MUST_CHECK;

/* End a connection that is of no more use. */
void pg_wire_drop(struct pg *pg);
enum status pg_wire_lost(struct pg *pg, const char *what, struct err *err);

/* Send what is buffered, reading meanwhile; false: lost or out of time. */
bool pg_wire_flush(struct pg *pg);

/*
 * Take every result of what was sent: the first error counts, else the last
 * result is given.  COPY IN ends it too: the caller has to send then.
 */
enum status pg_wire_collect(struct pg *pg, PGresult **out,
			    struct err *err) MUST_CHECK;

#endif /* STORE_PG_WIRE_H */
