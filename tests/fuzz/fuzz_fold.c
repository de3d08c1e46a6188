/*
 * fuzz_fold: any text is folded, its offsets lead back into it, and a short
 * one is what utf8proc makes of the whole.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/arena.h"
#include "text/fold.h"

/* Above it a run of marks may be cut (text/fold.h). */
enum { SHORT_BYTES = 60 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The bytes as UTF-8: what is none becomes a question mark. */
static char *
make_text(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	size_t at = 0;

	assert(text != NULL);
	while (at < n) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate(
		    data + at, (utf8proc_ssize_t)(n - at), &point);

		if (used <= 0 || point == 0) {
			text[at++] = '?';
			continue;
		}
		memcpy(text + at, data + at, (size_t)used);
		at += (size_t)used;
	}
	text[n] = '\0';
	return text;
}

static void
check_offsets(const struct folded *folded, const char *text, size_t n)
{
	for (size_t i = 0; folded->offsets != NULL && i <= folded->n; i++) {
		size_t at = folded->offsets[i];

		assert(at <= n && ((unsigned char)text[at] & 0xC0) != 0x80);
		assert(i == 0 || folded->offsets[i - 1] <= at);
	}
	for (size_t i = 0; i <= folded->n; i++) {
		if (((unsigned char)folded->text[i] & 0xC0) != 0x80) {
			(void)fold_word_edge(folded->text, folded->n, i);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(4096);
	char *text = make_text(data, n);
	struct folded folded;

	fold(arena, text, n, &folded);
	assert(strlen(folded.text) == folded.n);
	assert(utf8_count(text, n) <= n);
	check_offsets(&folded, text, n);
	if (n <= SHORT_BYTES) {
		utf8proc_uint8_t *whole =
		    utf8proc_NFKC_Casefold((const utf8proc_uint8_t *)text);
		assert(strcmp(folded.text, (const char *)whole) == 0);
		free(whole);
	}
	free(text);
	arena_free(arena);
	return 0;
}
