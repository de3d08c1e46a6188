/*
 * fuzz_http_request: any variables and body are a request that is served or
 * refused; what was decoded is decoded again as the same, and no header of the
 * answer comes from the caller.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "http/route.h"
#include "input.h"
#include "json/read.h"
#include "message.h"

enum { BODY_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct route routes[] = {
	{ POOL_BOTH, HTTP_GET, "/a", 0, 0, "" },
	{ POOL_BOTH, HTTP_POST, "/a/{id}", 0, 1, "" },
	{ POOL_API, HTTP_PUT, "/a/{id}", 0, 2, "" },
};
enum { ROUTES_N = sizeof(routes) / sizeof(routes[0]) };

/* PREFIX and TEXT, of which nothing but a slash stands for itself. */
static char *
encode(struct arena *arena, const char *prefix, const char *text)
{
	struct buf out = { 0 };

	buf_adds(&out, prefix);
	for (; *text != '\0'; text++) {
		buf_printf(&out, *text == '/' ? "/" : "%%%02x",
			   (unsigned char)*text);
	}
	char *copy = arena_strdup(arena, buf_text(&out));
	buf_fini(&out);
	return copy;
}

static bool
one_line(const char *text)
{
	return text[strcspn(text, "\r\n")] == '\0';
}

static size_t
slashes_n(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		n += *text == '/';
	}
	return n;
}

static void
check_fields(const struct http_request *req)
{
	enum { TRACEPARENT_CHARS = 55 };
	const char *trace = req->traceparent;
	const char *uri = http_header(req, "REQUEST_URI");

	assert(req->refused != NULL || uri == NULL || uri[0] == '\0' ||
	       slashes_n(req->path) <= slashes_n(uri));
	assert(req->path[0] == '/' && one_line(req->path));
	assert(strstr(req->path, "/../") == NULL);
	assert(strstr(req->path, "/./") == NULL);
	assert(req->request_id[0] != '\0' && one_line(req->request_id));
	assert(strlen(req->request_id) <= HTTP_REQUEST_ID_CHARS);
	assert(trace == NULL ||
	       (one_line(trace) &&
		strspn(trace, "-0123456789abcdef") >= TRACEPARENT_CHARS));
	assert(req->body[req->body_n] == '\0' && req->body_n <= BODY_MAX);
}

/* What was decoded is encoded, more than it need be, and decoded again. */
static void
check_decoding(const struct http_request *req)
{
	char *uri = encode(req->arena, "REQUEST_URI=", req->path);
	struct message message = message_of(uri, strlen(uri));
	struct http_request again = { .arena = req->arena,
				      .param = message_param,
				      .transport = &message };
	const char *value = http_query(req, "q");

	enum status status = http_request_parse(&again, NULL);
	assert(status == STATUS_OK && strcmp(again.path, req->path) == 0);
	if (value != NULL) {
		again.query = encode(req->arena, "q=", value);
		assert(strcmp(http_query(&again, "q"), value) == 0);
	}
}

/* As many headers as were meant, whatever is in them, and then the body. */
static void
check_answer(const struct http_request *req, const struct http_response *res)
{
	enum { ALWAYS = 6 };
	size_t lines = ALWAYS + (req->traceparent != NULL) + res->headers_n;
	struct buf out = { 0 };
	struct json_doc *doc;

	http_response_write(req, res, &out);
	const char *at = out.data;
	for (; lines > 0; lines--) {
		size_t n = strcspn(at, "\r\n");

		assert(n > 0 && at[n] == '\r' && at[n + 1] == '\n');
		at += n + 2;
	}
	assert(strncmp(at, "\r\n", 2) == 0);
	assert(req->method == HTTP_HEAD ||
	       strcmp(at + 2, buf_text(&res->body)) == 0);
	if (res->body.len > 0) {
		enum status status =
		    json_doc_parse(res->body.data, res->body.len, &doc, NULL);
		assert(status == STATUS_OK);
		json_doc_free(doc);
	}
	buf_fini(&out);
}

static void *
worker_new(void *app)
{
	return app;
}

static void
worker_free(void *worker)
{
	(void)worker;
}

/* As the program's own: refuse, or find the route, or say why not. */
static void
serve(void *worker, const struct http_request *req, struct http_response *res)
{
	const struct route *route;
	const char *allow = NULL;
	struct err err;

	(void)worker;
	check_fields(req);
	check_decoding(req);
	if (req->refused != NULL) {
		http_problem(req, res, req->refused);
	} else if (http_request_is_json(req, &err) != STATUS_OK ||
		   route_find(routes, ROUTES_N, POOL_EVALUATE, req, &route,
			      &allow, &err) != STATUS_OK) {
		http_problem(req, res, &err);
	}
	if (allow != NULL) {
		http_response_header(res, "Allow", allow);
	}
	check_answer(req, res);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct http_app app = { worker_new, worker_free, serve, NULL };
	char *text = input_text(data, n);
	struct message message = message_of(text, n);
	const struct http_transport transport = { message_param, message_read,
						  &message };
	struct http_exchange exchange;

	http_exchange_init(&exchange, &app, BODY_MAX);
	http_exchange_run(&exchange, &transport);
	http_exchange_fini(&exchange);
	free(text);
	return 0;
}
