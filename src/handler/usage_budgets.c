#include "handler/usage.h"

#include <assert.h>
#include <string.h>

#include "base/decimal.h"
#include "base/money.h"
#include "counter/counter.h"
#include "engine/limits.h"
#include "json/write.h"

enum { ID_MAX_BYTES = 256, FIELDS = 4 };

/* A word of ?scope= is asked for; -1: every scope. */
static bool
is_asked(const struct budget *budget, const struct store_usage_filter *filter,
	 int scope, const char *policy_id)
{
	const struct policy *policy = budget->policy;
	bool any_subject = false;

	for (int i = 0; i < STORE_USAGE_BY_N; i++) {
		any_subject = any_subject || filter->asked[i] != NULL;
	}
	if (any_subject && (policy->scope == SCOPE_GLOBAL ||
			    filter->asked[policy->scope - 1] == NULL)) {
		return false;
	}
	return (scope < 0 || (int)policy->scope == scope) &&
	       (policy_id == NULL || strcmp(policy_id, policy->policy_id) == 0);
}

/* Those of POLICIES' budgets that the query is about. */
static void
choose(struct usage_budgets *out, const struct policy_set *policies,
       int64_t now_us)
{
	struct http_query *query = &out->query;
	struct arena *arena = query->arena;
	const int scope = http_query_word(query, "scope", scope_words, -1);
	const char *policy_id =
	    http_query_text(query, "policy_id", ID_MAX_BYTES);
	struct budget *all = NULL;
	size_t all_n = budget_list(policies, now_us, arena, &all), n = 0;
	struct store_usage_budget *budgets =
	    arena_array(arena, all_n, sizeof(*budgets));

	for (size_t i = 0; i < all_n; i++) {
		if (!is_asked(&all[i], &out->ask.filter, scope, policy_id)) {
			continue;
		}
		all[n] = all[i];
		budgets[n++] = (struct store_usage_budget){
			.scope = scope_words[all[i].policy->scope],
			.from_us = all[i].window.from_us,
			.to_us = all[i].window.to_us,
			.tokens = all[i].row->unit == COUNTER_TOKENS,
		};
	}
	out->budgets = all;
	out->ask.budgets = budgets;
	out->ask.budgets_n = n;
}

static const char *
key_of(const struct budget *budget)
{
	return constraint_row(budget->constraint->key)->key;
}

static void
read_cursor(struct usage_budgets *out)
{
	struct page_place place;

	out->list = "budgets";
	page_cursor(&out->query, out->list, FIELDS, &place);
	if (place.n == 0) {
		return;
	}
	for (size_t i = 0; i < out->ask.budgets_n; i++) {
		const struct budget *budget = &out->budgets[i];

		if (strcmp(place.fields[0], budget->policy->policy_id) == 0 &&
		    strcmp(place.fields[1], key_of(budget)) == 0 &&
		    usage_is_amount(place.fields[2])) {
			out->after = (struct store_usage_subject_place){
				i, place.fields[2], place.fields[3]
			};
			out->ask.after = &out->after;
			return;
		}
	}
	http_query_refuse(&out->query, "cursor",
			  "is none of this list, or its policy is gone");
}

enum status
usage_budgets_read(const struct http_request *req, const struct api_key *key,
		   const struct policy_set *policies, int64_t now_us,
		   struct usage_budgets *out, struct err *err)
{
	static const char *const names[] = { "view",	  "scope",
					     "policy_id", USAGE_BY_NAMES,
					     "limit",	  "cursor",
					     NULL };
	struct http_query *query = &out->query;

	http_query_parse(req, names, query, err);
	out->ask =
	    (struct store_usage_subject_ask){ .limit = page_limit(query) };
	usage_filter(query, key, &out->ask.filter);
	choose(out, policies, now_us);
	read_cursor(out);
	return http_query_done(query);
}

/* A subject's budget, as the roll-ups have it. */
struct row {
	const struct budget *budget;
	const char *used_text;
	int64_t used;
};

struct rows {
	const struct usage_budgets *asked;
	int64_t now_us;
	struct row *items;	/* [n] */
	struct charge *charges; /* [n] what the counters are asked by */
	size_t n;
};

/* Dollars or tokens as a counter has them. */
static int64_t
amount_of(enum counter_unit unit, const char *text)
{
	int64_t n = 0;
	bool inexact;
	bool read = unit == COUNTER_COST ? money_parse(text, &n)
					 : decimal_parse(text, 0, &n, &inexact);

	return read ? n : INT64_MAX;
}

static void
keep_row(void *arg, const struct store_usage_subject_place *place)
{
	struct rows *rows = arg;
	struct arena *arena = rows->asked->query.arena;
	const struct budget *budget = &rows->asked->budgets[place->budget];

	rows->items[rows->n] = (struct row){
		.budget = budget,
		.used_text = arena_strdup(arena, place->used),
		.used = amount_of(budget->row->unit, place->used),
	};
	rows->charges[rows->n] = budget_charge(
	    budget, arena_strdup(arena, place->subject), rows->now_us);
	rows->n++;
}

static void
put_null(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_put_null(w);
}

static void
put_time(struct json_writer *w, const char *key, int64_t us)
{
	json_key(w, key);
	json_put_time(w, us);
}

/* How it stands; SOURCE NULL: that is not known. */
static void
put_standing(struct json_writer *w, const struct charge *charge, int64_t used,
	     const char *source, int64_t now_us)
{
	const struct budget_standing s = budget_standing(charge, used, now_us);
	const enum counter_unit unit = charge->row->unit;

	if (source == NULL) {
		static const char *const members[] = { "used",	"remaining",
						       "share", "projected",
						       "state", "source" };
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]);
		     i++) {
			put_null(w, members[i]);
		}
		return;
	}
	limits_amount(w, "used", unit, used);
	limits_amount(w, "remaining", unit, s.remaining);
	if (s.has_share) {
		json_key(w, "share");
		json_put_double(w, s.share);
	} else {
		put_null(w, "share");
	}
	if (s.has_projected) {
		limits_amount(w, "projected", unit, s.projected);
	} else {
		put_null(w, "projected");
	}
	json_member(w, "state", budget_state_words[s.state]);
	json_member(w, "source", source);
}

/*
 * The counter's word counts.  Where it has none, the roll-ups can stand for it
 * if the policy counts all that its subjects use: they do not know what a
 * condition was about, nor what a shadow would have refused.
 */
static const char *
source_of(const struct policy *policy, const struct charged *charged)
{
	if (charged->result != CHARGE_UNKNOWN) {
		return "counter";
	}
	return policy->condition == NULL && policy->mode == MODE_ENFORCE
		   ? "ledger"
		   : NULL;
}

static void
put_row(struct json_writer *w, const struct row *row,
	const struct charge *charge, const struct charged *charged,
	int64_t now_us)
{
	const struct policy *policy = charge->policy;
	const enum counter_unit unit = charge->row->unit;
	const char *source = source_of(policy, charged);
	bool counted = charged->result != CHARGE_UNKNOWN;

	json_object_begin(w);
	json_member(w, "policy_id", policy->policy_id);
	json_member(w, "policy_name", policy->name);
	json_member(w, "mode", mode_words[policy->mode]);
	json_member(w, "constraint", key_of(row->budget));
	json_member(w, "scope", scope_words[policy->scope]);
	json_member(w, "subject", charge->subject);
	json_member(w, "window", window_words[charge->row->window]);
	put_time(w, "from", charge->window.from_us);
	put_time(w, "to", charge->window.to_us);
	json_member(w, "unit", counter_unit_words[unit]);
	limits_amount(w, "limit", unit, charge->limit);
	if (charge->alert_at == INT64_MAX) {
		put_null(w, "alert_threshold");
	} else {
		limits_amount(w, "alert_threshold", unit, charge->alert_at);
	}
	put_standing(w, charge, counted ? charged->used : row->used, source,
		     now_us);
	put_time(w, "as_of", now_us);
	json_object_finish(w);
}

static void
put_rows(struct handler_call *call, const struct rows *rows)
{
	struct charged *charged =
	    arena_array(call->req->arena, rows->n, sizeof(*charged));
	struct counter_worker *counter =
	    rows->n == 0 ? NULL : handler_counter(call);
	struct json_writer w;

	for (size_t i = 0; i < rows->n; i++) {
		charged[i].result = CHARGE_UNKNOWN;
	}
	if (counter != NULL) {
		counter_peek(counter, call->now_us, rows->charges, rows->n,
			     charged);
	}
	json_write_init(&w, &call->res->body);
	json_array_begin(&w);
	for (size_t i = 0; i < rows->n; i++) {
		put_row(&w, &rows->items[i], &rows->charges[i], &charged[i],
			call->now_us);
	}
	json_array_finish(&w);
	json_write_end(&w);
}

static void
put_next(struct handler_call *call, const struct rows *rows)
{
	const struct page_link link = { .query = &rows->asked->query,
					.list = rows->asked->list };
	const struct row *last = &rows->items[rows->n - 1];
	const struct page_place place = {
		.fields = { last->budget->policy->policy_id,
			    key_of(last->budget), last->used_text,
			    rows->charges[rows->n - 1].subject },
		.n = FIELDS,
	};

	page_next(call->req, call->res, &link, &place);
}

enum status
usage_budgets(struct handler_call *call, struct err *err)
{
	assert(call->snapshot != NULL); /* the key was found in it */
	struct arena *arena = call->req->arena;
	struct usage_budgets asked;
	struct store_usage_extent extent;
	struct pg *pg;

	enum status status = usage_budgets_read(
	    call->req, call->key, &snapshot_data(call->snapshot)->policies,
	    call->now_us, &asked, err);
	if (status != STATUS_OK) {
		return status;
	}
	status = handler_pg(call, &pg, err);
	if (status != STATUS_OK) {
		return status;
	}
	const size_t room = (size_t)asked.ask.limit;
	struct rows rows = {
		.asked = &asked,
		.now_us = call->now_us,
		.items = arena_array(arena, room, sizeof(*rows.items)),
		.charges = arena_array(arena, room, sizeof(*rows.charges)),
	};
	status =
	    store_usage_subject(pg, &asked.ask, keep_row, &rows, &extent, err);
	if (status != STATUS_OK) {
		return handler_pg_failed(call, err);
	}
	put_rows(call, &rows);
	page_total(call->req, call->res, extent.rows_n);
	if (extent.more) {
		put_next(call, &rows);
	}
	return STATUS_OK;
}
