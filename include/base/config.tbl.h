/*
 * Every setting of ims-policy.conf.
 *
 * TEXT(name, default, doc)
 * NUMBER(name, default, minimum, maximum, unit, doc)
 * CHOICE(name, default, "a|b|c", doc)       kept as the index of the word
 *
 * Read by base/config.c; docs/configuration.md and the man page are checked
 * against it.  A file has one section, [ims-policy].
 */
TEXT(state_dir, "/var/lib/ims-policy",
     "folder of the spool, the snapshot and the notice board; private to the "
     "engine's user, on a local disk")
TEXT(pg_keeper, "",
     "libpq connection string of the housekeeper (role ims_policy_keeper); "
     "empty: no PostgreSQL, the last good snapshot serves and records wait in "
     "the spool")
TEXT(pg_api, "",
     "libpq connection string of the API pool (role ims_policy_api)")
TEXT(pg_admin, "",
     "libpq connection string of ims-policyctl: owner of the schema")
TEXT(pg_counter, "",
     "libpq connection string for counters and reports (role "
     "ims_policy_counter): used while memcached is lost, and for reports of "
     "calls that memcached does not know; empty: then neither can be answered")
TEXT(memcached, "",
     "servers of the counters: host, host:port or /path, by comma")
NUMBER(memcached_timeout_ms, 100, 1, 60000, "ms",
       "a memcached server that is later than this, three times in a row, is "
       "left alone for a second")
NUMBER(memcached_lost_ms, 3000, 100, 3600000, "ms",
       "a memcached that does not answer for this long is lost: PostgreSQL "
       "counts until it is back")
NUMBER(memcached_back_ms, 5000, 100, 3600000, "ms",
       "a memcached that was lost must answer for this long before it counts "
       "again")
CHOICE(counter_alone, "host", "host|memcached",
       "what counts as long as a single host is registered: its own memory, "
       "without a round trip, or memcached as with several")
NUMBER(counter_memory_bytes, 4294967296, 67108864, 1099511627776, "bytes",
       "most that the counters and reservations of a single host may take, in "
       "a file of state_dir that is mapped")
NUMBER(counter_wait_ms, 500, 10, 60000, "ms",
       "most that a decision waits for other calls' claims on the same counter")
NUMBER(reservation_ttl_s, 900, 1, 604800, "s",
       "a call whose report has not come by then is expired")
CHOICE(reservation_unsettled, "charge", "charge|release",
       "what an expired call without a report costs: its estimate, or nothing")
NUMBER(report_window_s, 3600, 0, 2592000, "s",
       "how long after its expiry a late report is settled without asking "
       "PostgreSQL")
NUMBER(retry_window_s, 300, 0, 86400, "s",
       "a request_id that comes again within it is a retry and gets the first "
       "decision; 0: never")
NUMBER(clock_off_max_ms, 1000, 10, 3600000, "ms",
       "a host whose clock is further from PostgreSQL's is not ready and does "
       "not count")
NUMBER(threads, 0, 0, 256, "threads",
       "workers of a responder; 1 under mod_fcgid, which gives a process one "
       "request at a time; 0: twice the processors, from 4 to 64")
NUMBER(body_max_bytes, 8388608, 1024, 1073741824, "bytes",
       "largest request body; larger ones are refused with 413")
NUMBER(spool_segment_bytes, 67108864, 65536, 4294967296, "bytes",
       "a spool file is closed and the next begun at this size")
NUMBER(spool_max_bytes, 8589934592, 1048576, 1099511627776, "bytes",
       "the backlog may grow to this size; then the spool counts as full")
NUMBER(spool_sync_ms, 5, 0, 60000, "ms",
       "the housekeeper flushes the spool to the disk this often; 0: never, "
       "the kernel decides")
NUMBER(drain_batch_bytes, 4194304, 4096, 268435456, "bytes",
       "most that one PostgreSQL transaction takes from the spool")
NUMBER(drain_idle_ms, 50, 1, 60000, "ms",
       "how long the housekeeper waits for more when the spool is nearly empty")
NUMBER(revision_poll_ms, 1000, 50, 600000, "ms",
       "how often the policy revision is asked for beside LISTEN")
NUMBER(pg_timeout_ms, 5000, 100, 600000, "ms",
       "connect and statement time-out towards PostgreSQL")
NUMBER(partition_months_ahead, 3, 1, 24, "months",
       "monthly partitions made in advance")
NUMBER(record_retention_days, 0, 0, 36500, "days",
       "partitions wholly older are dropped; 0: never; a policy's "
       "retention_days can only lengthen it")
NUMBER(usage_retention_days, 0, 0, 36500, "days",
       "the same for the ledger of usage, of which 62 days are kept in any "
       "case, since open budgets are rebuilt from them")
NUMBER(usage_rollup_retention_days, 0, 0, 36500, "days",
       "roll-ups of usage that are older are deleted, but for those of the "
       "last 62 days; 0: never")
CHOICE(fail_mode, "open", "open|closed",
       "what on_error default means: open allows, closed blocks")
TEXT(default_user_tier, "free", "tier of a user that nothing is known about")
TEXT(default_environment, "production",
     "environment of a request that names none: production, staging or "
     "development")
TEXT(unknown_price_per_mil_tokens, "60",
     "dollars per million tokens assumed, for input and output, where a model "
     "has no price and the policy says estimate")
CHOICE(log_level, "info", "debug|info|warning|error",
       "the least severe message that is logged")
CHOICE(start_keeper, "yes", "no|yes",
       "may a responder that finds no housekeeper start one")
