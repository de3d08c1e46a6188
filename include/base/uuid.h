/*
 * uuid: version 7 identifiers, in the order of time (RFC 9562, 5.7).
 *
 * 48 bits of milliseconds, 12 bits that order ids of one thread within a
 * millisecond, 62 bits of getrandom(2).
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT_BYTES = 37 };

/* A new id for the time NOW_US, lower case with hyphens, NUL at the end. */
void uuid_make(int64_t now_us, char out[UUID_TEXT_BYTES]);

/* Is TEXT a UUID of any version, written with hyphens? */
bool uuid_valid(const char *text);

#endif /* BASE_UUID_H */
