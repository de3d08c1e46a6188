/* memcached_wire: what is asked, byte for byte, and what an answer is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "counter/memcached_wire.h"
#include "counter/store.h"

static void
expect(struct buf *out, const char *want)
{
	assert_string_equal(buf_text(out), want);
	buf_reset(out);
}

static void
test_requests(void **state)
{
	const struct memcached_wire_item item = { "k", "a\0b", 3, 4000000 };
	const struct memcached_wire_item empty = { "k", "", 0, -1 };
	struct buf out = { 0 };
	(void)state;

	memcached_wire_get(&out, "1.key");
	expect(&out, "mg 1.key v c\r\n");
	memcached_wire_look(&out, "1.m", UINT64_MAX);
	expect(&out, "mg 1.m u O18446744073709551615\r\n");
	memcached_wire_look_at(&out, "1.m");
	expect(&out, "mg 1.m u v c\r\n");
	memcached_wire_add(&out, &empty);
	expect(&out, "add k 0 -1 0\r\n\r\n");
	memcached_wire_cas(&out, &empty, 7);
	expect(&out, "cas k 0 -1 0 7\r\n\r\n");
	memcached_wire_put(&out, &empty);
	expect(&out, "ms k 0 q T-1\r\n\r\n");
	memcached_wire_delete(&out, "k");
	expect(&out, "md k q\r\n");
	memcached_wire_fence(&out);
	expect(&out, "mn\r\n");
	memcached_wire_version(&out);
	memcached_wire_stats(&out);
	expect(&out, "version\r\nstats\r\n");
	memcached_wire_add(&out, &item);
	assert_int_equal(out.len, strlen("add k 0 4000000 3\r\n") + 5);
	assert_memory_equal(out.data, "add k 0 4000000 3\r\na\0b\r\n", out.len);
	buf_fini(&out);
}

static const struct {
	const char *bytes;
	int kind; /* -1: wrong */
	const char *value;
	uint64_t version, opaque;
} replies[] = {
	{ "VA 3 c12\r\nabc\r\n", WIRE_VALUE, "abc", 12, 0 },
	{ "VA 3 c12 O5\r\na\r\n\r\n", WIRE_VALUE, "a\r\n", 12, 5 },
	{ "VA 0 c1\r\n\r\n", WIRE_VALUE, "", 1, 0 },
	{ "VA  1  O5  c12 \r\nx\r\n", WIRE_VALUE, "x", 12, 5 },
	{ "VA 1\r\nx\r\n", WIRE_VALUE, "x", 0, 0 },
	{ "VA 1 c18446744073709551615\r\nx\r\n", WIRE_VALUE, "x", UINT64_MAX,
	  0 },
	{ "VA 1 c18446744073709551616\r\nx\r\n", -1, NULL, 0, 0 },
	{ "VA 3 c12\r\nabcd\r\n", -1, NULL, 0, 0 },
	{ "VA 3 c12\r\nabc\n\n", -1, NULL, 0, 0 },
	{ "VA\r\n", -1, NULL, 0, 0 },
	{ "VA \r\n", -1, NULL, 0, 0 },
	{ "VA -1 c1\r\n", -1, NULL, 0, 0 },
	{ "VA 1x c1\r\nx\r\n", -1, NULL, 0, 0 },
	{ "VA 1000001 c1\r\n", -1, NULL, 0, 0 },
	{ "VA 18446744073709551615 c1\r\n", -1, NULL, 0, 0 },
	{ "VA 99999999999999999999 c1\r\n", -1, NULL, 0, 0 },
	{ "VA 1 c\r\nx\r\n", -1, NULL, 0, 0 },
	{ "VA 1 q7\r\nx\r\n", -1, NULL, 0, 0 },
	{ "HD\r\n", WIRE_HERE, NULL, 0, 0 },
	{ "HD O77\r\n", WIRE_HERE, NULL, 0, 77 },
	{ "HD c8 O77 \r\n", WIRE_HERE, NULL, 8, 77 },
	{ "HD O\r\n", -1, NULL, 0, 0 },
	{ "HD Oabc\r\n", -1, NULL, 0, 0 },
	{ "EN\r\n", WIRE_MISS, NULL, 0, 0 },
	{ "EN O3\r\n", WIRE_MISS, NULL, 0, 3 },
	{ "EN k\r\n", -1, NULL, 0, 0 },
	{ "END\r\n", WIRE_OTHER, NULL, 0, 0 },
	{ "STORED\r\n", WIRE_STORED, NULL, 0, 0 },
	{ "STORED x\r\n", WIRE_OTHER, NULL, 0, 0 },
	{ "NOT_STORED\r\n", WIRE_NOT_STORED, NULL, 0, 0 },
	{ "EXISTS\r\n", WIRE_EXISTS, NULL, 0, 0 },
	{ "NOT_FOUND\r\n", WIRE_NOT_FOUND, NULL, 0, 0 },
	{ "SERVER_ERROR out of memory\r\n", WIRE_REFUSED, NULL, 0, 0 },
	{ "SERVER_ERROR\r\n", WIRE_REFUSED, NULL, 0, 0 },
	{ "SERVER_ERRORS\r\n", WIRE_OTHER, NULL, 0, 0 },
	{ "NF\r\n", WIRE_QUIET, NULL, 0, 0 },
	{ "NS \r\n", WIRE_QUIET, NULL, 0, 0 },
	{ "EX\r\n", WIRE_QUIET, NULL, 0, 0 },
	{ "MN\r\n", WIRE_FENCE, NULL, 0, 0 },
	{ "mn\r\n", WIRE_OTHER, NULL, 0, 0 },
	{ "ERROR\r\n", WIRE_OTHER, NULL, 0, 0 },
	{ "VERSION 1.6.18\r\n", WIRE_OTHER, NULL, 0, 0 },
	{ "x\r\n", WIRE_OTHER, NULL, 0, 0 },
	{ "\r\n", -1, NULL, 0, 0 },
	{ "\n", -1, NULL, 0, 0 },
	{ "HD\n", -1, NULL, 0, 0 },
};

static size_t
parse(const char *bytes, size_t n, struct memcached_wire_reply *out)
{
	/* exactly as large, so that reading past it is seen */
	char *copy = malloc(n);
	memcpy(copy, bytes, n);
	size_t got = memcached_wire_parse(copy, n, out);
	if (got != MEMCACHED_WIRE_MORE && got != MEMCACHED_WIRE_WRONG) {
		got = memcached_wire_parse(bytes, n, out);
	}
	free(copy);
	return got;
}

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct memcached_wire_reply reply = { .line_n = 99 };
		const char *bytes = replies[i].bytes;
		const size_t n = strlen(bytes);
		size_t got = parse(bytes, n, &reply);
		if (replies[i].kind < 0) {
			if (got != MEMCACHED_WIRE_WRONG) {
				fail_msg("taken: %s", bytes);
			}
			continue;
		}
		assert_int_equal(got, n);
		assert_int_equal(reply.kind, replies[i].kind);
		assert_int_equal(reply.version, replies[i].version);
		assert_int_equal(reply.opaque, replies[i].opaque);
		assert_ptr_equal(reply.line, bytes);
		assert_int_equal(reply.line_n, strcspn(bytes, "\r"));
		if (replies[i].value != NULL) {
			assert_int_equal(reply.value_n,
					 strlen(replies[i].value));
			assert_memory_equal(reply.value, replies[i].value,
					    reply.value_n);
		}
		/* cut anywhere it is not whole, or wrong already */
		for (size_t cut = 0; cut < n; cut++) {
			assert_int_equal(parse(bytes, cut, &reply),
					 MEMCACHED_WIRE_MORE);
		}
	}
}

/* Only the first of two is taken. */
static void
test_two_replies(void **state)
{
	static const char bytes[] = "VA 2 c1\r\nab\r\nHD O2\r\n";
	struct memcached_wire_reply reply;
	(void)state;

	assert_int_equal(parse(bytes, sizeof(bytes) - 1, &reply), 13);
	assert_int_equal(reply.value_n, 2);
}

static void
test_line_without_end(void **state)
{
	char bytes[MEMCACHED_WIRE_LINE_BYTES + 2];
	struct memcached_wire_reply reply;
	(void)state;

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(parse(bytes, MEMCACHED_WIRE_LINE_BYTES - 1, &reply),
			 MEMCACHED_WIRE_MORE);
	assert_int_equal(parse(bytes, MEMCACHED_WIRE_LINE_BYTES, &reply),
			 MEMCACHED_WIRE_WRONG);
	memcpy(bytes + MEMCACHED_WIRE_LINE_BYTES - 2, "\r\n", 2);
	assert_int_equal(parse(bytes, MEMCACHED_WIRE_LINE_BYTES, &reply),
			 MEMCACHED_WIRE_LINE_BYTES);
	memcpy(bytes + MEMCACHED_WIRE_LINE_BYTES - 2, "xx\r\n", 4);
	assert_int_equal(parse(bytes, sizeof(bytes), &reply),
			 MEMCACHED_WIRE_WRONG);
}

/* Whatever comes, only what was received is looked at. */
static void
test_any_bytes(void **state)
{
	static const char alphabet[] = "VAHDENSTO cO0123456789\r\n\r\n \0x";
	struct memcached_wire_reply reply;
	char bytes[48];
	unsigned random = 1;
	(void)state;

	for (int turn = 0; turn < 200000; turn++) {
		size_t n = 1 + (size_t)turn % (sizeof(bytes) - 1);
		for (size_t i = 0; i < n; i++) {
			random = random * 1103515245 + 12345;
			bytes[i] =
			    alphabet[random / 65536 % (sizeof(alphabet) - 1)];
		}
		if (turn % 2 == 0) {
			memcpy(bytes, "VA 1 c2 ", n < 8 ? n : 8);
		}
		size_t got = parse(bytes, n, &reply);
		assert_true(got <= n || got == MEMCACHED_WIRE_WRONG);
		if (got != MEMCACHED_WIRE_MORE && got <= n) {
			assert_true(reply.line_n + 2 <= got);
			assert_true(reply.line_n + 2 + reply.value_n <= got);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_two_replies),
		cmocka_unit_test(test_line_without_end),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
