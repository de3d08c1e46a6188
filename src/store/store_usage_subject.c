#include "store/store_usage_subject.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"

/* Parameters, as in store_usage_report.c. */
enum parameter {
	P_BUDGETS,			      /* JSON */
	P_ASKED,			      /* [STORE_USAGE_BY_N] */
	P_BOUND = P_ASKED + STORE_USAGE_BY_N, /* [STORE_USAGE_BY_N] */
	P_LIMIT = P_BOUND + STORE_USAGE_BY_N,
	P_AFTER, /* NULL: from the beginning; else the budget */
	P_AFTER_USED,
	P_AFTER_SUBJECT,
	P_N
};

static const char statement[] =
    "WITH budgets AS (SELECT n - 1 AS n, b->>'scope' AS scope, "
    "(b->>'from')::timestamptz AS from_at, (b->>'to')::timestamptz AS to_at, "
    "(b->>'tokens')::boolean AS tokens, CASE b->>'scope' "
    "WHEN 'organization' THEN $2::text "
    "WHEN 'team' THEN $3::text "
    "WHEN 'user' THEN $4::text "
    "WHEN 'api_key' THEN $5::text "
    "WHEN 'model' THEN $6::text "
    "WHEN 'vendor' THEN $7::text END AS asked "
    "FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS j (b, n)), "
    "found AS MATERIALIZED (SELECT n, subject, used FROM budgets, "
    "LATERAL (SELECT CASE WHEN scope = 'global' THEN 'global' "
    "ELSE coalesce(nullif(CASE scope "
    "WHEN 'organization' THEN organization_id "
    "WHEN 'team' THEN team_id "
    "WHEN 'user' THEN user_id "
    "WHEN 'api_key' THEN api_key_id "
    "WHEN 'model' THEN lower(model_id) "
    "WHEN 'vendor' THEN lower(vendor_id) END, ''), 'anonymous') END AS "
    "subject, "
    "sum(CASE WHEN budgets.tokens THEN r.tokens ELSE r.cost END) AS used, "
    "bool_and(($8::text IS NULL OR organization_id = $8) "
    "AND ($9::text IS NULL OR team_id = $9) "
    "AND ($10::text IS NULL OR user_id = $10) "
    "AND ($11::text IS NULL OR api_key_id = $11) "
    "AND ($12::text IS NULL OR model_id = $12) "
    "AND ($13::text IS NULL OR vendor_id = $13)) AS visible "
    "FROM usage_rollups AS r "
    "WHERE quarter >= from_at AND quarter < to_at GROUP BY 1) AS s "
    "WHERE visible AND (asked IS NULL OR subject = asked)), "
    "page AS (SELECT * FROM found WHERE $15::text IS NULL OR "
    "(n, -used, subject) > ($15::bigint, -($16::numeric), $17::text) "
    "ORDER BY n, -used, subject LIMIT $14::integer + 1) "
    "SELECT (SELECT count(*) FROM (SELECT FROM found LIMIT 10001) AS f), "
    "n, trim_scale(used), subject "
    "FROM (SELECT) AS one LEFT JOIN page ON true "
    "ORDER BY n, -used, subject";

enum column { C_TOTAL, C_BUDGET, C_USED, C_SUBJECT };

/* The budgets as a JSON array; no text in it is a caller's. */
static void
put_budgets(const struct store_usage_subject_ask *ask, struct buf *out)
{
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];

	buf_addc(out, '[');
	for (size_t i = 0; i < ask->budgets_n; i++) {
		const struct store_usage_budget *b = &ask->budgets[i];

		buf_printf(out,
			   "%s{\"scope\":\"%s\",\"from\":\"%s\",\"to\":\"%s\","
			   "\"tokens\":%s}",
			   i == 0 ? "" : ",", b->scope,
			   clock_rfc3339(b->from_us, from),
			   clock_rfc3339(b->to_us, to),
			   b->tokens ? "true" : "false");
	}
	buf_addc(out, ']');
}

static void
give(const struct pg_result *result, int row,
     void (*each)(void *arg, const struct store_usage_subject_place *row),
     void *arg)
{
	const struct store_usage_subject_place place = {
		.budget = strtoul(pg_value(result, row, C_BUDGET), NULL, 10),
		.used = pg_value(result, row, C_USED),
		.subject = pg_value(result, row, C_SUBJECT),
	};

	each(arg, &place);
}

enum status
store_usage_subject(struct pg *pg, const struct store_usage_subject_ask *ask,
		    void (*each)(void *arg,
				 const struct store_usage_subject_place *row),
		    void *arg, struct store_usage_extent *extent,
		    struct err *err)
{
	assert(ask->limit > 0);
	const struct store_usage_subject_place *after = ask->after;
	const char *params[P_N] = { NULL };
	struct pg_result *result = NULL;
	struct buf budgets = { 0 };
	char limit[PG_NUMBER_BYTES], budget[24];

	put_budgets(ask, &budgets);
	params[P_BUDGETS] = buf_text(&budgets);
	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		params[P_ASKED + i] = ask->filter.asked[i];
		params[P_BOUND + i] = ask->filter.bound[i];
	}
	pg_number(ask->limit, limit);
	params[P_LIMIT] = limit;
	if (after != NULL) {
		snprintf(budget, sizeof(budget), "%zu", after->budget);
		params[P_AFTER] = budget;
		params[P_AFTER_USED] = after->used;
		params[P_AFTER_SUBJECT] = after->subject;
	}
	enum status status = pg_query(pg, statement, params, P_N, &result, err);
	buf_fini(&budgets);
	if (status != STATUS_OK) {
		return status;
	}
	int n = pg_is_null(result, 0, C_BUDGET) ? 0 : pg_rows(result);
	extent->rows_n = pg_int(result, 0, C_TOTAL);
	extent->more = n > ask->limit;
	extent->kept_us = 0; /* no window is as long as what is kept */
	for (int i = 0; i < n && i < ask->limit; i++) {
		give(result, i, each, arg);
	}
	pg_result_free(result);
	return STATUS_OK;
}
