/*
 * query: the parameters of a request's query string, read strictly and typed.
 *
 * What is wrong is collected, so that a caller is told all of it at once: each
 * reader gives its fallback for a value that it refuses, and http_query_done
 * says in the end whether anything was refused.
 *
 * Source: RFC 3986, 2.1 and 3.4; WHATWG URL, "application/x-www-form-
 * urlencoded" for '+'.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "http/request.h"

enum {
	/* A link to the next page repeats it in a header, beside a cursor, and
	 * web servers take headers of 8 KiB. */
	HTTP_QUERY_MAX_BYTES = 4096,
	HTTP_QUERY_ITEMS = 32,
};

struct http_query_item {
	const char *name, *value; /* decoded */
};

struct http_query {
	struct arena *arena; /* the request's */
	struct err *err;
	bool refused;
	size_t n;
	struct http_query_item items[HTTP_QUERY_ITEMS]; /* as they came */
};

/**
 * http_query_parse(req, names, out, err):
 * Take the query string of REQ apart.
 *
 * Takes:   NAMES, NULL-terminated: all parameters that the path knows; ERR,
 *          which the readers below write to, not NULL.
 * Errors:  none yet: what is unknown, given twice, not percent-encoded
 *          strictly, or no UTF-8 is refused, with its name.
 */
void http_query_parse(const struct http_request *req, const char *const *names,
		      struct http_query *out, struct err *err);

/* STATUS_REQUEST where anything was refused; ERR's items are the parameters. */
enum status http_query_done(const struct http_query *query) MUST_CHECK;

/* Refuse the parameter NAME in words of the caller's own. */
void http_query_refuse(struct http_query *query, const char *name,
		       const char *format, ...) PRINTF_LIKE(3, 4);

/* The value of NAME, at most BYTES_MAX long and perhaps empty; NULL where it
 * is missing. */
const char *http_query_text(struct http_query *query, const char *name,
			    size_t bytes_max);

/* An integer from LOW to HIGH in plain digits. */
int64_t http_query_int(struct http_query *query, const char *name, int64_t low,
		       int64_t high, int64_t fallback);

/* Index of the value in WORDS (NULL-terminated). */
int http_query_word(struct http_query *query, const char *name,
		    const char *const *words, int fallback);

/* A list by comma of different ones of WORDS: a bit for each. */
unsigned http_query_words(struct http_query *query, const char *name,
			  const char *const *words);

#endif /* HTTP_QUERY_H */
