#include "json/write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/money.h"

void
json_write_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){ .out = out };
}

void
json_write_end(const struct json_writer *w)
{
	assert(w->depth == 0 && w->comma && !w->after_key);
}

/* Whatever a value needs in front of it. */
static void
before_value(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	/* a document is one value, and a member needs its key */
	assert(w->depth == 0 ? !w->comma : w->open[w->depth - 1] == '[');
	if (w->comma) {
		buf_addc(w->out, ',');
	}
}

static void
begin(struct json_writer *w, char open)
{
	before_value(w);
	assert(w->depth < JSON_WRITE_DEPTH);
	w->open[w->depth++] = open;
	w->comma = false;
	buf_addc(w->out, open);
}

static void
finish(struct json_writer *w, char open, char close)
{
	assert(w->depth > 0 && w->open[w->depth - 1] == open && !w->after_key);
	w->depth--;
	w->comma = true;
	buf_addc(w->out, close);
}

void
json_object_begin(struct json_writer *w)
{
	begin(w, '{');
}

void
json_object_finish(struct json_writer *w)
{
	finish(w, '{', '}');
}

void
json_array_begin(struct json_writer *w)
{
	begin(w, '[');
}

void
json_array_finish(struct json_writer *w)
{
	finish(w, '[', ']');
}

/* RFC 8259, 7: quote, backslash and 00 to 1F must be escaped. */
static void
put_escape(struct buf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = c == '\0' ? NULL : strchr(from, c);

	if (hit != NULL) {
		buf_addc(out, '\\');
		buf_addc(out, to[hit - from]);
	} else {
		buf_printf(out, "\\u%04x", c);
	}
}

/*
 * Is one of eight bytes below 0x20, a quote or a backslash?  Warren, Hacker's
 * Delight, 6-1: a borrow can only come from a byte that is one itself.
 */
static bool
eight_need_escape(const char *text)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;

	memcpy(&word, text, 8);
	uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
	uint64_t hit = ((word - ones * 0x20) & ~word) |
		       ((quote - ones) & ~quote) | ((slash - ones) & ~slash);
	return (hit & ones << 7) != 0;
}

/* How many bytes of TEXT stand for themselves. */
static size_t
plain_bytes(const char *text, size_t n)
{
	size_t i = 0;

	while (i + 8 <= n && !eight_need_escape(text + i)) {
		i += 8;
	}
	/* the last, shorter piece together with bytes that were looked at */
	if (i > 0 && i + 8 > n && !eight_need_escape(text + n - 8)) {
		return n;
	}
	while (i < n && (unsigned char)text[i] >= 0x20 && text[i] != '"' &&
	       text[i] != '\\') {
		i++;
	}
	return i;
}

/* TEXT in quotes; BEFORE and AFTER are single characters, or NUL for none. */
static void
put_quoted(struct buf *out, char before, const char *text, size_t n, char after)
{
	size_t plain = plain_bytes(text, n);

	/* nearly every text: room once, and no byte alone */
	if (plain == n) {
		char *room = buf_room(out, n + 4), *at = room;

		if (before != '\0') {
			*at++ = before;
		}
		*at++ = '"';
		memcpy(at, text, n);
		at += n;
		*at++ = '"';
		if (after != '\0') {
			*at++ = after;
		}
		buf_grown(out, (size_t)(at - room));
		return;
	}
	buf_add(out, &before, before != '\0');
	buf_addc(out, '"');
	while (plain < n) {
		buf_add(out, text, plain);
		put_escape(out, (unsigned char)text[plain]);
		text += plain + 1;
		n -= plain + 1;
		plain = plain_bytes(text, n);
	}
	buf_add(out, text, n);
	buf_addc(out, '"');
	buf_add(out, &after, after != '\0');
}

void
json_key(struct json_writer *w, const char *key)
{
	assert(w->depth > 0 && w->open[w->depth - 1] == '{' && !w->after_key);
	put_quoted(w->out, w->comma ? ',' : '\0', key, strlen(key), ':');
	w->comma = true;
	w->after_key = true;
}

static void
put_text(struct json_writer *w, const char *text)
{
	before_value(w);
	buf_adds(w->out, text);
	w->comma = true;
}

void
json_put_string_n(struct json_writer *w, const char *text, size_t n)
{
	before_value(w);
	put_quoted(w->out, '\0', text, n, '\0');
	w->comma = true;
}

void
json_put_string(struct json_writer *w, const char *text)
{
	json_put_string_n(w, text, strlen(text));
}

void
json_put_int(struct json_writer *w, int64_t n)
{
	before_value(w);
	buf_addi(w->out, n);
	w->comma = true;
}

void
json_put_double(struct json_writer *w, double d)
{
	char text[32];

	assert(isfinite(d));
	/* 17 digits are always enough, 15 nearly always (C11, 5.2.4.2.2) */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d) {
			break;
		}
	}
	put_text(w, text);
}

void
json_put_bool(struct json_writer *w, bool b)
{
	put_text(w, b ? "true" : "false");
}

void
json_put_null(struct json_writer *w)
{
	put_text(w, "null");
}

void
json_put_money(struct json_writer *w, int64_t nanousd)
{
	char text[MONEY_TEXT_BYTES];

	put_text(w, money_text(nanousd, text));
}

void
json_put_time(struct json_writer *w, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];

	json_put_string(w, clock_rfc3339(us, text));
}

void
json_put_raw(struct json_writer *w, const char *json)
{
	assert(json[0] != '\0');
	put_text(w, json);
}

void
json_member(struct json_writer *w, const char *key, const char *text)
{
	if (text != NULL) {
		json_key(w, key);
		json_put_string(w, text);
	}
}

void
json_member_int(struct json_writer *w, const char *key, int64_t n)
{
	json_key(w, key);
	json_put_int(w, n);
}

void
json_member_bool(struct json_writer *w, const char *key, bool b)
{
	json_key(w, key);
	json_put_bool(w, b);
}

void
json_member_money(struct json_writer *w, const char *key, int64_t nanousd)
{
	json_key(w, key);
	json_put_money(w, nanousd);
}
