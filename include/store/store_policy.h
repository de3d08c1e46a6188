/*
 * store_policy: the table policies, written and listed by ims-policyctl.
 */
#ifndef STORE_STORE_POLICY_H
#define STORE_STORE_POLICY_H

#include <stdint.h>

#include "base/status.h"
#include "store/pg.h"

/* A policy as it is listed. */
struct store_policy_row {
	const char *name;
	const char *category;
	const char *evaluation_type;
	const char *priority;
	const char *action; /* "" : the default */
	const char *state;  /* "enforce", "shadow", "disabled" */
	const char *version;
	const char *updated_at;
	const char *updated_by;
};

/**
 * store_policy_put(pg, document, author, reason, version, err):
 * Insert the policy, or make it the next version of the one of its name.
 *
 * Takes:   DOCUMENT, JSON that source_check_policy (policy/source.h) has
 *          passed; what it leaves out gets the default.  REASON may be NULL.
 * Gives:   VERSION, 0 where the stored one is the same already.
 */
enum status store_policy_put(struct pg *pg, const char *document,
			     const char *author, const char *reason,
			     int64_t *version, struct err *err) MUST_CHECK;

/* Call EACH with every policy that is not deleted, by priority. */
enum status store_policy_each(struct pg *pg,
			      void (*each)(void *arg,
					   const struct store_policy_row *row),
			      void *arg, struct err *err) MUST_CHECK;

#endif /* STORE_STORE_POLICY_H */
