#include "store/store_partition.h"

#include <assert.h>
#include <stdlib.h>

/* Run SQL with the one number N and give the one number it answers. */
static enum status
call(struct pg *pg, const char *sql, int64_t n, int64_t *out, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number(n, text) };
	struct pg_result *result = NULL;

	enum status status = pg_query(pg, sql, params, 1, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	assert(pg_rows(result) == 1);
	*out = pg_int(result, 0, 0);
	pg_result_free(result);
	return STATUS_OK;
}

enum status
store_partition_ensure(struct pg *pg, int64_t months_ahead, int64_t *made,
		       struct err *err)
{
	return call(pg, "SELECT partitions_ensure($1::integer)", months_ahead,
		    made, err);
}

enum status
store_partition_drop(struct pg *pg, int64_t days, int64_t *dropped,
		     struct err *err)
{
	return call(pg,
		    "SELECT partitions_drop(now() - "
		    "$1::integer * interval '1 day')",
		    days, dropped, err);
}

enum status
store_partition_drop_usage(struct pg *pg, int64_t days, int64_t *dropped,
			   struct err *err)
{
	return call(pg,
		    "SELECT partitions_drop_usage(now() - "
		    "$1::integer * interval '1 day')",
		    days, dropped, err);
}
