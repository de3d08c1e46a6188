#include "http/page.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "http/utf8.h"

/* A place's text is "n:field," for the list and each field, in hexadecimal. */

int64_t
page_limit(struct http_query *query)
{
	return http_query_int(query, "limit", 1, PAGE_LIMIT_MAX,
			      PAGE_LIMIT_DEFAULT);
}

/* The bytes of lower-case hexadecimal TEXT with a NUL; NULL: it is none. */
static const char *
from_hex(struct arena *arena, const char *text)
{
	size_t n = strlen(text) / 2;
	char *out = arena_alloc(arena, n + 1);

	return text[2 * n] == '\0' && strpbrk(text, "ABCDEF") == NULL &&
		       hex_read(text, n, out) && strlen(out) == n
		   ? out
		   : NULL;
}

static void
put_field(struct buf *out, const char *field)
{
	buf_printf(out, "%zu:%s,", strlen(field), field);
}

/* The field that begins at *AT, which moves behind it; NULL: none does. */
static const char *
next_field(struct arena *arena, const char **at)
{
	const char *p = *at;
	size_t n = 0;

	if (*p == ':' || p[0] == '\0') {
		return NULL;
	}
	for (; *p >= '0' && *p <= '9' && n <= PAGE_FIELD_MAX_BYTES; p++) {
		n = n * 10 + (size_t)(*p - '0');
	}
	if (*p != ':' || n > PAGE_FIELD_MAX_BYTES || strnlen(p + 1, n) < n ||
	    p[1 + n] != ',') {
		return NULL;
	}
	*at = p + 1 + n + 1;
	return arena_strndup(arena, p + 1, n);
}

/* TEXT as a place of LIST with N fields. */
static bool
read_place(struct arena *arena, const char *text, const char *list, size_t n,
	   struct page_place *out)
{
	const char *at = from_hex(arena, text);

	if (at == NULL || !utf8_is_valid(at)) {
		return false;
	}
	const char *of = next_field(arena, &at);
	if (of == NULL || strcmp(of, list) != 0) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		out->fields[i] = next_field(arena, &at);
		if (out->fields[i] == NULL) {
			return false;
		}
	}
	return *at == '\0';
}

void
page_cursor(struct http_query *query, const char *list, size_t n,
	    struct page_place *out)
{
	const char *text =
	    http_query_text(query, "cursor", HTTP_QUERY_MAX_BYTES);

	assert(n <= PAGE_FIELDS);
	*out = (struct page_place){ 0 };
	if (text == NULL) {
		return;
	}
	if (!read_place(query->arena, text, list, n, out)) {
		http_query_refuse(query, "cursor", "is none of this list");
		return;
	}
	out->n = n;
}

/* TEXT percent-encoded, but for what needs it nowhere (RFC 3986, 2.3). */
static void
put_encoded(struct buf *out, const char *text, const char *also)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL ||
		    strchr(also, *text) != NULL) {
			buf_addc(out, *text);
		} else {
			buf_printf(out, "%%%02X", (unsigned char)*text);
		}
	}
}

static void
put_item(struct buf *out, const struct http_query_item *item)
{
	put_encoded(out, item->name, "");
	buf_addc(out, '=');
	put_encoded(out, item->value, ",:");
	buf_addc(out, '&');
}

static bool
is_fixed(const struct page_link *link, const char *name)
{
	for (size_t i = 0; i < link->fixed_n; i++) {
		if (strcmp(link->fixed[i].name, name) == 0) {
			return true;
		}
	}
	return strcmp(name, "cursor") == 0;
}

void
page_next(const struct http_request *req, struct http_response *res,
	  const struct page_link *link, const struct page_place *last)
{
	struct buf place = { 0 }, out = { 0 };

	put_field(&place, link->list);
	for (size_t i = 0; i < last->n; i++) {
		put_field(&place, last->fields[i]);
	}
	buf_addc(&out, '<');
	put_encoded(&out, req->path, "/");
	buf_addc(&out, '?');
	for (size_t i = 0; i < link->query->n; i++) {
		if (!is_fixed(link, link->query->items[i].name)) {
			put_item(&out, &link->query->items[i]);
		}
	}
	for (size_t i = 0; i < link->fixed_n; i++) {
		put_item(&out, &link->fixed[i]);
	}
	buf_adds(&out, "cursor=");
	hex_write(place.data, place.len, buf_room(&out, 2 * place.len + 1));
	buf_grown(&out, 2 * place.len);
	buf_adds(&out, ">; rel=\"next\"");
	http_response_header(res, "Link",
			     arena_strdup(req->arena, buf_text(&out)));
	buf_fini(&place);
	buf_fini(&out);
}

void
page_total(const struct http_request *req, struct http_response *res, int64_t n)
{
	const char *text = n > PAGE_TOTAL_MAX
			       ? arena_printf(req->arena, "%d+", PAGE_TOTAL_MAX)
			       : arena_printf(req->arena, "%lld", (long long)n);

	http_response_header(res, "X-Total-Count", text);
}
