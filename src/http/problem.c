#include "http/response.h"

#include <assert.h>
#include <string.h>

#include "base/metric.h"
#include "http/utf8.h"
#include "json/write.h"

#define PROBLEM_TYPE "urn:ims-policy:problem:"
#define PROBLEM_INSTANCE "urn:ims-policy:request:"

/* Values of METRIC_http_refused_total, in the order of base/metric.tbl.h. */
enum refused {
	REFUSED_JSON,
	REFUSED_BODY,
	REFUSED_REQUEST,
	REFUSED_UNAUTHENTICATED,
	REFUSED_FORBIDDEN,
	REFUSED_NOT_FOUND,
	REFUSED_METHOD,
	REFUSED_TOO_LARGE,
	REFUSED_MEDIA_TYPE,
	REFUSED_OTHER
};

static enum refused
refused_reason(enum status status)
{
	switch (status) {
	case STATUS_JSON:
		return REFUSED_JSON;
	case STATUS_BODY:
		return REFUSED_BODY;
	case STATUS_REQUEST:
		return REFUSED_REQUEST;
	case STATUS_UNAUTHENTICATED:
		return REFUSED_UNAUTHENTICATED;
	case STATUS_FORBIDDEN:
		return REFUSED_FORBIDDEN;
	case STATUS_NOT_FOUND:
		return REFUSED_NOT_FOUND;
	case STATUS_METHOD:
		return REFUSED_METHOD;
	case STATUS_TOO_LARGE:
		return REFUSED_TOO_LARGE;
	case STATUS_MEDIA_TYPE:
		return REFUSED_MEDIA_TYPE;
	default:
		return REFUSED_OTHER;
	}
}

/*
 * TEXT with a '?' for each byte that is not UTF-8: an error's text is cut at
 * a fixed size, and may quote what a caller sent.
 */
static const char *
utf8_clean(struct arena *arena, const char *text)
{
	char *out = arena_strdup(arena, text);

	for (size_t i = 0; out[i] != '\0';) {
		size_t n = utf8_sequence(out + i);
		if (n == 0) {
			out[i] = '?';
			n = 1;
		}
		i += n;
	}
	return out;
}

/* The request's id as the last part of a URN (RFC 3986, 2.3). */
static const char *
problem_instance(const struct http_request *req)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";
	static const char hex[] = "0123456789ABCDEF";
	const char *id = req->request_id;
	const size_t prefix_n = sizeof(PROBLEM_INSTANCE) - 1;
	char *out = arena_alloc(req->arena, prefix_n + 3 * strlen(id) + 1);
	char *to = out + prefix_n;

	memcpy(out, PROBLEM_INSTANCE, prefix_n);
	for (; *id != '\0'; id++) {
		if (strchr(plain, *id) != NULL) {
			*to++ = *id;
			continue;
		}
		*to++ = '%';
		*to++ = hex[(unsigned char)*id >> 4];
		*to++ = hex[(unsigned char)*id & 15];
	}
	return out;
}

static void
put_errors(struct json_writer *w, struct arena *arena, const struct err *err)
{
	size_t n = err->items_n < ERR_ITEMS ? err->items_n : ERR_ITEMS;
	/* What is wrong with a request itself is a parameter of its query. */
	const char *place =
	    err->status == STATUS_REQUEST ? "parameter" : "pointer";

	if (n == 0) {
		return;
	}
	json_key(w, "errors");
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) {
		const struct err_item *item = &err->items[i];
		json_object_begin(w);
		json_member(w, place, utf8_clean(arena, item->pointer));
		json_member(w, "detail", utf8_clean(arena, item->detail));
		json_object_finish(w);
	}
	json_array_finish(w);
}

static void
problem_headers(struct http_response *res, enum status status)
{
	if (status == STATUS_UNAUTHENTICATED) {
		http_response_header(res, "WWW-Authenticate",
				     "Bearer realm=\"ims-policy\"");
	}
	if (status_http(status) == 503) {
		http_response_header(res, "Retry-After", "1");
	}
}

void
http_problem(const struct http_request *req, struct http_response *res,
	     const struct err *err)
{
	struct json_writer w;
	const enum status status = err->status;

	assert(status != STATUS_OK);
	res->status = status_http(status);
	res->content_type = "application/problem+json";
	problem_headers(res, status);
	buf_reset(&res->body);
	json_write_init(&w, &res->body);
	json_object_begin(&w);
	json_member(
	    &w, "type",
	    arena_printf(req->arena, PROBLEM_TYPE "%s", status_slug(status)));
	json_member(&w, "title", status_title(status));
	json_member_int(&w, "status", res->status);
	json_member(&w, "detail", utf8_clean(req->arena, err->text));
	json_member(&w, "instance", problem_instance(req));
	put_errors(&w, req->arena, err);
	json_object_finish(&w);
	json_write_end(&w);
	metric_add(METRIC_http_refused_total, refused_reason(status), 1);
}
