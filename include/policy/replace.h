/* replace: a file that is the old one or the whole new one at any time. */
#ifndef POLICY_REPLACE_H
#define POLICY_REPLACE_H

#include <stddef.h>

#include "base/status.h"

/**
 * replace_file(path, bytes, n, err):
 * PATH holds the N BYTES, or (STATUS_IO) what it held before.
 *
 * A temporary file beside it, fsync, rename, fsync of the folder.  One writer
 * a path at a time.
 */
enum status replace_file(const char *path, const void *bytes, size_t n,
			 struct err *err) MUST_CHECK;

#endif /* POLICY_REPLACE_H */
