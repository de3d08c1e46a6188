/*
 * store_usage_report: sums over the table usage_rollups.
 *
 * A roll-up belongs to a period where its quarter of an hour begins in it, so
 * that periods that follow each other add up.  Roll-ups are kept for some time
 * (table usage_rollups_kept): a sum begins where what is kept begins, and says
 * so.
 */
#ifndef STORE_STORE_USAGE_REPORT_H
#define STORE_STORE_USAGE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/pg.h"

/* What a roll-up is of. */
enum store_usage_by {
	STORE_USAGE_ORGANIZATION,
	STORE_USAGE_TEAM,
	STORE_USAGE_USER,
	STORE_USAGE_API_KEY,
	STORE_USAGE_MODEL,
	STORE_USAGE_VENDOR,
	STORE_USAGE_BY_N
};

/* Values that rows must have; NULL: any, "": not known. */
struct store_usage_filter {
	const char *asked[STORE_USAGE_BY_N]; /* by the caller */
	const char *bound[STORE_USAGE_BY_N]; /* what the caller may see */
};

enum store_usage_bucket {
	STORE_USAGE_WHOLE, /* the period */
	STORE_USAGE_QUARTER,
	STORE_USAGE_HOUR,
	STORE_USAGE_DAY,
	STORE_USAGE_WEEK, /* from Monday */
	STORE_USAGE_MONTH
};

enum store_usage_sort {
	STORE_USAGE_COST,
	STORE_USAGE_CALLS,
	STORE_USAGE_TOKENS
};

/* A row's place: by bucket, then by what is sorted by, the most first, then by
 * names.  Numbers and times as the row has them. */
struct store_usage_place {
	const char *bucket;
	const char *amount;
	const char *by[STORE_USAGE_BY_N];
};

struct store_usage_ask {
	int64_t from_us, to_us; /* half open */
	struct store_usage_filter filter;
	unsigned by; /* 1 << enum store_usage_by: a row for each value */
	enum store_usage_bucket bucket;
	const char *timezone; /* whose hours, days, weeks and months */
	enum store_usage_sort sort;
	const struct store_usage_place *after; /* NULL: from the beginning */
	int64_t limit;
};

/* Numbers are in decimal, as JSON has them; money in dollars. */
struct store_usage_row {
	const char *from, *to; /* RFC 3339: of the bucket, within the period */
	const char *calls, *settled, *failed;
	const char *cost, *overrun;
	const char *tokens, *input_tokens, *output_tokens;
	struct store_usage_place place; /* by: "" where not known, or not asked
					   for */
};

enum { STORE_USAGE_TOTAL_MAX = 10001 };

/* What there is in all. */
struct store_usage_extent {
	int64_t rows_n; /* at most STORE_USAGE_TOTAL_MAX */
	bool more;	/* rows follow the last one given */
	/* Roll-ups of the period's time before this are not kept any more; 0:
	 * all of them are. */
	int64_t kept_us;
};

/**
 * store_usage_report(pg, ask, each, arg, extent, err):
 * Call EACH with every row of a page, in the order of their places.
 *
 * A report by nothing and without buckets has one row, also of nothing, unless
 * nothing of the period is kept.
 *
 * Errors:  STATUS_BODY where PostgreSQL cannot read the place or does not know
 *          the time zone; else as pg_query.
 */
enum status store_usage_report(struct pg *pg, const struct store_usage_ask *ask,
			       void (*each)(void *arg,
					    const struct store_usage_row *row),
			       void *arg, struct store_usage_extent *extent,
			       struct err *err) MUST_CHECK;

#endif /* STORE_STORE_USAGE_REPORT_H */
