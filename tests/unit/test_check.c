#include "core/check.h"

#include "core_fixture.h"

static const struct fixture_row rows[] = {
	/* what is not built says so, once a policy, and on_error decides */
	{ "model_id=big",
	  "allow a?not_evaluated",
	  { "block compliance 95 scan_for_pii=1 min_confidence=0" } },
	{ "model_id=big",
	  "allow a?not_evaluated",
	  { "block compliance 95 scan_for_pii=1 scan_for_secrets=1" } },
	{ "model_id=big",
	  "block a?not_evaluated",
	  { "warn compliance 95 scan_for_pii=1 @on_error=block" } },
	{ "model_id=big",
	  "allow a?not_evaluated/shadow",
	  { "warn compliance 95 scan_for_pii=1 @on_error=block @shadow" } },
	{ "model_id=big",
	  "block a!missing_user_id a?not_evaluated",
	  { "block compliance 95 require_user_id=1 scan_for_pii=1" } },
	/* a flag that is false asks for nothing */
	{ "model_id=big", "allow", { "block compliance 80 scan_for_pii=0" } },
	{ "model_id=big",
	  "allow a?not_evaluated",
	  { "block compliance 80 scan_for_pii=1 scan_for_secrets=0" } },
	{ "model_id=big",
	  "allow",
	  { "block compliance 80 require_user_id=0" } },
	/* parameters say nothing */
	{ "model_id=big",
	  "allow",
	  { "block compliance 80 log_all_requests=1 retention_days=90" } },
};

static void
answers_each_case(void **state)
{
	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
the_constraints_are_listed(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block compliance 80 require_user_id=1 scan_for_pii=1 "
		       "retention_days=3 scan_for_secrets=1");
	fixture_context(fx, "model_id=big user_id=u");
	fixture_decide(fx, &d);
	const struct finding *f = &d.findings.items[0];
	const struct detail *keys = fixture_detail(f, "constraints");

	assert_int_equal(f->key, CONSTRAINT_scan_for_pii);
	assert_int_equal(keys->n, 2);
	assert_string_equal(keys->value.texts[0], "scan_for_pii");
	assert_string_equal(keys->value.texts[1], "scan_for_secrets");
	fixture_free(fx);
}

static void
content_keys_are_known(void **state)
{
	(void)state;
	for (enum constraint_key key = 0; key < CONSTRAINT_N; key++) {
		bool content = key == CONSTRAINT_blocked_keywords ||
			       key == CONSTRAINT_blocked_patterns;

		assert_int_equal(check_is_content(key), content);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_case),
		cmocka_unit_test(the_constraints_are_listed),
		cmocka_unit_test(content_keys_are_known),
	};
	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
