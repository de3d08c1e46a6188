/*
 * image: C structs in one block that can be a file, mapped by every process.
 *
 * A builder hands out zeroed memory from one reservation that never moves and
 * remembers which words are pointers into it.  Written to a file, the block
 * is mapped read-only at the address it was built for, shared by all
 * processes through the page cache; where that address is taken it is mapped
 * privately elsewhere and its pointers are corrected.
 *
 *	file: magic u64 | checksum u64 of all that follows | format, shape,
 *	      address, lengths | block | offsets of its pointers, ascending
 *
 * Must not know: what the structs are.
 */
#ifndef POLICY_IMAGE_H
#define POLICY_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Address of slot 0; the slots, each of IMAGE_SLOT_BYTES, lie behind it. */
#define IMAGE_ADDRESS UINT64_C(0x200000000000)
#define IMAGE_SLOT_BYTES (UINT64_C(1) << 32)
#define IMAGE_SLOTS 64

struct image_builder;

/**
 * image_builder_new(slot, shape, out, err):
 * Begin a block meant for SLOT (any number; equal ones modulo IMAGE_SLOTS
 * collide, which costs a correction of pointers and nothing else).
 *
 * Takes:   SHAPE, a number that changes with the structs in the block.
 * Errors:  STATUS_FULL when the address space cannot be had.
 */
enum status image_builder_new(uint64_t slot, uint64_t shape,
			      struct image_builder **out,
			      struct err *err) MUST_CHECK;
void image_builder_free(struct image_builder *builder); /* NULL is fine */

/*
 * N elements of SIZE zeroed bytes, aligned to 16; their address is stored in
 * *PLACE, which must itself be inside of the block (or be the root: PLACE
 * NULL, once, first), and is remembered.  N of 0 leaves *PLACE NULL.  Memory
 * that cannot be had aborts, as in base/memory.h.
 */
void *image_array(struct image_builder *builder, void *place, size_t n,
		  size_t size);

/* A copy of TEXT (equal ones share theirs), NULL for NULL. */
const char *image_text(struct image_builder *builder, void *place,
		       const char *text);

/* *PLACE = TARGET, both inside of the block; TARGET may be NULL. */
void image_point(struct image_builder *builder, void *place,
		 const void *target);

/* Write to PATH, which is the old file or the whole new one at any time. */
enum status image_write(struct image_builder *builder, const char *path,
			struct err *err) MUST_CHECK;

struct image; /* a mapped block, read-only */

/**
 * image_open(path, shape, out, err):
 * Map the file at PATH.
 *
 * Errors:  STATUS_IO; STATUS_NOT_FOUND; STATUS_CORRUPT for a wrong checksum,
 *          length or pointer; STATUS_CONFLICT for a file of another shape.
 */
enum status image_open(const char *path, uint64_t shape, struct image **out,
		       struct err *err) MUST_CHECK;

/* The builder's block as an image without a file.  Takes over BUILDER. */
struct image *image_adopt(struct image_builder *builder);

const void *image_root(const struct image *image);
size_t image_bytes(const struct image *image);
void image_close(struct image *image); /* NULL is fine */

#endif /* POLICY_IMAGE_H */
