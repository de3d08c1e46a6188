/*
 * store_counter: the table counter_items, read and replaced in one statement
 * each.
 *
 * What the values mean is counter/'s business.  Every call names its epoch;
 * where another one holds, or none of PostgreSQL's, nothing is known and
 * nothing is written.  An item that has expired is absent.
 */
#ifndef STORE_STORE_COUNTER_H
#define STORE_STORE_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "store/pg.h"

enum store_counter_state {
	STORE_COUNTER_UNKNOWN, /* another epoch holds, or it is being rebuilt
				  and lacks the item */
	STORE_COUNTER_ABSENT,
	STORE_COUNTER_FOUND
};

struct store_counter_item {
	const char *key;
	/* given by read */
	enum store_counter_state state;
	uint64_t version;	    /* FOUND; ABSENT: of what was added, or 0 */
	const unsigned char *value; /* [value_n] FOUND: in the arena */
	size_t value_n;
	/* taken; NEXT of NULL: read adds nothing, put deletes */
	const unsigned char *next; /* [next_n] */
	size_t next_n;
	int64_t expires_s; /* Unix time */
};

/**
 * store_counter_read(pg, epoch, arena, items, n, err):
 * Read N items; one that is absent and has NEXT becomes it, and is ABSENT with
 * its version for the one caller that added it.
 *
 * Errors:  as pg_query; nothing is given then, and what was to be added may be
 *          there.
 */
enum status store_counter_read(struct pg *pg, uint64_t epoch,
			       struct arena *arena,
			       struct store_counter_item *items, size_t n,
			       struct err *err) MUST_CHECK;

enum store_counter_swapped {
	STORE_COUNTER_UNSURE, /* sent, and no answer */
	STORE_COUNTER_FAILED, /* surely not written */
	STORE_COUNTER_MOVED,  /* surely not written: one is another version */
	STORE_COUNTER_DONE
};

/**
 * store_counter_swap(pg, epoch, items, n, moved, err):
 * Replace N items by their NEXT, all or none, where each still is the version
 * that was read, or absent for a version of 0.
 *
 * Gives:   MOVED, for STORE_COUNTER_MOVED: the place of one that was moved;
 *          ERR, for UNSURE and FAILED.
 */
enum store_counter_swapped
store_counter_swap(struct pg *pg, uint64_t epoch,
		   const struct store_counter_item *items, size_t n,
		   size_t *moved, struct err *err) MUST_CHECK;

/* Write N items whatever is there, in any epoch of PostgreSQL's that is the
 * newest.  STATUS_CONFLICT: this one is not. */
enum status store_counter_put(struct pg *pg, uint64_t epoch,
			      const struct store_counter_item *items, size_t n,
			      struct err *err) MUST_CHECK;

/* EPOCH, kept by PostgreSQL, is rebuilt.  STATUS_CONFLICT: it is over. */
enum status store_counter_begin(struct pg *pg, uint64_t epoch,
				struct err *err) MUST_CHECK;

/* Delete at most BATCH items that nobody can read any more; GONE: how many.
 * And epochs, as counter_items_clean says. */
enum status store_counter_clean(struct pg *pg, int64_t batch, int64_t *gone,
				struct err *err) MUST_CHECK;

#endif /* STORE_STORE_COUNTER_H */
