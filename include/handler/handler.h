/*
 * handler: one function an endpoint: read, call, answer.  No SQL, no rule.
 *
 * handler/serve.c finds the route, checks the key, takes the snapshot, calls
 * the handler and turns an error into problem details.
 */
#ifndef HANDLER_HANDLER_H
#define HANDLER_HANDLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/board.h"
#include "base/config.h"
#include "counter/counter.h"
#include "engine/engine.h"
#include "http/response.h"
#include "http/route.h"
#include "http/server.h"
#include "policy/snapshot.h"
#include "store/pg.h"

/* What all workers of a process share; made by main.c. */
struct handler_app {
	const struct config *config;
	struct board *board;
	struct board_process *self; /* or NULL */
	struct snapshot_source *snapshots;
	struct engine *engine;
	struct counter *counter; /* or NULL: what is counted is not known */
	enum pool pool;
};

struct serve_worker; /* what a thread has of its own */

/* One call of a handler. */
struct handler_call {
	struct handler_app *app;
	struct engine_worker *worker;
	struct serve_worker *own;	 /* for handler_pg, handler_counter */
	const struct snapshot *snapshot; /* NULL: there is none yet */
	const struct api_key *key;	 /* NULL: anonymous */
	const struct http_request *req;
	struct http_response *res;
	int64_t now_us;
	bool logged; /* why it fails stands in the log already */
};

typedef enum status handler_fn(struct handler_call *call, struct err *err);

handler_fn handler_evaluate;
handler_fn handler_health_live;
handler_fn handler_health_ready;
handler_fn handler_metrics;
handler_fn handler_usage;

/*
 * The worker's connection by the setting pg_api, for what store/ is asked;
 * made when it is first wanted.  STATUS_UNAVAILABLE: there is no such setting.
 */
enum status handler_pg(struct handler_call *call, struct pg **out,
		       struct err *err) MUST_CHECK;

/*
 * What a call of store/ failed with, ERR, as the handler's own failure: it is
 * logged, and the caller is told no more than that PostgreSQL did not answer.
 */
enum status handler_pg_failed(struct handler_call *call,
			      struct err *err) MUST_CHECK;

/* The worker's way to ask the counters, made when it is first wanted; NULL:
 * nothing counts. */
struct counter_worker *handler_counter(struct handler_call *call);

/* The http_app of APP, which it borrows. */
struct http_app handler_http_app(struct handler_app *app);

/* Say on the board which revision this process serves: that of SNAPSHOT. */
void handler_note_revision(struct handler_app *app,
			   const struct snapshot *snapshot);

/* All rows of http/route.tbl.h; N their number. */
const struct route *handler_routes(size_t *n);

#endif /* HANDLER_HANDLER_H */
