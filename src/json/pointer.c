#include "json/pointer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void
pointer_init(struct pointer *pointer, char *out, size_t cap)
{
	assert(cap > 0);
	*pointer = (struct pointer){ .out = out, .cap = cap };
	out[0] = '\0';
}

/* All N bytes or none of them, so that no character is ever torn. */
static void
add(struct pointer *pointer, const char *bytes, size_t n)
{
	if (pointer->n == pointer->cap || n >= pointer->cap - pointer->n) {
		pointer->n = pointer->cap;
		return;
	}
	memcpy(pointer->out + pointer->n, bytes, n);
	pointer->n += n;
	pointer->out[pointer->n] = '\0';
}

/* The bytes of the UTF-8 character at TEXT, of which N are left. */
static size_t
character_n(const char *text, size_t n)
{
	size_t i = 1;

	while (i < n && (text[i] & 0xC0) == 0x80) {
		i++;
	}
	return i;
}

void
pointer_key(struct pointer *pointer, const char *key, size_t n)
{
	add(pointer, "/", 1);
	for (size_t i = 0, step; i < n; i += step) {
		step = character_n(key + i, n - i);
		if (key[i] == '~') {
			add(pointer, "~0", 2);
		} else if (key[i] == '/') {
			add(pointer, "~1", 2);
		} else {
			add(pointer, key + i, step);
		}
	}
}

void
pointer_index(struct pointer *pointer, size_t index)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "/%zu", index);

	add(pointer, text, (size_t)n);
}
