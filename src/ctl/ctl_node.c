#include "ctl/ctl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/store_node.h"

/* A housekeeper beats each second; one that was silent so long is gone, hangs,
 * or does not reach PostgreSQL. */
enum { SILENT_MS = 60000, TEXT_BYTES = 32, NAME_BYTES = 1100 };

static const char *const up_words[] = {
	[STORE_NODE_NONE] = "none",
	[STORE_NODE_DOWN] = "DOWN",
	[STORE_NODE_UP] = "up",
};

/* ---- node list */

static void
print_node(void *arg, const struct store_node *node)
{
	char age[CTL_AGE_BYTES], until[CLOCK_TEXT_BYTES] = "never";
	char off[TEXT_BYTES] = "unknown", epoch[TEXT_BYTES] = "none";
	int *n = arg;

	if (node->clock_known) {
		snprintf(off, sizeof(off), "%+" PRId64 " ms",
			 node->clock_off_ms);
	}
	if (node->epoch != 0) {
		snprintf(epoch, sizeof(epoch), "%" PRIu64, node->epoch);
	}
	if (node->drained_until_us != 0) {
		clock_rfc3339(node->drained_until_us, until);
	}
	printf("%-16s %s beat %s ago%s, clock off %s, memcached %s, "
	       "epoch %s, drained until %s\n",
	       node->name, node->spool_id, ctl_age(node->age_ms, age),
	       node->age_ms >= SILENT_MS ? " SILENT" : "", off,
	       up_words[node->memcached], epoch, until);
	(*n)++;
}

int
ctl_node_list(const struct ctl *ctl, int argc, char **argv)
{
	struct err err;
	int n = 0;

	if (argc > 1) {
		return ctl_usage(ctl, "unexpected: %s", argv[1]);
	}
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = store_node_each(pg, print_node, &n, &err);
	pg_free(pg);
	if (status != STATUS_OK) {
		return ctl_failed(ctl, &err, "list the hosts");
	}
	if (n == 0) {
		fputs("No host is registered: no housekeeper has reached this "
		      "database.\n",
		      stderr);
	}
	return CTL_OK;
}

/* ---- node remove */

/* Which host is meant. */
struct search {
	const char *wanted; /* its name or its spool's id */
	int found;
	char spool_id[UUID_TEXT_BYTES];
	char name[NAME_BYTES];
	int64_t age_ms, drained_until_us;
};

static void
look_at(void *arg, const struct store_node *node)
{
	struct search *s = arg;

	if (strcasecmp(s->wanted, node->spool_id) != 0 &&
	    strcmp(s->wanted, node->name) != 0) {
		return;
	}
	s->found++;
	snprintf(s->spool_id, sizeof(s->spool_id), "%s", node->spool_id);
	snprintf(s->name, sizeof(s->name), "%s", node->name);
	s->age_ms = node->age_ms;
	s->drained_until_us = node->drained_until_us;
}

/* May it be removed?  CTL_OK, or what was said. */
static int
judge(const struct ctl *ctl, const struct search *s, bool force)
{
	char age[CTL_AGE_BYTES];
	struct err err;

	if (s->found == 0) {
		err_set(&err, STATUS_NOT_FOUND,
			"there is no host %s, see node list", s->wanted);
	} else if (s->found > 1) {
		err_set(&err, STATUS_CONFLICT,
			"%d hosts are named %s, say which by its id, see node "
			"list",
			s->found, s->wanted);
	} else if (s->age_ms < SILENT_MS && !force) {
		err_set(&err, STATUS_BUSY,
			"its housekeeper said something %s ago, so it is "
			"alive: stop it and wait a minute (--force removes it "
			"all the same, and it registers again with its next "
			"beat)",
			ctl_age(s->age_ms, age));
	} else {
		return CTL_OK;
	}
	return ctl_failed(ctl, &err, "remove the host %s", s->wanted);
}

static void
tell_removed(const struct search *s)
{
	char until[CLOCK_TEXT_BYTES] = "ever";

	if (s->drained_until_us != 0) {
		clock_rfc3339(s->drained_until_us, until);
	}
	printf("%s %s is removed\n", s->name, s->spool_id);
	fprintf(stderr,
		"Nobody waits for it any more.  What it recorded since %s and "
		"still has in\nits spool is lost to the counters, unless it "
		"comes back: then it registers by\nitself, and what it has is "
		"drained and counted.\n",
		until);
}

static int
remove_node(const struct ctl *ctl, struct search *s, bool force)
{
	struct err err;
	struct pg *pg = ctl_pg(ctl);

	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = store_node_each(pg, look_at, s, &err);
	int code = status != STATUS_OK ? CTL_OK : judge(ctl, s, force);
	if (status == STATUS_OK && code == CTL_OK) {
		status = store_node_remove(pg, s->spool_id, &err);
	}
	pg_free(pg);
	if (status != STATUS_OK) {
		return ctl_failed(ctl, &err, "remove the host %s", s->wanted);
	}
	if (code == CTL_OK) {
		tell_removed(s);
	}
	return code;
}

int
ctl_node_remove(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	struct search search = { .found = 0 };
	bool force = false;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 'f') {
			return ctl_usage(ctl, "%s", "");
		}
		force = true;
	}
	if (argc - optind != 1) {
		return ctl_usage(ctl, "%s",
				 "one NAME or ID is needed, see node list");
	}
	search.wanted = argv[optind];
	return remove_node(ctl, &search, force);
}
