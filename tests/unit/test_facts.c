#include "engine/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct region regions[] = {
	{ "eu-west", "eu" },
	{ "us-east", "us" },
	{ "us-west", "us" },
};
static const struct region *const east[] = { &regions[1] };
static const struct region *const both[] = { &regions[0], &regions[1] };
static const struct model models[] = {
	{ .model_id = "dual",
	  .vendor_id = "azure",
	  .tier = 2,
	  .regions = east,
	  .regions_n = 1 },
	{ .model_id = "dual",
	  .vendor_id = "openai",
	  .tier = 3,
	  .regions = both,
	  .regions_n = 2 },
	{ .model_id = "solo",
	  .vendor_id = "google",
	  .tier = 0,
	  .regions = both,
	  .regions_n = 2 },
	{ .model_id = "zulu", .vendor_id = "zeta", .tier = 1 },
};
static const struct alias vendor_aliases[] = { { "gemini", "google" } };
static const struct alias region_aliases[] = { { "eastus", "us-east" } };
static const struct subject subjects[] = {
	{ "ada", "enterprise", "engines", "analytical" },
	{ "bob", NULL, "wheels", NULL },
};
static const struct snapshot_data snapshot = {
	.catalogue = { .models = models,
		       .models_n = 4,
		       .regions = regions,
		       .regions_n = 3,
		       .vendor_aliases = vendor_aliases,
		       .vendor_aliases_n = 1,
		       .region_aliases = region_aliases,
		       .region_aliases_n = 1 },
	.subjects = subjects,
	.subjects_n = 2,
};

/* Keys of the cases, by a letter. */
static const struct bound_fact bound_team[] = { { FACT_team_id, "keys" } };
static const struct bound_fact bound_tier[] = { { FACT_user_tier, "free" } };
static const struct bound_fact bound_user[] = { { FACT_user_id, "ada" } };
static const struct bound_fact bound_region[] = { { FACT_region, "EastUS" } };
static const struct bound_fact bound_model[] = { { FACT_model_id, "zulu" } };
static const char *const tiers[] = { "free", "pro" };
static const char *const listed_regions[] = { "us", "eu-west" };
static const char *const alias_regions[] = { "EASTUS" };

static struct api_key
key_of(char letter)
{
	struct api_key key = { .key_id = "the-key" };

	for (enum fact_id id = 0; id < FACT_N; id++) {
		key.asserts[id] = fact_from_body(id);
	}
	key.asserts[FACT_api_key_id] = false;
	switch (letter) {
	case 't':
		key.facts = bound_team;
		key.facts_n = 1;
		break;
	case 'f':
		key.facts = bound_tier;
		key.facts_n = 1;
		break;
	case 'u':
		key.facts = bound_user;
		key.facts_n = 1;
		break;
	case 'r':
		key.facts = bound_region;
		key.facts_n = 1;
		break;
	case 'm':
		key.facts = bound_model;
		key.facts_n = 1;
		break;
	case 'n': /* may assert nothing */
		memset(key.asserts, 0, sizeof(key.asserts));
		break;
	case 'l': /* lists */
		key.user_tiers = tiers;
		key.user_tiers_n = 2;
		key.regions = listed_regions;
		key.regions_n = 2;
		break;
	case 'e':
		key.regions = alias_regions;
		key.regions_n = 1;
		break;
	case 'k': /* names its users' keys */
		key.asserts[FACT_api_key_id] = true;
		break;
	default:
		break;
	}
	return key;
}

/*
 * KEY is a letter, '-' is none, 'a' asserts anything.  BODY is what stands
 * beside the model.  Facts are "name=value@source" with a space between,
 * missing ones "name="; warnings "type:field" with a space behind.
 */
static const struct {
	char key;
	const char *model, *body, *header;
	const char *facts, *warnings;
} cases[] = {
	{ 'a', "solo", "", NULL,
	  "user_tier=free@default environment=production@default "
	  "user_id= team_id= correlation_id= api_key_id=the-key@key",
	  "" },
	{ '-', "solo", "", NULL, "api_key_id=", "" },
	{ '-', "solo", "\"api_key_id\":\"v\"", NULL, "api_key_id=v@body", "" },
	{ 'a', "solo", "\"user_id\":\"ada\"", NULL,
	  "user_tier=enterprise@directory team_id=engines@directory "
	  "organization_id=analytical@directory",
	  "" },
	{ 'a', "solo", "\"user_id\":\"ada\",\"user_tier\":\"enterprise\"", NULL,
	  "user_tier=enterprise@directory", "" },
	{ 'a', "solo", "\"user_id\":\"ada\",\"user_tier\":\"vip\"", NULL,
	  "user_tier=enterprise@directory", "fact_overridden:user_tier " },
	{ 'a', "solo", "\"user_id\":\"bob\",\"user_tier\":\"vip\"", NULL,
	  "user_tier=vip@body team_id=wheels@directory organization_id=", "" },
	{ 'a', "solo", "\"user_id\":\"eve\"", NULL,
	  "user_tier=free@default team_id=", "" },
	{ 't', "solo", "\"user_id\":\"ada\",\"team_id\":\"x\"", NULL,
	  "team_id=keys@key organization_id=analytical@directory",
	  "fact_overridden:team_id " },
	{ 'f', "solo", "\"user_id\":\"ada\"", NULL, "user_tier=free@key", "" },
	{ 'u', "solo", "\"user_id\":\"bob\"", NULL,
	  "user_id=ada@key user_tier=enterprise@directory",
	  "fact_overridden:user_id " },
	{ 'r', "solo", "\"region\":\"us-east\"", NULL, "region=us-east@key",
	  "" },
	{ 'r', "solo", "\"region\":\"eu-west\"", NULL, "region=us-east@key",
	  "fact_overridden:region " },
	{ 'm', "solo", "", NULL, "model_id=solo@body", "" },
	{ 'n', "solo", "\"user_id\":\"ada\",\"user_tier\":\"vip\"", NULL,
	  "user_id= user_tier=free@default",
	  "fact_not_permitted:user_id fact_not_permitted:user_tier " },
	{ 'n', "dual",
	  "\"vendor_id\":\"openai\",\"dev_flag\":true,\"input_tokens\":3,"
	  "\"temperature\":1,\"session_id\":\"s\"",
	  NULL,
	  "vendor_id=azure@catalogue dev_flag= input_tokens= session_id=s@body",
	  "fact_not_permitted:vendor_id fact_not_permitted:input_tokens "
	  "fact_not_permitted:dev_flag vendor_ambiguous:- " },
	{ 'l', "solo", "\"user_tier\":\"pro\",\"region\":\"us-west\"", NULL,
	  "user_tier=pro@body region=us-west@body", "" },
	{ 'l', "solo", "\"user_tier\":\"vip\",\"region\":\"mars\"", NULL,
	  "user_tier=free@default region=",
	  "fact_not_permitted:user_tier fact_not_permitted:region " },
	{ 'l', "solo", "\"user_id\":\"ada\"", NULL, "user_tier=free@default",
	  "fact_not_permitted:user_tier " },
	{ 'l', "solo", "\"user_id\":\"ada\",\"user_tier\":\"pro\"", NULL,
	  "user_tier=pro@body", "fact_not_permitted:user_tier " },
	{ 'e', "solo", "\"region\":\"us-east\"", NULL, "region=us-east@body",
	  "" },
	{ 'e', "solo", "\"region\":\"us-west\"", NULL,
	  "region=", "fact_not_permitted:region " },
	{ 'k', "solo", "\"api_key_id\":\"v\"", NULL, "api_key_id=v@body", "" },
	{ 'k', "solo", "", NULL, "api_key_id=the-key@key", "" },
	{ 'a', "solo", "\"api_key_id\":\"v\"", NULL, "api_key_id=the-key@key",
	  "fact_overridden:api_key_id " },
	{ 'a', "solo", "", "h-1", "correlation_id=h-1@header", "" },
	{ 'a', "solo", "\"correlation_id\":\"b-1\"", "h-1",
	  "correlation_id=b-1@body", "" },
	{ 'a', "solo", "", "", "correlation_id=", "" },
	{ 'a', "solo", "", "two words", "correlation_id=", "" },
	{ 'a', "solo", "", "caf\xc3\xa9", "correlation_id=", "" },
	{ 'a', "SOLO", "\"vendor_id\":\"Gemini\"", NULL,
	  "model_id=solo@body vendor_id=google@body model_tier= region=", "" },
	{ 'a', "solo", "\"region\":\"EASTUS\"", NULL, "region=us-east@body",
	  "" },
	{ 'a', "solo", "\"region\":\"Mars\"", NULL, "region=mars@body", "" },
	{ 'a', "dual", "", NULL,
	  "vendor_id=azure@catalogue region=us-east@catalogue",
	  "vendor_ambiguous:- " },
	{ 'a', "dual", "\"vendor_id\":\"openai\"", NULL,
	  "vendor_id=openai@body region=", "" },
	{ 'a', "dual", "\"vendor_id\":\"gemini\"", NULL,
	  "vendor_id=google@body region= model_tier=", "vendor_mismatch:- " },
	{ 'a', "zulu", "", NULL, "vendor_id=zeta@catalogue region=", "" },
	{ 'a', "nobody", "", NULL, "vendor_id= model_tier=", "" },
	{ 'a', "nobody", "\"vendor_id\":\"X\"", NULL, "vendor_id=x@body", "" },
};

static void
check_fact(const struct context *ctx, char *want)
{
	char *value = strchr(want, '='), *source;

	assert_non_null(value);
	*value++ = '\0';
	enum fact_id id = fact_find(want, strlen(want));
	assert_int_not_equal(id, FACT_N);
	const struct fact *fact = &ctx->facts[id];
	if (*value == '\0') {
		assert_int_equal(fact->source, SOURCE_MISSING);
		return;
	}
	source = strchr(value, '@');
	assert_non_null(source);
	*source++ = '\0';
	assert_int_not_equal(fact->source, SOURCE_MISSING);
	assert_string_equal(fact->value.text, value);
	assert_string_equal(fact_source_name(fact->source), source);
}

static void
check_warnings(const struct findings *warnings, const char *want)
{
	char got[512] = "";

	for (size_t i = 0; i < warnings->n; i++) {
		const struct finding *f = &warnings->items[i];
		bool field = strcmp(f->details[0].name, "field") == 0;

		assert_int_equal(f->kind, FINDING_WARNING);
		assert_null(f->policy);
		assert_false(f->enforced);
		strcat(got, f->type);
		strcat(got, ":");
		strcat(got, field ? f->details[0].value.text : "-");
		strcat(got, " ");
	}
	assert_string_equal(got, want);
}

/* Read BODY, settle, and hand over to CHECK. */
static void
settle(char letter, const char *model, const char *body, const char *header,
       void (*check)(const struct context *ctx, const struct findings *warnings,
		     const void *arg),
       const void *arg)
{
	struct arena *arena = arena_new(16384);
	struct api_key key = key_of(letter);
	struct config config;
	struct json_doc *doc;
	struct body said;
	struct context ctx;
	struct findings warnings;
	struct err err = { 0 };
	char text[1024];

	config_default(&config);
	snprintf(text, sizeof(text), "{\"model_id\":\"%s\"%s%s}", model,
		 body[0] == '\0' ? "" : ",", body);
	assert_int_equal(json_doc_parse(text, strlen(text), &doc, &err),
			 STATUS_OK);
	const struct json root = json_root(doc);
	assert_int_equal(body_read(&root, arena, &said, &err), STATUS_OK);
	const struct facts_sources sources = {
		.config = &config,
		.snapshot = &snapshot,
		.key = letter == '-' ? NULL : &key,
		.header_request_id = header,
		.now_us = 77,
	};
	facts_settle(&said, &sources, arena, &ctx, &warnings);
	check(&ctx, &warnings, arg);
	json_doc_free(doc);
	arena_free(arena);
}

static void
check_case(const struct context *ctx, const struct findings *warnings,
	   const void *arg)
{
	const size_t *i = arg;
	char facts[512];
	char *rest = facts;

	snprintf(facts, sizeof(facts), "%s", cases[*i].facts);
	for (char *one; (one = strsep(&rest, " ")) != NULL;) {
		check_fact(ctx, one);
	}
	check_warnings(warnings, cases[*i].warnings);
	assert_int_equal(ctx->now_us, 77);
}

static void
settles_each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu: %c %s\n", i, cases[i].key,
			      cases[i].body);
		settle(cases[i].key, cases[i].model, cases[i].body,
		       cases[i].header, check_case, &i);
	}
}

static void
check_rest(const struct context *ctx, const struct findings *warnings,
	   const void *arg)
{
	(void)warnings;
	(void)arg;
	assert_ptr_equal(ctx->model, &models[1]);
	assert_int_equal(ctx->facts[FACT_model_tier].value.number, 3);
	assert_int_equal(ctx->facts[FACT_prompt_length].value.number, 2);
	assert_int_equal(ctx->facts[FACT_prompt_length].source,
			 SOURCE_COMPUTED);
	assert_true(ctx->has_text);
	assert_true(ctx->region_given);
	assert_int_equal(ctx->tags_n, 1);
	assert_int_equal(ctx->requires.context_tokens, 5);
	assert_false(ctx->bypass_all);
	assert_int_equal(ctx->bypass_n, 1);
	assert_int_equal(ctx->facts[FACT_estimated_cost].value.number, 5);
	assert_true(ctx->facts[FACT_dev_flag].value.flag);
}

static void
carries_the_rest(void **state)
{
	(void)state;
	settle('a', "dual",
	       "\"vendor_id\":\"openai\",\"prompt\":\"hé\","
	       "\"region\":\"eu-west\",\"tags\":{\"a\":1},"
	       "\"requires\":{\"context_tokens\":5},"
	       "\"bypass_policies\":[\"p\"],\"estimated_cost\":0.000000005,"
	       "\"dev_flag\":true",
	       NULL, check_rest, NULL);
}

static void
check_no_text(const struct context *ctx, const struct findings *warnings,
	      const void *arg)
{
	(void)arg;
	assert_false(ctx->has_text);
	assert_false(ctx->region_given);
	assert_true(ctx->bypass_all);
	assert_string_equal(context_text(ctx, FACT_region), "us-east");
	assert_int_equal(warnings->n, 1);
}

static void
a_region_of_the_catalogue_is_not_given(void **state)
{
	(void)state;
	settle('a', "dual", "\"bypass_policies\":true", NULL, check_no_text,
	       NULL);
}

static void
a_long_header_is_no_id(void **state)
{
	char header[BODY_TEXT_MAX + 2];

	(void)state;
	memset(header, 'x', sizeof(header));
	header[BODY_TEXT_MAX + 1] = '\0';
	struct arena *arena = arena_new(4096);
	struct config config;
	struct context ctx;
	struct findings warnings;
	const struct body body = {
		.said = { [FACT_model_id] = true },
		.values = { [FACT_model_id] = { .text = "solo" } },
	};
	config_default(&config);
	config.default_user_tier[0] = '\0'; /* no default at all */
	struct facts_sources sources = { .config = &config,
					 .snapshot = &snapshot,
					 .header_request_id = header };
	facts_settle(&body, &sources, arena, &ctx, &warnings);
	assert_null(context_text(&ctx, FACT_correlation_id));
	assert_null(context_text(&ctx, FACT_user_tier));
	header[BODY_TEXT_MAX] = '\0';
	facts_settle(&body, &sources, arena, &ctx, &warnings);
	assert_string_equal(context_text(&ctx, FACT_correlation_id), header);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settles_each_case),
		cmocka_unit_test(carries_the_rest),
		cmocka_unit_test(a_region_of_the_catalogue_is_not_given),
		cmocka_unit_test(a_long_header_is_no_id),
	};
	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
