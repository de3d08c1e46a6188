/*
 * question: a case as the engine is asked it, and what came back.
 */
#ifndef DECISIONS_QUESTION_H
#define DECISIONS_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/config.h"
#include "json/read.h"
#include "world.h"

struct question {
	struct config config;
	struct world world;
	const struct json *request; /* NULL: TEXT is sent as it is */
	const char *text;
	bool with_key;	    /* else as a tool, without one */
	const char *header; /* X-Request-ID, or NULL */
	int64_t now_us;
};

/*
 * Ask, and write {"status", "headers", "answer"}, or {"status", "errors"}, or
 * (the world does not compile: false) {"status", "refused"} behind what GOT
 * holds.  TURNED: with blanks, members and policies in the other order, which
 * must not matter.  explain is full where the request does not say.
 */
bool question_ask(const struct question *question, bool turned,
		  struct buf *got);

/* Blank what is different in every answer: ids and how long it took. */
void question_scrub(struct buf *got);

#endif /* DECISIONS_QUESTION_H */
