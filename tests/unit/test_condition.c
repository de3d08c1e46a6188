#include "core/policy.h"

#include "core_fixture.h"

#define YES HOLDS_YES
#define NO HOLDS_NO
#define ERROR HOLDS_ERROR

static const struct {
	const char *condition, *context;
	enum holds want;
} cases[] = {
	/* lists of texts */
	{ "user_tier=free", "user_tier=free", YES },
	{ "user_tier=free|pro", "user_tier=pro", YES },
	{ "user_tier=free", "user_tier=Free", NO },
	{ "user_tier=free", "user_tier=freedom", NO },
	{ "user_tier=free*", "user_tier=freedom", YES },
	{ "user_tier=free", "user_id=u", NO }, /* missing */
	{ "user_tier!=free", "user_tier=pro", YES },
	{ "user_tier!=free|pro", "user_tier=pro", NO },
	{ "user_tier!=fre*", "user_tier=free", NO },
	{ "user_tier!=free", "user_id=u", NO }, /* missing is false too */
	{ "user_tier=", "user_tier=free", NO },
	{ "user_tier!=", "user_tier=free", YES },
	{ "user_tier=#1", "user_tier=free", ERROR },
	{ "user_tier!=#1", "user_tier=free", ERROR },
	{ "user_tier=#1|free", "user_tier=free", YES },
	{ "user_tier>1", "user_tier=free", ERROR },
	/* numbers */
	{ "estimated_tokens=#100", "estimated_tokens=100", YES },
	{ "estimated_tokens=#100", "estimated_tokens=101", NO },
	{ "estimated_tokens>100", "estimated_tokens=100", NO },
	{ "estimated_tokens>100", "estimated_tokens=101", YES },
	{ "estimated_tokens>=100", "estimated_tokens=100", YES },
	{ "estimated_tokens>=100", "estimated_tokens=99", NO },
	{ "estimated_tokens<100", "estimated_tokens=100", NO },
	{ "estimated_tokens<100", "estimated_tokens=99", YES },
	{ "estimated_tokens<=100", "estimated_tokens=100", YES },
	{ "estimated_tokens<=100", "estimated_tokens=101", NO },
	{ "estimated_tokens>1", "user_id=u", NO },
	{ "temperature>=0.7", "temperature=0.7", YES },
	{ "temperature<0.7", "temperature=0.7", NO },
	/* money is dollars in a condition */
	{ "estimated_cost=#0.1", "estimated_cost=100000000", YES },
	{ "estimated_cost>0.1", "estimated_cost=100000000", NO },
	{ "estimated_cost>0.1", "estimated_cost=100000001", YES },
	/* flags */
	{ "dev_flag=^1", "dev_flag=1", YES },
	{ "dev_flag=^1", "dev_flag=0", NO },
	{ "dev_flag!=^1", "dev_flag=0", YES },
	{ "dev_flag=^0", "user_id=u", NO },
	/* there or missing */
	{ "user_id?", "user_id=u", YES },
	{ "user_id?", "team_id=t", NO },
	{ "user_id!?", "user_id=u", NO },
	{ "user_id!?", "team_id=t", YES },
	{ "tags.a?", "tags.a=1", YES },
	{ "tags.a!?", "tags.b=1", YES },
	/* tags have the type that was sent */
	{ "tags.a=x", "tags.a=x", YES },
	{ "tags.a=x", "tags.a=y", NO },
	{ "tags.a=x", "tags.b=x", NO },
	{ "tags.a=x", "tags.a=#1", ERROR },
	{ "tags.a=#1", "tags.a=#1", YES },
	{ "tags.a=#1", "tags.a=x", ERROR },
	{ "tags.a>0", "tags.a=#1", YES },
	{ "tags.a>0", "tags.a=x", ERROR },
	{ "tags.a>0", "tags.a=^1", ERROR },
	{ "tags.a=^1", "tags.a=^1", YES },
	{ "tags.a=^1", "tags.a=^0", NO },
	{ "tags.a=x", "tags.a=^0", ERROR },
	/* together: an error hides no false of AND, no true of OR */
	{ "user_id=u&team_id=t", "user_id=u team_id=t", YES },
	{ "user_id=u&team_id=t", "user_id=u team_id=s", NO },
	{ "tags.a=x&team_id=t", "tags.a=#1 team_id=s", NO },
	{ "team_id=t&tags.a=x", "tags.a=#1 team_id=s", NO },
	{ "tags.a=x&team_id=t", "tags.a=#1 team_id=t", ERROR },
	{ "user_id=u;team_id=t", "user_id=v team_id=t", YES },
	{ "user_id=u;team_id=t", "user_id=v team_id=s", NO },
	{ "tags.a=x;team_id=t", "tags.a=#1 team_id=t", YES },
	{ "tags.a=x;team_id=t", "tags.a=#1 team_id=s", ERROR },
	{ "user_id=u&team_id=t;user_id=v", "user_id=v", YES },
	{ "user_id=u&team_id=t;user_id=v", "user_id=u", NO },
};

static void
holds_in_each_case(void **state)
{
	struct fixture *fx = fixture_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_context(fx, cases[i].context);
		enum holds got = condition_holds(
		    fixture_condition(fx, cases[i].condition), &fx->ctx);

		if (got != cases[i].want) {
			fail_msg("%s in %s: %d", cases[i].condition,
				 cases[i].context, got);
		}
	}
	fixture_free(fx);
}

static void
nothing_asked_holds(void **state)
{
	const struct condition all = { .op = CONDITION_AND };
	const struct condition any = { .op = CONDITION_OR };
	struct fixture *fx = fixture_new();

	(void)state;
	assert_int_equal(condition_holds(NULL, &fx->ctx), YES);
	assert_int_equal(condition_holds(&all, &fx->ctx), YES);
	assert_int_equal(condition_holds(&any, &fx->ctx), NO);
	fixture_free(fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_in_each_case),
		cmocka_unit_test(nothing_asked_holds),
	};
	return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
