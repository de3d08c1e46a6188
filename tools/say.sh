# say: how ./dev talks, and where its files are.  Sourced by ./dev.
# shellcheck shell=bash

# The servers are in folders that an ordinary user's PATH leaves out, and that
# of root after `su`; and their users must be able to read what we install.
export PATH=$PATH:/usr/sbin:/sbin
umask 022

# var_open: set VAR, the real path of var/.
#
# The servers run as users of their own when we are root (postgres,
# ENGINE_USER), and Unix sockets have short paths.  Where the checkout cannot
# be entered by them, or lies too deep, var becomes a link to a folder that
# works.  IMS_DEV_VAR: another folder than var/, for tests of ./dev itself.
ENGINE_USER=www-data
SOCKET_PATH_ROOM=70

var_open()
{
	local link=${IMS_DEV_VAR:-$ROOT/var} place
	if [ ! -e "$link" ]; then
		rm -f "$link" # a link to a folder that is gone
		if var_fits "$link"; then
			mkdir "$link"
		else
			place=$(var_elsewhere)
			chmod 755 "$place"
			ln -s "$place" "$link"
			note "var/ is a link to $place: the servers cannot work in $ROOT"
		fi
	fi
	VAR=$(cd -P "$link" && pwd)
	# Half root's and half a user's, it would work for neither.
	[ -O "$VAR" ] || die "var/ belongs to $(stat -c %U "$VAR")" \
		"as that user go on, or remove it: ./dev down --clean"
	PREFIX=$VAR/install
	var_folders
}

var_folders()
{
	mkdir -p "$VAR/log" "$VAR/run" "$VAR/keys"
	chmod 700 "$VAR/keys"
	if is_root; then
		chown "$ENGINE_USER:" "$VAR/log" "$VAR/run"
	fi
}

var_fits()
{
	[ "${#1}" -le "$SOCKET_PATH_ROOM" ] || return 1
	is_root || return 0
	runuser -u "$ENGINE_USER" -- test -x "$ROOT" &&
		runuser -u nobody -- test -x "$ROOT"
}

var_elsewhere()
{
	if is_root; then
		mktemp -d /var/lib/ims-policy-dev.XXXXXX
	else
		mktemp -d /var/tmp/ims-policy-dev.XXXXXX
	fi
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

# as_engine COMMAND...: as the user that the web server and the engine run as.
as_engine()
{
	if is_root; then
		runuser -u "$ENGINE_USER" -- "$@"
	else
		"$@"
	fi
}

note()
{
	printf '  %s\n' "$*"
}

warn()
{
	printf 'dev: %s\n' "$*" >&2
}

# die WHAT [HINT]: stop with status 2, saying what did not work and what to do about it.
die()
{
	printf '\ndev: %s\n' "$1" >&2
	if [ -n "${2:-}" ]; then
		printf 'What to do: %s\n' "$2" >&2
	fi
	exit 2
}

# headline TEXT: a stage begins.
headline()
{
	printf '\n== %s\n' "$*"
}

# run NAME LOG HINT COMMAND...: a long step.  Its output goes to LOG; a line
# says that it began, lives and ended; when it fails, why and what to do.
run()
{
	local name=$1 log=$2 hint=$3 status=0
	shift 3
	watch_step "$name" "$log" "$@" || status=$?
	if [ "$status" -ne 0 ]; then
		show_end "$log"
		die "$name failed (status $status); all of it: $log" "$hint"
	fi
}

# watch_step NAME LOG COMMAND...: the same, but the caller judges the status.
watch_step()
{
	local name=$1 log=$2 began=$SECONDS status=0 pid
	shift 2
	mkdir -p "$(dirname "$log")"
	printf '  %-44s ' "$name"
	("$@") >"$log" 2>&1 </dev/null &
	pid=$!
	watch_pid "$pid" "$began" &
	local watcher=$!
	wait "$pid" || status=$?
	kill "$watcher" 2>/dev/null || true
	wait "$watcher" 2>/dev/null || true
	if [ "$status" -eq 0 ]; then
		printf 'done, %d s\n' $((SECONDS - began))
	else
		printf 'FAILED after %d s\n' $((SECONDS - began))
	fi
	return "$status"
}

# A dot every few seconds, so that a long step is seen to live.
watch_pid()
{
	local pid=$1
	# The last sleep outlives us: it must not hold the pipe that we write to.
	while sleep 5 >/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || break
		printf '.'
	done
}

show_end()
{
	printf '\n--- the last lines of %s\n' "$1" >&2
	tail -n "${2:-25}" "$1" >&2 || true
	printf -- '---\n' >&2
}

# wait_until SECONDS COMMAND...: until it succeeds; 1 when it never did.
wait_until()
{
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# one_line TEXT: a shell assignment's value, quoted.
quoted()
{
	printf "'%s'" "${1//\'/\'\\\'\'}"
}
