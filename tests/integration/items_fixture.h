/*
 * items_fixture: an epoch that counts in PostgreSQL, and a short way to speak
 * of its items; with the variables of pg_fixture.h.
 */
#ifndef ITEMS_FIXTURE_H
#define ITEMS_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "store/store_counter.h"
#include "store/store_node.h"
#include "pg_fixture.h"

enum { FAR_S = 2000000000 };

struct items {
	struct pg *owner, *pg;
	struct arena *arena;
	uint64_t epoch; /* that has begun, in PostgreSQL */
};

/* Set up and tear down a test; *STATE is a struct items. */
int items_begin(void **state);
int items_end(void **state);

/* Begin the next epoch; every item of the one before is out of reach. */
uint64_t items_epoch(struct pg *owner, enum store_node_counts counts);

/* NEXT may be NULL. */
struct store_counter_item items_item(const char *key, uint64_t version,
				     const char *next);
void items_read(struct items *w, struct store_counter_item *items, size_t n);
enum store_counter_swapped items_swap(struct items *w,
				      const struct store_counter_item *items,
				      size_t n, size_t *moved);

/* "-" is absent, "?" unknown, "+" absent and added, else the value. */
const char *items_said(const struct store_counter_item *it, char out[64]);
const char *items_now(struct items *w, const char *key, char out[64]);

#endif /* ITEMS_FIXTURE_H */
