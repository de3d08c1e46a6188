#include "handler/handler.h"

#include <assert.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"

/* A row has the same place in both tables. */
static const struct route routes[] = {
#define ROUTE(pool, method, path, roles, handler, doc) \
	{ POOL_##pool, HTTP_##method, path, AUTH_##roles, 0, doc },
#include "http/route.tbl.h"
#undef ROUTE
};

static handler_fn *const handlers[] = {
#define ROUTE(pool, method, path, roles, handler, doc) handler_##handler,
#include "http/route.tbl.h"
#undef ROUTE
};

enum { ROUTES_N = sizeof(routes) / sizeof(routes[0]) };

/* A worker of the server: what a thread has of its own. */
struct serve_worker {
	struct handler_app *app;
	struct engine_worker *engine;
	struct pg *pg;			/* NULL: not asked for yet */
	struct counter_worker *counter; /* the same */
};

const struct route *
handler_routes(size_t *n)
{
	*n = ROUTES_N;
	return routes;
}

void
handler_note_revision(struct handler_app *app, const struct snapshot *snapshot)
{
	if (app->self == NULL || snapshot == NULL) {
		return;
	}
	int64_t revision = snapshot_data(snapshot)->revision;
	/* Read first: many threads would fight for the line to say the same. */
	if (atomic_load(&app->self->revision) != revision) {
		atomic_store(&app->self->revision, revision);
	}
}

static void *
worker_new(void *arg)
{
	struct handler_app *app = arg;
	struct serve_worker *worker = calloc(1, sizeof(*worker));

	assert(worker != NULL);
	worker->app = app;
	worker->engine = engine_worker_new(app->engine);
	return worker;
}

static void
worker_free(void *arg)
{
	struct serve_worker *worker = arg;

	engine_worker_free(worker->engine);
	pg_free(worker->pg);
	counter_worker_free(worker->counter);
	free(worker);
}

enum status
handler_pg(struct handler_call *call, struct pg **out, struct err *err)
{
	const struct config *config = call->app->config;
	struct serve_worker *worker = call->own;

	if (config->pg_api[0] == '\0') {
		return err_set(err, STATUS_UNAVAILABLE,
			       "the setting pg_api is empty");
	}
	if (worker->pg == NULL) {
		worker->pg = pg_new(config->pg_api, "ims-policy api",
				    config->pg_timeout_ms);
	}
	*out = worker->pg;
	return STATUS_OK;
}

struct counter_worker *
handler_counter(struct handler_call *call)
{
	struct serve_worker *worker = call->own;

	if (worker->counter == NULL && call->app->counter != NULL) {
		worker->counter = counter_worker_new(call->app->counter);
	}
	return worker->counter;
}

enum status
handler_pg_failed(struct handler_call *call, struct err *err)
{
	log_warning("%s %s, request %s: %s", call->req->method_name,
		    call->req->path, call->req->request_id, err->text);
	call->logged = true;
	return err_set(err, err->status, "PostgreSQL cannot answer this now");
}

/* Bodies are read as JSON only. */
static enum status
check_body_type(const struct http_request *req, struct err *err)
{
	if (req->method == HTTP_POST || req->method == HTTP_PUT ||
	    req->method == HTTP_PATCH) {
		return http_request_is_json(req, err);
	}
	return STATUS_OK;
}

/* The caller's key, then the row's handler. */
static enum status
call_route(struct handler_call *call, const struct route *route,
	   struct err *err)
{
	const struct snapshot_data *data =
	    call->snapshot == NULL ? NULL : snapshot_data(call->snapshot);

	enum status status = auth_check(data, call->req, route->roles,
					call->now_us, &call->key, err);
	if (status != STATUS_OK) {
		return status;
	}
	status = check_body_type(call->req, err);
	if (status != STATUS_OK) {
		return status;
	}
	return handlers[route - routes](call, err);
}

static enum status
find_and_call(struct handler_call *call, struct err *err)
{
	const struct http_request *req = call->req;
	const struct route *route = NULL;
	const char *allow = NULL;

	enum status status = route_find(routes, ROUTES_N, call->app->pool, req,
					&route, &allow, err);
	if (status == STATUS_OK) {
		return call_route(call, route, err);
	}
	if (status == STATUS_METHOD) {
		http_response_header(call->res, "Allow", allow);
		if (req->method == HTTP_OPTIONS) {
			call->res->status = 204;
			return STATUS_OK;
		}
	}
	return status;
}

/* Failures of the engine are logged, those of its callers only counted. */
static void
answer_problem(const struct handler_call *call, const struct err *err)
{
	if (status_http(err->status) >= 500 &&
	    err->status != STATUS_NOT_IMPLEMENTED && !call->logged) {
		log_warning("%s %s, request %s: %s", call->req->method_name,
			    call->req->path, call->req->request_id, err->text);
	}
	http_problem(call->req, call->res, err);
}

static void
serve(void *arg, const struct http_request *req, struct http_response *res)
{
	struct serve_worker *worker = arg;
	const int64_t begun_us = clock_mono_us();
	struct handler_app *app = worker->app;
	struct snapshot *snapshot = snapshot_current(app->snapshots);
	struct handler_call call = { .app = app,
				     .worker = worker->engine,
				     .own = worker,
				     .snapshot = snapshot,
				     .req = req,
				     .res = res,
				     .now_us = req->received_us };
	struct err err;

	if (req->refused != NULL) {
		answer_problem(&call, req->refused);
	} else if (find_and_call(&call, &err) != STATUS_OK) {
		answer_problem(&call, &err);
	}
	handler_note_revision(app, snapshot);
	snapshot_unref(snapshot);
	metric_add(METRIC_http_answers_total, res->status / 100 - 2, 1);
	metric_observe(METRIC_request_seconds, clock_mono_us() - begun_us);
	if (app->self != NULL) {
		atomic_fetch_add(&app->self->requests, 1);
	}
}

struct http_app
handler_http_app(struct handler_app *app)
{
	return (struct http_app){ .worker_new = worker_new,
				  .worker_free = worker_free,
				  .serve = serve,
				  .app = app };
}
