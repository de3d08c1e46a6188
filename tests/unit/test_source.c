#include "policy/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/money.h"
#include "policy_fixture.h"

#define POLICY(id, name, priority, more)                             \
	"{'policy_id':'" id "','name':'" name "','category':'cost'," \
	"'priority':" priority ",'constraints':{'max_daily_cost':1}" more "}"
#define ONE_POLICY "'policies':[" POLICY("p1", "a", "50", "") "]"
#define LIMIT(more)                                                          \
	"'subject_limits':[{'policy_id':'p1','constraint':'max_daily_cost'," \
	"'subject':'ann','value':2" more "}]"
#define EXEMPTION(from, until)                                               \
	"'exemptions':[{'exemption_id':'e','policy_id':'p1','scope':'user'," \
	"'subject':'ann','valid_from':'" from "','valid_until':'" until "'}]"
#define YEAR(n) "20" n "-01-01T00:00:00Z"

#define TWO(first, second) ",'policies':[" first "," second "]"

/* The members of a document beside its revision, and what is refused. */
static const struct fixture_document cases[] = {
	{ "", "" },
	{ ",'policies':null,'models':null,'subjects':null", "" },
	{ ",'policy':[]", "/policy: unknown field" },
	{ ",'policies':{}", "/policies: expected an array" },
	{ ",'models':{}", "/models: expected an array" },
	{ ",'subjects':[1]", "/subjects/0: expected an object" },
	{ "," ONE_POLICY, "" },
	{ ",'policies':[{'name':'a','category':'cost','priority':1,"
	  "'constraints':{'max_daily_cost':1}}]",
	  "/policies/0/policy_id: is required" },
	{ TWO(POLICY("p1", "a", "50", ""), POLICY("p1", "b", "60", "")),
	  "/policies/1: already as element 0" },
	{ TWO(POLICY("p1", "a", "50", ""), POLICY("p2", "a", "60", "")),
	  "/policies/1: already as element 0" },
	{ TWO(POLICY("p1", "a", "50", ",'enabled':false"),
	      POLICY("p2", "a", "60", "")),
	  "/policies/1: already as element 0" },
	/* one that is not enabled is checked all the same */
	{ TWO(POLICY("p1", "a", "50", ",'enabled':false,'x':1"),
	      POLICY("p2", "b", "60", "")),
	  "/policies/0/x: unknown field" },
	{ ",'policies':[{'policy_id':'p','name':'a','category':'behavioral',"
	  "'priority':1,'constraints':{'blocked_keywords':['x'],"
	  "'blocked_patterns':['a','(b']}}]",
	  "/policies/0/constraints/blocked_patterns/1: missing close" },
	/* the place in the document, not in the order of priority */
	{ TWO(POLICY("p1", "a", "50", ""),
	      "{'policy_id':'p','name':'z','category':'behavioral',"
	      "'priority':90,'constraints':{'blocked_patterns':['b*']}}"),
	  "/policies/1/constraints/blocked_patterns/0: empty text" },
	/* limits */
	{ "," ONE_POLICY "," LIMIT(""), "" },
	{ "," ONE_POLICY "," LIMIT(",'until':null"), "" },
	{ "," ONE_POLICY "," LIMIT(",'until':'x'"),
	  "/subject_limits/0/until: expected a time" },
	{ "," LIMIT(""), "/subject_limits/0/policy_id: unknown policy" },
	{ "," ONE_POLICY ",'subject_limits':[{}]",
	  "/subject_limits/0/policy_id: is required\n"
	  "/subject_limits/0/constraint: is required\n"
	  "/subject_limits/0/subject: is required\n"
	  "/subject_limits/0/value: is required" },
	{ "," ONE_POLICY ",'subject_limits':[{'policy_id':'p1','constraint':"
	  "'max_daily_cost','subject':'a','value':-1},{'policy_id':'p1',"
	  "'constraint':'max_vendor_share','subject':'a','value':1},"
	  "{'policy_id':'p1','constraint':'max','subject':'a','value':1}]",
	  "/subject_limits/0/value: expected dollars\n"
	  "/subject_limits/1/constraint: that has a number\n"
	  "/subject_limits/2/constraint: that has a number" },
	/* exemptions */
	{ "," ONE_POLICY "," EXEMPTION(YEAR("26"), YEAR("27")), "" },
	{ "," ONE_POLICY "," EXEMPTION(YEAR("27"), YEAR("27")),
	  "/exemptions/0/valid_until: later than valid_from" },
	{ "," EXEMPTION(YEAR("26"), YEAR("27")),
	  "/exemptions/0/policy_id: unknown policy" },
	{ "," ONE_POLICY ",'exemptions':[{'policy_id':'p1','scope':'x'}]",
	  "/exemptions/0/scope: \n/exemptions/0/exemption_id: is required\n"
	  "/exemptions/0/subject: is required\n"
	  "/exemptions/0/valid_from: is required\n"
	  "/exemptions/0/valid_until: is required" },
};

static void
a_document_is_taken_or_refused(void **state)
{
	(void)state;
	fixture_compile_each(cases, sizeof(cases) / sizeof(cases[0]));
	assert_null(fixture_compile("{}", "/revision: is required"));
	assert_null(fixture_compile("{'revision':-1}", "/revision: integer"));
	assert_null(fixture_compile("[]", ": expected an object"));
}

static const char four_policies[] =
    "{'revision':1,'policies':["
    "{'policy_id':'1','name':'b','category':'cost','priority':50,"
    "'constraints':{'max_daily_cost':1}},"
    "{'policy_id':'2','name':'c','category':'cost','priority':90,"
    "'constraints':{'max_daily_cost':1}},"
    "{'policy_id':'3','name':'off','category':'cost','priority':95,"
    "'enabled':false,'constraints':{'max_daily_cost':1}},"
    "{'policy_id':'4','name':'a','category':'cost','priority':50,"
    "'constraints':{'max_daily_cost':1}}]}";

static void
policies_stand_in_their_order(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_compile(four_policies, "");
	const struct policy_set *set = &snapshot_data(snapshot)->policies;
	static const char *const want[] = { "c", "a", "b" };

	assert_int_equal(set->policies_n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(set->policies[i].name, want[i]);
		assert_int_equal(set->policies[i].index, i);
		assert_int_equal(set->policies[i].version, 1);
		assert_int_equal(set->policies[i].scope, SCOPE_USER);
	}
	snapshot_unref(snapshot);
}

static const char exceptions[] =
    "{'revision':1,'policies':["
    "{'policy_id':'p1','name':'a','category':'cost','priority':50,"
    "'constraints':{'max_daily_cost':1}},"
    "{'policy_id':'p2','name':'b','category':'cost','priority':60,"
    "'scope':'vendor','constraints':{'max_daily_cost':1}},"
    "{'policy_id':'p3','name':'c','category':'cost','priority':70,"
    "'enabled':false,'constraints':{'max_daily_cost':1}}],"
    "'vendor_aliases':[{'alias':'vertex','vendor_id':'google'}],"
    "'subject_limits':["
    "{'policy_id':'p1','constraint':'max_daily_cost','subject':'bob',"
    "'value':3},"
    "{'policy_id':'p1','constraint':'max_daily_cost','subject':'ann',"
    "'value':2.5,'until':'2030-01-01T00:00:00Z'},"
    "{'policy_id':'p1','constraint':'max_daily_cost','subject':'ann',"
    "'value':9},"
    "{'policy_id':'p1','constraint':'max_weekly_cost','subject':'ann',"
    "'value':9},"
    "{'policy_id':'p2','constraint':'max_daily_cost','subject':'Vertex',"
    "'value':4},"
    "{'policy_id':'p3','constraint':'max_daily_cost','subject':'ann',"
    "'value':5}],"
    "'exemptions':["
    "{'exemption_id':'e2','policy_id':'p1','scope':'global','subject':'all',"
    "'valid_from':'2026-01-01T00:00:00Z',"
    "'valid_until':'2027-01-01T00:00:00Z'},"
    "{'exemption_id':'e1','policy_id':'p1','scope':'model',"
    "'subject':'GPT-4','valid_from':'2026-01-01T00:00:00Z',"
    "'valid_until':'2027-01-01T00:00:00Z'},"
    "{'exemption_id':'e3','policy_id':'p3','scope':'user','subject':'ann',"
    "'valid_from':'2026-01-01T00:00:00Z',"
    "'valid_until':'2027-01-01T00:00:00Z'}]}";

static void
exceptions_come_to_their_policies(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_compile(exceptions, "");
	const struct policy_set *set = &snapshot_data(snapshot)->policies;
	const struct policy *b = &set->policies[0], *a = &set->policies[1];

	assert_int_equal(set->policies_n, 2);
	assert_string_equal(a->name, "a");
	assert_int_equal(a->limits_n, 3); /* max_weekly_cost is none of its */
	assert_string_equal(a->limits[0].subject, "ann");
	assert_int_equal(a->limits[0].number, 5 * MONEY_ONE_USD / 2);
	assert_true(a->limits[0].until_us < INT64_MAX);
	assert_int_equal(a->limits[1].number, 9 * MONEY_ONE_USD);
	assert_int_equal(a->limits[1].until_us, INT64_MAX);
	assert_string_equal(a->limits[2].subject, "bob");
	assert_int_equal(b->limits_n, 1);
	assert_string_equal(b->limits[0].subject, "google");
	assert_int_equal(a->exemptions_n, 2);
	assert_string_equal(a->exemptions[0].exemption_id, "e1");
	assert_string_equal(a->exemptions[0].subject, "gpt-4");
	assert_string_equal(a->exemptions[1].subject, "global");
	assert_int_equal(b->exemptions_n, 0);
	assert_null(b->exemptions);
	snapshot_unref(snapshot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_taken_or_refused),
		cmocka_unit_test(policies_stand_in_their_order),
		cmocka_unit_test(exceptions_come_to_their_policies),
	};
	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
