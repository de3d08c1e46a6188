#include "http/query.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/utf8.h"

void
http_query_refuse(struct http_query *query, const char *name,
		  const char *format, ...)
{
	char text[ERR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	query->refused = true;
	(void)err_at(query->err, STATUS_REQUEST, name, "%s", text);
}

enum status
http_query_done(const struct http_query *query)
{
	return query->refused ? STATUS_REQUEST : STATUS_OK;
}

static const char *
find(const struct http_query *query, const char *name)
{
	for (size_t i = 0; i < query->n; i++) {
		if (strcmp(query->items[i].name, name) == 0) {
			return query->items[i].value;
		}
	}
	return NULL;
}

/* The place of the N bytes of TEXT in WORDS, or -1. */
static int
find_word(const char *const *words, const char *text, size_t n)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strlen(words[i]) == n && memcmp(words[i], text, n) == 0) {
			return i;
		}
	}
	return -1;
}

/* One "name=value" of N bytes. */
static void
take(struct http_query *query, const char *const *names, const char *text,
     size_t n)
{
	const char *equals = memchr(text, '=', n);
	size_t name_n = equals != NULL ? (size_t)(equals - text) : n;
	size_t skip = equals != NULL ? name_n + 1 : n;
	const char *name =
	    http_percent_decode(query->arena, text, name_n, true);

	if (name == NULL || find_word(names, name, strlen(name)) < 0) {
		http_query_refuse(query, name != NULL ? name : "?",
				  "is no parameter here");
		return;
	}
	const char *value =
	    http_percent_decode(query->arena, text + skip, n - skip, true);
	if (value == NULL || !utf8_is_valid(value)) {
		http_query_refuse(query, name,
				  "must be UTF-8, percent-encoded");
		return;
	}
	if (find(query, name) != NULL) {
		http_query_refuse(query, name, "is there twice");
		return;
	}
	/* each of NAMES at most once */
	assert(query->n < HTTP_QUERY_ITEMS);
	query->items[query->n++] = (struct http_query_item){ name, value };
}

void
http_query_parse(const struct http_request *req, const char *const *names,
		 struct http_query *out, struct err *err)
{
	const char *at = req->query;

	assert(err != NULL);
	err->items_n = 0;
	*out = (struct http_query){ .arena = req->arena, .err = err };
	if (strlen(at) > HTTP_QUERY_MAX_BYTES) {
		http_query_refuse(out, "", "a query may have up to %d bytes",
				  HTTP_QUERY_MAX_BYTES);
		return;
	}
	while (*at != '\0') {
		size_t n = strcspn(at, "&");
		if (n > 0) {
			take(out, names, at, n);
		}
		at += n;
		at += *at == '&';
	}
}

const char *
http_query_text(struct http_query *query, const char *name, size_t bytes_max)
{
	const char *value = find(query, name);

	if (value != NULL && strlen(value) > bytes_max) {
		http_query_refuse(query, name, "may have up to %zu bytes",
				  bytes_max);
		return NULL;
	}
	return value;
}

int64_t
http_query_int(struct http_query *query, const char *name, int64_t low,
	       int64_t high, int64_t fallback)
{
	const char *value = find(query, name);

	if (value == NULL) {
		return fallback;
	}
	errno = 0;
	long long n = strtoll(value, NULL, 10);
	/* Digits only: strtoll takes blanks and signs, too. */
	if (value[0] == '\0' || value[strspn(value, "0123456789")] != '\0' ||
	    errno != 0 || n < low || n > high) {
		http_query_refuse(query, name,
				  "must be a number from %lld to %lld",
				  (long long)low, (long long)high);
		return fallback;
	}
	return n;
}

static void
refuse_word(struct http_query *query, const char *name,
	    const char *const *words)
{
	char text[ERR_TEXT_BYTES] = "";
	size_t n = 0;

	for (size_t i = 0; words[i] != NULL && n < sizeof(text); i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
				      i == 0 ? "" : ", ", words[i]);
	}
	http_query_refuse(query, name, "must be of: %s", text);
}

int
http_query_word(struct http_query *query, const char *name,
		const char *const *words, int fallback)
{
	const char *value = find(query, name);

	if (value == NULL) {
		return fallback;
	}
	int found = find_word(words, value, strlen(value));
	if (found < 0) {
		refuse_word(query, name, words);
		return fallback;
	}
	return found;
}

unsigned
http_query_words(struct http_query *query, const char *name,
		 const char *const *words)
{
	const char *at = find(query, name);
	unsigned bits = 0;

	while (at != NULL) {
		size_t n = strcspn(at, ",");
		int found = find_word(words, at, n);
		if (found < 0) {
			refuse_word(query, name, words);
			return 0;
		}
		if ((bits & 1U << found) != 0) {
			http_query_refuse(query, name, "has %s twice",
					  words[found]);
			return 0;
		}
		bits |= 1U << found;
		at = at[n] == ',' ? at + n + 1 : NULL;
	}
	return bits;
}
