/*
 * row: a record's lines in the COPY text form of PostgreSQL.
 *
 * row_begin, then one row_* per column of record/row.tbl.h in its order, then
 * row_end, which asserts that none was left out.  Escaping is the row's
 * business: tab, newline, carriage return, backslash (PostgreSQL, COPY, "Text
 * Format").
 */
#ifndef RECORD_ROW_H
#define RECORD_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum row_table { ROW_EVALUATIONS, ROW_VIOLATIONS, ROW_USAGE, ROW_TABLES };

struct row {
	struct buf *out;
	enum row_table table;
	size_t columns_n;
};

const char *row_table_name(enum row_table table); /* "evaluations", ... */
char row_table_letter(enum row_table table);	  /* 'E', 'V', 'U' */
/* Comma-separated, quoted column list, static. */
const char *row_table_columns(enum row_table table);
size_t row_table_columns_n(enum row_table table);

void row_begin(struct row *row, struct buf *out, enum row_table table);
void row_text(struct row *row, const char *text); /* NULL is SQL NULL */
void row_int(struct row *row, int64_t n);
void row_null(struct row *row);
void row_bool(struct row *row, bool b);
void row_money(struct row *row, int64_t nanousd); /* MONEY_UNKNOWN: NULL */
/* Of two amounts, which is known: also where it is as much as MONEY_UNKNOWN. */
void row_difference(struct row *row, int64_t nanousd);
void row_ms(struct row *row, int64_t us); /* "0.083" */
void row_time(struct row *row, int64_t us);
void row_end(struct row *row);

#endif /* RECORD_ROW_H */
