/*
 * Every constraint that counts.
 *
 * COUNTED(key, kind, unit, window, alerts, violation, message)
 *   key        of core/constraint.tbl.h
 *   kind       RATE: a rolling window; BUDGET: a calendar window, settled
 *              afterwards; LEASE: how many are open at once
 *   unit       REQUESTS, TOKENS, COST or CALLS: what one call adds
 *   window     MINUTE, HOUR, DAY, WEEK, MONTH or OPEN (core/window.h)
 *   alerts     1: the policy's alert_threshold belongs to it
 *   violation  violation_type
 *   message    for a person
 */
COUNTED(max_daily_cost, BUDGET, COST, DAY, 0, "daily_budget_exceeded",
	"the budget of the day would be exceeded")
COUNTED(max_weekly_cost, BUDGET, COST, WEEK, 1, "weekly_budget_exceeded",
	"the budget of the week would be exceeded")
COUNTED(max_monthly_cost, BUDGET, COST, MONTH, 1, "monthly_budget_exceeded",
	"the budget of the month would be exceeded")
COUNTED(max_daily_tokens, BUDGET, TOKENS, DAY, 0, "token_budget_exceeded",
	"the token budget of the day would be exceeded")
COUNTED(max_monthly_tokens, BUDGET, TOKENS, MONTH, 0, "token_budget_exceeded",
	"the token budget of the month would be exceeded")
COUNTED(max_requests_per_minute, RATE, REQUESTS, MINUTE, 0,
	"rate_limit_exceeded", "too many requests in a minute")
COUNTED(max_requests_per_hour, RATE, REQUESTS, HOUR, 0, "rate_limit_exceeded",
	"too many requests in an hour")
COUNTED(max_requests_per_day, RATE, REQUESTS, DAY, 0, "rate_limit_exceeded",
	"too many requests in a day")
COUNTED(max_tokens_per_minute, RATE, TOKENS, MINUTE, 0, "rate_limit_exceeded",
	"too many tokens in a minute")
COUNTED(max_parallel_requests, LEASE, CALLS, OPEN, 0,
	"too_many_parallel_requests", "too many calls are open at once")
