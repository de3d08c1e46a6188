#include "outcome_fixture.h"

#include <stdio.h>

#include "base/money.h"
#include "core/decide.h"

static const struct region east = { "us-east", "us" };
static const struct model small = { .model_id = "small",
				    .vendor_id = "openai",
				    .tier = 1,
				    .input_per_mil = 1000000000,
				    .output_per_mil = 3000000000 };
static const struct model nameless = { .model_id = "free",
				       .vendor_id = "who",
				       .input_per_mil = MONEY_UNKNOWN,
				       .output_per_mil = MONEY_UNKNOWN };
static const struct model *const models[] = { &small, &nameless };
static const char *const texts[] = { "a", "b" };
static const struct content_hit hits[] = {
	{ 1, CONSTRAINT_blocked_keywords, 3, "/prompt", 5, 9 },
	{ 1, CONSTRAINT_blocked_patterns, 0, "/messages/0/content", 0, 0 },
};

static void
text_fact(struct context *ctx, enum fact_id id, const char *text)
{
	ctx->facts[id].source = SOURCE_BODY;
	ctx->facts[id].value.text = text;
}

static void
fill_context(struct context *ctx)
{
	static const struct tag tags[] = {
		{ "n", FACT_TYPE_RATIO, { .ratio = 1.5 } },
		{ "t", FACT_TYPE_TEXT, { .text = "tab\there" } },
		{ "y", FACT_TYPE_FLAG, { .flag = true } },
	};

	*ctx = (struct context){ .tags = tags, .tags_n = 3 };
	text_fact(ctx, FACT_model_id, "big");
	text_fact(ctx, FACT_vendor_id, "openai");
	text_fact(ctx, FACT_user_id, "ada");
	text_fact(ctx, FACT_correlation_id, "c-1");
	ctx->facts[FACT_user_tier].source = SOURCE_DEFAULT;
	ctx->facts[FACT_user_tier].value.text = "free";
	ctx->facts[FACT_prompt_length].source = SOURCE_COMPUTED;
	ctx->facts[FACT_prompt_length].value.number = 12;
	ctx->facts[FACT_estimated_cost].source = SOURCE_BODY;
	ctx->facts[FACT_estimated_cost].value.number = 187500000;
	ctx->facts[FACT_temperature].source = SOURCE_BODY;
	ctx->facts[FACT_temperature].value.ratio = 0.5;
	ctx->facts[FACT_dev_flag].source = SOURCE_BODY;
	ctx->facts[FACT_dev_flag].value.flag = true;
	ctx->requires.features =
	    FEATURE_FUNCTION_CALLING | FEATURE_VISION | FEATURE_REASONING;
	ctx->requires.context_tokens = 100;
}

static void
fill_findings(struct outcome_parts *p)
{
	const struct policy *cap = &p->policies[0], *ghost = &p->policies[1];

	p->findings[0] = (struct finding){
		.kind = FINDING_VIOLATION,
		.policy = cap,
		.type = "cost_per_request_exceeded",
		.message = "too dear",
		.action = ACTION_DEGRADE,
		.enforced = true,
		.details = { { "observed",
			       DETAIL_MONEY,
			       { .number = 187500000 },
			       0 },
			     { "limit",
			       DETAIL_MONEY,
			       { .number = 50000000 },
			       0 },
			     { "unit", DETAIL_TEXT, { .text = "USD" }, 0 } },
		.details_n = 3
	};
	p->findings[1] = (struct finding){
		.kind = FINDING_WARNING,
		.policy = cap,
		.type = "cost_near_limit",
		.message = "near",
		.details = { { "alternatives",
			       DETAIL_MODELS,
			       { .models = models },
			       2 },
			     { "none", DETAIL_TEXT, { .text = NULL }, 0 },
			     { "cost",
			       DETAIL_MONEY,
			       { .number = MONEY_UNKNOWN },
			       0 },
			     { "list", DETAIL_TEXTS, { .texts = texts }, 2 },
			     { "share", DETAIL_RATIO, { .ratio = 0.25 }, 0 },
			     { "flag", DETAIL_FLAG, { .flag = true }, 0 },
			     { "count", DETAIL_COUNT, { .number = 7 }, 0 } },
		.details_n = 7
	};
	p->findings[2] = (struct finding){
		.kind = FINDING_VIOLATION,
		.policy = ghost,
		.type = "blocked_content",
		.message = "words",
		.action = ACTION_BLOCK,
		.excused = "shadow",
		.details = { { "matches", DETAIL_HITS, { .hits = hits }, 2 } },
		.details_n = 1
	};
	p->findings[3] = (struct finding){ .kind = FINDING_UNKNOWN,
					   .policy = cap,
					   .type = "not_evaluated",
					   .message = "not yet",
					   .action = ACTION_BLOCK,
					   .excused = "bypass" };
	p->findings[4] = (struct finding){ .kind = FINDING_WARNING,
					   .key = CONSTRAINT_N,
					   .type = "fact_overridden",
					   .message = "no" };
}

void
outcome_fixture(struct outcome_parts *p)
{
	*p = (struct outcome_parts){ 0 };
	fill_context(&p->ctx);
	p->policies[0] = (struct policy){ .policy_id = "p-1",
					  .version = 3,
					  .version_id = 5,
					  .name = "cap",
					  .priority = 80,
					  .category = CATEGORY_COST,
					  .severity = SEVERITY_HIGH,
					  .scope = SCOPE_USER };
	p->policies[1] = (struct policy){ .policy_id = "p-2",
					  .version = 1,
					  .version_id = 9,
					  .name = "ghost",
					  .priority = 20,
					  .category = CATEGORY_BEHAVIORAL,
					  .mode = MODE_SHADOW,
					  .scope = SCOPE_TEAM };
	fill_findings(p);
	for (int i = 0; i < OUTCOME_FINDINGS; i++) {
		snprintf(p->ids[i].text, sizeof(p->ids[i].text), "v-%d", i);
	}
	p->executions[0] = (struct execution){ .policy = &p->policies[0],
					       .result = EXECUTION_VIOLATED };
	p->executions[1] = (struct execution){ .policy = &p->policies[1],
					       .result = EXECUTION_PASSED };
	p->decision = (struct decision){
		.action = ACTION_DEGRADE,
		.findings = { p->findings, OUTCOME_FINDINGS, OUTCOME_FINDINGS },
		.winner = 0,
		.estimate = { ESTIMATE_GIVEN, 187500000, 3, 3 },
		.final_estimate = { ESTIMATE_MAXIMUM, 2100000, 3, 3 },
		.chain = { { &small,
			     &east,
			     { ESTIMATE_MAXIMUM, 2100000, 3, 3 } },
			   { .model = &nameless } },
		.chain_n = 2,
		.executions = p->executions,
		.executions_n = 2
	};
	p->outcome = (struct outcome){ .body = &p->body,
				       .ctx = &p->ctx,
				       .decision = &p->decision,
				       .evaluation_id = "e-1",
				       .violation_ids = p->ids,
				       .violations_n = 2,
				       .revision = 42,
				       .now_us = 1000000,
				       .took_us = 1083 };
}
