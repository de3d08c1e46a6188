-- 011 usage, kept: what the housekeeper adds to the ledger by itself.
--
-- A call whose report never came expires; a report that could not be settled
-- at once is settled when its call is known; what could not be counted when it
-- was recorded is counted later.  All of it as entries, by usage_take, so that
-- the roll-ups stay what the ledger says, and with counted = false, so that
-- there is one way from an entry to the counters (usage_uncounted).
--
-- The functions run with the housekeeper's own rights and use the session's
-- temporary table usage_batch, which is empty outside of a transaction.

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
-- ends, a rate is not changed afterwards.
CREATE FUNCTION usage_changes(charges bigint[], held integer, nanousd bigint,
			      tokens bigint) RETURNS bigint[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT array_agg(n ORDER BY i, place)
	FROM (SELECT i, charges[i + 3] >> 6 AS kind,
		     CASE charges[i + 3] >> 6
		     WHEN 1 THEN CASE charges[i + 3] >> 3 & 7
				 WHEN 2 THEN nanousd ELSE tokens END
				 - held * charges[i + 6]
		     ELSE -1 END AS amount
	      FROM generate_series(1, cardinality(charges), 7) i) c,
	LATERAL unnest(charges[i:i + 5] || amount)
		WITH ORDINALITY u (n, place)
	WHERE kind = 2 OR (kind = 1 AND amount <> 0)
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
			e.key_id IS NOT DISTINCT FROM u.key_id)));
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

CREATE FUNCTION usage_settle(batch integer) RETURNS bigint
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
	WITH waiting AS MATERIALIZED (
		SELECT r.*, m AS made,
		       (SELECT count(*) FROM usage e
			WHERE e.evaluation_id = r.evaluation_id AND
			      e.entry = 'expire' AND e.cost < 0) AS released,
		       (SELECT sum(e.cost) FROM usage e
			WHERE e.evaluation_id = r.evaluation_id AND
			      e.entry IN ('reserve', 'expire')) AS held_cost,
		       (SELECT sum(e.tokens) FROM usage e
			WHERE e.evaluation_id = r.evaluation_id AND
			      e.entry IN ('reserve', 'expire')) AS held_tokens
		FROM usage r
		JOIN usage m ON m.evaluation_id = r.evaluation_id AND
				m.entry = 'reserve'
		WHERE r.entry = 'report' AND
		      -- nobody could ask whose call it was when it came
		      r.key_id IS NOT DISTINCT FROM m.key_id AND
		      r.evaluation_id >= uuid7_floor(now() - interval '45 days')
		      AND NOT EXISTS (SELECT FROM usage s
				      WHERE s.evaluation_id = r.evaluation_id
					AND s.entry = 'settle')
		LIMIT batch
	), real AS (
		SELECT w.*,
		       coalesce(w.cost, CASE WHEN w.success IS NOT FALSE THEN
				(w.made).cost ELSE 0 END) AS real_cost,
		       coalesce(w.tokens, CASE WHEN w.success IS NOT FALSE THEN
				(w.made).tokens ELSE 0 END) AS real_tokens,
		       coalesce(w.model_id, (w.made).model_id) AS model,
		       CASE WHEN w.model_id IS NULL THEN (w.made).vendor_id
			    ELSE w.vendor_id END AS vendor
		FROM waiting w
	), entries AS (
		SELECT r.*, s.entry AS kind
		FROM real r, LATERAL (
			SELECT 'settle' AS entry
			UNION ALL
			SELECT 'move'
			WHERE (r.model, r.vendor) IS DISTINCT FROM
			      ((r.made).model_id, (r.made).vendor_id)) s
	)
	INSERT INTO pg_temp.usage_batch (
		evaluation_id, entry, "timestamp", report_id, key_id, user_id,
		user_tier, team_id, organization_id, api_key_id, environment,
		original_model, original_vendor, model_id, vendor_id, decision,
		calls, cost, tokens, input_tokens, output_tokens, overrun,
		success, latency_ms, epoch, counted, charges)
	SELECT e.evaluation_id, e.kind, now(), e.report_id, (e.made).key_id,
	       (e.made).user_id, (e.made).user_tier, (e.made).team_id,
	       (e.made).organization_id, (e.made).api_key_id,
	       (e.made).environment, (e.made).original_model,
	       (e.made).original_vendor,
	       CASE e.kind WHEN 'move' THEN (e.made).model_id ELSE e.model END,
	       CASE e.kind WHEN 'move' THEN (e.made).vendor_id
			   ELSE e.vendor END,
	       (e.made).decision,
	       CASE WHEN e.kind = 'move' THEN -1
		    WHEN (e.model, e.vendor) IS DISTINCT FROM
			 ((e.made).model_id, (e.made).vendor_id) THEN 1
		    ELSE 0 END,
	       CASE WHEN e.kind = 'move' THEN -e.held_cost
		    WHEN (e.model, e.vendor) IS DISTINCT FROM
			 ((e.made).model_id, (e.made).vendor_id)
		    THEN e.real_cost ELSE e.real_cost - e.held_cost END,
	       CASE WHEN e.kind = 'move' THEN -e.held_tokens
		    WHEN (e.model, e.vendor) IS DISTINCT FROM
			 ((e.made).model_id, (e.made).vendor_id)
		    THEN e.real_tokens ELSE e.real_tokens - e.held_tokens END,
	       CASE e.kind WHEN 'settle' THEN e.input_tokens END,
	       CASE e.kind WHEN 'settle' THEN e.output_tokens END,
	       CASE e.kind WHEN 'settle' THEN
		    greatest(0, e.real_cost - (e.made).cost) END,
	       CASE e.kind WHEN 'settle' THEN e.success END,
	       CASE e.kind WHEN 'settle' THEN e.latency_ms END,
	       usage_newest_epoch(),
	       e.kind = 'move' OR (e.made).charges IS NULL,
	       CASE e.kind WHEN 'settle' THEN
		    usage_changes((e.made).charges,
				  CASE WHEN e.released > 0 THEN 0 ELSE 1 END,
				  usage_nanousd(e.real_cost), e.real_tokens) END
	FROM entries e;
	SELECT count(*) INTO settled FROM pg_temp.usage_batch b
	WHERE b.entry = 'settle';
	PERFORM usage_take();
	RETURN settled;
END
$$;
COMMENT ON FUNCTION usage_settle(integer) IS
	'settle at most that many reports that came when their call could not '
	'be asked for, now that it is here; returns how many';

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
	usage_expire(boolean, integer), usage_settle(integer),
	usage_uncounted(bigint, integer), usage_count(uuid[], text[]),
	usage_count_all() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_nanousd(numeric),
	usage_changes(bigint[], integer, bigint, bigint), usage_newest_epoch(),
	usage_expire(boolean, integer), usage_settle(integer),
	usage_uncounted(bigint, integer), usage_count(uuid[], text[]),
	usage_count_all() TO ims_policy_keeper;
GRANT SELECT, UPDATE ON usage_expired TO ims_policy_keeper;
GRANT UPDATE (counted) ON usage TO ims_policy_keeper;
