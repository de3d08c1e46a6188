/*
 * engine: one evaluation, from a body and a key to an answer and a record.
 *
 *	body -> facts (whose word counts) -> core/decide -> record -> answer
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
#include "policy/snapshot.h"
#include "record/spool.h"

struct engine;	      /* shared by all threads, immutable */
struct engine_worker; /* a thread's own: scanner, buffers */

/* CONFIG and SPOOL are borrowed; SPOOL NULL: nothing is recorded (tests). */
struct engine *engine_new(const struct config *config, struct spool *spool);
void engine_free(struct engine *engine);
struct engine_worker *engine_worker_new(struct engine *engine);
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
	int http_status; /* 200, 403 */
	struct buf *body;
	struct engine_header headers[ENGINE_HEADERS];
	size_t headers_n;
};

/**
 * engine_evaluate(worker, snapshot, request, arena, out, err):
 * Decide, record, answer.
 *
 * Takes:   SNAPSHOT, held by the caller until the answer is sent.
 * Gives:   OUT; its body belongs to WORKER until the next call on it.
 * Errors:  STATUS_JSON, STATUS_BODY with pointers; STATUS_NOT_IMPLEMENTED for
 *          a stage whose issue is not done.  Nothing is recorded then.
 */
enum status engine_evaluate(struct engine_worker *worker,
			    const struct snapshot *snapshot,
			    const struct engine_request *request,
			    struct arena *arena, struct engine_answer *out,
			    struct err *err) MUST_CHECK;

#endif /* ENGINE_ENGINE_H */
