/*
 * Laws of counting, by random interleavings of workers on hosts, with lost
 * answers, late writes and deaths (tests/unit/counter_world.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/uuid.h"
#include "counter_world.h"

enum { BOOKED = 4000, SECOND = 1000000, SUBJECTS = 3 };

static const struct {
	enum scope scope;
	const char *name;
} subjects[SUBJECTS] = { { SCOPE_USER, "ann" },
			 { SCOPE_USER, "bob" },
			 { SCOPE_TEAM, "red" } };

/* The books: each call that was admitted and recorded. */
static struct booked {
	char id[UUID_TEXT_BYTES];
	struct counter_entry entries[8];
	int64_t at_us[8]; /* when each was counted */
	int subject[8];
	size_t n;
	bool reported;
} books[BOOKED];
static size_t books_n;

/* What was refused, and what for. */
static int64_t refused_cost[SUBJECTS]; /* the cheapest of each; 0: none */
static int refused, admitted, unknown;

static bool
is_booked(const char *id, bool adjusting)
{
	for (size_t i = books_n; i > 0; i--) {
		if (strcmp(books[i - 1].id, id) == 0) {
			return !adjusting || books[i - 1].reported;
		}
	}
	return false;
}

static recorded_fn *const booked = is_booked;

struct plan {
	int calls;
	int64_t pause_us; /* between calls */
	int64_t cost;	  /* of a call; negative: 1 to that, by chance */
	int64_t budget;
	int64_t team_budget; /* of red, where it is another one */
	int64_t per_minute;  /* 0: no rate */
	int64_t parallel;    /* 0: no leases */
	int64_t shadow;	     /* budget of a shadow policy; 0: none */
	int subjects;	     /* 1: ann; 2: ann or bob, and red */
	int alone_per_mil;   /* of them are not of a team */
	int undo_per_mil;    /* refused after all */
	int end_per_mil;     /* of the calls are reported, at half the cost */
};

static void
charges_of(const struct plan *plan, struct world *world, struct charging *c)
{
	const char *user =
	    plan->subjects > 1 && world_roll(world, 2) == 1 ? "bob" : "ann";
	int64_t cost = plan->cost > 0
			   ? plan->cost
			   : 1 + world_roll(world, (unsigned)-plan->cost);

	charging_add(c, CONSTRAINT_max_daily_cost, SCOPE_USER, user,
		     plan->budget, cost);
	if (plan->subjects > 1 &&
	    (int)world_roll(world, 1000) >= plan->alone_per_mil) {
		charging_add(c, CONSTRAINT_max_daily_cost, SCOPE_TEAM, "red",
			     plan->team_budget > 0 ? plan->team_budget
						   : plan->budget,
			     cost);
	}
	if (plan->per_minute > 0) {
		charging_add(c, CONSTRAINT_max_requests_per_minute, SCOPE_USER,
			     user, plan->per_minute, 1);
	}
	if (plan->parallel > 0) {
		charging_add(c, CONSTRAINT_max_parallel_requests, SCOPE_USER,
			     user, plan->parallel, 1);
	}
	if (plan->shadow > 0) {
		charging_add(c, CONSTRAINT_max_weekly_cost, SCOPE_USER, user,
			     plan->shadow, cost)
		    ->mode = CHARGE_FOLLOWS;
	}
}

static int
subject_of(const struct charge *charge)
{
	for (int i = 0; i < SUBJECTS; i++) {
		if (subjects[i].scope == charge->policy->scope &&
		    strcmp(subjects[i].name, charge->subject) == 0) {
			return i;
		}
	}
	fail();
	return -1;
}

static struct booked *
book(struct world_worker *self, const struct counter_call *call,
     const struct charging *c)
{
	struct booked *b = &books[books_n];

	assert_true(books_n < BOOKED);
	memset(b, 0, sizeof(*b));
	b->n = counter_entries(call, c->items, c->out, c->n, b->entries);
	for (size_t i = 0, k = 0; i < c->n; i++) {
		if (c->out[i].taken) {
			b->subject[k] = subject_of(&c->items[i]);
			b->at_us[k++] =
			    world_counted_us(self, c->items[i].policy->scope,
					     c->items[i].subject);
		}
	}
	memcpy(b->id, call->evaluation_id, UUID_TEXT_BYTES);
	books_n++;
	return b;
}

static void
note_refusal(const struct charging *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct charge *charge = &c->items[i];
		int64_t *least = &refused_cost[subject_of(charge)];

		if (charge->row->kind == COUNTER_BUDGET &&
		    charge->mode == CHARGE_LIMITS &&
		    c->out[i].result == CHARGE_OVER &&
		    (*least == 0 || charge->amount < *least)) {
			*least = charge->amount;
		}
	}
}

/* The report: leases end, and half of the cost comes back. */
static void
report(struct world_worker *self, struct booked *b)
{
	struct counter_entry changes[8];

	for (size_t i = 0; i < b->n; i++) {
		changes[i] = b->entries[i];
		changes[i].amount = b->entries[i].kind == COUNTER_RATE
					? 0
					: -(b->entries[i].amount + 1) / 2;
	}
	if (!counter_adjust(self->worker, world_now_us(self->world), b->id,
			    changes, b->n)) {
		return; /* it will be given back */
	}
	world_sleep_us(self, world_roll(self->world, 300));
	for (size_t i = 0; i < b->n; i++) {
		b->entries[i].amount += changes[i].amount;
	}
	b->reported = true;
	world_sleep_us(self, world_roll(self->world, 300));
	counter_done(self->worker);
}

static void
one_call(struct world_worker *self, const struct plan *plan)
{
	struct world *world = self->world;
	struct charging c = { .n = 0 };
	char id[UUID_TEXT_BYTES];
	struct counter_call call = {
		.evaluation_id = id,
		.now_us = world_now_us(world),
		.expires_us = world_now_us(world) + INT64_C(900) * SECOND,
	};

	uuid_make(call.now_us, id);
	charges_of(plan, world, &c);
	bool ok = counter_take(self->worker, &call, c.items, c.n, c.out);
	bool known = true;
	for (size_t i = 0; i < c.n; i++) {
		known = known && c.out[i].result != CHARGE_UNKNOWN;
	}
	unknown += !known;
	if (!ok) {
		refused++;
		note_refusal(&c);
		return;
	}
	if ((int)world_roll(world, 1000) < plan->undo_per_mil) {
		counter_undo(self->worker, world_now_us(world));
		return;
	}
	world_sleep_us(self, world_roll(world, 300));
	admitted += known;
	struct booked *b = book(self, &call, &c);
	world_sleep_us(self, world_roll(world, 300));
	counter_done(self->worker);
	if ((int)world_roll(world, 1000) < plan->end_per_mil) {
		world_sleep_us(self, world_roll(world, 3 * SECOND));
		report(self, b);
	}
}

static void
caller(struct world_worker *self)
{
	const struct plan *plan = self->arg;

	for (int i = 0; i < plan->calls; i++) {
		one_call(self, plan);
		if (plan->pause_us > 0) {
			world_sleep_us(
			    self,
			    world_roll(self->world, (unsigned)plan->pause_us));
		}
	}
}

static struct world *
run(const struct world_settings *settings, const struct plan *plan, int workers)
{
	struct world *world = world_new(settings);

	books_n = 0;
	refused = admitted = unknown = 0;
	memset(refused_cost, 0, sizeof(refused_cost));
	for (int i = 0; i < workers; i++) {
		world_add(world, i % settings->hosts, caller,
			  (void *)(uintptr_t)plan);
	}
	for (int i = 0; i < settings->hosts; i++) {
		world_add(world, i, world_housekeeper,
			  (void *)(uintptr_t)&booked);
	}
	world_run(world);
	world_settle(world, is_booked);
	return world;
}

/* What the books say of a counter of a subject. */
static int64_t
sum_of(int subject, enum constraint_key key)
{
	int64_t sum = 0;

	for (size_t i = 0; i < books_n; i++) {
		for (size_t k = 0; k < books[i].n; k++) {
			const struct counter_entry *e = &books[i].entries[k];

			if (books[i].subject[k] == subject &&
			    e->counter == 1000 + (uint64_t)key) {
				sum += e->amount;
			}
		}
	}
	return sum;
}

static int64_t
used_of(struct world *world, int subject, enum constraint_key key)
{
	const struct counter_row *row = counter_row(key);
	const struct window day = fixture_day(FIXTURE_NOW_US);
	const struct account_entry entry = {
		.counter = 1000 + (uint64_t)key,
		.kind = row->kind,
		.window = row->window,
		.from_s =
		    row->kind == COUNTER_BUDGET ? day.from_us / SECOND : 0,
	};

	return world_used(world, subjects[subject].scope,
			  subjects[subject].name, &entry);
}

/* The counters are what the books say, to the nano-dollar. */
static void
assert_balanced(struct world *world)
{
	static const enum constraint_key keys[] = {
		CONSTRAINT_max_daily_cost, CONSTRAINT_max_weekly_cost,
		CONSTRAINT_max_parallel_requests
	};

	for (int i = 0; i < SUBJECTS; i++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			assert_int_equal(used_of(world, i, keys[k]),
					 sum_of(i, keys[k]));
		}
	}
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* No window, wherever it starts, holds more than LIMIT: it is enough to look
 * at those that start with a call. */
static void
assert_rate(int subject, int64_t limit, int64_t length_us)
{
	static int64_t times[BOOKED];
	size_t n = 0;

	for (size_t i = 0; i < books_n; i++) {
		for (size_t k = 0; k < books[i].n; k++) {
			if (books[i].subject[k] == subject &&
			    books[i].entries[k].kind == COUNTER_RATE) {
				times[n++] = books[i].at_us[k];
			}
		}
	}
	qsort(times, n, sizeof(times[0]), by_time);
	for (size_t i = 0; i + (size_t)limit < n; i++) {
		assert_true(times[i + (size_t)limit] - times[i] >= length_us);
	}
}

static void
a_budget_is_spent_to_the_end(void **unused)
{
	const struct plan plan = {
		.calls = 12, .cost = 7, .budget = 7 * 30 + 6, .subjects = 1
	};

	(void)unused;
	for (unsigned seed = 1; seed <= 40; seed++) {
		const struct world_settings settings = {
			.seed = seed,
			.atomic = seed % 2 == 0,
			.hosts = seed % 3 == 0 ? 2 : 1,
			.unsure_per_mil = seed % 4 == 0 ? 60 : 0,
			.step_us = 200,
			.wait_ms = 60000,
		};
		struct world *world = run(&settings, &plan, 6);

		assert_int_equal(unknown, 0);
		assert_int_equal(admitted, 30);
		assert_int_equal(refused, 6 * 12 - 30);
		assert_balanced(world);
		world_free(world);
	}
}

/* The team's budget is what ends; each user's is larger. */
static void
two_budgets_are_spent_to_the_end(void **unused)
{
	const struct plan plan = {
		.calls = 10, .cost = 7, .budget = 7 * 25 + 3, .subjects = 2
	};

	(void)unused;
	for (unsigned seed = 1; seed <= 60; seed++) {
		const struct world_settings settings = {
			.seed = seed,
			.atomic = seed % 4 == 0,
			.hosts = seed % 3 == 0 ? 2 : 1,
			.unsure_per_mil = seed % 5 == 0 ? 40 : 0,
			.step_us = 300,
			.wait_ms = 60000,
		};
		struct world *world = run(&settings, &plan, 6);

		assert_int_equal(unknown, 0);
		assert_int_equal(admitted, 25);
		assert_int_equal(refused, 6 * 10 - 25);
		assert_balanced(world);
		world_free(world);
	}
}

/* Nobody is refused while only a claim that was still open stood in the way:
 * what was refused does not fit at the end either.  The team refuses much, so
 * that many claims on its users are taken out again. */
static void
nobody_is_refused_for_nothing(void **unused)
{
	const struct plan plan = { .calls = 14,
				   .cost = -40,
				   .budget = 500,
				   .team_budget = 400,
				   .subjects = 2,
				   .alone_per_mil = 500 };

	(void)unused;
	for (unsigned seed = 1; seed <= 150; seed++) {
		const struct world_settings settings = {
			.seed = seed,
			.atomic = seed % 10 == 0,
			.hosts = 1 + (int)seed % 2,
			.step_us = 300,
			.wait_ms = 60000,
		};
		struct world *world = run(&settings, &plan, 6);

		assert_int_equal(unknown, 0);
		for (int i = 0; i < SUBJECTS; i++) {
			int64_t used =
			    used_of(world, i, CONSTRAINT_max_daily_cost);
			int64_t limit = i == 2 ? plan.team_budget : plan.budget;

			assert_true(used <= limit);
			assert_true(refused_cost[i] == 0 ||
				    used + refused_cost[i] > limit);
		}
		assert_balanced(world);
		world_free(world);
	}
}

static void
no_window_holds_more(void **unused)
{
	const struct plan plan = { .calls = 120,
				   .pause_us = 4 * SECOND,
				   .cost = 1,
				   .budget = 1000000,
				   .per_minute = 9,
				   .subjects = 2 };

	(void)unused;
	for (unsigned seed = 1; seed <= 12; seed++) {
		const struct world_settings settings = {
			.seed = seed,
			.atomic = seed % 3 == 0,
			.hosts = 1 + (int)seed % 2,
			.unsure_per_mil = seed % 4 == 0 ? 30 : 0,
			.step_us = 400,
			.wait_ms = 60000,
		};
		struct world *world = run(&settings, &plan, 5);

		assert_int_equal(unknown, 0);
		assert_true(refused > 0);
		assert_rate(0, plan.per_minute, INT64_C(60) * SECOND);
		assert_rate(1, plan.per_minute, INT64_C(60) * SECOND);
		assert_balanced(world);
		world_free(world);
	}
}

/* Whatever fails, the counters end as the books are, and no limit breaks. */
static void
books_balance_whatever_fails(void **unused)
{
	(void)unused;
	int died = 0, without = 0;

	for (unsigned seed = 1; seed <= 150; seed++) {
		const struct plan plan = {
			.calls = 10,
			.pause_us = seed % 2 == 0 ? 30000 : 0,
			.cost = -40,
			.budget = 900,
			.per_minute = 40,
			.parallel = 30,
			.shadow = 300,
			.subjects = 1 + (int)seed % 2,
			.undo_per_mil = 100,
			.end_per_mil = seed % 5 == 0 ? 300 : 0,
		};
		const struct world_settings settings = {
			.seed = seed,
			.atomic = seed % 3 == 0,
			.hosts = 1 + (int)(seed / 2) % 2,
			.unsure_per_mil = 50,
			.die_per_mil = seed % 4 == 0 ? 0 : 8,
			.step_us = 400,
			.wait_ms = seed % 7 == 0 ? 3 : 500,
		};
		struct world *world = run(&settings, &plan, 7);

		died += world_died(world);
		without += unknown;
		for (int i = 0; i < SUBJECTS; i++) {
			assert_true(
			    used_of(world, i, CONSTRAINT_max_daily_cost) <=
			    plan.budget);
			assert_true(
			    used_of(world, i, CONSTRAINT_max_weekly_cost) <=
			    plan.shadow);
			assert_rate(i, plan.per_minute, INT64_C(60) * SECOND);
		}
		assert_balanced(world);
		world_free(world);
	}
	/* else nothing was tried */
	assert_true(died > 50);
	assert_true(without > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_spent_to_the_end),
		cmocka_unit_test(two_budgets_are_spent_to_the_end),
		cmocka_unit_test(nobody_is_refused_for_nothing),
		cmocka_unit_test(no_window_holds_more),
		cmocka_unit_test(books_balance_whatever_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
