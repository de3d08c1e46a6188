#include "core/check.h"

#include "core_fixture.h"

static const struct fixture_row rows[] = {
	{ "model_id=big prompt_length=100",
	  "allow",
	  { "block behavioral 85 max_prompt_length=100" } },
	{ "model_id=big prompt_length=101",
	  "block a!prompt_too_long",
	  { "block behavioral 85 max_prompt_length=100" } },
	{ "model_id=big prompt_length=80",
	  "allow a~prompt_near_limit",
	  { "block behavioral 85 max_prompt_length=100 warn_threshold=80" } },
	{ "model_id=big prompt_length=79",
	  "allow",
	  { "block behavioral 85 max_prompt_length=100 warn_threshold=80" } },
	{ "model_id=big",
	  "allow",
	  { "block behavioral 85 max_prompt_length=0 warn_threshold=0" } },
	/* tokens: given, else computed; they have no threshold */
	{ "model_id=big estimated_tokens=100",
	  "allow",
	  { "block behavioral 85 max_tokens_estimated=100 "
	    "warn_threshold=1" } },
	{ "model_id=big estimated_tokens=101",
	  "block a!too_many_tokens",
	  { "block behavioral 85 max_tokens_estimated=100" } },
	{ "model_id=big prompt_length=400",
	  "allow",
	  { "block behavioral 85 max_tokens_estimated=100" } },
	{ "model_id=big prompt_length=401",
	  "block a!too_many_tokens",
	  { "block behavioral 85 max_tokens_estimated=100" } },
	{ "model_id=big prompt_length=400 max_output_tokens=1",
	  "block a!too_many_tokens",
	  { "block behavioral 85 max_tokens_estimated=100" } },
	/* output that is asked for */
	{ "model_id=big max_output_tokens=4096",
	  "allow a~output_near_limit",
	  { "warn behavioral 60 max_output_tokens=4096 "
	    "warn_threshold=4096" } },
	{ "model_id=big max_output_tokens=4095",
	  "allow",
	  { "warn behavioral 60 max_output_tokens=4096 "
	    "warn_threshold=4096" } },
	{ "model_id=big max_output_tokens=4097",
	  "warn a!output_too_long",
	  { "warn behavioral 60 max_output_tokens=4096" } },
	{ "model_id=big",
	  "allow",
	  { "warn behavioral 60 max_output_tokens=1 warn_threshold=0" } },
	/* all of one policy are told */
	{ "model_id=big prompt_length=900 max_output_tokens=50",
	  "block a!prompt_too_long a!too_many_tokens a!output_too_long",
	  { "block behavioral 85 max_prompt_length=899 "
	    "max_tokens_estimated=274 max_output_tokens=49" } },
};

static void
answers_each_case(void **state)
{
	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
details_say_observed_and_limit(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block behavioral 85 max_prompt_length=9 "
		       "warn_threshold=5 max_tokens_estimated=1");
	fixture_context(fx, "model_id=big prompt_length=8");
	fixture_decide(fx, &d);
	assert_int_equal(d.findings.n, 2);
	const struct finding *f = &d.findings.items[0];

	assert_int_equal(fixture_detail(f, "threshold")->value.number, 5);
	assert_int_equal(fixture_detail(f, "observed")->value.number, 8);
	assert_string_equal(fixture_detail(f, "unit")->value.text,
			    "characters");
	f = &d.findings.items[1];
	assert_int_equal(fixture_detail(f, "observed")->value.number, 2);
	assert_int_equal(fixture_detail(f, "limit")->value.number, 1);
	assert_string_equal(fixture_detail(f, "unit")->value.text, "tokens");
	fixture_free(fx);
}

/* Hits come in any order; each policy and key has those that are its own. */
static void
content_is_told_by_policy_and_key(void **state)
{
	static const struct content_hit hits[] = {
		{ 2, CONSTRAINT_blocked_patterns, 0, "/prompt", 5, 6 },
		{ 0, CONSTRAINT_blocked_patterns, 1, "/prompt", 1, 2 },
		{ 0, CONSTRAINT_blocked_keywords, 4, "/prompt", 9, 12 },
		{ 0, CONSTRAINT_blocked_keywords, 3, "/messages/1/content", 7,
		  8 },
		{ 0, CONSTRAINT_blocked_keywords, 3, "/messages/0/content", 2,
		  8 },
		{ 0, CONSTRAINT_blocked_keywords, 3, "/messages/2/content", 2,
		  8 },
	};
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block behavioral 85 blocked_keywords=k "
		       "blocked_patterns=p");
	fixture_policy(fx, "b", "warn behavioral 80 blocked_keywords=k");
	fixture_policy(fx, "c", "warn behavioral 70 blocked_patterns=k");
	fixture_context(fx, "model_id=big prompt_length=9");
	for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++) {
		fx->hits[fx->hits_n++] = hits[i];
	}
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d),
			    "block a!blocked_content a!blocked_content "
			    "c!blocked_content");
	const struct finding *f = &d.findings.items[0];
	const struct content_hit *told =
	    fixture_detail(f, "matches")->value.hits;

	assert_int_equal(f->key, CONSTRAINT_blocked_keywords);
	assert_int_equal(fixture_detail(f, "count")->value.number, 4);
	assert_int_equal(fixture_detail(f, "matches")->n, 4);
	assert_int_equal(told[0].item, 3);
	assert_int_equal(told[3].item, 4);
	assert_int_equal(d.findings.items[1].key, CONSTRAINT_blocked_patterns);
	assert_int_equal(fx->scans, 1);
	fixture_free(fx);
}

static void
a_clean_text_passes(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a", "block behavioral 85 blocked_keywords=k");
	fixture_context(fx, "model_id=big prompt_length=9");
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d), "allow");
	assert_int_equal(fx->scans, 1);
	fixture_context(fx, "model_id=big"); /* no text, nothing to scan */
	fixture_decide(fx, &d);
	assert_string_equal(fixture_answer(fx, &d), "allow");
	assert_int_equal(fx->scans, 1);
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_case),
		cmocka_unit_test(details_say_observed_and_limit),
		cmocka_unit_test(content_is_told_by_policy_and_key),
		cmocka_unit_test(a_clean_text_passes),
	};
	return cmocka_run_group_tests_name("check_behavioral", tests, NULL,
					   NULL);
}
