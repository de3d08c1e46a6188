-- 004 api_keys: who may call.
--
-- A key is ims_<key_id>_<secret>; only the BLAKE2b-256 of the secret is
-- stored.  The API pool's role cannot read even that.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

CREATE TABLE api_keys (
	key_id      text PRIMARY KEY CHECK (key_id ~ '^[a-z0-9]{16}$'),
	name        text CHECK (length(name) BETWEEN 1 AND 256),
	hash        bytea NOT NULL CHECK (octet_length(hash) = 32),
	role        text NOT NULL
		CHECK (role IN ('evaluator', 'viewer', 'resolver', 'admin')),
	bound_facts jsonb NOT NULL DEFAULT '{}'
		CHECK (jsonb_typeof(bound_facts) = 'object'),
	user_tiers  text[] NOT NULL DEFAULT '{}'
		CHECK (array_position(user_tiers, NULL) IS NULL),
	regions     text[] NOT NULL DEFAULT '{}'
		CHECK (array_position(regions, NULL) IS NULL),
	asserts     text[] CHECK (array_position(asserts, NULL) IS NULL),
	expires_at  timestamptz CHECK (isfinite(expires_at)),
	revoked_at  timestamptz,
	created_at  timestamptz NOT NULL DEFAULT now(),
	created_by  text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE api_keys IS 'who may call, as what, and with whose word';
COMMENT ON COLUMN api_keys.hash IS 'BLAKE2b-256 of the secret';
COMMENT ON COLUMN api_keys.bound_facts IS
	'{fact: text}: always so for this key, whatever the body says';
COMMENT ON COLUMN api_keys.user_tiers IS
	'tiers that its caller may assert; empty: any';
COMMENT ON COLUMN api_keys.regions IS
	'regions that its caller may assert; empty: any';
COMMENT ON COLUMN api_keys.asserts IS
	'facts that its caller may assert; null: all, empty: none';

CREATE TRIGGER api_keys_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON api_keys
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();

GRANT SELECT ON api_keys TO ims_policy_keeper;
GRANT SELECT (key_id, name, role, bound_facts, user_tiers, regions, asserts,
	      expires_at, revoked_at, created_at, created_by)
	ON api_keys TO ims_policy_api;
