#include "core/context.h"

#include <string.h>

#include "core_fixture.h"

static void
facts_are_the_table(void **state)
{
	(void)state;
	for (enum fact_id id = 0; id < FACT_N; id++) {
		const char *name = fact_name(id);

		assert_int_equal(fact_find(name, strlen(name)), id);
	}
	assert_string_equal(fact_name(FACT_user_id), "user_id");
	assert_int_equal(fact_type(FACT_dev_flag), FACT_TYPE_FLAG);
	assert_int_equal(fact_type(FACT_estimated_cost), FACT_TYPE_MONEY);
	assert_true(fact_folds(FACT_vendor_id));
	assert_false(fact_folds(FACT_user_id));
	assert_true(fact_from_body(FACT_user_id));
	assert_false(fact_from_body(FACT_prompt_length));
	assert_true(fact_by_model(FACT_region));
	assert_false(fact_by_model(FACT_user_tier));
}

static void
names_are_found_whole(void **state)
{
	(void)state;
	assert_int_equal(fact_find("user_idx", 7), FACT_user_id);
	assert_int_equal(fact_find("user_i", 6), FACT_N);
	assert_int_equal(fact_find("user_ix", 7), FACT_N);
	assert_int_equal(fact_find("", 0), FACT_N);
}

static void
sources_have_names(void **state)
{
	static const struct {
		enum fact_source source;
		const char *name;
	} cases[] = {
		{ SOURCE_MISSING, "missing" },
		{ SOURCE_KEY, "key" },
		{ SOURCE_DIRECTORY, "directory" },
		{ SOURCE_BODY, "body" },
		{ SOURCE_HEADER, "header" },
		{ SOURCE_CATALOGUE, "catalogue" },
		{ SOURCE_DEFAULT, "default" },
		{ SOURCE_COMPUTED, "computed" },
		{ SOURCE_RESERVATION, "reservation" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(fact_source_name(cases[i].source),
				    cases[i].name);
	}
}

static void
texts_and_tags_are_found(void **state)
{
	struct fixture *fx = fixture_new();

	(void)state;
	fixture_context(fx, "user_id=u tags.b=2 tags.a=1 tags.c=3 tags.d=4");
	assert_string_equal(context_text(&fx->ctx, FACT_user_id), "u");
	assert_null(context_text(&fx->ctx, FACT_team_id));
	assert_string_equal(context_tag(&fx->ctx, "a")->value.text, "1");
	assert_string_equal(context_tag(&fx->ctx, "d")->value.text, "4");
	assert_null(context_tag(&fx->ctx, "e"));
	assert_null(context_tag(&fx->ctx, "0"));
	fixture_context(fx, "user_id=u");
	assert_null(context_tag(&fx->ctx, "a"));
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_are_the_table),
		cmocka_unit_test(names_are_found_whole),
		cmocka_unit_test(sources_have_names),
		cmocka_unit_test(texts_and_tags_are_found),
	};
	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
