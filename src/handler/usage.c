#include "handler/usage.h"

#include <assert.h>
#include <string.h>

#include "base/decimal.h"
#include "json/write.h"

/* The words of ?group_by= are those of scopes but global, in their order. */
#define GROUP_WORDS (scope_words + 1)

_Static_assert((int)SCOPE_ORGANIZATION == (int)STORE_USAGE_ORGANIZATION + 1 &&
		   (int)SCOPE_VENDOR == (int)STORE_USAGE_VENDOR + 1,
	       "usage is by every scope but global");

enum view { VIEW_USAGE, VIEW_BUDGETS };
static const char *const view_words[] = { "usage", "budgets", NULL };
static const char *const bucket_words[] = { "none", "15m",   "hour", "day",
					    "week", "month", NULL };
static const char *const sort_words[] = { "cost", "calls", "tokens", NULL };
static const char *const by_names[STORE_USAGE_BY_N] = { USAGE_BY_NAMES };

enum { ID_MAX_BYTES = 256 };

void
usage_filter(struct http_query *query, const struct api_key *key,
	     struct store_usage_filter *out)
{
	*out = (struct store_usage_filter){ 0 };
	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		out->asked[i] =
		    http_query_text(query, by_names[i], ID_MAX_BYTES);
	}
	for (size_t i = 0; key != NULL && i < key->facts_n; i++) {
		for (int by = 0; by < STORE_USAGE_BY_N; by++) {
			if (key->facts[i].fact ==
			    scope_fact((enum scope)(by + 1))) {
				out->bound[by] = key->facts[i].value;
			}
		}
	}
}

bool
usage_is_amount(const char *text)
{
	int64_t n;
	bool inexact;

	return decimal_parse(text, 0, &n, &inexact);
}

/* ?cursor=: a place in the order of this very report. */
static void
read_cursor(struct usage_report *out)
{
	enum { BUCKET, AMOUNT, BY, FIELDS = BY + STORE_USAGE_BY_N };
	struct page_place place;
	int64_t us;

	out->list = arena_printf(out->query.arena, "usage %s %s %u",
				 sort_words[out->ask.sort],
				 bucket_words[out->ask.bucket], out->ask.by);
	page_cursor(&out->query, out->list, FIELDS, &place);
	if (place.n == 0) {
		return;
	}
	if (!clock_parse(place.fields[BUCKET], &us) || us < 0 ||
	    !usage_is_amount(place.fields[AMOUNT])) {
		http_query_refuse(&out->query, "cursor",
				  "is none of this list");
		return;
	}
	out->after.bucket = place.fields[BUCKET];
	out->after.amount = place.fields[AMOUNT];
	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		out->after.by[i] = place.fields[BY + i];
	}
	out->ask.after = &out->after;
}

enum status
usage_report_read(const struct http_request *req, const struct api_key *key,
		  int64_t now_us, struct usage_report *out, struct err *err)
{
	static const char *const names[] = {
		"view",		PERIOD_NAMES, "group_by", "bucket", "sort",
		USAGE_BY_NAMES, "limit",      "cursor",	  NULL
	};
	struct http_query *query = &out->query;

	http_query_parse(req, names, query, err);
	(void)http_query_word(query, "view", view_words, VIEW_USAGE);
	period_read(query, now_us, &out->period);
	out->ask = (struct store_usage_ask){
		.from_us = out->period.from_us,
		.to_us = out->period.to_us,
		.timezone = out->period.timezone,
		.by = http_query_words(query, "group_by", GROUP_WORDS),
		.bucket = (enum store_usage_bucket)http_query_word(
		    query, "bucket", bucket_words, STORE_USAGE_WHOLE),
		.sort = (enum store_usage_sort)http_query_word(
		    query, "sort", sort_words, STORE_USAGE_COST),
		.limit = page_limit(query),
	};
	usage_filter(query, key, &out->ask.filter);
	read_cursor(out);
	return http_query_done(query);
}

/* The answer while its rows come. */
struct answer {
	const struct usage_report *report;
	struct json_writer w;
	struct page_place last;
};

static void
keep_place(struct answer *answer, const struct store_usage_place *place)
{
	struct arena *arena = answer->report->query.arena;
	struct page_place *last = &answer->last;

	last->n = 0;
	last->fields[last->n++] = arena_strdup(arena, place->bucket);
	last->fields[last->n++] = arena_strdup(arena, place->amount);
	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		last->fields[last->n++] = arena_strdup(arena, place->by[i]);
	}
}

static void
put_number(struct json_writer *w, const char *key, const char *number)
{
	json_key(w, key);
	json_put_raw(w, number);
}

static void
put_row(void *arg, const struct store_usage_row *row)
{
	struct answer *answer = arg;
	struct json_writer *w = &answer->w;

	json_object_begin(w);
	json_member(w, "from", row->from);
	json_member(w, "to", row->to);
	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		if ((answer->report->ask.by & 1U << i) == 0) {
			continue;
		}
		json_key(w, by_names[i]);
		if (row->place.by[i][0] == '\0') {
			json_put_null(w);
		} else {
			json_put_string(w, row->place.by[i]);
		}
	}
	put_number(w, "calls", row->calls);
	put_number(w, "settled", row->settled);
	put_number(w, "failed", row->failed);
	put_number(w, "cost", row->cost);
	put_number(w, "overrun", row->overrun);
	put_number(w, "tokens", row->tokens);
	put_number(w, "input_tokens", row->input_tokens);
	put_number(w, "output_tokens", row->output_tokens);
	json_object_finish(w);
	keep_place(answer, &row->place);
}

/* What was before is not nothing: it is not known any more. */
static void
put_kept(struct handler_call *call, int64_t kept_us)
{
	char text[CLOCK_TEXT_BYTES];

	clock_rfc3339(kept_us, text);
	http_response_header(call->res, "X-Kept-From",
			     arena_strdup(call->req->arena, text));
}

static enum status
usage_report(struct handler_call *call, struct err *err)
{
	struct usage_report report;
	struct store_usage_extent extent;
	struct pg *pg;

	enum status status =
	    usage_report_read(call->req, call->key, call->now_us, &report, err);
	if (status != STATUS_OK) {
		return status;
	}
	status = handler_pg(call, &pg, err);
	if (status != STATUS_OK) {
		return status;
	}
	struct answer answer = { .report = &report };
	json_write_init(&answer.w, &call->res->body);
	json_array_begin(&answer.w);
	status =
	    store_usage_report(pg, &report.ask, put_row, &answer, &extent, err);
	if (status == STATUS_BODY) {
		/* All else has been looked at. */
		http_query_refuse(&report.query, "timezone",
				  "is not known to PostgreSQL");
		return http_query_done(&report.query);
	}
	if (status != STATUS_OK) {
		return handler_pg_failed(call, err);
	}
	json_array_finish(&answer.w);
	json_write_end(&answer.w);
	page_total(call->req, call->res, extent.rows_n);
	if (extent.kept_us != 0) {
		put_kept(call, extent.kept_us);
	}
	if (extent.more) {
		const struct page_link link = { .query = &report.query,
						.fixed = report.period.fixed,
						.fixed_n = PERIOD_ITEMS,
						.list = report.list };
		page_next(call->req, call->res, &link, &answer.last);
	}
	return STATUS_OK;
}

/* Which of the two, before the parameters of that one are read. */
static enum view
view_of(const struct http_request *req)
{
	static const char *const names[] = { "view", NULL };
	struct http_query query;
	struct err others;

	http_query_parse(req, names, &query, &others);
	return (enum view)http_query_word(&query, "view", view_words,
					  VIEW_USAGE);
}

enum status
handler_usage(struct handler_call *call, struct err *err)
{
	return view_of(call->req) == VIEW_BUDGETS ? usage_budgets(call, err)
						  : usage_report(call, err);
}
