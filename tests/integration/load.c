/*
 * load: a client that keeps the books.
 *
 *	load HOST PORT PATH KEY BODY-FILE THREADS SECONDS|COUNTx OUT-FILE
 *	     [IDS-FILE]
 *
 * THREADS keep-alive connections over loopback post the body again and again,
 * for so many seconds or so often (2000x), @N@ in it replaced by a number that
 * no other request has, @E@ by a line of IDS-FILE, each once and in its order;
 * and write a line for each request that was sent:
 *
 *	STATUS BEGAN TOOK REVISION EVALUATION_ID VIOLATION_ID,VIOLATION_ID...
 *
 * BEGAN is microseconds since 1970, TOOK microseconds, - stands for what the
 * answer does not have, and STATUS is 0 where no whole answer came.  So a test
 * can ask PostgreSQL for exactly what was answered.
 * Speaks as much HTTP/1.1 (RFC 9112) as the servers under test do.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_BYTES = 1024 * 1024,
	REQUEST_BYTES = 256 * 1024,
	UUID_CHARS = 36,
	TIMEOUT_S = 30
};

#define REVISION "\"policy_revision\":"

static struct {
	struct sockaddr_in address;
	const char *host, *path, *key;
	char *body;
	int64_t end_us;
	uint64_t count;		     /* 0: until end_us */
	char (*ids)[UUID_CHARS + 1]; /* [count], or NULL */
	FILE *out;
} load;

static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t next_number;

struct client {
	int fd; /* -1: not connected */
	char request[REQUEST_BYTES];
	char answer[ANSWER_BYTES + 1];
	size_t n;
};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
client_close(struct client *client)
{
	if (client->fd >= 0) {
		close(client->fd);
	}
	client->fd = -1;
}

static bool
client_connect(struct client *client)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int on = 1;

	if (client->fd >= 0) {
		return true;
	}
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(client->fd >= 0);
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		   sizeof(timeout));
	if (connect(client->fd, (struct sockaddr *)&load.address,
		    sizeof(load.address)) != 0) {
		client_close(client);
		return false;
	}
	return true;
}

/* TEXT with WITH for its MARK into OUT of SIZE; its length. */
static size_t
replace(const char *text, const char *mark, const char *with, char *out,
	size_t size)
{
	const char *at = strstr(text, mark);
	int n;

	if (at == NULL) {
		n = snprintf(out, size, "%s", text);
	} else {
		n = snprintf(out, size, "%.*s%s%s", (int)(at - text), text,
			     with, at + strlen(mark));
	}
	assert(n > 0 && (size_t)n < size);
	return (size_t)n;
}

/* The request's text with this request's number and id; its length. */
static size_t
request_make(struct client *client, uint64_t number)
{
	char half[REQUEST_BYTES / 2], body[REQUEST_BYTES / 2], text[64];
	int n;

	snprintf(text, sizeof(text), "%d-%ju", (int)getpid(),
		 (uintmax_t)number);
	replace(load.body, "@N@", text, half, sizeof(half));
	size_t body_n =
	    replace(half, "@E@", load.ids == NULL ? "" : load.ids[number], body,
		    sizeof(body));
	n = snprintf(client->request, sizeof(client->request),
		     "POST %s HTTP/1.1\r\nHost: %s\r\n"
		     "Authorization: Bearer %s\r\n"
		     "Content-Type: application/json\r\n"
		     "Content-Length: %zu\r\n\r\n%s",
		     load.path, load.host, load.key, body_n, body);
	assert(n > 0 && (size_t)n < sizeof(client->request));
	return (size_t)n;
}

static bool
send_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0) {
			return false;
		}
		bytes += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* More of the answer; false at its end or when it is too long. */
static bool
receive(struct client *client)
{
	ssize_t n;

	if (client->n == ANSWER_BYTES) {
		return false;
	}
	n = recv(client->fd, client->answer + client->n,
		 ANSWER_BYTES - client->n, 0);
	if (n <= 0) {
		return false;
	}
	client->n += (size_t)n;
	client->answer[client->n] = '\0';
	return true;
}

/* Header NAME (with its colon) of the answer whose head is HEAD_N long. */
static const char *
answer_header(const struct client *client, size_t head_n, const char *name)
{
	const char *line = client->answer;
	const char *head_end = client->answer + head_n;

	while ((line = strstr(line, "\r\n")) != NULL && line < head_end) {
		line += 2;
		if (strncasecmp(line, name, strlen(name)) == 0) {
			line += strlen(name);
			return line + strspn(line, " ");
		}
	}
	return NULL;
}

/* Read a chunked body that begins at AT to its end. */
static bool
receive_chunks(struct client *client, size_t at)
{
	for (;;) {
		char *line_end;
		size_t size;

		while ((line_end = strstr(client->answer + at, "\r\n")) ==
		       NULL) {
			if (!receive(client)) {
				return false;
			}
		}
		size = strtoul(client->answer + at, NULL, 16);
		at = (size_t)(line_end - client->answer) + 2 + size + 2;
		while (client->n < at) {
			if (!receive(client)) {
				return false;
			}
		}
		if (size == 0) {
			return true;
		}
	}
}

/* One whole answer; its status, or 0. */
static int
receive_answer(struct client *client)
{
	const char *value;
	char *end;
	size_t head_n, body_n;
	int status;

	client->n = 0;
	client->answer[0] = '\0';
	while ((end = strstr(client->answer, "\r\n\r\n")) == NULL) {
		if (!receive(client)) {
			return 0;
		}
	}
	head_n = (size_t)(end - client->answer) + 4;
	if (sscanf(client->answer, "HTTP/1.%*d %d", &status) != 1) {
		return 0;
	}
	value = answer_header(client, head_n, "Content-Length:");
	if (value != NULL) {
		body_n = strtoul(value, NULL, 10);
		while (client->n < head_n + body_n) {
			if (!receive(client)) {
				return 0;
			}
		}
	} else if (!receive_chunks(client, head_n)) {
		return 0;
	}
	value = answer_header(client, head_n, "Connection:");
	if (value != NULL && strncasecmp(value, "close", 5) == 0) {
		client_close(client);
	}
	return status;
}

/* Every id that stands behind NAME in the answer, by comma; - for none. */
static void
write_ids(const char *answer, const char *name)
{
	const char *at = answer;
	bool any = false;

	while ((at = strstr(at, name)) != NULL) {
		at += strlen(name);
		fprintf(load.out, "%s%.*s", any ? "," : "", UUID_CHARS, at);
		any = true;
	}
	if (!any) {
		fputc('-', load.out);
	}
}

static void
write_line(const struct client *client, int status, int64_t began_us)
{
	const char *answer = status == 0 ? "" : client->answer;
	const char *revision = strstr(answer, REVISION);

	pthread_mutex_lock(&out_lock);
	fprintf(load.out, "%d %jd %jd ", status, (intmax_t)began_us,
		(intmax_t)(now_us() - began_us));
	if (revision == NULL) {
		fputs("- ", load.out);
	} else {
		fprintf(load.out, "%d ", atoi(revision + strlen(REVISION)));
	}
	write_ids(answer, "\"evaluation_id\":\"");
	fputc(' ', load.out);
	write_ids(answer, "\"violation_id\":\"");
	fputc('\n', load.out);
	pthread_mutex_unlock(&out_lock);
}

static void *
client_run(void *unused)
{
	struct client *client = calloc(1, sizeof(*client));

	(void)unused;
	assert(client != NULL);
	client->fd = -1;
	for (;;) {
		int64_t began_us = now_us();
		uint64_t number = next_number++;
		int status = 0;

		if (load.count > 0 ? number >= load.count
				   : began_us >= load.end_us) {
			break;
		}
		size_t n = request_make(client, number);

		if (client_connect(client) &&
		    send_all(client->fd, client->request, n)) {
			status = receive_answer(client);
		}
		write_line(client, status, began_us);
		if (status == 0) {
			client_close(client);
			usleep(10000);
		}
	}
	client_close(client);
	free(client);
	return NULL;
}

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = calloc(1, REQUEST_BYTES / 2);

	assert(file != NULL && text != NULL);
	assert(fread(text, 1, REQUEST_BYTES / 2 - 1024, file) > 0);
	fclose(file);
	return text;
}

/* How long or how often. */
static void
set_end(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	if (*end == 'x') {
		load.count = (uint64_t)number;
	} else {
		load.end_us = now_us() + (int64_t)(number * 1e6);
	}
}

static void
read_ids(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t cap = 1024;

	assert(file != NULL);
	load.ids = calloc(cap, sizeof(*load.ids));
	load.count = 0;
	while (fscanf(file, "%36s", load.ids[load.count]) == 1) {
		if (++load.count == cap) {
			cap *= 2;
			load.ids = realloc(load.ids, cap * sizeof(*load.ids));
			assert(load.ids != NULL);
		}
	}
	assert(load.count > 0);
	fclose(file);
}

int
main(int argc, char **argv)
{
	pthread_t threads[256];
	int threads_n;

	if (argc != 9 && argc != 10) {
		fputs("usage: load HOST PORT PATH KEY BODY-FILE THREADS "
		      "SECONDS|COUNTx OUT-FILE [IDS-FILE]\n",
		      stderr);
		return 2;
	}
	load.host = argv[1];
	load.address.sin_family = AF_INET;
	load.address.sin_port = htons((uint16_t)atoi(argv[2]));
	assert(inet_pton(AF_INET, argv[1], &load.address.sin_addr) == 1);
	load.path = argv[3];
	load.key = argv[4];
	load.body = read_file(argv[5]);
	threads_n = atoi(argv[6]);
	assert(threads_n > 0 && threads_n <= 256);
	set_end(argv[7]);
	if (argc == 10) {
		read_ids(argv[9]);
	}
	load.out = fopen(argv[8], "w");
	assert(load.out != NULL);
	for (int i = 0; i < threads_n; i++) {
		assert(pthread_create(&threads[i], NULL, client_run, NULL) ==
		       0);
	}
	for (int i = 0; i < threads_n; i++) {
		pthread_join(threads[i], NULL);
	}
	assert(fclose(load.out) == 0);
	free(load.body);
	free(load.ids);
	return 0;
}
