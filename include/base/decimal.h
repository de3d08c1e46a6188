/*
 * decimal: a JSON number's own digits as a scaled integer, exact.
 *
 * Money and integers are read from the text of a number, since a double has
 * lost what was written.  Source: RFC 8259, section 6, is the grammar.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

enum { DECIMAL_SCALE_MAX = 18 };

/**
 * decimal_parse(text, scale, out, inexact):
 * TEXT times ten to the SCALE, cut off towards zero.
 *
 * Takes:   SCALE from 0 to DECIMAL_SCALE_MAX; TEXT of any length, in whose
 *          length the time is linear.
 * Gives:   OUT, and INEXACT: was anything but zeroes cut off?
 * Returns: false when TEXT is not a JSON number, as a whole, or does not fit.
 */
bool decimal_parse(const char *text, int scale, int64_t *out, bool *inexact);

/*
 * Write N right-aligned so that it ends before END, with zeros in front up to
 * WIDTH digits; returns where it begins.  END has room for 20 before it.  A
 * tenth of what snprintf costs, and every record has many numbers.
 */
char *decimal_digits(char *end, uint64_t n, int width);

#endif /* BASE_DECIMAL_H */
