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
#include "counter/reservation.h"
#include "engine/body.h"

struct outcome_id {
	char text[UUID_TEXT_BYTES];
};

/* What came of a report. */
struct settlement {
	bool pending;	/* not known yet what it settles: only ID counts */
	const char *id; /* of the reservation: the call's evaluation */
	int64_t cost_nanousd, reserved_nanousd, overrun_nanousd;
	bool already; /* an earlier report said the same */
	bool late;    /* the reservation had expired */
};

struct outcome {
	const struct body *body;
	const struct context *ctx;
	const struct decision *decision;
	char evaluation_id[UUID_TEXT_BYTES];
	/* of the violations among the decision's findings, in their order */
	const struct outcome_id *violation_ids; /* [violations_n] */
	size_t violations_n;
	const char *key_id; /* of the caller; NULL: none */
	/* of a call that is admitted before it is made; else NULL */
	const struct reservation *reservation;
	const struct settlement *settlement; /* of a report; else NULL */
	int64_t revision;
	int64_t now_us;
	int64_t took_us; /* the decision's own time */
	bool unrecorded; /* the record could not be stored */
};

#endif /* ENGINE_OUTCOME_H */
