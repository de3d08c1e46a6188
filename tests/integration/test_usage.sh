#!/bin/bash
# GET /api/v1/compliance/usage: what it says is what a GROUP BY of the roll-ups
# says, in every zone, page by page; a reader who is bound to an organization
# sees nothing else; what is wrong is refused; PostgreSQL may be away.
. "$(dirname "$0")/lib.sh"

SERVER=${IMS_SERVER:-lighttpd}
URL=/api/v1/compliance/usage
YEAR='start_date=2026-01-01&end_date=2027-01-01'
USERS=2500

# usage ROLE QUERY [CURL OPTION...]
usage()
{
	local role=$1 query=$2
	shift 2
	ask "$URL${query:+?$query}" -H "x-api-key: $(key "$role")" "$@"
}

# all_pages ROLE QUERY: the rows of every page, a line each, in rows.json;
# PAGES says how many there were.
all_pages()
{
	local role=$1 path="$URL?$2"
	PAGES=0
	: >"$VAR/run/rows.json"
	while [ -n "$path" ] && [ "$PAGES" -lt 100 ]; do
		ask "$path" -H "x-api-key: $(key "$role")"
		[ "$STATUS" = 200 ] || return 1
		field '.[] | tojson' >>"$VAR/run/rows.json"
		PAGES=$((PAGES + 1))
		path=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
	done
}

# rows FILTER: of all_pages, each as tab-separated values; none of what FILTER
# leaves out.
rows()
{
	jq -r "[$1] | select(length > 0) | @tsv" "$VAR/run/rows.json"
}

# tsv SQL: the same from PostgreSQL.
tsv()
{
	sql "$1" | tr '|' '\t'
}

# bound_key NAME FACT=VALUE: a viewer that sees no more than that.
bound_key()
{
	(umask 077 && ctl key create --role viewer --name "$1" --bind "$2" |
		grep -oE 'ims_[a-z0-9]{16}_[A-Za-z0-9_-]{43}' |
		head -n1 >"$VAR/keys/$1")
}

knows_key()
{
	usage "$1" ""
	[ "$STATUS" = 200 ]
}

# Roll-ups of a year: users of three organizations, at odd times; some have no
# team or user.  Then an hour before and after each change of Berlin's clocks,
# and what is in this very quarter.
fill()
{
	sql "INSERT INTO usage_rollups
	SELECT timestamptz '2026-01-01 00:00:00Z' +
	       ((i * 7919) % 35040) * interval '15 minutes',
	       gen_random_uuid(),
	       (ARRAY['acme', 'globex', 'initech'])[1 + i % 3],
	       CASE WHEN i % 10 = 0 THEN '' ELSE 'team-' || i % 7 END,
	       CASE WHEN u = 0 THEN '' ELSE 'user-' || u END,
	       'key-' || i % 5,
	       (ARRAY['gpt-4o', 'GPT-4o', 'claude-3', 'a/b c'])[1 + i % 4],
	       (ARRAY['openai', 'openai', 'anthropic', ''])[1 + i % 4],
	       1 + i % 3, 0.01 + (i % 100) * 0.000000001 + (i % 7) * 0.25,
	       i % 1000, i % 600, i % 400, 1, i % 2, (i % 2) * 0.001
	FROM generate_series(1, 10000) i,
	LATERAL (SELECT i % $USERS) n (u);
	INSERT INTO usage_rollups
	SELECT at, gen_random_uuid(), 'berlin', '', 'b', '', 'm', 'v', 1, 1,
	       10, 6, 4, 1, 0, 0
	FROM unnest(ARRAY['2026-03-28 22:45Z', '2026-03-28 23:00Z',
		'2026-03-29 21:45Z', '2026-03-29 22:00Z',
		'2026-10-24 21:45Z', '2026-10-24 22:00Z',
		'2026-10-25 00:15Z', '2026-10-25 01:15Z',
		'2026-10-25 22:45Z', '2026-10-25 23:00Z']::timestamptz[]) at;
	INSERT INTO usage_rollups
	SELECT date_bin('15 minutes', now(), '2000-01-01Z'), gen_random_uuid(),
	       'now', '', 'n', '', 'm', 'v', 3, 0.75, 30, 20, 10, 3, 0, 0;
	ANALYZE usage_rollups"
}

SUMS='sum(calls), sum(settled), sum(failed), trim_scale(sum(cost)),
	trim_scale(sum(overrun)), sum(tokens), sum(input_tokens),
	sum(output_tokens)'
MEMBERS='.calls, .settled, .failed, .cost, .overrun, .tokens, .input_tokens,
	.output_tokens'
IN_YEAR="quarter >= '2026-01-01Z' AND quarter < '2027-01-01Z'"

test_totals()
{
	local name
	all_pages viewer "$YEAR"
	is "$(rows "$MEMBERS")" \
		"$(tsv "SELECT $SUMS FROM usage_rollups WHERE $IN_YEAR")" \
		"one total is the sum of all"
	is "$(rows '.from, .to')" \
		$'2026-01-01T00:00:00.000000Z\t2027-01-01T00:00:00.000000Z' \
		"and says of when"
	is "$(header X-Total-Count)" 1 "of one row"
	usage viewer 'start_date=2031-01-01&end_date=2031-02-01'
	is "$(field '.[0] | [.calls, .cost, .tokens] | @csv')" 0,0,0 \
		"one total of nothing is a row of zeros"
	usage viewer 'start_date=2031-01-01&end_date=2031-02-01&bucket=day'
	is "$BODY" '[]' "days of nothing are none"
	for name in organization team user api_key model vendor; do
		all_pages viewer "$YEAR&group_by=$name&limit=1000"
		is "$(rows "(.${name}_id // \"\"), $MEMBERS" | sort)" \
			"$(tsv "SELECT ${name}_id, $SUMS FROM usage_rollups
				WHERE $IN_YEAR GROUP BY 1" | sort)" \
			"by $name as of GROUP BY"
	done
	all_pages viewer "$YEAR&group_by=organization,model&sort=tokens"
	is "$(rows '.organization_id, .model_id, .tokens')" \
		"$(tsv "SELECT organization_id, model_id, sum(tokens)
			FROM usage_rollups WHERE $IN_YEAR GROUP BY 1, 2
			ORDER BY 3 DESC, 1, 2")" \
		"by two, sorted by tokens, then by name"
	is "$(head -n1 "$VAR/run/rows.json" | jq -c keys)" \
		'["calls","cost","failed","from","input_tokens","model_id","organization_id","output_tokens","overrun","settled","to","tokens"]' \
		"a row has what was asked for"
	usage viewer "$YEAR&group_by=user&user_id="
	is "$(field '[length, .[0].user_id] | @csv')" 1, \
		"users that are not known are one, null"
	usage viewer "$YEAR&model_id=a/b+c&team_id=team-1&api_key_id=key-3"
	is "$(field '.[0].calls')" "$(sql "SELECT sum(calls) FROM usage_rollups
		WHERE $IN_YEAR AND model_id = 'a/b c' AND team_id = 'team-1'
		AND api_key_id = 'key-3'")" "filters are joined by AND"
}

test_exact_money()
{
	sql "INSERT INTO usage_rollups VALUES ('2025-06-01Z', gen_random_uuid(),
		'', '', '', '', '', '', 1, 123456789.123456789, 1, 1, 1, 1, 1,
		0.000000001)"
	usage viewer 'start_date=2025-01-01&end_date=2025-12-31'
	like "$BODY" '"cost":123456789\.123456789,"overrun":0\.000000001,' \
		"money is exact to the nano-dollar"
}

test_buckets()
{
	local bucket
	for bucket in hour day week month; do
		all_pages viewer "$YEAR&bucket=$bucket&timezone=Europe/Berlin&limit=1000"
		# the first and the last may be cut by the period
		is "$(rows '.from, .calls, .cost')" \
			"$(tsv "SELECT rfc3339(greatest('2025-12-31 23:00Z',
				date_trunc('$bucket', quarter,
				'Europe/Berlin'))), sum(calls),
				trim_scale(sum(cost))
				FROM usage_rollups
				WHERE quarter >= '2025-12-31 23:00Z' AND
				quarter < '2026-12-31 23:00Z'
				GROUP BY 1 ORDER BY 1")" \
			"by $bucket of Berlin as of date_trunc"
	done
	all_pages viewer 'start_date=2026-03-29&end_date=2026-03-30&timezone=Europe/Berlin&bucket=day&organization_id=berlin'
	is "$(rows '.from, .to, .calls')" \
		$'2026-03-28T23:00:00.000000Z\t2026-03-29T22:00:00.000000Z\t2' \
		"the day on which clocks go forward has 23 hours"
	all_pages viewer 'start_date=2026-10-25&end_date=2026-10-26&timezone=Europe/Berlin&bucket=day&organization_id=berlin'
	is "$(rows '.from, .to, .calls')" \
		$'2026-10-24T22:00:00.000000Z\t2026-10-25T23:00:00.000000Z\t4' \
		"the day on which they go back has 25"
	all_pages viewer 'start_date=2026-10-25&end_date=2026-10-26&timezone=Europe/Berlin&bucket=hour&organization_id=berlin'
	is "$(rows '.from')" \
		$'2026-10-24T22:00:00.000000Z\n2026-10-25T00:00:00.000000Z\n2026-10-25T01:00:00.000000Z\n2026-10-25T22:00:00.000000Z' \
		"the hour that comes twice is two hours"
	all_pages viewer 'start_date=2026-10-20&end_date=2026-10-28T12:00:00Z&timezone=Europe/Berlin&bucket=week&organization_id=berlin'
	is "$(rows '.from, .to, .calls')" \
		$'2026-10-19T22:00:00.000000Z\t2026-10-25T23:00:00.000000Z\t5\n2026-10-25T23:00:00.000000Z\t2026-10-28T12:00:00.000000Z\t1' \
		"weeks begin on Monday and are cut by the period"
	all_pages viewer 'start_date=2026-03-28T22:45:00Z&end_date=2026-03-28T23:00:00Z&bucket=15m'
	is "$(rows '.from, .to' | head -n1)" \
		$'2026-03-28T22:45:00.000000Z\t2026-03-28T23:00:00.000000Z' \
		"a quarter of an hour"
	usage viewer 'organization_id=now'
	is "$(field '.[0] | [.calls, .cost] | @csv')" 3,0.75 \
		"without a period: this month until now"
}

test_pages()
{
	local sort
	for sort in cost calls tokens; do
		all_pages viewer "$YEAR&group_by=user&sort=$sort&limit=137"
		is "$(rows '.user_id // ""')" \
			"$(tsv "SELECT user_id FROM usage_rollups
				WHERE $IN_YEAR GROUP BY 1
				ORDER BY sum($sort) DESC, 1")" \
			"$PAGES pages by $sort: no gap, no double"
	done
	is "$(header X-Total-Count)" \
		"$(sql "SELECT count(DISTINCT user_id) FROM usage_rollups
			WHERE $IN_YEAR")" "X-Total-Count is that of all pages"
	all_pages viewer "$YEAR&group_by=user&bucket=month&limit=1000"
	is "$(rows '.from, (.user_id // "")')" \
		"$(tsv "SELECT rfc3339(date_trunc('month', quarter, 'UTC')),
			user_id FROM usage_rollups WHERE $IN_YEAR GROUP BY 1, 2
			ORDER BY 1, sum(cost) DESC, 2")" \
		"$PAGES pages with buckets: by time, then by cost"
	usage viewer "$YEAR&group_by=user,model&bucket=15m&limit=1"
	is "$(header X-Total-Count)" '10000+' "more than 10,000 are not counted"
	usage viewer "$YEAR&group_by=user&limit=1000" --head
	is "$STATUS" 200 "HEAD"
	like "$(header Link)" 'rel="next"' "HEAD has the link"
}

# kept QUERY: what X-Kept-From says about it.
kept()
{
	usage viewer "$1"
	header X-Kept-From
}

# Roll-ups of before a time are not kept, though they are not deleted yet.
test_kept()
{
	local since='2026-03-10T00:00:00.000000Z'
	is "$(kept "$YEAR")" '' "all is kept: nothing is said"
	sql "UPDATE usage_rollups_kept SET since = '$since'"
	is "$(kept "$YEAR")" "$since" "X-Kept-From says since when there is any"
	all_pages viewer "$YEAR"
	is "$(rows ".from, .to, $MEMBERS")" \
		"$(tsv "SELECT '$since', '2027-01-01T00:00:00.000000Z', $SUMS
			FROM usage_rollups WHERE $IN_YEAR AND
			quarter >= '$since'")" \
		"a total is of what is kept, and says from when"
	all_pages viewer "$YEAR&bucket=month"
	is "$(rows '.from, .to, .calls' | head -n2)" \
		"$(tsv "SELECT rfc3339(greatest('$since', m)),
			rfc3339(m + interval '1 month'), sum(calls)
			FROM usage_rollups, date_trunc('month', quarter, 'UTC') m
			WHERE $IN_YEAR AND quarter >= '$since'
			GROUP BY m ORDER BY m LIMIT 2")" \
		"so do months: the first is what is kept of it"
	all_pages viewer "$YEAR&group_by=user&limit=137"
	is "$(rows '.user_id // ""')" \
		"$(tsv "SELECT user_id FROM usage_rollups
			WHERE $IN_YEAR AND quarter >= '$since' GROUP BY 1
			ORDER BY sum(cost) DESC, 1")" "$PAGES pages of what is kept"
	is "$(header X-Kept-From)" "$since" "the last one says it, too"
	usage viewer "$YEAR&group_by=user&user_id=nobody"
	is "$BODY $(header X-Kept-From)" "[] $since" "and a list of nothing"
	usage viewer "$YEAR&user_id=nobody"
	is "$(field '.[0] | [.from, .calls] | @csv')" "\"$since\",0" \
		"a total of nothing is of what is kept"
	usage viewer "$YEAR" --head
	is "$(header X-Kept-From)" "$since" "HEAD has it"
	is "$(kept 'start_date=2026-03-10&end_date=2026-04-01')" '' \
		"a period that begins there is whole"
	is "$(kept 'start_date=2026-03-09T23:59:59.999999Z&end_date=2026-04-01')" \
		"$since" "one that begins before is not"
	usage viewer 'start_date=2025-01-01&end_date=2026-03-10'
	is "$BODY $(header X-Total-Count) $(header X-Kept-From)" "[] 0 $since" \
		"a period of which nothing is kept has not even a total"
	sql "UPDATE usage_rollups_kept SET since = '-infinity'"
}

# What the end was is in the link, so that later calls change no page.
test_link()
{
	local first
	usage viewer "group_by=user,organization&limit=1&start_date=2026-01-01&model_id=a%2Fb+c"
	first=$(header Link)
	like "$first" '^<'"$URL"'\?group_by=user,organization&limit=1&model_id=a%2Fb%20c&start_date=2026-01-01T00:00:00.000000Z&end_date=20[0-9]{2}-[^&]*Z&cursor=[0-9a-f]+>; rel="next"$' \
		"the link has the period as it was"
	usage viewer 'group_by=user&limit=1&user_id=%22%3E%3B%20x%3D%E2%82%AC'
	is "$BODY" '[]' "nobody has that name"
	is "$(header Link)" "" "the last page has no link"
}

test_bound_reader()
{
	local query
	all_pages bound-acme "$YEAR&group_by=organization"
	is "$(rows .organization_id)" acme "a bound reader sees its own"
	all_pages bound-acme "$YEAR"
	is "$(rows "$MEMBERS")" "$(tsv "SELECT $SUMS FROM usage_rollups
		WHERE $IN_YEAR AND organization_id = 'acme'")" \
		"its total is its organization's"
	for query in organization_id=globex 'organization_id=' \
		'organization_id=acme%27%20OR%20%27%27=%27'; do
		usage bound-acme "$YEAR&group_by=user&$query"
		is "$STATUS $BODY" "200 []" "and nothing of $query"
	done
	all_pages bound-acme "$YEAR&group_by=user&limit=1000"
	is "$(wc -l <"$VAR/run/rows.json")" \
		"$(sql "SELECT count(DISTINCT user_id) FROM usage_rollups
			WHERE $IN_YEAR AND organization_id = 'acme'")" \
		"nor other users"
	is "$(header X-Total-Count)" "$(wc -l <"$VAR/run/rows.json")" \
		"nor how many there are"
	# a cursor of somebody who sees more opens nothing
	usage viewer "$YEAR&group_by=organization&limit=1"
	query=$(header Link | sed -n 's/^<[^?]*?\(.*\)>.*/\1/p')
	usage bound-acme "$query"
	unlike_globex
	all_pages bound-team "$YEAR&group_by=team"
	is "$(rows .team_id)" team-3 "a team's reader sees its team"
}

unlike_globex()
{
	local status=0
	! grep -qE 'globex|initech' <<<"$BODY" || status=1
	ok "$status" "a cursor of another reader opens nothing"
}

# query: the parameter that is refused
REFUSED='
nonsense=1                                nonsense
limit=0                                   limit
limit=1001                                limit
limit=1%20                                limit
limit=-1                                  limit
limit=1&limit=1                           limit
group_by=user_id                          group_by
group_by=                                 group_by
group_by=user,,team                       group_by
bucket=year                               bucket
sort=cost;DROP%20TABLE%20usage            sort
start_date=2026-02-30                     start_date
start_date=2026-01-01T00:00:00            start_date
start_date=9999-12-31T23:59:59-01:00      start_date
start_date=-infinity                      start_date
end_date=now                              end_date
end_date=2000-01-01                       start_date
timezone=Mars/Phobos                      timezone
timezone=posix/../../etc/passwd           timezone
timezone=UTC0                             timezone
view=all                                  view
cursor=zz                                 cursor
cursor=%27                                cursor
user_id=%ff                               user_id
user_id=%c0%80                            user_id
policy_id=x                               policy_id
view=budgets&bucket=day                   bucket
view=budgets&scope=users                  scope
view=budgets&cursor=31                    cursor
'

test_refused()
{
	local query parameter
	while read -r query parameter; do
		[ -n "$query" ] || continue
		usage viewer "$query"
		# the web server may refuse what is no URL before us
		if [ "$STATUS" = 400 ] && ! jq -e . <<<"$BODY" >/dev/null 2>&1
		then
			skip "$query" "refused by $SERVER"
			continue
		fi
		is "$STATUS $(field '.type + " " + .errors[0].parameter')" \
			"400 urn:ims-policy:problem:invalid-request $parameter" \
			"$query"
	done <<<"$REFUSED"
	usage viewer 'limit=0&sort=x&y=1'
	is "$(field '[.errors[].parameter] | join(" ")')" "y sort limit" \
		"all that is wrong is said"
	usage viewer "user_id=$(printf 'x%.0s' {1..257})"
	is "$STATUS" 400 "an id that is too long"
	usage viewer "user_id=%27%3B%20DROP%20TABLE%20usage_rollups%3B--"
	is "$(field '.[0].calls')" 0 "an id is no SQL"
	usage viewer 'user_id=%25'
	is "$(field '.[0].calls')" 0 "nor a pattern"
	is "$(sql 'SELECT count(*) > 0 FROM usage_rollups')" t \
		"the table is there"
	# a whole cursor with texts of our own in it: fields are "n:text,"
	usage viewer "group_by=user&cursor=$(printf '%s' \
		"12:usage cost none 4," "27:2026-01-01T00:00:00.000000Z," \
		"3:1'0," "0:,0:,0:,0:,0:,0:," | od -An -tx1 | tr -d ' \n')"
	is "$STATUS" 400 "a cursor's number must be one"
}

test_roles()
{
	ask "$URL"
	is "$STATUS" 401 "nobody"
	usage evaluator ""
	is "$STATUS" 403 "an evaluator"
	ask "$URL" -H "X-Admin-Key: $(key admin)"
	is "$STATUS" 200 "X-Admin-Key is for this"
	usage viewer "" -X POST -d '{}'
	is "$STATUS" 405 "POST"
	is "$(header Cache-Control)" no-store "never stored"
}

# ---- budgets

put_policy()
{
	sql "INSERT INTO policies (policy_id, name, category, mode, priority,
		evaluation_type, action_on_violation, scope, applies_to,
		constraints, updated_by)
	VALUES ('00000000-0000-7000-8000-0000000000$1', '$2', 'cost', '$3', $4,
		'pre_flight', 'block', '$5', '$6', '$7', 'test')"
}

budget_policies()
{
	put_policy 01 b-user enforce 99 user '{}' \
		'{"max_monthly_cost": 100, "alert_threshold": 80, "max_monthly_tokens": 500}'
	put_policy 02 b-organization enforce 98 organization '{}' \
		'{"max_monthly_cost": 1000}'
	put_policy 03 b-global enforce 97 global '{}' '{"max_monthly_cost": 5}'
	put_policy 04 b-some enforce 96 user '{"user_tier": ["free"]}' \
		'{"max_daily_cost": 1, "timezone": "Asia/Tokyo"}'
	put_policy 05 b-shadow shadow 95 model '{}' '{"max_monthly_cost": 10}'
	sql "INSERT INTO subject_limits (policy_id, \"constraint\", subject, value)
	VALUES ('00000000-0000-7000-8000-000000000001', 'max_monthly_cost',
		'x-rich', 1000);
	INSERT INTO usage_rollups
	SELECT date_bin('15 minutes', now(), '2000-01-01Z'), gen_random_uuid(),
	       o, '', u, '', m, 'v', 1, c, t, 0, 0, 1, 0, 0
	FROM (VALUES ('x-one', 'x-ann', 'X-Model', 60, 100),
		     ('x-one', 'x-rich', 'x-model', 90, 500),
		     ('x-one', 'x-both', 'x-model', 20, 10),
		     ('x-two', 'x-both', 'x-model', 20, 10),
		     ('x-two', 'x-bob', 'x-model', 120.5, 501)) v (o, u, m, c, t)"
}

follows()
{
	usage viewer 'view=budgets&policy_id=00000000-0000-7000-8000-000000000005'
	[ "$(field length)" != 0 ]
}

# What the roll-ups alone say: nothing that counts has been asked.
test_budgets()
{
	local id=00000000-0000-7000-8000-0000000000
	all_pages viewer "view=budgets&policy_id=${id}01&limit=50"
	is "$(rows 'select(.subject | startswith("x-")) | .constraint, .subject, .limit, .unit, .alert_threshold')" \
		"$(printf '%s\t%s\t%s\t%s\t%s\n' \
			max_monthly_cost x-bob 100 USD 80 \
			max_monthly_cost x-rich 1000 USD 80 \
			max_monthly_cost x-ann 100 USD 80 \
			max_monthly_cost x-both 100 USD 80 \
			max_monthly_tokens x-bob 500 tokens '' \
			max_monthly_tokens x-rich 500 tokens '' \
			max_monthly_tokens x-ann 500 tokens '' \
			max_monthly_tokens x-both 500 tokens '')" \
		"budgets by policy, constraint and use, in pages; limits of subjects"
	is "$(header X-Total-Count)" "$(wc -l <"$VAR/run/rows.json")" \
		"X-Total-Count"
	usage viewer "view=budgets&user_id=x-ann&policy_id=${id}01"
	is "$(field '.[0] | [.policy_name, .scope, .window, .mode] | @csv')" \
		'"b-user","user","month","enforce"' "whose and which"
	is "$(field '.[0] | [.from, .to] | @csv')" \
		"$(sql "SELECT '\"' || rfc3339(m) || '\",\"' ||
			rfc3339(m + interval '1 month') || '\"'
			FROM date_trunc('month', now(), 'UTC') m")" "its window"
	usage viewer "view=budgets&user_id=x-ann"
	is "$(field '[.[].scope] | unique | join(" ")')" user \
		"a subject's are of its scope"
	usage viewer "view=budgets&scope=organization&organization_id=x-two"
	is "$(field '.[] | [.policy_name, .subject] | join(" ")')" \
		"b-organization x-two" "an organization's"
	usage viewer "view=budgets&policy_id=${id}03"
	is "$(field '[length, .[0].subject] | @csv')" '1,"global"' \
		"one for all"
	usage viewer "view=budgets&policy_id=${id}05&model_id=x-model"
	is "$(field '.[] | [.subject, .mode] | join(" ")')" "x-model shadow" \
		"models in lower case"
	usage viewer "view=budgets&policy_id=${id}04&user_id=x-ann"
	is "$(field '.[0] | [.window, .to[11:]] | @csv')" \
		'"day","15:00:00.000000Z"' "a day of Tokyo"
	all_pages bound-x-one "view=budgets&limit=1000"
	is "$(rows 'select(.policy_name | startswith("b-")) | .policy_name, .subject' | sort -u)" \
		"$(printf '%s\t%s\n' b-organization x-one b-some x-ann \
			b-some x-rich b-user x-ann b-user x-rich)" \
		"a bound reader sees who used nothing elsewhere"
}

# used, remaining, state, source of a budget: WHAT user
standing()
{
	usage viewer "view=budgets&policy_id=00000000-0000-7000-8000-0000000000$1&user_id=$2"
	field 'map(select(.constraint != "max_monthly_tokens")) | .[0] |
		[.used, .remaining, .state, .source] | map(tostring) | join(" ")'
}

counts()
{
	usage viewer 'view=budgets&user_id=x-ann'
	[ "$(field '.[0].source')" = counter ]
}

test_standing_by_counter()
{
	local body='{"model_id":"gpt-4o-mini","user_id":"x-ann","correlation_id":"c1","estimated_cost":0.005,"prompt":"hello"}'
	wait_until 20 counts
	ok $? "the counters are known"
	evaluate "$body"
	is "$STATUS" 200 "a call that counts"
	is "$(standing 01 x-ann)" "0.005 99.995 ok counter" \
		"the counter's word counts"
	is "$(standing 04 x-ann)" "0.005 0.995 ok counter" \
		"also of a policy with a condition"
	usage viewer 'view=budgets&user_id=x-ann'
	like "$(field '.[0].as_of')" '^20.*Z$' "as of now"
}

# Programs that cannot ask what counts.
test_standing_by_ledger()
{
	sed -i -E '/^(memcached|pg_counter) =/d' "$VAR/ims-policy.conf"
	web_down
	web_up "$SERVER" >&2
	is "$(standing 01 x-bob)" "120.5 0 exceeded ledger" "nothing is left"
	is "$(standing 01 x-rich)" "90 910 alert ledger" "the alert is reached"
	usage viewer 'view=budgets&user_id=x-rich'
	is "$(field '.[0].share')" 0.09 "the share of its own limit"
	is "$(standing 01 x-both)" "40 60 ok ledger" "room is left"
	is "$(standing 04 x-bob)" "null null null null" \
		"roll-ups do not know what a condition counted"
	usage viewer 'view=budgets&scope=model&model_id=x-model'
	is "$(field '.[0].source')" null "nor what a shadow would have"
}

# ---- PostgreSQL

# The statement as it is really run, by auto_explain.
test_plans()
{
	local log=$VAR/log/postgresql.log from
	sql_postgres ims_policy <<-SQL
	ALTER ROLE ims_dev_api SET session_preload_libraries = 'auto_explain';
	ALTER ROLE ims_dev_api SET auto_explain.log_min_duration = 0;
	INSERT INTO usage_rollups
	SELECT timestamptz '2020-01-01Z' + i / 10 * interval '15 minutes',
	       gen_random_uuid(), 'old', '', 'old-' || i % 1000, '', 'm', 'v',
	       1, 1, 1, 1, 1, 1, 1, 0
	FROM generate_series(1, 300000) i;
	ANALYZE usage_rollups;
	SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
	WHERE usename = 'ims_dev_api';
	SQL
	usage viewer 'start_date=2026-05-01&end_date=2026-05-02' # the old session
	from=$(wc -l <"$log")
	usage viewer 'start_date=2026-05-01&end_date=2026-05-02&group_by=user'
	is "$STATUS" 200 "a new connection"
	like "$(tail -n "+$((from + 1))" "$log")" \
		'(Index|Bitmap).* usage_rollups_pkey' "a period uses the index"
	from=$(wc -l <"$log")
	usage viewer 'start_date=2020-01-01&end_date=2027-01-01&user_id=user-7&bucket=month'
	like "$(tail -n "+$((from + 1))" "$log")" \
		'(Index|Bitmap).* usage_rollups_user' "a user uses the index"
}

test_away()
{
	postgres_down
	usage viewer "$YEAR"
	is "$STATUS $(field .type)" "503 urn:ims-policy:problem:unavailable" \
		"PostgreSQL is away"
	is "$(header Retry-After)" 1 "wait a second"
	like "$(field .detail)" '^PostgreSQL cannot answer this now$' \
		"the caller is not told where it is"
	grep -qE "GET $URL, request .*PostgreSQL" "$VAR"/log/*.log
	ok $? "the log is told why"
	usage viewer 'view=budgets'
	is "$STATUS" 503 "for budgets, too"
	usage viewer 'limit=0'
	is "$STATUS" 400 "what is wrong is still refused"
	postgres_up >/dev/null 2>&1
	wait_until 10 knows_key viewer
	ok $? "it comes back by itself"
}

world_make
# Elsewhere than in this host's memory, so that it can be out of reach.
SETTINGS_MORE='counter_alone = memcached'
world_up
web_up "$SERVER" >&2
ok $? "$SERVER starts"
bound_key bound-acme organization_id=acme
bound_key bound-team team_id=team-3
bound_key bound-x-one organization_id=x-one
fill
wait_until 10 knows_key bound-x-one
ok $? "keys that are bound to an organization or a team"
test_roles
test_totals
test_exact_money
test_buckets
test_pages
test_kept
test_link
test_bound_reader
test_refused
budget_policies
wait_until 10 follows
ok $? "policies with budgets"
test_budgets
test_standing_by_counter
test_standing_by_ledger
test_plans
test_away
tap_done
