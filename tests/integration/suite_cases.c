/*
 * suite_cases: the counters' suite (tests/unit/counter_suite.h) on a real
 * PostgreSQL.
 *
 * Run by test_store.sh, with IMS_PG, the owner of a migrated database, and
 * IMS_PG_COUNTER, a member of ims_policy_counter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "../unit/counter_suite.h"
#include "items_fixture.h"

enum { TIMEOUT_MS = 10000 };

static uint64_t epoch; /* that the suite counts in */

static struct counter_store *
open_store(void *arg)
{
	struct counter_store *store =
	    counter_postgresql_store(getenv("IMS_PG_COUNTER"), TIMEOUT_MS);

	(void)arg;
	store->epoch = epoch;
	return store;
}

/* The next epoch: what was written in another is out of reach. */
static void
reset(void *arg)
{
	struct pg *owner = pg_fixture_open("IMS_PG");
	struct err err;

	(void)arg;
	epoch = items_epoch(owner, STORE_NODE_POSTGRESQL);
	assert_int_equal(store_counter_begin(owner, epoch, &err), STATUS_OK);
	pg_free(owner);
}

int
main(void)
{
	const struct suite_stores stores = { .name = "postgresql",
					     .open = open_store,
					     .reset = reset };

	if (getenv("IMS_PG") == NULL || getenv("IMS_PG_COUNTER") == NULL) {
		fputs("suite_cases: IMS_PG, IMS_PG_COUNTER are not set\n",
		      stderr);
		return 2;
	}
	log_open("suite_cases", LOG_ERROR);
	return counter_suite_run(&stores);
}
