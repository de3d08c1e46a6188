# build: configure, make and install, each in a folder of its own under var/.
# Sourced by ./dev.
# shellcheck shell=bash

# By two where there are two; the engine's build needs little memory.
JOBS=$(nproc 2>/dev/null || echo 1)

verb_build()
{
	packages_need "${PACKAGES_RUN[@]}"
	build_program
}

# The build that ./dev up runs: var/build, installed into var/install.
build_program()
{
	build_bootstrap
	build_tree "$VAR/build" --prefix="$VAR/install"
	build_make "$VAR/build"
	run "install into var/install" "$VAR/log/install.log" \
		"see the log; ./dev down --clean starts afresh" \
		make -C "$VAR/build" install INSTALL="$(command -v install) -C"
}

# ./configure, when configure.ac or Makefile.am is newer than it.
build_bootstrap()
{
	local script=$ROOT/configure made=$ROOT/Makefile.in source
	for source in configure.ac Makefile.am; do
		if [ ! -e "$script" ] || [ ! -e "$made" ] ||
			[ "$ROOT/$source" -nt "$script" ] &&
			[ "$ROOT/$source" -nt "$made" ]; then
			run "bootstrap" "$VAR/log/bootstrap.log" \
				"see the log: configure.ac or Makefile.am has an error" \
				"$ROOT/bootstrap"
			return
		fi
	done
}

# build_tree FOLDER OPTION...: configure there, unless it is done with these
# options since ./configure was made.
build_tree()
{
	local folder=$1
	shift
	local wanted="$ROOT CC=${CC:-} CFLAGS=${CFLAGS:-} $*"
	mkdir -p "$folder"
	if [ -e "$folder/Makefile" ] &&
		[ ! "$ROOT/configure" -nt "$folder/config.status" ] &&
		[ "$(cat "$folder/.options" 2>/dev/null)" = "$wanted" ]; then
		return
	fi
	rm -f "$folder/.options"
	run "configure $(basename "$folder")" "$folder/configure.log" \
		"see the log; a missing library is a missing package" \
		build_configure "$folder" "$@"
	printf '%s' "$wanted" >"$folder/.options"
}

build_configure()
{
	cd "$1" || return
	shift
	"$ROOT/configure" --quiet "$@"
}

# build_make FOLDER [TARGET...]
build_make()
{
	local folder=$1
	shift
	run "make ${*:-all} in $(basename "$folder")" "$folder/make.log" \
		"the compiler's first message in the log is the place to look" \
		make -C "$folder" -j"$JOBS" "$@"
}
