/*
 * fuzz_image: any file is refused as an image, or every pointer of it leads
 * into its block, where it was built for and where it was not.
 */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "input.h"
#include "policy/image_file.h"

enum { SHAPE = 77 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t
word_at(const struct image *image, size_t place)
{
	uint64_t word;

	memcpy(&word, image->at + place * sizeof(word), sizeof(word));
	return word;
}

/* IMAGE and MOVED are of one file: they differ in their pointers alone, each
 * of which leads to the same place of either. */
static void
walk(const struct image *image, const struct image *moved)
{
	const struct image_header *header = (const void *)image->at;
	const char *root = image_root(image);
	const char *end = root + header->block_bytes;
	size_t next = 0;

	assert(image_bytes(image) == image_bytes(moved));
	assert(image->at != moved->at);
	assert(end <= image->at + image->bytes);
	const uint32_t *places = (const void *)end;
	for (size_t i = 0; root + i * sizeof(uint64_t) < end; i++) {
		size_t place = i + sizeof(*header) / sizeof(uint64_t);
		uint64_t here = word_at(image, place);
		uint64_t there = word_at(moved, place);

		if (next == header->places_n || places[next] != place) {
			assert(here == there);
			continue;
		}
		next++;
		assert(here >= (uintptr_t)root && here <= (uintptr_t)end);
		assert(here - (uintptr_t)image->at ==
		       there - (uintptr_t)moved->at);
	}
	assert(next == header->places_n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct image *image = NULL, *moved = NULL;
	struct err err = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/image", input_folder());
	input_write(path, data, n);
	enum status status = image_open(path, SHAPE, &image, &err);
	if (status != STATUS_OK) {
		assert(status == STATUS_CORRUPT || status == STATUS_CONFLICT);
		assert(image == NULL && err.text[0] != '\0');
		return 0;
	}
	/* The address is taken now. */
	status = image_open(path, SHAPE, &moved, &err);
	assert(status == STATUS_OK);
	walk(image, moved);
	image_close(moved);
	image_close(image);
	return 0;
}
