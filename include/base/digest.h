/*
 * digest: BLAKE2b, comparing in constant time, and random bytes.
 *
 * The door to libsodium.  Source: RFC 7693; libsodium's crypto_generichash.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { DIGEST_MIN_BYTES = 16, DIGEST_MAX_BYTES = 64 };

/* A part of what is digested: equal parts cut elsewhere digest otherwise. */
struct digest_part {
	const void *bytes; /* [n] */
	size_t n;
};

/* The whole of TEXT; NULL is as "". */
struct digest_part digest_text(const char *text);

/*
 * Must be called once, before any thread is made; again is fine.  Without it
 * digests are the same, and slower.
 */
enum status digest_init(struct err *err) MUST_CHECK;

/* The digest of N bytes into OUT_N (DIGEST_MIN_BYTES ...) bytes. */
void digest_bytes(const void *bytes, size_t n, void *out, size_t out_n);

/* The digest of N parts, each with its length before it. */
void digest_parts(const struct digest_part *parts, size_t n, void *out,
		  size_t out_n);

/* Equal?  In a time that does not depend on where they differ. */
bool digest_equal(const void *a, const void *b, size_t n);

/* N bytes that nobody can guess. */
void digest_random(void *out, size_t n);

/* A number below N that nobody can guess, each as likely as the others. */
uint32_t digest_random_below(uint32_t n);

#endif /* BASE_DIGEST_H */
