# bench: ./dev bench.  Sourced by ./dev.
# shellcheck shell=bash
#
# Ratios to the null responder, and counts of instructions.
# Two things are measured in turn in one run; each figure is the median of
# BENCH_ROUNDS rounds, and every round stands in the raw numbers.

BENCH_ROUNDS=${BENCH_ROUNDS:-3}
BENCH_SECONDS=${BENCH_SECONDS:-8}
BENCH_CONNECTIONS=32
BENCH_SERVERS='lighttpd apache-proxy apache'
# What is measured behind a web server, and whether PostgreSQL copies the
# records from the spool meanwhile, on the same cores (see bench_report_servers).
BENCH_PROGRAMS='null engine counting hot shared drained violating'
BENCH_POLICIES='10 100 1000 10000'
BENCH_STAGES='json_doc_parse body_read facts_settle decide record_write answer_write'

verb_bench()
{
	local names=("$@") name
	packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
	build_bootstrap
	CFLAGS='-O2 -g' suite_build release CC=gcc
	suite_install release
	if [ "${#names[@]}" -eq 0 ]; then
		read -ra names <<<"decide counters $BENCH_SERVERS"
	fi
	BENCH=$VAR/bench
	mkdir -p "$BENCH"
	for name in "${names[@]}"; do
		headline "bench: $name"
		case " $BENCH_SERVERS decide counters " in
		*" $name "*) ;;
		*) die "there is no benchmark \"$name\"" \
			"one of: decide counters $BENCH_SERVERS" ;;
		esac
		case $name in
		decide) bench_decide ;;
		counters) (bench_counters) || die "bench $name failed" ;;
		*) (bench_server "$name") || die "bench $name failed" ;;
		esac
	done
	bench_report >"$BENCH/benchmarks.md"
	cp "$BENCH/benchmarks.md" "$ROOT/docs/benchmarks.md"
	cat "$BENCH/benchmarks.md"
	note "written: docs/benchmarks.md"
}

# Instructions by callgrind, of two lengths of the same run, whose difference
# has no start and no end in it; and the program's own table of times.
bench_decide()
{
	local policies stage
	: >"$BENCH/decide"
	for policies in $BENCH_POLICIES; do
		bench_count "$policies" engine_evaluate 1
	done
	# In these runs a stage is run once inside of a decision and once alone.
	for stage in $BENCH_STAGES; do
		bench_count 1000 "$stage" 2
	done
	watch_step "nanoseconds" "$BENCH/decide.ns" \
		"$VAR/test/release/tests/bench/bench_decide" ||
		die "bench_decide failed" "see $BENCH/decide.ns"
}

# bench_count POLICIES FUNCTION CALLS: a line "POLICIES FUNCTION INSTRUCTIONS",
# where FUNCTION is called CALLS times a turn.
bench_count()
{
	local policies=$1 function=$2 calls=$3 few=100 many=600 a b
	run "$function, $policies policies" "$BENCH/callgrind.few" "see the log" \
		bench_callgrind "$policies" "$function" "$few"
	run "again, longer" "$BENCH/callgrind.many" "see the log" \
		bench_callgrind "$policies" "$function" "$many"
	a=$(bench_collected "$BENCH/callgrind.few")
	b=$(bench_collected "$BENCH/callgrind.many")
	printf '%s %s %s\n' "$policies" "$function" \
		$(((b - a) / (many - few) / calls)) >>"$BENCH/decide"
}

bench_callgrind()
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		--toggle-collect="$2" \
		"$VAR/test/release/tests/bench/bench_decide" "$1" "$3"
}

bench_collected()
{
	sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$1"
}

# Each store of counters, with a PostgreSQL of its own; then what memcached's
# own client would cost.
bench_counters()
{
	export IMS_PREFIX=$VAR/test/release/install
	local programs=$VAR/test/release/tests/bench
	# shellcheck source=/dev/null
	. "$ROOT/tests/integration/lib.sh"
	world_make
	{
		postgres_up
		settings_write
		database_owner
		ctl migrate
		database_logins
	} >/dev/null || return 1
	export IMS_PG IMS_PG_COUNTER
	IMS_PG=$(conninfo ims_dev_owner ims_policy)
	IMS_PG_COUNTER=$(conninfo ims_dev_counter ims_policy)
	"$programs/bench_counter" >"$BENCH/counters.new" &&
		"$programs/bench_counter_store" >"$BENCH/counters.store" &&
		mv "$BENCH/counters.new" "$BENCH/counters" &&
		cat "$BENCH/counters" "$BENCH/counters.store"
}

# bench_server SERVER: a world of its own, null responder and engine in turn.
bench_server()
{
	local server=$1 round program pause
	export IMS_PREFIX=$VAR/test/release/install
	# shellcheck source=/dev/null
	. "$ROOT/tests/integration/lib.sh"
	world_make
	world_up
	: >"$BENCH/$server"
	for round in $(seq "$BENCH_ROUNDS"); do
		for program in $BENCH_PROGRAMS; do
			bench_one "$server" "$program" full 0
		done
		note "round $round of $BENCH_ROUNDS: $(tail -n"$(wc -w <<<"$BENCH_PROGRAMS")" "$BENCH/$server" |
			awk '{ printf "%s %s/s  ", $1, $3 }')"
	done
	# A fifth of the full load with counters, the same for all.
	pause=$(awk -v c="$BENCH_CONNECTIONS" '$1 == "counting" { n++; s += $3 }
		END { print int(c * 5000 / (s / n) + 0.5) }' "$BENCH/$server")
	for program in $BENCH_PROGRAMS; do
		bench_one "$server" "$program" fifth "$pause"
	done
	cat "$BENCH/$server"
}

# The policies that PROGRAM decides by: those that count have limits that are
# never reached, or are off.
bench_policies()
{
	local counts=true
	[ "$1" != engine ] || counts=false
	sql "UPDATE policies SET enabled = $counts
		WHERE name IN ('monthly-budget-cap', 'user-rate-limit');
	UPDATE policies SET constraints = constraints || jsonb_build_object(
		'max_requests_per_minute', 1000000000,
		'max_requests_per_hour', 1000000000,
		'max_requests_per_day', 1000000000)
		WHERE name = 'user-rate-limit';
	UPDATE policies SET constraints = constraints || jsonb_build_object(
		'max_monthly_cost', 1000000000, 'alert_threshold', 900000000)
		WHERE name = 'monthly-budget-cap';
	UPDATE policies SET constraints = CASE WHEN $counts
		THEN jsonb_build_object('max_daily_cost', 1000000000,
			'max_cost_per_request', 0.01, 'reset_hour_utc', 0)
		ELSE jsonb_build_object('max_cost_per_request', 0.01) END
		WHERE name = 'free-tier-daily-budget'"
}

# What counts for PROGRAM; another needs another housekeeper.
bench_counts()
{
	local alone=host
	[ "$1" != shared ] || alone=memcached
	[ "${SETTINGS_MORE:-}" != "counter_alone = $alone" ] || return 0
	SETTINGS_MORE="counter_alone = $alone"
	stop housekeeper
	settings_write
	keeper_up >/dev/null
}

bench_published()
{
	evaluate '{"model_id":"gpt-4o-mini"}'
	[ "$(field .policy_revision)" = \
		"$(sql 'SELECT revision FROM policy_revision')" ] &&
		curl --silent --max-time 5 "$(web_url)/health/ready" |
		grep -q "\"counters\":\"${SETTINGS_MORE##* }\""
}

# The backlog of one run is not left to the next.
bench_drained()
{
	ask /metrics
	[ "$(sed -n 's/^ims_policy_spool_backlog_bytes //p' <<<"$BODY")" = 0 ]
}

# The records stay in the spool from here until bench_unhold: whoever copies
# them into the table waits, and takes no processor.
bench_hold()
{
	exec {BENCH_HOLD}> >(psql -X -q -v ON_ERROR_STOP=1 \
		"$(conninfo ims_dev_owner ims_policy)")
	printf 'BEGIN;\nLOCK TABLE evaluations IN ACCESS EXCLUSIVE MODE;\n' \
		>&"$BENCH_HOLD"
	wait_until 10 bench_held
}

bench_held()
{
	[ "$(sql "SELECT count(*) FROM pg_locks WHERE granted AND
		relation = 'evaluations'::regclass AND
		mode = 'AccessExclusiveLock'")" = 1 ]
}

# COPIED: how many records a second are copied then, with nothing else to do.
bench_unhold()
{
	local before begun
	exec {BENCH_HOLD}>&-
	wait_until 10 not bench_held
	before=$(sql 'SELECT count(*) FROM evaluations')
	begun=$(date +%s%6N)
	wait_until 120 bench_drained || return 1
	COPIED=$((($(sql 'SELECT count(*) FROM evaluations') - before) *
		1000000 / ($(date +%s%6N) - begun)))
}

# bench_load SECONDS: the same for all, by the variables of bench_one.
bench_load()
{
	IMS_KEY=$(key evaluator) IMS_DELAY_MS=$pause IMS_USERS=$users \
		IMS_REGION=$region wrk -t2 -c"$BENCH_CONNECTIONS" -d"$1s" \
		--latency -s "$ROOT/tests/bench/post.lua" \
		"$(web_url)/evaluate.fcgi"
}

# bench_one SERVER PROGRAM LOAD PAUSE-MS: a line
# "PROGRAM LOAD REQUESTS/S P50-MS P99-MS ERRORS COPIED/S".
bench_one()
{
	local server=$1 program=$2 load=$3 pause=$4
	local out=$BENCH/$server.$program.$load.wrk users=1000 region=us-east
	COPIED=-
	case $program in
	hot) users=1 ;;
	violating) region= ;;
	esac
	ENGINE_FOLDER=$PREFIX/libexec/ims-policy
	if [ "$program" = null ]; then
		ENGINE_FOLDER=$VAR/null
		mkdir -p "$ENGINE_FOLDER"
		cp "$BENCH/../test/release/tests/bench/null_responder" \
			"$ENGINE_FOLDER/ims-policy.fcgi"
	fi
	bench_counts "$program"
	web_up "$server" >/dev/null || return 1
	if [ "$program" != null ]; then
		bench_policies "$program"
		wait_until 30 bench_published || return 1
	fi
	bench_load 2 >/dev/null
	case $program in
	null)
		bench_load "$BENCH_SECONDS" >"$out"
		;;
	drained | violating)
		bench_load "$BENCH_SECONDS" >"$out"
		wait_until 60 bench_drained || return 1
		;;
	*)
		wait_until 60 bench_drained && bench_hold || return 1
		bench_load "$BENCH_SECONDS" >"$out"
		bench_unhold || return 1
		;;
	esac
	web_down
	bench_read "$program" "$load" "$COPIED" <"$out" >>"$BENCH/$server"
}

bench_read()
{
	awk -v program="$1" -v load="$2" -v copied="$3" '
	function ms(text) {
		if (text ~ /us$/) return text / 1000
		if (text ~ /ms$/) return text + 0
		return text * 1000
	}
	$1 == "50%" { p50 = ms($2) }
	$1 == "99%" { p99 = ms($2) }
	$1 == "Requests/sec:" { rps = $2 }
	/Non-2xx/ { errors += $NF }
	/Socket errors/ { gsub(",", ""); errors += $4 + $6 + $8 + $10 }
	END { printf "%s %s %.0f %.3f %.3f %d %s\n", program, load, rps, p50,
	    p99, errors, copied }'
}

# ---- the report

bench_report()
{
	cat <<-TEXT
	# Benchmarks

	Written by \`./dev bench\`; do not edit. Machines are noisy: trust the
	ratios, which are of two things measured in turn in one run.

	- date: $(date -u +%Y-%m-%dT%H:%M:%SZ)
	- commit: $(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo none)
	- machine: $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo |
		head -n1), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' \
		/proc/meminfo), Linux $(uname -r)
	- compiler: $(gcc --version | head -n1), -O2

	TEXT
	bench_report_servers
	bench_report_decide
	bench_report_counters
}

bench_report_servers()
{
	local server
	cat <<-TEXT
	## Behind a web server

	1 KB body, $BENCH_CONNECTIONS keep-alive connections, wrk and PostgreSQL on
	the same machine, all seed policies, none of which is violated; each call is
	recorded. Medians of $BENCH_ROUNDS rounds of $BENCH_SECONDS s; "a fifth": all
	under a fifth of the full load of \`counting\`.

	| what | |
	|---|---|
	| \`null\` | reads the same body and answers 200 bytes |
	| \`engine\` | without counters; the record in the spool |
	| \`counting\` | three rate windows and two budgets, of 1,000 users |
	| \`hot\` | the same, of one user |
	| \`shared\` | as \`counting\`, in memcached as with several hosts |
	| \`drained\` | as \`counting\`, and PostgreSQL takes the records from the spool on the same cores all the while |
	| \`violating\` | as \`drained\`, and each call violates a policy that logs |

	In the first five rounds the records stay in the spool, as safe as they are,
	until the load is over: what a decision costs by itself. \`copied/s\` is how
	many a second PostgreSQL takes then. In \`drained\` and \`violating\` one
	machine does all of it at once.

	| server | what | requests/s | ratio to null | p50 / p99 ms | p99 at a fifth | ratio to null | copied/s |
	|---|---|---|---|---|---|---|---|
	TEXT
	for server in $BENCH_SERVERS; do
		[ -s "$BENCH/$server" ] && bench_report_server "$server"
	done
	printf '\nRaw: program, load, requests/s, p50 ms, p99 ms, errors, copied/s.\n\n'
	for server in $BENCH_SERVERS; do
		[ -s "$BENCH/$server" ] || continue
		printf '```\n%s\n%s\n```\n\n' "$server" "$(cat "$BENCH/$server")"
	done
}

bench_report_server()
{
	awk -v server="$1" -v programs="$BENCH_PROGRAMS" '
	{
		k = $1 $2; n[k]++
		rps[k, n[k]] = $3; p50[k, n[k]] = $4; p99[k, n[k]] = $5
		copied[k, n[k]] = $7
	}
	function median(of, k,    i, j, t, a) {
		for (i = 1; i <= n[k]; i++) a[i] = of[k, i]
		for (i = 2; i <= n[k]; i++)
			for (j = i; j > 1 && a[j - 1] > a[j]; j--) {
				t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
			}
		return a[int((n[k] + 1) / 2)]
	}
	END {
		programs_n = split(programs, what, " ")
		for (i = 1; i <= programs_n; i++) {
			p = what[i]
			printf "| %s | %s | %d | %.2f | %.2f / %.2f | %.2f | %.1f | %s |\n",
			    server, p, median(rps, p "full"),
			    median(rps, p "full") / median(rps, "nullfull"),
			    median(p50, p "full"), median(p99, p "full"),
			    median(p99, p "fifth"),
			    median(p99, p "fifth") / median(p99, "nullfifth"),
			    median(copied, p "full")
		}
	}' "$BENCH/$1"
}

bench_report_decide()
{
	[ -s "$BENCH/decide" ] || return 0
	cat <<-TEXT
	## The engine alone

	Instructions counted by callgrind: one decision (body in, answer and record
	out) while the number of policies grows and 20 apply (10: all), then the
	stages of a decision with 1,000 policies.

	| policies | what | instructions |
	|---|---|---|
	TEXT
	awk '{ printf "| %s | `%s` | %s |\n", $1, $2, $3 }' "$BENCH/decide"
	printf '\nRaw: nanoseconds, best of five rounds for the decision.\n\n'
	printf '```\n%s\n```\n' "$(cat "$BENCH/decide.ns")"
}

bench_report_counters()
{
	[ -s "$BENCH/counters" ] || return 0
	cat <<-TEXT

	## Counters

	One take by each store: a call of one client, best of five rounds, on
	accounts whose windows are full (CPU: of the client, without the server of
	the store). Then contention: so many clients, each a thread with connections
	of its own, take 5 counters of one and the same subject for half a second; a
	conflict is a write that another was faster than, and is made again; "not
	known" are calls that gave up after \`counter_wait_ms\`. Every counter must
	hold what was admitted, no more and no less, or the run fails. PostgreSQL is
	one that does not fsync.

	$(cat "$BENCH/counters")
	TEXT
	[ -s "$BENCH/counters.store" ] || return 0
	cat <<-TEXT

	### memcached, by its own client

	Reading and replacing accounts of 400 bytes, medians of fifteen rounds.

	$(cat "$BENCH/counters.store")
	TEXT
}
