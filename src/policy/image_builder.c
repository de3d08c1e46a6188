/*
 * image_builder: making a block.  See policy/image.h.
 *
 * The address is asked for as a hint, which Linux follows wherever nothing
 * lies there (mmap(2)).  A block that came to lie elsewhere is written as if
 * it had not.
 */
#include "policy/image.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/memory.h"
#include "policy/image_file.h"
#include "policy/replace.h"

enum {
	ALIGN = 16,
	GROW_BYTES = 1 << 20, /* memory is taken in such pieces */
	TEXTS_FIRST = 1024    /* places in the table of texts */
};

static_assert(sizeof(struct image_header) % IMAGE_PAD == 0, "aligned block");

struct image_builder {
	char *at;	  /* the header, then the block */
	size_t used;	  /* bytes from at */
	size_t open;	  /* bytes from at that can be written */
	uint64_t address; /* where a file is to be mapped */
	uint64_t shape;
	uint32_t *places; /* [places_n] of pointers, in words from at */
	size_t places_n, places_cap;
	uint32_t *texts; /* open addressing, [texts_cap]: text, in words */
	size_t texts_n, texts_cap;
};

enum status
image_builder_new(uint64_t slot, uint64_t shape, struct image_builder **out,
		  struct err *err)
{
	uint64_t address = image_file_address(slot);
	void *at = mmap((void *)(uintptr_t)address, IMAGE_SLOT_BYTES, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED) {
		return err_set(err, STATUS_FULL,
			       "cannot reserve 4 GiB of addresses: %s",
			       strerror(errno));
	}
	struct image_builder *builder = memory_get(sizeof(*builder));
	*builder = (struct image_builder){ .at = at,
					   .used = sizeof(struct image_header),
					   .address = address,
					   .shape = shape };
	*out = builder;
	return STATUS_OK;
}

static void
builder_free(struct image_builder *builder)
{
	free(builder->places);
	free(builder->texts);
	free(builder);
}

void
image_builder_free(struct image_builder *builder)
{
	if (builder != NULL) {
		(void)munmap(builder->at, IMAGE_SLOT_BYTES);
		builder_free(builder);
	}
}

/* N zeroed bytes at the end, aligned to ALIGNMENT. */
static char *
take(struct image_builder *builder, size_t n, size_t alignment)
{
	size_t from = (builder->used + alignment - 1) & ~(alignment - 1);
	size_t to = from + n;

	if (n > IMAGE_SLOT_BYTES || to > IMAGE_SLOT_BYTES) {
		log_error("a snapshot image would be larger than 4 GiB");
		abort();
	}
	if (to > builder->open) {
		size_t more = to - builder->open + GROW_BYTES - 1;
		more -= more % GROW_BYTES;
		if (mprotect(builder->at + builder->open, more,
			     PROT_READ | PROT_WRITE) != 0) {
			log_error("out of memory: a snapshot image cannot "
				  "have %zu bytes more",
				  more);
			abort();
		}
		builder->open += more;
	}
	builder->used = to;
	return builder->at + from;
}

static bool
inside(const struct image_builder *builder, const void *p, size_t n)
{
	uintptr_t from = (uintptr_t)builder->at, at = (uintptr_t)p;

	return at >= from + sizeof(struct image_header) &&
	       at + n <= from + builder->used;
}

void
image_point(struct image_builder *builder, void *place, const void *target)
{
	size_t word = (size_t)((char *)place - builder->at) / sizeof(void *);

	assert(inside(builder, place, sizeof(target)));
	assert((uintptr_t)place % sizeof(target) == 0);
	assert(target == NULL || inside(builder, target, 0));
	memcpy(place, &target, sizeof(target));
	if (target == NULL) {
		return;
	}
	if (builder->places_n == builder->places_cap) {
		builder->places_cap = builder->places_cap * 2 + 1024;
		builder->places = memory_resize(
		    builder->places, builder->places_cap * sizeof(uint32_t));
	}
	builder->places[builder->places_n++] = (uint32_t)word;
}

void *
image_array(struct image_builder *builder, void *place, size_t n, size_t size)
{
	if (n == 0) {
		return NULL;
	}
	assert(size > 0 && n <= IMAGE_SLOT_BYTES / size);
	assert((place == NULL) ==
	       (builder->used == sizeof(struct image_header)));
	void *array = take(builder, n * size, ALIGN);

	if (place != NULL) {
		image_point(builder, place, array);
	}
	return array;
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t
hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text != '\0'; text++) {
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static const char *
text_at(const struct image_builder *builder, size_t slot)
{
	return builder->at + (size_t)builder->texts[slot] * sizeof(void *);
}

/* Where TEXT stands in the table of texts, or would. */
static size_t
find_text(const struct image_builder *builder, const char *text)
{
	size_t mask = builder->texts_cap - 1;
	size_t slot = (size_t)hash_text(text) & mask;

	while (builder->texts[slot] != 0 &&
	       strcmp(text_at(builder, slot), text) != 0) {
		slot = (slot + 1) & mask;
	}
	return slot;
}

static void
grow_texts(struct image_builder *builder)
{
	struct image_builder old = *builder;
	size_t cap = old.texts_cap == 0 ? TEXTS_FIRST : old.texts_cap * 2;

	builder->texts_cap = cap;
	builder->texts = memory_get(cap * sizeof(*builder->texts));
	memset(builder->texts, 0, cap * sizeof(*builder->texts));
	for (size_t i = 0; i < old.texts_cap; i++) {
		if (old.texts[i] != 0) {
			size_t slot = find_text(builder, text_at(&old, i));
			builder->texts[slot] = old.texts[i];
		}
	}
	free(old.texts);
}

const char *
image_text(struct image_builder *builder, void *place, const char *text)
{
	if (text == NULL) {
		image_point(builder, place, NULL);
		return NULL;
	}
	if (builder->texts_n * 2 >= builder->texts_cap) {
		grow_texts(builder);
	}
	size_t slot = find_text(builder, text);
	if (builder->texts[slot] == 0) {
		size_t n = strlen(text) + 1;
		char *copy = take(builder, n, sizeof(void *));

		memcpy(copy, text, n);
		builder->texts[slot] =
		    (uint32_t)((size_t)(copy - builder->at) / sizeof(void *));
		builder->texts_n++;
	}
	image_point(builder, place, text_at(builder, slot));
	return text_at(builder, slot);
}

static int
compare_places(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Ascending, each once, and only those that (still) point somewhere. */
static void
tidy_places(struct image_builder *builder)
{
	uint32_t *places = builder->places;
	size_t kept = 0;

	if (builder->places_n > 0) {
		qsort(places, builder->places_n, sizeof(*places),
		      compare_places);
	}
	for (size_t i = 0; i < builder->places_n; i++) {
		const void *target;

		memcpy(&target, builder->at + places[i] * sizeof(target),
		       sizeof(target));
		if (target != NULL &&
		    (kept == 0 || places[kept - 1] != places[i])) {
			places[kept++] = places[i];
		}
	}
	builder->places_n = kept;
}

enum status
image_write(struct image_builder *builder, const char *path, struct err *err)
{
	size_t used = builder->used;
	uint64_t delta = builder->address - (uint64_t)(uintptr_t)builder->at;

	tidy_places(builder);
	(void)take(builder, 0, IMAGE_PAD);
	struct image_header header = { .magic = IMAGE_MAGIC,
				       .format = IMAGE_FORMAT,
				       .shape = builder->shape,
				       .address = builder->address,
				       .block_bytes =
					   builder->used - sizeof(header),
				       .places_n = builder->places_n };
	size_t places_bytes = builder->places_n * sizeof(*builder->places);
	if (places_bytes > 0) {
		memcpy(take(builder, places_bytes, IMAGE_PAD), builder->places,
		       places_bytes);
	}
	(void)take(builder, 0, IMAGE_PAD);

	image_file_shift(builder->at, builder->places, builder->places_n,
			 delta);
	memcpy(builder->at, &header, sizeof(header));
	header.checksum = image_file_checksum(builder->at, builder->used);
	memcpy(builder->at, &header, sizeof(header));
	enum status status =
	    replace_file(path, builder->at, builder->used, err);

	/* the places go, so that the block may still grow */
	image_file_shift(builder->at, builder->places, builder->places_n,
			 -delta);
	memset(builder->at + used, 0, builder->used - used);
	builder->used = used;
	return status;
}

struct image *
image_adopt(struct image_builder *builder)
{
	struct image *image = memory_get(sizeof(*image));
	int rc = 0;

	assert(builder->open > 0);
	*image = (struct image){ .at = builder->at, .bytes = builder->open };
	rc |= mprotect(image->at, image->bytes, PROT_READ);
	rc |= munmap(image->at + image->bytes, IMAGE_SLOT_BYTES - image->bytes);
	assert(rc == 0);
	builder_free(builder);
	return image;
}
