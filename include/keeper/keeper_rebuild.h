/*
 * keeper_rebuild: every counter of an epoch, from the ledger.
 *
 * Source: docs/decisions/ADR-0015-an-epoch-says-what-counts.md.
 */
#ifndef KEEPER_KEEPER_REBUILD_H
#define KEEPER_KEEPER_REBUILD_H

#include "base/status.h"
#include "counter/store.h"
#include "store/pg.h"
#include "store/store_node.h"

/**
 * keeper_rebuild(pg, store, epoch, err):
 * Write the counters of EPOCH into STORE; then it is ready.
 *
 * Takes:   STORE of what EPOCH counts in, its epoch set.  Every host follows
 *          EPOCH and is drained past that.
 * Errors:  STATUS_BUSY: another host does it, or EPOCH is not the newest or
 *          ready already; STATUS_FULL: not all of it could be written, so that
 *          EPOCH must not become ready; else those of PostgreSQL and STORE.
 */
enum status keeper_rebuild(struct pg *pg, struct counter_store *store,
			   const struct store_node_epoch *epoch,
			   struct err *err) MUST_CHECK;

#endif /* KEEPER_KEEPER_REBUILD_H */
