/*
 * expect: does an answer have what its case expects?
 */
#ifndef DECISIONS_EXPECT_H
#define DECISIONS_EXPECT_H

#include "base/buf.h"
#include "json/read.h"

/*
 * Hold GOT ({"status", "headers", "answer"}, or {"status", "errors"}, or
 * {"status", "refused"}) against the member "expect" of the case ROOT; what
 * differs, or cannot be expected at all, is a line of COMPLAINT each.
 */
void expect_check(const struct json *root, const struct buf *got,
		  struct buf *complaint);

#endif /* DECISIONS_EXPECT_H */
