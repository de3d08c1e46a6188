#include "engine/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/money.h"
#include "outcome_fixture.h"

static void
check(const struct outcome_parts *parts, const char *want)
{
	struct buf got = { 0 };

	answer_write(&parts->outcome, &got);
	assert_string_equal(buf_text(&got), want);
	buf_fini(&got);
}

/* Does the answer hold WANT? */
static void
check_part(const struct outcome_parts *parts, const char *want, bool there)
{
	struct buf got = { 0 };

	answer_write(&parts->outcome, &got);
	bool found = strstr(buf_text(&got), want) != NULL;
	if (found != there) {
		print_message("%s\n%s\n", want, buf_text(&got));
	}
	assert_int_equal(found, there);
	buf_fini(&got);
}

static void
writes_a_degraded_decision(void **state)
{
	struct outcome_parts parts;

	(void)state;
	outcome_fixture(&parts);
	check(&parts,
	      "{\"decision\":\"degrade\",\"passed\":false,"
	      "\"evaluation_id\":\"e-1\",\"correlation_id\":\"c-1\","
	      "\"violations\":["
	      "{\"violation_id\":\"v-0\",\"policy_id\":\"p-1\","
	      "\"policy_name\":\"cap\",\"category\":\"cost\","
	      "\"violation_type\":\"cost_per_request_exceeded\","
	      "\"severity\":\"high\",\"action\":\"degrade\","
	      "\"mode\":\"enforce\",\"message\":\"too dear\","
	      "\"details\":{\"observed\":0.1875,\"limit\":0.05,"
	      "\"unit\":\"USD\"},"
	      "\"timestamp\":\"1970-01-01T00:00:01.000000Z\"},"
	      "{\"violation_id\":\"v-1\",\"policy_id\":\"p-2\","
	      "\"policy_name\":\"ghost\",\"category\":\"behavioral\","
	      "\"violation_type\":\"blocked_content\",\"severity\":\"low\","
	      "\"action\":\"block\",\"mode\":\"shadow\","
	      "\"message\":\"words\",\"details\":{\"matches\":["
	      "{\"kind\":\"keyword\",\"item\":3,\"pointer\":\"/prompt\","
	      "\"start\":5,\"end\":9},"
	      "{\"kind\":\"pattern\",\"item\":0,"
	      "\"pointer\":\"/messages/0/content\",\"start\":0,\"end\":0}]},"
	      "\"timestamp\":\"1970-01-01T00:00:01.000000Z\"}],"
	      "\"warnings\":["
	      "{\"policy_id\":\"p-1\",\"policy_name\":\"cap\","
	      "\"type\":\"cost_near_limit\",\"message\":\"near\","
	      "\"mode\":\"enforce\",\"details\":{\"alternatives\":["
	      "{\"model_id\":\"small\",\"vendor_id\":\"openai\","
	      "\"mean_price_per_mil_tokens\":2},"
	      "{\"model_id\":\"free\",\"vendor_id\":\"who\","
	      "\"mean_price_per_mil_tokens\":null}],\"none\":null,"
	      "\"cost\":null,\"list\":[\"a\",\"b\"],\"share\":0.25,"
	      "\"flag\":true,\"count\":7}},"
	      "{\"policy_id\":\"p-1\",\"policy_name\":\"cap\","
	      "\"type\":\"not_evaluated\",\"message\":\"not yet\","
	      "\"action\":\"block\",\"mode\":\"enforce\","
	      "\"excused\":\"bypass\",\"details\":{}},"
	      "{\"type\":\"fact_overridden\",\"message\":\"no\","
	      "\"details\":{}}],"
	      "\"fallback\":{\"model_id\":\"small\",\"vendor_id\":\"openai\","
	      "\"region\":\"us-east\",\"estimated_cost\":0.0021,"
	      "\"cost_saved\":0.1854},"
	      "\"fallback_chain\":[\"small\",\"free\"],"
	      "\"message\":\"too dear\",\"durability\":\"async\","
	      "\"reservation\":null,\"limits\":[],\"policies_evaluated\":2,"
	      "\"policy_revision\":42,\"evaluation_time_ms\":1,"
	      "\"evaluation_time_us\":1083}");
}

static void
writes_what_is_not_there_as_null(void **state)
{
	struct outcome_parts parts;

	(void)state;
	outcome_fixture(&parts);
	parts.ctx.facts[FACT_correlation_id].source = SOURCE_MISSING;
	parts.decision.action = ACTION_ALLOW;
	parts.decision.passed = true;
	parts.decision.findings.n = 0;
	parts.decision.winner = SIZE_MAX;
	parts.decision.chain_n = 0;
	parts.decision.executions_n = 0;
	parts.outcome.unrecorded = true;
	parts.outcome.took_us = 83;
	check(&parts,
	      "{\"decision\":\"allow\",\"passed\":true,"
	      "\"evaluation_id\":\"e-1\",\"correlation_id\":null,"
	      "\"violations\":[],\"warnings\":[],\"fallback\":null,"
	      "\"fallback_chain\":[],\"durability\":\"degraded\","
	      "\"reservation\":null,\"limits\":[],\"policies_evaluated\":0,"
	      "\"policy_revision\":42,\"evaluation_time_ms\":0,"
	      "\"evaluation_time_us\":83}");
}

static void
writes_an_unknown_saving_as_null(void **state)
{
	struct outcome_parts parts;

	(void)state;
	outcome_fixture(&parts);
	parts.decision.estimate.cost_nanousd = MONEY_UNKNOWN;
	check_part(&parts, "\"estimated_cost\":0.0021,\"cost_saved\":null}",
		   true);
	parts.decision.estimate.cost_nanousd = 1;
	parts.decision.chain[0].region = NULL;
	parts.decision.chain[0].estimate.cost_nanousd = MONEY_UNKNOWN;
	check_part(&parts,
		   "\"region\":null,\"estimated_cost\":null,"
		   "\"cost_saved\":null}",
		   true);
	parts.decision.chain[0].estimate.cost_nanousd = 2;
	check_part(&parts, "\"cost_saved\":-0.000000001}", true);
	/* a degrade without a fallback never gets here but is no fallback */
	parts.decision.chain_n = 0;
	check_part(&parts, "\"fallback\":null,\"fallback_chain\":[]", true);
}

static void
tells_the_policys_own_words(void **state)
{
	struct outcome_parts parts;

	(void)state;
	outcome_fixture(&parts);
	parts.policies[0].message = "ask finance";
	parts.policies[0].help_url = "https://help.example";
	check_part(&parts,
		   "\"message\":\"ask finance\","
		   "\"help_url\":\"https://help.example\"",
		   true);
	parts.decision.winner =
	    4; /* nobody's: cannot win, but must not crash */
	check_part(&parts, "\"message\":\"no\",\"durability\"", true);
	check_part(&parts, "help_url", false);
}

static void
an_excuse_has_a_word_beside_the_mode(void **state)
{
	struct outcome_parts parts;

	(void)state;
	outcome_fixture(&parts);
	parts.findings[0].excused = "exemption";
	check_part(&parts, "\"mode\":\"enforce\",\"excused\":\"exemption\"",
		   true);
	check_part(&parts, "\"excused\":\"shadow\"", false);
}

static void
explains_in_full(void **state)
{
	static const char *ignored[] = { "modle", "stream" };
	struct outcome_parts parts;

	(void)state;
	outcome_fixture(&parts);
	check_part(&parts, "explanation", false);
	parts.body.explain = EXPLAIN_FULL;
	parts.body.ignored = ignored;
	parts.body.ignored_n = 2;
	check_part(
	    &parts,
	    "\"explanation\":{\"facts\":{"
	    "\"user_id\":{\"value\":\"ada\",\"source\":\"body\"},"
	    "\"user_tier\":{\"value\":\"free\",\"source\":\"default\"},"
	    "\"correlation_id\":{\"value\":\"c-1\",\"source\":\"body\"},"
	    "\"model_id\":{\"value\":\"big\",\"source\":\"body\"},"
	    "\"vendor_id\":{\"value\":\"openai\",\"source\":\"body\"},"
	    "\"prompt_length\":{\"value\":12,\"source\":\"computed\"},"
	    "\"estimated_cost\":{\"value\":0.1875,\"source\":\"body\"},"
	    "\"temperature\":{\"value\":0.5,\"source\":\"body\"},"
	    "\"dev_flag\":{\"value\":true,\"source\":\"body\"}},"
	    "\"policies\":["
	    "{\"policy_id\":\"p-1\",\"policy_name\":\"cap\","
	    "\"policy_version\":3,\"mode\":\"enforce\","
	    "\"result\":\"violated\","
	    "\"why\":[\"cost_per_request_exceeded\",\"cost_near_limit\"]},"
	    "{\"policy_id\":\"p-2\",\"policy_name\":\"ghost\","
	    "\"policy_version\":1,\"mode\":\"shadow\",\"result\":\"passed\","
	    "\"why\":[\"blocked_content\"]}],"
	    "\"winner\":{\"policy_id\":\"p-1\",\"policy_name\":\"cap\","
	    "\"type\":\"cost_per_request_exceeded\",\"action\":\"degrade\"},"
	    "\"estimate\":{\"basis\":\"given\",\"cost\":0.1875,"
	    "\"input_tokens\":3,\"total_tokens\":3},"
	    "\"final_estimate\":{\"basis\":\"maximum_output\","
	    "\"cost\":0.0021,\"input_tokens\":3,\"total_tokens\":3},"
	    "\"ignored_fields\":[\"modle\",\"stream\"]}}",
	    true);
	parts.decision.winner = SIZE_MAX;
	check_part(&parts, "\"winner\":null", true);
	parts.decision.winner = 4;
	check_part(&parts, "\"winner\":{\"type\":\"fact_overridden\"", true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_a_degraded_decision),
		cmocka_unit_test(writes_what_is_not_there_as_null),
		cmocka_unit_test(writes_an_unknown_saving_as_null),
		cmocka_unit_test(tells_the_policys_own_words),
		cmocka_unit_test(an_excuse_has_a_word_beside_the_mode),
		cmocka_unit_test(explains_in_full),
	};
	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
