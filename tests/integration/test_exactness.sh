#!/bin/bash
# Counters are exact, under every server, with many real clients at once: a
# rate admits its limit, a budget is neither overspent nor falsely spent, a
# refused call consumes nothing, no end of a window can be gamed; and at the
# end the answers, the counters and the ledger say the same.
. "$(dirname "$0")/lib.sh"

# In the memory of one host, and in memcached, which several hosts share.
COUNTS=${IMS_COUNTS:-host memcached}
# Processes, threads, and threads behind another server.
SERVERS=${IMS_SERVERS:-apache apache-proxy lighttpd}

# policy NAME CATEGORY CONSTRAINTS [ACTION] [SCOPE]: the policy in force.
policy()
{
	sql "INSERT INTO policies (policy_id, name, category, enabled, mode,
		priority, evaluation_type, action_on_violation, on_error,
		scope, applies_to, constraints, updated_by)
	VALUES (gen_random_uuid(), '$1', '$2', true, 'enforce', 50,
		'pre_flight', '${4:-block}', 'block', '${5:-user}', '{}', '$3',
		'test')"
}

# From here on only the policies that are made next hold.
policies_begin()
{
	sql 'UPDATE policies SET enabled = false WHERE enabled'
}

# load NAME COUNT BODY [THREADS] [IDS]: so many requests, all at once.
load()
{
	printf '%s' "$3" >"$VAR/run/$1.json"
	"$IMS_BUILD/tests/integration/load" 127.0.0.1 "$(cat "$VAR/run/web.port")" \
		/evaluate.fcgi "$(key evaluator)" "$VAR/run/$1.json" \
		"${4:-32}" "$2x" "$VAR/run/$1.load" ${5:+"$5"}
}

# answers NAME STATUS: how many there were.
answers()
{
	awk -v status="$2" '$1 == status' "$VAR/run/$1.load" | wc -l
}

statuses()
{
	awk '{ print $1 }' "$VAR/run/$1.load" | sort | uniq -c |
		awk '{ printf "%s%s x %s", n++ ? ", " : "", $2, $1 }'
}

admitted()
{
	awk '$1 == 200 { print $5 }' "$VAR/run/$1.load" >"$VAR/run/$1.ids"
}

drained()
{
	ask /metrics
	[ "$(sed -n 's/^ims_policy_spool_backlog_bytes //p' <<<"$BODY")" = 0 ]
}

# spent USER: by the ledger, in nano-dollars.
spent()
{
	sql "SELECT coalesce(sum(cost) * 1000000000, 0)::bigint FROM usage
		WHERE user_id = '$1' AND entry <> 'report'"
}

# left_of USER: what the counter says is left, in nano-dollars.
left_of()
{
	evaluate "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$1\",\"estimated_cost\":0}"
	field '.limits[0].remaining * 1000000000 | round'
}

# 2,000 calls against 100 in the window, twice.
test_rate()
{
	local server=$1 round user
	for round in 1 2; do
		user=rate-$server-$round
		load "$user" 2000 \
			"{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$user\",\"correlation_id\":\"@N@\"}"
		is "$(answers "$user" 200) $(answers "$user" 403)" '100 1900' \
			"$server: of 2,000 concurrent calls 100 are admitted ($(statuses "$user"))"
	done
}

# Budget 1, 300 calls of 0.03 each: 33; then every one reports 0.021.
test_budget()
{
	local server=$1 user=budget-$1
	load "$user" 300 \
		"{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$user\",\"estimated_cost\":0.03}"
	is "$(answers "$user" 200) $(answers "$user" 403)" '33 267' \
		"$server: 1 dollar admits 33 calls of 3 cents ($(statuses "$user"))"
	is "$(left_of "$user")" 10000000 "$server: 1 cent is left"
	test_refused "$server" "$user"
	admitted "$user"
	load "$user-report" 33 \
		'{"evaluation_type":"post_execution","evaluation_id":"@E@","usage":{"cost":0.021,"input_tokens":10,"output_tokens":20}}' \
		16 "$VAR/run/$user.ids"
	is "$(answers "$user-report" 200)" 33 \
		"$server: every report is settled ($(statuses "$user-report"))"
	load "$user-again" 33 \
		'{"evaluation_type":"post_execution","evaluation_id":"@E@","usage":{"cost":0.021,"input_tokens":10,"output_tokens":20}}' \
		16 "$VAR/run/$user.ids"
	is "$(answers "$user-again" 200)" 33 "$server: and again, which changes nothing"
	check "$server: the backlog drains" wait_until 60 drained
	is "$(spent "$user")" 693000000 "$server: the ledger has 33 times 0.021"
	is "$(left_of "$user")" 307000000 \
		"$server: the counter equals the ledger to the nano-dollar"
	load "$user-more" 300 \
		"{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$user\",\"estimated_cost\":0.03}"
	is "$(answers "$user-more" 200)" 10 \
		"$server: what the settlements gave back admits 10 more"
}

# 500 refused calls, and then one that just fits.
test_refused()
{
	local server=$1 user=$2
	load "$user-refused" 500 \
		"{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$user\",\"estimated_cost\":0.011}"
	is "$(answers "$user-refused" 403)" 500 "$server: 500 calls that do not fit are refused"
	is "$(left_of "$user")" 10000000 "$server: and have consumed nothing"
}

# A user and its organization: refused by one, it must not count in the other.
test_several()
{
	local server=$1 i loads=()
	for i in 1 2 3 4; do
		load "several-$server-$i" 200 \
			"{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"s$i-$server\",\"organization_id\":\"org-$server\",\"estimated_cost\":0.01}" 8 &
		loads+=($!)
	done
	wait "${loads[@]}"
	is "$(cat "$VAR"/run/several-"$server"-?.load | awk '$1 == 200' | wc -l)" \
		150 "$server: four users share an organization's 150 calls"
	check "$server: the backlog drains" wait_until 60 drained
	is "$(sql "SELECT count(*) FROM usage WHERE entry = 'reserve' AND
		organization_id = 'org-$server'")" 150 \
		"$server: and the ledger has as many"
	for i in 1 2 3 4; do
		evaluate "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"s$i-$server\",\"organization_id\":\"other-$server\",\"estimated_cost\":0}"
		is "$(field '[.limits[] | select(.scope == "user")][0] | .limit - .remaining - 1')" \
			"$(answers "several-$server-$i" 200)" \
			"$server: user $i has consumed what was admitted"
	done
}

# 20 at the end of a minute, 20 at the start of the next.
test_boundary()
{
	local user=boundary
	while [ "$(date +%S)" != 58 ]; do
		sleep 0.2
	done
	load "$user-1" 20 "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$user\"}" 8
	while [ "$(date +%S)" != 01 ]; do
		sleep 0.2
	done
	load "$user-2" 20 "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$user\"}" 8
	is "$(answers "$user-1" 200) $(answers "$user-2" 200)" '20 0' \
		"20 at the end of a minute and 20 at the start of the next are not both admitted"
	like "$(evaluate "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$user\"}"
		header Retry-After)" '^(5[0-9]|60)$' "and the answer says when to come again"
}

# What was answered, what was counted and what is in the ledger.
test_books()
{
	is "$(rollups_differ)" '' "the roll-ups are what the ledger says"
	is "$(sql "SELECT count(*) FROM usage WHERE NOT counted")" 0 \
		"every entry of the ledger was counted"
	is "$(cat "$VAR"/run/*.load | awk '$1 != 200 && $1 != 403' | wc -l)" 0 \
		"every request was answered"
	is "$(cat "$VAR"/run/*.load | awk '$1 == 200 { print $5 }' | sort |
		uniq -d | grep -vc -e -)" 0 "no id was given twice"
}

counters_are()
{
	curl --silent --max-time 5 "$(web_url)/health/ready" |
		grep -q "\"counters\":\"$counts\""
}

# Everything under $server, in $counts.
test_server()
{
	local name=$counts-$server
	web_up "$server" >&2
	check "$name: it counts" wait_until 20 counters_are
	policies_begin
	policy "rate-$name" behavioral '{"max_requests_per_minute": 100, "max_requests_per_hour": 100000, "max_requests_per_day": 1000000}'
	wait_until 10 published
	test_rate "$name"
	policies_begin
	policy "budget-$name" cost '{"max_daily_cost": 1, "reset_hour_utc": 0}'
	wait_until 10 published
	test_budget "$name"
	policies_begin
	policy "user-$name" behavioral '{"max_requests_per_hour": 1000}'
	policy "organization-$name" behavioral '{"max_requests_per_hour": 150}' \
		block organization
	wait_until 10 published
	test_several "$name"
}

world_make
for counts in $COUNTS; do
	web_down
	[ -z "${SETTINGS_MORE:-}" ] || stop housekeeper
	SETTINGS_MORE="counter_alone = $counts"
	world_up
	for server in $SERVERS; do
		test_server
	done
done
policies_begin
policy boundary behavioral '{"max_requests_per_minute": 20}'
wait_until 10 published
test_boundary
test_books
check "no sanitizer complained" \
	not grep -hE 'Sanitizer|runtime error' "$VAR"/log/*.log
tap_done
