#include "store/store_usage_keep.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/log.h"
#include "store/store_node.h"

static const char *
text_at(const struct pg_result *result, int row, int column)
{
	return pg_is_null(result, row, column) ? NULL
					       : pg_value(result, row, column);
}

/* End the transaction by what came of it. */
static enum status
end(struct pg *pg, enum status status, struct err *err)
{
	if (status == STATUS_OK) {
		status = pg_commit(pg, err);
	}
	if (status != STATUS_OK) {
		pg_rollback(pg);
	}
	return status;
}

enum status
store_usage_expire(struct pg *pg, bool release, int64_t batch, int64_t *expired,
		   bool *done, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { release ? "t" : "f", pg_number(batch, text) };
	struct pg_result *result = NULL;
	enum status status = pg_begin(pg, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = end(pg,
		     pg_query(pg,
			      "SELECT expired, done "
			      "FROM usage_expire($1::boolean, $2::integer)",
			      params, 2, &result, err),
		     err);
	if (status == STATUS_OK) {
		assert(pg_rows(result) == 1);
		*expired = pg_int(result, 0, 0);
		*done = pg_value(result, 0, 1)[0] == 't';
	}
	pg_result_free(result);
	return status;
}

enum status
store_usage_settle(struct pg *pg, int64_t batch, const char *unknown_price,
		   int64_t *settled, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number(batch, text), unknown_price };
	struct pg_result *result = NULL;
	enum status status = pg_begin(pg, err);

	if (status != STATUS_OK) {
		return status;
	}
	status =
	    end(pg,
		pg_query(pg, "SELECT usage_settle($1::integer, $2::numeric)",
			 params, 2, &result, err),
		err);
	if (status == STATUS_OK) {
		assert(pg_rows(result) == 1);
		*settled = pg_int(result, 0, 0);
	}
	pg_result_free(result);
	return status;
}

/* ---- what the counters do not have */

static enum status
mark(struct pg *pg, const struct store_usage_entry *entry, struct err *err)
{
	const char *params[] = { entry->evaluation_id, entry->entry };

	return pg_query(pg,
			"SELECT usage_count(ARRAY[$1::uuid], ARRAY[$2::text])",
			params, 2, NULL, err);
}

enum status
store_usage_uncounted(struct pg *pg, uint64_t epoch, int64_t batch,
		      bool (*each)(void *arg,
				   const struct store_usage_entry *entry),
		      void *arg, size_t *n, struct err *err)
{
	char text[2][PG_NUMBER_BYTES];
	const char *params[] = { pg_number((int64_t)epoch, text[0]),
				 pg_number(batch, text[1]) };
	struct pg_result *result = NULL;
	size_t counted = 0;
	enum status status =
	    pg_query(pg,
		     "SELECT evaluation_id, entry, at_us, charges "
		     "FROM usage_uncounted($1::bigint, $2::integer)",
		     params, 2, &result, err);

	for (int row = 0; status == STATUS_OK && row < pg_rows(result); row++) {
		const struct store_usage_entry entry = {
			.evaluation_id = pg_value(result, row, 0),
			.entry = pg_value(result, row, 1),
			.at_us = pg_int(result, row, 2),
			.charges = text_at(result, row, 3),
		};

		if (!each(arg, &entry)) {
			break;
		}
		/* One by one: what is counted and not marked when this process
		 * is killed is counted again. */
		status = mark(pg, &entry, err);
		counted++;
	}
	if (status == STATUS_OK) {
		*n = counted;
	}
	pg_result_free(result);
	return status;
}

/* ---- how much there is */

static enum status
count(struct pg *pg, const char *sql, const char *const *params, int params_n,
      int64_t *n, struct err *err)
{
	struct pg_result *result = NULL;
	enum status status = pg_query(pg, sql, params, params_n, &result, err);

	if (status == STATUS_OK) {
		assert(pg_rows(result) == 1);
		*n = pg_int(result, 0, 0);
	}
	pg_result_free(result);
	return status;
}

/*
 * From where on: all that was to be reported before is settled or expired, and
 * no call waits longer than a week (reservation_ttl_s).  As parameters of the
 * second statement these two are known when it is planned.
 */
enum status
store_usage_open_n(struct pg *pg, int64_t *n, struct err *err)
{
	struct pg_result *from = NULL;
	enum status status = pg_query(
	    pg,
	    "SELECT until, uuid7_floor(until - interval '8 days') "
	    "FROM (SELECT greatest(until, now() - interval '30 days') AS until "
	    "FROM usage_expired) e",
	    NULL, 0, &from, err);

	if (status != STATUS_OK) {
		return status;
	}
	assert(pg_rows(from) == 1);
	const char *params[] = { pg_value(from, 0, 0), pg_value(from, 0, 1) };
	status = count(pg,
		       "SELECT count(*) FROM usage u "
		       "WHERE u.entry = 'reserve' AND "
		       "u.expires_at > $1::timestamptz AND "
		       "u.evaluation_id >= $2::uuid AND NOT EXISTS ("
		       "SELECT FROM usage e "
		       "WHERE e.evaluation_id = u.evaluation_id AND "
		       "e.evaluation_id >= $2::uuid AND "
		       "e.entry IN ('settle', 'expire', 'report'))",
		       params, 2, n, err);
	pg_result_free(from);
	return status;
}

enum status
store_usage_uncounted_n(struct pg *pg, int64_t *n, struct err *err)
{
	return count(pg, "SELECT count(*) FROM usage WHERE NOT counted", NULL,
		     0, n, err);
}

/* ---- rebuilding */

/* A UUID's 16 bytes, from PostgreSQL's own writing of it. */
static void
uuid_bytes(const char *text, unsigned char out[16])
{
	for (size_t n = 0; n < 16; n++, text += 2) {
		text += *text == '-';
		bool good = hex_read(text, 1, out + n);
		assert(good);
	}
}

static void
counter_at(const struct pg_result *result, int row,
	   struct store_usage_counter *out)
{
	*out = (struct store_usage_counter){
		.counter = (uint64_t)pg_int(result, row, 1),
		.kind = (int)pg_int(result, row, 2),
		.unit = (int)pg_int(result, row, 3),
		.window = (int)pg_int(result, row, 4),
		.from_s = pg_int(result, row, 5),
		.to_s = pg_int(result, row, 6),
		.bucket_s = pg_int(result, row, 7),
		.evaluation_id = text_at(result, row, 8),
		.amount = pg_int(result, row, 9),
		.alert = pg_value(result, row, 10)[0] == 't',
	};
	uuid_bytes(pg_value(result, row, 0), out->subject);
}

/* The session's, so that the moment of the transaction comes after it. */
static enum status
lock(struct pg *pg, struct err *err)
{
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "SELECT pg_try_advisory_lock("
		     "hashtextextended('ims-policy counters', 0))",
		     NULL, 0, &result, err);

	if (status == STATUS_OK && pg_value(result, 0, 0)[0] != 't') {
		status = err_set(err, STATUS_BUSY,
				 "another host is rebuilding the counters");
	}
	pg_result_free(result);
	return status;
}

/* Where the connection is lost the lock is gone as well. */
static void
unlock(struct pg *pg)
{
	struct err err;

	if (pg_query(pg,
		     "SELECT pg_advisory_unlock("
		     "hashtextextended('ims-policy counters', 0))",
		     NULL, 0, NULL, &err) != STATUS_OK) {
		log_debug("the lock of the counters is gone: %s", err.text);
	}
}

static enum status
check_epoch(struct pg *pg, uint64_t epoch, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number((int64_t)epoch, text) };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "SELECT EXISTS (SELECT FROM counter_epoch_newest() "
		     "WHERE epoch = $1::bigint AND NOT ready)",
		     params, 1, &result, err);

	if (status == STATUS_OK && pg_value(result, 0, 0)[0] != 't') {
		status =
		    err_set(err, STATUS_BUSY, "the epoch is ready, or over");
	}
	pg_result_free(result);
	return status;
}

static enum status
read_counters(struct pg *pg, const struct store_usage_rebuild *rebuild,
	      struct err *err)
{
	struct pg_result *result = NULL;
	bool kept = true;
	enum status status = pg_query(
	    pg,
	    "SELECT subject, counter, kind, unit, \"window\", "
	    "extract(epoch FROM from_at)::bigint, "
	    "extract(epoch FROM to_at)::bigint, "
	    "extract(epoch FROM bucket)::bigint, lease, amount::bigint, alert "
	    "FROM usage_counters(now())",
	    NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	for (int row = 0; kept && row < pg_rows(result); row++) {
		struct store_usage_counter counter;

		counter_at(result, row, &counter);
		kept = rebuild->each(rebuild->arg, &counter);
	}
	pg_result_free(result);
	if (!kept || !rebuild->end(rebuild->arg)) {
		return err_set(err, STATUS_FULL,
			       "the counters could not be written");
	}
	return STATUS_OK;
}

/*
 * Of one moment, so that what is marked is what was read.  The epoch becomes
 * ready with the commit, before the lock goes: whoever has the lock and finds
 * it not ready writes over nothing that counts.
 */
static enum status
rebuild_locked(struct pg *pg, uint64_t epoch,
	       const struct store_usage_rebuild *rebuild, struct err *err)
{
	enum status status = pg_begin(pg, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = pg_script(
	    pg, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", err);
	if (status == STATUS_OK) {
		status = check_epoch(pg, epoch, err);
	}
	if (status == STATUS_OK) {
		status = pg_query(pg, "SELECT usage_count_all()", NULL, 0, NULL,
				  err);
	}
	if (status == STATUS_OK) {
		status = read_counters(pg, rebuild, err);
	}
	if (status == STATUS_OK) {
		status = store_node_epoch_ready(pg, epoch, err);
	}
	return end(pg, status, err);
}

enum status
store_usage_rebuild(struct pg *pg, uint64_t epoch,
		    const struct store_usage_rebuild *rebuild, struct err *err)
{
	enum status status = lock(pg, err);

	if (status == STATUS_OK) {
		status = rebuild_locked(pg, epoch, rebuild, err);
		unlock(pg);
	}
	return status;
}

enum status
store_usage_recorded(struct pg *pg, const char *evaluation_id,
		     const char *entry, bool *recorded, struct err *err)
{
	const char *params[] = { evaluation_id, entry };
	struct pg_result *result = NULL;
	enum status status = pg_query(pg,
				      "SELECT EXISTS (SELECT FROM usage "
				      "WHERE evaluation_id = $1::uuid "
				      "AND entry = $2 AND counted)",
				      params, 2, &result, err);

	if (status == STATUS_OK) {
		*recorded = pg_value(result, 0, 0)[0] == 't';
	}
	pg_result_free(result);
	return status;
}

enum status
store_usage_clean(struct pg *pg, int64_t days, int64_t batch, int64_t *gone,
		  struct err *err)
{
	char days_text[PG_NUMBER_BYTES], batch_text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number(days, days_text),
				 pg_number(batch, batch_text) };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "SELECT usage_rollups_clean(now() - "
		     "$1::integer * interval '1 day', $2::integer)",
		     params, 2, &result, err);

	if (status == STATUS_OK) {
		*gone = pg_int(result, 0, 0);
	}
	pg_result_free(result);
	return status;
}
