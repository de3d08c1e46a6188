/* match: the globs of lists in policies; '*' may lead, trail or both. */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Does TEXT match PATTERN?  Bytes; both folded by the caller. */
bool match_glob(const char *pattern, const char *text);

/* The first of the N PATTERNS that matches TEXT, or NULL. */
const char *match_any(const char *const *patterns, size_t n, const char *text);

#endif /* CORE_MATCH_H */
