/*
 * node_cases: epochs, hosts, and what the ledger says about a call, in a real
 * PostgreSQL.
 *
 * Run by test_store.sh, with IMS_PG, the owner of a migrated database, and
 * IMS_PG_KEEPER and IMS_PG_COUNTER, members of those roles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "counter/reservation.h"
#include "counter/store_postgresql.h"
#include "counter/worker.h"
#include "store/store_counter.h"
#include "store/store_node.h"
#include "store/store_usage.h"
#include "pg_fixture.h"

#define NODE "01930000-0000-7000-8000-00000000000a"
#define OTHER "01930000-0000-7000-8000-00000000000b"

/* --- epochs ------------------------------------------------------------------ */

static void
epoch_is_begun_by_one(void **state)
{
	struct pg_fixture *w = *state;
	struct store_node_epoch e;
	uint64_t begun = 0;
	struct err err;

	pg_fixture_run(w->owner, "DELETE FROM counter_epochs");
	assert_int_equal(store_node_epoch(w->keeper, &e, &err), STATUS_OK);
	assert_int_equal(e.epoch, 0);
	assert_int_equal(store_node_epoch_begin(w->keeper, STORE_NODE_MEMCACHED,
						"first", NODE, 0, &begun, &err),
			 STATUS_OK);
	assert_int_equal(begun, 1);
	assert_int_equal(store_node_epoch_begin(w->owner, STORE_NODE_MEMCACHED,
						"first", OTHER, 0, &begun,
						&err),
			 STATUS_BUSY);
	assert_non_null(strstr(err.text, "another host"));
	assert_int_equal(store_node_epoch(w->counter, &e, &err), STATUS_OK);
	assert_int_equal(e.epoch, 1);
	assert_int_equal(e.counts, STORE_NODE_MEMCACHED);
	assert_false(e.ready);
	assert_string_equal(e.node, NODE);
	assert_in_range(e.age_ms, 0, 60000);
	assert_int_equal(store_node_epoch_ready(w->keeper, 2, &err),
			 STATUS_BUSY);
	assert_int_equal(store_node_epoch_ready(w->keeper, 1, &err), STATUS_OK);
	assert_int_equal(store_node_epoch_ready(w->keeper, 1, &err), STATUS_OK);
	assert_int_equal(store_node_epoch(w->keeper, &e, &err), STATUS_OK);
	assert_true(e.ready);
	assert_int_equal(
	    store_node_epoch_begin(w->keeper, STORE_NODE_POSTGRESQL,
				   "memcached is lost", OTHER, 1, &begun, &err),
	    STATUS_OK);
	assert_int_equal(begun, 2);
	assert_int_equal(store_node_epoch_ready(w->keeper, 1, &err),
			 STATUS_BUSY);
	assert_int_equal(store_node_epoch(w->keeper, &e, &err), STATUS_OK);
	assert_int_equal(e.counts, STORE_NODE_POSTGRESQL);
	assert_false(e.ready);
	/* what is no reason */
	assert_int_equal(store_node_epoch_begin(w->keeper, STORE_NODE_MEMCACHED,
						"", NODE, 2, &begun, &err),
			 STATUS_BODY);
	assert_int_equal(store_node_epoch(w->keeper, &e, &err), STATUS_OK);
	assert_int_equal(e.epoch, 2);
}

/* --- nodes ------------------------------------------------------------------- */

/* The rows that store_node_each gives, in words. */
static void
add_row(void *arg, const struct store_node *n)
{
	char off[24] = "-";

	if (n->clock_known) {
		snprintf(off, sizeof(off), "%lld", (long long)n->clock_off_ms);
	}
	buf_printf(arg, "%.3s %s %s %d %d %lld%s\n", n->spool_id + 33, n->name,
		   off, (int)n->memcached, (int)n->epoch,
		   (long long)n->drained_until_us,
		   n->age_ms >= 0 && n->age_ms < 60000 ? "" : " old");
}

static void
nodes_say(struct pg_fixture *w, const char *want)
{
	struct buf out = { .data = NULL };
	struct err err;

	assert_int_equal(store_node_each(w->keeper, add_row, &out, &err),
			 STATUS_OK);
	assert_string_equal(buf_text(&out), want);
	buf_fini(&out);
}

static void
beat(struct pg_fixture *w, const struct store_node *node)
{
	int64_t server_us = 0;
	struct err err;

	assert_int_equal(store_node_beat(w->keeper, node, &server_us, &err),
			 STATUS_OK);
	assert_in_range(server_us, clock_now_us() - 5000000,
			clock_now_us() + 5000000);
}

static bool
drained(struct pg_fixture *w, int64_t us)
{
	char sql[100], at[CLOCK_TEXT_BYTES], out[PG_FIXTURE_BYTES];

	snprintf(sql, sizeof(sql), "SELECT nodes_drained('%s')",
		 clock_rfc3339(us, at));
	return pg_fixture_text(w->owner, sql, out)[0] == 't';
}

static void
node_says_how_it_is(void **state)
{
	struct pg_fixture *w = *state;
	struct store_node a = { .spool_id = NODE, .name = "b" };
	struct store_node b = { .spool_id = OTHER,
				.name = "a",
				.clock_known = true,
				.clock_off_ms = -3,
				.memcached = STORE_NODE_DOWN,
				.epoch = 7,
				.drained_until_us = 1000000 };
	struct err err;

	pg_fixture_run(w->owner, "DELETE FROM nodes");
	assert_true(drained(w, clock_now_us())); /* nobody records */
	beat(w, &a);
	nodes_say(w, "00a b - 0 0 0\n");
	assert_false(drained(w, 0));
	beat(w, &b);
	b.memcached = STORE_NODE_UP;
	b.drained_until_us = 3000000;
	beat(w, &b);
	nodes_say(w, "00b a -3 2 7 3000000\n00a b - 0 0 0\n");
	assert_false(drained(w, 1));
	a.drained_until_us = 2000000;
	beat(w, &a);
	assert_true(drained(w, 2000000));
	assert_false(drained(w, 2000001));
	/* its last word holds, also where its clock was put back */
	b.drained_until_us = 1000000;
	beat(w, &b);
	assert_false(drained(w, 2000000));
	/* one that is gone is not waited for */
	assert_int_equal(store_node_remove(w->keeper, OTHER, &err),
			 STATUS_INTERNAL); /* by the owner alone */
	assert_int_equal(store_node_remove(w->owner, OTHER, &err), STATUS_OK);
	assert_true(drained(w, 2000000));
	assert_int_equal(store_node_remove(w->owner, OTHER, &err),
			 STATUS_NOT_FOUND);
	nodes_say(w, "00a b - 0 0 2000000\n");
	a.name = "";
	int64_t server_us;
	assert_int_equal(store_node_beat(w->keeper, &a, &server_us, &err),
			 STATUS_BODY);
}

/* By a worker whose setting pg_counter is CONNINFO. */
static enum reservation_found
find_at(const char *conninfo, struct pg_fixture *w, const char *id,
	struct reservation *out)
{
	struct config config = { .counter_wait_ms = PG_FIXTURE_MS };
	struct counter counter = { .config = &config };
	struct counter_worker worker = { .counter = &counter };

	snprintf(config.pg_counter, sizeof(config.pg_counter), "%s", conninfo);
	enum reservation_found found =
	    reservation_find(&worker, id, w->arena, out);
	counter_store_free(worker.stores[BOARD_COUNTS_POSTGRESQL]);
	return found;
}

static void
node_without_a_server(void **state)
{
	struct pg_fixture *w = *state;
	struct pg *pg = w->nobody;
	struct store_node node = { .spool_id = NODE, .name = "a" };
	struct store_node_epoch e = { .epoch = 9 };
	struct store_usage usage = { .state = STORE_USAGE_OPEN };
	struct reservation reservation;
	uint64_t begun = 9;
	int64_t us = 9;
	struct err err;

	assert_int_equal(store_node_epoch(pg, &e, &err), STATUS_UNAVAILABLE);
	assert_int_equal(store_node_epoch_begin(pg, STORE_NODE_MEMCACHED, "x",
						NODE, 0, &begun, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_node_epoch_ready(pg, 1, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_node_beat(pg, &node, &us, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_node_each(pg, add_row, NULL, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(store_node_remove(pg, NODE, &err), STATUS_UNAVAILABLE);
	assert_int_equal(store_usage_find(pg, NODE, w->arena, &usage, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(find_at("host=/nonexistent", w, NODE, &reservation),
			 RESERVATION_UNKNOWN);
	assert_true(e.epoch == 9 && begun == 9 && us == 9 &&
		    usage.state == STORE_USAGE_OPEN);
}

/* --- the ledger about a call --------------------------------------------------- */

/* An id of some seconds from now, with N at its end. */
static const char *
id_at(int64_t seconds, int n, char out[UUID_TEXT_BYTES])
{
	uint64_t ms = (uint64_t)(clock_now_us() / 1000 + seconds * 1000);

	snprintf(out, UUID_TEXT_BYTES, "%08x-%04x-7000-8000-%012x",
		 (unsigned)(ms >> 16), (unsigned)(ms & 0xffff), (unsigned)n);
	return out;
}

static void
insert(struct pg_fixture *w, const char *table, const char *columns,
       const char *values)
{
	struct buf sql = { .data = NULL };

	buf_printf(&sql, "INSERT INTO %s (%s) VALUES %s", table, columns,
		   values);
	pg_fixture_run(w->owner, buf_text(&sql));
	buf_fini(&sql);
}

/* An entry of ID's call; VALUES behind it are cost, tokens. */
static void
entry(struct pg_fixture *w, const char *id, const char *name, const char *more)
{
	char values[600];

	snprintf(values, sizeof(values),
		 "('%s', '%s', '2026-11-23 12:00:00.000001+00', "
		 "'" OTHER "', 'key', 'user', 'free', 'team', 'org', 'api', "
		 "'production', 'asked', 'vendor', 'ran', 'other', 'degrade', "
		 "%s)",
		 id, name, more);
	insert(w, "usage",
	       "evaluation_id, entry, \"timestamp\", report_id, key_id, "
	       "user_id, user_tier, team_id, organization_id, api_key_id, "
	       "environment, original_model, original_vendor, model_id, "
	       "vendor_id, decision, calls, cost, tokens, expires_at, epoch, "
	       "counted, charges",
	       values);
}

static const char reserve[] =
    "1, 1.000000001, 100, '2026-11-23 12:15:00+00', 7, true, "
    "'{1,-2,3,83,1795392000,1795478400,1000000001}'";

static enum reservation_found
find(struct pg_fixture *w, const char *id, struct reservation *out)
{
	return find_at(getenv("IMS_PG_COUNTER"), w, id, out);
}

static void
call_is_found(void **state)
{
	struct pg_fixture *w = *state;
	struct reservation r;
	char id[UUID_TEXT_BYTES];

	/* as it is recorded in the epoch that holds */
	pg_fixture_run(w->owner,
		       "DELETE FROM nodes; DELETE FROM counter_epochs");
	entry(w, id_at(-5, 1, id), "reserve", reserve);
	assert_int_equal(find(w, id, &r), RESERVATION_FOUND);
	assert_int_equal(r.state, RESERVATION_OPEN);
	assert_string_equal(r.evaluation_id, id);
	assert_string_equal(r.key_id, "key");
	assert_string_equal(r.user_id, "user");
	assert_string_equal(r.user_tier, "free");
	assert_string_equal(r.team_id, "team");
	assert_string_equal(r.organization_id, "org");
	assert_string_equal(r.api_key_id, "api");
	assert_string_equal(r.environment, "production");
	assert_string_equal(r.original_model, "asked");
	assert_string_equal(r.original_vendor, "vendor");
	assert_string_equal(r.model_id, "ran");
	assert_string_equal(r.vendor_id, "other");
	assert_int_equal(r.decision, ACTION_DEGRADE);
	assert_int_equal(r.made_us, INT64_C(1795435200000001));
	assert_int_equal(r.expires_us, INT64_C(1795436100000000));
	assert_int_equal(r.cost_nanousd, 1000000001);
	assert_int_equal(r.tokens, 100);
	assert_int_equal(r.entries_n, 1);
	assert_int_equal(r.entries[0].amount, 1000000001);
	assert_int_equal(r.entries[0].from_s, 1795392000);
	/* expired, its estimate given back: still open to a late report */
	entry(w, id, "expire", "0, -1.000000001, -100, NULL, 7, true, NULL");
	assert_int_equal(find(w, id, &r), RESERVATION_FOUND);
	assert_int_equal(r.state, RESERVATION_OPEN);
	assert_int_equal(r.cost_nanousd, 1000000001);
	/* a report that waits */
	entry(w, id, "report", "0, 0.5, 60, NULL, 7, false, NULL");
	assert_int_equal(find(w, id, &r), RESERVATION_FOUND);
	assert_int_equal(r.state, RESERVATION_SETTLING);
	assert_string_equal(r.report_id, OTHER);
	assert_int_equal(r.settled_nanousd, 500000000);
	assert_int_equal(r.settled_tokens, 60);
	/* and is settled: all entries but the report are what it cost */
	entry(w, id, "move", "-1, -0.25, -10, NULL, 7, true, NULL");
	entry(w, id, "settle", "1, 0.75, 70, NULL, 7, true, NULL");
	assert_int_equal(find(w, id, &r), RESERVATION_FOUND);
	assert_int_equal(r.state, RESERVATION_SETTLED);
	assert_int_equal(r.settled_nanousd, 500000000);
	assert_int_equal(r.settled_tokens, 60);
	assert_int_equal(r.settled_us, INT64_C(1795435200000001));
	assert_int_equal(r.entries_n, 1);
	/* one that was counted in nothing */
	entry(w, id_at(-5, 2, id), "reserve",
	      "1, 0, 0, '2026-11-23 12:15:00+00', NULL, false, NULL");
	assert_int_equal(find(w, id, &r), RESERVATION_FOUND);
	assert_int_equal(r.entries_n, 0);
	pg_fixture_run(w->owner,
		       "UPDATE usage SET decision = NULL, key_id = NULL");
	assert_int_equal(find(w, id, &r), RESERVATION_FOUND);
	assert_int_equal(r.decision, ACTION_ALLOW);
	assert_null(r.key_id);
	/* one that this program cannot read */
	entry(w, id_at(-5, 3, id), "reserve",
	      "1, 0, 0, '2026-11-23 12:15:00+00', 1, true, "
	      "'{1,2,3,99999,5,6,7}'");
	assert_int_equal(find(w, id, &r), RESERVATION_UNKNOWN);
}

static void
evaluation(struct pg_fixture *w, const char *id, const char *type,
	   const char *decision)
{
	char values[300];

	snprintf(values, sizeof(values),
		 "('%s', now(), '%s', '%s', false, 'user', 'asked')", id, type,
		 decision);
	insert(w, "evaluations",
	       "evaluation_id, \"timestamp\", evaluation_type, decision, "
	       "passed, user_id, original_model",
	       values);
}

static void
refused_call_is_found(void **state)
{
	struct pg_fixture *w = *state;
	struct reservation r;
	char id[UUID_TEXT_BYTES];

	pg_fixture_run(w->owner, "DELETE FROM nodes");
	evaluation(w, id_at(-5, 11, id), "pre_flight", "block");
	assert_int_equal(find(w, id, &r), RESERVATION_FOUND);
	assert_int_equal(r.state, RESERVATION_REFUSED);
	assert_int_equal(r.decision, ACTION_BLOCK);
	assert_string_equal(r.user_id, "user");
	assert_string_equal(r.original_model, "asked");
	assert_null(r.key_id);
	assert_int_equal(r.entries_n, 0);
	/* a report's own evaluation is no call, nor is one without an entry */
	evaluation(w, id_at(-5, 12, id), "post_execution", "block");
	assert_int_equal(find(w, id, &r), RESERVATION_ABSENT);
	evaluation(w, id_at(-5, 13, id), "pre_flight", "allow");
	assert_int_equal(find(w, id, &r), RESERVATION_ABSENT);
}

/* When a call was made, how far every host is drained (seconds from now), how
 * far its clock is ahead, and whether such a call can still come. */
static const struct {
	int made_s, drained_s;
	int off_ms;
	enum reservation_found want;
} whens[] = {
	{ -100, -41, 0, RESERVATION_UNKNOWN },
	{ -100, -39, 0, RESERVATION_ABSENT },
	{ -100, -41, -90000, RESERVATION_UNKNOWN },
	{ -100, -39, 90000, RESERVATION_ABSENT },
	{ -1, -1, 0, RESERVATION_UNKNOWN },
	{ 55, 0, 0, RESERVATION_UNKNOWN },
	{ 55, 200, 0, RESERVATION_ABSENT },
	/* of a future that is no host's */
	{ 70, -50, 0, RESERVATION_ABSENT },
	{ 70, -70, 0, RESERVATION_UNKNOWN },
	{ 70, -50, 20000, RESERVATION_UNKNOWN },
	{ 1000, -50, 930000, RESERVATION_ABSENT },
	{ 1000, -50, 950000, RESERVATION_UNKNOWN },
};

static void
absent_is_what_cannot_come(void **state)
{
	struct pg_fixture *w = *state;
	struct reservation r;
	char id[UUID_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++) {
		struct store_node a = { .spool_id = NODE,
					.name = "a",
					.clock_known = true,
					.clock_off_ms = whens[i].off_ms };
		struct store_node b = { .spool_id = OTHER,
					.name = "b",
					.clock_known = true };
		int64_t now_us = clock_now_us();

		print_message("when %zu\n", i);
		pg_fixture_run(w->owner, "DELETE FROM nodes");
		a.drained_until_us = now_us + whens[i].drained_s * 1000000;
		b.drained_until_us = now_us + 1000 * INT64_C(1000000);
		beat(w, &a);
		beat(w, &b);
		assert_int_equal(find(w, id_at(whens[i].made_s, 21, id), &r),
				 whens[i].want);
		/* not for as long as one host says nothing */
		b.drained_until_us = 0;
		beat(w, &b);
		assert_int_equal(find(w, id, &r), RESERVATION_UNKNOWN);
	}
	/* no id of ours, whatever is drained */
	assert_int_equal(find(w, "01930000-0000-4000-8000-000000000001", &r),
			 RESERVATION_ABSENT);
}

static void
worker_asks_by_the_setting(void **state)
{
	struct pg_fixture *w = *state;
	struct config config = { .counter_wait_ms = PG_FIXTURE_MS };
	struct counter counter = { .config = &config };
	struct counter_worker worker = { .counter = &counter };
	struct reservation r;
	char id[UUID_TEXT_BYTES];

	pg_fixture_run(w->owner, "DELETE FROM nodes");
	id_at(-5, 31, id);
	assert_int_equal(reservation_find(&worker, id, w->arena, &r),
			 RESERVATION_UNKNOWN);
	snprintf(config.pg_counter, sizeof(config.pg_counter), "%s",
		 getenv("IMS_PG_COUNTER"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(reservation_find(&worker, id, w->arena, &r),
				 RESERVATION_ABSENT);
	}
	counter_store_free(worker.stores[BOARD_COUNTS_POSTGRESQL]);
}

#define CASE(test) \
	cmocka_unit_test_setup_teardown(test, pg_fixture_begin, pg_fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(epoch_is_begun_by_one),
		CASE(node_says_how_it_is),
		CASE(node_without_a_server),
		CASE(call_is_found),
		CASE(refused_call_is_found),
		CASE(absent_is_what_cannot_come),
		CASE(worker_asks_by_the_setting),
	};

	if (getenv("IMS_PG") == NULL || getenv("IMS_PG_KEEPER") == NULL ||
	    getenv("IMS_PG_COUNTER") == NULL) {
		fputs("node_cases: IMS_PG, IMS_PG_KEEPER, IMS_PG_COUNTER are "
		      "not set\n",
		      stderr);
		return 2;
	}
	log_open("node_cases", LOG_ERROR);
	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
