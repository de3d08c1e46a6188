/*
 * copy: a line as PostgreSQL's COPY reads it, to hold what is recorded against.
 *
 * Source: PostgreSQL 15, COPY, "Text Format".  It knows nothing of record/row.c
 * and takes also what that never writes.
 */
#ifndef FUZZ_COPY_H
#define FUZZ_COPY_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Read the field at *AT into OUT, emptied first, and pass over it and what
 * ends it, which is returned: a tab or a newline.  NULL is the field's *NULLED.
 * Asserts that the line ends, and that no byte needs an escape that it lacks.
 */
char copy_field(const char **at, struct buf *out, bool *nulled);

#endif /* FUZZ_COPY_H */
