/*
 * fuzz_pattern: a pattern or keyword is found where it is, wherever that is,
 * as regexec and strstr find it, and nowhere else.
 */
#include <assert.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "text/fold.h"
#include "text/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Each a set of its own, since the engine chooses its ways by the whole set;
 * nothing in them that POSIX reads in another way. */
static struct one {
	enum pattern_kind kind;
	const char *text;
	regex_t regex;
	struct pattern_set *set;
	struct pattern_scanner *scanner;
} ones[] = {
	{ .kind = PATTERN_REGEX, .text = "a+b" },
	{ .kind = PATTERN_REGEX, .text = "[0-9]{3}-[0-9]{2}" },
	{ .kind = PATTERN_REGEX, .text = "x+" },
	{ .kind = PATTERN_REGEX, .text = "[0-9]+kg" },
	{ .kind = PATTERN_REGEX, .text = "sk-[a-z]{6}" },
	{ .kind = PATTERN_REGEX, .text = "(foo|bar)+z" },
	{ .kind = PATTERN_REGEX, .text = "q.{0,9}q" },
	{ .kind = PATTERN_REGEX, .text = "[a-z.]+@[a-z]+[.]com" },
	{ .kind = PATTERN_KEYWORD, .text = "bomb" },
	{ .kind = PATTERN_KEYWORD, .text = "c++" },
	{ .kind = PATTERN_KEYWORD, .text = "two words" },
	{ .kind = PATTERN_KEYWORD, .text = "b" },
};
enum { ONES_N = sizeof(ones) / sizeof(ones[0]) };

static void
begin(struct one *one)
{
	const struct pattern pattern = { .kind = one->kind, .text = one->text };
	struct buf bytes = { 0 };

	enum status status = pattern_compile(&pattern, 1, &bytes, NULL);
	assert(status == STATUS_OK);
	status = pattern_set_open(bytes.data, bytes.len, &one->set, NULL);
	assert(status == STATUS_OK);
	one->scanner = pattern_scanner_new();
	buf_fini(&bytes);
	if (one->kind == PATTERN_REGEX) {
		int rc = regcomp(&one->regex, one->text, REG_EXTENDED);
		assert(rc == 0);
	}
}

/* Where it begins in TEXT; SIZE_MAX: nowhere. */
static size_t
find(const struct one *one, const char *text, size_t n)
{
	size_t length = strlen(one->text);
	const char *at = text;
	regmatch_t match;

	if (one->kind == PATTERN_REGEX) {
		return regexec(&one->regex, text, 1, &match, 0) == 0
			   ? (size_t)match.rm_so
			   : SIZE_MAX;
	}
	for (; (at = strstr(at, one->text)) != NULL; at++) {
		size_t start = (size_t)(at - text);

		if (fold_word_edge(text, n, start) &&
		    fold_word_edge(text, n, start + length)) {
			return start;
		}
	}
	return SIZE_MAX;
}

static void
check(struct one *one, const char *text, size_t n)
{
	struct arena *arena = arena_new(1024);
	struct pattern_match *matches = NULL;
	size_t matches_n = 0;
	size_t start = find(one, text, n);

	enum status status = pattern_scan(one->scanner, one->set, text, n,
					  arena, &matches, &matches_n, NULL);
	assert(status == STATUS_OK);
	assert(matches_n == (start != SIZE_MAX));
	/* a start that is not known is said as the end */
	assert(matches_n == 0 || matches[0].start == start ||
	       matches[0].start == matches[0].end);
	arena_free(arena);
}

/* The text is ASCII: regexec and strstr are asked of bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = input_text(data, n);

	for (size_t i = 0; i < n; i++) {
		text[i] = (char)(text[i] & 0x7f);
		text[i] = text[i] == '\0' || text[i] == '\n' ? ' ' : text[i];
	}
	for (int i = 0; i < ONES_N; i++) {
		if (ones[i].set == NULL) {
			begin(&ones[i]);
		}
		check(&ones[i], text, n);
	}
	free(text);
	return 0;
}
