#include "engine/call.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/metric.h"
#include "core/finding.h"
#include "engine/answer.h"
#include "engine/content_scan.h"
#include "engine/limits.h"
#include "engine/record.h"
#include "engine/reserve.h"

const char *
call_key_id(const struct call *call)
{
	return call->request->key != NULL ? call->request->key->key_id : NULL;
}

int64_t
call_now_us(const struct call *call)
{
	return call->request->now_us + clock_mono_us() - call->begun_us;
}

/* What core asks of the outside, in one argument. */
struct questions {
	struct content_scan scan;
	struct reserve *reserve;
};

static bool
ask_scan(void *arg, struct arena *arena, const struct content_hit **hits,
	 size_t *hits_n, const char **why)
{
	struct questions *questions = arg;

	return content_scan(&questions->scan, arena, hits, hits_n, why);
}

static bool
ask_take(void *arg, const struct charge_model *model,
	 const struct charge *charges, size_t n, struct charged *out)
{
	struct questions *questions = arg;

	return reserve_take(questions->reserve, model, charges, n, out);
}

void
call_decide(struct call *call, const struct context *ctx,
	    struct reserve *reserve, struct decision *out)
{
	const struct engine_worker *worker = call->worker;
	const struct snapshot_data *data = snapshot_data(call->snapshot);
	struct questions questions = { .scan = { .scanner = worker->scanner,
						 .snapshot = call->snapshot,
						 .body = &call->body },
				       .reserve = reserve };
	const bool counts = reserve != NULL && worker->counter != NULL;
	const struct decide_ops ops = { .scan = ask_scan,
					.take = counts ? ask_take : NULL,
					.arg = &questions };
	const struct decide_world world = { .policies = &data->policies,
					    .catalogue = &data->catalogue };

	decide(&world, &worker->engine->settings, &ops, call->body.stage, ctx,
	       call->arena, out);
}

struct finding *
call_warn(struct call *call, struct findings *findings, const char *type,
	  const char *message)
{
	const struct finding_of nobodys = { .key = CONSTRAINT_N };

	return finding_add(findings, call->arena, &nobodys, FINDING_WARNING,
			   type, message);
}

void
call_append(struct call *call, struct decision *decision,
	    const struct findings *more)
{
	struct findings *to = &decision->findings;

	if (more->n == 0) {
		return;
	}
	struct finding *all =
	    arena_array(call->arena, to->n + more->n, sizeof(*all));
	if (to->n > 0) {
		memcpy(all, to->items, to->n * sizeof(*all));
	}
	memcpy(all + to->n, more->items, more->n * sizeof(*all));
	to->items = all;
	to->n += more->n;
	to->cap = to->n;
}

bool
call_store(struct call *call)
{
	struct spool *spool = call->worker->engine->spool;

	return spool == NULL ||
	       record_store(spool, &call->worker->record,
			    SPOOL_RECORD_MAX_BYTES, NULL) == STATUS_OK;
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

void
call_count(const struct outcome *o)
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

void
call_header(struct engine_answer *answer, const char *name, const char *value)
{
	assert(answer->headers_n < ENGINE_HEADERS);
	answer->headers[answer->headers_n++] =
	    (struct engine_header){ name, value };
}

void
call_answer(struct call *call, const struct outcome *o, int http_status)
{
	const struct decision *d = o->decision;
	const struct limits_headers limits =
	    limits_headers(d, o->now_us, call->arena);
	int64_t retry_after = limits_retry_after(d, o->now_us);
	struct buf *body = &call->worker->answer;
	struct engine_answer *out = call->out;

	buf_reset(body);
	answer_write(o, body);
	*out =
	    (struct engine_answer){ .http_status = http_status, .body = body };
	call_header(out, "X-Policy-Decision", action_words[d->action]);
	call_header(out, "X-Policy-Revision",
		    arena_printf(call->arena, "%lld", (long long)o->revision));
	if (limits.policy != NULL) {
		call_header(out, "RateLimit-Policy", limits.policy);
		call_header(out, "RateLimit", limits.limit);
	}
	if (retry_after >= 0) {
		call_header(
		    out, "Retry-After",
		    arena_printf(call->arena, "%lld", (long long)retry_after));
	}
}
