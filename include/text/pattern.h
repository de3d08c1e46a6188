/*
 * pattern: many keywords and regular expressions, matched in one pass.
 *
 * Keywords are literals, whole words only; they are folded here, and the text
 * that they are looked for in must be folded too (text/fold.h).  Patterns are
 * regular expressions in Hyperscan's dialect of PCRE, caseful unless they say
 * (?i), on the text as it is, UTF-8; \w, \d and \s know Unicode, but in a
 * pattern that uses \b only ASCII.  A set is compiled once (by policy/),
 * stored as bytes in the snapshot, and opened by each process; a scanner is a
 * thread's own.
 * The door to Hyperscan.
 */
#ifndef TEXT_PATTERN_H
#define TEXT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

enum pattern_kind { PATTERN_KEYWORD, PATTERN_REGEX };

struct pattern {
	enum pattern_kind kind;
	const char *text; /* not empty, UTF-8 */
	uint32_t id;	  /* what a match answers with */
};

/**
 * pattern_compile(patterns, n, out, err):
 * Compile N patterns to bytes that pattern_set_open takes.
 *
 * Takes:   all of one kind; N may be 0, which gives an empty set.
 * Gives:   bytes added to OUT.
 * Errors:  STATUS_BODY; the err's pointer is "/<place in PATTERNS>", the
 *          detail is Hyperscan's reason.  A pattern that matches the empty
 *          text or nothing at all, that is too large, or uses what cannot be
 *          compiled is refused, and a keyword of which folding leaves nothing.
 */
enum status pattern_compile(const struct pattern *patterns, size_t n,
			    struct buf *out, struct err *err) MUST_CHECK;

/* Can this one be compiled?  STATUS_BODY with Hyperscan's reason, if not. */
enum status pattern_check(const struct pattern *pattern,
			  struct err *err) MUST_CHECK;

struct pattern_set; /* immutable, shared by threads */

/*
 * Errors:  STATUS_CORRUPT; STATUS_CONFLICT for bytes of another Hyperscan or
 *          for another processor: compile anew.
 */
enum status pattern_set_open(const void *bytes, size_t n,
			     struct pattern_set **out,
			     struct err *err) MUST_CHECK;
void pattern_set_free(struct pattern_set *set); /* NULL is fine */
bool pattern_set_empty(const struct pattern_set *set);

struct pattern_scanner; /* scratch memory of one thread, for any set */
struct pattern_scanner *pattern_scanner_new(void);
void pattern_scanner_free(struct pattern_scanner *scanner);

struct pattern_match {
	uint32_t id;
	size_t start, end; /* bytes of TEXT; a regex whose start is not known
			      (too large for that) has start == end */
};

/**
 * pattern_scan(scanner, set, text, n, arena, out, out_n, err):
 * Every pattern that occurs in the N bytes of TEXT, each once, by first place.
 *
 * Takes:   TEXT of valid UTF-8, below 4 GiB.
 * Gives:   OUT in ARENA, ordered by start, end, id; of several places of one
 *          pattern the one that starts first.
 * Errors:  STATUS_INTERNAL when the engine gives up; never a partial answer.
 */
enum status pattern_scan(struct pattern_scanner *scanner,
			 const struct pattern_set *set, const char *text,
			 size_t n, struct arena *arena,
			 struct pattern_match **out, size_t *out_n,
			 struct err *err) MUST_CHECK;

#endif /* TEXT_PATTERN_H */
