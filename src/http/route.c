#include "http/route.h"

#include <stdbool.h>
#include <string.h>

static const char *const method_names[HTTP_METHOD_N] = {
	[HTTP_GET] = "GET",	    [HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",	    [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH",	    [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = NULL,
};

/* PATTERN is exact but for "{...}", which stands for one part, not empty. */
static bool
path_matches(const char *pattern, const char *path)
{
	for (;;) {
		size_t want = strcspn(pattern, "/");
		size_t got = strcspn(path, "/");
		bool hole = pattern[0] == '{';
		if (hole ? got == 0
			 : want != got || memcmp(pattern, path, got) != 0) {
			return false;
		}
		pattern += want;
		path += got;
		if (*pattern == '\0' || *path == '\0') {
			return *pattern == *path;
		}
		pattern++;
		path++;
	}
}

/* "GET, HEAD, OPTIONS" for the bits 1 << enum http_method of METHODS. */
static const char *
allow_text(struct arena *arena, unsigned methods)
{
	const char *text = "";

	for (int i = 0; i < HTTP_OTHER; i++) {
		if ((methods & 1U << i) != 0) {
			text = arena_printf(arena, "%s%s%s", text,
					    text[0] == '\0' ? "" : ", ",
					    method_names[i]);
		}
	}
	return text;
}

static bool
route_serves(const struct route *route, enum http_method method)
{
	return route->method == method ||
	       (route->method == HTTP_GET && method == HTTP_HEAD);
}

enum status
route_find(const struct route *routes, size_t n, enum pool pool,
	   const struct http_request *req, const struct route **out,
	   const char **allow, struct err *err)
{
	const struct route *found = NULL;
	unsigned methods = 0;

	for (size_t i = 0; i < n; i++) {
		const struct route *route = &routes[i];
		if ((route->pools & pool) == 0 ||
		    !path_matches(route->path, req->path)) {
			continue;
		}
		methods |= 1U << route->method;
		if (found == NULL && route_serves(route, req->method)) {
			found = route;
		}
	}
	if (found != NULL) {
		*out = found;
		*allow = NULL;
		return STATUS_OK;
	}
	if (methods == 0) {
		return err_set(err, STATUS_NOT_FOUND,
			       "no such path in this pool");
	}
	methods |= 1U << HTTP_OPTIONS;
	if ((methods & 1U << HTTP_GET) != 0) {
		methods |= 1U << HTTP_HEAD;
	}
	*allow = allow_text(req->arena, methods);
	return err_set(err, STATUS_METHOD, "the path takes %s", *allow);
}
