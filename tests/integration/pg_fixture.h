/*
 * pg_fixture: connections to the PostgreSQL of a script, and a short way to
 * speak SQL.  What fails, fails the test.
 *
 * IMS_PG is the owner of a migrated database, IMS_PG_KEEPER and IMS_PG_COUNTER
 * are members of those roles.
 */
#ifndef PG_FIXTURE_H
#define PG_FIXTURE_H

#include <stdint.h>

#include "base/arena.h"
#include "store/pg.h"

enum { PG_FIXTURE_MS = 5000, PG_FIXTURE_BYTES = 256 };

struct pg_fixture {
	struct pg *owner, *keeper, *counter;
	struct pg *nobody; /* where no server is */
	struct arena *arena;
};

/* Set up and tear down a test; *STATE is a struct pg_fixture. */
int pg_fixture_begin(void **state);
int pg_fixture_end(void **state);

/* By the VARIABLE of the environment. */
struct pg *pg_fixture_open(const char *variable);
struct pg *pg_fixture_nobody(void);

void pg_fixture_run(struct pg *pg, const char *sql);
/* The first value that SQL answers, as a text and as a number. */
char *pg_fixture_text(struct pg *pg, const char *sql,
		      char out[PG_FIXTURE_BYTES]);
int64_t pg_fixture_number(struct pg *pg, const char *sql);

#endif /* PG_FIXTURE_H */
