#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void
assert_zero(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(bytes[i], 0);
	}
}

/* Also after the same memory was used and dropped. */
static void
allocations_are_aligned_zeroed_and_apart(void **state)
{
	struct arena *arena = arena_new(0);

	(void)state;
	for (int round = 0; round < 3; round++) {
		char *last = NULL;

		for (size_t n = 0; n < 600; n++) {
			char *got = arena_alloc(arena, n);

			assert_non_null(got);
			assert_ptr_not_equal(got, last);
			assert_int_equal((uintptr_t)got % 16, 0);
			assert_zero(got, n);
			memset(got, 0xAA, n);
			last = got;
		}
		arena_reset(arena);
	}
	arena_free(arena);
}

static void
neighbours_do_not_overlap(void **state)
{
	struct arena *arena = arena_new(100);
	char *got[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		got[i] = arena_alloc(arena, i);
		memset(got[i], (int)i, i);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_int_equal((unsigned char)got[i][k], i);
		}
	}
	arena_free(arena);
}

static void
a_reset_keeps_the_largest_block(void **state)
{
	struct arena *arena = arena_new(1000);
	char *small = arena_alloc(arena, 500);
	char *large = arena_alloc(arena, 50000);

	(void)state;
	assert_ptr_not_equal(small, large);
	assert_true(arena_used_bytes(arena) >= 50500);
	assert_true(arena_used_bytes(arena) < 50600);
	arena_reset(arena);
	assert_int_equal(arena_used_bytes(arena), 0);
	assert_ptr_equal(arena_alloc(arena, 50000), large);
	/* again, now that the largest is the only one */
	arena_reset(arena);
	assert_ptr_equal(arena_alloc(arena, 50000), large);
	arena_free(arena);
}

static void
a_reset_gives_a_huge_block_back(void **state)
{
	struct arena *arena = arena_new(1000);
	char *first = arena_alloc(arena, 100);

	(void)state;
	memset(arena_alloc(arena, ARENA_KEEP_BYTES + 16), 1, 10);
	arena_reset(arena);
	assert_ptr_equal(arena_alloc(arena, 100), first);
	arena_free(arena);

	/* but for a first block that is that large on purpose */
	arena = arena_new(ARENA_KEEP_BYTES * 2);
	first = arena_alloc(arena, ARENA_KEEP_BYTES * 2);
	arena_reset(arena);
	assert_ptr_equal(arena_alloc(arena, ARENA_KEEP_BYTES * 2), first);
	arena_free(arena);
}

static void
many_small_ones_need_few_blocks(void **state)
{
	struct arena *arena = arena_new(256);

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		*(int *)arena_alloc(arena, sizeof(int)) = i;
	}
	assert_int_equal(arena_used_bytes(arena), 16000000);
	arena_free(arena);
	arena_free(NULL);
}

static void
texts_are_copied(void **state)
{
	struct arena *arena = arena_new(64);
	char text[] = "hello";
	char *whole = arena_strdup(arena, text);
	char *part = arena_strndup(arena, text, 2);
	char *more = arena_strndup(arena, text, 100);
	char *none = arena_strdup(arena, "");
	char *printed = arena_printf(arena, "%s %d%%", text, 42);

	(void)state;
	text[0] = 'j';
	assert_string_equal(whole, "hello");
	assert_string_equal(part, "he");
	assert_string_equal(more, "hello");
	assert_string_equal(none, "");
	assert_string_equal(printed, "hello 42%");

	int64_t *array = arena_array(arena, 10, sizeof(*array));
	assert_zero((char *)array, 10 * sizeof(*array));
	assert_non_null(arena_array(arena, 0, 8));
	assert_non_null(arena_array(arena, 8, 0));
	arena_free(arena);
}

static void
a_list_grows_and_keeps_what_it_has(void **state)
{
	struct arena *arena = arena_new(64);
	uint32_t *list = NULL;
	size_t cap = 0;

	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		uint32_t *before = list;
		bool full = n == cap;

		list = arena_grow(arena, list, n, &cap, sizeof(*list));
		assert_true(cap > n);
		assert_int_equal(list != before, full);
		list[n] = n * 3;
	}
	for (uint32_t n = 0; n < 1000; n++) {
		assert_int_equal(list[n], n * 3);
	}
	arena_free(arena);
}

static void
lower_copies_where_it_must(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", NULL },
		{ "abc-9_z", NULL },
		{ "aBC", "abc" },
		{ "@AZ[`az{", "@az[`az{" },
		{ "\303\204X", "\303\204x" },
	};
	struct arena *arena = arena_new(64);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = arena_lower(arena, rows[i].text);

		if (rows[i].want == NULL) {
			assert_ptr_equal(got, rows[i].text);
		} else {
			assert_string_equal(got, rows[i].want);
		}
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_grows_and_keeps_what_it_has),
		cmocka_unit_test(lower_copies_where_it_must),
		cmocka_unit_test(allocations_are_aligned_zeroed_and_apart),
		cmocka_unit_test(neighbours_do_not_overlap),
		cmocka_unit_test(a_reset_keeps_the_largest_block),
		cmocka_unit_test(a_reset_gives_a_huge_block_back),
		cmocka_unit_test(many_small_ones_need_few_blocks),
		cmocka_unit_test(texts_are_copied),
	};
	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
