#include "keeper/keeper_epoch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "base/uuid.h"
#include "counter/store.h"
#include "keeper/keeper_choice.h"
#include "keeper/keeper_hosts.h"
#include "keeper/keeper_rebuild.h"
#include "store/store_node.h"

/*
 * A call that began to count in the old epoch is recorded at the latest so
 * long after the host follows the new one.
 */
#define GRACE_US INT64_C(2000000)
/* Reading a ledger of months may take longer than a statement should. */
#define REBUILD_TIMEOUT_MS INT64_C(600000)
#define BEAT_US INT64_C(1000000)
enum { SWEEP_BATCH = 2000 };

/* Value of config->counter_alone. */
enum { ALONE_HOST };

struct keeper_epoch {
	const struct config *config;
	struct board *board;
	char spool_id[UUID_TEXT_BYTES];
	char name[KEEPER_HOST_NAME_BYTES];
	struct counter_store *memcached;  /* NULL: none is set */
	struct counter_store *postgresql; /* NULL: pg_counter is not set */
	struct counter_store *host;	  /* NULL: it cannot be mapped */
	struct pg *rebuild_pg;
	bool answers;	     /* memcached did at the last look */
	bool lost;	     /* and has not what it had */
	int64_t since_us;    /* of `answers`, CLOCK_MONOTONIC; 0: never */
	uint64_t followed;   /* the epoch that the board says */
	int64_t followed_us; /* since when, CLOCK_REALTIME */
	int64_t grace_us;    /* and what may be recorded so long after */
	uint64_t clean;	     /* followed, and drained past that */
	int64_t beat_us;     /* CLOCK_MONOTONIC */
	int64_t told_us;     /* that it waits for a host */
	bool clock_known, clock_told;
	int64_t clock_off_ms;
	bool registered; /* among the nodes, since the start */
};

/* ---- opening */

static struct counter_store *
open_memcached(const struct config *config)
{
	struct err err;

	if (config->memcached[0] == '\0') {
		return NULL;
	}
	struct counter_store *store = counter_memcached_store(
	    config->memcached, config->memcached_timeout_ms, &err);
	if (store == NULL) {
		log_error("memcached cannot count: %s", err.text);
	}
	return store;
}

static struct counter_store *
open_host(const struct config *config)
{
	struct err err;
	struct counter_store *store = counter_host_store(
	    config->state_dir, config->counter_memory_bytes, &err);

	if (store == NULL) {
		log_error("this host cannot count by itself: %s", err.text);
	}
	return store;
}

struct keeper_epoch *
keeper_epoch_new(const struct config *config, struct board *board,
		 const char *spool_id)
{
	struct keeper_epoch *e = memory_get(sizeof(*e));

	*e = (struct keeper_epoch){
		.config = config,
		.board = board,
		.memcached = open_memcached(config),
		.rebuild_pg = pg_new(config->pg_keeper, "ims-policy rebuild",
				     REBUILD_TIMEOUT_MS),
	};
	if (config->pg_counter[0] != '\0') {
		e->postgresql = counter_postgresql_store(config->pg_counter,
							 config->pg_timeout_ms);
	}
	e->host = open_host(config);
	snprintf(e->spool_id, sizeof(e->spool_id), "%s", spool_id);
	if (gethostname(e->name, sizeof(e->name) - 1) != 0 ||
	    e->name[0] == '\0') {
		snprintf(e->name, sizeof(e->name), "unnamed");
	}
	return e;
}

void
keeper_epoch_free(struct keeper_epoch *e)
{
	if (e == NULL) {
		return;
	}
	counter_store_free(e->memcached);
	counter_store_free(e->postgresql);
	counter_store_free(e->host);
	pg_free(e->rebuild_pg);
	free(e);
}

/* ---- looking */

/* Ask memcached whether it has what it had in the epoch that it counts. */
static void
look_at_memcached(struct keeper_epoch *e, const struct store_node_epoch *now)
{
	struct err err;

	if (e->memcached == NULL) {
		return;
	}
	e->memcached->epoch = now->epoch;
	enum status status = e->memcached->type->check(e->memcached, &err);
	bool answers = status != STATUS_UNAVAILABLE;

	e->lost = status == STATUS_CORRUPT && now->ready &&
		  now->counts == STORE_NODE_MEMCACHED;
	if (answers == e->answers && e->since_us != 0) {
		return;
	}
	if (answers) {
		log_info("memcached answers");
	} else {
		log_error("memcached does not answer: %s", err.text);
	}
	e->answers = answers;
	e->since_us = clock_mono_us();
}

/* Hold this host's clock against PostgreSQL's, which was asked between. */
static void
judge_clock(struct keeper_epoch *e, int64_t off_us)
{
	bool off = llabs(off_us) > e->config->clock_off_max_ms * 1000;

	e->clock_known = true;
	e->clock_off_ms = off_us / 1000;

	metric_set(METRIC_clock_off_seconds,
		   (off_us + (off_us > 0 ? 1 : -1) * 500000) / 1000000);
	atomic_store(&e->board->clock_off, off);
	if (off != e->clock_told) {
		if (off) {
			log_error("this host's clock is %" PRId64 " ms off "
				  "PostgreSQL's: it is not ready and does not "
				  "count",
				  off_us / 1000);
		} else {
			log_info("this host's clock is right again");
		}
		e->clock_told = off;
	}
}

static enum status
beat(struct keeper_epoch *e, struct pg *pg, int64_t drained_until_us,
     struct err *err)
{
	static const enum store_node_up up[] = { STORE_NODE_DOWN,
						 STORE_NODE_UP };
	int64_t before = clock_now_us(), server = 0;
	struct store_node node = {
		.spool_id = e->spool_id,
		.name = e->name,
		.memcached =
		    e->memcached == NULL ? STORE_NODE_NONE : up[e->answers],
		.clock_known = e->clock_known,
		.clock_off_ms = e->clock_off_ms,
		.epoch = e->clean,
		.drained_until_us = drained_until_us,
	};
	enum status status = store_node_beat(pg, &node, &server, err);

	if (status != STATUS_OK) {
		return status;
	}
	int64_t after = clock_now_us();
	/* A slow answer says little; the next one may be faster. */
	if (after - before < e->config->clock_off_max_ms * 1000) {
		judge_clock(e, (before + after) / 2 - server);
	}
	e->beat_us = clock_mono_us();
	e->registered = true;
	return STATUS_OK;
}

/* ---- following */

static bool
is_mine(const struct keeper_epoch *e, const struct store_node_epoch *now)
{
	return strcmp(now->node, e->spool_id) == 0;
}

/* What counts for the processes of this host. */
static enum board_counts
counts_here(const struct keeper_epoch *e, const struct store_node_epoch *now)
{
	static const enum board_counts counts[] = {
		[STORE_NODE_MEMCACHED] = BOARD_COUNTS_MEMCACHED,
		[STORE_NODE_POSTGRESQL] = BOARD_COUNTS_POSTGRESQL,
		[STORE_NODE_HOST] = BOARD_COUNTS_HOST,
	};

	if (!now->ready ||
	    (now->counts == STORE_NODE_HOST && !is_mine(e, now))) {
		return BOARD_COUNTS_NOTHING;
	}
	return counts[now->counts];
}

/*
 * The board in an order in which no reader can take the new epoch for one that
 * is ready: counter.c reads the epoch before and after what counts.
 */
static void
publish(struct keeper_epoch *e, const struct store_node_epoch *now)
{
	int counts = counts_here(e, now);
	/* No process of this host has counted in an older epoch. */
	bool nothing = atomic_load(&e->board->counter_epoch) == 0;

	if (atomic_load(&e->board->counter_epoch) != now->epoch) {
		atomic_store(&e->board->counter_counts, BOARD_COUNTS_NOTHING);
		atomic_store(&e->board->counter_epoch, now->epoch);
		atomic_store(&e->board->counter_unreadable_epoch, 0);
		log_info("counters: epoch %" PRIu64 " of %s has begun",
			 now->epoch, store_node_counts_words[now->counts]);
	}
	if (atomic_load(&e->board->counter_counts) != counts) {
		atomic_store(&e->board->counter_counts, counts);
		log_info("counters: epoch %" PRIu64 " is %s", now->epoch,
			 now->ready ? "ready" : "being rebuilt");
		if (counts == BOARD_COUNTS_MEMCACHED ||
		    counts == BOARD_COUNTS_POSTGRESQL) {
			counter_host_delete(e->config->state_dir);
		}
	}
	if (e->followed != now->epoch) {
		e->followed = now->epoch;
		e->followed_us = clock_now_us();
		e->grace_us = nothing ? 0 : GRACE_US;
	}
	metric_set(METRIC_counter_epoch, (int64_t)now->epoch);
	metric_set(METRIC_counter_store, counts);
}

/* ---- beginning */

static bool
is_pinned(const struct store_node_epoch *now)
{
	return strcmp(now->node, STORE_NODE_OPERATOR) == 0;
}

/* What an operator chose stays so as long as it is the same that counts. */
static enum status
begin(const struct keeper_epoch *e, struct pg *pg,
      const struct store_node_epoch *now, enum store_node_counts counts,
      const char *reason)
{
	bool same = is_pinned(now) && counts == now->counts;
	uint64_t begun = 0;
	struct err err;
	enum status status = store_node_epoch_begin(
	    pg, counts, reason, same ? now->node : e->spool_id, now->epoch,
	    &begun, &err);

	if (status == STATUS_OK) {
		log_warning("counters: began epoch %" PRIu64 ": %s", begun,
			    reason);
	} else if (status != STATUS_BUSY) {
		log_error("counters: cannot begin an epoch: %s", err.text);
	}
	/* Somebody else was faster: that one is followed. */
	return status == STATUS_BUSY ? STATUS_OK : status;
}

/* ---- choosing */

static bool
host_has_lost(const struct keeper_epoch *e, const struct store_node_epoch *now)
{
	struct err err;

	if (e->host == NULL || now->counts != STORE_NODE_HOST ||
	    !is_mine(e, now)) {
		return false;
	}
	e->host->epoch = now->epoch;
	return e->host->type->check(e->host, &err) == STATUS_CORRUPT;
}

/* Did a process of this host meet an account of NOW that it cannot read? */
static bool
met_unreadable(const struct keeper_epoch *e, const struct store_node_epoch *now)
{
	return now->epoch != 0 &&
	       atomic_load(&e->board->counter_unreadable_epoch) == now->epoch;
}

/* Begin a new epoch where one is needed; at most one a look. */
static enum status
change(const struct keeper_epoch *e, struct pg *pg,
       const struct store_node_epoch *now, const struct keeper_hosts *hosts)
{
	const struct config *config = e->config;
	const struct keeper_view view = {
		.now = *now,
		.mine = is_mine(e, now),
		.pinned = is_pinned(now),
		.hosts_n = hosts->n,
		.may_be_alone =
		    config->counter_alone == ALONE_HOST && e->host != NULL,
		.host_lost = host_has_lost(e, now),
		.unreadable = met_unreadable(e, now),
		.memcached = e->memcached != NULL,
		.postgresql = e->postgresql != NULL,
		.answers = e->answers,
		.for_ms = (clock_mono_us() - e->since_us) / 1000,
		.memcached_lost = e->lost,
		.all_reach = hosts->up,
		.lost_ms = config->memcached_lost_ms,
		.back_ms = config->memcached_back_ms,
	};
	enum store_node_counts counts;
	const char *reason;

	/* The others must know of this host first. */
	if (!e->registered || !keeper_choice(&view, &counts, &reason)) {
		return STATUS_OK;
	}
	return begin(e, pg, now, counts, reason);
}

/* ---- making it ready */

static struct counter_store *
store_of(const struct keeper_epoch *e, const struct store_node_epoch *now)
{
	switch (now->counts) {
	case STORE_NODE_MEMCACHED:
		return e->memcached;
	case STORE_NODE_POSTGRESQL:
		return e->postgresql;
	case STORE_NODE_HOST:
	default:
		return is_mine(e, now) ? e->host : NULL;
	}
}

static enum status
make_ready(struct keeper_epoch *e, struct pg *pg,
	   const struct store_node_epoch *now, const struct keeper_hosts *hosts,
	   struct err *err)
{
	struct counter_store *store = store_of(e, now);

	if (!hosts->clean) {
		keeper_hosts_tell(hosts, &e->told_us);
		return STATUS_OK;
	}
	if (store == NULL) {
		return err_set(err, STATUS_UNAVAILABLE,
			       "this host cannot reach what counts");
	}
	store->epoch = now->epoch;
	enum status status = keeper_rebuild(e->rebuild_pg, store, now, err);
	if (status == STATUS_FULL) {
		/* What was written late must not come into one that counts. */
		log_error("counters: epoch %" PRIu64 " is given up: %s",
			  now->epoch, err->text);
		status = begin(e, pg, now, now->counts,
			       "a rebuild did not come to its end");
	}
	/* BUSY: another host does it, or it is over. */
	return status == STATUS_BUSY ? STATUS_OK : status;
}

/* ---- the step */

/* Follow what is the newest now, and say so. */
static enum status
follow(struct keeper_epoch *e, struct pg *pg,
       const struct store_node_epoch *now, int64_t drained_until_us,
       struct err *err)
{
	publish(e, now);
	if (e->followed != e->clean &&
	    drained_until_us > e->followed_us + e->grace_us) {
		e->clean = e->followed;
		e->beat_us = 0; /* the others wait to hear it */
	}
	if (clock_mono_us() - e->beat_us < BEAT_US) {
		return STATUS_OK;
	}
	return beat(e, pg, drained_until_us, err);
}

enum status
keeper_epoch_step(struct keeper_epoch *e, struct pg *pg,
		  int64_t drained_until_us, struct err *err)
{
	struct store_node_epoch now;
	struct keeper_hosts hosts;
	enum status status = store_node_epoch(pg, &now, err);

	if (status == STATUS_OK) {
		status = keeper_hosts(pg, now.epoch, &hosts, err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	look_at_memcached(e, &now);
	status = change(e, pg, &now, &hosts);
	if (status == STATUS_OK) {
		status = store_node_epoch(pg, &now, err);
	}
	if (status == STATUS_OK) {
		status = follow(e, pg, &now, drained_until_us, err);
	}
	if (status == STATUS_OK && now.epoch != 0 && !now.ready) {
		/* again: the epoch or what is said of it is younger */
		status = keeper_hosts(pg, now.epoch, &hosts, err);
		if (status == STATUS_OK) {
			status = make_ready(e, pg, &now, &hosts, err);
		}
	}
	return status;
}

enum status
keeper_epoch_sweep(struct keeper_epoch *e, bool *more, struct err *err)
{
	size_t gone = 0;

	if (e->host == NULL ||
	    atomic_load(&e->board->counter_counts) != BOARD_COUNTS_HOST) {
		return STATUS_OK;
	}
	e->host->epoch = atomic_load(&e->board->counter_epoch);
	enum status status =
	    counter_host_sweep(e->host, SWEEP_BATCH, &gone, err);
	*more = status == STATUS_OK && gone > SWEEP_BATCH / 4;
	return status;
}
