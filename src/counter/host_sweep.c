/*
 * host_sweep: what has expired is deleted from a host's counters, some at a
 * time; and where there is little room, the oldest notes of calls before they
 * expire, since a limit that cannot be counted refuses calls, and a call
 * without its note is still in the ledger.
 *
 * It is looked for while nobody waits; only deleting makes other writers wait.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "counter/host_txn.h"

/* Little room: eighths of the map in use when it begins, and when it ends. */
enum { CROWDED_FROM = 7, CROWDED_TO = 6 };

struct sweep {
	struct host_store *s;
	size_t batch;
	char (*keys)[COUNTER_KEY_BYTES]; /* to be deleted */
	size_t n;
	char next[COUNTER_KEY_BYTES]; /* where to go on; "" */
	size_t gone, dropped;	      /* dropped: before they expired */
};

/* The text of KEY; false: it is the marker, or damaged. */
static bool
text_of(const MDB_val *key, char out[COUNTER_KEY_BYTES])
{
	const MDB_val marker = host_txn_marker();

	if (key->mv_size >= COUNTER_KEY_BYTES ||
	    (key->mv_size == marker.mv_size &&
	     memcmp(key->mv_data, marker.mv_data, marker.mv_size) == 0)) {
		return false;
	}
	memcpy(out, key->mv_data, key->mv_size);
	out[key->mv_size] = '\0';
	return true;
}

/* Say once that there is little room, and once that there is enough again. */
static void
see_room(struct host_store *s, uint64_t used, uint64_t size)
{
	bool crowded =
	    used > size / 8 * (s->crowded ? CROWDED_TO : CROWDED_FROM);

	if (crowded == s->crowded) {
		return;
	}
	s->crowded = crowded;
	if (crowded) {
		log_warning("the counters of this host take %" PRIu64
			    " of %" PRIu64 " bytes: the oldest reservations "
			    "are forgotten, their reports settle from the "
			    "ledger; see counter_memory_bytes",
			    used, size);
	} else {
		log_info("the counters of this host have room again");
	}
}

/* Within a transaction that reads: how much of the map is in use? */
static int
look_at_room(struct host_store *s)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc = mdb_stat(s->reading, s->file->dbi, &stat);

	if (rc == 0) {
		rc = mdb_env_info(s->file->env, &info);
	}
	if (rc == 0) {
		uint64_t used = (stat.ms_branch_pages + stat.ms_leaf_pages +
				 stat.ms_overflow_pages) *
				stat.ms_psize;

		metric_set(METRIC_counter_memory_used_bytes, (int64_t)used);
		see_room(s, used, info.me_mapsize);
	}
	return rc;
}

/*
 * Look at the next values from FROM on; KIND: only of keys that begin so, 0:
 * of all.  YOUNG: also those that have not expired.
 */
static int
look(struct sweep *sweep, char *from, char kind, bool young)
{
	struct host_store *s = sweep->s;
	const int64_t now_s = clock_now_us() / 1000000;
	MDB_val key = { .mv_size = strlen(from), .mv_data = from };
	MDB_val value;
	MDB_cursor *cursor;
	struct host_found found;
	int rc = host_txn_read(s);

	sweep->n = 0;
	if (rc != 0) {
		return rc;
	}
	rc = look_at_room(s);
	if (rc == 0) {
		rc = mdb_cursor_open(s->reading, s->file->dbi, &cursor);
	}
	if (rc != 0) {
		mdb_txn_reset(s->reading);
		return rc;
	}
	rc = mdb_cursor_get(cursor, &key, &value,
			    key.mv_size > 0 ? MDB_SET_RANGE : MDB_FIRST);
	for (size_t i = 0; rc == 0 && i < sweep->batch; i++) {
		char *text = sweep->keys[sweep->n];
		if (text_of(&key, text)) {
			if (kind != '\0' && *text != kind) {
				break;
			}
			sweep->n += host_txn_parse(&value, now_s, &found) &&
				    (young || found.bytes == NULL);
		}
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	if (rc != 0 || !text_of(&key, sweep->next)) {
		sweep->next[0] = '\0';
	}
	mdb_cursor_close(cursor);
	mdb_txn_reset(s->reading);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Delete N of the keys from AT on that are still expired, or YOUNG, in one
 * transaction. */
static int
delete_some(struct sweep *sweep, size_t at, size_t n, bool young)
{
	char(*keys)[COUNTER_KEY_BYTES] = sweep->keys + at;
	struct host_writing w;
	struct host_found found;
	size_t deleted = 0, dropped = 0;
	int rc = host_txn_write(sweep->s, 0, 0, &w);

	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = host_txn_get(w.txn, w.dbi, keys[i], w.now_s, &found);
		if (rc == 0 && (young || found.bytes == NULL)) {
			rc = host_txn_drop(&w, keys[i]);
			deleted++;
			dropped += found.bytes != NULL;
		}
	}
	rc = host_txn_end(&w, rc);
	if (rc == 0) {
		sweep->gone += deleted;
		sweep->dropped += dropped;
	}
	return rc;
}

/* A full map has room for a few deletions, though not for many. */
static int
delete_all(struct sweep *sweep, bool young)
{
	size_t at = 0, most = sweep->n;

	while (at < sweep->n) {
		size_t n = sweep->n - at < most ? sweep->n - at : most;
		int rc = delete_some(sweep, at, n, young);
		if (rc == 0) {
			at += n;
		} else if (rc == MDB_MAP_FULL && most > 1) {
			most /= 2;
		} else {
			return rc;
		}
	}
	return 0;
}

/* The oldest notes of calls are the first, so nothing is looked for. */
static int
sweep_calls(struct sweep *sweep)
{
	const bool young = sweep->s->crowded;
	char from[] = { COUNTER_KEY_CALL, '\0' };
	int rc = look(sweep, from, COUNTER_KEY_CALL, young);

	return rc == 0 ? delete_all(sweep, young) : rc;
}

/* All values, one after the other. */
static int
sweep_round(struct sweep *sweep)
{
	struct host_store *s = sweep->s;
	int rc = look(sweep, s->swept, '\0', false);

	if (rc == 0) {
		rc = delete_all(sweep, false);
		memcpy(s->swept, sweep->next, sizeof(sweep->next));
	}
	return rc;
}

enum status
counter_host_sweep(struct counter_store *store, size_t batch, size_t *gone,
		   struct err *err)
{
	struct sweep sweep = { .s = (struct host_store *)(void *)store,
			       .batch = batch };
	int dead, rc;
	enum status status = host_txn_enter(sweep.s, err);

	assert(batch > 0);
	if (status != STATUS_OK) {
		return status;
	}
	sweep.keys = memory_get((batch + 1) * sizeof(*sweep.keys));
	rc = mdb_reader_check(sweep.s->file->env, &dead);
	if (rc == 0) {
		rc = sweep_calls(&sweep);
	}
	if (rc == 0) {
		rc = sweep_round(&sweep);
	}
	free(sweep.keys);
	metric_add(METRIC_counter_notes_dropped_total, 0, sweep.dropped);
	if (rc != 0) {
		return host_txn_explain(rc, err);
	}
	*gone = sweep.gone;
	return STATUS_OK;
}
