/*
 * outcome_fixture: an outcome with every kind of finding and detail, for the
 * tests of what is made of one.
 */
#ifndef OUTCOME_FIXTURE_H
#define OUTCOME_FIXTURE_H

#include "engine/outcome.h"

enum { OUTCOME_FINDINGS = 5 };

/* Each may be changed; put together by outcome_fixture(). */
struct outcome_parts {
	struct body body;
	struct context ctx;
	struct policy policies[2]; /* "cap" enforces, "ghost" is in shadow */
	struct finding findings[OUTCOME_FINDINGS];
	struct execution executions[2];
	struct outcome_id ids[OUTCOME_FINDINGS];
	struct decision decision;
	struct outcome outcome;
};

/*
 * Degraded by cap: its violation, a warning of its own, a violation in shadow
 * with hits, something unknown, a warning of nobody's.
 */
void outcome_fixture(struct outcome_parts *parts);

#endif /* OUTCOME_FIXTURE_H */
