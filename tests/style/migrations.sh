#!/bin/sh
# Fail unless schemas/ holds migrations 001, 002, ... without a gap, and
# policy_registry.sql loads each of them and records its right hash.
# With --fix, write the hashes into policy_registry.sql (a migration that has
# been released is never edited, so this is for one that has not).
set -eu
cd "$(dirname "$0")/../../schemas"
bad=0
n=0
for file in [0-9]*.sql; do
	n=$((n + 1))
	stem=${file%.sql}
	name=${stem#*_}
	if [ "$file" != "$(printf '%03d' "$n")_$name.sql" ]; then
		echo "$file: migration $n should be here"
		bad=1
	fi
	# Newlines at the end do not count; $() takes them away.
	hash=$(printf %s "$(cat "$file")" | sha256sum | cut -d ' ' -f 1)
	row="($n, '$file',"
	recorded=$(grep -FA 1 "$row" policy_registry.sql |
		grep -oE '[0-9a-f]{64}') || recorded=
	if ! grep -qx "\\\\ir $file" policy_registry.sql ||
		[ -z "$recorded" ]; then
		echo "policy_registry.sql: does not load $file"
		bad=1
	elif [ "$recorded" != "$hash" ] && [ "${1:-}" = --fix ]; then
		sed -i "/$row/{n;s/[0-9a-f]\{64\}/$hash/}" \
			policy_registry.sql
	elif [ "$recorded" != "$hash" ]; then
		echo "policy_registry.sql: $file has the hash $hash"
		bad=1
	fi
	if grep -nE '^[\]' "$file"; then
		echo "$file: a migration has no psql command"
		bad=1
	fi
done
exit "$bad"
