#!/bin/bash
# The schema: migrations, seed, what the database refuses, history,
# notifications, and the document that the snapshot is compiled from.  Needs no
# engine; where one is installed, its `migrate` must find nothing left to do.
: "${IMS_PREFIX:=$(dirname "$0")}"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_schema.sh"

# ---- migrations

# What schema_migrations must hold, from the files.
files_recorded()
{
	local file name
	for file in "$SCHEMAS"/[0-9]*.sql; do
		name=$(basename "$file")
		printf '%d|%s|%s\n' "$((10#${name%%_*}))" "$name" \
			"$(printf %s "$(cat "$file")" | sha256sum |
				cut -d ' ' -f 1)"
	done
}

database_make()
{
	sql_postgres postgres <<<"CREATE DATABASE $1 OWNER ims_dev_owner"
}

# Each migration alone, in one transaction, as `ims-policyctl migrate` does.
one_by_one()
{
	local file
	for file in "$SCHEMAS"/[0-9]*.sql; do
		psql -X -q -1 -v ON_ERROR_STOP=1 \
			-d "$(conninfo ims_dev_owner "$1")" -f "$file" || return
	done
}

dump()
{
	pg_dump --schema-only -d "$(conninfo postgres "$1")" |
		grep -v -e '^--' -e '^[\]' -e '^$'
}

both_at_once()
{
	local first second
	registry twice >"$VAR/log/first.log" 2>&1 &
	first=$!
	registry twice >"$VAR/log/second.log" 2>&1 &
	second=$!
	wait "$first" && wait "$second"
}

migrations()
{
	local recorded
	recorded='SELECT version, name, sha256 FROM schema_migrations ORDER BY 1'
	is "$(sql "$recorded")" "$(files_recorded)" \
		"policy_registry.sql records each file with its hash"

	local before='SELECT sum(extract(epoch FROM applied_at)), count(*),
			     (SELECT revision FROM policy_revision)
		      FROM schema_migrations'
	local was
	was=$(sql "$before")
	check "policy_registry.sql applies again" registry ims_policy
	is "$(sql "$before")" "$was" "and then has nothing to do"

	database_make single
	check "each migration applies in a transaction of its own" \
		one_by_one single
	is "$(dump single)" "$(dump ims_policy)" \
		"and makes the same schema"

	database_make twice
	check "two that apply at once both succeed" both_at_once

	if [ -x "$PREFIX/bin/ims-policyctl" ]; then
		settings_write >&2
		check "ims-policyctl migrate agrees" \
			ctl migrate --schemas "$SCHEMAS"
		is "$(sql "$before")" "$was" "and finds nothing to do"
	else
		skip "ims-policyctl migrate agrees" "no engine installed"
	fi
}

catalogue()
{
	is "$(sql "SELECT relname FROM pg_class
		   WHERE relnamespace = 'public'::regnamespace AND
			 relowner <> 'ims_policy_owner'::regrole
		   UNION ALL
		   SELECT proname FROM pg_proc
		   WHERE pronamespace = 'public'::regnamespace AND
			 proowner <> 'ims_policy_owner'::regrole")" "" \
		"everything belongs to ims_policy_owner"
	is "$(sql "SELECT relname FROM pg_class
		   WHERE relnamespace = 'public'::regnamespace AND
			 relkind IN ('r', 'p', 'v') AND
			 relname !~ '_[0-9]{4}_[0-9]{2}$' AND
			 obj_description(oid) IS NULL")" "" \
		"every table and view has a comment"
	is "$(sql "SELECT proname FROM pg_proc
		   WHERE pronamespace = 'public'::regnamespace AND prosecdef AND
			 NOT coalesce(proconfig @> ARRAY[
				'search_path=pg_catalog, public, pg_temp'],
				false)")" "" \
		"every SECURITY DEFINER function has a fixed search_path"
	is "$(sql "SELECT proname FROM pg_proc
		   WHERE pronamespace = 'public'::regnamespace AND prosecdef AND
			 has_function_privilege('public', oid, 'EXECUTE')")" \
		"" "and none of them is for everybody"
}

# ---- seed

seeds()
{
	local state='SELECT md5(string_agg(t, chr(10) ORDER BY t)) FROM (
			SELECT to_jsonb(p)::text FROM policies p UNION ALL
			SELECT to_jsonb(v)::text FROM policy_versions v UNION ALL
			SELECT to_jsonb(m)::text FROM models m UNION ALL
			SELECT to_jsonb(r)::text FROM regions r UNION ALL
			SELECT to_jsonb(a)::text FROM region_aliases a UNION ALL
			SELECT to_jsonb(a)::text FROM vendor_aliases a) s (t)'
	local was
	check "the seed applies" seed
	sql "UPDATE policies SET constraints = '{\"max_daily_cost\": 7}'
	     WHERE name = 'free-tier-daily-budget';
	     UPDATE models SET input_price_per_mil_tokens = 99
	     WHERE model_id = 'gpt-4o';
	     UPDATE region_aliases SET region = 'us-west'
	     WHERE alias = 'us-east-1'"
	was=$(sql "$state")
	check "the seed applies again" seed
	is "$(sql "$state")" "$was" "and changes nothing that was edited since"
	sql "UPDATE policies SET constraints = '{\"max_daily_cost\": 1.0,
		\"max_cost_per_request\": 0.01, \"reset_hour_utc\": 0}'
	     WHERE name = 'free-tier-daily-budget';
	     UPDATE region_aliases SET region = 'us-east'
	     WHERE alias = 'us-east-1'"
	seed_policies
	seed_rows
	seed_models
}

seed_policies()
{
	is "$(sql "SELECT count(*), count(*) FILTER (WHERE enabled),
			  count(*) FILTER (WHERE enabled AND mode = 'shadow')
		   FROM policies")" "16|15|3" \
		"sixteen policies, fifteen enabled, three in shadow"
	# name, category, priority, stage, action, mode, enabled, applies_to,
	# constraints: docs/policies.md, "The sixteen seed policies"
	is "$(sql "SELECT name, category, priority, evaluation_type,
			  action_on_violation, mode, enabled, applies_to,
			  constraints
		   FROM policies ORDER BY policy_id")" \
"$(cat <<'TABLE'
free-tier-daily-budget|cost|95|pre_flight|block|enforce|t|{"user_tier": ["free"]}|{"max_daily_cost": 1.0, "reset_hour_utc": 0, "max_cost_per_request": 0.01}
expensive-model-threshold|cost|70|pre_flight|warn|enforce|t|{}|{"warn_threshold": 5, "max_cost_per_mil_tokens": 10}
monthly-budget-cap|cost|60|continuous|warn|enforce|t|{}|{"alert_threshold": 80, "max_monthly_cost": 100}
request-cost-limit|cost|65|pre_flight|degrade|enforce|t|{}|{"warn_threshold": 0.03, "max_cost_per_request": 0.05}
approved-vendors-only|vendor|80|pre_flight|block|enforce|t|{}|{"allowed_vendors": ["google", "anthropic", "openai"], "require_approval": true}
vendor-diversity-requirement|vendor|50|continuous|warn|shadow|t|{}|{"min_vendor_count": 2, "evaluation_window_hours": 24}
vendor-performance-baseline|vendor|40|post_execution|log|enforce|t|{}|{"min_success_rate": 0.95}
latency-sla-5-seconds|performance|75|post_execution|warn|enforce|t|{}|{"max_latency_ms": 5000, "p95_threshold_ms": 3000, "consecutive_violations_to_alert": 3}
minimum-throughput-requirement|performance|55|continuous|log|shadow|t|{}|{"min_requests_per_minute": 60, "evaluation_window_minutes": 5}
prompt-length-limit|behavioral|85|pre_flight|block|enforce|t|{}|{"warn_threshold": 40000, "max_prompt_length": 50000, "max_tokens_estimated": 12500}
user-rate-limit|behavioral|75|pre_flight|block|enforce|t|{}|{"max_requests_per_day": 1000, "max_requests_per_hour": 200, "max_requests_per_minute": 20}
output-length-control|behavioral|60|pre_flight|warn|enforce|t|{}|{"warn_threshold": 3000, "max_output_tokens": 4096}
data-locality-us-only|data_residency|70|pre_flight|block|shadow|t|{}|{"allowed_regions": ["us-east", "us-west", "us-central"], "blocked_regions": ["eu", "asia", "other"]}
mandatory-audit-logging|compliance|90|pre_flight|block|enforce|t|{}|{"retention_days": 90, "require_user_id": true, "log_all_requests": true, "require_correlation_id": true}
pii-detection-alert|compliance|80|pre_flight|warn|enforce|t|{}|{"action": "alert_and_redact", "pii_types": ["ssn", "credit_card", "email", "phone"], "scan_for_pii": true}
dev-mode-policy-bypass|compliance|10|pre_flight|log|enforce|f|{}|{"bypass_policies": ["expensive-model-threshold", "prompt-length-limit"], "log_all_bypasses": true, "require_dev_flag": true}
TABLE
)" "each as docs/policies.md says"
}

# The decision rows have the seed policies in a file of their own.
seed_rows()
{
	is "$(sql "SELECT count(*) FROM policies p
		   JOIN jsonb_array_elements(\$world\$$(jq -c .policies \
			"$ROOT/tests/decisions/world/seed.json")\$world\$) j
		   ON p.policy_id = (j->>'policy_id')::uuid
		   WHERE policy_document(p) @> j")" 16 \
		"tests/decisions/world/seed.json has the same policies"
}

seed_models()
{
	is "$(sql "SELECT count(*) FROM models")" 218 "218 models"
	is "$(sql "SELECT model_id FROM models
		   WHERE input_price_per_mil_tokens = 0 AND
			 output_price_per_mil_tokens = 0 OR
			 cached_input_price_per_mil_tokens = 0")" "" \
		"none is free by accident"
	is "$(sql "SELECT model_id FROM models WHERE active AND
			(capability_tier IS NULL OR
			 deprecation_date <= date '2026-11-23')")" "" \
		"a fallback has a tier and is not deprecated"
	is "$(sql "SELECT input_price_per_mil_tokens,
			  output_price_per_mil_tokens,
			  cached_input_price_per_mil_tokens, tier_from_tokens,
			  tier_input_price_per_mil_tokens,
			  tier_output_price_per_mil_tokens
		   FROM models WHERE model_id IN ('gemini-2.0-flash-lite',
			'gpt-5.4', 'deepseek-v4-pro', 'o3-mini')
		   ORDER BY model_id")" \
"0.435|0.87|0.003625|||
0.075|0.3|0.01875|||
2.5|15|0.25|272000|5|22.5
1.1|4.4|0.55|||" "prices are exact decimals"
	is "$(sql "SELECT vendor_id FROM vendor_aliases
		   WHERE alias = 'vertex_ai-language-models'")" google \
		"vertex_ai-language-models is google"
	is "$(sql "SELECT string_agg(region, ' ' ORDER BY alias)
		   FROM region_aliases
		   WHERE alias IN ('us-east-1', 'eastus', 'europe-west4',
				   'eu-west-2')")" \
		"us-east uk-south eu-west us-east" \
		"the clouds' names of regions lead to ours"
	is "$(sql "SELECT DISTINCT vendor_id FROM models m
		   WHERE EXISTS (SELECT FROM vendor_aliases
				 WHERE alias = m.vendor_id)")" "" \
		"no model stands under an alias of its vendor"
}

# ---- what the database itself refuses

shapes()
{
	local p="INSERT INTO policies (name, category, priority, constraints"
	local v="VALUES ('t', 'cost', 50, '{\"max_daily_cost\": 1}'"
	may owner "$p) $v)" "a policy needs no more than four columns"
	local row
	while IFS='|' read -r row name; do
		state owner 23514 "$row" "refused: $name"
	done <<TABLE
INSERT INTO policies (name, category, priority, constraints) VALUES ('t', 'money', 50, '{}')|an unknown category
INSERT INTO policies (name, category, priority, constraints) VALUES ('t', 'cost', 101, '{}')|a priority over 100
INSERT INTO policies (name, category, priority, constraints) VALUES ('t', 'cost', -1, '{}')|a priority under 0
INSERT INTO policies (name, category, priority, constraints) VALUES ('', 'cost', 1, '{}')|an empty name
INSERT INTO policies (name, category, priority, constraints) VALUES ('t', 'cost', 1, '[]')|constraints that are no object
$p, applies_to) $v, '"all"')|applies_to that is no object
$p, mode) $v, 'test')|an unknown mode
$p, evaluation_type) $v, 'before')|an unknown stage
$p, action_on_violation) $v, 'allow')|an unknown action
$p, on_error) $v, 'warn')|an unknown on_error
$p, scope) $v, 'session')|an unknown scope
$p, evaluation_type, action_on_violation) $v, 'continuous', 'block')|a continuous policy that blocks
$p, evaluation_type, action_on_violation) $v, 'continuous', 'degrade')|a continuous policy that degrades
$p, tags) $v, ARRAY['a', NULL])|a tag that is null
INSERT INTO models (model_id, vendor_id) VALUES ('Big', 'v')|a model's name in upper case
INSERT INTO models (model_id, vendor_id, capability_tier) VALUES ('m', 'v', 4)|a capability tier of 4
INSERT INTO models (model_id, vendor_id, input_price_per_mil_tokens) VALUES ('m', 'v', -0.1)|a negative price
INSERT INTO models (model_id, vendor_id, input_price_per_mil_tokens) VALUES ('m', 'v', 'NaN')|a price that is no number
INSERT INTO models (model_id, vendor_id, tier_from_tokens) VALUES ('m', 'v', 200000)|half of a price tier
INSERT INTO models (model_id, vendor_id, features) VALUES ('m', 'v', '{magic}')|an unknown feature
INSERT INTO api_keys (key_id, hash, role) VALUES ('abcdefgh12345678', sha256('x'), 'root')|an unknown role of a key
INSERT INTO api_keys (key_id, hash, role) VALUES ('abcdefgh12345678', 'short', 'viewer')|a hash that is not one
INSERT INTO api_keys (key_id, hash, role) VALUES ('ABCDEFGH12345678', sha256('x'), 'viewer')|a key's id that is not one
INSERT INTO subject_limits (policy_id, "constraint", subject, value) SELECT policy_id, 'max_daily_cost', 'u', 'NaN' FROM policies LIMIT 1|a limit that is no number
INSERT INTO exemptions (policy_id, scope, subject, reason, requested_by, approved_by, valid_until) SELECT policy_id, 'user', 'u', 'r', 'ann', 'ann', now() + interval '1 day' FROM policies LIMIT 1|who approves an exemption of his own
INSERT INTO exemptions (policy_id, scope, subject, reason, requested_by, valid_until) SELECT policy_id, 'user', 'u', 'r', 'ann', now() - interval '1 day' FROM policies LIMIT 1|an exemption that ends before it begins
INSERT INTO policy_revision VALUES (false, 1)|a second revision
TABLE
	state owner 23503 "INSERT INTO models (model_id, vendor_id, regions)
		VALUES ('m', 'v', '{us-east,atlantis}')" \
		"refused: a model in a region that nobody knows"
	state owner 23505 "$p) VALUES ('user-rate-limit', 'cost', 1, '{}')" \
		"refused: a name that there is"
}

# ---- history and revision

history()
{
	local versions="SELECT v.version, author, coalesce(reason, '-'), deleted,
			       document->'priority'
			FROM policy_versions v JOIN policies p
			USING (policy_id) WHERE name = 'h' ORDER BY 1"
	sql "INSERT INTO policies (name, category, priority, constraints,
				   updated_by, update_reason)
	     VALUES ('h', 'cost', 10, '{\"max_daily_cost\": 1}', 'ann', 'new')"
	sql "UPDATE policies SET priority = 20, updated_by = 'ann',
		update_reason = 'raise' WHERE name = 'h'"
	sql "UPDATE policies SET priority = 30 WHERE name = 'h'"
	sql "UPDATE policies SET priority = 40, updated_by = 'ann'
	     WHERE name = 'h'"
	sql "INSERT INTO policies (name, category, priority, constraints,
				   updated_by, update_reason)
	     VALUES ('h', 'cost', 50, '{}', 'bob', 'put')
	     ON CONFLICT (name) DO UPDATE SET priority = excluded.priority,
		updated_by = excluded.updated_by,
		update_reason = excluded.update_reason"
	sql "UPDATE policies SET deleted_at = now(), version = 99
	     WHERE name = 'h'"
	is "$(sql "$versions")" \
"1|ann|new|f|10
2|ann|raise|f|20
3|ims_dev_owner|-|f|30
4|ann|-|f|40
5|bob|put|f|50
6|ims_dev_owner|-|t|50" "each write makes a version with its author and reason"
	is "$(sql "SELECT v.document = policy_document(p)
		   FROM policies p JOIN policy_versions v USING (policy_id)
		   WHERE name = 'h' AND v.version = 6")" t \
		"a version holds the whole document"
	is "$(sql "SELECT updated_at > created_at, version FROM policies
		   WHERE name = 'h'")" "t|6" "version and updated_at are counted"
	state owner 23001 "UPDATE policy_versions SET author = 'x'" \
		"a version cannot be changed, not even by the owner"
	state owner 23001 "DELETE FROM policy_versions WHERE version = 1" \
		"nor deleted"
	state owner 23001 "TRUNCATE policy_versions" "nor truncated"
	state owner 23001 "UPDATE policies SET policy_id = gen_random_uuid()
		WHERE name = 'h'" "nor a policy's id changed"
	state owner 23503 "DELETE FROM policies WHERE name = 'h'" \
		"a policy with a history is only deleted softly"
}

# bumps NAME STATEMENT: one statement, one revision, one notification.
bumps()
{
	local before said
	before=$(sql "SELECT revision FROM policy_revision")
	said=$(as owner "LISTEN policy_revision; BEGIN; $2; COMMIT;
			 SELECT revision FROM policy_revision" |
		sed 's/ received from.*//')
	is "$said" "$((before + 1))
Asynchronous notification \"policy_revision\" with payload \"$((before + 1))\"" \
		"$1 is one revision and one notification"
}

revisions()
{
	local t
	bumps "an UPDATE of all policies" "UPDATE policies SET enabled = enabled"
	bumps "a subject limit" "INSERT INTO subject_limits (policy_id,
		\"constraint\", subject, value)
		SELECT policy_id, 'max_daily_cost', s, 5 FROM policies,
		(VALUES ('u1'), ('u2')) v (s) WHERE name = 'user-rate-limit'"
	bumps "an exemption" "INSERT INTO exemptions (policy_id, scope, subject,
		reason, requested_by, valid_until)
		SELECT policy_id, 'user', 'u1', 'r', 'ann',
		now() + interval '1 day' FROM policies
		WHERE name = 'user-rate-limit'"
	bumps "a subject" "INSERT INTO subjects (user_id)
		VALUES ('u1'), ('u2')"
	bumps "an API key" "INSERT INTO api_keys (key_id, hash, role)
		VALUES ('abcdefgh12345678', sha256('x'), 'viewer')"
	for t in models regions region_aliases vendor_aliases; do
		bumps "a DELETE from $t" \
			"DELETE FROM $t WHERE '$t' = 'nothing'"
	done
	bumps "a TRUNCATE" "TRUNCATE subjects"
	is "$(as keeper "LISTEN policy_revision;
			 SELECT count(*) FROM policy_revision")" 1 \
		"the housekeeper may listen and poll"
}

# ---- the snapshot document

# doc FILTER: jq on the document, compact.
doc()
{
	jq -c "$1" <<<"$DOCUMENT" 2>&1
}

snapshot_data()
{
	sql "DELETE FROM subject_limits; DELETE FROM exemptions;
	     DELETE FROM api_keys; DELETE FROM subjects;
	INSERT INTO subjects VALUES ('u2', NULL, 't', 'o'), 
		('u1', 'pro', NULL, NULL);
	INSERT INTO subject_limits (policy_id, \"constraint\", subject, value,
				    until)
	SELECT policy_id, 'max_daily_cost', s, v, u FROM policies,
	  (VALUES ('for-good', 2.50, NULL),
		  ('dated', 3, timestamptz '2099-01-02 03:04:05.678+02'),
		  ('over', 4, now() - interval '1 day')) l (s, v, u)
	WHERE name = 'free-tier-daily-budget';
	INSERT INTO subject_limits (policy_id, \"constraint\", subject, value)
	SELECT policy_id, 'max_prompt_length', 'x', 4 FROM policies
	WHERE name = 'dev-mode-policy-bypass';
	INSERT INTO exemptions (exemption_id, policy_id, scope, subject, reason,
		requested_by, approved_by, valid_from, valid_until, revoked_at)
	SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, policy_id,
	       'team', 's' || n, 'r', 'ann', approved, '2026-01-01Z', ends,
	       revoked
	FROM policies, (VALUES
	  (1, 'bob', timestamptz '2099-01-01Z', NULL::timestamptz),
	  (2, NULL, '2099-01-01Z', NULL),
	  (3, 'bob', '2099-01-01Z', now()),
	  (4, 'bob', '2026-01-02Z', NULL)) e (n, approved, ends, revoked)
	WHERE name = 'approved-vendors-only';
	INSERT INTO api_keys (key_id, name, hash, role, bound_facts, user_tiers,
			      regions, asserts, expires_at, revoked_at)
	VALUES ('aaaaaaaaaaaaaaaa', 'gateway', decode(repeat('ab', 32), 'hex'),
		'evaluator', '{\"team_id\": \"t\"}', '{free,pro}', '{us}',
		'{user_id}', '2026-01-01Z', NULL),
	       ('bbbbbbbbbbbbbbbb', NULL, decode(repeat('cd', 32), 'hex'),
		'admin', '{}', '{}', '{}', NULL, NULL, now());
	UPDATE policies SET message = NULL, help_url = '/help'
	WHERE name = 'free-tier-daily-budget'"
}

snapshot()
{
	snapshot_data
	DOCUMENT=$(as keeper "SELECT snapshot_document()")
	is "$(doc 'keys_unsorted')" '["revision","policies","subject_limits","exemptions","models","regions","region_aliases","vendor_aliases","api_keys","subjects"]' \
		"the document has the members of policy/source.h"
	is "$(doc .revision)" "$(sql "SELECT revision FROM policy_revision")" \
		"and the revision"
	is "$(doc '[.policies | length, (map(.priority) | . == (sort | reverse))]')" \
		'[15,true]' "enabled policies alone, highest priority first"
	is "$(doc '.policies[0].policy_version_id')" \
		"$(sql "SELECT max(policy_version_id) FROM policy_versions
			WHERE document->>'name' = 'free-tier-daily-budget'")" \
		"a policy says which version it is"
	is "$(doc '.policies[0] | del(.description, .tags, .policy_version_id) | .constraints.max_daily_cost |= floor')" \
		'{"mode":"enforce","name":"free-tier-daily-budget","scope":"user","enabled":true,"version":'"$(sql "SELECT version FROM policies WHERE name = 'free-tier-daily-budget'")"',"category":"cost","help_url":"/help","on_error":"default","priority":95,"policy_id":"5eed0000-0000-4000-8000-000000000001","applies_to":{"user_tier":["free"]},"constraints":{"max_daily_cost":1,"reset_hour_utc":0,"max_cost_per_request":0.01},"evaluation_type":"pre_flight","action_on_violation":"block"}' \
		"a policy is its document; what is null is left out"
	is "$(doc '.subject_limits | map(del(.policy_id))')" \
		'[{"constraint":"max_daily_cost","subject":"dated","value":3,"until":"2099-01-02T01:04:05.678000Z"},{"constraint":"max_daily_cost","subject":"for-good","value":2.5,"until":null}]' \
		"limits that are over or of no policy here are left out"
	is "$(doc .exemptions)" \
		'[{"exemption_id":"00000000-0000-4000-8000-000000000001","policy_id":"5eed0000-0000-4000-8000-000000000005","scope":"team","subject":"s1","valid_from":"2026-01-01T00:00:00.000000Z","valid_until":"2099-01-01T00:00:00.000000Z"}]' \
		"exemptions only if approved, not revoked, not over"
	is "$(doc .api_keys)" \
		'[{"key_id":"aaaaaaaaaaaaaaaa","name":"gateway","hash":"'"$(printf 'ab%.0s' {1..32})"'","role":"evaluator","expires_at":"2026-01-01T00:00:00.000000Z","revoked":false,"bound_facts":{"team_id":"t"},"user_tiers":["free","pro"],"regions":["us"],"asserts":["user_id"]},{"key_id":"bbbbbbbbbbbbbbbb","name":null,"hash":"'"$(printf 'cd%.0s' {1..32})"'","role":"admin","expires_at":null,"revoked":true,"bound_facts":{},"user_tiers":[],"regions":[],"asserts":null}]' \
		"every key, also the expired and the revoked"
	is "$(doc .subjects)" \
		'[{"user_id":"u1","user_tier":"pro","team_id":null,"organization_id":null},{"user_id":"u2","user_tier":null,"team_id":"t","organization_id":"o"}]' \
		"the directory"
	is "$(doc '.models[] | select(.model_id == "gpt-5.6-luna")')" \
		'{"model_id":"gpt-5.6-luna","vendor_id":"openai","capability_tier":1,"active":true,"context_tokens":400000,"max_output_tokens":128000,"input_price_per_mil_tokens":1,"output_price_per_mil_tokens":6,"cached_input_price_per_mil_tokens":0.1,"tier_from_tokens":272000,"tier_input_price_per_mil_tokens":2,"tier_output_price_per_mil_tokens":9,"features":["function_calling","vision","reasoning"],"regions":["global","us-east","us-central","us-west","eu-west","eu-central","eu-north","eu-south"]}' \
		"a model, its prices as numbers"
	is "$(doc '[(.models, .regions, .region_aliases, .vendor_aliases) | length]')" \
		"[$(sql "SELECT (SELECT count(*) FROM models) || ',' ||
			(SELECT count(*) FROM regions) || ',' ||
			(SELECT count(*) FROM region_aliases) || ',' ||
			(SELECT count(*) FROM vendor_aliases)")]" \
		"the whole catalogue"
	is "$(PGTZ=Asia/Kathmandu as keeper "SELECT snapshot_document()" | md5sum)" \
		"$(md5sum <<<"$DOCUMENT")" \
		"the same state gives the same bytes, in any time zone"
	sql "UPDATE policies SET deleted_at = now() WHERE name = 'user-rate-limit'"
	is "$(as keeper "SELECT snapshot_document()" |
		jq -c '[.policies[].name] | contains(["user-rate-limit"])')" \
		false "a deleted policy is not in it"
	empty_document
}

# A database with nothing in it gives a document, not an error.
empty_document()
{
	is "$(psql -X -q -At -d "$(conninfo ims_dev_owner twice)" \
		-c "SELECT snapshot_document()" |
		jq -c 'del(.revision) | map(length) | add')" 0 \
		"an empty database gives an empty document"
}

schema_world
migrations
catalogue
seeds
shapes
history
revisions
snapshot
tap_done
