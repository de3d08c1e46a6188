/*
 * call: one request at work, and what deciding and reporting have in common.
 *
 * Of engine/ alone: evaluate.c makes it, reserve.c, retry.c and report.c have
 * their part of it.
 */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/decide.h"
#include "counter/counter.h"
#include "engine/body.h"
#include "engine/engine.h"
#include "engine/outcome.h"
#include "text/pattern.h"

struct engine {
	const struct config *config;
	struct spool *spool;	 /* NULL: nothing is recorded */
	struct counter *counter; /* NULL: nothing counts */
	struct decide_settings settings;
};

struct engine_worker {
	struct engine *engine;
	struct pattern_scanner *scanner;
	struct counter_worker *counter; /* NULL: nothing counts */
	struct buf answer, record, scratch, note;
};

struct call {
	struct engine_worker *worker;
	const struct snapshot *snapshot;
	const struct engine_request *request;
	struct arena *arena;
	const struct json *root; /* the request's document */
	struct body body;
	int64_t begun_us; /* of the monotonic clock */
	struct engine_answer *out;
	struct err *err;
};

/* The caller's key, as it stands in notes and in the ledger; NULL: none. */
const char *call_key_id(const struct call *call);

/* The request's time, grown by what has passed since: a deadline's clock. */
int64_t call_now_us(const struct call *call);

/* Ask core about CTX; SCAN and TAKE as in struct decide_ops. */
struct reserve;
void call_decide(struct call *call, const struct context *ctx,
		 struct reserve *reserve, struct decision *out);

/* A warning that is no policy's, in the call's arena; it may get details. */
struct finding *call_warn(struct call *call, struct findings *findings,
			  const char *type, const char *message);

/* MORE behind the findings of DECISION. */
void call_append(struct call *call, struct decision *decision,
		 const struct findings *more);

/* Store what is in the worker's record.  That it fails is logged by the spool,
 * once. */
bool call_store(struct call *call);

/* Count the decision in the metrics. */
void call_count(const struct outcome *outcome);

/* The answer of OUTCOME, with the headers of a decision. */
void call_answer(struct call *call, const struct outcome *outcome,
		 int http_status);

/* One more header; VALUE lives as long as the call's arena. */
void call_header(struct engine_answer *answer, const char *name,
		 const char *value);

#endif /* ENGINE_CALL_H */
