/*
 * A thread begins its search where it found room last.  Its first place is
 * spread by chance, and it goes on by STEP places: to another cache line each
 * time, and through all of them before it comes to the first again.
 */
#include "record/spool_inside.h"

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { STEP = 9 };

_Static_assert(BOARD_INSIDE == 1024, "ten bits, and STEP has no factor of it");

/* The place after the last one of this thread's; 0: none yet. */
static _Thread_local unsigned last;

static unsigned
first_place(uint32_t self)
{
	uint64_t seed = (uint64_t)(uintptr_t)&last ^ (uint64_t)self << 32;

	return (unsigned)(seed * UINT64_C(0x9e3779b97f4a7c15) >> 54);
}

unsigned
spool_inside_enter(struct board *board, uint64_t number)
{
	uint32_t self = board_self();
	uint64_t word = (uint64_t)self << 32 | (uint32_t)number;
	unsigned place = last != 0 ? last - 1 : first_place(self);

	for (unsigned tries = 1;; tries++) {
		uint64_t none = 0;
		if (atomic_compare_exchange_strong(&board->spool_inside[place],
						   &none, word)) {
			last = place + 1;
			return place;
		}
		place = (place + STEP) % BOARD_INSIDE;
		if (tries % BOARD_INSIDE == 0) {
			board_reap(board);
			sched_yield();
		}
	}
}

void
spool_inside_leave(struct board *board, unsigned place)
{
	atomic_store(&board->spool_inside[place], 0);
}

static bool
is_of(uint64_t word, uint64_t number)
{
	return word != 0 && (uint32_t)word == (uint32_t)number;
}

bool
spool_inside_anyone(struct board *board, uint64_t number)
{
	for (int i = 0; i < BOARD_INSIDE; i++) {
		uint64_t word = atomic_load(&board->spool_inside[i]);
		if (!is_of(word, number)) {
			continue;
		}
		if (!board_gone((uint32_t)(word >> 32))) {
			return true;
		}
		/* Where another word is there now, its writer came later. */
		atomic_compare_exchange_strong(&board->spool_inside[i], &word,
					       0);
	}
	return false;
}

bool
spool_inside_own(const struct board *board, uint64_t number)
{
	uint32_t self = board_self();

	for (int i = 0; i < BOARD_INSIDE; i++) {
		uint64_t word = atomic_load(&board->spool_inside[i]);
		if (is_of(word, number) && (uint32_t)(word >> 32) == self) {
			return true;
		}
	}
	return false;
}
