/*
 * http_fixture: a request from a list of CGI variables and a body.
 */
#ifndef TESTS_UNIT_HTTP_FIXTURE_H
#define TESTS_UNIT_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/exchange.h"
#include "http/request.h"

/* 2026-11-23T04:44:27Z */
#define FIXTURE_NOW_US INT64_C(1795409067000000)

enum { FIXTURE_VARIABLES = 24 };

struct fixture {
	struct arena *arena;
	const char *variables[FIXTURE_VARIABLES]; /* "NAME=value" */
	size_t variables_n;
	const char *body;
	size_t body_n;
	size_t read_n;
	size_t breaks_at; /* the body breaks off there; SIZE_MAX: never */
};

/* cmocka's set-up and tear-down. */
int fixture_begin(void **state);
int fixture_end(void **state);

/* Forget the variables and the body. */
void fixture_clear(struct fixture *f);

/* Add "NAME=value", borrowed; NULL adds nothing. */
void fixture_set(struct fixture *f, const char *variable);

/* A request before it is parsed. */
struct http_request fixture_request(struct fixture *f);

/* The same as something that exchange.c can read from. */
struct http_transport fixture_transport(struct fixture *f);

#endif /* TESTS_UNIT_HTTP_FIXTURE_H */
