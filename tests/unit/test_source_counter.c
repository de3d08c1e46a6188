#include "policy/source_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* A policy of a budget with an id, a scope, an applies_to, and more of its
 * constraints. */
#define BUDGET(id, scope, applies_to, more)                                  \
	"{'policy_id':'" id "','name':'n','category':'cost','scope':'" scope \
	"','applies_to':{" applies_to                                        \
	"},'constraints':{'max_daily_cost':1" more "}}"
#define FOR(applies_to) BUDGET("p", "user", applies_to, "")
#define WITH(more) BUDGET("p", "user", "'user_tier':['free']", more)

static void
read_policy(struct arena *arena, const char *quoted, struct policy *out)
{
	struct json_doc *doc = fixture_doc(quoted);
	struct json root = json_root(doc);
	struct err err = { 0 };
	struct reading r = { .arena = arena, .err = &err };
	struct source_policy policy;

	source_policy(&r, &root, &policy);
	if (r.bad) {
		fail_msg("%s: %s", quoted, fixture_said(&err));
	}
	*out = policy.policy;
	json_doc_free(doc);
}

static uint64_t
counter_of(const char *quoted, enum constraint_key key)
{
	struct arena *arena = arena_new(0);
	struct policy policy;

	read_policy(arena, quoted, &policy);
	const struct constraint *c = policy_constraint(&policy, key);
	assert_non_null(c);
	uint64_t counter = c->counter;
	arena_free(arena);
	return counter;
}

/* Pairs of policies that count in the same counter. */
static const struct {
	const char *a, *b;
} same[] = {
	{ WITH(""), "{'policy_id':'p','name':'other','category':'cost',"
		    "'priority':90,'mode':'shadow','action_on_violation':"
		    "'log','on_error':'block','version':7,'message':'m',"
		    "'scope':'user',"
		    "'constraints':{'max_daily_cost':2.5},"
		    "'applies_to':{'user_tier':['free']}}" },
	/* midnight of UTC is what is meant where nothing is said */
	{ WITH(""), WITH(",'reset_hour_utc':0") },
	{ WITH(""), WITH(",'max_monthly_cost':3,'alert_threshold':2") },
	{ WITH(",'timezone':'UTC','max_cost_per_request':1"),
	  WITH(",'timezone':'UTC'") },
	{ FOR("'user_tier':['free','pro'],'environment':{'not':['x','y'],"
	      "'exists':true},'estimated_tokens':{'gt':5,'lte':9},"
	      "'tags.a':[1,true,'1']"),
	  FOR("'tags.a':['1',1,true],'estimated_tokens':{'lte':9.0,'gt':5},"
	      "'environment':{'exists':true,'not':['y','x']},"
	      "'user_tier':['pro','free']") },
	{ FOR("'any':[{'user_tier':['free']},{'team_id':['a'],'user_id':['b']}"
	      "],'environment':['x']"),
	  FOR("'environment':['x'],'any':[{'user_id':['b'],'team_id':['a']},"
	      "{'user_tier':['free']}]") },
	{ FOR("'estimated_tokens':{'gte':0}"),
	  FOR("'estimated_tokens':{'gte':-0.0}") },
	{ FOR("'vendor_id':['OpenAI']"), FOR("'vendor_id':['openai']") },
};

/* No two of these do. */
static const char *const different[] = {
	WITH(""),
	BUDGET("q", "user", "'user_tier':['free']", ""),
	BUDGET("p", "team", "'user_tier':['free']", ""),
	BUDGET("p", "global", "'user_tier':['free']", ""),
	WITH(",'reset_hour_utc':1"),
	WITH(",'timezone':'UTC'"),
	WITH(",'timezone':'Europe/Berlin'"),
	FOR(""),
	FOR("'user_tier':['free','pro']"),
	FOR("'user_tier':['pro']"),
	FOR("'user_tier':['Free']"),
	FOR("'user_tier':{'not':['free']}"),
	FOR("'user_tier':{'exists':true}"),
	FOR("'user_tier':{'exists':false}"),
	FOR("'team_id':['free']"),
	FOR("'tags.user_tier':['free']"),
	FOR("'tags.a':['1']"),
	FOR("'tags.b':['1']"),
	FOR("'tags.a':[1]"),
	FOR("'tags.a':[true]"),
	FOR("'tags.a':[false]"),
	FOR("'tags.a':['true']"),
	FOR("'estimated_tokens':{'gt':5}"),
	FOR("'estimated_tokens':{'gte':5}"),
	FOR("'estimated_tokens':{'gt':6}"),
	FOR("'estimated_tokens':{'lt':5}"),
	FOR("'estimated_tokens':{'lte':5}"),
	FOR("'estimated_tokens':{'gt':5,'lt':9}"),
	FOR("'estimated_tokens':{'gt':5,'lte':9}"),
	FOR("'estimated_tokens':[5]"),
	FOR("'estimated_cost':{'gt':0.1}"),
	FOR("'estimated_cost':{'gt':0.10000000000000002}"),
	FOR("'user_tier':['free'],'team_id':['a']"),
	FOR("'any':[{'user_tier':['free']},{'team_id':['a']}]"),
	FOR("'any':[{'user_tier':['free'],'team_id':['a']}]"),
	FOR("'user_tier':['a'],'any':[{'team_id':['a']},{'user_id':['b']}]"),
	FOR("'any':[{'team_id':['a'],'user_tier':['a']},{'user_id':['b']}]"),
};

static void
what_a_counter_does_not_depend_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(same); i++) {
		print_message("case %zu\n", i);
		assert_int_equal(
		    counter_of(same[i].a, CONSTRAINT_max_daily_cost),
		    counter_of(same[i].b, CONSTRAINT_max_daily_cost));
	}
}

static void
what_a_counter_depends_on(void **state)
{
	uint64_t counters[N(different)];

	(void)state;
	for (size_t i = 0; i < N(different); i++) {
		counters[i] =
		    counter_of(different[i], CONSTRAINT_max_daily_cost);
		assert_true(counters[i] != 0);
		for (size_t j = 0; j < i; j++) {
			if (counters[i] == counters[j]) {
				fail_msg("%s\n%s", different[j], different[i]);
			}
		}
	}
}

/* Also by the next version of the program, and on every machine: what it
 * counted would be lost.  Computed by Python's hashlib.blake2b. */
static void
a_counter_stays_the_same(void **state)
{
	(void)state;
	assert_int_equal(
	    counter_of(WITH(",'reset_hour_utc':6"), CONSTRAINT_max_daily_cost),
	    UINT64_C(0xb419c52752141f22));
}

static void
each_key_that_counts_has_a_counter(void **state)
{
	struct arena *arena = arena_new(0);
	struct policy policy;

	(void)state;
	read_policy(arena,
		    "{'policy_id':'p','name':'n','category':'behavioral',"
		    "'constraints':{'max_requests_per_minute':1,"
		    "'max_requests_per_hour':1,'max_requests_per_day':1,"
		    "'max_tokens_per_minute':1,'max_parallel_requests':1,"
		    "'max_prompt_length':1,'warn_threshold':1}}",
		    &policy);
	assert_true(policy.counts);
	assert_null(policy.zone);
	assert_int_equal(policy.constraints_n, 7);
	for (size_t i = 0; i < policy.constraints_n; i++) {
		const struct constraint *c = &policy.constraints[i];
		bool counts = c->key != CONSTRAINT_max_prompt_length &&
			      c->key != CONSTRAINT_warn_threshold;

		assert_int_equal(c->counter != 0, counts);
		for (size_t j = 0; counts && j < i; j++) {
			assert_true(c->counter !=
				    policy.constraints[j].counter);
		}
	}
	read_policy(arena,
		    "{'policy_id':'p','name':'n','category':'cost',"
		    "'constraints':{'max_cost_per_request':1}}",
		    &policy);
	assert_false(policy.counts);
	assert_int_equal(policy.constraints[0].counter, 0);
	assert_int_equal(policy.constraints[0].number, 1000000000);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_counter_does_not_depend_on),
		cmocka_unit_test(what_a_counter_depends_on),
		cmocka_unit_test(a_counter_stays_the_same),
		cmocka_unit_test(each_key_that_counts_has_a_counter),
	};

	return cmocka_run_group_tests_name("source_counter", tests, NULL, NULL);
}
