/*
 * write: JSON out, compact, into a buf; a document cannot come out unbalanced.
 *
 * Commas and quotes are the writer's business.  Nesting is checked by assert:
 * a key outside of an object, two values for a key, an end without a begin.
 * Strings must be UTF-8 (all that came through json/read.h is).
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { JSON_WRITE_DEPTH = 40 };

struct json_writer {
	struct buf *out;
	int depth;
	char open[JSON_WRITE_DEPTH]; /* '{' or '[' */
	bool comma;		     /* a value stands before */
	bool after_key;
};

void json_write_init(struct json_writer *w, struct buf *out);
void json_write_end(const struct json_writer *w); /* asserts balance */

void json_object_begin(struct json_writer *w);
void json_object_finish(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_finish(struct json_writer *w);

void json_key(struct json_writer *w, const char *key);
void json_put_string(struct json_writer *w, const char *text);
void json_put_string_n(struct json_writer *w, const char *text, size_t n);
void json_put_int(struct json_writer *w, int64_t n);
/* Finite; at least 15 digits, more where they are needed to read it back. */
void json_put_double(struct json_writer *w, double d);
void json_put_bool(struct json_writer *w, bool b);
void json_put_null(struct json_writer *w);
void json_put_money(struct json_writer *w, int64_t nanousd); /* dollars */
void json_put_time(struct json_writer *w, int64_t us);	     /* RFC 3339 */
void json_put_raw(struct json_writer *w, const char *json);  /* JSON text */

/* json_key and json_put_string; nothing at all when TEXT is NULL. */
void json_member(struct json_writer *w, const char *key, const char *text);
void json_member_int(struct json_writer *w, const char *key, int64_t n);
void json_member_bool(struct json_writer *w, const char *key, bool b);
void json_member_money(struct json_writer *w, const char *key, int64_t nanousd);

#endif /* JSON_WRITE_H */
