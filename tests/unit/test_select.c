#include "core/select.h"

#include <string.h>

#include "core_fixture.h"

static const struct {
	const char *name, *text;
} policies[] = {
	{ "all", "warn cost 50" },
	{ "free", "warn cost 90 ?user_tier=free" },
	{ "free-or-pro", "warn cost 80 ?user_tier=free|pro&dev_flag!?" },
	{ "openai", "warn cost 70 ?vendor_id=openai" },
	{ "open", "warn cost 60 ?vendor_id=open*" },
	{ "tagged", "warn cost 40 ?tags.team=red" },
	{ "other-tag", "warn cost 30 ?tags.room=one" },
	{ "either", "warn cost 20 ?user_tier=free;user_tier=pro" },
	{ "late", "warn cost 10 @stage=post_execution ?user_tier=free" },
};

/* The names of what applies, with a mark on what may. */
static const char *
names_of(struct fixture *fx, const struct applying *applying, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++) {
		text = arena_printf(fx->arena, "%s%s%s%s", text,
				    i == 0 ? "" : " ", applying[i].policy->name,
				    applying[i].error ? "?" : "");
	}
	return text;
}

static struct fixture *
filled(void)
{
	struct fixture *fx = fixture_new();

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		fixture_policy(fx, policies[i].name, policies[i].text);
	}
	fixture_compile(fx);
	return fx;
}

static void
index_and_scan_give_each_case(void **state)
{
	static const struct {
		enum stage stage;
		const char *context, *want;
	} cases[] = {
		{ STAGE_PRE_FLIGHT, "user_tier=free",
		  "free free-or-pro all either" },
		{ STAGE_PRE_FLIGHT, "user_tier=free dev_flag=1",
		  "free all either" },
		{ STAGE_PRE_FLIGHT, "user_tier=pro model_id=big",
		  "free-or-pro openai open all either" },
		{ STAGE_PRE_FLIGHT, "user_tier=gold", "all" },
		{ STAGE_PRE_FLIGHT, "", "all" },
		{ STAGE_PRE_FLIGHT, "tags.team=red", "all tagged" },
		{ STAGE_PRE_FLIGHT, "tags.team=blue", "all" },
		{ STAGE_PRE_FLIGHT, "tags.team=#1", "all tagged?" },
		{ STAGE_PRE_FLIGHT, "tags.a=1 tags.b=2 tags.team=red",
		  "all tagged" },
		{ STAGE_PRE_FLIGHT, "tags.room=one tags.team=^1",
		  "all tagged? other-tag" },
		{ STAGE_POST_EXECUTION, "user_tier=free", "late" },
		{ STAGE_RUNTIME, "user_tier=free", "" },
	};
	struct fixture *fx = filled();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct applying *by_index, *by_scan;

		fixture_context(fx, cases[i].context);
		size_t n = policy_select(&fx->set, cases[i].stage, &fx->ctx,
					 fx->arena, &by_index);
		size_t scan_n = policy_select_by_scan(
		    &fx->set, cases[i].stage, &fx->ctx, fx->arena, &by_scan);

		assert_string_equal(names_of(fx, by_index, n), cases[i].want);
		assert_string_equal(names_of(fx, by_scan, scan_n),
				    cases[i].want);
	}
	fixture_free(fx);
}

static void
by_model_gives_what_may_change(void **state)
{
	struct fixture *fx = filled();
	struct applying *out;

	(void)state;
	fixture_context(fx, "user_tier=free model_id=big");
	size_t n = policy_select_by_model(&fx->set, STAGE_PRE_FLIGHT, &fx->ctx,
					  fx->arena, &out);

	assert_string_equal(names_of(fx, out, n), "openai open");
	fixture_free(fx);
}

static void
by_model_looks_at_subjects(void **state)
{
	static const struct subject_limit limit;
	static const struct exemption exemption;
	static const struct {
		struct policy policy;
		bool want;
	} cases[] = {
		{ { .by_model = true }, true },
		{ { .by_model = false }, false },
		{ { .exemptions = &exemption, .exemptions_n = 1 }, true },
		{ { .limits = &limit, .limits_n = 1, .scope = SCOPE_MODEL },
		  true },
		{ { .limits = &limit, .limits_n = 1, .scope = SCOPE_VENDOR },
		  true },
		{ { .limits = &limit, .limits_n = 1, .scope = SCOPE_USER },
		  false },
		{ { .scope = SCOPE_MODEL }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(policy_by_model(&cases[i].policy),
				 cases[i].want);
	}
}

static void
an_empty_set_selects_nothing(void **state)
{
	const struct policy_set none = { 0 };
	struct fixture *fx = fixture_new();
	struct applying *out;

	(void)state;
	fixture_context(fx, "user_tier=free tags.a=b");
	assert_int_equal(
	    policy_select(&none, STAGE_PRE_FLIGHT, &fx->ctx, fx->arena, &out),
	    0);
	assert_null(
	    policy_index_bucket(&none.stages[0], FACT_user_tier, NULL, "free"));
	fixture_free(fx);
}

/* Keys whose texts join alike must not be one bucket. */
static void
bucket_keys_are_kept_apart(void **state)
{
	static const struct {
		enum fact_id fact;
		const char *tag, *value;
	} keys[] = {
		{ FACT_user_id, NULL, "ab" }, { FACT_team_id, NULL, "ab" },
		{ FACT_N, "a", "b" },	      { FACT_N, "ab", "" },
		{ FACT_N, "", "ab" },	      { FACT_N, "ab", NULL },
		{ FACT_N, "a", NULL },
	};
	enum { N = sizeof(keys) / sizeof(keys[0]) };

	(void)state;
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_true(
			    policy_bucket_hash(keys[i].fact, keys[i].tag,
					       keys[i].value) !=
			    policy_bucket_hash(keys[j].fact, keys[j].tag,
					       keys[j].value));
		}
	}
}

/* Every key in one small table: each probe meets the others. */
static void
probing_goes_round_the_end(void **state)
{
	static const uint32_t one[] = { 0 };
	static const char *const values[] = { "a", "b", "c" };
	struct policy_bucket buckets[4] = { 0 };
	struct policy_index index = { .buckets = buckets, .buckets_n = 4 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t at =
		    (size_t)policy_bucket_hash(FACT_user_id, NULL, values[i]) &
		    3;

		while (buckets[at].policies_n > 0) {
			at = (at + 1) & 3;
		}
		buckets[at] = (struct policy_bucket){ .fact = FACT_user_id,
						      .value = values[i],
						      .policies = one,
						      .policies_n = 1 };
	}
	for (size_t i = 0; i < 3; i++) {
		const struct policy_bucket *b =
		    policy_index_bucket(&index, FACT_user_id, NULL, values[i]);

		assert_non_null(b);
		assert_string_equal(b->value, values[i]);
	}
	assert_null(policy_index_bucket(&index, FACT_user_id, NULL, "d"));
	assert_null(policy_index_bucket(&index, FACT_user_id, NULL, NULL));
	assert_null(policy_index_bucket(&index, FACT_team_id, NULL, "a"));
	assert_null(policy_index_bucket(&index, FACT_N, "t", "a"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_and_scan_give_each_case),
		cmocka_unit_test(by_model_gives_what_may_change),
		cmocka_unit_test(by_model_looks_at_subjects),
		cmocka_unit_test(an_empty_set_selects_nothing),
		cmocka_unit_test(bucket_keys_are_kept_apart),
		cmocka_unit_test(probing_goes_round_the_end),
	};
	return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
