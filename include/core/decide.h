/*
 * decide: one decision, by docs/policies.md, "How a decision is made".
 *
 *	policy_select -> checks without content or counters (all, always)
 *	   -> an enforced block? stop -> content -> an enforced block? stop
 *	   -> degrade: candidates, each checked by every policy
 *	   -> counters -> the strongest enforced action
 *
 * Pure: no clock, no I/O, no lock, no JSON.  What must be asked of the
 * outside (is this text clean? is there budget left?) is a function in
 * struct decide_ops, given by the engine.
 */
#ifndef CORE_DECIDE_H
#define CORE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/catalogue.h"
#include "core/context.h"
#include "core/counter.h"
#include "core/decision.h"
#include "core/policy.h"

struct arena;

/* A keyword or pattern that the text holds.  Never the text itself. */
struct content_hit {
	uint32_t policy;	 /* index in the set */
	enum constraint_key key; /* blocked_keywords or blocked_patterns */
	uint32_t item;		 /* element of the policy's list */
	const char *pointer;	 /* JSON pointer of the text in the body */
	size_t start, end;	 /* bytes in the decoded text */
};

struct decide_ops {
	/*
	 * Look through the context's text for all keywords and patterns.
	 * Gives HITS in ARENA.  False: could not be scanned, WHY says it.
	 * Called at most once a decision; NULL: there is no scanner.
	 */
	bool (*scan)(void *arg, struct arena *arena,
		     const struct content_hit **hits, size_t *hits_n,
		     const char **why);
	/* Who counts (core/counter.h); NULL: nobody, which is CHARGE_UNKNOWN
	 * for every charge. */
	counter_take_fn *take;
	void *arg;
};

struct decide_settings {
	bool fail_closed;	 /* what on_error default means */
	int64_t unknown_per_mil; /* price assumed where none is known */
};

/* The part of a snapshot that deciding needs. */
struct decide_world {
	const struct policy_set *policies;
	const struct catalogue *catalogue;
};

/**
 * decide(world, settings, ops, stage, ctx, arena, out):
 * Decide about CTX at STAGE.
 *
 * Takes:   OPS may be NULL: then what needs it is FINDING_UNKNOWN.
 * Gives:   OUT, its memory in ARENA.
 * Errors:  none; every context has a decision.
 */
void decide(const struct decide_world *world,
	    const struct decide_settings *settings,
	    const struct decide_ops *ops, enum stage stage,
	    const struct context *ctx, struct arena *arena,
	    struct decision *out);

/**
 * decide_unrecorded(settings, decision):
 * The record could not be stored: what does that do to DECISION?
 *
 * A policy with log_all_requests that applied could then not be evaluated, so
 * its on_error counts: each adds a FINDING_UNKNOWN `not_recorded`, which may
 * turn the decision into a block.
 */
void decide_unrecorded(const struct decide_settings *settings,
		       struct arena *arena, struct decision *decision);

#endif /* CORE_DECIDE_H */
