/*
 * Every constraint: the keys of a policy's `constraints` object.
 *
 * CONSTRAINT(key, category, stages, type, low, high, by, check, doc)
 *   key       JSON key; enum CONSTRAINT_<key>
 *   category  a policy of another category that has it is refused; ANY
 *   stages    where it can be used: P pre_flight, R runtime,
 *             X post_execution, C continuous, and their combinations
 *   type      MONEY (dollars in JSON), COUNT, RATIO, FLAG, TEXTS (globs),
 *             THRESHOLD (MONEY in cost, COUNT elsewhere),
 *             NAMES (plain strings), WORDS (a word of the check's list),
 *             KEYWORDS, PATTERNS, TEXT, OBJECT
 *   low, high of a number, inclusive, in the JSON's unit; for TEXT and TEXTS
 *             the most bytes of one, the most elements
 *   by        MODEL: depends on the model, so degrade may be asked for;
 *             FIXED: does not.  PARAM: says nothing alone, it modifies the
 *             others of its policy
 *   check     core's function check_<check>, or `none` for a PARAM,
 *             `counted` for a row of core/counter.tbl.h, or
 *             `not_built`: answers not_evaluated until its issue is done
 *   doc       one line for docs/policies.md
 */
/* cost */
CONSTRAINT(max_cost_per_request, COST, P, MONEY, 0, 1000000, MODEL,
	   cost_per_request, "most that one request may be estimated to cost")
CONSTRAINT(max_cost_per_mil_tokens, COST, P, MONEY, 0, 1000000, MODEL,
	   model_price, "highest mean price per million tokens of the model")
CONSTRAINT(warn_threshold, ANY, PRXC, THRESHOLD, 0, 1e12, PARAM, none,
	   "at or above it a warning is given; unit of what it belongs to")
CONSTRAINT(max_daily_cost, COST, P, MONEY, 0, 1000000000, MODEL, counted,
	   "budget of a subject in a day")
CONSTRAINT(max_weekly_cost, COST, PC, MONEY, 0, 1000000000, MODEL, counted,
	   "budget of a subject in an ISO week")
CONSTRAINT(max_monthly_cost, COST, PC, MONEY, 0, 1000000000, MODEL, counted,
	   "budget of a subject in a calendar month")
CONSTRAINT(max_daily_tokens, COST, P, COUNT, 0, 1000000000000, FIXED,
	   counted, "tokens of a subject in a day")
CONSTRAINT(max_monthly_tokens, COST, P, COUNT, 0, 1000000000000, FIXED,
	   counted, "tokens of a subject in a calendar month")
CONSTRAINT(alert_threshold, COST, PC, MONEY, 0, 1000000000, PARAM, none,
	   "spend at which one budget_alert is raised a window")
CONSTRAINT(reset_hour_utc, COST, PC, COUNT, 0, 23, PARAM, none,
	   "hour at which a budget's day begins")
CONSTRAINT(timezone, COST, PC, TEXT, 64, 1, PARAM, none,
	   "IANA zone whose midnight begins a budget's day")
CONSTRAINT(unknown_price, COST, P, WORDS, 0, 0, MODEL, unknown_price,
	   "what a model without a price means: block, estimate or allow")
/* vendor */
CONSTRAINT(allowed_vendors, VENDOR, P, TEXTS, 256, 1000, MODEL, vendors,
	   "vendors that may be used; an empty list restricts nothing")
CONSTRAINT(blocked_vendors, VENDOR, P, TEXTS, 256, 1000, MODEL, vendors,
	   "vendors that may not be used; wins over allowed")
CONSTRAINT(allowed_models, VENDOR, P, TEXTS, 256, 1000, MODEL, models,
	   "models that may be used; an empty list restricts nothing")
CONSTRAINT(blocked_models, VENDOR, P, TEXTS, 256, 1000, MODEL, models,
	   "models that may not be used; wins over allowed")
CONSTRAINT(require_approval, VENDOR, P, FLAG, 0, 0, PARAM, none,
	   "an unlisted vendor passes with a valid exemption")
CONSTRAINT(min_vendor_count, VENDOR, C, COUNT, 1, 1000, FIXED, not_built,
	   "fewest vendors used in the window")
CONSTRAINT(max_vendor_share, VENDOR, C, RATIO, 0, 1, FIXED, not_built,
	   "largest share of calls that one vendor may have in the window")
CONSTRAINT(min_success_rate, VENDOR, X, RATIO, 0, 1, FIXED, not_built,
	   "lowest share of successful calls in the window")
CONSTRAINT(evaluation_window_hours, VENDOR, XC, COUNT, 1, 8760, PARAM, none,
	   "window in hours")
CONSTRAINT(track_latency, VENDOR, X, FLAG, 0, 0, PARAM, none,
	   "slow calls count as not successful")
CONSTRAINT(track_errors, VENDOR, X, FLAG, 0, 0, PARAM, none,
	   "failed calls count as not successful")
CONSTRAINT(min_samples, ANY, XC, COUNT, 1, 1000000, PARAM, none,
	   "fewest calls before a rate or percentile is judged")
/* behavioral */
CONSTRAINT(max_prompt_length, BEHAVIORAL, P, COUNT, 0, 1000000000, FIXED,
	   prompt_length, "most Unicode characters of all text")
CONSTRAINT(max_tokens_estimated, BEHAVIORAL, P, COUNT, 0, 1000000000000, FIXED,
	   tokens_estimated, "most tokens that the request may be estimated at")
CONSTRAINT(max_output_tokens, BEHAVIORAL, PX, COUNT, 0, 1000000000000, FIXED,
	   output_tokens, "most output tokens asked for")
CONSTRAINT(max_requests_per_minute, BEHAVIORAL, P, COUNT, 1, 1000000000, FIXED,
	   counted, "requests of a subject in any 60 seconds")
CONSTRAINT(max_requests_per_hour, BEHAVIORAL, P, COUNT, 1, 1000000000, FIXED,
	   counted, "requests of a subject in any 60 minutes")
CONSTRAINT(max_requests_per_day, BEHAVIORAL, P, COUNT, 1, 1000000000, FIXED,
	   counted, "requests of a subject in any 24 hours")
CONSTRAINT(max_tokens_per_minute, BEHAVIORAL, P, COUNT, 1, 1000000000000,
	   FIXED, counted, "tokens of a subject in any 60 seconds")
CONSTRAINT(max_parallel_requests, BEHAVIORAL, P, COUNT, 1, 1000000, FIXED,
	   counted, "calls of a subject that may be open at once")
CONSTRAINT(blocked_keywords, BEHAVIORAL, PRX, KEYWORDS, 256, 10000, FIXED,
	   content, "whole words that no text may hold, any case, folded")
CONSTRAINT(blocked_patterns, BEHAVIORAL, PRX, PATTERNS, 1024, 1000, FIXED,
	   content, "regular expressions that no text may match")
CONSTRAINT(moderation, BEHAVIORAL, PRX, OBJECT, 0, 0, FIXED, not_built,
	   "provider and thresholds of content moderation")
CONSTRAINT(max_injection_score, BEHAVIORAL, PRX, RATIO, 0, 1, FIXED, not_built,
	   "highest score of prompt injection")
/* performance */
CONSTRAINT(max_latency_ms, PERFORMANCE, PX, COUNT, 1, 86400000, MODEL,
	   not_built, "slowest call")
CONSTRAINT(p95_threshold_ms, PERFORMANCE, PX, COUNT, 1, 86400000, MODEL,
	   not_built, "highest 95th percentile of a model in the window")
CONSTRAINT(consecutive_violations_to_alert, PERFORMANCE, PX, COUNT, 1, 1000000,
	   PARAM, none, "the n-th slow call in a row raises one sla_alert")
CONSTRAINT(min_requests_per_minute, PERFORMANCE, C, COUNT, 1, 1000000000,
	   FIXED, not_built, "fewest calls a minute in the window")
CONSTRAINT(evaluation_window_minutes, PERFORMANCE, PXC, COUNT, 1, 525600,
	   PARAM, none, "window in minutes")
/* data_residency */
CONSTRAINT(allowed_regions, DATA_RESIDENCY, P, TEXTS, 64, 1000, MODEL, regions,
	   "regions or groups where data may go")
CONSTRAINT(blocked_regions, DATA_RESIDENCY, P, TEXTS, 64, 1000, MODEL, regions,
	   "regions or groups where data may not go; wins over allowed")
CONSTRAINT(allow_unknown_region, DATA_RESIDENCY, P, FLAG, 0, 0, PARAM, none,
	   "an unknown or global region passes an allowed list")
/* compliance */
CONSTRAINT(require_correlation_id, COMPLIANCE, PRX, FLAG, 0, 0, FIXED,
	   correlation_id, "a correlation id must be sent")
CONSTRAINT(require_user_id, COMPLIANCE, PRX, FLAG, 0, 0, FIXED, user_id,
	   "a user id must be known")
CONSTRAINT(log_all_requests, COMPLIANCE, PRXC, FLAG, 0, 0, PARAM, none,
	   "every evaluation is recorded; one that cannot be is an error")
CONSTRAINT(retention_days, COMPLIANCE, PRXC, COUNT, 1, 36500, PARAM, none,
	   "records are kept at least this long")
CONSTRAINT(scan_for_pii, COMPLIANCE, PRX, FLAG, 0, 0, FIXED, not_built,
	   "look for personal data")
CONSTRAINT(pii_types, COMPLIANCE, PRX, NAMES, 64, 100, PARAM, none,
	   "kinds of personal data, or all")
CONSTRAINT(min_confidence, COMPLIANCE, PRX, RATIO, 0, 1, PARAM, none,
	   "least score of a finding")
CONSTRAINT(action, COMPLIANCE, PRX, WORDS, 0, 0, PARAM, none,
	   "alert, redact or alert_and_redact")
CONSTRAINT(scan_for_secrets, COMPLIANCE, PRX, FLAG, 0, 0, FIXED, not_built,
	   "look for secrets")
CONSTRAINT(bypass_policies, COMPLIANCE, P, NAMES, 256, 1000, FIXED, bypass,
	   "policies that do not enforce in development")
CONSTRAINT(require_dev_flag, COMPLIANCE, P, FLAG, 0, 0, PARAM, none,
	   "a bypass needs the context's dev_flag")
CONSTRAINT(log_all_bypasses, COMPLIANCE, P, FLAG, 0, 0, PARAM, none,
	   "each bypass is recorded as a violation of this policy")
