#!/bin/bash
# ims-policyctl's other verbs: keys, policies, settings, status, and how it
# says that something is wrong.
. "$(dirname "$0")/lib.sh"

# said COMMAND...: its status in STATUS, output in OUT, messages in SAID.
said()
{
	STATUS=0
	OUT=$("$@" 2>"$VAR/run/said") || STATUS=$?
	SAID=$(cat "$VAR/run/said")
}

# usage NAME ARGUMENT...: exit 2, and how it is used.
usage()
{
	local name=$1
	shift
	said ctl "$@"
	is "$STATUS" 2 "usage: $name"
	like "$SAID" '^Usage: ims-policyctl' "usage: $name: is explained"
}

test_usage()
{
	usage 'no verb'
	usage 'an unknown verb' nonsense
	usage 'half a verb' key
	usage 'an unknown second word' key nonsense
	usage 'an unknown option' key create --nonsense
	usage 'no role' key create
	usage 'a role that is none' key create --role king
	usage 'a bind without a value' key create --role viewer --bind team_id
	usage 'a fact bound twice' key create --role viewer --bind team_id=a \
		--bind team_id=b
	usage 'a time that is none' key create --role viewer --expires never
	usage 'a time that is over' key create --role viewer \
		--expires 2020-01-01T00:00:00Z
	usage 'a word too many' key create --role viewer more
	usage 'no id' key revoke
	usage 'two ids' key revoke a b
	usage 'a list of something' key list all
	usage 'no file' policy check
	usage 'no file to put' policy put
	usage 'an unknown option of put' policy put --why x
	usage 'a list of policies of something' policy list all
	usage 'config of something' config state_dir
	usage 'status of something' status now
	usage 'half of a node verb' node
	usage 'a list of hosts of something' node list all
	usage 'no host' node remove
	usage 'two hosts' node remove a b
	usage 'an unknown option of remove' node remove --please a
	usage 'counters of something' counters now
	usage 'counters of two things' counters status now
	usage 'no reason' counters rebuild
	usage 'an empty reason' counters rebuild --reason ''
	usage 'a reason too long' counters rebuild \
		--reason "$(printf '%01000d' 0)"
	usage 'an unknown option of rebuild' counters rebuild --why x
	usage 'a rebuild of something' counters rebuild --reason x all
	usage 'no reason to use' counters use memcached
	usage 'nothing to use' counters use --reason x
	usage 'nothing known to use' counters use --reason x sqlite
	usage 'two to use' counters use --reason x memcached postgresql
	usage 'no call' usage
	usage 'a call that has no id' usage 12345
	usage 'two calls' usage 01930000-0000-7000-8000-000000000001 x
	said ctl --help
	is "$STATUS" 0 '--help succeeds'
	like "$OUT" 'policy check FILE' '--help names the verbs'
	said ctl --version
	like "$OUT" '^ims-policyctl [0-9]' '--version'
	said ctl --nonsense
	is "$STATUS" 2 'an unknown option before the verb'
}

NEED_PG=(migrate seed 'key list' 'policy list' 'key revoke x'
	'key create --role viewer' 'node list' 'node remove x' counters
	'counters rebuild --reason x' 'counters use --reason x postgresql'
	'usage 01930000-0000-7000-8000-000000000001')

test_settings()
{
	local conf=$VAR/run/other.conf
	said "$PREFIX/bin/ims-policyctl" --config "$VAR/nowhere" config
	is "$STATUS" 1 'no settings: fails'
	like "$SAID" 'cannot read the settings: .*nowhere' 'no settings: says so'
	said ctl config
	is "$STATUS" 0 'config succeeds'
	like "$OUT" "^state_dir +$VAR/state  \(default /var/lib/ims-policy\)" \
		'config shows what is set'
	like "$OUT" '^fail_mode +open$' 'config shows a choice'
	like "$OUT" '^threads +[0-9]+ threads' 'config shows a number'
	like "$OUT" '^pg_admin +\(set, not shown\)' 'config hides a password'
	is "$(grep -c password= <<<"$OUT")" 0 'config shows no password at all'
	printf '[ims-policy]\nstate_dir = %s/none\nfail_mode = closed\n' \
		"$VAR" >"$conf"
	said env "IMS_CONFIG=$conf" "$PREFIX/bin/ims-policyctl" config
	like "$OUT" '^fail_mode +closed  \(default open\)' 'IMS_CONFIG names it'
	for verb in "${NEED_PG[@]}"; do
		# shellcheck disable=SC2086 # words
		said "$PREFIX/bin/ims-policyctl" --config "$conf" $verb
		is "$STATUS" 1 "without pg_admin: $verb fails"
		like "$SAID" 'pg_admin is not set' "without pg_admin: $verb says so"
	done
	said "$PREFIX/bin/ims-policyctl" --config "$conf" status
	is "$STATUS" 1 'status of a host that never ran: fails'
	like "$SAID" 'no engine has run' 'status of a host that never ran: why'
	printf 'pg_admin = host=%s/none\n' "$VAR" >>"$conf"
	for verb in "${NEED_PG[@]}"; do
		# shellcheck disable=SC2086 # words
		said "$PREFIX/bin/ims-policyctl" --config "$conf" $verb
		is "$STATUS" 1 "without PostgreSQL: $verb fails"
		like "$SAID" 'is PostgreSQL running, and is pg_admin right' \
			"without PostgreSQL: $verb says what to do"
	done
}

# Who may read and may not change.
test_rights()
{
	local conf=$VAR/run/reader.conf verb
	local id=01930000-0000-7000-8000-00000000000a
	printf '[ims-policy]\nstate_dir = %s/none\npg_admin = %s\n' "$VAR" \
		"$(conninfo ims_dev_api ims_policy)" >"$conf"
	sql "SELECT node_beat('$id', 'old', 0, NULL, 1, now());
		UPDATE nodes SET beat_at = now() - interval '1 hour'" >/dev/null
	said "$PREFIX/bin/ims-policyctl" --config "$conf" node list
	like "$OUT" '^old ' 'a reader may list hosts'
	for verb in 'node remove old' 'counters rebuild --reason x' \
		'counters use --reason x postgresql'; do
		# shellcheck disable=SC2086 # words
		said "$PREFIX/bin/ims-policyctl" --config "$conf" $verb
		is "$STATUS" 1 "but not: $verb"
		like "$SAID" 'pg_admin must be a member of ims_policy_owner' \
			"and is told: $verb"
	done
	is "$(sql 'SELECT count(*) FROM nodes')" 1 'the host is still there'
	is "$(sql 'SELECT count(*) FROM counter_epochs')" 0 'no epoch has begun'
	sql 'DELETE FROM nodes'
}

test_keys()
{
	local key id
	said ctl key create --role evaluator --name 'the "gateway"' \
		--bind team_id=t1 --bind environment=staging \
		--tiers free,pro --regions us-east --asserts user_id,user_tier \
		--expires 2090-01-02T03:04:05+01:00
	is "$STATUS" 0 'a key with everything'
	key=$OUT
	like "$key" '^ims_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$' \
		'the key alone is on the output'
	like "$SAID" 'shown this once' 'the rest is said beside it'
	id=${key#ims_}
	id=${id%%_*}
	is "$(sql "SELECT name, role, bound_facts, user_tiers, regions, asserts,
		rfc3339(expires_at), octet_length(hash) FROM api_keys
		WHERE key_id = '$id'")" \
		'the "gateway"|evaluator|{"team_id": "t1", "environment": "staging"}|{free,pro}|{us-east}|{user_id,user_tier}|2090-01-02T02:04:05.000000Z|32' \
		'all of it is stored'
	is "$(sql "SELECT count(*) FROM api_keys
		WHERE hash = convert_to('${key##*_}', 'UTF8')")" 0 \
		'but not the secret'
	said ctl key create --role viewer
	is "$(sql "SELECT name IS NULL, user_tiers, asserts IS NULL,
		expires_at IS NULL FROM api_keys WHERE role = 'viewer'")" \
		't|{}|t|t' 'a key with nothing'
	said ctl key create --role resolver --asserts ''
	is "$(sql "SELECT asserts FROM api_keys WHERE role = 'resolver'")" \
		'{}' 'a key whose caller may assert nothing'

	said ctl key create --role viewer --bind nonsense=1
	is "$STATUS" 1 'a fact that is none is refused'
	like "$SAID" '/api_keys/0/bound_facts/nonsense' 'with its place'
	said ctl key create --role viewer --asserts user_id,prompt_length
	is "$STATUS" 1 'asserting what only the engine knows is refused'
	said ctl key create --role viewer --name "$(printf '%0300d' 0)"
	is "$STATUS" 1 'a name of 300 characters is refused'

	said ctl key list
	like "$OUT" "^$id evaluator valid .* until 2090-01-02T02:04:05" \
		'the list has it'
	is "$(wc -l <<<"$OUT")" 3 'and the others'
	sql "UPDATE api_keys SET expires_at = now() - interval '1 day'
		WHERE role = 'viewer'"
	said ctl key revoke "$id"
	is "$STATUS" 0 'a key is revoked'
	said ctl key list
	like "$OUT" "^$id evaluator revoked" 'the list says revoked'
	like "$OUT" ' viewer    expired' 'the list says expired'
	said ctl key revoke "$id"
	is "$STATUS" 1 'a second time is refused'
	like "$SAID" 'is revoked already' 'and that is said'
	said ctl key revoke nobody
	like "$SAID" 'there is no key nobody' 'an unknown one is refused'
}

POLICY='{"name":"p1","category":"cost","priority":50,"tags":["a"],
	"constraints":{"max_cost_per_request":0.1}}'

# policy TEXT: as a file.
policy()
{
	printf '%s' "$1" >"$VAR/run/policy.json"
	said ctl policy "${@:2}" "$VAR/run/policy.json"
}

test_policies()
{
	policy "$POLICY" check
	is "$STATUS" 0 'a good policy is good'
	like "$OUT" 'nothing is wrong' 'and that is said'
	policy '{"name":"p","category":"cost","priority":500,
		"constraints":{"max_cost_per_request":-1,"nonsense":2}}' check
	is "$STATUS" 1 'a wrong one is wrong'
	like "$SAID" 'policy.json: /priority: ' 'each place has a line: priority'
	like "$SAID" ': /constraints/max_cost_per_request: ' 'a negative number'
	like "$SAID" ': /constraints/nonsense: ' 'an unknown constraint'
	policy '{"name":' check
	is "$STATUS" 1 'half a document is wrong'
	policy '' check
	is "$STATUS" 1 'no document is wrong'
	said ctl policy check "$VAR/nowhere"
	is "$STATUS" 1 'a file that is not there'
	like "$SAID" 'cannot check a policy: cannot read .*nowhere' 'says so'

	policy "$POLICY" put --reason 'the first'
	like "$OUT" 'is version 1 now' 'a policy is put'
	is "$(sql "SELECT enabled, mode, evaluation_type, on_error, scope,
		applies_to, constraints, tags, action_on_violation IS NULL,
		update_reason, updated_by <> '' FROM policies
		WHERE name = 'p1'")" \
		't|enforce|pre_flight|default|user|{}|{"max_cost_per_request": 0.1}|{a}|t|the first|t' \
		'with its defaults, reason and author'
	policy "$POLICY" put
	like "$OUT" 'unchanged' 'the same again changes nothing'
	policy "${POLICY/0.1/0.2}" put
	like "$OUT" 'is version 2 now' 'another one is the next version'
	is "$(sql "SELECT string_agg(v.document->'constraints'->>
		'max_cost_per_request', ' ' ORDER BY v.version)
		FROM policy_versions v JOIN policies USING (policy_id)
		WHERE name = 'p1'")" '0.1 0.2' 'and the first is kept'
	sql "UPDATE policies SET deleted_at = now() WHERE name = 'p1'"
	policy "${POLICY/0.1/0.2}" put
	like "$OUT" 'is version 4 now' 'a deleted one comes back'
	policy '{"name":"p2","category":"cost","priority":500}' put
	is "$STATUS" 1 'a wrong one is not put'
	said ctl policy put - <<<"${POLICY/p1/p3}"
	is "$STATUS" 0 'from standard input'
	said ctl policy list
	is "$(wc -l <<<"$OUT")" 2 'the list has both'
	like "$OUT" '^p1 +cost +pre_flight +50 default +enforce +v4 ' \
		'and what they are'
	sql 'ALTER TABLE policies RENAME TO elsewhere'
	said ctl policy list
	is "$STATUS" 1 'a table that is not there'
	like "$SAID" 'run ims-policyctl migrate' 'says what to do'
	sql 'ALTER TABLE elsewhere RENAME TO policies'
}

test_status()
{
	keeper_up >&2
	wait_until 10 pg_is_up
	said ctl status
	is "$STATUS" 0 'status succeeds'
	like "$OUT" "housekeeper +process $(cat "$VAR/run/housekeeper.pid"), last turn [0-9]+ ms ago" \
		'it names the housekeeper'
	like "$OUT" '^postgresql +up since 20' 'PostgreSQL is up'
	like "$OUT" "^policy revision +$(sql 'SELECT revision FROM policy_revision') " \
		'it names the revision'
	like "$OUT" '^spool +0 bytes' 'and the backlog'
	stop housekeeper
	said ctl status
	like "$OUT" '^housekeeper +none runs' 'and that no housekeeper runs'
}

pg_is_up()
{
	ctl status | grep -q '^postgresql  *up'
}

world_make
{
	postgres_up
	settings_write
	database_owner
	ctl migrate
	database_logins
} >&2 || exit 2
test_usage
test_settings
test_rights
test_keys
test_policies
test_status
tap_done
