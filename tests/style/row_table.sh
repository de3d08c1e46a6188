#!/bin/sh
# Fail unless the columns of include/record/row.tbl.h are those of the tables
# that the migrations make: evaluations and usage exactly, in order;
# policy_violations in order, then those of its resolution, which nobody copies;
# and unless the views that make words of numbers have them in the code's order.
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

check usage USAGE ''
if ! awk '/INSERT INTO usage \(/ { inside = 1; next }
	inside && /SELECT/ { exit }
	inside' schemas/009_usage.sql | tr -d '")' | tr ',' '\n' |
	tr -d ' \t' | sed '/^$/d' >"$tmp/taken" ||
	! row_columns USAGE | diff -u - "$tmp/taken"; then
	echo "usage_take() and include/record/row.tbl.h differ"
	bad=1
fi

# words NAME: of the table of words in core.
words()
{
	sed -n "/ $1\[\]/,/};/p" src/core/*.c |
		grep -o '"[A-Za-z_]*"' | tr -d '"' | paste -sd' '
}

# array FILE FIRST: of the array in the view that begins with FIRST.
array()
{
	tr '\n' ' ' <"$1" | grep -o "ARRAY\['$2'[^]]*" |
		grep -o "'[A-Za-z_]*'" | tr -d "'" | paste -sd' '
}

same_words() # NAME FILE FIRST
{
	if [ -z "$(words "$1")" ] || [ "$(words "$1")" != "$(array "$2" "$3")" ]
	then
		echo "$2 has \"$(array "$2" "$3")\", core \"$(words "$1")\""
		bad=1
	fi
}
same_words execution_words schemas/007_views.sql passed
same_words window_words schemas/009_usage.sql minute
same_words counter_unit_words schemas/009_usage.sql requests
exit "$bad"
