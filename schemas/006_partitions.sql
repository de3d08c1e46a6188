-- 006 partitions: months are made in advance and dropped when they are old.
--
-- The housekeeper calls both functions; it owns nothing, so they run as the
-- owner.  A lock that is not had within two seconds is an error and the next
-- round tries again, so that a long export never stops the recording.

SET LOCAL search_path = public, pg_temp;
SET LOCAL ROLE ims_policy_owner;

CREATE FUNCTION uuid7_time(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	SELECT timestamptz '1970-01-01 00:00:00+00' +
	       ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
	       * interval '1 millisecond'
$$;
COMMENT ON FUNCTION uuid7_time(uuid) IS
	'the millisecond that a UUIDv7 was made in (RFC 9562, 5.7)';

-- Make the partition of one month of one table, with the rows of that month
-- that have fallen into the default partition.  False: it was there.
CREATE FUNCTION partitions_make(parent text, id_column text, month timestamp)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	part text := parent || to_char(month, '"_"YYYY"_"MM');
	fallen text := parent || '_default';
	low uuid := uuid7_floor(month AT TIME ZONE 'UTC');
	high uuid := uuid7_floor((month + interval '1 month')
				 AT TIME ZONE 'UTC');
BEGIN
	IF to_regclass(format('public.%I', part)) IS NOT NULL THEN
		RETURN false;
	END IF;
	-- Attaching looks through the default partition; nobody may add to it
	-- between the move and that.  Unlike CREATE ... PARTITION OF this
	-- leaves the other months readable and writable.
	EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', fallen);
	EXECUTE format('CREATE TABLE public.%I (LIKE public.%I '
		       'INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
		       'INCLUDING STORAGE INCLUDING COMPRESSION)',
		       part, parent);
	EXECUTE format('WITH moved AS (DELETE FROM public.%I '
		       'WHERE %I >= %L AND %2$I < %4$L RETURNING *) '
		       'INSERT INTO public.%5$I SELECT * FROM moved',
		       fallen, id_column, low, high, part);
	EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I '
		       'FOR VALUES FROM (%L) TO (%L)', parent, part, low, high);
	RETURN true;
END
$$;

-- Months that rows of the default partition belong to, as far as they can be
-- meant: an id that is no UUIDv7 of about now stays where it is.
CREATE FUNCTION partitions_fallen(parent text, id_column text)
RETURNS SETOF timestamp
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
	month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC')
			   - interval '10 years';
	last timestamp := date_trunc('month', now() AT TIME ZONE 'UTC')
			  + interval '1 year';
	next uuid;
BEGIN
	-- From one month that has a row straight to the next that has one.
	LOOP
		EXECUTE format('SELECT %I FROM public.%I WHERE %1$I >= $1 '
			       'ORDER BY 1 LIMIT 1',
			       id_column, parent || '_default')
			INTO next USING uuid7_floor(month AT TIME ZONE 'UTC');
		EXIT WHEN next IS NULL OR
			next >= uuid7_floor((last + interval '1 month')
					    AT TIME ZONE 'UTC');
		month := date_trunc('month', uuid7_time(next)
					     AT TIME ZONE 'UTC');
		RETURN NEXT month;
		month := month + interval '1 month';
	END LOOP;
END
$$;

CREATE FUNCTION partitions_ensure(months_ahead integer) RETURNS integer
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
				       (2, 'policy_violations', 'violation_id'))
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
COMMENT ON FUNCTION partitions_ensure(integer) IS
	'make the partitions of this month, of as many after it, and of every '
	'month that has rows in a default partition; returns how many were made';

CREATE FUNCTION partitions_drop(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET lock_timeout = '2s' AS $$
DECLARE
	keep_days numeric;
	dropped integer := 0;
	p record;
BEGIN
	-- What a policy says must be kept is kept, whatever the caller wants.
	SELECT max((constraints->>'retention_days')::numeric) INTO keep_days
	FROM policies
	WHERE enabled AND deleted_at IS NULL AND
	      constraints->'log_all_requests' = 'true' AND
	      jsonb_typeof(constraints->'retention_days') = 'number';
	before := least(before, now() - ceil(coalesce(keep_days, 0))::integer
					* interval '1 day');
	FOR p IN
		SELECT c.relname
		FROM pg_inherits i
		JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent IN ('public.evaluations'::regclass,
				      'public.policy_violations'::regclass) AND
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
COMMENT ON FUNCTION partitions_drop(timestamptz) IS
	'drop the partitions that end before that time, or before the longest '
	'retention_days of an enabled log_all_requests policy, whichever is '
	'earlier; returns how many were dropped';

REVOKE ALL ON FUNCTION partitions_make(text, text, timestamp),
	partitions_fallen(text, text), partitions_ensure(integer),
	partitions_drop(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partitions_ensure(integer),
	partitions_drop(timestamptz) TO ims_policy_keeper;

DO $$ BEGIN PERFORM partitions_ensure(3); END $$;
