/*
 * host_txn: what store_host and its sweep do in LMDB: reading and writing
 * single values of the epoch's file.
 *
 * Each int is LMDB's code: 0, MDB_NOTFOUND where the epoch is lost, MDB_MAP_FULL
 * where there is no room in the map or on the disk, or another.
 */
#ifndef COUNTER_HOST_TXN_H
#define COUNTER_HOST_TXN_H

#include "counter/host_file.h"
#include "counter/store.h"

/* What LMDB may write of its own when one value is written. */
enum { HOST_FREE_LIST_BYTES = 256 * 1024 };

struct host_store {
	struct counter_store base;
	char *state_dir;
	int64_t map_bytes;
	struct host_file *file; /* NULL: none is open */
	uint64_t epoch;		/* of it */
	MDB_txn *reading;	/* NULL: none yet; between calls reset */
	bool failing;		/* that has been logged */
	bool crowded;		/* that as well; see host_sweep.c */
	/* where the sweep goes on; "": at the beginning */
	char swept[COUNTER_KEY_BYTES];
};

/* Before a value's bytes. */
struct host_head {
	uint64_t version;
	int64_t expires_s;
};

/* A write transaction. */
struct host_writing {
	MDB_txn *txn;
	MDB_dbi dbi;
	uint64_t version; /* of what it writes */
	int64_t now_s;
};

/* What is at a key. */
struct host_found {
	struct host_head head;
	const unsigned char *bytes; /* NULL: nothing, or it has expired */
	size_t n;
};

/* Have the file of the store's epoch open, and end that. */
enum status host_txn_enter(struct host_store *s, struct err *err);
void host_txn_leave(struct host_store *s);

/* RC, not 0, as a status. */
enum status host_txn_explain(int rc, struct err *err);

/* Begin to read in s->reading, where the epoch is there; then
 * mdb_txn_reset. */
int host_txn_read(struct host_store *s);

/* Begin to write N values of BYTES together; then host_txn_end. */
int host_txn_write(struct host_store *s, size_t n, size_t bytes,
		   struct host_writing *w);
/* Commit, unless RC says that it cannot be; returns what came of it. */
int host_txn_end(struct host_writing *w, int rc);

/* Is it worth writing again after RC?  There was no room, and a process was
 * killed while it read, for which much was kept. */
bool host_txn_again(struct host_store *s, int rc);

/* The key of the epoch's marker: no printable text.  Its value is the number
 * that versions begin with. */
MDB_val host_txn_marker(void);

/* What is at KEY at the second AT_S, until the transaction ends. */
int host_txn_get(MDB_txn *txn, MDB_dbi dbi, const char *key, int64_t at_s,
		 struct host_found *out);
int host_txn_set(const struct host_writing *w, const struct counter_item *item);
int host_txn_drop(const struct host_writing *w, const char *key);

/* VALUE as it is in the file; false: it is damaged. */
bool host_txn_parse(const MDB_val *value, int64_t at_s, struct host_found *out);

#endif /* COUNTER_HOST_TXN_H */
