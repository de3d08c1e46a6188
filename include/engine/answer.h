/*
 * answer: an outcome as the JSON that a caller gets.
 *
 * Source: docs/openapi.yaml, "Decision".
 */
#ifndef ENGINE_ANSWER_H
#define ENGINE_ANSWER_H

#include "base/buf.h"
#include "engine/outcome.h"
#include "json/write.h"

/* The whole answer behind what OUT holds. */
void answer_write(const struct outcome *outcome, struct buf *out);

/* The answer to report ID that is settled later. */
void answer_write_pending(const char *id, const struct settlement *settlement,
			  struct buf *out);

/* What the record shares: an object of F's details. */
void answer_details(struct json_writer *w, const struct finding *f);

#endif /* ENGINE_ANSWER_H */
