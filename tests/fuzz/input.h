/*
 * input: the bytes that a fuzz target is given, as what is read of them.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* A copy with a NUL behind it, no larger than that, so that a read past its
 * end is found; yours, end by free. */
char *input_text(const uint8_t *data, size_t n);

/* A folder of this process's own, which is gone at its exit. */
const char *input_folder(void);

/* Make the file at PATH hold the N bytes and nothing else. */
void input_write(const char *path, const void *data, size_t n);

/* The whole of file NAME of the source's folder ($srcdir, else the current
 * one), a NUL behind it; yours, end by free. */
char *input_source(const char *name, size_t *n);

#endif /* FUZZ_INPUT_H */
