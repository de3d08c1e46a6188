/*
 * memory: malloc that never fails.
 *
 * A process that is out of memory logs so and aborts: it is disposable, what
 * it answered is in the spool, and no caller could do better.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* N bytes, not zeroed; yours, end by free.  N may be 0; never NULL. */
void *memory_get(size_t n) __attribute__((malloc, returns_nonnull));

/* OLD (or NULL) made N bytes large; yours, end by free. */
void *memory_resize(void *old, size_t n) __attribute__((returns_nonnull));

#endif /* BASE_MEMORY_H */
