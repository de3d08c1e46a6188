#include "core/policy.h"

#include <string.h>

#include "core/decision.h"
#include "core_fixture.h"

static void
words_are_as_many_as_values(void **state)
{
	static const struct {
		const char *const *words;
		int n;
		int at;
		const char *word;
	} cases[] = {
		{ category_words, CATEGORY_N, CATEGORY_DATA_RESIDENCY,
		  "data_residency" },
		{ stage_words, STAGE_N, STAGE_POST_EXECUTION,
		  "post_execution" },
		{ action_words, ACTION_N, ACTION_DEGRADE, "degrade" },
		{ mode_words, 2, MODE_SHADOW, "shadow" },
		{ on_error_words, 3, ON_ERROR_BLOCK, "block" },
		{ severity_words, 4, SEVERITY_CRITICAL, "critical" },
		{ scope_words, SCOPE_N, SCOPE_API_KEY, "api_key" },
		{ unknown_price_words, 3, 1, "estimate" },
		{ pii_action_words, 3, 2, "alert_and_redact" },
		{ execution_words, 5, EXECUTION_SKIPPED, "skipped" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int w = 0; w < cases[i].n; w++) {
			assert_non_null(cases[i].words[w]);
		}
		assert_string_equal(cases[i].words[cases[i].at], cases[i].word);
		if (cases[i].words != execution_words) {
			assert_null(cases[i].words[cases[i].n]);
		}
	}
}

static void
rows_are_the_table(void **state)
{
	(void)state;
	for (enum constraint_key key = 0; key < CONSTRAINT_N; key++) {
		const struct constraint_row *row = constraint_row(key);

		assert_int_equal(constraint_find(row->key), key);
		assert_true(row->stages != 0 && row->stages < 1 << STAGE_N);
	}
	assert_int_equal(constraint_find("max_daily_costs"), CONSTRAINT_N);
	const struct constraint_row *row =
	    constraint_row(CONSTRAINT_max_output_tokens);

	assert_int_equal(row->category, CATEGORY_BEHAVIORAL);
	assert_int_equal(row->stages,
			 1 << STAGE_PRE_FLIGHT | 1 << STAGE_POST_EXECUTION);
	assert_int_equal(row->type, CONSTRAINT_TYPE_COUNT);
	assert_int_equal(row->by, CONSTRAINT_BY_FIXED);
	assert_string_equal(row->check, "output_tokens");
	assert_true(strlen(row->doc) > 0);
}

static void
severity_and_default_action_by_priority(void **state)
{
	static const struct {
		int priority;
		enum severity severity;
		enum action cost, other;
	} cases[] = {
		{ 100, SEVERITY_CRITICAL, ACTION_BLOCK, ACTION_BLOCK },
		{ 90, SEVERITY_CRITICAL, ACTION_BLOCK, ACTION_BLOCK },
		{ 89, SEVERITY_HIGH, ACTION_DEGRADE, ACTION_BLOCK },
		{ 70, SEVERITY_HIGH, ACTION_DEGRADE, ACTION_BLOCK },
		{ 69, SEVERITY_MEDIUM, ACTION_WARN, ACTION_WARN },
		{ 40, SEVERITY_MEDIUM, ACTION_WARN, ACTION_WARN },
		{ 39, SEVERITY_LOW, ACTION_LOG, ACTION_LOG },
		{ 0, SEVERITY_LOW, ACTION_LOG, ACTION_LOG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int priority = cases[i].priority;

		assert_int_equal(severity_of(priority), cases[i].severity);
		assert_int_equal(action_default(priority, CATEGORY_COST),
				 cases[i].cost);
		assert_int_equal(action_default(priority, CATEGORY_VENDOR),
				 cases[i].other);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_as_many_as_values),
		cmocka_unit_test(rows_are_the_table),
		cmocka_unit_test(severity_and_default_action_by_priority),
	};
	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
