/*
 * account: everything that is counted of one subject, as one value.
 *
 * Rates are kept in parts of a sixtieth of their window; the part that is now
 * and the 60 before it count, so that no window of the length, wherever it
 * begins, holds more than they do.  Budgets are kept by window.  A lease is a
 * call that is open until it is ended or expires.
 *
 * A claim is what an operation wants to count here and in other accounts, by
 * a store that cannot replace them all at once.  It becomes part of the sums
 * (is settled) when it is known to stand, or past its deadline.
 *
 * Each operation signs with its writer's number and its own, so that one whose
 * write was not answered can tell whether it happened.
 *
 * Time in an account does not go back, but where a clock was off by more than
 * hosts may be (ACCOUNT_AHEAD_US).  Pure; knows no store and no policy.
 */
#ifndef COUNTER_ACCOUNT_H
#define COUNTER_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "core/counter.h"

enum { ACCOUNT_PARTS = 60 };

/* A signature is kept so long at least. */
#define ACCOUNT_SIGNED_US INT64_C(10000000)
/* A budget is kept so long after its window, for calls that were faster. */
#define ACCOUNT_GRACE_US INT64_C(5000000)
/* An account that has seen a time so far ahead was written by a host whose
 * clock was off; else it would count in that moment until it comes. */
#define ACCOUNT_AHEAD_US INT64_C(60000000)
/* An account is kept so long after its last counter. */
#define ACCOUNT_MARGIN_S 60

/* What one operation adds to one counter. */
struct account_entry {
	uint64_t counter;
	enum counter_kind kind;
	enum window_unit window;
	bool alert;	    /* BUDGET: it raises the window's alert */
	int64_t from_s;	    /* BUDGET: its window */
	int64_t to_s;	    /* BUDGET: its window's end */
	int64_t at_us;	    /* RATE: when it is counted */
	uint64_t lease;	    /* LEASE: account_lease_id of its call */
	int64_t expires_us; /* LEASE */
	int64_t amount;	    /* LEASE: 1, or less to end it */
};

struct account_part {
	int64_t index; /* time / length of a part */
	int64_t amount;
};

struct account_rate {
	uint64_t counter;
	enum window_unit window;
	struct account_part *parts; /* [n], oldest first */
	size_t n, cap;
};

struct account_budget {
	uint64_t counter;
	int64_t from_s, to_s;
	int64_t used; /* may be negative while a claim has the rest */
	bool alerted;
};

struct account_lease {
	uint64_t id;
	int64_t expires_us;
};

struct account_leases {
	uint64_t counter;
	struct account_lease *items; /* [n] */
	size_t n, cap;
};

struct account_claim {
	uint64_t writer, seq;
	int64_t deadline_us;
	bool stands;		       /* known to; not stored */
	struct account_entry *entries; /* [n] */
	size_t n;
};

struct account_writer {
	uint64_t writer, seq; /* of its last operation here */
	int64_t at_us;
	bool counted; /* it added something; else it took something back */
};

/* All memory is the arena's. */
struct account {
	struct arena *arena;
	int64_t seen_us; /* the newest time it has seen */
	struct account_writer *writers;
	size_t writers_n, writers_cap;
	struct account_rate *rates;
	size_t rates_n, rates_cap;
	struct account_budget *budgets;
	size_t budgets_n, budgets_cap;
	struct account_leases *leases;
	size_t leases_n, leases_cap;
	struct account_claim *claims;
	size_t claims_n, claims_cap;
};

/* An account in which nothing was ever counted. */
void account_begin(struct account *account, struct arena *arena);

/* STATUS_CORRUPT: it is none, or damaged; STATUS_CONFLICT: of another version
 * of the program. */
enum status account_decode(const void *bytes, size_t n, struct arena *arena,
			   struct account *out, struct err *err) MUST_CHECK;

/* Add ACCOUNT to OUT, without what does not count any more; returns the time
 * in seconds until which it must be kept. */
int64_t account_encode(const struct account *account, struct buf *out);

/* It is AT_US now, or later where the account has seen that; far later it
 * cannot be, then what it holds is counted as of AT_US. */
void account_see(struct account *account, int64_t at_us);

/* The part of a rolling window that holds AT_US, and how long a part is. */
int64_t account_part_us(enum window_unit window);
int64_t account_part_index(enum window_unit window, int64_t at_us);

uint64_t account_lease_id(const char *evaluation_id);

/* Add ENTRY (negative: give back, at most what is there; a RATE gives back
 * from its oldest part that is not before at_us). */
void account_add(struct account *account, const struct account_entry *entry);

/* What ENTRY's counter holds; ALL: with the claims that do not stand yet. */
int64_t account_used(const struct account *account,
		     const struct account_entry *entry, bool all);

/* The window's budget, or NULL. */
const struct account_budget *account_budget(const struct account *account,
					    const struct account_entry *entry);

/* Was the alert of ENTRY's window raised, by the sums or by a claim? */
bool account_alerted(const struct account *account,
		     const struct account_entry *entry);

/*
 * When something of ENTRY's counter comes back at first, and when so much has
 * that at most MOST is left (INT64_MAX: never).  Of a BUDGET both are the
 * window's end.
 */
int64_t account_reset_us(const struct account *account,
			 const struct account_entry *entry);
int64_t account_room_us(const struct account *account,
			const struct account_entry *entry, int64_t most);

/* What WRITER did last, or NULL: nothing, or it is forgotten. */
const struct account_writer *account_signed(const struct account *account,
					    uint64_t writer);
void account_sign(struct account *account, uint64_t writer, uint64_t seq,
		  bool counted);

/* Make room for a claim of N entries, which the caller fills in. */
struct account_claim *account_claim(struct account *account, uint64_t writer,
				    uint64_t seq, int64_t deadline_us,
				    size_t n);

/* Take out the claim of WRITER that is not older than SEQ; false: none. */
bool account_withdraw(struct account *account, uint64_t writer, uint64_t seq);

/* Add each claim that stands, or is past its deadline, to the sums. */
void account_settle(struct account *account);

#endif /* COUNTER_ACCOUNT_H */
