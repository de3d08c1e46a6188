-- 009 usage: the ledger of what calls cost and what they were counted in.
--
-- A call's entries are rows of one id, its evaluation's; each entry is there
-- once, however often it is sent, and no amount is changed.  So sums over it are
-- exact, and every counter can be rebuilt from it.  The columns are those of
-- include/record/row.tbl.h; the housekeeper brings them by COPY, in the
-- transaction that moves the spool's cursor, and a trigger keeps the roll-ups.
-- Where an entry is there already, the COPY fails and the batch goes by a
-- temporary table and usage_take, which passes it over.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

CREATE TABLE usage (
	evaluation_id   uuid NOT NULL,
	entry           text COLLATE "C" NOT NULL
		CHECK (entry IN ('reserve', 'settle', 'move', 'expire',
				 'report')),
	"timestamp"     timestamptz NOT NULL,
	report_id       uuid,
	key_id          text,
	-- The texts of the roll-ups, short enough for an index (see
	-- policy_violations).
	user_id         text CHECK (octet_length(user_id) <= 1024),
	user_tier       text,
	team_id         text CHECK (octet_length(team_id) <= 1024),
	organization_id text CHECK (octet_length(organization_id) <= 1024),
	api_key_id      text CHECK (octet_length(api_key_id) <= 1024),
	environment     text,
	original_model  text,
	original_vendor text,
	model_id        text CHECK (octet_length(model_id) <= 1024),
	vendor_id       text CHECK (octet_length(vendor_id) <= 1024),
	decision        text
		CHECK (decision IN ('allow', 'log', 'warn', 'degrade',
				    'block')),
	calls           integer NOT NULL CHECK (calls BETWEEN -1 AND 1),
	cost            numeric
		CHECK (cost > '-Infinity' AND cost < 'Infinity'),
	tokens          bigint,
	input_tokens    bigint CHECK (input_tokens >= 0),
	output_tokens   bigint CHECK (output_tokens >= 0),
	overrun         numeric CHECK (overrun >= 0 AND overrun < 'Infinity'),
	success         boolean,
	latency_ms      numeric CHECK (latency_ms >= 0),
	expires_at      timestamptz,
	epoch           bigint,
	counted         boolean NOT NULL,
	charges         bigint[]
		CHECK (cardinality(charges) % 7 = 0 AND
		       coalesce(array_ndims(charges), 1) = 1 AND
		       coalesce(array_lower(charges, 1), 1) = 1 AND
		       array_position(charges, NULL) IS NULL),
	said            jsonb CHECK (jsonb_typeof(said) = 'object'),
	PRIMARY KEY (evaluation_id, entry),
	-- A sum that left out what it does not know would be too small.
	CONSTRAINT usage_amounts_known
		CHECK (entry = 'report' OR num_nulls(cost, tokens) = 0),
	CONSTRAINT usage_reserve_whole
		CHECK (entry <> 'reserve' OR
		       (calls = 1 AND cost >= 0 AND tokens >= 0 AND
			expires_at IS NOT NULL))
) PARTITION BY RANGE (evaluation_id);
COMMENT ON TABLE usage IS
	'the ledger, by month of the call: what each call reserved and cost and '
	'what it was counted in; what may change of a row is epoch and counted';
COMMENT ON COLUMN usage.evaluation_id IS
	'of the call''s pre_flight evaluation (UUIDv7), for all of its entries; '
	'it is the reservation''s id, too';
COMMENT ON COLUMN usage.entry IS
	'reserve: an admitted call. settle: its report, the difference to what '
	'was counted until then. move: another model served than was to run; '
	'takes calls, cost and tokens off the one that was to, and settle has '
	'all of them. expire: no report came in time; minus the estimate where '
	'it is given back, else 0. report: one that could not be settled at '
	'once; what it said, which is in no sum, until its settle comes';
COMMENT ON COLUMN usage."timestamp" IS 'of the entry';
COMMENT ON COLUMN usage.report_id IS
	'evaluation_id of the report''s own evaluation; null: no report';
COMMENT ON COLUMN usage.key_id IS 'the API key of the caller';
COMMENT ON COLUMN usage.original_model IS 'the model that was asked for';
COMMENT ON COLUMN usage.model_id IS
	'reserve: that was to run; settle: that served';
COMMENT ON COLUMN usage.calls IS
	'the sum over a call''s entries is 1; 0 of one that was refused and ran '
	'all the same, and of a report alone';
COMMENT ON COLUMN usage.cost IS
	'dollars; the sum over a call''s entries but for its report is what it '
	'cost, or its estimate as long as it is open';
COMMENT ON COLUMN usage.tokens IS 'by the same rule';
COMMENT ON COLUMN usage.input_tokens IS 'really; null: not known (yet)';
COMMENT ON COLUMN usage.overrun IS
	'dollars that a settle is above its estimate';
COMMENT ON COLUMN usage.expires_at IS
	'of a reserve: a report has to come by then';
COMMENT ON COLUMN usage.epoch IS
	'of the counters, the one that was charged or, where that was over, '
	'the one that held when the entry came here; of no charges, any or null';
COMMENT ON COLUMN usage.counted IS
	'were the counters of that epoch charged; false: they were not known '
	'then, or are of a later epoch; they are charged afterwards, or by a '
	'rebuild';
COMMENT ON COLUMN usage.charges IS
	'seven numbers a charge: the subject''s 16 bytes as two signed '
	'big-endian numbers, the counter, epoch * 1024 + alert * 512 + kind * '
	'64 + unit * 8 + window, begin and end of the window (Unix time; 0: '
	'none; a lease has its expiry as the end), the amount; usage_charges '
	'has them in columns. Alert: this call raised that of the budget''s '
	'window. Epoch: of an entry that was not counted as a whole, where '
	'this charge was, or 0. Null: none';
COMMENT ON COLUMN usage.said IS
	'of a report: what its evaluation is recorded with when it is settled: '
	'session_id, correlation_id, request_id, tags, and sources';

CREATE TABLE usage_default PARTITION OF usage DEFAULT;
COMMENT ON TABLE usage_default IS
	'ids of no month that has a partition; partitions_ensure moves them';

-- Which calls are open, and which have expired since one looked.
CREATE INDEX usage_expires ON usage (expires_at) WHERE entry = 'reserve';
-- Reports that may have to be settled.
CREATE INDEX usage_reports ON usage (evaluation_id) WHERE entry = 'report';

-- ---- roll-ups

-- A row's key is a digest of its dimensions: six texts of callers are more
-- than a B-tree takes.
CREATE TABLE usage_rollups (
	quarter         timestamptz NOT NULL,
	dimensions      uuid NOT NULL,
	organization_id text COLLATE "C" NOT NULL,
	team_id         text COLLATE "C" NOT NULL,
	user_id         text COLLATE "C" NOT NULL,
	api_key_id      text COLLATE "C" NOT NULL,
	model_id        text COLLATE "C" NOT NULL,
	vendor_id       text COLLATE "C" NOT NULL,
	calls           bigint NOT NULL,
	cost            numeric NOT NULL,
	tokens          bigint NOT NULL,
	input_tokens    bigint NOT NULL,
	output_tokens   bigint NOT NULL,
	settled         bigint NOT NULL,
	failed          bigint NOT NULL,
	overrun         numeric NOT NULL,
	PRIMARY KEY (quarter, dimensions)
) WITH (fillfactor = 70); -- a row of the current quarter changes often
COMMENT ON TABLE usage_rollups IS
	'the ledger in sums of 15 minutes, exactly: a group by the time of the '
	'call and six dimensions, of all entries but reports';
COMMENT ON COLUMN usage_rollups.quarter IS
	'begin of the quarter of an hour in which the call was made';
COMMENT ON COLUMN usage_rollups.dimensions IS
	'digest of the six texts that follow; an unknown one is empty';
COMMENT ON COLUMN usage_rollups.calls IS 'admitted';
COMMENT ON COLUMN usage_rollups.cost IS
	'dollars: what settled calls cost, and the estimates of the others';
COMMENT ON COLUMN usage_rollups.settled IS
	'calls whose report is settled, refused ones that ran among them';
COMMENT ON COLUMN usage_rollups.failed IS
	'of them, those that did not succeed';
COMMENT ON COLUMN usage_rollups.overrun IS
	'dollars that settled calls cost above their estimates';

CREATE TABLE usage_rollups_kept (
	singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
	since     timestamptz NOT NULL
);
COMMENT ON TABLE usage_rollups_kept IS
	'roll-ups of quarters before then are not kept: they are deleted, or '
	'about to be, and belong in no sum';
INSERT INTO usage_rollups_kept (since) VALUES ('-infinity');

-- What is asked for: a period of one subject.  A row changes in none of these
-- columns, so keeping the sums does not touch an index.
CREATE INDEX usage_rollups_organization
	ON usage_rollups (organization_id, quarter) WHERE organization_id <> '';
CREATE INDEX usage_rollups_team
	ON usage_rollups (team_id, quarter) WHERE team_id <> '';
CREATE INDEX usage_rollups_user
	ON usage_rollups (user_id, quarter) WHERE user_id <> '';
CREATE INDEX usage_rollups_api_key
	ON usage_rollups (api_key_id, quarter) WHERE api_key_id <> '';
CREATE INDEX usage_rollups_model
	ON usage_rollups (model_id, quarter) WHERE model_id <> '';
CREATE INDEX usage_rollups_vendor
	ON usage_rollups (vendor_id, quarter) WHERE vendor_id <> '';

CREATE FUNCTION usage_quarter(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	SELECT timestamptz '1970-01-01 00:00:00+00' +
	       ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
	       / 900000 * interval '15 minutes'
$$;
COMMENT ON FUNCTION usage_quarter(uuid) IS
	'begin of the quarter of an hour that a UUIDv7 was made in';

-- The quarter of nearly every call of a batch is that of the first or one next
-- to it, which takes a comparison to find out: FLOORS are the first ids of the
-- quarter before, of that one, of the next and of the one after.
--
-- Keys in their order, so that two housekeepers that add to the same rows wait
-- for each other and never for ever; the ledger's are in order in each batch.
CREATE FUNCTION usage_added() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off AS $$
DECLARE
	near timestamptz;
	floors uuid[];
	holds bigint;
	n record;
BEGIN
	SELECT usage_quarter(a.evaluation_id) INTO near FROM added a LIMIT 1;
	IF near IS NULL THEN
		RETURN NULL;
	END IF;
	floors := ARRAY(
		SELECT overlay(uuid7_floor(near + q * interval '15 minutes')::text
			       PLACING '-0000-0000-000000000000' FROM 14)::uuid
		FROM generate_series(-1, 2) q ORDER BY q);
	WITH sums AS (
		SELECT CASE
		       WHEN evaluation_id < floors[1] OR
			    evaluation_id >= floors[4]
		       THEN usage_quarter(evaluation_id)
		       WHEN evaluation_id < floors[2]
		       THEN near - interval '15 minutes'
		       WHEN evaluation_id < floors[3] THEN near
		       ELSE near + interval '15 minutes' END AS quarter,
		       coalesce(organization_id, '') AS organization,
		       coalesce(team_id, '') AS team,
		       coalesce(user_id, '') AS "user",
		       coalesce(api_key_id, '') AS api_key,
		       coalesce(model_id, '') AS model,
		       coalesce(vendor_id, '') AS vendor,
		       sum(calls) AS calls, sum(cost) AS cost,
		       sum(tokens) AS tokens,
		       coalesce(sum(input_tokens), 0) AS input_tokens,
		       coalesce(sum(output_tokens), 0) AS output_tokens,
		       count(*) FILTER (WHERE entry = 'settle') AS settled,
		       count(*) FILTER (WHERE entry = 'settle' AND NOT success)
				AS failed,
		       coalesce(sum(overrun), 0) AS overrun
		FROM added
		WHERE entry <> 'report'
		GROUP BY 1, 2, 3, 4, 5, 6, 7
	)
	INSERT INTO usage_rollups AS r (
		quarter, dimensions, organization_id, team_id, user_id,
		api_key_id, model_id, vendor_id, calls, cost, tokens,
		input_tokens, output_tokens, settled, failed, overrun)
	SELECT quarter,
	       left(encode(sha256(convert_to(ARRAY[organization, team, "user",
			api_key, model, vendor]::text, 'UTF8')), 'hex'),
		    32)::uuid AS dimensions,
	       organization, team, "user", api_key, model, vendor, calls, cost,
	       tokens, input_tokens, output_tokens, settled, failed, overrun
	FROM sums
	ORDER BY 1, 2
	ON CONFLICT (quarter, dimensions) DO UPDATE
	SET calls = r.calls + excluded.calls,
	    cost = r.cost + excluded.cost,
	    tokens = r.tokens + excluded.tokens,
	    input_tokens = r.input_tokens + excluded.input_tokens,
	    output_tokens = r.output_tokens + excluded.output_tokens,
	    settled = r.settled + excluded.settled,
	    failed = r.failed + excluded.failed,
	    overrun = r.overrun + excluded.overrun;

	-- What was counted in an epoch that is over was counted for nothing: it
	-- is in no counter of the one that holds, unless that is rebuilt from
	-- here afterwards.  These are few, so one by one, by the primary key.
	SELECT coalesce(max(e.epoch), 0) INTO holds FROM counter_epochs e;
	FOR n IN SELECT a.evaluation_id, a.entry FROM added a
		 WHERE coalesce(a.epoch, 0) < holds AND
		       (a.charges IS NOT NULL OR NOT a.counted)
	LOOP
		UPDATE usage u
		SET epoch = holds, counted = u.counted AND u.charges IS NULL
		WHERE u.evaluation_id = n.evaluation_id AND u.entry = n.entry;
	END LOOP;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION usage_added() IS
	'add new entries to the roll-ups; one that was counted in an epoch that '
	'is over is counted no longer';
CREATE TRIGGER usage_added AFTER INSERT ON usage
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION usage_added();

CREATE FUNCTION usage_take() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET jit = off AS $$
DECLARE
	taken bigint;
BEGIN
	INSERT INTO usage (
		evaluation_id, entry, "timestamp", report_id, key_id, user_id,
		user_tier, team_id, organization_id, api_key_id, environment,
		original_model, original_vendor, model_id, vendor_id, decision,
		calls, cost, tokens, input_tokens, output_tokens, overrun,
		success, latency_ms, expires_at, epoch, counted, charges, said)
	SELECT evaluation_id, entry, "timestamp", report_id, key_id, user_id,
	       user_tier, team_id, organization_id, api_key_id, environment,
	       original_model, original_vendor, model_id, vendor_id, decision,
	       calls, cost, tokens, input_tokens, output_tokens, overrun,
	       success, latency_ms, expires_at, epoch, counted, charges, said
	FROM pg_temp.usage_batch
	ORDER BY evaluation_id, entry COLLATE "C"
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS taken = ROW_COUNT;
	RETURN taken;
END
$$;
COMMENT ON FUNCTION usage_take() IS
	'move the session''s temporary table usage_batch into the ledger; '
	'entries that are there already are passed over; returns how many were '
	'not';

-- ---- for people

-- The words are those of core/window.h and core/counter.h.
CREATE VIEW usage_charges WITH (security_invoker = true) AS
SELECT evaluation_id, entry, "timestamp", epoch,
       counted OR charges[i + 3] >> 10 = epoch AS counted,
       (lpad(to_hex(charges[i]), 16, '0') ||
	lpad(to_hex(charges[i + 1]), 16, '0'))::uuid AS subject,
       charges[i + 2] AS counter,
       (ARRAY['rate', 'budget', 'lease'])[(charges[i + 3] >> 6 & 7) + 1] AS kind,
       (ARRAY['requests', 'tokens', 'USD', 'calls'])
	[(charges[i + 3] >> 3 & 7) + 1] AS unit,
       (ARRAY['minute', 'hour', 'day', 'week', 'month', 'open'])
	[(charges[i + 3] & 7) + 1] AS "window",
       to_timestamp(nullif(charges[i + 4], 0)) AS from_at,
       to_timestamp(nullif(charges[i + 5], 0)) AS to_at,
       charges[i + 6] AS amount, charges[i + 3] & 512 <> 0 AS alert
FROM (SELECT evaluation_id, entry, "timestamp", epoch, counted, charges,
	     generate_series(1, cardinality(charges), 7) AS i
      FROM usage) c;
COMMENT ON VIEW usage_charges IS
	'usage.charges in columns, a row a charge';
COMMENT ON COLUMN usage_charges.subject IS
	'16 bytes that name a scope and a subject in it';
COMMENT ON COLUMN usage_charges.counter IS
	'which of the subject''s: a policy''s constraint, see docs/policies.md';
COMMENT ON COLUMN usage_charges.amount IS
	'in the unit; of USD nano-dollars (a thousand millionth)';
COMMENT ON COLUMN usage_charges.alert IS
	'this call raised the alert of the budget''s window';

-- A report that waits was accepted, so its key was in force then; that it was
-- revoked since takes nothing back.
CREATE FUNCTION usage_may_report(reporter text, caller text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
	SELECT reporter IS NULL OR caller IS NULL OR reporter = caller OR
	       EXISTS (SELECT FROM api_keys k
		       WHERE k.key_id = reporter AND k.role = 'admin')
$$;
COMMENT ON FUNCTION usage_may_report(text, text) IS
	'may a report with the one key settle a call of the other: the same, or '
	'an admin''s, in force or revoked since; null: no key is known';

-- TOLD: the settle, else the report that waits for it.
CREATE VIEW usage_calls WITH (security_invoker = true) AS
SELECT evaluation_id,
       CASE WHEN (told).entry = 'settle' THEN 'settled'
	    WHEN (told).entry = 'report' THEN 'reported'
	    WHEN expired_at IS NOT NULL THEN 'expired'
	    ELSE 'open' END AS state,
       (made)."timestamp" AS reserved_at, (made).expires_at,
       expired_at, (settle)."timestamp" AS settled_at,
       (told).report_id, key_id, user_id, user_tier, team_id,
       organization_id, api_key_id, environment, decision, original_model,
       original_vendor,
       coalesce((told).model_id, (made).model_id) AS model_id,
       CASE WHEN (told).model_id IS NULL
	    THEN coalesce((told).vendor_id, (made).vendor_id)
	    ELSE (told).vendor_id END AS vendor_id,
       (made).cost AS reserved, cost, tokens, (told).input_tokens,
       (told).output_tokens, (settle).overrun, (told).success,
       (told).latency_ms, counted
FROM (SELECT u.evaluation_id,
	     (array_agg(u) FILTER (WHERE u.entry = 'reserve'))[1] AS made,
	     (array_agg(u) FILTER (WHERE u.entry = 'settle'))[1] AS settle,
	     (array_agg(u) FILTER (WHERE u.entry = 'report'))[1] AS report,
	     min(u."timestamp") FILTER (WHERE u.entry = 'expire')
		AS expired_at,
	     min(u.key_id) FILTER (WHERE u.entry <> 'report') AS key_id,
	     min(u.user_id) AS user_id, min(u.user_tier) AS user_tier,
	     min(u.team_id) AS team_id,
	     min(u.organization_id) AS organization_id,
	     min(u.api_key_id) AS api_key_id, min(u.environment) AS environment,
	     min(u.decision) AS decision,
	     min(u.original_model) AS original_model,
	     min(u.original_vendor) AS original_vendor,
	     sum(u.cost) FILTER (WHERE u.entry <> 'report') AS cost,
	     sum(u.tokens) FILTER (WHERE u.entry <> 'report') AS tokens,
	     bool_and(u.counted) AS counted
      FROM usage u
      GROUP BY u.evaluation_id) c,
LATERAL (SELECT CASE
	 WHEN (settle).entry IS NOT NULL THEN settle
	 WHEN (report).entry IS NOT NULL AND
	      usage_may_report((report).key_id, (made).key_id)
	 THEN report END AS told) t;
COMMENT ON VIEW usage_calls IS
	'the ledger, a row a call';
COMMENT ON COLUMN usage_calls.state IS
	'open: no report yet; expired: none came in time; reported: it came '
	'and is not settled yet; settled';
COMMENT ON COLUMN usage_calls.report_id IS
	'of the report that settled it or will; another key''s is none';
COMMENT ON COLUMN usage_calls.decision IS
	'block: it was refused, and ran all the same; null: not known yet';
COMMENT ON COLUMN usage_calls.model_id IS
	'that served; as long as that is not known, that was to run';
COMMENT ON COLUMN usage_calls.reserved IS
	'dollars, the estimate; null: it was refused, or is not known yet';
COMMENT ON COLUMN usage_calls.cost IS
	'dollars, really; as long as that is not known, what is reserved';

-- ---- what a rebuild of the counters needs

-- Rates are told from budgets and leases by comparisons of which the planner
-- expects many rows, so that it hashes and does not sort them, and in memory.
CREATE FUNCTION usage_counters(at timestamptz)
RETURNS TABLE (subject uuid, counter bigint, kind integer, unit integer,
	       "window" integer, from_at timestamptz, to_at timestamptz,
	       bucket timestamptz, lease uuid, amount numeric, alert boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
SET jit = off
SET work_mem = '64MB' AS $$
DECLARE
	at_s bigint := floor(extract(epoch FROM at));
	month_ago uuid := uuid7_floor(at - interval '45 days');
	week_ago uuid := uuid7_floor(at - interval '8 days');
	day_ago uuid := uuid7_floor(at - interval '25 hours');
BEGIN
	RETURN QUERY
	WITH budgets AS (
		SELECT c[i] AS high, c[i + 1] AS low, c[i + 2] AS name,
		       c[i + 3] & 511 AS what, c[i + 4] AS from_s,
		       c[i + 5] AS to_s, sum(c[i + 6]) AS sum,
		       bool_or(c[i + 3] & 512 <> 0) AS alert
		FROM (SELECT charges AS c,
			     generate_series(1, cardinality(charges), 7) AS i
		      FROM usage
		      WHERE evaluation_id >= month_ago) u
		WHERE c[i + 3] & 64 <> 0 AND c[i + 5] > at_s
		GROUP BY 1, 2, 3, 4, 5, 6
	), rates AS (
		SELECT c[i] AS high, c[i + 1] AS low, c[i + 2] AS name,
		       c[i + 3] & 511 AS what,
		       second / part * part AS bucket_s,
		       sum(c[i + 6]) AS sum
		FROM (SELECT charges AS c,
			     floor(extract(epoch FROM "timestamp"))::bigint
				AS second,
			     generate_series(1, cardinality(charges), 7) AS i
		      FROM usage
		      WHERE evaluation_id >= day_ago) u,
		LATERAL (SELECT CASE c[i + 3] & 7 WHEN 0 THEN 1 WHEN 1 THEN 60
			 ELSE 1440 END) p (part)
		WHERE c[i + 3] & 192 < 64 AND
		      second >= (at_s / part - 60) * part
		GROUP BY 1, 2, 3, 4, 5
	), leases AS (
		SELECT c[i] AS high, c[i + 1] AS low, c[i + 2] AS name,
		       c[i + 3] & 511 AS what, c[i + 5] AS to_s, evaluation_id,
		       c[i + 6]::numeric AS sum
		FROM (SELECT evaluation_id, charges AS c,
			     generate_series(1, cardinality(charges), 7) AS i
		      FROM usage u
		      WHERE evaluation_id >= week_ago AND entry = 'reserve' AND
			    expires_at > at AND
			    NOT EXISTS (SELECT FROM usage e
					WHERE e.evaluation_id = u.evaluation_id
					  AND e.entry IN ('settle', 'expire'))
		      ) u
		WHERE c[i + 3] & 128 <> 0 AND c[i + 5] > at_s
	), counters AS (
		SELECT high, low, name, what, to_timestamp(from_s) AS from_at,
		       to_timestamp(to_s) AS to_at, NULL::timestamptz AS bucket,
		       NULL::uuid AS lease, sum, b.alert
		FROM budgets b
		UNION ALL
		SELECT high, low, name, what, NULL, NULL,
		       to_timestamp(bucket_s), NULL, sum, false
		FROM rates
		UNION ALL
		SELECT high, low, name, what, NULL, to_timestamp(to_s), NULL,
		       evaluation_id, sum, false
		FROM leases
	)
	SELECT (lpad(to_hex(high), 16, '0') || lpad(to_hex(low), 16, '0'))::uuid,
	       name, (what >> 6)::integer, (what >> 3 & 7)::integer,
	       (what & 7)::integer, c.from_at, c.to_at, c.bucket, c.lease, sum,
	       c.alert
	FROM counters c
	ORDER BY high, low, name, what;
END
$$;
COMMENT ON FUNCTION usage_counters(timestamptz) IS
	'what every counter that lives at that time holds by the ledger, also '
	'by entries that were not counted then; subject by subject. A budget '
	'has from_at and to_at, a rate the begin of its part of the window '
	'(bucket), a lease its call and, as to_at, its expiry; kind, unit and '
	'window as in core/counter.h; alert: that of the budget''s window was '
	'raised';

-- ---- months, as in 006

CREATE OR REPLACE FUNCTION partitions_ensure(months_ahead integer)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s' AS $$
DECLARE
	this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
	made integer := 0;
	t record;
	m timestamp;
BEGIN
	IF months_ahead IS NULL OR months_ahead NOT BETWEEN 0 AND 120 THEN
		RAISE EXCEPTION 'months_ahead must be 0 to 120'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- One at a time: two would make the same partition.
	PERFORM pg_advisory_xact_lock(hashtextextended('ims-policy partitions',
						       0));
	-- In the order in which a batch of records is copied.
	FOR t IN SELECT * FROM (VALUES (1, 'evaluations', 'evaluation_id'),
				       (2, 'policy_violations', 'violation_id'),
				       (3, 'usage', 'evaluation_id'))
			  v (place, name, id) ORDER BY place
	LOOP
		FOR m IN SELECT this_month + n * interval '1 month'
			 FROM generate_series(0, months_ahead) n
			 UNION
			 SELECT partitions_fallen(t.name, t.id)
			 ORDER BY 1
		LOOP
			IF partitions_make(t.name, t.id, m) THEN
				made := made + 1;
			END IF;
		END LOOP;
	END LOOP;
	RETURN made;
END
$$;

CREATE FUNCTION partitions_drop_of(parents text[], before timestamptz)
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	dropped integer := 0;
	p record;
BEGIN
	FOR p IN
		SELECT c.relname
		FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent IN (SELECT format('public.%I', parent)::regclass
				      FROM unnest(parents) parent) AND
		      -- the end of its range; the default partition has none
		      substring(pg_get_expr(c.relpartbound, c.oid)
				FROM 'TO \(''([0-9a-f-]{36})''\)')::uuid
			<= uuid7_floor(before)
		ORDER BY c.relname
	LOOP
		EXECUTE format('DROP TABLE public.%I', p.relname);
		dropped := dropped + 1;
	END LOOP;
	RETURN dropped;
END
$$;

CREATE OR REPLACE FUNCTION partitions_drop(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s' AS $$
DECLARE
	keep_days numeric;
BEGIN
	-- What a policy says must be kept is kept, whatever the caller wants.
	SELECT max((constraints->>'retention_days')::numeric) INTO keep_days
	FROM policies
	WHERE enabled AND deleted_at IS NULL AND
	      constraints->'log_all_requests' = 'true' AND
	      jsonb_typeof(constraints->'retention_days') = 'number';
	RETURN partitions_drop_of(ARRAY['evaluations', 'policy_violations'],
		least(before, now() - ceil(coalesce(keep_days, 0))::integer
				      * interval '1 day'));
END
$$;

-- A budget's month, and a report that comes late in it, are rebuilt from here.
CREATE FUNCTION partitions_drop_usage(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s' AS $$
BEGIN
	RETURN partitions_drop_of(ARRAY['usage'],
				  least(before, now() - interval '62 days'));
END
$$;
COMMENT ON FUNCTION partitions_drop_usage(timestamptz) IS
	'drop the partitions of the ledger that end before that time, or before '
	'62 days ago, whichever is earlier; returns how many were dropped';

-- From when on they are kept is said with the first batch, so that nobody sums
-- what is half deleted; what is entered later about a call of before then goes
-- with the next batch.  By rows as they stand in the index, so that a batch ends
-- where it is full; one that somebody is writing is left for the next round.
--
-- The bound is the ledger's own: a budget's window is a month at most, and its
-- subjects are looked up here.
CREATE FUNCTION usage_rollups_clean(before timestamptz, batch integer)
RETURNS bigint
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s' SET jit = off SET enable_seqscan = off AS $$
DECLARE
	keep timestamptz := date_trunc('day', least(before,
					now() - interval '62 days'), 'UTC');
	gone bigint;
BEGIN
	UPDATE usage_rollups_kept k SET since = keep WHERE k.since < keep;
	DELETE FROM usage_rollups r
	WHERE r.ctid = ANY (ARRAY(
		SELECT c.ctid FROM usage_rollups c
		WHERE c.quarter < keep
		ORDER BY c.quarter
		LIMIT batch
		FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS gone = ROW_COUNT;
	RETURN gone;
END
$$;
COMMENT ON FUNCTION usage_rollups_clean(timestamptz, integer) IS
	'delete at most that many roll-ups of days that ended before that time, '
	'or before 62 days ago, whichever is earlier; returns how many';

-- ---- rights

REVOKE ALL ON FUNCTION usage_added(), usage_take(),
	usage_counters(timestamptz),
	partitions_drop_of(text[], timestamptz),
	partitions_drop_usage(timestamptz),
	usage_rollups_clean(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION usage_take(), usage_counters(timestamptz),
	partitions_drop_usage(timestamptz),
	usage_rollups_clean(timestamptz, integer) TO ims_policy_keeper;
GRANT SELECT ON usage, usage_rollups, usage_rollups_kept, usage_charges,
	usage_calls TO ims_policy_api;
GRANT SELECT, INSERT ON usage, usage_rollups TO ims_policy_keeper;
GRANT UPDATE (epoch, counted) ON usage TO ims_policy_keeper;
GRANT SELECT ON usage_charges, usage_calls TO ims_policy_keeper;
GRANT UPDATE (calls, cost, tokens, input_tokens, output_tokens, settled,
	      failed, overrun) ON usage_rollups TO ims_policy_keeper;

-- Everybody may make temporary tables in a database, where nobody has taken
-- that away; what remains is the database owner's to give.
RESET ROLE;
DO $$
BEGIN
	IF NOT has_database_privilege('ims_policy_keeper', current_database(),
				      'TEMPORARY') THEN
		EXECUTE format('GRANT TEMPORARY ON DATABASE %I '
			       'TO ims_policy_keeper', current_database());
	END IF;
END
$$;
SET LOCAL ROLE ims_policy_owner;

DO $$ BEGIN PERFORM partitions_ensure(3); END $$;
