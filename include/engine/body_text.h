/*
 * body_text: the text of a body that goes to the model, piece by piece.
 *
 * The prompt, the system instruction, each message's content and each part of
 * one; of a report the response.  Source: docs/openapi.yaml; OpenAI's form of
 * messages, of which names and tool calls are not read.
 */
#ifndef ENGINE_BODY_TEXT_H
#define ENGINE_BODY_TEXT_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "json/read.h"

enum body_text_kind {
	BODY_TEXT_PROMPT,
	BODY_TEXT_SYSTEM,
	BODY_TEXT_MESSAGE, /* /messages/<message>/content */
	BODY_TEXT_PART,	   /* .../content/<part>/text */
	BODY_TEXT_RESPONSE /* of a report */
};

/* A piece, and where it stands. */
struct body_text {
	const char *text; /* [n], NUL behind it */
	size_t n;
	enum body_text_kind kind;
	size_t message, part;
};

struct body_texts {
	struct body_text *items; /* [n] in the arena */
	size_t n, cap;
};

/* Add the string AT as the one piece of KIND. */
enum status body_text_read(struct body_texts *texts, struct arena *arena,
			   enum body_text_kind kind, const struct json *at,
			   struct err *err) MUST_CHECK;

/* Add every piece of the messages AT; all wrong places are in ERR. */
enum status body_text_messages(struct body_texts *texts, struct arena *arena,
			       const struct json *at,
			       struct err *err) MUST_CHECK;

/* The JSON pointer of TEXT, in ARENA or static. */
const char *body_text_pointer(const struct body_text *text,
			      struct arena *arena);

/* Unicode characters of all pieces. */
size_t body_text_length(const struct body_texts *texts);

#endif /* ENGINE_BODY_TEXT_H */
