/*
 * arena: memory of one request, dropped at its end.
 *
 * Allocations are aligned to 16 bytes, zeroed, and never freed one by one.
 * They never fail: a process that is out of memory logs so and aborts (it is
 * disposable, and what it answered is in the spool).  Not shared by threads.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/status.h"

struct arena;

/* Make an arena whose first block has FIRST_BYTES; yours, end by arena_free. */
struct arena *arena_new(size_t first_bytes);
void arena_free(struct arena *arena); /* NULL is fine */

/* A reset gives larger blocks back, so that one huge request is not paid for
 * ever; but the first block always stays. */
enum { ARENA_KEEP_BYTES = 1024 * 1024 };

/* Forget all allocations but keep the largest block for the next request. */
void arena_reset(struct arena *arena);

/* N bytes, zeroed; the pointer lives until arena_reset or arena_free. */
void *arena_alloc(struct arena *arena, size_t n) __attribute__((malloc));

/* N elements of SIZE bytes, zeroed; an overflow of N * SIZE is an assert. */
void *arena_array(struct arena *arena, size_t n, size_t size);

/*
 * A list that grows: ITEMS, of which N of SIZE bytes are used and *CAP fit,
 * or, where it is full, a copy of twice the size.  A list of zeroes is an empty
 * one.  The return value has room for one more.
 */
void *arena_grow(struct arena *arena, void *items, size_t n, size_t *cap,
		 size_t size);

/* TEXT with its ASCII letters lower: a copy, or TEXT itself where there is
 * nothing to change, which is the usual case. */
const char *arena_lower(struct arena *arena, const char *text);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t n);
char *arena_printf(struct arena *arena, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Bytes handed out since the last reset. */
size_t arena_used_bytes(const struct arena *arena);

#endif /* BASE_ARENA_H */
