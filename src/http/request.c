#include "http/request.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/uuid.h"

static const char *const method_names[HTTP_METHOD_N] = {
	[HTTP_GET] = "GET",	    [HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",	    [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH",	    [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "OTHER",
};

const char *
http_header(const struct http_request *req, const char *cgi_name)
{
	return req->param(req, cgi_name);
}

static const char *
param_or(const struct http_request *req, const char *name, const char *other)
{
	const char *value = req->param(req, name);

	return value != NULL ? value : other;
}

static void
parse_method(struct http_request *req)
{
	const char *name = param_or(req, "REQUEST_METHOD", "");

	for (int i = 0; i < HTTP_OTHER; i++) {
		if (strcmp(name, method_names[i]) == 0) {
			req->method = (enum http_method)i;
			req->method_name = method_names[i];
			return;
		}
	}
	req->method = HTTP_OTHER;
	req->method_name = method_names[HTTP_OTHER];
}

static bool
visible_ascii(const char *text, size_t n_max)
{
	size_t n = 0;

	for (; text[n] != '\0'; n++) {
		if (n == n_max || text[n] < 0x21 || text[n] > 0x7e) {
			return false;
		}
	}
	return n > 0;
}

static void
parse_request_id(struct http_request *req)
{
	const char *id = req->param(req, "HTTP_X_REQUEST_ID");

	if (id != NULL && visible_ascii(id, HTTP_REQUEST_ID_CHARS)) {
		req->caller_request_id = id;
		req->request_id = id;
		return;
	}
	char *made = arena_alloc(req->arena, UUID_TEXT_BYTES);
	uuid_make(req->received_us, made);
	req->request_id = made;
}

/* N lower-case hex digits at TEXT, not all of them zero. */
static bool
hex_id(const char *text, size_t n)
{
	bool zero = true;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
			return false;
		}
		zero = zero && c == '0';
	}
	return !zero;
}

/* version "-" trace id "-" parent id "-" flags: 2, 32, 16 and 2 digits. */
static bool
traceparent_valid(const char *text)
{
	enum { TRACE = 3, PARENT = 36, FLAGS = 53, END = 55 };

	if (strnlen(text, END) < END || strlen(text) > HTTP_REQUEST_ID_CHARS) {
		return false;
	}
	if (text[TRACE - 1] != '-' || text[PARENT - 1] != '-' ||
	    text[FLAGS - 1] != '-') {
		return false;
	}
	bool version_0 = strncmp(text, "00", 2) == 0;
	if (!version_0 && (!hex_id(text, 2) || strncmp(text, "ff", 2) == 0)) {
		return false;
	}
	/* A later version may say more, behind another hyphen. */
	if (version_0 ? text[END] != '\0'
		      : text[END] != '\0' && text[END] != '-') {
		return false;
	}
	bool flags =
	    strncmp(text + FLAGS, "00", 2) == 0 || hex_id(text + FLAGS, 2);
	return flags && hex_id(text + TRACE, 32) && hex_id(text + PARENT, 16) &&
	       visible_ascii(text, HTTP_REQUEST_ID_CHARS);
}

char *
http_percent_decode(struct arena *arena, const char *text, size_t n, bool plus)
{
	char *out = arena_alloc(arena, n + 1);
	size_t out_n = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (c == '%') {
			int high = i + 1 < n ? hex_digit(text[i + 1]) : -1;
			int low = i + 2 < n ? hex_digit(text[i + 2]) : -1;
			if (high < 0 || low < 0 || high + low == 0) {
				return NULL;
			}
			c = (char)(high * 16 + low);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		out[out_n++] = c;
	}
	return out;
}

/* Is there an encoded '/' in the N bytes of TEXT?  Decoded it would be
 * another path than the one that the web server's rules were held against. */
static bool
encoded_slash(const char *text, size_t n)
{
	for (size_t i = 0; i + 2 < n; i++) {
		if (text[i] == '%' && text[i + 1] == '2' &&
		    (text[i + 2] | 0x20) == 'f') {
			return true;
		}
	}
	return false;
}

/* Control characters, "." and ".." parts. */
static bool
path_is_clean(const char *path)
{
	if (path[0] != '/') {
		return false;
	}
	for (const char *p = path; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			return false;
		}
		if (p[0] != '/' || p[1] != '.') {
			continue;
		}
		const char *rest = p + (p[2] == '.' ? 3 : 2);
		if (*rest == '/' || *rest == '\0') {
			return false;
		}
	}
	return true;
}

/* Where the path of an absolute request target begins; else TARGET. */
static const char *
skip_authority(const char *target)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);
		if (strncasecmp(target, schemes[i], n) == 0) {
			target += n;
			return target + strcspn(target, "/?");
		}
	}
	return target;
}

/* REQUEST_URI where the server has it: what the caller wrote, so that the
 * decoding is ours; else SCRIPT_NAME and PATH_INFO, which are decoded. */
static const char *
parse_path(struct http_request *req, const char **query)
{
	const char *uri = req->param(req, "REQUEST_URI");

	if (uri == NULL || uri[0] == '\0') {
		return arena_printf(req->arena, "%s%s",
				    param_or(req, "SCRIPT_NAME", ""),
				    param_or(req, "PATH_INFO", ""));
	}
	uri = skip_authority(uri);
	size_t n = strcspn(uri, "?#");
	if (uri[n] == '?') {
		*query = uri + n + 1;
	}
	if (encoded_slash(uri, n)) {
		return NULL;
	}
	return http_percent_decode(req->arena, uri, n, false);
}

enum status
http_request_parse(struct http_request *req, struct err *err)
{
	assert(req->arena != NULL && req->param != NULL);

	req->path = "/";
	req->query = "";
	req->body = "";
	parse_method(req);
	parse_request_id(req);
	req->content_type = param_or(req, "CONTENT_TYPE", "");
	req->remote_addr = param_or(req, "REMOTE_ADDR", "");
	const char *trace = req->param(req, "HTTP_TRACEPARENT");
	if (trace != NULL && traceparent_valid(trace)) {
		req->traceparent = trace;
	}
	const char *path = parse_path(req, &req->query);
	req->query = param_or(req, "QUERY_STRING", req->query);
	if (path == NULL || !path_is_clean(path)) {
		return err_set(err, STATUS_REQUEST,
			       "the path is not one that can be served");
	}
	req->path = path;
	return STATUS_OK;
}

enum status
http_request_length(const struct http_request *req, int64_t *out,
		    struct err *err)
{
	enum { DIGITS_MAX = 18 }; /* so that it cannot overflow */
	const char *text = param_or(req, "CONTENT_LENGTH", "");
	size_t n = strspn(text, "0123456789");

	if (text[n] != '\0' || n > DIGITS_MAX) {
		return err_set(err, STATUS_REQUEST,
			       "the content length is not a number");
	}
	int64_t length = n == 0 ? -1 : 0;
	for (size_t i = 0; i < n; i++) {
		length = length * 10 + (text[i] - '0');
	}
	*out = length;
	return STATUS_OK;
}

static bool
type_is(const char *type, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(type, name, n) == 0;
}

/*
 * Do the N bytes of TYPE name JSON, application/json or anything+json?  Or are
 * they what curl and others send where their user named no type at all?
 */
static bool
json_type_name_is(const char *type, size_t n)
{
	static const char suffix[] = "+json";
	const size_t suffix_n = sizeof(suffix) - 1;

	if (type_is(type, n, "application/json") ||
	    type_is(type, n, "application/x-www-form-urlencoded")) {
		return true;
	}
	return n > suffix_n && memchr(type, '/', n) != NULL &&
	       type_is(type + n - suffix_n, suffix_n, suffix);
}

/* Is the parameter list PARAMS without a charset, or is it UTF-8? */
static bool
charset_is_utf8(const char *params)
{
	const char *charset = strcasestr(params, "charset=");

	if (charset == NULL) {
		return true;
	}
	charset += strlen("charset=");
	charset += charset[0] == '"';
	size_t n = strcspn(charset, "\"; \t");
	return n == 5 && strncasecmp(charset, "utf-8", n) == 0;
}

enum status
http_request_is_json(const struct http_request *req, struct err *err)
{
	const char *type = req->content_type;
	size_t n = strcspn(type, "; \t");

	if (type[0] == '\0') {
		return STATUS_OK;
	}
	if (json_type_name_is(type, n) && charset_is_utf8(type + n)) {
		return STATUS_OK;
	}
	return err_set(err, STATUS_MEDIA_TYPE,
		       "send the body with Content-Type: application/json");
}
