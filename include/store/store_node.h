/*
 * store_node: which hosts take part (table nodes), and what keeps the counters
 * (table counter_epochs).
 *
 * Who begins an epoch says which one it takes to be the newest, so that of
 * several hosts that want to begin one only one does.
 */
#ifndef STORE_STORE_NODE_H
#define STORE_STORE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/uuid.h"
#include "store/pg.h"

enum store_node_counts {
	STORE_NODE_MEMCACHED,
	STORE_NODE_POSTGRESQL,
	STORE_NODE_HOST /* the memory of the host that began the epoch */
};
extern const char *const store_node_counts_words[]; /* "memcached", ... */

/* The host of an epoch whose keeper of counters an operator chose. */
#define STORE_NODE_OPERATOR "00000000-0000-0000-0000-000000000000"

enum { STORE_NODE_REASON_BYTES = 64 };

/* The newest epoch; all zeroes where none was ever begun. */
struct store_node_epoch {
	uint64_t epoch;
	enum store_node_counts counts;
	bool ready;		    /* false: its counters are being rebuilt */
	char node[UUID_TEXT_BYTES]; /* spool_id of the host that began it */
	int64_t age_ms;		    /* since it was begun, by the server */
	char reason[STORE_NODE_REASON_BYTES]; /* why, perhaps cut off */
};

enum status store_node_epoch(struct pg *pg, struct store_node_epoch *out,
			     struct err *err) MUST_CHECK;

/**
 * store_node_epoch_begin(pg, counts, reason, spool_id, expected, begun, err):
 * Begin the epoch after EXPECTED (0: the first), which is not ready yet.
 *
 * Gives:   BEGUN, its number.  From now on no counter is written in the old
 *          one, if PostgreSQL kept it.
 * Errors:  STATUS_BUSY: EXPECTED is not the newest, somebody else began one;
 *          else as pg_query.
 */
enum status store_node_epoch_begin(struct pg *pg, enum store_node_counts counts,
				   const char *reason, const char *spool_id,
				   uint64_t expected, uint64_t *begun,
				   struct err *err) MUST_CHECK;

/* Its counters are rebuilt; again is fine.  STATUS_BUSY: it is not the newest
 * any more. */
enum status store_node_epoch_ready(struct pg *pg, uint64_t epoch,
				   struct err *err) MUST_CHECK;

/* An epoch as it is listed. */
struct store_node_epoch_row {
	const char *epoch;
	const char *counts;
	const char *reason;
	const char *node;     /* spool_id */
	const char *name;     /* of that host; "": it is not registered */
	const char *begun_at; /* RFC 3339 */
	const char *ready_at; /* "": not yet */
};

/* Call EACH with the newest N epochs, the newest first. */
enum status store_node_epoch_each(
    struct pg *pg, int n,
    void (*each)(void *arg, const struct store_node_epoch_row *row), void *arg,
    struct err *err) MUST_CHECK;

enum store_node_up {
	STORE_NODE_NONE, /* the host has no memcached */
	STORE_NODE_DOWN,
	STORE_NODE_UP
};

struct store_node {
	const char *spool_id;
	const char *name;
	bool clock_known;
	int64_t clock_off_ms; /* ahead of the server's, if known */
	enum store_node_up memcached;
	uint64_t epoch; /* that it follows; 0: none */
	/* All that was recorded on it before this time, by its own clock, is
	 * in PostgreSQL; 0: not known. */
	int64_t drained_until_us;
	int64_t age_ms; /* given by store_node_each: since its last beat */
};

/* Register a host, or say how it is now; SERVER_US: the server's clock. */
enum status store_node_beat(struct pg *pg, const struct store_node *node,
			    int64_t *server_us, struct err *err) MUST_CHECK;

/* Call EACH with every registered host, by name. */
enum status store_node_each(struct pg *pg,
			    void (*each)(void *arg,
					 const struct store_node *node),
			    void *arg, struct err *err) MUST_CHECK;

/* A host that will never come back: nobody waits for its spool any more.
 * STATUS_NOT_FOUND.  By the owner of the schema. */
enum status store_node_remove(struct pg *pg, const char *spool_id,
			      struct err *err) MUST_CHECK;

#endif /* STORE_STORE_NODE_H */
