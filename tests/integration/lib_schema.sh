# lib_schema: a database with the schema in it and nothing else running.
# Sourced after lib.sh by the scripts that test SQL.
# shellcheck shell=bash

SCHEMAS=$ROOT/schemas
SEED=$ROOT/seed

# schema_world: PostgreSQL, the migrations by plain psql as the database's
# owner (no superuser), and the logins of its roles.
schema_world()
{
	world_make
	{
		postgres_up
		run "database: owner" "$VAR/log/database.log" \
			"see the log" database_owner
		run "database: registry" "$VAR/log/registry.log" \
			"see the log" registry ims_policy
		run "database: roles" "$VAR/log/roles.log" \
			"see the log" database_logins
	} >&2 || exit 2
}

# registry DATABASE: from another folder, since \ir must not depend on it.
registry()
{
	(cd / && psql -X -q -d "$(conninfo ims_dev_owner "$1")" \
		-f "$SCHEMAS/policy_registry.sql")
}

seed()
{
	local file
	for file in "$SEED"/0*.sql; do
		psql -X -q -v ON_ERROR_STOP=1 \
			-d "$(conninfo ims_dev_owner ims_policy)" -f "$file" ||
			return
	done
}

# as ROLE TEXT: unaligned rows; an error is its SQLSTATE alone.
as()
{
	psql -X -q -At -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate \
		-d "$(conninfo "ims_dev_$1" ims_policy)" -c "$2" 2>&1
}

# state ROLE SQLSTATE TEXT NAME: TEXT fails with SQLSTATE and changes nothing.
state()
{
	is "$(as "$1" "BEGIN; $3; ROLLBACK")" "ERROR:  $2" "$4"
}

# may ROLE TEXT NAME: TEXT works; nothing of it stays.
may()
{
	check "$3" as "$1" "BEGIN; $2; ROLLBACK"
}
