#include "engine/answer.h"

#include "base/money.h"
#include "core/decide.h"
#include "engine/limits.h"

/* --- parts ---------------------------------------------------------------- */

static void
put_money(struct json_writer *w, const char *key, int64_t nanousd)
{
	json_key(w, key);
	if (nanousd == MONEY_UNKNOWN) {
		json_put_null(w);
	} else {
		json_put_money(w, nanousd);
	}
}

static void
put_text(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	if (text == NULL) {
		json_put_null(w);
	} else {
		json_put_string(w, text);
	}
}

static void
put_texts(struct json_writer *w, const char *const *texts, size_t n)
{
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) {
		json_put_string(w, texts[i]);
	}
	json_array_finish(w);
}

static void
put_models(struct json_writer *w, const struct model *const *models, size_t n)
{
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) {
		json_object_begin(w);
		json_member(w, "model_id", models[i]->model_id);
		json_member(w, "vendor_id", models[i]->vendor_id);
		put_money(w, "mean_price_per_mil_tokens",
			  model_mean_per_mil(models[i]));
		json_object_finish(w);
	}
	json_array_finish(w);
}

/* Which item of the policy's list it was, and where; never the text. */
static void
put_hits(struct json_writer *w, const struct content_hit *hits, size_t n)
{
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) {
		bool keyword = hits[i].key == CONSTRAINT_blocked_keywords;

		json_object_begin(w);
		json_member(w, "kind", keyword ? "keyword" : "pattern");
		json_member_int(w, "item", hits[i].item);
		json_member(w, "pointer", hits[i].pointer);
		json_member_int(w, "start", (int64_t)hits[i].start);
		json_member_int(w, "end", (int64_t)hits[i].end);
		json_object_finish(w);
	}
	json_array_finish(w);
}

static void
put_detail(struct json_writer *w, const struct detail *d)
{
	switch (d->type) {
	case DETAIL_TEXT:
		put_text(w, d->name, d->value.text);
		return;
	case DETAIL_COUNT:
		json_member_int(w, d->name, d->value.number);
		return;
	case DETAIL_MONEY:
		put_money(w, d->name, d->value.number);
		return;
	case DETAIL_TIME:
		json_key(w, d->name);
		json_put_time(w, d->value.number);
		return;
	case DETAIL_RATIO:
		json_key(w, d->name);
		json_put_double(w, d->value.ratio);
		return;
	case DETAIL_FLAG:
		json_member_bool(w, d->name, d->value.flag);
		return;
	case DETAIL_TEXTS:
		json_key(w, d->name);
		put_texts(w, d->value.texts, d->n);
		return;
	case DETAIL_MODELS:
		json_key(w, d->name);
		put_models(w, d->value.models, d->n);
		return;
	case DETAIL_HITS:
		json_key(w, d->name);
		put_hits(w, d->value.hits, d->n);
		return;
	}
}

void
answer_details(struct json_writer *w, const struct finding *f)
{
	json_object_begin(w);
	for (size_t i = 0; i < f->details_n; i++) {
		put_detail(w, &f->details[i]);
	}
	json_object_finish(w);
}

/* Real shadow is the policy's mode; another excuse has a word of its own. */
static void
put_mode(struct json_writer *w, const struct finding *f)
{
	json_member(w, "mode", mode_words[f->policy->mode]);
	if (f->policy->mode != MODE_SHADOW) {
		json_member(w, "excused", f->excused);
	}
}

static void
put_warning(struct json_writer *w, const struct finding *f)
{
	json_object_begin(w);
	if (f->policy != NULL) {
		json_member(w, "policy_id", f->policy->policy_id);
		json_member(w, "policy_name", f->policy->name);
	}
	json_member(w, "type", f->type);
	json_member(w, "message", f->message);
	if (f->kind == FINDING_UNKNOWN) {
		json_member(w, "action", action_words[f->action]);
	}
	if (f->policy != NULL) {
		put_mode(w, f);
	}
	json_key(w, "details");
	answer_details(w, f);
	json_object_finish(w);
}

static void
put_violation(struct json_writer *w, const struct outcome *o,
	      const struct finding *f, const struct outcome_id *id)
{
	json_object_begin(w);
	json_member(w, "violation_id", id->text);
	put_text(w, "policy_id", f->policy->policy_id);
	put_text(w, "policy_name", f->policy->name);
	json_member(w, "category", category_words[f->policy->category]);
	json_member(w, "violation_type", f->type);
	json_member(w, "severity", severity_words[f->policy->severity]);
	json_member(w, "action", action_words[f->action]);
	put_mode(w, f);
	json_member(w, "message", f->message);
	json_key(w, "details");
	answer_details(w, f);
	json_key(w, "timestamp");
	json_put_time(w, o->now_us);
	json_object_finish(w);
}

/* --- the decision --------------------------------------------------------- */

static void
put_findings(struct json_writer *w, const struct outcome *o)
{
	const struct findings *findings = &o->decision->findings;
	const struct outcome_id *id = o->violation_ids;

	json_key(w, "violations");
	json_array_begin(w);
	for (size_t i = 0; i < findings->n; i++) {
		if (findings->items[i].kind == FINDING_VIOLATION) {
			put_violation(w, o, &findings->items[i], id++);
		}
	}
	json_array_finish(w);
	json_key(w, "warnings");
	json_array_begin(w);
	for (size_t i = 0; i < findings->n; i++) {
		if (findings->items[i].kind != FINDING_VIOLATION) {
			put_warning(w, &findings->items[i]);
		}
	}
	json_array_finish(w);
}

static void
put_fallback(struct json_writer *w, const struct decision *d)
{
	json_key(w, "fallback");
	if (d->action != ACTION_DEGRADE || d->chain_n == 0) {
		json_put_null(w);
		json_key(w, "fallback_chain");
		put_texts(w, NULL, 0);
		return;
	}
	const struct fallback *first = &d->chain[0];
	int64_t asked = d->estimate.cost_nanousd;
	int64_t cost = first->estimate.cost_nanousd;

	json_object_begin(w);
	json_member(w, "model_id", first->model->model_id);
	json_member(w, "vendor_id", first->model->vendor_id);
	put_text(w, "region",
		 first->region != NULL ? first->region->name : NULL);
	put_money(w, "estimated_cost", cost);
	json_key(w, "cost_saved");
	if (asked == MONEY_UNKNOWN || cost == MONEY_UNKNOWN) {
		json_put_null(w);
	} else {
		json_put_money(w, asked - cost);
	}
	json_object_finish(w);

	json_key(w, "fallback_chain");
	json_array_begin(w);
	for (size_t i = 0; i < d->chain_n; i++) {
		json_put_string(w, d->chain[i].model->model_id);
	}
	json_array_finish(w);
}

static const struct finding *
winner(const struct decision *d)
{
	return d->winner < d->findings.n ? &d->findings.items[d->winner] : NULL;
}

/* What a person is told: the winning policy's own words, else the engine's. */
static void
put_message(struct json_writer *w, const struct decision *d)
{
	const struct finding *f = winner(d);

	if (f == NULL) {
		return;
	}
	const struct policy *policy = f->policy;
	bool own = policy != NULL && policy->message != NULL;
	json_member(w, "message", own ? policy->message : f->message);
	json_member(w, "help_url", policy != NULL ? policy->help_url : NULL);
}

/* --- the explanation ------------------------------------------------------ */

static void
put_fact(struct json_writer *w, enum fact_id id, const struct fact *fact)
{
	json_key(w, fact_name(id));
	json_object_begin(w);
	json_key(w, "value");
	switch (fact_type(id)) {
	case FACT_TYPE_TEXT:
		json_put_string(w, fact->value.text);
		break;
	case FACT_TYPE_COUNT:
		json_put_int(w, fact->value.number);
		break;
	case FACT_TYPE_MONEY:
		json_put_money(w, fact->value.number);
		break;
	case FACT_TYPE_RATIO:
		json_put_double(w, fact->value.ratio);
		break;
	case FACT_TYPE_FLAG:
		json_put_bool(w, fact->value.flag);
		break;
	}
	json_member(w, "source", fact_source_name(fact->source));
	json_object_finish(w);
}

static void
put_facts(struct json_writer *w, const struct context *ctx)
{
	json_key(w, "facts");
	json_object_begin(w);
	for (int id = 0; id < FACT_N; id++) {
		if (ctx->facts[id].source != SOURCE_MISSING) {
			put_fact(w, (enum fact_id)id, &ctx->facts[id]);
		}
	}
	json_object_finish(w);
}

/* Findings are in the order of policies; those before *AT are told. */
static void
put_execution(struct json_writer *w, const struct findings *findings,
	      const struct execution *execution, size_t *at)
{
	const struct policy *policy = execution->policy;

	json_object_begin(w);
	json_member(w, "policy_id", policy->policy_id);
	json_member(w, "policy_name", policy->name);
	json_member_int(w, "policy_version", policy->version);
	json_member(w, "mode", mode_words[policy->mode]);
	json_member(w, "result", execution_words[execution->result]);
	json_key(w, "why");
	json_array_begin(w);
	for (; *at < findings->n && findings->items[*at].policy == policy;
	     (*at)++) {
		json_put_string(w, findings->items[*at].type);
	}
	json_array_finish(w);
	json_object_finish(w);
}

static void
put_executions(struct json_writer *w, const struct decision *d)
{
	size_t at = 0;

	json_key(w, "policies");
	json_array_begin(w);
	for (size_t i = 0; i < d->executions_n; i++) {
		put_execution(w, &d->findings, &d->executions[i], &at);
	}
	json_array_finish(w);
}

static void
put_winner(struct json_writer *w, const struct decision *d)
{
	const struct finding *f = winner(d);

	json_key(w, "winner");
	if (f == NULL) {
		json_put_null(w);
		return;
	}
	json_object_begin(w);
	json_member(w, "policy_id",
		    f->policy != NULL ? f->policy->policy_id : NULL);
	json_member(w, "policy_name",
		    f->policy != NULL ? f->policy->name : NULL);
	json_member(w, "type", f->type);
	json_member(w, "action", action_words[d->action]);
	json_object_finish(w);
}

static void
put_estimate(struct json_writer *w, const char *key, const struct estimate *e)
{
	/* by enum estimate_basis */
	static const char *const words[] = { "given", "input_and_output",
					     "total_tokens", "maximum_output",
					     "unknown_price" };

	json_key(w, key);
	json_object_begin(w);
	json_member(w, "basis", words[e->basis]);
	put_money(w, "cost", e->cost_nanousd);
	json_member_int(w, "input_tokens", e->input_tokens);
	json_member_int(w, "total_tokens", e->total_tokens);
	json_object_finish(w);
}

static void
put_explanation(struct json_writer *w, const struct outcome *o)
{
	const struct decision *d = o->decision;

	json_key(w, "explanation");
	json_object_begin(w);
	put_facts(w, o->ctx);
	put_executions(w, d);
	put_winner(w, d);
	put_estimate(w, "estimate", &d->estimate);
	put_estimate(w, "final_estimate", &d->final_estimate);
	json_key(w, "ignored_fields");
	put_texts(w, o->body->ignored, o->body->ignored_n);
	json_object_finish(w);
}

/* --- money and limits ------------------------------------------------------ */

static void
put_reservation(struct json_writer *w, const struct reservation *r)
{
	json_key(w, "reservation");
	if (r == NULL) {
		json_put_null(w);
		return;
	}
	json_object_begin(w);
	json_member(w, "id", r->evaluation_id);
	json_member_money(w, "amount", r->cost_nanousd);
	json_member_int(w, "tokens", r->tokens);
	json_key(w, "expires_at");
	json_put_time(w, r->expires_us);
	json_object_finish(w);
}

static void
put_settlement(struct json_writer *w, const struct settlement *s)
{
	json_key(w, "settlement");
	json_object_begin(w);
	json_member(w, "status", s->pending ? "pending" : "settled");
	json_member(w, "id", s->id);
	if (!s->pending) {
		json_member_money(w, "amount", s->cost_nanousd);
		json_member_money(w, "reserved", s->reserved_nanousd);
		json_member_money(w, "overrun", s->overrun_nanousd);
		json_member_bool(w, "already_settled", s->already);
		json_member_bool(w, "late", s->late);
	}
	json_object_finish(w);
}

/* --- the whole ------------------------------------------------------------ */

void
answer_write(const struct outcome *o, struct buf *out)
{
	const struct decision *d = o->decision;
	struct json_writer writer, *w = &writer;

	json_write_init(w, out);
	json_object_begin(w);
	json_member(w, "decision", action_words[d->action]);
	json_member_bool(w, "passed", d->passed);
	json_member(w, "evaluation_id", o->evaluation_id);
	put_text(w, "correlation_id",
		 context_text(o->ctx, FACT_correlation_id));
	put_findings(w, o);
	put_fallback(w, d);
	put_message(w, d);
	json_member(w, "durability", o->unrecorded ? "degraded" : "async");
	put_reservation(w, o->reservation);
	json_key(w, "limits");
	limits_write(w, d);
	if (o->settlement != NULL) {
		put_settlement(w, o->settlement);
	}
	json_member_int(w, "policies_evaluated", (int64_t)d->executions_n);
	json_member_int(w, "policy_revision", o->revision);
	json_member_int(w, "evaluation_time_ms", o->took_us / 1000);
	json_member_int(w, "evaluation_time_us", o->took_us);
	if (o->body->explain == EXPLAIN_FULL) {
		put_explanation(w, o);
	}
	json_object_finish(w);
	json_write_end(w);
}

void
answer_write_pending(const char *id, const struct settlement *settlement,
		     struct buf *out)
{
	struct json_writer writer, *w = &writer;

	json_write_init(w, out);
	json_object_begin(w);
	json_member(w, "evaluation_id", id);
	put_settlement(w, settlement);
	json_object_finish(w);
	json_write_end(w);
}
