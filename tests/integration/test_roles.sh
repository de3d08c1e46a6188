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
api|INSERT INTO usage (evaluation_id) VALUES (gen_random_uuid())
api|UPDATE usage SET cost = 0
api|DELETE FROM usage
api|TRUNCATE usage
api|UPDATE usage_rollups SET cost = 0
api|INSERT INTO usage_rollups (quarter) VALUES (now())
api|SELECT usage_take()
api|SELECT * FROM usage_counters(now())
api|SELECT partitions_drop_usage(now())
api|SELECT usage_rollups_clean(now(), 1)
api|UPDATE usage_rollups_kept SET since = now()
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
keeper|UPDATE usage SET cost = 0
keeper|DELETE FROM usage
keeper|TRUNCATE usage
keeper|INSERT INTO usage_default (evaluation_id) VALUES (gen_random_uuid())
keeper|UPDATE usage_rollups SET user_id = 'x'
keeper|UPDATE usage_rollups SET quarter = now()
keeper|DELETE FROM usage_rollups
keeper|UPDATE usage_rollups_kept SET since = now()
keeper|SELECT partitions_drop_of(ARRAY['usage'], now())
keeper|DELETE FROM spool_cursors
keeper|SELECT partitions_make('evaluations', 'evaluation_id', now()::timestamp)
keeper|CREATE TABLE mine (x int)
keeper|SET ROLE ims_policy_owner
keeper|INSERT INTO counter_epochs (epoch, counts, reason, node) VALUES (1, 'memcached', 'x', gen_random_uuid())
keeper|UPDATE counter_epochs SET ready_at = now()
keeper|DELETE FROM counter_epochs
keeper|SELECT nodes_drained(now())
keeper|UPDATE nodes SET drained_until = now()
keeper|DELETE FROM nodes
keeper|SELECT node_remove(gen_random_uuid())
keeper|SELECT * FROM counter_items
keeper|SELECT counter_items_put(1, '{k}', '{v}', '{1}')
keeper|SELECT counter_items_hold(1)
keeper|SELECT usage_find(gen_random_uuid())
api|SELECT * FROM usage_refused
api|SELECT usage_settle(1, 60)
api|SELECT usage_waiting(1, 60)
api|SELECT counter_epoch_begin('memcached', 'x', gen_random_uuid(), 0)
api|SELECT counter_epoch_ready(1)
api|UPDATE counter_epochs SET ready_at = now()
api|SELECT node_beat(gen_random_uuid(), 'x', 0, true, 1, now())
api|SELECT node_remove(gen_random_uuid())
api|UPDATE nodes SET drained_until = now()
api|SELECT * FROM counter_items
api|SELECT counter_items_read(1, '{k}')
api|SELECT counter_items_clean(1)
counter|SELECT * FROM counter_items
counter|SELECT * FROM counter_epochs
counter|SELECT * FROM nodes
counter|SELECT * FROM usage
counter|SELECT * FROM usage_rollups
counter|SELECT * FROM usage_rollups_kept
counter|SELECT * FROM usage_calls
counter|SELECT * FROM usage_charges
counter|SELECT * FROM usage_expired
counter|SELECT * FROM usage_refused
counter|SELECT usage_settle(1, 60)
counter|SELECT * FROM evaluations
counter|SELECT * FROM policy_violations
counter|SELECT * FROM policies
counter|SELECT key_id FROM api_keys
counter|SELECT * FROM subjects
counter|SELECT * FROM policy_revision
counter|SELECT * FROM schema_migrations
counter|SELECT * FROM spool_cursors
counter|SELECT snapshot_document()
counter|SELECT nextval('counter_version')
counter|UPDATE counter_items SET value = ''
counter|DELETE FROM counter_items
counter|SELECT counter_items_add(1, 'k', 'v', 1)
counter|SELECT counter_items_replace(1, 'k', 1, 'v', 1)
counter|SELECT counter_items_ready(1)
counter|SELECT counter_items_hold(1)
counter|SELECT counter_items_clean(1)
counter|SELECT counter_epoch_begin('memcached', 'x', gen_random_uuid(), 0)
counter|SELECT counter_epoch_ready(1)
counter|SELECT node_beat(gen_random_uuid(), 'x', 0, true, 1, now())
counter|SELECT node_remove(gen_random_uuid())
counter|SELECT nodes_drained(now())
counter|SELECT usage_drained(gen_random_uuid())
counter|SELECT usage_take()
counter|SELECT usage_rollups_clean(now(), 1)
counter|SELECT partitions_ensure(1)
counter|CREATE TABLE mine (x int)
counter|CREATE TEMP TABLE t (x int); CREATE TRIGGER t AFTER INSERT ON t EXECUTE FUNCTION usage_added()
counter|SET ROLE ims_policy_owner
counter|SET ROLE ims_policy_keeper
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
api|SELECT * FROM usage, usage_rollups, usage_rollups_kept, usage_charges, usage_calls
keeper|SELECT snapshot_document()
keeper|SELECT partitions_ensure(1)
keeper|SELECT partitions_drop(now() - interval '10 years')
keeper|SELECT partitions_drop_usage(now() - interval '10 years')
keeper|SELECT usage_rollups_clean(now(), 10)
keeper|CREATE TEMP TABLE usage_batch (LIKE public.usage); SELECT usage_take()
keeper|SELECT * FROM usage_counters(now())
keeper|SELECT * FROM usage, usage_charges, usage_calls, usage_expired, usage_refused
keeper|SELECT usage_settle(10, 60)
keeper|INSERT INTO spool_cursors VALUES (gen_random_uuid(), 0, 0)
keeper|UPDATE spool_cursors SET segment = 1, "offset" = 2, updated_at = now()
keeper|SELECT counter_epoch_begin('memcached', 'x', gen_random_uuid(), 0); SELECT counter_epoch_ready(1)
keeper|SELECT * FROM counter_epochs, nodes, counter_epoch_newest()
keeper|SELECT node_beat(gen_random_uuid(), 'x', 0, true, 1, now())
keeper|SELECT counter_items_clean(10)
api|SELECT * FROM counter_epochs, nodes
counter|SELECT * FROM counter_epoch_newest()
counter|SELECT * FROM counter_items_read(1, '{k}')
counter|SELECT * FROM counter_items_read(1, '{k}', '{v}', '{1}')
counter|SELECT counter_items_swap(1, '{k}', '{1}', '{v}', '{1}')
counter|SELECT counter_items_put(1, '{k}', '{v}', '{1}')
counter|SELECT counter_items_begin(1)
counter|SELECT * FROM usage_find(gen_random_uuid())
TABLE
}

schema_world
forbidden
permitted
tap_done
