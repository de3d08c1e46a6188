/*
 * handler: one function an endpoint: read, call, answer.  No SQL, no rule.
 *
 * handler/serve.c finds the route, checks the key, takes the snapshot, calls
 * the handler and turns an error into problem details.
 */
#ifndef HANDLER_HANDLER_H
#define HANDLER_HANDLER_H

#include <stddef.h>

#include "base/board.h"
#include "base/config.h"
#include "engine/engine.h"
#include "http/response.h"
#include "http/route.h"
#include "http/server.h"
#include "policy/snapshot.h"

/* What all workers of a process share; made by main.c. */
struct handler_app {
	const struct config *config;
	struct board *board;
	struct board_process *self; /* or NULL */
	struct snapshot_source *snapshots;
	struct engine *engine;
	enum pool pool;
};

/* One call of a handler. */
struct handler_call {
	struct handler_app *app;
	struct engine_worker *worker;
	const struct snapshot *snapshot; /* NULL: there is none yet */
	const struct api_key *key;	 /* NULL: anonymous */
	const struct http_request *req;
	struct http_response *res;
	int64_t now_us;
};

typedef enum status handler_fn(struct handler_call *call, struct err *err);

handler_fn handler_evaluate;
handler_fn handler_health_live;
handler_fn handler_health_ready;
handler_fn handler_metrics;

/* The http_app of APP, which it borrows. */
struct http_app handler_http_app(struct handler_app *app);

/* Say on the board which revision this process serves: that of SNAPSHOT. */
void handler_note_revision(struct handler_app *app,
			   const struct snapshot *snapshot);

/* All rows of http/route.tbl.h; N their number. */
const struct route *handler_routes(size_t *n);

#endif /* HANDLER_HANDLER_H */
