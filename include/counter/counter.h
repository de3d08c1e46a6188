/*
 * counter: exact rate windows, budgets and leases, shared by all processes and
 * hosts.
 *
 *	counter_take
 *	   -> the account of each subject (counter/account.h) is read
 *	   -> all charges are applied to them, or one refuses
 *	   -> what changed is written where nobody else wrote meanwhile,
 *	      else again from the start
 *
 * Used by engine/ (deciding, settling) and keeper/ (expiring, rebuilding).
 * What is counted is in the ledger as well (the spool, the table usage); a
 * counter that is not known is rebuilt from there, never assumed to be zero.
 * Knows no policy beyond what a charge says, no HTTP, no SQL.
 */
#ifndef COUNTER_COUNTER_H
#define COUNTER_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/board.h"
#include "base/config.h"
#include "base/status.h"
#include "base/uuid.h"
#include "core/counter.h"
#include "counter/store.h"

struct counter;	       /* a process's */
struct journal_slot;   /* counter/journal.h */
struct counter_worker; /* a thread's: its connections, its place in the
			  journal */

/* Nothing is connected yet. */
enum status counter_open(const struct config *config, struct board *board,
			 struct counter **out, struct err *err) MUST_CHECK;
void counter_close(struct counter *counter); /* NULL is fine */

/* For tests and tools: STORE instead of what the board names. It is yours. */
struct counter_worker *counter_worker_on(struct counter *counter,
					 struct counter_store *store);
struct counter_worker *counter_worker_new(struct counter *counter);
void counter_worker_free(struct counter_worker *worker); /* NULL is fine */

/* The epoch in which the last counter_take or counter_adjust counted, which
 * may be over by now; 0: nothing counted then. */
uint64_t counter_epoch(const struct counter_worker *worker);

/* A subject's account: who it is, in 16 bytes. */
struct counter_subject {
	unsigned char bytes[16];
};
struct counter_subject counter_subject(enum scope scope, const char *subject);

/* The key of its account, of what is counted there counter/account.h. */
void counter_subject_key(const struct counter_subject *subject,
			 char out[COUNTER_KEY_BYTES]);

/* One thing that was counted, as the ledger and a reservation keep it. */
struct counter_entry {
	struct counter_subject subject;
	uint64_t counter; /* constraint->counter: which of the subject's */
	enum counter_kind kind;
	enum counter_unit unit;
	enum window_unit window;
	bool alert; /* BUDGET: of the call that raised its window's alert */
	/* of a call that could not be counted as a whole: where this was; 0:
	 * nowhere */
	uint64_t counted_epoch;
	/* BUDGET: begin of its window; RATE: when it was counted; LEASE: 0 */
	int64_t from_s;
	int64_t to_s; /* BUDGET: its end; LEASE: its expiry; RATE: 0 */
	int64_t amount;
};

/* Whose charges they are. */
struct counter_call {
	const char *evaluation_id; /* UUID text: names its leases */
	int64_t now_us;
	int64_t expires_us; /* of its leases */
	/* kept under the evaluation's id (counter_note_read) as soon as the
	 * charges are taken; NOTE_N of 0: nothing */
	const void *note; /* [note_n] */
	size_t note_n;
	int64_t note_expires_us;
};

/* A call that is to be counted in more is counted in none (CHARGE_UNKNOWN). */
enum { COUNTER_CHARGES_MAX = 64 };

/**
 * counter_take(worker, call, charges, n, out):
 * Core's question (core/counter.h), for one call.
 *
 * Two round trips where nobody else writes to the same subjects, none for N of
 * 0 without a note.  Waits for claims of others that are still open, at most
 * the setting counter_wait_ms; then what they would decide is CHARGE_UNKNOWN.
 */
bool counter_take(struct counter_worker *worker,
		  const struct counter_call *call, const struct charge *charges,
		  size_t n, struct charged *out);

/*
 * What CHARGES would meet at NOW_US, taking nothing: OUT as after a refusal,
 * with the amounts of the charges as if 0.  One round trip for each
 * COUNTER_CHARGES_MAX of them.
 */
void counter_peek(struct counter_worker *worker, int64_t now_us,
		  const struct charge *charges, size_t n, struct charged *out);

/* What was taken of CHARGES, into ENTRIES[N]; returns how many. */
size_t counter_entries(const struct counter_call *call,
		       const struct charge *charges,
		       const struct charged *charged, size_t n,
		       struct counter_entry *entries);

/*
 * The call is recorded (or was never to be): from now on what was taken or
 * adjusted for it stands, whatever happens to this process.  Until then the
 * journal says that it must be given back when the process dies.
 */
void counter_done(struct counter_worker *worker);

/* The call is refused after all: give back what counter_take took last, with
 * its note, or counter_adjust changed last; instead of counter_done. */
void counter_undo(struct counter_worker *worker, int64_t now_us);

/**
 * counter_adjust(worker, now_us, evaluation_id, changes, n):
 * Add each change's amount (negative: give back) to its counter, whatever its
 * limit, where its window still counts; a LEASE of EVALUATION_ID is ended.
 *
 * Takes:   N up to COUNTER_CHARGES_MAX.  A RATE gives back from the time of
 *          its from_s on.
 * Returns: false: it is not counted, or will be given back by the housekeeper.
 */
bool counter_adjust(struct counter_worker *worker, int64_t now_us,
		    const char *evaluation_id,
		    const struct counter_entry *changes, size_t n) MUST_CHECK;

/*
 * What processes of this host that are gone had begun and not done, and what
 * others could not give back themselves.  By the housekeeper.
 */
struct counter_left {
	struct journal_slot *slot;
	char evaluation_id[UUID_TEXT_BYTES];
	int64_t now_us; /* when it began */
	bool adjusting; /* counter_adjust; else counter_take */
	bool refused;	/* to be given back in any case */
	const struct counter_entry *entries; /* [entries_n] taken, or to be */
	size_t entries_n;
};

/* Gives OUT, an array in ARENA; returns its length. */
size_t counter_left(struct counter *counter, struct arena *arena,
		    struct counter_left **out);

/**
 * counter_left_settle(worker, now_us, left, keep):
 * Give LEFT back, or KEEP it: its evaluation (of an adjustment: the report's
 * entry of the ledger) was recorded.  Once: what is asked twice happens once.
 *
 * Returns: false: the counters cannot be asked now; ask again.
 */
bool counter_left_settle(struct counter_worker *worker, int64_t now_us,
			 const struct counter_left *left, bool keep) MUST_CHECK;

/*
 * Notes: small values under a name of their own, in the same store, lost with
 * it: reservations by evaluation id, decisions by request id.
 */
enum counter_note_state { NOTE_UNKNOWN, NOTE_ABSENT, NOTE_FOUND };

struct counter_note {
	char name[COUNTER_KEY_BYTES];
	enum counter_note_state state;
	const unsigned char *value; /* [n] FOUND: in the arena */
	size_t n;
	uint64_t version;
};

/*
 * The name of the note of a call, its reservation: its id as it is, so that
 * what is written at a time lies side by side (UUIDv7) where a store sorts.
 */
void counter_call_note(const char *evaluation_id, char out[COUNTER_KEY_BYTES]);

/* The name of the note of the decision that N parts name, at most 8. */
void counter_decision_note(const char *const *parts, size_t n,
			   char out[COUNTER_KEY_BYTES]);

/*
 * Read NOTE, whose name is filled in.  FIRST not NULL: where it is absent it
 * becomes FIRST, and is NOTE_ABSENT for the one caller that made it.
 */
void counter_note_read(struct counter_worker *worker, struct arena *arena,
		       struct counter_note *note, const void *first,
		       size_t first_n, int64_t expires_us);

/* Replace NOTE by VALUE where it is still what was read.  MOVED: it is not;
 * UNSURE, FAILED as in counter/store.h. */
enum counter_item_result counter_note_swap(struct counter_worker *worker,
					   const struct counter_note *note,
					   const void *value, size_t n,
					   int64_t expires_us);

/* Write it whatever is there; N of 0 deletes.  Nothing is promised. */
void counter_note_put(struct counter_worker *worker, const char *name,
		      const void *value, size_t n, int64_t expires_us);

#endif /* COUNTER_COUNTER_H */
