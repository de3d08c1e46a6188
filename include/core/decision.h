/*
 * decision: what core has to say about one context.
 *
 * All memory is the request's arena; strings are borrowed from it, from the
 * context or from the snapshot.
 */
#ifndef CORE_DECISION_H
#define CORE_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/counter.h"
#include "core/estimate.h"
#include "core/policy.h"

/* One member of a finding's details; JSON is made of it in engine/answer.c. */
enum detail_type {
	DETAIL_TEXT,
	DETAIL_COUNT,
	DETAIL_MONEY, /* nano-dollars; dollars in JSON */
	DETAIL_RATIO,
	DETAIL_FLAG,
	DETAIL_TIME, /* number: microseconds; RFC 3339 in JSON */
	DETAIL_TEXTS,
	DETAIL_MODELS, /* alternatives: model_id, vendor_id, mean price */
	DETAIL_HITS    /* where content matched: item, kind, pointer, bytes */
};

struct content_hit; /* core/decide.h */

struct detail {
	const char *name; /* "observed", "limit", "unit", ... */
	enum detail_type type;
	union {
		const char *text;
		int64_t number;
		double ratio;
		bool flag;
		const char *const *texts;
		const struct model *const *models;
		const struct content_hit *hits;
	} value;
	size_t n; /* of texts, models, hits */
};

enum finding_kind {
	FINDING_VIOLATION,
	FINDING_WARNING,
	FINDING_UNKNOWN /* could not be evaluated: a warning with on_error */
};

enum { FINDING_DETAILS = 12 };

struct finding {
	enum finding_kind kind;
	const struct policy
	    *policy;		 /* NULL: no policy's, e.g. an ignored wish */
	enum constraint_key key; /* CONSTRAINT_N: none */
	const char *type;	 /* violation_type or the warning's type */
	const char *message;	 /* for a person; lower case, no full stop */
	/* What it asks for; for FINDING_UNKNOWN that of on_error: ALLOW, BLOCK */
	enum action action;
	/* Is it part of the decision?  Not in shadow, exempted or bypassed. */
	bool enforced;
	const char *excused; /* NULL, "shadow", "exemption" or "bypass" */
	struct detail details[FINDING_DETAILS];
	size_t details_n;
};

struct findings {
	struct finding *items; /* in the arena */
	size_t n, cap;
};

/* A model that would be permitted, with what it would cost. */
struct fallback {
	const struct model *model;
	const struct region *region; /* where it would run; NULL unknown */
	struct estimate estimate;
};

enum { FALLBACK_CHAIN = 3 };

/* What one policy came to; explain: full and policy_executions read it. */
struct execution {
	const struct policy *policy;
	enum execution_result {
		EXECUTION_PASSED,
		EXECUTION_WARNED,
		EXECUTION_VIOLATED,
		EXECUTION_NOT_EVALUATED,
		EXECUTION_SKIPPED /* the early exit */
	} result;
	const char *excused; /* as in its findings */
};

struct decision {
	enum action action;
	bool passed;		  /* no enforced violation */
	struct findings findings; /* in the order of policies, then keys */
	/* index in findings of what decided, or SIZE_MAX for allow */
	size_t winner;
	struct estimate estimate; /* of the model that was asked for */
	/* of the model that will run; the same unless degraded */
	struct estimate final_estimate;
	struct fallback chain[FALLBACK_CHAIN]; /* chain[0] is the fallback */
	size_t chain_n;
	struct execution *executions; /* [executions_n] */
	size_t executions_n;	      /* policies_evaluated */
	/* What was to be counted for the model that will run, or for the last
	 * one that was tried, and what came of it. */
	const struct charge *charges; /* [charges_n] in the order of policies */
	const struct charged *charged; /* [charges_n] */
	size_t charges_n;
	struct charge_model charged_model;
	bool taken;	 /* the call is admitted and its charges are counted */
	bool record_all; /* a log_all_requests policy applies, or may */
};

extern const char *const execution_words[]; /* by enum execution_result */

#endif /* CORE_DECISION_H */
