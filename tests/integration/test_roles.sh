#!/bin/bash
# Who may do what: each role of the database against what it must not do, and
# what it must be able to.  Needs no engine.
: "${IMS_PREFIX:=$(dirname "$0")}"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_schema.sh"

forbidden()
{
	local role row
	while IFS='|' read -r role row; do
		state "$role" 42501 "$row" "$role may not: $row"
	done <<'TABLE'
api|INSERT INTO policies (name, category, priority, constraints) VALUES ('x', 'cost', 1, '{}')
api|UPDATE policies SET enabled = false
api|DELETE FROM policies
api|INSERT INTO policy_versions (policy_id, version, document, author) VALUES (gen_random_uuid(), 1, '{}', 'x')
api|UPDATE subject_limits SET value = 9
api|UPDATE exemptions SET approved_by = 'me'
api|INSERT INTO subjects VALUES ('x')
api|UPDATE models SET active = true
api|DELETE FROM regions
api|INSERT INTO region_aliases VALUES ('x', 'us', 'x')
api|INSERT INTO vendor_aliases VALUES ('x', 'x', 'x')
api|SELECT hash FROM api_keys
api|SELECT * FROM api_keys
api|INSERT INTO api_keys (key_id, hash, role) VALUES ('abcdefgh00000000', sha256('x'), 'admin')
api|UPDATE api_keys SET role = 'admin'
api|UPDATE policy_revision SET revision = 1
api|INSERT INTO evaluations (evaluation_id) VALUES (gen_random_uuid())
api|UPDATE evaluations SET passed = true
api|DELETE FROM evaluations
api|INSERT INTO policy_violations (violation_id) VALUES (gen_random_uuid())
api|UPDATE policy_violations SET severity = 'low'
api|UPDATE policy_violations SET violation_details = '{}'
api|UPDATE policy_violations SET metadata = '{}'
api|DELETE FROM policy_violations
api|TRUNCATE policy_violations
api|SELECT * FROM policy_violations_default
api|UPDATE spool_cursors SET segment = 1
api|SELECT snapshot_document()
api|SELECT partitions_ensure(1)
api|SELECT partitions_drop(now())
api|INSERT INTO schema_migrations VALUES (99, 'x', repeat('0', 64))
api|CREATE TABLE mine (x int)
api|SET ROLE ims_policy_owner
api|CREATE TEMP TABLE t (x int); CREATE TRIGGER t AFTER INSERT ON t EXECUTE FUNCTION policy_revision_bump()
keeper|INSERT INTO policies (name, category, priority, constraints) VALUES ('x', 'cost', 1, '{}')
keeper|UPDATE policies SET enabled = false
keeper|UPDATE models SET active = true
keeper|UPDATE api_keys SET role = 'admin'
keeper|INSERT INTO api_keys (key_id, hash, role) VALUES ('abcdefgh00000000', sha256('x'), 'admin')
keeper|UPDATE policy_revision SET revision = 1
keeper|SELECT * FROM evaluations
keeper|UPDATE evaluations SET passed = true
keeper|DELETE FROM evaluations
keeper|TRUNCATE evaluations
keeper|DROP TABLE evaluations_default
keeper|SELECT * FROM policy_violations
keeper|UPDATE policy_violations SET resolved = true
keeper|DELETE FROM policy_violations
keeper|INSERT INTO evaluations_default (evaluation_id) VALUES (gen_random_uuid())
keeper|DELETE FROM spool_cursors
keeper|SELECT partitions_make('evaluations', 'evaluation_id', now()::timestamp)
keeper|CREATE TABLE mine (x int)
keeper|SET ROLE ims_policy_owner
TABLE
}

permitted()
{
	local role row
	while IFS='|' read -r role row; do
		may "$role" "$row" "$role may: $row"
	done <<'TABLE'
api|SELECT * FROM policies, policy_versions, subject_limits, exemptions
api|SELECT * FROM models, regions, region_aliases, vendor_aliases LIMIT 1
api|SELECT key_id, name, role, revoked_at FROM api_keys
api|SELECT * FROM evaluations, policy_violations, subjects
api|SELECT * FROM policy_executions, policy_performance_stats LIMIT 1
api|SELECT * FROM policy_violation_summary, daily_compliance_report
api|SELECT * FROM schema_migrations, policy_revision
keeper|SELECT snapshot_document()
keeper|SELECT partitions_ensure(1)
keeper|SELECT partitions_drop(now() - interval '10 years')
keeper|INSERT INTO spool_cursors VALUES (gen_random_uuid(), 0, 0)
keeper|UPDATE spool_cursors SET segment = 1, "offset" = 2, updated_at = now()
TABLE
}

schema_world
forbidden
permitted
tap_done
