#include "counter/memcached_address.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include "base/memory.h"

enum { WAIT_S = 1 };

/* Of the resolver's thread while it is under way. */
struct memcached_lookup {
	struct gaicb request;
	struct addrinfo hints;
	char host[MEMCACHED_PLACE_NAME_BYTES];
	char port[8];
};

static void
keep(struct memcached_address *address, const struct addrinfo *found)
{
	size_t n = 0;

	for (; found != NULL && n < MEMCACHED_ADDRESSES;
	     found = found->ai_next) {
		memcpy(&address->all[n].at, found->ai_addr, found->ai_addrlen);
		address->all[n].at_n = found->ai_addrlen;
		n++;
	}
	address->n = n;
}

static void
keep_path(struct memcached_address *address)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	/* memcached_place_new has seen that it fits */
	memcpy(at.sun_path, address->server->host,
	       strlen(address->server->host) + 1);
	memcpy(&address->all[0].at, &at, sizeof(at));
	address->all[0].at_n = sizeof(at);
	address->n = 1;
}

static void
fill(struct memcached_lookup *lookup,
     const struct memcached_place_server *server, int flags)
{
	*lookup = (struct memcached_lookup){
		.hints = { .ai_flags = AI_NUMERICSERV | flags,
			   .ai_socktype = SOCK_STREAM },
		.request = { .ar_name = lookup->host,
			     .ar_service = lookup->port,
			     .ar_request = &lookup->hints },
	};
	snprintf(lookup->host, sizeof(lookup->host), "%s", server->host);
	snprintf(lookup->port, sizeof(lookup->port), "%u",
		 (unsigned)server->port);
}

/* An address of digits needs nobody's answer. */
static bool
keep_numeric(struct memcached_address *address)
{
	struct memcached_lookup lookup;
	struct addrinfo *found = NULL;

	fill(&lookup, address->server, AI_NUMERICHOST);
	if (getaddrinfo(lookup.host, lookup.port, &lookup.hints, &found) != 0) {
		return false;
	}
	keep(address, found);
	freeaddrinfo(found);
	return true;
}

static void
look(struct memcached_address *address)
{
	struct memcached_lookup *lookup = memory_get(sizeof(*lookup));
	struct gaicb *list[] = { &lookup->request };

	fill(lookup, address->server, 0);
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
		free(lookup);
		return;
	}
	address->lookup = lookup;
}

/* Take what was found; what was not leaves the addresses as they are. */
static void
take(struct memcached_address *address)
{
	struct memcached_lookup *lookup = address->lookup;

	if (lookup == NULL || gai_error(&lookup->request) == EAI_INPROGRESS) {
		return;
	}
	if (gai_error(&lookup->request) == 0) {
		keep(address, lookup->request.ar_result);
		freeaddrinfo(lookup->request.ar_result);
	}
	free(lookup);
	address->lookup = NULL;
}

static void
wait_for(const struct memcached_lookup *lookup)
{
	const struct timespec wait = { .tv_sec = WAIT_S };

	if (lookup != NULL) {
		const struct gaicb *list[] = { &lookup->request };
		(void)gai_suspend(list, 1, &wait);
	}
}

void
memcached_address_init(struct memcached_address *address,
		       const struct memcached_place_server *server)
{
	*address = (struct memcached_address){ .server = server };
	if (server->port == 0) {
		keep_path(address);
	} else {
		address->is_name = !keep_numeric(address);
	}
	memcached_address_refresh(address);
	wait_for(address->lookup);
	take(address);
}

void
memcached_address_fini(struct memcached_address *address)
{
	struct memcached_lookup *lookup = address->lookup;

	if (lookup != NULL && gai_cancel(&lookup->request) == EAI_CANCELED) {
		free(lookup);
		address->lookup = NULL;
		return;
	}
	/* one that cannot be called off writes there when it ends; if that
	 * takes longer it is left to it */
	wait_for(lookup);
	take(address);
	address->lookup = NULL;
}

void
memcached_address_refresh(struct memcached_address *address)
{
	take(address);
	if (address->is_name && address->lookup == NULL) {
		look(address);
	}
}
