/*
 * spool_writer: fill the spool as responders do, and keep the books.
 *
 *	spool_writer CONFIG RECORDS THREADS BAD_EVERY BOOK-FILE
 *
 * THREADS threads append RECORDS records, each an evaluation and a violation
 * with all their columns; every BAD_EVERY-th (0: none) has a decision that the
 * table refuses.  The id of each record that the spool took is a line of the
 * book, with a - in front where it is a bad one, written before the next is
 * appended: kill this program at any time, and PostgreSQL must have what the
 * book has, once, and at most THREADS records more.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/board.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/uuid.h"
#include "record/row.h"
#include "record/spool.h"

static struct {
	struct spool *spool;
	int book;
	long records;
	long bad_every;
	atomic_long next;
} job;

static void
evaluation(struct buf *out, const char *id, long n, int64_t now_us, int bad)
{
	struct row row;

	row_begin(&row, out, ROW_EVALUATIONS);
	row_text(&row, id);
	row_time(&row, now_us);
	row_text(&row, "pre_flight");
	row_text(&row, bad ? "maybe" : "block");
	row_bool(&row, false);
	row_text(&row, "user-17");
	row_text(&row, "free");
	row_text(&row, "team\twith \\ and\nlines");
	row_null(&row); /* organization_id */
	row_text(&row, "abcdefgh01234567");
	row_text(&row, "session-1");
	row_text(&row, id); /* correlation_id */
	row_null(&row);	    /* request_id */
	row_text(&row, "production");
	row_text(&row, "us-east");
	row_text(&row, "gpt-4o");
	row_text(&row, "openai");
	row_null(&row); /* fallback_model */
	row_null(&row); /* fallback_vendor */
	row_int(&row, n);
	row_int(&row, 2000);
	row_null(&row); /* max_output_tokens */
	row_int(&row, 1234);
	row_money(&row, 187500000);
	row_money(&row, 187500000);
	row_int(&row, 42);
	row_int(&row, 2);
	row_int(&row, 1);
	row_ms(&row, 83);
	row_text(&row, "{10}"); /* executions */
	row_text(&row, "[]");
	row_text(&row, "{\"tags\":{\"app\":\"checkout\"}}");
	row_end(&row);
}

static void
violation(struct buf *out, const char *evaluation_id, int64_t now_us)
{
	char id[UUID_TEXT_BYTES];
	struct row row;

	uuid_make(now_us, id);
	row_begin(&row, out, ROW_VIOLATIONS);
	row_text(&row, id);
	row_text(&row, evaluation_id);
	row_time(&row, now_us);
	row_text(&row, "01930000-0000-7000-8000-000000000001");
	row_int(&row, 1);
	row_text(&row, "request-cost-limit");
	row_text(&row, "cost");
	row_text(&row, "pre_flight");
	row_text(&row, "cost_per_request_exceeded");
	row_text(&row, "medium");
	row_text(&row, "enforce");
	row_bool(&row, true);
	row_text(&row, "blocked");
	row_text(&row, "{\"observed\":0.1875,\"limit\":0.05,\"unit\":\"USD\"}");
	row_text(&row, "the request is estimated to cost more than permitted");
	row_text(&row, "user-17");
	row_text(&row, "free");
	row_text(&row, "team-1");
	row_null(&row); /* organization_id */
	row_text(&row, "abcdefgh01234567");
	row_text(&row, "session-1");
	row_text(&row, evaluation_id); /* correlation_id */
	row_null(&row);		       /* request_id */
	row_text(&row, "production");
	row_text(&row, "gpt-4o");
	row_text(&row, "openai");
	row_null(&row); /* fallback_model */
	row_money(&row, 187500000);
	row_text(&row, "65.0");
	row_ms(&row, 83);
	row_text(&row, "{}");
	row_end(&row);
}

/* One record; the spool being full is waited for. */
static void
append(struct buf *out, long n)
{
	char id[UUID_TEXT_BYTES], line[UUID_TEXT_BYTES + 3];
	int64_t now_us = clock_now_us();
	int bad = job.bad_every > 0 && n % job.bad_every == 0;
	struct err err;

	buf_reset(out);
	uuid_make(now_us, id);
	evaluation(out, id, n, now_us, bad);
	violation(out, id, now_us);
	while (spool_append(job.spool, out->data, out->len, &err) !=
	       STATUS_OK) {
		clock_sleep_us(20000);
	}
	int size = snprintf(line, sizeof(line), "%s%s\n", bad ? "-" : "", id);
	if (write(job.book, line, (size_t)size) != size) {
		perror("spool_writer: cannot write the book");
		exit(1);
	}
}

static void *
work(void *arg)
{
	struct buf out = { .data = NULL };

	(void)arg;
	for (long n; (n = atomic_fetch_add(&job.next, 1)) < job.records;) {
		append(&out, n + 1);
	}
	buf_fini(&out);
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct config config;
	struct board *board = NULL;
	struct err err;
	pthread_t threads[256];

	if (argc != 6) {
		fputs("usage: spool_writer CONFIG RECORDS THREADS BAD_EVERY "
		      "BOOK-FILE\n",
		      stderr);
		return 2;
	}
	long threads_n = strtol(argv[3], NULL, 10);
	job.records = strtol(argv[2], NULL, 10);
	job.bad_every = strtol(argv[4], NULL, 10);
	job.book = open(argv[5], O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (job.book < 0 || threads_n < 1 || threads_n > 256) {
		fputs("spool_writer: wrong arguments\n", stderr);
		return 2;
	}
	if (config_load(argv[1], &config, &err) != STATUS_OK ||
	    board_open(config.state_dir, &board, &err) != STATUS_OK ||
	    spool_open(&config, board, &job.spool, &err) != STATUS_OK) {
		fprintf(stderr, "spool_writer: %s\n", err.text);
		return 1;
	}
	for (long i = 0; i < threads_n; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL) != 0) {
			return 1;
		}
	}
	for (long i = 0; i < threads_n; i++) {
		pthread_join(threads[i], NULL);
	}
	spool_close(job.spool);
	return 0;
}
