#include "policy/image_file.h"

#include <assert.h>
#include <string.h>

uint64_t
image_file_address(uint64_t slot)
{
	return IMAGE_ADDRESS + slot % IMAGE_SLOTS * IMAGE_SLOT_BYTES;
}

/*
 * Four lanes of multiply and xor, for speed.  Each step can be undone, so one
 * changed word, wherever it is, always changes the sum.
 */
static uint64_t
checksum(const char *bytes, size_t n)
{
	const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t lanes[4] = { 1, 2, 3, 4 }, words[4], sum = n;

	assert(n % sizeof(words) == 0);
	for (size_t at = 0; at < n; at += sizeof(words)) {
		memcpy(words, bytes + at, sizeof(words));
		for (int i = 0; i < 4; i++) {
			lanes[i] = (lanes[i] ^ words[i]) * prime;
			lanes[i] ^= lanes[i] >> 29;
		}
	}
	for (int i = 0; i < 4; i++) {
		sum = (sum ^ lanes[i]) * prime;
		sum ^= sum >> 32;
	}
	return sum;
}

/* The rest of the first IMAGE_PAD bytes on its own, then all that follows. */
uint64_t
image_file_checksum(const char *at, size_t n)
{
	char head[IMAGE_PAD] = { 0 };
	size_t skip = offsetof(struct image_header, format);

	memcpy(head, at + skip, IMAGE_PAD - skip);
	return checksum(head, IMAGE_PAD) ^
	       checksum(at + IMAGE_PAD, n - IMAGE_PAD);
}

void
image_file_shift(char *at, const uint32_t *places, size_t n, uint64_t delta)
{
	for (size_t i = 0; i < n; i++) {
		char *place = at + (size_t)places[i] * sizeof(uint64_t);
		uint64_t pointer;

		memcpy(&pointer, place, sizeof(pointer));
		pointer += delta;
		memcpy(place, &pointer, sizeof(pointer));
	}
}
