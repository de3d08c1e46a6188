/*
 * reservation: an admitted call, from its decision to its report.
 *
 * Kept as a note under the evaluation's id, so that a report finds it in one
 * round trip, and as the entry `reserve` of the ledger (table usage), where it
 * is for good.  Source: docs/policies.md, "Reservations".
 */
#ifndef COUNTER_RESERVATION_H
#define COUNTER_RESERVATION_H

#include "base/buf.h"
#include "base/uuid.h"
#include "counter/counter.h"

enum reservation_state {
	RESERVATION_OPEN,
	RESERVATION_SETTLING, /* a report is being settled, or its process died
				 while it was */
	RESERVATION_SETTLED,
	RESERVATION_REFUSED /* from the ledger only: the call was blocked */
};

enum { RESERVATION_DIGEST_BYTES = 16 };

/* Texts may be NULL: not known. */
struct reservation {
	enum reservation_state state;
	char evaluation_id[UUID_TEXT_BYTES];
	const char *key_id; /* of the caller's API key */
	const char *user_id, *user_tier, *team_id, *organization_id,
	    *api_key_id, *environment;
	const char *original_model, *original_vendor; /* asked for */
	const char *model_id, *vendor_id;	      /* that would run */
	enum action decision;
	int64_t made_us, expires_us;
	int64_t cost_nanousd, tokens;	     /* reserved */
	const struct counter_entry *entries; /* [entries_n] */
	size_t entries_n;
	/* for the ledger alone, so not in its note: */
	uint64_t epoch; /* in which it was counted; 0: in none */
	bool counted;	/* in each; false: some were not known then */
	/* SETTLING, SETTLED: by which report */
	char report_id[UUID_TEXT_BYTES]; /* the report's own evaluation */
	unsigned char report[RESERVATION_DIGEST_BYTES]; /* of what it said */
	int64_t settled_us;
	int64_t settled_nanousd, settled_tokens;
};

/* As the note; it does not say which entries raised an alert or were counted,
 * which only the ledger has to know. */
void reservation_encode(const struct reservation *r, struct buf *out);

/* Texts and entries in ARENA.  STATUS_CORRUPT, STATUS_CONFLICT for a form of
 * another version of the program. */
enum status reservation_decode(const void *bytes, size_t n, struct arena *arena,
			       struct reservation *out,
			       struct err *err) MUST_CHECK;

/*
 * The column usage.charges: the entries as an array of integers in PostgreSQL's
 * text form, seven for each: subject's halves as two signed big-endian 64-bit
 * numbers, counter (as signed), counted_epoch * 1024 + alert * 512 + kind * 64 +
 * unit * 8 + window, from_s, to_s, amount.
 */
void reservation_charges(const struct counter_entry *entries, size_t n,
			 struct buf *out);
enum status reservation_charges_parse(const char *text, struct arena *arena,
				      struct counter_entry **out, size_t *n,
				      struct err *err) MUST_CHECK;

/*
 * The ledger's answer for an id that no note has, from PostgreSQL by the
 * setting pg_counter.
 *
 * The ledger keeps no digest of what a report said: of a SETTLED or SETTLING
 * one `report` is all zeroes, and what it said is to be compared by its
 * amounts.
 */
enum reservation_found {
	RESERVATION_UNKNOWN, /* PostgreSQL cannot be asked, or not every spool
				is drained past the time of the id */
	RESERVATION_ABSENT,
	RESERVATION_FOUND
};
enum reservation_found reservation_find(struct counter_worker *worker,
					const char *evaluation_id,
					struct arena *arena,
					struct reservation *out);

#endif /* COUNTER_RESERVATION_H */
