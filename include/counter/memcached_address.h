/*
 * memcached_address: where a server is found.
 *
 * A name is looked up when it is opened and again, in the background, each
 * time that a connection is made: a server that came back elsewhere is found,
 * and no request ever waits for the name service.
 */
#ifndef COUNTER_MEMCACHED_ADDRESS_H
#define COUNTER_MEMCACHED_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "counter/memcached_place.h"

enum { MEMCACHED_ADDRESSES = 4 };

struct memcached_address {
	const struct memcached_place_server *server; /* borrowed */
	bool is_name;			 /* that must be looked up */
	struct memcached_lookup *lookup; /* under way; NULL: none */
	size_t n;			 /* 0: not known (yet) */
	struct {
		struct sockaddr_storage at;
		socklen_t at_n;
	} all[MEMCACHED_ADDRESSES];
};

/* Waits for a name that must be looked up, a second at most. */
void memcached_address_init(struct memcached_address *address,
			    const struct memcached_place_server *server);
void memcached_address_fini(struct memcached_address *address);

/* A connection is to be made: take what was found meanwhile, look again. */
void memcached_address_refresh(struct memcached_address *address);

#endif /* COUNTER_MEMCACHED_ADDRESS_H */
