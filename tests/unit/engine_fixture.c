#include "engine_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/spool_reader.h"

static struct counter_worker *
counter_worker(struct house *h)
{
	return h->counter == NULL
		   ? NULL
		   : counter_worker_on(h->counter,
				       counter_memory_store(h->memory));
}

static void
start(struct house *h)
{
	h->engine = engine_new(&h->config, h->spool, h->counter);
	h->worker = engine_worker_on(h->engine, counter_worker(h));
}

struct house *
house_build(const char *policies, const char *more, bool counts)
{
	struct house *h = calloc(1, sizeof(*h));
	static char source[65536];

	assert_non_null(h);
	strcpy(h->path, "/tmp/test_engine.XXXXXX");
	assert_non_null(mkdtemp(h->path));
	config_default(&h->config);
	strcpy(h->config.state_dir, h->path);
	assert_int_equal(board_open(h->path, &h->board, &h->err), STATUS_OK);
	assert_int_equal(spool_open(&h->config, h->board, &h->spool, &h->err),
			 STATUS_OK);
	int n =
	    snprintf(source, sizeof(source),
		     "{\"revision\":7,\"policies\":[%s]%s}", policies, more);
	assert_true(n > 0 && (size_t)n < sizeof(source));
	if (snapshot_compile(source, strlen(source), 1, &h->snapshot,
			     &h->err) != STATUS_OK) {
		fail_msg("%s: %s", h->err.items[0].pointer, h->err.text);
	}
	if (counts) {
		h->memory = counter_memory_new();
		struct counter_store *store = counter_memory_store(h->memory);
		assert_int_equal(store->type->begin(store, 1, &h->err),
				 STATUS_OK);
		counter_store_free(store);
		assert_int_equal(
		    counter_open(&h->config, h->board, &h->counter, &h->err),
		    STATUS_OK);
	}
	h->now_us = HOUSE_BEGIN_US;
	h->arena = arena_new(16384);
	start(h);
	return h;
}

void
house_rebuild(struct house *h)
{
	engine_worker_free(h->worker);
	engine_free(h->engine);
	start(h);
}

struct engine_worker *
house_worker(struct house *h)
{
	return engine_worker_on(h->engine, counter_worker(h));
}

void
house_free(struct house *h)
{
	char command[64];

	engine_worker_free(h->worker);
	engine_free(h->engine);
	counter_close(h->counter);
	if (h->memory != NULL) {
		counter_memory_free(h->memory);
	}
	spool_close(h->spool);
	snapshot_unref(h->snapshot);
	arena_free(h->arena);
	snprintf(command, sizeof(command), "rm -rf %s", h->path);
	assert_int_equal(system(command), 0);
	free(h);
}

enum status
house_ask(struct house *h, const char *body)
{
	const struct engine_request request = {
		.body = body,
		.body_n = strlen(body),
		.key = h->key,
		.header_request_id = h->header_request_id,
		.now_us = h->now_us,
	};

	return engine_evaluate(h->worker, h->snapshot, &request, h->arena,
			       &h->answer, &h->err);
}

void
house_must(struct house *h, const char *body, int http_status)
{
	if (house_ask(h, body) != STATUS_OK) {
		fail_msg("%s: %s %s", body, status_name(h->err.status),
			 h->err.text);
	}
	if (h->answer.http_status != http_status) {
		fail_msg("%s: %d: %s", body, h->answer.http_status,
			 buf_text(h->answer.body));
	}
}

struct asking {
	struct house *h;
	const char *body;
	pthread_t thread;
	pthread_barrier_t *start;
	struct engine_worker *worker;
	int status;
};

static void *
ask_once(void *arg)
{
	struct asking *asking = arg;
	const struct house *h = asking->h;
	struct arena *arena = arena_new(16384);
	struct engine_answer answer;
	struct err err;
	const struct engine_request request = {
		.body = asking->body,
		.body_n = strlen(asking->body),
		.key = h->key,
		.now_us = h->now_us,
	};

	(void)pthread_barrier_wait(asking->start);
	enum status status = engine_evaluate(asking->worker, h->snapshot,
					     &request, arena, &answer, &err);
	asking->status =
	    status == STATUS_OK ? answer.http_status : status_http(status);
	arena_free(arena);
	return NULL;
}

void
house_ask_at_once(struct house *h, const char *body, size_t n, int *statuses)
{
	enum { MANY = 16 };
	struct asking asking[MANY];
	pthread_barrier_t start;

	assert_true(n <= MANY);
	assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)n), 0);
	for (size_t i = 0; i < n; i++) {
		asking[i] = (struct asking){ .h = h,
					     .body = body,
					     .start = &start,
					     .worker = house_worker(h) };
		assert_int_equal(pthread_create(&asking[i].thread, NULL,
						ask_once, &asking[i]),
				 0);
	}
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pthread_join(asking[i].thread, NULL), 0);
		statuses[i] = asking[i].status;
		engine_worker_free(asking[i].worker);
	}
	assert_int_equal(pthread_barrier_destroy(&start), 0);
}

bool
house_says(const struct house *h, const char *part)
{
	return strstr(buf_text(h->answer.body), part) != NULL;
}

const char *
house_header(const struct house *h, const char *name)
{
	for (size_t i = 0; i < h->answer.headers_n; i++) {
		if (strcmp(h->answer.headers[i].name, name) == 0) {
			return h->answer.headers[i].value;
		}
	}
	return NULL;
}

void
house_spool(struct house *h, struct buf *out)
{
	struct spool_reader *reader;
	struct spool_place at = { 0 };
	size_t n;

	assert_int_equal(
	    spool_reader_open(&h->config, h->board, &reader, &h->err),
	    STATUS_OK);
	assert_int_equal(
	    spool_reader_read(reader, at, 1 << 20, out, &n, &at, &h->err),
	    STATUS_OK);
	spool_reader_close(reader);
}

void
house_member(const struct house *h, const char *name, char out[64])
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":\"", name);
	const char *at = strstr(buf_text(h->answer.body), key);
	assert_non_null(at);
	at += strlen(key);
	size_t n = strcspn(at, "\"");
	assert_true(n < 64);
	memcpy(out, at, n);
	out[n] = '\0';
}

static size_t
split(char *line, const char **columns, size_t max)
{
	size_t n = 0;

	for (char *at = line; at != NULL && n < max; n++) {
		columns[n] = at;
		at = strchr(at, '\t');
		if (at != NULL) {
			*at++ = '\0';
		}
	}
	return n;
}

size_t
house_line(struct house *h, char letter, size_t n, const char **columns,
	   size_t max)
{
	struct buf spool = { 0 };
	size_t found = 0;

	house_spool(h, &spool);
	char *text = arena_strdup(h->arena, buf_text(&spool));
	buf_fini(&spool);
	for (char *line = strtok(text, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		if (line[0] == letter && found++ == n) {
			return split(line + 1, columns, max);
		}
	}
	return 0;
}

size_t
house_lines_n(struct house *h, char letter)
{
	const char *columns[64];
	size_t n = 0;

	while (house_line(h, letter, n, columns, 64) > 0) {
		n++;
	}
	return n;
}
