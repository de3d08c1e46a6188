#!/bin/sh
# Fail if a header does not compile alone, with gcc and with clang.
set -eu
. "$(dirname "$0")/lib.sh"

flags="$(style_cflags) $(style_warnings)"
bad=0
for cc in gcc clang; do
	for header in $(style_headers); do
		# shellcheck disable=SC2086 # a list of flags
		echo "#include \"${header#include/}\"" |
			$cc $flags -fsyntax-only -x c - || {
			echo "$header does not compile alone with $cc"
			bad=1
		}
	done
done
exit $bad
