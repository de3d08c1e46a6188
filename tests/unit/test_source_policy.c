#include "policy/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy_fixture.h"

/* A policy of CATEGORY with CONSTRAINTS, and what else MORE says. */
#define POLICY(category, constraints, more)               \
	"{'name':'n','priority':50,'category':'" category \
	"','constraints':{" constraints "}" more "}"
#define COST(more) POLICY("cost", "'max_cost_per_request':1", more)

static const struct {
	const char *policy, *want;
} cases[] = {
	{ COST(""), "" },
	{ "{'policy_id':'5eed0000-0000-4000-8000-000000000001','version':3,"
	  "'name':'free-tier-daily-budget','category':'cost','enabled':true,"
	  "'mode':'enforce','priority':95,'evaluation_type':'pre_flight',"
	  "'action_on_violation':'block','on_error':'default','scope':'user',"
	  "'applies_to':{'user_tier':['free']},'constraints':{"
	  "'max_daily_cost':1.0,'max_cost_per_request':0.01,"
	  "'reset_hour_utc':0},'description':'One\\nand two','tags':['b'],"
	  "'message':'Ask\\tfor less','help_url':'https://example.org/h'}",
	  "" },
	/* null is as if it were not there */
	{ COST(",'description':null,'action_on_violation':null,'mode':null,"
	       "'evaluation_type':null,'applies_to':null,'help_url':null"),
	  "" },
	{ "[]", ": expected an object" },
	{ "{}", "/name: is required\n/category: is required\n"
		"/constraints: is required" },
	{ "{'name':'n','category':'cost','constraints':{'max_daily_cost':1}}",
	  "" },
	{ "{'name':null,'category':null,'priority':null,'constraints':null}",
	  "/name: is required\n/category: is required\n"
	  "/constraints: is required" },
	{ COST(",'prioritty':1,'created_at':'now'"),
	  "/prioritty: unknown field\n/created_at: unknown field" },
	{ COST(",'mode':'off'"), "/mode: " },
	{ COST(",'mode':1"), "/mode: expected a string" },
	{ COST(",'enabled':'yes'"), "/enabled: expected true or false" },
	{ COST(",'on_error':'ignore'"), "/on_error: " },
	{ COST(",'scope':'region'"), "/scope: " },
	{ COST(",'evaluation_type':'later'"), "/evaluation_type: " },
	{ COST(",'version':0"), "/version: expected an integer" },
	{ COST(",'policy_id':''"), "/policy_id: must not be empty" },
	{ COST(",'tags':'b'"), "/tags: expected an array" },
	{ COST(",'tags':['']"), "/tags/0: must not be empty" },
	{ COST(",'tags':['a',1]"), "/tags/1: expected a string" },
	{ COST(",'message':'a\\u0007b'"), "/message: control" },
	{ COST(",'description':1"), "/description: expected a string" },
	{ COST(",'help_url':'javascript:alert(1)'"), "/help_url: https" },
	{ COST(",'help_url':'http://example.org'"), "" },
	{ COST(",'help_url':1"), "/help_url: expected a string" },
	{ "{'name':'','category':'cost','priority':101,'constraints':[]}",
	  "/name: must not be empty\n/priority: from 0 to 100\n"
	  "/constraints: expected an object" },
	{ "{'name':'a\\nb','category':'money','priority':-1,'constraints':"
	  "{'max_daily_cost':1}}",
	  "/name: control\n/category: \n/priority: from 0 to 100" },
	{ "{'name':'n','category':'cost','priority':50.5,'constraints':"
	  "{'max_daily_cost':1}}",
	  "/priority: expected an integer" },
	{ "{'name':'n','category':'cost','priority':100,'constraints':"
	  "{'max_daily_cost':1}}",
	  "" },
	/* actions */
	{ COST(",'action_on_violation':'allow'"), "/action_on_violation: " },
	{ COST(",'action_on_violation':7"), "/action_on_violation: " },
	{ COST(",'action_on_violation':'degrade'"), "" },
	{ POLICY("cost", "'max_daily_tokens':5,'max_daily_cost':1",
		 ",'action_on_violation':'degrade'"),
	  "/action_on_violation: max_daily_tokens does not depend" },
	{ POLICY("behavioral", "'max_prompt_length':5",
		 ",'action_on_violation':'degrade'"),
	  "/action_on_violation: max_prompt_length does not depend" },
	{ POLICY("behavioral", "'max_prompt_length':5",
		 ",'action_on_violation':'block'"),
	  "" },
	{ POLICY("cost", "'max_monthly_cost':5",
		 ",'evaluation_type':'continuous',"
		 "'action_on_violation':'block'"),
	  "/action_on_violation: never refuses" },
	{ POLICY("cost", "'max_monthly_cost':5",
		 ",'evaluation_type':'continuous',"
		 "'action_on_violation':'degrade'"),
	  "/action_on_violation: never refuses" },
	{ POLICY("cost", "'max_monthly_cost':5",
		 ",'evaluation_type':'continuous',"
		 "'action_on_violation':'warn'"),
	  "" },
	/* an unknown stage or category says nothing about the constraints */
	{ POLICY("cost", "'max_monthly_cost':5", ",'evaluation_type':'x'"),
	  "/evaluation_type: " },
	{ POLICY("x", "'max_monthly_cost':5", ""), "/category: " },
	/* several wrong places at once */
	{ "{'name':1,'category':'cost','priority':50,'mode':'x','constraints':"
	  "{'max_daily_cost':-1},'applies_to':{'user':['a']},'x':1}",
	  "/name: \n/mode: \n/x: unknown field\n"
	  "/constraints/max_daily_cost: \n/applies_to/user: unknown field" },
};

static void
a_policy_is_taken_or_refused_with_every_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu\n", i);
		fixture_check_policy(cases[i].policy, cases[i].want);
	}
}

static void
check_long(const char *field, size_t n, const char *want)
{
	char *policy = malloc(n + 200);

	assert_non_null(policy);
	int at =
	    snprintf(policy, 200,
		     "{'category':'cost','priority':1,'constraints':"
		     "{'max_daily_cost':1}%s,'%s':'",
		     strcmp(field, "name") == 0 ? "" : ",'name':'n'", field);
	memset(policy + at, 'a', n);
	(void)snprintf(policy + (size_t)at + n, 10, "'}");
	fixture_check_policy(policy, want);
	free(policy);
}

static void
texts_have_a_longest(void **state)
{
	(void)state;
	check_long("name", 256, "");
	check_long("name", 257, "/name: at most 256 bytes");
	check_long("policy_id", 64, "");
	check_long("policy_id", 65, "/policy_id: at most 64 bytes");
	check_long("message", 2000, "");
	check_long("message", 2001, "/message: at most 2000 bytes");
	check_long("description", 20000, "");
	check_long("description", 20001, "/description: at most 20000 bytes");
}

static void
more_wrong_places_than_are_kept_are_counted(void **state)
{
	(void)state;
	struct json_doc *doc = fixture_doc(
	    COST(",'a':1,'b':1,'c':1,'d':1,'e':1,'f':1,'g':1,'h':1,'i':1"));
	struct json root = json_root(doc);
	struct err err = { 0 };

	assert_int_equal(source_check_policy(&root, &err), STATUS_BODY);
	assert_int_equal(err.items_n, 9);
	assert_string_equal(err.items[0].pointer, "/a");
	json_doc_free(doc);
}

/* What a policy without an action does: priority, category, what it has. */
static const struct {
	const char *policy;
	enum action want;
	enum severity severity;
	bool by_model;
} actions[] = {
	{ "'category':'cost','priority':90,'constraints':"
	  "{'max_cost_per_request':1}",
	  ACTION_BLOCK, SEVERITY_CRITICAL, true },
	{ "'category':'cost','priority':89,'constraints':"
	  "{'max_cost_per_request':1}",
	  ACTION_DEGRADE, SEVERITY_HIGH, true },
	{ "'category':'cost','priority':89,'constraints':"
	  "{'max_daily_tokens':1}",
	  ACTION_BLOCK, SEVERITY_HIGH, false },
	{ "'category':'cost','priority':89,'constraints':"
	  "{'max_daily_tokens':1},'applies_to':{'model_id':['a']}",
	  ACTION_BLOCK, SEVERITY_HIGH, true },
	{ "'category':'vendor','priority':70,'constraints':"
	  "{'allowed_models':[]}",
	  ACTION_BLOCK, SEVERITY_HIGH, true },
	{ "'category':'cost','priority':69,'constraints':"
	  "{'max_cost_per_request':1}",
	  ACTION_WARN, SEVERITY_MEDIUM, true },
	{ "'category':'cost','priority':39,'constraints':"
	  "{'max_cost_per_request':1}",
	  ACTION_LOG, SEVERITY_LOW, true },
	{ "'category':'cost','priority':95,'constraints':"
	  "{'max_weekly_cost':1},'evaluation_type':'continuous'",
	  ACTION_WARN, SEVERITY_CRITICAL, true },
	{ "'category':'cost','priority':75,'constraints':"
	  "{'max_weekly_cost':1},'evaluation_type':'continuous'",
	  ACTION_WARN, SEVERITY_HIGH, true },
	{ "'category':'cost','priority':10,'constraints':"
	  "{'max_weekly_cost':1},'evaluation_type':'continuous'",
	  ACTION_LOG, SEVERITY_LOW, true },
	{ "'category':'cost','priority':10,'constraints':"
	  "{'max_daily_cost':1},'action_on_violation':'block'",
	  ACTION_BLOCK, SEVERITY_LOW, true },
	{ "'category':'behavioral','priority':50,'constraints':"
	  "{'max_prompt_length':1},'applies_to':{'any':["
	  "{'user_id':['a']},{'tags.x':['a'],'vendor_id':['b']}]}",
	  ACTION_WARN, SEVERITY_MEDIUM, true },
	{ "'category':'behavioral','priority':50,'constraints':"
	  "{'max_prompt_length':1},'applies_to':{'tags.x':['a']}",
	  ACTION_WARN, SEVERITY_MEDIUM, false },
};

static void
an_action_follows_from_priority_and_constraints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		char document[1024];

		print_message("case %zu\n", i);
		(void)snprintf(document, sizeof(document),
			       "{'revision':1,'policies':[{'policy_id':'p',"
			       "'name':'n',%s}]}",
			       actions[i].policy);
		struct snapshot *snapshot = fixture_compile(document, "");
		const struct policy *policy =
		    snapshot_data(snapshot)->policies.policies;
		assert_int_equal(policy->action, actions[i].want);
		assert_int_equal(policy->severity, actions[i].severity);
		assert_int_equal(policy->by_model, actions[i].by_model);
		snapshot_unref(snapshot);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_taken_or_refused_with_every_place),
		cmocka_unit_test(texts_have_a_longest),
		cmocka_unit_test(more_wrong_places_than_are_kept_are_counted),
		cmocka_unit_test(
		    an_action_follows_from_priority_and_constraints),
	};
	return cmocka_run_group_tests_name("source_policy", tests, NULL, NULL);
}
