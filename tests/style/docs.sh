#!/bin/sh
# Fail if a document links to a file that is not there, has lines of prose over
# 120 columns, if openapi.yaml names a component that it does not have, or if
# mandoc has something to say about a manual page.
set -eu
. "$(dirname "$0")/lib.sh"

bad=0
complain()
{
	echo "$*"
	bad=1
}

documents()
{
	echo README.md
	find docs -name '*.md' | sort
}

# Links within the tree; benchmarks.md is written by ./dev bench.
check_links()
{
	documents | while read -r file; do
		grep -oE '\]\([^)#]+' "$file" | sed 's/^](//' |
			grep -vE '^[a-z]+:|benchmarks\.md$' | sort -u |
			while read -r link; do
				[ -e "$(dirname "$file")/$link" ] ||
					echo "$file: there is no $link"
			done
	done
}

# Rows of tables and blocks of code cannot be broken.
check_columns()
{
	documents | while read -r file; do
		awk '/^ *```/ { code = !code; print ""; next }
		{ print code || /^ *\|/ || /^      / ? "" : $0 }' "$file" |
			LC_ALL=C.UTF-8 grep -nE '^.{121,}' | cut -d: -f1 |
			sed "s|^|$file: more than 120 columns in line |"
	done || true
}

# Each $ref has its component, each component is used by somebody; and no
# anchors and merge keys, on which many readers of OpenAPI choke.
check_openapi()
{
	file=docs/openapi.yaml
	awk '/^[a-z]/ { inside = $0 == "components:" }
	inside && /^  [a-zA-Z]+:/ { kind = $1; sub(/:/, "", kind) }
	inside && kind != "securitySchemes" && /^    [A-Za-z-]+:/ {
		name = $1
		sub(/:.*/, "", name)
		print "#/components/" kind "/" name
	}' "$file" | sort >"$there"
	grep -oE "#/components/[A-Za-z/-]+" "$file" | sort -u >"$named"
	comm -13 "$there" "$named" | sed "s|^|$file does not have: |"
	comm -23 "$there" "$named" | sed "s|^|$file has what nobody uses: |"
	grep -nE '<<:|: [&*][A-Za-z]|	' "$file" |
		sed "s|^|$file: an anchor, a merge key or a tab: |" || true
}

# The pages name each other, and are not installed here.
check_manuals()
{
	command -v mandoc >/dev/null || {
		echo "there is no mandoc: ./dev packages --test"
		return
	}
	mandoc -Tlint docs/man/*.[0-9] |
		grep -v 'STYLE: referenced manual not found: Xr ims-' || true
}

there=$(mktemp)
named=$(mktemp)
trap 'rm -f "$there" "$named"' EXIT
for check in check_links check_columns check_openapi check_manuals; do
	said=$($check)
	[ -z "$said" ] || complain "$said"
done
exit $bad
