#!/bin/sh
# Report how long functions and files are; fail beyond the house's limits:
# files of 500 lines, functions of 70 (docs/house.md).
set -eu
. "$(dirname "$0")/lib.sh"

find src include -name '*.[ch]' | sort | xargs awk '
FNR == 1 { file_end(); name = FILENAME; inside = 0 }
{ lines = FNR }
/^[a-z_]+\(/ { fn = $0; sub(/\(.*/, "", fn) }
/^\{/ { inside = 1; start = FNR; next }
/^\}/ && inside {
	n = FNR - start - 1
	inside = 0
	sizes[++count] = n
	if (n > 70) {
		printf "%s:%d: %s has %d lines, more than 70\n",
		    FILENAME, start, fn, n
		bad = 1
	}
}
function file_end() {
	if (name != "" && lines > 500) {
		printf "%s has %d lines, more than 500\n", name, lines
		bad = 1
	}
}
END {
	file_end()
	for (i = 1; i <= count; i++)
		for (j = i; j > 1 && sizes[j - 1] > sizes[j]; j--) {
			t = sizes[j]; sizes[j] = sizes[j - 1]; sizes[j - 1] = t
		}
	if (count > 0)
		printf "%d functions; half have at most %d lines, nine in ten %d, the longest %d\n",
		    count, sizes[int((count + 1) / 2)],
		    sizes[int(count * 0.9 + 0.5)], sizes[count]
	exit bad
}'
