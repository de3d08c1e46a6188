#include "counter/memcached_down.h"

#include <stddef.h>

enum {
	SERVERS = 128,
	/* how old answered_us may be: so often all threads write to it */
	ANSWERED_STEP_US = 1000
};

static struct memcached_down table[SERVERS];

/* FNV-1a; never 0. */
static uint64_t
hash(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *name != '\0'; name++) {
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	}
	return h != 0 ? h : 1;
}

struct memcached_down *
memcached_down_of(const char *name, struct memcached_down *own)
{
	const uint64_t want = hash(name);

	for (size_t i = 0; i < SERVERS; i++) {
		uint_fast64_t there = 0;
		/* free: it is ours now; else THERE is whose it is */
		if (atomic_compare_exchange_strong(&table[i].name, &there,
						   want) ||
		    there == want) {
			return &table[i];
		}
	}
	return own;
}

bool
memcached_down_may_ask(struct memcached_down *down, int64_t now_us)
{
	int_fast64_t until =
	    atomic_load_explicit(&down->until_us, memory_order_relaxed);

	if (until == 0) {
		return true;
	}
	/* whoever moves the time on is the one who asks */
	return now_us >= until &&
	       atomic_compare_exchange_strong(&down->until_us, &until,
					      now_us + MEMCACHED_DOWN_US);
}

void
memcached_down_answered(struct memcached_down *down, int64_t now_us)
{
	if (atomic_load_explicit(&down->until_us, memory_order_relaxed) != 0) {
		atomic_store(&down->until_us, 0);
	}
	if (atomic_load_explicit(&down->late, memory_order_relaxed) != 0) {
		atomic_store(&down->late, 0);
	}
	if (now_us - atomic_load_explicit(&down->answered_us,
					  memory_order_relaxed) >=
	    ANSWERED_STEP_US) {
		atomic_store_explicit(&down->answered_us, now_us,
				      memory_order_relaxed);
	}
}

void
memcached_down_silent(struct memcached_down *down, int64_t since_us,
		      int64_t now_us)
{
	if (atomic_load_explicit(&down->answered_us, memory_order_relaxed) <=
	    since_us) {
		atomic_store(&down->until_us, now_us + MEMCACHED_DOWN_US);
	}
}

void
memcached_down_late(struct memcached_down *down, int64_t since_us,
		    int64_t now_us)
{
	if (atomic_load_explicit(&down->until_us, memory_order_relaxed) != 0) {
		memcached_down_silent(down, since_us, now_us);
		return;
	}
	int_fast64_t noted = atomic_load(&down->late_us);
	/* whoever moves the time on is the one who counts */
	if (since_us < noted ||
	    !atomic_compare_exchange_strong(&down->late_us, &noted, now_us)) {
		return;
	}
	if (atomic_fetch_add(&down->late, 1) + 1 >= MEMCACHED_DOWN_LATE) {
		memcached_down_silent(down, since_us, now_us);
	}
}
