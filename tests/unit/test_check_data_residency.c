#include "core/check.h"

#include "core_fixture.h"

/* big: us-east; little: eu-west; middle of google: both; of openai: global;
 * nomax: unknown. */
static const struct fixture_row rows[] = {
	/* a list holds regions, groups, vendors' names and globs */
	{ "model_id=big",
	  "allow",
	  { "block data_residency 70 allowed_regions=us-east" } },
	{ "model_id=big",
	  "allow",
	  { "block data_residency 70 allowed_regions=eu,us" } },
	{ "model_id=big",
	  "allow",
	  { "block data_residency 70 allowed_regions=us-east-1" } },
	{ "model_id=big",
	  "allow",
	  { "block data_residency 70 allowed_regions=eastus" } },
	{ "model_id=big",
	  "allow",
	  { "block data_residency 70 allowed_regions=us-*" } },
	{ "model_id=big",
	  "block a!region_not_allowed",
	  { "block data_residency 70 allowed_regions=us-west,eu,nowhere" } },
	{ "model_id=big",
	  "allow",
	  { "block data_residency 70 "
	    "allowed_regions=" } },
	/* a region that is named counts, not the model's */
	{ "model_id=big region=eu-west",
	  "block a!region_not_allowed",
	  { "block data_residency 70 allowed_regions=us" } },
	{ "model_id=little region=us-east-1",
	  "allow",
	  { "block data_residency 70 allowed_regions=us" } },
	{ "model_id=little region=atlantis",
	  "block a!region_unknown",
	  { "block data_residency 70 allowed_regions=us" } },
	{ "model_id=little region=global",
	  "block a!region_unknown",
	  { "block data_residency 70 allowed_regions=us,global,other" } },
	/* several possible regions */
	{ "model_id=middle vendor_id=google",
	  "block a!region_unknown",
	  { "block data_residency 70 allowed_regions=us" } },
	{ "model_id=middle vendor_id=google",
	  "allow",
	  { "block data_residency 70 allowed_regions=us,eu" } },
	{ "model_id=middle vendor_id=google",
	  "block a!region_not_allowed",
	  { "block data_residency 70 allowed_regions=asia" } },
	{ "model_id=middle vendor_id=openai",
	  "block a!region_unknown",
	  { "block data_residency 70 allowed_regions=us" } },
	{ "model_id=nomax",
	  "block a!region_unknown",
	  { "block data_residency 70 allowed_regions=us" } },
	{ "model_id=none",
	  "block a!region_unknown",
	  { "block data_residency 70 allowed_regions=us" } },
	/* unless an unknown one may pass */
	{ "model_id=none",
	  "allow a~region_unknown",
	  { "block data_residency 70 allowed_regions=us "
	    "allow_unknown_region=1" } },
	{ "model_id=middle vendor_id=openai",
	  "allow a~region_unknown",
	  { "block data_residency 70 allowed_regions=us "
	    "allow_unknown_region=1" } },
	{ "model_id=big",
	  "block a!region_not_allowed",
	  { "block data_residency 70 allowed_regions=eu "
	    "allow_unknown_region=1" } },
	/* blocked: one that may be is enough, and it wins */
	{ "model_id=big",
	  "block a!region_blocked",
	  { "block data_residency 70 blocked_regions=eu,us" } },
	{ "model_id=big",
	  "allow",
	  { "block data_residency 70 blocked_regions=eu,asia" } },
	{ "model_id=middle vendor_id=google",
	  "block a!region_blocked",
	  { "block data_residency 70 blocked_regions=europe-west4" } },
	{ "model_id=big",
	  "block a!region_blocked",
	  { "block data_residency 70 allowed_regions=us "
	    "blocked_regions=us-east" } },
	{ "model_id=big",
	  "block a!region_blocked",
	  { "block data_residency 70 allowed_regions=eu "
	    "blocked_regions=us-east" } },
	/* a region that is not known may be a blocked one */
	{ "model_id=none",
	  "allow a?region_unknown",
	  { "block data_residency 70 blocked_regions=eu" } },
	{ "model_id=middle vendor_id=openai",
	  "block a?region_unknown",
	  { "warn data_residency 70 blocked_regions=eu @on_error=block" } },
	{ "model_id=none",
	  "allow",
	  { "block data_residency 70 blocked_regions=eu "
	    "allow_unknown_region=1" } },
	{ "model_id=none",
	  "block a!region_unknown",
	  { "block data_residency 70 blocked_regions=eu "
	    "allowed_regions=us" } },
	{ "model_id=none",
	  "allow a?region_unknown",
	  { "block data_residency 70 blocked_regions=eu "
	    "allowed_regions=" } },
	{ "model_id=none",
	  "allow",
	  { "block data_residency 70 "
	    "blocked_regions=" } },
};

static void
answers_each_case(void **state)
{
	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
details_say_what_was_observed(void **state)
{
	static const struct {
		const char *context, *one;
		size_t n;
	} cases[] = {
		{ "model_id=big", "us-east", 0 },
		{ "model_id=big region=atlantis", "atlantis", 0 },
		{ "model_id=middle vendor_id=google", NULL, 2 },
		{ "model_id=none", NULL, 0 },
	};
	struct fixture *fx = fixture_new();

	(void)state;
	fixture_policy(fx, "a", "block data_residency 70 allowed_regions=asia");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decision d;

		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		const struct detail *seen =
		    fixture_detail(&d.findings.items[0], "observed");

		if (cases[i].one != NULL) {
			assert_int_equal(seen->type, DETAIL_TEXT);
			assert_string_equal(seen->value.text, cases[i].one);
		} else {
			assert_int_equal(seen->type, DETAIL_TEXTS);
			assert_int_equal(seen->n, cases[i].n);
		}
	}
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_case),
		cmocka_unit_test(details_say_what_was_observed),
	};
	return cmocka_run_group_tests_name("check_data_residency", tests, NULL,
					   NULL);
}
