/*
 * store_memcached: values on memcached servers.
 *
 * A call is one write and one read a server, all servers at the same time:
 *
 *	read	[add <item with NEXT>] mg <item> ... mg <marker>
 *	swap	cas|add <item> ...                   mg <marker>
 *	put	ms|md <item>, quiet
 *
 * The marker of the epoch is looked at last, so that what came before it in
 * the same stream was answered by a server that had lost nothing yet:
 *
 * - read: where the marker is gone, every item of that server is
 *   ITEM_UNKNOWN, found or not.  An item that is there can be one that another
 *   caller added after the loss.
 * - swap: where the marker is gone, what was stored is ITEM_FAILED.  The value
 *   it was made from may be one that the loss has outdated (absent, because
 *   flushed), so it must not admit anybody; and it will never be read: no
 *   reader knows anything of that server in this epoch any more, and the next
 *   epoch has other keys.  ITEM_UNSURE would make the caller ask for what
 *   cannot be told.
 *
 * The marker's answer carries a number of the call: a stream that is out of
 * step cannot answer it.  Servers: counter/memcached_place.h; the wire:
 * counter/memcached_wire.h; the connections: counter/memcached_link.h.
 */
#include "counter/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "counter/memcached_epoch.h"
#include "counter/memcached_link.h"
#include "counter/memcached_place.h"
#include "counter/memcached_wire.h"

enum {
	/* A server's clock may be ahead by memcached_epoch's 2 s, and counts
	 * in whole ones. */
	EXPIRY_SLACK_S = 3
};

/* What one answer is for. */
struct want {
	enum { WANT_GET, WANT_ADD, WANT_CAS, WANT_MARKER } what;
	struct counter_item *item; /* NULL: the marker */
	size_t end; /* of its request: sent when link.sent is that far */
};

struct server {
	struct memcached_link link;
	bool asked;	    /* in this call */
	bool whole;	    /* its marker is there */
	struct want *wants; /* [link.wants], in the order of the answers */
	size_t wants_cap;
};

struct memcached_store {
	struct counter_store base;
	struct memcached_place *place;
	int64_t timeout_ms;
	uint64_t call;	     /* its number, for the marker */
	struct arena *arena; /* of a read: for values */
	int64_t begun_us, begun_s;
	size_t n;
	struct memcached_link *links[MEMCACHED_PLACE_SERVERS];
	struct memcached_epoch_mark marks[MEMCACHED_PLACE_SERVERS];
	struct server servers[]; /* [n] */
};

static struct memcached_store *
own(struct counter_store *store)
{
	return (struct memcached_store *)store;
}

/* ---- making a call */

static void
begin_call(struct memcached_store *store, struct arena *arena)
{
	store->call++;
	store->arena = arena;
	store->begun_us = clock_mono_us();
	store->begun_s = clock_now_us() / 1000000;
	for (size_t i = 0; i < store->n; i++) {
		store->servers[i].asked = false;
		store->servers[i].whole = false;
		store->links[i]->state = LINK_IDLE;
	}
}

/* The server of the item that is called KEY there; NULL: it is down. */
static struct server *
server_of(struct memcached_store *store, const char *key, bool waits)
{
	struct server *server =
	    &store->servers[memcached_place_of(store->place, key, strlen(key))];

	if (!server->asked) {
		server->asked = true;
		(void)memcached_link_ask(&server->link, store->begun_us, waits);
		server->link.again = true;
	}
	return server->link.state == LINK_BUSY ? server : NULL;
}

static void
want(struct server *server, int what, struct counter_item *item)
{
	if (server->link.wants == server->wants_cap) {
		server->wants_cap =
		    server->wants_cap > 0 ? 2 * server->wants_cap : 16;
		server->wants = memory_resize(
		    server->wants, server->wants_cap * sizeof(*server->wants));
	}
	server->wants[server->link.wants++] =
	    (struct want){ what, item, server->link.out.len };
}

/*
 * When memcached may forget it.  Always as a date, since more than 30 days
 * would be read as one anyway, and what is over as "at once": as a date a
 * small number would be read as seconds from now.
 */
static int64_t
exptime(const struct memcached_store *store, int64_t expires_s)
{
	if (expires_s <= store->begun_s) {
		return -1;
	}
	return expires_s < INT32_MAX - EXPIRY_SLACK_S
		   ? expires_s + EXPIRY_SLACK_S
		   : INT32_MAX;
}

static struct memcached_wire_item
wire_item(const struct memcached_store *store, const struct counter_item *item,
	  const char *key)
{
	return (struct memcached_wire_item){
		.key = key,
		.value = item->next,
		.value_n = item->next_n,
		.exptime = exptime(store, item->expires_s),
	};
}

static enum memcached_link_answer
take_reply(void *arg, struct memcached_link *link, size_t i,
	   const struct memcached_wire_reply *reply);

/* Run it, with the marker behind it. */
static void
run_call(struct memcached_store *store)
{
	char key[MEMCACHED_WIRE_KEY_BYTES];
	bool any = false;

	memcached_epoch_key(store->base.epoch, MEMCACHED_EPOCH_MARKER, key);
	for (size_t i = 0; i < store->n; i++) {
		struct server *server = &store->servers[i];
		if (server->link.state == LINK_BUSY) {
			memcached_wire_look(&server->link.out, key,
					    store->call);
			want(server, WANT_MARKER, NULL);
			any = true;
		}
	}
	memcached_link_run(store->links, store->n,
			   store->begun_us + store->timeout_ms * 1000,
			   take_reply, store);
	store->base.round_trips += any;
}

/* ---- answers */

static enum memcached_link_answer
take_marker(struct memcached_store *store, struct server *server,
	    const struct memcached_wire_reply *reply)
{
	if (reply->kind == WIRE_HERE && reply->opaque == store->call) {
		server->whole = true;
		return ANSWER_TAKEN;
	}
	/* before 1.6.18 a miss carries no number */
	return reply->kind == WIRE_MISS &&
		       (reply->opaque == store->call || reply->opaque == 0)
		   ? ANSWER_TAKEN
		   : ANSWER_WRONG;
}

/* An item's own ADD is answered before its GET, and says in its result
 * whether it is there now because of this call. */
static enum memcached_link_answer
take_value(struct memcached_store *store, struct counter_item *item,
	   const struct memcached_wire_reply *reply)
{
	const bool added = item->next != NULL;

	if (reply->kind == WIRE_MISS) {
		/* what was to be added is not there: no room, or expired
		 * between the two */
		item->state = added && item->result != ITEM_REPLACED
				  ? ITEM_UNKNOWN
				  : ITEM_ABSENT;
		return ANSWER_TAKEN;
	}
	if (reply->kind != WIRE_VALUE || reply->version == 0) {
		return ANSWER_WRONG;
	}
	if (added && item->result == ITEM_REPLACED) {
		item->state = ITEM_ABSENT;
		return ANSWER_TAKEN;
	}
	unsigned char *value = arena_alloc(store->arena, reply->value_n);
	memcpy(value, reply->value, reply->value_n);
	item->value = value;
	item->value_n = reply->value_n;
	item->version = reply->version;
	item->state = ITEM_FOUND;
	return ANSWER_TAKEN;
}

static enum memcached_link_answer
take_stored(struct counter_item *item, bool adds,
	    const struct memcached_wire_reply *reply)
{
	switch (reply->kind) {
	case WIRE_STORED:
		item->result = ITEM_REPLACED;
		return ANSWER_TAKEN;
	case WIRE_NOT_STORED:
		item->result = ITEM_MOVED;
		return adds ? ANSWER_TAKEN : ANSWER_WRONG;
	case WIRE_EXISTS:
	case WIRE_NOT_FOUND:
		item->result = ITEM_MOVED;
		return adds ? ANSWER_WRONG : ANSWER_TAKEN;
	case WIRE_REFUSED:
		item->result = ITEM_FAILED;
		return ANSWER_TAKEN;
	default:
		return ANSWER_WRONG;
	}
}

static enum memcached_link_answer
take_reply(void *arg, struct memcached_link *link, size_t i,
	   const struct memcached_wire_reply *reply)
{
	struct memcached_store *store = arg;
	struct server *server = (struct server *)link; /* its first member */
	const struct want *want = &server->wants[i];

	switch (want->what) {
	case WANT_MARKER:
		return take_marker(store, server, reply);
	case WANT_GET:
		return take_value(store, want->item, reply);
	default:
		return take_stored(want->item, want->what == WANT_ADD, reply);
	}
}

/* ---- the interface */

static void
memcached_read(struct counter_store *base, struct arena *arena,
	       struct counter_item *items, size_t n)
{
	struct memcached_store *store = own(base);
	char key[MEMCACHED_WIRE_KEY_BYTES];

	begin_call(store, arena);
	for (size_t i = 0; i < n; i++) {
		struct counter_item *item = &items[i];
		item->state = ITEM_UNKNOWN;
		item->version = 0;
		item->value = NULL;
		item->value_n = 0;
		memcached_epoch_key(base->epoch, item->key, key);
		struct server *server = server_of(store, key, true);
		if (server == NULL) {
			continue;
		}
		if (item->next != NULL) {
			const struct memcached_wire_item wire =
			    wire_item(store, item, key);
			item->result = ITEM_FAILED;
			memcached_wire_add(&server->link.out, &wire);
			want(server, WANT_ADD, item);
			/* twice, and nobody would have added it */
			server->link.again = false;
		}
		memcached_wire_get(&server->link.out, key);
		want(server, WANT_GET, item);
	}
	run_call(store);
	for (size_t s = 0; s < store->n; s++) {
		const struct server *server = &store->servers[s];
		if (server->link.state == LINK_DONE && server->whole) {
			continue;
		}
		for (size_t i = 0; server->asked && i < server->link.wants;
		     i++) {
			if (server->wants[i].item != NULL) {
				server->wants[i].item->state = ITEM_UNKNOWN;
			}
		}
	}
}

/* What became of an item, where its server did not answer everything or has
 * lost the epoch.  What it refused is refused either way. */
static void
settle(const struct server *server, const struct want *want, bool answered)
{
	struct counter_item *item = want->item;

	if (answered && item->result != ITEM_REPLACED) {
		return;
	}
	/* All was answered: its marker is gone, and so is the item. */
	bool sent =
	    server->link.state != LINK_DONE && want->end <= server->link.sent;
	item->result = sent ? ITEM_UNSURE : ITEM_FAILED;
}

static void
memcached_swap(struct counter_store *base, struct counter_item *items, size_t n)
{
	struct memcached_store *store = own(base);
	char key[MEMCACHED_WIRE_KEY_BYTES];

	begin_call(store, NULL);
	for (size_t i = 0; i < n; i++) {
		struct counter_item *item = &items[i];
		item->result = ITEM_FAILED;
		if (item->next == NULL || item->state == ITEM_UNKNOWN ||
		    item->next_n > COUNTER_VALUE_MAX_BYTES) {
			continue;
		}
		memcached_epoch_key(base->epoch, item->key, key);
		struct server *server = server_of(store, key, true);
		if (server == NULL) {
			continue;
		}
		const struct memcached_wire_item wire =
		    wire_item(store, item, key);
		const bool adds = item->state == ITEM_ABSENT;
		if (adds) {
			memcached_wire_add(&server->link.out, &wire);
		} else {
			memcached_wire_cas(&server->link.out, &wire,
					   item->version);
		}
		want(server, adds ? WANT_ADD : WANT_CAS, item);
		server->link.again = false;
	}
	run_call(store);
	for (size_t s = 0; s < store->n; s++) {
		const struct server *server = &store->servers[s];
		if (!server->asked ||
		    (server->link.state == LINK_DONE && server->whole)) {
			continue;
		}
		for (size_t i = 0; i < server->link.wants; i++) {
			if (server->wants[i].item != NULL) {
				settle(server, &server->wants[i],
				       i < server->link.got);
			}
		}
	}
}

static void
memcached_put(struct counter_store *base, const struct counter_item *items,
	      size_t n)
{
	struct memcached_store *store = own(base);
	char key[MEMCACHED_WIRE_KEY_BYTES];

	begin_call(store, NULL);
	for (size_t i = 0; i < n; i++) {
		if (items[i].next == NULL ||
		    items[i].next_n > COUNTER_VALUE_MAX_BYTES) {
			continue;
		}
		memcached_epoch_key(base->epoch, items[i].key, key);
		struct server *server = server_of(store, key, false);
		if (server == NULL) {
			continue;
		}
		if (items[i].next_n == 0) {
			memcached_wire_delete(&server->link.out, key);
		} else {
			const struct memcached_wire_item wire =
			    wire_item(store, &items[i], key);
			memcached_wire_put(&server->link.out, &wire);
		}
		server->link.quiet++;
	}
	memcached_link_run(store->links, store->n,
			   store->begun_us + store->timeout_ms * 1000,
			   take_reply, store);
}

static enum status
memcached_begin(struct counter_store *base, uint64_t epoch, struct err *err)
{
	struct memcached_store *store = own(base);

	base->round_trips += 2;
	return memcached_epoch_begin(store->links, store->n, epoch,
				     store->timeout_ms, store->marks, err);
}

static enum status
memcached_check(struct counter_store *base, struct err *err)
{
	struct memcached_store *store = own(base);

	base->round_trips++;
	return memcached_epoch_check(store->links, store->n, base->epoch,
				     store->timeout_ms, store->marks, err);
}

static void
memcached_store_free(struct counter_store *base)
{
	struct memcached_store *store = own(base);

	for (size_t i = 0; i < store->n; i++) {
		memcached_link_fini(store->links[i]);
		free(store->servers[i].wants);
	}
	memcached_place_free(store->place);
	free(store);
}

static const struct counter_store_type type = {
	.name = "memcached",
	.atomic = false,
	.read = memcached_read,
	.swap = memcached_swap,
	.put = memcached_put,
	.begin = memcached_begin,
	.check = memcached_check,
	.free = memcached_store_free,
};

struct counter_store *
counter_memcached_store(const char *servers, int64_t timeout_ms,
			struct err *err)
{
	struct memcached_place *place = memcached_place_new(servers, err);

	if (place == NULL) {
		return NULL;
	}
	const size_t n = memcached_place_n(place);
	const size_t bytes =
	    sizeof(struct memcached_store) + n * sizeof(struct server);
	struct memcached_store *store = memory_get(bytes);
	memset(store, 0, bytes);
	store->base.type = &type;
	store->place = place;
	store->timeout_ms = timeout_ms;
	store->n = n;
	for (size_t i = 0; i < n; i++) {
		store->links[i] = &store->servers[i].link;
		memcached_link_init(store->links[i],
				    memcached_place_server(place, i));
	}
	return &store->base;
}
