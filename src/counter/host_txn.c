#include "counter/host_txn.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

/* What a write may take beyond its values: the pages on the way to each. */
enum { WAY_BYTES = 64 * 1024, RENEWALS = 16 };

/* ---- the file */

void
host_txn_leave(struct host_store *s)
{
	if (s->reading != NULL && host_file_is_own(s->file)) {
		mdb_txn_abort(s->reading);
	}
	s->reading = NULL;
	host_file_close(s->file);
	s->file = NULL;
}

enum status
host_txn_enter(struct host_store *s, struct err *err)
{
	if (s->file != NULL && s->epoch == s->base.epoch &&
	    host_file_is_own(s->file)) {
		return STATUS_OK;
	}
	host_txn_leave(s);
	s->epoch = s->base.epoch;
	return host_file_open(s->state_dir, s->epoch, &s->file, err);
}

enum status
host_txn_explain(int rc, struct err *err)
{
	if (rc == MDB_NOTFOUND) {
		return err_set(err, STATUS_CORRUPT,
			       "this host has lost its counters");
	}
	return err_set(err, STATUS_UNAVAILABLE, "this host cannot count: %s",
		       mdb_strerror(rc));
}

/* ---- transactions */

MDB_val
host_txn_marker(void)
{
	static char key[] = "\1";

	return (MDB_val){ .mv_size = 1, .mv_data = key };
}

/* MDB_NOTFOUND: the epoch is not there. */
static int
get_marker(MDB_txn *txn, MDB_dbi dbi, uint64_t *base)
{
	MDB_val key = host_txn_marker(), value;
	int rc = mdb_get(txn, dbi, &key, &value);

	if (rc != 0) {
		return rc;
	}
	if (value.mv_size != sizeof(*base)) {
		return MDB_CORRUPTED;
	}
	memcpy(base, value.mv_data, sizeof(*base));
	return 0;
}

static int
renew(struct host_store *s)
{
	MDB_env *env = s->file->env;
	int dead, rc = MDB_BAD_TXN;

	if (s->reading != NULL) {
		rc = mdb_txn_renew(s->reading);
		if (rc != 0) {
			mdb_txn_abort(s->reading);
		}
	}
	if (rc != 0) {
		rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &s->reading);
	}
	if (rc == MDB_READERS_FULL && mdb_reader_check(env, &dead) == 0 &&
	    dead > 0) {
		rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &s->reading);
	}
	if (rc != 0) {
		s->reading = NULL;
	}
	return rc;
}

/*
 * LMDB copies the root of a transaction while the one after the next may be
 * writing it.  What was copied is whole if no transaction has followed.
 */
static bool
is_newest(struct host_store *s)
{
	MDB_envinfo info;
	int rc = mdb_env_info(s->file->env, &info);

	assert(rc == 0);
	return info.me_last_txnid == mdb_txn_id(s->reading);
}

bool
host_txn_again(struct host_store *s, int rc)
{
	int dead;

	return rc == MDB_MAP_FULL &&
	       mdb_reader_check(s->file->env, &dead) == 0 && dead > 0;
}

int
host_txn_read(struct host_store *s)
{
	MDB_txn *txn;
	uint64_t base;
	int rc = renew(s);

	for (int i = 1; rc == 0 && !is_newest(s); i++) {
		mdb_txn_reset(s->reading);
		if (i % RENEWALS == 0) {
			/* A writer was killed before it had told the readers:
			 * the next one does. */
			rc = mdb_txn_begin(s->file->env, NULL, 0, &txn);
			if (rc != 0) {
				return rc;
			}
			mdb_txn_abort(txn);
		}
		rc = renew(s);
	}
	if (rc == 0 &&
	    (rc = get_marker(s->reading, s->file->dbi, &base)) != 0) {
		mdb_txn_reset(s->reading);
	}
	return rc;
}

int
host_txn_write(struct host_store *s, size_t n, size_t bytes,
	       struct host_writing *w)
{
	uint64_t base;

	*w = (struct host_writing){ .dbi = s->file->dbi,
				    .now_s = clock_now_us() / 1000000 };
	int rc = mdb_txn_begin(s->file->env, NULL, 0, &w->txn);
	if (rc != 0) {
		return rc;
	}
	rc = get_marker(w->txn, w->dbi, &base);
	if (rc == 0 && !host_file_has_room(s->file, bytes + n * WAY_BYTES +
							HOST_FREE_LIST_BYTES)) {
		rc = MDB_MAP_FULL;
	}
	if (rc != 0) {
		mdb_txn_abort(w->txn);
		return rc;
	}
	w->version = base + mdb_txn_id(w->txn);
	return 0;
}

int
host_txn_end(struct host_writing *w, int rc)
{
	if (rc != 0) {
		mdb_txn_abort(w->txn);
		return rc;
	}
	return mdb_txn_commit(w->txn);
}

/* ---- one value */

static MDB_val
key_of(const char *key)
{
	/* LMDB does not write there */
	union {
		const char *in;
		void *out;
	} text = { .in = key };

	return (MDB_val){ .mv_size = strlen(key), .mv_data = text.out };
}

bool
host_txn_parse(const MDB_val *value, int64_t at_s, struct host_found *out)
{
	if (value->mv_size < sizeof(out->head)) {
		return false;
	}
	memcpy(&out->head, value->mv_data, sizeof(out->head));
	bool expired = out->head.expires_s <= at_s;
	out->bytes =
	    expired ? NULL
		    : (const unsigned char *)value->mv_data + sizeof(out->head);
	out->n = value->mv_size - sizeof(out->head);
	return true;
}

int
host_txn_get(MDB_txn *txn, MDB_dbi dbi, const char *text, int64_t at_s,
	     struct host_found *out)
{
	MDB_val key = key_of(text), value;
	int rc = mdb_get(txn, dbi, &key, &value);

	if (rc == MDB_NOTFOUND) {
		out->bytes = NULL;
		return 0;
	}
	if (rc != 0) {
		return rc;
	}
	return host_txn_parse(&value, at_s, out) ? 0 : MDB_CORRUPTED;
}

int
host_txn_set(const struct host_writing *w, const struct counter_item *item)
{
	const struct host_head head = { .version = w->version,
					.expires_s = item->expires_s };
	MDB_val key = key_of(item->key);
	MDB_val value = { .mv_size = sizeof(head) + item->next_n };
	int rc = mdb_put(w->txn, w->dbi, &key, &value, MDB_RESERVE);

	if (rc == 0) {
		memcpy(value.mv_data, &head, sizeof(head));
		memcpy((unsigned char *)value.mv_data + sizeof(head),
		       item->next, item->next_n);
	}
	return rc;
}

int
host_txn_drop(const struct host_writing *w, const char *text)
{
	MDB_val key = key_of(text);
	int rc = mdb_del(w->txn, w->dbi, &key, NULL);

	return rc == MDB_NOTFOUND ? 0 : rc;
}
