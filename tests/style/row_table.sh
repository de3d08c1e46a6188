#!/bin/sh
# Fail unless the columns of include/record/row.tbl.h are those of the tables
# that the migrations make: evaluations exactly, in order; policy_violations in
# order, then those of its resolution, which nobody copies; and unless the
# results of executions are numbered alike.
set -eu
cd "$(dirname "$0")/../.."

table_columns() # of the CREATE TABLE statement; later ADD COLUMNs behind
{
	cat schemas/[0-9]*.sql | awk -v table="$1" '
	$1 == "CREATE" && $2 == "TABLE" && $3 == table && $4 == "(" {
		inside = 1
		next
	}
	inside && /^\)/ { inside = 0 }
	inside && /^\t["a-z]/ { gsub(/"/, "", $1); print $1 }
	$1 == "ALTER" && $2 == "TABLE" { altered = $3 }
	altered == table {
		for (i = 1; i < NF; i++)
			if ($i == "ADD" && $(i + 1) == "COLUMN")
				print $(i + 2)
	}
	/;$/ { altered = "" }'
}

row_columns()
{
	sed -nE "s/^$1\((.*)\)\$/\1/p" include/record/row.tbl.h
}

bad=0
check() # table, macro, further columns
{
	want=$(row_columns "$2"; printf '%s' "$3")
	have=$(table_columns "$1")
	if [ -z "$have" ] || [ "$want" != "$have" ]; then
		echo "$1: schemas/ and include/record/row.tbl.h differ:"
		printf '%s\n' "$want" >"$tmp/row.tbl.h"
		printf '%s\n' "$have" >"$tmp/schemas"
		diff -u "$tmp/row.tbl.h" "$tmp/schemas" || true
		bad=1
	fi
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
check evaluations EVALUATION ''
check policy_violations VIOLATION 'resolved
resolved_at
resolved_by
resolution_notes
disposition'

# The view that makes words of executions has them in the order of the code.
words=$(sed -n '/execution_words\[\]/,/};/p' src/core/*.c |
	grep -o '"[a-z_]*"' | tr -d '"' | paste -sd' ')
view=$(grep -o "ARRAY\['passed'[^]]*" schemas/007_views.sql |
	grep -o "'[a-z_]*'" | tr -d "'" | paste -sd' ')
if [ -z "$words" ] || [ "$words" != "$view" ]; then
	echo "results of executions: schemas/ has \"$view\", core \"$words\""
	bad=1
fi
exit "$bad"
