/*
 * run: the checks of the policies that apply, on one model.
 *
 * A decision is a run on the model that was asked for, and for a fallback one
 * more for each candidate.  Belongs to decide.c and fallback.c.
 */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include "core/bypass.h"
#include "core/decide.h"

/* The text's scan, made when it is first needed, shared by all runs. */
struct scan {
	bool done;
	const char *why;		/* not NULL: it could not be scanned */
	const struct content_hit *hits; /* by policy, key */
	size_t hits_n;
};

struct run {
	const struct decide_world *world;
	const struct decide_settings *settings;
	const struct decide_ops *ops; /* or NULL */
	struct arena *arena;
	enum stage stage;
	struct scan *scan;
	struct context ctx; /* with what is computed filled in */
	bool asked_for;
	struct estimate estimate;
	struct applying *applying; /* [applying_n] */
	size_t applying_n;
	struct bypass bypass;
	struct findings out;
	size_t told_n; /* of OUT, that bypasses have been told of already */
};

/* Which constraints of a policy are checked. */
enum run_part {
	RUN_PLAIN = 1 << 0,   /* neither content nor bypass */
	RUN_CONTENT = 1 << 1, /* keywords and patterns */
	RUN_BYPASS = 1 << 2   /* telling bypasses: when all others are done */
};

/**
 * run_estimate(run):
 * Make the estimate for RUN's context and model.
 *
 * The figures that nobody gave (estimated cost and tokens) become facts of the
 * context, so that leaving one out never escapes an applies_to.
 */
void run_estimate(struct run *run);

/* Find the policies that apply; all, or only what policy_by_model. */
void run_select(struct run *run, bool by_model_only);

/* Why POLICY does not enforce in this run, or NULL. */
const char *run_excused(const struct run *run, const struct policy *policy);

/* Does any policy that applies look at the text, and is there one? */
bool run_needs_content(const struct run *run);

/* Say that it cannot be told whether POLICY applies. */
struct finding *run_say_unclear(struct run *run, const struct policy *policy);

/* Check PARTS (run_part bits) of the I-th policy that applies. */
void run_policy(struct run *run, size_t i, unsigned parts);

#endif /* CORE_RUN_H */
