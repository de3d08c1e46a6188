-- 011 usage, kept: what the housekeeper adds to the ledger by itself.
--
-- A call whose report never came expires; a report that could not be settled
-- at once is settled and recorded when its call is known; what could not be
-- counted when it was recorded is counted later.  All of it as entries, by
-- usage_take, so that the roll-ups stay what the ledger says, and with counted
-- = false, so that there is one way from an entry to the counters
-- (usage_uncounted).
--
-- The functions run with the housekeeper's own rights and use temporary tables
-- of the session, which are empty outside of a transaction.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

-- What was not counted, epoch by epoch.
CREATE INDEX usage_uncounted ON usage (epoch) WHERE NOT counted;

CREATE TABLE usage_expired (
	singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
	until     timestamptz NOT NULL
);
COMMENT ON TABLE usage_expired IS
	'every call that was to be reported before then is settled or expired';
INSERT INTO usage_expired (until) VALUES (timestamptz 'epoch');

CREATE FUNCTION usage_nanousd(dollars numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	SELECT ceil(dollars * 1000000000)::bigint
$$;

-- The changes that bring the budgets among CHARGES, which hold HELD of what
-- they say (1: all of it, 0: it was given back), to these amounts.  A lease
-- ends; a rate counts the tokens above its estimate, from now on, and gives
-- nothing back; that an alert was raised is said once, by the call that did it
-- (512).
CREATE FUNCTION usage_changes(charges bigint[], held integer, nanousd bigint,
			      tokens bigint) RETURNS bigint[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT array_agg(n ORDER BY i, place)
	FROM generate_series(1, cardinality(charges), 7) i,
	LATERAL (SELECT charges[i + 3] >> 6 & 7 AS kind,
			charges[i + 3] >> 3 & 7 AS unit) k,
	LATERAL (SELECT CASE
			WHEN kind = 2 THEN -1
			WHEN kind = 1 THEN
				CASE unit WHEN 2 THEN nanousd ELSE tokens END
				- held * charges[i + 6]
			WHEN unit = 1 THEN greatest(tokens - charges[i + 6], 0)
			ELSE 0 END AS amount) c,
	LATERAL unnest(charges[i:i + 2] || (charges[i + 3] & 511) ||
		       CASE kind WHEN 0
		       THEN floor(extract(epoch FROM now()))::bigint
		       ELSE charges[i + 4] END ||
		       charges[i + 5] || amount)
		WITH ORDINALITY u (n, place)
	WHERE amount <> 0
$$;

CREATE FUNCTION usage_newest_epoch() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT coalesce(max(epoch), 0) FROM counter_epochs
$$;

-- ---- expired

CREATE FUNCTION usage_expire(release boolean, batch integer)
RETURNS TABLE (expired bigint, done boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
DECLARE
	begun timestamptz;
	ends timestamptz;
BEGIN
	SELECT e.until INTO begun FROM usage_expired e
	FOR UPDATE SKIP LOCKED;
	IF begun IS NULL THEN
		RETURN QUERY SELECT 0::bigint, true; -- another host is at it
		RETURN;
	END IF;
	-- A report may still be in the spool of a host.
	SELECT least(min(n.drained_until), now()) INTO ends FROM nodes n
	HAVING bool_and(n.drained_until IS NOT NULL);
	IF ends IS NULL OR ends <= begun THEN
		RETURN QUERY SELECT 0::bigint, true;
		RETURN;
	END IF;
	CREATE TEMPORARY TABLE IF NOT EXISTS usage_batch
		(LIKE public.usage) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS usage_due
		(evaluation_id uuid, expires_at timestamptz)
		ON COMMIT DELETE ROWS;
	DELETE FROM pg_temp.usage_due;
	INSERT INTO pg_temp.usage_due
	SELECT u.evaluation_id, u.expires_at FROM usage u
	WHERE u.entry = 'reserve' AND u.expires_at > begun AND
	      u.expires_at <= ends
	ORDER BY u.expires_at FETCH FIRST batch ROWS WITH TIES;
	IF (SELECT count(*) FROM pg_temp.usage_due) >= batch THEN
		SELECT max(d.expires_at) INTO ends FROM pg_temp.usage_due d;
		done := false;
	ELSE
		done := true;
	END IF;
	INSERT INTO pg_temp.usage_batch (
		evaluation_id, entry, "timestamp", key_id, user_id, user_tier,
		team_id, organization_id, api_key_id, environment,
		original_model, original_vendor, model_id, vendor_id, decision,
		calls, cost, tokens, epoch, counted, charges)
	SELECT u.evaluation_id, 'expire', now(), u.key_id, u.user_id,
	       u.user_tier, u.team_id, u.organization_id, u.api_key_id,
	       u.environment, u.original_model, u.original_vendor, u.model_id,
	       u.vendor_id, u.decision, 0,
	       CASE WHEN release THEN -u.cost ELSE 0 END,
	       CASE WHEN release THEN -u.tokens ELSE 0 END,
	       usage_newest_epoch(), NOT release OR u.charges IS NULL,
	       CASE WHEN release THEN usage_changes(u.charges, 1, 0, 0) END
	FROM pg_temp.usage_due d
	JOIN usage u ON u.evaluation_id = d.evaluation_id AND
			u.entry = 'reserve'
	WHERE NOT EXISTS (
		SELECT FROM usage e
		WHERE e.evaluation_id = d.evaluation_id AND
		      (e.entry IN ('settle', 'expire') OR
		       (e.entry = 'report' AND
			usage_may_report(e.key_id, u.key_id))));
	expired := usage_take();
	UPDATE usage_expired SET until = ends;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION usage_expire(boolean, integer) IS
	'add the entry expire to at most about that many calls that no report '
	'came for in time, giving their estimates back or not; done: there are '
	'no more';

-- ---- reports that waited

-- A vendor by the name that the catalogue has it under.
CREATE FUNCTION usage_vendor(name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT coalesce((SELECT a.vendor_id FROM vendor_aliases a
			 WHERE a.alias = name), name)
$$;

-- By the rules of src/engine/settle.c, which has them for a report that need
-- not wait.  Of a refused call nothing was reserved and nothing is moved.
CREATE FUNCTION usage_waiting(batch integer, unknown_price numeric)
RETURNS TABLE (
	evaluation_id uuid, report_id uuid, said_at timestamptz, key_id text,
	user_id text, user_tier text, team_id text, organization_id text,
	api_key_id text, environment text, original_model text,
	original_vendor text, made_model text, made_vendor text, decision text,
	made_cost numeric, charges bigint[], refused boolean, released boolean,
	held_cost numeric, held_tokens numeric, served_model text,
	served_vendor text, input_tokens bigint, output_tokens bigint,
	success boolean, latency_ms numeric, said jsonb, model_id text,
	vendor_id text, tier smallint, region text, cost numeric, tokens bigint,
	missing boolean, moved boolean, honoured boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
	WITH waiting AS MATERIALIZED (
		SELECT r.evaluation_id, r.report_id, r."timestamp" AS said_at,
		       m.key_id, m.user_id, m.user_tier, m.team_id,
		       m.organization_id, m.api_key_id, m.environment,
		       m.original_model, m.original_vendor,
		       m.model_id AS made_model, m.vendor_id AS made_vendor,
		       m.decision, m.cost AS made_cost,
		       m.tokens AS made_tokens, m.charges, m.refused,
		       r.model_id AS served_model,
		       usage_vendor(r.vendor_id) AS served_vendor,
		       r.cost AS said_cost, r.tokens AS said_tokens,
		       r.input_tokens, r.output_tokens, r.success, r.latency_ms,
		       r.said, coalesce(r.model_id, m.model_id) AS model_id
		FROM usage r
		CROSS JOIN LATERAL (
			SELECT u.key_id, u.user_id, u.user_tier, u.team_id,
			       u.organization_id, u.api_key_id, u.environment,
			       u.original_model, u.original_vendor, u.model_id,
			       u.vendor_id, u.decision, u.cost, u.tokens,
			       u.charges, false AS refused
			FROM usage u
			WHERE u.evaluation_id = r.evaluation_id AND
			      u.entry = 'reserve'
			UNION ALL
			SELECT NULL, v.user_id, v.user_tier, v.team_id,
			       v.organization_id, v.api_key_id, v.environment,
			       v.model_id, v.vendor_id, v.model_id,
			       v.vendor_id, v.decision, 0, 0, NULL, true
			FROM usage_refused v
			WHERE v.evaluation_id = r.evaluation_id
			LIMIT 1) m -- not to be joined in another way
		WHERE r.entry = 'report' AND
		      r.evaluation_id >= uuid7_floor(now() - interval '45 days')
		      AND usage_may_report(r.key_id, m.key_id) AND
		      (SELECT count(*) FROM usage s -- nor this
		       WHERE s.evaluation_id = r.evaluation_id AND
			     s.entry = 'settle') = 0
		LIMIT batch
	), named AS (
		SELECT w.*, CASE
		       WHEN served_vendor IS NOT NULL THEN served_vendor
		       WHEN model_id = made_model THEN made_vendor
		       WHEN model_id = original_model THEN original_vendor END
				AS named_vendor
		FROM waiting w
	), priced AS (
		SELECT n.*, coalesce(named_vendor, c.vendor) AS vendor_id,
		       c.tier, c.region,
		       -- a part of a nano-dollar is one
		       (ceil(coalesce(n.input_tokens, 0) * c.input_price * 1000)
			+ ceil(coalesce(n.output_tokens, 0) * c.output_price
			       * 1000)) * 0.000000001 AS price
		FROM named n
		LEFT JOIN LATERAL (
			SELECT usage_vendor(m.vendor_id) AS vendor,
			       m.capability_tier AS tier,
			       CASE WHEN cardinality(m.regions) = 1
				    THEN m.regions[1] END AS region,
			       CASE WHEN n.input_tokens > m.tier_from_tokens
				    THEN m.tier_input_price_per_mil_tokens
				    ELSE m.input_price_per_mil_tokens END
					AS input_price,
			       CASE WHEN n.input_tokens > m.tier_from_tokens
				    THEN m.tier_output_price_per_mil_tokens
				    ELSE m.output_price_per_mil_tokens END
					AS output_price
			FROM models m
			WHERE m.model_id = n.model_id AND
			      coalesce(usage_vendor(m.vendor_id) =
				       n.named_vendor, true)
			ORDER BY usage_vendor(m.vendor_id) COLLATE "C" LIMIT 1
		) m ON true
		CROSS JOIN LATERAL (
			SELECT m.vendor, m.tier, m.region,
			       coalesce(m.input_price, unknown_price)
				AS input_price,
			       coalesce(m.output_price, unknown_price)
				AS output_price) c
	), figures AS (
		SELECT p.*, CASE
		       WHEN said_cost IS NOT NULL THEN said_cost
		       WHEN said_tokens IS NOT NULL THEN price
		       WHEN success IS FALSE THEN 0 END AS known_cost,
		       (SELECT count(*) > 0 FROM usage e
			WHERE e.evaluation_id = p.evaluation_id AND
			      e.entry = 'expire' AND e.cost < 0) AS released,
		       (SELECT sum(e.cost) FROM usage e
			WHERE e.evaluation_id = p.evaluation_id AND
			      e.entry IN ('reserve', 'expire')) AS held_cost,
		       (SELECT sum(e.tokens) FROM usage e
			WHERE e.evaluation_id = p.evaluation_id AND
			      e.entry IN ('reserve', 'expire')) AS held_tokens
		FROM priced p
	)
	SELECT evaluation_id, report_id, said_at, key_id, user_id, user_tier,
	       team_id, organization_id, api_key_id, environment,
	       original_model, original_vendor, made_model, made_vendor,
	       decision, made_cost, charges, refused, released,
	       coalesce(held_cost, 0), coalesce(held_tokens, 0), served_model,
	       served_vendor, input_tokens, output_tokens, success, latency_ms,
	       said, model_id, vendor_id, tier, region,
	       trim_scale(coalesce(known_cost, made_cost)),
	       coalesce(said_tokens, CASE WHEN success IS FALSE THEN 0
				     ELSE made_tokens END),
	       known_cost IS NULL,
	       NOT refused AND (model_id, vendor_id) IS DISTINCT FROM
			       (made_model, made_vendor),
	       -- what is not told is not known to be another
	       NOT refused AND
	       ((coalesce(model_id = made_model, true) AND
		 coalesce(vendor_id = made_vendor, true)) OR
		(coalesce(model_id = original_model, true) AND
		 coalesce(vendor_id = original_vendor, true)))
	FROM figures
$$;
COMMENT ON FUNCTION usage_waiting(integer, numeric) IS
	'at most that many reports that came when their call could not be asked '
	'for, with the call, now that it is here, and what they come to; '
	'unknown_price: dollars for a million tokens of what has no price';

-- No policy is asked any more, since what one would look at is not kept.
CREATE FUNCTION usage_record_waited() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
BEGIN
	INSERT INTO evaluations (
		evaluation_id, "timestamp", evaluation_type, decision, passed,
		user_id, user_tier, team_id, organization_id, api_key_id,
		session_id, correlation_id, request_id, environment, region,
		original_model, vendor_id, input_tokens, estimated_tokens,
		max_output_tokens, estimated_cost, final_cost,
		policies_evaluated, violations_n, executions, warnings,
		metadata)
	SELECT w.report_id, w.said_at, 'post_execution',
	       CASE WHEN w.honoured THEN 'allow' ELSE 'log' END, w.honoured,
	       w.user_id, w.user_tier, w.team_id, w.organization_id,
	       w.api_key_id, w.said->>'session_id', w.said->>'correlation_id',
	       w.said->>'request_id', w.environment, w.region, w.model_id,
	       w.vendor_id, w.input_tokens, w.tokens, w.output_tokens, w.cost,
	       w.cost, 0, CASE WHEN w.honoured THEN 0 ELSE 1 END, '{}',
	       CASE WHEN w.missing THEN
		    jsonb_build_array(jsonb_build_object(
			'type', 'usage_missing',
			'details', jsonb_build_object('used', w.cost)))
		    ELSE '[]' END,
	       coalesce(w.said, '{}') - ARRAY['session_id', 'correlation_id',
					      'request_id'] ||
	       jsonb_build_object('given_cost', w.cost, 'sources',
				  coalesce(w.said->'sources', '{}') || f.sources)
	FROM pg_temp.usage_waited w,
	LATERAL (SELECT coalesce(jsonb_object_agg(fact, source), '{}')
		 FROM (VALUES ('user_id', w.user_id, 'reservation'),
			('user_tier', w.user_tier, 'reservation'),
			('team_id', w.team_id, 'reservation'),
			('organization_id', w.organization_id, 'reservation'),
			('api_key_id', w.api_key_id, 'reservation'),
			('environment', w.environment, 'reservation'),
			('model_id', w.model_id,
			 CASE WHEN w.served_model IS NULL
			      THEN 'reservation' END),
			('vendor_id', w.vendor_id,
			 CASE WHEN w.served_vendor IS NOT NULL THEN NULL
			      WHEN w.served_model IS NOT NULL THEN 'catalogue'
			      ELSE 'reservation' END),
			('model_tier', w.tier::text, 'catalogue'),
			('region', w.region, 'catalogue'),
			('estimated_tokens', w.tokens::text,
			 CASE WHEN w.missing THEN 'reservation' END),
			('estimated_cost', w.cost::text,
			 CASE WHEN w.missing THEN 'reservation' END))
			v (fact, value, source)
		 WHERE value IS NOT NULL AND source IS NOT NULL) f (sources)
	WHERE w.report_id IS NOT NULL
	ON CONFLICT DO NOTHING;

	INSERT INTO policy_violations (
		violation_id, evaluation_id, "timestamp", category,
		evaluation_type, violation_type, severity, mode, enforced,
		action_taken, violation_details, message, user_id, user_tier,
		team_id, organization_id, api_key_id, session_id,
		correlation_id, request_id, environment, original_model,
		vendor_id, cost_impact, impact_score, metadata)
	SELECT -- of the report's time and, but for that, of nothing else
	       (left(w.report_id::text, 14) || '7' || substr(d.digest, 1, 3) ||
		'-' || substr('89ab', 1 + get_byte(d.bytes, 31) % 4, 1) ||
		substr(d.digest, 4, 3) || '-' || substr(d.digest, 7, 12))::uuid,
	       w.report_id, w.said_at, 'vendor', 'post_execution',
	       'decision_not_honoured', 'high', 'enforce', true, 'logged',
	       jsonb_build_object(
		'decision', w.decision, 'asked_model_id', w.original_model,
		'served_model_id', w.model_id, 'served_vendor_id', w.vendor_id)
	       || CASE WHEN w.refused THEN '{}' ELSE
		  jsonb_build_object('permitted_model_id', w.made_model) END,
	       CASE WHEN w.refused THEN 'the call had been refused'
		    ELSE 'another model was called than was asked for or '
			 'permitted instead' END,
	       w.user_id, w.user_tier, w.team_id, w.organization_id,
	       w.api_key_id, w.said->>'session_id', w.said->>'correlation_id',
	       w.said->>'request_id', w.environment, w.model_id, w.vendor_id,
	       0, 70.0, '{}'
	FROM pg_temp.usage_waited w,
	LATERAL (SELECT sha256(convert_to(w.report_id ||
			' decision_not_honoured', 'UTF8'))) b (bytes),
	LATERAL (SELECT b.bytes, encode(b.bytes, 'hex')) d (bytes, digest)
	WHERE NOT w.honoured AND w.report_id IS NOT NULL
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION usage_record_waited() IS
	'record the evaluations of the reports in the session''s temporary '
	'table usage_waited, and where the decision was not honoured that';

CREATE FUNCTION usage_settle(batch integer, unknown_price numeric)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
DECLARE
	settled bigint;
BEGIN
	-- Not while another host lets calls expire, or settles the same.
	PERFORM FROM usage_expired FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	CREATE TEMPORARY TABLE IF NOT EXISTS usage_batch
		(LIKE public.usage) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS usage_waited
		ON COMMIT DELETE ROWS AS
		SELECT * FROM usage_waiting(0, NULL) WITH NO DATA;
	INSERT INTO pg_temp.usage_waited
	SELECT * FROM usage_waiting(batch, unknown_price);
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	INSERT INTO pg_temp.usage_batch (
		evaluation_id, entry, "timestamp", report_id, key_id, user_id,
		user_tier, team_id, organization_id, api_key_id, environment,
		original_model, original_vendor, model_id, vendor_id, decision,
		calls, cost, tokens, input_tokens, output_tokens, overrun,
		success, latency_ms, epoch, counted, charges)
	SELECT w.evaluation_id, 'settle', now(), w.report_id, w.key_id,
	       w.user_id, w.user_tier, w.team_id, w.organization_id,
	       w.api_key_id, w.environment, w.original_model,
	       w.original_vendor, w.model_id, w.vendor_id, w.decision,
	       CASE WHEN w.moved THEN 1 ELSE 0 END,
	       w.cost - CASE WHEN w.moved THEN 0 ELSE w.held_cost END,
	       w.tokens - CASE WHEN w.moved THEN 0 ELSE w.held_tokens END,
	       w.input_tokens, w.output_tokens,
	       greatest(0, w.cost - w.made_cost), w.success, w.latency_ms,
	       usage_newest_epoch(), w.charges IS NULL,
	       usage_changes(w.charges, CASE WHEN w.released THEN 0 ELSE 1 END,
			     usage_nanousd(w.cost), w.tokens)
	FROM pg_temp.usage_waited w;
	PERFORM usage_take();
	-- What another report has settled meanwhile is settled.
	DELETE FROM pg_temp.usage_waited w
	WHERE NOT EXISTS (
		SELECT FROM usage s
		WHERE s.evaluation_id = w.evaluation_id AND
		      s.entry = 'settle' AND s."timestamp" = now() AND
		      s.report_id IS NOT DISTINCT FROM w.report_id);
	DELETE FROM pg_temp.usage_batch;
	INSERT INTO pg_temp.usage_batch (
		evaluation_id, entry, "timestamp", report_id, key_id, user_id,
		user_tier, team_id, organization_id, api_key_id, environment,
		original_model, original_vendor, model_id, vendor_id, decision,
		calls, cost, tokens, epoch, counted)
	SELECT w.evaluation_id, 'move', now(), w.report_id, w.key_id,
	       w.user_id, w.user_tier, w.team_id, w.organization_id,
	       w.api_key_id, w.environment, w.original_model,
	       w.original_vendor, w.made_model, w.made_vendor, w.decision, -1,
	       -w.held_cost, -w.held_tokens, usage_newest_epoch(), true
	FROM pg_temp.usage_waited w
	WHERE w.moved;
	PERFORM usage_take();
	PERFORM usage_record_waited();
	SELECT count(*) INTO settled FROM pg_temp.usage_waited;
	RETURN settled;
END
$$;
COMMENT ON FUNCTION usage_settle(integer, numeric) IS
	'settle and record at most that many reports of usage_waiting; returns '
	'how many';

-- ---- what has yet to be counted

CREATE FUNCTION usage_uncounted(of_epoch bigint, batch integer)
RETURNS TABLE (evaluation_id uuid, entry text, at_us bigint, charges text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
	SELECT u.evaluation_id, u.entry,
	       (extract(epoch FROM u."timestamp") * 1e6)::bigint,
	       u.charges::text
	FROM usage u
	WHERE u.epoch = of_epoch AND NOT u.counted
	ORDER BY u.evaluation_id
	LIMIT batch
$$;
COMMENT ON FUNCTION usage_uncounted(bigint, integer) IS
	'entries of an epoch that the counters do not have yet';

CREATE FUNCTION usage_count(ids uuid[], entries text[]) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	UPDATE usage u SET counted = true
	FROM unnest(ids, entries) c (id, entry)
	WHERE u.evaluation_id = c.id AND u.entry = c.entry AND NOT u.counted;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION usage_count(uuid[], text[]) IS
	'the counters have these entries now; returns how many had not';

CREATE FUNCTION usage_count_all() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	UPDATE usage u SET counted = true WHERE NOT u.counted;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION usage_count_all() IS
	'a rebuild has counted every entry that it can see';

-- ---- rights

REVOKE ALL ON FUNCTION usage_nanousd(numeric),
	usage_changes(bigint[], integer, bigint, bigint), usage_newest_epoch(),
	usage_expire(boolean, integer), usage_vendor(text),
	usage_waiting(integer, numeric), usage_record_waited(),
	usage_settle(integer, numeric),
	usage_uncounted(bigint, integer), usage_count(uuid[], text[]),
	usage_count_all() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_nanousd(numeric),
	usage_changes(bigint[], integer, bigint, bigint), usage_newest_epoch(),
	usage_expire(boolean, integer), usage_vendor(text),
	usage_waiting(integer, numeric), usage_record_waited(),
	usage_settle(integer, numeric),
	usage_uncounted(bigint, integer), usage_count(uuid[], text[]),
	usage_count_all() TO ims_policy_keeper;
GRANT SELECT, UPDATE ON usage_expired TO ims_policy_keeper;
GRANT UPDATE (counted) ON usage TO ims_policy_keeper;
