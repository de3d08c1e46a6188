#include "store/store_migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status
store_migrate_each(struct pg *pg,
		   void (*each)(void *arg, const struct store_migrate_row *row),
		   void *arg, struct err *err)
{
	struct pg_result *result = NULL;
	/*
	 * Not to_regclass: it may answer from a cache that does not know yet
	 * what was committed while this transaction waited for its lock.
	 */
	enum status status =
	    pg_query(pg,
		     "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c "
		     "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
		     "WHERE n.nspname = 'public' AND "
		     "c.relname = 'schema_migrations')",
		     NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	bool there = pg_value(result, 0, 0)[0] == 't';
	pg_result_free(result);
	result = NULL;
	if (!there) {
		return STATUS_OK;
	}
	status = pg_query(pg,
			  "SELECT version, name, sha256, "
			  "to_char(applied_at, 'YYYY-MM-DD\"T\"HH24:MI:SSOF') "
			  "FROM public.schema_migrations ORDER BY version",
			  NULL, 0, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	for (int i = 0; i < pg_rows(result); i++) {
		struct store_migrate_row row = {
			.version = pg_int(result, i, 0),
			.name = pg_value(result, i, 1),
			.sha256 = pg_value(result, i, 2),
			.applied_at = pg_value(result, i, 3),
		};
		each(arg, &row);
	}
	pg_result_free(result);
	return STATUS_OK;
}

enum status
store_migrate_sha256(struct pg *pg, const char *text,
		     char out[STORE_MIGRATE_SHA_BYTES], struct err *err)
{
	const char *params[] = { text };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg, "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')",
		     params, 1, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	snprintf(out, STORE_MIGRATE_SHA_BYTES, "%s", pg_value(result, 0, 0));
	pg_result_free(result);
	return STATUS_OK;
}

/* What is recorded, looked at for one migration. */
struct look {
	const struct store_migration *migration;
	const char *sha256;
	int64_t highest;
	bool there;
	bool same;
};

static void
look_at(void *arg, const struct store_migrate_row *row)
{
	struct look *look = arg;

	look->highest = row->version;
	if (row->version == look->migration->version) {
		look->there = true;
		look->same = strcmp(row->sha256, look->sha256) == 0 &&
			     strcmp(row->name, look->migration->name) == 0;
	}
}

/* Inside the transaction, alone: is it to be applied? */
static enum status
decide(struct pg *pg, const struct store_migration *migration,
       const char *sha256, bool *apply, struct err *err)
{
	struct look look = { .migration = migration, .sha256 = sha256 };
	enum status status = store_migrate_each(pg, look_at, &look, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (look.there && !look.same) {
		return err_set(err, STATUS_CONFLICT,
			       "%s is not what was applied as version %" PRId64
			       ": a migration is never edited, add a new one",
			       migration->name, migration->version);
	}
	if (!look.there && look.highest != migration->version - 1) {
		return err_set(err, STATUS_CONFLICT,
			       "%s cannot follow version %" PRId64
			       ", which is the last that was applied",
			       migration->name, look.highest);
	}
	*apply = !look.there;
	return STATUS_OK;
}

static enum status
record(struct pg *pg, const struct store_migration *migration,
       const char *sha256, struct err *err)
{
	char version[PG_NUMBER_BYTES];
	const char *params[] = { version, migration->name, sha256 };

	pg_number(migration->version, version);
	return pg_query(pg,
			"INSERT INTO public.schema_migrations "
			"(version, name, sha256) VALUES ($1, $2, $3)",
			params, 3, NULL, err);
}

/* Wait for another one that is applying something. */
static enum status
lock(struct pg *pg, struct err *err)
{
	return pg_query(pg,
			"SELECT pg_advisory_xact_lock("
			"hashtextextended('ims-policy migrations', 0))",
			NULL, 0, NULL, err);
}

enum status
store_migrate_apply(struct pg *pg, const struct store_migration *migration,
		    int *applied, struct err *err)
{
	char sha256[STORE_MIGRATE_SHA_BYTES];
	bool apply = false;
	enum status status =
	    store_migrate_sha256(pg, migration->sql, sha256, err);

	if (status == STATUS_OK) {
		status = pg_begin(pg, err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	status = lock(pg, err);
	if (status == STATUS_OK) {
		status = decide(pg, migration, sha256, &apply, err);
	}
	if (status == STATUS_OK && apply) {
		status = pg_script(pg, migration->sql, err);
		if (status == STATUS_OK) {
			status = record(pg, migration, sha256, err);
		}
	}
	if (status == STATUS_OK) {
		status = pg_commit(pg, err);
	}
	if (status != STATUS_OK) {
		pg_rollback(pg);
		return status;
	}
	*applied = apply ? 1 : 0;
	return STATUS_OK;
}

enum status
store_migrate_seed(struct pg *pg, const char *sql, struct err *err)
{
	enum status status = pg_begin(pg, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = pg_script(pg, sql, err);
	if (status == STATUS_OK) {
		status = pg_commit(pg, err);
	}
	if (status != STATUS_OK) {
		pg_rollback(pg);
	}
	return status;
}
