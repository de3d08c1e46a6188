#include "engine/retry.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/metric.h"
#include "engine/answer.h"
#include "engine/limits.h"
#include "engine/retry_note.h"

#define SECOND_US INT64_C(1000000)

/* Values of METRIC_retries_total. */
enum { RETRIES_ANSWERED, RETRIES_CONFLICT, RETRIES_RUNNING };

/* Pauses between two looks at a claim of somebody else. */
enum { PAUSE_FIRST_US = 500, PAUSE_MAX_US = 16000 };

static void
name_note(const struct call *call, enum stage stage,
	  char out[COUNTER_KEY_BYTES])
{
	const char *key_id = call_key_id(call);
	const char *const parts[] = {
		key_id != NULL ? key_id : "",
		call->body.values[FACT_request_id].text,
		stage_words[stage],
	};

	counter_decision_note(parts, 3, out);
}

static int64_t
expiry(const struct call *call)
{
	return call->request->now_us +
	       call->worker->engine->config->retry_window_s * SECOND_US;
}

/* Who decides now, into the worker's note. */
static const struct buf *
write_claim(struct call *call, const struct retry *retry,
	    const char *evaluation_id)
{
	struct retry_note claim = { .claimed_us = call_now_us(call),
				    .until_us = expiry(call),
				    .evaluation_id = evaluation_id,
				    .correlation_id = "" };

	if (call->body.said[FACT_correlation_id]) {
		claim.correlation_id =
		    call->body.values[FACT_correlation_id].text;
	}
	memcpy(claim.digest, retry->digest, sizeof(claim.digest));
	retry_note_write(&claim, &call->worker->note);
	return &call->worker->note;
}

/* --- has it come before? -------------------------------------------------- */

static enum status
conflict(struct call *call)
{
	metric_add(METRIC_retries_total, RETRIES_CONFLICT, 1);
	return err_at(call->err, STATUS_CONFLICT, "/request_id",
		      "this request_id came before, with another body");
}

static enum status
busy(struct call *call)
{
	metric_add(METRIC_retries_total, RETRIES_RUNNING, 1);
	return err_set(call->err, STATUS_BUSY,
		       "the same request is being decided now");
}

/* The first answer, byte for byte. */
static void
answer_again(struct call *call, const struct retry_note *kept)
{
	struct buf *body = &call->worker->answer;
	struct engine_answer *out = call->out;

	buf_reset(body);
	buf_add(body, kept->body, kept->body_n);
	*out = (struct engine_answer){ .http_status = kept->http_status,
				       .body = body };
	for (size_t i = 0; i < kept->headers_n; i++) {
		call_header(out, kept->headers[i].name, kept->headers[i].value);
	}
	call_header(out, "Idempotent-Replayed", "true");
	metric_add(METRIC_retries_total, RETRIES_ANSWERED, 1);
}

/* Its process has died, or its time is over: be the one who decides.  False:
 * look again. */
static bool
take_over(struct call *call, struct retry *retry, const char *evaluation_id)
{
	const struct buf *claim = write_claim(call, retry, evaluation_id);

	switch (counter_note_swap(call->worker->counter, &retry->note,
				  claim->data, claim->len, expiry(call))) {
	case ITEM_MOVED:
		return false;
	case ITEM_REPLACED:
		retry->state = RETRY_FIRST;
		return true;
	case ITEM_UNSURE:
	case ITEM_FAILED:
	default:
		retry->state = RETRY_UNKNOWN;
		return true;
	}
}

/* What a note that was there means; *AGAIN: nothing yet, look again. */
static enum status
judge(struct call *call, struct retry *retry, const char *evaluation_id,
      bool *again)
{
	const int64_t now_us = call_now_us(call);
	struct retry_note kept;

	*again = false;
	if (!retry_note_read(&retry->note, &kept)) {
		retry->state = RETRY_UNKNOWN;
		return STATUS_OK;
	}
	if (now_us >= kept.until_us) {
		*again = !take_over(call, retry, evaluation_id);
		return STATUS_OK;
	}
	if (!digest_equal(kept.digest, retry->digest, sizeof(kept.digest))) {
		return conflict(call);
	}
	if (kept.answered) {
		answer_again(call, &kept);
		retry->state = RETRY_AGAIN;
		return STATUS_OK;
	}
	*again = now_us - kept.claimed_us <= RETRY_CLAIM_OLD_US ||
		 !take_over(call, retry, evaluation_id);
	return STATUS_OK;
}

/* The note was there: until it is answered, or it has taken too long. */
static enum status
wait_for(struct call *call, struct retry *retry, const char *evaluation_id)
{
	struct counter_worker *counter = call->worker->counter;
	int64_t wait_us = call->worker->engine->config->counter_wait_ms * 1000;
	int64_t until_us = clock_mono_us() + wait_us;
	int64_t pause_us = PAUSE_FIRST_US;

	for (;;) {
		bool again;
		enum status status = judge(call, retry, evaluation_id, &again);

		if (status != STATUS_OK || !again) {
			return status;
		}
		if (clock_mono_us() >= until_us) {
			return busy(call);
		}
		clock_sleep_us(pause_us);
		pause_us = pause_us < PAUSE_MAX_US ? pause_us * 2 : pause_us;
		counter_note_read(counter, call->arena, &retry->note, NULL, 0,
				  expiry(call));
		if (retry->note.state != NOTE_FOUND) {
			/* it expired, or was taken away: ours, if at all */
			retry->state = RETRY_UNKNOWN;
			return STATUS_OK;
		}
	}
}

enum status
retry_begin(struct call *call, const char *evaluation_id, struct retry *out)
{
	struct counter_worker *counter = call->worker->counter;

	*out = (struct retry){ .state = RETRY_NONE };
	if (!call->body.said[FACT_request_id] || counter == NULL ||
	    call->worker->engine->config->retry_window_s == 0) {
		return STATUS_OK;
	}
	meaning_digest(call->root, call->arena, &call->worker->scratch,
		       out->digest);
	name_note(call, call->body.stage, out->note.name);
	const struct buf *claim = write_claim(call, out, evaluation_id);
	counter_note_read(counter, call->arena, &out->note, claim->data,
			  claim->len, expiry(call));
	switch (out->note.state) {
	case NOTE_ABSENT:
		out->state = RETRY_FIRST;
		return STATUS_OK;
	case NOTE_UNKNOWN:
		out->state = RETRY_UNKNOWN;
		return STATUS_OK;
	case NOTE_FOUND:
	default:
		return wait_for(call, out, evaluation_id);
	}
}

/* --- what was answered ---------------------------------------------------- */

/*
 * Until when the answer holds; 0: it does not.  A refusal that says when to
 * try again must not be given again by then, and one because of what was not
 * known then says nothing about later.
 */
static int64_t
holds_until(const struct call *call, const struct decision *d)
{
	int64_t until_us = expiry(call);
	int64_t now_us = call->request->now_us;
	int64_t seconds = limits_retry_after(d, now_us);

	if (d->action == ACTION_BLOCK && d->winner < d->findings.n &&
	    d->findings.items[d->winner].kind == FINDING_UNKNOWN) {
		return 0;
	}
	if (seconds >= 0 && now_us + seconds * SECOND_US < until_us) {
		return now_us + seconds * SECOND_US;
	}
	return until_us;
}

/* The answer is too large: its explanation is what can be left out. */
static void
keep_short(struct call *call, const struct outcome *outcome,
	   struct retry_note *kept)
{
	struct body body = *outcome->body;
	struct outcome brief = *outcome;
	struct buf *text = &call->worker->scratch;

	body.explain = EXPLAIN_BRIEF;
	brief.body = &body;
	buf_reset(text);
	answer_write(&brief, text);
	kept->body = text->data;
	kept->body_n = text->len;
}

void
retry_end(struct call *call, const struct retry *retry,
	  const struct outcome *outcome)
{
	struct counter_worker *counter = call->worker->counter;
	const struct engine_answer *answer = call->out;
	const char *correlation_id =
	    context_text(outcome->ctx, FACT_correlation_id);
	struct retry_note kept = {
		.answered = true,
		.claimed_us = call->request->now_us,
		.until_us = holds_until(call, outcome->decision),
		.evaluation_id = outcome->evaluation_id,
		.correlation_id = correlation_id != NULL ? correlation_id : "",
		.http_status = answer->http_status,
		.headers_n = answer->headers_n,
		.body = answer->body->data,
		.body_n = answer->body->len,
	};
	struct buf *note = &call->worker->note;

	if (retry->state != RETRY_FIRST) {
		return;
	}
	memcpy(kept.digest, retry->digest, sizeof(kept.digest));
	memcpy(kept.headers, answer->headers, sizeof(kept.headers));
	if (kept.body_n > RETRY_ANSWER_BYTES) {
		keep_short(call, outcome, &kept);
	}
	retry_note_write(&kept, note);
	if (kept.until_us == 0 || note->len > COUNTER_VALUE_MAX_BYTES) {
		buf_reset(note); /* a retry is decided anew */
	}
	counter_note_put(counter, retry->note.name, note->data, note->len,
			 kept.until_us);
}

enum retry_found
retry_call(struct call *call, char out[UUID_TEXT_BYTES])
{
	struct counter_note note = { .state = NOTE_UNKNOWN };
	struct retry_note kept;

	if (call->worker->counter == NULL) {
		return RETRY_CALL_UNKNOWN;
	}
	name_note(call, STAGE_PRE_FLIGHT, note.name);
	counter_note_read(call->worker->counter, call->arena, &note, NULL, 0,
			  0);
	if (note.state == NOTE_UNKNOWN) {
		return RETRY_CALL_UNKNOWN;
	}
	if (note.state == NOTE_ABSENT || !retry_note_read(&note, &kept) ||
	    strcmp(kept.correlation_id,
		   call->body.values[FACT_correlation_id].text) != 0) {
		return RETRY_CALL_ABSENT;
	}
	memcpy(out, kept.evaluation_id, strlen(kept.evaluation_id) + 1);
	return RETRY_CALL_FOUND;
}
