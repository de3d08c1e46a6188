#include "engine/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/money.h"
#include "outcome_fixture.h"
#include "record/row.h"
#include "record/spool_reader.h"

enum { COLUMNS_MAX = 64 };

static const char *const columns[] = {
#define EVALUATION(column) "E." #column,
#define VIOLATION(column) "V." #column,
#define USAGE(column) "U." #column,
#include "record/row.tbl.h"
#undef EVALUATION
#undef VIOLATION
#undef USAGE
};

/* The lines of a record, each cut into its columns. */
struct lines {
	struct buf text;
	char letter[8];
	char *cells[8][COLUMNS_MAX];
	size_t n;
};

static void
cut(struct lines *lines)
{
	char *rest = lines->text.data;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		size_t c = 0;

		if (*line == '\0') {
			continue;
		}
		assert_true(lines->n < 8);
		lines->letter[lines->n] = *line++;
		while (line != NULL) {
			assert_true(c < COLUMNS_MAX);
			lines->cells[lines->n][c++] = strsep(&line, "\t");
		}
		lines->n++;
	}
}

static void
write_lines(const struct outcome_parts *parts, struct lines *lines)
{
	struct buf scratch = { 0 };

	*lines = (struct lines){ 0 };
	record_write(&parts->outcome, &scratch, &lines->text);
	cut(lines);
	buf_fini(&scratch);
}

/* The cell of COLUMN ("E.decision") in line I. */
static const char *
cell(const struct lines *lines, size_t i, const char *column)
{
	size_t c = 0;

	assert_true(i < lines->n);
	assert_int_equal(lines->letter[i], column[0]);
	for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++) {
		if (columns[k][0] != column[0]) {
			continue;
		}
		if (strcmp(columns[k], column) == 0) {
			return lines->cells[i][c];
		}
		c++;
	}
	fail_msg("no column %s", column);
	return NULL;
}

static const struct {
	size_t line;
	const char *column, *want;
} cells[] = {
	{ 0, "E.evaluation_id", "e-1" },
	{ 0, "E.evaluation_type", "pre_flight" },
	{ 0, "E.decision", "degrade" },
	{ 0, "E.passed", "f" },
	{ 0, "E.user_id", "ada" },
	{ 0, "E.user_tier", "free" },
	{ 0, "E.team_id", "\\N" },
	{ 0, "E.correlation_id", "c-1" },
	{ 0, "E.environment", "\\N" },
	{ 0, "E.region", "\\N" },
	{ 0, "E.original_model", "big" },
	{ 0, "E.vendor_id", "openai" },
	{ 0, "E.fallback_model", "small" },
	{ 0, "E.fallback_vendor", "openai" },
	{ 0, "E.input_tokens", "\\N" },
	{ 0, "E.prompt_length", "12" },
	{ 0, "E.estimated_cost", "0.1875" },
	{ 0, "E.final_cost", "0.0021" },
	{ 0, "E.policy_revision", "42" },
	{ 0, "E.policies_evaluated", "2" },
	{ 0, "E.violations_n", "2" },
	{ 0, "E.evaluation_time_ms", "1.083" },
	/* 5 * 8 + violated, 9 * 8 + passed */
	{ 0, "E.executions", "{42,72}" },
	{ 0, "E.warnings",
	  "[{\"policy_name\":\"cap\",\"type\":\"cost_near_limit\",\"details\":{"
	  "\"alternatives\":[{\"model_id\":\"small\",\"vendor_id\":\"openai\","
	  "\"mean_price_per_mil_tokens\":2},{\"model_id\":\"free\","
	  "\"vendor_id\":\"who\",\"mean_price_per_mil_tokens\":null}],"
	  "\"none\":null,\"cost\":null,\"list\":[\"a\",\"b\"],"
	  "\"share\":0.25,\"flag\":true,\"count\":7}},"
	  "{\"policy_name\":\"cap\",\"type\":\"not_evaluated\","
	  "\"action\":\"block\",\"details\":{}},"
	  "{\"type\":\"fact_overridden\",\"details\":{}}]" },
	{ 0, "E.metadata",
	  "{\"sources\":{\"user_tier\":\"default\"},\"given_cost\":0.1875,"
	  "\"temperature\":0.5,\"dev_flag\":true,"
	  "\"tags\":{\"n\":1.5,\"t\":\"tab\\\\there\",\"y\":true},"
	  "\"requires\":{\"function_calling\":true,\"vision\":true,"
	  "\"reasoning\":true,\"context_tokens\":100},"
	  "\"fallback_chain\":[\"small\",\"free\"]}" },
	{ 1, "V.violation_id", "v-0" },
	{ 1, "V.evaluation_id", "e-1" },
	{ 1, "V.policy_id", "p-1" },
	{ 1, "V.policy_version", "3" },
	{ 1, "V.policy_name", "cap" },
	{ 1, "V.category", "cost" },
	{ 1, "V.violation_type", "cost_per_request_exceeded" },
	{ 1, "V.severity", "high" },
	{ 1, "V.mode", "enforce" },
	{ 1, "V.enforced", "t" },
	{ 1, "V.action_taken", "degraded" },
	{ 1, "V.violation_details",
	  "{\"observed\":0.1875,\"limit\":0.05,\"unit\":\"USD\"}" },
	{ 1, "V.message", "too dear" },
	{ 1, "V.user_id", "ada" },
	{ 1, "V.original_model", "big" },
	{ 1, "V.fallback_model", "small" },
	{ 1, "V.cost_impact", "0.1854" },
	{ 1, "V.impact_score", "80.0" },
	{ 1, "V.evaluation_time_ms", "1.083" },
	{ 1, "V.metadata", "{\"scope\":\"user\",\"subject\":\"ada\"}" },
	{ 2, "V.violation_id", "v-1" },
	{ 2, "V.mode", "shadow" },
	{ 2, "V.enforced", "f" },
	{ 2, "V.action_taken", "logged" },
	{ 2, "V.cost_impact", "0" },
	{ 2, "V.impact_score", "20.0" },
	{ 2, "V.metadata",
	  "{\"scope\":\"team\",\"subject\":\"anonymous\","
	  "\"excused\":\"shadow\"}" },
};

static void
writes_a_line_a_row(void **state)
{
	struct outcome_parts parts;
	struct lines lines;

	(void)state;
	outcome_fixture(&parts);
	write_lines(&parts, &lines);
	assert_int_equal(lines.n, 3);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		print_message("%s\n", cells[i].column);
		assert_string_equal(
		    cell(&lines, cells[i].line, cells[i].column),
		    cells[i].want);
	}
	buf_fini(&lines.text);
}

static void
leaves_out_what_is_not_there(void **state)
{
	struct outcome_parts parts;
	struct lines lines;

	(void)state;
	outcome_fixture(&parts);
	parts.ctx = (struct context){ 0 };
	parts.ctx.facts[FACT_model_id].source = SOURCE_BODY;
	parts.ctx.facts[FACT_model_id].value.text = "m";
	parts.ctx.requires.context_tokens = 7;
	parts.decision.action = ACTION_ALLOW;
	parts.decision.findings.n = 0;
	parts.decision.estimate.cost_nanousd = MONEY_UNKNOWN;
	parts.decision.final_estimate.cost_nanousd = MONEY_UNKNOWN;
	write_lines(&parts, &lines);
	assert_int_equal(lines.n, 1);
	assert_string_equal(cell(&lines, 0, "E.estimated_cost"), "\\N");
	assert_string_equal(cell(&lines, 0, "E.final_cost"), "\\N");
	assert_string_equal(cell(&lines, 0, "E.fallback_model"), "\\N");
	assert_string_equal(cell(&lines, 0, "E.warnings"), "[]");
	assert_string_equal(cell(&lines, 0, "E.metadata"),
			    "{\"sources\":{},"
			    "\"requires\":{\"context_tokens\":7}}");
	buf_fini(&lines.text);
}

/* What was done and what it was worth: money of the violation's line. */
static const struct {
	enum action action, decided;
	bool enforced;
	int64_t asked, final, observed, limit;
	enum detail_type type;
	const char *taken, *cost_impact, *impact_score, *final_cost;
} worths[] = {
	{ ACTION_BLOCK, ACTION_BLOCK, true, 500, 500, 30, 20, DETAIL_COUNT,
	  "blocked", "0.0000005", "60.0", "0" },
	{ ACTION_BLOCK, ACTION_BLOCK, true, MONEY_UNKNOWN, MONEY_UNKNOWN, 20,
	  20, DETAIL_COUNT, "blocked", "\\N", "40.0", "0" },
	{ ACTION_DEGRADE, ACTION_BLOCK, true, 500, 500, 300, 20, DETAIL_COUNT,
	  "blocked", "0.0000005", "80.0", "0" },
	{ ACTION_DEGRADE, ACTION_DEGRADE, true, 500, 100, 500, 400,
	  DETAIL_MONEY, "degraded", "0.0000004", "50.0", "0.0000001" },
	{ ACTION_DEGRADE, ACTION_DEGRADE, true, 100, 500, 500, 400,
	  DETAIL_MONEY, "degraded", "0", "50.0", "0.0000005" },
	{ ACTION_DEGRADE, ACTION_DEGRADE, true, MONEY_UNKNOWN, 1, 5, 4,
	  DETAIL_MONEY, "degraded", "\\N", "50.0", "0.000000001" },
	{ ACTION_DEGRADE, ACTION_DEGRADE, true, 1, MONEY_UNKNOWN, 5, 4,
	  DETAIL_MONEY, "degraded", "\\N", "50.0", "\\N" },
	{ ACTION_WARN, ACTION_WARN, true, 9, 9, 500, 400, DETAIL_MONEY,
	  "warned", "0.0000001", "50.0", "0.000000009" },
	{ ACTION_WARN, ACTION_WARN, true, 9, 9, 500, 400, DETAIL_COUNT,
	  "warned", "0", "50.0", "0.000000009" },
	{ ACTION_WARN, ACTION_WARN, true, 9, 9, 500, 0, DETAIL_MONEY, "warned",
	  "0.0000005", "80.0", "0.000000009" },
	{ ACTION_WARN, ACTION_WARN, true, 9, 9, 300, 400, DETAIL_MONEY,
	  "warned", "0", "40.0", "0.000000009" },
	{ ACTION_WARN, ACTION_WARN, true, 9, 9, MONEY_UNKNOWN, 400,
	  DETAIL_MONEY, "warned", "0", "80.0", "0.000000009" },
	{ ACTION_WARN, ACTION_WARN, true, 9, 9, 1, MONEY_UNKNOWN, DETAIL_MONEY,
	  "warned", "0.000000002", "80.0", "0.000000009" },
	{ ACTION_LOG, ACTION_LOG, true, 9, 9, 500, 400, DETAIL_TEXT, "logged",
	  "0", "80.0", "0.000000009" },
	{ ACTION_BLOCK, ACTION_ALLOW, false, 9, 9, 500, 400, DETAIL_MONEY,
	  "logged", "0.0000001", "50.0", "0.000000009" },
};

static void
says_what_was_done_and_its_worth(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(worths) / sizeof(worths[0]); i++) {
		struct outcome_parts parts;
		struct lines lines;

		print_message("case %zu\n", i);
		outcome_fixture(&parts);
		struct finding *f = &parts.findings[0];
		f->action = worths[i].action;
		f->enforced = worths[i].enforced;
		f->details[0].type = worths[i].type;
		f->details[1].type = worths[i].type;
		if (worths[i].type != DETAIL_TEXT) {
			f->details[0].value.number = worths[i].observed;
			f->details[1].value.number = worths[i].limit;
		} else {
			f->details[0].value.text = "x";
			f->details[1].value.text = "y";
		}
		parts.decision.action = worths[i].decided;
		parts.decision.estimate.cost_nanousd = worths[i].asked;
		parts.decision.final_estimate.cost_nanousd = worths[i].final;
		parts.decision.findings.n = 1;
		write_lines(&parts, &lines);
		assert_string_equal(cell(&lines, 1, "V.action_taken"),
				    worths[i].taken);
		assert_string_equal(cell(&lines, 1, "V.cost_impact"),
				    worths[i].cost_impact);
		assert_string_equal(cell(&lines, 1, "V.impact_score"),
				    worths[i].impact_score);
		assert_string_equal(cell(&lines, 0, "E.final_cost"),
				    worths[i].final_cost);
		buf_fini(&lines.text);
	}
}

static void
cuts_an_endless_list(void **state)
{
	enum { MANY = 100000 };
	struct outcome_parts parts;
	struct lines lines;
	struct execution *executions = calloc(MANY, sizeof(*executions));
	struct finding *findings = calloc(MANY, sizeof(*findings));

	(void)state;
	assert_non_null(executions);
	assert_non_null(findings);
	outcome_fixture(&parts);
	for (int i = 0; i < MANY; i++) {
		executions[i] = parts.executions[0];
		findings[i] = parts.findings[1];
	}
	parts.decision.executions = executions;
	parts.decision.executions_n = MANY;
	parts.decision.findings.items = findings;
	parts.decision.findings.n = MANY;
	write_lines(&parts, &lines);
	assert_int_equal(lines.n, 1);
	assert_int_equal(strlen(cell(&lines, 0, "E.executions")),
			 1 + MANY * strlen("42,"));
	assert_in_range(strlen(cell(&lines, 0, "E.warnings")),
			RECORD_LIST_MAX_BYTES, RECORD_LIST_MAX_BYTES + 1024);
	assert_string_equal(cell(&lines, 0, "E.policies_evaluated"), "100000");
	buf_fini(&lines.text);
	free(executions);
	free(findings);
}

/* --- the spool ------------------------------------------------------------ */

struct place {
	char path[32];
	struct config config;
	struct board *board;
	struct spool *spool;
};

static void
open_spool(struct place *place)
{
	struct err err = { 0 };

	strcpy(place->path, "/tmp/test_record.XXXXXX");
	assert_non_null(mkdtemp(place->path));
	config_default(&place->config);
	strcpy(place->config.state_dir, place->path);
	assert_int_equal(board_open(place->path, &place->board, &err),
			 STATUS_OK);
	assert_int_equal(
	    spool_open(&place->config, place->board, &place->spool, &err),
	    STATUS_OK);
}

static void
close_spool(struct place *place)
{
	char command[64];

	spool_close(place->spool);
	snprintf(command, sizeof(command), "rm -rf %s", place->path);
	assert_int_equal(system(command), 0);
}

static void
stores_in_several_records(void **state)
{
	static const struct {
		size_t max;
		size_t records;
	} cases_[] = { { 100, 1 }, { 12, 1 }, { 11, 2 }, { 4, 3 }, { 7, 3 } };
	struct buf record = { 0 };
	struct place place;

	(void)state;
	buf_adds(&record, "Eaa\nVbb\nVcc\n");
	open_spool(&place);
	for (size_t i = 0; i < sizeof(cases_) / sizeof(cases_[0]); i++) {
		struct err err = { 0 };
		struct buf got = { 0 };
		struct spool_reader *reader;
		static struct spool_place at;
		size_t n = 0;

		assert_int_equal(
		    record_store(place.spool, &record, cases_[i].max, &err),
		    STATUS_OK);
		assert_int_equal(spool_reader_open(&place.config, place.board,
						   &reader, &err),
				 STATUS_OK);
		assert_int_equal(
		    spool_reader_read(reader, at, 1 << 20, &got, &n, &at, &err),
		    STATUS_OK);
		assert_int_equal(n, cases_[i].records);
		assert_string_equal(buf_text(&got), "Eaa\nVbb\nVcc\n");
		spool_reader_close(reader);
		buf_fini(&got);
	}
	buf_fini(&record);
	close_spool(&place);
}

static void
says_that_the_spool_is_full(void **state)
{
	struct buf record = { 0 };
	struct err err = { 0 };
	struct place place;

	(void)state;
	buf_adds(&record, "Eaa\n");
	open_spool(&place);
	atomic_store(&place.board->spool_appended_bytes,
		     (uint64_t)place.config.spool_max_bytes);
	assert_int_equal(record_store(place.spool, &record, 100, &err),
			 STATUS_FULL);
	buf_fini(&record);
	close_spool(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_a_line_a_row),
		cmocka_unit_test(leaves_out_what_is_not_there),
		cmocka_unit_test(says_what_was_done_and_its_worth),
		cmocka_unit_test(cuts_an_endless_list),
		cmocka_unit_test(stores_in_several_records),
		cmocka_unit_test(says_that_the_spool_is_full),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
