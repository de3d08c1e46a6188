#include "counter/memcached_place.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <libmemcached/memcached.h>

#include "base/memory.h"

struct memcached_place {
	memcached_st *memcached; /* never connected */
	size_t n;
	struct memcached_place_server servers[MEMCACHED_PLACE_SERVERS];
};

enum { PATH_MAX_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path) };

static bool
parse_port(const char *text, uint16_t *out)
{
	unsigned long port = 0;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 5 || text[n] != '\0') {
		return false;
	}
	port = strtoul(text, NULL, 10);
	*out = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

/* "host", "host:port", "[v6]" or "[v6]:port"; TEXT is changed. */
static bool
parse_host(char *text, struct memcached_place_server *out)
{
	char *host = text;
	char *rest = strchr(text, ':');
	bool v6 = *text == '[';

	if (v6) {
		host = text + 1;
		rest = strchr(host, ']');
		if (rest == NULL) {
			return false;
		}
		*rest++ = '\0';
	}
	out->port = MEMCACHED_PLACE_PORT;
	if (rest != NULL && *rest != '\0') {
		if (*rest != ':' || !parse_port(rest + 1, &out->port)) {
			return false;
		}
		*rest = '\0';
	}
	size_t n = strlen(host);
	size_t good = strspn(host, v6 ? "0123456789abcdefABCDEF:.%"
				      : "0123456789abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_");
	if (n == 0 || good < n || n + sizeof("[]:65535") > sizeof(out->name)) {
		return false;
	}
	memcpy(out->host, host, n + 1);
	snprintf(out->name, sizeof(out->name), v6 ? "[%.246s]:%u" : "%.246s:%u",
		 host, (unsigned)out->port);
	return true;
}

/* One server, TEXT of N bytes. */
static bool
parse_server(const char *text, size_t n, struct memcached_place_server *out)
{
	*out = (struct memcached_place_server){ .port = 0 };
	while (n > 0 && isspace((unsigned char)*text)) {
		text++;
		n--;
	}
	while (n > 0 && isspace((unsigned char)text[n - 1])) {
		n--;
	}
	if (n == 0 || n >= sizeof(out->name) - 1) {
		return false;
	}
	if (*text == '/') {
		memcpy(out->host, text, n);
		memcpy(out->name, text, n);
		return n < PATH_MAX_BYTES;
	}
	char copy[MEMCACHED_PLACE_NAME_BYTES];
	memcpy(copy, text, n);
	copy[n] = '\0';
	return parse_host(copy, out);
}

static bool
is_twice(const struct memcached_place *place,
	 const struct memcached_place_server *server)
{
	for (size_t i = 0; i < place->n; i++) {
		if (strcmp(place->servers[i].name, server->name) == 0) {
			return true;
		}
	}
	return false;
}

static enum status
parse(struct memcached_place *place, const char *servers, struct err *err)
{
	for (const char *at = servers;; at++) {
		size_t n = strcspn(at, ",");
		struct memcached_place_server server;
		if (!parse_server(at, n, &server)) {
			return err_set(err, STATUS_BODY,
				       "\"%.*s\" is no memcached server: host, "
				       "host:port, [v6]:port or /path",
				       (int)(n > 200 ? 200 : n), at);
		}
		if (is_twice(place, &server)) {
			return err_set(err, STATUS_BODY,
				       "the memcached server %s is named twice",
				       server.name);
		}
		if (place->n == MEMCACHED_PLACE_SERVERS) {
			return err_set(err, STATUS_BODY,
				       "more than %d memcached servers",
				       MEMCACHED_PLACE_SERVERS);
		}
		place->servers[place->n++] = server;
		at += n;
		if (*at == '\0') {
			return STATUS_OK;
		}
	}
}

/* What libmemcached can refuse here is a wrong program, or no memory. */
static void
make_ring(struct memcached_place *place)
{
	memcached_return_t rc = MEMCACHED_SUCCESS;

	place->memcached = memcached_create(NULL);
	assert(place->memcached != NULL);
	for (size_t i = 0; i < place->n; i++) {
		const struct memcached_place_server *s = &place->servers[i];
		rc = s->port == 0 ? memcached_server_add_unix_socket(
					place->memcached, s->host)
				  : memcached_server_add(place->memcached,
							 s->host, s->port);
		assert(memcached_success(rc));
	}
	rc = memcached_behavior_set(place->memcached,
				    MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	assert(memcached_success(rc));
	assert(memcached_server_count(place->memcached) == place->n);
}

struct memcached_place *
memcached_place_new(const char *servers, struct err *err)
{
	struct memcached_place *place = memory_get(sizeof(*place));

	place->memcached = NULL;
	place->n = 0;
	if (parse(place, servers, err) != STATUS_OK) {
		memcached_place_free(place);
		return NULL;
	}
	make_ring(place);
	return place;
}

void
memcached_place_free(struct memcached_place *place)
{
	if (place != NULL) {
		memcached_free(place->memcached);
		free(place);
	}
}

size_t
memcached_place_n(const struct memcached_place *place)
{
	return place->n;
}

const struct memcached_place_server *
memcached_place_server(const struct memcached_place *place, size_t i)
{
	assert(i < place->n);
	return &place->servers[i];
}

size_t
memcached_place_of(const struct memcached_place *place, const char *key,
		   size_t n)
{
	if (place->n == 1) {
		return 0;
	}
	size_t i = memcached_generate_hash(place->memcached, key, n);
	assert(i < place->n);
	return i;
}
