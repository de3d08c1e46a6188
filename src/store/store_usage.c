#include "store/store_usage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns of usage_find. */
enum {
	STATE,
	KEY_ID,
	USER_ID,
	USER_TIER,
	TEAM_ID,
	ORGANIZATION_ID,
	API_KEY_ID,
	ENVIRONMENT,
	ORIGINAL_MODEL,
	ORIGINAL_VENDOR,
	MODEL_ID,
	VENDOR_ID,
	DECISION,
	MADE,
	EXPIRES,
	COST,
	TOKENS,
	CHARGES,
	REPORT_ID,
	SETTLED,
	SETTLED_COST,
	SETTLED_TOKENS
};

static const char *
text(const struct pg_result *result, int column, struct arena *arena)
{
	return pg_is_null(result, 0, column)
		   ? NULL
		   : arena_strdup(arena, pg_value(result, 0, column));
}

static enum store_usage_state
state(const char *word)
{
	static const char *const words[] = {
		[STORE_USAGE_UNKNOWN] = "",
		[STORE_USAGE_ABSENT] = "absent",
		[STORE_USAGE_OPEN] = "open",
		[STORE_USAGE_SETTLING] = "settling",
		[STORE_USAGE_SETTLED] = "settled",
		[STORE_USAGE_REFUSED] = "refused",
	};
	size_t i = 1;

	while (strcmp(words[i], word) != 0) {
		i++;
		assert(i < sizeof(words) / sizeof(words[0]));
	}
	return (enum store_usage_state)i;
}

static struct store_usage
row(const struct pg_result *result, struct arena *arena)
{
	struct store_usage u = {
		.state = state(pg_value(result, 0, STATE)),
		.key_id = text(result, KEY_ID, arena),
		.user_id = text(result, USER_ID, arena),
		.user_tier = text(result, USER_TIER, arena),
		.team_id = text(result, TEAM_ID, arena),
		.organization_id = text(result, ORGANIZATION_ID, arena),
		.api_key_id = text(result, API_KEY_ID, arena),
		.environment = text(result, ENVIRONMENT, arena),
		.original_model = text(result, ORIGINAL_MODEL, arena),
		.original_vendor = text(result, ORIGINAL_VENDOR, arena),
		.model_id = text(result, MODEL_ID, arena),
		.vendor_id = text(result, VENDOR_ID, arena),
		.decision = text(result, DECISION, arena),
		.made_us = pg_int(result, 0, MADE),
		.expires_us = pg_int(result, 0, EXPIRES),
		.cost_nanousd = pg_int(result, 0, COST),
		.tokens = pg_int(result, 0, TOKENS),
		.charges = text(result, CHARGES, arena),
		.settled_us = pg_int(result, 0, SETTLED),
		.settled_nanousd = pg_int(result, 0, SETTLED_COST),
		.settled_tokens = pg_int(result, 0, SETTLED_TOKENS),
	};

	snprintf(u.report_id, sizeof(u.report_id), "%s",
		 pg_value(result, 0, REPORT_ID));
	return u;
}

enum status
store_usage_find(struct pg *pg, const char *evaluation_id, struct arena *arena,
		 struct store_usage *out, struct err *err)
{
	const char *params[] = { evaluation_id };
	struct pg_result *result = NULL;
	enum status status = pg_query(pg, "SELECT * FROM usage_find($1)",
				      params, 1, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	*out = (struct store_usage){ .state = STORE_USAGE_UNKNOWN };
	if (pg_rows(result) > 0) {
		*out = row(result, arena);
	}
	pg_result_free(result);
	return STATUS_OK;
}
