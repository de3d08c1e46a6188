#!/bin/bash
# What is answered is recorded, once, whatever dies: PostgreSQL, responders,
# the housekeeper; a full disk is said and survived.  IMS_ROUNDS says how
# often responders are killed.
. "$(dirname "$0")/lib.sh"

ROUNDS=${IMS_ROUNDS:-5}
# Three violations in each answer, by the seed policies and two of our own.
REQUEST='{"model_id":"mistral-large-latest","vendor_id":"mistral","user_id":"u1","correlation_id":"@N@","prompt":"hello"}'

# load_start SECONDS NAME: in the background, 8 connections; LOAD is its pid.
load_start()
{
	printf '%s' "$REQUEST" >"$VAR/run/request.json"
	"$IMS_BUILD/tests/integration/load" 127.0.0.1 "$(cat "$VAR/run/web.port")" \
		/evaluate.fcgi "$(key evaluator)" "$VAR/run/request.json" 8 \
		"$1" "$VAR/run/$2.load" &
	LOAD=$!
}

drained()
{
	ask /metrics
	[ "$(sed -n 's/^ims_policy_spool_backlog_bytes //p' <<<"$BODY")" = 0 ]
}

# Every id that was answered, against what PostgreSQL has.
books()
{
	local name=$1
	check "$name: the backlog drains" wait_until 60 drained
	awk '$5 != "-" { print $5 }' "$VAR/run/$name.load" |
		sort >"$VAR/run/$name.evaluations"
	awk '$6 != "-" { gsub(",", "\n", $6); print $6 }' \
		"$VAR/run/$name.load" | sort >"$VAR/run/$name.violations"
	like "$(wc -l <"$VAR/run/$name.evaluations")" '^[0-9]{2,}$' \
		"$name: there were answers ($(wc -l <"$VAR/run/$name.evaluations"))"
	books_table "$name" evaluations evaluation_id
	books_table "$name" violations violation_id
}

# books_table NAME WHAT COLUMN
books_table()
{
	local name=$1 what=$2 column=$3 table=$2
	[ "$what" = evaluations ] || table=policy_violations
	sql "SELECT $column FROM $table" | sort >"$VAR/run/stored"
	is "$(uniq -d "$VAR/run/stored" | wc -l)" 0 "$name: no $what twice"
	is "$(comm -23 "$VAR/run/$name.$what" "$VAR/run/stored" | wc -l)" 0 \
		"$name: of $(wc -l <"$VAR/run/$name.$what") answered $what none is missing"
}

# Violations without their evaluation would be half of a record.
books_whole()
{
	is "$(sql 'SELECT count(*) FROM policy_violations v WHERE NOT EXISTS
		(SELECT FROM evaluations e
		 WHERE e.evaluation_id = v.evaluation_id)')" 0 \
		"$1: no violation without its evaluation"
}

statuses()
{
	awk '{ print $1 }' "$VAR/run/$1.load" | sort | uniq -c |
		awk '{ printf "%s%s x %s", n++ ? ", " : "", $2, $1 }'
}

responders()
{
	engine_pids | grep -vx "$(cat "$VAR/run/housekeeper.pid")"
}

# Kill one responder at random.
kill_one()
{
	local victim
	victim=$(responders | shuf -n1)
	[ -n "$victim" ] && kill -KILL "$victim"
}

test_kill_responders()
{
	local server=$1 name=kill-$1 kills=0
	web_up "$server" >&2
	load_start $((ROUNDS + 3)) "$name"
	for _ in $(seq "$ROUNDS"); do
		sleep 1
		if kill_one; then
			kills=$((kills + 1))
		fi
	done
	wait "$LOAD"
	is "$kills" "$ROUNDS" "$server: $ROUNDS responders were killed"
	note_tap "$server: answers $(statuses "$name")"
	books "$name"
	books_whole "$server"
	evaluate "${REQUEST//@N@/after}"
	is "$STATUS" 403 "$server: it answers afterwards"
}

note_tap()
{
	printf '# %s\n' "$*"
}

test_postgres_killed()
{
	web_up lighttpd >&2
	load_start 8 pg-killed
	sleep 2
	kill -KILL "$(head -n1 "$VAR/pg/data/postmaster.pid")"
	sleep 3
	wait_until 10 postgres_gone
	postgres_up >&2
	wait "$LOAD"
	is "$(awk '$1 != 403' "$VAR/run/pg-killed.load" | wc -l)" 0 \
		"PostgreSQL killed: every request was decided ($(statuses pg-killed))"
	books pg-killed
}

postgres_gone()
{
	! pgrep -f "$VAR/pg/data" >/dev/null
}

test_keeper_killed()
{
	local old
	load_start 6 keeper-killed
	sleep 1
	old=$(cat "$VAR/run/housekeeper.pid")
	kill -KILL "$old"
	wait "$LOAD"
	is "$(awk '$1 != 403' "$VAR/run/keeper-killed.load" | wc -l)" 0 \
		"housekeeper killed: every request was decided"
	check "housekeeper killed: a responder starts another one" \
		wait_until 15 keeper_other_than "$old"
	books keeper-killed
	# Let the new one be known by the name that world_end ends.
	keeper_find >"$VAR/run/housekeeper.pid"
}

keeper_find()
{
	local pid
	for pid in $(engine_pids); do
		if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- --housekeeper
		then
			printf '%s\n' "$pid"
		fi
	done
}

keeper_other_than()
{
	local found
	found=$(keeper_find)
	[ -n "$found" ] && [ "$found" != "$1" ]
}

# A start without PostgreSQL: decisions from the last snapshot, records kept.
test_start_without_postgres()
{
	web_down
	stop housekeeper
	postgres_down
	keeper_up >&2
	web_up lighttpd >&2
	load_start 2 no-pg
	wait "$LOAD"
	is "$(awk '$1 != 403' "$VAR/run/no-pg.load" | wc -l)" 0 \
		"started without PostgreSQL: every request was decided"
	postgres_up >&2
	books no-pg
}

# The spool on a file system of 8 MiB that is then filled.
test_disk_full()
{
	local name='disk full' small=$VAR/state/spool
	if ! is_root || ! mount_spool "$small"; then
		skip "$name" "a small tmpfs cannot be mounted here"
		return
	fi
	keeper_up >&2
	web_up lighttpd >&2
	evaluate "${REQUEST//@N@/before}"
	is "$(field .durability)" async "$name: before, records are kept"
	dd if=/dev/zero of="$small/fill" bs=64k 2>/dev/null
	evaluate "${REQUEST//@N@/full}"
	is "$STATUS" 403 "$name: decisions go on"
	is "$(field .durability)" degraded "$name: the answer says degraded"
	rm -f "$small/fill"
	evaluate "${REQUEST//@N@/after}"
	is "$(field .durability)" async "$name: it recovers by itself"
	web_down
	stop housekeeper
	engine_sweep
	umount "$small"
}

mount_spool()
{
	web_down
	stop housekeeper
	engine_sweep
	mkdir -p "$1"
	mount -t tmpfs -o "size=8m,mode=700,uid=$(id -u "$ENGINE_USER")" tmpfs "$1" \
		2>/dev/null
}

world_make
world_up
test_kill_responders lighttpd
test_kill_responders apache
test_postgres_killed
test_keeper_killed
test_start_without_postgres
test_disk_full
check "no sanitizer complained" \
	not grep -hE 'Sanitizer|runtime error' "$VAR"/log/*.log
tap_done
