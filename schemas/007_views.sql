-- 007 views: what the records say, for people and dashboards.
--
-- Days are days of UTC.  security_invoker: a view shows a role no more than
-- its tables would.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

CREATE VIEW policy_executions WITH (security_invoker = true) AS
SELECT e.evaluation_id, e."timestamp", v.policy_id,
       v.version AS policy_version, v.document->>'name' AS policy_name,
       v.document->>'mode' AS mode,
       (ARRAY['passed', 'warned', 'violated', 'not_evaluated', 'skipped'])
	[(x.execution & 7) + 1] AS result,
       e.evaluation_type, e.decision,
       e.user_id, e.user_tier, e.team_id, e.organization_id, e.environment,
       e.original_model, e.vendor_id, e.policy_revision, e.evaluation_time_ms
FROM evaluations e
CROSS JOIN LATERAL unnest(e.executions) AS x (execution)
JOIN policy_versions v ON v.policy_version_id = x.execution >> 3;
COMMENT ON VIEW policy_executions IS
	'a row per policy that an evaluation tried, with what it came to';

CREATE VIEW policy_performance_stats WITH (security_invoker = true) AS
WITH executed AS (
	SELECT policy_id, max(policy_name) AS policy_name,
	       count(*) AS evaluations,
	       count(*) FILTER (WHERE result = 'violated') AS violated,
	       count(*) FILTER (WHERE result = 'not_evaluated')
			AS not_evaluated,
	       avg(evaluation_time_ms) AS mean_ms,
	       percentile_cont(0.95) WITHIN GROUP (ORDER BY evaluation_time_ms)
			AS p95_ms,
	       max("timestamp") AS last_seen
	FROM policy_executions
	GROUP BY policy_id
), violated AS (
	SELECT policy_id, max(policy_name) AS policy_name,
	       count(*) AS violations,
	       count(*) FILTER (WHERE enforced AND action_taken = 'blocked')
			AS blocks,
	       max("timestamp") AS last_violation
	FROM policy_violations
	GROUP BY policy_id
)
SELECT coalesce(p.policy_id, x.policy_id, v.policy_id) AS policy_id,
       coalesce(p.name, x.policy_name, v.policy_name) AS policy_name,
       p.category, p.mode, p.enabled AND p.deleted_at IS NULL AS active,
       coalesce(x.evaluations, 0) AS evaluations,
       coalesce(x.not_evaluated, 0) AS not_evaluated,
       coalesce(v.violations, 0) AS violations,
       round(x.violated::numeric / x.evaluations, 4) AS violation_rate,
       coalesce(v.blocks, 0) AS blocks,
       round(x.mean_ms, 3) AS mean_evaluation_time_ms,
       round(x.p95_ms::numeric, 3) AS p95_evaluation_time_ms,
       greatest(x.last_seen, v.last_violation) AS last_seen,
       v.last_violation
FROM policies p
FULL JOIN executed x ON x.policy_id = p.policy_id
FULL JOIN violated v ON v.policy_id = coalesce(p.policy_id, x.policy_id);
COMMENT ON VIEW policy_performance_stats IS
	'per policy: how often tried, how often violated, how fast';
COMMENT ON COLUMN policy_performance_stats.violations IS
	'rows of policy_violations; one evaluation may have several';
COMMENT ON COLUMN policy_performance_stats.violation_rate IS
	'share of its evaluations with a violation; null: never evaluated';
COMMENT ON COLUMN policy_performance_stats.mean_evaluation_time_ms IS
	'of the whole evaluations that it took part in';

CREATE VIEW policy_violation_summary WITH (security_invoker = true) AS
SELECT policy_id, max(policy_name) AS policy_name, category, severity,
       action_taken, count(*) AS violations,
       count(*) FILTER (WHERE NOT resolved) AS open,
       count(*) FILTER (WHERE resolved) AS resolved,
       count(*) FILTER (WHERE NOT enforced) AS not_enforced,
       min("timestamp") AS first_seen, max("timestamp") AS last_seen,
       coalesce(sum(cost_impact), 0) AS cost_impact
FROM policy_violations
GROUP BY policy_id, category, severity, action_taken;
COMMENT ON VIEW policy_violation_summary IS
	'per policy, category, severity and action: how many, how many open, '
	'and what they cost or saved';

CREATE VIEW daily_compliance_report WITH (security_invoker = true) AS
WITH evaluated AS (
	SELECT ("timestamp" AT TIME ZONE 'UTC')::date AS day,
	       count(*) AS evaluations,
	       count(*) FILTER (WHERE passed) AS passed,
	       count(*) FILTER (WHERE decision = 'allow') AS allowed,
	       count(*) FILTER (WHERE decision = 'log') AS logged,
	       count(*) FILTER (WHERE decision = 'warn') AS warned,
	       count(*) FILTER (WHERE decision = 'degrade') AS degraded,
	       count(*) FILTER (WHERE decision = 'block') AS blocked,
	       coalesce(sum(final_cost) FILTER (WHERE decision <> 'block'), 0)
			AS cost_estimate,
	       coalesce(sum(estimated_cost - final_cost)
			FILTER (WHERE decision = 'degrade'), 0) AS cost_saved
	FROM evaluations
	GROUP BY 1
), violated AS (
	SELECT ("timestamp" AT TIME ZONE 'UTC')::date AS day,
	       count(*) AS violations,
	       count(*) FILTER (WHERE severity = 'critical') AS critical,
	       count(*) FILTER (WHERE severity = 'high') AS high,
	       count(*) FILTER (WHERE severity = 'medium') AS medium,
	       count(*) FILTER (WHERE severity = 'low') AS low,
	       count(*) FILTER (WHERE NOT enforced) AS not_enforced,
	       count(*) FILTER (WHERE resolved) AS resolved
	FROM policy_violations
	GROUP BY 1
)
SELECT day, coalesce(evaluations, 0) AS evaluations,
       coalesce(allowed, 0) AS allowed, coalesce(logged, 0) AS logged,
       coalesce(warned, 0) AS warned, coalesce(degraded, 0) AS degraded,
       coalesce(blocked, 0) AS blocked,
       coalesce(violations, 0) AS violations,
       coalesce(critical, 0) AS violations_critical,
       coalesce(high, 0) AS violations_high,
       coalesce(medium, 0) AS violations_medium,
       coalesce(low, 0) AS violations_low,
       coalesce(not_enforced, 0) AS violations_not_enforced,
       coalesce(resolved, 0) AS violations_resolved,
       coalesce(cost_estimate, 0) AS cost_estimate,
       coalesce(cost_saved, 0) AS cost_saved,
       round(passed::numeric / evaluations, 4) AS compliance_rate
FROM evaluated FULL JOIN violated USING (day);
COMMENT ON VIEW daily_compliance_report IS
	'per day (UTC): decisions, violations by severity, money';
COMMENT ON COLUMN daily_compliance_report.cost_estimate IS
	'dollars, of what was let through, on the model that was to run';
COMMENT ON COLUMN daily_compliance_report.cost_saved IS
	'dollars, by degrading';
COMMENT ON COLUMN daily_compliance_report.compliance_rate IS
	'share of evaluations without an enforced violation';

GRANT SELECT ON policy_executions, policy_performance_stats,
	policy_violation_summary, daily_compliance_report TO ims_policy_api;
