#!/bin/bash
# The rooms store and record against a PostgreSQL of their own: errors,
# time-outs, lost and hung connections, COPY, notifications, the cursor.
. "$(dirname "$0")/lib.sh"

world_make
{
	postgres_up
	settings_write
	database_owner
	ctl migrate
} >&2 || exit 2
export CMOCKA_MESSAGE_OUTPUT=TAP TMPDIR=$VAR IMS_PG
IMS_PG=$(conninfo ims_dev_owner ims_policy)
for part in store drain; do
	# One plan for both: their own plans and numbers are left out.
	while IFS= read -r line; do
		case $line in
		'ok '*) ok 0 "${line#* - }" ;;
		'not ok '*) ok 1 "${line#* - }" ;;
		1..*) ;;
		*) printf '# %s\n' "$line" ;;
		esac
	done < <("$IMS_BUILD/tests/integration/${part}_cases" 2>&1 ||
		echo "not ok 0 - ${part}_cases: exit status $?")
done
tap_done
