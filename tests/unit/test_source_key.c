#include "policy/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy_fixture.h"

#define HASH "000102030405060708090a0b0c0d0e0fF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"
#define KEY(more) "{'key_id':'k','hash':'" HASH "','role':'viewer'" more "}"
#define YEAR(n) "20" n "-01-01T00:00:00Z"

/* The members of a document beside its revision, and what is refused. */
static const struct fixture_document cases[] = {
	/* keys */
	{ ",'api_keys':[" KEY("") "]", "" },
	{ ",'api_keys':[{}]",
	  "/api_keys/0/key_id: is required\n/api_keys/0/hash: is required\n"
	  "/api_keys/0/role: is required" },
	{ ",'api_keys':[{'key_id':'k','role':'root','hash':'00'}]",
	  "/api_keys/0/role: \n/api_keys/0/hash: expected 32 bytes" },
	{ ",'api_keys':[{'key_id':'k','role':'admin','hash':'0g" HASH "'}]",
	  "/api_keys/0/hash: expected 32 bytes" },
	{ ",'api_keys':[{'key_id':'k','role':'admin','hash':"
	  "'g00102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f'"
	  "}]",
	  "/api_keys/0/hash: expected 32 bytes" },
	{ ",'api_keys':[{'key_id':'k','role':'admin','hash':1}]",
	  "/api_keys/0/hash: expected a string" },
	{ ",'api_keys':[" KEY("") "," KEY("") "]",
	  "/api_keys/1: already as element 0" },
	{ ",'api_keys':[" KEY(",'expires_at':'soon','revoked':1,"
			      "'bound_facts':{'user':'a','dev_flag':'a',"
			      "'team_id':1},'user_tiers':'free',"
			      "'regions':[1],'asserts':['model_tier','x']") "]",
	  "/api_keys/0/expires_at: expected a time\n"
	  "/api_keys/0/revoked: expected true\n"
	  "/api_keys/0/bound_facts/user: is no fact\n"
	  "/api_keys/0/bound_facts/dev_flag: is no fact\n"
	  "/api_keys/0/bound_facts/team_id: expected a string\n"
	  "/api_keys/0/user_tiers: expected an array\n"
	  "/api_keys/0/regions/0: expected a string\n"
	  "/api_keys/0/asserts/0: is no fact" },
	{ ",'api_keys':[" KEY(",'bound_facts':{'model_id':'m',"
			      "'session_id':'s','correlation_id':'c',"
			      "'request_id':'r','environment':'e'}") "]",
	  "/api_keys/0/bound_facts/model_id: is no fact\n"
	  "/api_keys/0/bound_facts/session_id: is no fact\n"
	  "/api_keys/0/bound_facts/correlation_id: is no fact\n"
	  "/api_keys/0/bound_facts/request_id: is no fact" },
	{ ",'api_keys':[" KEY(",'bound_facts':[],'asserts':'x',"
			      "'expires_at':1") "]",
	  "/api_keys/0/expires_at: expected a string\n"
	  "/api_keys/0/bound_facts: expected an object\n"
	  "/api_keys/0/asserts: expected an array" },
	{ ",'subjects':[{'user_id':'ann'},{'user_id':'ann'}]",
	  "/subjects/1: already as element 0" },
};

static void
a_document_is_taken_or_refused(void **state)
{
	(void)state;
	fixture_compile_each(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
keys_and_people_are_found(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_compile(
	    "{'revision':1,'api_keys':["
	    "{'key_id':'b','name':'gateway','hash':'" HASH
	    "','role':'evaluator','expires_at':'" YEAR(
		"30") "',"
		      "'revoked':true,'bound_facts':{'organization_id':'Acme',"
		      "'vendor_id':'OpenAI'},'user_tiers':['Free'],"
		      "'regions':['US-East'],'asserts':['user_id']}," KEY(
			  "") "],"
			      "'subjects':[{'user_id':'bob','team_id':'red'},"
			      "{'user_id':'ann','user_tier':'pro','"
			      "organization_id':'acme'}]}",
	    "");
	const struct snapshot_data *data = snapshot_data(snapshot);
	const struct api_key *b = snapshot_key(data, "b");
	const struct api_key *k = snapshot_key(data, "k");

	assert_null(snapshot_key(data, "a"));
	assert_string_equal(b->name, "gateway");
	assert_int_equal(b->role, ROLE_EVALUATOR);
	assert_int_equal(b->hash[1], 1);
	assert_int_equal(b->hash[31], 255);
	assert_true(b->revoked && b->expires_us < INT64_MAX);
	assert_int_equal(b->facts_n, 2);
	assert_int_equal(b->facts[0].fact, FACT_organization_id);
	assert_string_equal(b->facts[0].value, "Acme");
	assert_string_equal(b->facts[1].value, "openai");
	assert_string_equal(b->user_tiers[0], "Free");
	assert_string_equal(b->regions[0], "us-east");
	assert_true(b->asserts[FACT_user_id]);
	assert_false(b->asserts[FACT_team_id]);
	assert_string_equal(k->name, "");
	assert_int_equal(k->expires_us, INT64_MAX);
	assert_int_equal(k->facts_n + k->user_tiers_n + k->regions_n, 0);
	assert_true(k->asserts[FACT_user_id] && k->asserts[FACT_dev_flag]);
	assert_false(k->asserts[FACT_prompt_length]);
	assert_null(snapshot_subject(data, "carl"));
	assert_string_equal(snapshot_subject(data, "bob")->team_id, "red");
	assert_null(snapshot_subject(data, "bob")->user_tier);
	assert_string_equal(snapshot_subject(data, "ann")->user_tier, "pro");
	snapshot_unref(snapshot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_taken_or_refused),
		cmocka_unit_test(keys_and_people_are_found),
	};
	return cmocka_run_group_tests_name("source_key", tests, NULL, NULL);
}
