#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "counter/reservation.h"

#define ID "01a20846-fe00-710a-bf3e-cc9cabefba7a"
#define REPORT "01a20846-fe00-710a-bf3e-cc9cabefba7b"

static struct arena *arena;

static int
begin(void **unused)
{
	(void)unused;
	arena = arena_new(4096);
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	arena_free(arena);
	return 0;
}

static const struct counter_entry entries[] = {
	{ .subject = { "0123456789abcdef" },
	  .counter = UINT64_MAX,
	  .kind = COUNTER_BUDGET,
	  .unit = COUNTER_COST,
	  .window = WINDOW_MONTH,
	  .from_s = 1795435200,
	  .to_s = 1798027200,
	  .amount = 187500000 },
	{ .subject = { "\xff\xfe\xfd\xfc\0\1\2\3\x80" },
	  .counter = 1,
	  .kind = COUNTER_LEASE,
	  .unit = COUNTER_CALLS,
	  .window = WINDOW_OPEN,
	  .to_s = 1795436100,
	  .amount = -1 },
	{ .counter = 7,
	  .kind = COUNTER_RATE,
	  .unit = COUNTER_TOKENS,
	  .window = WINDOW_DAY,
	  .from_s = 1795435200,
	  .amount = 4000 },
};

static struct reservation
full(void)
{
	struct reservation r = { .state = RESERVATION_SETTLED,
				 .evaluation_id = ID,
				 .key_id = "k1",
				 .user_id = "ann",
				 .user_tier = "free",
				 .team_id = "red",
				 .organization_id = "",
				 .environment = "production",
				 .original_model = "gpt-4o",
				 .original_vendor = "openai",
				 .model_id = "gpt-4o-mini",
				 .vendor_id = "openai",
				 .decision = ACTION_DEGRADE,
				 .made_us = 1795435200000001,
				 .expires_us = 1795436100000001,
				 .cost_nanousd = 187500000,
				 .tokens = 4000,
				 .entries = entries,
				 .entries_n = 3,
				 .report_id = REPORT,
				 .settled_us = 1795435300000000,
				 .settled_nanousd = 1,
				 .settled_tokens = -1 };

	memcpy(r.report, "0123456789abcde", 16);
	return r;
}

static void
assert_text(const char *a, const char *b)
{
	if (b == NULL) {
		assert_null(a);
	} else {
		assert_string_equal(a, b);
	}
}

static void
assert_entries(const struct counter_entry *got, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(got[i].subject.bytes,
				    entries[i].subject.bytes, 16);
		assert_true(got[i].counter == entries[i].counter);
		assert_int_equal(got[i].kind, entries[i].kind);
		assert_int_equal(got[i].unit, entries[i].unit);
		assert_int_equal(got[i].window, entries[i].window);
		assert_int_equal(got[i].from_s, entries[i].from_s);
		assert_int_equal(got[i].to_s, entries[i].to_s);
		assert_int_equal(got[i].amount, entries[i].amount);
	}
}

static void
it_comes_back(void **unused)
{
	struct reservation r = full(), got;
	struct buf bytes = { 0 };

	(void)unused;
	reservation_encode(&r, &bytes);
	assert_int_equal(
	    reservation_decode(bytes.data, bytes.len, arena, &got, NULL),
	    STATUS_OK);
	buf_fini(&bytes);
	assert_int_equal(got.state, r.state);
	assert_string_equal(got.evaluation_id, ID);
	assert_text(got.key_id, r.key_id);
	assert_text(got.user_id, r.user_id);
	assert_text(got.user_tier, r.user_tier);
	assert_text(got.team_id, r.team_id);
	assert_text(got.organization_id, r.organization_id);
	assert_text(got.api_key_id, r.api_key_id);
	assert_text(got.environment, r.environment);
	assert_text(got.original_model, r.original_model);
	assert_text(got.original_vendor, r.original_vendor);
	assert_text(got.model_id, r.model_id);
	assert_text(got.vendor_id, r.vendor_id);
	assert_int_equal(got.decision, r.decision);
	assert_int_equal(got.made_us, r.made_us);
	assert_int_equal(got.expires_us, r.expires_us);
	assert_int_equal(got.cost_nanousd, r.cost_nanousd);
	assert_int_equal(got.tokens, r.tokens);
	assert_int_equal(got.entries_n, 3);
	assert_entries(got.entries, 3);
	assert_string_equal(got.report_id, REPORT);
	assert_memory_equal(got.report, r.report, 16);
	assert_int_equal(got.settled_us, r.settled_us);
	assert_int_equal(got.settled_nanousd, r.settled_nanousd);
	assert_int_equal(got.settled_tokens, r.settled_tokens);
}

static void
an_empty_one_comes_back(void **unused)
{
	struct reservation r = { .evaluation_id = ID }, got;
	struct buf bytes = { 0 };

	(void)unused;
	reservation_encode(&r, &bytes);
	assert_int_equal(
	    reservation_decode(bytes.data, bytes.len, arena, &got, NULL),
	    STATUS_OK);
	buf_fini(&bytes);
	assert_int_equal(got.state, RESERVATION_OPEN);
	assert_null(got.key_id);
	assert_int_equal(got.entries_n, 0);
	assert_string_equal(got.report_id, "");
}

static void
damage_is_seen(void **unused)
{
	struct reservation r = full(), got = { .tokens = 77 };
	struct buf bytes = { 0 };
	struct err err;

	(void)unused;
	reservation_encode(&r, &bytes);
	for (size_t n = 0; n < bytes.len; n++) {
		assert_int_equal(
		    reservation_decode(bytes.data, n, arena, &got, &err),
		    STATUS_CORRUPT);
	}
	buf_addc(&bytes, 'x');
	assert_int_equal(
	    reservation_decode(bytes.data, bytes.len, arena, &got, &err),
	    STATUS_CORRUPT);
	assert_int_equal(got.tokens, 77);
	bytes.data[0] = 2;
	assert_int_equal(
	    reservation_decode(bytes.data, bytes.len, arena, &got, &err),
	    STATUS_CONFLICT);
	buf_fini(&bytes);
}

/* Single bytes that cannot be. */
static void
nonsense_is_refused(void **unused)
{
	struct reservation r = full(), got;
	struct buf bytes = { 0 };
	struct err err;
	const struct counter_entry plain = { .kind = COUNTER_RATE };

	(void)unused;
	r.entries = &plain;
	r.entries_n = 1;
	reservation_encode(&r, &bytes);
	/* behind the report's id: its digest and three small numbers */
	const size_t report_end = bytes.len - 16 - 8 - 1 - 1;
	const struct {
		size_t at;
		char value;
	} rows[] = { { 1, RESERVATION_REFUSED + 1 },
		     { 2 + 8, 'x' },		/* a hyphen of the id */
		     { 2 + 36, 'x' },		/* its NUL */
		     { report_end - 3, 'x' } }; /* a digit of the report's */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char was = bytes.data[rows[i].at];

		bytes.data[rows[i].at] = rows[i].value;
		assert_int_equal(reservation_decode(bytes.data, bytes.len,
						    arena, &got, &err),
				 STATUS_CORRUPT);
		bytes.data[rows[i].at] = was;
	}
	assert_int_equal(
	    reservation_decode(bytes.data, bytes.len, arena, &got, &err),
	    STATUS_OK);
	buf_fini(&bytes);
}

/* Entries that no program writes are not read, either way. */
static void
entries_that_cannot_be(void **unused)
{
	static const struct {
		struct counter_entry entry;
		enum status note, column;
	} rows[] = {
		{ { .kind = COUNTER_RATE, .window = WINDOW_WEEK },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
		{ { .kind = COUNTER_BUDGET, .window = WINDOW_N },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
		{ { .kind = COUNTER_BUDGET, .unit = COUNTER_CALLS + 1 },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
		{ { .kind = COUNTER_LEASE + 1 },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
		{ { .kind = COUNTER_BUDGET, .from_s = INT64_C(1) << 38 },
		  STATUS_OK,
		  STATUS_OK },
		{ { .kind = COUNTER_BUDGET, .from_s = (INT64_C(1) << 38) + 1 },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
		{ { .kind = COUNTER_BUDGET, .to_s = (INT64_C(1) << 38) + 1 },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
		{ { .kind = COUNTER_BUDGET, .from_s = INT64_MIN },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
		{ { .kind = COUNTER_BUDGET, .to_s = INT64_MIN },
		  STATUS_CORRUPT,
		  STATUS_CORRUPT },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reservation r = { .evaluation_id = ID,
					 .entries = &rows[i].entry,
					 .entries_n = 1 };
		struct buf bytes = { 0 };
		struct counter_entry *parsed;
		struct err err;
		size_t n;

		reservation_encode(&r, &bytes);
		assert_int_equal(
		    reservation_decode(bytes.data, bytes.len, arena, &r, &err),
		    rows[i].note);
		buf_reset(&bytes);
		reservation_charges(&rows[i].entry, 1, &bytes);
		assert_int_equal(reservation_charges_parse(buf_text(&bytes),
							   arena, &parsed, &n,
							   &err),
				 rows[i].column);
		buf_fini(&bytes);
	}
}

static void
charges_come_back(void **unused)
{
	struct buf text = { 0 };
	struct counter_entry *got;
	size_t n;

	(void)unused;
	for (size_t many = 0; many <= 3; many++) {
		buf_reset(&text);
		reservation_charges(entries, many, &text);
		assert_int_equal(reservation_charges_parse(
				     buf_text(&text), arena, &got, &n, NULL),
				 STATUS_OK);
		assert_int_equal(n, many);
		assert_entries(got, n);
	}
	buf_reset(&text);
	reservation_charges(entries, 1, &text);
	assert_string_equal(buf_text(&text),
			    "{3472611983179986487,4051376414998685030,-1,84,"
			    "1795435200,1798027200,187500000}");
	buf_fini(&text);
}

/* The column says what raised an alert, of a budget alone, and what was counted;
 * the note does not. */
static void
flags_are_in_the_column(void **unused)
{
	struct counter_entry with[3], *got;
	struct reservation r = full(), noted;
	struct buf text = { 0 }, plain = { 0 };
	struct err err;
	size_t n;

	(void)unused;
	memcpy(with, entries, sizeof(with));
	with[0].alert = true;
	with[2].counted_epoch = 1234567890123;
	reservation_charges(with, 3, &text);
	assert_non_null(strstr(buf_text(&text), ",-1,596,"));
	assert_int_equal(
	    reservation_charges_parse(buf_text(&text), arena, &got, &n, NULL),
	    STATUS_OK);
	assert_int_equal(n, 3);
	assert_entries(got, n);
	assert_true(got[0].alert);
	assert_false(got[1].alert);
	assert_false(got[2].alert);
	assert_int_equal(got[0].counted_epoch, 0);
	assert_int_equal(got[1].counted_epoch, 0);
	assert_int_equal(got[2].counted_epoch, 1234567890123);
	for (size_t i = 1; i < 3; i++) {
		buf_reset(&text);
		with[i].alert = true;
		reservation_charges(&with[i], 1, &text);
		assert_int_equal(reservation_charges_parse(
				     buf_text(&text), arena, &got, &n, &err),
				 STATUS_CORRUPT);
	}
	buf_reset(&text);
	reservation_encode(&r, &plain);
	r.entries = with;
	reservation_encode(&r, &text);
	assert_int_equal(text.len, plain.len);
	assert_memory_equal(text.data, plain.data, plain.len);
	assert_int_equal(
	    reservation_decode(text.data, text.len, arena, &noted, NULL),
	    STATUS_OK);
	assert_false(noted.entries[0].alert);
	assert_int_equal(noted.entries[2].counted_epoch, 0);
	buf_fini(&plain);
	buf_fini(&text);
}

static void
charges_that_are_none(void **unused)
{
	static const char *const rows[] = {
		"",
		"{",
		"}",
		"{1}",
		"1,1,1,0,1,1,1",
		"{1,1,1,0,1,1,1",
		"{1,1,1,0,1,1}",
		"{1,1,1,0,1,1,1,}",
		"{1,1,1,0,1,1,1}x",
		"{1,1,1,0,1,1,1,1}",
		"{1,1,1,0,1,1, 1}",
		"{+1,1,1,0,1,1,1}",
		"{1,1,1,0,1,1,}",
		"{-,1,1,0,1,1,1}",
		"{1,1,1,-1,1,1,1}",
		"{1,1,1,-512,1,1,1}",
		"{1,1,1,512,1,1,1}",
		"{1,1,1,669,1,1,1}",
		"{1,1,1,1216,1,1,1}",
		"{1,1,1,338,1,1,1}",
		"{1,1,1,0,1,1,NULL}",
		"{1,1,1,0}1,1,1}",
		"{9223372036854775808,1,1,0,1,1,1}",
		"{1;1,1,0,1,1,1}",
	};
	struct counter_entry *got = NULL;
	struct err err;
	size_t n = 77;

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    reservation_charges_parse(rows[i], arena, &got, &n, &err),
		    STATUS_CORRUPT);
		assert_int_equal(n, 77);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(it_comes_back),	       CASE(an_empty_one_comes_back),
		CASE(damage_is_seen),	       CASE(nonsense_is_refused),
		CASE(entries_that_cannot_be),  CASE(charges_come_back),
		CASE(flags_are_in_the_column), CASE(charges_that_are_none),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
