#!/bin/bash
# The one script: ./dev up from nothing, again, with another server, down; and
# what it says when a step fails.  In a var/ of its own.
. "$(dirname "$0")/lib.sh"

DEV=$ROOT/dev
GOOD='{"model_id":"gpt-4o-mini","user_id":"u","correlation_id":"c","prompt":"hi"}'

# Seconds that `./dev ARGUMENT...` takes; what it says goes to SAID.
dev_said()
{
	local began=$SECONDS status=0
	"$DEV" "$@" >"$VAR/said" 2>&1 </dev/null || status=$?
	SAID=$(cat "$VAR/said")
	TOOK=$((SECONDS - began))
	return "$status"
}

env_read()
{
	local said
	said=$("$DEV" env) || return 1
	eval "$said"
}

decide()
{
	curl --silent --max-time 10 -o "$VAR/answer" -w '%{http_code}' \
		-H "Authorization: Bearer $IMS_EVALUATOR_KEY" \
		-H 'Content-Type: application/json' -d "$GOOD" \
		"$IMS_URL/evaluate.fcgi"
}

stored()
{
	psql -X -At -c 'SELECT count(*) FROM evaluations' "$IMS_PG"
}

test_first()
{
	dev_said up
	ok $? "the first ./dev up ($TOOK s)"
	like "$SAID" '^HTTP 200' "it shows a real answer"
	like "$SAID" '"decision"' "with a decision"
	like "$SAID" 'dashboard +http://127\.0\.0\.1:[0-9]+/dashboard/' \
		"and the dashboard's address"
}

test_env()
{
	check "./dev env" env_read
	env_read
	is "$(decide)" 200 "IMS_URL and IMS_EVALUATOR_KEY work"
	is "$(printf '%s\n' "$IMS_EVALUATOR_KEY" "$IMS_VIEWER_KEY" \
		"$IMS_RESOLVER_KEY" "$IMS_ADMIN_KEY" | sort -u | wc -l)" 4 \
		"a key for each role"
	check "IMS_PG has the owner's rights" psql -X -At "$IMS_PG" \
		-c 'BEGIN; UPDATE evaluations SET decision = decision; ROLLBACK'
	check "the evaluations reach PostgreSQL" wait_until 10 \
		eval '[ "$(stored)" -ge 2 ]'
	check "IMS_STATE is the state folder" test -e "$IMS_STATE/board"
	check "IMS_MEMCACHED answers" memcached_answers
	check "from another folder" eval '(cd / && "$DEV" env)'
}

memcached_answers()
{
	(
		exec 3<>"/dev/tcp/${IMS_MEMCACHED/://}" || exit 1
		printf 'version\r\n' >&3
		head -n1 <&3 | grep -q '^VERSION'
	)
}

test_again()
{
	local url=$IMS_URL keeper
	keeper=$(cat "$VAR/up/run/housekeeper.pid")
	dev_said up
	ok $? "./dev up again ($TOOK s)"
	[ "$TOOK" -le 20 ]
	ok $? "takes seconds"
	is "$(cat "$VAR/up/run/housekeeper.pid")" "$keeper" \
		"the housekeeper stays"
	env_read
	is "$IMS_URL" "$url" "the address stays"
	dev_said up --server lighttpd
	ok $? "./dev up --server lighttpd"
	like "$(readlink "/proc/$(cat "$VAR/up/run/web.pid")/exe")" \
		'/lighttpd$' "lighttpd runs now"
	is "$(decide)" 200 "and decides"
	is "$(cat "$VAR/up/run/housekeeper.pid")" "$keeper" \
		"the housekeeper stays, also with another server"
}

# Processes that have this test's folder in their command line.
left()
{
	# From a file, so that grep itself is none of them.
	grep -lsF -f <(printf '%s\n' "$VAR/up") /proc/[0-9]*/cmdline | wc -l
}

test_down()
{
	local count
	count=$(stored)
	dev_said down
	ok $? "./dev down"
	is "$(left)" 0 "nothing is left running"
	dev_said down
	ok $? "./dev down when nothing runs"
	dev_said up
	ok $? "./dev up after down"
	env_read
	check "what was recorded is still there" \
		test "$(stored)" -ge "$count"
	is "$(decide)" 200 "the keys still work"
	dev_said down --clean
	ok $? "./dev down --clean"
	is "$(left)" 0 "nothing is left running"
	check "its folder is gone" test ! -e "$VAR/up"
}

test_complaints()
{
	dev_said nonsense
	is $? 2 "an unknown verb is refused"
	dev_said up --server nonsense
	is $? 2 "an unknown server is refused"
	like "$SAID" 'apache apache-proxy lighttpd cgi' "and the others named"
	CC=/bin/false dev_said build
	is $? 2 "a step that fails stops it"
	like "$SAID" 'configure build failed' "it says which step"
	like "$SAID" 'C compiler cannot create executables' "and why"
	like "$SAID" 'What to do:' "and what to do"
	"$DEV" down --clean >/dev/null 2>&1
}

world_make
export IMS_DEV_VAR=$VAR/up
trap 'status=$?; "$DEV" down --clean >/dev/null 2>&1; (exit "$status"); world_end' EXIT
test_first
if env_read; then
	test_env
	test_again
	test_down
fi
test_complaints
tap_done
