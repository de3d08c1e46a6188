#include "policy/source_parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy_fixture.h"

#define AT "/constraints/"
#define MODERATION "/constraints/moderation"

/* Constraints of a category at a stage, and what is refused in them. */
static const struct {
	const char *category, *stage, *constraints, *want;
} cases[] = {
	{ "cost", "pre_flight", "{}", "/constraints: no constraint" },
	{ "cost", "pre_flight", "{'warn_threshold':1,'reset_hour_utc':2}",
	  "/constraints: no constraint" },
	{ "cost", "pre_flight", "{'max_cost':1}",
	  AT "max_cost: unknown constraint" },
	{ "cost", "pre_flight", "{'max_prompt_length':1}",
	  AT "max_prompt_length: is a constraint of category behavioral, not "
	     "of cost" },
	{ "cost", "continuous", "{'max_cost_per_request':1}",
	  AT "max_cost_per_request: cannot be used at evaluation_type "
	     "continuous" },
	{ "cost", "runtime", "{'max_daily_cost':1}",
	  AT "max_daily_cost: cannot be used at evaluation_type runtime" },
	{ "cost", "continuous", "{'max_weekly_cost':1}", "" },
	{ "vendor", "pre_flight", "{'min_success_rate':0.5}",
	  AT "min_success_rate: cannot be used" },
	{ "vendor", "post_execution", "{'min_success_rate':0.5}", "" },
	/* money */
	{ "cost", "pre_flight", "{'max_cost_per_request':0}", "" },
	{ "cost", "pre_flight", "{'max_cost_per_request':1000000}", "" },
	{ "cost", "pre_flight", "{'max_cost_per_request':1000000.01}",
	  AT "max_cost_per_request: expected dollars" },
	{ "cost", "pre_flight", "{'max_cost_per_request':-0.01}",
	  AT "max_cost_per_request: expected dollars" },
	{ "cost", "pre_flight", "{'max_cost_per_request':'1'}",
	  AT "max_cost_per_request: expected a number" },
	{ "cost", "pre_flight", "{'max_cost_per_request':null}",
	  AT "max_cost_per_request: expected a number" },
	{ "cost", "pre_flight",
	  "{'max_daily_cost':1000000000,'warn_threshold':0.5}", "" },
	{ "cost", "pre_flight",
	  "{'max_daily_cost':1,'warn_threshold':9000000001}",
	  AT "warn_threshold: expected dollars" },
	/* counts; a rate of zero would be a block in disguise */
	{ "behavioral", "pre_flight", "{'max_requests_per_minute':1}", "" },
	{ "behavioral", "pre_flight", "{'max_requests_per_minute':0}",
	  AT "max_requests_per_minute: expected an integer from 1" },
	{ "behavioral", "pre_flight", "{'max_requests_per_hour':1.5}",
	  AT "max_requests_per_hour: expected an integer" },
	{ "behavioral", "pre_flight", "{'max_prompt_length':0}", "" },
	{ "behavioral", "pre_flight", "{'max_prompt_length':-1}",
	  AT "max_prompt_length: expected an integer" },
	{ "behavioral", "pre_flight",
	  "{'max_prompt_length':5,'warn_threshold':0.5}",
	  AT "warn_threshold: expected an integer" },
	{ "behavioral", "pre_flight",
	  "{'max_prompt_length':5,'warn_threshold':4}", "" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'reset_hour_utc':23}",
	  "" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'reset_hour_utc':24}",
	  AT "reset_hour_utc: expected an integer from 0 to 23" },
	/* ratios */
	{ "vendor", "continuous", "{'max_vendor_share':0}", "" },
	{ "vendor", "continuous", "{'max_vendor_share':1}", "" },
	{ "vendor", "continuous", "{'max_vendor_share':1.01}",
	  AT "max_vendor_share: expected a number from 0 to 1" },
	{ "vendor", "continuous", "{'max_vendor_share':-0.01}",
	  AT "max_vendor_share: expected a number from 0 to 1" },
	/* flags, words */
	{ "compliance", "pre_flight", "{'require_user_id':1}",
	  AT "require_user_id: expected true or false" },
	{ "compliance", "pre_flight", "{'log_all_requests':true}", "" },
	{ "compliance", "continuous", "{'retention_days':90}", "" },
	{ "compliance", "continuous", "{'retention_days':0}",
	  AT "retention_days: expected an integer from 1" },
	{ "cost", "pre_flight", "{'unknown_price':'estimate'}", "" },
	{ "cost", "pre_flight", "{'unknown_price':'alert'}",
	  AT "unknown_price: " },
	{ "compliance", "pre_flight",
	  "{'scan_for_pii':true,'action':'redact','min_confidence':0.5,"
	  "'pii_types':['ssn','all']}",
	  "" },
	{ "compliance", "pre_flight", "{'scan_for_pii':true,'action':'block'}",
	  AT "action: " },
	{ "compliance", "pre_flight", "{'action':'redact'}",
	  "/constraints: no constraint" },
	/* time zones */
	{ "cost", "pre_flight",
	  "{'max_daily_cost':1,'timezone':'Europe/Berlin'}", "" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'UTC'}", "" },
	{ "cost", "pre_flight",
	  "{'max_daily_cost':1,'timezone':'America/Argentina/Buenos_Aires'}",
	  "" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'Etc/GMT+5'}",
	  "" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':''}",
	  AT "timezone: must not be empty" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'+01:00'}",
	  AT "timezone: expected a time zone" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'Europe/'}",
	  AT "timezone: expected a time zone" },
	{ "cost", "pre_flight",
	  "{'max_daily_cost':1,'timezone':'Europe/New York'}",
	  AT "timezone: expected a time zone" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'../../etc'}",
	  AT "timezone: expected a time zone" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'A/B/C/D'}",
	  AT "timezone: expected a time zone" },
	{ "cost", "pre_flight",
	  "{'max_daily_cost':1,'timezone':'UTC','reset_hour_utc':0}",
	  AT "timezone: cannot be used together with reset_hour_utc" },
	{ "cost", "pre_flight",
	  "{'max_daily_cost':1,'timezone':'Europe/Atlantis'}",
	  AT "timezone: expected a time zone" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'localtime'}",
	  AT "timezone: expected a time zone" },
	{ "cost", "pre_flight", "{'max_daily_cost':1,'timezone':'ABC5'}",
	  AT "timezone: expected a time zone" },
	/* a day begins for budgets only, also for those of tokens */
	{ "cost", "pre_flight", "{'max_cost_per_request':1,'timezone':'UTC'}",
	  AT "timezone: there is no budget" },
	{ "cost", "pre_flight", "{'max_cost_per_request':1,'reset_hour_utc':0}",
	  AT "reset_hour_utc: there is no budget" },
	{ "cost", "pre_flight", "{'max_monthly_tokens':1,'reset_hour_utc':1}",
	  "" },
	{ "cost", "continuous", "{'max_weekly_cost':1,'timezone':'UTC'}", "" },
	{ "cost", "pre_flight", "{'max_dayly_cost':1,'timezone':'UTC'}",
	  AT "max_dayly_cost: unknown constraint" },
	/* an alert belongs to a week or a month, and comes before its end */
	{ "cost", "pre_flight", "{'max_daily_cost':1,'alert_threshold':0.5}",
	  AT "alert_threshold: belongs to max_weekly_cost" },
	{ "cost", "pre_flight",
	  "{'max_monthly_tokens':5,'alert_threshold':0.5}",
	  AT "alert_threshold: belongs to max_weekly_cost" },
	{ "cost", "pre_flight", "{'max_weekly_cost':1,'alert_threshold':1}",
	  "" },
	{ "cost", "continuous", "{'max_monthly_cost':1,'alert_threshold':0}",
	  "" },
	{ "cost", "continuous",
	  "{'max_monthly_cost':1,'alert_threshold':1.000000001}",
	  AT "alert_threshold: is above every limit" },
	{ "cost", "pre_flight",
	  "{'max_weekly_cost':1,'max_monthly_cost':3,'alert_threshold':2}",
	  "" },
	{ "cost", "pre_flight",
	  "{'max_weekly_cost':1,'max_monthly_cost':3,'max_daily_cost':9,"
	  "'alert_threshold':4}",
	  AT "alert_threshold: is above every limit" },
	{ "cost", "pre_flight", "{'alert_threshold':2,'timezone':'UTC'}",
	  "/constraints: no constraint" },
	/* lists */
	{ "vendor", "pre_flight",
	  "{'allowed_vendors':[],'blocked_models':['gpt-*']}", "" },
	{ "vendor", "pre_flight", "{'allowed_vendors':'openai'}",
	  AT "allowed_vendors: expected an array" },
	{ "vendor", "pre_flight", "{'allowed_vendors':['a','',3,'a*b']}",
	  AT "allowed_vendors/1: must not be empty\n" AT
	     "allowed_vendors/2: expected a string" },
	{ "vendor", "pre_flight", "{'allowed_models':['a','gpt-*-x']}",
	  AT "allowed_models/1: a '*' can only stand first or last" },
	{ "compliance", "pre_flight", "{'bypass_policies':['a*b']}", "" },
	/* content */
	{ "behavioral", "pre_flight", "{'blocked_keywords':['Bomb','c++']}",
	  "" },
	{ "behavioral", "pre_flight",
	  "{'blocked_keywords':['a','\xe2\x80\x8b'"
	  "]}",
	  AT "blocked_keywords/1: folding" },
	{ "behavioral", "pre_flight",
	  "{'blocked_patterns':['a+','(b','c*','(?<=d)e']}",
	  AT "blocked_patterns/1: missing close parenthesis\n" AT
	     "blocked_patterns/2: matches the empty text\n" AT
	     "blocked_patterns/3: not supported" },
	/* moderation */
	{ "behavioral", "pre_flight", "{'moderation':{'provider':'local'}}",
	  "" },
	{ "behavioral", "pre_flight",
	  "{'moderation':{'provider':'openai','thresholds':{'hate':0.5,"
	  "'violence':1},'timeout_ms':200,'on_unavailable':'block'}}",
	  "" },
	{ "behavioral", "pre_flight", "{'moderation':{}}",
	  MODERATION "/provider: is required" },
	{ "behavioral", "pre_flight", "{'moderation':'local'}",
	  MODERATION ": expected an object" },
	{ "behavioral", "pre_flight",
	  "{'moderation':{'provider':'mine','thresholds':{'hate':1.5,'':0,"
	  "'x':'y'},'timeout_ms':0,'on_unavailable':'log','more':1}}",
	  MODERATION "/provider: \n" MODERATION
		     "/thresholds/hate: from 0 to 1\n" MODERATION
		     "/thresholds/: must have a name\n" MODERATION
		     "/thresholds/x: expected a number\n" MODERATION
		     "/timeout_ms: from 1 to 60000\n" MODERATION
		     "/on_unavailable: \n" MODERATION "/more: unknown" },
	{ "behavioral", "pre_flight",
	  "{'moderation':{'provider':'local','thresholds':[]}}",
	  MODERATION "/thresholds: expected an object" },
};

static void
constraints_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char policy[2048];

		print_message("case %zu: %s\n", i, cases[i].constraints);
		(void)snprintf(policy, sizeof(policy),
			       "{'name':'n','priority':1,'category':'%s',"
			       "'evaluation_type':'%s','constraints':%s}",
			       cases[i].category, cases[i].stage,
			       cases[i].constraints);
		fixture_check_policy(policy, cases[i].want);
	}
}

/* What every key takes and what none of its type does. */
static const struct {
	enum constraint_type type;
	const char *good, *bad;
} values[] = {
	{ CONSTRAINT_TYPE_MONEY, "1", "true" },
	{ CONSTRAINT_TYPE_COUNT, "2", "[]" },
	{ CONSTRAINT_TYPE_THRESHOLD, "1", "'1'" },
	{ CONSTRAINT_TYPE_RATIO, "0.5", "2" },
	{ CONSTRAINT_TYPE_FLAG, "false", "0" },
	{ CONSTRAINT_TYPE_TEXT, "'UTC'", "1" },
	{ CONSTRAINT_TYPE_TEXTS, "['a']", "{}" },
	{ CONSTRAINT_TYPE_NAMES, "['a']", "'a'" },
	{ CONSTRAINT_TYPE_WORDS, NULL, "'nonsense'" },
	{ CONSTRAINT_TYPE_KEYWORDS, "['a']", "[0]" },
	{ CONSTRAINT_TYPE_PATTERNS, "['a']", "['[']" },
	{ CONSTRAINT_TYPE_OBJECT, "{'provider':'local'}", "[]" },
};

/* Does the first stage that ROW can be used at take VALUE? */
static bool
takes(const struct constraint_row *row, const char *value)
{
	struct arena *arena = arena_new(0);
	struct err err = { 0 };
	struct reading r = { .arena = arena, .err = &err };
	struct policy policy = { .category = row->category == CATEGORY_ANY
						 ? CATEGORY_COST
						 : row->category,
				 .stage = STAGE_PRE_FLIGHT };
	char constraints[256];

	while ((row->stages & 1U << policy.stage) == 0) {
		policy.stage++;
	}
	(void)snprintf(constraints, sizeof(constraints), "{'%s':%s}", row->key,
		       value);
	struct json_doc *doc = fixture_doc(constraints);
	struct json root = json_root(doc);
	source_constraints(&r, &root, &policy);
	/* that a PARAM stands alone is said of the whole object */
	bool alone = err.items_n == 1 && err.items[0].pointer[0] == '\0';
	json_doc_free(doc);
	arena_free(arena);
	return !r.bad || alone;
}

static void
every_key_of_the_table_is_read_by_its_type(void **state)
{
	(void)state;
	for (enum constraint_key key = 0; key < CONSTRAINT_N; key++) {
		const struct constraint_row *row = constraint_row(key);
		const char *good = values[row->type].good;

		assert_int_equal(values[row->type].type, row->type);
		print_message("%s\n", row->key);
		if (row->type == CONSTRAINT_TYPE_WORDS) {
			good = key == CONSTRAINT_action ? "'alert'" : "'block'";
		}
		assert_true(takes(row, good));
		assert_false(takes(row, values[row->type].bad));
	}
}

static void
lists_have_limits(void **state)
{
	(void)state;
	struct buf policy = { 0 };
	char text[300];

	memset(text, 'a', sizeof(text));
	text[257] = '\0';
	buf_printf(&policy,
		   "{'name':'n','priority':1,'category':'vendor',"
		   "'constraints':{'allowed_vendors':['%s','%s']}}",
		   text + 1, text);
	fixture_check_policy(buf_text(&policy),
			     AT "allowed_vendors/1: at most 256 bytes");
	for (int n = 1000; n <= 1001; n++) {
		buf_reset(&policy);
		buf_adds(&policy, "{'name':'n','priority':1,'category':"
				  "'vendor','constraints':{"
				  "'allowed_vendors':['a'");
		for (int i = 1; i < n; i++) {
			buf_adds(&policy, ",'a'");
		}
		buf_adds(&policy, "]}}");
		fixture_check_policy(buf_text(&policy),
				     n == 1000 ? ""
					       : AT "allowed_vendors: has more "
						    "than 1000 elements");
	}
	buf_fini(&policy);
}

static const struct constraint *
only(const struct policy *policy, enum constraint_key key)
{
	const struct constraint *c = policy_constraint(policy, key);

	assert_non_null(c);
	return c;
}

static void
values_are_compiled_in_their_unit(void **state)
{
	(void)state;
	struct arena *arena = arena_new(0);
	struct json_doc *doc = fixture_doc(
	    "{'max_cost_per_request':0.0000000001,'warn_threshold':0.5,"
	    "'timezone':'UTC','unknown_price':'allow','max_daily_cost':1.5,"
	    "'max_daily_tokens':7}");
	struct json root = json_root(doc);
	struct reading r = { .arena = arena };
	struct policy policy = { .category = CATEGORY_COST };

	source_constraints(&r, &root, &policy);
	assert_false(r.bad);
	assert_int_equal(policy.constraints_n, 6);
	for (size_t i = 1; i < policy.constraints_n; i++) {
		assert_true(policy.constraints[i - 1].key <
			    policy.constraints[i].key);
	}
	assert_int_equal(only(&policy, CONSTRAINT_max_cost_per_request)->number,
			 1);
	assert_int_equal(only(&policy, CONSTRAINT_warn_threshold)->number,
			 500000000);
	assert_int_equal(only(&policy, CONSTRAINT_max_daily_cost)->number,
			 1500000000);
	assert_int_equal(only(&policy, CONSTRAINT_max_daily_tokens)->number, 7);
	assert_int_equal(only(&policy, CONSTRAINT_unknown_price)->number, 2);
	assert_string_equal(only(&policy, CONSTRAINT_timezone)->text, "UTC");
	assert_false(policy.needs_content);
	json_doc_free(doc);
	arena_free(arena);
}

static void
lists_are_compiled_as_they_are_compared(void **state)
{
	(void)state;
	static const struct alias vendors[] = { { "vertex_ai", "google" } };
	static const struct catalogue catalogue = { .vendor_aliases = vendors,
						    .vendor_aliases_n = 1 };
	struct arena *arena = arena_new(0);
	struct json_doc *doc =
	    fixture_doc("{'allowed_vendors':['Vertex_AI','OpenAI','Vertex*'],"
			"'blocked_models':['Vertex_AI']}");
	struct json root = json_root(doc);
	struct reading r = { .arena = arena, .catalogue = &catalogue };
	struct policy policy = { .category = CATEGORY_VENDOR };

	source_constraints(&r, &root, &policy);
	const struct constraint *c = only(&policy, CONSTRAINT_allowed_vendors);
	assert_string_equal(c->texts[0], "google");
	assert_string_equal(c->texts[1], "openai");
	assert_string_equal(c->texts[2], "vertex*");
	c = only(&policy, CONSTRAINT_blocked_models);
	assert_string_equal(c->texts[0], "vertex_ai");
	json_doc_free(doc);

	doc = fixture_doc("{'blocked_keywords':['Bomb'],'moderation':"
			  "{ 'provider' : 'local' },'max_injection_score':0.5,"
			  "'blocked_patterns':[]}");
	root = json_root(doc);
	policy = (struct policy){ .category = CATEGORY_BEHAVIORAL };
	source_constraints(&r, &root, &policy);
	assert_false(r.bad);
	assert_true(policy.needs_content);
	assert_string_equal(
	    only(&policy, CONSTRAINT_blocked_keywords)->texts[0], "Bomb");
	assert_string_equal(only(&policy, CONSTRAINT_moderation)->text,
			    "{\"provider\":\"local\"}");
	assert_true(fabs(only(&policy, CONSTRAINT_max_injection_score)->ratio -
			 0.5) < 1e-9);
	json_doc_free(doc);
	arena_free(arena);
}

static void
globs_stand_at_the_ends(void **state)
{
	(void)state;
	assert_true(source_glob_valid(""));
	assert_true(source_glob_valid("*"));
	assert_true(source_glob_valid("**"));
	assert_true(source_glob_valid("*a*"));
	assert_false(source_glob_valid("***"));
	assert_false(source_glob_valid("a*a"));
	assert_false(source_glob(""));
	assert_false(source_glob("a"));
	assert_true(source_glob("a*"));
	assert_true(source_glob("*a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constraints_are_taken_or_refused),
		cmocka_unit_test(every_key_of_the_table_is_read_by_its_type),
		cmocka_unit_test(lists_have_limits),
		cmocka_unit_test(values_are_compiled_in_their_unit),
		cmocka_unit_test(lists_are_compiled_as_they_are_compared),
		cmocka_unit_test(globs_stand_at_the_ends),
	};
	return cmocka_run_group_tests_name("source_constraint", tests, NULL,
					   NULL);
}
