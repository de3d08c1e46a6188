/*
 * response: one HTTP answer, complete before the first byte is sent.
 *
 * Every answer gets X-Request-Id, Cache-Control: no-store, X-Content-Type-
 * Options: nosniff, Content-Length, and traceparent where one came.  Header
 * values with control characters are refused by assert: text of a caller is
 * checked where it comes in.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"
#include "http/request.h"

enum { HTTP_HEADERS = 16 };

struct http_response {
	int status;		  /* 200 until set */
	const char *content_type; /* application/json until set */
	struct buf body;
	struct {
		const char *name, *value;
	} headers[HTTP_HEADERS]; /* values live until the answer is sent */
	size_t headers_n;
};

/* Begin an answer: 200, application/json, empty; keeps the body's memory. */
void http_response_reset(struct http_response *res);

void http_response_header(struct http_response *res, const char *name,
			  const char *value);

/*
 * RES as the text that a FastCGI or CGI program sends, added to OUT: "Status:"
 * and the headers, an empty line, the body (none for HEAD and 204).
 */
void http_response_write(const struct http_request *req,
			 const struct http_response *res, struct buf *out);

/*
 * Problem details (RFC 9457) instead of what RES held but its headers: status,
 * type and title by ERR->status, items as errors: [{pointer, detail}].  A 401
 * has WWW-Authenticate, a 503 Retry-After; counts METRIC_http_refused_total.
 */
void http_problem(const struct http_request *req, struct http_response *res,
		  const struct err *err);

#endif /* HTTP_RESPONSE_H */
