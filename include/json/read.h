/*
 * read: strict JSON in (RFC 8259 and nothing more), typed and with pointers.
 *
 * json-c alone takes NaN, single quotes, -01, raw control characters and
 * duplicate keys.  A scan of our own checks the grammar, UTF-8 and the limits
 * first, then json-c builds the tree.  Reading is typed: a wrong type is an
 * error that names the place (RFC 6901), never a silent 0.
 *
 * A struct json is a small value on the caller's stack that knows its parent,
 * so the pointer's text is only made when there is something to complain
 * about.  A child borrows its parent: keep the parent in scope.
 * The door to json-c.
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

enum {
	JSON_DEPTH_MAX = 32,
	/* json-c takes 800 bytes for "{}" and 100 for "1,": a body of 8 MiB
	 * could else take 2 GiB of memory and some seconds */
	JSON_TREE_MAX_BYTES = 64 * 1024 * 1024
};

struct json_doc; /* owns the tree */

struct json {
	struct json_object *value; /* json-c's; NULL is JSON null */
	const struct json *up;	   /* NULL: the root */
	const char *key;	   /* member of UP, NULL: an element */
	size_t index;		   /* element of UP */
};

/**
 * json_doc_parse(text, n, out, err):
 * Read the N bytes of TEXT, sent by anybody, as one JSON document.
 *
 * Takes:   any bytes; a NUL at TEXT[N] is needed.
 * Gives:   OUT, yours, end by json_doc_free.
 * Errors:  STATUS_JSON with a pointer to the innermost place reached, for bad
 *          grammar, invalid UTF-8, a byte order mark, an escaped or raw NUL, a
 *          lone surrogate, a duplicate key, depth over JSON_DEPTH_MAX, a number
 *          that is not finite or an integer outside of int64_t.
 *          STATUS_TOO_LARGE when its tree would take more memory than
 *          JSON_TREE_MAX_BYTES.
 */
enum status json_doc_parse(const char *text, size_t n, struct json_doc **out,
			   struct err *err) MUST_CHECK;

/* The same for what this system itself wrote (a snapshot): any size. */
enum status json_doc_parse_own(const char *text, size_t n,
			       struct json_doc **out,
			       struct err *err) MUST_CHECK;
void json_doc_free(struct json_doc *doc); /* NULL is fine */
struct json json_root(const struct json_doc *doc);

enum json_type json_type(const struct json *at);
const char *json_type_name(enum json_type type); /* "a string", ... */

/* Elements of an array, members of an object, else 0. */
size_t json_n(const struct json *at);

/* Member KEY of an object, false when it is missing; null is present. */
bool json_get(const struct json *at, const char *key, struct json *child);

/* Element I of an array, I < json_n. */
struct json json_item(const struct json *at, size_t i);

/* Walk an object: start with a zeroed iterator; false at the end. */
struct json_iter {
	void *next;
	bool begun;
};
bool json_next(const struct json *at, struct json_iter *iter,
	       struct json *child); /* child->key is the member's name */

/*
 * Typed values.  Each is STATUS_OK or STATUS_BODY with the pointer and what
 * was expected; OUT is written on STATUS_OK only.  Strings are borrowed from
 * the document and have no NUL inside.
 */
enum status json_string(const struct json *at, const char **out,
			struct err *err) MUST_CHECK;
enum status json_string_max(const struct json *at, size_t bytes_max,
			    const char **out, struct err *err) MUST_CHECK;
enum status json_bool(const struct json *at, bool *out,
		      struct err *err) MUST_CHECK;
/* An integer: 3 and 3.0 and 3e0 are, 3.5 is not. */
enum status json_int(const struct json *at, int64_t low, int64_t high,
		     int64_t *out, struct err *err) MUST_CHECK;
enum status json_double(const struct json *at, double low, double high,
			double *out, struct err *err) MUST_CHECK;
/* Dollars, exact from the number's own digits (base/money.h), 0 or more. */
enum status json_money(const struct json *at, int64_t high, int64_t *nanousd,
		       struct err *err) MUST_CHECK;
/* The value must be of TYPE. */
enum status json_expect(const struct json *at, enum json_type type,
			struct err *err) MUST_CHECK;
/* Index of the string in WORDS (NULL-terminated). */
enum status json_word(const struct json *at, const char *const *words, int *out,
		      struct err *err) MUST_CHECK;
/* A list of strings into ARENA; each NUL-terminated, borrowed from the doc. */
enum status json_strings(const struct json *at, struct arena *arena,
			 const char ***out, size_t *n,
			 struct err *err) MUST_CHECK;

/* Complain about this place in words of the caller's own. */
enum status json_refuse(const struct json *at, struct err *err,
			const char *format, ...) PRINTF_LIKE(3, 4);

/* The pointer's text; cut when it does not fit; returns OUT. */
char *json_pointer(const struct json *at, char *out, size_t out_bytes);

/* The value as compact JSON text, borrowed until the next call on it. */
const char *json_text(const struct json *at);

#endif /* JSON_READ_H */
