/*
 * pattern_compile: the compiling half of the door to Hyperscan.
 *
 * Must not know: policies, JSON.
 * Source: Hyperscan 5.4 developer reference, "Compiling Patterns".
 */
#include "text/pattern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <hs/hs.h>

#include "text/fold.h"
#include "text/pattern_set.h"

/*
 * Hyperscan's reason as our errors are written: lower case, no full stop,
 * and no advice to set flags of its own.
 */
static enum status
refuse(struct err *err, const char *pointer, const char *reason)
{
	char text[ERR_TEXT_BYTES];

	if (strstr(reason, "HS_FLAG_ALLOWEMPTY") != NULL) {
		reason = "it matches the empty text, so every text";
	}
	size_t n = strnlen(reason, sizeof(text) - 1);
	memcpy(text, reason, n);
	while (n > 0 && text[n - 1] == '.') {
		n--;
	}
	text[n] = '\0';
	if (text[0] >= 'A' && text[0] <= 'Z') {
		text[0] = (char)(text[0] + ('a' - 'A'));
	}
	return err_at(err, STATUS_BODY, pointer, "%s", text);
}

static enum status
refuse_item(struct err *err, size_t place, const char *reason)
{
	char pointer[ERR_POINTER_BYTES] = "/";
	size_t at = sizeof(pointer) - 1;

	pointer[at] = '\0';
	do {
		pointer[--at] = (char)('0' + place % 10);
		place /= 10;
	} while (place > 0);
	pointer[--at] = '/';
	return refuse(err, pointer + at, reason);
}

/* What the compiler works on: arrays as Hyperscan wants them. */
struct work {
	struct arena *arena;
	const char **texts;
	size_t *lengths;
	unsigned *flags;
	unsigned *ids;
	size_t n;
};

enum { REGEX_FLAGS = HS_FLAG_UTF8 | HS_FLAG_UCP | HS_FLAG_SOM_LEFTMOST };

static struct work
work_new(struct arena *arena, const struct pattern *patterns, size_t n)
{
	struct work work = {
		.arena = arena,
		.texts = arena_array(arena, n, sizeof(*work.texts)),
		.lengths = arena_array(arena, n, sizeof(*work.lengths)),
		.flags = arena_array(arena, n, sizeof(*work.flags)),
		.ids = arena_array(arena, n, sizeof(*work.ids)),
		.n = n,
	};

	for (size_t i = 0; i < n; i++) {
		work.texts[i] = patterns[i].text;
		work.flags[i] = REGEX_FLAGS;
		work.ids[i] = (unsigned)i;
	}
	return work;
}

static enum status
fold_keyword(struct arena *arena, const char *text, struct folded *out)
{
	fold(arena, text, strlen(text), out);
	return out->n > 0 ? STATUS_OK : STATUS_BODY;
}

#define NOTHING_LEFT "nothing of it is left after folding"

static enum status
compile_keywords(struct work *work, hs_database_t **out, struct err *err)
{
	for (size_t i = 0; i < work->n; i++) {
		struct folded folded;

		if (fold_keyword(work->arena, work->texts[i], &folded) !=
		    STATUS_OK) {
			return refuse_item(err, i, NOTHING_LEFT);
		}
		work->texts[i] = folded.text;
		work->lengths[i] = folded.n;
		work->flags[i] = 0;
	}
	hs_compile_error_t *error = NULL;
	hs_error_t got = hs_compile_lit_multi(
	    work->texts, work->flags, work->ids, work->lengths,
	    (unsigned)work->n, HS_MODE_BLOCK, NULL, out, &error);
	if (got == HS_SUCCESS) {
		return STATUS_OK;
	}
	enum status status =
	    err_set(err, STATUS_BODY, "keywords: %s", error->message);
	hs_free_compile_error(error);
	return status;
}

/*
 * Ask for less of the pattern that failed, or of all where none is named.
 * False: there was nothing to give up, the pattern itself is bad.
 *
 * \b and \B are only there without UCP.  "Pattern is too large" is often said
 * of the bookkeeping for the start alone ({1,64}@{1,190} is enough), and
 * without a start only the first match says anything.
 */
static bool
ask_less(struct work *work, const hs_compile_error_t *error)
{
	size_t from = error->expression < 0 ? 0 : (size_t)error->expression;
	size_t to = error->expression < 0 ? work->n : from + 1;
	bool ucp = strstr(error->message, "UCP") != NULL;
	bool less = false;

	for (size_t i = from; i < to; i++) {
		unsigned flags = work->flags[i];

		if (ucp) {
			flags &= ~(unsigned)HS_FLAG_UCP;
		} else if ((flags & HS_FLAG_SOM_LEFTMOST) != 0) {
			flags ^= HS_FLAG_SOM_LEFTMOST | HS_FLAG_SINGLEMATCH;
		}
		less = less || flags != work->flags[i];
		work->flags[i] = flags;
	}
	return less;
}

static enum status
compile_regexes(struct work *work, hs_database_t **out, struct err *err)
{
	for (;;) {
		hs_compile_error_t *error = NULL;
		hs_error_t got = hs_compile_multi(
		    work->texts, work->flags, work->ids, (unsigned)work->n,
		    HS_MODE_BLOCK, NULL, out, &error);

		if (got == HS_SUCCESS) {
			return STATUS_OK;
		}
		int failed = error->expression;
		if (ask_less(work, error)) {
			hs_free_compile_error(error);
			continue;
		}
		enum status status =
		    failed < 0
			? err_set(err, STATUS_BODY, "%s", error->message)
			: refuse_item(err, (size_t)failed, error->message);
		hs_free_compile_error(error);
		return status;
	}
}

static void
store(const struct pattern *patterns, const struct work *work,
      const char *database, size_t database_n, struct buf *out)
{
	struct pattern_set_head head = { .magic = PATTERN_SET_MAGIC,
					 .items_n = (uint32_t)work->n,
					 .database_bytes = database_n };

	if (work->n > 0) {
		head.kind = patterns[0].kind;
	}
	buf_add(out, &head, sizeof(head));
	for (size_t i = 0; i < work->n; i++) {
		struct pattern_set_item item = {
			.id = patterns[i].id,
			.bytes = (uint32_t)work->lengths[i],
			.has_start = work->flags[i] & HS_FLAG_SOM_LEFTMOST
		};

		buf_add(out, &item, sizeof(item));
	}
	buf_add(out, database, database_n);
}

enum status
pattern_compile(const struct pattern *patterns, size_t n, struct buf *out,
		struct err *err)
{
	struct arena *arena = arena_new(n * 64);
	struct work work = work_new(arena, patterns, n);
	hs_database_t *database = NULL;
	char *bytes = NULL;
	size_t bytes_n = 0;
	enum status status = STATUS_OK;

	for (size_t i = 0; i < n; i++) {
		assert(patterns[i].kind == patterns[0].kind);
		assert(patterns[i].text[0] != '\0');
	}
	if (n > 0) {
		status = patterns[0].kind == PATTERN_KEYWORD
			     ? compile_keywords(&work, &database, err)
			     : compile_regexes(&work, &database, err);
	}
	if (status != STATUS_OK) {
		goto out;
	}
	if (n > 0 &&
	    hs_serialize_database(database, &bytes, &bytes_n) != HS_SUCCESS) {
		status = err_set(err, STATUS_INTERNAL,
				 "cannot serialize the pattern database");
		goto out;
	}
	store(patterns, &work, bytes, bytes_n, out);
out:
	free(bytes);
	hs_free_database(database);
	arena_free(arena);
	return status;
}

enum status
pattern_check(const struct pattern *pattern, struct err *err)
{
	struct arena *arena = arena_new(0);
	enum status status = STATUS_OK;
	struct folded folded;

	if (pattern->kind == PATTERN_KEYWORD) {
		if (fold_keyword(arena, pattern->text, &folded) != STATUS_OK) {
			status = refuse(err, "", NOTHING_LEFT);
		}
		goto out;
	}
	struct work work = work_new(arena, pattern, 1);
	hs_database_t *database = NULL;
	struct err inner = { 0 };
	if (compile_regexes(&work, &database, &inner) != STATUS_OK) {
		status = refuse(err, "", inner.text);
	}
	hs_free_database(database);
out:
	arena_free(arena);
	return status;
}
