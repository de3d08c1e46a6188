-- 010 counters: what counts, which hosts take part, and the counters
-- themselves while memcached does not keep them.
--
-- Programs that count log in as members of ims_policy_counter.  It owns
-- nothing and reads no table: all it may do is call the functions at the end
-- of this file, which run as the owner.
--
-- Its runner needs CREATEROLE, as that of 001_roles.sql, unless the role is
-- there already.

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles
		       WHERE rolname = 'ims_policy_counter') THEN
		BEGIN
			CREATE ROLE ims_policy_counter NOLOGIN;
			COMMENT ON ROLE ims_policy_counter IS
				'whatever counts: counters while memcached is '
				'lost, and the calls that reports are about';
		EXCEPTION WHEN duplicate_object OR unique_violation THEN
			NULL; -- of another database of the cluster, just now
		END;
	END IF;
END
$$;
GRANT USAGE ON SCHEMA public TO ims_policy_counter;

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

-- ---- epochs: since when what counts

CREATE TABLE counter_epochs (
	epoch    bigint PRIMARY KEY CHECK (epoch > 0),
	counts   text NOT NULL
		CHECK (counts IN ('memcached', 'postgresql', 'host')),
	reason   text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
	node     uuid NOT NULL,
	begun_at timestamptz NOT NULL DEFAULT now(),
	ready_at timestamptz
);
COMMENT ON TABLE counter_epochs IS
	'what keeps the counters: the newest row is the one that holds; '
	'changed by counter_epoch_begin and counter_epoch_ready alone';
COMMENT ON COLUMN counter_epochs.counts IS
	'what keeps the counters; host: the memory of the one that began it';
COMMENT ON COLUMN counter_epochs.reason IS 'why it was begun, for a person';
COMMENT ON COLUMN counter_epochs.node IS
	'spool_id of the host that chose what counts; zeroes: an operator did, '
	'and it stays until it is lost';
COMMENT ON COLUMN counter_epochs.ready_at IS
	'every counter has been rebuilt; null: nothing is counted yet';

-- Whoever writes a counter holds this table in ROW SHARE mode, which costs
-- next to nothing, from before it looks up the epoch until its transaction
-- ends.  EXCLUSIVE waits for all of them, and they for it; so nothing is
-- written in the old epoch once this has returned.
CREATE FUNCTION counter_epoch_begin(counts text, reason text, node uuid,
				    expected_epoch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s' AS $$
BEGIN
	LOCK TABLE counter_epochs IN EXCLUSIVE MODE;
	IF expected_epoch IS DISTINCT FROM
	   (SELECT coalesce(max(e.epoch), 0) FROM counter_epochs e) THEN
		RETURN NULL;
	END IF;
	INSERT INTO counter_epochs (epoch, counts, reason, node)
	VALUES (expected_epoch + 1, counts, reason, node);
	RETURN expected_epoch + 1;
END
$$;
COMMENT ON FUNCTION counter_epoch_begin(text, text, uuid, bigint) IS
	'begin the next epoch, not ready, if the newest one is still the '
	'expected one (0: there is none), and return it; else null';

CREATE FUNCTION counter_epoch_ready(of_epoch bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s' AS $$
BEGIN
	LOCK TABLE counter_epochs IN EXCLUSIVE MODE;
	IF of_epoch IS DISTINCT FROM
	   (SELECT max(e.epoch) FROM counter_epochs e) THEN
		RETURN false;
	END IF;
	UPDATE counter_epochs e SET ready_at = now()
	WHERE e.epoch = of_epoch AND e.ready_at IS NULL;
	RETURN true;
END
$$;
COMMENT ON FUNCTION counter_epoch_ready(bigint) IS
	'every counter of the epoch is rebuilt; false: it is over';

CREATE FUNCTION counter_epoch_newest()
RETURNS TABLE (epoch bigint, counts text, reason text, node uuid,
	       begun_at timestamptz, ready boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT e.epoch, e.counts, e.reason, e.node, e.begun_at,
	       e.ready_at IS NOT NULL
	FROM counter_epochs e ORDER BY e.epoch DESC LIMIT 1
$$;
COMMENT ON FUNCTION counter_epoch_newest() IS 'what counts; no row: nothing yet';

-- ---- nodes: the hosts that take part

CREATE TABLE nodes (
	spool_id      uuid PRIMARY KEY,
	name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
	beat_at       timestamptz NOT NULL,
	clock_off_ms  bigint,
	memcached_up  boolean,
	epoch         bigint,
	drained_until timestamptz,
	registered_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE nodes IS
	'every host that records, from its first beat until node_remove';
COMMENT ON COLUMN nodes.clock_off_ms IS
	'how far its clock is ahead of this server''s; null: not known';
COMMENT ON COLUMN nodes.memcached_up IS
	'do all servers of its memcached answer; null: it has none';
COMMENT ON COLUMN nodes.epoch IS 'that it follows; null: none';
COMMENT ON COLUMN nodes.drained_until IS
	'all that was recorded on it before this time, by its own clock, is in '
	'the tables; null: not known';

CREATE FUNCTION node_beat(of_spool_id uuid, of_name text, of_clock_off_ms bigint,
			  of_memcached_up boolean, of_epoch bigint,
			  of_drained_until timestamptz) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
	INSERT INTO nodes AS n (spool_id, name, beat_at, clock_off_ms,
				memcached_up, epoch, drained_until)
	VALUES (of_spool_id, of_name, clock_timestamp(), of_clock_off_ms,
		of_memcached_up, of_epoch, of_drained_until)
	ON CONFLICT (spool_id) DO UPDATE
	SET name = excluded.name, beat_at = excluded.beat_at,
	    clock_off_ms = excluded.clock_off_ms,
	    memcached_up = excluded.memcached_up, epoch = excluded.epoch,
	    drained_until = excluded.drained_until
	RETURNING n.beat_at
$$;
COMMENT ON FUNCTION node_beat(uuid, text, bigint, boolean, bigint,
			      timestamptz) IS
	'register a host or say how it is; returns this server''s clock';

CREATE FUNCTION node_remove(of_spool_id uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
	WITH gone AS (DELETE FROM nodes n WHERE n.spool_id = of_spool_id
		      RETURNING 1)
	SELECT EXISTS (SELECT FROM gone)
$$;
COMMENT ON FUNCTION node_remove(uuid) IS
	'a host is gone for good: nobody waits for its spool any more; what is '
	'in there and was not drained is lost to the counters';

CREATE FUNCTION nodes_drained(until timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT coalesce(bool_and(coalesce(n.drained_until >= until, false)),
			true)
	FROM nodes n
$$;
COMMENT ON FUNCTION nodes_drained(timestamptz) IS
	'is all that any registered host recorded before that time, each by '
	'its own clock, in the tables';

-- ---- items: the counters, while PostgreSQL keeps them

-- Rows change all the time and in no indexed column, so half of each page is
-- left for their next versions.  Nothing is compressed: it would be done
-- anew at each change.
CREATE TABLE counter_items (
	epoch      bigint NOT NULL,
	key        text COLLATE "C" NOT NULL
		CHECK (octet_length(key) BETWEEN 1 AND 250),
	version    bigint NOT NULL,
	value      bytea NOT NULL CHECK (octet_length(value) <= 1000000),
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (epoch, key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05,
	autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
	autovacuum_vacuum_insert_scale_factor = 0.5);
ALTER TABLE counter_items ALTER COLUMN value SET STORAGE EXTERNAL;
COMMENT ON TABLE counter_items IS
	'values by epoch and key, each replaced only where it is still what was '
	'read; what they mean is known to counter/ alone';
COMMENT ON COLUMN counter_items.version IS
	'changes with each write and never comes again';
COMMENT ON COLUMN counter_items.expires_at IS
	'from then on the row counts as absent';

-- Of all items, so that one that was deleted and comes again has another.
CREATE SEQUENCE counter_version AS bigint;

-- Null: it is not the one that holds here; false: it is being rebuilt.
CREATE FUNCTION counter_items_ready(of_epoch bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	RETURN (SELECT e.ready_at IS NOT NULL
		FROM (SELECT * FROM counter_epochs
		      ORDER BY epoch DESC LIMIT 1) e
		WHERE e.epoch = of_epoch AND e.counts = 'postgresql');
END
$$;

-- The same for a writer, to the end of its transaction.  A statement's
-- snapshot must be younger than the lock, which it is not in REPEATABLE READ.
CREATE FUNCTION counter_items_hold(of_epoch bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'counters are written in READ COMMITTED only'
			USING ERRCODE = 'invalid_transaction_state';
	END IF;
	LOCK TABLE counter_epochs IN ROW SHARE MODE;
	RETURN counter_items_ready(of_epoch);
END
$$;

-- Add an item that is absent; its version, or null: it is there.
CREATE FUNCTION counter_items_add(of_epoch bigint, of_key text, of_value bytea,
				  of_expires bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	added bigint;
BEGIN
	INSERT INTO counter_items AS i (epoch, key, version, value, expires_at)
	VALUES (of_epoch, of_key, nextval('counter_version'), of_value,
		to_timestamp(of_expires))
	ON CONFLICT (epoch, key) DO UPDATE
	SET version = excluded.version, value = excluded.value,
	    expires_at = excluded.expires_at
	WHERE i.expires_at <= now()
	RETURNING i.version INTO added;
	RETURN added;
END
$$;

-- Replace an item that is still the version that was read.
CREATE FUNCTION counter_items_replace(of_epoch bigint, of_key text,
				      of_version bigint, of_value bytea,
				      of_expires bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	IF of_version IS NULL THEN
		RETURN counter_items_add(of_epoch, of_key, of_value,
					 of_expires) IS NOT NULL;
	END IF;
	UPDATE counter_items i
	SET version = nextval('counter_version'), value = of_value,
	    expires_at = to_timestamp(of_expires)
	WHERE i.epoch = of_epoch AND i.key = of_key AND
	      i.version = of_version AND i.expires_at > now();
	RETURN FOUND;
END
$$;

-- Times of expiry are Unix times, in whole seconds.

-- The keys of one call are read and written in their order, and nothing waits
-- but for one of them; so of two calls that want the same ones each waits for
-- a later key than it holds, and they cannot wait for each other.
--
-- A plan is made while there are few rows and nothing is known about a new
-- epoch, and is kept: it must be the one for many, a key at a time.

-- Nothing is written: one moment, that of the statement.
CREATE FUNCTION counter_items_read(of_epoch bigint, keys text[])
RETURNS TABLE (place integer, present boolean, version bigint, value bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
	ready boolean := counter_items_ready(of_epoch);
BEGIN
	IF ready IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY
	SELECT k.place::integer, i.key IS NOT NULL, i.version, i.value
	FROM unnest(keys) WITH ORDINALITY k (key, place)
	LEFT JOIN LATERAL (
		SELECT * FROM counter_items o
		WHERE o.epoch = of_epoch AND o.key = k.key AND
		      o.expires_at > now()
		LIMIT 1) i ON true -- not to be joined in another way
	WHERE ready OR i.key IS NOT NULL;
END
$$;
COMMENT ON FUNCTION counter_items_read(bigint, text[]) IS
	'a row for each key, present or absent; none for a key that is not '
	'known: the epoch does not hold here, or is being rebuilt and lacks it';

-- What is there is looked up first, so that it is not locked.
CREATE FUNCTION counter_items_read(of_epoch bigint, keys text[], adds bytea[],
				   expires bigint[])
RETURNS TABLE (place integer, present boolean, version bigint, value bytea)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
	w record;
	ready boolean := counter_items_hold(of_epoch);
BEGIN
	IF ready IS NULL THEN
		RETURN;
	END IF;
	FOR w IN SELECT *
		 FROM unnest(keys, adds, expires) WITH ORDINALITY
			k (key, added, expires_s, place)
		 ORDER BY k.key COLLATE "C"
	LOOP
		place := w.place;
		LOOP
			SELECT i.version, i.value INTO version, value
			FROM counter_items i
			WHERE i.epoch = of_epoch AND i.key = w.key AND
			      i.expires_at > now();
			present := version IS NOT NULL;
			EXIT WHEN present OR NOT ready OR w.added IS NULL;
			version := counter_items_add(of_epoch, w.key, w.added,
						     w.expires_s);
			EXIT WHEN version IS NOT NULL;
		END LOOP; -- somebody was faster
		IF present OR ready THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION counter_items_read(bigint, text[], bytea[], bigint[]) IS
	'the same, and what is absent and has something to add becomes it: the '
	'one that added it gets an absent row that has a version';

CREATE FUNCTION counter_items_swap(of_epoch bigint, keys text[],
				   versions bigint[], vals bytea[],
				   expires bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
	w record;
	moved integer := 0;
	ready boolean := counter_items_hold(of_epoch);
BEGIN
	-- What is absent in an epoch that is being rebuilt is not known.
	IF ready IS NULL OR
	   (NOT ready AND array_position(versions, NULL) IS NOT NULL) THEN
		RETURN NULL;
	END IF;
	IF cardinality(keys) = 1 THEN
		RETURN CASE WHEN counter_items_replace(of_epoch, keys[1],
				versions[1], vals[1], expires[1])
			THEN 0 ELSE 1 END;
	END IF;
	BEGIN
		FOR w IN SELECT *
			 FROM unnest(keys, versions, vals, expires)
				WITH ORDINALITY
				k (key, version, value, expires_s, place)
			 ORDER BY k.key COLLATE "C"
		LOOP
			IF NOT counter_items_replace(of_epoch, w.key,
				w.version, w.value, w.expires_s) THEN
				moved := w.place;
				RAISE EXCEPTION USING ERRCODE = 'IMS01';
			END IF;
		END LOOP;
	EXCEPTION WHEN SQLSTATE 'IMS01' THEN
		NULL; -- what was replaced before is undone
	END;
	RETURN moved;
END
$$;
COMMENT ON FUNCTION counter_items_swap(bigint, text[], bigint[], bytea[],
				       bigint[]) IS
	'replace every item that is still the version that was read (null: '
	'still absent), or none; returns 0, or the place of one that is not '
	'what was read any more, or null: the epoch does not hold here';

CREATE FUNCTION counter_items_put(of_epoch bigint, keys text[], vals bytea[],
				  expires bigint[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET jit = off SET enable_seqscan = off AS $$
DECLARE
	w record;
BEGIN
	IF counter_items_hold(of_epoch) IS NULL THEN
		RETURN false;
	END IF;
	FOR w IN SELECT *
		 FROM unnest(keys, vals, expires) k (key, value, expires_s)
		 ORDER BY k.key COLLATE "C"
	LOOP
		IF w.value IS NULL THEN
			DELETE FROM counter_items i
			WHERE i.epoch = of_epoch AND i.key = w.key;
		ELSE
			INSERT INTO counter_items
				(epoch, key, version, value, expires_at)
			VALUES (of_epoch, w.key, nextval('counter_version'),
				w.value, to_timestamp(w.expires_s))
			ON CONFLICT (epoch, key) DO UPDATE
			SET version = excluded.version, value = excluded.value,
			    expires_at = excluded.expires_at;
		END IF;
	END LOOP;
	RETURN true;
END
$$;
COMMENT ON FUNCTION counter_items_put(bigint, text[], bytea[], bigint[]) IS
	'write items whatever is there, a null value deletes; false: the epoch '
	'does not hold here. All that may be done in one that is being rebuilt';

-- The counters of an epoch that PostgreSQL keeps are complete.
CREATE FUNCTION counter_items_begin(of_epoch bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT n.counts = 'postgresql'
			 FROM counter_epoch_newest() n
			 WHERE n.epoch = of_epoch) AND
			counter_epoch_ready(of_epoch), false);
END
$$;
COMMENT ON FUNCTION counter_items_begin(bigint) IS
	'counter_epoch_ready for an epoch that is kept here';

-- By rows as they stand in the table, so that a batch ends where it is full;
-- one that somebody is writing is left for the next round.
CREATE FUNCTION counter_items_clean(batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	holds bigint := (SELECT max(e.epoch) FROM counter_epochs e);
	gone bigint;
BEGIN
	DELETE FROM counter_items i
	WHERE i.ctid = ANY (ARRAY(
		SELECT c.ctid FROM counter_items c
		WHERE c.expires_at <= now() OR c.epoch < holds
		LIMIT batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS gone = ROW_COUNT;
	DELETE FROM counter_epochs e
	WHERE e.epoch < holds AND e.begun_at < now() - interval '90 days';
	RETURN gone;
END
$$;
COMMENT ON FUNCTION counter_items_clean(integer) IS
	'delete at most that many items that are expired or of an epoch that is '
	'over, and epochs that were begun 90 days ago; returns how many items';

-- ---- what the ledger has about a call

-- May a call with this id still come out of a spool?  It is recorded on the
-- host that made the id, within a minute of it by the same clock, or it is
-- given up before; so what that host recorded until then must be here, and as
-- nobody knows which host it is, what every host did.  That is also why
-- nodes_drained compares each host's own clock, right or wrong.
--
-- An id of the future, which no host's clock can have made, is nobody's; it
-- would else be unknown until its time has come.
CREATE FUNCTION usage_drained(id uuid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT CASE
	WHEN substr(id::text, 15, 1) <> '7' THEN true -- not of the engine
	WHEN uuid7_time(id) > now() + interval '1 minute' THEN
		nodes_drained(now() - interval '1 minute') AND
		NOT EXISTS (
			SELECT FROM nodes n
			WHERE n.clock_off_ms IS NULL OR
			      now() + n.clock_off_ms * interval '1 millisecond'
			      + interval '1 minute' >= uuid7_time(id))
	ELSE nodes_drained(uuid7_time(id) + interval '1 minute') END
$$;

-- Runs with its owner's rights: whoever may read it sees refused calls alone.
CREATE VIEW usage_refused AS
SELECT evaluation_id, "timestamp", user_id, user_tier, team_id,
       organization_id, api_key_id, environment, original_model AS model_id,
       vendor_id, decision
FROM evaluations
WHERE decision = 'block' AND evaluation_type = 'pre_flight';
COMMENT ON VIEW usage_refused IS
	'calls that were not to be made: the ledger has nothing of one until '
	'somebody reports that it ran all the same';

CREATE FUNCTION usage_find(id uuid)
RETURNS TABLE (
	state text, key_id text, user_id text, user_tier text, team_id text,
	organization_id text, api_key_id text, environment text,
	original_model text, original_vendor text, model_id text,
	vendor_id text, decision text, made_us bigint, expires_us bigint,
	cost_nanousd bigint, tokens bigint, charges text, report_id uuid,
	settled_us bigint, settled_nanousd bigint, settled_tokens bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
	WITH e AS MATERIALIZED (
		SELECT * FROM usage u WHERE u.evaluation_id = id
	), made AS (
		SELECT * FROM e WHERE e.entry = 'reserve'
	), said AS ( -- what settled it; else a report that will be
		SELECT e.entry, e.report_id,
		       (extract(epoch FROM e."timestamp") * 1e6)::bigint AS us,
		       CASE e.entry
		       WHEN 'report' THEN e.cost
		       ELSE (SELECT sum(s.cost) FROM e s
			     WHERE s.entry <> 'report') END * 1e9 AS nanousd,
		       CASE e.entry
		       WHEN 'report' THEN e.tokens
		       ELSE (SELECT sum(s.tokens) FROM e s
			     WHERE s.entry <> 'report') END AS tokens
		FROM e
		WHERE e.entry = 'settle' OR
		      (e.entry = 'report' AND
		       usage_may_report(e.key_id,
					(SELECT m.key_id FROM made m)))
		ORDER BY e.entry = 'settle' DESC LIMIT 1
	), refused AS (
		SELECT * FROM usage_refused v
		WHERE v.evaluation_id = id AND NOT EXISTS (SELECT FROM made)
	)
	SELECT CASE s.entry WHEN 'settle' THEN 'settled'
			    WHEN 'report' THEN 'settling' ELSE 'open' END,
	       m.key_id, m.user_id, m.user_tier, m.team_id, m.organization_id,
	       m.api_key_id, m.environment, m.original_model, m.original_vendor,
	       m.model_id, m.vendor_id, m.decision,
	       (extract(epoch FROM m."timestamp") * 1e6)::bigint,
	       (extract(epoch FROM m.expires_at) * 1e6)::bigint,
	       (m.cost * 1e9)::bigint, m.tokens, m.charges::text, s.report_id,
	       s.us, s.nanousd::bigint, s.tokens::bigint
	FROM made m LEFT JOIN said s ON true
	UNION ALL
	SELECT CASE s.entry WHEN 'settle' THEN 'settled'
			    WHEN 'report' THEN 'settling' ELSE 'refused' END,
	       NULL, v.user_id, v.user_tier, v.team_id,
	       v.organization_id, v.api_key_id, v.environment,
	       v.model_id, v.vendor_id, v.model_id, v.vendor_id,
	       v.decision, (extract(epoch FROM v."timestamp") * 1e6)::bigint,
	       NULL, NULL, NULL, NULL, s.report_id, s.us,
	       s.nanousd::bigint, s.tokens::bigint
	FROM refused v LEFT JOIN said s ON true
	UNION ALL
	SELECT 'absent', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	       NULL, NULL
	WHERE NOT EXISTS (SELECT FROM made) AND
	      NOT EXISTS (SELECT FROM refused) AND usage_drained(id)
$$;
COMMENT ON FUNCTION usage_find(uuid) IS
	'one row: a call by its evaluation_id, open or refused, settling (a '
	'report of it waits), or settled; of a refused call the decision is '
	'block in each; absent: there is none and none can come any more. No '
	'row: not known yet';

-- ---- rights

REVOKE ALL ON FUNCTION
	counter_epoch_begin(text, text, uuid, bigint),
	counter_epoch_ready(bigint), counter_epoch_newest(),
	node_beat(uuid, text, bigint, boolean, bigint, timestamptz),
	node_remove(uuid), nodes_drained(timestamptz),
	counter_items_ready(bigint), counter_items_hold(bigint),
	counter_items_add(bigint, text, bytea, bigint),
	counter_items_replace(bigint, text, bigint, bytea, bigint),
	counter_items_read(bigint, text[]),
	counter_items_read(bigint, text[], bytea[], bigint[]),
	counter_items_swap(bigint, text[], bigint[], bytea[], bigint[]),
	counter_items_put(bigint, text[], bytea[], bigint[]),
	counter_items_begin(bigint), counter_items_clean(integer),
	usage_drained(uuid), usage_find(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
	counter_items_read(bigint, text[]),
	counter_items_read(bigint, text[], bytea[], bigint[]),
	counter_items_swap(bigint, text[], bigint[], bytea[], bigint[]),
	counter_items_put(bigint, text[], bytea[], bigint[]),
	counter_items_begin(bigint), counter_epoch_newest(), usage_find(uuid)
	TO ims_policy_counter;
GRANT EXECUTE ON FUNCTION
	counter_epoch_begin(text, text, uuid, bigint),
	counter_epoch_ready(bigint), counter_epoch_newest(),
	counter_items_clean(integer),
	node_beat(uuid, text, bigint, boolean, bigint, timestamptz)
	TO ims_policy_keeper;
GRANT SELECT ON counter_epochs, nodes TO ims_policy_keeper, ims_policy_api;
GRANT SELECT ON usage_refused TO ims_policy_keeper;
