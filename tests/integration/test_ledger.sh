#!/bin/bash
# The ledger: entries that count once, the roll-ups as their sums, its views,
# what a rebuild of the counters is told, plans, retention.  Needs no engine.
: "${IMS_PREFIX:=$(dirname "$0")}"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_schema.sh"

A=01a1e000-0000-7000-8000-00000000000a
B=01a1e000-0000-7000-8000-00000000000b
C=01a1e000-0000-7000-8000-00000000000c

columns()
{
	sed -nE 's/^USAGE\((.*)\)$/"\1"/p' "$ROOT/include/record/row.tbl.h" |
		paste -sd, -
}

# A batch as the housekeeper brings it: BATCH, its rows, TAKE.
BATCH='CREATE TEMPORARY TABLE IF NOT EXISTS usage_batch (LIKE public.usage)
	ON COMMIT DELETE ROWS'

# take COLUMNS QUERY: a batch of the rows that QUERY gives; how many are new.
take()
{
	as keeper "BEGIN; $BATCH;
		INSERT INTO pg_temp.usage_batch ($1) $2;
		SELECT usage_take(); COMMIT"
}

# call ID ENTRY COST [USER]: one entry; how many are new.
call()
{
	take 'evaluation_id, entry, "timestamp", user_id, model_id, calls, cost,
		tokens, input_tokens, overrun, success, expires_at, counted' \
		"SELECT '$1', '$2', now(), '${4:-ann}', 'm',
			CASE '$2' WHEN 'reserve' THEN 1 ELSE 0 END, $3,
			CASE '$2' WHEN 'report' THEN NULL ELSE 10 END, 7, 0.5,
			true, now(), true"
}

empty()
{
	sql 'TRUNCATE usage, usage_rollups'
}

# ---- entries

# entry ID: a line with every column.
entry()
{
	printf '%s\treserve\t2026-11-23T05:00:00.123456Z\t%s\tkey\tann\tfree\tred\torg\tapi\tproduction\tgpt-5\topenai\tgpt-4o\tazure\tdegrade\t1\t0.187500001\t2000\t10\t20\t0.000000001\tf\t1234.567\t2026-11-23T05:15:00Z\t42\tt\t{-1,2,-3,82,1795392000,1795478400,187500001}\t\\N\n' "$1" "$B"
}

# add: lines from standard input, as the housekeeper copies them at first.
add()
{
	psql -X -q -At -v ON_ERROR_STOP=1 \
		-d "$(conninfo ims_dev_keeper ims_policy)" \
		-c "COPY usage ($(columns)) FROM STDIN" 2>&1
}

# copy: the same where one of them is there already; how many are new.
copy()
{
	psql -X -q -At -v ON_ERROR_STOP=1 \
		-d "$(conninfo ims_dev_keeper ims_policy)" -c "BEGIN; $BATCH" \
		-c "COPY pg_temp.usage_batch ($(columns)) FROM STDIN" \
		-c 'SELECT usage_take()' -c 'COMMIT' 2>&1
}

copies()
{
	is "$(entry $A | add)" '' 'the housekeeper copies an entry'
	is "$(sql "SELECT * FROM usage")" \
		"$A|reserve|2026-11-23 05:00:00.123456+00|$B|key|ann|free|red|org|api|production|gpt-5|openai|gpt-4o|azure|degrade|1|0.187500001|2000|10|20|0.000000001|f|1234.567|2026-11-23 05:15:00+00|42|t|{-1,2,-3,82,1795392000,1795478400,187500001}|" \
		'nothing is lost on the way'
	is "$(sql "SELECT quarter = usage_quarter('$A'), organization_id,
			  team_id, user_id, api_key_id, model_id, vendor_id,
			  calls, cost, tokens, input_tokens, output_tokens,
			  settled, failed, overrun FROM usage_rollups")" \
		't|org|red|ann|api|gpt-4o|azure|1|0.187500001|2000|10|20|0|0|0.000000001' \
		'and is in the roll-up of what was to run'
	is "$(entry $A | copy)" 0 'the same entry again is passed over'
	is "$( (entry $A; entry $B; entry $B) | copy)" 1 \
		'also in a batch, and where the batch has it twice'
	is "$(sql 'SELECT sum(calls), count(*) FROM usage_rollups')" '2|1' \
		'and is rolled up once'
	like "$( (entry $C; entry $A) | add)" 'duplicate key' \
		'without the temporary table it is refused with all that came'
	is "$(sql 'SELECT sum(calls) FROM usage_rollups')" 2 \
		'and not rolled up'
	is "$(add </dev/null)" '' 'a batch may be empty'
	is "$(rollups_differ)" '' 'and the roll-ups are the sums'
	like "$(entry $C | sed "s/\tann\t/\t$(head -c 2000 /dev/zero |
		tr '\0' x)\t/" | copy)" 'check constraint' \
		'a text too long for an index is an error of the data'
	empty
}

# What was counted in an epoch that is over: epoch, counted, charges before,
# epoch and counted afterwards.
epochs()
{
	local epoch counted charges wanted name
	sql "INSERT INTO counter_epochs (epoch, counts, reason, node)
		VALUES (42, 'memcached', 'x', '$A'), (43, 'memcached', 'x', '$A')"
	while IFS='|' read -r epoch counted charges wanted name; do
		is "$(entry $A | sed -E "s/\t42\tt\t/\t$epoch\t$counted\t/
				s/\{.*\}/$charges/" | add)$(sql \
			"SELECT epoch, counted, charges IS NOT NULL FROM usage")" \
			"${wanted//,/|}" "$name"
		is "$(sql 'SELECT calls, cost FROM usage_rollups')" \
			'1|0.187500001' "$name: in the roll-up once"
		empty
	done <<'TABLE'
43|t|{1,2,3,4,5,6,7}|43,t,t|counted in the epoch that holds
43|f|{1,2,3,4,5,6,7}|43,f,t|not counted in it
44|t|{1,2,3,4,5,6,7}|44,t,t|in one that is not known here yet
42|t|{1,2,3,4,5,6,7}|43,f,t|counted in one that is over
42|f|{1,2,3,4,5,6,7}|43,f,t|not counted in one that is over
0|f|{1,2,3,4,5,6,7}|43,f,t|when there was none
\\N|f|{1,2,3,4,5,6,7}|43,f,t|in none
42|f|\\N|43,f,f|no charges, to be looked at
42|t|\\N|42,t,f|no charges, counted
TABLE
	(entry $A; entry $B | sed 's/\t42\tt/\t43\tt/') | copy >/dev/null
	is "$(sql 'SELECT epoch, counted FROM usage ORDER BY evaluation_id')" \
"43|f
43|t" 'also by the temporary table, and each by itself'
	sql 'DELETE FROM counter_epochs'
	empty
}

# The second charge of the call was counted in epoch 43 (43 * 1024 + 82).
counted_in_part()
{
	local epoch
	sql "INSERT INTO counter_epochs (epoch, counts, reason, node)
		VALUES (43, 'memcached', 'x', '$A')"
	for epoch in 43 44; do
		entry $A | sed -E "s/\t42\tt\t/\t$epoch\tf\t/
			s/\{.*\}/{1,2,3,82,5,6,7,1,2,4,44114,5,6,8}/" | add
		is "$(sql 'SELECT counter, counted FROM usage_charges
			ORDER BY counter')" \
			"$([ $epoch = 43 ] && printf '3|f\n4|t' ||
				printf '3|f\n4|f')" "epoch $epoch: counted in part"
		is "$(sql 'SELECT usage_changes(charges, 1, 7, 0) FROM usage')" \
			'{1,2,4,82,5,6,-1}' 'and changed as any other'
		empty
	done
	sql 'DELETE FROM counter_epochs'
}

refusals()
{
	local row name
	while IFS='|' read -r row name; do
		state keeper 23514 "INSERT INTO usage (evaluation_id, entry,
			\"timestamp\", calls, cost, tokens, expires_at, counted,
			charges, input_tokens, overrun) VALUES ('$A', $row)" \
			"refused: $name"
	done <<'TABLE'
'refund', now(), 0, 1, 1, NULL, true, NULL, NULL, NULL|an unknown entry
'reserve', now(), 1, NULL, 1, now(), true, NULL, NULL, NULL|a reserve of nothing known
'reserve', now(), 1, -1, 1, now(), true, NULL, NULL, NULL|a reserve of less than nothing
'reserve', now(), 1, 1, -1, now(), true, NULL, NULL, NULL|a reserve of fewer tokens than none
'reserve', now(), 0, 1, 1, now(), true, NULL, NULL, NULL|a reserve that is no call
'reserve', now(), 1, 1, 1, NULL, true, NULL, NULL, NULL|a reserve that never expires
'settle', now(), 0, NULL, 1, NULL, true, NULL, NULL, NULL|a settle without its difference
'settle', now(), 0, 1, NULL, NULL, true, NULL, NULL, NULL|a settle without its tokens
'settle', now(), 0, 'NaN', 1, NULL, true, NULL, NULL, NULL|a cost that is no number
'settle', now(), 0, '-Infinity', 1, NULL, true, NULL, NULL, NULL|an endless cost
'settle', now(), 2, 1, 1, NULL, true, NULL, NULL, NULL|two calls in one entry
'settle', now(), 0, 1, 1, NULL, true, NULL, NULL, -1|an overrun below zero
'settle', now(), 0, 1, 1, NULL, true, NULL, -1, NULL|fewer real tokens than none
'settle', now(), 0, 1, 1, NULL, true, '{1,2,3,4,5,6}', NULL, NULL|charges of six numbers
'settle', now(), 0, 1, 1, NULL, true, '{1,2,3,4,5,6,NULL}', NULL, NULL|a charge that is null
'settle', now(), 0, 1, 1, NULL, true, '{{1,2,3,4,5,6,7}}', NULL, NULL|charges in two dimensions
'settle', now(), 0, 1, 1, NULL, true, '[0:6]={1,2,3,4,5,6,7}', NULL, NULL|charges that begin elsewhere
TABLE
	is "$(take 'evaluation_id, entry, "timestamp", calls, counted, charges' \
		"SELECT '$A'::uuid, 'report', now(), 0, false, '{}'::bigint[]")" \
		1 'a report needs no cost, and may charge nothing'
	is "$(sql 'SELECT count(*) FROM usage_rollups')" 0 \
		'and is in no roll-up'
	empty
}

# ---- roll-ups

# Dimensions that a careless key would take for each other, all of one moment.
DIMENSIONS="VALUES ('a', 'b', 'c'), ('a', 'bc', ''), ('ab', '', 'c'),
	('a,b', 'c', ''), ('a', 'b,c', ''), ('{a', 'b}', 'c'), ('NULL', 'b', ''),
	(NULL, 'b', NULL), ('', 'b', ''), ('\"', '\\', ' ')"

rollups()
{
	is "$(take 'organization_id, team_id, user_id, evaluation_id, entry,
		"timestamp", calls, cost, tokens, counted' \
		"SELECT v.*, (left('$A', 24) || right(gen_random_uuid()::text,
				12))::uuid, 'settle', now(), 0, 1, 1, true
		 FROM ($DIMENSIONS) v")" 10 'ten entries of like dimensions'
	is "$(rollups_differ)" '' 'each goes where it belongs'
	is "$(sql 'SELECT count(*), count(*) FILTER (WHERE cost = 2)
		   FROM usage_rollups')" '9|1' 'null and empty are one'
	empty
	quarters
	many
}

# The first and the last millisecond of a quarter of an hour.
quarters()
{
	take 'evaluation_id, entry, "timestamp", calls, cost, tokens, counted' \
		"SELECT uuid7_floor(t), 'settle', now(), 0, 1, 1, true
		 FROM (VALUES (timestamptz '2026-11-23 10:14:59.999Z'),
			('2026-11-23 10:15:00Z'), ('2026-11-23 10:29:59.999Z'),
			('2026-11-23 10:30:00Z')) v (t)" >/dev/null
	is "$(PGTZ=Asia/Kathmandu sql "SELECT quarter AT TIME ZONE 'UTC', cost
		FROM usage_rollups ORDER BY 1")" \
"2026-11-23 10:00:00|1
2026-11-23 10:15:00|2
2026-11-23 10:30:00|1" 'a quarter of an hour is the time of the call, in UTC'
	empty
	far
}

# A batch of many quarters, wherever its first entry is among them, with the
# smallest and the largest id of each, of any version.
far()
{
	local first
	for first in 3 0 95 96 -1 1000000; do
		take 'evaluation_id, entry, "timestamp", calls, cost, tokens,
			counted' \
			"SELECT (left(uuid7_floor(t)::text, 13) || rest)::uuid,
				'settle', now(), 0, 1, 1, true
			 FROM (SELECT timestamptz '2026-11-23Z' + q * interval
				'15 minutes' + ms * interval '1 ms' AS t, q
			       FROM unnest(ARRAY[$first, -1000000, -1, 0, 1, 2,
				3, 4, 5, 95, 96, 97]) q,
			       unnest(ARRAY[0, 1, 899999]) ms) m,
			      unnest(ARRAY['-0000-0000-000000000000',
				'-7000-8000-000000000000',
				'-ffff-ffff-ffffffffffff']) rest
			 ORDER BY q = $first DESC" >/dev/null
		is "$(rollups_differ)" '' "quarters far from each other, $first"
		empty
	done
	take 'evaluation_id, entry, "timestamp", calls, cost, tokens, counted' \
		"SELECT id::uuid, 'settle', now(), 0, 1, 1, true
		 FROM (VALUES ('ffffffff-ffff-ffff-ffff-ffffffffffff'),
			      ('ffffffff-ffff-0000-0000-000000000000'),
			      ('00000000-0000-0000-0000-000000000000'),
			      ('00000000-0000-ffff-ffff-ffffffffffff')) v (id)
		 " >/dev/null
	is "$(rollups_differ)" '' 'the first and the last id of all'
	empty
}

# Batches of random entries of few calls, so that most come again.
many()
{
	local i new=0
	for i in 1 2 3 4 5; do
		new=$((new + $(take 'evaluation_id, entry, "timestamp", user_id,
				model_id, calls, cost, tokens, output_tokens,
				overrun, success, expires_at, counted' \
			"SELECT uuid7_floor('2026-11-23 10:00:00Z'::timestamptz +
				n * interval '7 seconds'), entry, now(),
				'user-' || n % 5, 'model-' || n % 3,
				(entry = 'reserve')::integer,
				CASE entry WHEN 'reserve' THEN 1 ELSE -1 END *
				floor(random() * 1000000) / 1000000000, n, n,
				0.000000001, random() < 0.5, now(), true
			 FROM (SELECT floor(random() * 2000)::integer AS n,
				      (ARRAY['reserve', 'settle', 'expire',
					     'report'])[ceil(random() * 4)]
					AS entry
			       FROM generate_series(1, 3000)) r")))
	done
	is "$(sql 'SELECT count(*) FROM usage')" "$new" \
		"of 15000 entries the $new new ones are there"
	check 'most of them came more than once' [ "$new" -lt 9000 ]
	is "$(rollups_differ)" '' 'and the roll-ups are their sums'
	empty
}

# ---- views

views()
{
	call $A reserve 0.25 >/dev/null
	is "$(as api "SELECT state, reserved, cost, tokens FROM usage_calls")" \
		'open|0.25|0.25|10' 'usage_calls: an open call'
	call $A expire -0.25 >/dev/null
	is "$(as api "SELECT state, reserved, cost FROM usage_calls")" \
		'expired|0.25|0.00' 'one that expired and was given back'
	call $A report 0.75 >/dev/null
	is "$(as api "SELECT state, reserved, cost FROM usage_calls")" \
		'reported|0.25|0.00' 'one whose report is not settled'
	call $A settle 0.75 >/dev/null
	is "$(as api "SELECT state, reserved, cost, overrun, tokens, input_tokens,
			     success, settled_at IS NULL FROM usage_calls")" \
		'settled|0.25|0.75|0.5|30|7|t|f' 'one that is settled, though late'
	empty
	# Another model served: its calls and cost are moved there.
	take 'evaluation_id, entry, "timestamp", model_id, calls, cost, tokens,
		expires_at, counted' \
		"VALUES ('$A'::uuid, 'reserve', now(), 'small', 1, 1.5, 10,
			 now(), true),
			('$A', 'move', now(), 'small', -1, -1.5, -10, NULL, true),
			('$A', 'settle', now(), 'large', 1, 9, 30, NULL, true)" \
		>/dev/null
	is "$(as api "SELECT model_id, state, reserved, cost, tokens
		      FROM usage_calls")" 'large|settled|1.5|9.0|30' \
		'a call that another model served'
	is "$(as api "SELECT model_id, calls, cost, tokens, settled
		      FROM usage_rollups ORDER BY 1")" \
"large|1|9|30|1
small|0|0.0|0|0" 'and what its model has in the roll-ups'
	empty
	charges_view
}

charges_view()
{
	take 'evaluation_id, entry, "timestamp", calls, cost, tokens, epoch,
		counted, charges' \
		"VALUES ('$A'::uuid, 'settle', '2026-11-23 05:00:00Z'::timestamptz,
			 0, 1, 1, 42, false,
			'{1,-7,-3,594,1795392000,1795478400,-5,
			  -1,0,9,8,0,0,3,
			  0,1,2,157,0,1795392900,1}'::bigint[])" >/dev/null
	is "$(as api "SELECT evaluation_id = '$A', entry, epoch, counted, subject,
			     counter, kind, unit, \"window\",
			     from_at AT TIME ZONE 'UTC',
			     to_at AT TIME ZONE 'UTC', amount, alert
		      FROM usage_charges ORDER BY counter")" \
"t|settle|42|f|00000000-0000-0001-ffff-fffffffffff9|-3|budget|USD|day|2026-11-23 00:00:00|2026-11-24 00:00:00|-5|t
t|settle|42|f|00000000-0000-0000-0000-000000000001|2|lease|calls|open||2026-11-23 00:15:00|1|f
t|settle|42|f|ffffffff-ffff-ffff-0000-000000000000|9|rate|tokens|minute|||3|f" \
		'usage_charges: the numbers in columns'
	empty
}

# ---- what a rebuild is told

# counted TIME ENTRY CHARGES [ID [COUNTED]]: an entry of a call of that time.
counted()
{
	take 'evaluation_id, entry, "timestamp", calls, cost, tokens,
		expires_at, counted, charges' \
		"SELECT ${4:-uuid7_floor('2026-11-23 $1Z')}, '$2',
			'2026-11-23 $1Z'::timestamptz,
			('$2' = 'reserve')::integer, 1, 1,
			'2026-11-23 $1Z'::timestamptz + interval '15 minutes',
			${5:-true}, ${3:-NULL}::bigint[]" >/dev/null
}

# told [AT]: what usage_counters says, times in UTC.
told()
{
	PGTZ=UTC as keeper "SELECT right(subject::text, 4), counter, kind, unit,
		\"window\", from_at::timestamp(0), to_at::timestamp(0),
		bucket::timestamp(0), right(lease::text, 4), amount
		FROM usage_counters('2026-11-23 ${1:-12:00:30.5}Z')
		ORDER BY 1, 2, bucket, lease, from_at"
}

second() # TIME: Unix time of the day that is tested
{
	date -u -d "2026-11-23 $1Z" +%s
}

counters()
{
	budgets
	rates
	leases
}

budgets()
{
	local day month
	day="82,$(second 00:00),$(($(second 00:00) + 86400))"
	month="84,$(date -u -d '2026-11-01Z' +%s),$(date -u -d '2026-12-01Z' +%s)"
	counted 00:00 reserve "'{0,1,5,$day,100,0,2,6,$month,100}'"
	counted 00:00 settle "'{0,1,5,$day,-30,0,2,6,$month,-30}'"
	counted 11:00 reserve "'{0,1,5,$day,1,0,2,6,$month,1}'" '' false
	counted 11:00 expire "'{0,1,5,$day,-1,0,2,6,$month,-1}'"
	counted 12:00 reserve "'{0,1,5,$day,7,0,2,5,$day,9}'"
	counted 12:00 report
	is "$(told)" \
"0001|5|1|2|2|2026-11-23 00:00:00|2026-11-24 00:00:00|||77
0002|5|1|2|2|2026-11-23 00:00:00|2026-11-24 00:00:00|||9
0002|6|1|2|4|2026-11-01 00:00:00|2026-12-01 00:00:00|||70" \
		'a budget is the sum of reserved, settled and expired'
	is "$(told 23:59:59.9 | wc -l)" 3 'up to the end of its window'
	is "$(told 24:00)" \
"0002|6|1|2|4|2026-11-01 00:00:00|2026-12-01 00:00:00|||70" \
		'and not from then on'
	counted 00:00 reserve "'{0,3,1,$month,1}'" \
		"uuid7_floor('2026-11-23 12:00:30.5Z'::timestamptz - interval '44 days')"
	counted 00:00 reserve "'{0,4,1,$month,1}'" \
		"uuid7_floor('2026-11-23 12:00:30.5Z'::timestamptz - interval '46 days')"
	like "$(told | paste -sd ' ')" '0002.*0003' \
		'a call of 44 days ago may be in an open window'
	is "$(told | grep -c ^0004)" 0 'one of 46 days ago is not looked for'
	empty
	alerts "$day" "$month"
}

# alerts DAY MONTH: 82 + 512 and 84 + 512.
alerts()
{
	local raised=594,${1#*,} month=$2
	counted 10:00 reserve "'{0,1,5,$1,10,0,1,6,$month,10}'"
	counted 11:00 reserve "'{0,1,5,$raised,20,0,1,6,$month,20}'"
	counted 11:00 settle "'{0,1,5,$1,-15,0,1,6,$month,-15}'"
	counted 12:00 reserve "'{0,1,5,$1,40,0,1,6,$month,40}'"
	is "$(sql "SELECT counter, kind, unit, \"window\", amount, alert
		FROM usage_counters('2026-11-23 12:00:30Z') ORDER BY 1")" \
"5|1|2|2|55|t
6|1|2|4|55|f" 'a budget whose alert one call raised is one counter'
	is "$(sql "SELECT counter, amount, alert
		FROM usage_counters('2026-11-24 00:00:00Z') ORDER BY 1")" \
		'6|55|f' 'the alert is that of its window'
	is "$(sql "SELECT usage_changes(charges, 1, 7, 0) FROM usage
		WHERE charges[4] > 512")" \
		"{0,1,5,$1,-13,0,1,6,$month,-13}" 'no change carries it on'
	empty
	is "$(sql "SELECT usage_changes(
		'{1,2,3,0,9,0,1, 1,2,4,8,9,0,100, 1,2,5,139,0,77,1}', 1, 0, 100)")" \
		'{1,2,5,139,0,77,-1}' 'a rate gives nothing back'
	like "$(sql "SELECT usage_changes(
		'{1,2,3,0,9,0,1, 1,2,4,8,9,0,100}', 1, 0, 130)")" \
		'^\{1,2,4,8,1[0-9]{9},0,30\}$' \
		'a rate counts the tokens above its estimate from now on'
}

# At 12:00:30 the parts from 11:59:30, 11:00:00 and 12:00 of yesterday on count.
rates()
{
	local all='0,1,7,0,0,0,1, 0,1,8,1,0,0,1, 0,1,9,2,0,0,1, 0,1,3,8,0,0,50'
	local yesterday
	counted 12:00:30.2 reserve "'{$all}'"
	counted 12:00:30.4 reserve "'{$all}'" '' false
	counted 11:59:30 reserve "'{$all}'"
	counted 11:59:29.999 reserve "'{$all}'"
	counted 11:00:00 reserve "'{$all}'"
	counted 10:59:59 reserve "'{$all}'"
	for yesterday in '2026-11-22 12:00:00' '2026-11-22 11:59:59'; do
		take 'evaluation_id, entry, "timestamp", calls, cost, tokens,
			expires_at, counted, charges' \
			"SELECT uuid7_floor('$yesterday'), 'reserve',
				'$yesterday'::timestamptz, 1, 1, 1, now(), true,
				'{$all}'::bigint[]" >/dev/null
	done
	is "$(told)" \
"0001|3|0|1|0|||2026-11-23 11:59:30||50
0001|3|0|1|0|||2026-11-23 12:00:30||100
0001|7|0|0|0|||2026-11-23 11:59:30||1
0001|7|0|0|0|||2026-11-23 12:00:30||2
0001|8|0|0|1|||2026-11-23 11:00:00||1
0001|8|0|0|1|||2026-11-23 11:59:00||2
0001|8|0|0|1|||2026-11-23 12:00:00||2
0001|9|0|0|2|||2026-11-22 12:00:00||1
0001|9|0|0|2|||2026-11-23 10:48:00||2
0001|9|0|0|2|||2026-11-23 11:36:00||2
0001|9|0|0|2|||2026-11-23 12:00:00||2" \
		'a rate by its parts: the current one and the 60 before it'
	empty
}

leases()
{
	local now=12:00:30.5 until id state
	until=$(second 12:10)
	for id in 1:open 2:settle 3:expire 4:report; do
		state=${id#*:}
		id="overlay(uuid7_floor('2026-11-23 $now')::text
			PLACING '${id%:*}' FROM 36)::uuid"
		counted $now reserve "'{0,1,4,157,0,$until,1}'" "$id"
		[ "$state" = open ] || counted $now "$state" '' "$id"
	done
	counted 11:00 reserve "'{0,1,4,157,0,$(second 11:15),1}'"
	is "$(told)" \
"0001|4|2|3|5||2026-11-23 12:10:00||0001|1
0001|4|2|3|5||2026-11-23 12:10:00||0004|1" \
		'a lease of each call that is neither settled nor expired'
	is "$(told 12:10:00)" '' 'and not from its expiry on'
	empty
}

# ---- plans

# 100,000 calls of ninety days, most of them settled.
plan_data()
{
	sql "SELECT partitions_make('usage', 'evaluation_id',
		date_trunc('month', now() AT TIME ZONE 'UTC')
		- n * interval '1 month') FROM generate_series(1, 3) n" \
		>/dev/null
	take 'evaluation_id, entry, "timestamp", organization_id, team_id,
		user_id, api_key_id, model_id, vendor_id, calls, cost, tokens,
		expires_at, counted, charges' \
		"SELECT uuid7_floor(now() - i * interval '78 seconds'), entry,
			now() - i * interval '78 seconds', 'org-' || i % 3,
			'team-' || i % 40, 'user-' || i % 1000, 'key-' || i % 9,
			'model-' || i % 50, 'vendor-' || i % 4,
			(entry = 'reserve')::integer, 1, 1,
			CASE entry WHEN 'reserve' THEN now() +
				interval '15 minutes' - i * interval '78 seconds'
			END, true, '{1,2,3,82,1,2,3}'::bigint[]
		 FROM generate_series(1, 100000) i,
		      unnest(ARRAY['reserve', 'settle']) entry
		 WHERE entry = 'reserve' OR i % 50 > 0" >/dev/null
	psql -X -q -d "$(conninfo postgres ims_policy)" \
		-c 'VACUUM ANALYZE usage' -c 'VACUUM ANALYZE usage_rollups'
}

# scanned RELATIONS QUERY: which of the RELATIONS (a regex) the plan reads, and
# how.
scanned()
{
	as api "EXPLAIN (FORMAT JSON) $2" |
		jq -r '.. | objects | select(has("Relation Name")) |
			[."Node Type", ."Relation Name"] | @tsv' |
		awk -F'\t' -v wanted="$1" '$2 ~ wanted' | sort -u
}

plans()
{
	local query name id
	plan_data
	id=$(sql "SELECT evaluation_id FROM usage WHERE entry = 'settle'
		ORDER BY 1 OFFSET 50000 LIMIT 1")
	sql "SELECT relname FROM pg_class
	     WHERE relname ~ '^usage_[0-9_]+\$' AND relkind = 'r' AND
		   reltuples > 1000" >"$VAR/run/filled"
	check 'at least three months are filled' \
		[ "$(wc -l <"$VAR/run/filled")" -ge 3 ]
	while IFS='|' read -r name query; do
		is "$(scanned '^usage' "$query" | wc -l)" 1 \
			"$name: one month is read"
		like "$(scanned '^usage' "$query")" '^(Index|Bitmap)' \
			"$name: by an index"
	done <<TABLE
an entry|SELECT * FROM usage WHERE evaluation_id = '$id' AND entry = 'reserve'
a call|SELECT * FROM usage_calls WHERE evaluation_id = '$id'
its charges|SELECT * FROM usage_charges WHERE evaluation_id = '$id'
TABLE
	while IFS='|' read -r name query; do
		is "$(scanned . "$query" | grep Seq | grep -F -f "$VAR/run/filled")" \
			'' "$name: no month with rows is read from end to end"
	done <<'TABLE'
calls that are open|SELECT * FROM usage WHERE entry = 'reserve' AND expires_at > now()
calls that expired since|SELECT * FROM usage WHERE entry = 'reserve' AND expires_at BETWEEN now() - interval '1 hour' AND now() ORDER BY expires_at LIMIT 100
reports to settle|SELECT * FROM usage WHERE entry = 'report' AND evaluation_id > uuid7_floor(now() - interval '80 days')
calls of a day|SELECT * FROM usage WHERE evaluation_id >= uuid7_floor(now() - interval '1 day')
TABLE
	for query in "organization_id = 'org-1'" "team_id = 'team-7'" \
		"user_id = 'user-7'" "api_key_id = 'key-7'" \
		"model_id = 'model-7'" "vendor_id = 'vendor-3'" \
		"user_id = 'nobody'" "user_id = 'user-7' AND model_id = 'model-7'" \
		true; do
		is "$(scanned . "SELECT sum(cost) FROM usage_rollups
			WHERE $query AND quarter >= now() - interval '1 day'" |
			grep Seq)" '' "the roll-ups of a day where $query: by an index"
	done
	is "$(scanned . "SELECT sum(cost) FROM usage_rollups
		WHERE user_id = 'user-7'" | grep Seq)" '' \
		'the roll-ups of a user of all time: by an index'
	empty
}

# ---- retention

months()
{
	sql "SELECT count(*) FROM pg_inherits
	     WHERE inhparent = 'usage'::regclass AND
		   inhrelid::regclass::text < 'usage_' ||
			to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')"
}

retention()
{
	local kept
	sql "SELECT partitions_make('usage', 'evaluation_id',
		date_trunc('month', now() AT TIME ZONE 'UTC')
		- n * interval '1 month') FROM generate_series(1, 14) n" \
		>/dev/null
	is "$(months)" 14 'fourteen old months'
	as keeper "SELECT partitions_drop(now())" >/dev/null
	is "$(months)" 14 'what drops records leaves the ledger alone'
	is "$(as keeper "SELECT partitions_drop_usage(now() - interval '13 months')")" \
		1 'the month that ended before is dropped'
	kept=$(sql "SELECT count(*) FROM generate_series(1, 13) n
		    WHERE date_trunc('month', now() AT TIME ZONE 'UTC')
			  - (n - 1) * interval '1 month'
			  > (now() - interval '62 days') AT TIME ZONE 'UTC'")
	is "$(as keeper "SELECT partitions_drop_usage(now() + interval '9 years')")" \
		$((13 - kept)) 'whatever is asked for'
	is "$(months)" "$kept" '62 days are kept'
	is "$(sql "SELECT to_regclass('evaluations_default') IS NOT NULL AND
			  to_regclass('usage_default') IS NOT NULL")" t \
		'and the default partition'
}

# DAY is the first that is always kept; a roll-up of each of these quarters.
DAY="date_trunc('day', now() - interval '62 days', 'UTC')"
QUARTERS="VALUES ('-infinity'::timestamptz), ('2000-01-01Z'),
	($DAY - interval '400 days'), ($DAY - interval '100 days'),
	($DAY - interval '99 days 23:45'), ($DAY - interval '15 minutes'),
	($DAY), ($DAY + interval '15 minutes'),
	(date_trunc('month', now(), 'UTC')), (now()), ('infinity')"

fill_rollups()
{
	sql "INSERT INTO usage_rollups
		SELECT q, uuid7_floor(now()), '', '', '', '', '', '',
		       1, 1, 1, 1, 1, 1, 1, 0 FROM ($QUARTERS) v (q)"
}

# cleaned BEFORE BATCH: how many are gone, how many are left, and since when
# they are kept, in days before DAY.
cleaned()
{
	as keeper "SELECT usage_rollups_clean($1, $2)"
	sql "SELECT count(*) FROM usage_rollups"
	sql "SELECT extract(epoch FROM $DAY - since) / 86400
		FROM usage_rollups_kept" | sed 's/\.0*$//'
}

rollup_retention()
{
	local n
	fill_rollups
	is "$(sql 'SELECT since FROM usage_rollups_kept')" -infinity \
		'all roll-ups are kept'
	is "$(cleaned "$DAY - interval '99 days'" 2 | paste -sd ' ')" '2 9 99' \
		'a batch of them: since when they are kept is said with the first'
	is "$(sql "SELECT min(quarter) = $DAY - interval '400 days'
		FROM usage_rollups")" t 'the oldest go first'
	is "$(cleaned "$DAY - interval '99 days'" 2 | paste -sd ' ')" '2 7 99' \
		'the next'
	is "$(cleaned "$DAY - interval '99 days'" 2 | paste -sd ' ')" '1 6 99' \
		'a batch that is not full is the last'
	is "$(cleaned "$DAY - interval '200 days'" 9 | paste -sd ' ')" '0 6 99' \
		'that they are kept for longer brings nothing back'
	is "$(cleaned NULL 9 | paste -sd ' ')" ' 6 99' 'no time is none'
	for n in 1 2; do
		is "$(cleaned "'infinity'" 9 | paste -sd ' ')" "$((2 - n)) 5 0" \
			'whatever is asked for, 62 days are kept'
	done
	is "$(sql "SELECT count(*) FROM usage_rollups
		WHERE quarter >= date_trunc('month', now(), 'UTC')")" 3 \
		'and this month with them'
	late_entry
	rollups_locked
	sql "UPDATE usage_rollups_kept SET since = '-infinity'"
	empty
}

# A call is settled whose roll-up is gone.
late_entry()
{
	take 'evaluation_id, entry, "timestamp", calls, cost, tokens, counted' \
		"SELECT uuid7_floor($DAY - interval '1 s'), 'settle', now(), 0,
			-1, 1, true" >/dev/null
	is "$(cleaned "'infinity'" 9 | paste -sd ' ')" '1 5 0' \
		'what comes too late goes with the next batch'
	sql 'TRUNCATE usage'
}

# Somebody writes in one of them.
rollups_locked()
{
	local began
	sql 'TRUNCATE usage_rollups'
	fill_rollups
	psql -X -q -d "$(conninfo ims_dev_owner ims_policy)" \
		-c "BEGIN; UPDATE usage_rollups SET calls = 2
			WHERE quarter = '2000-01-01Z'; SELECT pg_sleep(20)" \
		>/dev/null 2>&1 &
	local holder=$!
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity
		WHERE query LIKE '%pg_sleep(20)%' AND wait_event = 'PgSleep'")" \
		-gt 0 ]
	do
		:
	done
	began=$SECONDS
	is "$(cleaned "'infinity'" 9 | paste -sd ' ')" '5 6 0' \
		'a roll-up that somebody writes is left for the next round'
	ok $((SECONDS - began > 1)) 'and not waited for'
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	     WHERE query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()" \
		>/dev/null
	wait "$holder" 2>/dev/null
	is "$(cleaned "'infinity'" 9 | paste -sd ' ')" '1 5 0' 'which takes it'
}

schema_world
copies
epochs
counted_in_part
refusals
rollups
views
counters
plans
retention
rollup_retention
tap_done
