#include "base/memory.h"

#include <stdlib.h>

#include "base/log.h"

static void *
checked(void *got, size_t n)
{
	if (got == NULL) {
		log_error("out of memory: cannot have %zu bytes more", n);
		abort();
	}
	return got;
}

void *
memory_get(size_t n)
{
	return checked(malloc(n == 0 ? 1 : n), n);
}

void *
memory_resize(void *old, size_t n)
{
	return checked(realloc(old, n == 0 ? 1 : n), n);
}
