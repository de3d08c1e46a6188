/*
 * memcached_down: which servers do not answer, as all threads of this process
 * know it.
 *
 * A server that cannot be reached, or was late several times in a row, is left
 * alone for a second; then one thread asks it again, and the others wait for
 * what that one finds out.  So a server that hangs costs a process one time-out
 * a second, not one a thread; and one that was late once, on a busy machine,
 * costs that one call.
 * Knows names and times, no sockets.
 */
#ifndef COUNTER_MEMCACHED_DOWN_H
#define COUNTER_MEMCACHED_DOWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MEMCACHED_DOWN_US = 1000000, MEMCACHED_DOWN_LATE = 3 };

struct memcached_down {
	atomic_uint_fast64_t name;	 /* hashed; 0: nobody's */
	atomic_int_fast64_t until_us;	 /* do not ask before; 0: it answers */
	atomic_int_fast64_t answered_us; /* about when it last did */
	atomic_int_fast32_t late;	 /* time-outs since then, in turn */
	atomic_int_fast64_t late_us;	 /* when the last of them was noted */
};

/* The process's record of the server NAME; OWN where the table is full. */
struct memcached_down *memcached_down_of(const char *name,
					 struct memcached_down *own);

/* May this thread ask the server now?  NOW_US of CLOCK_MONOTONIC. */
bool memcached_down_may_ask(struct memcached_down *down, int64_t now_us);

/* It answered. */
void memcached_down_answered(struct memcached_down *down, int64_t now_us);

/*
 * It could not be reached, or answered nonsense, since SINCE_US.  Where it has
 * answered another thread since then it is not down: then only that one answer
 * is late.
 */
void memcached_down_silent(struct memcached_down *down, int64_t since_us,
			   int64_t now_us);

/*
 * It did not answer in time what was sent at SINCE_US: MEMCACHED_DOWN_LATE
 * times in turn, and it is silent; so is one that was down already.  What was
 * sent before the last time-out was noted is part of that one: many threads
 * wait for the same server.
 */
void memcached_down_late(struct memcached_down *down, int64_t since_us,
			 int64_t now_us);

#endif /* COUNTER_MEMCACHED_DOWN_H */
