#include "record/drain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "record/row.h"
#include "record/spool.h"
#include "record/spool_keep.h"
#include "record/spool_reader.h"
#include "store/store_record.h"

/* Values of the metric drain_batches_total. */
enum { BATCH_OK, BATCH_ERROR };

/* A batch of this size is not made smaller for being slow. */
enum { SMALL_BYTES = 65536 };

struct drain {
	char state_dir[CONFIG_TEXT_BYTES];
	struct spool_reader *reader;
	struct board *board;
	size_t batch_bytes; /* the setting */
	size_t limit_bytes; /* less after a refused batch, until some went */
	bool behind;	    /* see drain_behind() */
	bool placed;	    /* PLACE is known to be PostgreSQL's */
	struct spool_place place;
	struct buf payload;
	struct buf rows[ROW_TABLES];
	size_t rows_n[ROW_TABLES];
	struct line *ledger; /* [rows_n[ROW_USAGE]], in the payload */
	size_t ledger_size;
};

/* A row and its newline. */
struct line {
	const char *at;
	size_t n;
};

enum status
drain_open(const struct config *config, struct board *board, struct drain **out,
	   struct err *err)
{
	struct spool_reader *reader = NULL;
	enum status status = spool_reader_open(config, board, &reader, err);

	if (status != STATUS_OK) {
		return status;
	}
	struct drain *drain = memory_get(sizeof(*drain));
	*drain = (struct drain){
		.reader = reader,
		.board = board,
		.batch_bytes = (size_t)config->drain_batch_bytes,
		.limit_bytes = (size_t)config->drain_batch_bytes,
	};
	snprintf(drain->state_dir, sizeof(drain->state_dir), "%s",
		 config->state_dir);
	*out = drain;
	return STATUS_OK;
}

void
drain_close(struct drain *drain)
{
	if (drain == NULL) {
		return;
	}
	spool_reader_close(drain->reader);
	buf_fini(&drain->payload);
	for (int table = 0; table < ROW_TABLES; table++) {
		buf_fini(&drain->rows[table]);
	}
	free(drain->ledger);
	free(drain);
}

void
drain_account(struct drain *drain)
{
	spool_keep_account(drain->state_dir, drain->board,
			   drain->placed ? &drain->place : NULL);
	metric_set(METRIC_spool_backlog_bytes,
		   (int64_t)spool_backlog_bytes(drain->board));
}

const char *
drain_spool_id(const struct drain *drain)
{
	return spool_reader_id(drain->reader);
}

static struct store_record_cursor
cursor_at(const struct drain *drain, struct spool_place place)
{
	return (struct store_record_cursor){
		.spool_id = spool_reader_id(drain->reader),
		.segment = place.segment,
		.offset = place.offset,
	};
}

/* Learn from PostgreSQL how far the spool is drained. */
static enum status
find_place(struct drain *drain, struct pg *pg, struct err *err)
{
	struct store_record_cursor cursor =
	    cursor_at(drain, (struct spool_place){ .segment = 0 });
	enum status status = store_record_cursor(pg, &cursor, err);

	if (status != STATUS_OK) {
		return status;
	}
	struct spool_place said = { cursor.segment, cursor.offset };
	struct spool_place place = spool_reader_resume(drain->reader, said);
	if (place.segment != said.segment || place.offset != said.offset) {
		struct store_record_cursor to = cursor_at(drain, place);
		status = store_record(pg, NULL, 0, &cursor, &to, err);
	}
	if (status == STATUS_OK) {
		drain->place = place;
		drain->placed = true;
		spool_keep_trim(drain->state_dir, drain->board, place);
	}
	return status;
}

static int
compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;

	/* Different lines differ before the newline of the shorter one. */
	return memcmp(x->at, y->at, n);
}

static void
keep_ledger_line(struct drain *drain, struct line line)
{
	size_t n = drain->rows_n[ROW_USAGE];

	if (n == drain->ledger_size) {
		drain->ledger_size = n > 0 ? 2 * n : 1024;
		drain->ledger = memory_resize(
		    drain->ledger, drain->ledger_size * sizeof(*drain->ledger));
	}
	drain->ledger[n] = line;
}

/* In the order of their keys, with which the lines begin. */
static void
add_ledger(struct drain *drain)
{
	size_t n = drain->rows_n[ROW_USAGE];

	if (n > 0) {
		qsort(drain->ledger, n, sizeof(*drain->ledger), compare_lines);
	}
	for (size_t i = 0; i < n; i++) {
		buf_add(&drain->rows[ROW_USAGE], drain->ledger[i].at,
			drain->ledger[i].n);
	}
}

/* Sort the payload's lines by table; false: a line is of no table. */
static bool
split(struct drain *drain)
{
	const char *at = buf_text(&drain->payload);
	const char *end = at + drain->payload.len;

	for (int table = 0; table < ROW_TABLES; table++) {
		buf_reset(&drain->rows[table]);
		drain->rows_n[table] = 0;
	}
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		int table = 0;
		while (table < ROW_TABLES &&
		       row_table_letter((enum row_table)table) != *at) {
			table++;
		}
		if (line_end == NULL || table == ROW_TABLES) {
			return false;
		}
		struct line line = { at + 1, (size_t)(line_end - at) };
		if (table == ROW_USAGE) {
			keep_ledger_line(drain, line);
		} else {
			buf_add(&drain->rows[table], line.at, line.n);
		}
		drain->rows_n[table]++;
		at = line_end + 1;
	}
	add_ledger(drain);
	return true;
}

/* Send what was split and move the cursor to TO. */
static enum status
send(struct drain *drain, struct pg *pg, struct spool_place to, struct err *err)
{
	struct store_record_rows rows[ROW_TABLES];
	struct store_record_cursor from_cursor = cursor_at(drain, drain->place);
	struct store_record_cursor to_cursor = cursor_at(drain, to);

	for (int i = 0; i < ROW_TABLES; i++) {
		enum row_table table = (enum row_table)i;
		rows[i] = (struct store_record_rows){
			.table = row_table_name(table),
			.columns = row_table_columns(table),
			.bytes = drain->rows[i].data,
			.bytes_n = drain->rows[i].len,
			.rows_n = drain->rows_n[i],
			.ledger = table == ROW_USAGE,
		};
	}
	enum status status =
	    store_record(pg, rows, ROW_TABLES, &from_cursor, &to_cursor, err);
	metric_add(METRIC_drain_batches_total,
		   status == STATUS_OK ? BATCH_OK : BATCH_ERROR, 1);
	if (status == STATUS_OK) {
		for (int i = 0; i < ROW_TABLES; i++) {
			metric_add(METRIC_drain_rows_total, i,
				   drain->rows_n[i]);
		}
	}
	return status;
}

/* The cursor is at NEXT now. */
static void
arrive(struct drain *drain, struct spool_place next)
{
	bool trim = next.segment != drain->place.segment;

	drain->place = next;
	if (trim) {
		spool_keep_trim(drain->state_dir, drain->board, next);
	}
}

/* Pass the one record of the batch, which was refused with STATUS. */
static enum status
pass_refused(struct drain *drain, struct pg *pg, struct spool_place next,
	     enum status status, struct err *err)
{
	if (status == STATUS_CONFLICT) {
		log_warning("passed over a record that is in PostgreSQL "
			    "already, spool segment %" PRIu64 " before %" PRIu64
			    ": %s",
			    next.segment, next.offset, err->text);
	} else {
		struct err why = *err;
		status = spool_keep_rejected(drain->state_dir, next,
					     &drain->payload, why.text, err);
		if (status != STATUS_OK) {
			return status;
		}
		metric_add(METRIC_drain_rejected_total, 0, 1);
		log_error("kept a record aside in spool/rejected, spool "
			  "segment %" PRIu64 " before %" PRIu64 ": %s",
			  next.segment, next.offset, why.text);
	}
	for (int table = 0; table < ROW_TABLES; table++) {
		buf_reset(&drain->rows[table]);
		drain->rows_n[table] = 0;
	}
	status = send(drain, pg, next, err);
	if (status == STATUS_OK) {
		arrive(drain, next);
	}
	return status;
}

/*
 * A smaller limit than the one that was, also where a small record stands
 * before a large one, which is read with it as long as the limit is not
 * reached.
 */
static void
halve(struct drain *drain)
{
	size_t n = drain->payload.len;

	n = (n < drain->limit_bytes ? n : drain->limit_bytes) / 2;
	drain->limit_bytes = n > 0 ? n : 1; /* 0 would read nothing */
}

/* One try of at most limit_bytes; STATUS_OK and AGAIN: now a smaller one. */
static enum status
step(struct drain *drain, struct pg *pg, size_t *moved, bool *again,
     struct err *err)
{
	struct spool_place next;
	size_t n = 0;
	enum status status =
	    spool_reader_read(drain->reader, drain->place, drain->limit_bytes,
			      &drain->payload, &n, &next, err);

	if (status != STATUS_OK) {
		return status;
	}
	*moved = n;
	if (n == 0 && next.segment == drain->place.segment &&
	    next.offset == drain->place.offset) {
		return STATUS_OK;
	}
	if (!split(drain)) {
		status = err_set(err, STATUS_BODY,
				 "a line of the spool is of no table");
	} else {
		status = send(drain, pg, next, err);
	}
	if (status == STATUS_OK) {
		arrive(drain, next);
		drain->behind = drain->payload.len >= drain->limit_bytes / 2;
		drain->limit_bytes = drain->limit_bytes < drain->batch_bytes / 2
					 ? drain->limit_bytes * 2
					 : drain->batch_bytes;
		return STATUS_OK;
	}
	if (status == STATUS_UNAVAILABLE && drain->payload.len > SMALL_BYTES) {
		/* Perhaps it is more than can be done in pg_timeout_ms. */
		halve(drain);
	}
	if (status != STATUS_BODY && status != STATUS_CONFLICT) {
		return status;
	}
	if (n > 1) {
		halve(drain);
		*again = true;
		return STATUS_OK;
	}
	return pass_refused(drain, pg, next, status, err);
}

enum status
drain_step(struct drain *drain, struct pg *pg, size_t *moved, struct err *err)
{
	assert(drain != NULL && pg != NULL && moved != NULL);
	struct err local;
	struct err *why = err != NULL ? err : &local;
	enum status status = STATUS_OK;
	size_t n = 0;

	if (!drain->placed) {
		status = find_place(drain, pg, why);
	}
	drain->behind = true; /* where something is refused */
	for (bool again = true; status == STATUS_OK && again;) {
		again = false;
		status = step(drain, pg, &n, &again, why);
	}
	if (status != STATUS_OK) {
		/* Where the commit was cut off, only PostgreSQL knows. */
		drain->placed = false;
		return status;
	}
	*moved = n;
	drain->behind = drain->behind && n > 0;
	return STATUS_OK;
}

bool
drain_behind(const struct drain *drain)
{
	return drain->behind;
}
