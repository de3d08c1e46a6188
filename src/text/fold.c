/*
 * fold: the door to utf8proc.  See text/fold.h.
 *
 * Text is folded a segment at a time: a character that begins anew and the
 * marks or jamo that normalisation may join to it.  Nothing is joined across
 * such a border (UAX #15, "Stabilized strings" and "Stream-Safe Text Format"),
 * so the pieces are what folding the whole would give, each knows where in
 * the original it began, and a text of a million marks costs linear time.
 *
 * Must not know: keywords, policies, JSON.
 */
#include "text/fold.h"

#include <assert.h>
#include <string.h>

#include <utf8proc.h>

enum {
	SEGMENT_MAX = 64,    /* then it is cut, as UAX #15 allows after 30 */
	DECOMPOSED_MAX = 32, /* longest decomposition of one character is 18 */
	CHARACTER_BYTES = 4
};

#define FOLD_OPTIONS                                            \
	(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | \
	 UTF8PROC_CASEFOLD | UTF8PROC_IGNORE)

struct segment {
	utf8proc_int32_t points[SEGMENT_MAX + DECOMPOSED_MAX];
	size_t n;
	uint32_t from; /* byte of the original */
};

struct folding {
	struct arena *arena;
	char *text;
	uint32_t *offsets;
	size_t n, cap;
	struct segment segment;
};

static bool
is_ascii(const char *text, size_t n)
{
	unsigned char all = 0;

	for (size_t i = 0; i < n; i++) {
		all |= (unsigned char)text[i];
	}
	return all < 0x80;
}

static char
ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Make room for N more bytes and the end's. */
static void
room(struct folding *f, size_t n)
{
	if (f->cap - f->n > n) {
		return;
	}
	size_t cap = f->cap * 2 + n + 1;
	char *text = arena_alloc(f->arena, cap);
	uint32_t *offsets = arena_array(f->arena, cap, sizeof(*offsets));

	if (f->n > 0) {
		memcpy(text, f->text, f->n);
		memcpy(offsets, f->offsets, f->n * sizeof(*offsets));
	}
	f->text = text;
	f->offsets = offsets;
	f->cap = cap;
}

static void
put(struct folding *f, const void *bytes, size_t n, uint32_t from)
{
	room(f, n);
	memcpy(f->text + f->n, bytes, n);
	for (size_t i = 0; i < n; i++) {
		f->offsets[f->n + i] = from;
	}
	f->n += n;
}

static int
combining_class(utf8proc_int32_t point)
{
	return utf8proc_get_property(point)->combining_class;
}

/* Canonical order: marks by their class, those of one class as they came. */
static void
reorder(struct segment *segment)
{
	for (size_t i = 1; i < segment->n; i++) {
		utf8proc_int32_t point = segment->points[i];
		int class = combining_class(point);
		size_t at = i;

		while (class > 0 && at > 0 &&
		       combining_class(segment->points[at - 1]) > class) {
			segment->points[at] = segment->points[at - 1];
			at--;
		}
		segment->points[at] = point;
	}
}

static void
flush(struct folding *f)
{
	struct segment *segment = &f->segment;

	if (segment->n == 0) {
		return;
	}
	reorder(segment);
	utf8proc_ssize_t n = utf8proc_normalize_utf32(
	    segment->points, (utf8proc_ssize_t)segment->n, FOLD_OPTIONS);
	assert(n >= 0);
	for (utf8proc_ssize_t i = 0; i < n; i++) {
		utf8proc_uint8_t bytes[CHARACTER_BYTES];
		utf8proc_ssize_t bytes_n =
		    utf8proc_encode_char(segment->points[i], bytes);

		put(f, bytes, (size_t)bytes_n, segment->from);
	}
	segment->n = 0;
}

/* May normalisation join POINT to what stands before it? */
static bool
joins(utf8proc_int32_t point)
{
	const utf8proc_property_t *property = utf8proc_get_property(point);

	if (property->combining_class > 0) {
		return true;
	}
	switch (property->boundclass) {
	case UTF8PROC_BOUNDCLASS_V:
	case UTF8PROC_BOUNDCLASS_T:
	case UTF8PROC_BOUNDCLASS_EXTEND:
	case UTF8PROC_BOUNDCLASS_SPACINGMARK:
		return true;
	default:
		return false;
	}
}

static void
add(struct folding *f, utf8proc_int32_t point, uint32_t from)
{
	utf8proc_int32_t parts[DECOMPOSED_MAX];
	int boundclass = UTF8PROC_BOUNDCLASS_START;
	utf8proc_ssize_t n = utf8proc_decompose_char(
	    point, parts, DECOMPOSED_MAX, FOLD_OPTIONS, &boundclass);

	assert(n >= 0 && n <= DECOMPOSED_MAX);
	for (utf8proc_ssize_t i = 0; i < n; i++) {
		struct segment *segment = &f->segment;

		if (!joins(parts[i]) || segment->n >= SEGMENT_MAX) {
			flush(f);
		}
		if (segment->n == 0) {
			segment->from = from;
		}
		segment->points[segment->n++] = parts[i];
	}
}

static void
fold_mixed(struct folding *f, const char *text, size_t n)
{
	const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
	size_t at = 0;

	while (at < n) {
		if (bytes[at] < 0x80 && (at + 1 == n || bytes[at + 1] < 0x80)) {
			char c = ascii_lower(text[at]);

			flush(f);
			put(f, &c, 1, (uint32_t)at);
			at++;
			continue;
		}
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate(
		    bytes + at, (utf8proc_ssize_t)(n - at), &point);
		assert(used > 0); /* json/read.h lets only UTF-8 in */
		add(f, point, (uint32_t)at);
		at += (size_t)used;
	}
	flush(f);
}

void
fold(struct arena *arena, const char *text, size_t n, struct folded *out)
{
	assert(n < UINT32_MAX);

	if (is_ascii(text, n)) {
		char *lower = arena_alloc(arena, n + 1);

		for (size_t i = 0; i < n; i++) {
			lower[i] = ascii_lower(text[i]);
		}
		*out = (struct folded){ .text = lower, .n = n };
		return;
	}
	struct folding f = { .arena = arena };
	room(&f, n + n / 8);
	fold_mixed(&f, text, n);
	f.text[f.n] = '\0';
	f.offsets[f.n] = (uint32_t)n;
	*out =
	    (struct folded){ .text = f.text, .n = f.n, .offsets = f.offsets };
}

/*
 * Scripts that are written without spaces: there every place is an edge
 * (UAX #29 breaks between all characters of the first two, and leaves the
 * others to a dictionary).  Source: Unicode 14, Blocks.txt.
 */
static const struct {
	utf8proc_int32_t first, last;
} unspaced[] = {
	{ 0x0E00, 0x0EFF },   /* Thai, Lao */
	{ 0x1000, 0x109F },   /* Myanmar */
	{ 0x1780, 0x17FF },   /* Khmer */
	{ 0x2E80, 0x2FDF },   /* CJK and Kangxi radicals */
	{ 0x3005, 0x3007 },   /* ideographic marks */
	{ 0x3041, 0x30FF },   /* Hiragana, Katakana */
	{ 0x3400, 0x4DBF },   /* CJK extension A */
	{ 0x4E00, 0x9FFF },   /* CJK */
	{ 0xF900, 0xFAFF },   /* CJK compatibility */
	{ 0x20000, 0x3FFFF }, /* CJK extensions B and on */
};

static bool
in_word(utf8proc_int32_t point)
{
	for (size_t i = 0; i < sizeof(unspaced) / sizeof(unspaced[0]); i++) {
		if (point >= unspaced[i].first && point <= unspaced[i].last) {
			return false;
		}
	}
	utf8proc_category_t category = utf8proc_category(point);
	return category >= UTF8PROC_CATEGORY_LU &&
	       category <= UTF8PROC_CATEGORY_NO;
}

static bool
in_word_at(const char *text, size_t n, size_t at)
{
	utf8proc_int32_t point;
	utf8proc_ssize_t used =
	    utf8proc_iterate((const utf8proc_uint8_t *)text + at,
			     (utf8proc_ssize_t)(n - at), &point);

	assert(used > 0);
	return in_word(point);
}

bool
fold_word_edge(const char *text, size_t n, size_t at)
{
	assert(at <= n);
	if (at == 0 || at == n) {
		return true;
	}
	size_t before = at - 1;
	while (before > 0 && ((unsigned char)text[before] & 0xC0) == 0x80) {
		before--;
	}
	return !in_word_at(text, n, before) || !in_word_at(text, n, at);
}

size_t
utf8_count(const char *text, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		count += ((unsigned char)text[i] & 0xC0) != 0x80;
	}
	return count;
}
