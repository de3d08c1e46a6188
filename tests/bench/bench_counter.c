/*
 * bench_counter: what a take costs, by each store that is there: in memory, of
 * a host, memcached where it is installed, PostgreSQL where IMS_PG (its owner)
 * and IMS_PG_COUNTER are set.
 *
 *	bench_counter [SECONDS]  the tables; so long is a run of contention
 *	bench_counter N TURNS    so many takes of N counters in memory, for
 *		callgrind with --toggle-collect=counter_take
 *
 * Microseconds are the best round's.  Figures are for comparing in one run on
 * one machine.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/metric.h"
#include "base/uuid.h"
#include "counter/counter.h"
#include "counter_place.h"

enum {
	ROUNDS = 5,
	CHARGES = 8,
	HOT_CHARGES = 5,
	CLIENTS_MAX = 32,
	TIMES_MAX = 1 << 20, /* takes of one client in one run */
	AMOUNT = 700
};

#define STEP_US 3000		   /* between two calls */
#define SECOND_US INT64_C(1000000) /* and so on */
#define MINUTE_US (60 * SECOND_US)
#define DAY_US (1440 * MINUTE_US)
#define LATEST_US (20 * SECOND_US) /* that a run of contention may take */

void *__real_memory_get(size_t n);
void *__wrap_memory_get(size_t n);
void *__real_memory_resize(void *old, size_t n);
void *__wrap_memory_resize(void *old, size_t n);

static _Thread_local unsigned long allocations;

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

static struct config config;
static struct counter *counter;
static double seconds = 0.5;
static int64_t today_us; /* begin of all windows */

/* ---- one client */

struct client {
	struct counter_store *store; /* of the worker */
	struct counter_worker *worker;
	struct policy policy;
	struct constraint constraints[CHARGES];
	struct charge charges[CHARGES];
	struct charged out[CHARGES];
	char subjects[2][32];
	int64_t now_us;
};

/* Its subjects are those of NUMBER. */
static void
client_begin(struct client *c, const struct counter_place *place, int number,
	     size_t subjects, int64_t now_us)
{
	struct err err;

	*c = (struct client){ .policy = { .scope = SCOPE_USER },
			      .now_us = now_us };
	c->store = place->open(place, &err);
	if (c->store == NULL) {
		counter_place_die(place->name, err.text);
	}
	c->store->epoch = place->epoch;
	c->worker = counter_worker_on(counter, c->store);
	for (size_t i = 0; i < subjects; i++) {
		snprintf(c->subjects[i], sizeof(c->subjects[i]), "%zu of %d", i,
			 number);
	}
	for (size_t i = 0; i < CHARGES; i++) {
		c->constraints[i] =
		    (struct constraint){ .key = keys[i], .counter = 1000 + i };
		c->charges[i] = (struct charge){
			.policy = &c->policy,
			.constraint = &c->constraints[i],
			.row = counter_row(keys[i]),
			.subject = c->subjects[i % subjects],
			.mode = CHARGE_LIMITS,
			.must_count = true,
			.amount = AMOUNT,
			.limit = INT64_MAX / 2,
			.alert_at = INT64_MAX,
			.window = { today_us, today_us + 7 * DAY_US },
		};
	}
}

static void
client_end(struct client *c)
{
	counter_worker_free(c->worker);
}

/* False: the counters were not known in time, and nothing is counted. */
static bool
try_take(struct client *c, size_t n)
{
	char id[UUID_TEXT_BYTES];
	struct counter_call call = { .evaluation_id = id,
				     .now_us = c->now_us,
				     .expires_us = c->now_us + 900000000 };

	uuid_make(c->now_us, id);
	if (counter_take(c->worker, &call, c->charges, n, c->out)) {
		counter_done(c->worker);
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (c->out[i].result == CHARGE_UNKNOWN) {
			return false;
		}
	}
	counter_place_die(c->store->type->name, "refused");
}

static void
take(struct client *c, size_t n)
{
	if (!try_take(c, n)) {
		counter_place_die(c->store->type->name, "not known");
	}
	c->now_us += STEP_US;
}

/* Each window has all of its parts, as of a subject that calls always. */
static void
warm(struct client *c, size_t n)
{
	static const int64_t parts_us[] = { DAY_US / 60, MINUTE_US, SECOND_US };

	for (size_t i = 0; i < sizeof(parts_us) / sizeof(parts_us[0]); i++) {
		for (int part = 0; part < 61; part++) {
			take(c, n);
			c->now_us += parts_us[i];
		}
	}
}

/* ---- what a take costs */

static double
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
cost(const struct counter_place *place, size_t n, size_t subjects)
{
	const int64_t round_us = (int64_t)(seconds * 1e6 * 2 / 5);
	double wall = 0, cpu = 0, turns = 0;
	struct client c;

	client_begin(&c, place, (int)(n * 2 + subjects), subjects,
		     clock_now_us());
	warm(&c, n);
	const unsigned long before = allocations;
	const uint64_t trips = c.store->round_trips;
	for (int round = 0; round < ROUNDS; round++) {
		const double cpu_from = cpu_us();
		const int64_t from_us = clock_mono_us();
		int64_t took_us;
		double done = 0;

		do {
			take(&c, n);
			done++;
			took_us = clock_mono_us() - from_us;
		} while (took_us < round_us);
		const double round_wall = (double)took_us / done;
		const double round_cpu = (cpu_us() - cpu_from) / done;
		wall = round == 0 || round_wall < wall ? round_wall : wall;
		cpu = round == 0 || round_cpu < cpu ? round_cpu : cpu;
		turns += done;
	}
	printf("| %zu | %zu | %.1f | %.1f | %.2f | %.2f |\n", n, subjects, wall,
	       cpu, (double)(c.store->round_trips - trips) / turns,
	       (double)(allocations - before) / turns);
	client_end(&c);
}

/* ---- contention */

struct run {
	const struct counter_place *place;
	pthread_barrier_t ready;
	int number; /* of the subject */
	int64_t now_us, from_us, for_us;
};

struct rival {
	pthread_t thread;
	struct run *run;
	int32_t *times_us; /* [n], of the takes */
	size_t n, unknown;
};

static void *
compete(void *arg)
{
	struct rival *rival = arg;
	struct run *run = rival->run;
	struct client c;
	int64_t at_us;

	client_begin(&c, run->place, run->number, 1, run->now_us);
	/* connects */
	counter_peek(c.worker, c.now_us, c.charges, HOT_CHARGES, c.out);
	if (pthread_barrier_wait(&run->ready) ==
	    PTHREAD_BARRIER_SERIAL_THREAD) {
		run->from_us = clock_mono_us();
	}
	pthread_barrier_wait(&run->ready);
	while ((at_us = clock_mono_us() - run->from_us) < run->for_us) {
		c.now_us = run->now_us + at_us;
		if (!try_take(&c, HOT_CHARGES)) {
			rival->unknown++;
			continue;
		}
		if (rival->n == TIMES_MAX) {
			counter_place_die(run->place->name,
					  "more takes than are kept");
		}
		rival->times_us[rival->n++] =
		    (int32_t)(clock_mono_us() - run->from_us - at_us);
	}
	client_end(&c);
	return NULL;
}

static int
by_time(const void *a, const void *b)
{
	const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

static int32_t
p99(const struct rival *rivals, size_t clients, size_t admitted)
{
	int32_t *all = memory_get((admitted + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < clients; i++) {
		memcpy(all + n, rivals[i].times_us, rivals[i].n * sizeof(*all));
		n += rivals[i].n;
	}
	qsort(all, n, sizeof(*all), by_time);
	const int32_t us = n == 0 ? 0 : all[(n - 1) * 99 / 100];
	free(all);
	return us;
}

/* What a store did not answer for is given back, as by the housekeeper. */
static void
settle(struct client *c)
{
	struct arena *arena = arena_new(1 << 16);
	struct counter_left *left;
	const size_t n = counter_left(counter, arena, &left);

	for (size_t i = 0; i < n; i++) {
		if (!counter_left_settle(c->worker, c->now_us, &left[i],
					 false)) {
			counter_place_die(c->store->type->name,
					  "cannot be settled");
		}
	}
	arena_free(arena);
}

/* What the counters hold at AT_US. */
static void
look(struct client *c, int64_t at_us, int64_t used[HOT_CHARGES])
{
	counter_peek(c->worker, at_us, c->charges, HOT_CHARGES, c->out);
	for (size_t i = 0; i < HOT_CHARGES; i++) {
		if (c->out[i].result == CHARGE_UNKNOWN) {
			counter_place_die(c->store->type->name, "not known");
		}
		used[i] = c->out[i].used;
	}
}

/* Starts and ends them; returns how long they took. */
static double
compete_all(struct run *run, struct rival *rivals, size_t clients)
{
	if (pthread_barrier_init(&run->ready, NULL, (unsigned)clients) != 0) {
		counter_place_die("threads", "no barrier");
	}
	for (size_t i = 0; i < clients; i++) {
		rivals[i] = (struct rival){
			.run = run,
			.times_us = memory_get(TIMES_MAX * sizeof(int32_t)),
		};
		if (pthread_create(&rivals[i].thread, NULL, compete,
				   &rivals[i]) != 0) {
			counter_place_die("threads", "none can be made");
		}
	}
	for (size_t i = 0; i < clients; i++) {
		pthread_join(rivals[i].thread, NULL);
	}
	const int64_t took_us = clock_mono_us() - run->from_us;
	pthread_barrier_destroy(&run->ready);
	if (took_us >= LATEST_US) {
		counter_place_die(run->place->name,
				  "took too long to be looked at");
	}
	return (double)took_us / 1e6;
}

static void
contend(const struct counter_place *place, size_t clients)
{
	struct rival rivals[CLIENTS_MAX];
	struct run run = { .place = place,
			   .number = -(int)clients,
			   .for_us = (int64_t)(seconds * 1e6) };
	int64_t before[HOT_CHARGES], after[HOT_CHARGES];
	size_t admitted = 0, unknown = 0;
	struct client c;

	client_begin(&c, place, run.number, 1, clock_now_us());
	warm(&c, HOT_CHARGES);
	run.now_us = c.now_us;
	/* what of it will still be there when all is over */
	look(&c, run.now_us + LATEST_US, before);
	int64_t conflicts = metric_read(METRIC_counter_conflicts_total, 0);
	const double took = compete_all(&run, rivals, clients);
	conflicts = metric_read(METRIC_counter_conflicts_total, 0) - conflicts;
	for (size_t i = 0; i < clients; i++) {
		admitted += rivals[i].n;
		unknown += rivals[i].unknown;
	}
	settle(&c);
	look(&c, run.now_us + LATEST_US, after);
	for (size_t i = 0; i < HOT_CHARGES; i++) {
		if (after[i] - before[i] != (int64_t)admitted * AMOUNT) {
			fprintf(stderr, "%s, %zu clients: %s: %ld of %zu\n",
				place->name, clients, c.charges[i].row->message,
				(long)((after[i] - before[i]) / AMOUNT),
				admitted);
			abort();
		}
	}
	printf("| %zu | %.0f | %.2f | %d | %zu | %zu = %zu |\n", clients,
	       (double)admitted / took,
	       admitted == 0 ? 0 : (double)conflicts / (double)admitted,
	       (int)p99(rivals, clients, admitted), unknown,
	       (size_t)((after[0] - before[0]) / AMOUNT), admitted);
	for (size_t i = 0; i < clients; i++) {
		free(rivals[i].times_us);
	}
	client_end(&c);
}

/* ---- all */

static void
tables(const struct counter_place *place)
{
	printf("### %s\n\n| counters | subjects | us | client CPU us | round "
	       "trips | allocations |\n|---|---|---|---|---|---|\n",
	       place->name);
	cost(place, 0, 1);
	cost(place, 1, 1);
	cost(place, 5, 1);
	cost(place, 8, 1);
	cost(place, 8, 2);
	printf("\n| clients | takes/s | conflicts a take | p99 us | not known "
	       "| counted = admitted |\n|---|---|---|---|---|---|\n");
	for (size_t clients = 1; clients <= CLIENTS_MAX; clients *= 2) {
		contend(place, clients);
		fflush(stdout);
	}
	printf("\n");
}

/* For callgrind. */
static void
only(size_t n, int turns)
{
	struct client c;

	if (n > CHARGES) {
		counter_place_die("counters", "too many");
	}
	counter_place_begin(&counter_places[0], config.state_dir);
	client_begin(&c, &counter_places[0], 1, 1, clock_now_us());
	for (int i = 0; i < turns; i++) {
		take(&c, n);
	}
	client_end(&c);
	counter_places[0].end(&counter_places[0]);
}

int
main(int argc, char **argv)
{
	struct err err;
	char folder[] = "/tmp/ims-bench.XXXXXX", path[64];

	config_default(&config);
	today_us = clock_now_us() / DAY_US * DAY_US;
	if (mkdtemp(folder) == NULL) {
		counter_place_die(folder, "cannot be made");
	}
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", folder);
	if (counter_open(&config, NULL, &counter, &err) != STATUS_OK) {
		counter_place_die("counters", err.text);
	}
	if (argc == 3) {
		only(strtoul(argv[1], NULL, 10), atoi(argv[2]));
	} else {
		seconds = argc == 2 ? strtod(argv[1], NULL) : seconds;
		for (int i = 0; i < COUNTER_PLACES; i++) {
			struct counter_place *place = &counter_places[i];

			if (counter_place_begin(place, folder)) {
				tables(place);
				place->end(place);
			}
		}
	}
	counter_close(counter);
	snprintf(path, sizeof(path), "%s/claims", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	return EXIT_SUCCESS;
}
