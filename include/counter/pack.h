/*
 * pack: whole numbers and bytes one after another, small ones in few bytes.
 *
 * What accounts and reservations are written in.  Numbers are LEB128, signed
 * ones in zigzag, as in Protocol Buffers' encoding.  Reading trusts nothing:
 * what is not there, too long or too large makes the reader BAD, and from then
 * on it gives zeroes.
 */
#ifndef COUNTER_PACK_H
#define COUNTER_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

void pack_u(struct buf *out, uint64_t n);
void pack_i(struct buf *out, int64_t n);
void pack_word(struct buf *out, uint64_t n);	   /* always 8 bytes */
void pack_text(struct buf *out, const char *text); /* NULL is kept */

struct unpack {
	const unsigned char *at, *end;
	bool bad;
};

uint64_t unpack_u(struct unpack *in);
uint64_t unpack_below(struct unpack *in, uint64_t end); /* 0 to end - 1 */
int64_t unpack_i(struct unpack *in);
/* As unpack_i, of an absolute value up to MOST. */
int64_t unpack_within(struct unpack *in, int64_t most);
uint64_t unpack_word(struct unpack *in);
const unsigned char *unpack_bytes(struct unpack *in, size_t n); /* NULL: bad */
const char *unpack_text(struct unpack *in, struct arena *arena);

/* A number of items of at least EACH bytes, which must all be there. */
size_t unpack_n(struct unpack *in, size_t each);

#endif /* COUNTER_PACK_H */
