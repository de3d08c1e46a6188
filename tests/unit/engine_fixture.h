/*
 * engine_fixture: an engine with a spool of its own, one snapshot, and counters
 * in memory.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/board.h"
#include "counter/counter.h"
#include "engine/engine.h"

struct house {
	char path[32];
	struct config config;
	struct board *board;
	struct spool *spool;
	struct counter_memory *memory; /* NULL: nothing counts */
	struct counter *counter;
	struct engine *engine;
	struct engine_worker *worker;
	struct snapshot *snapshot;
	struct arena *arena;
	const struct api_key *key;     /* of who asks, NULL to begin with */
	const char *header_request_id; /* NULL to begin with */
	int64_t now_us;		       /* 1000 s to begin with */
	struct engine_answer answer;
	struct err err;
};

/* Where a test's time begins. */
#define HOUSE_BEGIN_US INT64_C(1000000000)

/* POLICIES and MORE are members of the source document, without braces and
 * with a comma before MORE; MORE may be "". */
struct house *house_build(const char *policies, const char *more, bool counts);
void house_free(struct house *h);

/* The same again, after the configuration was changed. */
void house_rebuild(struct house *h);

/* A worker of another process: the same counters; end by engine_worker_free. */
struct engine_worker *house_worker(struct house *h);

enum status house_ask(struct house *h, const char *body);

/* Ask, which must be answered with HTTP_STATUS. */
void house_must(struct house *h, const char *body, int http_status);

/*
 * BODY by N threads at once, each a worker of its own; STATUSES[i] is the HTTP
 * status of thread i's answer, or that of its error.
 */
void house_ask_at_once(struct house *h, const char *body, size_t n,
		       int *statuses);

/* Does the answer's body hold PART? */
bool house_says(const struct house *h, const char *part);

/* The answer's header, NULL where it is missing. */
const char *house_header(const struct house *h, const char *name);

/* All that is in the spool, behind what OUT holds. */
void house_spool(struct house *h, struct buf *out);

/* The value of the answer's string member NAME where it comes first. */
void house_member(const struct house *h, const char *name, char out[64]);

/*
 * The N-th (from 0) line of table LETTER in the spool, as columns in ARENA;
 * returns how many columns, 0: there is no such line.  NULL columns are "\\N".
 */
size_t house_line(struct house *h, char letter, size_t n, const char **columns,
		  size_t max);

/* How many lines of table LETTER the spool has. */
size_t house_lines_n(struct house *h, char letter);

#endif /* ENGINE_FIXTURE_H */
