#include "engine/settle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/money.h"

/* dollars a million tokens are nano-dollars a thousandth of a token */
static const struct model models[] = {
	{ .model_id = "big",
	  .vendor_id = "openai",
	  .input_per_mil = 10 * MONEY_ONE_USD,
	  .output_per_mil = 30 * MONEY_ONE_USD,
	  .tier_from_tokens = 1000,
	  .tier_input_per_mil = 20 * MONEY_ONE_USD,
	  .tier_output_per_mil = 60 * MONEY_ONE_USD },
	{ .model_id = "dim",
	  .vendor_id = "who",
	  .input_per_mil = MONEY_UNKNOWN,
	  .output_per_mil = MONEY_UNKNOWN },
	{ .model_id = "small",
	  .vendor_id = "azure",
	  .input_per_mil = MONEY_ONE_USD,
	  .output_per_mil = 2 * MONEY_ONE_USD },
};
static const struct alias aliases[] = { { "azure_openai", "azure" } };
static const struct catalogue catalogue = { .models = models,
					    .models_n = 3,
					    .vendor_aliases = aliases,
					    .vendor_aliases_n = 1 };

static const struct reservation reserved = {
	.original_model = "big",
	.original_vendor = "openai",
	.model_id = "small",
	.vendor_id = "azure",
	.decision = ACTION_DEGRADE,
	.cost_nanousd = 1000000,
	.tokens = 700,
};

static struct body_report
said(void)
{
	return (struct body_report){ .input_tokens = -1,
				     .output_tokens = -1,
				     .cost_nanousd = -1,
				     .latency_us = -1 };
}

static struct settle
made(const struct reservation *r, const struct body_report *report,
     int64_t unknown_per_mil)
{
	const struct settle_of of = { .r = r,
				      .report = report,
				      .report_id = "r",
				      .catalogue = &catalogue,
				      .unknown_per_mil = unknown_per_mil,
				      .at_us = 5 };
	struct settle out;

	settle_make(&of, &out);
	return out;
}

/* Who served, and what that means beside what was asked for and permitted. */
static const struct {
	const char *model, *vendor;
	const char *want_model, *want_vendor;
	bool honoured, moved;
} served[] = {
	{ NULL, NULL, "small", "azure", true, false },
	{ "small", NULL, "small", "azure", true, false },
	{ "small", "azure_openai", "small", "azure", true, false },
	{ NULL, "azure", "small", "azure", true, false },
	{ "big", NULL, "big", "openai", true, true },
	{ "big", "openai", "big", "openai", true, true },
	{ "dim", NULL, "dim", "who", false, true },
	{ "none", NULL, "none", NULL, false, true },
	{ NULL, "openai", "small", "openai", false, true },
	{ "big", "azure", "big", "azure", false, true },
};

static void
who_served_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++) {
		struct body_report report = said();

		print_message("case %zu\n", i);
		report.served_model_id = served[i].model;
		report.served_vendor_id = served[i].vendor;
		const struct settle s = made(&reserved, &report, 0);
		assert_string_equal(s.model_id, served[i].want_model);
		if (served[i].want_vendor == NULL) {
			assert_null(s.vendor_id);
		} else {
			assert_string_equal(s.vendor_id, served[i].want_vendor);
		}
		assert_int_equal(settle_honoured(&s), served[i].honoured);
		assert_int_equal(settle_moved(&s), served[i].moved);
	}
}

static void
what_is_not_known_of_a_call_is_no_breach(void **state)
{
	const struct reservation nameless = { .decision = ACTION_ALLOW };
	struct body_report report = said();

	(void)state;
	struct settle s = made(&nameless, &report, 0);
	assert_null(s.model_id);
	assert_null(s.model);
	assert_true(settle_honoured(&s));
	assert_false(settle_moved(&s));
	report.served_model_id = "big";
	s = made(&nameless, &report, 0);
	assert_string_equal(s.vendor_id, "openai");
	assert_true(settle_honoured(&s));
	assert_true(settle_moved(&s));
}

static void
a_refused_call_is_never_honoured(void **state)
{
	struct reservation r = reserved;
	struct body_report report = said();

	(void)state;
	r.decision = ACTION_BLOCK;
	const struct settle s = made(&r, &report, 0);
	assert_true(s.refused);
	assert_false(settle_honoured(&s));
	assert_false(settle_moved(&s));
}

static const struct {
	const char *model;
	int64_t input, output, cost;
	int64_t unknown_per_mil;
	int64_t want_nanousd, want_tokens;
	bool missing;
} prices[] = {
	{ "small", 10, 20, -1, 0, 50000, 30, false },
	{ "small", 10, -1, -1, 0, 10000, 10, false },
	{ "small", -1, 20, -1, 0, 40000, 20, false },
	{ "small", 0, 0, -1, 0, 0, 0, false },
	{ "small", 10, 20, 7, 0, 7, 30, false },
	{ "small", -1, -1, 7, 0, 7, 700, false },
	{ "big", 1000, 1, -1, 0, 10030000, 1001, false },
	{ "big", 1001, 1, -1, 0, 20080000, 1002, false },
	/* without a price, that of what has none */
	{ "dim", 10, 10, -1, 60 * MONEY_ONE_USD, 1200000, 20, false },
	{ "none", 10, 10, -1, 60 * MONEY_ONE_USD, 1200000, 20, false },
	{ "dim", 10, 10, -1, MONEY_UNKNOWN, 1000000, 20, true },
};

static void
tokens_have_the_price_of_who_served(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
		struct body_report report = said();

		print_message("case %zu\n", i);
		report.served_model_id = prices[i].model;
		report.input_tokens = prices[i].input;
		report.output_tokens = prices[i].output;
		report.cost_nanousd = prices[i].cost;
		const struct settle s =
		    made(&reserved, &report, prices[i].unknown_per_mil);
		assert_int_equal(s.cost_nanousd, prices[i].want_nanousd);
		assert_int_equal(s.tokens, prices[i].want_tokens);
		assert_int_equal(s.missing, prices[i].missing);
	}
}

static void
a_call_has_failed_by_its_word_or_its_error(void **state)
{
	struct body_report report = said();

	(void)state;
	assert_false(settle_failed(&report));
	report.error = "e";
	assert_true(settle_failed(&report));
	report.success = BODY_SUCCESS_YES;
	assert_false(settle_failed(&report));
	report.success = BODY_SUCCESS_NO;
	report.error = NULL;
	assert_true(settle_failed(&report));
}

static void
budgets_change_leases_end_rates_grow(void **state)
{
	static const struct counter_entry entries[] = {
		{ .counter = 1,
		  .kind = COUNTER_BUDGET,
		  .unit = COUNTER_COST,
		  .alert = true,
		  .amount = 1000000 },
		{ .counter = 2,
		  .kind = COUNTER_BUDGET,
		  .unit = COUNTER_TOKENS,
		  .amount = 700 },
		{ .counter = 3, .kind = COUNTER_RATE, .amount = 1 },
		{ .counter = 4,
		  .kind = COUNTER_RATE,
		  .unit = COUNTER_TOKENS,
		  .amount = 700 },
		{ .counter = 5,
		  .kind = COUNTER_LEASE,
		  .unit = COUNTER_CALLS,
		  .amount = 1 },
		/* of another price, as before a settlement */
		{ .counter = 6,
		  .kind = COUNTER_BUDGET,
		  .unit = COUNTER_COST,
		  .amount = 40 },
	};
	struct arena *arena = arena_new(4096);
	struct reservation r = reserved;
	struct body_report report = said();
	struct settle_changes changes;

	(void)state;
	r.entries = entries;
	r.entries_n = 6;
	report.cost_nanousd = 40;
	report.input_tokens = 900;
	const struct settle s = made(&r, &report, 0);
	settle_change(&s, arena, &changes);
	assert_true(changes.counted);
	assert_int_equal(changes.n, 4);
	assert_int_equal(changes.entries[0].counter, 1);
	assert_int_equal(changes.entries[0].amount, 40 - 1000000);
	assert_false(changes.entries[0].alert);
	assert_int_equal(changes.entries[1].counter, 2);
	assert_int_equal(changes.entries[1].amount, 200);
	/* 200 more than the 700 that were estimated, at the report's time */
	assert_int_equal(changes.entries[2].counter, 4);
	assert_int_equal(changes.entries[2].amount, 200);
	assert_int_equal(changes.entries[2].from_s, s.at_us / 1000000);
	assert_int_equal(changes.entries[3].counter, 5);
	assert_int_equal(changes.entries[3].amount, -1);
	report.input_tokens = 600;
	const struct settle less = made(&r, &report, 0);
	settle_change(&less, arena, &changes);
	assert_int_equal(changes.n, 3);
	assert_int_equal(changes.entries[2].counter, 5);
	arena_free(arena);
}

/* Each differs from what says nothing, and from the others. */
static void
digests_tell_reports_apart(void **state)
{
	enum { N = 9 };
	unsigned char digests[N][RESERVATION_DIGEST_BYTES];
	struct body_report reports[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		reports[i] = said();
	}
	reports[1].input_tokens = 0;
	reports[2].output_tokens = 0;
	reports[3].cost_nanousd = 0;
	reports[4].latency_us = 0;
	reports[5].success = BODY_SUCCESS_YES;
	reports[6].error = "x";
	reports[7].served_model_id = "x";
	reports[8].served_vendor_id = "x";
	for (size_t i = 0; i < N; i++) {
		settle_digest(&reports[i], digests[i]);
		for (size_t k = 0; k < i; k++) {
			assert_memory_not_equal(digests[i], digests[k],
						sizeof(digests[i]));
		}
	}
	unsigned char again[RESERVATION_DIGEST_BYTES];
	settle_digest(&reports[3], again);
	assert_memory_equal(again, digests[3], sizeof(again));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_served_is_told_apart),
		cmocka_unit_test(what_is_not_known_of_a_call_is_no_breach),
		cmocka_unit_test(a_refused_call_is_never_honoured),
		cmocka_unit_test(tokens_have_the_price_of_who_served),
		cmocka_unit_test(a_call_has_failed_by_its_word_or_its_error),
		cmocka_unit_test(budgets_change_leases_end_rates_grow),
		cmocka_unit_test(digests_tell_reports_apart),
	};
	struct err err;

	if (digest_init(&err) != STATUS_OK) {
		return 1;
	}
	return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
