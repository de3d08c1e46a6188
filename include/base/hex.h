/*
 * hex: bytes as hexadecimal digits, and back.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* What the digit C, of either case, is worth; -1: it is none. */
int hex_digit(char c);

/* The N bytes of 2 N digits at TEXT into OUT; false: one is no digit, and OUT
 * is void. */
bool hex_read(const char *text, size_t n, void *out);

/* The 2 N lower-case digits of N bytes, and a NUL, into OUT. */
void hex_write(const void *bytes, size_t n, char *out);

#endif /* BASE_HEX_H */
