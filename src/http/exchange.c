#include "http/exchange.h"

#include <string.h>

#include "base/clock.h"

enum {
	ARENA_FIRST_BYTES = 64 * 1024,
	READ_BYTES = 64 * 1024,
	/* Memory that one large body may leave behind in a worker. */
	KEEP_BYTES = 1024 * 1024
};

void
http_exchange_init(struct http_exchange *exchange, const struct http_app *app,
		   size_t body_max_bytes)
{
	*exchange = (struct http_exchange){
		.app = app,
		.worker = app->worker_new(app->app),
		.body_max_bytes = body_max_bytes,
		.arena = arena_new(ARENA_FIRST_BYTES),
	};
}

void
http_exchange_fini(struct http_exchange *exchange)
{
	exchange->app->worker_free(exchange->worker);
	arena_free(exchange->arena);
	buf_fini(&exchange->body);
	buf_fini(&exchange->res.body);
	buf_fini(&exchange->out);
}

/* Read and forget, up to a bound. */
static void
drain(struct http_exchange *exchange, const struct http_transport *transport)
{
	size_t drained = 0;

	buf_reset(&exchange->body);
	char *scratch = buf_room(&exchange->body, READ_BYTES);
	while (drained < HTTP_DRAIN_BYTES) {
		int64_t got =
		    transport->read(transport->transport, scratch, READ_BYTES);
		if (got < READ_BYTES) {
			return;
		}
		drained += (size_t)got;
	}
	exchange->undrained = true;
}

/* The body into EXCHANGE->body, whatever CONTENT_LENGTH says. */
static enum status
read_to_end(struct http_exchange *exchange,
	    const struct http_transport *transport, struct err *err)
{
	const size_t max = exchange->body_max_bytes;
	struct buf *body = &exchange->body;

	for (;;) {
		size_t left = max + 1 - body->len;
		size_t want = left < READ_BYTES ? left : READ_BYTES;
		char *room = buf_room(body, want);
		int64_t got = transport->read(transport->transport, room, want);
		if (got < 0) {
			return err_set(err, STATUS_REQUEST,
				       "the request broke off");
		}
		buf_grown(body, (size_t)got);
		if (body->len > max) {
			drain(exchange, transport);
			return err_set(err, STATUS_TOO_LARGE,
				       "a body may have up to %zu bytes", max);
		}
		if ((size_t)got < want) {
			return STATUS_OK;
		}
	}
}

static enum status
read_body(struct http_exchange *exchange,
	  const struct http_transport *transport, struct http_request *req,
	  struct err *err)
{
	int64_t length = -1;

	/* First the body: whatever is wrong, it must leave the connection. */
	enum status status = read_to_end(exchange, transport, err);
	if (status != STATUS_OK) {
		return status;
	}
	status = http_request_length(req, &length, err);
	if (status != STATUS_OK) {
		return status;
	}
	if (length >= 0 && (uint64_t)length != exchange->body.len) {
		return err_set(err, STATUS_REQUEST,
			       "the body has %zu bytes, its header says %lld",
			       exchange->body.len, (long long)length);
	}
	req->body = buf_text(&exchange->body);
	req->body_n = exchange->body.len;
	return STATUS_OK;
}

/* Is this what a RESPONDER is asked?  The other roles have no HTTP answer. */
static enum status
check_role(const struct http_request *req, struct err *err)
{
	const char *role = http_header(req, "FCGI_ROLE");

	if (role == NULL || strcmp(role, "RESPONDER") == 0) {
		return STATUS_OK;
	}
	return err_set(err, STATUS_NOT_IMPLEMENTED,
		       "the FastCGI role must be RESPONDER");
}

static void
forget_last(struct http_exchange *exchange)
{
	arena_reset(exchange->arena);
	exchange->undrained = false;
	if (exchange->body.cap > KEEP_BYTES) {
		buf_fini(&exchange->body);
	}
	buf_reset(&exchange->body);
	buf_reset(&exchange->out);
	http_response_reset(&exchange->res);
}

void
http_exchange_run(struct http_exchange *exchange,
		  const struct http_transport *transport)
{
	struct err err, body_err;

	forget_last(exchange);
	struct http_request req = { .arena = exchange->arena,
				    .param = transport->param,
				    .transport = transport->transport,
				    .received_us = clock_now_us() };

	/* All three are asked: a bad path must not leave a body unread. */
	if (http_request_parse(&req, &err) != STATUS_OK ||
	    check_role(&req, &err) != STATUS_OK) {
		req.refused = &err;
	}
	if (read_body(exchange, transport, &req, &body_err) != STATUS_OK &&
	    req.refused == NULL) {
		req.refused = &body_err;
	}
	exchange->app->serve(exchange->worker, &req, &exchange->res);
	http_response_write(&req, &exchange->res, &exchange->out);
}
