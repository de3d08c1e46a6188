/*
 * store_usage_subject: who used anything in the windows of budgets, by the
 * table usage_rollups.
 */
#ifndef STORE_STORE_USAGE_SUBJECT_H
#define STORE_STORE_USAGE_SUBJECT_H

#include "store/store_usage_report.h"

/* A budget, as far as its subjects go. */
struct store_usage_budget {
	const char *scope; /* a word of core/policy.h: "global", "team", ... */
	int64_t from_us, to_us; /* its window */
	bool tokens;		/* it counts tokens, else dollars */
};

/* A row's place: by budget, then by what was used, the most first, then by the
 * subject's name. */
struct store_usage_subject_place {
	size_t budget;
	const char *used; /* in decimal; dollars or tokens */
	const char *subject;
};

struct store_usage_subject_ask {
	const struct store_usage_budget *budgets; /* [budgets_n] */
	size_t budgets_n;
	/*
	 * asked: the subject of that scope.  bound: a subject is given only
	 * where all that it used is of that value: who may see an organization
	 * may not see what its users used in another one.
	 */
	struct store_usage_filter filter;
	const struct store_usage_subject_place *after; /* or NULL */
	int64_t limit;
};

/**
 * store_usage_subject(pg, ask, each, arg, extent, err):
 * Call EACH with every subject of every budget, a page of them, in the order
 * of their places.
 *
 * A value that is not known is the subject `anonymous`; models and vendors are
 * in lower case, as counters have them.
 *
 * Errors:  STATUS_BODY where PostgreSQL cannot read the place; else as
 *          pg_query.
 */
enum status store_usage_subject(
    struct pg *pg, const struct store_usage_subject_ask *ask,
    void (*each)(void *arg, const struct store_usage_subject_place *row),
    void *arg, struct store_usage_extent *extent, struct err *err) MUST_CHECK;

#endif /* STORE_STORE_USAGE_SUBJECT_H */
