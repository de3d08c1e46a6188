/*
 * server: the door to libfcgi: threads that accept, read, call, answer.
 *
 * Under FastCGI (socket on descriptor 0, or a path of its own) THREADS workers
 * each serve one request at a time; as plain CGI (FCGX_IsCGI) one request from
 * the environment and standard input.  The body is read to its end before the
 * request is finished, whatever the handler did: a record left behind breaks
 * the next request on the connection.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "http/request.h"
#include "http/response.h"

/* Called by a worker for each request; WORKER is what worker_new gave. */
struct http_app {
	void *(*worker_new)(void *app);
	void (*worker_free)(void *worker);
	void (*serve)(void *worker, const struct http_request *req,
		      struct http_response *res);
	void *app;
};

struct http_server_settings {
	const char *listen; /* path of a Unix socket; NULL: descriptor 0 */
	int backlog;
	int threads;
	size_t body_max_bytes;
	void (*tick)(void *arg); /* each tick_ms, by the caller's thread */
	void *tick_arg;
	int tick_ms;
};

/* Was the program started as CGI: is descriptor 0 no listening socket? */
bool http_server_is_cgi(void);

/**
 * http_server_run(settings, app, err):
 * Serve until http_server_stop or SIGTERM, SIGINT or SIGUSR1, which end after
 * the requests under way; or, as CGI, one request.
 *
 * Takes:   those three signals and SIGUSR2 blocked in every thread of the
 *          process but those that are made here (not as CGI).
 * Errors:  STATUS_IO: the socket cannot be had; STATUS_BUSY: another process
 *          listens at that path; STATUS_INTERNAL: no thread can be had.
 */
enum status http_server_run(const struct http_server_settings *settings,
			    const struct http_app *app,
			    struct err *err) MUST_CHECK;

/* From any thread. */
void http_server_stop(void);

#endif /* HTTP_SERVER_H */
