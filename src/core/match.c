#include "core/match.h"

#include <string.h>

bool
match_glob(const char *pattern, const char *text)
{
	size_t n = strlen(pattern), text_n = strlen(text);
	bool head = n > 0 && pattern[0] == '*';
	bool tail = n > (head ? 1u : 0u) && pattern[n - 1] == '*';
	const char *word = pattern + (head ? 1 : 0);
	size_t word_n = n - (head ? 1 : 0) - (tail ? 1 : 0);

	if (word_n > text_n) {
		return false;
	}
	if (head && tail) {
		return memmem(text, text_n, word, word_n) != NULL;
	}
	if (head) {
		return memcmp(text + text_n - word_n, word, word_n) == 0;
	}
	if (tail) {
		return memcmp(text, word, word_n) == 0;
	}
	return word_n == text_n && memcmp(text, word, word_n) == 0;
}

const char *
match_any(const char *const *patterns, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		if (match_glob(patterns[i], text)) {
			return patterns[i];
		}
	}
	return NULL;
}
