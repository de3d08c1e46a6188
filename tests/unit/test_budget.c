#include "core/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define USD INT64_C(1000000000)
#define DAY_US INT64_C(86400000000)
/* 2026-11-23T12:00:00Z, a Monday */
#define NOON_US INT64_C(1795435200000000)
#define MIDNIGHT_US (NOON_US - DAY_US / 2)

static const struct zone_change berlin_changes[] = { { 0, 3600 } };
static const struct zone berlin = { berlin_changes, 1 };

static const struct constraint costs[] = {
	{ .key = CONSTRAINT_max_daily_cost, .number = 5 * USD },
	{ .key = CONSTRAINT_max_monthly_cost, .number = 100 * USD },
	{ .key = CONSTRAINT_alert_threshold, .number = 80 * USD },
	{ .key = CONSTRAINT_reset_hour_utc, .number = 6 },
};
static const struct constraint rates[] = {
	{ .key = CONSTRAINT_max_requests_per_minute, .number = 5 },
};
static const struct constraint tokens[] = {
	{ .key = CONSTRAINT_max_daily_tokens, .number = 1000 },
};

/* Rows by key, then subject. */
static const struct subject_limit limits[] = {
	{ CONSTRAINT_max_daily_cost, "ann", 9 * USD, INT64_MAX },
	{ CONSTRAINT_max_daily_cost, "bob", 7 * USD, NOON_US },
	{ CONSTRAINT_alert_threshold, "ann", 90 * USD, INT64_MAX },
};

static int
by_key(const void *a, const void *b)
{
	const struct constraint *x = a, *y = b;

	return (int)x->key - (int)y->key;
}

static struct policy policies[3];
static struct constraint sorted[4];
static const struct policy_set set = { .policies = policies, .policies_n = 3 };

static int
make_policies(void **state)
{
	(void)state;
	memcpy(sorted, costs, sizeof(sorted));
	qsort(sorted, 4, sizeof(sorted[0]), by_key);
	policies[0] = (struct policy){ .scope = SCOPE_USER,
				       .constraints = sorted,
				       .constraints_n = 4,
				       .limits = limits,
				       .limits_n = 3 };
	policies[1] =
	    (struct policy){ .constraints = rates, .constraints_n = 1 };
	policies[2] = (struct policy){ .scope = SCOPE_GLOBAL,
				       .constraints = tokens,
				       .constraints_n = 1,
				       .zone = &berlin };
	return 0;
}

static void
list_has_every_budget_in_its_window(void **state)
{
	struct arena *arena = arena_new(1024);
	struct budget *list = NULL;

	(void)state;
	assert_int_equal(budget_list(&set, NOON_US, arena, &list), 3);
	assert_ptr_equal(list[0].policy, &policies[0]);
	assert_int_equal(list[0].constraint->key, CONSTRAINT_max_daily_cost);
	assert_int_equal(list[0].window.from_us,
			 MIDNIGHT_US + DAY_US / 4); /* reset_hour_utc */
	assert_int_equal(list[0].window.to_us,
			 MIDNIGHT_US + DAY_US / 4 + DAY_US);
	assert_int_equal(list[1].constraint->key, CONSTRAINT_max_monthly_cost);
	assert_int_equal(list[1].row->window, WINDOW_MONTH);
	assert_ptr_equal(list[2].policy, &policies[2]);
	assert_int_equal(list[2].window.from_us,
			 MIDNIGHT_US - DAY_US / 24); /* of Berlin */
	arena_free(arena);
}

static void
charge_has_the_subject_s_own_limit(void **state)
{
	static const struct {
		size_t budget;
		const char *subject;
		int64_t limit, alert_at;
	} rows[] = {
		{ 0, "ann", 9 * USD, INT64_MAX },
		{ 0, "bob", 5 * USD, INT64_MAX }, /* until now */
		{ 0, "carl", 5 * USD, INT64_MAX },
		{ 1, "ann", 100 * USD, 90 * USD },
		{ 1, "bob", 100 * USD, 80 * USD },
		{ 2, "global", 1000, INT64_MAX },
	};
	struct arena *arena = arena_new(1024);
	struct budget *list = NULL;

	(void)state;
	(void)budget_list(&set, NOON_US, arena, &list);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct charge charge = budget_charge(&list[rows[i].budget],
						     rows[i].subject, NOON_US);

		print_message("%zu %s\n", rows[i].budget, rows[i].subject);
		assert_int_equal(charge.limit, rows[i].limit);
		assert_int_equal(charge.alert_at, rows[i].alert_at);
		assert_int_equal(charge.amount, 0);
		assert_string_equal(charge.subject, rows[i].subject);
		assert_int_equal(charge.window.from_us,
				 list[rows[i].budget].window.from_us);
	}
	struct charge before = budget_charge(&list[0], "bob", NOON_US - 1);
	assert_int_equal(before.limit, 7 * USD);
	arena_free(arena);
}

/* A limit of 100 with an alert at 80, in a window of 1000 from 0 on. */
static const struct {
	int64_t used, now, limit;
	int64_t remaining, projected; /* -1: not told */
	enum budget_state state;
} standings[] = {
	{ 0, 500, 100, 100, 0, BUDGET_OK },
	{ 50, 500, 100, 50, 100, BUDGET_OK },
	{ 79, 999, 100, 21, 79, BUDGET_OK },
	{ 80, 1000, 100, 20, 80, BUDGET_ALERT },
	{ 99, 250, 100, 1, 396, BUDGET_ALERT },
	{ 100, 500, 100, 0, 200, BUDGET_EXCEEDED },
	{ 120, 500, 100, 0, 240, BUDGET_EXCEEDED },
	{ 1, 9, 100, 99, -1, BUDGET_OK },
	{ 1, 10, 100, 99, 100, BUDGET_OK },
	{ 1, 0, 100, 99, -1, BUDGET_OK },
	{ 1, -5, 100, 99, -1, BUDGET_OK },
	{ 0, 500, 0, 0, 0, BUDGET_EXCEEDED },
	{ INT64_MAX, 500, 100, 0, INT64_MAX, BUDGET_EXCEEDED },
	{ 1000000000000000001, 1000, 100, 0, 1000000000000000001,
	  BUDGET_EXCEEDED },
};

static void
standing_of_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(standings) / sizeof(standings[0]); i++) {
		const struct charge charge = { .limit = standings[i].limit,
					       .alert_at = 80,
					       .window = { 0, 1000 } };
		struct budget_standing s = budget_standing(
		    &charge, standings[i].used, standings[i].now);

		print_message("%zu\n", i);
		assert_int_equal(s.remaining, standings[i].remaining);
		assert_int_equal(s.state, standings[i].state);
		assert_int_equal(s.has_projected, standings[i].projected >= 0);
		if (s.has_projected) {
			assert_int_equal(s.projected, standings[i].projected);
		}
		assert_int_equal(s.has_share, standings[i].limit > 0);
		assert_true(!s.has_share ||
			    s.share == (double)standings[i].used / 100);
	}
	assert_string_equal(budget_state_words[BUDGET_EXCEEDED], "exceeded");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_has_every_budget_in_its_window),
		cmocka_unit_test(charge_has_the_subject_s_own_limit),
		cmocka_unit_test(standing_of_each),
	};

	return cmocka_run_group_tests(tests, make_policies, NULL);
}
