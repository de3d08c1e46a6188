#include "engine/report.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/metric.h"
#include "base/uuid.h"
#include "engine/answer.h"
#include "engine/report_decide.h"
#include "engine/report_settle.h"
#include "engine/retry.h"
#include "engine/settle.h"
#include "engine/usage.h"

/* Values of METRIC_reservations_total. */
enum { EVENT_REPEATED = 5 };

/* Pauses between two looks at a settlement of somebody else. */
enum { PAUSE_FIRST_US = 500, PAUSE_MAX_US = 16000 };

/* --- which call ----------------------------------------------------------- */

static enum status
not_found(const struct report *report, const char *what)
{
	return err_set(report->call->err, STATUS_NOT_FOUND, "there is no %s",
		       what);
}

/* The call's id, also of a call that is named by its request. */
static enum status
identify(struct report *report)
{
	struct call *call = report->call;
	const char *said = call->body.report.evaluation_id;

	if (said != NULL) {
		memcpy(report->id, said, UUID_TEXT_BYTES);
		return STATUS_OK;
	}
	switch (retry_call(call, report->id)) {
	case RETRY_CALL_FOUND:
		return STATUS_OK;
	case RETRY_CALL_ABSENT:
		return not_found(report, "call of this correlation_id and "
					 "request_id within retry_window_s");
	case RETRY_CALL_UNKNOWN:
	default:
		return err_set(call->err, STATUS_UNAVAILABLE,
			       "a call can only be found by its evaluation_id "
			       "now");
	}
}

/*
 * A note that is there and cannot be read may know of a settlement that is not
 * in the ledger yet.  So what the ledger takes to be open is left to the
 * housekeeper, who settles once.
 */
static enum reservation_found
look_behind_note(struct report *report)
{
	enum reservation_found found =
	    reservation_find(report_counter(report), report->id,
			     report->call->arena, &report->r);
	bool open = found == RESERVATION_FOUND &&
		    (report->r.state == RESERVATION_OPEN ||
		     report->r.state == RESERVATION_SETTLING);

	return open ? RESERVATION_UNKNOWN : found;
}

/* Read the note, else ask the ledger. */
static enum reservation_found
look(struct report *report)
{
	struct arena *arena = report->call->arena;
	struct counter_note *note = &report->note;

	if (report_counter(report) == NULL) {
		return RESERVATION_UNKNOWN;
	}
	counter_call_note(report->id, note->name);
	counter_note_read(report_counter(report), arena, note, NULL, 0, 0);
	if (note->state == NOTE_UNKNOWN) {
		return RESERVATION_UNKNOWN;
	}
	if (note->state == NOTE_FOUND) {
		return reservation_decode(note->value, note->n, arena,
					  &report->r, NULL) == STATUS_OK
			   ? RESERVATION_FOUND
			   : look_behind_note(report);
	}
	return reservation_find(report_counter(report), report->id, arena,
				&report->r);
}

static bool
may_report(const struct report *report)
{
	const struct api_key *key = report->call->request->key;
	const char *of = report->r.key_id;

	return key == NULL || of == NULL || key->role == ROLE_ADMIN ||
	       strcmp(key->key_id, of) == 0;
}

static void
make_figures(struct report *report)
{
	const struct call *call = report->call;
	const struct settle_of of = {
		.r = &report->r,
		.report = &call->body.report,
		.report_id = report->report_id,
		.catalogue = &snapshot_data(call->snapshot)->catalogue,
		.unknown_per_mil =
		    call->worker->engine->settings.unknown_per_mil,
		.at_us = call->request->now_us,
	};

	settle_make(&of, &report->settle);
}

/* --- answers -------------------------------------------------------------- */

/* It is recorded what was said, to be settled when the call is found. */
static enum status
answer_pending(struct report *report)
{
	struct call *call = report->call;
	struct engine_worker *worker = call->worker;
	struct context ctx = { .facts = { { .source = SOURCE_MISSING } } };
	const struct usage_report said = {
		.id = report->id,
		.report_id = report->report_id,
		.key_id = call_key_id(call),
		.report = &call->body.report,
		.ctx = &ctx,
		.at_us = call->request->now_us,
	};
	const struct settlement settlement = { .pending = true,
					       .id = report->id };

	report_said(call, &ctx);
	buf_reset(&worker->record);
	usage_report(&said, &worker->scratch, &worker->record);
	if (!call_store(call)) {
		return err_set(call->err, STATUS_FULL,
			       "the report cannot be recorded now");
	}
	buf_reset(&worker->answer);
	answer_write_pending(report->report_id, &settlement, &worker->answer);
	*call->out = (struct engine_answer){ .http_status = 202,
					     .body = &worker->answer };
	return STATUS_OK;
}

static bool
says_the_same(const struct report *report)
{
	static const unsigned char none[RESERVATION_DIGEST_BYTES];
	const struct reservation *r = &report->r;

	if (!digest_equal(r->report, none, sizeof(none))) {
		return digest_equal(r->report, report->digest, sizeof(none));
	}
	/* from the ledger, which keeps the figures only */
	return report->settle.cost_nanousd == r->settled_nanousd &&
	       report->settle.tokens == r->settled_tokens;
}

/* An earlier report has settled it. */
static enum status
answer_settled(struct report *report)
{
	struct call *call = report->call;
	struct reservation *r = &report->r;
	struct settle s = report->settle;
	struct report_decided decided;

	if (!says_the_same(report)) {
		return err_set(call->err, STATUS_CONFLICT,
			       "the call was reported before, otherwise");
	}
	s.report_id = r->report_id;
	s.at_us = r->settled_us;
	s.cost_nanousd = r->settled_nanousd;
	s.tokens = r->settled_tokens;
	report_decide(call, &s, &decided);
	struct settlement settlement = report_settlement(report, &s);
	settlement.already = true;
	decided.outcome.settlement = &settlement;
	metric_add(METRIC_reservations_total, EVENT_REPEATED, 1);
	call_answer(call, &decided.outcome, 200);
	return STATUS_OK;
}

/* --- the whole ------------------------------------------------------------ */

/* Whose settlement a SETTLING note is. */
enum settling { SETTLING_OURS, SETTLING_DEAD, SETTLING_OTHERS, SETTLING_LATER };

static enum settling
whose(const struct report *report)
{
	const struct reservation *r = &report->r;

	if (report->note.state != NOTE_FOUND) {
		return SETTLING_LATER; /* of the ledger: a report waits there */
	}
	if (strcmp(r->report_id, report->report_id) == 0) {
		return SETTLING_OURS;
	}
	return call_now_us(report->call) - r->settled_us >
		       REPORT_SETTLING_OLD_US
		   ? SETTLING_DEAD
		   : SETTLING_OTHERS;
}

/*
 * Was the estimate given back when the call expired?  The note does not know;
 * the housekeeper, who did it or will, settles such a call.
 */
static bool
may_be_released(const struct report *report)
{
	const struct call *call = report->call;
	enum { UNSETTLED_RELEASE = 1 };

	return call->worker->engine->config->reservation_unsettled ==
		   UNSETTLED_RELEASE &&
	       call->request->now_us > report->r.expires_us;
}

/* What is found now; *CLAIMED is REPORT_CLAIM_AGAIN where it must be looked
 * again. */
static enum status
go_on(struct report *report, enum report_claim *claimed)
{
	*claimed = REPORT_CLAIM_OURS;
	switch (report->r.state) {
	case RESERVATION_SETTLED:
		return answer_settled(report);
	case RESERVATION_SETTLING:
		switch (whose(report)) {
		case SETTLING_OURS:
			return report_settle(report);
		case SETTLING_DEAD:
			return report_take_over(report, claimed);
		case SETTLING_LATER:
			return answer_pending(report);
		case SETTLING_OTHERS:
		default:
			*claimed = REPORT_CLAIM_AGAIN;
			return STATUS_OK;
		}
	case RESERVATION_OPEN:
		if (may_be_released(report)) {
			return answer_pending(report);
		}
		/* fall through */
	case RESERVATION_REFUSED:
	default:
		*claimed = report_claim(report);
		return *claimed == REPORT_CLAIM_OURS ? report_settle(report)
						     : STATUS_OK;
	}
}

/* Look once, and do what can be done. */
static enum status
attempt(struct report *report, enum report_claim *claimed)
{
	*claimed = REPORT_CLAIM_OURS;
	switch (look(report)) {
	case RESERVATION_UNKNOWN:
		return answer_pending(report);
	case RESERVATION_ABSENT:
		return not_found(report, "call of this id");
	case RESERVATION_FOUND:
	default:
		break;
	}
	if (!may_report(report)) {
		return err_set(report->call->err, STATUS_FORBIDDEN,
			       "the call is another API key's");
	}
	make_figures(report);
	enum status status = go_on(report, claimed);
	if (status == STATUS_OK && *claimed == REPORT_CLAIM_UNKNOWN) {
		return answer_pending(report);
	}
	return status;
}

enum status
report_answer(struct call *call)
{
	struct report report = { .call = call };
	int64_t wait_us = call->worker->engine->config->counter_wait_ms * 1000;
	int64_t until_us = clock_mono_us() + wait_us;
	int64_t pause_us = PAUSE_FIRST_US;

	uuid_make(call->request->now_us, report.report_id);
	settle_digest(&call->body.report, report.digest);
	enum status status = identify(&report);
	if (status != STATUS_OK) {
		return status;
	}
	for (;;) {
		enum report_claim claimed;

		status = attempt(&report, &claimed);
		if (status != STATUS_OK || claimed != REPORT_CLAIM_AGAIN) {
			return status;
		}
		if (clock_mono_us() >= until_us) {
			return err_set(call->err, STATUS_BUSY,
				       "the call is being settled now");
		}
		clock_sleep_us(pause_us);
		pause_us = pause_us < PAUSE_MAX_US ? pause_us * 2 : pause_us;
	}
}
