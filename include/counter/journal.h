/*
 * journal: what the workers of this host are counting just now.
 *
 * state_dir/claims is mapped by all processes; each worker has a slot there.
 * An operation stands in its slot before the first write and until it is done,
 * so that what a killed process had counted, for a call that nobody recorded,
 * can be given back; and so that the host's workers know of each other's
 * claims whether they are still open.
 *
 * Each field has one writer: the worker, or when its process is gone whoever
 * gives back (the housekeeper, of which there is one).
 */
#ifndef COUNTER_JOURNAL_H
#define COUNTER_JOURNAL_H

#include <stdatomic.h>

#include "base/uuid.h"
#include "counter/counter.h"

enum { JOURNAL_SLOTS = 1024, JOURNAL_ENTRIES = COUNTER_CHARGES_MAX };

enum journal_phase {
	JOURNAL_IDLE,
	JOURNAL_TAKING, /* its claims are open */
	JOURNAL_TAKEN,	/* its claims stand; not recorded yet */
	JOURNAL_ADJUSTING,
	JOURNAL_ADJUSTED, /* not recorded yet */
	JOURNAL_UNDOING	  /* to be given back in any case */
};

struct journal_slot {
	_Atomic int32_t pid; /* 0: free; -1: nobody's any more */
	_Atomic int32_t phase;
	_Atomic uint64_t writer;
	_Atomic uint64_t first_seq; /* of the operation's writes */
	_Atomic uint64_t seq;	    /* the last that was used */
	uint64_t epoch;
	int64_t now_us;
	char evaluation_id[UUID_TEXT_BYTES];
	uint32_t entries_n;
	struct counter_entry entries[JOURNAL_ENTRIES];
	_Atomic uint64_t taken;	 /* bit I: entry I is counted, or about to be */
	_Atomic uint64_t alerts; /* bit I: entry I raised its alert */
};

struct journal;

/* Map state_dir/claims, made when missing.  BOOT as of the board: the
 * processes of another one are all gone. */
enum status journal_open(const char *state_dir, uint64_t boot,
			 struct journal **out, struct err *err) MUST_CHECK;
void journal_close(struct journal *journal); /* NULL is fine */

/* A slot for a worker of this process; NULL: none is free. */
struct journal_slot *journal_join(struct journal *journal);

/* Where nothing is left to be given back, the slot is free again. */
void journal_leave(struct journal_slot *slot);

/* A writer's number that nobody had before. */
void journal_rename(const struct journal *journal, struct journal_slot *slot);

/* An operation begins: PHASE is TAKING or ADJUSTING. */
void journal_begin(struct journal_slot *slot, enum journal_phase phase,
		   const char *evaluation_id, int64_t now_us, uint64_t epoch);

/*
 * Leave it to the housekeeper to give back the entries of BITS, which may or
 * may not have been counted; they leave SLOT, whose worker needs another name
 * for its next operation.  False: no slot is free, so it stays counted.
 */
bool journal_abandon(struct journal *journal, struct journal_slot *slot,
		     uint64_t bits);

enum journal_known {
	JOURNAL_FOREIGN, /* a writer of another host, or gone */
	JOURNAL_OPEN,
	JOURNAL_OVER /* it stands, if it is still there */
};
enum journal_known journal_knows(const struct journal *journal, uint64_t writer,
				 uint64_t seq);

/* The next slot from *AT on whose process left something; NULL: no more. */
struct journal_slot *journal_left(struct journal *journal, size_t *at);

/* What SLOT had left is settled: it is free. */
void journal_clear(struct journal_slot *slot);

#endif /* COUNTER_JOURNAL_H */
