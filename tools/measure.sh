# measure: ./dev fuzz and coverage.  Sourced by ./dev.
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
		env srcdir="$ROOT" \
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
