#!/bin/sh
# Fail if a document leaves out a row of the table it describes, gives another
# default, or describes a row that the table does not have.
set -eu
. "$(dirname "$0")/lib.sh"

bad=0
complain()
{
	echo "$*"
	bad=1
}

# rows TABLE DEFINES...: the table through the preprocessor, a row a line.
rows()
{
	table=$1
	shift
	{
		printf '#define %s\n' "$@"
		printf '#include "%s"\n' "$table"
	} | cpp -P -Iinclude | sed 's/@/\n/g' | sed 's/" *"//g' |
		sed -n 's/^ *ROW *//p' | sed 's/ *$//'
}

# has FILE TEXT WHAT
has()
{
	grep -qF -- "$2" "$1" || complain "$1 does not have $3"
}

need()
{
	[ -e "$1" ] || {
		complain "$1 is missing"
		return 1
	}
}

# same LISTED SAID WHAT: two sorted lists, the code's and a document's.
same()
{
	comm -23 "$1" "$2" | sed "s|^|$3 does not have: |" >"$diff"
	comm -13 "$1" "$2" | sed "s|^|$3 has what is not: |" >>"$diff"
	[ ! -s "$diff" ] || complain "$(cat "$diff")"
}

# Every identifier that begins a row, whatever the macro is called.
table_names()
{
	sed -n 's/^[A-Z_]*(\([a-z][a-z0-9_]*\),.*/\1/p' "include/$1" | sort -u
}

# ---- settings: name|default|lowest|highest|choices

settings()
{
	rows base/config.tbl.h 'TEXT(n, f, d) @ROW n~f~~~' \
		'NUMBER(n, f, l, h, u, d) @ROW n~f~l~h~' \
		'CHOICE(n, f, w, d) @ROW n~f~~~w' |
		tr -d '"' | sed 's/ *~ */~/g'
}

# The row of a setting must hold its default, its range, its choices.
check_settings_rows()
{
	settings | while IFS='~' read -r name fallback low high words; do
		row=$(grep "^| *\`$name\` " "$1") || {
			echo "$1 does not have \`$name\`"
			continue
		}
		for word in $(echo "$fallback $words" | tr '|' ' '); do
			case $row in
			*"\`$word\`"*) ;;
			*) echo "$1: \`$name\` does not have \`$word\`" ;;
			esac
		done
		case $row in
		*"$low${high:+ to }$high"*) ;;
		*) echo "$1: \`$name\` does not have $low to $high" ;;
		esac
	done
}

check_settings()
{
	file=docs/configuration.md
	need $file || return 0
	check_settings_rows $file >"$said"
	[ ! -s "$said" ] || complain "$(cat "$said")"
	settings | cut -d'~' -f1 | sort >"$listed"
	sed -n 's/^| *`\([a-z_]*\)` .*/\1/p' $file | sort -u >"$said"
	same "$listed" "$said" $file
}

check_settings_manual()
{
	file=docs/man/ims-policy.conf.5
	need $file || return 0
	settings | sed 's/|/, /g' | while IFS='~' read -r name fallback low high words
	do
		echo "$name $fallback ${high:+$low to $high}${words:+One of $words}"
	done | sed 's/ *$//' | sort >"$listed"
	awk '/^\.It Va / { name = $3; range = "" }
	/^[0-9]+ to [0-9]+ / { range = $1 " to " $3 }
	/^One of / { range = $0; sub(/\.$/, "", range) }
	/^Default: empty\.$/ { print name " " " " range }
	/^\.Li / && name != "" { print name " " $2 " " range }' $file |
		sed 's/ *$//' | sort >"$said"
	same "$listed" "$said" $file
	sed -n 's/^;\{0,1\}\([a-z_]*\) = .*/\1/p' docs/ims-policy.conf.sample |
		sort -u >"$said"
	settings | cut -d'~' -f1 | sort | comm -13 - "$said" |
		sed 's|^|docs/ims-policy.conf.sample has what is not: |' >"$diff"
	[ ! -s "$diff" ] || complain "$(cat "$diff")"
}

# ---- metrics

check_metrics()
{
	file=docs/metrics.md
	need $file || return 0
	rows base/metric.tbl.h 'COUNTER(n, l, v, h) @ROW n' \
		'GAUGE(n, h) @ROW n' 'HISTOGRAM(n, h) @ROW n' |
		sed 's/^/ims_policy_/' | sort >"$listed"
	sed -n 's/^| `\(ims_policy_[a-z_]*\)` .*/\1/p' $file | sort -u >"$said"
	same "$listed" "$said" $file
	# what alerts and sentences name must be one of them, too
	grep -oE 'ims_policy_[a-z_]+' $file | sort -u | comm -23 - "$listed" |
		grep -vE '^ims_policy_(owner|keeper|api|)$|_(bucket|sum|count)$' |
		sed "s|^|$file names no metric: |" >"$diff" || true
	[ ! -s "$diff" ] || complain "$(cat "$diff")"
	rows base/metric.tbl.h 'COUNTER(n, l, v, h) @ROW n~l~v' \
		'GAUGE(n, h)' 'HISTOGRAM(n, h)' | tr -d '"' |
		grep -v 'NULL' | sed 's/ *~ */~/g' >"$listed"
	while IFS='~' read -r name label values; do
		row=$(grep "^| \`ims_policy_$name\`" $file) || continue
		for word in "$label" $(echo "$values" | tr '|' ' '); do
			case $row in
			*"\`$word\`"*) ;;
			*) complain "$file: $name does not have \`$word\`" ;;
			esac
		done
	done <"$listed"
}

# ---- policies: constraints, facts, and the words of the answers

check_constraints()
{
	file=docs/policies.md
	need $file || return 0
	for name in $(table_names core/constraint.tbl.h); do
		has $file "\`$name\`" "the constraint \`$name\`"
	done
	for name in $(table_names core/fact.tbl.h); do
		has $file "\`$name\`" "the fact \`$name\`"
	done
}

# Types and details of findings are the words with a '_' in these files.
check_finding_words()
{
	for word in $(cat src/core/check_*.c src/core/decide.c src/core/run.c \
		src/core/bypass.c src/engine/facts.c | grep -v '^#include' |
		grep -oE '"[a-z]+(_[a-z]+)+"' | tr -d '"' | sort -u); do
		has docs/policies.md "\`$word" "the word \`$word\` of an answer"
	done
}

# ---- HTTP: routes, fields of a body, problems

check_routes()
{
	file=docs/openapi.yaml
	need $file || return 0
	rows http/route.tbl.h 'ROUTE(p, m, path, r, h, d) @ROW m path' |
		tr -d '"' | awk '{ print tolower($1), $2 }' | sort >"$listed"
	awk '/^[a-z]/ { inside = $0 == "paths:" }
	inside && /^  \// { path = $1; sub(/:$/, "", path) }
	inside && /^    (get|put|post|patch|delete|head|options):/ {
		method = $1
		sub(/:$/, "", method)
		print method, path
	}' $file | sort >"$said"
	same "$listed" "$said" $file
}

check_fields()
{
	file=docs/openapi.yaml
	need $file || return 0
	table_names engine/field.tbl.h >"$listed"
	awk '/^    [A-Z]/ { inside = $1 == "EvaluationContext:"; members = 0 }
	inside && /^      properties:/ { members = 1; next }
	inside && members && /^        [a-z_]+:/ {
		name = $1
		sub(/:.*/, "", name)
		print name
	}' $file | sort -u >"$said"
	same "$listed" "$said" "$file, EvaluationContext,"
}

check_problems()
{
	file=docs/problems.md
	need $file || return 0
	rows base/status.tbl.h 'STATUS(n, h, s, t) @ROW s~h~t' | tr -d '"' |
		sed 's/ *~ */~/g' | grep -v '^ok~' | sort >"$listed"
	sed -n 's/^| `\([a-z-]*\)` | \([0-9]*\) | \([^|]*\) | .*/\1~\2~\3/p' \
		$file | sort >"$said"
	same "$listed" "$said" $file
}

# ---- programs: options and verbs in the manuals

# options FILE...: the long options of getopt's tables.
options()
{
	sed -n 's/^\t*{ "\([a-z-]*\)", [a-z]*_argument,.*/\1/p' "$@" | sort -u
}

# option_macros FILE: those that a manual has as .Fl -name.
option_macros()
{
	grep -oE 'Fl (c , |p , |t , |l , )?-[a-z]+' "$1" | sed 's/.*-//' |
		sort -u
}

check_manuals()
{
	file=docs/man/ims-policy.fcgi.8
	if need $file; then
		options src/main.c >"$listed"
		option_macros $file >"$said"
		same "$listed" "$said" $file
	fi
	file=docs/man/ims-policyctl.8
	need $file || return 0
	options src/ctl/*.c >"$listed"
	option_macros $file >"$said"
	same "$listed" "$said" $file
	sed -n 's/^\t{ { "\([a-z]*\)", NULL },.*/\1/p
		s/^\t{ { "\([a-z]*\)", "\([a-z]*\)" },.*/\1 \2/p' src/ctl/ctl.c |
		sort >"$listed"
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/s/^\.Cm //p' $file |
		sort -u >"$said"
	same "$listed" "$said" "$file, SYNOPSIS,"
	sed -n 's/^\.It Cm \([a-z]*\( [a-z]\{1,\}\)\{0,1\}\).*/\1/p' $file |
		sort -u >"$said"
	same "$listed" "$said" "$file, the list of verbs,"
}

# ---- the tables themselves

check_tables()
{
	for table in include/*/*.tbl.h; do
		has docs/house.md "\`$table\`" "the table $table"
	done
}

said=$(mktemp)
listed=$(mktemp)
diff=$(mktemp)
trap 'rm -f "$said" "$listed" "$diff"' EXIT
check_settings
check_settings_manual
check_metrics
check_constraints
check_finding_words
check_routes
check_fields
check_problems
check_manuals
check_tables
exit $bad
