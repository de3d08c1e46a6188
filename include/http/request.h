/*
 * request: one HTTP request, parsed and read-only, however it came.
 *
 * FastCGI (RESPONDER) and CGI give the same struct.  What it points to lives
 * until the request's answer was sent.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER,
	HTTP_METHOD_N
};

enum { HTTP_REQUEST_ID_CHARS = 128 }; /* longest that is taken over */

struct http_request {
	struct arena *arena;
	enum http_method method;
	const char *method_name;
	const char *path;  /* decoded, begins with '/', no "." or ".." part */
	const char *query; /* raw, "" when there is none */
	const char *content_type; /* "" when there is none */
	const char *body;	  /* [body_n], NUL behind it, never NULL */
	size_t body_n;
	const char *request_id; /* X-Request-ID of the caller, or made here */
	const char *caller_request_id; /* the caller's own, or NULL */
	const char *traceparent;       /* W3C, valid, or NULL */
	const char *remote_addr;
	int64_t received_us;	   /* CLOCK_REALTIME */
	const struct err *refused; /* why it cannot be served, or NULL */
	/* CGI variable NAME ("HTTP_X_API_KEY"), or NULL */
	const char *(*param)(const struct http_request *req, const char *name);
	void *transport;
};

/**
 * http_request_parse(req, err):
 * Everything that the CGI variables say, read through REQ->param.
 *
 * Takes:   arena, param, transport and received_us set, the rest zero.
 * Gives:   all other fields but the body, also with an error: the answer to a
 *          bad request has its id and method too; its path is then "/".
 * Errors:  STATUS_REQUEST for a path that is not percent-encoded strictly, or
 *          that has a NUL, control character, encoded slash, "." or ".." part.
 * Source:  RFC 3875, 4.1; W3C Trace Context, 3.2.
 */
enum status http_request_parse(struct http_request *req,
			       struct err *err) MUST_CHECK;

/*
 * The length that CONTENT_LENGTH says; -1 where it is not there.
 * Errors: STATUS_REQUEST when it is not a number.
 */
enum status http_request_length(const struct http_request *req, int64_t *out,
				struct err *err) MUST_CHECK;

/*
 * STATUS_MEDIA_TYPE unless the body, if there is one, is said to be JSON or
 * nothing is said, for which the type that clients send by themselves (that of
 * a form) counts too.  A foreign page can send a form, but no key in a header;
 * who lets a browser's session call must look further.
 */
enum status http_request_is_json(const struct http_request *req,
				 struct err *err) MUST_CHECK;

/* A CGI variable; those of request headers begin with HTTP_, and no caller
 * can set another. */
const char *http_header(const struct http_request *req, const char *cgi_name);

/*
 * The N bytes of TEXT decoded into ARENA, '+' to a blank where PLUS says so;
 * NULL when a '%' is not followed by two hex digits, or when a NUL comes out.
 */
char *http_percent_decode(struct arena *arena, const char *text, size_t n,
			  bool plus);

#endif /* HTTP_REQUEST_H */
