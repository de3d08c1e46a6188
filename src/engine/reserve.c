#include "engine/reserve.h"

#include <string.h>

#include "base/metric.h"

#define SECOND_US INT64_C(1000000)

/* Values of METRIC_reservations_total. */
enum { EVENT_OPENED };

void
reserve_begin(struct reserve *reserve, struct call *call,
	      const struct context *ctx, const char *evaluation_id)
{
	const struct config *config = call->worker->engine->config;
	const int64_t now_us = call->request->now_us;

	*reserve = (struct reserve){
		.call = call,
		.ctx = ctx,
		.evaluation_id = evaluation_id,
		.made = {
			.state = RESERVATION_OPEN,
			.key_id = call_key_id(call),
			.user_id = context_text(ctx, FACT_user_id),
			.user_tier = context_text(ctx, FACT_user_tier),
			.team_id = context_text(ctx, FACT_team_id),
			.organization_id =
			    context_text(ctx, FACT_organization_id),
			.api_key_id = context_text(ctx, FACT_api_key_id),
			.environment = context_text(ctx, FACT_environment),
			.original_model = context_text(ctx, FACT_model_id),
			.original_vendor = context_text(ctx, FACT_vendor_id),
			.made_us = now_us,
			.expires_us =
			    now_us + config->reservation_ttl_s * SECOND_US,
		},
	};
	memcpy(reserve->made.evaluation_id, evaluation_id, UUID_TEXT_BYTES);
}

static struct counter_call
counter_call_of(const struct reserve *reserve)
{
	const struct config *config = reserve->call->worker->engine->config;
	const struct reservation *made = &reserve->made;

	return (struct counter_call){
		.evaluation_id = reserve->evaluation_id,
		.now_us = made->made_us,
		.expires_us = made->expires_us,
		.note_expires_us =
		    made->expires_us + config->report_window_s * SECOND_US,
	};
}

/* Of a call that was not counted as a whole: which entries were? */
static void
mark_counted(const struct charged *charged, const struct charged *taken,
	     size_t n, uint64_t epoch, struct counter_entry *entries)
{
	size_t entry = 0;

	for (size_t i = 0; i < n; i++) {
		if (taken[i].taken) {
			entries[entry++].counted_epoch =
			    charged[i].taken ? epoch : 0;
		}
	}
}

/*
 * What the charges take, as far as it is known: a counter that cannot be asked
 * is to be charged all the same, which is done later from the ledger.
 */
static void
set_entries(struct reserve *reserve, const struct charge *charges,
	    const struct charged *charged, size_t n)
{
	struct arena *arena = reserve->call->arena;
	const struct counter_call call = counter_call_of(reserve);
	struct charged *taken = arena_array(arena, n, sizeof(*taken));
	struct counter_entry *entries = arena_array(arena, n, sizeof(*entries));
	struct reservation *made = &reserve->made;

	made->counted = true;
	for (size_t i = 0; i < n; i++) {
		bool unknown =
		    charged != NULL && charged[i].result == CHARGE_UNKNOWN;

		taken[i].taken = charged == NULL || unknown || charged[i].taken;
		taken[i].alert = charged != NULL && charged[i].alert;
		made->counted = made->counted && !unknown;
	}
	made->entries_n = counter_entries(&call, charges, taken, n, entries);
	if (!made->counted) {
		mark_counted(charged, taken, n, made->epoch, entries);
	}
	made->entries = entries;
}

static void
set_model(struct reserve *reserve, const struct charge_model *model)
{
	struct reservation *made = &reserve->made;

	made->model_id = model->model_id;
	made->vendor_id = model->vendor_id;
	made->cost_nanousd = model->cost_nanousd;
	made->tokens = model->tokens;
	made->decision = model->asked_for ? ACTION_ALLOW : ACTION_DEGRADE;
}

static const struct buf *
encoded(struct reserve *reserve)
{
	struct buf *note = &reserve->call->worker->note;

	buf_reset(note);
	reservation_encode(&reserve->made, note);
	return note;
}

bool
reserve_take(struct reserve *reserve, const struct charge_model *model,
	     const struct charge *charges, size_t n, struct charged *out)
{
	struct counter_worker *counter = reserve->call->worker->counter;
	struct counter_call call = counter_call_of(reserve);

	set_model(reserve, model);
	set_entries(reserve, charges, NULL, n);
	const struct buf *note = encoded(reserve);
	call.note = note->data;
	call.note_n = note->len;
	reserve->taken = counter_take(counter, &call, charges, n, out);
	reserve->made.epoch = reserve->taken ? counter_epoch(counter) : 0;
	return reserve->taken;
}

static void
put_note(struct reserve *reserve, const void *bytes, size_t n)
{
	const struct counter_call call = counter_call_of(reserve);
	char name[COUNTER_KEY_BYTES];

	counter_call_note(reserve->evaluation_id, name);
	counter_note_put(reserve->call->worker->counter, name, bytes, n,
			 call.note_expires_us);
}

/* Does the note, written before the counters said anything, say otherwise? */
static bool
differs(const struct reservation *made, const struct reservation *noted)
{
	return made->decision != noted->decision ||
	       made->entries_n != noted->entries_n;
}

const struct reservation *
reserve_hold(struct reserve *reserve, const struct decision *decision)
{
	const struct reservation noted = reserve->made;
	struct reservation *made = &reserve->made;

	if (decision->action == ACTION_BLOCK) {
		return NULL;
	}
	set_model(reserve, &decision->charged_model);
	set_entries(reserve, decision->charges, decision->charged,
		    decision->charges_n);
	made->decision = decision->action;
	made->counted =
	    made->counted && (reserve->taken || made->entries_n == 0);
	if (reserve->call->worker->counter != NULL &&
	    (!reserve->taken || differs(made, &noted))) {
		const struct buf *note = encoded(reserve);

		put_note(reserve, note->data, note->len);
	}
	metric_add(METRIC_reservations_total, EVENT_OPENED, 1);
	return made;
}

void
reserve_give_back(struct reserve *reserve)
{
	if (reserve->taken) {
		counter_undo(reserve->call->worker->counter,
			     call_now_us(reserve->call));
		reserve->taken = false;
	} else if (reserve->call->worker->counter != NULL) {
		put_note(reserve, NULL, 0);
	}
}

void
reserve_done(struct reserve *reserve)
{
	if (reserve->taken) {
		counter_done(reserve->call->worker->counter);
	}
}
