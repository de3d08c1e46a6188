/*
 * trial: a case as it is written, read into the question that it is.
 *
 * Source: tests/decisions/README.md.
 */
#ifndef DECISIONS_TRIAL_H
#define DECISIONS_TRIAL_H

#include "question.h"

struct trial {
	const struct json *root;	      /* the case */
	struct json before;		      /* its list, where it has one */
	struct json keys[WORLD_KEYS_MAX];     /* what the question points to */
	struct json items[QUESTION_ASKS_MAX]; /* of BEFORE */
	struct json requests[QUESTION_ASKS_MAX];
	struct question question;
};

/* What cases have in common, from their file; NULL: not there. */
struct trial_file {
	const struct json *root;
	const struct json *world_file, *world;
};

/*
 * Read the case ROOT of FILE into OUT, which must not move.  What is wrong
 * with it is a line of COMPLAINT each; OUT can be asked all the same.
 */
void trial_read(const struct trial_file *file, const struct json *root,
		struct trial *out, struct buf *complaint);

/* The string member KEY of AT, or OTHERWISE. */
const char *trial_text(const struct json *at, const char *key,
		       const char *otherwise);

/* A member of AT that is not KNOWN (NULL-terminated), nor a world's where
 * WORLD_TOO, is a line of COMPLAINT about WHAT. */
void trial_members(const struct json *at, const char *const *known,
		   bool world_too, const char *what, struct buf *complaint);

#endif /* DECISIONS_TRIAL_H */
