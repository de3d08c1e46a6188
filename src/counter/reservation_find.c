#include "counter/reservation.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "counter/store_postgresql.h"
#include "counter/worker.h"
#include "store/store_usage.h"

static enum action
action_of(const char *word)
{
	int i = 0;

	while (word != NULL && action_words[i] != NULL) {
		if (strcmp(action_words[i], word) == 0) {
			return (enum action)i;
		}
		i++;
	}
	return ACTION_ALLOW;
}

static void
take_usage(const struct store_usage *u, const char *evaluation_id,
	   struct reservation *out)
{
	static const enum reservation_state states[] = {
		[STORE_USAGE_OPEN] = RESERVATION_OPEN,
		[STORE_USAGE_SETTLING] = RESERVATION_SETTLING,
		[STORE_USAGE_SETTLED] = RESERVATION_SETTLED,
		[STORE_USAGE_REFUSED] = RESERVATION_REFUSED,
	};

	*out = (struct reservation){
		.state = states[u->state],
		.key_id = u->key_id,
		.user_id = u->user_id,
		.user_tier = u->user_tier,
		.team_id = u->team_id,
		.organization_id = u->organization_id,
		.api_key_id = u->api_key_id,
		.environment = u->environment,
		.original_model = u->original_model,
		.original_vendor = u->original_vendor,
		.model_id = u->model_id,
		.vendor_id = u->vendor_id,
		.decision = action_of(u->decision),
		.made_us = u->made_us,
		.expires_us = u->expires_us,
		.cost_nanousd = u->cost_nanousd,
		.tokens = u->tokens,
		.settled_us = u->settled_us,
		.settled_nanousd = u->settled_nanousd,
		.settled_tokens = u->settled_tokens,
	};
	snprintf(out->evaluation_id, sizeof(out->evaluation_id), "%s",
		 evaluation_id);
	memcpy(out->report_id, u->report_id, sizeof(out->report_id));
}

static enum reservation_found
find(struct pg *pg, const char *evaluation_id, struct arena *arena,
     struct reservation *out)
{
	struct store_usage usage;
	struct counter_entry *entries = NULL;
	size_t entries_n = 0;
	struct err err;

	assert(uuid_valid(evaluation_id));
	enum status status =
	    store_usage_find(pg, evaluation_id, arena, &usage, &err);
	if (status != STATUS_OK) {
		log_warning("cannot ask the ledger about a call: %s", err.text);
		return RESERVATION_UNKNOWN;
	}
	if (usage.state == STORE_USAGE_UNKNOWN) {
		return RESERVATION_UNKNOWN;
	}
	if (usage.state == STORE_USAGE_ABSENT) {
		return RESERVATION_ABSENT;
	}
	if (usage.charges != NULL &&
	    reservation_charges_parse(usage.charges, arena, &entries,
				      &entries_n, &err) != STATUS_OK) {
		log_error("the ledger's entry %s cannot be read: %s",
			  evaluation_id, err.text);
		return RESERVATION_UNKNOWN;
	}
	take_usage(&usage, evaluation_id, out);
	out->entries = entries;
	out->entries_n = entries_n;
	return RESERVATION_FOUND;
}

enum reservation_found
reservation_find(struct counter_worker *worker, const char *evaluation_id,
		 struct arena *arena, struct reservation *out)
{
	const struct config *config = worker->counter->config;
	struct counter_store **store = &worker->stores[BOARD_COUNTS_POSTGRESQL];

	if (config == NULL || config->pg_counter[0] == '\0') {
		return RESERVATION_UNKNOWN;
	}
	if (*store == NULL) {
		*store = counter_postgresql_store(config->pg_counter,
						  config->counter_wait_ms);
	}
	return find(counter_postgresql_pg(*store), evaluation_id, arena, out);
}
