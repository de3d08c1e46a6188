/*
 * fcgi_client: FastCGI records, also wrong ones, as a web server might send
 * them (FastCGI specification 1.0, section 3.3).
 */
#ifndef TESTS_UNIT_FCGI_CLIENT_H
#define TESTS_UNIT_FCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum fcgi_type {
	FCGI_BEGIN = 1,
	FCGI_ABORT = 2,
	FCGI_END = 3,
	FCGI_PARAMS = 4,
	FCGI_STDIN = 5,
	FCGI_STDOUT = 6,
	FCGI_GET_VALUES = 9,
};

enum { FCGI_RESPONDER = 1, FCGI_AUTHORIZER = 2, FCGI_KEEP = 1 };

/* A record of N bytes, at most 65535. */
void fcgi_record(struct buf *out, int type, const void *bytes, size_t n);
void fcgi_begin(struct buf *out, int role, int flags);

/* "NAME=value" variables up to NULL, and the record that ends them. */
void fcgi_params(struct buf *out, const char *const *variables);

/* A body of N bytes in as many records as it takes, and the end. */
void fcgi_body(struct buf *out, const char *bytes, size_t n);

/* A whole good request for PATH. */
void fcgi_request(struct buf *out, const char *path, int flags,
		  const char *body, size_t n);

int fcgi_connect(const char *path); /* -1 where nobody listens */
bool fcgi_send(int fd, const struct buf *records);

/*
 * The answer's text (all STDOUT records) up to the end of the request or of
 * the connection.  False when there was no end record within 5 s.
 */
bool fcgi_receive(int fd, struct buf *text);

#endif /* TESTS_UNIT_FCGI_CLIENT_H */
