#!/bin/bash
# The same requests under every web server: statuses, headers, bodies.  What a
# gateway sees must not depend on how the engine is deployed.
. "$(dirname "$0")/lib.sh"

GOOD='{"model_id":"gpt-4o-mini","user_id":"u1","correlation_id":"c1","max_output_tokens":100,"prompt":"hello"}'
BLOCKED='{"model_id":"mistral-large-latest","vendor_id":"mistral","user_id":"u1","correlation_id":"c2","prompt":"hello"}'
SERVERS_UNDER_TEST=${IMS_SERVERS:-apache apache-proxy lighttpd cgi}

# problem STATUS NAME: the last answer is problem details with this status.
problem()
{
	is "$STATUS" "$1" "$2: status"
	like "$(header Content-Type)" '^application/problem\+json' \
		"$2: is problem details"
	is "$(field .status)" "$1" "$2: the body says the same status"
}

test_health()
{
	ask /health/live
	is "$STATUS" 200 "$1: /health/live"
	ask /health/ready
	is "$STATUS" 200 "$1: /health/ready"
	check "$1: /health/ready is JSON" jq -e . <<<"$BODY"
	ask /metrics
	like "$BODY" '^ims_policy_evaluations_total' "$1: /metrics has counters"
	like "$(header Content-Type)" '^text/plain' "$1: /metrics is text"
}

test_decision()
{
	evaluate "$GOOD" -H 'X-Request-ID: my-request-1' \
		-H 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
	is "$STATUS" 200 "$1: a good request"
	like "$(field .decision)" '^(allow|log|warn)$' "$1: is allowed"
	is "$(header X-Policy-Decision)" "$(field .decision)" \
		"$1: X-Policy-Decision is the decision"
	is "$(header X-Policy-Revision)" "$(field .policy_revision)" \
		"$1: X-Policy-Revision is the revision"
	is "$(header X-Request-Id)" my-request-1 "$1: X-Request-Id is kept"
	like "$(header traceparent)" '^00-4bf92f3577b34da6a3ce929d0e0e4736-' \
		"$1: traceparent is taken over"
	is "$(header Cache-Control)" no-store "$1: no-store"
	is "$(header X-Content-Type-Options)" nosniff "$1: nosniff"
	is "$(header Content-Length)" "$(wc -c <"$VAR/run/ask.body")" \
		"$1: Content-Length, not chunked"
	is "$(field .correlation_id)" c1 "$1: the body's correlation_id"
	normal_answer >"$VAR/run/answer.$1"
	if [ -z "${FIRST_ANSWER:-}" ]; then
		FIRST_ANSWER=$VAR/run/answer.$1
	else
		check "$1: the same answer as under the first server" \
			diff "$FIRST_ANSWER" "$VAR/run/answer.$1"
	fi
	evaluate "$BLOCKED"
	is "$STATUS" 403 "$1: a blocked request"
	is "$(header X-Policy-Decision)" block "$1: block says the policy"
	is "$(field .decision)" block "$1: block says the body"
	is "$(field .passed)" false "$1: it did not pass"
	BLOCKED_ID=$(field .evaluation_id)
	ask /api/v1/evaluate -H "x-api-key: $(key evaluator)" \
		-H 'Content-Type: application/json' --data-binary "$GOOD"
	is "$STATUS" 200 "$1: /api/v1/evaluate with x-api-key"
}

# What does not change from call to call.
normal_answer()
{
	jq -S 'del(.evaluation_id, .evaluation_time_ms, .evaluation_time_us,
			.reservation.id, .reservation.expires_at) |
		.limits[]? |= del(.remaining, .reset_at) |
		.violations[]? |= del(.violation_id, .timestamp)' <<<"$BODY"
}

test_callers()
{
	ask /evaluate.fcgi -H 'Content-Type: application/json' -d "$GOOD"
	problem 401 "$1: no key"
	is "$(header X-Policy-Decision)" "" "$1: 401 is not the policy's"
	ask /evaluate.fcgi -H 'Content-Type: application/json' -d "$GOOD" \
		-H 'Authorization: Bearer ims_0000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
	problem 401 "$1: an unknown key"
	ask /evaluate.fcgi -H 'Content-Type: application/json' -d "$GOOD" \
		-H "Authorization: Bearer $(key viewer)"
	problem 403 "$1: a viewer may not evaluate"
	is "$(header X-Policy-Decision)" "" "$1: that 403 is not the policy's"
}

test_requests()
{
	ask /api/v1/nothing-here -H "Authorization: Bearer $(key admin)"
	problem 404 "$1: an unknown path of the API"
	ask /nothing-here
	problem 404 "$1: an unknown path"
	ask /evaluate.fcgi -H "Authorization: Bearer $(key evaluator)"
	problem 405 "$1: GET /evaluate.fcgi"
	like "$(header Allow)" POST "$1: 405 says what is allowed"
	evaluate "$GOOD" -X DELETE
	problem 405 "$1: DELETE /evaluate.fcgi"
	ask /evaluate.fcgi -H "Authorization: Bearer $(key evaluator)" \
		-H 'Content-Type: text/plain' --data-binary "$GOOD"
	problem 415 "$1: text/plain"
	evaluate '{"prompt":"x"}'
	problem 400 "$1: no model_id"
	evaluate '{"model_id":7,"max_output_tokens":"many"}'
	problem 400 "$1: wrong types"
	is "$(field '[.errors[].pointer] | sort | join(" ")')" \
		"/max_output_tokens /model_id" "$1: each wrong field is named"
	evaluate '[]'
	problem 400 "$1: an array"
	evaluate '{"model_id":"gpt-4o-mini","evaluation_type":"runtime"}'
	problem 501 "$1: a stage that is not built"
	head -c 8388609 /dev/zero | tr '\0' ' ' >"$VAR/run/large"
	ask /evaluate.fcgi -H "Authorization: Bearer $(key evaluator)" \
		-H 'Content-Type: application/json' \
		--data-binary "@$VAR/run/large"
	problem 413 "$1: one byte more than 8 MiB"
	# The largest that is permitted is read whole.
	{
		printf '{"model_id":"gpt-4o-mini","user_id":"u","correlation_id":"c","x":"'
		head -c 8388500 /dev/zero | tr '\0' 'a'
		printf '"}'
	} >"$VAR/run/large"
	ask /evaluate.fcgi -H "Authorization: Bearer $(key evaluator)" \
		-H 'Content-Type: application/json' \
		--data-binary "@$VAR/run/large"
	is "$STATUS" 200 "$1: almost 8 MiB"
	evaluate "$GOOD" -H $'X-Request-ID: a\tb'
	like "$STATUS" '^(200|400)$' "$1: a control character in a header"
	evaluate "$GOOD"
	is "$STATUS" 200 "$1: the next call is served"
}

# Half a body, then the caller goes away.
test_abort()
{
	local port
	port=$(cat "$VAR/run/web.port")
	printf 'POST /evaluate.fcgi HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"model' \
		"$(key evaluator)" >"/dev/tcp/127.0.0.1/$port"
	evaluate "$GOOD"
	is "$STATUS" 200 "$1: served after a caller that went away"
}

test_bad_json()
{
	local line bad=0 n=0
	while IFS= read -r line; do
		case $line in
		'#'*) continue ;;
		esac
		printf '%b' "$line" >"$VAR/run/bad.json"
		evaluate "@$VAR/run/bad.json"
		n=$((n + 1))
		if [ "$STATUS" != 400 ]; then
			bad=1
			printf '# %s: %s\n' "$STATUS" "$line"
		fi
	done <"$ROOT/tests/integration/bad_json.txt"
	ok "$bad" "$1: $n bodies that are not JSON are answered 400"
	[ "$n" -gt 90 ]
	ok $? "$1: the list was read"
}

test_static()
{
	ask /dashboard/
	is "$STATUS" 200 "$1: the start page"
	like "$BODY" '<title>ims-policy' "$1: is ours"
	like "$(header Content-Security-Policy)" "default-src 'none'" \
		"$1: with a strict Content-Security-Policy"
	ask /dashboard/app.js
	like "$(header Content-Type)" 'javascript' "$1: the script's type"
	ask /dashboard/../../ims-policy.conf
	like "$STATUS" '^(400|403|404)$' "$1: nothing above www/"
	ask /dashboard/%2e%2e/%2e%2e/ims-policy.conf
	like "$STATUS" '^(400|403|404)$' "$1: nothing above www/, encoded"
}

recorded()
{
	[ "$(sql "SELECT decision FROM evaluations WHERE evaluation_id = '$BLOCKED_ID'")" = block ]
}

test_recorded()
{
	check "$1: the blocked evaluation is in PostgreSQL" \
		wait_until 10 recorded
}

world_make
world_up
for server in $SERVERS_UNDER_TEST; do
	web_up "$server" >&2
	ok $? "$server: starts"
	test_health "$server"
	test_decision "$server"
	test_callers "$server"
	test_requests "$server"
	test_abort "$server"
	test_bad_json "$server"
	test_static "$server"
	test_recorded "$server"
done
web_down
check "nothing of the web servers is left" wait_until 5 engine_only_keeper
# A sanitizer that ended a process says so in a log.
check "no sanitizer complained" \
	not grep -hE 'Sanitizer|runtime error' "$VAR"/log/*.log
tap_done
