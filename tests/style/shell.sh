#!/bin/sh
# Fail if shellcheck has something to say about a shell script.
set -eu
. "$(dirname "$0")/lib.sh"

{
	printf '%s\n' dev bootstrap
	find tools tests .ci apache-conf lighttpd-conf -type f \
		\( -name '*.sh' -o -name run \) 2>/dev/null
} | sort -u | xargs shellcheck --external-sources
