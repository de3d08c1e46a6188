#include "engine/usage.h"

#include <string.h>

#include "base/money.h"
#include "engine/record.h"
#include "record/row.h"

/* What the entries of a call do not have in common. */
struct line {
	const char *entry;
	const char *report_id;
	const char *model_id, *vendor_id;
	int64_t at_us;
	int calls;
	int64_t cost_nanousd, tokens;
	const struct body_report *report; /* NULL: it says nothing of one */
	int64_t overrun_nanousd;
	bool expires; /* has the time by which a report has to come */
	bool counted;
	uint64_t epoch;
	const struct counter_entry *entries; /* [entries_n] */
	size_t entries_n;
};

static void
number_or_null(struct row *row, int64_t n)
{
	if (n < 0) {
		row_null(row);
	} else {
		row_int(row, n);
	}
}

static void
report_columns(struct row *row, const struct body_report *report,
	       int64_t overrun_nanousd)
{
	if (report == NULL) {
		for (int i = 0; i < 5; i++) {
			row_null(row);
		}
		return;
	}
	number_or_null(row, report->input_tokens);
	number_or_null(row, report->output_tokens);
	row_money(row, overrun_nanousd);
	if (report->success == BODY_SUCCESS_UNSAID && report->error == NULL) {
		row_null(row);
	} else {
		row_bool(row, !settle_failed(report));
	}
	if (report->latency_us < 0) {
		row_null(row);
	} else {
		row_ms(row, report->latency_us);
	}
}

static void
charges_column(struct row *row, const struct line *line, struct buf *scratch)
{
	if (line->entries_n == 0) {
		row_null(row);
		return;
	}
	buf_reset(scratch);
	reservation_charges(line->entries, line->entries_n, scratch);
	row_text(row, buf_text(scratch));
}

static void
who_columns(struct row *row, const struct reservation *r)
{
	row_text(row, r->key_id);
	row_text(row, r->user_id);
	row_text(row, r->user_tier);
	row_text(row, r->team_id);
	row_text(row, r->organization_id);
	row_text(row, r->api_key_id);
	row_text(row, r->environment);
	row_text(row, r->original_model);
	row_text(row, r->original_vendor);
}

static void
write_line(const struct reservation *r, const struct line *line,
	   struct buf *scratch, struct buf *out)
{
	struct row row;

	row_begin(&row, out, ROW_USAGE);
	row_text(&row, r->evaluation_id);
	row_text(&row, line->entry);
	row_time(&row, line->at_us);
	row_text(&row, line->report_id);
	who_columns(&row, r);
	row_text(&row, line->model_id);
	row_text(&row, line->vendor_id);
	row_text(&row, action_words[r->decision]);
	row_int(&row, line->calls);
	row_difference(&row, line->cost_nanousd);
	row_int(&row, line->tokens);
	report_columns(&row, line->report, line->overrun_nanousd);
	if (line->expires) {
		row_time(&row, r->expires_us);
	} else {
		row_null(&row);
	}
	row_int(&row, (int64_t)line->epoch);
	row_bool(&row, line->counted);
	charges_column(&row, line, scratch);
	row_null(&row); /* said */
	row_end(&row);
}

void
usage_reserve(const struct reservation *r, struct buf *scratch, struct buf *out)
{
	const struct line line = {
		.entry = "reserve",
		.model_id = r->model_id,
		.vendor_id = r->vendor_id,
		.at_us = r->made_us,
		.calls = 1,
		.cost_nanousd = r->cost_nanousd,
		.tokens = r->tokens,
		.expires = true,
		.counted = r->counted,
		.epoch = r->epoch,
		.entries = r->entries,
		.entries_n = r->entries_n,
	};

	write_line(r, &line, scratch, out);
}

/* The call is taken off the model that was to run. */
static void
write_move(const struct settle *s, uint64_t epoch, struct buf *scratch,
	   struct buf *out)
{
	const struct line line = {
		.entry = "move",
		.report_id = s->report_id,
		.model_id = s->r->model_id,
		.vendor_id = s->r->vendor_id,
		.at_us = s->at_us,
		.calls = -1,
		.cost_nanousd = -s->r->cost_nanousd,
		.tokens = -s->r->tokens,
		.counted = true,
		.epoch = epoch,
	};

	write_line(s->r, &line, scratch, out);
}

void
usage_settle(const struct settle *s, const struct settle_changes *changes,
	     struct buf *scratch, struct buf *out)
{
	const struct reservation *r = s->r;
	const bool moved = settle_moved(s);
	const int64_t over = s->cost_nanousd - r->cost_nanousd;
	const struct line line = {
		.entry = "settle",
		.report_id = s->report_id,
		.model_id = s->model_id,
		.vendor_id = s->vendor_id,
		.at_us = s->at_us,
		.calls = moved ? 1 : 0,
		.cost_nanousd = moved ? s->cost_nanousd : over,
		.tokens = moved ? s->tokens : s->tokens - r->tokens,
		.report = s->report,
		.overrun_nanousd = over > 0 ? over : 0,
		.counted = changes->counted,
		.epoch = changes->epoch,
		.entries = changes->entries,
		.entries_n = changes->n,
	};

	if (moved) {
		write_move(s, changes->epoch, scratch, out);
	}
	write_line(r, &line, scratch, out);
}

static void
nulls(struct row *row, int n)
{
	for (int i = 0; i < n; i++) {
		row_null(row);
	}
}

/* What its evaluation will be recorded with. */
static void
said_column(struct row *row, const struct context *ctx, struct buf *scratch)
{
	static const enum fact_id ids[] = { FACT_session_id,
					    FACT_correlation_id,
					    FACT_request_id };
	struct json_writer w;

	buf_reset(scratch);
	json_write_init(&w, scratch);
	json_object_begin(&w);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		json_member(&w, fact_name(ids[i]), context_text(ctx, ids[i]));
	}
	record_facts(&w, ctx);
	json_object_finish(&w);
	json_write_end(&w);
	row_text(row, buf_text(scratch));
}

void
usage_report(const struct usage_report *said, struct buf *scratch,
	     struct buf *out)
{
	const struct body_report *report = said->report;
	int64_t tokens = report->input_tokens;
	struct row row;

	if (report->output_tokens >= 0) {
		tokens = report->output_tokens + (tokens > 0 ? tokens : 0);
	}
	row_begin(&row, out, ROW_USAGE);
	row_text(&row, said->id);
	row_text(&row, "report");
	row_time(&row, said->at_us);
	row_text(&row, said->report_id);
	row_text(&row, said->key_id);
	nulls(&row, 8); /* user_id to original_vendor: the reserve has them */
	row_text(&row, report->served_model_id);
	row_text(&row, report->served_vendor_id);
	row_null(&row); /* decision */
	row_int(&row, 0);
	row_money(&row, report->cost_nanousd);
	number_or_null(&row, tokens);
	report_columns(&row, report, MONEY_UNKNOWN);
	nulls(&row, 2); /* expires_at, epoch */
	row_bool(&row, false);
	row_null(&row); /* charges */
	said_column(&row, said->ctx, scratch);
	row_end(&row);
}
