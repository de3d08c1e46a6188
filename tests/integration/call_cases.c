/*
 * call_cases: what an administrator asks of epochs and of the ledger, in a
 * real PostgreSQL.
 *
 * Run by test_store.sh, with IMS_PG, the owner of a migrated database, and
 * IMS_PG_KEEPER, a member of that role.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "store/store_node.h"
#include "store/store_usage_call.h"
#include "store/store_usage_keep.h"
#include "pg_fixture.h"

#define NODE "01930000-0000-7000-8000-00000000000a"

/* ---- epochs */

static void
add_epoch(void *arg, const struct store_node_epoch_row *row)
{
	buf_printf(arg, "%s %s %s %s %s\n", row->epoch, row->counts,
		   row->reason, row->name[0] != '\0' ? row->name : "-",
		   row->ready_at[0] != '\0' ? "ready" : "not");
}

static void
epochs_are_listed(void **state)
{
	struct pg_fixture *w = *state;
	struct buf rows = { .data = NULL };
	struct err err;

	pg_fixture_run(
	    w->owner,
	    "DELETE FROM nodes; DELETE FROM counter_epochs;"
	    "SELECT node_beat('" NODE "', 'one', 0, NULL, 1, now());"
	    "INSERT INTO counter_epochs (epoch, counts, reason, node, ready_at)"
	    "VALUES (1, 'memcached', 'a', '" NODE "', now()),"
	    "(2, 'postgresql', 'b', '" STORE_NODE_OPERATOR "', now()),"
	    "(3, 'memcached', 'c', '" NODE "', NULL)");
	assert_int_equal(
	    store_node_epoch_each(w->keeper, 2, add_epoch, &rows, &err),
	    STATUS_OK);
	assert_string_equal(buf_text(&rows),
			    "3 memcached c one not\n2 postgresql b - ready\n");
	buf_reset(&rows);
	assert_int_equal(
	    store_node_epoch_each(w->nobody, 2, add_epoch, &rows, &err),
	    STATUS_UNAVAILABLE);
	assert_string_equal(buf_text(&rows), "");
	buf_fini(&rows);
	pg_fixture_run(w->owner,
		       "DELETE FROM nodes; DELETE FROM counter_epochs");
}

/* ---- how much there is */

/* A call of now whose report is wanted by EXPIRES, with ENTRIES beside. */
static const struct {
	const char *expires;
	const char *entry; /* or NULL */
	const char *counted;
	int64_t open, uncounted; /* more than before */
} calls[] = {
	{ "1 minute", NULL, "true", 1, 0 },
	{ "6 days", NULL, "true", 1, 0 },
	{ "1 minute", "settle", "true", 0, 0 },
	{ "1 minute", "report", "true", 0, 0 },
	{ "1 minute", "expire", "true", 0, 0 },
	{ "1 minute", "move", "true", 1, 0 },
	{ "1 minute", "settle", "false", 0, 1 },
	/* before the time until which all is settled or expired */
	{ "0 s", NULL, "true", 0, 0 },
	{ "-1 s", NULL, "true", 0, 0 },
	{ "1 us", NULL, "true", 1, 0 },
};

static void
add_call(struct pg_fixture *w, size_t i)
{
	char sql[1000];

	snprintf(sql, sizeof(sql),
		 "INSERT INTO usage (evaluation_id, entry, \"timestamp\", "
		 "calls, cost, tokens, expires_at, epoch, counted) "
		 "SELECT (left(uuid7_floor(now())::text, 24) || "
		 "lpad('%zu', 12, '0'))::uuid, e, now(), "
		 "CASE e WHEN 'reserve' THEN 1 ELSE 0 END, 0, 0, "
		 "(SELECT until FROM usage_expired) + interval '%s', 1, "
		 "e = 'reserve' OR %s "
		 "FROM unnest(ARRAY['reserve'%s%s%s]) e",
		 i, calls[i].expires, calls[i].counted,
		 calls[i].entry != NULL ? ", '" : "",
		 calls[i].entry != NULL ? calls[i].entry : "",
		 calls[i].entry != NULL ? "'" : "");
	pg_fixture_run(w->owner, sql);
}

static void
open_calls_are_counted(void **state)
{
	struct pg_fixture *w = *state;
	int64_t open = 0, uncounted = 0;
	struct err err;

	pg_fixture_run(w->owner, "DELETE FROM usage;"
				 "UPDATE usage_expired SET until = now()");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int64_t open_before, uncounted_before;

		print_message("call %zu\n", i);
		assert_int_equal(
		    store_usage_open_n(w->keeper, &open_before, &err),
		    STATUS_OK);
		assert_int_equal(
		    store_usage_uncounted_n(w->keeper, &uncounted_before, &err),
		    STATUS_OK);
		assert_int_equal(open_before, open);
		assert_int_equal(uncounted_before, uncounted);
		add_call(w, i);
		open += calls[i].open;
		uncounted += calls[i].uncounted;
		assert_int_equal(
		    store_usage_open_n(w->keeper, &open_before, &err),
		    STATUS_OK);
		assert_int_equal(
		    store_usage_uncounted_n(w->keeper, &uncounted_before, &err),
		    STATUS_OK);
		assert_int_equal(open_before, open);
		assert_int_equal(uncounted_before, uncounted);
	}
	/* nothing was ever expired: all that is open counts */
	pg_fixture_run(w->owner, "UPDATE usage_expired SET until = 'epoch'");
	assert_int_equal(store_usage_open_n(w->keeper, &open, &err), STATUS_OK);
	assert_int_equal(open, 6);
	open = uncounted = 77;
	assert_int_equal(store_usage_open_n(w->nobody, &open, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_usage_uncounted_n(w->nobody, &uncounted, &err),
			 STATUS_UNAVAILABLE);
	assert_true(open == 77 && uncounted == 77);
	pg_fixture_run(w->owner, "DELETE FROM usage");
}

/* ---- one call */

static void
call_is_read(void **state)
{
	struct pg_fixture *w = *state;
	struct store_usage_call call = { .state = "before" };
	struct err err;

	pg_fixture_run(
	    w->owner,
	    "DELETE FROM usage;"
	    "INSERT INTO usage (evaluation_id, entry, \"timestamp\", user_id, "
	    "model_id, calls, cost, tokens, expires_at, epoch, counted, "
	    "overrun, charges) VALUES "
	    "('" NODE "', 'settle', '2026-11-23 12:00:01Z', 'u', 'n', 0, "
	    "-0.250, 3, NULL, 4, false, 0, NULL),"
	    "('" NODE "', 'reserve', '2026-11-23 12:00:00Z', 'u', 'm', 1, "
	    "1.500, 7, '2026-11-23 12:15:00Z', 4, true, NULL, "
	    "'{1,2,3,64,5,6,7}')");
	assert_int_equal(
	    store_usage_call(w->owner, NODE, w->arena, &call, &err), STATUS_OK);
	assert_string_equal(call.state, "settled");
	assert_string_equal(call.reserved_at, "2026-11-23T12:00:00.000000Z");
	assert_string_equal(call.expires_at, "2026-11-23T12:15:00.000000Z");
	assert_string_equal(call.expired_at, "");
	assert_string_equal(call.settled_at, "2026-11-23T12:00:01.000000Z");
	assert_string_equal(call.report_id, "");
	assert_string_equal(call.user_id, "u");
	assert_string_equal(call.model_id, "n");
	assert_string_equal(call.reserved, "1.5");
	assert_string_equal(call.cost, "1.25");
	assert_string_equal(call.overrun, "0");
	assert_string_equal(call.tokens, "10");
	assert_string_equal(call.latency_ms, "");
	assert_int_equal(call.entries_n, 2);
	assert_string_equal(call.entries[0].entry, "reserve");
	assert_string_equal(call.entries[0].charges, "{1,2,3,64,5,6,7}");
	assert_string_equal(call.entries[0].counted, "t");
	assert_string_equal(call.entries[1].entry, "settle");
	assert_string_equal(call.entries[1].at, "2026-11-23T12:00:01.000000Z");
	assert_string_equal(call.entries[1].model_id, "n");
	assert_string_equal(call.entries[1].vendor_id, "");
	assert_string_equal(call.entries[1].calls, "0");
	assert_string_equal(call.entries[1].cost, "-0.25");
	assert_string_equal(call.entries[1].tokens, "3");
	assert_string_equal(call.entries[1].epoch, "4");
	assert_string_equal(call.entries[1].counted, "f");
	assert_string_equal(call.entries[1].charges, "");
	pg_fixture_run(w->owner, "DELETE FROM usage");
	assert_int_equal(
	    store_usage_call(w->owner, NODE, w->arena, &call, &err),
	    STATUS_NOT_FOUND);
	assert_int_equal(store_usage_call(w->owner, "x", w->arena, &call, &err),
			 STATUS_BODY);
	assert_int_equal(
	    store_usage_call(w->nobody, NODE, w->arena, &call, &err),
	    STATUS_UNAVAILABLE);
	assert_string_equal(call.state, "settled"); /* as it was */
}

#define CASE(test) \
	cmocka_unit_test_setup_teardown(test, pg_fixture_begin, pg_fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(epochs_are_listed),
		CASE(open_calls_are_counted),
		CASE(call_is_read),
	};

	if (getenv("IMS_PG") == NULL || getenv("IMS_PG_KEEPER") == NULL) {
		fputs("call_cases: IMS_PG, IMS_PG_KEEPER are not set\n",
		      stderr);
		return 2;
	}
	log_open("call_cases", LOG_ERROR);
	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
