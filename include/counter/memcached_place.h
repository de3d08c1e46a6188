/*
 * memcached_place: the servers of the setting `memcached`, and which of them a
 * key belongs to.
 *
 * The door to libmemcached, which decides the place: with its consistent
 * hashing (the one called "libketama compatible"), so that every client that
 * knows it finds a key where this one put it.  What goes over the wire is not
 * libmemcached's (counter/memcached_link.h).
 */
#ifndef COUNTER_MEMCACHED_PLACE_H
#define COUNTER_MEMCACHED_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
	MEMCACHED_PLACE_SERVERS = 64,
	MEMCACHED_PLACE_NAME_BYTES = 256,
	MEMCACHED_PLACE_PORT = 11211
};

struct memcached_place;

struct memcached_place_server {
	/* as an operator would write it: "/path", "host:port", "[v6]:port" */
	char name[MEMCACHED_PLACE_NAME_BYTES];
	char host[MEMCACHED_PLACE_NAME_BYTES]; /* or the path of a socket */
	uint16_t port;			       /* 0: HOST is a path */
};

/**
 * memcached_place_new(servers, err):
 * Read SERVERS: host, host:port, [v6], [v6]:port or /path, by comma.
 *
 * Returns: yours, end by memcached_place_free; NULL when it is no such list,
 *          and ERR (STATUS_BODY) says why.
 */
struct memcached_place *memcached_place_new(const char *servers,
					    struct err *err);
void memcached_place_free(struct memcached_place *place); /* NULL is fine */

size_t memcached_place_n(const struct memcached_place *place);
const struct memcached_place_server *
memcached_place_server(const struct memcached_place *place, size_t i);

/* The server of the KEY of N bytes. */
size_t memcached_place_of(const struct memcached_place *place, const char *key,
			  size_t n);

#endif /* COUNTER_MEMCACHED_PLACE_H */
