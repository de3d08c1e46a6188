#include "base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int http;
	const char *name, *slug, *title;
} rows[STATUS_N] = {
#define STATUS(name, http, slug, title) { http, #name, slug, title },
#include "base/status.tbl.h"
#undef STATUS
};

int
status_http(enum status status)
{
	assert((unsigned)status < STATUS_N);
	return rows[status].http;
}

const char *
status_name(enum status status)
{
	assert((unsigned)status < STATUS_N);
	return rows[status].name;
}

const char *
status_slug(enum status status)
{
	assert((unsigned)status < STATUS_N);
	return rows[status].slug;
}

const char *
status_title(enum status status)
{
	assert((unsigned)status < STATUS_N);
	return rows[status].title;
}

/*
 * Text that was cut in the middle of a character is no UTF-8 any more, and
 * it goes into JSON: drop the part of a character at its end.
 */
static void
drop_torn_end(char *text)
{
	size_t n = strlen(text), tail = 0;

	while (tail < n && tail < 4 && (text[n - 1 - tail] & 0xC0) == 0x80) {
		tail++;
	}
	unsigned char lead = tail < n ? (unsigned char)text[n - 1 - tail] : 0;
	size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0;
	if (tail < want) {
		text[n - 1 - tail] = '\0';
	}
}

static PRINTF_LIKE(3, 0) void print(char *out, size_t cap, const char *format,
				    va_list args)
{
	int n = vsnprintf(out, cap, format, args);

	assert(n >= 0);
	if ((size_t)n >= cap) {
		drop_torn_end(out);
	}
}

enum status
err_set(struct err *err, enum status status, const char *format, ...)
{
	assert(status > STATUS_OK && status < STATUS_N);
	if (err == NULL) {
		return status;
	}
	/* by way of a copy: an argument may be what ERR says now */
	char text[ERR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	print(text, sizeof(text), format, args);
	va_end(args);

	err->status = status;
	err->items_n = 0;
	memcpy(err->text, text, sizeof(text));
	return status;
}

enum status
err_at(struct err *err, enum status status, const char *pointer,
       const char *format, ...)
{
	assert(status > STATUS_OK && status < STATUS_N);
	assert(pointer != NULL);
	if (err == NULL) {
		return status;
	}
	size_t place = err->items_n++;
	if (place >= ERR_ITEMS) {
		return status;
	}
	struct err_item *item = &err->items[place];
	va_list args;
	va_start(args, format);
	print(item->detail, sizeof(item->detail), format, args);
	va_end(args);
	if (strlen(pointer) >= sizeof(item->pointer)) {
		memcpy(item->pointer, pointer, sizeof(item->pointer) - 1);
		item->pointer[sizeof(item->pointer) - 1] = '\0';
		drop_torn_end(item->pointer);
	} else {
		strcpy(item->pointer, pointer);
	}
	if (place == 0) {
		err->status = status;
		memcpy(err->text, item->detail, sizeof(err->text));
	}
	return status;
}
