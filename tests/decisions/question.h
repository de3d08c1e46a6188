/*
 * question: a case as the engine is asked it, and what came back.
 *
 * A case is one request or several, one after another, to the same engine with
 * the same counters in memory, which begin empty.  Its clock stands still while
 * a request is answered.
 *
 * Ids differ from run to run: an answer's own evaluation_id is "$N" wherever
 * it stands in what came back, N the number of the request from 1 on, and
 * "$N" in a request is the id that the N-th was answered with last.
 */
#ifndef DECISIONS_QUESTION_H
#define DECISIONS_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/config.h"
#include "json/read.h"
#include "world.h"

enum { QUESTION_ASKS_MAX = 16, QUESTION_TOOL = -1 };

/* One request. */
struct ask {
	const struct json *request; /* NULL: TEXT is sent as it is */
	const char *text;
	int key;	    /* index in the world's, or QUESTION_TOOL: none */
	const char *header; /* X-Request-ID, or NULL */
	int64_t now_us;
	int64_t times; /* it is sent, one after another */
};

struct question {
	struct config config;
	struct world world;
	struct ask asks[QUESTION_ASKS_MAX]; /* [asks_n] the last is the one */
	size_t asks_n;
	enum question_counters {
		COUNTERS_KNOWN,
		COUNTERS_UNKNOWN,
		COUNTERS_LOST /* from the last request on */
	} counters;
	bool ledger_known;
};

/* GOT came back to the N-th of the question's asks, from 0 on. */
typedef void question_answered_fn(void *arg, size_t n, const struct buf *got);

/*
 * Ask all, and give each answer to ANSWERED as {"status", "headers",
 * "answer"}, or {"status", "errors"}; or (the world does not compile: false)
 * {"status", "refused"} to the last.  TURNED: with blanks, members and
 * policies in the other order, which must not matter.  explain is full where a
 * request does not say.
 */
bool question_ask(const struct question *question, bool turned,
		  question_answered_fn *answered, void *arg);

/* Blank the ids of violations, which are new in every answer. */
void question_scrub(struct buf *got);

#endif /* DECISIONS_QUESTION_H */
