#include "base/digest.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(DIGEST_MIN_BYTES == crypto_generichash_BYTES_MIN &&
		   DIGEST_MAX_BYTES == crypto_generichash_BYTES_MAX,
	       "what BLAKE2b can give");

enum { LENGTH_BYTES = 8 };

enum status
digest_init(struct err *err)
{
	if (sodium_init() < 0) {
		return err_set(err, STATUS_INTERNAL,
			       "libsodium does not start");
	}
	return STATUS_OK;
}

struct digest_part
digest_text(const char *text)
{
	return (struct digest_part){ text, text == NULL ? 0 : strlen(text) };
}

void
digest_bytes(const void *bytes, size_t n, void *out, size_t out_n)
{
	int failed = crypto_generichash(out, out_n, bytes, n, NULL, 0);

	assert(failed == 0);
}

/* In a form that is the same on every machine. */
static void
add_length(crypto_generichash_state *state, size_t n)
{
	unsigned char length[LENGTH_BYTES];

	for (size_t i = 0; i < LENGTH_BYTES; i++) {
		length[i] = (unsigned char)((uint64_t)n >> 8 * i & 0xff);
	}
	crypto_generichash_update(state, length, LENGTH_BYTES);
}

void
digest_parts(const struct digest_part *parts, size_t n, void *out, size_t out_n)
{
	crypto_generichash_state state;
	int failed = crypto_generichash_init(&state, NULL, 0, out_n);

	assert(failed == 0);
	for (size_t i = 0; i < n; i++) {
		add_length(&state, parts[i].n);
		crypto_generichash_update(&state, parts[i].bytes, parts[i].n);
	}
	failed = crypto_generichash_final(&state, out, out_n);
	assert(failed == 0);
}

bool
digest_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

void
digest_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

uint32_t
digest_random_below(uint32_t n)
{
	return randombytes_uniform(n);
}
