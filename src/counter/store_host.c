/*
 * store_host: counters in a file that all processes of the host map, while a
 * single host counts.
 *
 * A value is its version, the second in which it expires, and its bytes.
 * Whether the epoch is there is a value as well, the marker, which every
 * transaction looks at.  Readers never wait; writers wait for each other.  A
 * process that is killed while it writes leaves nothing of it, and the next
 * writer goes on (LMDB's mutex is robust).
 *
 * A version is the number of the transaction that wrote the value, added to a
 * random number of the marker, so it comes again neither in this file nor, but
 * by a chance of 2^-64, in another one.
 *
 * Source: lmdb.h.
 */
#include "counter/host_txn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"

static struct host_store *
of(struct counter_store *store)
{
	return (struct host_store *)(void *)store;
}

/* One line when it begins to fail, one when it works again. */
static void
say(struct host_store *s, enum status status, const struct err *err)
{
	bool failing = status != STATUS_OK;

	if (failing && !s->failing) {
		log_warning("%s", err->text);
	} else if (!failing && s->failing) {
		log_info("this host counts again");
	}
	s->failing = failing;
}

static void
say_rc(struct host_store *s, int rc)
{
	struct err err = { .status = STATUS_OK };

	say(s, rc == 0 ? STATUS_OK : host_txn_explain(rc, &err), &err);
}

static void
give(struct counter_item *item, const struct host_found *found,
     struct arena *arena)
{
	if (found->bytes == NULL) {
		item->state = ITEM_ABSENT;
		return;
	}
	unsigned char *copy = arena_alloc(arena, found->n + 1);
	memcpy(copy, found->bytes, found->n);
	item->state = ITEM_FOUND;
	item->version = found->head.version;
	item->value = copy;
	item->value_n = found->n;
}

static int
read_all(struct host_store *s, struct arena *arena, struct counter_item *items,
	 size_t n)
{
	const int64_t at_s = clock_now_us() / 1000000;
	struct host_found found;
	int rc = host_txn_read(s);

	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = host_txn_get(s->reading, s->file->dbi, items[i].key, at_s,
				  &found);
		if (rc == 0) {
			give(&items[i], &found, arena);
		}
	}
	mdb_txn_reset(s->reading);
	return rc;
}

/* How many of the N items are written, and the BYTES of them. */
static size_t
count_next(const struct counter_item *items, size_t n, bool absent,
	   size_t *bytes)
{
	size_t writes = 0;

	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		if (items[i].next != NULL &&
		    (!absent || items[i].state == ITEM_ABSENT)) {
			writes++;
			*bytes += items[i].next_n;
		}
	}
	return writes;
}

/* Add those that have NEXT and were absent, unless they are there by now. */
static int
add_absent(struct host_store *s, struct arena *arena,
	   struct counter_item *items, size_t n)
{
	size_t bytes, writes = count_next(items, n, true, &bytes);
	struct host_writing w;
	struct host_found found;

	if (writes == 0) {
		return 0;
	}
	int rc = host_txn_write(s, writes, bytes, &w);
	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (items[i].next == NULL || items[i].state != ITEM_ABSENT) {
			continue;
		}
		rc = host_txn_get(w.txn, w.dbi, items[i].key, w.now_s, &found);
		if (rc == 0) {
			give(&items[i], &found, arena);
		}
		if (rc == 0 && found.bytes == NULL) {
			rc = host_txn_set(&w, &items[i]);
		}
	}
	return host_txn_end(&w, rc);
}

static void
host_read(struct counter_store *store, struct arena *arena,
	  struct counter_item *items, size_t n)
{
	struct host_store *s = of(store);
	struct err err;
	enum status status = host_txn_enter(s, &err);

	if (status == STATUS_OK) {
		int rc = read_all(s, arena, items, n);
		if (rc == 0) {
			rc = add_absent(s, arena, items, n);
		}
		if (host_txn_again(s, rc)) {
			rc = add_absent(s, arena, items, n);
		}
		status = rc == 0 ? STATUS_OK : host_txn_explain(rc, &err);
	}
	say(s, status, &err);
	for (size_t i = 0; i < n; i++) {
		if (status != STATUS_OK) {
			items[i].state = ITEM_UNKNOWN;
		}
		if (items[i].state != ITEM_FOUND) {
			items[i].version = 0;
			items[i].value = NULL;
			items[i].value_n = 0;
		}
	}
}

/* Replace all, or none: then MOVED, where RC is 0. */
static int
swap_all(struct host_store *s, const struct counter_item *items, size_t n,
	 bool *moved)
{
	size_t bytes, writes = count_next(items, n, false, &bytes);
	struct host_writing w;
	struct host_found found;

	*moved = false;
	int rc = host_txn_write(s, writes, bytes, &w);
	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct counter_item *item = &items[i];
		if (item->next == NULL) {
			continue;
		}
		rc = host_txn_get(w.txn, w.dbi, item->key, w.now_s, &found);
		if (rc != 0) {
			break;
		}
		*moved = found.bytes == NULL
			     ? item->state != ITEM_ABSENT
			     : item->state != ITEM_FOUND ||
				   item->version != found.head.version;
		if (*moved) {
			mdb_txn_abort(w.txn);
			return 0;
		}
		rc = host_txn_set(&w, item);
	}
	return host_txn_end(&w, rc);
}

static bool
fit(const struct counter_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (items[i].next != NULL &&
		    items[i].next_n > COUNTER_VALUE_MAX_BYTES) {
			return false;
		}
	}
	return true;
}

static void
host_swap(struct counter_store *store, struct counter_item *items, size_t n)
{
	struct host_store *s = of(store);
	enum counter_item_result result = ITEM_FAILED;
	struct err err;
	size_t bytes;
	bool moved;

	if (count_next(items, n, false, &bytes) == 0) {
		return;
	}
	if (fit(items, n)) {
		enum status status = host_txn_enter(s, &err);
		if (status == STATUS_OK) {
			int rc = swap_all(s, items, n, &moved);
			if (host_txn_again(s, rc)) {
				rc = swap_all(s, items, n, &moved);
			}
			status =
			    rc == 0 ? STATUS_OK : host_txn_explain(rc, &err);
		}
		say(s, status, &err);
		if (status == STATUS_OK) {
			result = moved ? ITEM_MOVED : ITEM_REPLACED;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (items[i].next != NULL) {
			items[i].result = result;
		}
	}
}

static int
put_all(struct host_store *s, const struct counter_item *items, size_t n)
{
	size_t bytes, writes = count_next(items, n, false, &bytes);
	struct host_writing w;

	if (writes == 0) {
		return 0;
	}
	int rc = host_txn_write(s, writes, bytes, &w);
	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (items[i].next == NULL ||
		    items[i].next_n > COUNTER_VALUE_MAX_BYTES) {
			continue;
		}
		rc = items[i].next_n == 0 ? host_txn_drop(&w, items[i].key)
					  : host_txn_set(&w, &items[i]);
	}
	return host_txn_end(&w, rc);
}

static void
host_put(struct counter_store *store, const struct counter_item *items,
	 size_t n)
{
	struct host_store *s = of(store);
	struct err err;
	enum status status = host_txn_enter(s, &err);

	if (status != STATUS_OK) {
		say(s, status, &err);
		return;
	}
	int rc = put_all(s, items, n);
	if (host_txn_again(s, rc)) {
		rc = put_all(s, items, n);
	}
	say_rc(s, rc);
}

/* ---- the epoch */

static int
set_marker(struct host_file *file)
{
	MDB_val key = host_txn_marker(), value;
	MDB_txn *txn;
	uint64_t base;
	int rc = mdb_txn_begin(file->env, NULL, 0, &txn);

	if (rc != 0) {
		return rc;
	}
	digest_random(&base, sizeof(base));
	value = (MDB_val){ .mv_size = sizeof(base), .mv_data = &base };
	rc = host_file_has_room(file, HOST_FREE_LIST_BYTES)
		 ? mdb_put(txn, file->dbi, &key, &value, MDB_NOOVERWRITE)
		 : MDB_MAP_FULL;
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc == MDB_KEYEXIST ? 0 : rc;
	}
	return mdb_txn_commit(txn);
}

static enum status
host_begin(struct counter_store *store, uint64_t epoch, struct err *err)
{
	struct host_store *s = of(store);
	enum status status;

	assert(epoch != 0);
	host_txn_leave(s);
	status =
	    host_file_make(s->state_dir, epoch, s->map_bytes, &s->file, err);
	if (status != STATUS_OK) {
		return status;
	}
	s->epoch = epoch;
	int rc = set_marker(s->file);
	return rc == 0 ? STATUS_OK : host_txn_explain(rc, err);
}

static enum status
host_check(struct counter_store *store, struct err *err)
{
	struct host_store *s = of(store);
	enum status status = host_txn_enter(s, err);

	if (status != STATUS_OK) {
		return status;
	}
	int rc = host_file_is_there(s->file) ? host_txn_read(s) : MDB_NOTFOUND;
	if (rc != 0) {
		return host_txn_explain(rc, err);
	}
	mdb_txn_reset(s->reading);
	return STATUS_OK;
}

static void
host_free(struct counter_store *store)
{
	struct host_store *s = of(store);

	host_txn_leave(s);
	free(s->state_dir);
	free(s);
}

struct counter_store *
counter_host_store(const char *state_dir, int64_t map_bytes, struct err *err)
{
	static const struct counter_store_type type = {
		.name = "host",
		.atomic = true,
		.read = host_read,
		.swap = host_swap,
		.put = host_put,
		.begin = host_begin,
		.check = host_check,
		.free = host_free,
	};

	if (strlen(state_dir) > HOST_FILE_FOLDER_BYTES) {
		(void)err_set(err, STATUS_UNAVAILABLE, "state_dir is too long");
		return NULL;
	}
	struct host_store *s = memory_get(sizeof(*s));
	*s =
	    (struct host_store){ .base = { .type = &type },
				 .state_dir = memory_get(strlen(state_dir) + 1),
				 .map_bytes = map_bytes };
	strcpy(s->state_dir, state_dir);
	return &s->base;
}

void
counter_host_delete(const char *state_dir)
{
	host_file_delete(state_dir);
}
