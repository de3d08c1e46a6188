/*
 * store: where counters are kept: values by key, replaced only where they are
 * still what was read.
 *
 * The one interface below all counting (counter/take.c); four of them:
 * store_memory.c (the reference, and tests), store_host.c, store_memcached.c,
 * and store_postgresql.c.  None knows what a value means.
 *
 * A missing value is not zero.  Each store knows an *epoch*: since it began,
 * everything that was written under it is still there, or the store says that
 * it is not.  So ITEM_ABSENT means "never written in this epoch", and what
 * cannot be told is ITEM_UNKNOWN.  Who begins an epoch (counter/epoch.h) has
 * rebuilt every counter from the ledger first.
 */
#ifndef COUNTER_STORE_H
#define COUNTER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum {
	COUNTER_KEY_BYTES = 48, /* printable ASCII without blanks, and a NUL */
	COUNTER_VALUE_MAX_BYTES = 1000 * 1000,
	/* Keys that begin so are notes of calls, the oldest first: a store that
	 * has little room may forget them in that order. */
	COUNTER_KEY_CALL = 'r'
};

enum counter_item_state {
	ITEM_UNKNOWN, /* not answered in time, lost, or no epoch */
	ITEM_ABSENT,  /* never written in this epoch, or expired */
	ITEM_FOUND
};

enum counter_item_result {
	ITEM_UNSURE, /* sent, and no answer: it may have happened */
	ITEM_FAILED, /* surely not written: no room, not sent */
	ITEM_MOVED,  /* surely not written: it is not what was read any more */
	ITEM_REPLACED
};

struct counter_item {
	char key[COUNTER_KEY_BYTES]; /* without the epoch: the store adds it */
	/* given by read */
	enum counter_item_state state;
	uint64_t version;	    /* FOUND: of what was read */
	const unsigned char *value; /* [value_n], FOUND: in the arena */
	size_t value_n;
	/* taken by swap and put */
	const unsigned char *next; /* [next_n]; NULL: swap and put leave it */
	size_t next_n;
	int64_t expires_s; /* Unix time; may be forgotten from then on */
	/* given by swap */
	enum counter_item_result result;
};

struct counter_store;

struct counter_store_type {
	const char *name; /* "memory", "host", "memcached", "postgresql" */
	/* swap replaces all of its items or none of them */
	bool atomic;
	/*
	 * Read all N items in one round trip.  An item that has NEXT is
	 * added where it is absent, in the same round trip, and is then
	 * ITEM_ABSENT for the one caller that added it.
	 */
	void (*read)(struct counter_store *store, struct arena *arena,
		     struct counter_item *items, size_t n);
	/*
	 * Replace every item that has NEXT where it is still the VERSION that
	 * was read (ITEM_ABSENT: still absent), in one round trip.
	 */
	void (*swap)(struct counter_store *store, struct counter_item *items,
		     size_t n);
	/*
	 * Write every item that has NEXT whatever is there; NEXT_N of 0
	 * deletes.  Nothing is waited for and nothing is promised.
	 */
	void (*put)(struct counter_store *store,
		    const struct counter_item *items, size_t n);
	/*
	 * Begin EPOCH: every server says from now on that it holds all of it.
	 * By the housekeeper.  memcached: before the counters of the epoch are
	 * written, so that a loss while they are is seen; then check says
	 * whether all of them are there.  PostgreSQL: when they are written.
	 */
	enum status (*begin)(struct counter_store *store, uint64_t epoch,
			     struct err *err);
	/* STATUS_OK: every server holds all of the epoch.  STATUS_CORRUPT:
	 * one has lost it (restarted, flushed, evicted); STATUS_UNAVAILABLE:
	 * one does not answer. */
	enum status (*check)(struct counter_store *store, struct err *err);
	void (*free)(struct counter_store *store);
};

/* Every store begins with this; of one thread. */
struct counter_store {
	const struct counter_store_type *type;
	uint64_t epoch;	      /* that is read and written; set by the owner */
	uint64_t round_trips; /* made so far, for the bench and the metric */
};

/*
 * In memory, shared by the stores that are made on one `struct
 * counter_memory`; for tests also a store that loses what it has.
 */
struct counter_memory;
struct counter_memory *counter_memory_new(void);
void counter_memory_free(struct counter_memory *memory);  /* NULL is fine */
void counter_memory_flush(struct counter_memory *memory); /* loses all */
struct counter_store *counter_memory_store(struct counter_memory *memory);

/*
 * SERVERS as in the setting `memcached`.  Each call waits TIMEOUT_MS at most;
 * a server that did not answer is not asked again for a second.  NULL: SERVERS
 * is not a list of servers, and ERR says why.
 */
struct counter_store *counter_memcached_store(const char *servers,
					      int64_t timeout_ms,
					      struct err *err);

/* CONNINFO of the role ims_policy_counter. */
struct counter_store *counter_postgresql_store(const char *conninfo,
					       int64_t timeout_ms);

/*
 * In memory that all processes of this host map: a file in STATE_DIR of
 * MAP_BYTES at most, which another boot of the machine never reads.  No round
 * trip is made, and nothing is waited for but another writer.  begin makes the
 * file, so MAP_BYTES is that of who began the epoch.  NULL: STATE_DIR is too
 * long, and ERR says so.
 */
struct counter_store *counter_host_store(const char *state_dir,
					 int64_t map_bytes, struct err *err);

/**
 * counter_host_sweep(store, batch, gone, err):
 * Delete what has expired, of the BATCH oldest notes of calls and of the next
 * BATCH values of a host's STORE; a store goes on where it stopped and begins
 * again at the end.  As soon as seven eighths of MAP_BYTES are in use the
 * oldest notes go before they expire, until six are.  By the housekeeper, who
 * also lets go of what processes that were killed had open.
 *
 * Takes:   BATCH > 0; others wait while what goes of it is deleted.
 * Gives:   GONE, how many values were deleted.
 * Errors:  STATUS_CORRUPT, the epoch is lost; STATUS_UNAVAILABLE.
 */
enum status counter_host_sweep(struct counter_store *store, size_t batch,
			       size_t *gone, struct err *err) MUST_CHECK;

/* Delete what hosts' stores left in STATE_DIR: something else counts. */
void counter_host_delete(const char *state_dir);

void counter_store_free(struct counter_store *store); /* NULL is fine */

#endif /* COUNTER_STORE_H */
