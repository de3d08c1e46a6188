/*
 * rebuild: every account anew, from what the ledger says.
 *
 * Written into a store whose epoch has begun and is not ready, so that nobody
 * counts there meanwhile; each batch is read again, since a put promises
 * nothing.  Source of the rows: the SQL function usage_counters.
 */
#ifndef COUNTER_REBUILD_H
#define COUNTER_REBUILD_H

#include "counter/account.h"
#include "counter/counter.h"

struct counter_rebuild;

/* STORE is borrowed, its epoch set. */
struct counter_rebuild *counter_rebuild_new(struct counter_store *store,
					    int64_t now_us);
void counter_rebuild_free(struct counter_rebuild *rebuild);

/* Add ENTRY to SUBJECT's account; all of one subject come one after another.
 * False: a batch could not be written; give up. */
bool counter_rebuild_add(struct counter_rebuild *rebuild,
			 const struct counter_subject *subject,
			 const struct account_entry *entry) MUST_CHECK;

/* Write what is left; ACCOUNTS_N: how many there were. */
bool counter_rebuild_end(struct counter_rebuild *rebuild,
			 size_t *accounts_n) MUST_CHECK;

#endif /* COUNTER_REBUILD_H */
