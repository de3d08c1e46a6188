/*
 * counter_place: the stores of counters that are there, for bench_counter: in
 * memory, of a host, memcached where it is installed, and PostgreSQL where
 * IMS_PG (its owner) and IMS_PG_COUNTER are set.
 */
#ifndef BENCH_COUNTER_PLACE_H
#define BENCH_COUNTER_PLACE_H

#include <stdbool.h>

#include "counter/store.h"

enum { COUNTER_PLACES = 4 };

struct counter_place {
	const char *name;
	/* false: it is not there */
	bool (*begin)(struct counter_place *place);
	/* a client's; NULL: ERR says why */
	struct counter_store *(*open)(const struct counter_place *place,
				      struct err *err);
	void (*end)(struct counter_place *place);
	const char *folder; /* for what it keeps */
	uint64_t epoch;
};

extern struct counter_place counter_places[COUNTER_PLACES];

/* Start it empty; false: it is not there. */
bool counter_place_begin(struct counter_place *place, const char *folder);

/* Say why, and end the program. */
_Noreturn void counter_place_die(const char *what, const char *why);

#endif /* BENCH_COUNTER_PLACE_H */
