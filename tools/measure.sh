# measure: ./dev bench, fuzz and coverage.  Sourced by ./dev.
# shellcheck shell=bash

# ---- fuzz: clang's libFuzzer with both sanitizers

verb_fuzz()
{
	local seconds=600 targets=() target failed=0
	while [ $# -gt 0 ]; do
		case $1 in
		--seconds)
			seconds=${2:?--seconds needs a number}
			shift
			;;
		*) targets+=("$1") ;;
		esac
		shift
	done
	packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
	build_bootstrap
	fuzz_build
	if [ "${#targets[@]}" -eq 0 ]; then
		mapfile -t targets < <(fuzz_targets)
	fi
	for target in "${targets[@]}"; do
		fuzz_run "$target" "$seconds" || failed=$((failed + 1))
	done
	[ "$failed" -eq 0 ] || die "$failed targets found something" \
		"the inputs are in var/fuzz/TARGET/; replay one with var/test/fuzz/tests/fuzz/fuzz_TARGET FILE"
}

fuzz_targets()
{
	local file
	for file in "$ROOT"/tests/fuzz/fuzz_*.c; do
		file=$(basename "$file" .c)
		printf '%s\n' "${file#fuzz_}"
	done
}

fuzz_build()
{
	suite_build fuzz CC=clang --enable-asan --enable-fuzz
}

# fuzz_run TARGET SECONDS: new inputs go to var/fuzz/TARGET/corpus.
fuzz_run()
{
	local target=$1 seconds=$2 folder=$VAR/fuzz/$1
	local program=$VAR/test/fuzz/tests/fuzz/fuzz_$1 log
	[ -x "$program" ] || die "there is no fuzz target \"$target\"" \
		"one of: $(fuzz_targets | tr '\n' ' ')"
	mkdir -p "$folder/corpus"
	log=$folder/last.log
	watch_step "fuzz $target for $seconds s" "$log" \
		"$program" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
		-artifact_prefix="$folder/" "$folder/corpus" \
		"$ROOT/tests/fuzz/seeds/$target" || {
		show_end "$log" 40
		return 1
	}
	note "$(grep -E 'number_of_executed_units' "$log" |
		awk '{ print $2 }') inputs tried, nothing found"
}

# ---- coverage: over unit tests, decisions and integration scripts

verb_coverage()
{
	local folder=$VAR/test/coverage script
	packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
	build_bootstrap
	RESULTS=$VAR/test/results-coverage
	: >"$RESULTS"
	CFLAGS='-O0 -g' suite_build coverage CC=gcc --enable-coverage
	find "$folder" -name '*.gcda' -delete
	# The programs run as users of their own and write beside the objects.
	umask 0
	find "$folder/src" -type d -exec chmod a+rwx '{}' +
	suite_check unit "$folder"
	suite_install coverage
	for script in "$ROOT"/tests/integration/test_*.sh; do
		suite_script integration coverage "$script"
	done
	run "gcovr" "$folder/gcovr.log" "see the log" coverage_read "$folder"
	coverage_print "$folder/coverage.json"
}

# A line that can never run says so: LCOV_EXCL and asserts do not count as
# branches, since an assert's other side is the end of the program.
coverage_read()
{
	gcovr --root "$ROOT" --object-directory "$1" --filter "$ROOT/src/" \
		--exclude "$ROOT/src/main.c" --exclude-throw-branches \
		--exclude-branches-by-pattern '.*assert\(.*' \
		--gcov-ignore-parse-errors \
		--json-summary "$1/coverage.json" --txt "$1/coverage.txt" \
		--html-details "$1/coverage.html"
}

coverage_print()
{
	printf '\n  %-10s %18s %18s\n' room lines branches
	jq -r '
	def row: [ .[0].room,
	    (map(.line_covered) | add), (map(.line_total) | add),
	    (map(.branch_covered) | add), (map(.branch_total) | add) ];
	[ .files[] | . + { room: (.filename | split("/")[1]) } ] as $all |
	(($all | group_by(.room) | map(row)) +
	 [ $all | map(. + { room: "all" }) | row ])[] | @tsv' "$1" |
		awk -F'\t' '{
			printf "  %-10s %6d of %6d %5.1f%% %6d of %6d %5.1f%%\n",
			    $1, $2, $3, $3 ? 100 * $2 / $3 : 100,
			    $4, $5, $5 ? 100 * $4 / $5 : 100
		}'
	note "file by file: var/test/coverage/coverage.html"
}

# ---- bench: ratios to the null responder, and counts of instructions
#
# Two things are measured in turn in one run; each figure is the median of
# BENCH_ROUNDS rounds, and every round stands in the raw numbers.

BENCH_ROUNDS=${BENCH_ROUNDS:-3}
BENCH_SECONDS=${BENCH_SECONDS:-8}
BENCH_CONNECTIONS=32
BENCH_SERVERS='lighttpd apache-proxy apache'
BENCH_POLICIES='10 100 1000 10000'

verb_bench()
{
	local names=("$@") name
	packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
	build_bootstrap
	CFLAGS='-O2 -g' suite_build release CC=gcc
	suite_install release
	if [ "${#names[@]}" -eq 0 ]; then
		read -ra names <<<"decide $BENCH_SERVERS"
	fi
	BENCH=$VAR/bench
	mkdir -p "$BENCH"
	for name in "${names[@]}"; do
		headline "bench: $name"
		case " $BENCH_SERVERS decide " in
		*" $name "*) ;;
		*) die "there is no benchmark \"$name\"" \
			"one of: decide $BENCH_SERVERS" ;;
		esac
		if [ "$name" = decide ]; then
			bench_decide
		else
			(bench_server "$name") || die "bench $name failed"
		fi
	done
	bench_report >"$BENCH/benchmarks.md"
	cp "$BENCH/benchmarks.md" "$ROOT/docs/benchmarks.md"
	cat "$BENCH/benchmarks.md"
	note "written: docs/benchmarks.md"
}

# Instructions a decision, by callgrind: two lengths of the same run, whose
# difference has no start and no end in it.
bench_decide()
{
	local program=$VAR/test/release/tests/bench/bench_decide policies
	: >"$BENCH/decide"
	for policies in $BENCH_POLICIES; do
		watch_step "$policies policies" "$BENCH/decide.log" \
			bench_decide_one "$program" "$policies" ||
			die "bench_decide $policies failed" \
				"see $BENCH/decide.log"
	done
}

bench_decide_one()
{
	local few=200 many=1200 a b
	a=$(bench_instructions "$1" "$2" "$few") || return 1
	b=$(bench_instructions "$1" "$2" "$many") || return 1
	printf '%s %s %s\n' "$2" $(((b - a) / (many - few))) \
		"$("$1" "$2" 20000 | tail -n1)" >>"$BENCH/decide"
}

bench_instructions()
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" "$2" "$3" \
		2>&1 | tee /dev/stderr |
		sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

# bench_server SERVER: a world of its own, null responder and engine in turn.
bench_server()
{
	local server=$1 round program
	# shellcheck source=/dev/null
	. "$ROOT/tests/integration/lib.sh"
	PREFIX=$BENCH/../test/release/install
	PREFIX=$(cd -P "$PREFIX" && pwd)
	world_make
	world_up
	: >"$BENCH/$server"
	for round in $(seq "$BENCH_ROUNDS"); do
		for program in null engine; do
			bench_one "$server" "$program" full 0
		done
		note "round $round of $BENCH_ROUNDS: $(tail -n2 "$BENCH/$server" |
			awk '{ printf "%s %s/s  ", $1, $3 }')"
	done
	# A fifth of the engine's own load, the same for both.
	local pause
	pause=$(awk -v c="$BENCH_CONNECTIONS" '$1 == "engine" { n++; s += $3 }
		END { print int(c * 5000 / (s / n) + 0.5) }' "$BENCH/$server")
	for program in null engine; do
		bench_one "$server" "$program" fifth "$pause"
	done
	cat "$BENCH/$server"
}

# bench_one SERVER PROGRAM LOAD PAUSE-MS: a line
# "PROGRAM LOAD REQUESTS/S P50-MS P99-MS ERRORS".
bench_one()
{
	local server=$1 program=$2 load=$3 pause=$4
	local out=$BENCH/$server.$program.$load.wrk
	ENGINE_PROGRAM=$PREFIX/$PROGRAM_PATH
	if [ "$program" = null ]; then
		ENGINE_PROGRAM=$BENCH/../test/release/tests/bench/null_responder
	fi
	web_up "$server" >/dev/null || return 1
	IMS_KEY=$(key evaluator) IMS_DELAY_MS=$pause \
		wrk -t2 -c"$BENCH_CONNECTIONS" -d2s \
		-s "$ROOT/tests/bench/post.lua" "$(web_url)/evaluate.fcgi" \
		>/dev/null
	IMS_KEY=$(key evaluator) IMS_DELAY_MS=$pause \
		wrk -t2 -c"$BENCH_CONNECTIONS" -d"${BENCH_SECONDS}s" --latency \
		-s "$ROOT/tests/bench/post.lua" "$(web_url)/evaluate.fcgi" \
		>"$out"
	web_down
	bench_read "$program" "$load" <"$out" >>"$BENCH/$server"
}

bench_read()
{
	awk -v program="$1" -v load="$2" '
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
	END { printf "%s %s %.0f %.3f %.3f %d\n", program, load, rps, p50, p99, errors }'
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
}

bench_report_servers()
{
	local server
	cat <<-TEXT
	## Behind a web server

	1 KB body, $BENCH_CONNECTIONS keep-alive connections, wrk on the same
	machine, all seed policies, each evaluation recorded. The null responder
	reads the same body and answers 200 bytes. Medians of $BENCH_ROUNDS rounds
	of $BENCH_SECONDS s. "A fifth": both under a fifth of the engine's full load.

	| server | null/s | engine/s | ratio | null p50 / p99 ms | engine p50 / p99 ms | at a fifth: null p99 | engine p99 |
	|---|---|---|---|---|---|---|---|
	TEXT
	for server in $BENCH_SERVERS; do
		[ -s "$BENCH/$server" ] && bench_report_server "$server"
	done
	printf '\nRaw: program, load, requests/s, p50 ms, p99 ms, errors.\n\n'
	for server in $BENCH_SERVERS; do
		[ -s "$BENCH/$server" ] || continue
		printf '```\n%s\n%s\n```\n\n' "$server" "$(cat "$BENCH/$server")"
	done
}

bench_report_server()
{
	awk -v server="$1" '
	{ k = $1 $2; n[k]++; rps[k, n[k]] = $3; p50[k, n[k]] = $4; p99[k, n[k]] = $5 }
	function median(of, k,    i, j, t, a) {
		for (i = 1; i <= n[k]; i++) a[i] = of[k, i]
		for (i = 2; i <= n[k]; i++)
			for (j = i; j > 1 && a[j - 1] > a[j]; j--) {
				t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
			}
		return a[int((n[k] + 1) / 2)]
	}
	END {
		printf "| %s | %d | %d | %.2f | %.2f / %.2f | %.2f / %.2f | %.2f | %.2f |\n",
		    server, median(rps, "nullfull"), median(rps, "enginefull"),
		    median(rps, "enginefull") / median(rps, "nullfull"),
		    median(p50, "nullfull"), median(p99, "nullfull"),
		    median(p50, "enginefull"), median(p99, "enginefull"),
		    median(p99, "nullfifth"), median(p99, "enginefifth")
	}' "$BENCH/$1"
}

bench_report_decide()
{
	[ -s "$BENCH/decide" ] || return 0
	cat <<-TEXT
	## The engine alone

	Instructions a decision, counted by callgrind; the number of policies grows,
	the number that apply does not.

	| policies | instructions a decision | time (ns a decision) |
	|---|---|---|
	TEXT
	awk '{ printf "| %s | %s |", $1, $2; $1 = $2 = ""; print $0 " |" }' \
		"$BENCH/decide"
}
