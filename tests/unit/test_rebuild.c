/*
 * rebuild: accounts that are made anew from the ledger hold what they held, and
 * say of the same windows that their alert was raised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "counter/account.h"
#include "counter/rebuild.h"
#include "counter/reservation.h"
#include "counter/worker.h"
#include "counter_fixture.h"

#define S INT64_C(1000000)

enum {
	SEEDS = 20,
	STEPS = 400,
	EVERY = 40, /* a rebuild */
	SUBJECTS = 3,
	LEDGER_MAX = STEPS * 4,
	LIMIT = 1000,
	ALERT_AT = 600
};

static const char *const subjects[] = { "ann", "bob", "cat" };
static const enum constraint_key keys[] = { CONSTRAINT_max_weekly_cost,
					    CONSTRAINT_max_monthly_cost };
enum { KEYS = 2 };

static struct counting on;
static struct counter_worker *worker;
static uint64_t random_state, epoch;
static int64_t now_us;
static struct counter_entry ledger[LEDGER_MAX];
static size_t ledger_n;
static int alerts_kept;

static unsigned
roll(unsigned sides)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1;
	return (unsigned)(random_state >> 33) % sides;
}

static struct counter_store *
begun_store(void)
{
	struct counter_store *store = counter_memory_store(on.memory);

	store->epoch = ++epoch;
	assert_int_equal(store->type->begin(store, epoch, NULL), STATUS_OK);
	return store;
}

static int
begin(void **unused)
{
	(void)unused;
	counting_begin(&on, NULL);
	epoch = 0;
	worker = counter_worker_on(on.counter, begun_store());
	now_us = FIXTURE_NOW_US;
	ledger_n = 0;
	alerts_kept = 0;
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	counting_end(&on, worker);
	return 0;
}

/* ---- the ledger */

/* ENTRIES by way of the column. */
static void
write_ledger(const struct counter_entry *entries, size_t n)
{
	struct buf text = { 0 };
	struct counter_entry *read;
	size_t read_n;

	reservation_charges(entries, n, &text);
	assert_int_equal(reservation_charges_parse(buf_text(&text), on.arena,
						   &read, &read_n, NULL),
			 STATUS_OK);
	buf_fini(&text);
	for (size_t i = 0; i < read_n; i++) {
		assert_true(ledger_n < LEDGER_MAX);
		alerts_kept += read[i].alert;
		ledger[ledger_n++] = read[i];
	}
}

static bool
same_counter(const struct counter_entry *a, const struct counter_entry *b)
{
	return memcmp(&a->subject, &b->subject, sizeof(a->subject)) == 0 &&
	       a->counter == b->counter && a->from_s == b->from_s;
}

static int
by_subject(const void *a, const void *b)
{
	const struct counter_entry *x = a, *y = b;

	return memcmp(&x->subject, &y->subject, sizeof(x->subject));
}

/* As usage_counters: a row for each budget whose window is not over. */
static size_t
counters_of(struct counter_entry *out)
{
	size_t n = 0;

	for (size_t i = 0; i < ledger_n; i++) {
		size_t at = 0;

		if (ledger[i].to_s <= now_us / S) {
			continue;
		}
		while (at < n && !same_counter(&out[at], &ledger[i])) {
			at++;
		}
		if (at == n) {
			out[n++] = ledger[i];
		} else {
			out[at].amount += ledger[i].amount;
			out[at].alert |= ledger[i].alert;
		}
	}
	qsort(out, n, sizeof(out[0]), by_subject);
	return n;
}

static void
rebuild_into(struct counter_store *store)
{
	static struct counter_entry rows[LEDGER_MAX];
	struct counter_rebuild *rebuild = counter_rebuild_new(store, now_us);
	size_t n = counters_of(rows), accounts = 0, wanted = 0;

	for (size_t i = 0; i < n; i++) {
		const struct account_entry entry = {
			.counter = rows[i].counter,
			.kind = rows[i].kind,
			.window = rows[i].window,
			.from_s = rows[i].from_s,
			.to_s = rows[i].to_s,
			.amount = rows[i].amount,
			.alert = rows[i].alert,
		};

		wanted += i == 0 || by_subject(&rows[i - 1], &rows[i]) != 0;
		assert_true(
		    counter_rebuild_add(rebuild, &rows[i].subject, &entry));
	}
	assert_true(counter_rebuild_end(rebuild, &accounts));
	assert_int_equal(accounts, wanted);
	counter_rebuild_free(rebuild);
}

/* ---- the same in both */

struct said {
	int64_t used;
	bool alerted;
};

static struct said
said_by(struct counter_store *store, const char *subject,
	enum constraint_key key)
{
	const struct window window = fixture_day(now_us);
	const struct counter_subject who = counter_subject(SCOPE_USER, subject);
	const struct account_entry entry = {
		.counter = 1000 + (uint64_t)key,
		.kind = COUNTER_BUDGET,
		.window = counter_row(key)->window,
		.from_s = window.from_us / S,
		.to_s = window.to_us / S,
	};
	struct counter_item item = { .next = NULL };
	struct account account;

	counter_subject_key(&who, item.key);
	store->type->read(store, on.arena, &item, 1);
	assert_int_not_equal(item.state, ITEM_UNKNOWN);
	account_begin(&account, on.arena);
	if (item.state == ITEM_FOUND) {
		assert_int_equal(account_decode(item.value, item.value_n,
						on.arena, &account, NULL),
				 STATUS_OK);
	}
	account_see(&account, now_us);
	return (struct said){ account_used(&account, &entry, true),
			      account_alerted(&account, &entry) };
}

/* Count in a new epoch from now on. */
static void
recount(void)
{
	struct said was[SUBJECTS][KEYS];

	for (size_t i = 0; i < SUBJECTS; i++) {
		for (size_t k = 0; k < KEYS; k++) {
			was[i][k] =
			    said_by(worker->given, subjects[i], keys[k]);
		}
	}
	struct counter_store *store = begun_store();
	rebuild_into(store);
	for (size_t i = 0; i < SUBJECTS; i++) {
		for (size_t k = 0; k < KEYS; k++) {
			struct said is = said_by(store, subjects[i], keys[k]);

			assert_int_equal(is.used, was[i][k].used);
			assert_int_equal(is.alerted, was[i][k].alerted);
		}
	}
	counter_worker_free(worker);
	worker = counter_worker_on(on.counter, store);
	arena_reset(on.arena);
}

/* ---- calls */

enum fate { KEPT, REFUSED_AFTERWARDS, OTHER_EPOCH, FATES };

static void
one_call(void)
{
	struct charging c = { .n = 0 };
	const struct counter_call call = {
		.evaluation_id = "01a20846-fe00-710a-bf3e-cc9cabefba7a",
		.now_us = now_us,
		.expires_us = now_us + 900 * S,
	};
	struct counter_entry entries[KEYS];
	enum fate fate = roll(5) < 3 ? KEPT : (enum fate)(1 + roll(FATES - 1));
	const char *subject = subjects[roll(SUBJECTS)];

	for (size_t k = 0; k < KEYS; k++) {
		struct charge *charge =
		    charging_add(&c, keys[k], SCOPE_USER, subject, LIMIT,
				 (int64_t)roll(150));

		charge->alert_at = ALERT_AT;
		charge->window = fixture_day(now_us);
	}
	if (!counter_take(worker, &call, c.items, c.n, c.out)) {
		return;
	}
	if (fate == REFUSED_AFTERWARDS) {
		counter_undo(worker, now_us);
		return;
	}
	size_t n = counter_entries(&call, c.items, c.out, c.n, entries);
	assert_int_equal(n, KEYS);
	if (fate == OTHER_EPOCH) {
		/* what was taken is lost; it is counted from the ledger */
		counter_undo(worker, now_us);
		assert_true(counter_adjust(worker, now_us, call.evaluation_id,
					   entries, n));
	}
	counter_done(worker);
	write_ledger(entries, n);
	if (roll(2) == 0) {
		/* settled for less */
		for (size_t i = 0; i < n; i++) {
			entries[i].alert = false;
			entries[i].amount = -(entries[i].amount / 2);
		}
		assert_true(counter_adjust(worker, now_us, call.evaluation_id,
					   entries, n));
		counter_done(worker);
		write_ledger(entries, n);
	}
}

static void
accounts_say_the_same_after_a_rebuild(void **unused)
{
	int alerts = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		random_state = seed;
		begin(unused);
		for (int i = 1; i <= STEPS; i++) {
			now_us += (int64_t)roll(1800) * S;
			one_call();
			if (i % EVERY == 0) {
				recount();
			}
		}
		alerts += alerts_kept;
		/* once a counter and window, of which there were a few days */
		for (size_t i = 0; i < ledger_n; i++) {
			for (size_t k = 0; k < i && ledger[i].alert; k++) {
				assert_false(
				    ledger[k].alert &&
				    same_counter(&ledger[k], &ledger[i]));
			}
		}
		end(unused);
	}
	/* it was about something */
	assert_true(alerts > SEEDS * SUBJECTS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_say_the_same_after_a_rebuild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
