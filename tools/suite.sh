# suite: ./dev test and ./dev lint.  A stage writes its figures as a line
# "STAGE PASSED FAILED SKIPPED" to RESULTS; the sum is the last line.
# Sourced by ./dev.
# shellcheck shell=bash

# CI's checkout may belong to another user than root: git asks for a word.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory
export GIT_CONFIG_VALUE_0=$ROOT

STAGES='
unit        | | gcc -Werror build; make check: unit tests, decisions, fuzz seeds
integration | | scripts against real servers in temporary folders
sanitizers  | | both again with AddressSanitizer and UndefinedBehaviorSanitizer
clang       | | clang -Werror build and its make check
lint        | | ./dev lint
distcheck   | | the tarball builds, passes its tests, installs and uninstalls
tsan        | long | ThreadSanitizer: make check and the programs under load
valgrind    | long | make check under valgrind
fuzz        | long | every fuzz target for 600 s
crash       | long | 50 rounds of kill -9 with the books compared
clone       | long | ./dev up in a clean clone
'

# Slowest first would be nicer to wait for; this order finds errors soonest.
verb_test()
{
	local long=no names=() stage
	while [ $# -gt 0 ]; do
		case $1 in
		--long) long=yes ;;
		--list)
			suite_list
			return
			;;
		-*) die "test does not know $1" "./dev test --list" ;;
		*) names+=("$1") ;;
		esac
		shift
	done
	packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
	build_bootstrap
	RESULTS=$VAR/test/results
	mkdir -p "$VAR/test"
	: >"$RESULTS"
	if [ "${#names[@]}" -eq 0 ]; then
		mapfile -t names < <(suite_stages "$long")
	fi
	for stage in "${names[@]}"; do
		suite_one "$stage"
	done
	suite_sum
}

suite_stages()
{
	awk -F' *[|] *' -v long="$1" \
		'NF > 2 && ($2 == "" || long == "yes") { print $1 }' <<<"$STAGES"
}

suite_list()
{
	printf 'Stages of ./dev test:\n'
	awk -F' *[|] *' 'NF > 2 {
		printf "  %-12s %s%s\n", $1, $3, $2 == "" ? "" : " (--long)"
	}' <<<"$STAGES"
	printf 'Single tests:\n'
	(cd "$ROOT/tests" && ls unit/test_*.c integration/test_*.sh \
		style/*.sh 2>/dev/null) | sed 's/^/  /'
}

# suite_one NAME: a stage, or one test by its file's name.
suite_one()
{
	local name=$1 file
	if suite_stages yes | grep -x -- "$name" >/dev/null; then
		headline "$name"
		# In a shell of its own: a stage that dies is a failure of it.
		("stage_$name") || suite_died "$name"
		return
	fi
	name=$(basename "$name")
	name=${name%.*}
	for file in integration/$name.sh style/$name.sh unit/$name.c; do
		if [ -e "$ROOT/tests/$file" ]; then
			headline "$file"
			(suite_single "$file") || suite_died "$name"
			return
		fi
	done
	die "there is no stage and no test \"$name\"" "./dev test --list"
}

suite_single()
{
	case $1 in
	unit/*)
		suite_build gcc CC=gcc --enable-werror
		suite_check gcc "$VAR/test/gcc" TESTS="tests/${1%.c}"
		;;
	integration/*)
		suite_build gcc CC=gcc --enable-werror
		suite_install gcc
		suite_script integration gcc "$ROOT/tests/$1"
		;;
	style/*)
		suite_style "$(basename "$1" .sh)"
		;;
	esac
}

suite_died()
{
	printf '%s 0 1 0\n' "$1" >>"$RESULTS"
}

suite_sum()
{
	local failed
	headline "results"
	awk '{
		p[$1] += $2; f[$1] += $3; s[$1] += $4
		if (!($1 in seen)) { seen[$1] = 1; order[++n] = $1 }
	}
	END {
		for (i = 1; i <= n; i++) {
			k = order[i]
			printf "  %-12s %5d passed, %d failed, %d skipped\n",
			    k, p[k], f[k], s[k]
			sp += p[k]; sf += f[k]
		}
		printf "%d passed, %d failed\n", sp, sf
	}' "$RESULTS"
	failed=$(awk '{ f += $3 } END { print f + 0 }' "$RESULTS")
	[ "$failed" -eq 0 ]
}

# ---- builds of the tests: var/test/NAME, installed in var/test/NAME/install

# suite_build NAME OPTION...
suite_build()
{
	local folder=$VAR/test/$1
	shift
	build_tree "$folder" --prefix="$folder/install" "$@"
	build_make "$folder"
}

suite_install()
{
	local folder=$VAR/test/$1
	run "install $1" "$folder/install.log" "see the log" \
		make -C "$folder" install INSTALL="$(command -v install) -C"
}

# suite_check STAGE FOLDER [VARIABLE=...]: make check, counted.
suite_check()
{
	local stage=$1 folder=$2 status=0
	shift 2
	find "$folder/tests" -name '*.trs' -delete 2>/dev/null || true
	build_make "$folder" check TESTS=
	watch_step "run the tests" "$folder/check.log" \
		make -C "$folder" -j"$JOBS" check "$@" || status=$?
	suite_count_check "$stage" "$folder" "$status"
}

# Each test program left NAME.log with its "ok" lines, and NAME.trs with what
# became of it: a program that died says so only there.
suite_count_check()
{
	local stage=$1 folder=$2 status=$3 trs passed=0 failed=0 skipped=0 ran=0
	while read -r trs; do
		ran=$((ran + 1))
		suite_count_log "${trs%.trs}.log" \
			"$(sed -n 's/^:global-test-result: //p' "$trs")"
	done < <(find "$folder/tests" -name '*.trs' | sort)
	if [ "$ran" -eq 0 ] || { [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; }; then
		show_end "$folder/check.log"
		failed=$((failed + 1))
	fi
	note "$passed passed, $failed failed, $skipped skipped, in $ran programs"
	printf '%s %d %d %d\n' "$stage" "$passed" "$failed" "$skipped" \
		>>"$RESULTS"
}

# suite_count_log LOG RESULT: add to the caller's passed, failed and skipped.
suite_count_log()
{
	local log=$1 result=$2 ok not_ok skip
	skip=$(grep -cE '^(not )?ok\b.*# SKIP' "$log" || true)
	ok=$(grep -E '^ok\b' "$log" | grep -vc '# SKIP' || true)
	not_ok=$(grep -E '^not ok\b' "$log" | grep -vc '# SKIP' || true)
	if [ $((ok + not_ok + skip)) -eq 0 ] && [ "$result" = PASS ]; then
		ok=1 # a script that only has a status
	fi
	if [ "$result" = SKIP ] && [ "$skip" -eq 0 ]; then
		skip=1
	fi
	if [ "$result" != PASS ] && [ "$result" != SKIP ] &&
		[ "$not_ok" -eq 0 ]; then
		not_ok=1
	fi
	if [ "$not_ok" -gt 0 ]; then
		grep -E '^(not ok|# )' "$log" | head -n 40 | sed 's/^/    /'
		show_end "$log" 15
	fi
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	skipped=$((skipped + skip))
}

# suite_script STAGE BUILD SCRIPT: an integration script; TAP on its output.
suite_script()
{
	local stage=$1 build=$VAR/test/$2 script=$3 status=0
	local name log result=PASS passed=0 failed=0 skipped=0
	name=$(basename "$script" .sh)
	log=$build/integration/$name.log
	watch_step "$name" "$log" \
		env IMS_PREFIX="$build/install" IMS_BUILD="$build" \
		"$script" || status=$?
	case $status in
	0) ;;
	77) result=SKIP ;;
	*) result=FAIL ;;
	esac
	suite_count_log "$log" "$result"
	note "$passed passed, $failed failed, $skipped skipped"
	printf '%s %d %d %d\n' "$stage" "$passed" "$failed" "$skipped" \
		>>"$RESULTS"
}

# ---- stages

stage_unit()
{
	suite_build gcc CC=gcc --enable-werror
	suite_check unit "$VAR/test/gcc"
}

stage_integration()
{
	local script
	suite_build gcc CC=gcc --enable-werror
	suite_install gcc
	for script in "$ROOT"/tests/integration/test_*.sh; do
		suite_script integration gcc "$script"
	done
}

# A sanitizer ends a program with an error that the tests then see; what it
# said is in the log.  Scripts that run none of the built programs say nothing
# new here.
stage_sanitizers()
{
	local script
	export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
	export UBSAN_OPTIONS=print_stacktrace=1
	suite_build asan CC=gcc --enable-asan
	suite_check sanitizers "$VAR/test/asan"
	suite_install asan
	for script in "$ROOT"/tests/integration/test_*.sh; do
		case $script in
		*/test_schema.sh | */test_roles.sh | */test_records.sh | \
			*/test_ledger.sh | */test_up.sh) ;;
		*) suite_script sanitizers asan "$script" ;;
		esac
	done
}

stage_clang()
{
	suite_build clang CC=clang --enable-werror
	suite_check clang "$VAR/test/clang"
}

stage_lint()
{
	local failed=0 passed=0 script
	for script in $(suite_styles); do
		if suite_style "$script"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
	printf 'lint %d %d 0\n' "$passed" "$failed" >>"$RESULTS"
}

suite_styles()
{
	local file
	for file in "$ROOT"/tests/style/*.sh; do
		file=$(basename "$file" .sh)
		[ "$file" = lib ] || printf '%s\n' "$file"
	done
}

suite_style()
{
	local log=$VAR/test/lint/$1.log
	watch_step "$1" "$log" "$ROOT/tests/style/$1.sh" || {
		show_end "$log" 60
		return 1
	}
}

verb_lint()
{
	local failed=0 name names=("$@")
	packages_need "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
	if [ "${#names[@]}" -eq 0 ]; then
		mapfile -t names < <(suite_styles)
	fi
	for name in "${names[@]}"; do
		[ -x "$ROOT/tests/style/$name.sh" ] ||
			die "there is no check \"$name\"" \
				"one of: $(suite_styles | tr '\n' ' ')"
		suite_style "$name" || failed=$((failed + 1))
	done
	[ "$failed" -eq 0 ] || die "$failed checks found something"
}

stage_distcheck()
{
	local folder=$VAR/test/gcc missing
	suite_build gcc CC=gcc --enable-werror
	run "make distcheck" "$folder/distcheck.log" \
		"see the log; a missing file must be named in Makefile.am" \
		make -C "$folder" -j"$JOBS" distcheck
	missing=$(suite_not_in_tarball "$folder")
	if [ -n "$missing" ]; then
		printf '%s\n' "$missing"
		die "these files of the tree are not in the tarball" \
			"name them in Makefile.am"
	fi
	note "the tarball has every file of the tree"
	printf 'distcheck 2 0 0\n' >>"$RESULTS"
}

# Files that git has, or would take, and the tarball does not.
suite_not_in_tarball()
{
	local tarball
	tarball=$(printf '%s\n' "$1"/ims-policy-*.tar.xz | tail -n1)
	git -C "$ROOT" rev-parse --git-dir >/dev/null 2>&1 || return 0
	comm -23 \
		<(cd "$ROOT" && git ls-files --cached --others \
			--exclude-standard | grep -vE '^\.(git|ci)' |
			while read -r file; do
				[ ! -e "$file" ] || printf '%s\n' "$file"
			done | sort -u) \
		<(tar -tf "$tarball" | sed 's|^[^/]*/||' | sort -u)
}

stage_tsan()
{
	export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
	suite_build tsan CC=clang --enable-tsan
	suite_check tsan "$VAR/test/tsan"
	suite_install tsan
	suite_script tsan tsan "$ROOT/tests/integration/test_servers.sh"
	suite_script tsan tsan "$ROOT/tests/integration/test_reload.sh"
}

stage_valgrind()
{
	suite_build gcc CC=gcc --enable-werror
	suite_check valgrind "$VAR/test/gcc" \
		LOG_COMPILER="$ROOT/tools/under-valgrind"
}

stage_fuzz()
{
	local passed=0 failed=0 target
	fuzz_build
	for target in $(fuzz_targets); do
		if fuzz_run "$target" 600; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
	printf 'fuzz %d %d 0\n' "$passed" "$failed" >>"$RESULTS"
}

stage_crash()
{
	suite_build gcc CC=gcc --enable-werror
	suite_install gcc
	IMS_ROUNDS=50 suite_script crash gcc \
		"$ROOT/tests/integration/test_faults.sh"
}

# From nothing but what git has: the newcomer's two commands.
stage_clone()
{
	local clone
	clone=$(mktemp -d /var/tmp/ims-policy-clone.XXXXXX)
	run "clone" "$VAR/test/clone.log" "is everything committed?" \
		git clone --quiet "$ROOT" "$clone/ims-policy"
	run "./dev up in the clone" "$VAR/test/clone-up.log" "see the log" \
		"$clone/ims-policy/dev" up
	run "./dev down --clean in the clone" "$VAR/test/clone-down.log" \
		"see the log" "$clone/ims-policy/dev" down --clean
	rm -rf "$clone"
	printf 'clone 1 0 0\n' >>"$RESULTS"
}
