-- The sixteen policies that every installation begins with (docs/policies.md,
-- "The sixteen seed policies").
--
-- Idempotent: a policy that is there already, by id or by name, stays as it
-- is, so that what an operator has edited survives a second run.  Fifteen are
-- enabled, three of them in shadow.  Where a scope is not the user's, it is
-- because the number would say nothing about one user.

INSERT INTO policies (policy_id, name, category, priority, evaluation_type,
		      action_on_violation, mode, enabled, scope, applies_to,
		      constraints, description, message, tags, updated_by,
		      update_reason)
SELECT policy_id::uuid, name, category, priority, evaluation_type, action,
       mode, enabled, scope, applies_to::jsonb, constraints::jsonb,
       description, message, tags::text[], 'seed', 'first installation'
FROM (VALUES

-- ---- cost

('5eed0000-0000-4000-8000-000000000001', 'free-tier-daily-budget',
 'cost', 95, 'pre_flight', 'block', 'enforce', true, 'user',
 '{"user_tier": ["free"]}',
 '{"max_daily_cost": 1.0, "max_cost_per_request": 0.01, "reset_hour_utc": 0}',
 'A user of the free tier may spend one dollar a day (UTC), and one cent on '
 'any single request.',
 'This request is beyond the budget of the free tier. Ask for less output, '
 'choose a cheaper model, or come back tomorrow.',
 '{budget,free-tier}'),

('5eed0000-0000-4000-8000-000000000002', 'expensive-model-threshold',
 'cost', 70, 'pre_flight', 'warn', 'enforce', true, 'user', '{}',
 '{"max_cost_per_mil_tokens": 10, "warn_threshold": 5}',
 'Warns where a model costs more than 10 dollars per million tokens (the mean '
 'of its input and output price), and names cheaper ones that are permitted; '
 'says so from 5 dollars on.',
 'This model is expensive; see the alternatives in the details.',
 '{budget,model-choice}'),

('5eed0000-0000-4000-8000-000000000003', 'monthly-budget-cap',
 'cost', 60, 'continuous', 'warn', 'enforce', true, 'user', '{}',
 '{"max_monthly_cost": 100, "alert_threshold": 80}',
 'Watches what is spent in a calendar month: one alert at 80 dollars, a '
 'violation above 100. It is judged by the clock and never refuses a call.',
 NULL,
 '{budget,alert}'),

('5eed0000-0000-4000-8000-000000000004', 'request-cost-limit',
 'cost', 65, 'pre_flight', 'degrade', 'enforce', true, 'user', '{}',
 '{"max_cost_per_request": 0.05, "warn_threshold": 0.03}',
 'A request that is estimated to cost more than 5 cents goes to the cheapest '
 'permitted model of the same tier or a lower one; a warning from 3 cents on.',
 'This request is expensive on the model that was asked for.',
 '{budget,model-choice}'),

-- ---- vendor

('5eed0000-0000-4000-8000-000000000005', 'approved-vendors-only',
 'vendor', 80, 'pre_flight', 'block', 'enforce', true, 'user', '{}',
 '{"allowed_vendors": ["google", "anthropic", "openai"],
   "require_approval": true}',
 'Data goes to vendors under contract alone; another one needs an approved '
 'exemption.',
 'This vendor is not approved. Ask for an exemption, or choose a model of an '
 'approved vendor.',
 '{vendor,procurement}'),

('5eed0000-0000-4000-8000-000000000006', 'vendor-diversity-requirement',
 'vendor', 50, 'continuous', 'warn', 'shadow', true, 'global', '{}',
 '{"min_vendor_count": 2, "evaluation_window_hours": 24}',
 'At least two vendors are used within 24 hours, so that the failure of one '
 'is not the failure of all.',
 NULL,
 '{vendor,resilience}'),

('5eed0000-0000-4000-8000-000000000007', 'vendor-performance-baseline',
 'vendor', 40, 'post_execution', 'log', 'enforce', true, 'vendor', '{}',
 '{"min_success_rate": 0.95}',
 'Notes a vendor of whose calls fewer than 95 in 100 succeed.',
 NULL,
 '{vendor,quality}'),

-- ---- performance

('5eed0000-0000-4000-8000-000000000008', 'latency-sla-5-seconds',
 'performance', 75, 'post_execution', 'warn', 'enforce', true, 'model', '{}',
 '{"max_latency_ms": 5000, "p95_threshold_ms": 3000,
   "consecutive_violations_to_alert": 3}',
 'A call answers within 5 seconds, and 95 in 100 of a model''s within 3; the '
 'third slow one in a row raises an alert.',
 NULL,
 '{sla}'),

('5eed0000-0000-4000-8000-000000000009', 'minimum-throughput-requirement',
 'performance', 55, 'continuous', 'log', 'shadow', true, 'global', '{}',
 '{"min_requests_per_minute": 60, "evaluation_window_minutes": 5}',
 'Notes when fewer than 60 calls a minute come in over 5 minutes: something '
 'before the engine may be broken.',
 NULL,
 '{sla}'),

-- ---- behavioral

('5eed0000-0000-4000-8000-00000000000a', 'prompt-length-limit',
 'behavioral', 85, 'pre_flight', 'block', 'enforce', true, 'user', '{}',
 '{"max_prompt_length": 50000, "max_tokens_estimated": 12500,
   "warn_threshold": 40000}',
 'A prompt has at most 50,000 characters and is estimated at no more than '
 '12,500 tokens; a warning from 40,000 characters on.',
 'The prompt is too long. Shorten it, or send it in parts.',
 '{abuse}'),

('5eed0000-0000-4000-8000-00000000000b', 'user-rate-limit',
 'behavioral', 75, 'pre_flight', 'block', 'enforce', true, 'user', '{}',
 '{"max_requests_per_minute": 20, "max_requests_per_hour": 200,
   "max_requests_per_day": 1000}',
 'A user sends at most 20 requests in any minute, 200 in any hour and 1000 '
 'in any 24 hours.',
 'Too many requests. Wait as long as Retry-After says.',
 '{abuse,rate}'),

('5eed0000-0000-4000-8000-00000000000c', 'output-length-control',
 'behavioral', 60, 'pre_flight', 'warn', 'enforce', true, 'user', '{}',
 '{"max_output_tokens": 4096, "warn_threshold": 3000}',
 'Warns where more than 4096 output tokens are asked for; says so from 3000 '
 'on.',
 NULL,
 '{budget}'),

-- ---- data_residency

('5eed0000-0000-4000-8000-00000000000d', 'data-locality-us-only',
 'data_residency', 70, 'pre_flight', 'block', 'shadow', true, 'user', '{}',
 '{"allowed_regions": ["us-east", "us-west", "us-central"],
   "blocked_regions": ["eu", "asia", "other"]}',
 'Data stays in the United States; a model or endpoint whose region is not '
 'known does not pass. In shadow until every gateway names its regions.',
 'This request would leave the United States. Name a region there, or choose '
 'a model that is served there.',
 '{residency}'),

-- ---- compliance

('5eed0000-0000-4000-8000-00000000000e', 'mandatory-audit-logging',
 'compliance', 90, 'pre_flight', 'block', 'enforce', true, 'user', '{}',
 '{"require_correlation_id": true, "require_user_id": true,
   "log_all_requests": true, "retention_days": 90}',
 'Every request says who asks and carries a correlation id; every evaluation '
 'is recorded and kept for 90 days.',
 'Send user_id and correlation_id (or the header X-Request-ID) with every '
 'request.',
 '{audit}'),

('5eed0000-0000-4000-8000-00000000000f', 'pii-detection-alert',
 'compliance', 80, 'pre_flight', 'warn', 'enforce', true, 'user', '{}',
 '{"scan_for_pii": true,
   "pii_types": ["ssn", "credit_card", "email", "phone"],
   "action": "alert_and_redact"}',
 'Looks for social security numbers, card numbers, e-mail addresses and '
 'telephone numbers, warns, and answers with the text redacted.',
 'Personal data was found; send the redacted text.',
 '{privacy,pii}'),

('5eed0000-0000-4000-8000-000000000010', 'dev-mode-policy-bypass',
 'compliance', 10, 'pre_flight', 'log', 'enforce', false, 'user', '{}',
 '{"bypass_policies": ["expensive-model-threshold", "prompt-length-limit"],
   "require_dev_flag": true, "log_all_bypasses": true}',
 'In the environment development, and with dev_flag, the two named policies '
 'do not enforce; each bypass is recorded. Disabled until somebody wants it.',
 NULL,
 '{development}')

) v (policy_id, name, category, priority, evaluation_type, action, mode,
     enabled, scope, applies_to, constraints, description, message, tags)
ON CONFLICT DO NOTHING;
