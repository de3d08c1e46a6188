-- 008 snapshot: everything the engine decides by, as one document.
--
-- The shape is that of include/policy/source.h.  One statement, so one state
-- of the database with its revision; the order is fixed, so the same state
-- gives the same bytes.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

CREATE FUNCTION rfc3339(at timestamptz) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
	SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
COMMENT ON FUNCTION rfc3339(timestamptz) IS 'as text, in UTC';

-- What is over is left out (limits, exemptions), but not a key: an expired
-- one is refused as such.  Limits and exemptions of a policy that is not in
-- the document would be about nothing.  Compiling the query would take as long
-- as running it.
CREATE FUNCTION snapshot_document() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
	SELECT json_build_object(
	'revision', (SELECT revision FROM policy_revision),
	'policies', coalesce((
		SELECT json_agg(policy_document(p) || jsonb_build_object(
				'policy_version_id', v.policy_version_id)
				ORDER BY priority DESC, name COLLATE "C")
		FROM policies p
		JOIN policy_versions v USING (policy_id, version)
		WHERE enabled AND deleted_at IS NULL), '[]'),
	'subject_limits', coalesce((
		SELECT json_agg(json_build_object(
				'policy_id', policy_id,
				'constraint', "constraint",
				'subject', subject,
				'value', trim_scale(value),
				'until', rfc3339(until))
			ORDER BY policy_id, "constraint" COLLATE "C",
				 subject COLLATE "C")
		FROM subject_limits JOIN policies USING (policy_id)
		WHERE enabled AND deleted_at IS NULL AND
		      (until IS NULL OR until > now())), '[]'),
	'exemptions', coalesce((
		SELECT json_agg(json_build_object(
				'exemption_id', exemption_id,
				'policy_id', policy_id,
				'scope', e.scope,
				'subject', subject,
				'valid_from', rfc3339(valid_from),
				'valid_until', rfc3339(valid_until))
			ORDER BY exemption_id)
		FROM exemptions e JOIN policies USING (policy_id)
		WHERE enabled AND deleted_at IS NULL AND
		      approved_by IS NOT NULL AND revoked_at IS NULL AND
		      valid_until > now()), '[]'),
	'models', coalesce((
		SELECT json_agg(json_build_object(
				'model_id', model_id,
				'vendor_id', vendor_id,
				'capability_tier', capability_tier,
				'active', active,
				'context_tokens', context_tokens,
				'max_output_tokens', max_output_tokens,
				'input_price_per_mil_tokens',
				trim_scale(input_price_per_mil_tokens),
				'output_price_per_mil_tokens',
				trim_scale(output_price_per_mil_tokens),
				'cached_input_price_per_mil_tokens',
				trim_scale(cached_input_price_per_mil_tokens),
				'tier_from_tokens', tier_from_tokens,
				'tier_input_price_per_mil_tokens',
				trim_scale(tier_input_price_per_mil_tokens),
				'tier_output_price_per_mil_tokens',
				trim_scale(tier_output_price_per_mil_tokens),
				'features', features,
				'regions', regions)
			ORDER BY model_id COLLATE "C",
				 vendor_id COLLATE "C")
		FROM models), '[]'),
	'regions', coalesce((
		SELECT json_agg(json_build_object('region', region,
				'region_group', region_group)
			ORDER BY region COLLATE "C")
		FROM regions), '[]'),
	'region_aliases', coalesce((
		SELECT json_agg(json_build_object('alias', alias,
				'region', region)
			ORDER BY alias COLLATE "C")
		FROM region_aliases), '[]'),
	'vendor_aliases', coalesce((
		SELECT json_agg(json_build_object('alias', alias,
				'vendor_id', vendor_id)
			ORDER BY alias COLLATE "C")
		FROM vendor_aliases), '[]'),
	'api_keys', coalesce((
		SELECT json_agg(json_build_object(
				'key_id', key_id,
				'name', name,
				'hash', encode(hash, 'hex'),
				'role', role,
				'expires_at', rfc3339(expires_at),
				'revoked', revoked_at IS NOT NULL,
				'bound_facts', bound_facts,
				'user_tiers', user_tiers,
				'regions', regions,
				'asserts', asserts)
			ORDER BY key_id COLLATE "C")
		FROM api_keys), '[]'),
	'subjects', coalesce((
		SELECT json_agg(json_build_object(
				'user_id', user_id,
				'user_tier', user_tier,
				'team_id', team_id,
				'organization_id', organization_id)
			ORDER BY user_id COLLATE "C")
		FROM subjects), '[]')
	)::text
$$;
COMMENT ON FUNCTION snapshot_document() IS
	'the document that the engine''s snapshot is compiled from, as JSON';

-- It holds the hashes of the keys.
REVOKE ALL ON FUNCTION snapshot_document() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION snapshot_document() TO ims_policy_keeper;
