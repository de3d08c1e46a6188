#include "counter/worker.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "counter/account.h"
#include "counter/store_postgresql.h"

enum { ARENA_BYTES = 32 * 1024 };
enum {
	UNREADABLE_DAMAGED,
	UNREADABLE_VERSION
}; /* of counter_unreadable_total */

static int64_t
mono_us(void *arg)
{
	(void)arg;
	return clock_mono_us();
}

static void
sleep_us(void *arg, int64_t us)
{
	(void)arg;
	clock_sleep_us(us);
}

struct counter_worker *
counter_worker_new(struct counter *counter)
{
	struct counter_worker *worker = memory_get(sizeof(*worker));

	*worker = (struct counter_worker){
		.counter = counter,
		.arena = arena_new(ARENA_BYTES),
		.clock = { .mono_us = mono_us, .sleep_us = sleep_us },
	};
	digest_random(&worker->random, sizeof(worker->random));
	worker->random |= 1;
	worker->slot =
	    counter->journal == NULL ? NULL : journal_join(counter->journal);
	if (worker->slot == NULL) {
		worker->unlisted = memory_get(sizeof(*worker->unlisted));
		memset(worker->unlisted, 0, sizeof(*worker->unlisted));
		worker->slot = worker->unlisted;
		journal_rename(NULL, worker->slot);
	}
	return worker;
}

struct counter_worker *
counter_worker_on(struct counter *counter, struct counter_store *store)
{
	struct counter_worker *worker = counter_worker_new(counter);

	worker->given = store;
	return worker;
}

void
counter_worker_free(struct counter_worker *worker)
{
	if (worker == NULL) {
		return;
	}
	if (worker->unlisted == NULL) {
		journal_leave(worker->slot);
	}
	free(worker->unlisted);
	counter_store_free(worker->given);
	for (int i = 0; i < COUNTER_STORES; i++) {
		counter_store_free(worker->stores[i]);
	}
	arena_free(worker->arena);
	buf_fini(&worker->values);
	free(worker);
}

/* ---- the store */

static struct counter_store *
make_store(const struct config *config, enum board_counts counts)
{
	struct err err;
	struct counter_store *store;

	if (counts == BOARD_COUNTS_POSTGRESQL) {
		return config->pg_counter[0] == '\0'
			   ? NULL
			   : counter_postgresql_store(config->pg_counter,
						      config->counter_wait_ms);
	}
	if (counts == BOARD_COUNTS_HOST) {
		store = counter_host_store(config->state_dir,
					   config->counter_memory_bytes, &err);
		if (store == NULL) {
			log_error("cannot count: %s", err.text);
		}
		return store;
	}
	if (config->memcached[0] == '\0') {
		return NULL;
	}
	store = counter_memcached_store(config->memcached,
					config->memcached_timeout_ms, &err);
	if (store == NULL) {
		log_error("cannot count: %s", err.text);
	}
	return store;
}

struct counter_store *
counter_worker_store(struct counter_worker *worker)
{
	struct board *board = worker->counter->board;

	if (worker->given != NULL || board == NULL) {
		return worker->given;
	}
	uint64_t epoch = board->counter_epoch;
	int32_t counts = board->counter_counts;
	/* the epoch twice, so that it belongs to what counts */
	if (counts <= BOARD_COUNTS_NOTHING || counts >= COUNTER_STORES ||
	    epoch == 0 || epoch != board->counter_epoch ||
	    board->clock_off != 0) {
		return NULL;
	}
	if (worker->stores[counts] == NULL) {
		worker->stores[counts] = make_store(worker->counter->config,
						    (enum board_counts)counts);
	}
	if (worker->stores[counts] != NULL) {
		worker->stores[counts]->epoch = epoch;
	}
	if (counts != BOARD_COUNTS_POSTGRESQL &&
	    worker->stores[BOARD_COUNTS_POSTGRESQL] != NULL) {
		counter_postgresql_rest(
		    worker->stores[BOARD_COUNTS_POSTGRESQL]);
	}
	return worker->stores[counts];
}

/* ---- time and metrics */

int64_t
counter_worker_mono_us(struct counter_worker *worker)
{
	return worker->clock.mono_us(worker->clock.arg);
}

void
counter_worker_pause(struct counter_worker *worker, int64_t most_us)
{
	/* xorshift64*, never 0 */
	worker->random ^= worker->random >> 12;
	worker->random ^= worker->random << 25;
	worker->random ^= worker->random >> 27;
	uint64_t roll = worker->random * UINT64_C(2685821657736338717);
	worker->clock.sleep_us(worker->clock.arg,
			       1 + (int64_t)((roll >> 32) % (uint64_t)most_us));
}

/* The value of the label `store`; -1: none. */
static int
label_of(const struct counter_store *store)
{
	static const char *const names[] = { "memcached", "postgresql",
					     "host" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(store->type->name, names[i]) == 0) {
			return i;
		}
	}
	return -1;
}

void
counter_worker_failed(const struct counter_store *store)
{
	int label = label_of(store);

	if (label >= 0) {
		metric_add(METRIC_counter_errors_total, label, 1);
	}
}

void
counter_worker_trips(const struct counter_store *store, uint64_t before)
{
	int label = label_of(store);

	if (label >= 0 && store->round_trips > before) {
		metric_add(METRIC_counter_round_trips_total, label,
			   store->round_trips - before);
	}
}

/* ---- the journal */

void
counter_worker_begin(struct counter_worker *worker, enum journal_phase phase,
		     const char *evaluation_id, int64_t now_us, uint64_t epoch)
{
	counter_worker_end(worker);
	journal_begin(worker->slot, phase, evaluation_id, now_us, epoch);
}

void
counter_worker_end(struct counter_worker *worker)
{
	if (worker->renames) {
		/* before the phase: what was left behind does not stand */
		worker->renames = false;
		journal_rename(
		    worker->unlisted != NULL ? NULL : worker->counter->journal,
		    worker->slot);
	}
	worker->slot->phase = JOURNAL_IDLE;
}

void
counter_worker_abandon(struct counter_worker *worker, uint64_t bits)
{
	if ((bits & worker->slot->taken) == 0) {
		return;
	}
	worker->renames = true;
	if (!journal_abandon(worker->counter->journal, worker->slot,
			     bits & worker->slot->taken)) {
		log_warning("what a call took may stay counted: %s",
			    worker->slot->evaluation_id);
	}
}

/* ---- accounts */

static bool
is_over(const struct counter_worker *worker, const struct account_claim *claim)
{
	for (size_t i = 0; i < worker->over_n; i++) {
		if (worker->over[i].writer == claim->writer &&
		    worker->over[i].seq == claim->seq) {
			return true;
		}
	}
	return false;
}

/* Every call that has its subject reads it, so it is logged for the first of
 * an epoch on this host. */
static void
say_unreadable(const struct counter_worker *worker, uint64_t epoch,
	       const char *key, enum status why, const struct err *err)
{
	struct board *board = worker->counter->board;

	metric_add(METRIC_counter_unreadable_total,
		   why == STATUS_CONFLICT ? UNREADABLE_VERSION
					  : UNREADABLE_DAMAGED,
		   1);
	if (board == NULL || worker->given != NULL) {
		return;
	}
	atomic_fetch_add(&board->counter_unreadable, 1);
	if (atomic_load(&board->counter_epoch) != epoch) {
		return; /* it is over: somebody has seen to it */
	}
	if (atomic_exchange(&board->counter_unreadable_epoch, epoch) != epoch) {
		log_error("the counters %s cannot be read, in epoch %" PRIu64
			  ": %s",
			  key, epoch, err->text);
	}
}

bool
counter_worker_account(struct counter_worker *worker,
		       const struct counter_store *store,
		       const struct counter_item *item, int64_t at_us,
		       struct account *out)
{
	enum status status;
	struct err err;

	switch (item->state) {
	case ITEM_ABSENT:
		account_begin(out, worker->arena);
		break;
	case ITEM_FOUND:
		status = account_decode(item->value, item->value_n,
					worker->arena, out, &err);
		if (status != STATUS_OK) {
			say_unreadable(worker, store->epoch, item->key, status,
				       &err);
			return false;
		}
		break;
	case ITEM_UNKNOWN:
	default:
		return false;
	}
	account_see(out, at_us);
	for (size_t i = 0; i < out->claims_n; i++) {
		out->claims[i].stands = is_over(worker, &out->claims[i]);
	}
	return true;
}

void
counter_worker_mark(struct counter_worker *worker, struct account *account)
{
	for (size_t i = 0; i < account->claims_n; i++) {
		struct account_claim *claim = &account->claims[i];

		if (!claim->stands &&
		    journal_knows(worker->counter->journal, claim->writer,
				  claim->seq) == JOURNAL_OVER) {
			claim->stands = true;
		}
	}
}
