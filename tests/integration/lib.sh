# lib: what the integration scripts share: TAP, and private servers in a
# temporary folder, made by the very functions of ./dev.  Sourced.
#
#	IMS_PREFIX   where the engine is installed; default var/install
#	VAR          this test's folder; everything it starts works there
# shellcheck shell=bash
set -uo pipefail

ROOT=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PREFIX=${IMS_PREFIX:-$ROOT/var/install}
PREFIX=$(cd -P "$PREFIX" && pwd) || exit 2

for part in say services web; do
	# shellcheck source=/dev/null
	. "$ROOT/tools/$part.sh"
done

# ---- TAP

tap_n=0
tap_failed=0

# ok STATUS NAME: a test whose result is a status.
ok()
{
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$tap_n" "$2"
	else
		tap_failed=$((tap_failed + 1))
		printf 'not ok %d - %s\n' "$tap_n" "$2"
	fi
}

# check NAME COMMAND...: passes when COMMAND succeeds; shows what it said.
check()
{
	local name=$1 said status=0
	shift
	said=$("$@" 2>&1) || status=$?
	ok "$status" "$name"
	[ "$status" -eq 0 ] || printf '%s\n' "$said" | head -n 20 | sed 's/^/# /'
}

# is GOT WANTED NAME
is()
{
	local status=0
	[ "$1" = "$2" ] || status=1
	ok "$status" "$3"
	[ "$status" -eq 0 ] || printf '# got:    %s\n# wanted: %s\n' "$1" "$2"
}

# like TEXT REGEX NAME
like()
{
	local status=0
	grep -qE -- "$2" <<<"$1" || status=1
	ok "$status" "$3"
	[ "$status" -eq 0 ] ||
		printf '# %s\n# does not match %s\n' "${1//$'\n'/$'\n'# }" "$2"
}

skip()
{
	tap_n=$((tap_n + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_n" "$1" "$2"
}

# tap_done: the plan, and the script's status.
tap_done()
{
	printf '1..%d\n' "$tap_n"
	[ "$tap_failed" -eq 0 ]
	exit
}

# ---- the private world

# world_make: VAR, a folder that every server's user can enter.
world_make()
{
	VAR=$(mktemp -d "${TMPDIR:-/tmp}/ims-test.XXXXXX")
	chmod 755 "$VAR"
	var_folders
	trap world_end EXIT
	trap 'exit 3' INT TERM HUP
	# A test's database need not survive a power cut.
	POSTGRES_OPTIONS='-c fsync=off -c full_page_writes=off -c shared_buffers=32MB'
}

# What a failed test left behind is kept where IMS_KEEP is set.
world_end()
{
	local status=$?
	world_stop >/dev/null 2>&1
	if [ -n "${IMS_KEEP:-}" ]; then
		printf '# kept: %s\n' "$VAR"
	else
		rm -rf "$VAR"
	fi
	exit "$status"
}

world_stop()
{
	web_down
	stop housekeeper
	engine_sweep
	stop memcached
	postgres_down
}

# world_up: all but the web server.
world_up()
{
	{
		postgres_up
		memcached_up
		settings_write
		database_up
		keys_up
		keeper_up
	} >&2 || exit 2
}

# sql TEXT: as the owner; unaligned rows.
sql()
{
	psql -X -q -At -v ON_ERROR_STOP=1 -c "$1" \
		"$(conninfo ims_dev_owner ims_policy)"
}

# rollups_differ: rows of usage_rollups that are not what a GROUP BY of the
# ledger gives, and the other way round, each with its side.
rollups_differ()
{
	sql "WITH grouped AS (
		SELECT date_bin('15 minutes', uuid7_time(evaluation_id),
				timestamptz '2000-01-01 00:00:00+00') AS quarter,
		       coalesce(organization_id, ''), coalesce(team_id, ''),
		       coalesce(user_id, ''), coalesce(api_key_id, ''),
		       coalesce(model_id, ''), coalesce(vendor_id, ''),
		       sum(calls), sum(cost), sum(tokens),
		       coalesce(sum(input_tokens), 0),
		       coalesce(sum(output_tokens), 0),
		       count(*) FILTER (WHERE entry = 'settle'),
		       count(*) FILTER (WHERE entry = 'settle' AND NOT success),
		       coalesce(sum(overrun), 0)
		FROM usage WHERE entry <> 'report'
		GROUP BY 1, 2, 3, 4, 5, 6, 7
	), kept AS (
		SELECT quarter, organization_id, team_id, user_id, api_key_id,
		       model_id, vendor_id, calls, cost, tokens, input_tokens,
		       output_tokens, settled, failed, overrun
		FROM usage_rollups
	)
	(SELECT 'missing', * FROM grouped EXCEPT ALL
	 SELECT 'missing', * FROM kept) UNION ALL
	(SELECT 'wrong', * FROM kept EXCEPT ALL
	 SELECT 'wrong', * FROM grouped)"
}

key()
{
	cat "$VAR/keys/$1"
}

# evaluate BODY [CURL OPTION...]: status in STATUS, headers in HEAD, body in
# BODY.
evaluate()
{
	local body=$1
	shift
	ask /evaluate.fcgi -H "Authorization: Bearer $(key evaluator)" \
		-H 'Content-Type: application/json' --data-binary "$body" "$@"
}

# ask PATH [CURL OPTION...]
ask()
{
	local path=$1
	shift
	STATUS=$(curl --silent --max-time 30 --path-as-is \
		-D "$VAR/run/ask.head" -o "$VAR/run/ask.body" \
		-w '%{http_code}' "$@" "$(web_url)$path")
	HEAD=$(tr -d '\r' <"$VAR/run/ask.head")
	BODY=$(cat "$VAR/run/ask.body")
}

# header NAME: its value in the last answer.
header()
{
	sed -n "s/^$1: //Ip" <<<"$HEAD" | tail -n1
}

# Does every process of the engine decide by the newest revision?  One may be
# loading it for a moment, and decides by the one before.
published()
{
	ask /health/ready -H "Authorization: Bearer $(key viewer)"
	[ "$(field '[.processes[].policy_revision] | unique | join(" ")')" = \
		"$(sql 'SELECT revision FROM policy_revision')" ]
}

# field FILTER: jq on the last answer.
field()
{
	jq -r "$1" <<<"$BODY" 2>&1
}

# Is the housekeeper the only process of the engine?
engine_only_keeper()
{
	[ "$(engine_pids)" = "$(cat "$VAR/run/housekeeper.pid")" ]
}
