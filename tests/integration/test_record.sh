#!/bin/bash
# From the spool to PostgreSQL exactly once, whatever dies: the housekeeper,
# a writer, PostgreSQL; refused records; the cursor set back.  And what else
# the housekeeper does: publishing under load, refusing, starting without
# PostgreSQL, being started.  IMS_ROUNDS says how often it is killed.
. "$(dirname "$0")/lib.sh"

ROUNDS=${IMS_ROUNDS:-8}
RECORDS=${IMS_RECORDS:-30000}
BOOK=

# writer RECORDS BAD_EVERY: in the background, 4 threads, into a new book.
writer()
{
	BOOK=$VAR/run/book
	rm -f "$BOOK"
	start writer "$IMS_BUILD/tests/integration/spool_writer" \
		"$VAR/ims-policy.conf" "$1" 4 "$2" "$BOOK"
}

writer_ended()
{
	not running writer
}

keeper_start()
{
	start housekeeper "$PREFIX/$PROGRAM_PATH" --housekeeper \
		--config "$VAR/ims-policy.conf"
}

keeper_pid()
{
	head -n1 "$VAR/run/housekeeper.pid"
}

# shown REGEX: does ims-policyctl status have such a line?
shown()
{
	ctl status | grep -qE "$1"
}

drained()
{
	shown '^spool +0 bytes'
}

# logged REGEX: how many lines of the housekeeper's log match?
logged()
{
	grep -cE -- "$1" "$VAR/log/housekeeper.log"
}

# books NAME EXTRA: what the book has, against the tables: all of it, once,
# and at most EXTRA records that the writer could not write down any more.
books()
{
	local name=$1 extra=$2 more
	check "$name: the backlog drains" wait_until 60 drained
	grep -v '^-' "$BOOK" | sort >"$VAR/run/booked"
	sql 'SELECT evaluation_id FROM evaluations ORDER BY 1' >"$VAR/run/stored"
	is "$(comm -23 "$VAR/run/booked" "$VAR/run/stored" | wc -l)" 0 \
		"$name: of $(wc -l <"$VAR/run/booked") records none is missing"
	more=$(comm -13 "$VAR/run/booked" "$VAR/run/stored" | wc -l)
	check "$name: none is there that nobody wrote ($more unacknowledged)" \
		[ "$more" -le "$extra" ]
	is "$(sql 'SELECT count(*) FROM policy_violations v
		JOIN evaluations USING (evaluation_id)')" \
		"$(wc -l <"$VAR/run/stored")" "$name: each with its violation"
	is "$(sql 'SELECT count(*) FROM policy_violations')" \
		"$(wc -l <"$VAR/run/stored")" "$name: and no other"
	ledger "$name" "$extra"
}

# ledger NAME EXTRA: each record has its reserve in the ledger, every second
# one its settle but for EXTRA, each once, and the roll-ups are their sums.
ledger()
{
	local name=$1 extra=$2 late
	is "$(sql "SELECT count(*), count(evaluation_id) FROM evaluations
		FULL JOIN (SELECT evaluation_id FROM usage
			   WHERE entry = 'reserve') u USING (evaluation_id)")" \
		"$(sql 'SELECT count(*), count(*) FROM evaluations')" \
		"$name: each with its reserve, and no other"
	is "$(sql "SELECT count(*) FROM (
			SELECT evaluation_id FROM usage WHERE entry = 'settle'
			EXCEPT ALL
			SELECT evaluation_id FROM usage
			WHERE entry = 'reserve' AND tokens % 2 = 0) s")" \
		0 "$name: no settle is of a call that has none"
	late=$(sql "SELECT count(*) FROM usage_calls
		WHERE state = 'open' AND tokens % 2 = 0")
	check "$name: no settle is missing ($late unacknowledged)" \
		[ "$late" -le "$extra" ]
	is "$(rollups_differ)" '' "$name: the roll-ups are the ledger's sums"
}

# empty: nothing is recorded; the book belongs to what comes now.
empty()
{
	sql 'TRUNCATE evaluations, policy_violations, usage, usage_rollups'
	rm -rf "$VAR"/state/spool/rejected/*
}

nap()
{
	sleep "0.$((RANDOM % 4))$((RANDOM % 9 + 1))"
}

test_keeper_killed()
{
	local i
	empty
	writer "$RECORDS" 0
	for i in $(seq "$ROUNDS"); do
		nap
		kill -KILL "$(keeper_pid)"
		nap
		keeper_start
	done
	check 'keeper killed: the writer ends' wait_until 60 writer_ended
	books "keeper killed $i times" 0
	is "$(sql "SELECT evaluations.team_id FROM evaluations LIMIT 1")" \
		"$(printf 'team\twith \\ and\nlines')" \
		'and what stands in a record is what was written'
	check 'and finished segments are deleted' \
		[ "$(find "$VAR/state/spool" -name '*.seg' | wc -l)" -le 2 ]
}

test_writer_killed()
{
	local i
	empty
	BOOK=$VAR/run/book
	rm -f "$BOOK"
	for i in $(seq "$ROUNDS"); do
		start writer "$IMS_BUILD/tests/integration/spool_writer" \
			"$VAR/ims-policy.conf" 1000000 4 0 "$BOOK"
		wait_until 5 running writer
		nap
		kill -KILL "$(cat "$VAR/run/writer.pid")"
	done
	books "writer killed $i times" $((4 * ROUNDS))
}

test_postgres_stopped()
{
	empty
	writer "$RECORDS" 0
	sleep 0.3
	kill -KILL "$(head -n1 "$VAR/pg/data/postmaster.pid")"
	check 'PostgreSQL killed: the board says so' \
		wait_until 5 shown '^postgresql +down'
	check 'PostgreSQL killed: the writer goes on to its end' \
		wait_until 60 writer_ended
	check 'PostgreSQL killed: the backlog grows' \
		shown '^spool +[1-9][0-9]{4,} bytes'
	is "$(logged 'PostgreSQL is not to be had')" 1 \
		'PostgreSQL killed: said once'
	wait_until 10 postgres_gone
	postgres_up >&2
	books 'PostgreSQL killed' 0
	check 'PostgreSQL back: the board says so' shown '^postgresql +up'
}

# Every process of it works in its folder.
postgres_gone()
{
	! readlink /proc/[0-9]*/cwd | grep -qxF "$VAR/pg/data"
}

spool_bytes()
{
	find "$VAR/state/spool" -name '*.seg' -printf '%s\n' |
		awk '{ n += $1 } END { print n + 0 }'
}

test_backlog_is_known()
{
	local before
	empty
	wait_until 30 drained
	stop housekeeper
	before=$(spool_bytes)
	writer 2000 0
	wait_until 30 writer_ended
	check 'no housekeeper: the backlog is what was appended' \
		shown "^spool +$(($(spool_bytes) - before)) bytes"
	# A new board, and nobody to ask for the cursor: all that is there.
	rm "$VAR/state/board"
	postgres_down
	keeper_start
	check 'a new board, no PostgreSQL: the backlog is what the files have' \
		wait_until 10 shown "^spool +$(spool_bytes) bytes"
	postgres_up >&2
	books 'a new board' 0
}

test_refused_records()
{
	empty
	writer 3000 100
	wait_until 30 writer_ended
	books 'refused records' 0
	is "$(grep -c '^-' "$BOOK")" 30 'refused records: there were 30'
	is "$(find "$VAR/state/spool/rejected" -type f | wc -l)" 30 \
		'refused records: each is kept in a file'
	sed -n 's/^-//p' "$BOOK" | sort >"$VAR/run/bad"
	is "$(cat "$VAR"/state/spool/rejected/* | sed -n 's/^E\([^\t]*\)\t.*/\1/p' |
		sort | cmp - "$VAR/run/bad" 2>&1)" '' \
		'refused records: they are those, whole'
	like "$(head -qn1 "$VAR"/state/spool/rejected/* | sort -u)" \
		'^# PostgreSQL refused: .*check constraint.*23514' \
		'refused records: with the reason'
}

test_cursor_set_back()
{
	empty
	writer 3000 0
	wait_until 30 writer_ended
	wait_until 30 drained
	stop housekeeper
	sql 'UPDATE spool_cursors SET "offset" = 0' >/dev/null
	keeper_start
	check 'cursor set back: the housekeeper runs' \
		wait_until 10 shown '^housekeeper +process'
	sleep 0.5
	books 'cursor set back' 0
	check 'cursor set back: it was noticed' \
		[ "$(logged 'is in PostgreSQL already')" -gt 0 ]
	is "$(find "$VAR/state/spool/rejected" -type f | wc -l)" 0 \
		'cursor set back: nothing counts as refused'
	sql 'DELETE FROM spool_cursors'
	stop housekeeper
	keeper_start
	sleep 0.5
	books 'cursor lost' 0
	# An ill-fated file: shorter than its cursor.
	sql 'UPDATE spool_cursors SET "offset" = "offset" + 1000' >/dev/null
	stop housekeeper
	keeper_start
	sleep 0.5
	books 'file cut' 0
}

# With a lock on the table, drained by the end: SIGTERM waits for the drain.
test_end_drains()
{
	empty
	stop housekeeper
	writer 5000 0
	wait_until 30 writer_ended
	keeper_start
	wait_until 10 shown '^housekeeper +process'
	stop housekeeper
	is "$(sql 'SELECT count(*) FROM evaluations')" 5000 \
		'SIGTERM: what was in the spool is drained first'
	like "$(tail -n1 "$VAR/log/housekeeper.log")" 'the housekeeper ends' \
		'SIGTERM: it ends as it should'
	check 'SIGTERM: no housekeeper is on the board' \
		shown '^housekeeper +none runs'
	keeper_start
	wait_until 10 shown '^housekeeper +process'
}

test_one_a_host()
{
	local status=0
	as_engine "$PREFIX/$PROGRAM_PATH" --housekeeper \
		--config "$VAR/ims-policy.conf" >"$VAR/run/second" 2>&1 ||
		status=$?
	is "$status" 0 'a second housekeeper ends at once, without an error'
	check 'and the first runs on' running housekeeper
}

revision()
{
	sql 'SELECT revision FROM policy_revision'
}

# published [REVISION]: it, or the one that PostgreSQL has now.
published()
{
	shown "^policy revision +${1:-$(revision)} "
}

# change: a new revision; prints the microseconds until it is published.
change()
{
	local before wanted
	sql "UPDATE policies SET priority = 101 - priority
		WHERE name = 'request-cost-limit'"
	before=$(date +%s%6N)
	wanted=$(revision)
	wait_until 20 published "$wanted"
	printf '%s\n' $(($(date +%s%6N) - before))
}

test_publishing_under_load()
{
	local worst=0 took i
	empty
	writer $((RECORDS * 2)) 0
	for i in 1 2 3 4 5; do
		sleep 0.2
		took=$(change)
		[ "$took" -le "$worst" ] || worst=$took
	done
	check "5 changes under load are published within a second (worst $worst us)" \
		[ "$worst" -lt 1000000 ]
	wait_until 60 writer_ended
	books 'publishing under load' 0
}

test_refused_revision()
{
	local good bad before
	good=$(revision)
	before=$(logged 'is refused')
	sql "INSERT INTO policies (name, category, priority, constraints)
		VALUES ('wrong', 'cost', 50, '{\"nonsense\": 1}')"
	bad=$(revision)
	check 'a revision that does not compile: is shown' \
		wait_until 10 shown "^refused +revision $bad "
	check 'and the last good one stays' shown "^policy revision +$good "
	sleep 2.5
	is "$(logged 'is refused')" $((before + 1)) 'it is logged once'
	like "$(grep 'is refused' "$VAR/log/housekeeper.log" | tail -n1)" \
		"revision $bad is refused.*/policies/[0-9]+/constraints/nonsense" \
		'with the place'
	stop housekeeper
	keeper_start
	wait_until 10 shown '^housekeeper +process'
	sleep 1
	check 'a restart keeps the last good one, too' \
		shown "^policy revision +$good "
	sql "UPDATE policies SET constraints = '{\"max_cost_per_request\": 1}'
		WHERE name = 'wrong'"
	check 'put right, it is published' wait_until 10 published
	check 'and nothing is refused any more' not shown '^refused'
}

test_start_without_postgres()
{
	local now
	now=$(revision)
	stop housekeeper
	postgres_down
	rm "$VAR/state/snapshot.img"
	keeper_start
	check 'no PostgreSQL, no image: made of the last good document' \
		wait_until 10 test -s "$VAR/state/snapshot.img"
	check 'and it is that revision' shown "^policy revision +$now "
	check 'and PostgreSQL is known to be down' \
		wait_until 10 shown '^postgresql +down'
	stop housekeeper
	rm "$VAR/state/snapshot.img" "$VAR/state/snapshot.json"
	keeper_start
	check 'nothing at all: the housekeeper runs and waits' \
		wait_until 10 shown '^housekeeper +process'
	sleep 1
	check 'it still runs' running housekeeper
	postgres_up >&2
	check 'PostgreSQL comes: all is published' \
		wait_until 10 test -s "$VAR/state/snapshot.img"
	stop housekeeper
	printf 'nonsense' >"$VAR/state/snapshot.json"
	rm "$VAR/state/snapshot.img"
	postgres_down
	keeper_start
	check 'a damaged document: the housekeeper runs on' \
		wait_until 10 grep -q 'cannot publish .* anew' \
		"$VAR/log/housekeeper.log"
	check 'and waits for PostgreSQL' running housekeeper
	postgres_up >&2
	check 'and publishes then' wait_until 10 published
}

# The policy revision is asked for also where no notification comes.
test_poll()
{
	sql 'ALTER TABLE policies DISABLE TRIGGER policies_4_revision'
	sql "UPDATE policies SET description = 'quietly'
		WHERE name = 'request-cost-limit'"
	sql 'UPDATE policy_revision SET revision = revision + 1'
	check 'without a notification the revision is polled' \
		wait_until 5 published
	sql 'ALTER TABLE policies ENABLE TRIGGER policies_4_revision'
}

# The housekeeper's connections, by their servers' pids; of several, because
# it has one for each of its works.
connections()
{
	sql_postgres ims_policy <<<"SELECT pid FROM pg_stat_activity
		WHERE application_name LIKE 'ims-policy%' ORDER BY pid"
}

# connected_anew BEFORE: it has some, and none of those.
connected_anew()
{
	local now
	now=$(connections)
	[ -n "$now" ] && ! grep -qxF "$1" <<<"$now"
}

# A connection that the server ends, and the partitions' and tables' absence.
test_trouble()
{
	local before
	before=$(connections)
	sql_postgres ims_policy >/dev/null <<-SQL
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	  WHERE application_name LIKE 'ims-policy%';
	SQL
	check 'connections ended by the server: made anew' \
		wait_until 5 connected_anew "$before"
	took=$(change)
	check "and listened on ($took us)" [ "$took" -lt 900000 ]

	empty # not later: the backlog is drained as soon as the table is back
	sql 'ALTER TABLE evaluations RENAME TO elsewhere'
	writer 1000 0
	check 'a table that is missing: said' wait_until 10 \
		grep -q 'recording to PostgreSQL does not work.*42P01' \
		"$VAR/log/housekeeper.log"
	sleep 2
	is "$(logged 'recording to PostgreSQL does not work.*42P01')" 1 \
		'a table that is missing: said once'
	sql 'ALTER TABLE elsewhere RENAME TO evaluations'
	wait_until 20 writer_ended
	books 'a table that was missing' 0
	check 'recording works again: said' \
		grep -q 'recording to PostgreSQL works again' \
		"$VAR/log/housekeeper.log"
}

rollups()
{
	[ "$(sql 'SELECT count(*) FROM usage_rollups')" = "$1" ]
}

months_before()
{
	sql "SELECT count(*) FROM pg_inherits
		WHERE inhparent = '$1'::regclass AND
		      inhrelid::regclass::text < '$1_' ||
			to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')"
}

no_old_months()
{
	[ "$(months_before evaluations) $(months_before usage)" = '0 0' ]
}

# More roll-ups than a batch has, a part of them old, and empty months.
test_retention()
{
	empty
	sql "INSERT INTO usage_rollups
		SELECT now() - n % 2 * interval '200 days',
		       uuid7_floor(now() + n * interval '1 ms'), '', '', '', '',
		       '', '', 1, 1, 1, 1, 1, 1, 1, 0
		FROM generate_series(1, 20002) n;
	SELECT partitions_make(t, 'evaluation_id',
		date_trunc('month', now() AT TIME ZONE 'UTC')
		- n * interval '1 month')
	FROM unnest(ARRAY['evaluations', 'usage']) t, generate_series(8, 9) n" \
		>/dev/null
	stop housekeeper
	keeper_start
	sleep 2
	check 'no setting: roll-ups are kept' rollups 20002
	is "$(months_before evaluations) $(months_before usage)" '2 2' \
		'and months'
	stop housekeeper
	SETTINGS_MORE='usage_rollup_retention_days = 100
record_retention_days = 100
usage_retention_days = 100'
	settings_write
	keeper_start
	check 'roll-ups that are older than the setting says are deleted' \
		wait_until 10 rollups 10001
	check 'and months of records and of the ledger are dropped' \
		wait_until 10 no_old_months
	is "$(logged 'made 0 partitions, dropped 4')" 1 'which is said'
	is "$(sql "SELECT since = date_trunc('day', now() - interval '100 days',
		'UTC') FROM usage_rollups_kept")" t 'since when is known'
	sql "ALTER TABLE usage_rollups_kept RENAME TO elsewhere"
	stop housekeeper
	keeper_start
	check 'where that cannot be said it is logged' wait_until 10 \
		grep -q 'deleting roll-ups of usage does not work' \
		"$VAR/log/housekeeper.log"
	sql "ALTER TABLE elsewhere RENAME TO usage_rollups_kept"
	check 'and done again when it can' wait_until 10 \
		grep -q 'deleting roll-ups of usage works again' \
		"$VAR/log/housekeeper.log"
	stop housekeeper
	SETTINGS_MORE=
	settings_write
	keeper_start
	wait_until 10 shown '^housekeeper +process'
	empty
}

# A responder that finds no housekeeper starts one that belongs to nobody.
keeper_of_lock()
{
	ctl status | sed -n 's/^housekeeper  *process \([1-9][0-9]*\),.*/\1/p'
}

started()
{
	[ -n "$(keeper_of_lock)" ]
}

sockets()
{
	readlink "/proc/$1"/fd/* | grep socket: | sort
}

# Gone, or a zombie: a container's first process may never ask for it.
ended()
{
	case $(ps -o stat= -p "$1") in
	'' | Z*) return 0 ;;
	*) return 1 ;;
	esac
}

test_started_by_a_responder()
{
	local pid
	stop housekeeper
	start responder "$PREFIX/$PROGRAM_PATH" --config "$VAR/ims-policy.conf" \
		--listen "$VAR/run/responder.sock"
	check 'a responder starts a housekeeper' wait_until 10 started
	pid=$(keeper_of_lock)
	is "$(ps -o sid= -p "$pid" | tr -d ' ')" \
		"$(ps -o pgid= -p "$pid" | tr -d ' ')" 'in a session of its own'
	check 'that is no child of it' [ \
		"$(ps -o ppid= -p "$pid" | tr -d ' ')" != \
		"$(cat "$VAR/run/responder.pid")" ]
	is "$(pgrep -P "$(cat "$VAR/run/responder.pid")" -r Z)" '' \
		'and it left no zombie'
	is "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" |
		tr '\n' ' ')" "/dev/null /dev/null $VAR/state/keeper.log " \
		'with descriptors of its own'
	is "$(comm -12 <(sockets "$pid") \
		<(sockets "$(cat "$VAR/run/responder.pid")"))" '' \
		'and nothing of the responder open'
	like "$(cat "$VAR/state/keeper.log")" 'the housekeeper runs' \
		'its messages go to keeper.log'
	stop responder
	check 'it outlives the responder' kill -0 "$pid"
	kill -TERM "$pid"
	check 'and ends when it is told' wait_until 10 ended "$pid"
}

test_without_settings()
{
	local conf=$VAR/run/none.conf pid
	install -d "$VAR/state2"
	is_root && chown "$ENGINE_USER:" "$VAR/state2"
	printf '[ims-policy]\nstate_dir = %s/state2\nspool_sync_ms = 0\n' \
		"$VAR" >"$conf"
	chmod 644 "$conf"
	start keeper2 "$PREFIX/$PROGRAM_PATH" --housekeeper --config "$conf"
	check 'without pg_keeper: it says so and runs' wait_until 10 \
		grep -q 'pg_keeper is not set' "$VAR/log/keeper2.log"
	sleep 0.5
	check 'and goes on' running keeper2
	pid=$(cat "$VAR/run/keeper2.pid")
	kill -INT "$pid"
	check 'and ends at SIGINT' wait_until 10 not kill -0 "$pid"
}

world_make
{
	postgres_up
	settings_write
	printf 'spool_segment_bytes = 1048576\ndrain_batch_bytes = 65536\n' \
		>>"$VAR/ims-policy.conf"
	database_up
} >&2 || exit 2
install -d -m 755 "$VAR/run"
keeper_up >&2
test_keeper_killed
test_writer_killed
test_postgres_stopped
test_backlog_is_known
test_refused_records
test_cursor_set_back
test_end_drains
test_one_a_host
test_publishing_under_load
test_refused_revision
test_start_without_postgres
test_poll
test_trouble
test_retention
test_started_by_a_responder
test_without_settings
tap_done
