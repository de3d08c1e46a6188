#include "core/check.h"

#include "core_fixture.h"

static const struct fixture_row rows[] = {
	{ "model_id=big",
	  "allow",
	  { "block vendor 80 allowed_vendors=openai,google" } },
	{ "model_id=big",
	  "allow",
	  { "block vendor 80 allowed_vendors=open*" } },
	{ "model_id=little",
	  "block a!vendor_not_allowed",
	  { "block vendor 80 allowed_vendors=openai,google" } },
	{ "model_id=little", "allow", { "block vendor 80 allowed_vendors=" } },
	{ "model_id=big",
	  "block a!vendor_blocked",
	  { "block vendor 80 blocked_vendors=google,openai" } },
	{ "model_id=little",
	  "allow",
	  { "block vendor 80 blocked_vendors=google,openai" } },
	/* blocked wins, and is said once */
	{ "model_id=big",
	  "block a!vendor_blocked",
	  { "block vendor 80 allowed_vendors=openai blocked_vendors=open*" } },
	{ "model_id=big",
	  "block a!vendor_blocked",
	  { "block vendor 80 allowed_vendors=google blocked_vendors=open*" } },
	{ "model_id=middle",
	  "allow",
	  { "block vendor 80 allowed_vendors=google blocked_vendors=open*" } },
	/* models */
	{ "model_id=big",
	  "allow",
	  { "block vendor 80 allowed_models=big,mi*" } },
	{ "model_id=little",
	  "warn a!model_not_allowed",
	  { "warn vendor 80 allowed_models=big,mi*" } },
	{ "model_id=mini",
	  "log a!model_blocked",
	  { "log vendor 80 allowed_models=mi* blocked_models=*ini" } },
	{ "model_id=middle",
	  "allow",
	  { "log vendor 80 allowed_models=mi* blocked_models=*ini" } },
	{ "model_id=middle",
	  "allow",
	  { "log vendor 80 allowed_models= blocked_models=" } },
	/* a vendor that nobody knows is on no list, and may be a blocked one */
	{ "model_id=none",
	  "block a!vendor_not_allowed",
	  { "block vendor 80 allowed_vendors=openai" } },
	{ "model_id=none",
	  "allow a?vendor_unknown",
	  { "block vendor 80 blocked_vendors=openai" } },
	{ "model_id=none",
	  "allow a?vendor_unknown",
	  { "block vendor 80 blocked_vendors=openai allowed_vendors=" } },
	{ "model_id=none",
	  "block a?vendor_unknown",
	  { "warn vendor 80 blocked_vendors=openai @on_error=block" } },
	{ "model_id=none",
	  "block a!vendor_not_allowed",
	  { "block vendor 80 allowed_vendors=google blocked_vendors=openai" } },
	{ "model_id=none", "allow", { "block vendor 80 blocked_vendors=" } },
	{ "vendor_id=openai",
	  "allow a?model_unknown",
	  { "block vendor 80 blocked_models=big" } },
	/* approval is about vendors */
	{ "model_id=little",
	  "block a!vendor_not_allowed",
	  { "block vendor 80 allowed_vendors=openai require_approval=1" } },
	{ "model_id=big",
	  "allow",
	  { "block vendor 80 allowed_vendors=openai require_approval=1" } },
	{ "model_id=little",
	  "allow",
	  { "block vendor 80 require_approval=1" } },
};

static void
answers_each_case(void **state)
{
	(void)state;
	fixture_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void
approval_is_an_exemption(void **state)
{
	static const struct {
		const char *policy, *context, *answer;
	} cases[] = {
		{ "block vendor 80 allowed_vendors=openai require_approval=1",
		  "model_id=little user_id=u",
		  "allow a~vendor_approved_by_exemption/exemption" },
		{ "block vendor 80 allowed_vendors=openai require_approval=1",
		  "model_id=none user_id=u",
		  "allow a~vendor_approved_by_exemption/exemption" },
		{ "block vendor 80 allowed_vendors=openai require_approval=1",
		  "model_id=little user_id=v", "block a!vendor_not_allowed" },
		{ "block vendor 80 allowed_vendors=openai require_approval=0",
		  "model_id=little user_id=u",
		  "allow a!vendor_not_allowed/exemption" },
		{ "block vendor 80 blocked_vendors=openai require_approval=1",
		  "model_id=big user_id=u",
		  "allow a!vendor_blocked/exemption" },
		{ "block vendor 80 allowed_models=big require_approval=1",
		  "model_id=little user_id=u",
		  "allow a!model_not_allowed/exemption" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		fixture_exempt(fx, fixture_policy(fx, "a", cases[i].policy),
			       (struct exemption){ "ex-1", SCOPE_USER, "u", 0,
						   INT64_MAX });
		fixture_context(fx, cases[i].context);
		fixture_decide(fx, &d);
		assert_string_equal(fixture_answer(fx, &d), cases[i].answer);
		fixture_free(fx);
	}
}

static void
details_say_why(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block vendor 80 allowed_vendors=google "
		       "require_approval=1 blocked_models=x,b* ");
	fixture_decide(fx, &d);
	assert_int_equal(d.findings.n, 2);
	const struct finding *f = &d.findings.items[0];

	assert_string_equal(fixture_detail(f, "observed")->value.text,
			    "openai");
	assert_int_equal(fixture_detail(f, "limit")->n, 1);
	assert_true(fixture_detail(f, "approval_required")->value.flag);
	f = &d.findings.items[1];
	assert_string_equal(fixture_detail(f, "observed")->value.text, "big");
	assert_string_equal(fixture_detail(f, "limit")->value.text, "b*");
	fixture_free(fx);
}

static void
a_long_list_is_cut(void **state)
{
	struct fixture *fx = fixture_new();
	struct decision d;

	(void)state;
	fixture_policy(fx, "a",
		       "block vendor 80 allowed_vendors=a,b,c,d,e,f,g,h,i,j,k,"
		       "l,m,n,o,p,q,r,s,t,u");
	fixture_decide(fx, &d);
	assert_int_equal(fixture_detail(&d.findings.items[0], "limit")->n, 20);
	assert_null(fixture_detail(&d.findings.items[0], "approval_required"));
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_case),
		cmocka_unit_test(approval_is_an_exemption),
		cmocka_unit_test(details_say_why),
		cmocka_unit_test(a_long_list_is_cut),
	};
	return cmocka_run_group_tests_name("check_vendor", tests, NULL, NULL);
}
