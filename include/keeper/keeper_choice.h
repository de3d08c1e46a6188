/*
 * keeper_choice: should a new epoch of the counters begin, and of what?
 *
 * Pure: what a housekeeper sees in, its wish out.
 * Source: docs/decisions/ADR-0015-an-epoch-says-what-counts.md.
 */
#ifndef KEEPER_KEEPER_CHOICE_H
#define KEEPER_KEEPER_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store_node.h"

/* Accounts that cannot be read are made anew at most so often: two versions of
 * the program side by side would chase each other. */
#define KEEPER_UNREADABLE_MS INT64_C(60000)

struct keeper_view {
	struct store_node_epoch now; /* the newest; 0: there is none */
	bool mine;		     /* this host began it */
	bool pinned; /* an operator chose what counts in it, until it is lost */
	size_t hosts_n;	   /* registered, with this one */
	bool may_be_alone; /* the setting counter_alone, and it can be mapped */
	bool host_lost;	   /* this host's memory has not what it had */
	bool unreadable;   /* this host met an account that it cannot read */
	bool memcached, postgresql; /* are they set? */
	bool answers;		    /* memcached, at the last look, */
	int64_t for_ms;		    /* and for how long it has (not) */
	bool memcached_lost;	    /* and it has not what it had */
	bool all_reach;		    /* every host reaches its memcached */
	int64_t lost_ms, back_ms;   /* the settings memcached_... */
};

/* Gives COUNTS and REASON, static, where it returns true. */
bool keeper_choice(const struct keeper_view *view,
		   enum store_node_counts *counts, const char **reason);

#endif /* KEEPER_KEEPER_CHOICE_H */
