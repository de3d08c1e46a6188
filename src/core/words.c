/*
 * words: the words of JSON and the database for core's enums, and the
 * constraint table as rows.
 */
#include "core/policy.h"

#include <assert.h>
#include <string.h>

#include "core/decision.h"

const char *const category_words[] = {
	"cost",		  "vendor",	"behavioral", "performance",
	"data_residency", "compliance", NULL,
};
const char *const stage_words[] = { "pre_flight", "runtime", "post_execution",
				    "continuous", NULL };
const char *const action_words[] = { "allow",	"log",	 "warn",
				     "degrade", "block", NULL };
const char *const mode_words[] = { "enforce", "shadow", NULL };
const char *const on_error_words[] = { "default", "allow", "block", NULL };
const char *const severity_words[] = { "low", "medium", "high", "critical",
				       NULL };
const char *const scope_words[] = { "global",  "organization", "team",	 "user",
				    "api_key", "model",	       "vendor", NULL };
const char *const unknown_price_words[] = { "block", "estimate", "allow",
					    NULL };
const char *const pii_action_words[] = { "alert", "redact", "alert_and_redact",
					 NULL };
const char *const execution_words[] = { "passed",	 "warned",  "violated",
					"not_evaluated", "skipped", NULL };

enum {
	P = 1 << STAGE_PRE_FLIGHT,
	R = 1 << STAGE_RUNTIME,
	X = 1 << STAGE_POST_EXECUTION,
	C = 1 << STAGE_CONTINUOUS,
	PC = P | C,
	PX = P | X,
	XC = X | C,
	PRX = P | R | X,
	PXC = P | X | C,
	PRXC = P | R | X | C
};

static const struct constraint_row rows[CONSTRAINT_N] = {
#define CONSTRAINT(key, category, stages, type, low, high, by, check, doc) \
	{ #key,                                                            \
	  CATEGORY_##category,                                             \
	  stages,                                                          \
	  CONSTRAINT_TYPE_##type,                                          \
	  low,                                                             \
	  high,                                                            \
	  CONSTRAINT_BY_##by,                                              \
	  #check,                                                          \
	  doc },
#include "core/constraint.tbl.h"
#undef CONSTRAINT
};

const struct constraint_row *
constraint_row(enum constraint_key key)
{
	assert(key < CONSTRAINT_N);
	return &rows[key];
}

enum constraint_key
constraint_find(const char *key)
{
	for (enum constraint_key i = 0; i < CONSTRAINT_N; i++) {
		if (strcmp(rows[i].key, key) == 0) {
			return i;
		}
	}
	return CONSTRAINT_N;
}

enum severity
severity_of(int priority)
{
	if (priority >= 90) {
		return SEVERITY_CRITICAL;
	}
	if (priority >= 70) {
		return SEVERITY_HIGH;
	}
	return priority >= 40 ? SEVERITY_MEDIUM : SEVERITY_LOW;
}

enum action
action_default(int priority, enum category category)
{
	switch (severity_of(priority)) {
	case SEVERITY_CRITICAL:
		return ACTION_BLOCK;
	case SEVERITY_HIGH:
		return category == CATEGORY_COST ? ACTION_DEGRADE
						 : ACTION_BLOCK;
	case SEVERITY_MEDIUM:
		return ACTION_WARN;
	case SEVERITY_LOW:
		break;
	}
	return ACTION_LOG;
}
