/*
 * image: a file mapped.  See policy/image.h.
 *
 * The address is asked for as a hint, which Linux follows wherever nothing
 * lies there (mmap(2)); what came is looked at.  MAP_FIXED_NOREPLACE would say
 * no more, and ThreadSanitizer cannot bear it.
 */
#include "policy/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "policy/image_file.h"

static enum status
corrupt(const char *path, const char *why, struct err *err)
{
	return err_set(err, STATUS_CORRUPT, "%s is damaged: %s", path, why);
}

/* Is the header one that the N bytes of a file can have? */
static bool
header_fits(const struct image_header *header, size_t n)
{
	uint64_t rest = n - sizeof(*header);
	uint64_t places_bytes;

	if (header->block_bytes > rest ||
	    header->block_bytes % IMAGE_PAD != 0 ||
	    header->places_n > n / sizeof(uint32_t)) {
		return false;
	}
	places_bytes = header->places_n * sizeof(uint32_t);
	places_bytes =
	    (places_bytes + IMAGE_PAD - 1) & ~(uint64_t)(IMAGE_PAD - 1);
	return places_bytes == rest - header->block_bytes &&
	       header->address >= IMAGE_ADDRESS &&
	       header->address < image_file_address(IMAGE_SLOTS - 1) + 1 &&
	       header->address % IMAGE_SLOT_BYTES == 0;
}

/* Do all pointers of the file at AT stand and end inside of its block? */
static bool
pointers_fit(const char *at, const struct image_header *header,
	     const uint32_t *places)
{
	uint64_t from = header->address + sizeof(*header);
	uint64_t first = sizeof(*header) / sizeof(uint64_t);
	uint64_t end = first + header->block_bytes / sizeof(uint64_t);

	for (size_t i = 0; i < header->places_n; i++) {
		uint64_t pointer;

		if (places[i] < first || places[i] >= end ||
		    (i > 0 && places[i] <= places[i - 1])) {
			return false;
		}
		memcpy(&pointer, at + places[i] * sizeof(pointer),
		       sizeof(pointer));
		if (pointer < from || pointer - from > header->block_bytes) {
			return false;
		}
	}
	return true;
}

/* Correct the pointers of the file at AT, which is not where it should be. */
static enum status
move(char *at, size_t n, const struct image_header *header,
     const uint32_t *places, struct err *err)
{
	uint64_t delta = (uint64_t)(uintptr_t)at - header->address;

	if (mprotect(at, n, PROT_READ | PROT_WRITE) != 0) {
		return err_set(err, STATUS_IO, "cannot move an image: %s",
			       strerror(errno));
	}
	image_file_shift(at, places, header->places_n, delta);
	int rc = mprotect(at, n, PROT_READ);
	assert(rc == 0);
	return STATUS_OK;
}

/* Is the file at AT whole?  Then make it usable there. */
static enum status
settle(char *at, size_t n, const char *path, struct err *err)
{
	struct image_header header;

	memcpy(&header, at, sizeof(header));
	if (header.checksum != image_file_checksum(at, n)) {
		return corrupt(path, "its checksum is another", err);
	}
	const uint32_t *places =
	    (const uint32_t *)(const void *)(at + sizeof(header) +
					     header.block_bytes);
	if (!pointers_fit(at, &header, places)) {
		return corrupt(path, "a pointer leads out of it", err);
	}
	if ((uint64_t)(uintptr_t)at != header.address) {
		return move(at, n, &header, places, err);
	}
	return STATUS_OK;
}

static enum status
open_fd(int fd, const char *path, uint64_t shape, struct image **out,
	struct err *err)
{
	struct image_header header;
	struct stat stat;

	if (fstat(fd, &stat) != 0) {
		return err_set(err, STATUS_IO, "cannot look at %s: %s", path,
			       strerror(errno));
	}
	size_t n = (size_t)stat.st_size;
	if (n < sizeof(header) || n > IMAGE_SLOT_BYTES || n % IMAGE_PAD != 0 ||
	    pread(fd, &header, sizeof(header), 0) != sizeof(header)) {
		return corrupt(path, "its length is impossible", err);
	}
	if (header.magic != IMAGE_MAGIC) {
		return corrupt(path, "it is no image", err);
	}
	if (!header_fits(&header, n)) {
		return corrupt(path, "its header is impossible", err);
	}
	char *at = mmap((void *)(uintptr_t)header.address, n, PROT_READ,
			MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED) {
		return err_set(err, STATUS_IO, "cannot map %s: %s", path,
			       strerror(errno));
	}
	enum status status = settle(at, n, path, err);
	if (status == STATUS_OK &&
	    (header.format != IMAGE_FORMAT || header.shape != shape)) {
		status = err_set(err, STATUS_CONFLICT,
				 "%s was made by another build", path);
	}
	if (status != STATUS_OK) {
		(void)munmap(at, n);
		return status;
	}
	*out = memory_get(sizeof(**out));
	**out = (struct image){ .at = at, .bytes = n };
	return STATUS_OK;
}

enum status
image_open(const char *path, uint64_t shape, struct image **out,
	   struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return err_set(err,
			       errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
			       "cannot open %s: %s", path, strerror(errno));
	}
	enum status status = open_fd(fd, path, shape, out, err);
	(void)close(fd);
	return status;
}

const void *
image_root(const struct image *image)
{
	return image->at + sizeof(struct image_header);
}

size_t
image_bytes(const struct image *image)
{
	return image->bytes;
}

void
image_close(struct image *image)
{
	if (image != NULL) {
		(void)munmap(image->at, image->bytes);
		free(image);
	}
}
