/*
 * fuzz_evaluation: any body is decided or refused.  The answer is JSON, and
 * its record is lines that COPY takes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "copy.h"
#include "engines.h"
#include "input.h"
#include "json/read.h"
#include "json/write.h"
#include "record/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct json_doc *
parse(const char *text, size_t n)
{
	struct json_doc *doc = NULL;
	enum status status = json_doc_parse(text, n, &doc, NULL);

	assert(status == STATUS_OK);
	return doc;
}

/* A text of JSON must be UTF-8, and PostgreSQL takes no other. */
static void
check_utf8(const struct buf *text)
{
	struct buf quoted = { 0 };
	struct json_writer w;

	json_write_init(&w, &quoted);
	json_put_string_n(&w, buf_text(text), text->len);
	json_write_end(&w);
	json_doc_free(parse(quoted.data, quoted.len));
	buf_fini(&quoted);
}

static enum row_table
table_of(char letter)
{
	int table = 0;

	while (table < ROW_TABLES &&
	       row_table_letter((enum row_table)table) != letter) {
		table++;
	}
	assert(table < ROW_TABLES);
	return (enum row_table)table;
}

/* How many lines of each table are in the record, all of which have their
 * columns: an id first and, but for usage, JSON last. */
static void
check_record(const struct buf *record, size_t lines[ROW_TABLES])
{
	const char *at = buf_text(record), *end = at + record->len;
	struct buf field = { 0 };
	bool nulled;

	while (at < end) {
		enum row_table table = table_of(*at++);
		size_t columns = 0;
		char ended = '\t';

		while (ended == '\t') {
			ended = copy_field(&at, &field, &nulled);
			assert(columns > 0 || uuid_valid(buf_text(&field)));
			columns++;
		}
		assert(columns == row_table_columns_n(table));
		if (table != ROW_USAGE) {
			json_doc_free(parse(field.data, field.len));
		}
		lines[table]++;
	}
	check_utf8(record);
	buf_fini(&field);
}

/* A report about a call that nobody can look up, since nothing counts here. */
static void
check_pending(const struct engine_answer *answer, const struct buf *record)
{
	struct json_doc *doc = parse(answer->body->data, answer->body->len);
	struct json root = json_root(doc), at;
	size_t lines[ROW_TABLES] = { 0 };

	assert(json_get(&root, "settlement", &at));
	json_doc_free(doc);
	check_record(record, lines);
	assert(lines[ROW_USAGE] == 1 && lines[ROW_EVALUATIONS] == 0);
}

/* The answer's violations, each of which has an id. */
static size_t
check_answer(const struct engine_answer *answer)
{
	struct json_doc *doc = parse(answer->body->data, answer->body->len);
	struct json root = json_root(doc), at, id;
	const char *text;

	assert(json_get(&root, "decision", &at));
	enum status status = json_string(&at, &text, NULL);
	assert(status == STATUS_OK);
	assert(answer->http_status == (strcmp(text, "block") == 0 ? 403 : 200));
	assert(json_get(&root, "violations", &at));
	size_t n = json_n(&at);
	for (size_t i = 0; i < n; i++) {
		struct json item = json_item(&at, i);

		assert(json_get(&item, "violation_id", &id));
		status = json_string(&id, &text, NULL);
		assert(status == STATUS_OK && uuid_valid(text));
	}
	json_doc_free(doc);
	return n;
}

static void
check_decision(const struct engine_answer *answer, const struct buf *record)
{
	size_t violations = check_answer(answer);
	size_t lines[ROW_TABLES] = { 0 };

	if (record == NULL) {
		return;
	}
	check_record(record, lines);
	assert(lines[ROW_EVALUATIONS] == 1);
	assert(lines[ROW_VIOLATIONS] == violations);
	/* an admitted call is in the ledger */
	assert(lines[ROW_USAGE] == (answer->http_status == 200 ? 1 : 0));
}

/* What engine I says of a body; a report that it has no room for is as good
 * as taken. */
static enum status
check(int i, const char *body, size_t n)
{
	struct arena *arena = arena_new(4096);
	struct engine_answer answer;
	const struct buf *record;
	struct err err = { 0 };

	enum status status =
	    engines_ask(i, body, n, arena, &answer, &record, &err);
	if (status == STATUS_OK && answer.http_status == 202) {
		check_pending(&answer, record);
	} else if (status == STATUS_OK) {
		check_decision(&answer, record);
	} else if (status == STATUS_FULL) {
		assert(record == NULL);
		status = STATUS_OK;
	} else {
		/* named by its request, a call cannot be looked up at all */
		assert(status_http(status) < 500 ||
		       status == STATUS_NOT_IMPLEMENTED ||
		       status == STATUS_UNAVAILABLE);
		assert(err.text[0] != '\0');
		assert(record == NULL || record->len == 0);
	}
	arena_free(arena);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *body = input_text(data, n);
	enum status status = check(0, body, n);

	for (int i = 1; i < ENGINES_N; i++) {
		enum status other = check(i, body, n);
		assert(other == status);
	}
	free(body);
	return 0;
}
