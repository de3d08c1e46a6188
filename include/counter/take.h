/*
 * take: a call that is being counted, for take.c, take_read.c and
 * take_write.c.
 */
#ifndef COUNTER_TAKE_H
#define COUNTER_TAKE_H

#include "counter/account.h"
#include "counter/claim.h"
#include "counter/worker.h"

enum place_state {
	PLACE_PENDING, /* to be judged and written */
	PLACE_UNSURE,  /* perhaps written */
	PLACE_WRITTEN,
	PLACE_IDLE, /* nothing is counted there */
	PLACE_LOST  /* cannot be asked */
};

/* A subject's account. */
struct place {
	enum place_state state;
	bool claimed;  /* WRITTEN: as a claim */
	uint64_t seq;  /* of its last write */
	uint64_t bits; /* its charges in the journal */
	struct counter_subject subject;
	struct claim claim;
	enum claim_verdict verdict;
	struct account account;
	struct counter_item item;
};

struct take {
	struct counter_worker *worker;
	struct counter_store *store;
	const struct counter_call *call;
	const struct charge *charges;
	size_t n;
	struct charged *out;
	size_t *place_of; /* [n] */
	struct place *places;
	size_t places_n;
	struct counter_item *items; /* [places_n + 1], listed; and a note */
	struct place **order;	    /* [places_n], whose they are */
	bool begun;		    /* it stands in the journal */
	bool note_tried, noted;	    /* the call's note is written */
	int64_t began_us, wait_us;
	int64_t pause_us, pause_wait_us;
};

/* Make the places of all charges. */
void take_places(struct take *t);

/* Since it began; and now, by the call's clock. */
int64_t take_elapsed_us(const struct take *t);
int64_t take_at_us(const struct take *t);

/* How many places are in STATE. */
size_t take_places_in(const struct take *t, enum place_state state);

/* List the places in STATE, and OTHER, and their items; returns how many. */
size_t take_list(struct take *t, enum place_state state,
		 enum place_state other);

/* Nothing is known of P any more; what was perhaps written is left to the
 * housekeeper. */
void take_lose(struct take *t, struct place *p);

/* Read and judge what is pending, and see what became of what is unsure. */
void take_read(struct take *t);

/* Write what is pending, or fence what is unsure. */
void take_write(struct take *t);

/* Write the call's note where the counters did not bring it; delete it where
 * they did. */
void take_note(struct take *t);
void take_unnote(struct take *t);

/* Give back what is written, or may be; what cannot be is lost. */
void take_withdraw(struct take *t);

/*
 * A call that leaves no room settles its claims at once, so that nobody on
 * another host has to wait for their deadline.  Where that fails, they do.
 */
void take_settle(struct take *t);

#endif /* COUNTER_TAKE_H */
