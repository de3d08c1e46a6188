#include "engine/record.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/money.h"
#include "engine/answer.h"
#include "engine/usage.h"
#include "record/row.h"

/* --- JSON columns --------------------------------------------------------- */

/*
 * What each policy came to, as an array of integers: the version's number in
 * policy_versions by eight, plus the result.  The view policy_executions makes
 * words of it; as words it would be most of a record.
 */
static void
executions_column(struct row *row, const struct outcome *o, struct buf *scratch)
{
	const struct decision *d = o->decision;

	buf_reset(scratch);
	for (size_t i = 0; i < d->executions_n; i++) {
		const struct execution *e = &d->executions[i];
		int64_t version_id = e->policy->version_id;

		buf_addc(scratch, i == 0 ? '{' : ',');
		buf_addi(scratch, version_id * 8 + (int64_t)e->result);
	}
	buf_adds(scratch, d->executions_n == 0 ? "{}" : "}");
	row_text(row, buf_text(scratch));
}

/* A warning without the words that follow from its type and its policy. */
static void
put_warning(struct json_writer *w, const struct finding *f)
{
	json_object_begin(w);
	if (f->policy != NULL) {
		json_member(w, "policy_name", f->policy->name);
	}
	json_member(w, "type", f->type);
	if (f->kind == FINDING_UNKNOWN && f->action == ACTION_BLOCK) {
		json_member(w, "action", action_words[f->action]);
	}
	json_key(w, "details");
	answer_details(w, f);
	json_object_finish(w);
}

static void
warnings_column(struct row *row, const struct outcome *o, struct buf *scratch)
{
	const struct findings *findings = &o->decision->findings;
	struct json_writer w;

	buf_reset(scratch);
	json_write_init(&w, scratch);
	json_array_begin(&w);
	for (size_t i = 0; i < findings->n; i++) {
		if (scratch->len > RECORD_LIST_MAX_BYTES) {
			break;
		}
		if (findings->items[i].kind != FINDING_VIOLATION) {
			put_warning(&w, &findings->items[i]);
		}
	}
	json_array_finish(&w);
	json_write_end(&w);
	row_text(row, buf_text(scratch));
}

static void
put_tags(struct json_writer *w, const struct context *ctx)
{
	if (ctx->tags_n == 0) {
		return;
	}
	json_key(w, "tags");
	json_object_begin(w);
	for (size_t i = 0; i < ctx->tags_n; i++) {
		const struct tag *tag = &ctx->tags[i];

		json_key(w, tag->name);
		switch (tag->type) {
		case FACT_TYPE_TEXT:
			json_put_string(w, tag->value.text);
			break;
		case FACT_TYPE_FLAG:
			json_put_bool(w, tag->value.flag);
			break;
		default:
			json_put_double(w, tag->value.ratio);
			break;
		}
	}
	json_object_finish(w);
}

static void
put_requires(struct json_writer *w, const struct requirements *requires)
{
	json_key(w, "requires");
	json_object_begin(w);
	if ((requires->features & FEATURE_FUNCTION_CALLING) != 0) {
		json_member_bool(w, "function_calling", true);
	}
	if ((requires->features & FEATURE_VISION) != 0) {
		json_member_bool(w, "vision", true);
	}
	if ((requires->features & FEATURE_REASONING) != 0) {
		json_member_bool(w, "reasoning", true);
	}
	if (requires->context_tokens > 0) {
		json_member_int(w, "context_tokens", requires->context_tokens);
	}
	json_object_finish(w);
}

/* Is it worth saying whose word a fact is?  Not where it is the caller's or
 * could be nobody else's. */
static bool
source_tells(enum fact_source source)
{
	return source != SOURCE_MISSING && source != SOURCE_BODY &&
	       source != SOURCE_COMPUTED;
}

void
record_facts(struct json_writer *w, const struct context *ctx)
{
	const struct fact *facts = ctx->facts;

	json_key(w, "sources");
	json_object_begin(w);
	for (int id = 0; id < FACT_N; id++) {
		if (source_tells(facts[id].source)) {
			json_member(w, fact_name((enum fact_id)id),
				    fact_source_name(facts[id].source));
		}
	}
	json_object_finish(w);
	if (facts[FACT_estimated_cost].source != SOURCE_MISSING) {
		json_member_money(w, "given_cost",
				  facts[FACT_estimated_cost].value.number);
	}
	if (facts[FACT_temperature].source != SOURCE_MISSING) {
		json_key(w, "temperature");
		json_put_double(w, facts[FACT_temperature].value.ratio);
	}
	if (facts[FACT_dev_flag].source != SOURCE_MISSING) {
		json_member_bool(w, "dev_flag",
				 facts[FACT_dev_flag].value.flag);
	}
	put_tags(w, ctx);
}

static void
metadata_column(struct row *row, const struct outcome *o, struct buf *scratch)
{
	const struct decision *d = o->decision;
	struct json_writer writer, *w = &writer;

	buf_reset(scratch);
	json_write_init(w, scratch);
	json_object_begin(w);
	record_facts(w, o->ctx);
	if (o->ctx->requires.features != 0 ||
	    o->ctx->requires.context_tokens > 0) {
		put_requires(w, &o->ctx->requires);
	}
	if (d->action == ACTION_DEGRADE && d->chain_n > 0) {
		json_key(w, "fallback_chain");
		json_array_begin(w);
		for (size_t i = 0; i < d->chain_n; i++) {
			json_put_string(w, d->chain[i].model->model_id);
		}
		json_array_finish(w);
	}
	json_object_finish(w);
	json_write_end(w);
	row_text(row, buf_text(scratch));
}

/* --- facts as columns ----------------------------------------------------- */

static void
text_column(struct row *row, const struct outcome *o, enum fact_id id)
{
	row_text(row, context_text(o->ctx, id));
}

static void
count_column(struct row *row, const struct outcome *o, enum fact_id id)
{
	if (o->ctx->facts[id].source == SOURCE_MISSING) {
		row_null(row);
	} else {
		row_int(row, o->ctx->facts[id].value.number);
	}
}

/* Columns that both tables have, in the same order. */
static void
who_columns(struct row *row, const struct outcome *o)
{
	static const enum fact_id ids[] = {
		FACT_user_id,	      FACT_user_tier,  FACT_team_id,
		FACT_organization_id, FACT_api_key_id, FACT_session_id,
		FACT_correlation_id,  FACT_request_id, FACT_environment,
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		text_column(row, o, ids[i]);
	}
}

static const struct model *
fallback_model(const struct decision *d)
{
	bool degraded = d->action == ACTION_DEGRADE && d->chain_n > 0;

	return degraded ? d->chain[0].model : NULL;
}

/* A report is of a call that was made, whatever is said of it then. */
static bool
refused(const struct outcome *o)
{
	return o->decision->action == ACTION_BLOCK &&
	       o->body->stage == STAGE_PRE_FLIGHT;
}

/* --- evaluations ---------------------------------------------------------- */

static void
evaluation_line(const struct outcome *o, struct buf *scratch, struct buf *out)
{
	const struct decision *d = o->decision;
	const struct model *fallback = fallback_model(d);
	struct row row;

	row_begin(&row, out, ROW_EVALUATIONS);
	row_text(&row, o->evaluation_id);
	row_time(&row, o->now_us);
	row_text(&row, stage_words[o->body->stage]);
	row_text(&row, action_words[d->action]);
	row_bool(&row, d->passed);
	who_columns(&row, o);
	text_column(&row, o, FACT_region);
	text_column(&row, o, FACT_model_id);
	text_column(&row, o, FACT_vendor_id);
	row_text(&row, fallback != NULL ? fallback->model_id : NULL);
	row_text(&row, fallback != NULL ? fallback->vendor_id : NULL);
	count_column(&row, o, FACT_input_tokens);
	count_column(&row, o, FACT_estimated_tokens);
	count_column(&row, o, FACT_max_output_tokens);
	count_column(&row, o, FACT_prompt_length);
	row_money(&row, d->estimate.cost_nanousd);
	row_money(&row, refused(o) ? 0 /* it runs nowhere */
				   : d->final_estimate.cost_nanousd);
	row_int(&row, o->revision);
	row_int(&row, (int64_t)d->executions_n);
	row_int(&row, (int64_t)o->violations_n);
	row_ms(&row, o->took_us);
	executions_column(&row, o, scratch);
	warnings_column(&row, o, scratch);
	metadata_column(&row, o, scratch);
	row_end(&row);
}

/* --- policy_violations ---------------------------------------------------- */

static const struct detail *
detail(const struct finding *f, const char *name)
{
	for (size_t i = 0; i < f->details_n; i++) {
		if (strcmp(f->details[i].name, name) == 0) {
			return &f->details[i];
		}
	}
	return NULL;
}

/* The number that was observed and its limit, when both are numbers. */
static bool
observed_and_limit(const struct finding *f, enum detail_type *type,
		   double *observed, double *limit)
{
	const struct detail *a = detail(f, "observed");
	const struct detail *b = detail(f, "limit");

	if (a == NULL || b == NULL || a->type != b->type ||
	    (a->type != DETAIL_MONEY && a->type != DETAIL_COUNT)) {
		return false;
	}
	if (a->type == DETAIL_MONEY && (a->value.number == MONEY_UNKNOWN ||
					b->value.number == MONEY_UNKNOWN)) {
		return false;
	}
	*type = a->type;
	*observed = (double)a->value.number;
	*limit = (double)b->value.number;
	return true;
}

/*
 * What was done about it.  A model that should have been replaced and could
 * not be is a refused call.
 */
static const char *
action_taken(const struct decision *d, const struct finding *f)
{
	if (!f->enforced) {
		return "logged";
	}
	switch (f->action) {
	case ACTION_BLOCK:
		return "blocked";
	case ACTION_DEGRADE:
		return d->action == ACTION_BLOCK ? "blocked" : "degraded";
	case ACTION_WARN:
		return "warned";
	default:
		return "logged";
	}
}

/* Dollars that the violation was about: refused, saved, or over the limit. */
static int64_t
cost_impact(const struct decision *d, const struct finding *f)
{
	const char *taken = action_taken(d, f);
	int64_t asked = d->estimate.cost_nanousd;
	int64_t final = d->final_estimate.cost_nanousd;
	const struct detail *observed = detail(f, "observed");
	const struct detail *limit = detail(f, "limit");

	if (strcmp(taken, "blocked") == 0) {
		return asked;
	}
	if (strcmp(taken, "degraded") == 0) {
		if (asked == MONEY_UNKNOWN || final == MONEY_UNKNOWN) {
			return MONEY_UNKNOWN;
		}
		return asked > final ? asked - final : 0;
	}
	if (observed == NULL || limit == NULL ||
	    observed->type != DETAIL_MONEY || limit->type != DETAIL_MONEY ||
	    observed->value.number < limit->value.number) {
		return 0;
	}
	return observed->value.number - limit->value.number;
}

/* 0 to 100: the policy's priority, half of it by how far over the limit. */
static double
impact_score(const struct finding *f)
{
	double priority = f->policy->priority, observed, limit;
	enum detail_type type;

	if (!observed_and_limit(f, &type, &observed, &limit)) {
		return priority;
	}
	double over = limit > 0 ? (observed - limit) / limit : 1;
	if (over < 0) {
		over = 0;
	}
	return priority * (0.5 + 0.5 * (over < 1 ? over : 1));
}

static void
details_column(struct row *row, const struct finding *f, struct buf *scratch)
{
	struct json_writer w;

	buf_reset(scratch);
	json_write_init(&w, scratch);
	answer_details(&w, f);
	json_write_end(&w);
	row_text(row, buf_text(scratch));
}

static void
violation_metadata(struct row *row, const struct outcome *o,
		   const struct finding *f, struct buf *scratch)
{
	struct json_writer w;

	buf_reset(scratch);
	json_write_init(&w, scratch);
	json_object_begin(&w);
	if (f->policy->policy_id != NULL) {
		json_member(&w, "scope", scope_words[f->policy->scope]);
		json_member(&w, "subject", policy_subject(f->policy, o->ctx));
	}
	json_member(&w, "excused", f->excused);
	json_object_finish(&w);
	json_write_end(&w);
	row_text(row, buf_text(scratch));
}

static void
violation_line(const struct outcome *o, const struct finding *f,
	       const struct outcome_id *id, struct buf *scratch,
	       struct buf *out)
{
	const struct decision *d = o->decision;
	const struct model *fallback = fallback_model(d);
	char score[32];
	struct row row;

	snprintf(score, sizeof(score), "%.1f", impact_score(f));
	row_begin(&row, out, ROW_VIOLATIONS);
	row_text(&row, id->text);
	row_text(&row, o->evaluation_id);
	row_time(&row, o->now_us);
	row_text(&row, f->policy->policy_id);
	if (f->policy->policy_id != NULL) {
		row_int(&row, f->policy->version);
	} else {
		row_null(&row); /* a violation of no policy */
	}
	row_text(&row, f->policy->name);
	row_text(&row, category_words[f->policy->category]);
	row_text(&row, stage_words[o->body->stage]);
	row_text(&row, f->type);
	row_text(&row, severity_words[f->policy->severity]);
	row_text(&row, mode_words[f->policy->mode]);
	row_bool(&row, f->enforced);
	row_text(&row, action_taken(d, f));
	details_column(&row, f, scratch);
	row_text(&row, f->message);
	who_columns(&row, o);
	text_column(&row, o, FACT_model_id);
	text_column(&row, o, FACT_vendor_id);
	row_text(&row, fallback != NULL ? fallback->model_id : NULL);
	row_money(&row, cost_impact(d, f));
	row_text(&row, score);
	row_ms(&row, o->took_us);
	violation_metadata(&row, o, f, scratch);
	row_end(&row);
}

/* --- the whole ------------------------------------------------------------ */

void
record_write(const struct outcome *o, struct buf *scratch, struct buf *out)
{
	const struct outcome_id *id = o->violation_ids;

	evaluation_line(o, scratch, out);
	for (size_t i = 0; i < o->decision->findings.n; i++) {
		const struct finding *f = &o->decision->findings.items[i];

		if (f->kind == FINDING_VIOLATION) {
			violation_line(o, f, id++, scratch, out);
		}
	}
	if (o->reservation != NULL) {
		usage_reserve(o->reservation, scratch, out);
	}
}

enum status
record_store(struct spool *spool, const struct buf *record, size_t record_max,
	     struct err *err)
{
	const char *at = record->data;
	size_t left = record->len;

	while (left > 0) {
		size_t n = left;
		if (n > record_max) {
			const char *cut = memrchr(at, '\n', record_max);
			assert(cut != NULL); /* no line is that long */
			n = (size_t)(cut - at) + 1;
		}
		enum status status = spool_append(spool, at, n, err);
		if (status != STATUS_OK) {
			return status;
		}
		at += n;
		left -= n;
	}
	return STATUS_OK;
}
