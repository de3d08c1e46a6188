#include "keeper/keeper_rebuild.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "counter/rebuild.h"
#include "store/store_usage_keep.h"

/* Values of the metric counter_rebuilds_total. */
enum { REBUILD_OK, REBUILD_ERROR };

struct rebuilding {
	struct counter_store *store;
	bool marks; /* its marker is there before the epoch is ready */
	struct counter_rebuild *accounts;
	size_t accounts_n;
	struct err *err;
};

static bool
rebuild_row(void *arg, const struct store_usage_counter *row)
{
	struct rebuilding *r = arg;
	struct counter_subject subject;
	struct account_entry entry = {
		.counter = row->counter,
		.kind = (enum counter_kind)row->kind,
		.window = (enum window_unit)row->window,
		.from_s = row->from_s,
		.to_s = row->to_s,
		.at_us = row->bucket_s * 1000000,
		.expires_us = row->to_s * 1000000,
		.amount = row->amount,
		.alert = row->alert,
	};

	if (row->evaluation_id != NULL) {
		entry.lease = account_lease_id(row->evaluation_id);
	}
	memcpy(subject.bytes, row->subject, sizeof(subject.bytes));
	return counter_rebuild_add(r->accounts, &subject, &entry);
}

/* All of it must be there still. */
static bool
rebuild_end(void *arg)
{
	struct rebuilding *r = arg;

	return counter_rebuild_end(r->accounts, &r->accounts_n) &&
	       (!r->marks ||
		r->store->type->check(r->store, r->err) == STATUS_OK);
}

/*
 * The marker comes first, so that what is written and lost again before the end
 * is noticed.  PostgreSQL loses nothing, and its own marker is the epoch's row.
 */
static enum status
rebuild(struct pg *pg, struct rebuilding *r, uint64_t epoch)
{
	const struct store_usage_rebuild calls = { .each = rebuild_row,
						   .end = rebuild_end,
						   .arg = r };
	enum status status = STATUS_OK;

	if (r->marks) {
		status = r->store->type->begin(r->store, epoch, r->err);
	}
	if (status == STATUS_OK) {
		r->accounts = counter_rebuild_new(r->store, clock_now_us());
		status = store_usage_rebuild(pg, epoch, &calls, r->err);
		counter_rebuild_free(r->accounts);
	}
	return status;
}

enum status
keeper_rebuild(struct pg *pg, struct counter_store *store,
	       const struct store_node_epoch *epoch, struct err *err)
{
	struct rebuilding r = {
		.store = store,
		.marks = epoch->counts != STORE_NODE_POSTGRESQL,
		.err = err,
	};
	int64_t begun_us = clock_mono_us();
	enum status status = rebuild(pg, &r, epoch->epoch);

	if (status == STATUS_BUSY) {
		return status; /* nothing was done here */
	}
	metric_add(METRIC_counter_rebuilds_total,
		   status == STATUS_OK ? REBUILD_OK : REBUILD_ERROR, 1);
	if (status == STATUS_OK) {
		log_info("counters: rebuilt %zu accounts for epoch %" PRIu64
			 " in %" PRId64 " ms",
			 r.accounts_n, epoch->epoch,
			 (clock_mono_us() - begun_us) / 1000);
	}
	return status;
}
