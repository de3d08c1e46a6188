#!/bin/sh
# Fail if schemas/policy.schema.json does not say what the tables of core say:
# the constraints with their categories, stages, types and ranges, the facts,
# and the words of a policy.
set -eu
. "$(dirname "$0")/lib.sh"

schema=schemas/policy.schema.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# rows TABLE DEFINE: the table through the preprocessor, a row a line.
rows()
{
	printf '#define %s\n#include "%s"\n' "$2" "$1" | cpp -P -Iinclude |
		{ tr '\n' ' '; echo; } | sed 's/@ROW */\n/g' | sed '1d; s/ *| */|/g; s/ *$//'
}

# words ENUM: the words of an enum of core/policy.h.
words()
{
	prefix=$(echo "$1" | tr '[:lower:]' '[:upper:]')
	{ tr '\n' ' ' <include/core/policy.h; echo; } |
		sed "s/.*enum $1 {\([^}]*\)}.*/\1/; s/,/\n/g" |
		sed -n "/_N *\$/d; /=/d; s/^[[:space:]]*${prefix}_//p" |
		sed 's/[[:space:]].*//' | tr '[:upper:]' '[:lower:]'
}

# Lines "what|name|value", the same from both sides.
from_tables()
{
	rows core/constraint.tbl.h \
		'CONSTRAINT(k,c,s,t,l,h,b,f,d) @ROW k|c|s|t|l|h|b' |
		awk -F'|' '
		BEGIN {
			n = split("COST VENDOR BEHAVIORAL PERFORMANCE " \
				"DATA_RESIDENCY COMPLIANCE", categories, " ")
			stage["P"] = "pre_flight"
			stage["R"] = "runtime"
			stage["X"] = "post_execution"
			stage["C"] = "continuous"
			type["MONEY"] = type["RATIO"] = "number"
			type["THRESHOLD"] = "number"
			type["COUNT"] = "integer"
			type["FLAG"] = "boolean"
			type["TEXT"] = "string"
			type["WORDS"] = "words"
			type["OBJECT"] = "object"
		}
		{
			for (i = 1; i <= n; i++) {
				if ($2 == categories[i] || $2 == "ANY")
					print "category|" $1 "|" \
						tolower(categories[i])
			}
			for (s in stage)
				if (index($3, s)) print "stage|" $1 "|" stage[s]
			if ($4 ~ /^(MONEY|COUNT|RATIO|THRESHOLD)$/)
				printf "range|%s|%.15g-%.15g\n", $1, $5, $6
			if ($4 ~ /^(TEXTS|NAMES|KEYWORDS|PATTERNS)$/)
				printf "list|%s|%.15g-%.15g\n", $1, $5, $6
			print "type|" $1 "|" ($4 in type ? type[$4] : "array")
			if ($7 == "FIXED") print "fixed|" $1 "|"
			if ($7 != "PARAM" || $1 == "log_all_requests" ||
			    $1 == "retention_days") print "alone|" $1 "|"
		}'
	rows core/fact.tbl.h 'FACT(n,t,f,a,m) @ROW fact|n|t' |
		tr '[:upper:]' '[:lower:]'
	for enum in category stage mode on_error scope; do
		words $enum | sed "s/.*/word|$enum|&/"
	done
	words action | grep -v allow | sed "s/.*/word|action|&/"
}

from_schema()
{
	jq -r '
	(.allOf[] | select(.then.properties.constraints.propertyNames.enum) |
	 (.if.properties.category.const // null) as $category |
	 (.if.properties.evaluation_type |
	  .const // (.enum // [null])[0]) as $stage |
	 .then.properties.constraints.propertyNames.enum[] |
	 if $category then "category|\(.)|\($category)"
	 else "stage|\(.)|\($stage)" end),
	(.allOf[].then.properties.constraints.propertyNames.not.enum // [] |
	 .[] | "fixed|\(.)|"),
	(."$defs".constraints.anyOf[].required[] | "alone|\(.)|"),
	(."$defs".constraints.properties | to_entries[] |
	 .key as $key | .value |
	 (if .enum then "words"
	  elif .["$ref"] == "#/$defs/moderation" then "object"
	  else .type end | "type|\($key)|\(.)"),
	 (select(.minimum) | "range|\($key)|\(.minimum)-\(.maximum)"),
	 (select(.maxItems) |
	  "list|\($key)|\(.items.maxLength)-\(.maxItems)")),
	(."$defs".condition.properties | del(.any) | to_entries[] |
	 "fact|\(.key)|\(.value["$ref"] | ltrimstr("#/$defs/") |
	  rtrimstr("_test"))"),
	(.properties |
	 {category, stage: .evaluation_type, mode, on_error, scope,
	  action: .action_on_violation} | to_entries[] |
	 "word|\(.key)|\(.value.enum[] | select(. != null))")
	' $schema
}

from_tables | sort >"$work/tables"
from_schema | sort >"$work/schema"
# A check of nothing would pass.
[ "$(wc -l <"$work/tables")" -gt 300 ] || {
	echo "the tables could not be read"
	exit 1
}
diff -u "$work/tables" "$work/schema"
