#include "store/store_partition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Run SQL with the one number N and give the one number it answers. */
static enum status
call(struct pg *pg, const char *sql, int64_t n, int64_t *out, struct err *err)
{
	char text[24];
	const char *params[] = { text };
	struct pg_result *result = NULL;

	snprintf(text, sizeof(text), "%" PRId64, n);
	enum status status = pg_query(pg, sql, params, 1, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	assert(pg_rows(result) == 1);
	*out = strtoll(pg_value(result, 0, 0), NULL, 10);
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
