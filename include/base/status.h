/*
 * status: how a function says that the world said no.
 *
 * A function that can fail for an outside reason returns enum status, must be
 * checked, writes its out-parameters on STATUS_OK only, and puts the detail
 * for a person into a struct err.  A wrong program is an assert instead, and
 * an answer such as "limit reached" is a finding (core/decision.h).
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stddef.h>

enum status {
#define STATUS(name, http, slug, title) STATUS_##name,
#include "base/status.tbl.h"
#undef STATUS
	STATUS_N
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, args_at) \
	__attribute__((format(printf, format_at, args_at)))

enum {
	ERR_TEXT_BYTES = 512,
	ERR_POINTER_BYTES = 256,
	ERR_ITEMS = 8,
};

/* One wrong place in a document: a JSON pointer (RFC 6901) and why. */
struct err_item {
	char pointer[ERR_POINTER_BYTES]; /* "" is the whole document */
	char detail[ERR_TEXT_BYTES];
};

/*
 * What was tried and why it did not work, lower case, no full stop.
 * Items are places in a document, in the order found; items_n may exceed
 * ERR_ITEMS, of which the first ERR_ITEMS are kept.
 */
struct err {
	enum status status;
	char text[ERR_TEXT_BYTES];
	size_t items_n;
	struct err_item items[ERR_ITEMS];
};

/* The row of the status table.  Each string is static. */
int status_http(enum status status);
const char *status_name(enum status status);
const char *status_slug(enum status status);
const char *status_title(enum status status);

/**
 * err_set(err, status, format, ...):
 * Forget what ERR held and say one thing.
 *
 * Takes:   ERR may be NULL, and STATUS must not be STATUS_OK.
 * Returns: STATUS, so that a caller can write `return err_set(...)`.
 */
enum status err_set(struct err *err, enum status status, const char *format,
		    ...) PRINTF_LIKE(3, 4);

/**
 * err_at(err, status, pointer, format, ...):
 * Add one wrong place to ERR; the first also becomes its text and status.
 */
enum status err_at(struct err *err, enum status status, const char *pointer,
		   const char *format, ...) PRINTF_LIKE(4, 5);

#endif /* BASE_STATUS_H */
