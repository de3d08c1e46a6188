/*
 * fold: text in the form in which keywords are compared.
 *
 * Unicode NFKC with case folding, default-ignorable characters removed
 * (utf8proc; Unicode 14, UAX #15 and CaseFolding.txt), so that "Ｂomb",
 * "BOMB" and "bo\u200Bmb" are one word.  An offset map leads back to the
 * bytes of the original.  The door to utf8proc.
 */
#ifndef TEXT_FOLD_H
#define TEXT_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct folded {
	const char *text; /* NUL at the end, in the arena */
	size_t n;
	/* offsets[i]: byte of the original where the character of text[i]
	 * begins; offsets[n] is the original's length.  NULL: identical. */
	const uint32_t *offsets;
};

/*
 * Fold the N bytes of TEXT, valid UTF-8, below 4 GiB.  Time is linear in N;
 * a run of more than 64 marks is normalised in pieces.
 */
void fold(struct arena *arena, const char *text, size_t n, struct folded *out);

/*
 * Is a word's edge at byte AT of TEXT: no letter, digit, mark on both sides?
 * Next to a character of a script that is written without spaces (Han, Kana,
 * Thai, ...) is always one.
 */
bool fold_word_edge(const char *text, size_t n, size_t at);

/* Unicode characters in N bytes of valid UTF-8. */
size_t utf8_count(const char *text, size_t n);

#endif /* TEXT_FOLD_H */
