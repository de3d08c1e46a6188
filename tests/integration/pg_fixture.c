#include "pg_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

int
pg_fixture_begin(void **state)
{
	struct pg_fixture *w = calloc(1, sizeof(*w));

	w->owner = pg_fixture_open("IMS_PG");
	w->keeper = pg_fixture_open("IMS_PG_KEEPER");
	w->counter = pg_fixture_open("IMS_PG_COUNTER");
	w->nobody = pg_fixture_nobody();
	w->arena = arena_new(4096);
	*state = w;
	return 0;
}

int
pg_fixture_end(void **state)
{
	struct pg_fixture *w = *state;

	pg_free(w->owner);
	pg_free(w->keeper);
	pg_free(w->counter);
	pg_free(w->nobody);
	arena_free(w->arena);
	free(w);
	return 0;
}

struct pg *
pg_fixture_open(const char *variable)
{
	const char *conninfo = getenv(variable);

	if (conninfo == NULL) {
		fail_msg("%s is not set", variable);
	}
	return pg_new(conninfo, "cases", PG_FIXTURE_MS);
}

struct pg *
pg_fixture_nobody(void)
{
	return pg_new("host=/nonexistent", "cases", PG_FIXTURE_MS);
}

void
pg_fixture_run(struct pg *pg, const char *sql)
{
	struct err err;

	if (pg_script(pg, sql, &err) != STATUS_OK) {
		fail_msg("%s: %s", sql, err.text);
	}
}

char *
pg_fixture_text(struct pg *pg, const char *sql, char out[PG_FIXTURE_BYTES])
{
	struct pg_result *result = NULL;
	struct err err;

	if (pg_query(pg, sql, NULL, 0, &result, &err) != STATUS_OK) {
		fail_msg("%s: %s", sql, err.text);
	}
	snprintf(out, PG_FIXTURE_BYTES, "%s", pg_value(result, 0, 0));
	pg_result_free(result);
	return out;
}

int64_t
pg_fixture_number(struct pg *pg, const char *sql)
{
	char text[PG_FIXTURE_BYTES];

	return strtoll(pg_fixture_text(pg, sql, text), NULL, 10);
}
