/*
 * page: lists by keyset pages.
 *
 * A list is a plain JSON array; `Link: <...>; rel="next"` leads on, and
 * X-Total-Count says how long the whole list is, exactly up to 10,000.  A
 * cursor is the last row's place in the order of the list, so that a page is
 * found where the one before it ended, whatever came or went before that.
 * Callers can read a cursor and write one: its fields are checked as any other
 * parameter, and it opens nothing that the query would not.
 */
#ifndef HTTP_PAGE_H
#define HTTP_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "http/query.h"
#include "http/response.h"

enum {
	PAGE_LIMIT_DEFAULT = 100,
	PAGE_LIMIT_MAX = 1000,
	PAGE_TOTAL_MAX = 10000,
	PAGE_FIELDS = 12,
	PAGE_FIELD_MAX_BYTES = 1024
};

/* A place in a list: the FIELDS that it is ordered by, in UTF-8, each of at
 * most PAGE_FIELD_MAX_BYTES. */
struct page_place {
	const char *fields[PAGE_FIELDS];
	size_t n;
};

/* ?limit= */
int64_t page_limit(struct http_query *query);

/**
 * page_cursor(query, list, n, out):
 * ?cursor= as a place.
 *
 * Takes:   LIST, which list in which order it is: a cursor of another one is
 *          refused.  N, how many fields a place of it has.
 * Gives:   OUT; n of 0 where there is no cursor or it was refused.
 */
void page_cursor(struct http_query *query, const char *list, size_t n,
		 struct page_place *out);

/* What a link to the next page repeats. */
struct page_link {
	const struct http_query *query;
	/* parameters that stand instead of the query's own, such as an end
	 * that was "now" */
	const struct http_query_item *fixed; /* [fixed_n] */
	size_t fixed_n;
	const char *list; /* as of page_cursor */
};

/* The header that leads to what follows LAST. */
void page_next(const struct http_request *req, struct http_response *res,
	       const struct page_link *link, const struct page_place *last);

/* X-Total-Count of N; more than PAGE_TOTAL_MAX need not have been counted. */
void page_total(const struct http_request *req, struct http_response *res,
		int64_t n);

#endif /* HTTP_PAGE_H */
