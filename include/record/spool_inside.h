/*
 * spool_inside: who is inside of which segment, on the notice board.
 *
 * A writer says on the board that it goes into a segment, and only then looks
 * that the segment is still the current one; the reader sees that the board has
 * gone on, and only then looks who is inside.  All of it is sequentially
 * consistent, so one of the two sees the other.  Nobody waits, and no lock is
 * taken; what a killed process has left counts for nothing, while one that is
 * only stopped is inside as long as it lives.
 */
#ifndef RECORD_SPOOL_INSIDE_H
#define RECORD_SPOOL_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/board.h"

/*
 * Say that this thread goes into segment NUMBER; returns the place of its word.
 * Waits only where BOARD_INSIDE appends of the host are under way.
 */
unsigned spool_inside_enter(struct board *board, uint64_t number);
void spool_inside_leave(struct board *board, unsigned place);

/*
 * Is a thread of any process inside of segment NUMBER?  Frees the words of
 * processes that are gone.
 */
bool spool_inside_anyone(struct board *board, uint64_t number);

/* Is one of this process? */
bool spool_inside_own(const struct board *board, uint64_t number);

#endif /* RECORD_SPOOL_INSIDE_H */
