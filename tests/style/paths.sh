#!/bin/sh
# Fail if a file names a folder of somebody's own machine: this checkout's
# path, this user's home, or anybody's.
set -eu
. "$(dirname "$0")/lib.sh"

here=$(pwd -P)
git ls-files --cached --others --exclude-standard >/dev/null 2>&1 || {
	echo "not a git checkout: nothing to look at"
	exit 0
}
bad=0
for pattern in "$here" "${HOME:-/nonexistent}/" /home/[a-z] /Users/[A-Za-z]; do
	case $pattern in
	/ | //) continue ;;
	esac
	if git ls-files -z --cached --others --exclude-standard |
		xargs -0 grep -InE "(^|[^[:alnum:]_.~/-])$pattern" -- 2>/dev/null |
		grep -v '^tests/style/paths.sh:'; then
		echo "^ a path of one machine: $pattern"
		bad=1
	fi
done
exit $bad
