#!/bin/bash
# Limits survive what happens to memcached and to responders, with the load
# running: nothing is reset, nothing is counted twice, no answer is a 5xx; and
# at the end the answers, the counters and the ledger say the same.
. "$(dirname "$0")/lib.sh"

ROUNDS=${IMS_ROUNDS:-5}
# Users of whose limit there is nothing left when the fault comes, and users
# who are admitted all the time.
LIMIT=1000
WIDE=10000000
LOAD=()

# policy NAME LIMIT USERS: a limit, and no call where it is not known.
policy()
{
	sql "INSERT INTO policies (policy_id, name, category, enabled, mode,
		priority, evaluation_type, action_on_violation, on_error,
		scope, applies_to, constraints, updated_by)
	VALUES (gen_random_uuid(), '$1', 'behavioral', true, 'enforce', 50,
		'pre_flight', 'block', 'block', 'user',
		'{\"user_id\": [\"$3\"]}', '{\"max_requests_per_day\": $2}',
		'test')"
}

# load NAME SECONDS USER: in the background; LOAD has its pid, too.
load()
{
	printf '{"model_id":"gpt-4o-mini","user_id":"%s","correlation_id":"@N@"}' \
		"$3" >"$VAR/run/$1.json"
	"$IMS_BUILD/tests/integration/load" 127.0.0.1 "$(cat "$VAR/run/web.port")" \
		/evaluate.fcgi "$(key evaluator)" "$VAR/run/$1.json" 4 "$2" \
		"$VAR/run/$1.load" &
	LOAD+=($!)
}

load_wait()
{
	wait "${LOAD[@]}"
	LOAD=()
}

# Both kinds of users.
load_both()
{
	load "full-$1" "$2" "full-$1"
	load "wide-$1" "$2" "wide-$1"
}

# answers NAME STATUS
answers()
{
	awk -v status="$2" '$1 == status' "$VAR/run/$1.load" | wc -l
}

statuses()
{
	awk '{ print $1 }' "$VAR/run/$1.load" | sort | uniq -c |
		awk '{ printf "%s%s x %s", n++ ? ", " : "", $2, $1 }'
}

drained()
{
	ask /metrics
	[ "$(sed -n 's/^ims_policy_spool_backlog_bytes //p' <<<"$BODY")" = 0 ]
}

counted_all()
{
	[ "$(sql "SELECT count(*) FROM usage WHERE NOT counted")" = 0 ]
}

counters_of()
{
	curl --silent --max-time 5 "$(web_url)/health/ready" |
		jq -r .checks.counters
}

counts()
{
	[ "$(counters_of)" = "$1" ]
}

epoch()
{
	sql 'SELECT coalesce(max(epoch), 0) FROM counter_epochs'
}

epoch_after()
{
	[ "$(epoch)" -gt "$1" ] && counters_known
}

# What the counter of USER holds, by the answer to one call more.
used_by()
{
	evaluate "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"$1\"}"
	if [ "$STATUS" = 200 ]; then
		field '.limits[0] | .limit - .remaining - 1'
	else
		field '.limits[0] | .limit - .remaining'
	fi
}

ledger_of()
{
	sql "SELECT count(*) FROM usage
		WHERE user_id = '$1' AND entry = 'reserve'"
}

books_both()
{
	books "full-$1"
	books "wide-$1"
	is "$(answers "full-$1" 200)" "$LIMIT" "full-$1: all of the limit was used"
}

# books NAME: the load NAME is the only one of the user of that name.
books()
{
	local name=$1 n
	n=$(answers "$name" 200)
	note_tap "$name: $(statuses "$name")"
	is "$(awk '$1 >= 500' "$VAR/run/$name.load" | wc -l)" 0 "$name: no 5xx"
	case $name in full*)
		check "$name: $n calls are admitted, no more than $LIMIT" \
			test "$n" -le "$LIMIT" ;;
	esac
	check "$name: the backlog drains" wait_until 60 drained
	check "$name: all of the ledger is counted" wait_until 20 counted_all
	is "$(ledger_of "$name")" "$n" "$name: the ledger has them, once"
	is "$(used_by "$name")" "$n" "$name: and so has the counter"
}

note_tap()
{
	printf '# %s\n' "$*"
}

memcached_restart()
{
	stop memcached
	memcached_up >&2
}

flush()
{
	printf 'flush_all\r\nquit\r\n' |
		timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; cat >&3; cat <&3" \
			>/dev/null
}

test_restart()
{
	local before
	before=$(epoch)
	load_both restart 14
	sleep 2
	memcached_restart
	load_wait
	check "restart: a new epoch has begun" wait_until 20 epoch_after "$before"
	books_both restart
}

test_flush()
{
	local before
	before=$(epoch)
	load_both flush 14
	sleep 2
	flush "$(port memcached)"
	load_wait
	check "flush: a new epoch has begun" wait_until 20 epoch_after "$before"
	books_both flush
}

# told COMMANDS: what memcached says to them.
told()
{
	printf '%b' "$1quit\\r\\n" |
		timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$(port memcached)
			cat >&3; cat <&3"
}

# accounts_spoil HOW: append makes every account of the epoch one that is
# damaged, prepend one of another version of the program.
accounts_spoil()
{
	local key commands=
	while read -r key; do
		commands+="$1 $key 0 0 1\\r\\nx\\r\\n"
	done < <(told 'lru_crawler metadump all\r\n' |
		sed -nE "s/^key=([^ ]*\ba[0-9a-f]{32}) .*/\1/p")
	told "$commands" | grep -c STORED >&2
}

unreadable()
{
	ask /metrics
	sed -n "s/^ims_policy_counter_unreadable_total{why=\"$1\"} //p" <<<"$BODY"
}

reason()
{
	sql 'SELECT reason FROM counter_epochs ORDER BY epoch DESC LIMIT 1'
}

# Accounts that cannot be read are made anew, once a minute at most.
test_unreadable()
{
	local before
	before=$(epoch)
	load_both damaged 14
	sleep 2
	accounts_spoil append
	load_wait
	check "damaged: a new epoch has begun" wait_until 20 epoch_after "$before"
	is "$(reason)" 'an account could not be read' "damaged: it says why"
	is "$(epoch)" $((before + 1)) "damaged: one is enough"
	check "damaged: the metric says it" test "$(unreadable damaged)" -gt 0
	like "$(cat "$VAR"/log/*.log)" \
		"the counters a[0-9a-f]{32} cannot be read, in epoch $before: an account is damaged" \
		"damaged: and the log"
	is "$(cat "$VAR"/log/*.log |
		grep -c "cannot be read, in epoch $before:")" 1 \
		"damaged: once"
	like "$(cat "$VAR"/log/*.log)" \
		"began epoch $((before + 1)): an account could not be read" \
		"damaged: the housekeeper says why it began one"
	books_both damaged

	before=$(epoch)
	accounts_spoil prepend
	is "$(unreadable version)" 0 "version: none was met"
	evaluate '{"model_id":"gpt-4o-mini","user_id":"wide-damaged"}'
	is "$STATUS" 403 "version: a limit that is not known refuses"
	check "version: the metric says it" test "$(unreadable version)" -gt 0
	sleep 2
	is "$(epoch)" "$before" "version: not again within a minute"
	like "$(ctl counters)" "follows epoch $before, .*CANNOT READ" \
		"version: ims-policyctl says what is the matter"
	sql "UPDATE counter_epochs SET begun_at = begun_at - interval '1 minute'
		WHERE epoch = $before"
	check "version: a minute later a new epoch begins" \
		wait_until 20 epoch_after "$before"
	is "$(used_by full-damaged)" "$LIMIT" "version: and nothing is reset"
}

# The same while PostgreSQL counts.
test_unreadable_rows()
{
	local before
	ctl counters use postgresql --reason 'test' >/dev/null 2>&1
	check "rows: PostgreSQL counts" wait_until 20 counts postgresql
	before=$(epoch)
	load_both rows 12
	sleep 2
	sql "UPDATE counter_items SET version = nextval('counter_version'),
		value = value || '\x00' WHERE key ~ '^a' AND epoch = $before"
	load_wait
	check "rows: a new epoch has begun" wait_until 20 epoch_after "$before"
	is "$(reason)" 'an account could not be read' "rows: it says why"
	is "$(sql 'SELECT counts FROM counter_epoch_newest()')" postgresql \
		"rows: of what an operator chose"
	books_both rows
	ctl counters use memcached --reason 'test' >/dev/null 2>&1
	check "rows: memcached counts" wait_until 20 counts memcached
}

# Does the newest epoch count, and the responders say so?
newest_counts()
{
	[ "$(sql 'SELECT counts, ready FROM counter_epoch_newest()')" = \
		"$(counters_of)|t" ]
}

# One epoch after the other, each as soon as the last one counts.
test_epochs()
{
	local i before
	before=$(epoch)
	load_both epochs $((ROUNDS * 5))
	for i in $(seq "$ROUNDS"); do
		if [ $((i % 2)) = 1 ]; then
			ctl counters use postgresql --reason 'test' >/dev/null 2>&1
		else
			ctl counters use memcached --reason 'test' >/dev/null 2>&1
		fi
		wait_until 20 newest_counts
	done
	load_wait
	is $(($(epoch) - before)) "$ROUNDS" "epochs: each has begun"
	check "epochs: the last one counts" newest_counts
	books_both epochs
	ctl counters use memcached --reason 'test' >/dev/null 2>&1
	check "epochs: memcached counts" wait_until 20 counts memcached
}

# Away for long: PostgreSQL counts, until it is back for long enough.
test_away()
{
	load_both away 20
	sleep 2
	stop memcached
	check "away: PostgreSQL counts" wait_until 15 counts postgresql
	load_wait
	books_both away
	load_both back 14
	sleep 2
	memcached_up >&2
	check "back: memcached counts" wait_until 20 counts memcached
	load_wait
	books_both back
}

# It hangs: calls that need no counter do not notice.
test_hung()
{
	local pid quick
	pid=$(cat "$VAR/run/memcached.pid")
	load quick 3 none
	load_wait
	kill -STOP "$pid"
	sleep 1
	load hung 3 none
	load_wait
	kill -CONT "$pid"
	quick=$(median quick)
	note_tap "hung: the median call takes $(median hung) us, before $quick us"
	check "hung: a call that needs no counter takes at most 1 ms more" \
		test "$(median hung)" -le $((quick + 1000))
	is "$(awk '$1 != 200' "$VAR/run/hung.load" | wc -l)" 0 \
		"hung: and every one is admitted"
	check "hung: it counts again" wait_until 30 counts memcached
}

median()
{
	awk '{ print $3 }' "$VAR/run/$1.load" | sort -n |
		awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

# kill -9 of responders: what a dead one had taken and nobody recorded is
# given back; each answered call is in the ledger.
test_killed()
{
	local server=$1 name=wide-killed-$1${2:+-$2} victim n
	web_up "$server" >&2
	check "$name: something counts" wait_until 20 counters_known
	load "$name" $((ROUNDS + 3)) "$name"
	for _ in $(seq "$ROUNDS"); do
		sleep 1
		victim=$(engine_pids | grep -vx "$(cat "$VAR/run/housekeeper.pid")" |
			shuf -n1)
		[ -n "$victim" ] && kill -KILL "$victim"
	done
	load_wait
	note_tap "$name: $(statuses "$name")"
	check "$name: the backlog drains" wait_until 60 drained
	n=$(ledger_of "$name")
	# A call whose answer was cut off may be recorded and not answered.
	check "$name: $(answers "$name" 200) admitted, $n in the ledger" \
		test "$n" -ge "$(answers "$name" 200)" 
	check "$name: the counter equals the ledger" \
		wait_until 20 same_as_ledger "$name"
}

# The question itself is counted where it is admitted.
same_as_ledger()
{
	local used
	used=$(used_by "$1")
	[ "$STATUS" = 200 ] && used=$((used + 1))
	wait_until 10 drained
	[ "$(ledger_of "$1")" = "$used" ]
}

# One of three is lost: its subjects are unknown for a moment, none is reset.
test_one_of_several()
{
	local before i
	web_down
	stop housekeeper
	for i in 2 3; do
		start "memcached-$i" memcached -l 127.0.0.1 -p "$(port "memcached-$i")" \
			-U 0 -m 256 -M -P "$VAR/run/memcached-$i.pid"
	done
	MEMCACHED_SERVERS="127.0.0.1:$(port memcached),127.0.0.1:$(port memcached-2),127.0.0.1:$(port memcached-3)"
	settings_write
	keeper_up >&2
	web_up lighttpd >&2
	check "several: something counts" wait_until 20 counters_known
	before=$(epoch)
	for i in 1 2 3; do
		load_both "several-$i" 14
	done
	sleep 2
	stop memcached-2
	start memcached-2 memcached -l 127.0.0.1 -p "$(port memcached-2)" -U 0 \
		-m 256 -M -P "$VAR/run/memcached-2.pid"
	load_wait
	check "several: a new epoch has begun" wait_until 20 epoch_after "$before"
	for i in 1 2 3; do
		books_both "several-$i"
	done
}

# A second host comes and goes while the first counts by itself; here it is
# what its housekeeper would write.
test_second_host()
{
	local other=019ac000-0000-7000-8000-000000000002
	web_down
	stop housekeeper
	unset MEMCACHED_SERVERS
	SETTINGS_MORE='memcached_lost_ms = 1000
memcached_back_ms = 1000'
	settings_write
	keeper_up >&2
	web_up lighttpd >&2
	check "alone: the host counts by itself" wait_until 20 counts host
	load_both second 12
	sleep 2
	host_beat "$other" 0
	check "second host: an epoch of memcached begins" \
		wait_until 10 epoch_of memcached
	is "$(counters_of)" unknown "second host: until it follows, nothing counts"
	host_beat "$other" "$(epoch)"
	check "second host: memcached counts" wait_until 15 counts memcached
	load_wait
	books_both second
	load_both first 8
	sleep 2
	sql "SELECT node_remove('$other')" >/dev/null
	check "first host: it is alone again" wait_until 15 counts host
	load_wait
	books_both first
}

# host_beat ID EPOCH: it follows that epoch, and has drained all.
host_beat()
{
	sql "SELECT node_beat('$1', 'other', 0, true, $2,
		now() + interval '1 day')" >/dev/null
}

epoch_of()
{
	[ "$(sql 'SELECT counts FROM counter_epochs
		ORDER BY epoch DESC LIMIT 1')" = "$1" ]
}

# As after a boot: the memory is gone, the ledger is not.
test_host_lost()
{
	local before
	before=$(epoch)
	load_both lost 4
	load_wait
	check "lost memory: the backlog drains" wait_until 60 drained
	web_down
	stop housekeeper
	engine_sweep
	rm -f "$VAR"/state/counters*
	keeper_up >&2
	web_up lighttpd >&2
	check "lost memory: a new epoch has begun" wait_until 20 epoch_after "$before"
	books_both lost
}

world_make
SETTINGS_MORE='counter_alone = memcached
memcached_lost_ms = 1000
memcached_back_ms = 1000'
world_up
sql 'UPDATE policies SET enabled = false WHERE enabled'
policy limit "$LIMIT" 'full*'
policy wide "$WIDE" 'wide*'
web_up lighttpd >&2
check "something counts" wait_until 20 counters_known
wait_until 10 published
test_restart
test_flush
test_unreadable
test_unreadable_rows
test_epochs
test_away
test_hung
test_killed lighttpd
test_killed apache
test_one_of_several
stop memcached-2
stop memcached-3
test_second_host
test_host_lost
test_killed lighttpd host
test_killed apache host
check "no sanitizer complained" \
	not grep -hE 'Sanitizer|runtime error' "$VAR"/log/*.log
tap_done
