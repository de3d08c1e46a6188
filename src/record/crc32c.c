#include "record/crc32c.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <limits.h>

uint32_t
crc32c(const void *bytes, size_t n)
{
	/* the library does not write there */
	union {
		const void *in;
		unsigned char *out;
	} p = { .in = bytes };

	assert(n <= INT_MAX);
	return ~crc32_iscsi(p.out, (int)n, UINT32_MAX);
}
