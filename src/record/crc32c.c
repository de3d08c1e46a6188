#include "record/crc32c.h"

#include <pthread.h>
#include <string.h>

enum { SLICES = 8 };

static uint32_t tables[SLICES][256];
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void
make_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
		}
		tables[0][i] = crc;
	}
	for (int slice = 1; slice < SLICES; slice++) {
		for (int i = 0; i < 256; i++) {
			uint32_t before = tables[slice - 1][i];
			tables[slice][i] =
			    (before >> 8) ^ tables[0][before & 255];
		}
	}
}

/* Eight bytes further; byte by byte, so any byte order will do. */
static uint32_t
step8(uint32_t crc, const unsigned char *p)
{
	return tables[7][(crc ^ p[0]) & 255] ^
	       tables[6][(crc >> 8 ^ p[1]) & 255] ^
	       tables[5][(crc >> 16 ^ p[2]) & 255] ^
	       tables[4][(crc >> 24 ^ p[3]) & 255] ^ tables[3][p[4]] ^
	       tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
}

uint32_t
crc32c(const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint32_t crc = 0xFFFFFFFFu;

	pthread_once(&made, make_tables);
	for (; n >= SLICES; n -= SLICES, p += SLICES) {
		crc = step8(crc, p);
	}
	for (; n > 0; n--, p++) {
		crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 255];
	}
	return ~crc;
}
