#!/bin/bash
# What becomes of calls that are not reported in time: charged or given back,
# once, and a late report still settles; of calls that nothing but the ledger
# knows; and of leases.
. "$(dirname "$0")/lib.sh"

# policy NAME CATEGORY CONSTRAINTS
policy()
{
	sql "INSERT INTO policies (policy_id, name, category, enabled, mode,
		priority, evaluation_type, action_on_violation, on_error,
		scope, applies_to, constraints, updated_by)
	VALUES (gen_random_uuid(), '$1', '$2', true, 'enforce', 50,
		'pre_flight', 'block', 'block', 'user', '{}', '$3', 'test')"
}

# call USER COST: a call; ID is its evaluation's.
call()
{
	evaluate "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$1\",\"estimated_cost\":$2}"
	ID=$(field .evaluation_id)
}

# report ID COST
report()
{
	evaluate "{\"evaluation_type\":\"post_execution\",\"evaluation_id\":\"$1\",\"usage\":{\"cost\":$2}}"
}

# left USER: what the budget says is left.
left()
{
	evaluate "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$1\",\"estimated_cost\":0}"
	field '[.limits[] | select(.constraint == "max_daily_cost")][0].remaining'
}

left_is()
{
	[ "$(left "$1")" = "$2" ]
}

# entries ID: of the ledger.
entries()
{
	sql "SELECT string_agg(entry || ' ' || trim_scale(cost)::text, ', '
		ORDER BY entry) FROM usage WHERE evaluation_id = '$1'"
}

entries_are()
{
	[ "$(entries "$1")" = "$2" ]
}

drained()
{
	ask /metrics
	[ "$(sed -n 's/^ims_policy_spool_backlog_bytes //p' <<<"$BODY")" = 0 ]
}

restart()
{
	web_down
	stop housekeeper
	engine_sweep
	SETTINGS_MORE=$1
	settings_write
	keeper_up >&2
	web_up lighttpd >&2
	check "something counts" wait_until 20 counters_known
	wait_until 10 published
}

test_charged()
{
	restart 'reservation_ttl_s = 2'
	call charged 0.4
	is "$(left charged)" 0.6 "charge: reserved"
	check "charge: expired, and recorded as that" \
		wait_until 15 entries_are "$ID" 'expire 0, reserve 0.4'
	is "$(left charged)" 0.6 "charge: it stays charged"
	report "$ID" 0.1
	is "$STATUS $(field .settlement.status) $(field .settlement.late)" \
		'200 settled true' "charge: a late report settles"
	is "$(left charged)" 0.9 "charge: at what it cost"
	check "charge: the ledger has all of it" \
		wait_until 10 entries_are "$ID" 'expire 0, reserve 0.4, settle -0.3'
}

test_released()
{
	restart 'reservation_ttl_s = 2
reservation_unsettled = release'
	call released 0.4
	is "$(left released)" 0.6 "release: reserved"
	check "release: given back" wait_until 15 left_is released 1
	is "$(entries "$ID")" 'expire -0.4, reserve 0.4' \
		"release: the ledger has it"
	sleep 3
	is "$(left released)" 1 "release: once"
	report "$ID" 0.1
	is "$STATUS $(field .settlement.status)" '202 pending' \
		"release: a late report is taken"
	check "release: and settled" wait_until 15 left_is released 0.9
	is "$(sql "SELECT trim_scale(cost) FROM usage_calls
		WHERE evaluation_id = '$ID'")" 0.1 "release: at what it cost"
	report "$ID" 0.1
	like "$STATUS" '^20[02]$' "release: the same report again"
	sleep 3
	is "$(left released)" 0.9 "release: changes nothing"
}

# A report that came while nobody could ask whose call it was: another key's
# settles nothing, and the call expires.
test_foreign_report()
{
	call foreign 0.4
	check "the backlog drains" wait_until 10 drained
	sql "INSERT INTO usage (evaluation_id, entry, \"timestamp\", key_id, calls,
		cost, tokens, counted)
	VALUES ('$ID', 'report', now(), 'somebody', 0, 0, 0, true)"
	check "foreign: the call expires" wait_until 15 entries_are "$ID" \
		'expire 0, report 0, reserve 0.4'
	is "$(left foreign)" 0.6 "foreign: and stays charged"
}

# Reported in time, and never expired.
test_reported()
{
	call reported 0.4
	report "$ID" 0.25
	is "$STATUS $(field .settlement.late)" '200 false' "reported in time"
	sleep 4
	check "the backlog drains" wait_until 10 drained
	is "$(entries "$ID")" 'reserve 0.4, settle -0.15' "it does not expire"
	is "$(left reported)" 0.75 "and counts at what it cost"
}

epoch()
{
	sql 'SELECT max(epoch) FROM counter_epochs'
}

epoch_after()
{
	[ "$(epoch)" -gt "$1" ] && counters_known
}

# The note is gone with what counted; the ledger knows the call.
test_ledger_alone()
{
	local before
	restart 'reservation_ttl_s = 900'
	call forgotten 0.4
	check "the backlog drains" wait_until 10 drained
	web_down
	stop housekeeper
	engine_sweep
	rm -f "$VAR"/state/counters*
	before=$(epoch)
	keeper_up >&2
	web_up lighttpd >&2
	check "rebuilt" wait_until 20 epoch_after "$before"
	is "$(left forgotten)" 0.6 "rebuilt: the reservation is still charged"
	report "$ID" 0.1
	is "$STATUS $(field .settlement.amount)" '200 0.1' \
		"a report finds its call in the ledger"
	is "$(left forgotten)" 0.9 "and settles it"
	report "$ID" 0.1
	is "$STATUS $(field .settlement.already_settled)" '200 true' "once"
	report 019ac000-0000-7000-8000-000000000001 0.1
	is "$STATUS" 404 "an id that nobody knows"
}

test_leases()
{
	local first
	sql 'UPDATE policies SET enabled = false WHERE enabled'
	policy parallel behavioral '{"max_parallel_requests": 2}'
	restart 'reservation_ttl_s = 4'
	call leases 0
	first=$ID
	call leases 0
	is "$STATUS" 200 "two calls may be open"
	call leases 0
	is "$STATUS $(field '.violations[0].violation_type')" \
		'403 too_many_parallel_requests' "a third may not"
	report "$first" 0
	call leases 0
	is "$STATUS" 200 "one was reported: another may"
	call leases 0
	is "$STATUS" 403 "but no more"
	like "$(header Retry-After)" '^[1-4]$' "it says when one expires"
	sleep 5
	call leases 0
	is "$STATUS" 200 "those that were not reported have expired"
}

world_make
world_up
sql 'UPDATE policies SET enabled = false WHERE enabled'
policy budget cost '{"max_daily_cost": 1}'
test_charged
test_reported
test_foreign_report
test_released
test_ledger_alone
test_leases
is "$(rollups_differ)" '' "the roll-ups are what the ledger says"
check "no sanitizer complained" \
	not grep -hE 'Sanitizer|runtime error' "$VAR"/log/*.log
tap_done
