#include "record/row.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/money.h"

/* Columns, counted, and with a comma before each; the first comma is skipped
 * where they are used. */
#define COUNTED(column) +1
#define NAMED(column) ",\"" #column "\""
#define NOTHING(column)

enum {
#define EVALUATION COUNTED
#define VIOLATION NOTHING
#define USAGE NOTHING
	EVALUATIONS_N = 0
#include "record/row.tbl.h"
#undef EVALUATION
#undef VIOLATION
#undef USAGE
	,
#define EVALUATION NOTHING
#define VIOLATION COUNTED
#define USAGE NOTHING
	VIOLATIONS_N = 0
#include "record/row.tbl.h"
#undef EVALUATION
#undef VIOLATION
#undef USAGE
	,
#define EVALUATION NOTHING
#define VIOLATION NOTHING
#define USAGE COUNTED
	USAGE_N = 0
#include "record/row.tbl.h"
#undef EVALUATION
#undef VIOLATION
#undef USAGE
};

static const struct {
	const char *name;
	char letter;
	const char *columns;
	size_t columns_n;
} tables[ROW_TABLES] = {
#define EVALUATION NAMED
#define VIOLATION NOTHING
#define USAGE NOTHING
	[ROW_EVALUATIONS] = { "evaluations", 'E',
#include "record/row.tbl.h"
			      , EVALUATIONS_N },
#undef EVALUATION
#undef VIOLATION
#undef USAGE
#define EVALUATION NOTHING
#define VIOLATION NAMED
#define USAGE NOTHING
	[ROW_VIOLATIONS] = { "policy_violations", 'V',
#include "record/row.tbl.h"
			     , VIOLATIONS_N },
#undef EVALUATION
#undef VIOLATION
#undef USAGE
#define EVALUATION NOTHING
#define VIOLATION NOTHING
#define USAGE NAMED
	[ROW_USAGE] = { "usage", 'U',
#include "record/row.tbl.h"
			, USAGE_N },
#undef EVALUATION
#undef VIOLATION
#undef USAGE
};

const char *
row_table_name(enum row_table table)
{
	return tables[table].name;
}

char
row_table_letter(enum row_table table)
{
	return tables[table].letter;
}

const char *
row_table_columns(enum row_table table)
{
	return tables[table].columns + 1;
}

size_t
row_table_columns_n(enum row_table table)
{
	return tables[table].columns_n;
}

void
row_begin(struct row *row, struct buf *out, enum row_table table)
{
	assert(table < ROW_TABLES);
	*row = (struct row){ .out = out, .table = table };
	buf_addc(out, tables[table].letter);
}

/* Before each column: the tab between two of them. */
static void
next_column(struct row *row)
{
	assert(row->columns_n < tables[row->table].columns_n);
	if (row->columns_n++ > 0) {
		buf_addc(row->out, '\t');
	}
}

static char
escape_letter(char c)
{
	switch (c) {
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	default:
		return '\\';
	}
}

void
row_text(struct row *row, const char *text)
{
	if (text == NULL) {
		row_null(row);
		return;
	}
	next_column(row);
	for (;;) {
		size_t plain = strcspn(text, "\t\n\r\\");

		buf_add(row->out, text, plain);
		text += plain;
		if (*text == '\0') {
			break;
		}
		buf_addc(row->out, '\\');
		buf_addc(row->out, escape_letter(*text));
		text++;
	}
}

void
row_int(struct row *row, int64_t n)
{
	next_column(row);
	buf_addi(row->out, n);
}

void
row_null(struct row *row)
{
	next_column(row);
	buf_add(row->out, "\\N", 2);
}

void
row_bool(struct row *row, bool b)
{
	next_column(row);
	buf_addc(row->out, b ? 't' : 'f');
}

void
row_money(struct row *row, int64_t nanousd)
{
	if (nanousd == MONEY_UNKNOWN) {
		row_null(row);
		return;
	}
	row_difference(row, nanousd);
}

void
row_difference(struct row *row, int64_t nanousd)
{
	char text[MONEY_TEXT_BYTES];

	next_column(row);
	buf_adds(row->out, money_text(nanousd, text));
}

void
row_ms(struct row *row, int64_t us)
{
	char text[8], *end = text + sizeof(text);
	char *at = decimal_digits(end, (uint64_t)(us % 1000), 3);

	assert(us >= 0);
	next_column(row);
	buf_addi(row->out, us / 1000);
	buf_addc(row->out, '.');
	buf_add(row->out, at, (size_t)(end - at));
}

void
row_time(struct row *row, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];

	next_column(row);
	buf_adds(row->out, clock_rfc3339(us, text));
}

void
row_end(struct row *row)
{
	assert(row->columns_n == tables[row->table].columns_n);
	buf_addc(row->out, '\n');
}
