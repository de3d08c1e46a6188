/*
 * core_random: policies, contexts and catalogues by chance, for laws.
 *
 * A world is made from its seed alone.  Its scanner finds a hit for every
 * policy that blocks a keyword; its counters have counted something before,
 * and keep nothing of what is asked (forgets).
 */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include "core_fixture.h"

/* xorshift64*, never 0 */
struct dice {
	uint64_t state;
};

unsigned random_roll(struct dice *dice, unsigned sides);

/* "category key=value ..." */
const char *random_rule(struct dice *dice);
const char *random_bypass(struct dice *dice);
const char *random_action(struct dice *dice);

/* The text of a policy of RULE, with priority, options and a condition. */
const char *random_text(struct fixture *fx, struct dice *dice,
			const char *action, const char *rule);
void random_policy(struct fixture *fx, struct dice *dice, const char *name);
struct fixture *random_world(unsigned seed, struct dice *dice);

#endif /* CORE_RANDOM_H */
