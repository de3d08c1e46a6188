-- 003 catalogue: the models that exist, what they cost, where they are
-- served, and the names that vendors and regions have elsewhere.
--
-- Null means unknown.  What is unknown never counts as permitted or as free.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

CREATE TABLE regions (
	region       text PRIMARY KEY
		CHECK (region ~ '^[a-z][a-z0-9-]{0,63}$'),
	region_group text NOT NULL
		CHECK (region_group ~ '^[a-z][a-z0-9-]{0,63}$')
);
COMMENT ON TABLE regions IS
	'the one vocabulary of regions; policies name a region or a group';
COMMENT ON COLUMN regions.region_group IS
	'us, eu, asia, or other for what belongs to none of them; the region '
	'global, which is never known to be anywhere, is its own';

CREATE TABLE region_aliases (
	alias  text PRIMARY KEY
		CHECK (alias = lower(alias) AND length(alias) BETWEEN 1 AND 256),
	region text NOT NULL REFERENCES regions,
	source text NOT NULL
);
COMMENT ON TABLE region_aliases IS
	'a vendor''s own name of a region, in lower case, and ours';
COMMENT ON COLUMN region_aliases.source IS 'whose name it is, and where found';

CREATE TABLE vendor_aliases (
	alias     text PRIMARY KEY
		CHECK (alias = lower(alias) AND length(alias) BETWEEN 1 AND 256),
	vendor_id text NOT NULL
		CHECK (vendor_id = lower(vendor_id) AND
		       length(vendor_id) BETWEEN 1 AND 256),
	source    text NOT NULL
);
COMMENT ON TABLE vendor_aliases IS
	'another name of a vendor, in lower case, and ours';

CREATE TABLE models (
	model_id          text NOT NULL
		CHECK (model_id = lower(model_id) AND
		       length(model_id) BETWEEN 1 AND 256),
	vendor_id         text NOT NULL
		CHECK (vendor_id = lower(vendor_id) AND
		       length(vendor_id) BETWEEN 1 AND 256),
	capability_tier   smallint CHECK (capability_tier BETWEEN 1 AND 3),
	active            boolean NOT NULL DEFAULT true,
	context_tokens    bigint CHECK (context_tokens > 0),
	max_output_tokens bigint CHECK (max_output_tokens > 0),
	input_price_per_mil_tokens numeric
		CHECK (input_price_per_mil_tokens >= 0 AND
		       input_price_per_mil_tokens < 'Infinity'),
	output_price_per_mil_tokens numeric
		CHECK (output_price_per_mil_tokens >= 0 AND
		       output_price_per_mil_tokens < 'Infinity'),
	cached_input_price_per_mil_tokens numeric
		CHECK (cached_input_price_per_mil_tokens >= 0 AND
		       cached_input_price_per_mil_tokens < 'Infinity'),
	tier_from_tokens  bigint CHECK (tier_from_tokens > 0),
	tier_input_price_per_mil_tokens numeric
		CHECK (tier_input_price_per_mil_tokens >= 0 AND
		       tier_input_price_per_mil_tokens < 'Infinity'),
	tier_output_price_per_mil_tokens numeric
		CHECK (tier_output_price_per_mil_tokens >= 0 AND
		       tier_output_price_per_mil_tokens < 'Infinity'),
	features          text[] NOT NULL DEFAULT '{}'
		CHECK (features <@ ARRAY['function_calling', 'vision',
					 'reasoning']),
	regions           text[] NOT NULL DEFAULT '{}',
	deprecation_date  date,
	source            text,
	updated_at        timestamptz NOT NULL DEFAULT now(),
	updated_by        text NOT NULL DEFAULT current_user,
	PRIMARY KEY (model_id, vendor_id),
	CONSTRAINT models_price_tier_whole
		CHECK (num_nulls(tier_from_tokens,
				 tier_input_price_per_mil_tokens,
				 tier_output_price_per_mil_tokens) IN (0, 3))
);
COMMENT ON TABLE models IS
	'the model catalogue; prices are dollars per million tokens, null is '
	'unknown and never free';
COMMENT ON COLUMN models.capability_tier IS
	'1 small, 2 middle, 3 frontier; a fallback is of the same or a lower '
	'tier; null: unknown, never a fallback';
COMMENT ON COLUMN models.active IS 'may be chosen as a fallback';
COMMENT ON COLUMN models.tier_from_tokens IS
	'above this many input tokens all tokens cost the tier''s prices';
COMMENT ON COLUMN models.regions IS
	'every region that may serve it (words of regions), global among them '
	'where it may be any; empty: unknown';

-- An array cannot have a foreign key, and a region that nobody knows would
-- make the whole snapshot one that does not compile.
CREATE FUNCTION models_check_regions() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	unknown text;
BEGIN
	SELECT coalesce(r, 'null') INTO unknown FROM unnest(NEW.regions) r
	WHERE NOT EXISTS (SELECT FROM regions WHERE region = r) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'model %: no region is called %',
				NEW.model_id, unknown
			USING ERRCODE = 'foreign_key_violation';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER models_regions BEFORE INSERT OR UPDATE OF regions ON models
	FOR EACH ROW EXECUTE FUNCTION models_check_regions();

CREATE TRIGGER models_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON models
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();
CREATE TRIGGER regions_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON regions
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();
CREATE TRIGGER region_aliases_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON region_aliases
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();
CREATE TRIGGER vendor_aliases_revision
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON vendor_aliases
	FOR EACH STATEMENT EXECUTE FUNCTION policy_revision_bump();

GRANT SELECT ON regions, region_aliases, vendor_aliases, models
	TO ims_policy_keeper, ims_policy_api;
