#include "counter/memcached_wire.h"

#include <stdbool.h>
#include <string.h>

#include "base/decimal.h"
#include "counter/store.h"

/* snprintf would be a third of what a request costs. */
static void
add_number(struct buf *out, const char *before, uint64_t n)
{
	char text[24];
	char *end = text + sizeof(text);
	const char *begin = decimal_digits(end, n, 1);

	buf_adds(out, before);
	buf_add(out, begin, (size_t)(end - begin));
}

static void
add_exptime(struct buf *out, const char *before, int64_t exptime)
{
	buf_adds(out, before);
	buf_addi(out, exptime);
}

static void
add_data(struct buf *out, const struct memcached_wire_item *item)
{
	buf_add(out, "\r\n", 2);
	buf_add(out, item->value, item->value_n);
	buf_add(out, "\r\n", 2);
}

void
memcached_wire_get(struct buf *out, const char *key)
{
	buf_add(out, "mg ", 3);
	buf_adds(out, key);
	buf_add(out, " v c\r\n", 6);
}

void
memcached_wire_look(struct buf *out, const char *key, uint64_t opaque)
{
	buf_add(out, "mg ", 3);
	buf_adds(out, key);
	add_number(out, " u O", opaque);
	buf_add(out, "\r\n", 2);
}

void
memcached_wire_look_at(struct buf *out, const char *key)
{
	buf_add(out, "mg ", 3);
	buf_adds(out, key);
	buf_add(out, " u v c\r\n", 8);
}

void
memcached_wire_add(struct buf *out, const struct memcached_wire_item *item)
{
	buf_add(out, "add ", 4);
	buf_adds(out, item->key);
	add_exptime(out, " 0 ", item->exptime);
	add_number(out, " ", item->value_n);
	add_data(out, item);
}

void
memcached_wire_cas(struct buf *out, const struct memcached_wire_item *item,
		   uint64_t version)
{
	buf_add(out, "cas ", 4);
	buf_adds(out, item->key);
	add_exptime(out, " 0 ", item->exptime);
	add_number(out, " ", item->value_n);
	add_number(out, " ", version);
	add_data(out, item);
}

void
memcached_wire_put(struct buf *out, const struct memcached_wire_item *item)
{
	buf_add(out, "ms ", 3);
	buf_adds(out, item->key);
	add_number(out, " ", item->value_n);
	add_exptime(out, " q T", item->exptime);
	add_data(out, item);
}

void
memcached_wire_delete(struct buf *out, const char *key)
{
	buf_add(out, "md ", 3);
	buf_adds(out, key);
	buf_add(out, " q\r\n", 4);
}

void
memcached_wire_fence(struct buf *out)
{
	buf_add(out, "mn\r\n", 4);
}

void
memcached_wire_version(struct buf *out)
{
	buf_adds(out, "version\r\n");
}

void
memcached_wire_stats(struct buf *out)
{
	buf_adds(out, "stats\r\n");
}

/* Decimal digits from *AT to END or a blank; false: none, or too many. */
static bool
take_number(const char **at, const char *end, uint64_t *out)
{
	const char *begin = *at;
	uint64_t n = 0;

	for (; *at < end && **at != ' '; (*at)++) {
		unsigned digit = (unsigned)(unsigned char)**at - '0';
		if (digit > 9 || n > (UINT64_MAX - digit) / 10) {
			return false;
		}
		n = n * 10 + digit;
	}
	*out = n;
	return *at > begin;
}

static void
skip_blanks(const char **at, const char *end)
{
	while (*at < end && **at == ' ') {
		(*at)++;
	}
}

/* The flags c and O; memcached says those that were asked for. */
static bool
take_flags(const char *at, const char *end, struct memcached_wire_reply *out)
{
	for (skip_blanks(&at, end); at < end; skip_blanks(&at, end)) {
		uint64_t *number = *at == 'c'	? &out->version
				   : *at == 'O' ? &out->opaque
						: NULL;
		at++;
		if (number == NULL || !take_number(&at, end, number)) {
			return false;
		}
	}
	return true;
}

/* "VA <size> <flags>", and the value behind it. */
static size_t
parse_value(const char *bytes, size_t n, size_t head_n,
	    struct memcached_wire_reply *out)
{
	const char *at = out->line + 2, *end = out->line + out->line_n;
	uint64_t size = 0;

	skip_blanks(&at, end);
	if (!take_number(&at, end, &size) || size > COUNTER_VALUE_MAX_BYTES ||
	    !take_flags(at, end, out)) {
		return MEMCACHED_WIRE_WRONG;
	}
	size_t whole = head_n + (size_t)size + 2;
	if (n < whole) {
		return MEMCACHED_WIRE_MORE;
	}
	if (memcmp(bytes + whole - 2, "\r\n", 2) != 0) {
		return MEMCACHED_WIRE_WRONG;
	}
	out->value = (const unsigned char *)bytes + head_n;
	out->value_n = (size_t)size;
	return whole;
}

/* The words that an answer begins with.  EXACT: nothing may follow. */
static const struct {
	const char *word;
	enum memcached_wire_kind kind;
	bool exact;
} words[] = {
	{ "VA", WIRE_VALUE, false },
	{ "HD", WIRE_HERE, false },
	{ "EN", WIRE_MISS, false },
	{ "STORED", WIRE_STORED, true },
	{ "NOT_STORED", WIRE_NOT_STORED, true },
	{ "EXISTS", WIRE_EXISTS, true },
	{ "NOT_FOUND", WIRE_NOT_FOUND, true },
	{ "SERVER_ERROR", WIRE_REFUSED, false },
	{ "NF", WIRE_QUIET, false },
	{ "NS", WIRE_QUIET, false },
	{ "EX", WIRE_QUIET, false },
	{ "MN", WIRE_FENCE, true },
};

static enum memcached_wire_kind
kind_of(const char *line, size_t n)
{
	const char *blank = memchr(line, ' ', n);
	const size_t word_n = blank != NULL ? (size_t)(blank - line) : n;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == word_n &&
		    memcmp(words[i].word, line, word_n) == 0) {
			return words[i].exact && word_n < n ? WIRE_OTHER
							    : words[i].kind;
		}
	}
	return WIRE_OTHER;
}

size_t
memcached_wire_parse(const char *bytes, size_t n,
		     struct memcached_wire_reply *out)
{
	const size_t look =
	    n < MEMCACHED_WIRE_LINE_BYTES ? n : MEMCACHED_WIRE_LINE_BYTES;
	const char *end = look > 0 ? memchr(bytes, '\n', look) : NULL;

	if (end == NULL) {
		return n < MEMCACHED_WIRE_LINE_BYTES ? MEMCACHED_WIRE_MORE
						     : MEMCACHED_WIRE_WRONG;
	}
	const size_t head_n = (size_t)(end - bytes) + 1;
	if (head_n < 3 || end[-1] != '\r') {
		return MEMCACHED_WIRE_WRONG;
	}
	*out = (struct memcached_wire_reply){ .line = bytes,
					      .line_n = head_n - 2 };
	out->kind = kind_of(out->line, out->line_n);
	if (out->kind == WIRE_VALUE) {
		return parse_value(bytes, n, head_n, out);
	}
	if ((out->kind == WIRE_HERE || out->kind == WIRE_MISS) &&
	    !take_flags(bytes + 2, bytes + out->line_n, out)) {
		return MEMCACHED_WIRE_WRONG;
	}
	return head_n;
}
