/* file: a whole file into memory. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/status.h"

/**
 * file_read(path, out, err):
 * Add all bytes of the file at PATH to OUT.
 *
 * Errors:  STATUS_NOT_FOUND when there is none, STATUS_IO; OUT may then have
 *          some of it.
 */
enum status file_read(const char *path, struct buf *out,
		      struct err *err) MUST_CHECK;

#endif /* BASE_FILE_H */
