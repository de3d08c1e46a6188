#include "http/response.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

void
http_response_reset(struct http_response *res)
{
	res->status = 200;
	res->content_type = "application/json";
	res->headers_n = 0;
	buf_reset(&res->body);
}

/* No control character: a line of a header ends where we say so. */
static bool
value_is_clean(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0';
	     p++) {
		if ((*p < 0x20 && *p != '\t') || *p == 0x7f) {
			return false;
		}
	}
	return true;
}

void
http_response_header(struct http_response *res, const char *name,
		     const char *value)
{
	assert(res->headers_n < HTTP_HEADERS);
	assert(value_is_clean(name) && value_is_clean(value));

	res->headers[res->headers_n].name = name;
	res->headers[res->headers_n].value = value;
	res->headers_n++;
}

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].status == status) {
			return rows[i].reason;
		}
	}
	return "Other";
}

static void
add_header(struct buf *out, const char *name, const char *value)
{
	buf_adds(out, name);
	buf_add(out, ": ", 2);
	buf_adds(out, value);
	buf_add(out, "\r\n", 2);
}

void
http_response_write(const struct http_request *req,
		    const struct http_response *res, struct buf *out)
{
	const bool content = res->status != 204;

	buf_printf(out, "Status: %d %s\r\n", res->status, reason(res->status));
	if (content) {
		add_header(out, "Content-Type", res->content_type);
		buf_printf(out, "Content-Length: %zu\r\n", res->body.len);
	}
	add_header(out, "X-Request-Id", req->request_id);
	if (req->traceparent != NULL) {
		add_header(out, "traceparent", req->traceparent);
	}
	buf_adds(out, "Cache-Control: no-store\r\n"
		      "X-Content-Type-Options: nosniff\r\n");
	for (size_t i = 0; i < res->headers_n; i++) {
		add_header(out, res->headers[i].name, res->headers[i].value);
	}
	buf_add(out, "\r\n", 2);
	if (content && req->method != HTTP_HEAD && res->body.len > 0) {
		buf_add(out, res->body.data, res->body.len);
	}
}
