#include "counter/pack.h"

#include <string.h>

enum { LONGEST = 10, WORD_BYTES = 8, SEVEN_BITS = 0x7f, MORE = 0x80 };

void
pack_u(struct buf *out, uint64_t n)
{
	char *bytes = buf_room(out, LONGEST);
	size_t len = 0;

	for (; n > SEVEN_BITS; n >>= 7) {
		bytes[len++] = (char)(unsigned char)(n | MORE);
	}
	bytes[len++] = (char)(unsigned char)n;
	buf_grown(out, len);
}

void
pack_i(struct buf *out, int64_t n)
{
	pack_u(out, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}

void
pack_word(struct buf *out, uint64_t n)
{
	unsigned char bytes[WORD_BYTES];

	for (int i = 0; i < WORD_BYTES; i++) {
		bytes[i] = (unsigned char)(n >> (8 * i));
	}
	buf_add(out, bytes, sizeof(bytes));
}

void
pack_text(struct buf *out, const char *text)
{
	size_t n = text == NULL ? 0 : strlen(text);

	pack_u(out, text == NULL ? 0 : n + 1);
	buf_add(out, text, n);
}

static uint64_t
bad(struct unpack *in)
{
	in->bad = true;
	in->at = in->end;
	return 0;
}

uint64_t
unpack_u(struct unpack *in)
{
	uint64_t n = 0;

	if (in->at < in->end && *in->at <= SEVEN_BITS) {
		return *in->at++; /* as most are */
	}
	for (int shift = 0; in->at < in->end && shift < 64; shift += 7) {
		unsigned char byte = *in->at++;
		uint64_t part = byte & SEVEN_BITS;

		/* the tenth byte has room for one bit */
		if (shift == 63 && part > 1) {
			break;
		}
		n |= part << shift;
		if ((byte & MORE) == 0) {
			return n;
		}
	}
	return bad(in);
}

uint64_t
unpack_below(struct unpack *in, uint64_t end)
{
	uint64_t n = unpack_u(in);

	return n < end ? n : bad(in);
}

int64_t
unpack_i(struct unpack *in)
{
	uint64_t n = unpack_u(in);

	return (int64_t)(n >> 1 ^ ((n & 1) != 0 ? UINT64_MAX : 0));
}

int64_t
unpack_within(struct unpack *in, int64_t most)
{
	int64_t n = unpack_i(in);

	return n >= -most && n <= most ? n : (int64_t)bad(in);
}

const unsigned char *
unpack_bytes(struct unpack *in, size_t n)
{
	const unsigned char *bytes = in->at;

	if (in->bad || (size_t)(in->end - in->at) < n) {
		bad(in);
		return NULL;
	}
	in->at += n;
	return bytes;
}

uint64_t
unpack_word(struct unpack *in)
{
	const unsigned char *bytes = unpack_bytes(in, WORD_BYTES);
	uint64_t n = 0;

	for (int i = 0; bytes != NULL && i < WORD_BYTES; i++) {
		n |= (uint64_t)bytes[i] << (8 * i);
	}
	return n;
}

const char *
unpack_text(struct unpack *in, struct arena *arena)
{
	size_t n = unpack_n(in, 1);

	if (n == 0) {
		return NULL;
	}
	const unsigned char *bytes = unpack_bytes(in, n - 1);
	if (bytes == NULL || memchr(bytes, '\0', n - 1) != NULL) {
		bad(in);
		return NULL;
	}
	char *text = arena_alloc(arena, n);
	memcpy(text, bytes, n - 1);
	return text;
}

size_t
unpack_n(struct unpack *in, size_t each)
{
	uint64_t n = unpack_u(in);

	/* a text's length is one more than its bytes, hence the + 1 */
	if (n > (size_t)(in->end - in->at) / each + 1) {
		return bad(in);
	}
	return (size_t)n;
}
