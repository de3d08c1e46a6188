#include "engine/report_decide.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "core/finding.h"
#include "engine/facts.h"

/* --- facts ---------------------------------------------------------------- */

static void
text_fact(struct context *ctx, enum fact_id id, const char *text,
	  enum fact_source source)
{
	if (text != NULL) {
		ctx->facts[id] =
		    (struct fact){ .source = source, .value.text = text };
	}
}

static void
number_fact(struct context *ctx, enum fact_id id, int64_t n,
	    enum fact_source source)
{
	if (n >= 0) {
		ctx->facts[id] =
		    (struct fact){ .source = source, .value.number = n };
	}
}

void
report_said(const struct call *call, struct context *ctx)
{
	static const enum fact_id ids[] = { FACT_session_id,
					    FACT_correlation_id,
					    FACT_request_id };
	const char *header = call->request->header_request_id;

	ctx->tags = call->body.tags;
	ctx->tags_n = call->body.tags_n;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (call->body.said[ids[i]]) {
			text_fact(ctx, ids[i], call->body.values[ids[i]].text,
				  SOURCE_BODY);
		}
	}
	if (!call->body.said[FACT_correlation_id] &&
	    facts_header_is_id(header)) {
		text_fact(ctx, FACT_correlation_id, header, SOURCE_HEADER);
	}
}

static void
reserved_facts(const struct reservation *r, struct context *ctx)
{
	const enum fact_source source = SOURCE_RESERVATION;

	text_fact(ctx, FACT_user_id, r->user_id, source);
	text_fact(ctx, FACT_user_tier, r->user_tier, source);
	text_fact(ctx, FACT_team_id, r->team_id, source);
	text_fact(ctx, FACT_organization_id, r->organization_id, source);
	text_fact(ctx, FACT_api_key_id, r->api_key_id, source);
	text_fact(ctx, FACT_environment, r->environment, source);
}

static void
model_facts(const struct settle *s, struct context *ctx)
{
	const bool served = s->report->served_model_id != NULL;
	const struct model *model = s->model;

	text_fact(ctx, FACT_model_id, s->model_id,
		  served ? SOURCE_BODY : SOURCE_RESERVATION);
	text_fact(ctx, FACT_vendor_id, s->vendor_id,
		  s->report->served_vendor_id != NULL ? SOURCE_BODY
		  : served			      ? SOURCE_CATALOGUE
						      : SOURCE_RESERVATION);
	ctx->model = model;
	if (model != NULL && model->tier > 0) {
		number_fact(ctx, FACT_model_tier, model->tier,
			    SOURCE_CATALOGUE);
	}
	if (model != NULL && model->regions_n == 1) {
		text_fact(ctx, FACT_region, model->regions[0]->name,
			  SOURCE_CATALOGUE);
	}
}

static void
used_facts(const struct settle *s, struct context *ctx)
{
	const enum fact_source source =
	    s->missing ? SOURCE_RESERVATION : SOURCE_BODY;

	number_fact(ctx, FACT_input_tokens, s->report->input_tokens,
		    SOURCE_BODY);
	number_fact(ctx, FACT_max_output_tokens, s->report->output_tokens,
		    SOURCE_BODY);
	number_fact(ctx, FACT_estimated_tokens, s->tokens, source);
	number_fact(ctx, FACT_estimated_cost, s->cost_nanousd, source);
}

static void
gather_facts(struct call *call, const struct settle *s, struct context *ctx)
{
	*ctx = (struct context){
		.has_text = body_text_length(&call->body.texts) > 0,
		.now_us = s->at_us,
	};
	reserved_facts(s->r, ctx);
	report_said(call, ctx);
	model_facts(s, ctx);
	used_facts(s, ctx);
}

/* --- what was found beside the policies ----------------------------------- */

/* Whose violation it is that a decision was not kept to: nobody's. */
static const struct policy engines_own = { .index = UINT32_MAX,
					   .priority = 70,
					   .category = CATEGORY_VENDOR,
					   .stage = STAGE_POST_EXECUTION,
					   .action = ACTION_LOG,
					   .mode = MODE_ENFORCE,
					   .severity = SEVERITY_HIGH };

static void
say_not_honoured(struct call *call, const struct settle *s,
		 struct findings *findings)
{
	const struct finding_of of = { .policy = &engines_own,
				       .key = CONSTRAINT_N };
	const struct reservation *r = s->r;
	struct finding *f =
	    finding_add(findings, call->arena, &of, FINDING_VIOLATION,
			"decision_not_honoured",
			s->refused ? "the call had been refused"
				   : "another model was called than was asked "
				     "for or permitted instead");

	finding_text(f, "decision", action_words[r->decision]);
	finding_text(f, "asked_model_id", r->original_model);
	if (!s->refused) {
		finding_text(f, "permitted_model_id", r->model_id);
	}
	finding_text(f, "served_model_id", s->model_id);
	finding_text(f, "served_vendor_id", s->vendor_id);
}

static void
say_more(struct call *call, const struct settle *s, struct decision *decision)
{
	struct findings more = { 0 };

	if (s->missing) {
		struct finding *f =
		    call_warn(call, &more, "usage_missing",
			      "the report does not say what the call used; its "
			      "estimate counts");

		finding_money(f, "used", s->cost_nanousd);
	}
	if (!settle_honoured(s)) {
		say_not_honoured(call, s, &more);
	}
	call_append(call, decision, &more);
	if (!settle_honoured(s)) {
		decision->passed = false;
		if (decision->action < ACTION_LOG) {
			decision->action = ACTION_LOG;
			decision->winner = decision->findings.n - 1;
		}
	}
}

/* --- ids ------------------------------------------------------------------ */

/* A UUIDv7 of the report's time ("xxxxxxxx-xxxx-"), its other bits DIGEST's. */
static void
write_id(const char *report_id, const unsigned char digest[16],
	 char out[UUID_TEXT_BYTES])
{
	snprintf(out, UUID_TEXT_BYTES,
		 "%.14s7%x%02x-%x%x%02x-%02x%02x%02x%02x%02x%02x", report_id,
		 digest[0] & 15, digest[1], 8 | (digest[2] & 3), digest[3] & 15,
		 digest[4], digest[5], digest[6], digest[7], digest[8],
		 digest[9], digest[10]);
}

static void
make_violation_ids(struct call *call, const char *report_id, struct outcome *o)
{
	const struct findings *findings = &o->decision->findings;
	struct outcome_id *ids =
	    arena_array(call->arena, findings->n, sizeof(*ids));

	for (size_t i = 0; i < findings->n; i++) {
		const struct finding *f = &findings->items[i];
		const int64_t key = (int64_t)f->key;
		unsigned char digest[16];

		if (f->kind != FINDING_VIOLATION) {
			continue;
		}
		const struct digest_part parts[] = {
			digest_text(report_id),
			digest_text(f->policy->policy_id),
			digest_text(f->type),
			{ &key, sizeof(key) },
		};
		digest_parts(parts, sizeof(parts) / sizeof(parts[0]), digest,
			     sizeof(digest));
		write_id(report_id, digest, ids[o->violations_n++].text);
	}
	o->violation_ids = ids;
}

void
report_decide(struct call *call, const struct settle *s,
	      struct report_decided *out)
{
	gather_facts(call, s, &out->ctx);
	call_decide(call, &out->ctx, NULL, &out->decision);
	say_more(call, s, &out->decision);
	out->outcome = (struct outcome){
		.body = &call->body,
		.ctx = &out->ctx,
		.decision = &out->decision,
		.key_id = call_key_id(call),
		.revision = snapshot_data(call->snapshot)->revision,
		.now_us = s->at_us,
	};
	memcpy(out->outcome.evaluation_id, s->report_id, UUID_TEXT_BYTES);
	make_violation_ids(call, s->report_id, &out->outcome);
	out->outcome.took_us = clock_mono_us() - call->begun_us;
}
