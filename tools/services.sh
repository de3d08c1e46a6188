# services: PostgreSQL, memcached, keys, settings and the housekeeper of
# ./dev up, all private, on loopback or Unix sockets, under VAR.
# Sourced by ./dev, and by tests/integration/lib.sh with a VAR of its own.
#
#	VAR       real path of the folder where everything lives
#	PREFIX    where the engine is installed
# shellcheck shell=bash

ROLES=(evaluator viewer resolver admin)

# ---- processes: each has its pid in run/NAME.pid and its log in log/NAME.log

# start NAME COMMAND...: as the engine's user, in a session of its own; returns
# when it is that command, not this shell's copy, or has ended already.
start()
{
	local name=$1 as=()
	shift
	if is_root; then
		as=(setpriv --reuid "$ENGINE_USER" --regid "$ENGINE_USER"
			--init-groups)
	fi
	"${as[@]}" setsid "$@" >>"$VAR/log/$name.log" 2>&1 </dev/null &
	printf '%s\n' "$!" >"$VAR/run/$name.pid"
	until running "$name" || ! kill -0 "$!" 2>/dev/null; do
		sleep 0.01
	done
}

# running NAME: does the pid of run/NAME.pid live, and is it ours?
running()
{
	lives "$VAR/run/$1.pid"
}

# lives PID_FILE: everything we start has a path under var/ in its command
# line; another program that got the number later does not, nor does a zombie.
lives()
{
	local pid
	pid=$(head -n1 "$1" 2>/dev/null) || return 1
	[ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" |
		grep -F "$VAR/" >/dev/null
}

# stop NAME: ask, wait, insist.
stop()
{
	local name=$1 pid
	if running "$name"; then
		pid=$(head -n1 "$VAR/run/$name.pid")
		kill -TERM "$pid" 2>/dev/null || true
		if ! wait_until 10 not running "$name"; then
			warn "$name (pid $pid) did not end in 10 s: killed"
			kill -KILL "$pid" 2>/dev/null || true
		fi
	fi
	rm -f "$VAR/run/$name.pid"
}

not()
{
	! "$@"
}

# Pids of the engine's processes that work for VAR, however they were started:
# the web servers hand them their settings by argument or by environment.
engine_pids()
{
	local exe
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2>/dev/null) in
		"$PREFIX"/*)
			if grep -qsF "$VAR/" "${exe%exe}cmdline" "${exe%exe}environ"
			then
				exe=${exe#/proc/}
				printf '%s\n' "${exe%/exe}"
			fi
			;;
		esac
	done
}

engine_gone()
{
	[ -z "$(engine_pids)" ]
}

# What a web server or a killed parent left behind.
engine_sweep()
{
	local pids
	pids=$(engine_pids)
	[ -n "$pids" ] || return 0
	# shellcheck disable=SC2086 # a list of numbers
	kill -TERM $pids 2>/dev/null || true
	if ! wait_until 10 engine_gone; then
		pids=$(engine_pids)
		# shellcheck disable=SC2086
		kill -KILL $pids 2>/dev/null || true
	fi
}

# ---- remembered values

# secret NAME: a password, made once.
secret()
{
	local file=$VAR/keys/$1
	if [ ! -s "$file" ]; then
		(umask 077 && head -c 24 /dev/urandom | base64 |
			tr -d '+/=\n' >"$file")
	fi
	cat "$file"
}

# port NAME: a free loopback port, chosen once.  One that somebody else took
# since then is replaced.
port()
{
	local file=$VAR/run/$1.port number
	number=$(cat "$file" 2>/dev/null || true)
	if [ -z "$number" ] || { ! running "$1" && port_taken "$number"; }; then
		until number=$((20000 + RANDOM % 12000)) &&
			! port_taken "$number"; do
			:
		done
		printf '%s\n' "$number" >"$file"
	fi
	printf '%s\n' "$number"
}

port_taken()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# ---- PostgreSQL

postgres_bin()
{
	local folder
	folder=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n1)
	[ -x "$folder/initdb" ] || die "there is no PostgreSQL server" \
		"apt-get install postgresql-15"
	printf '%s\n' "$folder"
}

# Not even PostgreSQL's own user may be root.
as_postgres()
{
	if is_root; then
		(cd / && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# conninfo USER DATABASE
conninfo()
{
	printf 'host=%s port=5432 dbname=%s user=%s password=%s' \
		"$VAR/pg/socket" "$2" "$1" "$(secret "pg-$1")"
}

sql_postgres()
{
	PGOPTIONS='--client-min-messages=warning' psql -X -q -At \
		-v ON_ERROR_STOP=1 "$(conninfo postgres "$1")"
}

# As docs/operations.md advises: checkpoints far apart, since each makes the next
# change of every page cost a whole page of log.
POSTGRES_SETTINGS='-c shared_buffers=512MB -c max_wal_size=4GB -c checkpoint_timeout=15min'

postgres_up()
{
	local data=$VAR/pg/data
	mkdir -p "$VAR/pg/socket"
	touch "$VAR/log/postgresql.log"
	if is_root; then
		chown postgres: "$VAR/pg" "$VAR/pg/socket" \
			"$VAR/log/postgresql.log"
	fi
	if [ ! -e "$data/PG_VERSION" ]; then
		run "PostgreSQL: make a cluster" "$VAR/log/initdb.log" \
			"see the log; is there room on the disk?" postgres_init
	fi
	if ! postgres_running; then
		# Of one that was killed: their pid may be somebody else's now.
		rm -f "$data/postmaster.pid" "$VAR"/pg/socket/.s.PGSQL.*.lock
		run "PostgreSQL: start" "$VAR/log/pg_ctl.log" \
			"see $VAR/log/postgresql.log" \
			as_postgres "$(postgres_bin)/pg_ctl" -D "$data" -w -t 60 \
			-l "$VAR/log/postgresql.log" start \
			-o "-c listen_addresses='' -p 5432 -k '$VAR/pg/socket' $POSTGRES_SETTINGS ${POSTGRES_OPTIONS:-}"
	fi
}

# No trust anywhere: every connection has a password, also on the socket.
postgres_init()
{
	local password=$VAR/pg/password
	rm -rf "$VAR/pg/data"
	install -m 600 /dev/null "$password"
	secret pg-postgres >"$password"
	if is_root; then
		chown postgres: "$password"
	fi
	as_postgres "$(postgres_bin)/initdb" -D "$VAR/pg/data" -U postgres \
		--pwfile="$password" --auth=scram-sha-256 --encoding=UTF8 \
		--locale=C.UTF-8 --no-instructions
	rm -f "$password"
	# Keys and tables belong together.
	rm -f "${ROLES[@]/#/$VAR/keys/}"
}

postgres_running()
{
	lives "$VAR/pg/data/postmaster.pid"
}

postgres_down()
{
	postgres_running || return 0
	as_postgres "$(postgres_bin)/pg_ctl" -D "$VAR/pg/data" -m fast -w stop \
		>/dev/null 2>&1 ||
		as_postgres "$(postgres_bin)/pg_ctl" -D "$VAR/pg/data" \
			-m immediate -w stop >/dev/null 2>&1 || true
}

# The database, its owner, the tables, the seed, and the roles that the
# housekeeper and the API log in as.
database_up()
{
	run "database: owner" "$VAR/log/database.log" \
		"see the log and $VAR/log/postgresql.log" database_owner
	run "database: migrate" "$VAR/log/migrate.log" \
		"see the log; ./dev down --clean starts with an empty database" \
		ctl migrate
	run "database: seed" "$VAR/log/seed.log" \
		"see the log; ./dev down --clean starts with an empty database" \
		ctl seed
	run "database: roles" "$VAR/log/roles.log" \
		"see the log" database_logins
}

# The first migration makes the group roles, so its runner may make roles.
database_owner()
{
	sql_postgres postgres <<-SQL
	SELECT 'CREATE ROLE ims_dev_owner LOGIN CREATEROLE' WHERE NOT EXISTS
	  (SELECT FROM pg_roles WHERE rolname = 'ims_dev_owner') \gexec
	ALTER ROLE ims_dev_owner PASSWORD '$(secret pg-ims_dev_owner)';
	SELECT 'CREATE DATABASE ims_policy OWNER ims_dev_owner'
	  WHERE NOT EXISTS
	  (SELECT FROM pg_database WHERE datname = 'ims_policy') \gexec
	SQL
}

# ims_dev_keeper, ims_dev_api, ims_dev_counter: logins in the group roles.
database_logins()
{
	local name
	for name in keeper api counter; do
		sql_postgres postgres <<-SQL
		SELECT 'CREATE ROLE ims_dev_$name LOGIN IN ROLE ims_policy_$name'
		  WHERE NOT EXISTS
		  (SELECT FROM pg_roles WHERE rolname = 'ims_dev_$name') \gexec
		ALTER ROLE ims_dev_$name PASSWORD '$(secret "pg-ims_dev_$name")';
		SQL
	done
}

# ---- memcached

memcached_up()
{
	local number
	running memcached && return
	number=$(port memcached)
	# -P: its path in the command line is how running() knows it.
	# -M: what does not fit is refused; nothing that counts is thrown away.
	start memcached memcached -l 127.0.0.1 -p "$number" -U 0 -m 256 -M \
		-P "$VAR/run/memcached.pid"
	wait_until 10 port_taken "$number" || {
		show_end "$VAR/log/memcached.log"
		die "memcached did not start on port $number"
	}
	note "memcached on 127.0.0.1:$number"
}

# ---- the engine's settings, keys and housekeeper

PROGRAM_PATH=libexec/ims-policy/ims-policy.fcgi

ctl()
{
	"$PREFIX/bin/ims-policyctl" --config "$VAR/ims-policyctl.conf" "$@"
}

# Two files: what the engine may know, and the owner's password beside it for
# ims-policyctl alone.
settings_write()
{
	local file=$VAR/ims-policy.conf
	mkdir -p "$VAR/state"
	chmod 700 "$VAR/state"
	(
		umask 077
		settings_common >"$file.new"
		{
			settings_common
			printf 'pg_admin = %s\n' \
				"$(conninfo ims_dev_owner ims_policy)"
		} >"$VAR/ims-policyctl.conf"
	)
	if is_root; then
		chown "$ENGINE_USER:" "$VAR/state" "$file.new"
	fi
	if cmp -s "$file.new" "$file"; then
		rm "$file.new"
	else
		mv "$file.new" "$file"
	fi
}

settings_common()
{
	cat <<-CONF
	; written by ./dev up
	[ims-policy]
	state_dir = $VAR/state
	pg_keeper = $(conninfo ims_dev_keeper ims_policy)
	pg_api = $(conninfo ims_dev_api ims_policy)
	pg_counter = $(conninfo ims_dev_counter ims_policy)
	memcached = ${MEMCACHED_SERVERS:-127.0.0.1:$(port memcached)}
	${SETTINGS_MORE:-}
	CONF
}

# One key a role, kept in keys/ROLE.
keys_up()
{
	local role
	for role in "${ROLES[@]}"; do
		[ -s "$VAR/keys/$role" ] || key_make "$role"
	done
}

key_make()
{
	local role=$1 said
	said=$(ctl key create --role "$role" --name "dev-$role" \
		2>"$VAR/log/key.log") || {
		show_end "$VAR/log/key.log"
		die "ims-policyctl key create --role $role failed"
	}
	(umask 077 && grep -oE 'ims_[a-z0-9]{16}_[A-Za-z0-9_-]{43}' \
		<<<"$said" | head -n1 >"$VAR/keys/$role")
	[ -s "$VAR/keys/$role" ] || die "ims-policyctl showed no key: $said"
	note "key for $role: var/keys/$role"
}

# A changed program or changed settings: what runs is of the old ones.
engine_changed()
{
	local now
	now=$(sha256sum "$PREFIX/$PROGRAM_PATH" "$VAR/ims-policy.conf")
	if [ "$now" = "$(cat "$VAR/run/engine.stamp" 2>/dev/null)" ]; then
		return 1
	fi
	printf '%s\n' "$now" >"$VAR/run/engine.stamp"
}

keeper_up()
{
	running housekeeper && return
	start housekeeper "$PREFIX/$PROGRAM_PATH" --housekeeper \
		--config "$VAR/ims-policy.conf"
	wait_until 15 test -e "$VAR/state/snapshot.img" || {
		show_end "$VAR/log/housekeeper.log"
		die "the housekeeper published no snapshot within 15 s" \
			"read the lines above: PostgreSQL, or a policy that does not compile"
	}
	note "housekeeper runs"
}
