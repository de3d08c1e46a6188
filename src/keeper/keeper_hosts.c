#include "keeper/keeper_hosts.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#define TOLD_US INT64_C(60000000)
enum { SILENT_MS = 10000 };

static void
see(void *arg, const struct store_node *node)
{
	struct keeper_hosts *hosts = arg;

	hosts->n++;
	if (node->epoch != hosts->epoch &&
	    (hosts->clean || node->age_ms > hosts->silent_ms)) {
		hosts->clean = false;
		snprintf(hosts->waits_for, sizeof(hosts->waits_for), "%s",
			 node->name);
		snprintf(hosts->spool_id, sizeof(hosts->spool_id), "%s",
			 node->spool_id);
		hosts->silent_ms = node->age_ms;
	}
	if (node->memcached == STORE_NODE_DOWN) {
		hosts->up = false;
	}
}

enum status
keeper_hosts(struct pg *pg, uint64_t epoch, struct keeper_hosts *out,
	     struct err *err)
{
	*out =
	    (struct keeper_hosts){ .epoch = epoch, .clean = true, .up = true };
	return store_node_each(pg, see, out, err);
}

void
keeper_hosts_tell(const struct keeper_hosts *hosts, int64_t *told_us)
{
	int64_t now = clock_mono_us();

	if ((*told_us != 0 && now - *told_us < TOLD_US) ||
	    hosts->silent_ms < SILENT_MS) {
		return;
	}
	*told_us = now;
	log_warning("counters: epoch %" PRIu64 " waits for host %s, which has "
		    "been silent for %" PRId64
		    " s; if it will never come back: ims-policyctl node "
		    "remove %s",
		    hosts->epoch, hosts->waits_for, hosts->silent_ms / 1000,
		    hosts->spool_id);
}
