/*
 * spool_writer: fill the spool as responders do, and keep the books.
 *
 *	spool_writer CONFIG RECORDS THREADS BAD_EVERY BOOK-FILE [LINES]
 *
 * THREADS threads append RECORDS records, each an evaluation, a violation and
 * an entry `reserve` of the ledger, with all their columns; every BAD_EVERY-th
 * (0: none) has a decision that the table refuses.  The id of each record that
 * the spool took is a line of the book, with a - in front where it is a bad
 * one, written before the next is appended: kill this program at any time, and
 * PostgreSQL must have what the book has, once, and at most THREADS records
 * more.  Every second good record is followed by one with its `settle`, of
 * these every fifth comes twice.  The reserved tokens are the record's number.
 *
 * LINES (VUS) is what to write beside evaluations: violations, reserves,
 * settles.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
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

enum { USERS = 100, MODELS = 5, ESTIMATE_NANOUSD = 187500000 };

static struct {
	struct spool *spool;
	int book;
	long records;
	long bad_every;
	const char *lines;
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

/* Three rates and a budget of a user, a budget of everybody. */
static void
charges(struct row *row, long n, long amount)
{
	char text[512];
	long user = n % USERS + 1;

	snprintf(text, sizeof(text),
		 "{%ld,-7,11,0,0,0,1,%ld,-7,12,1,0,0,1,%ld,-7,13,2,0,0,1,"
		 "%ld,-7,-14,82,1795392000,1795478400,%ld,"
		 "9,9,15,84,1793491200,1796083200,%ld}",
		 user, user, user, user, amount, amount);
	row_text(row, text);
}

/* What both entries of a call have, up to the decision. */
static void
usage_call(struct row *row, const char *report_id, long n)
{
	char user[32], model[32];

	snprintf(user, sizeof(user), "user-%ld", n % USERS);
	snprintf(model, sizeof(model), "model-%ld", n % MODELS);
	row_text(row, report_id);
	row_text(row, "abcdefgh01234567"); /* key_id */
	row_text(row, user);
	row_text(row, "free");
	row_text(row, "team-1");
	row_null(row); /* organization_id */
	row_text(row, "abcdefgh01234567");
	row_text(row, "production");
	row_text(row, model);
	row_text(row, "openai");
	row_text(row, model);
	row_text(row, "openai");
	row_text(row, "allow");
}

static void
reserve(struct buf *out, const char *id, long n, int64_t now_us)
{
	struct row row;

	row_begin(&row, out, ROW_USAGE);
	row_text(&row, id);
	row_text(&row, "reserve");
	row_time(&row, now_us);
	usage_call(&row, NULL, n);
	row_int(&row, 1);
	row_money(&row, ESTIMATE_NANOUSD);
	row_int(&row, n);
	row_null(&row); /* input_tokens */
	row_null(&row); /* output_tokens */
	row_null(&row); /* overrun */
	row_null(&row); /* success */
	row_null(&row); /* latency_ms */
	row_time(&row, now_us + INT64_C(900) * 1000000);
	row_int(&row, 3);
	row_bool(&row, true);
	charges(&row, n, ESTIMATE_NANOUSD);
	row_null(&row); /* said */
	row_end(&row);
}

/* It cost a nano-dollar less. */
static void
settle(struct buf *out, const char *id, long n, int64_t now_us)
{
	struct row row;

	row_begin(&row, out, ROW_USAGE);
	row_text(&row, id);
	row_text(&row, "settle");
	row_time(&row, now_us);
	usage_call(&row, id, n);
	row_int(&row, 0);
	row_difference(&row, -1);
	row_int(&row, -1);
	row_int(&row, 40);
	row_int(&row, 60);
	row_money(&row, 0);
	row_bool(&row, n % 4 == 0);
	row_ms(&row, 1234567);
	row_null(&row); /* expires_at */
	row_int(&row, 3);
	row_bool(&row, true);
	charges(&row, n, -1);
	row_null(&row); /* said */
	row_end(&row);
}

/* The spool being full is waited for. */
static void
hand_over(const struct buf *out)
{
	struct err err;

	while (spool_append(job.spool, out->data, out->len, &err) !=
	       STATUS_OK) {
		clock_sleep_us(20000);
	}
}

static bool
wanted(char line)
{
	return strchr(job.lines, line) != NULL;
}

static void
append(struct buf *out, long n)
{
	char id[UUID_TEXT_BYTES], line[UUID_TEXT_BYTES + 3];
	int64_t now_us = clock_now_us();
	int bad = job.bad_every > 0 && n % job.bad_every == 0;

	buf_reset(out);
	uuid_make(now_us, id);
	evaluation(out, id, n, now_us, bad);
	if (wanted('V')) {
		violation(out, id, now_us);
	}
	if (wanted('U')) {
		reserve(out, id, n, now_us);
	}
	hand_over(out);
	int size = snprintf(line, sizeof(line), "%s%s\n", bad ? "-" : "", id);
	if (write(job.book, line, (size_t)size) != size) {
		perror("spool_writer: cannot write the book");
		exit(1);
	}
	if (wanted('S') && !bad && n % 2 == 0) {
		buf_reset(out);
		settle(out, id, n, now_us);
		hand_over(out);
		if (n % 10 == 0) {
			hand_over(out);
		}
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

	if (argc != 6 && argc != 7) {
		fputs("usage: spool_writer CONFIG RECORDS THREADS BAD_EVERY "
		      "BOOK-FILE [LINES]\n",
		      stderr);
		return 2;
	}
	long threads_n = strtol(argv[3], NULL, 10);
	job.records = strtol(argv[2], NULL, 10);
	job.bad_every = strtol(argv[4], NULL, 10);
	job.lines = argc == 7 ? argv[6] : "VUS";
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
