#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char *
hex(const unsigned char *bytes, size_t n)
{
	static char text[2 * DIGEST_MAX_BYTES + 1];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	}
	return text;
}

/* By other programs: b2sum -l, and Python's hashlib.blake2b. */
static const struct {
	const char *text;
	size_t n;
	const char *hex;
} known[] = {
	/* RFC 7693, appendix A */
	{ "abc", 64,
	  "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
	  "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923" },
	{ "", 32,
	  "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8" },
	{ "abc", 16, "cf4ab791c62b8d2b2109c90275287816" },
};

static void
digests_are_blake2b(void **state)
{
	unsigned char out[DIGEST_MAX_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < N(known); i++) {
		memset(out, 0xee, sizeof(out));
		digest_bytes(known[i].text, strlen(known[i].text), out,
			     known[i].n);
		assert_string_equal(hex(out, known[i].n), known[i].hex);
		assert_int_equal(out[known[i].n], 0xee);
	}
}

static void
parts_are_digested_with_their_lengths(void **state)
{
	/* eight bytes of length, the lowest first, and the part */
	static const unsigned char framed[] = "\2\0\0\0\0\0\0\0ab"
					      "\0\0\0\0\0\0\0\0"
					      "\1\0\0\0\0\0\0\0c";
	static const struct digest_part parts[] = { { "ab", 2 },
						    { NULL, 0 },
						    { "c", 1 } };
	unsigned char got[32], want[32];

	(void)state;
	digest_parts(parts, N(parts), got, sizeof(got));
	digest_bytes(framed, sizeof(framed) - 1, want, sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
	digest_parts(NULL, 0, got, sizeof(got));
	digest_bytes("", 0, want, sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
}

static void
a_long_part_has_a_long_length(void **state)
{
	static unsigned char framed[8 + 70000];
	unsigned char got[32], want[32];
	const struct digest_part part = { framed + 8, 70000 };

	(void)state;
	framed[0] = 70000 & 0xff;
	framed[1] = 70000 >> 8 & 0xff;
	framed[2] = 70000 >> 16;
	digest_parts(&part, 1, got, sizeof(got));
	digest_bytes(framed, sizeof(framed), want, sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
}

/* What is cut elsewhere, moved or left out is digested otherwise. */
static void
equal_bytes_in_other_parts_differ(void **state)
{
	static const struct digest_part all[][3] = {
		{ { "ab", 2 }, { "c", 1 } },
		{ { "a", 1 }, { "bc", 2 } },
		{ { "abc", 3 }, { "", 0 } },
		{ { "", 0 }, { "abc", 3 } },
		{ { "c", 1 }, { "ab", 2 } },
		{ { "ab", 2 }, { "c", 1 }, { "", 0 } },
	};
	unsigned char out[N(all)][DIGEST_MIN_BYTES];

	(void)state;
	for (size_t i = 0; i < N(all); i++) {
		digest_parts(all[i], i + 1 == N(all) ? 3 : 2, out[i],
			     sizeof(out[i]));
		for (size_t j = 0; j < i; j++) {
			assert_memory_not_equal(out[i], out[j], sizeof(out[i]));
		}
	}
}

static void
each_byte_counts(void **state)
{
	unsigned char a[33] = { 0 }, b[33] = { 0 };

	(void)state;
	assert_true(digest_equal(a, b, sizeof(a)));
	assert_true(digest_equal(a, b, 0));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 0x80;
		assert_false(digest_equal(a, b, sizeof(a)));
		assert_true(digest_equal(a, b, i));
		b[i] = 0;
	}
}

static void
random_bytes_are_all_filled(void **state)
{
	unsigned char seen[16] = { 0 }, bytes[17], again[16];

	(void)state;
	/* a byte that stays 0 through 64 draws is not drawn */
	for (int i = 0; i < 64; i++) {
		bytes[16] = 0x5a;
		digest_random(bytes, 16);
		assert_int_equal(bytes[16], 0x5a);
		for (size_t j = 0; j < sizeof(seen); j++) {
			seen[j] |= bytes[j];
		}
	}
	for (size_t j = 0; j < sizeof(seen); j++) {
		assert_int_not_equal(seen[j], 0);
	}
	digest_random(again, sizeof(again));
	assert_memory_not_equal(again, bytes, sizeof(again));
}

static void
random_numbers_stay_below(void **state)
{
	unsigned times[36] = { 0 };

	(void)state;
	for (int i = 0; i < 36000; i++) {
		uint32_t n = digest_random_below(36);

		assert_true(n < 36);
		times[n]++;
	}
	for (size_t i = 0; i < N(times); i++) { /* 1000, give or take 31 */
		assert_in_range(times[i], 700, 1300);
	}
	assert_int_equal(digest_random_below(1), 0);
}

static int
digest_begin(void **state)
{
	unsigned char before[32], after[32];
	struct err err;

	(void)state;
	digest_bytes("abc", 3, before, sizeof(before));
	assert_int_equal(digest_init(&err), STATUS_OK);
	assert_int_equal(digest_init(&err), STATUS_OK);
	digest_bytes("abc", 3, after, sizeof(after));
	assert_memory_equal(before, after, sizeof(after));
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_blake2b),
		cmocka_unit_test(parts_are_digested_with_their_lengths),
		cmocka_unit_test(a_long_part_has_a_long_length),
		cmocka_unit_test(equal_bytes_in_other_parts_differ),
		cmocka_unit_test(each_byte_counts),
		cmocka_unit_test(random_bytes_are_all_filled),
		cmocka_unit_test(random_numbers_stay_below),
	};

	return cmocka_run_group_tests_name("digest", tests, digest_begin, NULL);
}
