#!/bin/sh
# Fail if clang-tidy (.clang-tidy) has something to say about src/.
# `tidy.sh FILE...` looks at these files only.
set -eu
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046 # file names here have no spaces
[ $# -gt 0 ] || set -- $(find src -name '*.c' | sort)
# shellcheck disable=SC2046 # a list of flags
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' sh -c '
	file=$1
	shift
	said=$(clang-tidy --quiet "$file" -- "$@" 2>&1) || {
		printf "%s\n" "$said" | grep -v "warnings generated"
		exit 1
	}' tidy '{}' $(style_cflags)
