#include "keeper/keeper_epoch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "base/uuid.h"
#include "counter/store.h"
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
#define WAIT_TOLD_US INT64_C(60000000)
enum { NAME_BYTES = 257 };

struct keeper_epoch {
	const struct config *config;
	struct board *board;
	char spool_id[UUID_TEXT_BYTES];
	char name[NAME_BYTES];
	struct counter_store *memcached;  /* NULL: none is set */
	struct counter_store *postgresql; /* NULL: pg_counter is not set */
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
	bool clock_told;
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

static bool
answered_for(const struct keeper_epoch *e, bool answers, int64_t ms)
{
	return e->memcached != NULL && e->answers == answers &&
	       clock_mono_us() - e->since_us >= ms * 1000;
}

/* Hold this host's clock against PostgreSQL's, which was asked between. */
static void
judge_clock(struct keeper_epoch *e, int64_t off_us)
{
	bool off = llabs(off_us) > e->config->clock_off_max_ms * 1000;

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
	return STATUS_OK;
}

/* ---- following */

/*
 * The board in an order in which no reader can take the new epoch for one that
 * is ready: counter.c reads the epoch before and after what counts.
 */
static void
publish(struct keeper_epoch *e, const struct store_node_epoch *now)
{
	int counts = !now->ready ? BOARD_COUNTS_NOTHING
		     : now->counts == STORE_NODE_MEMCACHED
			 ? BOARD_COUNTS_MEMCACHED
			 : BOARD_COUNTS_POSTGRESQL;

	/* No process of this host has counted in an older epoch. */
	bool nothing = atomic_load(&e->board->counter_epoch) == 0;

	if (atomic_load(&e->board->counter_epoch) != now->epoch) {
		atomic_store(&e->board->counter_counts, BOARD_COUNTS_NOTHING);
		atomic_store(&e->board->counter_epoch, now->epoch);
		log_info("counters: epoch %" PRIu64 " of %s has begun",
			 now->epoch,
			 now->counts == STORE_NODE_MEMCACHED ? "memcached"
							     : "PostgreSQL");
	}
	if (atomic_load(&e->board->counter_counts) != counts) {
		atomic_store(&e->board->counter_counts, counts);
		log_info("counters: epoch %" PRIu64 " is %s", now->epoch,
			 now->ready ? "ready" : "being rebuilt");
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

static enum status
begin(struct keeper_epoch *e, struct pg *pg, const struct store_node_epoch *now,
      enum store_node_counts counts, const char *reason)
{
	uint64_t begun = 0;
	struct err err;
	enum status status = store_node_epoch_begin(
	    pg, counts, reason, e->spool_id, now->epoch, &begun, &err);

	if (status == STATUS_OK) {
		log_warning("counters: began epoch %" PRIu64 ": %s", begun,
			    reason);
	} else if (status != STATUS_BUSY) {
		log_error("counters: cannot begin an epoch: %s", err.text);
	}
	/* Somebody else was faster: that one is followed. */
	return status == STATUS_BUSY ? STATUS_OK : status;
}

/* Is a new epoch needed?  One is begun at most a look. */
static enum status
change(struct keeper_epoch *e, struct pg *pg,
       const struct store_node_epoch *now)
{
	const struct config *config = e->config;
	bool first = now->epoch == 0;

	if (first && e->memcached != NULL && e->answers) {
		return begin(e, pg, now, STORE_NODE_MEMCACHED,
			     "the first epoch");
	}
	if (first && e->postgresql != NULL &&
	    (e->memcached == NULL ||
	     answered_for(e, false, config->memcached_lost_ms))) {
		return begin(e, pg, now, STORE_NODE_POSTGRESQL,
			     "the first epoch, and memcached does not answer");
	}
	if (first) {
		return STATUS_OK;
	}
	if (now->counts == STORE_NODE_MEMCACHED && e->lost) {
		return begin(e, pg, now, STORE_NODE_MEMCACHED,
			     "a memcached server has lost what it had");
	}
	if (now->counts == STORE_NODE_MEMCACHED && e->postgresql != NULL &&
	    answered_for(e, false, config->memcached_lost_ms)) {
		return begin(e, pg, now, STORE_NODE_POSTGRESQL,
			     "memcached does not answer");
	}
	return STATUS_OK;
}

/* ---- what is said of all hosts */

struct hosts {
	uint64_t epoch; /* asked for */
	bool clean;	/* every host follows it and is drained past that */
	bool up;	/* every host that has one reaches its memcached */
	char waits_for[NAME_BYTES], spool_id[UUID_TEXT_BYTES]; /* one */
	int64_t silent_ms;				       /* of that one */
};

static void
see_host(void *arg, const struct store_node *node)
{
	struct hosts *hosts = arg;

	if (node->epoch != hosts->epoch) {
		hosts->clean = false;
		snprintf(hosts->waits_for, sizeof(hosts->waits_for), "%s",
			 node->name);
		snprintf(hosts->spool_id, sizeof(hosts->spool_id), "%s",
			 node->spool_id);
		hosts->silent_ms = node->age_ms;
	}
	if (node->memcached == STORE_NODE_DOWN) {
		hosts->up = false;
	}
}

static enum status
see_hosts(struct pg *pg, uint64_t epoch, struct hosts *out, struct err *err)
{
	*out = (struct hosts){ .epoch = epoch, .clean = true, .up = true };
	return store_node_each(pg, see_host, out, err);
}

/* ---- making it ready */

/* Say once a minute whom the rebuild waits for. */
static void
tell_waiting(struct keeper_epoch *e, const struct hosts *hosts)
{
	int64_t now = clock_mono_us();

	if (now - e->told_us < WAIT_TOLD_US || hosts->silent_ms < 10000) {
		return;
	}
	e->told_us = now;
	log_warning("counters: epoch %" PRIu64 " waits for host %s, which has "
		    "been silent for %" PRId64
		    " s; if it will never come back: ims-policyctl node "
		    "remove %s",
		    hosts->epoch, hosts->waits_for, hosts->silent_ms / 1000,
		    hosts->spool_id);
}

static enum status
make_ready(struct keeper_epoch *e, struct pg *pg,
	   const struct store_node_epoch *now, struct err *err)
{
	struct hosts hosts;
	struct counter_store *store =
	    now->counts == STORE_NODE_MEMCACHED ? e->memcached : e->postgresql;
	enum status status = see_hosts(pg, now->epoch, &hosts, err);

	if (status != STATUS_OK || !hosts.clean) {
		tell_waiting(e, &hosts);
		return status;
	}
	if (store == NULL) {
		return err_set(err, STATUS_UNAVAILABLE,
			       "this host cannot reach what counts");
	}
	store->epoch = now->epoch;
	status = keeper_rebuild(e->rebuild_pg, store, now, err);
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

/* Back to memcached, when every host has reached it for long enough. */
static enum status
return_to_memcached(struct keeper_epoch *e, struct pg *pg,
		    const struct store_node_epoch *now, struct err *err)
{
	struct hosts hosts;

	if (now->counts != STORE_NODE_POSTGRESQL ||
	    !answered_for(e, true, e->config->memcached_back_ms)) {
		return STATUS_OK;
	}
	enum status status = see_hosts(pg, now->epoch, &hosts, err);
	if (status != STATUS_OK || !hosts.up) {
		return status;
	}
	return begin(e, pg, now, STORE_NODE_MEMCACHED,
		     "memcached answers again");
}

/* ---- the step */

enum status
keeper_epoch_step(struct keeper_epoch *e, struct pg *pg,
		  int64_t drained_until_us, struct err *err)
{
	struct store_node_epoch now;
	enum status status = store_node_epoch(pg, &now, err);

	if (status != STATUS_OK) {
		return status;
	}
	look_at_memcached(e, &now);
	status = change(e, pg, &now);
	if (status == STATUS_OK) {
		status = store_node_epoch(pg, &now, err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	publish(e, &now);
	if (e->followed != e->clean &&
	    drained_until_us > e->followed_us + e->grace_us) {
		e->clean = e->followed;
		e->beat_us = 0; /* the others wait to hear it */
	}
	if (clock_mono_us() - e->beat_us >= BEAT_US) {
		status = beat(e, pg, drained_until_us, err);
	}
	if (status == STATUS_OK && now.epoch != 0) {
		status = now.ready ? return_to_memcached(e, pg, &now, err)
				   : make_ready(e, pg, &now, err);
	}
	return status;
}
