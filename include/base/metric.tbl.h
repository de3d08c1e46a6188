/*
 * Every metric of /metrics.
 *
 * COUNTER(name, label, "v1|v2|...", help)   a sum over all processes of the
 *                                           host; label NULL: one series
 * GAUGE(name, help)                         set by whoever knows, last wins
 * HISTOGRAM(name, help)                     microseconds in, seconds out,
 *                                           buckets of METRIC_BUCKETS_US
 *
 * Names are exported with the prefix ims_policy_.  Enum: METRIC_<name>; a
 * label's value is its index.  docs/metrics.md is checked against this table.
 */
COUNTER(evaluations_total, "decision", "allow|log|warn|degrade|block",
	"decisions answered")
COUNTER(violations_total, "severity", "low|medium|high|critical",
	"violations found, also those in shadow")
COUNTER(policy_errors_total, "kind", "condition|not_built|unavailable",
	"policies that could not be evaluated")
COUNTER(http_answers_total, "class", "2xx|3xx|4xx|5xx", "HTTP answers")
COUNTER(http_refused_total, "reason",
	"json|body|request|unauthenticated|forbidden|not_found|method|too_large|"
	"media_type|other",
	"requests refused before a decision")
COUNTER(spool_appends_total, "result", "ok|full|error",
	"records handed to the spool")
COUNTER(spool_bytes_total, NULL, NULL, "bytes handed to the spool")
COUNTER(drain_rows_total, "table", "evaluations|policy_violations|usage",
	"rows that reached PostgreSQL")
COUNTER(drain_batches_total, "result", "ok|error", "batches to PostgreSQL")
COUNTER(drain_rejected_total, NULL, NULL,
	"records that PostgreSQL refused, kept in spool/rejected")
COUNTER(counter_takes_total, "result", "taken|refused|unknown",
	"claims on counters, a claim being all that one call counts")
COUNTER(counter_errors_total, "store", "memcached|postgresql|host",
	"times that a counter could not be asked")
COUNTER(counter_conflicts_total, NULL, NULL,
	"claims made anew because another call was faster")
COUNTER(counter_waits_total, NULL, NULL,
	"times that a claim waited for another call's open claim")
COUNTER(counter_notes_dropped_total, NULL, NULL,
	"reservations that this host's memory had no room for until they expire")
COUNTER(counter_round_trips_total, "store", "memcached|postgresql|host",
	"round trips to the counters")
COUNTER(counter_unreadable_total, "why", "damaged|version",
	"times that an account could not be read")
COUNTER(counter_rebuilds_total, "result", "ok|error",
	"times that all counters were rebuilt from the ledger")
COUNTER(reservations_total, "event",
	"opened|settled|expired|released|late|repeated",
	"what became of reservations")
COUNTER(retries_total, "result", "answered|conflict|running",
	"requests whose request_id had come before")
COUNTER(snapshot_publishes_total, "result", "ok|refused|error",
	"policy revisions compiled by the housekeeper")
COUNTER(snapshot_loads_total, "result", "ok|error",
	"snapshots taken over by a process")
COUNTER(keeper_starts_total, NULL, NULL, "housekeepers started")
COUNTER(process_starts_total, NULL, NULL, "responders started")
GAUGE(policy_revision, "revision of the published snapshot")
GAUGE(spool_backlog_bytes, "bytes not yet in PostgreSQL")
GAUGE(reservations_open, "calls that are neither reported nor expired")
GAUGE(counter_epoch, "epoch of the counters; each rebuild begins one")
GAUGE(counter_store, "what counts: 0 nothing, 1 memcached, 2 PostgreSQL, 3 "
      "this host's memory")
GAUGE(counter_memory_used_bytes,
      "that counters and reservations take of this host's memory")
GAUGE(clock_off_seconds, "how far this host's clock is from PostgreSQL's")
GAUGE(housekeeper_up, "1 when the housekeeper is at work")
GAUGE(postgresql_up, "1 when the housekeeper's last statement succeeded")
HISTOGRAM(evaluation_seconds, "time of one decision inside the engine")
HISTOGRAM(request_seconds, "time of one request inside the responder")
