/*
 * bench_counter: what one take costs beside its store, by the store in memory:
 * microseconds, allocations, round trips and bytes of the account, for 0 to 8
 * counters of one subject, and of two.
 *
 *	bench_counter          the table
 *	bench_counter N TURNS  so many takes of N counters, for callgrind with
 *		--toggle-collect=counter_take
 *
 * Figures are for comparing in one run on one machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"
#include "counter/counter.h"

enum { ROUNDS = 5, TURNS = 20000, CHARGES = 8 };

#define NOW_US INT64_C(1795435200000000)
#define STEP_US 3000 /* between two calls */

void *__real_memory_get(size_t n);
void *__wrap_memory_get(size_t n);
void *__real_memory_resize(void *old, size_t n);
void *__wrap_memory_resize(void *old, size_t n);

static unsigned long allocations;

void *
__wrap_memory_get(size_t n)
{
	allocations++;
	return __real_memory_get(n);
}

void *
__wrap_memory_resize(void *old, size_t n)
{
	allocations++;
	return __real_memory_resize(old, n);
}

static const enum constraint_key keys[CHARGES] = {
	CONSTRAINT_max_requests_per_minute, CONSTRAINT_max_requests_per_hour,
	CONSTRAINT_max_requests_per_day,    CONSTRAINT_max_daily_cost,
	CONSTRAINT_max_monthly_cost,	    CONSTRAINT_max_tokens_per_minute,
	CONSTRAINT_max_weekly_cost,	    CONSTRAINT_max_daily_tokens
};

struct bench {
	struct counter *counter;
	struct counter_memory *memory;
	struct counter_store *store; /* of the worker */
	struct counter_worker *worker;
	struct policy policies[CHARGES];
	struct constraint constraints[CHARGES];
	struct charge charges[CHARGES];
	struct charged out[CHARGES];
	int64_t now_us;
};

static void
fill(struct bench *b, size_t i, const char *subject)
{
	const int64_t day = INT64_C(86400000000);
	const int64_t from = NOW_US / day * day;

	b->policies[i] = (struct policy){ .scope = SCOPE_USER };
	b->constraints[i] =
	    (struct constraint){ .key = keys[i], .counter = 1000 + i };
	b->charges[i] = (struct charge){
		.policy = &b->policies[i],
		.constraint = &b->constraints[i],
		.row = counter_row(keys[i]),
		.subject = subject,
		.mode = CHARGE_LIMITS,
		.amount = 700,
		.limit = INT64_MAX / 2,
		.alert_at = INT64_MAX,
		.window = { from, from + day },
	};
}

static void
turn(struct bench *b, size_t n)
{
	char id[UUID_TEXT_BYTES];
	struct counter_call call = { .evaluation_id = id,
				     .now_us = b->now_us,
				     .expires_us = b->now_us + 900000000 };

	uuid_make(b->now_us, id);
	if (!counter_take(b->worker, &call, b->charges, n, b->out)) {
		fprintf(stderr, "refused\n");
		exit(EXIT_FAILURE);
	}
	counter_done(b->worker);
	b->now_us += STEP_US;
}

static void
measure(struct bench *b, size_t n, int subjects)
{
	double best = 0;

	for (size_t i = 0; i < CHARGES; i++) {
		fill(b, i, i % (size_t)subjects == 0 ? "ann" : "bob");
	}
	counter_memory_flush(b->memory);
	b->now_us = NOW_US;
	if (b->store->type->begin(b->store, b->store->epoch, NULL) !=
	    STATUS_OK) {
		exit(EXIT_FAILURE);
	}
	for (int i = 0; i < TURNS; i++) {
		turn(b, n);
	}
	unsigned long before = allocations;
	uint64_t trips = b->store->round_trips;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t begin = clock_mono_us();

		for (int i = 0; i < TURNS; i++) {
			turn(b, n);
		}
		double us = (double)(clock_mono_us() - begin) / TURNS;
		best = round == 0 || us < best ? us : best;
	}
	const double turns = (double)ROUNDS * TURNS;
	printf("%8zu %8d %8.2f %11.2f %11.2f\n", n, subjects, best,
	       (double)(allocations - before) / turns,
	       (double)(b->store->round_trips - trips) / turns);
}

int
main(int argc, char **argv)
{
	struct bench b = { .now_us = NOW_US };
	struct config config;
	struct err err;
	char folder[] = "/tmp/ims-bench.XXXXXX", path[64];

	config_default(&config);
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		return EXIT_FAILURE;
	}
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", folder);
	if (counter_open(&config, NULL, &b.counter, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	b.memory = counter_memory_new();
	b.store = counter_memory_store(b.memory);
	b.store->epoch = 1;
	b.worker = counter_worker_on(b.counter, b.store);
	if (argc == 3) {
		size_t n = strtoul(argv[1], NULL, 10);
		int turns = atoi(argv[2]);

		for (size_t i = 0; i < CHARGES; i++) {
			fill(&b, i, "ann");
		}
		if (n > CHARGES ||
		    b.store->type->begin(b.store, 1, NULL) != STATUS_OK) {
			return EXIT_FAILURE;
		}
		for (int i = 0; i < turns; i++) {
			turn(&b, n);
		}
	} else {
		printf("counters subjects  us/take allocations round trips\n");
		measure(&b, 0, 1);
		measure(&b, 1, 1);
		measure(&b, 5, 1);
		measure(&b, 8, 1);
		measure(&b, 8, 2);
	}
	counter_worker_free(b.worker);
	counter_memory_free(b.memory);
	counter_close(b.counter);
	snprintf(path, sizeof(path), "%s/claims", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	return EXIT_SUCCESS;
}
