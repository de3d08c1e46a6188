-- 001 roles: who may do what, and the list of what has been applied.
--
-- A migration is plain SQL and runs inside one transaction that its runner
-- opens (ims-policyctl migrate, or policy_registry.sql with psql).  Everything
-- belongs to the role ims_policy_owner and stands in the schema public.
--
-- The runner of this first one is a superuser, or the owner of the database
-- with CREATEROLE.  The three roles cannot log in: give each program a login
-- role of its own that is a member of one of them.

DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES
		('ims_policy_owner', 'owns every object of ims-policy; '
		 'migrations and ims-policyctl'),
		('ims_policy_keeper', 'the housekeeper: reads what is stored, '
		 'writes the records'),
		('ims_policy_api', 'the API pool: reads everything but the '
		 'hashes of keys, resolves violations')) v (name, purpose)
	LOOP
		-- Roles belong to the whole cluster: another database of it
		-- may have made them, or be making them right now.
		CONTINUE WHEN EXISTS (SELECT FROM pg_roles
				      WHERE rolname = r.name);
		BEGIN
			EXECUTE format('CREATE ROLE %I NOLOGIN', r.name);
			EXECUTE format('COMMENT ON ROLE %I IS %L', r.name,
				       r.purpose);
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
			NULL;
		END;
	END LOOP;
	IF NOT pg_has_role(session_user, 'ims_policy_owner', 'MEMBER') THEN
		EXECUTE format('GRANT ims_policy_owner TO %I', session_user);
	END IF;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO ims_policy_owner;
GRANT USAGE ON SCHEMA public TO ims_policy_keeper, ims_policy_api;

SET LOCAL search_path = public, pg_temp;

CREATE TABLE IF NOT EXISTS schema_migrations (
	version    integer PRIMARY KEY CHECK (version > 0),
	name       text NOT NULL,
	sha256     text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	applied_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE schema_migrations OWNER TO ims_policy_owner;

SET LOCAL ROLE ims_policy_owner;

COMMENT ON TABLE schema_migrations IS
	'which files of schemas/ have been applied; one that was edited '
	'afterwards is refused';
COMMENT ON COLUMN schema_migrations.name IS 'of the file';
COMMENT ON COLUMN schema_migrations.sha256 IS
	'of the file''s bytes without the newlines at its end, in hex';
GRANT SELECT ON schema_migrations TO ims_policy_keeper, ims_policy_api;
