/* The suite on store_memory, and what is its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "counter_suite.h"

static struct counter_memory *memory;
static uint64_t epoch;

static struct counter_store *
open_memory(void *arg)
{
	(void)arg;
	return counter_memory_store(memory);
}

static void
begin_epoch(void)
{
	struct counter_store *store = counter_memory_store(memory);

	assert_int_equal(store->type->begin(store, ++epoch, NULL), STATUS_OK);
	counter_store_free(store);
}

static void
reset(void *arg)
{
	(void)arg;
	counter_memory_flush(memory);
	begin_epoch();
}

static void
lose(void *arg)
{
	(void)arg;
	counter_memory_flush(memory);
}

int
main(void)
{
	const struct suite_stores stores = { .name = "memory",
					     .open = open_memory,
					     .reset = reset,
					     .lose = lose };

	memory = counter_memory_new();
	int failed = counter_suite_run(&stores);
	counter_memory_free(memory);
	counter_memory_free(NULL);
	counter_store_free(NULL);
	return failed;
}
