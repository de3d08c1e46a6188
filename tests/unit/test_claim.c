#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "counter/claim.h"
#include "counter_fixture.h"

#define S INT64_C(1000000)
#define T FIXTURE_NOW_US
#define ID "01a20846-fe00-710a-bf3e-cc9cabefba7a"

enum {
	LIMITS = CHARGE_LIMITS,
	PASSES = CHARGE_PASSES,
	FOLLOWS = CHARGE_FOLLOWS
};
enum { FITS = CHARGE_FITS, OVER = CHARGE_OVER, UNKNOWN = CHARGE_UNKNOWN };

static struct arena *arena;
static struct account account;
static struct charging c;
static size_t which[FIXTURE_CHARGES];
static bool contended[FIXTURE_CHARGES];
static const struct counter_call call = { .evaluation_id = ID,
					  .now_us = T,
					  .expires_us = T + 900 * S };

static int
begin(void **unused)
{
	(void)unused;
	arena = arena_new(4096);
	account_begin(&account, arena);
	account_see(&account, T);
	memset(&c, 0, sizeof(c));
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	arena_free(arena);
	return 0;
}

static struct claim
claim_of(void)
{
	for (size_t i = 0; i < c.n; i++) {
		which[i] = i;
	}
	return (struct claim){ .call = &call,
			       .charges = c.items,
			       .which = which,
			       .n = c.n,
			       .out = c.out,
			       .contended = contended };
}

static enum claim_verdict
judge(void)
{
	struct claim claim = claim_of();

	return claim_judge(&claim, &account);
}

static struct charge *
charge(enum constraint_key key, int64_t limit, int64_t amount)
{
	return charging_add(&c, key, SCOPE_USER, "ann", limit, amount);
}

/* Let somebody else have counted AMOUNT in charge I, by a claim or not. */
static void
count(size_t i, int64_t amount, bool open)
{
	const struct charge *ch = &c.items[i];
	struct account_entry entry = {
		.counter = ch->constraint->counter,
		.kind = ch->row->kind,
		.window = ch->row->window,
		.from_s = ch->window.from_us / S,
		.to_s = ch->window.to_us / S,
		.at_us = T,
		.lease = (uint64_t)amount,
		.expires_us = T + 60 * S,
		.amount = amount,
	};

	if (open) {
		account_claim(&account, 99, 1, T + S, 1)->entries[0] = entry;
	} else {
		account_add(&account, &entry);
	}
}

/* One budget: what was counted before, by whom, and what comes of a charge. */
static void
a_charge_by_its_mode(void **state)
{
	static const struct {
		int mode;
		bool must_count;
		int64_t used, open, amount, limit;
		int verdict, result;
		bool taken;
		int64_t remaining;
	} rows[] = {
		{ LIMITS, 0, 0, 0, 10, 10, CLAIM_TAKES, FITS, 1, 0 },
		{ LIMITS, 0, 0, 0, 11, 10, CLAIM_REFUSED, OVER, 0, 10 },
		{ LIMITS, 0, 7, 0, 3, 10, CLAIM_TAKES, FITS, 1, 0 },
		{ LIMITS, 0, 7, 0, 4, 10, CLAIM_REFUSED, OVER, 0, 3 },
		{ LIMITS, 0, 7, 0, 0, 6, CLAIM_REFUSED, OVER, 0, 0 },
		{ LIMITS, 0, 6, 0, 0, 6, CLAIM_TAKES, FITS, 1, 0 },
		{ LIMITS, 0, 0, 0, 0, 0, CLAIM_TAKES, FITS, 1, 0 },
		{ LIMITS, 0, 5, 2, 3, 10, CLAIM_TAKES, FITS, 1, 0 },
		{ LIMITS, 0, 5, 2, 4, 10, CLAIM_CONTENDED, FITS, 0, 3 },
		{ LIMITS, 0, 7, 2, 4, 10, CLAIM_REFUSED, OVER, 0, 1 },
		{ LIMITS, 0, 7, 2, INT64_MAX, 10, CLAIM_REFUSED, OVER, 0, 1 },
		{ PASSES, 0, 7, 0, 4, 10, CLAIM_TAKES, OVER, 1, 0 },
		{ PASSES, 0, 7, 0, 3, 10, CLAIM_TAKES, FITS, 1, 0 },
		{ PASSES, 0, 5, 2, 4, 10, CLAIM_CONTENDED, FITS, 0, 0 },
		{ PASSES, 1, 7, 0, 4, 10, CLAIM_TAKES, OVER, 1, 0 },
		{ FOLLOWS, 0, 7, 0, 3, 10, CLAIM_TAKES, FITS, 1, 0 },
		{ FOLLOWS, 0, 7, 0, 4, 10, CLAIM_TAKES, OVER, 0, 3 },
		{ FOLLOWS, 0, 5, 2, 4, 10, CLAIM_CONTENDED, FITS, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(state);
		struct charge *ch = charge(CONSTRAINT_max_daily_cost,
					   rows[i].limit, rows[i].amount);
		ch->mode = (enum charge_mode)rows[i].mode;
		ch->must_count = rows[i].must_count;
		if (rows[i].used > 0) {
			count(0, rows[i].used, false);
		}
		if (rows[i].open > 0) {
			count(0, rows[i].open, true);
		}
		assert_int_equal(judge(), rows[i].verdict);
		assert_int_equal(c.out[0].result, rows[i].result);
		assert_int_equal(contended[0],
				 rows[i].verdict == CLAIM_CONTENDED);
		assert_int_equal(c.out[0].used, rows[i].used + rows[i].open);
		if (rows[i].verdict == CLAIM_TAKES) {
			assert_int_equal(c.out[0].taken, rows[i].taken);
		} else {
			claim_refused(&c.items[0], T, &c.out[0]);
			assert_false(c.out[0].taken);
		}
		if (rows[i].verdict != CLAIM_CONTENDED) {
			assert_int_equal(c.out[0].remaining, rows[i].remaining);
		}
		end(state);
	}
}

/* When the first of it comes back, and when the call would fit. */
static void
it_says_when(void **unused)
{
	const int64_t tomorrow = fixture_day(T).to_us;

	(void)unused;
	charge(CONSTRAINT_max_requests_per_minute, 2, 1);
	charge(CONSTRAINT_max_parallel_requests, 1, 1);
	charge(CONSTRAINT_max_daily_cost, 10, 10);
	assert_int_equal(judge(), CLAIM_TAKES);
	const int64_t after[] = { T + 61 * S, T + 900 * S, tomorrow };
	for (int i = 0; i < 3; i++) {
		assert_int_equal(c.out[i].reset_us, after[i]);
		claim_refused(&c.items[i], T, &c.out[i]);
		assert_int_equal(c.out[i].reset_us, T);
	}
	for (size_t i = 0; i < 3; i++) {
		count(i, 2, false);
	}
	account_see(&account, T + 5 * S);
	c.items[2].amount = 0;
	assert_int_equal(judge(), CLAIM_REFUSED);
	const int64_t reset[] = { T + 61 * S, T + 60 * S, tomorrow };
	const int64_t retry[] = { T + 61 * S, T + 60 * S, T + 5 * S };
	for (int i = 0; i < 3; i++) {
		assert_int_equal(c.out[i].reset_us, reset[i]);
		assert_int_equal(c.out[i].retry_us, retry[i]);
	}
	c.items[0].amount = 3;
	c.items[2].amount = 9;
	assert_int_equal(judge(), CLAIM_REFUSED);
	assert_int_equal(c.out[0].retry_us, INT64_MAX);
	assert_int_equal(c.out[2].retry_us, tomorrow);
	/* nothing is counted by nothing */
	c.n = 1;
	c.items[0].amount = 0;
	c.items[0].constraint = &c.constraints[3];
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_int_equal(c.out[0].reset_us, T + 5 * S);
}

static void
a_shadow_takes_all_of_its_policy_or_none(void **unused)
{
	(void)unused;
	charge(CONSTRAINT_max_requests_per_minute, 5, 1)->mode = CHARGE_FOLLOWS;
	charge(CONSTRAINT_max_daily_cost, 5, 6)->mode = CHARGE_FOLLOWS;
	charge(CONSTRAINT_max_weekly_cost, 50, 6)->mode = CHARGE_FOLLOWS;
	charge(CONSTRAINT_max_monthly_cost, 50, 6);
	c.items[1].policy = c.items[0].policy;
	c.items[3].policy = c.items[0].policy;
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_int_equal(c.out[0].result, CHARGE_FITS);
	assert_false(c.out[0].taken);
	assert_int_equal(c.out[0].remaining, 5);
	assert_int_equal(c.out[1].result, CHARGE_OVER);
	assert_false(c.out[1].taken);
	assert_true(c.out[2].taken);
	assert_true(c.out[3].taken);
	c.items[1].limit = 6;
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_true(c.out[0].taken);
	assert_true(c.out[1].taken);
}

static void
an_alert_is_raised_by_who_brings_it_there(void **unused)
{
	(void)unused;
	struct charge *ch = charge(CONSTRAINT_max_daily_cost, 100, 10);
	struct claim claim = claim_of();

	ch->alert_at = 25;
	claim.n = 1;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(judge(), CLAIM_TAKES);
		assert_int_equal(c.out[0].alert, i == 2);
		claim_count(&claim, &account);
	}
	/* the next window raises its own */
	c.items[0].window.from_us += 86400 * S;
	c.items[0].window.to_us += 86400 * S;
	c.items[0].amount = 25;
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_true(c.out[0].alert);
	claim_refused(&c.items[0], T, &c.out[0]);
	assert_false(c.out[0].alert);
	/* a claim raises it as well; who takes nothing does not */
	assert_int_equal(judge(), CLAIM_TAKES);
	claim_open(&claim, &account, 1, 1, T + S);
	assert_true(account.claims[0].entries[0].alert);
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_false(c.out[0].alert);
	c.items[0].limit = 1;
	assert_int_equal(judge(), CLAIM_REFUSED);
	assert_false(c.out[0].alert);
}

/* An alert needs no call to cross it: what a report added may have. */
static void
an_alert_is_raised_late_rather_than_never(void **unused)
{
	(void)unused;
	charge(CONSTRAINT_max_daily_cost, 100, 1)->alert_at = 25;
	count(0, 60, false);
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_true(c.out[0].alert);
}

static void
what_is_taken_is_counted(void **unused)
{
	(void)unused;
	charge(CONSTRAINT_max_requests_per_minute, 5, 1);
	charge(CONSTRAINT_max_daily_cost, 1, 2)->mode = CHARGE_FOLLOWS;
	charge(CONSTRAINT_max_weekly_cost, 9, 3);
	charge(CONSTRAINT_max_parallel_requests, 5, 1);
	struct claim claim = claim_of();
	const int64_t used[] = { 1, 0, 3, 1 };

	assert_int_equal(judge(), CLAIM_TAKES);
	assert_true(claim_takes(&claim));
	claim_open(&claim, &account, 5, 6, T + S);
	assert_int_equal(account.claims[0].n, 3);
	assert_int_equal(judge(), CLAIM_TAKES);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(c.out[i].used, used[i]);
	}
	assert_true(account_withdraw(&account, 5, 6));
	claim_count(&claim, &account);
	assert_int_equal(judge(), CLAIM_TAKES);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(c.out[i].used, used[i]);
	}
	/* the same call has one lease */
	claim_count(&claim, &account);
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_int_equal(c.out[2].used, 6);
	assert_int_equal(c.out[3].used, 1);
	c.n = 2;
	c.items[0].mode = CHARGE_FOLLOWS;
	c.items[0].limit = 0;
	claim = claim_of();
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_false(claim_takes(&claim));
}

static void
an_unknown_account(void **unused)
{
	(void)unused;
	charge(CONSTRAINT_max_requests_per_minute, 5, 1);
	charge(CONSTRAINT_max_weekly_cost, 5, 3)->mode = CHARGE_PASSES;
	struct claim claim = claim_of();

	c.out[0].taken = true;
	assert_int_equal(claim_unknown(&claim), CLAIM_TAKES);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(c.out[i].result, CHARGE_UNKNOWN);
		assert_false(c.out[i].taken);
		claim_refused(&c.items[i], T, &c.out[i]);
		assert_int_equal(c.out[i].remaining, 0);
	}
	c.items[1].must_count = true;
	assert_int_equal(claim_unknown(&claim), CLAIM_REFUSED);
}

/* A window that ended before the account forgets it is not known to be
 * empty. */
static void
a_window_long_over_is_unknown(void **unused)
{
	(void)unused;
	charge(CONSTRAINT_max_daily_cost, 10, 1);
	account_see(&account, c.items[0].window.to_us + ACCOUNT_GRACE_US - 1);
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_int_equal(c.out[0].result, CHARGE_FITS);
	account_see(&account, c.items[0].window.to_us + ACCOUNT_GRACE_US);
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_int_equal(c.out[0].result, CHARGE_UNKNOWN);
	c.items[0].mode = CHARGE_PASSES;
	assert_int_equal(judge(), CLAIM_TAKES);
	assert_false(c.out[0].taken);
	c.items[0].must_count = true;
	assert_int_equal(judge(), CLAIM_REFUSED);
}

static void
who_has_waited_enough(void **unused)
{
	(void)unused;
	charge(CONSTRAINT_max_requests_per_minute, 5, 1)->mode = CHARGE_FOLLOWS;
	charge(CONSTRAINT_max_daily_cost, 10, 6)->mode = CHARGE_FOLLOWS;
	charge(CONSTRAINT_max_weekly_cost, 10, 6);
	c.items[1].policy = c.items[0].policy;
	count(1, 5, true);
	struct claim claim = claim_of();
	assert_int_equal(judge(), CLAIM_CONTENDED);
	assert_true(c.out[0].taken);
	assert_int_equal(claim_give_up(&claim), CLAIM_TAKES);
	assert_int_equal(c.out[1].result, CHARGE_UNKNOWN);
	/* and so the rest of its policy is not taken either */
	assert_false(c.out[0].taken);
	assert_int_equal(c.out[0].result, CHARGE_FITS);
	assert_true(c.out[2].taken);
	c.items[1].must_count = true;
	assert_int_equal(judge(), CLAIM_CONTENDED);
	assert_int_equal(claim_give_up(&claim), CLAIM_REFUSED);
	/* who is over in any case is refused without waiting */
	c.items[2].limit = 1;
	assert_int_equal(judge(), CLAIM_REFUSED);
}

static void
a_call_that_fills(void **unused)
{
	static const struct {
		int mode;
		int64_t limit;
		bool fills;
	} rows[] = {
		{ LIMITS, 11, true },  { LIMITS, 12, false },
		{ LIMITS, 6, true },   { LIMITS, 5, false },
		{ PASSES, 11, false },
	};

	(void)unused;
	charge(CONSTRAINT_max_daily_cost, 10, 6);
	struct claim claim = claim_of();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c.items[0].mode = (enum charge_mode)rows[i].mode;
		c.items[0].limit = rows[i].limit;
		(void)judge();
		assert_int_equal(claim_fills(&claim), rows[i].fills);
	}
}

static void
entries_of_the_ledger(void **unused)
{
	struct counter_entry entry = { .counter = 5,
				       .kind = COUNTER_RATE,
				       .window = WINDOW_HOUR,
				       .from_s = 100,
				       .to_s = 200,
				       .amount = -7 };
	struct account_entry out = claim_entry(&entry, ID);

	(void)unused;
	assert_int_equal(out.counter, 5);
	assert_int_equal(out.window, WINDOW_HOUR);
	assert_int_equal(out.amount, -7);
	assert_int_equal(out.at_us, 100 * S);
	entry.kind = COUNTER_BUDGET;
	out = claim_entry(&entry, ID);
	assert_int_equal(out.from_s, 100);
	assert_int_equal(out.to_s, 200);
	entry.kind = COUNTER_LEASE;
	out = claim_entry(&entry, ID);
	assert_int_equal(out.expires_us, 200 * S);
	assert_int_equal(out.lease, account_lease_id(ID));
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_charge_by_its_mode),
		CASE(it_says_when),
		CASE(a_shadow_takes_all_of_its_policy_or_none),
		CASE(an_alert_is_raised_by_who_brings_it_there),
		CASE(an_alert_is_raised_late_rather_than_never),
		CASE(what_is_taken_is_counted),
		CASE(an_unknown_account),
		CASE(a_window_long_over_is_unknown),
		CASE(who_has_waited_enough),
		CASE(a_call_that_fills),
		CASE(entries_of_the_ledger),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
