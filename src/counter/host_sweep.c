/*
 * host_sweep: what has expired is deleted from a host's counters, some at a
 * time.
 *
 * It is looked for while nobody waits; only deleting makes other writers wait.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "counter/host_txn.h"

struct sweep {
	struct host_store *s;
	char (*keys)[COUNTER_KEY_BYTES]; /* that have expired */
	size_t n;
	char next[COUNTER_KEY_BYTES]; /* where to go on; "" */
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

/* Look at BATCH values. */
static int
look(struct sweep *sweep, size_t batch)
{
	struct host_store *s = sweep->s;
	const int64_t now_s = clock_now_us() / 1000000;
	MDB_val key = { .mv_size = strlen(s->swept), .mv_data = s->swept };
	MDB_val value;
	MDB_cursor *cursor;
	struct host_found found;
	int rc = host_txn_read(s);

	if (rc != 0) {
		return rc;
	}
	rc = mdb_cursor_open(s->reading, s->file->dbi, &cursor);
	if (rc != 0) {
		mdb_txn_reset(s->reading);
		return rc;
	}
	rc = mdb_cursor_get(cursor, &key, &value,
			    key.mv_size > 0 ? MDB_SET_RANGE : MDB_FIRST);
	for (size_t i = 0; rc == 0 && i < batch; i++) {
		char *text = sweep->keys[sweep->n];
		if (text_of(&key, text) &&
		    host_txn_parse(&value, now_s, &found) &&
		    found.bytes == NULL) {
			sweep->n++;
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

/* Delete N of KEYS that are still expired, in one transaction. */
static int
delete_some(struct host_store *s, char (*keys)[COUNTER_KEY_BYTES], size_t n,
	    size_t *gone)
{
	struct host_writing w;
	struct host_found found;
	size_t deleted = 0;
	int rc = host_txn_write(s, 0, 0, &w);

	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = host_txn_get(w.txn, w.dbi, keys[i], w.now_s, &found);
		if (rc == 0 && found.bytes == NULL) {
			rc = host_txn_drop(&w, keys[i]);
			deleted++;
		}
	}
	rc = host_txn_end(&w, rc);
	if (rc == 0) {
		*gone += deleted;
	}
	return rc;
}

/* A full map has room for a few deletions, though not for many. */
static int
delete_all(const struct sweep *sweep, size_t *gone)
{
	size_t at = 0, most = sweep->n;

	while (at < sweep->n) {
		size_t n = sweep->n - at < most ? sweep->n - at : most;
		int rc = delete_some(sweep->s, sweep->keys + at, n, gone);
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

enum status
counter_host_sweep(struct counter_store *store, size_t batch, size_t *gone,
		   struct err *err)
{
	struct sweep sweep = { .s = (struct host_store *)(void *)store };
	size_t deleted = 0;
	int dead, rc;
	enum status status = host_txn_enter(sweep.s, err);

	assert(batch > 0);
	if (status != STATUS_OK) {
		return status;
	}
	sweep.keys = memory_get((batch + 1) * sizeof(*sweep.keys));
	rc = mdb_reader_check(sweep.s->file->env, &dead);
	if (rc == 0) {
		rc = look(&sweep, batch);
	}
	if (rc == 0) {
		rc = delete_all(&sweep, &deleted);
		memcpy(sweep.s->swept, sweep.next, sizeof(sweep.next));
	}
	free(sweep.keys);
	if (rc != 0) {
		return host_txn_explain(rc, err);
	}
	*gone = deleted;
	return STATUS_OK;
}
