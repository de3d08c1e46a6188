#include "engine/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One body under test; what it gave lives until done(). */
struct reading {
	struct arena *arena;
	struct json_doc *doc;
	struct body body;
	struct err err;
	enum status status;
};

static void
read_body(struct reading *r, const char *text)
{
	struct err err = { 0 };

	*r = (struct reading){ .arena = arena_new(4096) };
	assert_int_equal(json_doc_parse(text, strlen(text), &r->doc, &err),
			 STATUS_OK);
	const struct json root = json_root(r->doc);
	r->status = body_read(&root, r->arena, &r->body, &r->err);
}

static void
done(struct reading *r)
{
	json_doc_free(r->doc);
	arena_free(r->arena);
}

#define REPORT(more) "{\"evaluation_type\":\"post_execution\"," more "}"
#define ID "\"evaluation_id\":\"01900000-0000-7000-8000-000000000000\""

/* Bodies that are not acceptable, and every place that is told. */
static const struct {
	const char *body;
	enum status want;
	const char *pointers; /* with a space behind each */
} refused[] = {
	{ "3", STATUS_BODY, " " },
	{ "null", STATUS_BODY, " " },
	{ "{}", STATUS_BODY, "/model_id " },
	{ "{\"model_id\":\"\"}", STATUS_BODY, "/model_id " },
	{ "{\"model_id\":null}", STATUS_BODY, "/model_id " },
	{ "{\"user_id\":1}", STATUS_BODY, "/model_id /user_id " },
	{ "{\"model_id\":\"m\",\"input_tokens\":-1}", STATUS_BODY,
	  "/input_tokens " },
	{ "{\"model_id\":\"m\",\"input_tokens\":1000000000001}", STATUS_BODY,
	  "/input_tokens " },
	{ "{\"model_id\":\"m\",\"estimated_cost\":1000000000.1}", STATUS_BODY,
	  "/estimated_cost " },
	{ "{\"model_id\":\"m\",\"estimated_cost\":true}", STATUS_BODY,
	  "/estimated_cost " },
	{ "{\"model_id\":\"m\",\"temperature\":-0.1}", STATUS_BODY,
	  "/temperature " },
	{ "{\"model_id\":\"m\",\"dev_flag\":0}", STATUS_BODY, "/dev_flag " },
	{ "{\"model_id\":\"m\",\"environment\":\"\"}", STATUS_BODY,
	  "/environment " },
	{ "{\"model_id\":\"m\",\"explain\":true}", STATUS_BODY, "/explain " },
	{ "{\"model_id\":\"m\",\"evaluation_type\":7}", STATUS_BODY,
	  "/evaluation_type " },
	{ "{\"model_id\":\"m\",\"evaluation_type\":\"continuous\"}",
	  STATUS_BODY, "/evaluation_type " },
	{ "{\"evaluation_type\":\"runtime\",\"model_id\":3}",
	  STATUS_NOT_IMPLEMENTED, "" },
	{ "{\"evaluation_type\":\"post_execution\"}", STATUS_BODY,
	  "/evaluation_id " },
	{ "{\"evaluation_type\":\"post_execution\",\"request_id\":\"r\"}",
	  STATUS_BODY, "/evaluation_id " },
	{ REPORT("\"evaluation_id\":\"no-uuid\""), STATUS_BODY,
	  "/evaluation_id " },
	{ REPORT(ID ",\"reservation_id\":"
		    "\"01900000-0000-7000-8000-000000000001\""),
	  STATUS_BODY, "/reservation_id " },
	{ REPORT(ID ",\"success\":true,\"error\":\"it broke\""), STATUS_BODY,
	  "/error " },
	{ REPORT(ID ",\"usage\":{\"input_tokens\":-1,\"output_tokens\":1.5,"
		    "\"cost\":-0.1}"),
	  STATUS_BODY,
	  "/usage/input_tokens /usage/output_tokens /usage/cost " },
	{ REPORT(ID ",\"usage\":[],\"latency_ms\":-1,\"success\":\"yes\","
		    "\"error\":{},\"served_model_id\":1,"
		    "\"served_vendor_id\":2,\"response\":3"),
	  STATUS_BODY,
	  "/usage /latency_ms /success /error /served_model_id "
	  "/served_vendor_id /response " },
	{ REPORT("\"evaluation_id\":7"), STATUS_BODY, "/evaluation_id " },
	{ "{\"model_id\":\"m\",\"prompt\":1,\"system_instruction\":{},"
	  "\"messages\":\"x\"}",
	  STATUS_BODY, "/prompt /messages /system_instruction " },
	{ "{\"model_id\":\"m\",\"tags\":1,\"requires\":2,"
	  "\"bypass_policies\":3}",
	  STATUS_BODY, "/tags /requires /bypass_policies " },
	{ "{\"model_id\":\"m\",\"tags\":{\"a\":null,\"b\":[]},"
	  "\"requires\":{\"vision\":1,\"reasoning\":true,"
	  "\"context_tokens\":1.5},\"bypass_policies\":[1,\"a\"]}",
	  STATUS_BODY,
	  "/tags/a /tags/b /requires/vision /requires/context_tokens "
	  "/bypass_policies/0 " },
};

static void
refuses_with_every_pointer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct reading r;
		char got[1024] = "";

		print_message("%s\n", refused[i].body);
		read_body(&r, refused[i].body);
		assert_int_equal(r.status, refused[i].want);
		assert_int_equal(r.err.status, refused[i].want);
		for (size_t k = 0; k < r.err.items_n; k++) {
			strcat(got, r.err.items[k].pointer);
			strcat(got, " ");
		}
		assert_string_equal(got, refused[i].pointers);
		done(&r);
	}
}

static void
takes_every_field(void **state)
{
	static const char text[] =
	    "{\"model_id\":\"M\",\"evaluation_type\":\"pre_flight\","
	    "\"vendor_id\":\"v\",\"estimated_tokens\":1,\"input_tokens\":2,"
	    "\"max_output_tokens\":3,\"estimated_cost\":0.1,"
	    "\"temperature\":0.5,\"user_id\":\"u\",\"user_tier\":\"t\","
	    "\"team_id\":\"te\",\"organization_id\":\"o\","
	    "\"api_key_id\":\"k\",\"session_id\":\"s\","
	    "\"correlation_id\":\"c\",\"request_id\":\"r\","
	    "\"environment\":\"staging\",\"region\":\"re\","
	    "\"dev_flag\":true,\"explain\":\"full\","
	    "\"bypass_policies\":true,\"unknown\":1}";
	struct reading r;

	(void)state;
	read_body(&r, text);
	assert_int_equal(r.status, STATUS_OK);
	for (enum fact_id id = 0; id < FACT_N; id++) {
		assert_int_equal(r.body.said[id], fact_from_body(id));
	}
	assert_string_equal(r.body.values[FACT_model_id].text, "M");
	assert_int_equal(r.body.values[FACT_max_output_tokens].number, 3);
	assert_int_equal(r.body.values[FACT_estimated_cost].number, 100000000);
	assert_true(r.body.values[FACT_dev_flag].flag);
	assert_int_equal(r.body.stage, STAGE_PRE_FLIGHT);
	assert_int_equal(r.body.explain, EXPLAIN_FULL);
	assert_true(r.body.bypass_all);
	assert_int_equal(r.body.ignored_n, 1);
	assert_string_equal(r.body.ignored[0], "unknown");
	done(&r);
}

static void
an_empty_text_says_nothing(void **state)
{
	struct reading r;

	(void)state;
	read_body(&r, "{\"model_id\":\"m\",\"user_id\":\"\",\"region\":\"\"}");
	assert_int_equal(r.status, STATUS_OK);
	assert_false(r.body.said[FACT_user_id]);
	assert_false(r.body.said[FACT_region]);
	done(&r);
}

static void
tags_come_sorted_and_typed(void **state)
{
	struct reading r;

	(void)state;
	read_body(&r, "{\"model_id\":\"m\",\"tags\":{\"b\":1.5,\"c\":true,"
		      "\"a\":\"x\"}}");
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.body.tags_n, 3);
	assert_string_equal(r.body.tags[0].name, "a");
	assert_int_equal(r.body.tags[0].type, FACT_TYPE_TEXT);
	assert_string_equal(r.body.tags[0].value.text, "x");
	assert_int_equal(r.body.tags[1].type, FACT_TYPE_RATIO);
	assert_true(r.body.tags[1].value.ratio > 1.4);
	assert_int_equal(r.body.tags[2].type, FACT_TYPE_FLAG);
	assert_true(r.body.tags[2].value.flag);
	done(&r);
	read_body(&r, "{\"model_id\":\"m\",\"tags\":{}}");
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.body.tags_n, 0);
	done(&r);
}

/* A body with N tags, of which the last has a name of NAME_BYTES. */
static void
many_tags(char *out, size_t out_bytes, int n, int name_bytes)
{
	int at = snprintf(out, out_bytes, "{\"model_id\":\"m\",\"tags\":{");

	for (int i = 0; i < n; i++) {
		at +=
		    snprintf(out + at, out_bytes - (size_t)at, "%s\"%0*d\":1",
			     i == 0 ? "" : ",", i + 1 == n ? name_bytes : 3, i);
	}
	snprintf(out + at, out_bytes - (size_t)at, "}}");
}

static void
tags_have_their_limits(void **state)
{
	static const struct {
		int n, name_bytes;
		enum status want;
	} cases[] = {
		{ BODY_TAGS_MAX, 3, STATUS_OK },
		{ BODY_TAGS_MAX + 1, 3, STATUS_BODY },
		{ 1, BODY_TEXT_MAX, STATUS_OK },
		{ 1, BODY_TEXT_MAX + 1, STATUS_BODY },
	};
	char text[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reading r;

		many_tags(text, sizeof(text), cases[i].n, cases[i].name_bytes);
		read_body(&r, text);
		assert_int_equal(r.status, cases[i].want);
		done(&r);
	}
}

static void
requirements_are_bits_and_tokens(void **state)
{
	struct reading r;

	(void)state;
	read_body(&r,
		  "{\"model_id\":\"m\",\"requires\":{\"function_calling\":true,"
		  "\"vision\":false,\"reasoning\":true,\"context_tokens\":9,"
		  "\"smell\":true}}");
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.body.requires.features,
			 FEATURE_FUNCTION_CALLING | FEATURE_REASONING);
	assert_int_equal(r.body.requires.context_tokens, 9);
	assert_string_equal(r.body.ignored[0], "requires.smell");
	done(&r);
}

static void
names_to_bypass_have_a_limit(void **state)
{
	char text[2048];
	struct reading r;

	(void)state;
	for (int n = BODY_BYPASS_MAX; n <= BODY_BYPASS_MAX + 1; n++) {
		int at = snprintf(text, sizeof(text),
				  "{\"model_id\":\"m\",\"bypass_policies\":[");
		for (int i = 0; i < n; i++) {
			at += snprintf(text + at, sizeof(text) - (size_t)at,
				       "%s\"p%d\"", i == 0 ? "" : ",", i);
		}
		snprintf(text + at, sizeof(text) - (size_t)at, "]}");
		read_body(&r, text);
		assert_int_equal(r.status, n == BODY_BYPASS_MAX ? STATUS_OK
								: STATUS_BODY);
		if (n == BODY_BYPASS_MAX) {
			assert_int_equal(r.body.bypass_n, n);
			assert_string_equal(r.body.bypass[99], "p99");
			assert_false(r.body.bypass_all);
		}
		done(&r);
	}
}

static void
all_that_is_ignored_is_listed(void **state)
{
	struct reading r;

	(void)state;
	read_body(&r, "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,"
		      "\"g\":1,\"h\":1,\"i\":1,\"model_id\":\"m\"}");
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.body.ignored_n, 9);
	assert_string_equal(r.body.ignored[0], "a");
	assert_string_equal(r.body.ignored[8], "i");
	done(&r);
}

static void
knows_whose_word_a_field_is(void **state)
{
	(void)state;
	assert_true(body_own(FACT_model_id));
	assert_true(body_own(FACT_correlation_id));
	assert_true(body_own(FACT_max_output_tokens));
	assert_false(body_own(FACT_user_tier));
	assert_false(body_own(FACT_estimated_cost));
	assert_false(body_own(FACT_vendor_id));
	assert_false(body_own(FACT_prompt_length)); /* no field says it */
}

static void
a_report_has_fields_of_its_own(void **state)
{
	struct reading r;

	(void)state;
	read_body(&r, REPORT("\"reservation_id\":"
			     "\"01900000-0000-7000-8000-00000000000A\","
			     "\"usage\":{\"input_tokens\":1,"
			     "\"output_tokens\":2,\"cost\":0.5,\"x\":1},"
			     "\"latency_ms\":0.25,\"success\":false,"
			     "\"error\":\"broke\","
			     "\"served_model_id\":\"BIG\","
			     "\"served_vendor_id\":\"OpenAI\","
			     "\"response\":\"text\",\"prompt\":\"p\","
			     "\"model_id\":\"m\",\"session_id\":\"s\","
			     "\"tags\":{\"a\":1}"));
	assert_int_equal(r.status, STATUS_OK);
	const struct body_report *report = &r.body.report;
	assert_int_equal(r.body.stage, STAGE_POST_EXECUTION);
	assert_string_equal(report->evaluation_id,
			    "01900000-0000-7000-8000-00000000000a");
	assert_int_equal(report->input_tokens, 1);
	assert_int_equal(report->output_tokens, 2);
	assert_int_equal(report->cost_nanousd, 500000000);
	assert_int_equal(report->latency_us, 250);
	assert_int_equal(report->success, BODY_SUCCESS_NO);
	assert_string_equal(report->error, "broke");
	assert_string_equal(report->served_model_id, "big");
	assert_string_equal(report->served_vendor_id, "openai");
	assert_int_equal(r.body.texts.n, 1);
	assert_string_equal(body_text_pointer(&r.body.texts.items[0], r.arena),
			    "/response");
	assert_true(r.body.said[FACT_session_id]);
	assert_false(r.body.said[FACT_model_id]);
	assert_int_equal(r.body.tags_n, 1);
	assert_int_equal(r.body.ignored_n, 3);
	assert_string_equal(r.body.ignored[0], "model_id");
	assert_string_equal(r.body.ignored[1], "prompt");
	assert_string_equal(r.body.ignored[2], "usage.x");
	done(&r);
}

static void
a_report_may_say_next_to_nothing(void **state)
{
	static const char *const bodies[] = {
		REPORT(ID),
		REPORT("\"correlation_id\":\"c\",\"request_id\":\"r\""),
		REPORT(ID ",\"usage\":{},\"error\":\"\",\"success\":true,"
			  "\"served_model_id\":\"\""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct reading r;

		read_body(&r, bodies[i]);
		assert_int_equal(r.status, STATUS_OK);
		assert_int_equal(r.body.report.input_tokens, -1);
		assert_int_equal(r.body.report.output_tokens, -1);
		assert_int_equal(r.body.report.cost_nanousd, -1);
		assert_int_equal(r.body.report.latency_us, -1);
		assert_null(r.body.report.error);
		assert_null(r.body.report.served_model_id);
		done(&r);
	}
}

/* What is a report's says nothing before the call. */
static void
a_question_ignores_what_is_a_reports(void **state)
{
	struct reading r;

	(void)state;
	read_body(&r, "{\"model_id\":\"m\",\"usage\":7,\"response\":8,"
		      "\"evaluation_id\":9}");
	assert_int_equal(r.status, STATUS_OK);
	assert_int_equal(r.body.ignored_n, 3);
	assert_int_equal(r.body.texts.n, 0);
	done(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_with_every_pointer),
		cmocka_unit_test(a_report_has_fields_of_its_own),
		cmocka_unit_test(a_report_may_say_next_to_nothing),
		cmocka_unit_test(a_question_ignores_what_is_a_reports),
		cmocka_unit_test(takes_every_field),
		cmocka_unit_test(an_empty_text_says_nothing),
		cmocka_unit_test(tags_come_sorted_and_typed),
		cmocka_unit_test(tags_have_their_limits),
		cmocka_unit_test(requirements_are_bits_and_tokens),
		cmocka_unit_test(names_to_bypass_have_a_limit),
		cmocka_unit_test(all_that_is_ignored_is_listed),
		cmocka_unit_test(knows_whose_word_a_field_is),
	};
	return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
