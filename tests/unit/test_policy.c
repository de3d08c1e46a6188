#include "core/policy.h"

#include "core_fixture.h"

static void
constraints_are_found(void **state)
{
	struct fixture *fx = fixture_new();
	const struct policy *p =
	    fixture_policy(fx, "p",
			   "warn cost 1 unknown_price=2 max_cost_per_request=5 "
			   "require_approval=1 allow_unknown_region=0");

	(void)state;
	assert_int_equal(
	    policy_constraint(p, CONSTRAINT_max_cost_per_request)->number, 5);
	assert_int_equal(policy_constraint(p, CONSTRAINT_unknown_price)->number,
			 2);
	assert_null(policy_constraint(p, CONSTRAINT_max_cost_per_mil_tokens));
	assert_null(policy_constraint(p, CONSTRAINT_log_all_bypasses));
	assert_true(policy_flag(p, CONSTRAINT_require_approval));
	assert_false(policy_flag(p, CONSTRAINT_allow_unknown_region));
	assert_false(policy_flag(p, CONSTRAINT_log_all_requests));
	fixture_free(fx);
}

static void
subject_is_the_scopes_fact(void **state)
{
	static const struct {
		enum scope scope;
		const char *context, *subject;
	} cases[] = {
		{ SCOPE_GLOBAL, "user_id=u", "global" },
		{ SCOPE_ORGANIZATION, "organization_id=o", "o" },
		{ SCOPE_TEAM, "team_id=t", "t" },
		{ SCOPE_USER, "user_id=u team_id=t", "u" },
		{ SCOPE_API_KEY, "api_key_id=k", "k" },
		{ SCOPE_MODEL, "model_id=big", "big" },
		{ SCOPE_VENDOR, "model_id=big", "openai" },
		{ SCOPE_USER, "team_id=t", "anonymous" },
		{ SCOPE_USER, "user_id=", "anonymous" },
	};
	struct fixture *fx = fixture_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy p = { .scope = cases[i].scope };

		fixture_context(fx, cases[i].context);
		assert_string_equal(policy_subject(&p, &fx->ctx),
				    cases[i].subject);
	}
	fixture_free(fx);
}

static void
number_is_the_subjects_while_it_is_valid(void **state)
{
	static const struct {
		const char *user;
		int64_t now, want;
	} cases[] = {
		{ "user_id=a", 10, 100 },
		{ "user_id=b", 10, 200 },
		{ "user_id=c", 10, 7 },
		{ "user_id=d", 10, 7 },
		{ "user_id=b", 49, 200 },
		{ "user_id=b", 50, 7 },
		{ "user_id=a", INT64_MAX - 1, 100 },
		{ "", 10, 300 },
		{ "user_id=e", 40, 1 },
		{ "user_id=e", 60, 2 },
	};
	struct fixture *fx = fixture_new();
	struct policy *p = fixture_policy(
	    fx, "p",
	    "warn behavioral 1 max_prompt_length=7 max_output_tokens=8");

	(void)state;
	const struct constraint *c =
	    policy_constraint(p, CONSTRAINT_max_prompt_length);

	fixture_context(fx, "user_id=a");
	assert_int_equal(policy_number(p, c, &fx->ctx), 7); /* no limits */
	const struct subject_limit limits[] = {
		{ c->key, "b", 200, 50 },
		{ c->key, "a", 100, INT64_MAX },
		{ c->key, "anonymous", 300, INT64_MAX },
		{ CONSTRAINT_max_output_tokens, "c", 400, INT64_MAX },
		{ CONSTRAINT_max_cost_per_request, "d", 500, INT64_MAX },
		{ c->key, "e", 1, 50 },
		{ c->key, "e", 2, INT64_MAX },
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		fixture_limit(fx, p, limits[i]);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_context(fx, cases[i].user);
		fx->ctx.now_us = cases[i].now;
		assert_int_equal(policy_number(p, c, &fx->ctx), cases[i].want);
	}
	fixture_free(fx);
}

static void
exemption_is_for_one_subject_and_time(void **state)
{
	static const struct {
		const char *context;
		int64_t now;
		const char *want;
	} cases[] = {
		{ "user_id=u", 99, NULL },
		{ "user_id=u", 100, "one" },
		{ "user_id=u", 199, "one" },
		{ "user_id=u", 200, NULL },
		{ "user_id=v", 150, NULL },
		{ "team_id=t", 150, "two" },
		{ "user_id=v team_id=t", 150, "two" },
	};
	struct fixture *fx = fixture_new();
	struct policy *p = fixture_policy(fx, "p", "warn vendor 1");

	(void)state;
	fixture_context(fx, "user_id=u");
	assert_null(policy_exemption(p, &fx->ctx));
	fixture_exempt(fx, p,
		       (struct exemption){ "one", SCOPE_USER, "u", 100, 200 });
	fixture_exempt(fx, p,
		       (struct exemption){ "two", SCOPE_TEAM, "t", 0, 1000 });
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_context(fx, cases[i].context);
		fx->ctx.now_us = cases[i].now;
		const struct exemption *e = policy_exemption(p, &fx->ctx);

		if (cases[i].want == NULL) {
			assert_null(e);
		} else {
			assert_non_null(e);
			assert_string_equal(e->exemption_id, cases[i].want);
		}
	}
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constraints_are_found),
		cmocka_unit_test(subject_is_the_scopes_fact),
		cmocka_unit_test(number_is_the_subjects_while_it_is_valid),
		cmocka_unit_test(exemption_is_for_one_subject_and_time),
	};
	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
