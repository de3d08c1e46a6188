/*
 * check: one function a kind of constraint; the table core/constraint.tbl.h
 * says which key calls which.
 *
 * A check looks at one constraint of one policy in one context and adds what
 * it finds (core/finding.h).  Files: check_cost.c, check_vendor.c,
 * check_behavioral.c, check_data_residency.c, check_compliance.c.
 */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/decide.h"
#include "core/finding.h"

/* What a check may look at. */
struct check {
	const struct decide_world *world;
	const struct decide_settings *settings;
	const struct context *ctx;
	const struct policy *policy;
	const struct constraint *constraint;
	struct estimate estimate; /* on the model that is tried */
	bool asked_for;	     /* the model that was asked for, no fallback */
	const char *excused; /* of the policy: see struct finding */
	const struct content_hit *hits; /* [hits_n] of the scan, sorted */
	size_t hits_n;
	size_t told_n; /* of OUT: see struct run */
	struct arena *arena;
	struct findings *out;
};

typedef void check_fn(struct check *check);

#define CONSTRAINT(key, category, stages, type, low, high, by, fn, doc) \
	check_fn check_##fn;
#include "core/constraint.tbl.h"
#undef CONSTRAINT

/* Is KEY one whose check looks at the text? */
bool check_is_content(enum constraint_key key);

/* What is said of a number that is held against a limit. */
struct check_words {
	const char *violation, *violation_message;
	const char *near, *near_message; /* NULL: it has no threshold */
	const char *unit;
	enum detail_type type; /* DETAIL_MONEY or DETAIL_COUNT */
};

/* Hold OBSERVED against CHECK's constraint, and its policy's warn_threshold. */
void check_limit(struct check *check, const struct check_words *words,
		 int64_t observed);

/* Call the check of CHECK's constraint; a FLAG that is false has none. */
void check_run(struct check *check);

#endif /* CORE_CHECK_H */
