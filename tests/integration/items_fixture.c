#include "items_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE "01930000-0000-7000-8000-00000000000a"

uint64_t
items_epoch(struct pg *owner, enum store_node_counts counts)
{
	struct store_node_epoch newest;
	uint64_t begun = 0;
	struct err err;

	assert_int_equal(store_node_epoch(owner, &newest, &err), STATUS_OK);
	assert_int_equal(store_node_epoch_begin(owner, counts, "a test", NODE,
						newest.epoch, &begun, &err),
			 STATUS_OK);
	assert_int_equal(begun, newest.epoch + 1);
	return begun;
}

int
items_begin(void **state)
{
	struct items *w = calloc(1, sizeof(*w));
	struct err err;

	w->owner = pg_fixture_open("IMS_PG");
	w->pg = pg_fixture_open("IMS_PG_COUNTER");
	w->arena = arena_new(4096);
	w->epoch = items_epoch(w->owner, STORE_NODE_POSTGRESQL);
	assert_int_equal(store_counter_begin(w->pg, w->epoch, &err), STATUS_OK);
	*state = w;
	return 0;
}

int
items_end(void **state)
{
	struct items *w = *state;

	pg_free(w->owner);
	pg_free(w->pg);
	arena_free(w->arena);
	free(w);
	return 0;
}

struct store_counter_item
items_item(const char *key, uint64_t version, const char *next)
{
	return (struct store_counter_item){
		.key = key,
		.version = version,
		.next = (const unsigned char *)next,
		.next_n = next != NULL ? strlen(next) : 0,
		.expires_s = FAR_S,
	};
}

void
items_read(struct items *w, struct store_counter_item *items, size_t n)
{
	struct err err;

	if (store_counter_read(w->pg, w->epoch, w->arena, items, n, &err) !=
	    STATUS_OK) {
		fail_msg("%s", err.text);
	}
}

const char *
items_said(const struct store_counter_item *it, char out[64])
{
	if (it->state != STORE_COUNTER_FOUND) {
		return it->state == STORE_COUNTER_UNKNOWN ? "?"
		       : it->version != 0		  ? "+"
							  : "-";
	}
	assert_true(it->value_n < 64 && it->version != 0);
	snprintf(out, 64, "%.*s", (int)it->value_n, (const char *)it->value);
	return out;
}

const char *
items_now(struct items *w, const char *key, char out[64])
{
	struct store_counter_item it = items_item(key, 0, NULL);

	items_read(w, &it, 1);
	return items_said(&it, out);
}

enum store_counter_swapped
items_swap(struct items *w, const struct store_counter_item *items, size_t n,
	   size_t *moved)
{
	struct err err = { .status = STATUS_OK };
	enum store_counter_swapped swapped =
	    store_counter_swap(w->pg, w->epoch, items, n, moved, &err);

	if (swapped == STORE_COUNTER_FAILED) {
		assert_int_not_equal(err.status, STATUS_OK);
	}
	return swapped;
}
