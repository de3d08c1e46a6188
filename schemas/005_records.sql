-- 005 records: what was evaluated and what was violated.
--
-- Both tables are keyed by UUIDv7, which is their time, and partitioned by
-- month on that key, so the primary key is the id alone and the newest rows
-- are the end of an index.  The columns are those of include/record/row.tbl.h
-- (and how a violation was resolved); the housekeeper fills them by COPY, so
-- an index here is paid by every record.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

-- AT TIME ZONE with a named zone and extract() of a timestamp without zone
-- are immutable, so this is by right.
CREATE FUNCTION uuid7_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	SELECT (lpad(to_hex(ms), 12, '0') || '70008000000000000000')::uuid
	FROM (SELECT floor(least(greatest(
			extract(epoch FROM at AT TIME ZONE 'UTC') * 1000, 0),
			281474976710655))::bigint AS ms) t
$$;
COMMENT ON FUNCTION uuid7_floor(timestamptz) IS
	'the smallest UUIDv7 of that millisecond (RFC 9562, 5.7): '
	'id >= uuid7_floor(t) is "not before t"';

CREATE TABLE evaluations (
	evaluation_id      uuid NOT NULL PRIMARY KEY,
	"timestamp"        timestamptz NOT NULL,
	evaluation_type    text NOT NULL
		CHECK (evaluation_type IN ('pre_flight', 'runtime',
					   'post_execution', 'continuous')),
	decision           text NOT NULL
		CHECK (decision IN ('allow', 'log', 'warn', 'degrade',
				    'block')),
	passed             boolean NOT NULL,
	user_id            text,
	user_tier          text,
	team_id            text,
	organization_id    text,
	api_key_id         text,
	session_id         text,
	correlation_id     text,
	request_id         text,
	environment        text,
	region             text,
	original_model     text,
	vendor_id          text,
	fallback_model     text,
	fallback_vendor    text,
	input_tokens       bigint CHECK (input_tokens >= 0),
	estimated_tokens   bigint CHECK (estimated_tokens >= 0),
	max_output_tokens  bigint CHECK (max_output_tokens >= 0),
	prompt_length      bigint CHECK (prompt_length >= 0),
	estimated_cost     numeric CHECK (estimated_cost >= 0),
	final_cost         numeric CHECK (final_cost >= 0),
	policy_revision    bigint,
	policies_evaluated integer CHECK (policies_evaluated >= 0),
	violations_n       integer CHECK (violations_n >= 0),
	evaluation_time_ms numeric(12, 3) CHECK (evaluation_time_ms >= 0),
	executions         integer[],
	warnings           jsonb CHECK (jsonb_typeof(warnings) = 'array'),
	metadata           jsonb CHECK (jsonb_typeof(metadata) = 'object')
) PARTITION BY RANGE (evaluation_id);
COMMENT ON TABLE evaluations IS
	'every evaluation, by month; only the owner could change one';
COMMENT ON COLUMN evaluations.evaluation_id IS 'UUIDv7: its time is the key';
COMMENT ON COLUMN evaluations.original_model IS 'the model that was asked for';
COMMENT ON COLUMN evaluations.estimated_cost IS
	'dollars, of the model that was asked for; null: unknown';
COMMENT ON COLUMN evaluations.final_cost IS
	'dollars, of the model that will run; null: unknown';
COMMENT ON COLUMN evaluations.policy_revision IS
	'revision of the snapshot that it was decided by';
COMMENT ON COLUMN evaluations.executions IS
	'a number per policy evaluated: policy_version_id * 8 + result, which is '
	'0 passed, 1 warned, 2 violated, 3 not_evaluated or 4 skipped; the view '
	'policy_executions has it in words, which would be most of a record';

CREATE TABLE policy_violations (
	violation_id       uuid NOT NULL PRIMARY KEY,
	evaluation_id      uuid NOT NULL,
	"timestamp"        timestamptz NOT NULL,
	policy_id          uuid,
	policy_version     integer,
	policy_name        text,
	category           text NOT NULL
		CHECK (category IN ('cost', 'vendor', 'behavioral',
				    'performance', 'data_residency',
				    'compliance')),
	evaluation_type    text NOT NULL
		CHECK (evaluation_type IN ('pre_flight', 'runtime',
					   'post_execution', 'continuous')),
	violation_type     text NOT NULL
		CHECK (octet_length(violation_type) BETWEEN 1 AND 64),
	severity           text NOT NULL
		CHECK (severity IN ('low', 'medium', 'high', 'critical')),
	mode               text NOT NULL CHECK (mode IN ('enforce', 'shadow')),
	enforced           boolean NOT NULL,
	action_taken       text NOT NULL
		CHECK (action_taken IN ('blocked', 'degraded', 'warned',
					'logged')),
	violation_details  jsonb
		CHECK (jsonb_typeof(violation_details) = 'object'),
	message            text,
	-- A B-tree takes no value over 2,700 bytes.  The check makes such a
	-- one an error of its data, so that the record is put aside and does
	-- not stop all that come after it; the engine takes no longer ones.
	user_id            text CHECK (octet_length(user_id) <= 1024),
	user_tier          text,
	team_id            text CHECK (octet_length(team_id) <= 1024),
	organization_id    text,
	api_key_id         text,
	session_id         text,
	correlation_id     text CHECK (octet_length(correlation_id) <= 1024),
	request_id         text,
	environment        text,
	original_model     text CHECK (octet_length(original_model) <= 1024),
	vendor_id          text CHECK (octet_length(vendor_id) <= 1024),
	fallback_model     text,
	cost_impact        numeric,
	impact_score       numeric CHECK (impact_score BETWEEN 0 AND 100),
	evaluation_time_ms numeric(12, 3) CHECK (evaluation_time_ms >= 0),
	metadata           jsonb CHECK (jsonb_typeof(metadata) = 'object'),
	resolved           boolean NOT NULL DEFAULT false,
	resolved_at        timestamptz,
	resolved_by        text CHECK (length(resolved_by) BETWEEN 1 AND 256),
	resolution_notes   text
		CHECK (length(resolution_notes) BETWEEN 10 AND 1000),
	disposition        text
		CHECK (disposition IN ('fixed', 'false_positive',
				       'accepted_risk', 'duplicate')),
	CONSTRAINT policy_violations_resolution_whole
		CHECK (num_nulls(resolved_at, resolved_by, resolution_notes,
				 disposition) =
		       CASE WHEN resolved THEN 0 ELSE 4 END)
) PARTITION BY RANGE (violation_id);
COMMENT ON TABLE policy_violations IS
	'every violation, by month; all that may change is its resolution';
COMMENT ON COLUMN policy_violations.violation_id IS
	'UUIDv7: its time is the key';
COMMENT ON COLUMN policy_violations.policy_id IS
	'null: the violation of no policy (decision_not_honoured)';
COMMENT ON COLUMN policy_violations.enforced IS
	'was it part of the decision; false in shadow, exempted or bypassed';
COMMENT ON COLUMN policy_violations.original_model IS
	'the model that was asked for';
COMMENT ON COLUMN policy_violations.cost_impact IS
	'dollars: the estimate where blocked, what was saved where degraded, '
	'what was above the limit where warned or logged';
COMMENT ON COLUMN policy_violations.impact_score IS
	'0 to 100: priority, and how far above its limit';
COMMENT ON COLUMN policy_violations.resolved_by IS
	'who resolved it; the four others are set with it or not at all';

CREATE TABLE evaluations_default PARTITION OF evaluations DEFAULT;
COMMENT ON TABLE evaluations_default IS
	'ids of no month that has a partition; partitions_ensure moves them';
CREATE TABLE policy_violations_default PARTITION OF policy_violations DEFAULT;
COMMENT ON TABLE policy_violations_default IS
	'ids of no month that has a partition; partitions_ensure moves them';

-- The filters of GET /violations (newest first, keyset by violation_id).
-- Where there are many values, of few rows or of many, the id stands behind the
-- value, so that a page is one short range.  Words that there are only a few
-- of have the plain column: duplicates are packed, so that it is a tenth of
-- the size and cheap to keep; a rare word is found by it, a common one along
-- the primary key.
CREATE INDEX policy_violations_policy
	ON policy_violations (policy_id, violation_id);
CREATE INDEX policy_violations_user
	ON policy_violations (user_id, violation_id)
	WHERE user_id IS NOT NULL;
CREATE INDEX policy_violations_team
	ON policy_violations (team_id, violation_id)
	WHERE team_id IS NOT NULL;
CREATE INDEX policy_violations_model
	ON policy_violations (original_model, violation_id);
CREATE INDEX policy_violations_correlation
	ON policy_violations (correlation_id)
	WHERE correlation_id IS NOT NULL;
CREATE INDEX policy_violations_type ON policy_violations (violation_type);
CREATE INDEX policy_violations_category ON policy_violations (category);
CREATE INDEX policy_violations_severity ON policy_violations (severity);
CREATE INDEX policy_violations_action ON policy_violations (action_taken);
CREATE INDEX policy_violations_vendor ON policy_violations (vendor_id);
CREATE INDEX policy_violations_shadow ON policy_violations (violation_id)
	WHERE mode = 'shadow';
CREATE INDEX policy_violations_open ON policy_violations (violation_id)
	WHERE NOT resolved;
CREATE INDEX policy_violations_resolved ON policy_violations (violation_id)
	WHERE resolved;

CREATE FUNCTION policy_violations_guard() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	allowed policy_violations;
BEGIN
	IF NEW.resolved AND NOT OLD.resolved THEN
		NEW.resolved_at := coalesce(NEW.resolved_at, now());
	END IF;
	allowed := OLD;
	allowed.resolved := NEW.resolved;
	allowed.resolved_at := NEW.resolved_at;
	allowed.resolved_by := NEW.resolved_by;
	allowed.resolution_notes := NEW.resolution_notes;
	allowed.disposition := NEW.disposition;
	IF allowed IS DISTINCT FROM NEW AND
	   NOT pg_has_role(current_user, 'ims_policy_owner', 'MEMBER') THEN
		RAISE EXCEPTION
			'a recorded violation can be resolved, not changed'
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER policy_violations_guard BEFORE UPDATE ON policy_violations
	FOR EACH ROW EXECUTE FUNCTION policy_violations_guard();

CREATE TABLE spool_cursors (
	spool_id   uuid PRIMARY KEY,
	segment    bigint NOT NULL CHECK (segment >= 0),
	"offset"   bigint NOT NULL CHECK ("offset" >= 0),
	updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE spool_cursors IS
	'how far each host''s spool has been drained; moves in the transaction '
	'that copies the records, so each is there exactly once';

GRANT SELECT ON evaluations, policy_violations, spool_cursors
	TO ims_policy_api;
GRANT UPDATE (resolved, resolved_at, resolved_by, resolution_notes,
	      disposition) ON policy_violations TO ims_policy_api;
GRANT INSERT ON evaluations, policy_violations TO ims_policy_keeper;
GRANT SELECT, INSERT, UPDATE ON spool_cursors TO ims_policy_keeper;
