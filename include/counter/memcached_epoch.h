/*
 * memcached_epoch: the marker by which a memcached server says that it still
 * has all that was written since an epoch began.
 *
 * The marker is the oldest item of its epoch on that server: a restart and a
 * flush take it away with or before everything else, so an item that is absent
 * beside it was never written.  It cannot know of evictions: its value says
 * what the server's statistics were, and memcached_epoch_check compares.
 *
 * Mind: begin first, then write the counters, then check, then say that the
 * epoch is ready.  Counters that were written before the marker may have been
 * flushed before it.
 */
#ifndef COUNTER_MEMCACHED_EPOCH_H
#define COUNTER_MEMCACHED_EPOCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "counter/memcached_link.h"

/* "<epoch>.<name>", what KEY's item is called on the servers. */
void memcached_epoch_key(uint64_t epoch, const char *name,
			 char out[MEMCACHED_WIRE_KEY_BYTES]);

/* The marker's name within its epoch; nobody else's item has it. */
#define MEMCACHED_EPOCH_MARKER "m"

/* What a store that has begun an epoch remembers of a server's marker. */
struct memcached_epoch_mark {
	bool begun;
	uint64_t epoch;
	uint64_t number; /* by chance, of the marker that was there then */
};

/*
 * As begin and check of counter/store.h, on all of LINKS[N], each with its mark
 * in MARKS[N].  Two may begin the same epoch: a marker that is there and still
 * true stays, and whose marker was replaced meanwhile finds that out when it
 * checks.  Refused as well: a server older than 1.6.10, and one whose clock is
 * ahead, since it would forget too early.
 */
enum status memcached_epoch_begin(struct memcached_link *const *links, size_t n,
				  uint64_t epoch, int64_t timeout_ms,
				  struct memcached_epoch_mark *marks,
				  struct err *err) MUST_CHECK;
enum status memcached_epoch_check(struct memcached_link *const *links, size_t n,
				  uint64_t epoch, int64_t timeout_ms,
				  const struct memcached_epoch_mark *marks,
				  struct err *err) MUST_CHECK;

#endif /* COUNTER_MEMCACHED_EPOCH_H */
