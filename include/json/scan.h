/*
 * scan: is this text JSON by RFC 8259, and within our limits?
 *
 * One pass that builds nothing, allocates nothing and knows where it is.  It
 * must not know json-c.  Room-internal: others use json/read.h.
 * Source: RFC 8259 (grammar), RFC 3629 (UTF-8), RFC 7493 (I-JSON: what of
 * the grammar's liberty we do not permit).
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "json/read.h"

/* An array or object that is open where the scan is. */
struct scan_level {
	bool object;
	bool inside;	 /* at an element or member, not between two */
	size_t index;	 /* of the element */
	const char *key; /* of the member: as it is written, no quotes */
	size_t key_n;
};

struct scan {
	const char *start, *end; /* the text; *END is NUL */
	const char *at;		 /* where a refused text became wrong */
	const char *why;	 /* static */
	size_t values, arrays, objects, members; /* of the whole text */
	int depth;
	struct scan_level levels[JSON_DEPTH_MAX];
	/*
	 * NULL, or told of each object's begin (KEY NULL) and of each member's
	 * key; it may refuse by setting WHY and returning false.
	 */
	bool (*member)(struct scan *scan, const char *key, size_t key_n);
	void *arg;
};

/* Scan the whole text from SCAN's start; false: AT, WHY and LEVELS say why. */
bool scan_text(struct scan *scan);

/*
 * Between scan.c and scan_token.c: pass over one token at AT, or refuse.
 * scan_fail_expected says instead that the text ends, where it does.
 */
bool scan_string(struct scan *scan); /* AT is its first quote */
bool scan_number(struct scan *scan); /* AT is a minus or a digit */
bool scan_fail(struct scan *scan, const char *at, const char *why);
bool scan_fail_expected(struct scan *scan, const char *at, const char *why);

/* Undo the escapes of N bytes that were scanned; OUT needs N bytes. */
size_t scan_unescape(const char *raw, size_t n, char *out);

#endif /* JSON_SCAN_H */
