/*
 * memcached_wire: requests of memcached's text and meta protocols, and reading
 * what a server answers.
 *
 * Knows bytes, no sockets and no meaning.  An answer may be cut anywhere and
 * may be anything.  Source: memcached's doc/protocol.txt, version 1.6.10
 * (older ones have other words); measured and tested with 1.6.18.
 *
 * Replacing is done with `add` and `cas`, not with `ms`: where there is no
 * memory for the new value `ms` also drops the old one, which `cas` keeps
 * (proto_text.c, "avoid stale data"), and a count that is dropped is a limit
 * that begins again.
 */
#ifndef COUNTER_MEMCACHED_WIRE_H
#define COUNTER_MEMCACHED_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	MEMCACHED_WIRE_KEY_BYTES = 96,
	MEMCACHED_WIRE_LINE_BYTES = 1024 /* the longest first line taken */
};

/* A value to be stored. */
struct memcached_wire_item {
	const char *key; /* without blanks and controls */
	const void *value;
	size_t value_n;
	int64_t exptime; /* memcached's: 0 never, -1 at once, else Unix time */
};

/* Each adds a request to OUT. */
void memcached_wire_get(struct buf *out, const char *key); /* VALUE, MISS */
/* Is KEY there?  HERE or MISS, with the OPAQUE number.  Here and below: as if
 * it had not been looked at, so that a flush still takes it for old. */
void memcached_wire_look(struct buf *out, const char *key, uint64_t opaque);
void memcached_wire_look_at(struct buf *out, const char *key); /* as get */
/* STORED, NOT_STORED, REFUSED */
void memcached_wire_add(struct buf *out,
			const struct memcached_wire_item *item);
/* STORED, EXISTS, NOT_FOUND, REFUSED */
void memcached_wire_cas(struct buf *out, const struct memcached_wire_item *item,
			uint64_t version);
/* Nothing where it works; else QUIET or REFUSED. */
void memcached_wire_put(struct buf *out,
			const struct memcached_wire_item *item);
void memcached_wire_delete(struct buf *out, const char *key);
void memcached_wire_fence(struct buf *out);   /* FENCE */
void memcached_wire_version(struct buf *out); /* OTHER: "VERSION 1.6.18" */
void memcached_wire_stats(struct buf *out);   /* OTHER: "STAT x y" ... "END" */

enum memcached_wire_kind {
	WIRE_VALUE,	 /* VA */
	WIRE_HERE,	 /* HD */
	WIRE_MISS,	 /* EN */
	WIRE_STORED,	 /* STORED */
	WIRE_NOT_STORED, /* NOT_STORED */
	WIRE_EXISTS,	 /* EXISTS */
	WIRE_NOT_FOUND,	 /* NOT_FOUND */
	WIRE_REFUSED,	 /* SERVER_ERROR: no room, too large */
	WIRE_QUIET,	 /* NF, NS, EX: what a quiet request did not do */
	WIRE_FENCE,	 /* MN */
	WIRE_OTHER	 /* any other line */
};

struct memcached_wire_reply {
	enum memcached_wire_kind kind;
	const char *line; /* [line_n], without its end */
	size_t line_n;
	const unsigned char *value; /* [value_n] of a VALUE */
	size_t value_n;
	uint64_t version; /* of a VALUE; 0: none was said */
	uint64_t opaque;  /* 0: none was said */
};

/* What memcached_wire_parse found that is no number of bytes. */
#define MEMCACHED_WIRE_MORE ((size_t)0)
#define MEMCACHED_WIRE_WRONG SIZE_MAX

/**
 * memcached_wire_parse(bytes, n, out):
 * The first reply in the N BYTES received.
 *
 * Gives:   OUT, which points into BYTES, where a number is returned.
 * Returns: how many bytes it has; MEMCACHED_WIRE_MORE when it is not whole
 *          yet, MEMCACHED_WIRE_WRONG when it cannot become one.
 */
size_t memcached_wire_parse(const char *bytes, size_t n,
			    struct memcached_wire_reply *out);

#endif /* COUNTER_MEMCACHED_WIRE_H */
