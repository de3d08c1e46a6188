#include "engine/settle.h"

#include <string.h>

#include "base/digest.h"
#include "base/money.h"
#include "core/estimate.h"

bool
settle_failed(const struct body_report *report)
{
	return report->success == BODY_SUCCESS_NO ||
	       (report->success == BODY_SUCCESS_UNSAID &&
		report->error != NULL);
}

static bool
has_tokens(const struct body_report *report)
{
	return report->input_tokens >= 0 || report->output_tokens >= 0;
}

static void
set_count(struct context *ctx, enum fact_id id, int64_t n)
{
	ctx->facts[id].source = SOURCE_BODY;
	ctx->facts[id].value.number = n > 0 ? n : 0;
}

/* The reported tokens at the prices of MODEL, by the rules of estimates. */
static int64_t
price(const struct settle_of *of, const struct model *model)
{
	struct context ctx = { .facts = { { .source = SOURCE_MISSING } } };

	set_count(&ctx, FACT_input_tokens, of->report->input_tokens);
	set_count(&ctx, FACT_max_output_tokens, of->report->output_tokens);
	return estimate_make(&ctx, model, false, of->unknown_per_mil)
	    .cost_nanousd;
}

static void
set_tokens(const struct settle_of *of, struct settle *out)
{
	const struct body_report *report = of->report;

	if (has_tokens(report)) {
		int64_t input =
		    report->input_tokens > 0 ? report->input_tokens : 0;
		int64_t output =
		    report->output_tokens > 0 ? report->output_tokens : 0;

		out->tokens = input + output;
	} else {
		out->tokens = settle_failed(report) ? 0 : of->r->tokens;
	}
}

static void
set_cost(const struct settle_of *of, struct settle *out)
{
	const struct body_report *report = of->report;

	if (report->cost_nanousd >= 0) {
		out->cost_nanousd = report->cost_nanousd;
	} else if (has_tokens(report)) {
		out->cost_nanousd = price(of, out->model);
	} else if (settle_failed(report)) {
		out->cost_nanousd = 0;
	} else {
		out->cost_nanousd = of->r->cost_nanousd;
		out->missing = true;
	}
	if (out->cost_nanousd == MONEY_UNKNOWN) {
		/* no price, and none is configured for what has none */
		out->cost_nanousd = of->r->cost_nanousd;
		out->missing = true;
	}
}

/* A model without a word about its vendor is that of the catalogue, or the
 * one of the reservation. */
static void
set_model(const struct settle_of *of, struct settle *out)
{
	const struct reservation *r = of->r;
	const struct body_report *report = of->report;
	const char *model_id = report->served_model_id;
	const char *vendor_id = report->served_vendor_id;

	if (vendor_id != NULL) {
		vendor_id = catalogue_vendor(of->catalogue, vendor_id);
	}
	if (model_id == NULL) {
		model_id = r->model_id;
	}
	if (vendor_id == NULL && model_id != NULL && r->model_id != NULL &&
	    strcmp(model_id, r->model_id) == 0) {
		vendor_id = r->vendor_id;
	} else if (vendor_id == NULL && model_id != NULL &&
		   r->original_model != NULL &&
		   strcmp(model_id, r->original_model) == 0) {
		vendor_id = r->original_vendor;
	}
	out->model_id = model_id;
	out->model = model_id == NULL
			 ? NULL
			 : catalogue_model(of->catalogue, model_id, vendor_id);
	if (vendor_id == NULL && out->model != NULL) {
		vendor_id = out->model->vendor_id;
	}
	out->vendor_id = vendor_id;
}

void
settle_make(const struct settle_of *of, struct settle *out)
{
	*out = (struct settle){
		.r = of->r,
		.report = of->report,
		.report_id = of->report_id,
		.at_us = of->at_us,
		.refused = of->r->decision == ACTION_BLOCK,
	};
	set_model(of, out);
	set_tokens(of, out);
	set_cost(of, out);
}

/* Equal, or not known to differ. */
static bool
may_be(const char *a, const char *b)
{
	return a == NULL || b == NULL || strcmp(a, b) == 0;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
settle_honoured(const struct settle *s)
{
	const struct reservation *r = s->r;

	if (s->refused) {
		return false;
	}
	return (may_be(s->model_id, r->model_id) &&
		may_be(s->vendor_id, r->vendor_id)) ||
	       (may_be(s->model_id, r->original_model) &&
		may_be(s->vendor_id, r->original_vendor));
}

bool
settle_moved(const struct settle *s)
{
	return !s->refused && (!same_text(s->model_id, s->r->model_id) ||
			       !same_text(s->vendor_id, s->r->vendor_id));
}

void
settle_digest(const struct body_report *report,
	      unsigned char out[RESERVATION_DIGEST_BYTES])
{
	const int64_t numbers[] = { report->input_tokens, report->output_tokens,
				    report->cost_nanousd, report->latency_us,
				    (int64_t)report->success };
	const struct digest_part parts[] = {
		{ numbers, sizeof(numbers) },
		digest_text(report->error),
		digest_text(report->served_model_id),
		digest_text(report->served_vendor_id),
	};

	digest_parts(parts, sizeof(parts) / sizeof(parts[0]), out,
		     RESERVATION_DIGEST_BYTES);
}

/* What a call used above its estimate counts in a rate, from the report on; a
 * rate never gives back, else leaving tokens out would escape it. */
static int64_t
above(const struct settle *s, const struct counter_entry *entry)
{
	bool more = entry->unit == COUNTER_TOKENS && s->tokens > entry->amount;

	return more ? s->tokens - entry->amount : 0;
}

static int64_t
change_of(const struct settle *s, const struct counter_entry *entry)
{
	switch (entry->kind) {
	case COUNTER_BUDGET:
		return (entry->unit == COUNTER_COST ? s->cost_nanousd
						    : s->tokens) -
		       entry->amount;
	case COUNTER_LEASE:
		return -entry->amount;
	case COUNTER_RATE:
	default:
		return above(s, entry);
	}
}

void
settle_change(const struct settle *s, struct arena *arena,
	      struct settle_changes *out)
{
	const struct reservation *r = s->r;

	*out = (struct settle_changes){
		.entries =
		    arena_array(arena, r->entries_n, sizeof(*out->entries)),
		.counted = true,
	};
	for (size_t i = 0; i < r->entries_n; i++) {
		struct counter_entry change = r->entries[i];

		change.amount = change_of(s, &r->entries[i]);
		change.alert = false; /* its call raised it */
		if (change.kind == COUNTER_RATE) {
			change.from_s = s->at_us / 1000000;
		}
		if (change.amount != 0) {
			out->entries[out->n++] = change;
		}
	}
}
