#include "engine/retry_note.h"

#include <string.h>

#include "base/uuid.h"

enum { FORM = 1 };

static void
put_number(struct buf *out, uint64_t n)
{
	buf_add(out, &n, sizeof(n));
}

static void
put_bytes(struct buf *out, const void *bytes, size_t n)
{
	put_number(out, n);
	buf_add(out, bytes, n);
	buf_addc(out, '\0');
}

static void
put_text(struct buf *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

void
retry_note_write(const struct retry_note *note, struct buf *out)
{
	buf_reset(out);
	buf_addc(out, FORM);
	buf_addc(out, note->answered ? 1 : 0);
	buf_add(out, note->digest, sizeof(note->digest));
	put_number(out, (uint64_t)note->claimed_us);
	put_number(out, (uint64_t)note->until_us);
	put_text(out, note->evaluation_id);
	put_text(out, note->correlation_id);
	if (!note->answered) {
		return;
	}
	put_number(out, (uint64_t)note->http_status);
	put_number(out, note->headers_n);
	for (size_t i = 0; i < note->headers_n; i++) {
		put_text(out, note->headers[i].name);
		put_text(out, note->headers[i].value);
	}
	put_bytes(out, note->body, note->body_n);
}

/* What is left of a note that is read. */
struct rest {
	const unsigned char *at;
	size_t n;
	bool bad;
};

static const void *
take_bytes(struct rest *rest, size_t n)
{
	if (rest->bad || n > rest->n) {
		rest->bad = true;
		return NULL;
	}
	const unsigned char *at = rest->at;
	rest->at += n;
	rest->n -= n;
	return at;
}

static uint64_t
take_number(struct rest *rest)
{
	uint64_t n = 0;
	const void *at = take_bytes(rest, sizeof(n));

	if (at != NULL) {
		memcpy(&n, at, sizeof(n));
	}
	return n;
}

/* A text with its NUL, borrowed; "" from a note that is bad. */
static const char *
take_text(struct rest *rest, size_t *n)
{
	uint64_t length = take_number(rest);
	const char *text =
	    length < rest->n ? take_bytes(rest, (size_t)length + 1) : NULL;

	if (text == NULL || text[length] != '\0') {
		rest->bad = true;
		return "";
	}
	if (n != NULL) {
		*n = (size_t)length;
	}
	return text;
}

static void
take_answer(struct rest *rest, struct retry_note *out)
{
	out->http_status = (int)take_number(rest);
	uint64_t headers_n = take_number(rest);

	/* one is left for what a repeated answer says of itself */
	rest->bad = rest->bad || headers_n >= ENGINE_HEADERS;
	for (uint64_t i = 0; !rest->bad && i < headers_n; i++) {
		const char *name = take_text(rest, NULL);
		const char *value = take_text(rest, NULL);

		out->headers[out->headers_n++] =
		    (struct engine_header){ name, value };
	}
	out->body = take_text(rest, &out->body_n);
}

bool
retry_note_read(const struct counter_note *bytes, struct retry_note *out)
{
	struct rest rest = { bytes->value, bytes->n, false };
	const unsigned char *head = take_bytes(&rest, 2);

	if (head == NULL || head[0] != FORM) {
		return false;
	}
	*out = (struct retry_note){ .answered = head[1] != 0 };
	const void *digest = take_bytes(&rest, sizeof(out->digest));
	if (digest == NULL) {
		return false;
	}
	memcpy(out->digest, digest, sizeof(out->digest));
	out->claimed_us = (int64_t)take_number(&rest);
	out->until_us = (int64_t)take_number(&rest);
	out->evaluation_id = take_text(&rest, NULL);
	out->correlation_id = take_text(&rest, NULL);
	if (out->answered) {
		take_answer(&rest, out);
	}
	return !rest.bad && rest.n == 0 &&
	       strlen(out->evaluation_id) < UUID_TEXT_BYTES;
}
