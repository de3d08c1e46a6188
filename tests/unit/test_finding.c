#include "core/finding.h"

#include <string.h>

#include "core_fixture.h"

static void
action_is_by_kind_and_on_error(void **state)
{
	static const struct {
		enum finding_kind kind;
		enum on_error on_error;
		const char *excused;
		enum action action;
		bool fail_closed, enforced, counts;
	} cases[] = {
		{ FINDING_VIOLATION, ON_ERROR_ALLOW, NULL, ACTION_DEGRADE,
		  false, true, true },
		{ FINDING_VIOLATION, ON_ERROR_ALLOW, "shadow", ACTION_DEGRADE,
		  false, false, false },
		{ FINDING_WARNING, ON_ERROR_BLOCK, NULL, ACTION_ALLOW, true,
		  false, false },
		{ FINDING_UNKNOWN, ON_ERROR_BLOCK, NULL, ACTION_BLOCK, false,
		  true, true },
		{ FINDING_UNKNOWN, ON_ERROR_BLOCK, "bypass", ACTION_BLOCK,
		  false, false, false },
		{ FINDING_UNKNOWN, ON_ERROR_ALLOW, NULL, ACTION_ALLOW, true,
		  true, false },
		{ FINDING_UNKNOWN, ON_ERROR_DEFAULT, NULL, ACTION_BLOCK, true,
		  true, true },
		{ FINDING_UNKNOWN, ON_ERROR_DEFAULT, NULL, ACTION_ALLOW, false,
		  true, false },
	};
	struct fixture *fx = fixture_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct policy p = { .action = ACTION_DEGRADE,
					  .on_error = cases[i].on_error };
		struct finding_of of = { &p, CONSTRAINT_N, cases[i].excused,
					 cases[i].fail_closed };
		struct findings out = { 0 };
		struct finding *f =
		    finding_add(&out, fx->arena, &of, cases[i].kind, "t", "m");

		assert_int_equal(f->action, cases[i].action);
		assert_int_equal(f->enforced, cases[i].enforced);
		assert_int_equal(finding_counts(f), cases[i].counts);
		assert_ptr_equal(f->excused, cases[i].excused);
	}
	fixture_free(fx);
}

static void
details_are_kept(void **state)
{
	static const char *const texts[] = { "a", "b" };
	static const struct content_hit hit = { .item = 7 };
	const struct model *model = NULL;
	struct finding f = { 0 };

	(void)state;
	finding_text(&f, "text", "t");
	finding_count(&f, "count", -3);
	finding_money(&f, "money", 5);
	finding_flag(&f, "flag", true);
	finding_texts(&f, "texts", texts, 2);
	finding_models(&f, "models", &model, 1);
	finding_hits(&f, "hits", &hit, 1);
	assert_int_equal(f.details_n, 7);
	assert_string_equal(fixture_detail(&f, "text")->value.text, "t");
	assert_int_equal(fixture_detail(&f, "count")->value.number, -3);
	assert_int_equal(fixture_detail(&f, "money")->type, DETAIL_MONEY);
	assert_true(fixture_detail(&f, "flag")->value.flag);
	assert_int_equal(fixture_detail(&f, "texts")->n, 2);
	assert_ptr_equal(fixture_detail(&f, "models")->value.models, &model);
	assert_int_equal(fixture_detail(&f, "hits")->value.hits->item, 7);
	assert_null(fixture_detail(&f, "none"));
}

/* Many, from the last policy to the first: growth and order in one. */
static void
findings_are_sorted_and_stable(void **state)
{
	enum { N = 100, ALL = 3 * N };
	struct fixture *fx = fixture_new();
	struct policy policies[N];
	struct findings out = { 0 };
	struct finding_of nobody = { .key = CONSTRAINT_N };

	(void)state;
	findings_sort(&out, fx->arena);
	assert_int_equal(out.n, 0);
	finding_add(&out, fx->arena, &nobody, FINDING_WARNING, "last", "m");
	findings_sort(&out, fx->arena);
	for (size_t i = N; i-- > 0;) {
		policies[i] = (struct policy){ .index = (uint32_t)i };
		struct finding_of of = { &policies[i], CONSTRAINT_N, NULL,
					 false };

		finding_add(&out, fx->arena, &of, FINDING_WARNING, "3", "m");
		of.key = CONSTRAINT_max_cost_per_request;
		finding_add(&out, fx->arena, &of, FINDING_WARNING, "1", "m");
		finding_add(&out, fx->arena, &of, FINDING_WARNING, "2", "m");
	}
	findings_sort(&out, fx->arena);
	assert_int_equal(out.n, ALL + 1);
	for (size_t i = 0; i < ALL; i++) {
		assert_ptr_equal(out.items[i].policy, &policies[i / 3]);
		assert_int_equal(out.items[i].type[0], '1' + i % 3);
	}
	assert_string_equal(out.items[ALL].type, "last");
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(action_is_by_kind_and_on_error),
		cmocka_unit_test(details_are_kept),
		cmocka_unit_test(findings_are_sorted_and_stable),
	};
	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
