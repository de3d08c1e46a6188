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

# report ID COST [CURL OPTION...]
report()
{
	report_more "$1" ",\"usage\":{\"cost\":$2}" "${@:3}"
}

# report_more ID MEMBERS [CURL OPTION...]: REPORT is its evaluation's id.
report_more()
{
	evaluate "{\"evaluation_type\":\"post_execution\",\"evaluation_id\":\"$1\"$2}" \
		"${@:3}"
	REPORT=$(field .evaluation_id)
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

# state ID: of the call, as the ledger says.
state()
{
	sql "SELECT state FROM usage_calls WHERE evaluation_id = '$1'"
}

state_is()
{
	[ "$(state "$1")" = "$2" ]
}

# wait_report ID KEY: a report with KEY that waits, as if nobody could have asked
# whose call it was.
wait_report()
{
	sql "INSERT INTO usage (evaluation_id, entry, \"timestamp\", report_id,
		key_id, calls, cost, tokens, counted)
	VALUES ('$1', 'report', now(), gen_random_uuid(), '$2', 0, 0.1, 10,
		false)"
}

# An admin's may report any call, also one that waited, and also one with a key
# that was revoked since.
test_admins_report()
{
	local name role revoked wanted
	while IFS='|' read -r name role revoked wanted; do
		sql "INSERT INTO api_keys (key_id, hash, role, revoked_at)
		VALUES ('$name', sha256('$name'), '$role', $revoked)"
		call "$name" 0.4
		check "$name: the backlog drains" wait_until 10 drained
		wait_report "$ID" "$name"
		check "$name: the call becomes $wanted" \
			wait_until 15 state_is "$ID" "$wanted"
		is "$(sql "SELECT trim_scale(cost), reserved, report_id IS NULL,
			(SELECT count(*) FROM evaluations v
			 WHERE v.evaluation_id IN (SELECT u.report_id
				FROM usage u WHERE u.evaluation_id = '$ID'))
			FROM usage_calls WHERE evaluation_id = '$ID'")" \
			"$([ "$wanted" = settled ] && echo '0.1|0.4|f|1' ||
			   echo '0.4|0.4|t|0')" "$name: and costs that"
		is "$(entries "$ID" | grep -c expire)" \
			"$([ "$wanted" = settled ]; echo $?)" \
			"$name: it has expired or not"
	done <<'TABLE'
adminadminadmin1|admin|NULL|settled
adminadminadmin2|admin|now()|settled
viewerviewer0001|viewer|NULL|expired
evaluator0000001|evaluator|NULL|expired
TABLE
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

# differ TABLE KEY ID OTHER [COLUMN...]: the columns in which the row of TABLE
# with the KEY OTHER is not that of ID, but for these.
differ()
{
	local row="SELECT to_jsonb(t) FROM $1 t WHERE $2 ="
	sql "SELECT key, coalesce(a.value, '\"none\"'),
		    coalesce(b.value, '\"none\"')
	     FROM jsonb_each(($row '$3')) a
	     FULL JOIN jsonb_each(($row '$4')) b USING (key)
	     WHERE a.value IS DISTINCT FROM b.value AND
		   key <> ALL (string_to_array('${*:5}', ' '))"
}

# same NAME: the report WAITED of the call LATE left what the report ONLINE of
# the call CALL did.
same()
{
	is "$(differ evaluations evaluation_id "$ONLINE" "$WAITED" \
		evaluation_id timestamp evaluation_time_ms policy_revision)" \
		'' "$1: the evaluation is the same"
	is "$(sql "SELECT policy_revision IS NULL AND evaluation_time_ms IS NULL
		FROM evaluations WHERE evaluation_id = '$WAITED'")" t \
		"$1: but for what no policy was asked"
	is "$(sql "SELECT count(*) FROM policy_violations
		WHERE evaluation_id = '$WAITED'")" \
		"$(sql "SELECT count(*) FROM policy_violations
			WHERE evaluation_id = '$ONLINE'")" \
		"$1: as many violations"
	is "$(differ policy_violations evaluation_id "$ONLINE" "$WAITED" \
		violation_id evaluation_id timestamp evaluation_time_ms)" '' \
		"$1: the violation is the same"
	is "$(differ usage_calls evaluation_id "$CALL" "$LATE" evaluation_id \
		reserved_at expires_at expired_at settled_at report_id)" '' \
		"$1: the call is the same"
}

SAID=',"session_id":"s-1","request_id":"r-1","tags":{"a":"b","n":1.5,"f":true}'
HEADER='X-Request-ID: from-the-header'

# What a report that waited leaves is what one leaves that was settled at once.
test_waited()
{
	local calls=() reports=() late=() waited=() more i=0 cases=()
	mapfile -t cases <<'TABLE'
,"served_model_id":"gpt-4o","usage":{"cost":0.02}
,"served_model_id":"gpt-4o","usage":{"input_tokens":1001,"output_tokens":33}
,"served_model_id":"gpt-4o","served_vendor_id":"vertex_ai","usage":{"cost":0.02}
,"served_model_id":"nobody-1","usage":{"output_tokens":7},"success":false
,"served_vendor_id":"mistral"
,"served_model_id":"gpt-4o-mini","usage":{"cost":0.07},"latency_ms":12.5,"success":true
,"usage":{"input_tokens":1001,"output_tokens":33}
,"success":false
,"usage":{"cost":0,"input_tokens":5},"error":"timeout"

TABLE
	for more in "${cases[@]}"; do
		call waited 0.01
		calls+=("$ID")
		report_more "$ID" "$more$SAID" -H "$HEADER"
		reports+=("$REPORT $STATUS")
		call waited 0.01
		late+=("$ID")
	done
	is "$(printf '%s\n' "${reports[@]#* }" | sort -u)" 200 \
		"waited: what is reported in time is settled at once"
	sleep 3
	for more in "${cases[@]}"; do
		report_more "${late[i++]}" "$more$SAID" -H "$HEADER"
		waited+=("$REPORT $STATUS")
	done
	is "$(printf '%s\n' "${waited[@]#* }" | sort -u)" 202 \
		"waited: the others are taken"
	check "waited: and settled" wait_until 15 state_is "${late[i - 1]}" settled
	check "the backlog drains" wait_until 10 drained
	for ((i = 0; i < ${#cases[@]}; i++)); do
		CALL=${calls[i]} LATE=${late[i]}
		ONLINE=${reports[i]% *} WAITED=${waited[i]% *}
		same "waited, ${cases[i]:-nothing said}"
	done
	is "$(sql "SELECT count(*) FROM policy_violations
		WHERE violation_type = 'decision_not_honoured' AND
		      user_id = 'waited'")" 10 "waited: five were not honoured, twice"
}

freeze()
{
	kill "-$1" "$(cat "$VAR/run/housekeeper.pid")"
}

# Of a call that was refused and made all the same nothing but its evaluation is
# there; as long as that is in a spool its report waits.
test_refused()
{
	local more='"usage":{"cost":0.3,"input_tokens":5}' violations
	more=",\"served_model_id\":\"gpt-4o\",$more,\"success\":true$SAID"
	call refused 2
	is "$STATUS" 403 "refused: a call"
	CALL=$ID
	check "the backlog drains" wait_until 10 drained
	report_more "$CALL" "$more" -H "$HEADER"
	is "$STATUS" 200 "refused: its report is settled at once"
	ONLINE=$REPORT
	check "the backlog drains" wait_until 10 drained
	freeze STOP
	call refused 2
	is "$STATUS" 403 "refused: another call"
	LATE=$ID
	report_more "$LATE" "$more" -H "$HEADER"
	is "$STATUS $(field .settlement.status)" '202 pending' \
		"refused: nobody knows it yet, its report waits"
	WAITED=$REPORT
	is "$(sql "SELECT count(*) FROM usage
		WHERE evaluation_id = '$LATE'")" 0 "refused: in a spool"
	freeze CONT
	check "refused: it is settled when it is known" \
		wait_until 15 state_is "$LATE" settled
	same refused
	is "$(differ "(SELECT * FROM usage WHERE entry = 'settle')" \
		evaluation_id "$CALL" "$LATE" evaluation_id timestamp report_id)" \
		'' "refused: the entry is the same"
	is "$(sql "SELECT string_agg(entry, ' ' ORDER BY entry) FROM usage
		WHERE evaluation_id = '$LATE'")" 'report settle' \
		"refused: and the only one"
	is "$(sql "SELECT decision, calls, trim_scale(cost), tokens, counted,
			  charges IS NULL, key_id IS NULL, vendor_id
		FROM usage WHERE evaluation_id = '$LATE' AND entry = 'settle'")" \
		'block|0|0.3|5|t|t|t|openai' "refused: it cost that, and is no call"
	is "$(sql "SELECT v.violation_details->>'decision', v.message,
			  v.violation_details ? 'permitted_model_id'
		FROM policy_violations v WHERE evaluation_id = '$WAITED'")" \
		'block|the call had been refused|f' "refused: that is recorded"
	violations="SELECT count(*) FROM policy_violations
		WHERE violation_type = 'decision_not_honoured' AND
		      user_id = 'refused'"
	report_more "$LATE" "$more" -H "$HEADER"
	is "$STATUS $(field .settlement.already_settled)" '200 true' \
		"refused: the same report again"
	report "$LATE" 0.9
	is "$STATUS" 409 "refused: and another one"
	sleep 2
	check "the backlog drains" wait_until 10 drained
	is "$(sql "$violations")" 2 "refused: each is recorded once"
	ctl usage "$LATE" >"$VAR/run/usage" 2>&1
	like "$(cat "$VAR/run/usage")" '^decision +block, ' \
		"refused: usage says what was decided"
	like "$(cat "$VAR/run/usage")" '^reserved +nothing, the call was refused$' \
		"refused: and that nothing was reserved"
	like "$(cat "$VAR/run/usage")" '^cost +0.3 USD' "refused: and what it cost"
	ask '/api/v1/compliance/usage?user_id=refused' \
		-H "x-api-key: $(key viewer)"
	is "$(field '.[0] | [.calls, .settled, .cost] | @csv')" 0,2,0.6 \
		"refused: so do the sums"
}

# What is said of one whose report waits.
test_refused_waits()
{
	call refused 2
	check "the backlog drains" wait_until 10 drained
	freeze STOP
	wait_report "$ID" somebody
	ctl usage "$ID" >"$VAR/run/usage" 2>&1
	like "$(cat "$VAR/run/usage")" '^state +reported$' \
		"a refused call whose report waits: usage says so"
	like "$(cat "$VAR/run/usage")" '^decision +block, 20' \
		"and what was decided, and when"
	like "$(cat "$VAR/run/usage")" '^asked for +gpt-4o-mini of openai$' \
		"about which model"
	like "$(cat "$VAR/run/usage")" '^by +user refused, ' "of whom"
	like "$(cat "$VAR/run/usage")" '^report .*, waits to be settled$' \
		"and what it waits for"
	freeze CONT
	check "and it is settled" wait_until 15 state_is "$ID" settled
}

# A report that came before the evaluation of its call, which another host has.
test_refused_elsewhere()
{
	local id columns
	id=$(sql "SELECT overlay('$ID' PLACING 'ffff' FROM 33)")
	wait_report "$id" somebody
	sleep 3
	is "$(entries "$id")" 'report 0.1' \
		"a report of a call that nobody has waits"
	columns=$(sed -nE 's/^EVALUATION\((.*)\)$/"\1"/p' \
		"$ROOT/include/record/row.tbl.h" | paste -sd, -)
	sql "INSERT INTO evaluations ($columns)
	SELECT '$id', ${columns#*,} FROM evaluations WHERE evaluation_id = '$ID'"
	check "until its evaluation is there" wait_until 15 state_is "$id" settled
	is "$(entries "$id")" 'report 0.1, settle 0.1' "then it is settled"
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
test_admins_report
test_released
test_waited
test_refused
test_refused_waits
test_refused_elsewhere
test_ledger_alone
test_leases
is "$(rollups_differ)" '' "the roll-ups are what the ledger says"
check "no sanitizer complained" \
	not grep -hE 'Sanitizer|runtime error' "$VAR"/log/*.log
tap_done
