#include "store/store_usage_report.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"

/*
 * Parameters, by enum parameter.  All texts of callers are parameters; the
 * statement itself never changes.  PostgreSQL plans it with their values, so
 * that a filter that is NULL costs nothing and one that is not finds its index.
 */
enum parameter {
	P_FROM,
	P_TO,
	P_ASKED,			      /* [STORE_USAGE_BY_N] */
	P_BOUND = P_ASKED + STORE_USAGE_BY_N, /* [STORE_USAGE_BY_N] */
	P_BY = P_BOUND + STORE_USAGE_BY_N,    /* [STORE_USAGE_BY_N] 't', 'f' */
	P_UNIT = P_BY + STORE_USAGE_BY_N,     /* of the bucket; NULL: none */
	P_TIMEZONE,
	P_SORT,
	P_LIMIT,
	P_AFTER, /* NULL: from the beginning; else the bucket */
	P_AFTER_AMOUNT,
	P_AFTER_BY, /* [STORE_USAGE_BY_N] */
	P_N = P_AFTER_BY + STORE_USAGE_BY_N
};

/* The bucket of a row is where it begins; that of "15m" is its quarter. */
static const char statement[] =
    "WITH wanted AS MATERIALIZED (SELECT CASE "
    "WHEN $21::text IS NULL THEN $1::timestamptz "
    "WHEN $21 = '15m' THEN quarter "
    "ELSE date_trunc($21, quarter, $22::text) END AS bucket, "
    "CASE WHEN $15::boolean THEN organization_id ELSE '' END AS organization, "
    "CASE WHEN $16::boolean THEN team_id ELSE '' END AS team, "
    "CASE WHEN $17::boolean THEN user_id ELSE '' END AS \"user\", "
    "CASE WHEN $18::boolean THEN api_key_id ELSE '' END AS api_key, "
    "CASE WHEN $19::boolean THEN model_id ELSE '' END AS model, "
    "CASE WHEN $20::boolean THEN vendor_id ELSE '' END AS vendor, "
    "sum(calls) AS calls, sum(settled) AS settled, sum(failed) AS failed, "
    "sum(cost) AS cost, sum(overrun) AS overrun, sum(tokens) AS tokens, "
    "sum(input_tokens) AS input_tokens, "
    "sum(output_tokens) AS output_tokens "
    "FROM usage_rollups "
    "WHERE quarter >= $1::timestamptz AND quarter < $2::timestamptz "
    /* no bound of an index's range: that would spoil the estimate of it */
    "AND (quarter < (SELECT since FROM usage_rollups_kept)) IS NOT TRUE "
    "AND ($3::text IS NULL OR organization_id = $3) "
    "AND ($4::text IS NULL OR team_id = $4) "
    "AND ($5::text IS NULL OR user_id = $5) "
    "AND ($6::text IS NULL OR api_key_id = $6) "
    "AND ($7::text IS NULL OR model_id = $7) "
    "AND ($8::text IS NULL OR vendor_id = $8) "
    "AND ($9::text IS NULL OR organization_id = $9) "
    "AND ($10::text IS NULL OR team_id = $10) "
    "AND ($11::text IS NULL OR user_id = $11) "
    "AND ($12::text IS NULL OR api_key_id = $12) "
    "AND ($13::text IS NULL OR model_id = $13) "
    "AND ($14::text IS NULL OR vendor_id = $14) "
    "GROUP BY 1, 2, 3, 4, 5, 6, 7), "
    "placed AS (SELECT *, CASE $23::text WHEN 'cost' THEN cost "
    "WHEN 'calls' THEN calls ELSE tokens END AS amount FROM wanted), "
    "page AS (SELECT * FROM placed WHERE $25::text IS NULL OR "
    "(bucket, -amount, organization, team, \"user\", api_key, model, "
    "vendor) > ($25::timestamptz, -($26::numeric), $27::text, $28::text, "
    "$29::text, $30::text, $31::text, $32::text) "
    "ORDER BY bucket, -amount, organization, team, \"user\", api_key, "
    "model, vendor LIMIT $24::integer + 1) "
    "SELECT (SELECT count(*) FROM (SELECT FROM wanted LIMIT 10001) AS w), "
    "(SELECT (extract(epoch FROM since) * 1000000)::bigint "
    "FROM usage_rollups_kept WHERE since > $1::timestamptz), "
    "rfc3339(greatest(bucket, $1::timestamptz, "
    "(SELECT since FROM usage_rollups_kept))), rfc3339(least(CASE "
    "WHEN $21::text IS NULL THEN $2::timestamptz "
    "WHEN $21 = '15m' THEN bucket + interval '15 minutes' "
    "WHEN $21 = 'hour' THEN bucket + interval '1 hour' "
    /* by the calendar: a day may have 23 hours or 25 */
    "ELSE (bucket AT TIME ZONE $22 + ('1 ' || $21)::interval) "
    "AT TIME ZONE $22 END, $2::timestamptz)), "
    "calls, settled, failed, trim_scale(cost), trim_scale(overrun), "
    "tokens, input_tokens, output_tokens, rfc3339(bucket), "
    "trim_scale(amount), organization, team, \"user\", api_key, model, "
    "vendor FROM (SELECT) AS one LEFT JOIN page ON true "
    "ORDER BY bucket, -amount, organization, team, \"user\", api_key, "
    "model, vendor";

enum column {
	C_TOTAL,
	C_KEPT,
	C_FROM,
	C_TO,
	C_CALLS,
	C_SETTLED,
	C_FAILED,
	C_COST,
	C_OVERRUN,
	C_TOKENS,
	C_INPUT_TOKENS,
	C_OUTPUT_TOKENS,
	C_BUCKET,
	C_AMOUNT,
	C_BY
};

static const char *const units[] = {
	NULL, "15m", "hour", "day", "week", "month"
};
static const char *const sorts[] = { "cost", "calls", "tokens" };

struct texts {
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES],
	    limit[PG_NUMBER_BYTES];
};

static void
fill(const struct store_usage_ask *ask, struct texts *texts,
     const char *params[P_N])
{
	const struct store_usage_place *after = ask->after;

	pg_number(ask->limit, texts->limit);
	params[P_FROM] = clock_rfc3339(ask->from_us, texts->from);
	params[P_TO] = clock_rfc3339(ask->to_us, texts->to);
	params[P_UNIT] = units[ask->bucket];
	params[P_TIMEZONE] = ask->timezone;
	params[P_SORT] = sorts[ask->sort];
	params[P_LIMIT] = texts->limit;
	params[P_AFTER] = after == NULL ? NULL : after->bucket;
	params[P_AFTER_AMOUNT] = after == NULL ? NULL : after->amount;
	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		params[P_ASKED + i] = ask->filter.asked[i];
		params[P_BOUND + i] = ask->filter.bound[i];
		params[P_BY + i] = (ask->by & 1U << i) != 0 ? "t" : "f";
		params[P_AFTER_BY + i] = after == NULL ? NULL : after->by[i];
	}
}

static void
give(const struct pg_result *result, int row,
     void (*each)(void *arg, const struct store_usage_row *row), void *arg)
{
	struct store_usage_row r = {
		.from = pg_value(result, row, C_FROM),
		.to = pg_value(result, row, C_TO),
		.calls = pg_value(result, row, C_CALLS),
		.settled = pg_value(result, row, C_SETTLED),
		.failed = pg_value(result, row, C_FAILED),
		.cost = pg_value(result, row, C_COST),
		.overrun = pg_value(result, row, C_OVERRUN),
		.tokens = pg_value(result, row, C_TOKENS),
		.input_tokens = pg_value(result, row, C_INPUT_TOKENS),
		.output_tokens = pg_value(result, row, C_OUTPUT_TOKENS),
		.place = { .bucket = pg_value(result, row, C_BUCKET),
			   .amount = pg_value(result, row, C_AMOUNT) },
	};

	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		r.place.by[i] = pg_value(result, row, C_BY + i);
	}
	each(arg, &r);
}

/* Sums over nothing, FROM_US to the end. */
static void
give_nothing(const struct texts *texts, int64_t from_us,
	     void (*each)(void *arg, const struct store_usage_row *row),
	     void *arg)
{
	char from[CLOCK_TEXT_BYTES];
	const struct store_usage_row row = {
		.from = clock_rfc3339(from_us, from),
		.to = texts->to,
		.calls = "0",
		.settled = "0",
		.failed = "0",
		.cost = "0",
		.overrun = "0",
		.tokens = "0",
		.input_tokens = "0",
		.output_tokens = "0",
		.place = { .bucket = texts->from,
			   .amount = "0",
			   .by = { "", "", "", "", "", "" } },
	};

	each(arg, &row);
}

enum status
store_usage_report(struct pg *pg, const struct store_usage_ask *ask,
		   void (*each)(void *arg, const struct store_usage_row *row),
		   void *arg, struct store_usage_extent *extent,
		   struct err *err)
{
	assert(ask->limit > 0 && ask->timezone != NULL);
	struct pg_result *result = NULL;
	const char *params[P_N];
	struct texts texts = { .limit = "" };

	fill(ask, &texts, params);
	enum status status = pg_query(pg, statement, params, P_N, &result, err);
	if (status != STATUS_OK) {
		return status;
	}
	/* One row at least, with the total; its others are null where the page
	 * is empty. */
	int n = pg_is_null(result, 0, C_BUCKET) ? 0 : pg_rows(result);
	extent->rows_n = pg_int(result, 0, C_TOTAL);
	extent->kept_us = pg_int(result, 0, C_KEPT);
	extent->more = n > ask->limit;
	for (int i = 0; i < n && i < ask->limit; i++) {
		give(result, i, each, arg);
	}
	if (extent->rows_n == 0 && ask->by == 0 &&
	    ask->bucket == STORE_USAGE_WHOLE && extent->kept_us < ask->to_us) {
		extent->rows_n = 1;
		give_nothing(&texts,
			     extent->kept_us > ask->from_us ? extent->kept_us
							    : ask->from_us,
			     each, arg);
	}
	pg_result_free(result);
	return STATUS_OK;
}
