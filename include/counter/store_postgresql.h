/*
 * store_postgresql: what counter_postgresql_store has beyond counter/store.h.
 */
#ifndef COUNTER_STORE_POSTGRESQL_H
#define COUNTER_STORE_POSTGRESQL_H

#include "counter/store.h"
#include "store/pg.h"

/* Its connection, for what else ims_policy_counter may ask. */
struct pg *counter_postgresql_pg(struct counter_store *store);

/* While something else counts: close the connection if it has not been used
 * for 10 seconds.  It costs nothing to ask often. */
void counter_postgresql_rest(struct counter_store *store);

#endif /* COUNTER_STORE_POSTGRESQL_H */
