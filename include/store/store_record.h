/*
 * store_record: the recorded tables and how far each spool has got.
 */
#ifndef STORE_STORE_RECORD_H
#define STORE_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/pg.h"

/* Rows of one table in COPY text form. */
struct store_record_rows {
	const char *table;
	const char *columns; /* quoted, with commas */
	const char *bytes;   /* [bytes_n] */
	size_t bytes_n;
	size_t rows_n;
	/* The table is `usage`: what is there already is passed over.  Its
	 * rows are in the order of their keys, so that two hosts that bring the
	 * same ones wait for each other and never for ever. */
	bool ledger;
};

/* Where a spool has been drained to. */
struct store_record_cursor {
	const char *spool_id; /* a UUID */
	uint64_t segment;
	uint64_t offset;
};

/* A new spool begins at 0, 0.  CURSOR->spool_id is taken, the rest given. */
enum status store_record_cursor(struct pg *pg,
				struct store_record_cursor *cursor,
				struct err *err) MUST_CHECK;

/**
 * store_record(pg, rows, n, from, to, err):
 * In one transaction: move the cursor FROM -> TO and copy the rows of N
 * tables, in their order; a table without rows costs nothing.
 *
 * Errors:  STATUS_BUSY: the cursor was not at FROM, somebody else moved it;
 *          STATUS_BODY: the server refused the data, or took another number of
 *          rows than it was sent; STATUS_CONFLICT: an id is there already, of
 *          a table that is no ledger; else as pg_query.  After
 *          STATUS_UNAVAILABLE it is not known whether it took place: ask for
 *          the cursor.
 */
enum status store_record(struct pg *pg, const struct store_record_rows *rows,
			 size_t n, const struct store_record_cursor *from,
			 const struct store_record_cursor *to,
			 struct err *err) MUST_CHECK;

#endif /* STORE_STORE_RECORD_H */
