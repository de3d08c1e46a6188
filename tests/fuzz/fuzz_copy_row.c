/*
 * fuzz_copy_row: what record/row.h writes of any texts, COPY reads as them.
 *
 * The first byte says which table, the texts follow with a NUL between two;
 * columns for which there is none are NULL.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "input.h"
#include "record/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The text behind TEXT; NULL at END. */
static const char *
next_text(const char *text, const char *end)
{
	if (text == NULL || text + strlen(text) >= end) {
		return NULL;
	}
	return text + strlen(text) + 1;
}

static void
check_line(const char *line, enum row_table table, const char *text,
	   const char *end)
{
	struct buf field = { 0 };
	char ended = '\t';
	size_t columns = 0;
	bool nulled;

	assert(*line++ == row_table_letter(table));
	for (; ended == '\t'; text = next_text(text, end)) {
		ended = copy_field(&line, &field, &nulled);
		assert(nulled == (text == NULL));
		assert(text == NULL || strcmp(buf_text(&field), text) == 0);
		columns++;
	}
	assert(columns == row_table_columns_n(table));
	assert(*line == '\0');
	buf_fini(&field);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf line = { 0 };
	struct row row;

	if (n == 0) {
		return 0;
	}
	char *texts = input_text(data + 1, n - 1);
	enum row_table table = data[0] % ROW_TABLES;
	const char *text = texts, *end = texts + n - 1;

	row_begin(&row, &line, table);
	for (size_t i = 0; i < row_table_columns_n(table); i++) {
		row_text(&row, text);
		text = next_text(text, end);
	}
	row_end(&row);
	assert(strlen(line.data) == line.len);
	check_line(line.data, table, texts, end);
	buf_fini(&line);
	free(texts);
	return 0;
}
