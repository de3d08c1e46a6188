#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { ALIGN = 16, SMALLEST_BYTES = 256, DOUBLE_UP_TO_BYTES = 1 << 20 };
enum { GROW_FIRST = 8 };

struct block {
	struct block *next;
	size_t bytes; /* of DATA */
	alignas(ALIGN) char data[];
};

struct arena {
	struct block *blocks; /* the newest first; allocations come from it */
	size_t at;	      /* bytes handed out of the newest */
	size_t used_bytes;
	size_t keep_bytes; /* the largest block that a reset keeps */
};

static struct block *
block_new(size_t bytes, struct block *next)
{
	struct block *block = memory_get(sizeof(*block) + bytes);

	block->next = next;
	block->bytes = bytes;
	return block;
}

struct arena *
arena_new(size_t first_bytes)
{
	size_t bytes =
	    first_bytes < SMALLEST_BYTES ? SMALLEST_BYTES : first_bytes;
	struct arena *arena = memory_get(sizeof(*arena));

	*arena = (struct arena){
		.blocks = block_new(bytes, NULL),
		.keep_bytes =
		    bytes < ARENA_KEEP_BYTES ? ARENA_KEEP_BYTES : bytes,
	};
	return arena;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL) {
		return;
	}
	for (struct block *next, *b = arena->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(arena);
}

void
arena_reset(struct arena *arena)
{
	struct block *kept = NULL, *next;

	for (struct block *b = arena->blocks; b != NULL; b = next) {
		next = b->next;
		if (b->bytes <= arena->keep_bytes &&
		    (kept == NULL || b->bytes > kept->bytes)) {
			free(kept);
			kept = b;
		} else {
			free(b);
		}
	}
	assert(kept != NULL); /* the first block is always small enough */
	kept->next = NULL;
	arena->blocks = kept;
	arena->at = 0;
	arena->used_bytes = 0;
}

/* A block of its own for what does not fit, else twice the last one. */
static void
add_block(struct arena *arena, size_t need)
{
	size_t bytes = arena->blocks->bytes;

	if (bytes < DOUBLE_UP_TO_BYTES) {
		bytes *= 2;
	}
	arena->blocks = block_new(bytes < need ? need : bytes, arena->blocks);
	arena->at = 0;
}

void *
arena_alloc(struct arena *arena, size_t n)
{
	/* saturated: memory_get then says that there is none */
	size_t need = n > SIZE_MAX / 2 ? SIZE_MAX / 2 : n;

	need = (need + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	need = need == 0 ? ALIGN : need;
	if (need > arena->blocks->bytes - arena->at) {
		add_block(arena, need);
	}
	void *out = arena->blocks->data + arena->at;
	arena->at += need;
	arena->used_bytes += need;
	return memset(out, 0, n);
}

void *
arena_array(struct arena *arena, size_t n, size_t size)
{
	assert(size == 0 || n <= SIZE_MAX / size);
	return arena_alloc(arena, n * size);
}

void *
arena_grow(struct arena *arena, void *items, size_t n, size_t *cap, size_t size)
{
	assert(n <= *cap);
	if (n < *cap) {
		return items;
	}
	size_t grown = n == 0 ? GROW_FIRST : n * 2;
	void *out = arena_array(arena, grown, size);
	if (n > 0) {
		memcpy(out, items, n * size);
	}
	*cap = grown;
	return out;
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

const char *
arena_lower(struct arena *arena, const char *text)
{
	const char *first = text;

	while (*first != '\0' && !is_upper(*first)) {
		first++;
	}
	if (*first == '\0') {
		return text;
	}
	char *out = arena_strdup(arena, text);
	for (char *c = out + (first - text); *c != '\0'; c++) {
		*c = is_upper(*c) ? (char)(*c + ('a' - 'A')) : *c;
	}
	return out;
}

char *
arena_strndup(struct arena *arena, const char *text, size_t n)
{
	size_t len = strnlen(text, n);
	char *out = arena_alloc(arena, len + 1);

	return memcpy(out, text, len);
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(n >= 0);

	char *out = arena_alloc(arena, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(out, (size_t)n + 1, format, args);
	va_end(args);
	return out;
}

size_t
arena_used_bytes(const struct arena *arena)
{
	return arena->used_bytes;
}
