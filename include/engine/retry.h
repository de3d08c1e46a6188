/*
 * retry: a request that comes again gets the first decision again.
 *
 * The same key, request_id and stage within retry_window_s: the answer is kept
 * as a note beside the counters, and until it is there the note is a claim of
 * whoever decides.  Source: docs/policies.md, "How a decision is made", 0.
 */
#ifndef ENGINE_RETRY_H
#define ENGINE_RETRY_H

#include "engine/call.h"
#include "engine/meaning.h"

enum {
	/* A larger answer is kept without its explanation. */
	RETRY_ANSWER_BYTES = 256 * 1024,
	/* A claim that is older is of a process that died. */
	RETRY_CLAIM_OLD_US = 5 * 1000 * 1000
};

enum retry_state {
	RETRY_NONE,    /* the request says no id, or nothing keeps notes */
	RETRY_UNKNOWN, /* it cannot be told: decided, and maybe counted twice */
	RETRY_FIRST,   /* ours to decide */
	RETRY_AGAIN    /* answered: the first answer is in the call's out */
};

struct retry {
	enum retry_state state;
	struct counter_note note;
	unsigned char digest[MEANING_DIGEST_BYTES]; /* of the body */
};

/**
 * retry_begin(call, evaluation_id, out):
 * Has this request come before?
 *
 * Takes:   EVALUATION_ID, that of the decision if it is made now.
 * Errors:  STATUS_CONFLICT at /request_id: it came with another body;
 *          STATUS_BUSY: it is being decided now, and was not within
 *          counter_wait_ms.
 */
enum status retry_begin(struct call *call, const char *evaluation_id,
			struct retry *out) MUST_CHECK;

/* Keep the answer of OUTCOME, which is in the call's out. */
void retry_end(struct call *call, const struct retry *retry,
	       const struct outcome *outcome);

enum retry_found { RETRY_CALL_UNKNOWN, RETRY_CALL_ABSENT, RETRY_CALL_FOUND };

/* The evaluation id of the pre_flight call of the body's correlation_id and
 * request_id. */
enum retry_found retry_call(struct call *call, char out[UUID_TEXT_BYTES]);

#endif /* ENGINE_RETRY_H */
