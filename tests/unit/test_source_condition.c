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

/* An applies_to, and what is refused in it. */
static const struct {
	const char *applies_to, *want;
} cases[] = {
	{ "{}", "" },
	{ "[]", "/applies_to: expected an object" },
	{ "{'user_tier':['free','pro']}", "" },
	{ "{'user_tier':'free'}", "/applies_to/user_tier: expected a list" },
	{ "{'user_tier':null}", "/applies_to/user_tier: expected a list" },
	{ "{'user_tier':[]}", "/applies_to/user_tier: empty list" },
	{ "{'user_tier':['']}", "/applies_to/user_tier/0: must not be empty" },
	{ "{'user_tier':[1]}", "/applies_to/user_tier/0: expected a string" },
	{ "{'user_tier':{}}", "/applies_to/user_tier: expected an operator" },
	{ "{'user_tier':{'is':['a']}}",
	  "/applies_to/user_tier/is: unknown operator" },
	{ "{'tier':['free']}", "/applies_to/tier: unknown field" },
	{ "{'tags':['free']}", "/applies_to/tags: unknown field" },
	{ "{'tags.':['free']}", "/applies_to/tags.: must have a name" },
	{ "{'tags.a.b':['x',1,true,-2.5]}", "" },
	{ "{'tags.a':[null]}", "/applies_to/tags.a/0: expected a string" },
	{ "{'tags.a':[[]]}", "/applies_to/tags.a/0: expected a string" },
	{ "{'tags.a':{'gt':-5,'not':['x']}}", "" },
	/* globs */
	{ "{'model_id':['gpt-*','*-mini','*o1*','*']}", "" },
	{ "{'model_id':['gpt-*-mini']}", "/applies_to/model_id/0: first or" },
	{ "{'model_id':{'not':['a*b','*c']}}",
	  "/applies_to/model_id/not/0: first or last" },
	/* numbers */
	{ "{'estimated_tokens':[1,2.0]}", "" },
	{ "{'estimated_tokens':[1.5]}", "/applies_to/estimated_tokens/0: " },
	{ "{'estimated_tokens':[-1]}", "/applies_to/estimated_tokens/0: " },
	{ "{'estimated_cost':[0.25,0]}", "" },
	{ "{'estimated_cost':[-0.25]}", "/applies_to/estimated_cost/0: " },
	{ "{'temperature':[-0.25,'x']}", "/applies_to/temperature/1: " },
	{ "{'dev_flag':[true]}", "" },
	{ "{'dev_flag':['yes']}", "/applies_to/dev_flag/0: expected true" },
	{ "{'estimated_tokens':{'gte':1,'lte':1}}", "" },
	{ "{'estimated_tokens':{'gt':'1'}}",
	  "/applies_to/estimated_tokens/gt: expected a number" },
	{ "{'user_id':{'gt':1,'lte':2}}",
	  "/applies_to/user_id/gt: is for numbers, user_id is none\n"
	  "/applies_to/user_id/lte: is for numbers" },
	{ "{'dev_flag':{'lt':1}}", "/applies_to/dev_flag/lt: is for numbers" },
	{ "{'user_id':{'exists':true}}", "" },
	{ "{'user_id':{'exists':1}}",
	  "/applies_to/user_id/exists: expected true or false" },
	{ "{'user_id':{'not':'a'}}",
	  "/applies_to/user_id/not: expected an array" },
	{ "{'user_id':{'not':[]}}", "/applies_to/user_id/not: empty list" },
	/* what can never hold, alone */
	{ "{'estimated_tokens':{'gt':100,'lt':50}}",
	  "/applies_to/estimated_tokens: can never hold" },
	{ "{'estimated_tokens':{'gt':50,'lt':50}}",
	  "/applies_to/estimated_tokens: can never hold" },
	{ "{'estimated_tokens':{'gte':50,'lt':50}}",
	  "/applies_to/estimated_tokens: can never hold" },
	{ "{'estimated_tokens':{'gt':50,'lt':51}}",
	  "/applies_to/estimated_tokens: can never hold" },
	{ "{'estimated_tokens':{'gt':50,'lte':51}}", "" },
	{ "{'estimated_tokens':{'gte':1.5,'lte':1.7}}",
	  "/applies_to/estimated_tokens: can never hold" },
	{ "{'estimated_tokens':{'lt':0}}",
	  "/applies_to/estimated_tokens: can never hold" },
	{ "{'estimated_tokens':{'lte':0}}", "" },
	{ "{'estimated_cost':{'lt':0}}",
	  "/applies_to/estimated_cost: can never hold" },
	{ "{'estimated_cost':{'gt':0.1,'lt':0.2}}", "" },
	{ "{'temperature':{'lt':0}}", "" },
	{ "{'tags.n':{'gt':0.1,'lt':0.1}}", "/applies_to/tags.n: can never" },
	{ "{'tags.n':{'gte':0.1,'lte':0.1}}", "" },
	{ "{'tags.n':{'gt':1,'gte':2,'lt':2.5,'lte':2}}", "" },
	{ "{'tags.n':{'gt':2,'gte':2,'lte':2}}",
	  "/applies_to/tags.n: can never hold" },
	{ "{'tags.n':{'gte':2,'lt':2,'lte':2}}",
	  "/applies_to/tags.n: can never hold" },
	{ "{'user_id':{'not':['a','*']}}",
	  "/applies_to/user_id: can never hold" },
	{ "{'user_id':{'not':['**']}}", "/applies_to/user_id: can never" },
	{ "{'dev_flag':{'not':[true,false]}}",
	  "/applies_to/dev_flag: can never hold" },
	{ "{'dev_flag':{'not':[true]}}", "" },
	/* together in one field */
	{ "{'user_id':{'exists':false,'not':['a']}}",
	  "/applies_to/user_id: another test" },
	{ "{'user_id':{'exists':true,'not':['a']}}", "" },
	{ "{'prompt_length':{'exists':false,'gt':1}}",
	  "/applies_to/prompt_length: another test" },
	{ "{'estimated_tokens':{'gt':1,'not':[5]}}", "" },
	/* together with the object around */
	{ "{'user_tier':['free'],'any':[{'user_tier':['pro']}]}",
	  "/applies_to/any/0/user_tier: another test" },
	{ "{'any':[{'user_tier':['pro','free']}],'user_tier':['free']}", "" },
	{ "{'user_tier':['free'],'any':[{'team_id':['a']},"
	  "{'any':[{'user_tier':['Free']}]}]}",
	  "/applies_to/any/1/any/0/user_tier: another test" },
	{ "{'model_id':['GPT-4'],'any':[{'model_id':['gpt-*']}]}", "" },
	{ "{'model_id':['gpt-*'],'any':[{'model_id':['GPT-4']}]}", "" },
	{ "{'model_id':['gpt-*'],'any':[{'model_id':['*-4']}]}", "" },
	{ "{'model_id':['gpt-*'],'any':[{'model_id':['o1']}]}",
	  "/applies_to/any/0/model_id: another test" },
	{ "{'model_id':['gpt-4'],'any':[{'model_id':{'not':['gpt-*']}}]}",
	  "/applies_to/any/0/model_id: another test" },
	{ "{'model_id':{'not':['gpt-*']},'any':[{'model_id':['gpt-4*']}]}",
	  "/applies_to/any/0/model_id: another test" },
	{ "{'model_id':{'not':['gpt-4']},'any':[{'model_id':['gpt-4*']}]}",
	  "" },
	{ "{'model_id':{'not':['a']},'any':[{'model_id':{'not':['b']}}]}", "" },
	{ "{'estimated_tokens':{'lt':5},'any':[{'estimated_tokens':[5,4]}]}",
	  "" },
	{ "{'estimated_tokens':{'lt':5},'any':[{'estimated_tokens':[5,6]}]}",
	  "/applies_to/any/0/estimated_tokens: another test" },
	{ "{'estimated_tokens':[7],'any':[{'estimated_tokens':{'gte':7}},"
	  "{'estimated_tokens':{'gt':7}}]}",
	  "/applies_to/any/1/estimated_tokens: another test" },
	{ "{'estimated_tokens':[7],'any':[{'estimated_tokens':[8]},"
	  "{'estimated_tokens':[7]},{'estimated_tokens':{'not':[7]}}]}",
	  "/applies_to/any/0/estimated_tokens: another test\n"
	  "/applies_to/any/2/estimated_tokens: another test" },
	{ "{'estimated_tokens':{'lt':5},'any':[{'estimated_tokens':{'gt':4}},"
	  "{'estimated_tokens':{'gt':3}},{'estimated_tokens':{'lt':3}},"
	  "{'estimated_tokens':{'gte':9,'lt':20}}]}",
	  "/applies_to/any/0/estimated_tokens: another test\n"
	  "/applies_to/any/3/estimated_tokens: another test" },
	{ "{'dev_flag':[true],'any':[{'dev_flag':[false]},"
	  "{'dev_flag':{'not':[false]}}]}",
	  "/applies_to/any/0/dev_flag: another test" },
	{ "{'tags.a':['x'],'any':[{'tags.a':[1]},{'tags.b':[1]},"
	  "{'tags.a':{'gt':1}},{'tags.a':{'exists':false}}]}",
	  "/applies_to/any/0/tags.a: another test\n"
	  "/applies_to/any/2/tags.a: another test\n"
	  "/applies_to/any/3/tags.a: another test" },
	{ "{'tags.a':{'exists':false},'any':[{'tags.a':{'exists':false}}]}",
	  "" },
	{ "{'tags.a':{'exists':true},'any':[{'tags.a':{'exists':false}}]}",
	  "/applies_to/any/0/tags.a: another test" },
	/* a wrong value is not also called impossible; the next field is */
	{ "{'user_tier':[1],'any':[{'user_tier':['a']}],"
	  "'prompt_length':{'lt':0}}",
	  "/applies_to/user_tier/0: expected a string\n"
	  "/applies_to/prompt_length: can never hold" },
	/* any */
	{ "{'any':[]}", "/applies_to/any: empty list" },
	{ "{'any':{}}", "/applies_to/any: expected an array" },
	{ "{'any':[{}]}", "/applies_to/any/0: empty branch" },
	{ "{'any':[1,{'user_id':['a']}]}",
	  "/applies_to/any/0: expected an object" },
	{ "{'any':[{'user':['a']},{'user_id':[]}]}",
	  "/applies_to/any/0/user: unknown field\n"
	  "/applies_to/any/1/user_id: empty list" },
};

static void
an_applies_to_is_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char policy[2048];

		print_message("case %zu: %s\n", i, cases[i].applies_to);
		(void)snprintf(policy, sizeof(policy),
			       "{'name':'n','priority':1,'category':'cost',"
			       "'constraints':{'max_daily_cost':1},"
			       "'applies_to':%s}",
			       cases[i].applies_to);
		fixture_check_policy(policy, cases[i].want);
	}
}

static void
lists_have_a_longest(void **state)
{
	(void)state;
	for (int n = 1000; n <= 1001; n++) {
		struct buf policy = { 0 };

		buf_adds(&policy, "{'name':'n','priority':1,'category':'cost',"
				  "'constraints':{'max_daily_cost':1},"
				  "'applies_to':{'user_id':['a'");
		for (int i = 1; i < n; i++) {
			buf_adds(&policy, ",'a'");
		}
		buf_adds(&policy, "]}}");
		fixture_check_policy(buf_text(&policy),
				     n == 1000 ? ""
					       : "/applies_to/user_id: too "
						 "many");
		buf_fini(&policy);
	}
}

/* One compiled condition, read back. */
struct compiled {
	struct arena *arena;
	struct json_doc *doc;
	struct json root;
	const struct condition *condition;
};

static struct compiled
compile(const char *quoted, const struct catalogue *catalogue)
{
	struct compiled c = { .arena = arena_new(0),
			      .doc = fixture_doc(quoted) };
	struct reading r = { .arena = c.arena, .catalogue = catalogue };

	c.root = json_root(c.doc);
	c.condition = source_condition(&r, &c.root);
	assert_false(r.bad);
	return c;
}

static void
end(struct compiled *c)
{
	json_doc_free(c->doc);
	arena_free(c->arena);
}

static void
nothing_is_every_context(void **state)
{
	(void)state;
	struct compiled c = compile("{}", NULL);

	assert_null(c.condition);
	assert_false(source_condition_by_model(c.condition));
	end(&c);
}

static void
one_test_stands_alone(void **state)
{
	(void)state;
	struct compiled c = compile("{'model_id':['GPT-4','O1*']}", NULL);

	assert_int_equal(c.condition->op, CONDITION_IN);
	assert_int_equal(c.condition->fact, FACT_model_id);
	assert_int_equal(c.condition->values_n, 2);
	assert_string_equal(c.condition->values[0].value.text, "gpt-4");
	assert_false(c.condition->values[0].glob);
	assert_string_equal(c.condition->values[1].value.text, "o1*");
	assert_true(c.condition->values[1].glob);
	assert_true(source_condition_by_model(c.condition));
	end(&c);
	c = compile("{'user_id':['Ann']}", NULL); /* not folded */
	assert_string_equal(c.condition->values[0].value.text, "Ann");
	end(&c);
	c = compile("{'tags.Team':['Red',2,true]}", NULL);
	assert_int_equal(c.condition->fact, FACT_N);
	assert_string_equal(c.condition->tag, "Team");
	assert_string_equal(c.condition->values[0].value.text, "Red");
	assert_true(fabs(c.condition->values[1].value.ratio - 2) < 1e-9);
	assert_int_equal(c.condition->values[1].type, FACT_TYPE_RATIO);
	assert_int_equal(c.condition->values[2].type, FACT_TYPE_FLAG);
	assert_true(c.condition->values[2].value.flag);
	end(&c);
}

static void
operators_make_a_test_each(void **state)
{
	(void)state;
	struct compiled c = compile(
	    "{'estimated_tokens':{'gt':5,'lte':9,'not':[7],'exists':true}}",
	    NULL);
	const struct condition *tests = c.condition->children;

	assert_int_equal(c.condition->op, CONDITION_AND);
	assert_int_equal(c.condition->children_n, 3);
	assert_int_equal(tests[0].op, CONDITION_RANGE);
	assert_true(fabs(tests[0].low - 5) < 1e-9 && tests[0].low_open);
	assert_true(fabs(tests[0].high - 9) < 1e-9 && !tests[0].high_open);
	assert_int_equal(tests[1].op, CONDITION_NOT_IN);
	assert_int_equal(tests[2].op, CONDITION_EXISTS);
	assert_true(tests[2].wanted);
	end(&c);
	c = compile("{'estimated_cost':{'gte':0.5}}", NULL);
	assert_int_equal(c.condition->op, CONDITION_RANGE);
	assert_true(fabs(c.condition->low - 0.5) < 1e-9);
	assert_false(c.condition->low_open);
	assert_true(isinf(c.condition->high));
	end(&c);
}

static void
any_is_an_or_beside_the_rest(void **state)
{
	(void)state;
	struct compiled c = compile("{'any':[{'user_id':['a']},{'team_id':"
				    "['b'],'environment':['c']}],"
				    "'session_id':['d']}",
				    NULL);

	assert_int_equal(c.condition->op, CONDITION_AND);
	assert_int_equal(c.condition->children_n, 2);
	assert_int_equal(c.condition->children[0].op, CONDITION_IN);
	const struct condition *any = &c.condition->children[1];
	assert_int_equal(any->op, CONDITION_OR);
	assert_int_equal(any->children_n, 2);
	assert_int_equal(any->children[0].op, CONDITION_IN);
	assert_int_equal(any->children[1].op, CONDITION_AND);
	assert_false(source_condition_by_model(c.condition));
	end(&c);
}

static void
names_go_through_the_aliases(void **state)
{
	(void)state;
	static const struct alias vendors[] = { { "vertex_ai", "google" } };
	static const struct region regions[] = { { "us-east", "us" } };
	static const struct alias aliases[] = { { "eastus", "us-east" } };
	static const struct catalogue catalogue = {
		.regions = regions,
		.regions_n = 1,
		.vendor_aliases = vendors,
		.vendor_aliases_n = 1,
		.region_aliases = aliases,
		.region_aliases_n = 1,
	};
	struct compiled c =
	    compile("{'vendor_id':['Vertex_AI','x','vertex*']}", &catalogue);

	assert_string_equal(c.condition->values[0].value.text, "google");
	assert_string_equal(c.condition->values[1].value.text, "x");
	assert_string_equal(c.condition->values[2].value.text, "vertex*");
	end(&c);
	c = compile("{'region':['EastUS','mars']}", &catalogue);
	assert_string_equal(c.condition->values[0].value.text, "us-east");
	assert_string_equal(c.condition->values[1].value.text, "mars");
	end(&c);
	c = compile("{'model_id':['EastUS']}", &catalogue);
	assert_string_equal(c.condition->values[0].value.text, "eastus");
	end(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_applies_to_is_taken_or_refused),
		cmocka_unit_test(lists_have_a_longest),
		cmocka_unit_test(nothing_is_every_context),
		cmocka_unit_test(one_test_stands_alone),
		cmocka_unit_test(operators_make_a_test_each),
		cmocka_unit_test(any_is_an_or_beside_the_rest),
		cmocka_unit_test(names_go_through_the_aliases),
	};
	return cmocka_run_group_tests_name("source_condition", tests, NULL,
					   NULL);
}
