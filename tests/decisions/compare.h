/*
 * compare: is what was expected in what came?
 *
 * An object matches when each expected member does (null: null or missing);
 * an array matches element by element and in length, or, written as
 * {"contains": [...]}, when each expected element matches some element.
 */
#ifndef DECISIONS_COMPARE_H
#define DECISIONS_COMPARE_H

#include <stdbool.h>

#include "base/buf.h"
#include "json/read.h"

/*
 * Compare EXPECTED with GOT (NULL: there is nothing) at PLACE, words for a
 * person.  False: COMPLAINT has a line "PLACE: expected ..., found ..." for
 * each difference.
 */
bool compare(const struct json *expected, const struct json *got,
	     const char *place, struct buf *complaint);

#endif /* DECISIONS_COMPARE_H */
