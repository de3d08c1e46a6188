-- 002 policies: the rules, their history, what is stored about subjects, and
-- the revision by which every process notices a change.
--
-- The words are those of docs/policies.md.  What a policy's constraints and
-- applies_to may hold is checked by the programs that write and compile them;
-- the database holds the words, the ranges and the shapes.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

CREATE TABLE policy_revision (
	singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
	revision   bigint NOT NULL,
	changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE policy_revision IS
	'one row: counts the statements that changed anything the snapshot is '
	'made of; each bump is notified on the channel policy_revision';
INSERT INTO policy_revision (revision) VALUES (1);

-- SECURITY DEFINER: who may write a policy need not be able to write the
-- revision.  A row, not a sequence: it becomes visible with the change itself.
CREATE FUNCTION policy_revision_bump() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	now_at bigint;
BEGIN
	UPDATE policy_revision
	SET revision = revision + 1, changed_at = clock_timestamp()
	RETURNING revision INTO STRICT now_at;
	PERFORM pg_notify('policy_revision', now_at::text);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION policy_revision_bump() FROM PUBLIC;

CREATE TABLE policies (
	policy_id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name                text NOT NULL UNIQUE
		CHECK (length(name) BETWEEN 1 AND 256),
	category            text NOT NULL
		CHECK (category IN ('cost', 'vendor', 'behavioral',
				    'performance', 'data_residency',
				    'compliance')),
	description         text,
	enabled             boolean NOT NULL DEFAULT true,
	mode                text NOT NULL DEFAULT 'enforce'
		CHECK (mode IN ('enforce', 'shadow')),
	priority            integer NOT NULL DEFAULT 50
		CHECK (priority BETWEEN 0 AND 100),
	evaluation_type     text NOT NULL DEFAULT 'pre_flight'
		CHECK (evaluation_type IN ('pre_flight', 'runtime',
					   'post_execution', 'continuous')),
	action_on_violation text
		CHECK (action_on_violation IN ('block', 'degrade', 'warn',
					       'log')),
	on_error            text NOT NULL DEFAULT 'default'
		CHECK (on_error IN ('default', 'allow', 'block')),
	scope               text NOT NULL DEFAULT 'user'
		CHECK (scope IN ('global', 'organization', 'team', 'user',
				 'api_key', 'model', 'vendor')),
	applies_to          jsonb NOT NULL DEFAULT '{}'
		CHECK (jsonb_typeof(applies_to) = 'object'),
	constraints         jsonb NOT NULL
		CHECK (jsonb_typeof(constraints) = 'object'),
	message             text,
	help_url            text,
	tags                text[] NOT NULL DEFAULT '{}'
		CHECK (array_position(tags, NULL) IS NULL),
	version             integer NOT NULL DEFAULT 1 CHECK (version > 0),
	deleted_at          timestamptz,
	created_at          timestamptz NOT NULL DEFAULT now(),
	updated_at          timestamptz NOT NULL DEFAULT now(),
	updated_by          text NOT NULL DEFAULT current_user
		CHECK (updated_by <> ''),
	update_reason       text,
	-- What is judged by the clock has nobody left to refuse.
	CONSTRAINT policies_continuous_never_refuses
		CHECK (evaluation_type <> 'continuous' OR
		       action_on_violation NOT IN ('block', 'degrade'))
);
COMMENT ON TABLE policies IS
	'the policy documents of docs/policies.md, one row a policy';
COMMENT ON COLUMN policies.action_on_violation IS
	'null: the default of priority and category';
COMMENT ON COLUMN policies.on_error IS
	'what "could not be evaluated" does; default: the setting fail_mode';
COMMENT ON COLUMN policies.scope IS 'whose counter it is';
COMMENT ON COLUMN policies.version IS
	'counted by a trigger; each has its row in policy_versions';
COMMENT ON COLUMN policies.deleted_at IS
	'a deleted policy keeps its name and history but is in no snapshot';
COMMENT ON COLUMN policies.updated_by IS
	'author of this version; a statement that does not name one is the '
	'database role''s';
COMMENT ON COLUMN policies.update_reason IS
	'why this version; null when the statement gave none';

CREATE TABLE policy_versions (
	policy_id  uuid NOT NULL REFERENCES policies,
	version    integer NOT NULL CHECK (version > 0),
	policy_version_id integer GENERATED ALWAYS AS IDENTITY UNIQUE,
	document   jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
	deleted    boolean NOT NULL DEFAULT false,
	author     text NOT NULL,
	reason     text,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (policy_id, version)
);
COMMENT ON TABLE policy_versions IS
	'every version of every policy, written by a trigger, never changed';
COMMENT ON COLUMN policy_versions.policy_version_id IS
	'the version as one small number, for evaluations.executions';
COMMENT ON COLUMN policy_versions.document IS
	'the whole policy document as it was';
COMMENT ON COLUMN policy_versions.deleted IS
	'this version is the policy''s (soft) deletion';

-- The document of a policy.  Only members that are null themselves are left
-- out: a null inside constraints or applies_to is somebody's mistake and must
-- stay visible.
CREATE FUNCTION policy_document(p policies) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT jsonb_build_object(
		'policy_id', p.policy_id, 'version', p.version,
		'name', p.name, 'category', p.category, 'enabled', p.enabled,
		'mode', p.mode, 'priority', p.priority,
		'evaluation_type', p.evaluation_type,
		'on_error', p.on_error, 'scope', p.scope,
		'applies_to', p.applies_to, 'constraints', p.constraints,
		'tags', p.tags) ||
	       jsonb_strip_nulls(jsonb_build_object(
		'action_on_violation', p.action_on_violation,
		'description', p.description, 'message', p.message,
		'help_url', p.help_url))
$$;

-- A column that a statement did not set still has the last version's value.
-- Only a trigger OF that column sees that it was set, so it leaves a note,
-- for this transaction, that policies_stamp takes away again.
CREATE FUNCTION policies_note_given() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('ims_policy.given_' || TG_ARGV[0], 'yes', true);
	RETURN NEW;
END
$$;

CREATE FUNCTION policies_stamp() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at := clock_timestamp();
	IF TG_OP = 'INSERT' THEN
		NEW.version := 1;
		NEW.updated_by := coalesce(NEW.updated_by, current_user);
		RETURN NEW;
	END IF;
	IF NEW.policy_id <> OLD.policy_id THEN
		RAISE EXCEPTION 'the id of a policy cannot be changed'
			USING ERRCODE = 'restrict_violation';
	END IF;
	NEW.version := OLD.version + 1;
	NEW.created_at := OLD.created_at;
	IF current_setting('ims_policy.given_author', true) = 'yes' THEN
		NEW.updated_by := coalesce(NEW.updated_by, current_user);
	ELSE
		NEW.updated_by := current_user;
	END IF;
	IF current_setting('ims_policy.given_reason', true)
	   IS DISTINCT FROM 'yes' THEN
		NEW.update_reason := NULL;
	END IF;
	PERFORM set_config('ims_policy.given_author', '', true),
		set_config('ims_policy.given_reason', '', true);
	RETURN NEW;
END
$$;

-- SECURITY DEFINER: history is written by this trigger alone.
CREATE FUNCTION policies_write_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	INSERT INTO policy_versions (policy_id, version, document, deleted,
				     author, reason, created_at)
	VALUES (NEW.policy_id, NEW.version, policy_document(NEW),
		NEW.deleted_at IS NOT NULL, NEW.updated_by, NEW.update_reason,
		NEW.updated_at);
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION policies_write_version() FROM PUBLIC;

CREATE FUNCTION policy_versions_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a version of a policy is never changed or deleted'
		USING ERRCODE = 'restrict_violation';
END
$$;

-- Row triggers run in the order of their names.
CREATE TRIGGER policies_1_author BEFORE UPDATE OF updated_by ON policies
	FOR EACH ROW EXECUTE FUNCTION policies_note_given('author');
CREATE TRIGGER policies_1_reason BEFORE UPDATE OF update_reason ON policies
	FOR EACH ROW EXECUTE FUNCTION policies_note_given('reason');
CREATE TRIGGER policies_2_stamp BEFORE INSERT OR UPDATE ON policies
	FOR EACH ROW EXECUTE FUNCTION policies_stamp();
CREATE TRIGGER policies_3_version AFTER INSERT OR UPDATE ON policies
	FOR EACH ROW EXECUTE FUNCTION policies_write_version();
CREATE TRIGGER policy_versions_immutable
	BEFORE UPDATE OR DELETE OR TRUNCATE ON policy_versions
	FOR EACH STATEMENT EXECUTE FUNCTION policy_versions_refuse();

CREATE TABLE subject_limits (
	policy_id    uuid NOT NULL REFERENCES policies,
	"constraint" text NOT NULL
		CHECK ("constraint" ~ '^[a-z][a-z0-9_]{0,63}$'),
	subject      text NOT NULL CHECK (length(subject) BETWEEN 1 AND 256),
	value        numeric NOT NULL
		CHECK (value >= 0 AND value < 'Infinity'),
	until        timestamptz CHECK (isfinite(until)),
	created_at   timestamptz NOT NULL DEFAULT now(),
	created_by   text NOT NULL DEFAULT current_user,
	PRIMARY KEY (policy_id, "constraint", subject)
);
COMMENT ON TABLE subject_limits IS
	'a policy''s number changed for one subject, for good or until a time';
COMMENT ON COLUMN subject_limits.subject IS
	'value of the policy''s scope: a user, team, organization, ...';
COMMENT ON COLUMN subject_limits.value IS
	'in the unit of the constraint: dollars, tokens, characters, ...';
COMMENT ON COLUMN subject_limits.until IS 'null: for good';

CREATE TABLE exemptions (
	exemption_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	policy_id    uuid NOT NULL REFERENCES policies,
	scope        text NOT NULL
		CHECK (scope IN ('global', 'organization', 'team', 'user',
				 'api_key', 'model', 'vendor')),
	subject      text NOT NULL CHECK (length(subject) BETWEEN 1 AND 256),
	reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
	requested_by text NOT NULL CHECK (requested_by <> ''),
	requested_at timestamptz NOT NULL DEFAULT now(),
	approved_by  text CHECK (approved_by <> ''),
	approved_at  timestamptz,
	valid_from   timestamptz NOT NULL DEFAULT now()
		CHECK (isfinite(valid_from)),
	valid_until  timestamptz NOT NULL CHECK (isfinite(valid_until)),
	revoked_at   timestamptz,
	revoked_by   text,
	CONSTRAINT exemptions_four_eyes CHECK (approved_by <> requested_by),
	CONSTRAINT exemptions_end_after_begin CHECK (valid_until > valid_from)
);
CREATE INDEX exemptions_policy ON exemptions (policy_id);
COMMENT ON TABLE exemptions IS
	'exceptions from one policy for one subject; only one that is approved '
	'and not revoked reaches the engine';
COMMENT ON COLUMN exemptions.approved_by IS
	'another person than who asked; null: not approved yet';

CREATE TABLE subjects (
	user_id         text PRIMARY KEY
		CHECK (length(user_id) BETWEEN 1 AND 256),
	user_tier       text CHECK (length(user_tier) BETWEEN 1 AND 256),
	team_id         text CHECK (length(team_id) BETWEEN 1 AND 256),
	organization_id text CHECK (length(organization_id) BETWEEN 1 AND 256),
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	updated_by      text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE subjects IS
	'the directory: what is known about a user, whatever a caller claims';
COMMENT ON COLUMN subjects.user_tier IS 'null: nothing is known';

CREATE TRIGGER policies_4_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON policies
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();
CREATE TRIGGER subject_limits_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON subject_limits
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();
CREATE TRIGGER exemptions_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON exemptions
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();
CREATE TRIGGER subjects_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON subjects
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();

GRANT SELECT ON policy_revision, policies, policy_versions, subject_limits,
	exemptions, subjects TO ims_policy_keeper, ims_policy_api;
