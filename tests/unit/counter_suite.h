/*
 * counter_suite: how counting behaves, on whatever store it is given.
 *
 * One list of tests for counter/store.h's three stores and everything above
 * them; tests/unit/test_take.c runs it in memory, the programs of the other
 * stores on theirs.
 */
#ifndef COUNTER_SUITE_H
#define COUNTER_SUITE_H

#include "counter/store.h"

/* Where the tests count. */
struct suite_stores {
	const char *name; /* of the group of tests */
	/*
	 * A store of one thread, in an epoch that has begun, on the data that
	 * all stores of this factory share.  The suite frees it.
	 */
	struct counter_store *(*open)(void *arg);
	/* Everything written is forgotten and an epoch begins.  Before each
	 * test, when no store is open; the epoch may be another one. */
	void (*reset)(void *arg);
	/* What was written is lost, and no epoch begins: a restart or a flush.
	 * NULL: this store cannot lose anything. */
	void (*lose)(void *arg);
	void *arg;
};

/* Run every test; returns how many failed. */
int counter_suite_run(const struct suite_stores *stores);

#endif /* COUNTER_SUITE_H */
