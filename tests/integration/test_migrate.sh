#!/bin/bash
# ims-policyctl migrate: forward, recorded, refused when edited, when a file
# is missing or the database is newer, and safe when two run at once.
. "$(dirname "$0")/lib.sh"

DIR=

# said COMMAND...: its status in STATUS, all that it said in SAID.
said()
{
	STATUS=0
	SAID=$("$@" 2>&1) || STATUS=$?
}

# migration NUMBER_NAME SQL
migration()
{
	printf '%s\n' "$2" >"$DIR/$1.sql"
}

# fresh: an empty database and the first three migrations of a small schema.
fresh()
{
	sql_postgres postgres <<-SQL
	DROP DATABASE IF EXISTS ims_policy WITH (FORCE);
	CREATE DATABASE ims_policy OWNER ims_dev_owner;
	SQL
	DIR=$(mktemp -d "$VAR/schemas.XXXXXX")
	migration 001_first "CREATE TABLE schema_migrations (version integer
		PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,
		applied_at timestamptz NOT NULL DEFAULT now());
		CREATE TABLE one (n integer)"
	migration 002_second 'ALTER TABLE one ADD m integer; SELECT 1'
	migration 003_third 'INSERT INTO one VALUES (1, 2)'
}

migrate()
{
	said ctl migrate --schemas "$DIR" "$@"
}

test_forward()
{
	fresh
	migrate --status
	is "$(awk '{ print $1 }' <<<"$SAID" | tr '\n' ' ')" \
		'pending pending pending ' 'an empty database: all are pending'
	migrate
	is "$STATUS" 0 'all are applied'
	like "$SAID" '^3 applied now, 3 in all$' 'and that is said'
	is "$(sql 'SELECT n, m FROM one')" '1|2' 'in their order'
	is "$(sql "SELECT count(*) FROM schema_migrations
		WHERE name LIKE '00_\_%.sql' AND length(sha256) = 64")" 3 \
		'and recorded'
	is "$(sql "SELECT sha256 FROM schema_migrations WHERE version = 2")" \
		"$(printf 'ALTER TABLE one ADD m integer; SELECT 1' |
			sha256sum | cut -d' ' -f1)" \
		'with the sum of the file without its last newline'
	migrate
	like "$SAID" '^0 applied now' 'a second run does nothing'
	printf '\n\n' >>"$DIR/002_second.sql"
	migrate
	is "$STATUS" 0 'newlines at the end do not count'
	migration 004_fourth 'INSERT INTO one VALUES (3, 4)'
	migrate
	like "$SAID" '^applied 004_fourth.sql' 'a new one is applied alone'
	is "$(sql 'SELECT count(*) FROM one')" 2 'once'
}

# refused NAME REGEX: the run fails, says why, and changed nothing.
refused()
{
	local before
	before=$(sql 'SELECT count(*), max(version) FROM schema_migrations')
	migrate
	is "$STATUS" 1 "$1: refused"
	like "$SAID" "$2" "$1: says so"
	is "$(sql 'SELECT count(*), max(version) FROM schema_migrations')" \
		"$before" "$1: nothing was applied"
}

test_refused()
{
	fresh
	migrate
	migration 004_fourth 'SELECT 1'
	printf -- '-- a word\n' >>"$DIR/002_second.sql"
	refused 'an edited one' '002_second.sql was edited'
	migrate --status
	is "$STATUS" 1 'an edited one: the list fails, too'
	like "$SAID" '^edited +002_second.sql' 'an edited one: the list shows it'

	fresh
	migrate
	mv "$DIR/003_third.sql" "$DIR/003_renamed.sql"
	refused 'a renamed one' '003_renamed.sql was edited.*003_third.sql'

	fresh
	migrate
	rm "$DIR/002_second.sql"
	refused 'a missing file' '003_third.sql stands where number 002 is wanted'

	fresh
	migrate
	cp "$DIR/002_second.sql" "$DIR/002_twice.sql"
	refused 'a number twice' '002_twice.sql stands where number 003'

	fresh
	migrate
	rm "$DIR/003_third.sql"
	refused 'a newer database' '003_third.sql is applied, but is not in'
	migrate --status
	like "$SAID" '^missing +003_third.sql' 'a newer database: the list shows it'

	fresh
	migrate
	migration 004_wrong 'INSERT INTO one VALUES (9, 9); SELECT nonsense'
	refused 'one that fails' '004_wrong.sql.*nonsense'
	is "$(sql 'SELECT count(*) FROM one WHERE n = 9')" 0 \
		'one that fails leaves nothing behind'
	migration 004_wrong 'INSERT INTO one VALUES (9, 9)'
	migrate
	is "$STATUS" 0 'when it is put right it is applied'
}

test_two_at_once()
{
	local i failed=0 pids=()
	fresh
	migration 002_second 'ALTER TABLE one ADD m integer; SELECT pg_sleep(1)'
	for i in 1 2 3; do
		ctl migrate --schemas "$DIR" >"$VAR/log/at-once.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || failed=$((failed + 1))
	done
	is "$failed" 0 'three at once: all succeed'
	is "$(sql 'SELECT count(*) FROM schema_migrations')" 3 \
		'three at once: each is recorded once'
	is "$(sql 'SELECT count(*) FROM one')" 1 \
		'three at once: each was applied once'
	is "$(cat "$VAR"/log/at-once.* | grep -c '^applied 00')" 3 \
		'three at once: each says what it did itself'
}

test_messages()
{
	said ctl migrate --schemas "$VAR/nowhere"
	is "$STATUS" 1 'no folder: fails'
	like "$SAID" 'cannot find the migrations.*nowhere' 'no folder: says so'
	said ctl migrate --schemas "$VAR/run"
	like "$SAID" 'there is no \*.sql file in' 'an empty folder: says so'
	said ctl migrate now
	is "$STATUS" 2 'a word too many: usage'
	said ctl migrate --nonsense
	is "$STATUS" 2 'an unknown option: usage'
	like "$SAID" '^Usage: ims-policyctl .* migrate' 'and how it is used'
	printf 'SELECT \0 1' >"$DIR/001_first.sql"
	migrate
	like "$SAID" '001_first.sql is no text' 'a NUL: says so'
}

# The schema itself, and the seed, on a fresh database.
test_schema()
{
	fresh
	DIR=$ROOT/schemas
	migrate
	is "$STATUS" 0 'the schema: applied'
	said ctl seed --seed "$ROOT/seed"
	is "$STATUS" 0 'the seed: loaded'
	like "$SAID" '^loaded 02_seed_policies.sql' 'the seed: each file is named'
	said ctl seed --seed "$ROOT/seed"
	is "$STATUS" 0 'the seed: loaded again'
	said ctl seed extra
	is "$STATUS" 2 'the seed: usage'
	said ctl seed --seed "$VAR/nowhere"
	is "$STATUS" 1 'the seed: no folder'
	mkdir "$VAR/badseed"
	printf 'INSERT INTO regions VALUES (1)' >"$VAR/badseed/1.sql"
	said ctl seed --seed "$VAR/badseed"
	is "$STATUS" 1 'the seed: a file that fails'
	like "$SAID" 'cannot load .*/badseed/1.sql: ' 'the seed: is named'
}

world_make
{
	postgres_up
	settings_write
	database_owner
} >&2 || exit 2
test_forward
test_refused
test_two_at_once
test_messages
test_schema
tap_done
