#include "core/catalogue.h"

#include "base/money.h"
#include "core_fixture.h"

static void
models_are_found(void **state)
{
	static const struct {
		const char *model_id, *vendor_id, *want_vendor;
	} cases[] = {
		{ "big", NULL, "openai" },
		{ "big", "openai", "openai" },
		{ "big", "google", NULL },
		{ "middle", NULL, "google" }, /* the first by name */
		{ "middle", "openai", "openai" },
		{ "middle", "azure", NULL },
		{ "tierless", NULL, "openai" }, /* the last of all */
		{ "a", NULL, NULL },
		{ "zz", NULL, NULL },
		{ "middl", NULL, NULL },
	};
	struct fixture *fx = fixture_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct model *m = catalogue_model(
		    &fx->catalogue, cases[i].model_id, cases[i].vendor_id);

		if (cases[i].want_vendor == NULL) {
			assert_null(m);
		} else {
			assert_string_equal(m->model_id, cases[i].model_id);
			assert_string_equal(m->vendor_id, cases[i].want_vendor);
		}
	}
	fixture_free(fx);
}

static void
aliases_are_followed(void **state)
{
	struct fixture *fx = fixture_new();
	struct catalogue *all = &fx->catalogue;

	(void)state;
	assert_string_equal(catalogue_vendor(all, "vertex_ai"), "google");
	assert_string_equal(catalogue_vendor(all, "openai"), "openai");
	assert_string_equal(catalogue_region(all, "us-east")->name, "us-east");
	assert_string_equal(catalogue_region(all, "us-east-1")->name,
			    "us-east");
	assert_string_equal(catalogue_region(all, "eastus")->name, "us-east");
	assert_string_equal(catalogue_region(all, "ap-south")->group, "asia");
	assert_string_equal(catalogue_region(all, "us-west")->group, "us");
	assert_null(catalogue_region(all, "atlantis"));
	assert_null(catalogue_region(all, ""));
	all->regions_n = 0; /* an alias that leads nowhere */
	assert_null(catalogue_region(all, "us-east-1"));
	all->vendor_aliases_n = 0;
	assert_string_equal(catalogue_vendor(all, "vertex_ai"), "vertex_ai");
	fixture_free(fx);
}

static void
mean_rounds_up_and_knows_unknown(void **state)
{
	static const struct {
		int64_t in, out, want;
	} cases[] = {
		{ 75000000, 300000000, 187500000 },
		{ 1, 2, 2 },
		{ 0, 0, 0 },
		{ INT64_MAX, INT64_MAX, INT64_MAX / 2 + 1 },
		{ MONEY_UNKNOWN, 2, MONEY_UNKNOWN },
		{ 2, MONEY_UNKNOWN, MONEY_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model m = { .input_per_mil = cases[i].in,
				   .output_per_mil = cases[i].out };

		assert_int_equal(model_mean_per_mil(&m), cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_are_found),
		cmocka_unit_test(aliases_are_followed),
		cmocka_unit_test(mean_rounds_up_and_knows_unknown),
	};
	return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
