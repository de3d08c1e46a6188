/*
 * engine: one evaluation, from a body and a key to an answer and a record.
 *
 *	body -> facts (whose word counts) -> core/decide -> record -> answer
 *	report -> its reservation -> settled -> core/decide -> record -> answer
 *
 * Used by the handlers, later by gateways, simulate and the command line.
 * Knows no HTTP beyond the status and the headers that a decision has.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/status.h"
#include "counter/counter.h"
#include "policy/snapshot.h"
#include "record/spool.h"

struct engine;	      /* shared by all threads, immutable */
struct engine_worker; /* a thread's own: scanner, buffers */

/* All are borrowed.  SPOOL NULL: nothing is recorded, COUNTER NULL: nothing
 * counts, so that no counter is known (tests, tools). */
struct engine *engine_new(const struct config *config, struct spool *spool,
			  struct counter *counter);
void engine_free(struct engine *engine);
struct engine_worker *engine_worker_new(struct engine *engine);
/* For tests: COUNTER, which is the worker's from now on, or NULL. */
struct engine_worker *engine_worker_on(struct engine *engine,
				       struct counter_worker *counter);
void engine_worker_free(struct engine_worker *worker);

struct engine_request {
	const char *body; /* [body_n], NUL behind it */
	size_t body_n;
	const struct api_key *key;     /* the caller's; NULL: none (tools) */
	const char *header_request_id; /* X-Request-ID, or NULL */
	int64_t now_us;		       /* CLOCK_REALTIME */
};

struct engine_header {
	const char *name, *value;
};

enum { ENGINE_HEADERS = 8 };

struct engine_answer {
	int http_status; /* 200, 202, 403 */
	struct buf *body;
	struct engine_header headers[ENGINE_HEADERS];
	size_t headers_n;
};

/**
 * engine_evaluate(worker, snapshot, request, arena, out, err):
 * Decide about a call and reserve what it may cost, or settle its report;
 * record, answer.
 *
 * Takes:   SNAPSHOT, held by the caller until the answer is sent.
 * Gives:   OUT; its body belongs to WORKER until the next call on it.
 * Errors:  STATUS_JSON, STATUS_BODY with pointers; STATUS_NOT_IMPLEMENTED for
 *          a stage whose issue is not done; STATUS_CONFLICT: the request_id
 *          came with another body, or the call was reported otherwise;
 *          STATUS_BUSY: the same is being answered now; of a report also
 *          STATUS_NOT_FOUND, STATUS_FORBIDDEN, and STATUS_FULL, STATUS_IO
 *          where it cannot be stored.  Nothing is recorded then.
 */
enum status engine_evaluate(struct engine_worker *worker,
			    const struct snapshot *snapshot,
			    const struct engine_request *request,
			    struct arena *arena, struct engine_answer *out,
			    struct err *err) MUST_CHECK;

#endif /* ENGINE_ENGINE_H */
