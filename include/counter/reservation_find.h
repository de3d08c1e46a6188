/*
 * reservation_find: a call that no note has, from the ledger.
 *
 * The ledger keeps no digest of what a report said: of a SETTLED or SETTLING
 * one `report` is all zeroes, and what it said is to be compared by its
 * amounts.
 */
#ifndef COUNTER_RESERVATION_FIND_H
#define COUNTER_RESERVATION_FIND_H

#include "counter/reservation.h"
#include "store/pg.h"

/* reservation_find on a connection of ims_policy_counter. */
enum reservation_found reservation_find_by(struct pg *pg,
					   const char *evaluation_id,
					   struct arena *arena,
					   struct reservation *out);

#endif /* COUNTER_RESERVATION_FIND_H */
