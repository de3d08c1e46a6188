/*
 * test_keeper_hosts: what the hosts' rows come to, and when it is said.  The
 * table, the clock and the log are ours, by way of the linker (--wrap).
 */
#include "keeper/keeper_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define S INT64_C(1000000)

static const struct store_node *nodes;
static size_t nodes_n;
static enum status each_says;
static int64_t now_us;
static char logged[400];

enum status __wrap_store_node_each(struct pg *pg,
				   void (*each)(void *arg,
						const struct store_node *node),
				   void *arg, struct err *err);
int64_t __wrap_clock_mono_us(void);
void __wrap_log_at(enum log_level level, const char *format, ...)
    PRINTF_LIKE(2, 3);

enum status
__wrap_store_node_each(struct pg *pg,
		       void (*each)(void *arg, const struct store_node *node),
		       void *arg, struct err *err)
{
	(void)pg;
	(void)err;
	for (size_t i = 0; i < nodes_n; i++) {
		each(arg, &nodes[i]);
	}
	return each_says;
}

int64_t
__wrap_clock_mono_us(void)
{
	return now_us;
}

void
__wrap_log_at(enum log_level level, const char *format, ...)
{
	va_list args;

	assert_int_equal(level, LOG_WARNING);
	va_start(args, format);
	vsnprintf(logged, sizeof(logged), format, args);
	va_end(args);
}

/* spool_id, name, clock, memcached, epoch, drained, age */
#define NODE(id, epoch_, memcached_, age)                               \
	{                                                               \
		.spool_id = "spool-" id, .name = id, .epoch = (epoch_), \
		.memcached = STORE_NODE_##memcached_, .age_ms = (age)   \
	}

/* Hosts asked about epoch 7. */
static const struct {
	const char *name;
	struct store_node nodes[3];
	size_t n;
	bool clean, up;
	const char *waits_for; /* or "" */
	int64_t silent_ms;
} cases[] = {
	{ "nobody", { { .name = NULL } }, 0, true, true, "", 0 },
	{ "all follow",
	  { NODE("a", 7, UP, 1), NODE("b", 7, NONE, 99999) },
	  2,
	  true,
	  true,
	  "",
	  0 },
	{ "one cannot reach its memcached",
	  { NODE("a", 7, UP, 1), NODE("b", 7, DOWN, 1), NODE("c", 7, UP, 1) },
	  3,
	  true,
	  false,
	  "",
	  0 },
	{ "one is behind",
	  { NODE("a", 6, UP, 20), NODE("b", 7, UP, 1) },
	  2,
	  false,
	  true,
	  "a",
	  20 },
	{ "one follows none yet",
	  { NODE("a", 0, UP, 3) },
	  1,
	  false,
	  true,
	  "a",
	  3 },
	{ "one is ahead", { NODE("a", 8, UP, 3) }, 1, false, true, "a", 3 },
	{ "the one that is silent for longest is waited for",
	  { NODE("a", 6, UP, 20), NODE("b", 6, DOWN, 60000),
	    NODE("c", 0, UP, 100) },
	  3,
	  false,
	  false,
	  "b",
	  60000 },
};

static void
hosts_are_counted(void **state)
{
	(void)state;
	each_says = STATUS_OK;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct keeper_hosts hosts;
		char spool[20] = "";
		struct err err;

		print_message("%s\n", cases[i].name);
		nodes = cases[i].nodes;
		nodes_n = cases[i].n;
		assert_int_equal(keeper_hosts(NULL, 7, &hosts, &err),
				 STATUS_OK);
		assert_int_equal(hosts.epoch, 7);
		assert_int_equal(hosts.n, cases[i].n);
		assert_int_equal(hosts.clean, cases[i].clean);
		assert_int_equal(hosts.up, cases[i].up);
		assert_string_equal(hosts.waits_for, cases[i].waits_for);
		assert_int_equal(hosts.silent_ms, cases[i].silent_ms);
		if (!cases[i].clean) {
			snprintf(spool, sizeof(spool), "spool-%s",
				 cases[i].waits_for);
		}
		assert_string_equal(hosts.spool_id, spool);
	}
	nodes_n = 0;
	each_says = STATUS_UNAVAILABLE;
	struct keeper_hosts hosts;
	struct err err;
	assert_int_equal(keeper_hosts(NULL, 7, &hosts, &err),
			 STATUS_UNAVAILABLE);
}

/* When it is said: the first time, then once a minute. */
static const struct {
	int64_t at_us, silent_ms;
	bool said;
} tells[] = {
	{ 5 * S, 9999, false },	  { 6 * S, 10000, true },
	{ 7 * S, 11000, false },  { 66 * S - 1, 70000, false },
	{ 66 * S, 70000, true },  { 127 * S, 9999, false },
	{ 128 * S, 10000, true },
};

static void
a_silent_host_is_named(void **state)
{
	struct keeper_hosts hosts = { .epoch = 7,
				      .waits_for = "web-2",
				      .spool_id = "spool-2" };
	int64_t told_us = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(tells) / sizeof(tells[0]); i++) {
		print_message("tell %zu\n", i);
		logged[0] = '\0';
		now_us = tells[i].at_us;
		hosts.silent_ms = tells[i].silent_ms;
		keeper_hosts_tell(&hosts, &told_us);
		assert_int_equal(logged[0] != '\0', tells[i].said);
	}
	assert_string_equal(logged, "counters: epoch 7 waits for host web-2, "
				    "which has been silent for 10 s; if it "
				    "will never come back: ims-policyctl node "
				    "remove spool-2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_counted),
		cmocka_unit_test(a_silent_host_is_named),
	};

	return cmocka_run_group_tests_name("keeper_hosts", tests, NULL, NULL);
}
