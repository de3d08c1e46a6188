#include "engine/report_settle.h"

#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/metric.h"
#include "engine/record.h"
#include "engine/report_decide.h"
#include "engine/usage.h"

#define SECOND_US INT64_C(1000000)

/* Values of METRIC_reservations_total. */
enum { EVENT_SETTLED = 1, EVENT_LATE = 4 };

struct counter_worker *
report_counter(const struct report *report)
{
	return report->call->worker->counter;
}

struct settlement
report_settlement(const struct report *report, const struct settle *s)
{
	const struct reservation *r = s->r;
	int64_t over = s->cost_nanousd - r->cost_nanousd;

	return (struct settlement){
		.id = report->id,
		.cost_nanousd = s->cost_nanousd,
		.reserved_nanousd = r->cost_nanousd,
		.overrun_nanousd = over > 0 ? over : 0,
		.late = !s->refused && s->at_us > r->expires_us,
	};
}

static int64_t
note_expiry(const struct report *report)
{
	const struct config *config = report->call->worker->engine->config;
	int64_t from_us = report->call->request->now_us;

	if (report->r.expires_us > from_us) {
		from_us = report->r.expires_us;
	}
	return from_us + config->report_window_s * SECOND_US;
}

/* The reservation in STATE, settled by report ID, as a note. */
static const struct buf *
write_note(struct report *report, enum reservation_state state)
{
	struct reservation next = report->r;
	struct buf *note = &report->call->worker->note;

	next.state = state;
	memcpy(next.evaluation_id, report->id, UUID_TEXT_BYTES);
	memcpy(next.report_id, report->settle.report_id, UUID_TEXT_BYTES);
	if (report->settle.report == &report->call->body.report) {
		memcpy(next.report, report->digest, sizeof(next.report));
	}
	next.settled_us = state == RESERVATION_SETTLING
			      ? call_now_us(report->call)
			      : report->settle.at_us;
	next.settled_nanousd = report->settle.cost_nanousd;
	next.settled_tokens = report->settle.tokens;
	buf_reset(note);
	reservation_encode(&next, note);
	return note;
}

enum report_claim
report_claim(struct report *report)
{
	const struct buf *bytes = write_note(report, RESERVATION_SETTLING);
	struct counter_note *note = &report->note;

	if (note->state == NOTE_ABSENT) {
		counter_note_read(report_counter(report), report->call->arena,
				  note, bytes->data, bytes->len,
				  note_expiry(report));
		return note->state == NOTE_ABSENT  ? REPORT_CLAIM_OURS
		       : note->state == NOTE_FOUND ? REPORT_CLAIM_AGAIN
						   : REPORT_CLAIM_UNKNOWN;
	}
	switch (counter_note_swap(report_counter(report), note, bytes->data,
				  bytes->len, note_expiry(report))) {
	case ITEM_REPLACED:
		return REPORT_CLAIM_OURS;
	case ITEM_MOVED:
	case ITEM_UNSURE: /* reading it again tells */
		return REPORT_CLAIM_AGAIN;
	case ITEM_FAILED:
	default:
		return REPORT_CLAIM_UNKNOWN;
	}
}

/* Counters take so many changes at once. */
enum { CHANGES_MAX = 64 };

/* All changes, or none. */
static void
adjust(struct report *report, struct settle_changes *changes)
{
	changes->counted =
	    changes->n <= CHANGES_MAX &&
	    counter_adjust(report_counter(report), call_now_us(report->call),
			   report->id, changes->entries, changes->n);
	changes->epoch = counter_epoch(report_counter(report));
}

/* It could not be recorded: the next report finds all as it was. */
static enum status
unclaim(struct report *report)
{
	struct buf *note = &report->call->worker->note;

	counter_undo(report_counter(report), call_now_us(report->call));
	report->r.state =
	    report->settle.refused ? RESERVATION_REFUSED : RESERVATION_OPEN;
	buf_reset(note);
	reservation_encode(&report->r, note);
	counter_note_put(report_counter(report), report->note.name, note->data,
			 note->len, note_expiry(report));
	return err_set(report->call->err, STATUS_FULL,
		       "the report cannot be recorded now");
}

/*
 * The settlement itself.  Counters first, since the ledger says whether they
 * have changed; until it does, the journal has them changed back if this
 * process dies.
 */
static enum status
settle(struct report *report, const struct outcome *outcome)
{
	struct call *call = report->call;
	struct engine_worker *worker = call->worker;
	const struct settle *s = &report->settle;
	struct settle_changes changes;

	settle_change(s, call->arena, &changes);
	adjust(report, &changes);
	buf_reset(&worker->record);
	if (outcome != NULL) {
		record_write(outcome, &worker->scratch, &worker->record);
	}
	usage_settle(s, &changes, &worker->scratch, &worker->record);
	if (!call_store(call)) {
		return unclaim(report);
	}
	counter_done(worker->counter);
	const struct buf *note = write_note(report, RESERVATION_SETTLED);
	counter_note_put(worker->counter, report->note.name, note->data,
			 note->len, note_expiry(report));
	metric_add(METRIC_reservations_total, EVENT_SETTLED, 1);
	return STATUS_OK;
}

enum status
report_settle(struct report *report)
{
	struct report_decided decided;
	const struct settlement settlement =
	    report_settlement(report, &report->settle);

	report_decide(report->call, &report->settle, &decided);
	decided.outcome.settlement = &settlement;
	enum status status = settle(report, &decided.outcome);
	if (status != STATUS_OK) {
		return status;
	}
	if (settlement.late) {
		metric_add(METRIC_reservations_total, EVENT_LATE, 1);
	}
	call_count(&decided.outcome);
	call_answer(report->call, &decided.outcome, 200);
	return STATUS_OK;
}

/* Did who died get as far as the ledger?  Then only the note is not right. */
static bool
in_ledger(struct report *report)
{
	struct reservation found;

	if (reservation_find(report_counter(report), report->id,
			     report->call->arena,
			     &found) != RESERVATION_FOUND ||
	    found.state != RESERVATION_SETTLED) {
		return false;
	}
	report->settle.cost_nanousd = found.settled_nanousd;
	report->settle.tokens = found.settled_tokens;
	report->settle.at_us = found.settled_us;
	const struct buf *note = write_note(report, RESERVATION_SETTLED);
	counter_note_put(report_counter(report), report->note.name, note->data,
			 note->len, note_expiry(report));
	return true;
}

enum status
report_take_over(struct report *report, enum report_claim *claimed)
{
	const struct reservation *r = &report->r;
	struct body_report figures = { .input_tokens = -1,
				       .output_tokens = -1,
				       .cost_nanousd = r->settled_nanousd,
				       .latency_us = -1 };
	const bool same =
	    digest_equal(r->report, report->digest, sizeof(r->report));

	report->settle.report_id = r->report_id;
	if (in_ledger(report)) {
		*claimed = REPORT_CLAIM_AGAIN;
		return STATUS_OK;
	}
	if (!same) {
		report->settle.report = &figures;
		report->settle.cost_nanousd = r->settled_nanousd;
		report->settle.tokens = r->settled_tokens;
		report->settle.model_id = r->model_id;
		report->settle.vendor_id = r->vendor_id;
	}
	*claimed = report_claim(report);
	if (*claimed != REPORT_CLAIM_OURS) {
		return STATUS_OK;
	}
	if (same) {
		return report_settle(report);
	}
	enum status status = settle(report, NULL);
	*claimed = REPORT_CLAIM_AGAIN;
	return status;
}
