/*
 * exchange: one request and its answer, without a word of how they travel.
 *
 * What FastCGI and CGI have in common: parse, read the body to its end within
 * limits, call the application, put the answer together.  One exchange serves
 * one thread's requests one after another and keeps its memory.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/server.h"

/*
 * What is read beyond body_max_bytes and thrown away, so that the caller gets
 * its 413 instead of a broken connection; after that the connection is given
 * up.
 */
enum { HTTP_DRAIN_BYTES = 64 * 1024 * 1024 };

struct http_transport {
	const char *(*param)(const struct http_request *req, const char *name);
	/* up to N bytes; fewer at the end of the body; -1: it broke off */
	int64_t (*read)(void *transport, char *bytes, size_t n);
	void *transport;
};

struct http_exchange {
	const struct http_app *app;
	void *worker; /* of app->worker_new */
	size_t body_max_bytes;
	struct arena *arena;
	struct buf body;
	struct http_response res;
	struct buf out; /* the whole answer */
	bool undrained; /* the body was not read to its end */
};

void http_exchange_init(struct http_exchange *exchange,
			const struct http_app *app, size_t body_max_bytes);
void http_exchange_fini(struct http_exchange *exchange);

/* Serve one request; the answer is in EXCHANGE->out until the next. */
void http_exchange_run(struct http_exchange *exchange,
		       const struct http_transport *transport);

/* Serve one request from the environment and standard input (RFC 3875). */
enum status http_cgi_run(struct http_exchange *exchange,
			 struct err *err) MUST_CHECK;

#endif /* HTTP_EXCHANGE_H */
