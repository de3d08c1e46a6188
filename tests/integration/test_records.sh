#!/bin/bash
# The recorded tables: months and their partitions, retention, COPY as the
# housekeeper does it, resolutions, the plan of every documented filter, views.
# Needs no engine.
: "${IMS_PREFIX:=$(dirname "$0")}"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_schema.sh"

# month N: the name's end of the month N months from now (UTC).
month()
{
	sql "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC')
			    + $1 * interval '1 month', 'YYYY_MM')"
}

# uuid_at TIME: SQL for a UUIDv7 of that time.
uuid_at()
{
	printf "(left(uuid7_floor(%s)::text, 15) || %s)::uuid" "$1" \
		"right(gen_random_uuid()::text, 21)"
}

# ---- UUIDs and time

uuids()
{
	# RFC 9562, appendix A.6
	is "$(sql "SELECT uuid7_floor('2022-02-22 19:22:22+00'),
			  uuid7_time('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
			  AT TIME ZONE 'UTC'")" \
		"017f22e2-79b0-7000-8000-000000000000|2022-02-22 19:22:22" \
		"the time of a UUIDv7, both ways"
	is "$(sql "SELECT uuid7_floor('2022-02-22 19:22:22.0009+00') =
			  uuid7_floor('2022-02-22 19:22:22+00'),
			  uuid7_floor('2022-02-22 19:22:22.001+00') >
			  uuid7_floor('2022-02-22 19:22:22+00')")" "t|t" \
		"a floor is a millisecond's"
	is "$(sql "SELECT uuid7_floor('-infinity'), uuid7_floor('1969-01-01Z'),
			  uuid7_floor('infinity'), uuid7_floor(NULL)")" \
"00000000-0000-7000-8000-000000000000|00000000-0000-7000-8000-000000000000|ffffffff-ffff-7000-8000-000000000000|" \
		"what no UUIDv7 can say is its first or last"
	is "$(sql "SELECT provolatile FROM pg_proc
		   WHERE proname IN ('uuid7_floor', 'uuid7_time')")" "i
i" "both are immutable"
	is "$(PGTZ=Asia/Kathmandu sql "SELECT uuid7_floor(
		'2026-03-29 01:30:00+00')")" \
		"$(PGTZ=America/New_York sql "SELECT uuid7_floor(
		'2026-03-29 01:30:00+00')")" "in any time zone"
}

# ---- COPY

columns()
{
	sed -nE "s/^$1\((.*)\)\$/\"\1\"/p" "$ROOT/include/record/row.tbl.h" |
		paste -sd, -
}

# copy ROLE TABLE MACRO: lines from standard input.
copy()
{
	psql -X -q -v ON_ERROR_STOP=1 -d "$(conninfo "ims_dev_$1" ims_policy)" \
		-c "COPY $2 ($(columns "$3")) FROM STDIN" 2>&1
}

# evaluation ID: a line with every column.
evaluation()
{
	printf '%s\t2026-11-23T05:00:00.123456Z\tpre_flight\tdegrade\tf\tann\tfree\tred\torg\tkey\tsess\tcorr\treq\tproduction\tus-east\tgpt-5\topenai\tgpt-4o-mini\topenai\t10\t\\N\t500\t2000\t0.1875\t0.000000001\t42\t2\t1\t0.083\t{34}\t[]\t{"a": "tab \\\\t"}\n' "$1"
}

violation()
{
	printf '%s\t01a1e000-0000-7000-8000-000000000001\t2026-11-23T05:00:00Z\t5eed0000-0000-4000-8000-000000000004\t1\trequest-cost-limit\tcost\tpre_flight\tcost_per_request_exceeded\tmedium\tenforce\tt\tdegraded\t{"observed": 0.1875, "limit": 0.05, "unit": "USD"}\ttoo dear\t%s\tfree\tred\torg\tkey\tsess\tcorr\treq\tproduction\tgpt-5\topenai\tgpt-4o-mini\t0.1875\t65.0\t0.083\t\\N\n' "$1" "$2"
}

copies()
{
	local id=01a1e000-0000-7000-8000-000000000001
	is "$(evaluation $id | copy keeper evaluations EVALUATION)" "" \
		"the housekeeper copies an evaluation"
	is "$(violation $id ann | copy keeper policy_violations VIOLATION)" "" \
		"and a violation"
	is "$(sql "SELECT estimated_cost, final_cost, evaluation_time_ms,
			  estimated_tokens IS NULL, metadata->>'a',
			  \"timestamp\" AT TIME ZONE 'UTC'
		   FROM evaluations WHERE evaluation_id = '$id'")" \
		"0.1875|0.000000001|0.083|t|tab 	|2026-11-23 05:00:00.123456" \
		"nothing is lost on the way"
	is "$(sql "SELECT resolved, disposition IS NULL FROM policy_violations
		   WHERE violation_id = '$id'")" "f|t" "a violation is open at first"
	like "$(evaluation $id | copy keeper evaluations EVALUATION)" \
		'duplicate key' "the same id is refused a second time"
	# 54000 (an index row too long) would stop all that come after it.
	like "$(violation 01a1e000-0000-7000-8000-000000000002 \
		"$(head -c 4000 /dev/urandom | base64 -w 0)" |
		copy keeper policy_violations VIOLATION)" \
		'check constraint' "a text too long for an index is an error of the data"
	is "$(violation 01a1e000-0000-7000-8000-000000000003 \
		"$(printf '\360\237\220\230%.0s' {1..256})" |
		copy keeper policy_violations VIOLATION)" "" \
		"256 characters of four bytes are not too long"
	sql "TRUNCATE evaluations, policy_violations"
}

# ---- partitions

has_partition()
{
	sql "SELECT to_regclass('$1') IS NOT NULL"
}

partitions()
{
	local n
	for n in 0 1 2 3; do
		is "$(has_partition "evaluations_$(month "$n")")$(
		    has_partition "policy_violations_$(month "$n")")$(
		    has_partition "usage_$(month "$n")")" ttt \
			"the migrations make the month $n from now"
	done
	is "$(has_partition "evaluations_$(month 4)")" f "and no later one"
	is "$(as keeper "SELECT partitions_ensure(3)")" 0 \
		"partitions_ensure has nothing to do then"
	is "$(as keeper "SELECT partitions_ensure(5)")" 6 \
		"two months more are two partitions a table"
	state keeper 22023 "SELECT partitions_ensure(-1)" "-1 months is no number"
	state keeper 22023 "SELECT partitions_ensure(NULL)" "nor is null"
	is "$(sql "SELECT count(*) FROM pg_inherits i
		   JOIN pg_index x ON x.indrelid = i.inhrelid
		   WHERE inhparent = 'policy_violations'::regclass
		   GROUP BY inhrelid HAVING count(*) <>
		     (SELECT count(*) FROM pg_index
		      WHERE indrelid = 'policy_violations'::regclass)")" "" \
		"every partition has every index"
	fallen
	locked
}

fallen()
{
	local far=fffffff0-0000-4000-8000-000000000001
	sql "INSERT INTO evaluations (evaluation_id, \"timestamp\",
			evaluation_type, decision, passed)
	     SELECT id, now(), 'pre_flight', 'allow', true FROM (
		SELECT $(uuid_at "now() + interval '7 months'") UNION ALL
		SELECT $(uuid_at "now() - interval '2 months'")
		FROM generate_series(1, 5) UNION ALL
		SELECT $(uuid_at "now() - interval '14 months'") UNION ALL
		SELECT '$far') v (id)"
	is "$(sql "SELECT count(*) FROM evaluations_default")" 8 \
		"ids of no month fall into the default partition"
	is "$(as keeper "SELECT partitions_ensure(7)")" 8 \
		"their months are made, with the two that were asked for"
	is "$(sql "SELECT count(*) FROM evaluations_$(month -2)")" 5 \
		"and they are moved there"
	is "$(sql "SELECT count(*) FROM evaluations_$(month 7)")" 1 \
		"also those of a month to come"
	is "$(sql "SELECT evaluation_id FROM evaluations_default")" "$far" \
		"an id that is no time stays"
	is "$(as keeper "SELECT partitions_ensure(7)")" 0 "and harms nothing"
	is "$(sql "SELECT count(*) FROM evaluations")" 8 "none is lost"
	is "$(sql "SELECT count(*) FROM pg_trigger
		   WHERE tgrelid = 'policy_violations_$(month 6)'::regclass AND
			 tgname = 'policy_violations_guard'")" 1 \
		"a later partition has the guard of resolutions"
}

# An export holds the default partition; the housekeeper must not wait for it.
locked()
{
	local began
	psql -X -q -d "$(conninfo ims_dev_owner ims_policy)" \
		-c "BEGIN; LOCK TABLE evaluations_default IN ACCESS SHARE MODE;
		    SELECT pg_sleep(20)" >/dev/null 2>&1 &
	local holder=$!
	until [ "$(sql "SELECT count(*) FROM pg_locks
			WHERE relation = 'evaluations_default'::regclass")" -gt 0 ]
	do
		:
	done
	began=$SECONDS
	is "$(as keeper "SELECT partitions_ensure(8)")" "ERROR:  55P03" \
		"partitions_ensure gives up where somebody holds a lock"
	ok $((SECONDS - began > 6)) "and does so soon"
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	     WHERE query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()" \
		>/dev/null
	wait "$holder" 2>/dev/null
	is "$(as keeper "SELECT partitions_ensure(8)")" 3 "the next try succeeds"
}

retention()
{
	local age kept
	age="SELECT count(*) FROM pg_inherits
	     WHERE inhparent = 'evaluations'::regclass AND
		   inhrelid::regclass::text < 'evaluations_$(month 0)'"
	sql "SELECT partitions_make('evaluations', 'evaluation_id',
		date_trunc('month', now() AT TIME ZONE 'UTC')
		- n * interval '1 month') FROM generate_series(1, 14) n" \
		>/dev/null
	is "$(sql "$age")" 14 "fourteen old months"
	is "$(as keeper "SELECT partitions_drop(now() - interval '13 months')")" \
		1 "the month that ended before is dropped"
	is "$(sql "$age")" 13 "and no other"
	seed || return
	kept=$(sql "SELECT count(*) FROM generate_series(1, 13) n
		    WHERE date_trunc('month', now() AT TIME ZONE 'UTC')
			  - (n - 1) * interval '1 month'
			  > (now() - interval '90 days') AT TIME ZONE 'UTC'")
	is "$(as keeper "SELECT partitions_drop(now())")" $((13 - kept)) \
		"what mandatory-audit-logging keeps for 90 days stays"
	is "$(sql "SELECT bool_and(to_regclass('evaluations_' || to_char(t,
			'YYYY_MM')) IS NOT NULL) FROM (VALUES (now()),
			(now() - interval '90 days')) v (t)")" t \
		"the whole 90 days of it"
	sql "UPDATE policies SET constraints = constraints ||
		'{\"log_all_requests\": false}'
	     WHERE name = 'mandatory-audit-logging';
	     INSERT INTO policies (name, category, priority, enabled,
				   constraints) VALUES
		('off', 'compliance', 1, false,
		 '{\"log_all_requests\": true, \"retention_days\": 9999}'),
		('wrong', 'compliance', 1, true,
		 '{\"log_all_requests\": true, \"retention_days\": \"x\"}')"
	is "$(as keeper "SELECT partitions_drop(now() + interval '9 years')")" \
		"$kept" \
		"without it (disabled, switched off or wrong) all old ones go"
	is "$(sql "$age")" 0 "there is none left"
	is "$(has_partition "evaluations_$(month 0)")$(
	    has_partition "evaluations_$(month 1)")$(
	    has_partition evaluations_default)" ttt \
		"this month, the next and the default one never go"
	sql "TRUNCATE evaluations"
}

# ---- resolutions

resolutions()
{
	local id=01a1e000-0000-7000-8000-000000000001 row text
	local good="resolved = true, resolved_by = 'ann',
		resolution_notes = 'budget was raised', disposition = 'fixed'"
	violation $id ann | copy keeper policy_violations VIOLATION
	may api "UPDATE policy_violations SET $good" "the API resolves a violation"
	is "$(as api "UPDATE policy_violations SET $good
		      RETURNING resolved_at IS NOT NULL")" t "at a time"
	may api "UPDATE policy_violations SET resolved = false,
		resolved_at = NULL, resolved_by = NULL, resolution_notes = NULL,
		disposition = NULL" "and reopens it"
	while IFS='|' read -r row text; do
		state api 23514 "UPDATE policy_violations SET $row" \
			"refused: $text"
	done <<'TABLE'
resolution_notes = 'too short'|notes of nine characters
resolution_notes = repeat('x', 1001)|notes of 1001 characters
disposition = 'whatever'|an unknown disposition
resolved_by = NULL|a resolution of nobody
disposition = NULL|a resolution without a disposition
resolved_at = NULL|a resolution without a time
resolved = false|an open violation with a resolution
TABLE
	may api "UPDATE policy_violations SET resolution_notes = 'ten chars.'" \
		"notes of ten characters"
	may api "UPDATE policy_violations
		 SET resolution_notes = repeat('x', 1000)" "and of a thousand"
	# Column privileges hold the API off; the guard holds where somebody
	# grants too much.
	sql "GRANT UPDATE ON policy_violations TO ims_policy_api"
	for row in "severity = 'low'" "violation_details = '{}'" \
		"violation_id = gen_random_uuid()" "\"timestamp\" = now()"; do
		state api 42501 "UPDATE policy_violations SET $row" \
			"the guard refuses $row"
	done
	sql "REVOKE UPDATE ON policy_violations FROM ims_policy_api;
	     GRANT UPDATE (resolved, resolved_at, resolved_by,
			   resolution_notes, disposition)
	     ON policy_violations TO ims_policy_api;
	     TRUNCATE policy_violations"
}

# ---- views, on a set that can be counted by hand

view_data()
{
	sql "INSERT INTO evaluations (evaluation_id, \"timestamp\",
		evaluation_type, decision, passed, user_id, original_model,
		estimated_cost, final_cost, evaluation_time_ms, executions)
	SELECT $(uuid_at t), t, 'pre_flight', decision, passed, 'u', 'm', cost,
	       final, ms, executions
	FROM (SELECT (SELECT policy_version_id * 8 FROM policy_versions
		      WHERE policy_id = '5eed0000-0000-4000-8000-000000000004'
			AND version = 1) AS limit_id,
		     (SELECT policy_version_id * 8 FROM policy_versions
		      WHERE policy_id = '5eed0000-0000-4000-8000-00000000000d'
			AND version = 1) AS region_id) id,
	LATERAL (VALUES
	(timestamptz '2026-11-22 23:59:59.9Z', 'allow', true, 1.0, 1.0, 1.0,
	 ARRAY[limit_id]),
	('2026-11-23 00:00:00Z', 'degrade', false, 2.0, 0.5, 2.0,
	 ARRAY[limit_id + 2, region_id + 3]),
	('2026-11-23 10:00:00Z', 'block', false, 4.0, 4.0, 3.0,
	 ARRAY[limit_id + 2]),
	('2026-11-23 11:00:00Z', 'warn', true, NULL, NULL, 4.0, NULL),
	('2026-11-23 12:00:00Z', 'log', true, 0.25, 0.25, 5.0, '{}')
	) v (t, decision, passed, cost, final, ms, executions);
	INSERT INTO policy_violations (violation_id, evaluation_id,
		\"timestamp\", policy_id, policy_name, category,
		evaluation_type, violation_type, severity, mode, enforced,
		action_taken, cost_impact, resolved, resolved_at, resolved_by,
		resolution_notes, disposition)
	SELECT $(uuid_at t), gen_random_uuid(), t,
	       '5eed0000-0000-4000-8000-000000000004', 'request-cost-limit',
	       'cost', 'pre_flight', 'x', severity, 'enforce', enforced, action,
	       cost, done, CASE WHEN done THEN t END,
	       CASE WHEN done THEN 'ann' END,
	       CASE WHEN done THEN 'ten chars.' END,
	       CASE WHEN done THEN 'fixed' END
	FROM (VALUES
	(timestamptz '2026-11-23 00:00:00Z', 'medium', true, 'degraded', 1.5,
	 true),
	('2026-11-23 10:00:00Z', 'medium', true, 'blocked', 4.0, false),
	('2026-11-23 10:00:00Z', 'medium', false, 'blocked', 0.5, false),
	('2026-11-24 01:00:00Z', 'critical', false, 'blocked', NULL, false)
	) v (t, severity, enforced, action, cost, done)"
}

views()
{
	view_data
	export PGTZ=Asia/Kathmandu # a day is a day of UTC, wherever one is
	is "$(as api "SELECT policy_version, policy_name, mode, result, decision
		      FROM policy_executions ORDER BY \"timestamp\", 2")" \
"1|request-cost-limit|enforce|passed|allow
1|data-locality-us-only|shadow|not_evaluated|degrade
1|request-cost-limit|enforce|violated|degrade
1|request-cost-limit|enforce|violated|block" "policy_executions: a row per policy evaluated"
	is "$(as api "SELECT policy_name, active, evaluations, not_evaluated,
			     violations, violation_rate, blocks,
			     mean_evaluation_time_ms, p95_evaluation_time_ms,
			     last_seen AT TIME ZONE 'UTC'
		      FROM policy_performance_stats
		      WHERE evaluations > 0 OR violations > 0 ORDER BY 1")" \
"data-locality-us-only|t|1|1|0|0.0000|0|2.000|2.000|2026-11-23 00:00:00
request-cost-limit|t|3|0|4|0.6667|1|2.000|2.900|2026-11-24 01:00:00" \
		"policy_performance_stats: rates and times"
	is "$(as api "SELECT count(*) FROM policy_performance_stats
		      WHERE evaluations = 0 AND violation_rate IS NULL")" \
		"$(sql "SELECT count(*) - 2 FROM policies")" \
		"and the policies that nothing was evaluated by"
	is "$(as api "SELECT policy_name, severity, action_taken, violations,
			     open, resolved, not_enforced, cost_impact,
			     first_seen = last_seen
		      FROM policy_violation_summary ORDER BY 2, 3")" \
"request-cost-limit|critical|blocked|1|1|0|1|0|t
request-cost-limit|medium|blocked|2|2|0|1|4.5|t
request-cost-limit|medium|degraded|1|0|1|0|1.5|t" "policy_violation_summary"
	is "$(as api "SELECT day, evaluations, allowed, logged, warned, degraded,
			     blocked, violations, violations_critical,
			     violations_high, violations_medium, violations_low,
			     violations_not_enforced, violations_resolved,
			     cost_estimate, cost_saved, compliance_rate
		      FROM daily_compliance_report ORDER BY day")" \
"2026-11-22|1|1|0|0|0|0|0|0|0|0|0|0|0|1.0|0|1.0000
2026-11-23|4|0|1|1|1|1|3|0|0|3|0|1|1|0.75|1.5|0.5000
2026-11-24|0|0|0|0|0|0|1|1|0|0|0|1|0|0|0|" "daily_compliance_report"
	unset PGTZ
	sql "TRUNCATE evaluations, policy_violations"
}

# ---- plans

# 200,000 violations over four months: common words, rare words, many users.
plan_data()
{
	sql "SELECT partitions_make('policy_violations', 'violation_id',
		date_trunc('month', now() AT TIME ZONE 'UTC')
		- n * interval '1 month') FROM generate_series(1, 3) n" \
		>/dev/null
	sql "INSERT INTO policy_violations (violation_id, evaluation_id,
		\"timestamp\", policy_id, policy_name, category,
		evaluation_type, violation_type, severity, mode, enforced,
		action_taken, user_id, team_id, original_model, vendor_id,
		correlation_id, resolved, resolved_at, resolved_by,
		resolution_notes, disposition)
	SELECT $(uuid_at t), '01a1e000-0000-7000-8000-000000000001', t,
	       ('5eed0000-0000-4000-8000-' || lpad((CASE WHEN i % 2000 = 1
		THEN 99 ELSE i % 16 END)::text, 12, '0'))::uuid, 'p',
	       CASE WHEN i % 2000 = 2 THEN 'compliance' ELSE
		(ARRAY['cost', 'vendor', 'behavioral'])[1 + i % 3] END,
	       'pre_flight',
	       CASE WHEN i % 2000 = 3 THEN 'rare' ELSE 'type_' || i % 20 END,
	       CASE WHEN i % 2000 = 4 THEN 'critical' ELSE 'medium' END,
	       CASE WHEN i % 2000 = 5 THEN 'shadow' ELSE 'enforce' END,
	       i % 2000 <> 5,
	       CASE WHEN i % 2000 = 6 THEN 'degraded' ELSE 'blocked' END,
	       'user-' || (i * 7919) % 2000, 'team-' || i % 40,
	       'model-' || (i * 17) % 50,
	       CASE WHEN i % 2000 = 7 THEN 'rare' ELSE 'vendor-' || i % 4 END,
	       'corr-' || i, open, CASE WHEN open THEN t END,
	       CASE WHEN open THEN 'ann' END,
	       CASE WHEN open THEN 'ten chars.' END,
	       CASE WHEN open THEN 'fixed' END
	FROM (SELECT i, (i % 2000 = 8) = $1 AS open,
		     date_trunc('month', now()) - interval '3 months' +
		     i * interval '40 seconds' AS t
	      FROM generate_series(1, 200000::bigint) i) s"
	psql -X -q -d "$(conninfo postgres ims_policy)" \
		-c "VACUUM ANALYZE policy_violations"
}

# uses_index FILTER NAME: no partition with rows is read from end to end.
uses_index()
{
	is "$(as api "EXPLAIN (FORMAT JSON) SELECT * FROM policy_violations
		      WHERE $1 ORDER BY violation_id DESC LIMIT 100" |
		jq -r '.. | objects | select(."Node Type" == "Seq Scan") |
			."Relation Name"' | grep -F -f "$VAR/run/filled")" "" \
		"an index serves $2"
}

filters()
{
	local row name
	sql "SELECT relname FROM pg_class
	     WHERE relname ~ '^policy_violations_[0-9_]+\$' AND
		   relkind = 'r' AND reltuples > 1000" >"$VAR/run/filled"
	is "$(wc -l <"$VAR/run/filled")" 4 "four months are filled"
	while IFS='|' read -r name row; do
		uses_index "$row" "$name: $row"
	done <<TABLE
policy_id, common|policy_id = '5eed0000-0000-4000-8000-000000000003'
policy_id, rare|policy_id = '5eed0000-0000-4000-8000-000000000099'
category, common|category = 'cost'
category, rare|category = 'compliance'
severity, common|severity = 'medium'
severity, rare|severity = 'critical'
action_taken, common|action_taken = 'blocked'
action_taken, rare|action_taken = 'degraded'
violation_type, common|violation_type = 'type_7'
violation_type, rare|violation_type = 'rare'
resolved|resolved
open|NOT resolved
resolved, as a value|resolved = true
open, as a value|resolved = false
mode, common|mode = 'enforce'
mode, rare|mode = 'shadow'
user_id|user_id = 'user-5'
user_id, unknown|user_id = 'nobody'
team_id|team_id = 'team-5'
model_id|original_model = 'model-17'
vendor_id, common|vendor_id = 'vendor-1'
vendor_id, rare|vendor_id = 'rare'
correlation_id|correlation_id = 'corr-77'
time|violation_id >= uuid7_floor(now() - interval '20 days')
a later page|violation_id < $(sql "SELECT quote_literal(uuid7_floor(
			now() - interval '40 days'))")
two at once|severity = 'critical' AND user_id = 'user-5'
open and rare|NOT resolved AND category = 'compliance'
TABLE
}

plans()
{
	plan_data true # few are resolved
	filters
	sql "TRUNCATE policy_violations"
	plan_data false # few are open
	uses_index "NOT resolved" "open, where few are"
	uses_index "resolved" "resolved, where most are"
}

schema_world
uuids
copies
partitions
retention
resolutions
views
plans
tap_done
