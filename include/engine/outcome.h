/*
 * outcome: a decision with all that its record and its answer say of it.
 *
 * Made by engine/evaluate.c, read by engine/answer.c and engine/record.c, so
 * that both give the same ids and the same times.
 */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "core/decision.h"
#include "engine/body.h"

struct outcome_id {
	char text[UUID_TEXT_BYTES];
};

struct outcome {
	const struct body *body;
	const struct context *ctx;
	const struct decision *decision;
	char evaluation_id[UUID_TEXT_BYTES];
	/* of the violations among the decision's findings, in their order */
	const struct outcome_id *violation_ids; /* [violations_n] */
	size_t violations_n;
	int64_t revision;
	int64_t now_us;
	int64_t took_us; /* the decision's own time */
	bool unrecorded; /* the record could not be stored */
};

#endif /* ENGINE_OUTCOME_H */
