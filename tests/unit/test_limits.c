#include "engine/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 6 };

#define S INT64_C(1000000)
#define DAY (86400 * S)

/* A decision with a charge of each kind. */
struct parts {
	struct policy policies[ROWS];
	struct charge charges[ROWS];
	struct charged charged[ROWS];
	struct execution executions[ROWS];
	struct decision decision;
	struct arena *arena;
};

static void
fill(struct parts *p, size_t i, const char *name, enum constraint_key key)
{
	p->policies[i] = (struct policy){ .policy_id = "p",
					  .name = name,
					  .scope = SCOPE_USER };
	p->charges[i] = (struct charge){ .policy = &p->policies[i],
					 .row = counter_row(key),
					 .mode = CHARGE_LIMITS,
					 .limit = 20 };
	p->charged[i] = (struct charged){ .result = CHARGE_FITS,
					  .taken = true,
					  .remaining = 19,
					  .reset_us = 1000 * S + 1 };
	p->executions[i] = (struct execution){ .policy = &p->policies[i] };
}

static void
begin(struct parts *p)
{
	*p = (struct parts){ .arena = arena_new(4096) };
	fill(p, 0, "money", CONSTRAINT_max_daily_cost);
	p->charges[0].limit = 1234567890;
	p->charged[0].remaining = 1999;
	p->charges[0].window = (struct window){ 0, DAY + 3600 * S };
	p->charged[0].reset_us = DAY;
	fill(p, 1, "rate", CONSTRAINT_max_requests_per_minute);
	fill(p, 2, "rate", CONSTRAINT_max_tokens_per_minute);
	fill(p, 3, "open", CONSTRAINT_max_parallel_requests);
	fill(p, 4, "a \"b\\c\"", CONSTRAINT_max_requests_per_hour);
	fill(p, 5, "caf\xc3\xa9", CONSTRAINT_max_monthly_tokens);
	p->charges[5].window = (struct window){ 0, 28 * DAY };
	p->decision = (struct decision){ .charges = p->charges,
					 .charged = p->charged,
					 .charges_n = ROWS,
					 .executions = p->executions,
					 .executions_n = ROWS,
					 .taken = true };
}

static void
rates_come_first_in_both_fields(void **state)
{
	struct parts p;

	(void)state;
	begin(&p);
	const struct limits_headers got =
	    limits_headers(&p.decision, 1000 * S, p.arena);
	assert_string_equal(got.policy,
			    "\"rate.minute\";q=20;w=60, "
			    "\"rate.minute.tokens\";q=20;qu=\"tokens\";w=60, "
			    "\"a \\\"b\\\\c\\\".hour\";q=20;w=3600, "
			    "\"open.open\";q=20;qu=\"concurrent-requests\", "
			    "\"money.day\";q=1234567;qu=\"micro-usd\";w=90000, "
			    "\"p.month.tokens\";q=20;qu=\"tokens\";w=2419200");
	assert_string_equal(got.limit, "\"rate.minute\";r=19;t=1, "
				       "\"rate.minute.tokens\";r=19;t=1, "
				       "\"a \\\"b\\\\c\\\".hour\";r=19;t=1, "
				       "\"open.open\";r=19;t=1, "
				       "\"money.day\";r=1;t=85400, "
				       "\"p.month.tokens\";r=19;t=1");
	arena_free(p.arena);
}

/* What says nothing about when the next call is refused. */
static void
what_does_not_limit_is_not_told(void **state)
{
	struct parts p;

	(void)state;
	begin(&p);
	p.policies[1].mode = MODE_SHADOW;
	p.charges[1].mode = CHARGE_FOLLOWS;
	p.executions[2].excused = "exemption";
	p.charges[2].mode = CHARGE_PASSES;
	p.charged[3].result = CHARGE_UNKNOWN;
	p.policies[5].policy_id = "\n";	   /* nor a name for a field */
	p.charges[4].mode = CHARGE_PASSES; /* warn: told, but no quota */
	const struct limits_headers got =
	    limits_headers(&p.decision, 2000 * S, p.arena);
	assert_string_equal(got.limit, "\"money.day\";r=1;t=84400");
	struct buf out = { 0 };
	struct json_writer w;
	p.decision.charges_n = 5;
	json_write_init(&w, &out);
	limits_write(&w, &p.decision);
	json_write_end(&w);
	assert_string_equal(
	    buf_text(&out),
	    "[{\"policy_name\":\"money\",\"scope\":\"user\","
	    "\"constraint\":\"max_daily_cost\",\"window\":\"day\","
	    "\"unit\":\"USD\",\"limit\":1.23456789,"
	    "\"remaining\":0.000001999,"
	    "\"reset_at\":\"1970-01-02T00:00:00.000000Z\"},"
	    "{\"policy_name\":\"a \\\"b\\\\c\\\"\",\"scope\":\"user\","
	    "\"constraint\":\"max_requests_per_hour\",\"window\":\"hour\","
	    "\"unit\":\"requests\",\"limit\":20,\"remaining\":19,"
	    "\"reset_at\":\"1970-01-01T00:16:40.000001Z\"}]");
	buf_fini(&out);
	p.decision.charges_n = 0;
	assert_null(limits_headers(&p.decision, 0, p.arena).policy);
	arena_free(p.arena);
}

static void
fields_stay_short_and_numbers_fit(void **state)
{
	enum { MANY = 400 };
	static struct policy policy = { .name = "a policy of many" };
	static struct charge charges[MANY];
	static struct charged charged[MANY];
	struct decision decision = { .charges = charges,
				     .charged = charged,
				     .charges_n = MANY };
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		charges[i] = (struct charge){
			.policy = &policy,
			.row = counter_row(CONSTRAINT_max_tokens_per_minute),
			.limit = INT64_MAX,
		};
		charged[i] = (struct charged){ .remaining = INT64_MAX };
	}
	const struct limits_headers got = limits_headers(&decision, 0, arena);
	assert_true(strlen(got.policy) <= LIMITS_HEADER_BYTES);
	assert_true(strlen(got.policy) > LIMITS_HEADER_BYTES / 2);
	assert_non_null(strstr(got.policy, ";q=999999999999999;"));
	size_t policies_n = 0, limits_n = 0;
	for (const char *at = got.policy; (at = strstr(at, ";q=")); at++) {
		policies_n++;
	}
	for (const char *at = got.limit; (at = strstr(at, ";r=")); at++) {
		limits_n++;
	}
	assert_int_equal(policies_n, limits_n);
	assert_int_equal(got.policy[strlen(got.policy) - 1], '0');
	arena_free(arena);
}

/* Two charges that refuse, when each would fit, and the answer's seconds. */
static const struct {
	enum action action;
	enum charge_mode mode;
	enum charge_result results[2];
	int64_t retry_us[2];
	int64_t want;
} retries[] = {
	{ ACTION_BLOCK,
	  CHARGE_LIMITS,
	  { CHARGE_OVER, CHARGE_FITS },
	  { 1001 * S, 0 },
	  1 },
	{ ACTION_BLOCK,
	  CHARGE_LIMITS,
	  { CHARGE_OVER, CHARGE_FITS },
	  { 1001 * S + 1, 0 },
	  2 },
	{ ACTION_BLOCK,
	  CHARGE_LIMITS,
	  { CHARGE_OVER, CHARGE_OVER },
	  { 1001 * S, 1060 * S },
	  60 },
	{ ACTION_BLOCK,
	  CHARGE_LIMITS,
	  { CHARGE_OVER, CHARGE_OVER },
	  { 1001 * S, INT64_MAX },
	  -1 },
	{ ACTION_BLOCK,
	  CHARGE_LIMITS,
	  { CHARGE_OVER, CHARGE_FITS },
	  { 1000 * S, 0 },
	  1 },
	{ ACTION_BLOCK,
	  CHARGE_LIMITS,
	  { CHARGE_UNKNOWN, CHARGE_FITS },
	  { 1001 * S, 0 },
	  -1 },
	{ ACTION_BLOCK,
	  CHARGE_PASSES,
	  { CHARGE_OVER, CHARGE_FITS },
	  { 1001 * S, 0 },
	  -1 },
	{ ACTION_WARN,
	  CHARGE_LIMITS,
	  { CHARGE_OVER, CHARGE_FITS },
	  { 1001 * S, 0 },
	  -1 },
};

static void
says_when_waiting_helps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++) {
		struct parts p;

		print_message("case %zu\n", i);
		begin(&p);
		p.decision.taken = false;
		p.decision.action = retries[i].action;
		p.decision.charges_n = 2;
		for (int k = 0; k < 2; k++) {
			p.charges[k].mode = retries[i].mode;
			p.charged[k].result = retries[i].results[k];
			p.charged[k].retry_us = retries[i].retry_us[k];
		}
		assert_int_equal(limits_retry_after(&p.decision, 1000 * S),
				 retries[i].want);
		p.decision.taken = true;
		assert_int_equal(limits_retry_after(&p.decision, 1000 * S), -1);
		arena_free(p.arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_come_first_in_both_fields),
		cmocka_unit_test(what_does_not_limit_is_not_told),
		cmocka_unit_test(fields_stay_short_and_numbers_fit),
		cmocka_unit_test(says_when_waiting_helps),
	};
	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
