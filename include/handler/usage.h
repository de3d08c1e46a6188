/*
 * usage: what GET /usage is asked, read.  Room-internal.
 */
#ifndef HANDLER_USAGE_H
#define HANDLER_USAGE_H

#include "core/budget.h"
#include "handler/handler.h"
#include "handler/period.h"
#include "http/page.h"
#include "store/store_usage_report.h"
#include "store/store_usage_subject.h"

/* The parameters that name what usage is of, by enum store_usage_by. */
#define USAGE_BY_NAMES                                                     \
	"organization_id", "team_id", "user_id", "api_key_id", "model_id", \
	    "vendor_id"

/* A period's usage. */
struct usage_report {
	struct http_query query;
	struct period period;
	const char *list; /* of its cursors */
	struct store_usage_place after;
	struct store_usage_ask ask;
};

/* Errors: STATUS_REQUEST. */
enum status usage_report_read(const struct http_request *req,
			      const struct api_key *key, int64_t now_us,
			      struct usage_report *out,
			      struct err *err) MUST_CHECK;

/* What is left of budgets (?view=budgets). */
struct usage_budgets {
	struct http_query query;
	const char *list;
	const struct budget *budgets; /* [ask.budgets_n] that are asked for */
	struct store_usage_subject_place after;
	struct store_usage_subject_ask ask;
};

/* The budgets of POLICIES, in the windows of NOW_US. */
enum status usage_budgets_read(const struct http_request *req,
			       const struct api_key *key,
			       const struct policy_set *policies,
			       int64_t now_us, struct usage_budgets *out,
			       struct err *err) MUST_CHECK;

/* Whom a row may be of: by the query, and by what KEY is bound to. */
void usage_filter(struct http_query *query, const struct api_key *key,
		  struct store_usage_filter *out);

/* Is TEXT, of a cursor, a number that PostgreSQL can read? */
bool usage_is_amount(const char *text);

/* The answer of ?view=budgets. */
enum status usage_budgets(struct handler_call *call, struct err *err);

#endif /* HANDLER_USAGE_H */
