#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/money.h"
#include "base/uuid.h"
#include "engine/call.h"
#include "engine/facts.h"
#include "engine/record.h"
#include "engine/report.h"
#include "engine/reserve.h"
#include "engine/retry.h"
#include "json/read.h"

struct engine *
engine_new(const struct config *config, struct spool *spool,
	   struct counter *counter)
{
	struct engine *engine = memory_get(sizeof(*engine));

	*engine = (struct engine){
		.config = config,
		.spool = spool,
		.counter = counter,
		.settings = {
			.fail_closed = config->fail_mode == CONFIG_FAIL_CLOSED,
			.unknown_per_mil = config_unknown_per_mil(config),
		},
	};
	return engine;
}

void
engine_free(struct engine *engine)
{
	free(engine);
}

struct engine_worker *
engine_worker_on(struct engine *engine, struct counter_worker *counter)
{
	struct engine_worker *worker = memory_get(sizeof(*worker));

	*worker = (struct engine_worker){
		.engine = engine,
		.scanner = pattern_scanner_new(),
		.counter = counter,
	};
	return worker;
}

struct engine_worker *
engine_worker_new(struct engine *engine)
{
	return engine_worker_on(engine,
				engine->counter != NULL
				    ? counter_worker_new(engine->counter)
				    : NULL);
}

void
engine_worker_free(struct engine_worker *worker)
{
	if (worker == NULL) {
		return;
	}
	pattern_scanner_free(worker->scanner);
	counter_worker_free(worker->counter);
	buf_fini(&worker->answer);
	buf_fini(&worker->record);
	buf_fini(&worker->scratch);
	buf_fini(&worker->note);
	free(worker);
}

/* --- a question before a call ---------------------------------------------- */

static void
make_violation_ids(struct call *call, struct outcome *o)
{
	const struct findings *findings = &o->decision->findings;
	struct outcome_id *ids =
	    arena_array(call->arena, findings->n, sizeof(*ids));

	for (size_t i = 0; i < findings->n; i++) {
		if (findings->items[i].kind == FINDING_VIOLATION) {
			uuid_make(o->now_us, ids[o->violations_n++].text);
		}
	}
	o->violation_ids = ids;
}

/* The decision on CTX, and what it takes. */
static void
decide_question(struct call *call, struct context *ctx,
		const struct retry *retry, const char *evaluation_id,
		struct reserve *reserve, struct decision *decision)
{
	const struct facts_sources sources = {
		.config = call->worker->engine->config,
		.snapshot = snapshot_data(call->snapshot),
		.key = call->request->key,
		.header_request_id = call->request->header_request_id,
		.now_us = call->request->now_us,
	};
	struct findings said;

	facts_settle(&call->body, &sources, call->arena, ctx, &said);
	if (retry->state == RETRY_UNKNOWN) {
		call_warn(call, &said, "retry_unknown",
			  "whether the request came before is not known; it "
			  "may be counted twice");
	}
	reserve_begin(reserve, call, ctx, evaluation_id);
	call_decide(call, ctx, reserve, decision);
	call_append(call, decision, &said);
}

/*
 * Store the record.  A call that is not in the ledger and may not go on so is
 * as if it had not been asked.
 */
static void
record_question(struct call *call, struct reserve *reserve,
		struct decision *decision, struct outcome *o)
{
	struct engine_worker *worker = call->worker;

	buf_reset(&worker->record);
	record_write(o, &worker->scratch, &worker->record);
	if (!call_store(call)) {
		o->unrecorded = true;
		decide_unrecorded(&worker->engine->settings, call->arena,
				  decision);
		if (decision->action == ACTION_BLOCK) {
			reserve_give_back(reserve);
			decision->taken = false;
			o->reservation = NULL;
		}
	}
	reserve_done(reserve);
}

static enum status
answer_question(struct call *call)
{
	struct reserve reserve;
	struct context ctx;
	struct decision decision;
	struct retry retry;
	struct outcome outcome = {
		.body = &call->body,
		.ctx = &ctx,
		.decision = &decision,
		.key_id = call_key_id(call),
		.revision = snapshot_data(call->snapshot)->revision,
		.now_us = call->request->now_us,
	};

	uuid_make(outcome.now_us, outcome.evaluation_id);
	enum status status = retry_begin(call, outcome.evaluation_id, &retry);
	if (status != STATUS_OK || retry.state == RETRY_AGAIN) {
		return status;
	}
	decide_question(call, &ctx, &retry, outcome.evaluation_id, &reserve,
			&decision);
	outcome.reservation = reserve_hold(&reserve, &decision);
	make_violation_ids(call, &outcome);
	outcome.took_us = clock_mono_us() - call->begun_us;
	record_question(call, &reserve, &decision, &outcome);
	call_count(&outcome);
	call_answer(call, &outcome,
		    decision.action == ACTION_BLOCK ? 403 : 200);
	retry_end(call, &retry, &outcome);
	return STATUS_OK;
}

enum status
engine_evaluate(struct engine_worker *worker, const struct snapshot *snapshot,
		const struct engine_request *request, struct arena *arena,
		struct engine_answer *out, struct err *err)
{
	struct call call = { .worker = worker,
			     .snapshot = snapshot,
			     .request = request,
			     .arena = arena,
			     .begun_us = clock_mono_us(),
			     .out = out,
			     .err = err };
	struct json_doc *doc;

	if (err != NULL) {
		err->items_n = 0;
	}
	enum status status =
	    json_doc_parse(request->body, request->body_n, &doc, err);
	if (status != STATUS_OK) {
		return status;
	}
	const struct json root = json_root(doc);
	call.root = &root;
	status = body_read(&root, arena, &call.body, err);
	if (status == STATUS_OK) {
		status = call.body.stage == STAGE_POST_EXECUTION
			     ? report_answer(&call)
			     : answer_question(&call);
	}
	json_doc_free(doc);
	return status;
}
