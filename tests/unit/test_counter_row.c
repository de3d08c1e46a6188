#include "core/counter.h"

#include <string.h>

#include "core_fixture.h"

static void
each_counted_constraint_has_a_row(void **state)
{
	(void)state;
	for (enum constraint_key key = 0; key < CONSTRAINT_N; key++) {
		const struct counter_row *row = counter_row(key);
		bool counted =
		    strcmp(constraint_row(key)->check, "counted") == 0;

		assert_int_equal(row != NULL, counted);
		if (row != NULL) {
			assert_int_equal(row->key, key);
			assert_non_null(row->violation);
			assert_non_null(row->message);
		}
	}
}

static void
a_row_says_what_its_key_says(void **state)
{
	static const struct {
		enum constraint_key key;
		enum counter_kind kind;
		const char *unit, *window;
		bool alerts;
	} cases[] = {
		{ CONSTRAINT_max_daily_cost, COUNTER_BUDGET, "USD", "day",
		  false },
		{ CONSTRAINT_max_weekly_cost, COUNTER_BUDGET, "USD", "week",
		  true },
		{ CONSTRAINT_max_monthly_tokens, COUNTER_BUDGET, "tokens",
		  "month", false },
		{ CONSTRAINT_max_requests_per_hour, COUNTER_RATE, "requests",
		  "hour", false },
		{ CONSTRAINT_max_parallel_requests, COUNTER_LEASE, "calls",
		  "open", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct counter_row *row = counter_row(cases[i].key);

		assert_int_equal(row->kind, cases[i].kind);
		assert_string_equal(counter_unit_words[row->unit],
				    cases[i].unit);
		assert_string_equal(window_words[row->window], cases[i].window);
		assert_int_equal(row->alerts, cases[i].alerts);
	}
	assert_null(counter_unit_words[COUNTER_CALLS + 1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_counted_constraint_has_a_row),
		cmocka_unit_test(a_row_says_what_its_key_says),
	};
	return cmocka_run_group_tests_name("counter_row", tests, NULL, NULL);
}
