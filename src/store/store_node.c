#include "store/store_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

const char *const store_node_counts_words[] = {
	[STORE_NODE_MEMCACHED] = "memcached",
	[STORE_NODE_POSTGRESQL] = "postgresql",
	[STORE_NODE_HOST] = "host",
	NULL,
};

static bool
flag(const struct pg_result *result, int row, int column)
{
	return pg_value(result, row, column)[0] == 't';
}

/* --- epochs ---------------------------------------------------------------- */

static enum store_node_counts
counts_of(const char *word)
{
	for (int i = 0; store_node_counts_words[i] != NULL; i++) {
		if (strcmp(store_node_counts_words[i], word) == 0) {
			return (enum store_node_counts)i;
		}
	}
	return STORE_NODE_POSTGRESQL; /* the table permits no other */
}

enum status
store_node_epoch(struct pg *pg, struct store_node_epoch *out, struct err *err)
{
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "SELECT epoch, counts, ready, node, (extract(epoch FROM "
		     "clock_timestamp() - begun_at) * 1000)::bigint, reason "
		     "FROM counter_epoch_newest()",
		     NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	*out = (struct store_node_epoch){ .epoch = 0 };
	if (pg_rows(result) == 1) {
		out->epoch = (uint64_t)pg_int(result, 0, 0);
		out->counts = counts_of(pg_value(result, 0, 1));
		out->ready = flag(result, 0, 2);
		snprintf(out->node, sizeof(out->node), "%s",
			 pg_value(result, 0, 3));
		out->age_ms = pg_int(result, 0, 4);
		snprintf(out->reason, sizeof(out->reason), "%s",
			 pg_value(result, 0, 5));
	}
	pg_result_free(result);
	return STATUS_OK;
}

enum status
store_node_epoch_begin(struct pg *pg, enum store_node_counts counts,
		       const char *reason, const char *spool_id,
		       uint64_t expected, uint64_t *begun, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { store_node_counts_words[counts], reason,
				 spool_id, pg_number((int64_t)expected, text) };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg, "SELECT counter_epoch_begin($1, $2, $3, $4)", params,
		     4, &result, err);

	if (status == STATUS_OK && pg_is_null(result, 0, 0)) {
		status = err_set(err, STATUS_BUSY,
				 "epoch %s is not the newest, another host "
				 "began one",
				 text);
	} else if (status == STATUS_OK) {
		*begun = (uint64_t)pg_int(result, 0, 0);
	}
	pg_result_free(result);
	return status;
}

enum status
store_node_epoch_ready(struct pg *pg, uint64_t epoch, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number((int64_t)epoch, text) };
	struct pg_result *result = NULL;
	enum status status = pg_query(pg, "SELECT counter_epoch_ready($1)",
				      params, 1, &result, err);

	if (status == STATUS_OK && !flag(result, 0, 0)) {
		status = err_set(err, STATUS_BUSY,
				 "epoch %s is not the newest any more", text);
	}
	pg_result_free(result);
	return status;
}

enum status
store_node_epoch_each(struct pg *pg, int n,
		      void (*each)(void *arg,
				   const struct store_node_epoch_row *row),
		      void *arg, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number(n, text) };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "SELECT e.epoch, e.counts, e.reason, e.node, "
		     "coalesce(n.name, ''), rfc3339(e.begun_at), "
		     "coalesce(rfc3339(e.ready_at), '') "
		     "FROM counter_epochs e "
		     "LEFT JOIN nodes n ON n.spool_id = e.node "
		     "ORDER BY e.epoch DESC LIMIT $1::bigint",
		     params, 1, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	for (int i = 0; i < pg_rows(result); i++) {
		struct store_node_epoch_row row = {
			.epoch = pg_value(result, i, 0),
			.counts = pg_value(result, i, 1),
			.reason = pg_value(result, i, 2),
			.node = pg_value(result, i, 3),
			.name = pg_value(result, i, 4),
			.begun_at = pg_value(result, i, 5),
			.ready_at = pg_value(result, i, 6),
		};
		each(arg, &row);
	}
	pg_result_free(result);
	return STATUS_OK;
}

/* --- nodes ----------------------------------------------------------------- */

static const char *
up_text(enum store_node_up up)
{
	return up == STORE_NODE_NONE ? NULL : up == STORE_NODE_UP ? "t" : "f";
}

enum status
store_node_beat(struct pg *pg, const struct store_node *node,
		int64_t *server_us, struct err *err)
{
	char off[PG_NUMBER_BYTES], epoch[PG_NUMBER_BYTES],
	    until[CLOCK_TEXT_BYTES];
	const char *params[] = {
		node->spool_id,
		node->name,
		node->clock_known ? pg_number(node->clock_off_ms, off) : NULL,
		up_text(node->memcached),
		node->epoch != 0 ? pg_number((int64_t)node->epoch, epoch)
				 : NULL,
		node->drained_until_us != 0
		    ? clock_rfc3339(node->drained_until_us, until)
		    : NULL,
	};
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg,
		     "SELECT (extract(epoch FROM node_beat($1, $2, $3, $4, $5, "
		     "$6)) * 1000000)::bigint",
		     params, 6, &result, err);

	if (status == STATUS_OK) {
		*server_us = pg_int(result, 0, 0);
	}
	pg_result_free(result);
	return status;
}

static struct store_node
node_row(const struct pg_result *result, int row)
{
	return (struct store_node){
		.spool_id = pg_value(result, row, 0),
		.name = pg_value(result, row, 1),
		.clock_known = !pg_is_null(result, row, 2),
		.clock_off_ms = pg_int(result, row, 2),
		.memcached = pg_is_null(result, row, 3) ? STORE_NODE_NONE
			     : flag(result, row, 3)	? STORE_NODE_UP
							: STORE_NODE_DOWN,
		.epoch = (uint64_t)pg_int(result, row, 4),
		.drained_until_us = pg_int(result, row, 5),
		.age_ms = pg_int(result, row, 6),
	};
}

enum status
store_node_each(struct pg *pg,
		void (*each)(void *arg, const struct store_node *node),
		void *arg, struct err *err)
{
	struct pg_result *result = NULL;
	/* A NULL reads as an empty text, which is 0. */
	enum status status = pg_query(
	    pg,
	    "SELECT spool_id, name, clock_off_ms, memcached_up, epoch, "
	    "(extract(epoch FROM drained_until) * 1000000)::bigint, "
	    "(extract(epoch FROM clock_timestamp() - beat_at) * 1000)::bigint "
	    "FROM nodes ORDER BY name, spool_id",
	    NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	for (int i = 0; i < pg_rows(result); i++) {
		struct store_node node = node_row(result, i);
		each(arg, &node);
	}
	pg_result_free(result);
	return STATUS_OK;
}

enum status
store_node_remove(struct pg *pg, const char *spool_id, struct err *err)
{
	const char *params[] = { spool_id };
	struct pg_result *result = NULL;
	enum status status =
	    pg_query(pg, "SELECT node_remove($1)", params, 1, &result, err);

	if (status == STATUS_OK && !flag(result, 0, 0)) {
		status =
		    err_set(err, STATUS_NOT_FOUND,
			    "there is no node with the spool %s", spool_id);
	}
	pg_result_free(result);
	return status;
}
