/*
 * image_file: the form of an image's file, between image_builder.c, which
 * writes it, and image.c, which maps it.
 */
#ifndef POLICY_IMAGE_FILE_H
#define POLICY_IMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/image.h"

#define IMAGE_MAGIC UINT64_C(0x3130656761736d69) /* "imsage01" */

enum {
	IMAGE_FORMAT = 1,
	IMAGE_PAD = 32 /* all parts of a file are multiples of it */
};

struct image_header {
	uint64_t magic;
	uint64_t checksum; /* of all that follows this member */
	uint64_t format;   /* of the file itself */
	uint64_t shape;	   /* of the structs, the caller's */
	uint64_t address;  /* of this header, when nothing must be corrected */
	uint64_t block_bytes;
	uint64_t places_n;
	uint64_t reserved;
};

struct image {
	char *at; /* its header */
	size_t bytes;
};

uint64_t image_file_address(uint64_t slot);

/* Of a whole file of N bytes, a multiple of IMAGE_PAD. */
uint64_t image_file_checksum(const char *at, size_t n);

/* Add DELTA to the pointers at PLACES, which count words from AT. */
void image_file_shift(char *at, const uint32_t *places, size_t n,
		      uint64_t delta);

#endif /* POLICY_IMAGE_FILE_H */
