/*
 * null_responder: the smallest FastCGI program, the yardstick of the benchmark.
 *
 * Reads the same body to its end and answers 200 bytes of fixed JSON.  It does
 * with libfcgi what its manual says, and nothing else, so that a throughput
 * divided by its own says what the engine costs beside the web server.
 *
 *	null_responder [--threads N] [--listen PATH] [--pool WORD]
 *		       [--config FILE]
 *
 * serves PATH, or the socket on descriptor 0.  Takes the responder's options,
 * so that the same web server configuration starts it.
 */
#include <fcgiapp.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY_BYTES = 200, THREADS_MAX = 256, READ_BYTES = 65536, BACKLOG = 512 };

static char answer[512];
static int answer_n;
static int listen_fd; /* 0: as the web server gave it */

static void
make_answer(void)
{
	static const char head[] = "{\"decision\":\"allow\",\"pad\":\"";
	static const char tail[] = "\"}";
	char body[BODY_BYTES + 1];

	memset(body, 'x', BODY_BYTES);
	memcpy(body, head, sizeof(head) - 1);
	memcpy(body + BODY_BYTES - (sizeof(tail) - 1), tail, sizeof(tail));
	answer_n = snprintf(answer, sizeof(answer),
			    "Status: 200 OK\r\n"
			    "Content-Type: application/json\r\n"
			    "Content-Length: %d\r\n"
			    "Cache-Control: no-store\r\n"
			    "\r\n%s",
			    BODY_BYTES, body);
}

/* As the responder does: mod_fcgid must be warmed up for both. */
static void
hold(const char *ms)
{
	if (ms != NULL) {
		usleep((useconds_t)atoi(ms) * 1000);
	}
}

static void *
serve(void *arg)
{
	char *scratch = malloc(READ_BYTES);
	FCGX_Request request;

	(void)arg;
	if (scratch == NULL || FCGX_InitRequest(&request, listen_fd, 0) != 0) {
		exit(1);
	}
	while (FCGX_Accept_r(&request) == 0) {
		hold(FCGX_GetParam("IMS_HOLD_MS", request.envp));
		while (FCGX_GetStr(scratch, READ_BYTES, request.in) ==
		       READ_BYTES) {
			/* to the end, or the connection breaks */
		}
		FCGX_PutStr(answer, answer_n, request.out);
		FCGX_Finish_r(&request);
	}
	free(scratch);
	return NULL;
}

/* Options into listen_fd; how many threads. */
static int
parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "threads", required_argument, NULL, 't' },
		{ "listen", required_argument, NULL, 'l' },
		{ "pool", required_argument, NULL, 'p' },
		{ "config", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int threads = 16;
	int option;

	while ((option = getopt_long(argc, argv, "t:l:p:c:", longs, NULL)) >=
	       0) {
		if (option == 't') {
			threads = atoi(optarg);
		} else if (option == 'l') {
			listen_fd = FCGX_OpenSocket(optarg, BACKLOG);
		} else if (option == '?') {
			exit(64);
		}
	}
	return threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	int threads;

	make_answer();
	if (FCGX_Init() != 0) {
		return 1;
	}
	threads = parse_options(argc, argv);
	if (listen_fd < 0) {
		return 1;
	}
	for (int i = 1; i < threads; i++) {
		if (pthread_create(&thread, NULL, serve, NULL) != 0) {
			return 1;
		}
	}
	serve(NULL);
	return 0;
}
