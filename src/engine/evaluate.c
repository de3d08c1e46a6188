#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "base/money.h"
#include "base/uuid.h"
#include "core/decide.h"
#include "engine/answer.h"
#include "engine/body.h"
#include "engine/facts.h"
#include "engine/outcome.h"
#include "engine/record.h"
#include "engine/content_scan.h"
#include "json/read.h"

struct engine {
	const struct config *config;
	struct spool *spool;
	struct decide_settings settings;
};

struct engine_worker {
	struct engine *engine;
	struct pattern_scanner *scanner;
	struct buf answer, record, scratch;
};

struct engine *
engine_new(const struct config *config, struct spool *spool)
{
	struct engine *engine = memory_get(sizeof(*engine));
	int64_t per_mil;

	if (!money_parse(config->unknown_price_per_mil_tokens, &per_mil) ||
	    per_mil < 0) {
		/* dear rather than free */
		log_error("unknown_price_per_mil_tokens is no amount: %s",
			  config->unknown_price_per_mil_tokens);
		per_mil = 1000 * MONEY_ONE_USD;
	}
	*engine = (struct engine){
		.config = config,
		.spool = spool,
		.settings = {
			.fail_closed = config->fail_mode == CONFIG_FAIL_CLOSED,
			.unknown_per_mil = per_mil,
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
engine_worker_new(struct engine *engine)
{
	struct engine_worker *worker = memory_get(sizeof(*worker));

	*worker = (struct engine_worker){
		.engine = engine,
		.scanner = pattern_scanner_new(),
	};
	return worker;
}

void
engine_worker_free(struct engine_worker *worker)
{
	if (worker == NULL) {
		return;
	}
	pattern_scanner_free(worker->scanner);
	buf_fini(&worker->answer);
	buf_fini(&worker->record);
	buf_fini(&worker->scratch);
	free(worker);
}

/* --- one evaluation ------------------------------------------------------- */

/* What was said about facts comes behind what the policies found. */
static void
append_warnings(struct arena *arena, struct findings *to,
		const struct findings *more)
{
	if (more->n == 0) {
		return;
	}
	struct finding *all = arena_array(arena, to->n + more->n, sizeof(*all));
	if (to->n > 0) {
		memcpy(all, to->items, to->n * sizeof(*all));
	}
	memcpy(all + to->n, more->items, more->n * sizeof(*all));
	to->items = all;
	to->n += more->n;
	to->cap = to->n;
}

static void
decide_body(struct engine_worker *worker, const struct snapshot *snapshot,
	    const struct body *body, struct context *ctx, struct arena *arena,
	    struct decision *out)
{
	const struct snapshot_data *data = snapshot_data(snapshot);
	struct content_scan scan = { .scanner = worker->scanner,
				     .snapshot = snapshot,
				     .body = body };
	const struct decide_ops ops = { .scan = content_scan, .arg = &scan };
	const struct decide_world world = { .policies = &data->policies,
					    .catalogue = &data->catalogue };

	decide(&world, &worker->engine->settings, &ops, body->stage, ctx, arena,
	       out);
}

static void
make_ids(struct outcome *o, struct arena *arena)
{
	const struct findings *findings = &o->decision->findings;
	struct outcome_id *ids = arena_array(arena, findings->n, sizeof(*ids));

	uuid_make(o->now_us, o->evaluation_id);
	for (size_t i = 0; i < findings->n; i++) {
		if (findings->items[i].kind == FINDING_VIOLATION) {
			uuid_make(o->now_us, ids[o->violations_n++].text);
		}
	}
	o->violation_ids = ids;
}

/* Store the record.  That it fails is logged by the spool, once. */
static bool
store(struct engine_worker *worker, const struct outcome *o)
{
	struct spool *spool = worker->engine->spool;

	if (spool == NULL) {
		return true;
	}
	buf_reset(&worker->record);
	record_write(o, &worker->scratch, &worker->record);
	return record_store(spool, &worker->record, SPOOL_RECORD_MAX_BYTES,
			    NULL) == STATUS_OK;
}

/* Which policies could not be evaluated: index of the metric's label. */
static int
error_kind(const struct finding *f)
{
	enum { KIND_CONDITION, KIND_NOT_BUILT, KIND_UNAVAILABLE };

	if (strcmp(f->type, "not_evaluated") == 0) {
		return KIND_NOT_BUILT;
	}
	return strcmp(f->type, "condition_error") == 0 ? KIND_CONDITION
						       : KIND_UNAVAILABLE;
}

static void
count(const struct outcome *o)
{
	const struct findings *findings = &o->decision->findings;

	metric_add(METRIC_evaluations_total, (int)o->decision->action, 1);
	metric_observe(METRIC_evaluation_seconds, o->took_us);
	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->items[i];

		if (f->kind == FINDING_VIOLATION) {
			metric_add(METRIC_violations_total,
				   (int)f->policy->severity, 1);
		} else if (f->kind == FINDING_UNKNOWN) {
			metric_add(METRIC_policy_errors_total, error_kind(f),
				   1);
		}
	}
}

static void
answer(struct engine_worker *worker, const struct outcome *o,
       struct arena *arena, struct engine_answer *out)
{
	enum action action = o->decision->action;

	buf_reset(&worker->answer);
	answer_write(o, &worker->answer);
	*out = (struct engine_answer){
		.http_status = action == ACTION_BLOCK ? 403 : 200,
		.body = &worker->answer,
	};
	out->headers[out->headers_n++] =
	    (struct engine_header){ "X-Policy-Decision", action_words[action] };
	out->headers[out->headers_n++] =
	    (struct engine_header){ "X-Policy-Revision",
				    arena_printf(arena, "%lld",
						 (long long)o->revision) };
}

enum status
engine_evaluate(struct engine_worker *worker, const struct snapshot *snapshot,
		const struct engine_request *request, struct arena *arena,
		struct engine_answer *out, struct err *err)
{
	int64_t begun_us = clock_mono_us();
	const struct snapshot_data *data = snapshot_data(snapshot);
	struct json_doc *doc;
	struct body body;
	struct context ctx;
	struct findings said;
	struct decision decision;

	if (err != NULL) {
		err->items_n = 0;
	}
	enum status status =
	    json_doc_parse(request->body, request->body_n, &doc, err);
	if (status != STATUS_OK) {
		return status;
	}
	const struct json root = json_root(doc);
	status = body_read(&root, arena, &body, err);
	if (status != STATUS_OK) {
		goto out;
	}
	const struct facts_sources sources = {
		.config = worker->engine->config,
		.snapshot = data,
		.key = request->key,
		.header_request_id = request->header_request_id,
		.now_us = request->now_us,
	};
	facts_settle(&body, &sources, arena, &ctx, &said);
	decide_body(worker, snapshot, &body, &ctx, arena, &decision);
	append_warnings(arena, &decision.findings, &said);

	struct outcome outcome = { .body = &body,
				   .ctx = &ctx,
				   .decision = &decision,
				   .revision = data->revision,
				   .now_us = request->now_us };
	make_ids(&outcome, arena);
	outcome.took_us = clock_mono_us() - begun_us;
	if (!store(worker, &outcome)) {
		outcome.unrecorded = true;
		decide_unrecorded(&worker->engine->settings, arena, &decision);
	}
	count(&outcome);
	answer(worker, &outcome, arena, out);
out:
	json_doc_free(doc);
	return status;
}
