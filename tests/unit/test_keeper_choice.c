/* keeper_choice: what a housekeeper sees, and the epoch that it wishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "keeper/keeper_choice.h"

#define HOST STORE_NODE_HOST
#define SHARED STORE_NODE_MEMCACHED
#define SLOW STORE_NODE_POSTGRESQL
enum { NOTHING = -1 };

#define EPOCH(what, is_ready)                                     \
	{                                                         \
		.epoch = 7, .counts = (what), .ready = (is_ready) \
	}
#define AGAIN(what, age)                                                      \
	{                                                                     \
		.epoch = 7, .counts = (what), .ready = true, .age_ms = (age), \
		.reason = "an account could not be read"                      \
	}
/* The settings: lost after 1000 ms, back after 2000 ms. */
#define SEEN .lost_ms = 1000, .back_ms = 2000
#define ALONE SEEN, .may_be_alone = true, .hosts_n = 1
#define PAIR SEEN, .may_be_alone = true, .hosts_n = 2
#define ANSWERS(ms) .memcached = true, .answers = true, .for_ms = (ms)
#define SILENT(ms) .memcached = true, .for_ms = (ms)

static const struct {
	const char *name;
	struct keeper_view view;
	int wish;
} cases[] = {
	{ "the first, alone", { ALONE, ANSWERS(0) }, HOST },
	{ "the first, alone, without memcached", { ALONE }, HOST },
	{ "the first of two",
	  { PAIR, ANSWERS(0), .postgresql = true },
	  SHARED },
	{ "the first of two, memcached is silent for a moment",
	  { PAIR, SILENT(999), .postgresql = true },
	  NOTHING },
	{ "the first of two, memcached is silent",
	  { PAIR, SILENT(1000), .postgresql = true },
	  SLOW },
	{ "the first of two, there is no memcached",
	  { PAIR, .postgresql = true },
	  SLOW },
	{ "the first of two, there is nothing", { PAIR }, NOTHING },
	{ "alone, but it may not count by itself",
	  { SEEN, .hosts_n = 1, ANSWERS(0) },
	  SHARED },
	{ "alone and well",
	  { ALONE, .now = EPOCH(HOST, true), .mine = true, SILENT(9999) },
	  NOTHING },
	{ "alone, and its memory is lost",
	  { ALONE, .now = EPOCH(HOST, true), .mine = true, .host_lost = true },
	  HOST },
	{ "alone, and an account cannot be read",
	  { ALONE, .now = EPOCH(HOST, true), .mine = true, .unreadable = true },
	  HOST },
	{ "it could not be read in an epoch that was begun for that",
	  { ALONE, .now = AGAIN(HOST, 59999), .mine = true,
	    .unreadable = true },
	  NOTHING },
	{ "it could not for a minute",
	  { ALONE, .now = AGAIN(HOST, 60000), .mine = true,
	    .unreadable = true },
	  HOST },
	{ "it can now",
	  { ALONE, .now = AGAIN(HOST, 99999), .mine = true },
	  NOTHING },
	{ "it could not before its memory was filled",
	  { ALONE, .now = EPOCH(HOST, false), .mine = true,
	    .unreadable = true },
	  NOTHING },
	{ "its memory is being filled",
	  { ALONE, .now = EPOCH(HOST, false), .mine = true, .host_lost = true },
	  NOTHING },
	{ "another host has come",
	  { PAIR, .now = EPOCH(HOST, true), .mine = true, ANSWERS(0) },
	  SHARED },
	{ "the other host sees it, too",
	  { PAIR, .now = EPOCH(HOST, true), ANSWERS(0) },
	  SHARED },
	{ "another host has come, memcached does not answer yet",
	  { PAIR, .now = EPOCH(HOST, true), .mine = true, SILENT(0),
	    .postgresql = true },
	  NOTHING },
	{ "the one that counted was removed",
	  { ALONE, .now = EPOCH(HOST, true) },
	  HOST },
	{ "the setting was changed",
	  { SEEN, .hosts_n = 1, .now = EPOCH(HOST, true), .mine = true,
	    ANSWERS(0) },
	  SHARED },
	{ "the other hosts were removed",
	  { ALONE, .now = EPOCH(SHARED, true), ANSWERS(0) },
	  HOST },
	{ "an operator chose memcached for a single host",
	  { ALONE, .now = EPOCH(SHARED, true), .pinned = true, ANSWERS(0) },
	  NOTHING },
	{ "it has lost something",
	  { ALONE, .now = EPOCH(SHARED, true), .pinned = true, ANSWERS(0),
	    .memcached_lost = true },
	  SHARED },
	{ "it does not answer",
	  { ALONE, .now = EPOCH(SHARED, true), .pinned = true, SILENT(1000),
	    .postgresql = true },
	  SLOW },
	{ "an operator chose PostgreSQL for a single host",
	  { ALONE, .now = EPOCH(SLOW, true), .pinned = true, ANSWERS(9999),
	    .all_reach = true },
	  NOTHING },
	{ "an operator chose PostgreSQL for two",
	  { PAIR, .now = EPOCH(SLOW, true), .pinned = true, ANSWERS(9999),
	    .all_reach = true },
	  NOTHING },
	{ "two and well",
	  { PAIR, .now = EPOCH(SHARED, true), ANSWERS(0) },
	  NOTHING },
	{ "memcached has lost something",
	  { PAIR, .now = EPOCH(SHARED, true), ANSWERS(0),
	    .memcached_lost = true },
	  SHARED },
	{ "an account in memcached cannot be read",
	  { PAIR, .now = EPOCH(SHARED, true), ANSWERS(0), .unreadable = true },
	  SHARED },
	{ "an account of an operator's choice cannot be read",
	  { ALONE, .now = EPOCH(SHARED, true), .pinned = true, ANSWERS(0),
	    .unreadable = true },
	  SHARED },
	{ "memcached is being filled, and one could not be read",
	  { PAIR, .now = EPOCH(SHARED, false), ANSWERS(0), .unreadable = true },
	  NOTHING },
	{ "one of another version writes there, too",
	  { PAIR, .now = AGAIN(SHARED, 59999), ANSWERS(0), .unreadable = true },
	  NOTHING },
	{ "and still does after a minute",
	  { PAIR, .now = AGAIN(SHARED, 60000), ANSWERS(0), .unreadable = true },
	  SHARED },
	{ "what was lost is made anew in any case",
	  { PAIR, .now = AGAIN(SHARED, 0), ANSWERS(0), .unreadable = true,
	    .memcached_lost = true },
	  SHARED },
	{ "an account could not be read, and memcached is silent",
	  { PAIR, .now = EPOCH(SHARED, true), SILENT(1000), .unreadable = true,
	    .postgresql = true },
	  SLOW },
	{ "an account in PostgreSQL cannot be read",
	  { PAIR, .now = EPOCH(SLOW, true), .unreadable = true,
	    .postgresql = true },
	  SLOW },
	{ "nor in one begun for that, just now",
	  { PAIR, .now = AGAIN(SLOW, 0), .unreadable = true,
	    .postgresql = true },
	  NOTHING },
	{ "nor while it is being filled",
	  { PAIR, .now = EPOCH(SLOW, false), .unreadable = true,
	    .postgresql = true },
	  NOTHING },
	{ "memcached is being filled",
	  { PAIR, .now = EPOCH(SHARED, false), ANSWERS(0),
	    .memcached_lost = true },
	  NOTHING },
	{ "memcached is silent for a moment",
	  { PAIR, .now = EPOCH(SHARED, true), SILENT(999), .postgresql = true },
	  NOTHING },
	{ "memcached is silent",
	  { PAIR, .now = EPOCH(SHARED, true), SILENT(1000),
	    .postgresql = true },
	  SLOW },
	{ "memcached is silent while it is filled",
	  { PAIR, .now = EPOCH(SHARED, false), SILENT(1000),
	    .postgresql = true },
	  SLOW },
	{ "memcached is silent, and nothing else is set",
	  { PAIR, .now = EPOCH(SHARED, true), SILENT(1000) },
	  NOTHING },
	{ "memcached answers again, for a moment",
	  { PAIR, .now = EPOCH(SLOW, true), ANSWERS(1999), .all_reach = true,
	    .postgresql = true },
	  NOTHING },
	{ "memcached answers again",
	  { PAIR, .now = EPOCH(SLOW, true), ANSWERS(2000), .all_reach = true,
	    .postgresql = true },
	  SHARED },
	{ "but not every host",
	  { PAIR, .now = EPOCH(SLOW, true), ANSWERS(2000), .postgresql = true },
	  NOTHING },
	{ "but PostgreSQL is being filled",
	  { PAIR, .now = EPOCH(SLOW, false), ANSWERS(2000), .all_reach = true,
	    .postgresql = true },
	  NOTHING },
};

static void
each_view_has_its_wish(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum store_node_counts counts = STORE_NODE_HOST;
		const char *reason = NULL;
		bool begins = keeper_choice(&cases[i].view, &counts, &reason);

		printf("%s\n", cases[i].name);
		assert_int_equal(begins, cases[i].wish != NOTHING);
		if (begins) {
			assert_int_equal(counts, cases[i].wish);
			assert_non_null(reason);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_view_has_its_wish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
