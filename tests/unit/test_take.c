/* What one call does where the store does not do what was asked of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/metric.h"
#include "counter/account.h"
#include "counter/worker.h"
#include "counter_fixture.h"

#define S INT64_C(1000000)
#define T FIXTURE_NOW_US
#define ID "01a20846-fe00-710a-bf3e-cc9cabefba7a"

/*
 * A store that does what a script says, a letter for each item that is swapped
 * (or, where it is atomic, for each swap) and for each that is read:
 *	.  what it should
 *	?  read: unknown.  swap: unsure, and it did not happen
 *	!  swap: unsure, and it did
 *	>  swap: unsure, and it happens after the next read
 *	f  swap: failed
 *	m  swap: somebody else was faster
 *	c  swap: somebody else was faster, and has an open claim there of 950
 *	x  read: not what an account is
 * Behind its end all is as it should be.
 */
struct odd {
	struct counter_store store;
	struct counter_store *inner;
	const char *reads, *swaps;
	struct counter_item late[8];
	size_t late_n;
};

static struct odd *odd; /* the worker's; freed with it */
static struct counting on;
static struct counter_worker *worker;
static int64_t mono_us, slept_us;
static struct charging c;
static const struct counter_call call = { .evaluation_id = ID,
					  .now_us = T,
					  .expires_us = T + 900 * S };

static char
next_of(const char **script)
{
	return **script == '\0' ? '.' : *(*script)++;
}

static void
land(struct odd *o)
{
	for (size_t i = 0; i < o->late_n; i++) {
		o->inner->type->swap(o->inner, &o->late[i], 1);
		free((void *)(uintptr_t)o->late[i].next);
	}
	o->late_n = 0;
}

static void
odd_read(struct counter_store *store, struct arena *into,
	 struct counter_item *items, size_t n)
{
	struct odd *o = (struct odd *)(void *)store;

	o->inner->type->read(o->inner, into, items, n);
	for (size_t i = 0; i < n; i++) {
		switch (next_of(&o->reads)) {
		case '?':
			items[i].state = ITEM_UNKNOWN;
			break;
		case 'x':
			items[i].state = ITEM_FOUND;
			items[i].value = (const unsigned char *)"x";
			items[i].value_n = 1;
			break;
		default:
			break;
		}
	}
	land(o);
}

/* The same value again, which is another version, or one with a CLAIM. */
static void
touch(struct odd *o, const struct counter_item *item, bool claim)
{
	struct counter_item now = *item;
	struct account account;
	struct buf bytes = { 0 };

	now.next = NULL;
	o->inner->type->read(o->inner, on.arena, &now, 1);
	account_begin(&account, on.arena);
	if (now.state == ITEM_FOUND) {
		assert_int_equal(account_decode(now.value, now.value_n,
						on.arena, &account, NULL),
				 STATUS_OK);
	}
	account_see(&account, T);
	if (claim) {
		account_claim(&account, 99, 1, T + 60 * S, 1)->entries[0] =
		    (struct account_entry){
			    .counter = 1000 + CONSTRAINT_max_daily_cost,
			    .kind = COUNTER_BUDGET,
			    .window = WINDOW_DAY,
			    .from_s = fixture_day(T).from_us / S,
			    .to_s = fixture_day(T).to_us / S,
			    .amount = 950
		    };
	}
	(void)account_encode(&account, &bytes);
	now.next = (const unsigned char *)bytes.data;
	now.next_n = bytes.len;
	o->inner->type->put(o->inner, &now, 1);
	buf_fini(&bytes);
}

static void
swap_some(struct odd *o, struct counter_item *items, size_t n)
{
	char letter = next_of(&o->swaps);

	switch (letter) {
	case '?':
	case 'f':
		break;
	case '>':
		for (size_t i = 0; i < n; i++) {
			struct counter_item *late = &o->late[o->late_n++];

			*late = items[i];
			late->next = memcpy(memory_get(items[i].next_n),
					    items[i].next, items[i].next_n);
		}
		break;
	case 'm':
	case 'c':
		touch(o, &items[0], letter == 'c');
		/* fall through */
	default:
		o->inner->type->swap(o->inner, items, n);
	}
	for (size_t i = 0; strchr("?!>f", letter) != NULL && i < n; i++) {
		items[i].result = letter == 'f' ? ITEM_FAILED : ITEM_UNSURE;
	}
}

static void
odd_swap(struct counter_store *store, struct counter_item *items, size_t n)
{
	struct odd *o = (struct odd *)(void *)store;

	if (store->type->atomic) {
		swap_some(o, items, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		swap_some(o, &items[i], 1);
	}
}

static void
odd_put(struct counter_store *store, const struct counter_item *items, size_t n)
{
	struct odd *o = (struct odd *)(void *)store;

	o->inner->type->put(o->inner, items, n);
}

static void
odd_free(struct counter_store *store)
{
	struct odd *o = (struct odd *)(void *)store;

	land(o);
	counter_store_free(o->inner);
	free(o);
}

static const struct counter_store_type types[] = {
	{ .name = "memcached",
	  .atomic = false,
	  .read = odd_read,
	  .swap = odd_swap,
	  .put = odd_put,
	  .free = odd_free },
	{ .name = "postgresql",
	  .atomic = true,
	  .read = odd_read,
	  .swap = odd_swap,
	  .put = odd_put,
	  .free = odd_free },
};

static int64_t
clock_of(void *unused)
{
	(void)unused;
	return mono_us;
}

static void
sleep_for(void *unused, int64_t us)
{
	(void)unused;
	mono_us += us;
	slept_us += us;
}

static struct counter_worker *
worker_of(bool atomic, struct odd **store)
{
	struct odd *o = memory_get(sizeof(*o));

	*o = (struct odd){ .store = { .type = &types[atomic], .epoch = 1 },
			   .inner = counter_memory_store(on.memory),
			   .reads = "",
			   .swaps = "" };
	struct counter_worker *out = counter_worker_on(on.counter, &o->store);
	out->clock = (struct counter_clock){ clock_of, sleep_for, NULL };
	*store = o;
	return out;
}

static void
begin_on(bool atomic)
{
	counting_begin(&on, NULL);
	struct counter_store *store = counter_memory_store(on.memory);
	assert_int_equal(store->type->begin(store, 1, NULL), STATUS_OK);
	counter_store_free(store);
	worker = worker_of(atomic, &odd);
	memset(&c, 0, sizeof(c));
	mono_us = slept_us = 0;
}

static int
begin(void **unused)
{
	(void)unused;
	begin_on(false);
	return 0;
}

static int
begin_atomic(void **unused)
{
	(void)unused;
	begin_on(true);
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	counting_end(&on, worker);
	return 0;
}

/* ---- asking */

static struct charge *
charge(enum scope scope, const char *subject, int64_t limit, int64_t amount)
{
	return charging_add(&c, CONSTRAINT_max_daily_cost, scope, subject,
			    limit, amount);
}

static void
script(const char *reads, const char *swaps)
{
	odd->reads = reads;
	odd->swaps = swaps;
}

static bool
take(void)
{
	return counter_take(worker, &call, c.items, c.n, c.out);
}

/* What SUBJECT has spent, with all claims. */
static int64_t
spent(enum scope scope, const char *subject)
{
	struct counter_subject id = counter_subject(scope, subject);
	struct counter_item item = { .next = NULL };
	struct account account;
	const struct account_entry entry = {
		.counter = 1000 + CONSTRAINT_max_daily_cost,
		.kind = COUNTER_BUDGET,
		.window = WINDOW_DAY,
		.from_s = fixture_day(T).from_us / S
	};

	counter_subject_key(&id, item.key);
	odd->inner->type->read(odd->inner, on.arena, &item, 1);
	if (item.state == ITEM_ABSENT) {
		return 0;
	}
	assert_int_equal(
	    account_decode(item.value, item.value_n, on.arena, &account, NULL),
	    STATUS_OK);
	return account_used(&account, &entry, true);
}

static size_t
left_n(void)
{
	struct counter_left *left;

	return counter_left(on.counter, on.arena, &left);
}

/* The housekeeper, by a store that works. */
static void
settle_left(bool keep)
{
	struct odd *mine;
	struct counter_worker *keeper = worker_of(false, &mine);
	struct counter_left *left;
	size_t n = counter_left(on.counter, on.arena, &left);

	for (size_t i = 0; i < n; i++) {
		assert_true(counter_left_settle(keeper, T, &left[i],
						keep && !left[i].refused));
	}
	assert_int_equal(left_n(), 0);
	counter_worker_free(keeper);
}

/* ---- the tests */

/* One account: a script, and what comes of it. */
static void
one_account(bool atomic)
{
	static const struct {
		const char *reads, *swaps;
		enum charge_result result;
		int64_t spent;
		size_t left;
	} rows[] = {
		{ "", "", CHARGE_FITS, 7, 0 },
		{ "", "m", CHARGE_FITS, 7, 0 },
		{ "", "mmmmm", CHARGE_FITS, 7, 0 },
		{ "", "!", CHARGE_FITS, 7, 0 },
		{ "", "?", CHARGE_FITS, 7, 0 },
		{ "", "???", CHARGE_FITS, 7, 0 },
		{ "", ">", CHARGE_FITS, 7, 0 },
		{ "", ">>", CHARGE_FITS, 7, 0 },
		{ "", "?m", CHARGE_FITS, 7, 0 },
		{ "", "?!", CHARGE_FITS, 7, 0 },
		{ "", "m!", CHARGE_FITS, 7, 0 },
		{ "?", "", CHARGE_UNKNOWN, 0, 0 },
		{ "x", "", CHARGE_UNKNOWN, 0, 0 },
		{ "", "f", CHARGE_UNKNOWN, 0, 0 },
		/* what may have happened is given back later */
		{ ".?", "!", CHARGE_UNKNOWN, 0, 1 },
		{ ".?", "?", CHARGE_UNKNOWN, 0, 1 },
		{ ".?", ">", CHARGE_UNKNOWN, 0, 1 },
		{ "..?", "??", CHARGE_UNKNOWN, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_on(atomic);
		charge(SCOPE_USER, "ann", 10, 7);
		script(rows[i].reads, rows[i].swaps);
		assert_true(take());
		assert_int_equal(c.out[0].result, rows[i].result);
		assert_int_equal(c.out[0].taken, rows[i].result == CHARGE_FITS);
		assert_int_equal(left_n(), rows[i].left);
		counter_done(worker);
		settle_left(true);
		land(odd);
		assert_int_equal(spent(SCOPE_USER, "ann"), rows[i].spent);
		end(NULL);
	}
}

static void
one_account_whatever_happens(void **unused)
{
	(void)unused;
	one_account(false);
	one_account(true);
}

/* Two accounts, the second of which may be over: scripts by item. */
static void
two_accounts_whatever_happens(void **unused)
{
	static const struct {
		const char *reads, *swaps;
		int64_t limit; /* of the team; its call costs 7 */
		bool must_count;
		bool admitted;
		int64_t ann, red;
		size_t left;
	} rows[] = {
		{ "", "", 100, false, true, 7, 7, 0 },
		{ "", ".m", 100, false, true, 7, 7, 0 },
		{ "", "m.", 100, false, true, 7, 7, 0 },
		{ "", "mm", 100, false, true, 7, 7, 0 },
		{ "", "!!", 100, false, true, 7, 7, 0 },
		{ "", "??", 100, false, true, 7, 7, 0 },
		{ "", ">.", 100, false, true, 7, 7, 0 },
		{ "", ".>", 100, false, true, 7, 7, 0 },
		{ "", "?m", 100, false, true, 7, 7, 0 },
		{ "", "", 6, false, false, 0, 0, 0 },
		{ ".?", "", 100, false, true, 7, 0, 0 },
		{ "?.", "", 100, false, true, 0, 7, 0 },
		{ "?.", "", 6, false, false, 0, 0, 0 },
		{ ".?", "", 100, true, false, 0, 0, 0 },
		{ "", ".f", 100, false, true, 7, 0, 0 },
		{ "", ".f", 100, true, false, 0, 0, 0 },
		{ "", "!f", 100, true, false, 0, 0, 0 },
		{ "", ">f", 100, true, false, 0, 0, 0 },
		{ "", "?f", 100, true, false, 0, 0, 0 },
		/* giving back meets trouble as well */
		{ "", ".fm", 100, true, false, 0, 0, 0 },
		{ "", ".f?", 100, true, false, 0, 0, 0 },
		{ "", ".f!", 100, true, false, 0, 0, 0 },
		{ "", ".f>", 100, true, false, 0, 0, 0 },
		{ "", ".ff", 100, true, false, 0, 0, 1 },
		{ "..?", ".f", 100, true, false, 0, 0, 1 },
		{ "..?", "!f", 100, true, false, 0, 0, 1 },
		{ "..?", ".!", 100, false, true, 7, 0, 1 },
		{ "..?", ".!", 100, true, false, 0, 0, 1 },
		{ "..?", "!.", 100, false, true, 0, 7, 1 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_on(false);
		charge(SCOPE_USER, "ann", 100, 7);
		charge(SCOPE_TEAM, "red", rows[i].limit, 7)->must_count =
		    rows[i].must_count;
		script(rows[i].reads, rows[i].swaps);
		assert_int_equal(take(), rows[i].admitted);
		assert_int_equal(left_n(), rows[i].left);
		counter_done(worker);
		settle_left(true);
		land(odd);
		assert_int_equal(spent(SCOPE_USER, "ann"), rows[i].ann);
		assert_int_equal(spent(SCOPE_TEAM, "red"), rows[i].red);
		end(NULL);
	}
}

static void
a_claim_stands_when_its_call_is_over(void **unused)
{
	(void)unused;
	struct odd *second;
	struct counter_worker *other = worker_of(false, &second);

	charge(SCOPE_USER, "ann", 100, 60);
	charge(SCOPE_TEAM, "red", 100, 10);
	assert_true(take());
	counter_done(worker);
	/* it left claims, and the next on the host knows that they stand */
	struct charging mine = c;
	mine.n = 1;
	mine.items[0].policy = &mine.policies[0];
	assert_false(counter_take(other, &call, mine.items, 1, mine.out));
	assert_int_equal(mine.out[0].result, CHARGE_OVER);
	assert_int_equal(mine.out[0].used, 60);
	assert_int_equal(slept_us, 0);
	counter_worker_free(other);
}

/* Of another host nobody knows: the deadline is waited for. */
static void
a_claim_of_another_host(void **unused)
{
	(void)unused;
	struct odd *second;
	struct counter_worker *other = worker_of(false, &second);
	int64_t waits = metric_read(METRIC_counter_waits_total, 0);

	charge(SCOPE_USER, "ann", 200, 60);
	charge(SCOPE_TEAM, "red", 1000, 10);
	assert_true(take());
	counter_done(worker);
	worker->slot->writer ^= UINT64_C(1) << 40; /* as if of another one */
	c.n = 1;
	c.items[0].amount = 141;
	assert_false(counter_take(other, &call, c.items, 1, c.out));
	assert_int_equal(c.out[0].result, CHARGE_OVER);
	assert_true(slept_us >= COUNTER_CLAIM_US);
	assert_true(slept_us < 2 * COUNTER_CLAIM_US);
	assert_true(metric_read(METRIC_counter_waits_total, 0) > waits);
	counter_worker_free(other);
}

/* Who fills a counter settles at once, and nobody waits. */
static void
a_call_that_fills_settles(void **unused)
{
	(void)unused;
	struct odd *second;
	struct counter_worker *other = worker_of(false, &second);

	charge(SCOPE_USER, "ann", 100, 60);
	charge(SCOPE_TEAM, "red", 100, 60);
	assert_true(take());
	counter_done(worker);
	worker->slot->writer ^= UINT64_C(1) << 40;
	c.n = 1;
	assert_false(counter_take(other, &call, c.items, 1, c.out));
	assert_int_equal(slept_us, 0);
	/* where that fails they wait */
	worker->slot->writer ^= UINT64_C(1) << 40;
	c.n = 2;
	c.items[0].limit = c.items[1].limit = 200;
	c.items[0].amount = c.items[1].amount = 120;
	script("..?x", "");
	assert_true(take());
	counter_done(worker);
	worker->slot->writer ^= UINT64_C(1) << 40;
	assert_false(counter_take(other, &call, c.items, 1, c.out));
	assert_true(slept_us > 0);
	counter_worker_free(other);
}

static void
waiting_has_an_end(void **unused)
{
	(void)unused;
	struct odd *second;
	struct counter_worker *other = worker_of(false, &second);

	on.config.counter_wait_ms = 100;
	charge(SCOPE_USER, "ann", 200, 60);
	charge(SCOPE_TEAM, "red", 1000, 10);
	assert_true(take());
	counter_done(worker);
	worker->slot->writer ^= UINT64_C(1) << 40;
	c.items[0].amount = 141;
	/* claims of its own in another account do not stay meanwhile */
	c.items[1].subject = "blue";
	assert_true(counter_take(other, &call, c.items, 2, c.out));
	assert_int_equal(c.out[0].result, CHARGE_UNKNOWN);
	assert_false(c.out[0].taken);
	assert_true(c.out[1].taken);
	counter_done(other);
	assert_true(slept_us >= 100000 && slept_us < 200000);
	c.items[0].must_count = true;
	assert_false(counter_take(other, &call, c.items, 2, c.out));
	assert_int_equal(spent(SCOPE_TEAM, "blue"), 10);
	assert_int_equal(spent(SCOPE_USER, "ann"), 60);
	/* nor does being too slow again and again */
	slept_us = 0;
	script("", "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
		   "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
		   "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
		   "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm");
	c.items[1].subject = "green";
	c.items[1].must_count = false;
	assert_true(counter_take(worker, &call, &c.items[1], 1, &c.out[1]));
	assert_int_equal(c.out[1].result, CHARGE_UNKNOWN);
	assert_true(slept_us >= 100000 && slept_us < 120000);
	assert_int_equal(spent(SCOPE_TEAM, "green"), 0);
	counter_worker_free(other);
}

static int64_t held;

static void
look_while_asleep(void *arg, int64_t us)
{
	held = spent(SCOPE_TEAM, "red");
	sleep_for(arg, us);
}

/* A call that waits in one account holds nothing in another. */
static void
claims_are_not_held_while_waiting(void **unused)
{
	(void)unused;
	on.config.counter_wait_ms = 50;
	worker->clock.sleep_us = look_while_asleep;
	charge(SCOPE_USER, "ann", 1000, 60);
	charge(SCOPE_TEAM, "red", 1000, 10);
	script("", "c.");
	held = 77;
	assert_true(take());
	assert_int_equal(held, 0);
	assert_int_equal(c.out[0].result, CHARGE_UNKNOWN);
	assert_true(c.out[1].taken);
	counter_done(worker);
	assert_int_equal(spent(SCOPE_USER, "ann"), 950);
	assert_int_equal(spent(SCOPE_TEAM, "red"), 10);
}

static void
nothing_to_count_is_not_written(void **unused)
{
	(void)unused;
	charge(SCOPE_USER, "ann", 5, 7)->mode = CHARGE_FOLLOWS;
	charge(SCOPE_TEAM, "red", 100, 7);
	assert_true(take());
	assert_false(c.out[0].taken);
	assert_int_equal(spent(SCOPE_TEAM, "red"), 7);
	assert_int_equal(worker->slot->taken, 2);
	counter_done(worker);
	c.n = 1;
	assert_true(take());
	counter_undo(worker, T); /* nothing was taken */
	struct counter_subject id = counter_subject(SCOPE_USER, "ann");
	struct counter_item item = { .next = NULL };
	counter_subject_key(&id, item.key);
	odd->inner->type->read(odd->inner, on.arena, &item, 1);
	assert_int_equal(item.state, ITEM_ABSENT);
}

static void
nobody_to_ask(void **unused)
{
	(void)unused;
	struct board board = { .counter_epoch = 1 };
	struct counter alone = *on.counter;
	int64_t before = metric_read(METRIC_counter_takes_total, 2);
	static const struct {
		int32_t counts, clock_off;
		uint64_t epoch;
	} rows[] = { { BOARD_COUNTS_NOTHING, 0, 1 },
		     { BOARD_COUNTS_MEMCACHED, 1, 1 },
		     { BOARD_COUNTS_MEMCACHED, 0, 0 },
		     { BOARD_COUNTS_MEMCACHED, 0, 1 },
		     { BOARD_COUNTS_POSTGRESQL, 0, 1 },
		     { -1, 0, 1 },
		     { BOARD_COUNTS_N, 0, 1 } };

	alone.board = &board;
	charge(SCOPE_USER, "ann", 100, 7);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct counter_worker *w = counter_worker_new(&alone);
		struct counter_entry entry = { .amount = 1 };
		struct counter_note note = { .name = "d1" };
		struct counter_left left = { .slot = w->slot };

		board.counter_counts = rows[i].counts;
		board.clock_off = rows[i].clock_off;
		board.counter_epoch = rows[i].epoch;
		c.items[0].must_count = false;
		assert_true(counter_take(w, &call, c.items, 1, c.out));
		assert_int_equal(c.out[0].result, CHARGE_UNKNOWN);
		c.items[0].must_count = true;
		assert_false(counter_take(w, &call, c.items, 1, c.out));
		assert_false(counter_adjust(w, T, ID, &entry, 1));
		assert_true(counter_adjust(w, T, ID, &entry, 0));
		counter_note_read(w, on.arena, &note, "x", 1, T);
		assert_int_equal(note.state, NOTE_UNKNOWN);
		assert_int_equal(counter_note_swap(w, &note, "x", 1, T),
				 ITEM_FAILED);
		counter_note_put(w, "d1", "x", 1, T);
		counter_undo(w, T);
		assert_false(counter_left_settle(w, T, &left, false));
		counter_worker_free(w);
	}
	assert_true(metric_read(METRIC_counter_takes_total, 2) >= before + 14);
	counter_worker_free(NULL);
	counter_close(NULL);
}

static void
too_many_counters(void **unused)
{
	static struct charge many[COUNTER_CHARGES_MAX + 1];
	static struct charged out[COUNTER_CHARGES_MAX + 1];
	static struct constraint constraints[COUNTER_CHARGES_MAX + 1];

	(void)unused;
	charge(SCOPE_USER, "ann", 1000, 7);
	for (size_t i = 0; i <= COUNTER_CHARGES_MAX; i++) {
		constraints[i] = c.constraints[0];
		constraints[i].counter = 5000 + i;
		many[i] = c.items[0];
		many[i].constraint = &constraints[i];
	}
	assert_true(
	    counter_take(worker, &call, many, COUNTER_CHARGES_MAX + 1, out));
	assert_int_equal(out[0].result, CHARGE_UNKNOWN);
	assert_int_equal(out[COUNTER_CHARGES_MAX].result, CHARGE_UNKNOWN);
	assert_true(
	    counter_take(worker, &call, many, COUNTER_CHARGES_MAX, out));
	assert_int_equal(out[COUNTER_CHARGES_MAX - 1].result, CHARGE_FITS);
	counter_undo(worker, T);
	assert_true(
	    counter_take(worker, &call, many, COUNTER_CHARGES_MAX, out));
	assert_int_equal(out[COUNTER_CHARGES_MAX - 1].used, 0);
}

/* An account without end is not counted in. */
static void
an_account_that_is_too_large(void **unused)
{
	enum { LEASES = 111100 };
	struct counter_subject id = counter_subject(SCOPE_USER, "ann");
	struct counter_item item = { .next = NULL };
	struct account account;
	struct buf bytes = { 0 };

	(void)unused;
	account_begin(&account, on.arena);
	account_see(&account, T);
	struct account_leases *leases =
	    arena_array(on.arena, 1, sizeof(*leases));
	*leases = (struct account_leases){ .items = arena_array(
					       on.arena, LEASES,
					       sizeof(leases->items[0])),
					   .n = LEASES,
					   .cap = LEASES };
	for (size_t i = 0; i < LEASES; i++) {
		leases->items[i] =
		    (struct account_lease){ .id = i,
					    .expires_us = T + 900 * S };
	}
	account.leases = leases;
	account.leases_n = account.leases_cap = 1;
	(void)account_encode(&account, &bytes);
	assert_true(bytes.len <= COUNTER_VALUE_MAX_BYTES);
	assert_true(bytes.len > COUNTER_VALUE_MAX_BYTES - 500);
	counter_subject_key(&id, item.key);
	item.next = (const unsigned char *)bytes.data;
	item.next_n = bytes.len;
	odd->inner->type->put(odd->inner, &item, 1);
	for (int i = 0; i < 40; i++) {
		charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER, "ann",
			     100, 1);
		c.constraints[i].counter = 5000 + (uint64_t)i;
	}
	assert_true(take());
	assert_int_equal(c.out[0].result, CHARGE_UNKNOWN);
	buf_fini(&bytes);
}

/* Each is what the journal of a worker without a place is. */
static void
without_a_place_in_the_journal(void **unused)
{
	(void)unused;
	struct counter alone = { .config = &on.config };
	struct counter_store *store = counter_memory_store(on.memory);
	struct counter_worker *w = counter_worker_on(&alone, store);

	assert_non_null(w->unlisted);
	charge(SCOPE_USER, "ann", 10, 7);
	assert_true(counter_take(w, &call, c.items, 1, c.out));
	counter_undo(w, T);
	assert_true(counter_take(w, &call, c.items, 1, c.out));
	counter_done(w);
	assert_false(counter_take(w, &call, c.items, 1, c.out));
	/* it cannot leave anything to the housekeeper */
	counter_worker_begin(w, JOURNAL_TAKING, ID, T, 1);
	w->slot->taken = 1;
	counter_worker_abandon(w, 1);
	counter_worker_end(w);
	assert_int_equal(w->slot->taken, 0);
	counter_worker_free(w);
}

/* ---- adjusting */

static struct counter_entry
change(enum scope scope, const char *subject, int64_t amount)
{
	const struct window day = fixture_day(T);

	return (struct counter_entry){
		.subject = counter_subject(scope, subject),
		.counter = 1000 + CONSTRAINT_max_daily_cost,
		.kind = COUNTER_BUDGET,
		.unit = COUNTER_COST,
		.window = WINDOW_DAY,
		.from_s = day.from_us / S,
		.to_s = day.to_us / S,
		.amount = amount,
	};
}

static void
adjusting_whatever_happens(void **unused)
{
	static const struct {
		const char *reads, *swaps;
		bool adjusted;
		int64_t ann, red;
		size_t left;
	} rows[] = {
		{ "", "", true, 5, 8, 0 },
		{ "", "mm", true, 5, 8, 0 },
		{ "", "!m", true, 5, 8, 0 },
		{ "", "??", true, 5, 8, 0 },
		{ "", ">>", true, 5, 8, 0 },
		{ "", ".f", false, 0, 0, 0 },
		{ "", "f.", false, 0, 0, 0 },
		{ "?.", "", false, 0, 0, 0 },
		{ ".x", "", false, 0, 0, 1 },
		{ "..?", "!.", false, 0, 0, 0 },
		{ "..??", "!.", false, 0, 0, 1 },
		{ "..??", "?.", false, 0, 0, 1 },
		{ "..??", ">.", false, 0, 0, 1 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin_on(false);
		const struct counter_entry changes[] = {
			change(SCOPE_USER, "ann", 5),
			change(SCOPE_TEAM, "red", 10),
			change(SCOPE_TEAM, "red", -2),
		};
		script(rows[i].reads, rows[i].swaps);
		assert_int_equal(counter_adjust(worker, T, ID, changes, 3),
				 rows[i].adjusted);
		if (rows[i].left == 0) {
			assert_int_equal(left_n(), 0);
		}
		counter_done(worker);
		settle_left(true);
		land(odd);
		assert_int_equal(spent(SCOPE_USER, "ann"), rows[i].ann);
		assert_int_equal(spent(SCOPE_TEAM, "red"), rows[i].red);
		end(NULL);
	}
}

/* What a process that died had begun, kept and given back, once. */
static void
what_a_dead_process_left(void **unused)
{
	(void)unused;
	for (int adjusting = 0; adjusting < 2; adjusting++) {
		for (int keep = 0; keep < 2; keep++) {
			struct odd *second;
			struct counter_left *left;

			begin_on(false);
			struct counter_worker *dead = worker_of(false, &second);
			const struct counter_entry changes[] = {
				change(SCOPE_USER, "ann", 7),
				change(SCOPE_TEAM, "red", 7),
			};
			charge(SCOPE_USER, "ann", 100, 7);
			charge(SCOPE_TEAM, "red", 100, 7);
			assert_int_equal(left_n(), 0);
			assert_true(
			    adjusting
				? counter_adjust(dead, T, ID, changes, 2)
				: counter_take(dead, &call, c.items, 2, c.out));
			counter_worker_free(dead);
			assert_int_equal(
			    counter_left(on.counter, on.arena, &left), 1);
			assert_int_equal(left->adjusting, adjusting);
			assert_false(left->refused);
			assert_string_equal(left->evaluation_id, ID);
			assert_int_equal(left->now_us, T);
			assert_int_equal(left->entries_n, 2);
			assert_int_equal(left->entries[1].amount, 7);
			script("?", "");
			if (!keep || adjusting) {
				assert_false(
				    counter_left_settle(worker, T, left, keep));
			}
			script("", "!?");
			assert_true(counter_left_settle(worker, T, left, keep));
			assert_int_equal(left_n(), 0);
			assert_int_equal(spent(SCOPE_USER, "ann"),
					 keep ? 7 : 0);
			assert_int_equal(spent(SCOPE_TEAM, "red"),
					 keep ? 7 : 0);
			end(NULL);
		}
	}
}

/* Its half that was not written yet is written when it is kept. */
static void
half_an_adjustment_is_completed(void **unused)
{
	const struct counter_entry changes[] = { change(SCOPE_USER, "ann", 7),
						 change(SCOPE_TEAM, "red", 7) };
	struct odd *second;
	struct counter_left *left;

	(void)unused;
	struct counter_worker *dead = worker_of(false, &second);
	counter_worker_begin(dead, JOURNAL_ADJUSTING, ID, T, 1);
	memcpy(dead->slot->entries, changes, sizeof(changes));
	dead->slot->entries_n = 2;
	dead->slot->taken = 3;
	dead->slot->seq++;
	assert_int_equal(counter_worker_settle(dead, &second->store, dead->slot,
					       1, true, T, 0),
			 0);
	counter_worker_free(dead);
	assert_int_equal(spent(SCOPE_TEAM, "red"), 0);
	assert_int_equal(counter_left(on.counter, on.arena, &left), 1);
	assert_true(counter_left_settle(worker, T, left, true));
	assert_int_equal(spent(SCOPE_USER, "ann"), 7);
	assert_int_equal(spent(SCOPE_TEAM, "red"), 7);
}

/* Too late to tell by the signatures: nothing is counted twice. */
static void
what_was_left_too_long_ago(void **unused)
{
	const struct counter_entry changes[] = { change(SCOPE_USER, "ann", 7) };
	struct odd *second;
	struct counter_left *left;

	(void)unused;
	struct counter_worker *dead = worker_of(false, &second);
	assert_true(counter_adjust(dead, T, ID, changes, 1));
	counter_worker_free(dead);
	/* others write, and forget */
	charge(SCOPE_USER, "ann", 1000, 1);
	struct counter_call later = call;
	later.now_us = T + 2 * ACCOUNT_SIGNED_US;
	assert_true(counter_take(worker, &later, c.items, 1, c.out));
	counter_done(worker);
	assert_int_equal(counter_left(on.counter, on.arena, &left), 1);
	assert_true(counter_left_settle(worker, later.now_us, left, true));
	assert_int_equal(spent(SCOPE_USER, "ann"), 8);
}

/* In another epoch the counters are made from what was recorded. */
static void
what_was_left_in_another_epoch(void **unused)
{
	struct odd *second;
	struct counter_left *left;

	(void)unused;
	struct counter_worker *dead = worker_of(false, &second);
	charge(SCOPE_USER, "ann", 1000, 1);
	assert_true(counter_take(dead, &call, c.items, 1, c.out));
	counter_worker_free(dead);
	assert_int_equal(counter_left(on.counter, on.arena, &left), 1);
	odd->store.epoch = 2;
	assert_true(counter_left_settle(worker, T, left, false));
	assert_int_equal(left_n(), 0);
	assert_int_equal(spent(SCOPE_USER, "ann"), 1);
	/* and so is what is undone there: it is left to nobody */
	odd->store.epoch = 1;
	assert_true(take());
	odd->store.epoch = 2;
	counter_undo(worker, T);
	settle_left(false);
}

static void
metrics_are_kept(void **unused)
{
	int64_t taken = metric_read(METRIC_counter_takes_total, 0);
	int64_t no = metric_read(METRIC_counter_takes_total, 1);
	int64_t errors = metric_read(METRIC_counter_errors_total, 0);
	int64_t moved = metric_read(METRIC_counter_conflicts_total, 0);
	int64_t trips = metric_read(METRIC_counter_round_trips_total, 0);

	(void)unused;
	charge(SCOPE_USER, "ann", 10, 7);
	script("", "m");
	assert_true(take());
	counter_done(worker);
	assert_false(take());
	script("?", "");
	assert_true(take());
	assert_int_equal(metric_read(METRIC_counter_takes_total, 0), taken + 1);
	assert_int_equal(metric_read(METRIC_counter_takes_total, 1), no + 1);
	assert_int_equal(metric_read(METRIC_counter_errors_total, 0),
			 errors + 1);
	assert_int_equal(metric_read(METRIC_counter_conflicts_total, 0),
			 moved + 1);
	odd->store.round_trips = 100;
	counter_worker_trips(&odd->store, 97);
	assert_int_equal(metric_read(METRIC_counter_round_trips_total, 0),
			 trips + 3);
}

static void
a_state_folder_that_is_not_there(void **unused)
{
	struct config none = on.config;
	struct counter *out = NULL;
	struct err err;

	(void)unused;
	snprintf(none.state_dir, sizeof(none.state_dir), "%s/none", on.state);
	assert_int_equal(counter_open(&none, NULL, &out, &err), STATUS_IO);
	assert_null(out);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_account_whatever_happens),
		cmocka_unit_test(two_accounts_whatever_happens),
		CASE(a_claim_stands_when_its_call_is_over),
		CASE(a_claim_of_another_host),
		CASE(a_call_that_fills_settles),
		CASE(waiting_has_an_end),
		CASE(claims_are_not_held_while_waiting),
		CASE(nothing_to_count_is_not_written),
		CASE(nobody_to_ask),
		CASE(too_many_counters),
		CASE(an_account_that_is_too_large),
		CASE(without_a_place_in_the_journal),
		cmocka_unit_test(adjusting_whatever_happens),
		cmocka_unit_test(what_a_dead_process_left),
		CASE(half_an_adjustment_is_completed),
		CASE(what_was_left_too_long_ago),
		CASE(what_was_left_in_another_epoch),
		CASE(metrics_are_kept),
		CASE(a_state_folder_that_is_not_there),
		cmocka_unit_test_setup_teardown(nothing_to_count_is_not_written,
						begin_atomic, end),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
