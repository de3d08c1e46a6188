#include "keeper/keeper_step.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metric.h"
#include "policy/snapshot.h"
#include "record/spool.h"
#include "store/store_counter.h"
#include "store/store_partition.h"
#include "store/store_snapshot.h"
#include "store/store_usage_keep.h"

enum { PATH_BYTES = CONFIG_TEXT_BYTES + 64, CLEAN_BATCH = 10000 };

/* 15 ms, in which its lane does nothing else. */
enum { ROLLUP_BATCH = 5000 };

/*
 * One line when WHAT begins to fail or fails in another way, one when it works
 * again.  LAST is what came of it the last time.
 */
static void
say_change(const char *what, enum status *last, enum status status,
	   const struct err *err)
{
	if (status == *last) {
		return;
	}
	if (status != STATUS_OK) {
		log_error("%s does not work: %s", what, err->text);
	} else {
		log_info("%s works again", what);
	}
	*last = status;
}

static enum keeper_due
beat(struct keeper *k)
{
	atomic_store(&k->board->keeper_beat_us, clock_mono_us());
	return KEEPER_PERIOD;
}

static enum keeper_due
reap(struct keeper *k)
{
	board_reap(k->board);
	return KEEPER_PERIOD;
}

/* Say on the board, in the metric and once in the log whether it is up. */
static void
see_postgresql(struct keeper *k, enum status status, const struct err *err)
{
	int up = status == STATUS_OK;

	if (k->seen && atomic_load(&k->board->pg_up) == up) {
		return;
	}
	if (up) {
		log_info("PostgreSQL is up");
	} else {
		log_error("PostgreSQL is not to be had, the last good "
			  "snapshot serves and records wait in the spool: %s",
			  err->text);
	}
	atomic_store(&k->board->pg_up, up);
	atomic_store(&k->board->pg_changed_us, clock_now_us());
	metric_set(METRIC_postgresql_up, up);
	k->seen = true;
}

/* A revision that does not compile: say so once, the last good one stays. */
static void
refuse(struct keeper *k, int64_t revision, const struct err *err)
{
	const char *pointer = err->items_n > 0 ? err->items[0].pointer : "";

	log_error("policy revision %" PRId64
		  " is refused, the last good one stays: %s%s%s",
		  revision, pointer, pointer[0] != '\0' ? ": " : "", err->text);
	atomic_store(&k->board->refused_revision, revision);
	k->published = true;
}

/* Publish the text; REVISION for messages. */
static enum status
publish_text(struct keeper *k, int64_t revision, struct err *err)
{
	enum status status =
	    snapshot_publish(k->config->state_dir, k->board,
			     buf_text(&k->document), k->document.len, err);

	if (status == STATUS_OK) {
		int64_t now = atomic_load(&k->board->policy_revision);
		atomic_store(&k->board->refused_revision, 0);
		metric_set(METRIC_policy_revision, now);
		log_info("policy revision %" PRId64 " is published", now);
	} else if (snapshot_refuses(status)) {
		refuse(k, revision, err);
		status = STATUS_OK;
	}
	return status;
}

/* Where PostgreSQL has another revision than this host, publish it. */
static enum status
follow(struct keeper *k, struct err *err)
{
	int64_t revision = 0;
	enum status status = store_snapshot_revision(k->pg, &revision, err);

	if (status != STATUS_OK ||
	    (k->published &&
	     (revision == atomic_load(&k->board->policy_revision) ||
	      revision == atomic_load(&k->board->refused_revision)))) {
		return status;
	}
	status = store_snapshot_fetch(k->pg, &k->document, &revision, err);
	if (status != STATUS_OK) {
		return status;
	}
	status = publish_text(k, revision, err);
	k->published = k->published || status == STATUS_OK;
	say_change("publishing the snapshot", &k->publish_status, status, err);
	return STATUS_OK; /* of PostgreSQL */
}

/* Publish the last good document anew. */
static void
restore(struct keeper *k)
{
	char path[PATH_BYTES];
	struct err err = { .status = STATUS_OK };

	k->restored = true;
	snprintf(path, sizeof(path), "%s/snapshot.json", k->config->state_dir);
	buf_reset(&k->document);
	enum status status = file_read(path, &k->document, &err);
	if (status != STATUS_OK) {
		if (status != STATUS_NOT_FOUND) {
			log_error("%s", err.text);
		}
		return;
	}
	status =
	    snapshot_publish(k->config->state_dir, k->board,
			     buf_text(&k->document), k->document.len, &err);
	if (status != STATUS_OK) {
		log_error("cannot publish %s anew: %s", path, err.text);
		return;
	}
	int64_t now = atomic_load(&k->board->policy_revision);
	metric_set(METRIC_policy_revision, now);
	log_info("policy revision %" PRId64 " is published from %s", now, path);
}

void
keeper_step_begin(struct keeper *k)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/snapshot.img", k->config->state_dir);
	if (!k->has_pg || access(path, R_OK) != 0 ||
	    atomic_load(&k->board->snapshot_generation) == 0) {
		restore(k);
	}
	metric_set(METRIC_policy_revision,
		   atomic_load(&k->board->policy_revision));
}

static enum keeper_due
revision(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	enum status status = STATUS_OK;

	if (!k->has_pg) {
		return KEEPER_PERIOD;
	}
	if (!pg_connected(k->pg) || pg_epoch(k->pg) != k->listen_epoch) {
		status = store_snapshot_listen(k->pg, &err);
		k->listen_epoch = pg_epoch(k->pg);
	}
	/* After LISTEN, so that no change can fall in between. */
	if (status == STATUS_OK) {
		status = follow(k, &err);
	}
	see_postgresql(k, status, &err);
	/* The image may be of another build, what it was made of is not. */
	if (status != STATUS_OK && !k->published && !k->restored) {
		restore(k);
	}
	return status != STATUS_OK || k->publish_status != STATUS_OK
		   ? KEEPER_LATER
		   : KEEPER_PERIOD;
}

/* What the settings say is old enough; DROPPED, of both kinds. */
static enum status
drop_partitions(struct keeper *k, int64_t *dropped, struct err *err)
{
	int64_t days = k->config->record_retention_days, usage_dropped = 0;
	enum status status = STATUS_OK;

	*dropped = 0;
	if (days > 0) {
		status = store_partition_drop(k->pg, days, dropped, err);
	}
	days = k->config->usage_retention_days;
	if (status == STATUS_OK && days > 0) {
		status = store_partition_drop_usage(k->pg, days, &usage_dropped,
						    err);
	}
	*dropped += usage_dropped;
	return status;
}

static enum keeper_due
partitions(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	int64_t made = 0, dropped = 0;
	enum status status = STATUS_OK;

	/* When PostgreSQL is away, the step `revision` says so. */
	if (!k->has_pg || !pg_connected(k->pg)) {
		return k->has_pg ? KEEPER_LATER : KEEPER_PERIOD;
	}
	status = store_partition_ensure(
	    k->pg, k->config->partition_months_ahead, &made, &err);
	if (status == STATUS_OK) {
		status = drop_partitions(k, &dropped, &err);
	}
	if (made > 0 || dropped > 0) {
		log_info("made %" PRId64 " partitions, dropped %" PRId64, made,
			 dropped);
	}
	say_change("making and dropping partitions", &k->partition_status,
		   status, &err);
	return status != STATUS_OK ? KEEPER_LATER : KEEPER_PERIOD;
}

/*
 * All that was appended when the mark was set is drained: what was recorded
 * before that time is in PostgreSQL.  A mark, because under load the spool is
 * never seen empty.
 */
static void
mark_drained(struct keeper *k)
{
	uint64_t drained = atomic_load(&k->board->spool_drained_bytes);

	if (k->mark_us != 0 && drained >= k->mark_bytes) {
		atomic_store(&k->drained_until_us, k->mark_us);
		k->mark_us = 0;
	}
	if (k->mark_us == 0) {
		k->mark_us = clock_now_us();
		k->mark_bytes = atomic_load(&k->board->spool_appended_bytes);
	}
}

static enum keeper_due
drain(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	size_t moved = 0;
	enum status status = STATUS_OK;

	if (k->has_pg) {
		status = drain_step(k->drain, k->drain_pg, &moved, &err);
		say_change("recording to PostgreSQL", &k->drain_status, status,
			   &err);
	}
	drain_account(k->drain);
	if (status != STATUS_OK) {
		return KEEPER_LATER;
	}
	if (k->has_pg) {
		mark_drained(k);
	}
	if (atomic_load(&k->stop)) {
		return moved > 0 ? KEEPER_AGAIN : KEEPER_PERIOD;
	}
	return drain_behind(k->drain) ? KEEPER_AGAIN : KEEPER_PERIOD;
}

static enum keeper_due
epoch(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };

	if (!k->has_pg) {
		return KEEPER_PERIOD;
	}
	enum status status = keeper_epoch_step(
	    k->epoch, k->count_pg, atomic_load(&k->drained_until_us), &err);
	say_change("seeing to what keeps the counters", &k->epoch_status,
		   status, &err);
	return status != STATUS_OK ? KEEPER_LATER : KEEPER_PERIOD;
}

static enum keeper_due
usage(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	bool more = false;

	if (!k->has_pg) {
		return KEEPER_PERIOD;
	}
	enum status status =
	    keeper_usage_step(k->usage, k->count_pg,
			      atomic_load(&k->drained_until_us), &more, &err);
	say_change("keeping the ledger", &k->usage_status, status, &err);
	if (status != STATUS_OK) {
		return KEEPER_LATER;
	}
	return more ? KEEPER_AGAIN : KEEPER_PERIOD;
}

static enum keeper_due
sync_spool(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	enum status status = spool_sync_run(k->sync, &err);

	say_change("flushing the spool to the disk", &k->sync_status, status,
		   &err);
	return status != STATUS_OK ? KEEPER_LATER : KEEPER_PERIOD;
}

/* Rows of counters that nobody reads any more. */
static enum keeper_due
clean(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	int64_t gone = 0;

	if (!k->has_pg || !pg_connected(k->count_pg)) {
		return KEEPER_PERIOD;
	}
	enum status status =
	    store_counter_clean(k->count_pg, CLEAN_BATCH, &gone, &err);
	say_change("cleaning counters", &k->clean_status, status, &err);
	if (status != STATUS_OK) {
		return KEEPER_LATER;
	}
	return gone == CLEAN_BATCH ? KEEPER_AGAIN : KEEPER_PERIOD;
}

/* Roll-ups that are not kept any more. */
static enum keeper_due
rollups(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	int64_t days = k->config->usage_rollup_retention_days, gone = 0;

	if (!k->has_pg || days == 0) {
		return KEEPER_PERIOD;
	}
	if (!pg_connected(k->count_pg)) {
		return KEEPER_LATER;
	}
	enum status status =
	    store_usage_clean(k->count_pg, days, ROLLUP_BATCH, &gone, &err);
	say_change("deleting roll-ups of usage", &k->rollup_status, status,
		   &err);
	if (status != STATUS_OK) {
		return KEEPER_LATER;
	}
	return gone == ROLLUP_BATCH ? KEEPER_AGAIN : KEEPER_PERIOD;
}

static enum keeper_due
sweep(struct keeper *k)
{
	struct err err = { .status = STATUS_OK };
	bool more = false;
	enum status status = keeper_epoch_sweep(k->epoch, &more, &err);

	say_change("sweeping this host's counters", &k->sweep_status, status,
		   &err);
	return more ? KEEPER_AGAIN : KEEPER_PERIOD;
}

static int64_t
every_beat(const struct config *config)
{
	(void)config;
	return 200;
}

static int64_t
every_second(const struct config *config)
{
	(void)config;
	return 1000;
}

static int64_t
every_5_s(const struct config *config)
{
	(void)config;
	return 5000;
}

static int64_t
every_minute(const struct config *config)
{
	(void)config;
	return 60 * 1000;
}

static int64_t
every_hour(const struct config *config)
{
	(void)config;
	return 3600 * 1000;
}

static int64_t
every_poll(const struct config *config)
{
	return config->revision_poll_ms;
}

static int64_t
every_idle(const struct config *config)
{
	return config->drain_idle_ms;
}

static int64_t
every_sync(const struct config *config)
{
	return config->spool_sync_ms > 0 ? config->spool_sync_ms : -1;
}

const struct keeper_step keeper_steps[] = {
	{ "beat", KEEPER_WATCH, every_beat, beat, false, false },
	{ "revision", KEEPER_WATCH, every_poll, revision, true, false },
	{ "partitions", KEEPER_WATCH, every_hour, partitions, false, false },
	{ "reap", KEEPER_WATCH, every_5_s, reap, false, false },
	{ "drain", KEEPER_DRAIN, every_idle, drain, false, true },
	{ "sync", KEEPER_SYNC, every_sync, sync_spool, false, true },
	{ "epoch", KEEPER_COUNT, every_beat, epoch, false, false },
	{ "usage", KEEPER_COUNT, every_second, usage, false, false },
	{ "clean", KEEPER_COUNT, every_minute, clean, false, false },
	{ "rollups", KEEPER_COUNT, every_hour, rollups, false, false },
	{ "sweep", KEEPER_COUNT, every_second, sweep, false, false },
};
const size_t keeper_steps_n = sizeof(keeper_steps) / sizeof(keeper_steps[0]);
