#include "ctl/ctl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/board.h"
#include "base/uuid.h"
#include "store/store_node.h"
#include "store/store_usage_keep.h"

enum { EPOCHS_MAX = 6, SILENT_MS = 60000, REASON_BYTES = 1001 };

/* ---- what this host says */

static const char *const board_words[] = {
	[BOARD_COUNTS_NOTHING] = "counters are not known",
	[BOARD_COUNTS_MEMCACHED] = "memcached counts",
	[BOARD_COUNTS_POSTGRESQL] = "postgresql counts",
	[BOARD_COUNTS_HOST] = "its own memory counts",
};

static void
print_board(const struct ctl *ctl)
{
	struct board *board = NULL;
	struct err err;

	if (ctl_board(ctl, &board, &err) != STATUS_OK) {
		printf("this host        %s\n", err.text);
		return;
	}
	int32_t counts = atomic_load(&board->counter_counts);
	uint64_t epoch = atomic_load(&board->counter_epoch);
	printf(
	    "this host        follows epoch %" PRIu64 ", %s%s%s%s\n", epoch,
	    counts >= 0 && counts < BOARD_COUNTS_N ? board_words[counts] : "?",
	    epoch != 0 && atomic_load(&board->counter_unreadable_epoch) == epoch
		? ", met an account that it CANNOT READ"
		: "",
	    atomic_load(&board->clock_off) != 0
		? ", its CLOCK IS OFF: it does not count"
		: "",
	    board_keeper_alive(ctl->config.state_dir)
		? ""
		: ", NO HOUSEKEEPER runs: this may be old");
}

/* ---- what PostgreSQL says */

/* What has been printed of the epochs. */
struct epochs {
	int n;
	int64_t age_ms; /* of the newest */
};

static const char *
chosen_by(const struct store_node_epoch_row *row)
{
	return strcmp(row->node, STORE_NODE_OPERATOR) == 0 ? "an operator"
	       : row->name[0] != '\0'			   ? row->name
							   : row->node;
}

static void
print_epoch(void *arg, const struct store_node_epoch_row *row)
{
	struct epochs *e = arg;

	if (e->n++ == 0) {
		char age[CTL_AGE_BYTES];

		printf(
		    "epoch            %s, %s counts, %s\n"
		    "since            %s (%s ago)\n"
		    "why              %s\n"
		    "chosen by        %s\n",
		    row->epoch, row->counts,
		    row->ready_at[0] != '\0'
			? "ready"
			: "NOT READY: counters are unknown, on_error decides",
		    row->begun_at, ctl_age(e->age_ms, age), row->reason,
		    chosen_by(row));
		return;
	}
	if (e->n == 2) {
		puts("before");
	}
	printf("    %-6s %-10s %s %s%s: %s\n", row->epoch, row->counts,
	       row->begun_at, chosen_by(row),
	       row->ready_at[0] != '\0' ? "" : " (never ready)", row->reason);
}

/* Whom a rebuild waits for. */
struct hosts {
	uint64_t epoch;
	bool ready;
	int n, waits;
};

static void
print_host(void *arg, const struct store_node *node)
{
	struct hosts *h = arg;
	char age[CTL_AGE_BYTES];
	bool waits = !h->ready && node->epoch != h->epoch;

	h->n++;
	h->waits += waits;
	if (!waits && node->age_ms < SILENT_MS) {
		return;
	}
	printf("%-17s%s", waits ? "waits for" : "silent", node->name);
	if (waits && node->epoch == 0) {
		printf(", which follows none and is not drained");
	} else if (waits) {
		printf(", which follows epoch %" PRIu64 ", or is not drained",
		       node->epoch);
	}
	printf(", last beat %s ago\n", ctl_age(node->age_ms, age));
}

static void
print_hosts(const struct hosts *h)
{
	printf("hosts            %d registered", h->n);
	if (h->ready) {
		putchar('\n');
	} else if (h->waits > 0) {
		printf(", %d of them hold up the rebuild; see node list, and\n"
		       "                 node remove for one that will never "
		       "come back\n",
		       h->waits);
	} else if (h->n == 0) {
		puts(": no housekeeper reaches this database");
	} else {
		puts(", all are ready for the rebuild: if it does not come,\n"
		     "                 the housekeepers' logs say why");
	}
}

static enum status
print_ledger(struct pg *pg, struct err *err)
{
	int64_t open = 0, uncounted = 0;
	enum status status = store_usage_open_n(pg, &open, err);

	if (status == STATUS_OK) {
		status = store_usage_uncounted_n(pg, &uncounted, err);
	}
	if (status == STATUS_OK) {
		printf("open calls       %" PRId64 "\n"
		       "not counted yet  %" PRId64 " entries of the ledger\n",
		       open, uncounted);
	}
	return status;
}

static enum status
print_all(struct pg *pg, struct err *err)
{
	struct store_node_epoch now;
	enum status status = store_node_epoch(pg, &now, err);

	if (status != STATUS_OK) {
		return status;
	}
	struct hosts hosts = { .epoch = now.epoch, .ready = now.ready };
	struct epochs epochs = { .age_ms = now.age_ms };
	if (now.epoch == 0) {
		puts("epoch            none yet: a housekeeper begins the "
		     "first, nothing is counted");
	}
	status =
	    store_node_epoch_each(pg, EPOCHS_MAX, print_epoch, &epochs, err);
	if (status == STATUS_OK) {
		status = store_node_each(pg, print_host, &hosts, err);
	}
	if (status == STATUS_OK) {
		print_hosts(&hosts);
		status = print_ledger(pg, err);
	}
	return status;
}

int
ctl_counters(const struct ctl *ctl, int argc, char **argv)
{
	struct err err;

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "status") != 0)) {
		return ctl_usage(ctl, "unexpected: %s", argv[argc - 1]);
	}
	print_board(ctl);
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = print_all(pg, &err);
	pg_free(pg);
	return status == STATUS_OK
		   ? CTL_OK
		   : ctl_failed(ctl, &err, "say what the counters do");
}

/* ---- beginning an epoch */

/* The option --reason into OUT, after who gives it; false after saying what is
 * wrong. */
static bool
read_reason(const struct ctl *ctl, int argc, char **argv,
	    char out[REASON_BYTES])
{
	static const struct option options[] = {
		{ "reason", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	const char *reason = "";

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 'r') {
			ctl_usage(ctl, "%s", "");
			return false;
		}
		reason = optarg;
	}
	if (reason[0] == '\0') {
		ctl_usage(ctl, "%s",
			  "--reason is needed: who reads it will want to know");
		return false;
	}
	int n = snprintf(out, REASON_BYTES, "%s: %s", ctl_author(), reason);
	if (n < 0 || n >= REASON_BYTES) {
		ctl_usage(ctl, "%s", "--reason is too long");
		return false;
	}
	return true;
}

/*
 * The epoch after NOW.  NODE says whose choice of a keeper it is: a rebuild
 * leaves that as it was.
 */
static enum status
begin(struct pg *pg, const struct store_node_epoch *now,
      enum store_node_counts counts, const char *reason, const char *node,
      struct err *err)
{
	uint64_t begun = 0;
	enum status status = store_node_epoch_begin(pg, counts, reason, node,
						    now->epoch, &begun, err);

	if (status != STATUS_OK) {
		return status;
	}
	printf("epoch %" PRIu64 " of %s has begun\n", begun,
	       store_node_counts_words[counts]);
	fputs("Counters are unknown (on_error decides) until every host has "
	      "drained its spool\nand the housekeepers have rebuilt them: see "
	      "ims-policyctl counters.\n",
	      stderr);
	return STATUS_OK;
}

static enum status
rebuild(struct pg *pg, const char *reason, struct err *err)
{
	struct store_node_epoch now;
	enum status status = store_node_epoch(pg, &now, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (now.epoch == 0) {
		return err_set(err, STATUS_CONFLICT,
			       "there is no epoch yet, a housekeeper begins "
			       "the first");
	}
	if (!now.ready) {
		return err_set(err, STATUS_CONFLICT,
			       "epoch %" PRIu64 " is being rebuilt already, "
			       "see ims-policyctl counters",
			       now.epoch);
	}
	return begin(pg, &now, now.counts, reason, now.node, err);
}

int
ctl_counters_rebuild(const struct ctl *ctl, int argc, char **argv)
{
	char reason[REASON_BYTES];
	struct err err;

	if (!read_reason(ctl, argc, argv, reason)) {
		return CTL_USAGE;
	}
	if (optind < argc) {
		return ctl_usage(ctl, "unexpected: %s", argv[optind]);
	}
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = rebuild(pg, reason, &err);
	pg_free(pg);
	return status == STATUS_OK
		   ? CTL_OK
		   : ctl_failed(ctl, &err, "have the counters rebuilt");
}

/* What the registered hosts have. */
struct reach {
	int n, with;			/* of them with a memcached */
	char down[256];			/* one that does not reach it */
	char spool_id[UUID_TEXT_BYTES]; /* of one */
};

static void
see_host(void *arg, const struct store_node *node)
{
	struct reach *reach = arg;

	reach->n++;
	reach->with += node->memcached != STORE_NODE_NONE;
	if (node->memcached == STORE_NODE_DOWN) {
		snprintf(reach->down, sizeof(reach->down), "%s", node->name);
	}
	snprintf(reach->spool_id, sizeof(reach->spool_id), "%s",
		 node->spool_id);
}

/* Can they all count there? */
static enum status
check_hosts(enum store_node_counts counts, const struct reach *reach,
	    struct err *err)
{
	if (counts == STORE_NODE_HOST && reach->n != 1) {
		return err_set(err, STATUS_CONFLICT,
			       "%d hosts are registered, and only a single "
			       "one counts in its memory",
			       reach->n);
	}
	if (counts == STORE_NODE_MEMCACHED && reach->with == 0) {
		return err_set(err, STATUS_CONFLICT,
			       "no registered host has a memcached, see node "
			       "list");
	}
	if (counts == STORE_NODE_MEMCACHED && reach->down[0] != '\0') {
		return err_set(err, STATUS_CONFLICT,
			       "host %s does not reach its memcached, see "
			       "node list",
			       reach->down);
	}
	return STATUS_OK;
}

/* A host's memory is chosen by that host, everything else by an operator. */
static enum status
use(struct pg *pg, enum store_node_counts counts, const char *reason,
    struct err *err)
{
	struct store_node_epoch now;
	struct reach reach = { .n = 0 };
	enum status status = store_node_epoch(pg, &now, err);

	if (status == STATUS_OK) {
		status = store_node_each(pg, see_host, &reach, err);
	}
	if (status == STATUS_OK) {
		status = check_hosts(counts, &reach, err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	const char *node =
	    counts == STORE_NODE_HOST ? reach.spool_id : STORE_NODE_OPERATOR;
	if (now.epoch != 0 && now.counts == counts &&
	    strcmp(now.node, node) == 0) {
		return err_set(err, STATUS_CONFLICT,
			       "it counts already (epoch %" PRIu64
			       "); counters rebuild begins anew",
			       now.epoch);
	}
	return begin(pg, &now, counts, reason, node, err);
}

/* The place of WORD among what can count; -1: it is none. */
static int
counts_of(const char *word)
{
	for (int i = 0; store_node_counts_words[i] != NULL; i++) {
		if (strcmp(word, store_node_counts_words[i]) == 0) {
			return i;
		}
	}
	return -1;
}

int
ctl_counters_use(const struct ctl *ctl, int argc, char **argv)
{
	char reason[REASON_BYTES];
	struct err err;

	if (!read_reason(ctl, argc, argv, reason)) {
		return CTL_USAGE;
	}
	if (argc - optind != 1) {
		return ctl_usage(
		    ctl, "%s", "one of memcached, postgresql, host is needed");
	}
	const char *word = argv[optind];
	int counts = counts_of(word);
	if (counts < 0) {
		return ctl_usage(ctl,
				 "neither memcached nor postgresql nor host: "
				 "%s",
				 word);
	}
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status =
	    use(pg, (enum store_node_counts)counts, reason, &err);
	pg_free(pg);
	return status == STATUS_OK
		   ? CTL_OK
		   : ctl_failed(ctl, &err, "let %s count", word);
}
