#include "record/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 3720, B.4, and the check value of the catalogue of CRC algorithms. */
static void
crc32c_of_known_texts(void **state)
{
	unsigned char zeros[32] = { 0 }, ones[32], up[32];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (size_t i = 0; i < sizeof(up); i++) {
		up[i] = (unsigned char)i;
	}
	assert_int_equal(crc32c("", 0), 0);
	assert_int_equal(crc32c("123456789", 9), 0xE3069283);
	assert_int_equal(crc32c(zeros, 32), 0x8A9136AA);
	assert_int_equal(crc32c(ones, 32), 0x62A8AB43);
	assert_int_equal(crc32c(up, 32), 0x46DD794E);
}

/* The reference: a bit at a time. */
static uint32_t
slow(const unsigned char *p, size_t n)
{
	uint32_t crc = 0xFFFFFFFFu;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
		}
	}
	return ~crc;
}

static void
crc32c_of_every_length(void **state)
{
	unsigned char bytes[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)(i * 37 + 11);
	}
	for (size_t n = 0; n < 64; n++) {
		for (size_t at = 0; at < 9; at++) {
			assert_int_equal(crc32c(bytes + at, n),
					 slow(bytes + at, n));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_of_known_texts),
		cmocka_unit_test(crc32c_of_every_length),
	};
	return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
