/*
 * message: an HTTP request as a web server hands it on, made of bytes.
 *
 * NAME=VALUE as CGI has them, a NUL behind each, an empty one, then the body.
 */
#ifndef FUZZ_MESSAGE_H
#define FUZZ_MESSAGE_H

#include "http/exchange.h"

struct message {
	const char *variables, *body, *end; /* a NUL at END */
};

/* Of the N bytes of TEXT, borrowed, with a NUL behind them. */
struct message message_of(const char *text, size_t n);

/* A request's param and a transport's read; its transport is a message. */
const char *message_param(const struct http_request *req, const char *name);
int64_t message_read(void *transport, char *bytes, size_t n);

#endif /* FUZZ_MESSAGE_H */
