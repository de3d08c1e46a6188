#!/bin/bash
# ims-policyctl for counters, hosts and calls, against an engine that runs:
# what it says, and what follows from what it does.
. "$(dirname "$0")/lib.sh"

export SETTINGS_MORE='memcached_back_ms = 500
counter_alone = memcached'
CHARGED=budget-of-ctl
GONE=0193aaaa-0000-7000-8000-000000000001
OTHER=0193aaaa-0000-7000-8000-000000000002

# said COMMAND...: its status in STATUS, output in OUT, messages in SAID.
said()
{
	STATUS=0
	OUT=$("$@" 2>"$VAR/run/said") || STATUS=$?
	SAID=$(cat "$VAR/run/said")
}

policy()
{
	sql "UPDATE policies SET enabled = false;
	INSERT INTO policies (policy_id, name, category, enabled, mode,
		priority, evaluation_type, action_on_violation, on_error,
		scope, applies_to, constraints, updated_by)
	VALUES (gen_random_uuid(), '$1', 'cost', true, 'enforce', 50,
		'pre_flight', 'block', 'block', 'user', '{}',
		'{\"max_daily_cost\": 1}', 'test'),
	(gen_random_uuid(), 'rates-of-ctl', 'behavioral', true, 'enforce', 45,
		'pre_flight', 'block', 'block', 'user', '{}',
		'{\"max_requests_per_hour\": 50,
		  \"max_parallel_requests\": 9}', 'test'),
	(gen_random_uuid(), 'shared-by-ctl', 'cost', true, 'enforce', 40,
		'pre_flight', 'block', 'block', 'global', '{}',
		'{\"max_monthly_tokens\": 1000000}', 'test'),
	(gen_random_uuid(), 'refuses', 'vendor', true, 'enforce', 60,
		'pre_flight', 'block', 'block', 'user',
		'{\"user_id\": [\"refused\"]}',
		'{\"allowed_vendors\": [\"nobody\"]}', 'test')"
}

published()
{
	evaluate '{"model_id":"gpt-4o-mini","user_id":"nobody"}'
	[ "$(field .policy_revision)" = \
		"$(sql 'SELECT revision FROM policy_revision')" ]
}

metric()
{
	ask /metrics
	sed -n "s/^ims_policy_$1 //p" <<<"$BODY"
}

drained()
{
	[ "$(metric spool_backlog_bytes)" = 0 ]
}

epoch()
{
	sql 'SELECT coalesce(max(epoch), 0) FROM counter_epochs'
}

# epoch_is NUMBER: it is the newest, and ready.
epoch_is()
{
	[ "$(sql 'SELECT epoch, ready FROM counter_epoch_newest()')" = "$1|t" ]
}

has_call()
{
	[ "$(sql "SELECT state FROM usage_calls
		WHERE evaluation_id = '$1'")" = "$2" ]
}

test_call()
{
	local id report
	evaluate '{"model_id":"gpt-4o-mini","user_id":"Anna","team_id":"blue",
		"estimated_tokens":1000,"organization_id":"acme"}'
	is "$STATUS" 200 'a call is admitted'
	id=$(field .evaluation_id)
	check 'and gets into the ledger' wait_until 15 has_call "$id" open
	said ctl usage "$id"
	is "$STATUS" 0 'usage of an open call'
	like "$OUT" '^state +open$' 'it is open'
	like "$OUT" '^asked for +gpt-4o-mini of openai$' 'it names the model'
	like "$OUT" '^by +user Anna, .*team blue, organization acme' 'and the caller'
	like "$OUT" '^report +none, wanted by 20' 'no report came'
	like "$OUT" "^cost +$(sql "SELECT trim_scale(cost) FROM usage_calls
		WHERE evaluation_id = '$id'") USD \(not settled\)$" \
		'its estimate is its cost so far'
	like "$OUT" "^    reserve 20.*, counted in epoch $(epoch)$" \
		'an entry says where it was counted'
	like "$OUT" "^        budget [0-9.]+ USD, day 20.*T00:00:00.000000Z to 20.*, user Anna, max_daily_cost of the policy $CHARGED$" \
		'a budget, its subject and its policy'
	like "$OUT" "^        rate   1 requests, hour, user Anna, max_requests_per_hour of the policy rates-of-ctl$" \
		'a rate'
	like "$OUT" "^        lease  1 calls, user Anna, max_parallel_requests of the policy rates-of-ctl$" \
		'a lease'
	like "$OUT" '^        budget [0-9]+ tokens, month .*, global, max_monthly_tokens of the policy shared-by-ctl$' \
		'and what all share'
	check 'the metric says how many are open' \
		wait_until 30 some_open
	evaluate "{\"evaluation_type\":\"post_execution\",
		\"evaluation_id\":\"$id\",\"served_model_id\":\"gpt-4o-mini\",
		\"usage\":{\"input_tokens\":700,\"output_tokens\":41,
		\"cost\":0.25},\"success\":false,\"latency_ms\":12.5}"
	is "$STATUS" 200 'it is reported'
	report=$(field .evaluation_id)
	check 'and settled' wait_until 15 has_call "$id" settled
	said ctl usage "$id"
	like "$OUT" '^state +settled$' 'usage says settled'
	like "$OUT" '^report +evaluation [0-9a-f-]{36}, settled 20[^ ]+, the call failed, took 12.5 ms$' \
		'by which report'
	like "$OUT" '^tokens +741, 700 in, 41 out$' 'the tokens'
	like "$OUT" '^cost +0.25 USD, above its estimate by 0.2[0-9]*$' \
		'and what it cost'
	like "$OUT" '^    settle  20' 'the entry settle'
	like "$OUT" '^        lease  -1 calls, user Anna' 'gave the lease back'
	like "$OUT" '^        budget -[0-9]+ tokens, month' 'and tokens'
	sql "UPDATE policies SET enabled = false WHERE name = 'shared-by-ctl'"
	said ctl usage "$id"
	like "$OUT" ', global, counter -?[0-9]+ of no policy that is in force now$' \
		'a policy that is gone has no name'
	evaluate '{"model_id":"gpt-4o-mini","user_id":"refused"}'
	is "$STATUS" 403 'a call is refused'
	id=$(field .evaluation_id)
	check 'that gets drained' wait_until 15 drained
	said ctl usage "$id"
	is "$STATUS" 1 'usage of a refused call'
	like "$SAID" 'was refused: it cost nothing' 'says so'
}

some_open()
{
	[ "$(metric reservations_open)" -ge 1 ]
}

test_texts()
{
	sql "INSERT INTO usage (evaluation_id, entry, \"timestamp\", user_id,
		model_id, calls, cost, tokens, expires_at, epoch, counted,
		charges)
	VALUES ('$OTHER', 'reserve', '2026-01-01Z',
		E'a\\x1b[31m\\x07\\nstate x' || chr(155) || chr(233), 'm', 1,
		0.5, 7, '2026-01-02Z', 1, false, '{1,2,3,64,5,6,7}'),
	('$OTHER', 'expire', '2026-01-02Z', NULL, NULL, 0, 0, 0, NULL, 1, true,
		'{1,2,3,99999,5,6,7}')"
	said ctl usage "$OTHER"
	is "$STATUS" 0 'usage of a call with odd texts'
	like "$OUT" '^by +user a\?\[31m\?\?state x\?é$' \
		'what would steer a terminal does not get there'
	like "$OUT" '^asked for +unknown of unknown$' 'what is not known is said'
	like "$OUT" '^report +none, expired 2026-01-02' 'that it expired'
	like "$OUT" 'NOT COUNTED YET in epoch 1$' 'what is not counted'
	like "$OUT" ' subject 0{15}10{15}2, counter 3 of no policy' \
		'what has no name has its number'
	like "$OUT" '^        unreadable: ' 'what cannot be read'
	said ctl counters
	like "$OUT" '^not counted yet  [1-9]' 'counters says how many'
	sql "INSERT INTO usage (evaluation_id, entry, \"timestamp\", report_id,
		calls, cost, output_tokens, counted)
	VALUES ('$OTHER', 'report', '2026-01-03Z', '$GONE', 0, 0.1, 5, false);
	UPDATE policies SET constraints = '{\"nonsense\": 1}'
		WHERE name = 'refuses'"
	said ctl usage "$OTHER"
	like "$OUT" "^report +evaluation $GONE, waits to be settled, late: expired 2026-01-02" \
		'a report that came late and waits'
	like "$OUT" '^tokens +7, unknown in, 5 out$' 'some of its tokens'
	like "$SAID" 'policies cannot be named: ' \
		'policies that do not compile have no names'
	sql "UPDATE policies SET constraints = '{\"allowed_vendors\": [\"nobody\"]}'
		WHERE name = 'refuses'"
	said ctl usage 01930000-0000-4000-8000-000000000001
	like "$SAID" 'there is no such call' 'a call that is none'
	sql "SELECT node_beat('$GONE', 'gone', NULL, NULL, NULL, NULL)" >/dev/null
	said ctl usage 0193aaaa-0000-7000-8000-000000000009
	is "$STATUS" 1 'a call that is not here'
	like "$SAID" 'not every host has drained' 'may be with another host'
	sql "SELECT node_remove('$GONE'); DELETE FROM usage
		WHERE evaluation_id = '$OTHER'" >/dev/null
}

test_nodes()
{
	local name id
	name=$(hostname)
	said ctl node list
	is "$STATUS" 0 'node list'
	like "$OUT" "^$name +[0-9a-f-]{36} beat [0-9] s ago, clock off .*, memcached up, epoch $(epoch), drained until 20" \
		'it says how this host is'
	is "$(wc -l <<<"$OUT")" 1 'and of no other one'
	id=$(grep -oE '[0-9a-f-]{36}' <<<"$OUT" | head -n1)
	said ctl node remove "$name"
	is "$STATUS" 1 'a host that lives is not removed'
	like "$SAID" 'is alive: stop it and wait a minute' 'and that is said'
	said ctl node remove nowhere
	is "$STATUS" 1 'nor is one that is not there'
	like "$SAID" 'there is no host nowhere, see node list' 'and that is said'
	said ctl node remove --force "$id"
	is "$STATUS" 0 'by force it is'
	check 'and is back with its next beat' wait_until 10 registered "$id"

	sql "SELECT node_beat('$GONE', 'gone', 1500, false, NULL, NULL),
		    node_beat('$OTHER', 'gone', -20, NULL, 1, '2026-01-01Z');
	     UPDATE nodes SET beat_at = now() - interval '3 days'
	     WHERE spool_id = '$GONE';
	     UPDATE nodes SET beat_at = now() - interval '10 minutes'
	     WHERE spool_id = '$OTHER'" >/dev/null
	said ctl node list
	like "$OUT" "^gone +$GONE beat 3 days ago SILENT, clock off \+1500 ms, memcached DOWN, epoch none, drained until never$" \
		'one that never was at work'
	like "$OUT" "^gone +$OTHER beat 10 min ago SILENT, clock off -20 ms, memcached none, epoch 1, drained until 2026-01-01" \
		'one that was'
	said ctl counters
	like "$OUT" '^silent +gone, last beat 3 days ago$' 'counters names it, too'
	said ctl node remove gone
	is "$STATUS" 1 'two of a name are not removed'
	like "$SAID" '2 hosts are named gone, say which by its id' 'it asks which'
	said ctl node remove "${OTHER^^}"
	is "$STATUS" 0 'one of them is, by its id'
	like "$OUT" "^gone $OTHER is removed$" 'and that is said'
	like "$SAID" 'since 2026-01-01T00:00:00.000000Z and' 'and what it means'
}

registered()
{
	[ "$(sql "SELECT count(*) FROM nodes WHERE spool_id = '$1'")" = 1 ]
}

# The host `gone` of before is still there.
test_rebuild()
{
	local before
	before=$(epoch)
	said ctl counters status
	is "$STATUS" 0 'counters status'
	like "$OUT" "^this host +follows epoch $before, memcached counts$" \
		'what this host says'
	like "$OUT" "^epoch +$before, memcached counts, ready$" 'what counts'
	like "$OUT" '^since +20.*Z \([0-9]+ (s|min) ago\)$' 'since when'
	like "$OUT" '^why +the first epoch$' 'why'
	like "$OUT" "^chosen by +$(hostname)$" 'who chose it'
	like "$OUT" '^open calls +[0-9]+$' 'how many calls are open'
	said ctl counters rebuild --reason 'a damaged account'
	is "$STATUS" 0 'counters rebuild'
	like "$OUT" "^epoch $((before + 1)) of memcached has begun$" 'begins an epoch'
	said ctl counters rebuild --reason 'again'
	is "$STATUS" 1 'not while one is being rebuilt'
	like "$SAID" "epoch $((before + 1)) is being rebuilt already" 'and says so'
	said ctl counters
	like "$OUT" "^epoch +$((before + 1)), memcached counts, NOT READY" \
		'it waits'
	like "$OUT" '^waits for +gone, which follows none and is not drained, last beat 3 days ago' \
		'and says for whom'
	like "$OUT" 'hold up the rebuild; see node list' 'and what to do'
	like "$OUT" "^    $before +memcached +20.*: the first epoch$" \
		'what was before'
	said ctl node remove gone
	is "$STATUS" 0 'the host that is gone is removed'
	check 'then the rebuild is done' wait_until 20 epoch_is $((before + 1))
	said ctl counters
	like "$OUT" '^why +[^ ]+: a damaged account$' 'why has who and the reason'
	check 'a call is admitted again' wait_until 10 admitted
}

# spend DOLLARS: a call of the user of the policy with the alert; the types of
# its warnings in WARNED.
spend()
{
	evaluate "{\"model_id\":\"gpt-4o-mini\",\"user_id\":\"Carla\",
		\"estimated_cost\":$1}"
	WARNED=$STATUS$(field '[.warnings[] | " " + .type] | join("")')
}

# recounted REASON: all counters anew from the ledger.
recounted()
{
	local before
	before=$(epoch)
	check 'the backlog drains' wait_until 15 drained
	said ctl counters rebuild --reason "$1"
	check 'and the counters are rebuilt' wait_until 20 epoch_is \
		$((before + 1))
	check 'which this host follows' wait_until 10 counters_known
}

# An alert is raised once a window, whatever becomes of the counters.
test_alert()
{
	local id
	sql "INSERT INTO policies (policy_id, name, category, enabled, mode,
		priority, evaluation_type, action_on_violation, on_error,
		scope, applies_to, constraints, updated_by)
	VALUES (gen_random_uuid(), 'alerts-of-ctl', 'cost', true, 'enforce', 55,
		'pre_flight', 'block', 'block', 'user',
		'{\"user_id\": [\"Carla\"]}', '{\"max_monthly_cost\": 0.9,
		\"alert_threshold\": 0.2}', 'test')"
	check 'a policy that alerts is published' wait_until 15 published
	spend 0.1
	is "$WARNED" 200 'a call below the threshold'
	spend 0.1
	is "$WARNED" '200 budget_alert' 'one that reaches it raises the alert'
	id=$(field .evaluation_id)
	recounted 'the alert was raised'
	spend 0.1
	is "$WARNED" 200 'after a rebuild the next call raises none'
	said ctl usage "$id"
	like "$OUT" '^        budget 0.1 USD, month .*, max_monthly_cost of the policy alerts-of-ctl, raised its alert$' \
		'the ledger says which call raised it'
	is "$(grep -c 'raised its alert' <<<"$OUT")" 1 'and of which budget'
	is "$(sql "SELECT evaluation_id, \"window\" FROM usage_charges
		WHERE alert")" "$id|month" 'and so does usage_charges'
	evaluate "{\"evaluation_type\":\"post_execution\",
		\"evaluation_id\":\"$id\",\"usage\":{\"cost\":0.05}}"
	is "$STATUS" 200 'it is reported'
	check 'and settled' wait_until 15 has_call "$id" settled
	is "$(sql 'SELECT count(*) FROM usage_charges WHERE alert')" 1 \
		'its settlement raised nothing'
	recounted 'it was settled'
	spend 0.1
	is "$WARNED" 200 'nor does a call after it'
	# As if all of it had been last month.
	sql "UPDATE usage u SET charges = c.charges
	FROM (SELECT evaluation_id, entry,
		     array_agg(CASE WHEN (i - 1) % 7 IN (4, 5) AND n > 0
			THEN n - 31 * 86400 ELSE n END ORDER BY i) AS charges
	      FROM usage, unnest(charges) WITH ORDINALITY c (n, i)
	      WHERE user_id = 'Carla' GROUP BY 1, 2) c
	WHERE (u.evaluation_id, u.entry) = (c.evaluation_id, c.entry)"
	recounted 'a new window'
	spend 0.1
	is "$WARNED" 200 'in a new window it begins anew: below the threshold'
	spend 0.1
	is "$WARNED" '200 budget_alert' 'and at it'
}

admitted()
{
	evaluate '{"model_id":"gpt-4o-mini","user_id":"Berta"}'
	[ "$STATUS" = 200 ]
}

test_use()
{
	local before
	before=$(epoch)
	said ctl counters use postgresql --reason 'memcached gets more memory'
	is "$STATUS" 0 'counters use postgresql'
	like "$OUT" "^epoch $((before + 1)) of postgresql has begun$" 'says so'
	check 'and PostgreSQL is ready to count' wait_until 20 was_ready \
		$((before + 1)) postgresql
	sleep 3 # many times memcached_back_ms
	is "$(epoch)" $((before + 1)) 'it stays, though memcached answers'
	check 'a call is admitted there' admitted
	said ctl counters use memcached --reason 'it has more memory'
	is "$STATUS" 0 'until memcached is used again'
	check 'which is ready then' wait_until 20 was_ready $((before + 2)) \
		memcached
}

was_ready()
{
	[ "$(sql "SELECT counts, ready_at IS NOT NULL FROM counter_epochs
		WHERE epoch = $1")" = "$2|t" ]
}

# Without a housekeeper nothing changes by itself.
test_alone()
{
	local before
	web_down # a responder that finds no housekeeper starts one
	stop housekeeper
	engine_sweep
	said ctl counters
	like "$OUT" '^this host .*NO HOUSEKEEPER runs' 'no housekeeper runs'
	sql "INSERT INTO counter_epochs (epoch, counts, reason, node, ready_at)
		SELECT max(epoch) + 1, 'postgresql', 'x', '$GONE', now()
		FROM counter_epochs"
	before=$(epoch)
	said ctl counters
	like "$OUT" "^chosen by +$GONE$" 'a host that is not registered has an id'
	sql "SELECT node_beat('$GONE', 'blind', 0, false, NULL, NULL)" >/dev/null
	said ctl counters use memcached --reason x
	is "$STATUS" 1 'not memcached where a host does not reach it'
	like "$SAID" 'host blind does not reach its memcached' 'it says which'
	sql "UPDATE nodes SET memcached_up = NULL"
	said ctl counters use memcached --reason x
	like "$SAID" 'no registered host has a memcached' 'nor where none has one'
	said ctl counters use host --reason x
	is "$STATUS" 1 'not the memory of two hosts'
	like "$SAID" '2 hosts are registered, and only a single one' \
		'it says how many there are'
	said ctl counters use postgresql --reason 'to stay'
	is "$STATUS" 0 'postgresql after a housekeeper chose it'
	said ctl counters
	like "$OUT" '^chosen by +an operator$' 'an operator did now'
	like "$OUT" '^waits for +blind, which follows none' 'it waits for a new host'
	like "$OUT" "^waits for +$(hostname), which follows epoch" 'and for this one'
	said ctl counters use postgresql --reason 'again'
	is "$STATUS" 1 'what counts already is not begun'
	like "$SAID" 'cannot let postgresql count: it counts already' \
		'and says so'
	sql "DELETE FROM nodes"
	said ctl counters
	like "$OUT" '^hosts +0 registered: no housekeeper' 'no host at all'
	said ctl node list
	is "$STATUS$OUT" 0 'a list of none is empty'
	like "$SAID" 'No host is registered' 'and that is said'
	sql "SELECT node_beat('$GONE', 'a', 0, NULL, $((before + 1)), now())" \
		>/dev/null
	said ctl counters
	like "$OUT" '^hosts +1 registered, all are ready for the rebuild' \
		'all are ready'
	sql "SELECT counter_epoch_ready($((before + 1)))" >/dev/null
	said ctl counters rebuild --reason 'stays as it is chosen'
	said ctl counters
	like "$OUT" '^chosen by +an operator$' 'a rebuild leaves who chose'
	said ctl counters use host --reason 'one host'
	is "$STATUS" 0 'the memory of a single host'
	is "$(sql 'SELECT counts, node FROM counter_epoch_newest()')" \
		"host|$GONE" 'is chosen in its name'
	said ctl counters use host --reason 'again'
	is "$STATUS" 1 'once'
	sql 'DELETE FROM counter_epochs'
	said ctl counters
	like "$OUT" '^epoch +none yet' 'no epoch at all'
	said ctl counters rebuild --reason x
	like "$SAID" 'there is no epoch yet' 'is not rebuilt'
}

world_make
world_up
web_up "${IMS_SERVER:-lighttpd}" >&2 || exit 2
policy $CHARGED
wait_until 15 published || exit 2
check 'memcached counts' wait_until 20 counters_known
test_call
test_texts
test_nodes
test_rebuild
test_alert
test_use
test_alone
tap_done
