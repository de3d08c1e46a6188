#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/memory.h"

enum { FIRST_BYTES = 256 };

void
buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL) {
		buf->data[0] = '\0';
	}
}

/* For N more.  Doubling, so that N adds cost O(N) in sum. */
static void
grow(struct buf *buf, size_t n)
{
	/* saturated: memory_resize then says that there is none */
	size_t need = n >= SIZE_MAX - buf->len ? SIZE_MAX : buf->len + n + 1;
	size_t cap = buf->cap < FIRST_BYTES ? FIRST_BYTES : buf->cap;

	while (cap < need) {
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	}
	buf->data = memory_resize(buf->data, cap);
	buf->cap = cap;
}

char *
buf_room(struct buf *buf, size_t n)
{
	if (n >= buf->cap - buf->len) {
		grow(buf, n);
	}
	return buf->data + buf->len;
}

void
buf_grown(struct buf *buf, size_t n)
{
	assert(n < buf->cap - buf->len);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void
buf_add(struct buf *buf, const void *bytes, size_t n)
{
	char *room = buf_room(buf, n);

	if (n > 0) {
		memcpy(room, bytes, n);
	}
	buf_grown(buf, n);
}

void
buf_addi(struct buf *buf, int64_t n)
{
	char text[24], *end = text + sizeof(text);
	char *at = decimal_digits(end, n < 0 ? -(uint64_t)n : (uint64_t)n, 1);

	if (n < 0) {
		*--at = '-';
	}
	buf_add(buf, at, (size_t)(end - at));
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *room = buf_room(buf, 0);
	size_t cap = buf->cap - buf->len;

	va_start(args, format);
	int n = vsnprintf(room, cap, format, args);
	va_end(args);
	assert(n >= 0);
	if ((size_t)n >= cap) {
		room = buf_room(buf, (size_t)n);
		va_start(args, format);
		vsnprintf(room, (size_t)n + 1, format, args);
		va_end(args);
	}
	buf_grown(buf, (size_t)n);
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data == NULL ? "" : buf->data;
}
