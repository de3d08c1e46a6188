#!/bin/bash
# Every route for every role, through a real web server; and what a caller
# must not be able to say to the program behind it.
. "$(dirname "$0")/lib.sh"

SERVERS_UNDER_TEST=${IMS_SERVERS:-apache lighttpd cgi}
GOOD='{"model_id":"gpt-4o-mini","user_id":"u1","correlation_id":"c1","max_output_tokens":100,"prompt":"hello"}'

# method path: the status for nobody, evaluator, viewer, resolver, admin
ROWS='
POST /evaluate.fcgi    401 200 403 403 200
POST /api/v1/evaluate  401 200 403 403 200
GET  /health/live      200 200 200 200 200
GET  /health/ready     200 200 200 200 200
GET  /metrics          200 200 200 200 200
GET  /api/v1/compliance/usage 401 403 200 200 200
'

# as ROLE METHOD PATH: ask as this role; nobody sends no key.
as()
{
	local role=$1 method=$2 path=$3
	local options=(-X "$method")
	if [ "$role" != nobody ]; then
		options+=(-H "Authorization: Bearer $(key "$role")")
	fi
	if [ "$method" = POST ]; then
		options+=(-H 'Content-Type: application/json' -d "$GOOD")
	fi
	ask "$path" "${options[@]}"
}

test_rows()
{
	local method path nobody evaluator viewer resolver admin role
	while read -r method path nobody evaluator viewer resolver admin; do
		[ -n "$method" ] || continue
		for role in nobody evaluator viewer resolver admin; do
			as "$role" "$method" "$path"
			is "$STATUS" "${!role}" "$1: $method $path as $role"
		done
	done <<<"$ROWS"
}

# A route that was added to the table must have a row.
test_all_routes()
{
	local path
	while read -r path; do
		like "$ROWS" " $path +[0-9]" "$path has a row"
	done < <(sed -n 's/^ROUTE([^"]*"\([^"]*\)".*/\1/p' \
		"$ROOT/include/http/route.tbl.h")
}

# A wrong key is wrong everywhere, also where none is needed.
test_wrong_keys()
{
	local path
	for path in /health/ready /metrics; do
		ask "$path" -H 'x-api-key: ims_x'
		is "$STATUS" 401 "$1: $path with a key that is none"
		like "$(header WWW-Authenticate)" '^Bearer' \
			"$1: $path says how to sign in"
	done
	ask /evaluate.fcgi -X POST -H "X-Admin-Key: $(key admin)" \
		-H 'Content-Type: application/json' -d "$GOOD"
	is "$STATUS" 401 "$1: X-Admin-Key is for the compliance API only"
	ask /api/v1/compliance/usage -H "X-Admin-Key: $(key admin)"
	is "$STATUS" 200 "$1: X-Admin-Key is for the compliance API"
}

test_readiness_details()
{
	as nobody GET /health/ready
	is "$(field 'keys | join(" ")')" "checks status" \
		"$1: nobody sees the checks only"
	as viewer GET /health/ready
	is "$(field .housekeeper_pid)" "$(cat "$VAR/run/housekeeper.pid")" \
		"$1: a viewer sees the housekeeper"
	is "$(field .policy_revision)" \
		"$(field '.processes[0].policy_revision')" \
		"$1: the responder serves the published revision"
}

# The query of a CGI request becomes the program's arguments (RFC 3875, 4.4).
test_arguments()
{
	ask '/health/live?--version'
	is "$BODY" '{"status":"alive"}' "$1: a query is no option"
	ask '/health/live?--config+/etc/passwd'
	is "$STATUS" 200 "$1: nor two"
	ask /health/live -H 'IMS-Hold-Ms: 3000' --max-time 2
	is "$STATUS" 200 "$1: a header cannot hold a process"
	ask '/health/live?IMS_HOLD_MS=3000' --max-time 2
	is "$STATUS" 200 "$1: nor can a query"
}

test_others()
{
	ask /evaluate.fcgi -X OPTIONS
	is "$STATUS" 204 "$1: OPTIONS"
	is "$(header Allow)" "POST, OPTIONS" "$1: OPTIONS says what is allowed"
	ask /health/live --head
	is "$STATUS" 200 "$1: HEAD"
	is "$(header Content-Length)" 18 "$1: HEAD has the length of GET"
}

test_all_routes
world_make
world_up
for server in $SERVERS_UNDER_TEST; do
	web_up "$server" >&2
	ok $? "$server: starts"
	test_rows "$server"
	test_wrong_keys "$server"
	[ "$server" = cgi ] || test_readiness_details "$server"
	test_arguments "$server"
	test_others "$server"
done
tap_done
