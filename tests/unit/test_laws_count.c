/*
 * The laws of docs/policies.md, "How a decision is made", 4, on random worlds
 * (core_random.h): what is admitted is counted once, what is refused nowhere.
 */
#include "core/count.h"

#include "core_answer.h"
#include "core_random.h"

enum { WORLDS = 3000 };

/* What was counted for D, if it says the truth. */
static int64_t
counted_of(unsigned seed, const struct decision *d)
{
	int64_t counted = 0;

	for (size_t i = 0; i < d->charges_n; i++) {
		const struct charge *charge = &d->charges[i];
		const struct charged *said = &d->charged[i];

		if (i > 0 && charge[-1].policy->index > charge->policy->index) {
			fail_msg("seed %u: charges out of order", seed);
		}
		if (d->taken && charge->mode == CHARGE_LIMITS && said->taken &&
		    said->used + charge->amount > charge->limit) {
			fail_msg("seed %u: overspent", seed);
		}
		counted += said->taken ? charge->amount : 0;
	}
	return counted;
}

/* The counters are asked for what was not blocked before, and what is admitted
 * is counted once, on the model that runs. */
static void
a_call_is_counted_once_or_not_at_all(void **state)
{
	unsigned refused = 0, elsewhere = 0;

	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct core_counter *counter = fx->counter;
		struct decision d;

		fixture_decide(fx, &d);
		bool admitted = d.action != ACTION_BLOCK;

		assert_int_equal(d.taken, admitted);
		assert_int_equal(counter->granted, admitted);
		assert_true(counter->takes <= COUNT_TAKES_MAX);
		assert_int_equal(counter->counted, counted_of(seed, &d));
		if (counter->takes == 0) {
			assert_int_equal(d.charges_n, 0);
		}
		if (admitted) {
			assert_ptr_equal(d.charged_model.model,
					 d.chain_n > 0 ? d.chain[0].model
						       : fx->ctx.model);
			assert_int_equal(d.charged_model.asked_for,
					 d.chain_n == 0);
		}
		refused += !admitted && counter->takes > 0;
		elsewhere += admitted && counter->takes > 1;
		fixture_free(fx);
	}
	/* The generator must make both, or this says nothing. */
	assert_true(refused > 50 && elsewhere > 50);
}

/* Ask until there is a refusal: from then on the answer stays. */
static void
a_refused_call_consumes_nothing(void **state)
{
	unsigned late = 0;

	(void)state;
	for (unsigned seed = 0; seed < WORLDS; seed++) {
		struct dice dice;
		struct fixture *fx = random_world(seed, &dice);
		struct answer first, again;
		struct decision d;
		int asked = 0;

		fx->counter->forgets = false;
		fixture_compile(fx);
		do {
			decide(&fx->world, &fx->settings, &fx->ops,
			       STAGE_PRE_FLIGHT, &fx->ctx, fx->arena, &d);
			counted_of(seed, &d);
		} while (d.taken && ++asked < 8);
		if (!d.taken) {
			int64_t counted = fx->counter->counted;

			answer_of(fx, &d, NULL, &first);
			decide(&fx->world, &fx->settings, &fx->ops,
			       STAGE_PRE_FLIGHT, &fx->ctx, fx->arena, &d);
			answer_of(fx, &d, NULL, &again);
			answer_assert_same(seed, &first, &again);
			assert_int_equal(fx->counter->counted, counted);
		}
		late += !d.taken && asked > 0;
		fixture_free(fx);
	}
	assert_true(late > 50);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_counted_once_or_not_at_all),
		cmocka_unit_test(a_refused_call_consumes_nothing),
	};
	return cmocka_run_group_tests_name("laws_count", tests, NULL, NULL);
}
