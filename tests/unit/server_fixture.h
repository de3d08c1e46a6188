/*
 * server_fixture: http/server.h in a process of its own, on a socket in a
 * folder of its own.
 */
#ifndef TESTS_UNIT_SERVER_FIXTURE_H
#define TESTS_UNIT_SERVER_FIXTURE_H

#include <stddef.h>
#include <sys/types.h>

#include "http/server.h"
#include "http_fixture.h"

enum { THREADS = 4, BODY_MAX = 100000, SLOW_MS = 300 };

struct server {
	char folder[32];
	char path[64]; /* of its socket */
	pid_t pid;
	int ticks[2]; /* a pipe that its tick writes to */
};

/* cmocka's set-up and tear-down; the one server there is. */
int server_begin(void **state);
int server_end(void **state);
extern struct server server;

/*
 * What it answers: "path P body N" and, for /slow, after SLOW_MS; /large with
 * 200,000 letters before it; /stop with the end of the server.
 */
extern const struct http_app server_app;
struct http_server_settings server_settings(const char *path);

/* Start one; PATH NULL: its descriptor 0 is LISTEN_FD. */
pid_t server_start(const char *path, int listen_fd);

/* Start the one on its path again, and wait for it. */
void server_start_again(void);

/* Wait up to 5 s for PID to end; its exit status, or -1. */
int server_wait(pid_t pid);

/* A connection, waiting up to 2 s for the server. */
int server_connect(void);

/* One good request with BODY_N bytes must get WANT. */
void assert_serves(const char *path, size_t body_n, const char *want);

#endif /* TESTS_UNIT_SERVER_FIXTURE_H */
