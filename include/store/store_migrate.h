/*
 * store_migrate: applying files of SQL, and the list of what was applied.
 */
#ifndef STORE_STORE_MIGRATE_H
#define STORE_STORE_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/pg.h"

enum { STORE_MIGRATE_SHA_BYTES = 65 };

/* A numbered file; SQL without the newlines at its end. */
struct store_migration {
	int64_t version;
	const char *name; /* of the file */
	const char *sql;
};

/* A row of schema_migrations. */
struct store_migrate_row {
	int64_t version;
	const char *name;
	const char *sha256;
	const char *applied_at;
};

/* Call EACH with every row by version; none where nothing was ever applied. */
enum status
store_migrate_each(struct pg *pg,
		   void (*each)(void *arg, const struct store_migrate_row *row),
		   void *arg, struct err *err) MUST_CHECK;

/* SHA-256 of TEXT in hex, computed by the server. */
enum status store_migrate_sha256(struct pg *pg, const char *text,
				 char out[STORE_MIGRATE_SHA_BYTES],
				 struct err *err) MUST_CHECK;

/**
 * store_migrate_apply(pg, migration, applied, err):
 * Apply MIGRATION and record it, in one transaction, unless it is recorded.
 *
 * Gives:   APPLIED, 0 where it was recorded already.
 * Errors:  STATUS_CONFLICT when another text or name is recorded for its
 *          version, or when an earlier version is not recorded; else as
 *          pg_query.  Two that run at once wait for each other.
 */
enum status store_migrate_apply(struct pg *pg,
				const struct store_migration *migration,
				int *applied, struct err *err) MUST_CHECK;

/* Run SQL in one transaction. */
enum status store_migrate_seed(struct pg *pg, const char *sql,
			       struct err *err) MUST_CHECK;

#endif /* STORE_STORE_MIGRATE_H */
