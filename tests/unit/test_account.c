#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "counter/account.h"

#define S INT64_C(1000000)
#define T (INT64_C(1795435200) * S) /* a whole minute, hour and noon */

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

static struct account_entry
rate(enum window_unit window, int64_t at_us, int64_t amount)
{
	return (struct account_entry){ .counter = 1,
				       .kind = COUNTER_RATE,
				       .window = window,
				       .at_us = at_us,
				       .amount = amount };
}

/* A budget of the hour from FROM_S on. */
static struct account_entry
budget(int64_t from_s, int64_t amount)
{
	return (struct account_entry){ .counter = 2,
				       .kind = COUNTER_BUDGET,
				       .window = WINDOW_DAY,
				       .from_s = from_s,
				       .to_s = from_s + 3600,
				       .amount = amount };
}

static struct account_entry
lease(const char *id, int64_t expires_us)
{
	return (struct account_entry){ .counter = 3,
				       .kind = COUNTER_LEASE,
				       .window = WINDOW_OPEN,
				       .lease = account_lease_id(id),
				       .expires_us = expires_us,
				       .amount = 1 };
}

static void
add(struct account *account, struct account_entry entry)
{
	account_add(account, &entry);
}

static int64_t
used(const struct account *account, struct account_entry entry)
{
	return account_used(account, &entry, true);
}

static struct account
account_at(int64_t at_us)
{
	struct account account;

	account_begin(&account, arena);
	account_see(&account, at_us);
	return account;
}

/* Through its bytes and back. */
static struct account
again(const struct account *account)
{
	struct buf bytes = { 0 };
	struct account out;
	struct err err;

	(void)account_encode(account, &bytes);
	assert_int_equal(
	    account_decode(bytes.data, bytes.len, arena, &out, &err),
	    STATUS_OK);
	buf_fini(&bytes);
	return out;
}

static int64_t
kept_until_s(const struct account *account)
{
	struct buf bytes = { 0 };
	int64_t until_s = account_encode(account, &bytes);

	buf_fini(&bytes);
	return until_s;
}

static void
time_never_goes_back(void **unused)
{
	struct account account = account_at(T);

	(void)unused;
	account_see(&account, T - 1);
	assert_int_equal(account.seen_us, T);
	account_see(&account, T + 1);
	assert_int_equal(account.seen_us, T + 1);
	assert_int_equal(again(&account).seen_us, T + 1);
}

/* A clock that was off must not stop an account for good. */
static void
a_time_far_ahead_is_forgotten(void **unused)
{
	struct account account = account_at(T);
	struct account_entry entry = rate(WINDOW_MINUTE, 0, 0);
	const int64_t ahead = T + ACCOUNT_AHEAD_US;

	(void)unused;
	account_see(&account, T);
	add(&account, rate(WINDOW_HOUR, T, 1));
	account_see(&account, ahead);
	add(&account, rate(WINDOW_MINUTE, ahead - S, 2));
	add(&account, rate(WINDOW_MINUTE, ahead, 3));
	add(&account, rate(WINDOW_HOUR, ahead, 4));
	account_sign(&account, 7, 1, true);
	struct account_claim *claim =
	    account_claim(&account, 7, 1, ahead + S, 1);
	claim->entries[0] = rate(WINDOW_MINUTE, ahead, 5);
	account_see(&account, T);
	assert_int_equal(account.seen_us, ahead);
	account_see(&account, T - 1);
	assert_int_equal(account.seen_us, T - 1);
	account = again(&account);
	/* all of it counts, as of then */
	assert_int_equal(account_used(&account, &entry, true), 10);
	assert_int_equal(account_reset_us(&account, &entry), T + 60 * S);
	assert_int_equal(account_used(&account, &entry, false), 10);
	assert_int_equal(used(&account, rate(WINDOW_HOUR, 0, 0)), 5);
	assert_int_equal(account_signed(&account, 7)->seq, 1);
	account_see(&account, T + 60 * S);
	assert_int_equal(account_used(&account, &entry, true), 0);
}

static void
parts_are_a_sixtieth(void **unused)
{
	static const struct {
		enum window_unit window;
		int64_t at_us, index;
	} rows[] = {
		{ WINDOW_MINUTE, 0, 0 },	 { WINDOW_MINUTE, S - 1, 0 },
		{ WINDOW_MINUTE, S, 1 },	 { WINDOW_MINUTE, -1, -1 },
		{ WINDOW_MINUTE, -S, -1 },	 { WINDOW_MINUTE, -S - 1, -2 },
		{ WINDOW_HOUR, 60 * S - 1, 0 },	 { WINDOW_HOUR, 60 * S, 1 },
		{ WINDOW_DAY, 1440 * S - 1, 0 }, { WINDOW_DAY, 1440 * S, 1 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    account_part_index(rows[i].window, rows[i].at_us),
		    rows[i].index);
	}
	assert_int_equal(account_part_us(WINDOW_MINUTE), S);
	assert_int_equal(account_part_us(WINDOW_DAY), 1440 * S);
}

/* What is counted at T counts until the 60 parts after its own are over. */
static void
a_rate_counts_61_parts(void **unused)
{
	static const enum window_unit windows[] = { WINDOW_MINUTE, WINDOW_HOUR,
						    WINDOW_DAY };

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		const int64_t part = account_part_us(windows[i]);
		struct account account = account_at(T + part - 1);

		add(&account, rate(windows[i], T + part - 1, 3));
		add(&account, rate(windows[i], T + part - 1, 4));
		assert_int_equal(used(&account, rate(windows[i], 0, 0)), 7);
		account_see(&account, T + 61 * part - 1);
		account = again(&account);
		assert_int_equal(used(&account, rate(windows[i], 0, 0)), 7);
		struct account_entry entry = rate(windows[i], 0, 0);
		assert_int_equal(account_reset_us(&account, &entry),
				 T + 61 * part);
		account_see(&account, T + 61 * part);
		assert_int_equal(used(&account, rate(windows[i], 0, 0)), 0);
		assert_int_equal(account_reset_us(&account, &entry),
				 T + 61 * part);
		assert_int_equal(again(&account).rates_n, 0);
	}
}

static void
a_rate_has_room_when_enough_has_left(void **unused)
{
	struct account account = account_at(T);
	struct account_entry entry = rate(WINDOW_MINUTE, T, 0);

	(void)unused;
	for (int i = 0; i < 5; i++) {
		account_see(&account, T + i * S);
		add(&account, rate(WINDOW_MINUTE, T + i * S, 10));
	}
	assert_int_equal(account_room_us(&account, &entry, 50), T + 4 * S);
	assert_int_equal(account_room_us(&account, &entry, 49), T + 61 * S);
	assert_int_equal(account_room_us(&account, &entry, 40), T + 61 * S);
	assert_int_equal(account_room_us(&account, &entry, 39), T + 62 * S);
	assert_int_equal(account_room_us(&account, &entry, 0), T + 65 * S);
	assert_int_equal(account_room_us(&account, &entry, -1), INT64_MAX);
}

static void
a_rate_gives_back_from_its_time_on(void **unused)
{
	struct account account = account_at(T + 9 * S);

	(void)unused;
	add(&account, rate(WINDOW_MINUTE, T, 5));
	add(&account, rate(WINDOW_MINUTE, T + 3 * S, 5));
	add(&account, rate(WINDOW_MINUTE, T + 2 * S, 5));
	assert_int_equal(account.rates[0].n, 3);
	assert_int_equal(account.rates[0].parts[1].amount, 5);
	add(&account, rate(WINDOW_MINUTE, T + 2 * S, -7));
	assert_int_equal(account.rates[0].parts[0].amount, 5);
	assert_int_equal(account.rates[0].parts[1].amount, 0);
	assert_int_equal(account.rates[0].parts[2].amount, 3);
	add(&account, rate(WINDOW_MINUTE, T, -100));
	assert_int_equal(used(&account, rate(WINDOW_MINUTE, 0, 0)), 0);
	assert_int_equal(again(&account).rates_n, 0);
	add(&account, rate(WINDOW_HOUR, T, -1));
	add(&account, rate(WINDOW_HOUR, T, 0));
	assert_int_equal(account.rates_n, 1);
	/* too old, and not yet */
	add(&account, rate(WINDOW_MINUTE, T - 52 * S, 1));
	assert_int_equal(used(&account, rate(WINDOW_MINUTE, 0, 0)), 0);
	add(&account, rate(WINDOW_MINUTE, T - 51 * S, 1));
	add(&account, rate(WINDOW_MINUTE, T + 99 * S, 1));
	account = again(&account);
	assert_int_equal(used(&account, rate(WINDOW_MINUTE, 0, 0)), 2);
}

static void
a_budget_is_its_windows(void **unused)
{
	struct account account = account_at(T);

	(void)unused;
	add(&account, budget(T / S, 30));
	add(&account, budget(T / S, 12));
	add(&account, budget(T / S - 3600, 5));
	account = again(&account);
	assert_int_equal(used(&account, budget(T / S, 0)), 42);
	assert_int_equal(used(&account, budget(T / S - 3600, 0)), 5);
	assert_int_equal(used(&account, budget(T / S + 3600, 0)), 0);
	/* what is over for the grace's time is gone and stays so */
	account_see(&account, T + ACCOUNT_GRACE_US - 1);
	assert_int_equal(used(&account, budget(T / S - 3600, 0)), 5);
	assert_int_equal(again(&account).budgets_n, 2);
	account_see(&account, T + ACCOUNT_GRACE_US);
	assert_int_equal(again(&account).budgets_n, 1);
	add(&account, budget(T / S - 7200, 5));
	assert_int_equal(account.budgets_n, 2);
	struct account_entry wrong = budget(T / S, 5);
	wrong.to_s = wrong.from_s - 1;
	wrong.counter = 77;
	add(&account, wrong);
	assert_int_equal(account.budgets_n, 2);
}

static void
a_budget_never_gives_back_more_than_it_has(void **unused)
{
	struct account account = account_at(T);
	struct account_entry entry = budget(T / S, 0);

	(void)unused;
	add(&account, budget(T / S, 30));
	add(&account, budget(T / S, -31));
	assert_int_equal(used(&account, entry), 0);
	add(&account, budget(T / S, 5));
	assert_int_equal(used(&account, entry), 5);
	assert_int_equal(account_reset_us(&account, &entry), T + 3600 * S);
	assert_int_equal(account_room_us(&account, &entry, 4), T + 3600 * S);
	assert_int_equal(account_room_us(&account, &entry, 5), T);
	add(&account, budget(T / S, INT64_MAX));
	assert_int_equal(used(&account, entry), INT64_MAX);
	assert_ptr_equal(account_budget(&account, &entry), account.budgets);
	/* what a claim holds can be given back before it is settled */
	struct account_claim *claim = account_claim(&account, 7, 1, T + S, 1);
	claim->entries[0] = budget(T / S + 3600, 40);
	add(&account, budget(T / S + 3600, -15));
	account = again(&account);
	assert_int_equal(used(&account, budget(T / S + 3600, 0)), 25);
	account_see(&account, T + S);
	account_settle(&account);
	assert_int_equal(used(&account, budget(T / S + 3600, 0)), 25);
}

static void
an_alert_is_raised_once(void **unused)
{
	struct account account = account_at(T);
	struct account_entry entry = budget(T / S, 10);

	(void)unused;
	assert_false(account_alerted(&account, &entry));
	struct account_claim *claim = account_claim(&account, 7, 1, T + S, 1);
	claim->entries[0] = entry;
	assert_false(account_alerted(&account, &entry));
	claim->entries[0].alert = true;
	account = again(&account);
	assert_true(account_alerted(&account, &entry));
	struct account_entry other = budget(T / S + 3600, 10);
	assert_false(account_alerted(&account, &other));
	assert_true(account_withdraw(&account, 7, 1));
	assert_false(account_alerted(&account, &entry));
	entry.alert = true;
	account_add(&account, &entry);
	account = again(&account);
	assert_true(account_alerted(&account, &entry));
	entry.amount = -10;
	account_add(&account, &entry);
	assert_false(account_alerted(&account, &entry));
}

static void
leases_end_or_expire(void **unused)
{
	struct account account = account_at(T);
	struct account_entry entry = lease("", 0), gone = lease("b", 0);

	(void)unused;
	add(&account, lease("a", T + 30 * S));
	add(&account, lease("b", T + 10 * S));
	add(&account, lease("c", T + 20 * S));
	add(&account, lease("c", T + 20 * S)); /* the same call */
	add(&account, lease("d", T));	       /* too late */
	account = again(&account);
	assert_int_equal(used(&account, entry), 3);
	assert_int_equal(account_reset_us(&account, &entry), T + 10 * S);
	assert_int_equal(account_room_us(&account, &entry, 2), T + 10 * S);
	assert_int_equal(account_room_us(&account, &entry, 1), T + 20 * S);
	assert_int_equal(account_room_us(&account, &entry, 0), T + 30 * S);
	gone.amount = -1;
	add(&account, gone);
	add(&account, gone);
	assert_int_equal(used(&account, entry), 2);
	account_see(&account, T + 20 * S - 1);
	assert_int_equal(used(&account, entry), 2);
	account_see(&account, T + 20 * S);
	assert_int_equal(used(&account, entry), 1);
	account_see(&account, T + 30 * S);
	assert_int_equal(account_reset_us(&account, &entry), T + 30 * S);
	assert_int_equal(again(&account).leases_n, 0);
}

static void
claims_count_and_stand_past_their_deadline(void **unused)
{
	struct account account = account_at(T);
	struct account_claim *claim = account_claim(&account, 7, 4, T + S, 3);

	(void)unused;
	claim->entries[0] = rate(WINDOW_MINUTE, T, 1);
	claim->entries[1] = budget(T / S, 40);
	claim->entries[2] = lease("a", T + 9 * S);
	add(&account, budget(T / S, 2));
	account = again(&account);
	const struct account_entry entries[] = { rate(WINDOW_MINUTE, T, 0),
						 budget(T / S, 0),
						 lease("", 0) };
	static const int64_t without[] = { 0, 2, 0 }, with[] = { 1, 42, 1 };
	static const int64_t reset[] = { T + 61 * S, T + 3600 * S, T + 9 * S };

	for (int i = 0; i < 3; i++) {
		assert_int_equal(account_used(&account, &entries[i], false),
				 without[i]);
		assert_int_equal(account_used(&account, &entries[i], true),
				 with[i]);
		assert_int_equal(account_reset_us(&account, &entries[i]),
				 reset[i]);
		assert_int_equal(
		    account_room_us(&account, &entries[i], with[i] - 1),
		    reset[i]);
	}
	account_settle(&account);
	assert_int_equal(account.claims_n, 1);
	account_see(&account, T + S);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(account_used(&account, &entries[i], false),
				 with[i]);
	}
	account_settle(&account);
	account = again(&account);
	assert_int_equal(account.claims_n, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(account_used(&account, &entries[i], false),
				 with[i]);
	}
}

static void
a_claim_is_settled_at_its_own_time(void **unused)
{
	struct account account = account_at(T);

	(void)unused;
	account_claim(&account, 7, 4, T + S, 1)->entries[0] =
	    rate(WINDOW_MINUTE, T, 9);
	account_see(&account, T + 60 * S);
	account_settle(&account);
	assert_int_equal(used(&account, rate(WINDOW_MINUTE, 0, 0)), 9);
	account_see(&account, T + 61 * S);
	assert_int_equal(used(&account, rate(WINDOW_MINUTE, 0, 0)), 0);
	account_claim(&account, 7, 5, T + S, 2)->entries[0] =
	    rate(WINDOW_MINUTE, T, 9);
	account.claims[0].entries[1] = lease("a", T + S);
	assert_int_equal(used(&account, rate(WINDOW_MINUTE, 0, 0)), 0);
	assert_int_equal(used(&account, lease("", 0)), 0);
}

static void
a_lease_ends_in_its_claim(void **unused)
{
	struct account account = account_at(T);
	struct account_entry gone = lease("a", 0);

	(void)unused;
	struct account_claim *claim = account_claim(&account, 7, 4, T + S, 2);
	claim->entries[0] = lease("a", T + 9 * S);
	claim->entries[1] = lease("b", T + 9 * S);
	gone.amount = -1;
	add(&account, gone);
	assert_int_equal(used(&account, lease("", 0)), 1);
	assert_int_equal(account.claims[0].entries[0].lease,
			 account_lease_id("b"));
}

static void
claims_are_withdrawn(void **unused)
{
	struct account account = account_at(T);

	(void)unused;
	for (uint64_t i = 1; i <= 3; i++) {
		account_claim(&account, i, 10, T + S, 1)->entries[0] =
		    budget(T / S, 10);
	}
	add(&account, budget(T / S, 5));
	assert_false(account_withdraw(&account, 9, 1));
	assert_false(account_withdraw(&account, 2, 11));
	assert_true(account_withdraw(&account, 2, 10));
	assert_int_equal(used(&account, budget(T / S, 0)), 25);
	assert_false(account_withdraw(&account, 2, 10));
	assert_true(account_withdraw(&account, 3, 1));
	assert_int_equal(account.claims_n, 1);
	/* what was given back of it before is not given back twice */
	add(&account, budget(T / S, -15));
	assert_int_equal(used(&account, budget(T / S, 0)), 0);
	assert_true(account_withdraw(&account, 1, 1));
	assert_int_equal(account.budgets[0].used, 0);
}

static void
known_claims_stand_at_once(void **unused)
{
	struct account account = account_at(T);

	(void)unused;
	account_claim(&account, 1, 1, T + S, 1)->entries[0] = budget(T / S, 10);
	account_claim(&account, 2, 1, T + S, 1)->entries[0] = budget(T / S, 20);
	struct account_entry entry = budget(T / S, 0);
	account.claims[1].stands = true;
	assert_int_equal(account_used(&account, &entry, false), 20);
	account_settle(&account);
	assert_int_equal(account.claims_n, 1);
	assert_int_equal(account.claims[0].writer, 1);
	assert_int_equal(account.budgets[0].used, 20);
}

static void
writers_are_remembered(void **unused)
{
	struct account account = account_at(T);

	(void)unused;
	account_sign(&account, 1, 5, true);
	account_sign(&account, 2, 6, false);
	account_sign(&account, 1, 7, false);
	account_sign(&account, 3, 8, true);
	account_claim(&account, 3, 8, T + 99 * S, 0);
	account = again(&account);
	assert_int_equal(account.writers_n, 3);
	assert_int_equal(account_signed(&account, 1)->seq, 7);
	assert_false(account_signed(&account, 1)->counted);
	assert_true(account_signed(&account, 3)->counted);
	assert_null(account_signed(&account, 4));
	/* however often it is written */
	for (int i = 0; i < 1000; i++) {
		account_see(&account, T + i * 9999 + 1);
		account = again(&account);
	}
	account_see(&account, T + ACCOUNT_SIGNED_US);
	account = again(&account);
	assert_int_equal(account.writers_n, 3);
	/* but who has a claim, as long as it is there */
	account_see(&account, T + ACCOUNT_SIGNED_US + 1000);
	account = again(&account);
	assert_int_equal(account.writers_n, 1);
	assert_int_equal(account_signed(&account, 3)->seq, 8);
}

static void
it_is_kept_as_long_as_it_counts(void **unused)
{
	struct account account = account_at(T);
	const int64_t s = T / S + 1 + ACCOUNT_MARGIN_S;

	(void)unused;
	assert_int_equal(kept_until_s(&account), s);
	account_sign(&account, 1, 1, true);
	assert_int_equal(kept_until_s(&account), s + 10);
	add(&account, rate(WINDOW_MINUTE, T, 1));
	assert_int_equal(kept_until_s(&account), s + 61);
	add(&account, lease("a", T + 70 * S));
	assert_int_equal(kept_until_s(&account), s + 70);
	add(&account, budget(T / S, 1));
	assert_int_equal(kept_until_s(&account), s + 3605);
	add(&account, rate(WINDOW_DAY, T, 1));
	assert_int_equal(kept_until_s(&account), s + 86400 + 1440);
	struct account_claim *claim =
	    account_claim(&account, 1, 1, T + 100000 * S, 0);
	assert_int_equal(kept_until_s(&account), s + 100000);
	claim->deadline_us = T;
	static const struct {
		int64_t more_s;
		struct account_entry entry;
	} rows[] = {
		{ 61, { .kind = COUNTER_RATE, .at_us = T } },
		{ 205,
		  { .kind = COUNTER_BUDGET,
		    .from_s = T / S,
		    .to_s = T / S + 200 } },
		{ 30, { .kind = COUNTER_LEASE, .expires_us = T + 30 * S } },
	};
	for (size_t i = 0; i < 3; i++) {
		account = account_at(T);
		account_claim(&account, 1, 1, T, 1)->entries[0] = rows[i].entry;
		assert_int_equal(kept_until_s(&account), s + rows[i].more_s);
	}
}

/* An account of everything. */
static void
write_full(struct buf *out)
{
	struct account account = account_at(T + 5 * S);

	account_sign(&account, UINT64_MAX, UINT64_MAX, true);
	account_sign(&account, 1, 1, false);
	add(&account, rate(WINDOW_MINUTE, T, INT64_MAX));
	add(&account, rate(WINDOW_MINUTE, T + 5 * S, 2));
	add(&account, rate(WINDOW_DAY, T, 3));
	add(&account, budget(T / S, 1 << 30));
	add(&account, lease("a", T + 70 * S));
	add(&account, lease("b", T + 60 * S));
	struct account_claim *claim =
	    account_claim(&account, 1, 1, T + 6 * S, 3);
	claim->entries[0] = rate(WINDOW_HOUR, T, 1);
	claim->entries[1] = budget(T / S, 1);
	claim->entries[2] = lease("c", T + 80 * S);
	(void)account_encode(&account, out);
}

static void
every_damage_is_seen(void **unused)
{
	struct buf bytes = { 0 }, same = { 0 };
	struct account account;
	struct err err;

	(void)unused;
	write_full(&bytes);
	assert_int_equal(
	    account_decode(bytes.data, bytes.len, arena, &account, &err),
	    STATUS_OK);
	(void)account_encode(&account, &same);
	assert_int_equal(same.len, bytes.len);
	assert_memory_equal(same.data, bytes.data, bytes.len);
	for (size_t n = 0; n < bytes.len; n++) {
		assert_int_equal(
		    account_decode(bytes.data, n, arena, &account, &err),
		    STATUS_CORRUPT);
	}
	for (size_t i = 0; i < bytes.len * 8; i++) {
		bytes.data[i / 8] ^= (char)(1 << i % 8);
		assert_int_equal(account_decode(bytes.data, bytes.len, arena,
						&account, &err),
				 i < 8 ? STATUS_CONFLICT : STATUS_CORRUPT);
		bytes.data[i / 8] ^= (char)(1 << i % 8);
	}
	buf_fini(&bytes);
	buf_fini(&same);
}

/* What nobody writes, with a checksum that is right, is refused as well. */
static void
nonsense_is_refused(void **unused)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
#define ROW(text) { text, sizeof(text) - 1 }
		ROW("\0\0\0\0\0"),     /* a list is missing */
		ROW("\0\0\0\0\0\0\0"), /* a byte too many */
		ROW("\0\xff\0\0\0\0"), /* 127 writers and more */
		ROW("\0\x7f\0\0\0\0"), /* 127 writers */
		ROW("\0\0\1"
		    "12345678\3\1\1\1\0\0\0"), /* a rate of weeks */
		ROW("\0\0\1"
		    "12345678\0\1\0\1\0\0\0"), /* a part at no step */
		ROW("\0\0\1"
		    "12345678\0\1\1\0\0\0\0"), /* an amount of 0 */
		ROW("\0\0\1"
		    "12345678\0\1\76\1\0\0\0"), /* a part to come */
		ROW("\0\0\1"
		    "12345678\0\76\0\0\0"), /* 62 parts */
		ROW("\0\0\1"
		    "12345678\0\1\1\xff\xff\xff\xff\xff\xff\xff\xff"
		    "\xff\1\0\0\0"), /* an amount below 0 */
		ROW("\0\0\1"
		    "12345678\0\1\1\xff\xff\xff\xff\xff\xff\xff\xff"
		    "\xff\2\0\0\0"), /* of 65 bits */
		ROW("\0\0\0\0\0\1"
		    "12345678\0\0\1\x60"
		    "12345678\0"),
		ROW("\0\0\0\0\0\1"
		    "12345678\0\0\1\x0c"
		    "12345678\0\0"),
		ROW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0\0"),
#undef ROW
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char bytes[64] = { 1 };
		struct account account;
		struct err err;
		uint32_t sum = UINT32_C(2166136261);

		for (size_t k = 0; k < rows[i].n; k++) {
			sum = (sum ^ (unsigned char)rows[i].bytes[k]) *
			      UINT32_C(16777619);
		}
		for (int k = 0; k < 4; k++) {
			bytes[1 + k] = (unsigned char)(sum >> (8 * k));
		}
		memcpy(bytes + 5, rows[i].bytes, rows[i].n);
		assert_int_equal(
		    account_decode(bytes, 5 + rows[i].n, arena, &account, &err),
		    STATUS_CORRUPT);
		assert_string_equal(err.text, "an account makes no sense");
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(time_never_goes_back),
		CASE(a_time_far_ahead_is_forgotten),
		CASE(parts_are_a_sixtieth),
		CASE(a_rate_counts_61_parts),
		CASE(a_rate_has_room_when_enough_has_left),
		CASE(a_rate_gives_back_from_its_time_on),
		CASE(a_budget_is_its_windows),
		CASE(a_budget_never_gives_back_more_than_it_has),
		CASE(an_alert_is_raised_once),
		CASE(leases_end_or_expire),
		CASE(claims_count_and_stand_past_their_deadline),
		CASE(a_claim_is_settled_at_its_own_time),
		CASE(a_lease_ends_in_its_claim),
		CASE(claims_are_withdrawn),
		CASE(known_claims_stand_at_once),
		CASE(writers_are_remembered),
		CASE(it_is_kept_as_long_as_it_counts),
		CASE(every_damage_is_seen),
		CASE(nonsense_is_refused),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
