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
IMS_PG=$(conninfo ims_dev_owner ims_policy) CMOCKA_MESSAGE_OUTPUT=TAP \
	"$IMS_BUILD/tests/integration/store_cases"
