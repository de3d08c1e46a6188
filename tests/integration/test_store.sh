#!/bin/bash
# The rooms store, record and counter against a PostgreSQL of their own:
# errors, time-outs, lost and hung connections, COPY, notifications, the
# cursor; counters, epochs, hosts, the ledger.
. "$(dirname "$0")/lib.sh"

world_make
{
	postgres_up
	settings_write
	database_owner
	ctl migrate
	database_logins
} >&2 || exit 2
export CMOCKA_MESSAGE_OUTPUT=TAP TMPDIR=$VAR
export IMS_PG IMS_PG_ROOT IMS_PG_KEEPER IMS_PG_COUNTER
IMS_PG=$(conninfo ims_dev_owner ims_policy)
IMS_PG_ROOT=$(conninfo postgres ims_policy)
IMS_PG_KEEPER=$(conninfo ims_dev_keeper ims_policy)
IMS_PG_COUNTER=$(conninfo ims_dev_counter ims_policy)
for part in store drain counter crowd node call suite; do
	# One plan for all: their own plans and numbers are left out.
	while IFS= read -r line; do
		case $line in
		*'# SKIP '*) skip "${line#*# SKIP }" "this store cannot" ;;
		'ok '*) ok 0 "${line#* - }" ;;
		'not ok '*) ok 1 "${line#* - }" ;;
		1..*) ;;
		*) printf '# %s\n' "$line" ;;
		esac
	done < <("$IMS_BUILD/tests/integration/${part}_cases" 2>&1 ||
		echo "not ok 0 - ${part}_cases: exit status $?")
done
tap_done
