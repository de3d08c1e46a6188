/*
 * utf8: is what a caller sent UTF-8?  Room-internal.
 *
 * Source: RFC 3629.
 */
#ifndef HTTP_UTF8_H
#define HTTP_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the sequence that TEXT, which ends with a NUL, begins with; 0: it
 * is none. */
size_t utf8_sequence(const char *text);

bool utf8_is_valid(const char *text);

#endif /* HTTP_UTF8_H */
