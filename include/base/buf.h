/*
 * buf: bytes that grow at the end.
 *
 * Data is always followed by a NUL that len does not count, so that text can
 * be handed to libc.  A buf of zeroes is a valid empty one.  Growing never
 * fails: out of memory aborts, as in base/arena.h.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

struct buf {
	char *data; /* NULL until something was added */
	size_t len;
	size_t cap;
};

void buf_fini(struct buf *buf);	 /* free and make empty */
void buf_reset(struct buf *buf); /* make empty, keep the memory */
void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_addi(struct buf *buf, int64_t n); /* in decimal */
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Make room for N more bytes and return where they go; then buf_grown(n). */
char *buf_room(struct buf *buf, size_t n);
void buf_grown(struct buf *buf, size_t n);

/* The text, never NULL. */
const char *buf_text(const struct buf *buf);

/* Inline, since an answer and its record are made of hundreds of them. */
static inline void
buf_adds(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

static inline void
buf_addc(struct buf *buf, char c)
{
	if (buf->cap - buf->len > 1) {
		buf->data[buf->len++] = c;
		buf->data[buf->len] = '\0';
	} else {
		buf_add(buf, &c, 1);
	}
}

#endif /* BASE_BUF_H */
