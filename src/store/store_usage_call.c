#include "store/store_usage_call.h"

/* The columns of the call, and where each goes. */
#define COLUMNS                                                               \
	"state, rfc3339(reserved_at), rfc3339(expires_at), "                  \
	"rfc3339(expired_at), rfc3339(settled_at), report_id, key_id, "       \
	"user_id, user_tier, team_id, organization_id, api_key_id, "          \
	"environment, decision, original_model, original_vendor, model_id, "  \
	"vendor_id, trim_scale(reserved), trim_scale(cost), "                 \
	"trim_scale(overrun), tokens, input_tokens, output_tokens, success, " \
	"trim_scale(latency_ms)"
enum { COLUMNS_N = 26 };

static void
places(struct store_usage_call *c, const char **out[COLUMNS_N])
{
	const char **const all[COLUMNS_N] = {
		&c->state,	     &c->reserved_at,
		&c->expires_at,	     &c->expired_at,
		&c->settled_at,	     &c->report_id,
		&c->key_id,	     &c->user_id,
		&c->user_tier,	     &c->team_id,
		&c->organization_id, &c->api_key_id,
		&c->environment,     &c->decision,
		&c->original_model,  &c->original_vendor,
		&c->model_id,	     &c->vendor_id,
		&c->reserved,	     &c->cost,
		&c->overrun,	     &c->tokens,
		&c->input_tokens,    &c->output_tokens,
		&c->success,	     &c->latency_ms,
	};

	for (int i = 0; i < COLUMNS_N; i++) {
		out[i] = all[i];
	}
}

static enum status
read_head(struct pg *pg, const char *evaluation_id, struct arena *arena,
	  struct store_usage_call *out, struct err *err)
{
	const char *params[] = { evaluation_id };
	const char **place[COLUMNS_N];
	struct pg_result *result = NULL;
	enum status status = pg_query(pg,
				      "SELECT " COLUMNS " FROM usage_calls "
				      "WHERE evaluation_id = $1::uuid",
				      params, 1, &result, err);

	if (status == STATUS_OK && pg_rows(result) == 0) {
		status = err_set(err, STATUS_NOT_FOUND,
				 "the ledger has no call %s", evaluation_id);
	}
	if (status == STATUS_OK) {
		places(out, place);
		for (int i = 0; i < COLUMNS_N; i++) {
			*place[i] = arena_strdup(arena, pg_value(result, 0, i));
		}
	}
	pg_result_free(result);
	return status;
}

static enum status
read_entries(struct pg *pg, const char *evaluation_id, struct arena *arena,
	     struct store_usage_call *out, struct err *err)
{
	const char *params[] = { evaluation_id };
	struct pg_result *result = NULL;
	enum status status = pg_query(
	    pg,
	    "SELECT entry, rfc3339(\"timestamp\"), model_id, vendor_id, calls, "
	    "trim_scale(cost), tokens, epoch, counted, charges::text "
	    "FROM usage WHERE evaluation_id = $1::uuid "
	    "ORDER BY \"timestamp\", entry <> 'reserve', entry",
	    params, 1, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	size_t n = (size_t)pg_rows(result);
	struct store_usage_entry_row *rows =
	    arena_array(arena, n, sizeof(*rows));
	for (size_t i = 0; i < n; i++) {
		const char **const place[] = {
			&rows[i].entry,	    &rows[i].at,    &rows[i].model_id,
			&rows[i].vendor_id, &rows[i].calls, &rows[i].cost,
			&rows[i].tokens,    &rows[i].epoch, &rows[i].counted,
			&rows[i].charges,
		};
		for (int k = 0; k < (int)(sizeof(place) / sizeof(place[0]));
		     k++) {
			*place[k] =
			    arena_strdup(arena, pg_value(result, (int)i, k));
		}
	}
	pg_result_free(result);
	out->entries = rows;
	out->entries_n = n;
	return STATUS_OK;
}

enum status
store_usage_call(struct pg *pg, const char *evaluation_id, struct arena *arena,
		 struct store_usage_call *out, struct err *err)
{
	struct store_usage_call call = { .state = NULL };
	enum status status = read_head(pg, evaluation_id, arena, &call, err);

	if (status == STATUS_OK) {
		status = read_entries(pg, evaluation_id, arena, &call, err);
	}
	if (status == STATUS_OK) {
		*out = call;
	}
	return status;
}
