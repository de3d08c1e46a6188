/*
 * pointer: the text of a JSON pointer (RFC 6901), cut where it does not fit.
 *
 * Room-internal: others use json_pointer of json/read.h.
 */
#ifndef JSON_POINTER_H
#define JSON_POINTER_H

#include <stddef.h>

struct pointer {
	char *out; /* always NUL-terminated, always UTF-8 */
	size_t cap;
	size_t n; /* CAP once something did not fit: then nothing follows */
};

/* Begin "" in OUT of CAP bytes, at least one. */
void pointer_init(struct pointer *pointer, char *out, size_t cap);
void pointer_key(struct pointer *pointer, const char *key, size_t n);
void pointer_index(struct pointer *pointer, size_t index);

#endif /* JSON_POINTER_H */
