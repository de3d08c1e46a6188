/*
 * ledger: what the ledger of usage says to the engine about a call that no
 * note has (counter/reservation.h), by way of the linker (--wrap).
 *
 * As after every spool was drained: a refused call is known, and what was
 * never asked is known not to be there.  Of admitted calls it says that it
 * cannot tell, since it has none.
 */
#ifndef DECISIONS_LEDGER_H
#define DECISIONS_LEDGER_H

#include <stdbool.h>

#include "counter/reservation.h"

/* A ledger without a line; not KNOWN: it cannot be asked. */
void ledger_begin(bool known);

/* CALL was answered; its texts must live as long as the ledger is asked. */
void ledger_add(const struct reservation *call);

#endif /* DECISIONS_LEDGER_H */
