#!/bin/bash
# A policy change in PostgreSQL reaches every process within a second, under
# load, whole or not at all; a revision that does not compile is refused and
# the last good one stays, also over a restart without PostgreSQL.
. "$(dirname "$0")/lib.sh"

REQUEST='{"model_id":"gpt-4o-mini","user_id":"u1","correlation_id":"@N@","max_output_tokens":10,"prompt":"hello"}'
TOGGLES=10

# A policy that warns about everybody, so that each answer shows whether it
# was on: exactly one of the twins is enabled at any time.
twin()
{
	sql "INSERT INTO policies (policy_id, name, category, enabled, mode,
		priority, evaluation_type, action_on_violation, on_error,
		scope, applies_to, constraints, updated_by)
	VALUES (gen_random_uuid(), '$1', 'vendor', $2, 'enforce', 50,
		'pre_flight', 'warn', 'default', 'user', '{}',
		'{\"blocked_models\": [\"gpt-4o-mini\"]}', 'test')"
}

revision()
{
	sql 'SELECT revision FROM policy_revision'
}

published()
{
	evaluate "${REQUEST//@N@/r}"
	[ "$(field .policy_revision)" = "$(revision)" ]
}

# Flip both twins in one transaction; note "MICROSECONDS REVISION".
toggle()
{
	sql "UPDATE policies SET enabled = NOT enabled
		WHERE name IN ('twin-a', 'twin-b')"
	printf '%s %s\n' "$(date +%s%6N)" "$(revision)" >>"$VAR/run/toggles"
}

# Of the requests that began more than a second after a change, how many were
# answered by an older revision?
stale()
{
	awk 'NR == FNR { at[++n] = $1; revision[n] = $2; next }
	$1 > 0 {
		want = 0
		for (i = 1; i <= n; i++)
			if (at[i] + 1000000 < $2) want = revision[i]
		if ($4 < want) stale++
	}
	END { print stale + 0 }' "$VAR/run/toggles" "$VAR/run/load.out"
}

test_under_load()
{
	local server=$1 load
	rm -f "$VAR/run/toggles"
	printf '%s' "$REQUEST" >"$VAR/run/request.json"
	"$IMS_BUILD/tests/integration/load" 127.0.0.1 "$(cat "$VAR/run/web.port")" \
		/evaluate.fcgi "$(key evaluator)" "$VAR/run/request.json" 8 \
		$((TOGGLES + 3)) "$VAR/run/load.out" &
	load=$!
	sleep 1
	for _ in $(seq "$TOGGLES"); do
		toggle
		sleep 0.9
	done
	wait "$load"
	ok $? "$server: the load ran"
	is "$(awk '$1 != 200' "$VAR/run/load.out" | wc -l)" 0 \
		"$server: every request was answered 200"
	is "$(stale)" 0 \
		"$server: a second after a change nobody answers by an older revision"
	is "$(awk '{ print $6 == "-" ? 0 : split($6, ids, ",") }' \
		"$VAR/run/load.out" | sort -u | wc -l)" 1 \
		"$server: each of $(wc -l <"$VAR/run/load.out") answers saw exactly one of two policies"
	like "$(awk '{ print $4 }' "$VAR/run/load.out" | sort -un | wc -l)" \
		'^([5-9]|[0-9]{2,})$' "$server: several revisions were seen"
}

metric()
{
	ask /metrics
	sed -n "s/^$1 //p" <<<"$BODY" | cut -d. -f1
}

refusal_seen()
{
	[ "$(metric 'ims_policy_snapshot_publishes_total{result="refused"}')" -gt "$REFUSED" ]
}

test_refused()
{
	local good
	published
	good=$(field .policy_revision)
	REFUSED=$(metric 'ims_policy_snapshot_publishes_total{result="refused"}')
	sql "UPDATE policies SET constraints = '{\"no_such_constraint\": 1}'
		WHERE name = 'twin-a'"
	check "a revision that does not compile is counted" \
		wait_until 5 refusal_seen
	evaluate "${REQUEST//@N@/r}"
	is "$STATUS $(field .policy_revision)" "200 $good" \
		"the last good revision answers"
	check "the housekeeper says which policy and why" \
		grep -q 'no_such_constraint: policy twin-a: ' \
		"$VAR/log/housekeeper.log"
	web_down
	stop housekeeper
	postgres_down
	keeper_up >&2
	web_up lighttpd >&2
	evaluate "${REQUEST//@N@/r}"
	is "$STATUS $(field .policy_revision)" "200 $good" \
		"it still does after a restart without PostgreSQL"
	postgres_up >&2
	check "with PostgreSQL back, the bad revision is refused again" \
		wait_until 10 still_good "$good"
	sql "UPDATE policies SET constraints = '{\"blocked_models\": [\"x\"]}'
		WHERE name = 'twin-a'"
	check "a repaired revision is taken" wait_until 10 published
}

still_good()
{
	evaluate "${REQUEST//@N@/r}"
	[ "$STATUS $(field .policy_revision)" = "200 $1" ] &&
		[ "$(psql_up)" = 1 ]
}

psql_up()
{
	metric ims_policy_postgresql_up
}

world_make
world_up
# One user asks more often than the seed policies permit.
sql "UPDATE policies SET enabled = false WHERE name IN ('user-rate-limit',
	'free-tier-daily-budget', 'monthly-budget-cap')"
twin twin-a true
twin twin-b false
web_up apache >&2
check "the twins are published" wait_until 5 published
test_under_load apache
web_up lighttpd >&2
test_under_load lighttpd
test_refused
check "no sanitizer complained" \
	not grep -hE 'Sanitizer|runtime error' "$VAR"/log/*.log
tap_done
