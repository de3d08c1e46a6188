/*
 * fuzz_http_request: any variables and body are a request that is served or
 * refused; what was decoded is decoded again as the same, a query and a cursor
 * come back from the link to the next page, and no header of the answer comes
 * from the caller.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "http/page.h"
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

	enum status status = http_request_parse(&again, NULL);
	assert(status == STATUS_OK && strcmp(again.path, req->path) == 0);
}

/* The query of the link to the next page, without its own brackets. */
static const char *
next_query(const struct http_request *req, const struct http_query *query,
	   const struct page_place *place)
{
	const struct page_link link = { .query = query, .list = "l" };
	struct http_response res = { 0 };

	page_next(req, &res, &link, place);
	char *text = arena_strdup(req->arena, res.headers[0].value);
	char *end = strchr(text, '>');
	assert(text[0] == '<' && end != NULL && one_line(text));
	assert(strcmp(end, ">; rel=\"next\"") == 0);
	*end = '\0';
	return strchr(text, '?') + 1;
}

/* A query that is taken is the same in the link to the next page. */
static void
check_query(const struct http_request *req)
{
	static const char *const names[] = { "p", "q", "limit", "cursor",
					     NULL };
	struct http_query query, again;
	struct page_place place, same;
	struct err err;

	http_query_parse(req, names, &query, &err);
	int64_t limit = page_limit(&query);
	assert(limit >= 1 && limit <= PAGE_LIMIT_MAX);
	page_cursor(&query, "l", 2, &place);
	if (http_query_done(&query) != STATUS_OK) {
		assert(err.status == STATUS_REQUEST && err.items_n > 0);
		return;
	}
	const char *p = http_query_text(&query, "p", SIZE_MAX);
	const char *q = http_query_text(&query, "q", SIZE_MAX);
	if (place.n == 0) {
		bool fits = p != NULL && strlen(p) <= PAGE_FIELD_MAX_BYTES;
		place = (struct page_place){ { fits ? p : "", "" }, 2 };
	}
	struct http_request next = *req;
	next.query = next_query(req, &query, &place);
	if (strlen(next.query) > HTTP_QUERY_MAX_BYTES) {
		return;
	}
	http_query_parse(&next, names, &again, &err);
	page_cursor(&again, "l", 2, &same);
	assert(http_query_done(&again) == STATUS_OK && same.n == place.n);
	assert(strcmp(same.fields[0], place.fields[0]) == 0);
	assert(strcmp(same.fields[1], place.fields[1]) == 0);
	const char *q_again = http_query_text(&again, "q", SIZE_MAX);
	assert((q == NULL) == (q_again == NULL));
	assert(q == NULL || strcmp(q, q_again) == 0);
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
	check_query(req);
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
