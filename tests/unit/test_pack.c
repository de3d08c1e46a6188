#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "counter/pack.h"

static struct unpack
reader(const void *bytes, size_t n)
{
	return (struct unpack){ .at = bytes,
				.end = (const unsigned char *)bytes + n };
}

static void
numbers_come_back(void **unused)
{
	static const struct {
		uint64_t number;
		size_t bytes;
	} rows[] = {
		{ 0, 1 },	    { 127, 1 },
		{ 128, 2 },	    { 16383, 2 },
		{ 16384, 3 },	    { INT64_MAX, 9 },
		{ UINT64_MAX, 10 }, { UINT64_C(1) << 63, 10 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = { 0 };

		pack_u(&out, rows[i].number);
		assert_int_equal(out.len, rows[i].bytes);
		struct unpack in = reader(out.data, out.len);
		assert_true(unpack_u(&in) == rows[i].number);
		assert_false(in.bad);
		assert_ptr_equal(in.at, in.end);
		/* cut off anywhere it is none */
		for (size_t n = 0; n < out.len; n++) {
			in = reader(out.data, n);
			assert_true(unpack_u(&in) == 0);
			assert_true(in.bad);
		}
		buf_fini(&out);
	}
}

static void
signed_numbers_come_back(void **unused)
{
	static const int64_t rows[] = { 0,  -1, 1,	   -64,
					63, 64, INT64_MAX, INT64_MIN };

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = { 0 };

		pack_i(&out, rows[i]);
		assert_int_equal(out.len, i < 5 ? 1 : i == 5 ? 2 : 10);
		struct unpack in = reader(out.data, out.len);
		assert_true(unpack_i(&in) == rows[i]);
		assert_false(in.bad);
		buf_fini(&out);
	}
}

static void
what_is_too_large_is_bad(void **unused)
{
	static const unsigned char over[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
					      0xff, 0xff, 0xff, 0xff, 0x02 };
	static const unsigned char longer[] = { 0x80, 0x80, 0x80, 0x80,
						0x80, 0x80, 0x80, 0x80,
						0x80, 0x80, 0x01 };
	struct unpack in = reader(over, sizeof(over));

	(void)unused;
	assert_true(unpack_u(&in) == 0 && in.bad);
	in = reader(longer, sizeof(longer));
	assert_true(unpack_u(&in) == 0 && in.bad);
}

static void
limits_are_kept(void **unused)
{
	struct buf out = { 0 };

	(void)unused;
	pack_u(&out, 5);
	struct unpack in = reader(out.data, out.len);
	assert_int_equal(unpack_below(&in, 6), 5);
	in = reader(out.data, out.len);
	assert_int_equal(unpack_below(&in, 5), 0);
	assert_true(in.bad);
	buf_reset(&out);
	pack_i(&out, -5);
	in = reader(out.data, out.len);
	assert_int_equal(unpack_within(&in, 5), -5);
	in = reader(out.data, out.len);
	assert_int_equal(unpack_within(&in, 4), 0);
	assert_true(in.bad);
	buf_reset(&out);
	pack_i(&out, 5);
	in = reader(out.data, out.len);
	assert_int_equal(unpack_within(&in, 4), 0);
	assert_true(in.bad);
	buf_fini(&out);
}

static void
words_texts_and_bytes(void **unused)
{
	struct arena *arena = arena_new(256);
	struct buf out = { 0 };

	(void)unused;
	pack_word(&out, UINT64_C(0x8102030405060708));
	pack_text(&out, "ann");
	pack_text(&out, "");
	pack_text(&out, NULL);
	buf_add(&out, "xyz", 3);
	assert_int_equal(out.len, 8 + 4 + 1 + 1 + 3);
	struct unpack in = reader(out.data, out.len);
	assert_true(unpack_word(&in) == UINT64_C(0x8102030405060708));
	assert_string_equal(unpack_text(&in, arena), "ann");
	assert_string_equal(unpack_text(&in, arena), "");
	assert_null(unpack_text(&in, arena));
	assert_false(in.bad);
	assert_memory_equal(unpack_bytes(&in, 3), "xyz", 3);
	assert_null(unpack_bytes(&in, 1));
	assert_true(in.bad);
	assert_null(unpack_bytes(&in, 0));
	in = reader(out.data, 7);
	assert_true(unpack_word(&in) == 0 && in.bad);
	/* a text that is cut off, and one that holds a NUL */
	in = reader("\4an", 3);
	assert_null(unpack_text(&in, arena));
	assert_true(in.bad);
	in = reader("\4a\0n", 4);
	assert_null(unpack_text(&in, arena));
	assert_true(in.bad);
	buf_fini(&out);
	arena_free(arena);
}

static void
lists_must_be_there(void **unused)
{
	struct unpack in = reader("\2aabb", 5);

	(void)unused;
	assert_int_equal(unpack_n(&in, 2), 2);
	in = reader("\4aabb", 5);
	assert_int_equal(unpack_n(&in, 2), 0);
	assert_true(in.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(signed_numbers_come_back),
		cmocka_unit_test(what_is_too_large_is_bad),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(words_texts_and_bytes),
		cmocka_unit_test(lists_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
