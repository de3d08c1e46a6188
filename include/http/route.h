/*
 * route: which row of http/route.tbl.h a path and a method mean.
 *
 * The rows themselves are expanded in handler/serve.c, which gives this
 * function the table: a router knows no handler.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stddef.h>

#include "base/status.h"
#include "http/request.h"

enum pool { POOL_EVALUATE = 1, POOL_API = 2, POOL_BOTH = 3 };

struct route {
	enum pool pools; /* bits */
	enum http_method method;
	const char *path;
	unsigned roles; /* auth/auth.h */
	int handler;	/* the caller's number */
	const char *doc;
};

/**
 * route_find(routes, n, pool, req, out, allow, err):
 * The row for REQ in POOL; HEAD finds the row of GET.
 *
 * Gives:   OUT with STATUS_OK; ALLOW with STATUS_METHOD, in the request's
 *          arena: the methods of the path ("GET, HEAD, OPTIONS").
 * Errors:  STATUS_NOT_FOUND, STATUS_METHOD.
 */
enum status route_find(const struct route *routes, size_t n, enum pool pool,
		       const struct http_request *req, const struct route **out,
		       const char **allow, struct err *err) MUST_CHECK;

#endif /* HTTP_ROUTE_H */
