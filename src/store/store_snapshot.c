#include "store/store_snapshot.h"

#include <assert.h>
#include <stdlib.h>

enum status
store_snapshot_listen(struct pg *pg, struct err *err)
{
	return pg_query(pg, "LISTEN policy_revision", NULL, 0, NULL, err);
}

enum status
store_snapshot_revision(struct pg *pg, int64_t *revision, struct err *err)
{
	struct pg_result *result = NULL;
	enum status status = pg_query(
	    pg, "SELECT revision FROM policy_revision", NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (pg_rows(result) == 1) {
		*revision = pg_int(result, 0, 0);
	} else {
		status = err_set(err, STATUS_CORRUPT,
				 "the table policy_revision has no row");
	}
	pg_result_free(result);
	return status;
}

enum status
store_snapshot_fetch(struct pg *pg, struct buf *out, int64_t *revision,
		     struct err *err)
{
	struct pg_result *result = NULL;
	/* One statement sees one state; MATERIALIZED: one call. */
	enum status status = pg_query(
	    pg,
	    "WITH s AS MATERIALIZED (SELECT snapshot_document() AS document) "
	    "SELECT document, document::json->>'revision' FROM s",
	    NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	assert(pg_rows(result) == 1);
	buf_reset(out);
	buf_add(out, pg_value(result, 0, 0), pg_value_bytes(result, 0, 0));
	*revision = pg_int(result, 0, 1);
	pg_result_free(result);
	return STATUS_OK;
}
