/*
 * mapfile: a file of fixed size that all processes of the host map.
 *
 * Begins with a magic number and the shape of what is in it.  Processes that
 * start at once agree on one file, without a temporary one: a flock on the
 * file itself, and a look whether it is still the one of that name.
 */
#ifndef BASE_MAPFILE_H
#define BASE_MAPFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* What a mapped file begins with. */
struct mapfile_head {
	uint32_t magic;
	uint32_t shape;
};

/**
 * mapfile_open(path, bytes, head, out, lock, err):
 * Map the file at PATH for the rest of the process's life.
 *
 * Takes:   BYTES, its size with the head.  A file of another size or head is
 *          replaced by one of zeroes; whoever has the old one mapped keeps it.
 * Gives:   OUT, the mapping; LOCK, a file descriptor that keeps every other
 *          mapfile_open waiting until mapfile_unlock.
 * Errors:  STATUS_IO.
 */
enum status mapfile_open(const char *path, size_t bytes,
			 struct mapfile_head head, void **out, int *lock,
			 struct err *err) MUST_CHECK;

/* Let the others go on, and close LOCK. */
void mapfile_unlock(int lock);

/* FNV-1a over N bytes, to make a shape of; begin with MAPFILE_HASH. */
#define MAPFILE_HASH UINT32_C(2166136261)
uint32_t mapfile_hash(uint32_t hash, const void *bytes, size_t n);

#endif /* BASE_MAPFILE_H */
