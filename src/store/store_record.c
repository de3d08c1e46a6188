#include "store/store_record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COPY_BYTES = 2048 };

/* Where usage_take() finds a batch, empty again after each transaction. */
#define LEDGER_BATCH "pg_temp.usage_batch"

/* The session may have the table already. */
static const char take_again[] =
    "ROLLBACK TO SAVEPOINT ledger; "
    "CREATE TEMPORARY TABLE IF NOT EXISTS usage_batch "
    "(LIKE public.usage) ON COMMIT DELETE ROWS";

enum status
store_record_cursor(struct pg *pg, struct store_record_cursor *cursor,
		    struct err *err)
{
	const char *params[] = { cursor->spool_id };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "INSERT INTO spool_cursors (spool_id, segment, "
		     "\"offset\") VALUES ($1, 0, 0) "
		     "ON CONFLICT (spool_id) DO NOTHING",
		     params, 1, NULL, err);

	if (status == STATUS_OK) {
		status = pg_query(pg,
				  "SELECT segment, \"offset\" "
				  "FROM spool_cursors WHERE spool_id = $1",
				  params, 1, &result, err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	assert(pg_rows(result) == 1);
	cursor->segment = (uint64_t)pg_int(result, 0, 0);
	cursor->offset = (uint64_t)pg_int(result, 0, 1);
	pg_result_free(result);
	return STATUS_OK;
}

/* First in the transaction: a second drainer waits here, then finds it moved.
 */
static enum status
move_cursor(struct pg *pg, const struct store_record_cursor *from,
	    const struct store_record_cursor *to, struct err *err)
{
	char n[4][PG_NUMBER_BYTES];
	const char *params[] = { from->spool_id,
				 pg_number((int64_t)from->segment, n[0]),
				 pg_number((int64_t)from->offset, n[1]),
				 pg_number((int64_t)to->segment, n[2]),
				 pg_number((int64_t)to->offset, n[3]) };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "UPDATE spool_cursors SET segment = $4, \"offset\" = $5, "
		     "updated_at = now() "
		     "WHERE spool_id = $1 AND segment = $2 AND \"offset\" = $3",
		     params, 5, &result, err);

	if (status == STATUS_OK && pg_affected(result) != 1) {
		status = err_set(err, STATUS_BUSY,
				 "the spool's cursor was moved by somebody "
				 "else");
	}
	pg_result_free(result);
	return status;
}

static enum status
copy_rows(struct pg *pg, const char *table,
	  const struct store_record_rows *rows, struct err *err)
{
	char sql[COPY_BYTES];
	int64_t taken = 0;
	int n = snprintf(sql, sizeof(sql), "COPY %s (%s) FROM STDIN", table,
			 rows->columns);

	assert(n > 0 && n < COPY_BYTES);
	enum status status =
	    pg_copy(pg, sql, rows->bytes, rows->bytes_n, &taken, err);
	/* A line "\." would end the copy and swallow what follows it. */
	if (status == STATUS_OK && taken != (int64_t)rows->rows_n) {
		status =
		    err_set(err, STATUS_BODY,
			    "PostgreSQL took %" PRId64 " rows of %zu for %s",
			    taken, rows->rows_n, rows->table);
	}
	return status;
}

/* Seldom is one of them there already; then they go by a table of the session,
 * and those that are not are taken out of it. */
static enum status
take_rows(struct pg *pg, const struct store_record_rows *rows, struct err *err)
{
	enum status status = pg_script(pg, "SAVEPOINT ledger", err);

	if (status == STATUS_OK) {
		status = copy_rows(pg, rows->table, rows, err);
	}
	if (status != STATUS_CONFLICT) {
		return status;
	}
	status = pg_script(pg, take_again, err);
	if (status == STATUS_OK) {
		status = copy_rows(pg, LEDGER_BATCH, rows, err);
	}
	if (status == STATUS_OK) {
		status =
		    pg_query(pg, "SELECT usage_take()", NULL, 0, NULL, err);
	}
	return status;
}

enum status
store_record(struct pg *pg, const struct store_record_rows *rows, size_t n,
	     const struct store_record_cursor *from,
	     const struct store_record_cursor *to, struct err *err)
{
	assert(strcmp(from->spool_id, to->spool_id) == 0);
	enum status status = pg_begin(pg, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = move_cursor(pg, from, to, err);
	for (size_t i = 0; i < n && status == STATUS_OK; i++) {
		if (rows[i].rows_n > 0) {
			status = rows[i].ledger ? take_rows(pg, &rows[i], err)
						: copy_rows(pg, rows[i].table,
							    &rows[i], err);
		}
	}
	if (status == STATUS_OK) {
		status = pg_commit(pg, err);
	}
	if (status != STATUS_OK) {
		pg_rollback(pg);
	}
	return status;
}
