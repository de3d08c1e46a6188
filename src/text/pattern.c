/*
 * pattern: the scanning half of the door to Hyperscan.  See text/pattern.h.
 *
 * Must not know: policies, JSON, where a text came from.
 * Source: Hyperscan 5.4 developer reference, "Scanning for Patterns".
 */
#include "text/pattern.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <hs/hs.h>

#include "base/memory.h"
#include "text/fold.h"
#include "text/pattern_set.h"

struct pattern_set {
	uint64_t serial; /* never given twice, unlike an address */
	enum pattern_kind kind;
	struct pattern_set_item *items; /* [items_n] */
	size_t items_n;
	hs_database_t *database; /* NULL: empty */
};

enum { SCANNER_SETS = 4, MATCHES_FIRST = 16 };

struct pattern_scanner {
	hs_scratch_t *scratch;
	uint64_t fits[SCANNER_SETS]; /* serials that the scratch is made for */
	size_t fits_next;
	uint32_t *slots; /* [slots_n] by item: 1 + place in matches, 0: none */
	size_t slots_n;
};

/* ---- sets */

static enum status
open_database(struct pattern_set *set, const char *bytes, size_t n,
	      struct err *err)
{
	switch (hs_deserialize_database(bytes, n, &set->database)) {
	case HS_SUCCESS:
		return STATUS_OK;
	case HS_DB_VERSION_ERROR:
	case HS_DB_PLATFORM_ERROR:
	case HS_DB_MODE_ERROR:
		return err_set(err, STATUS_CONFLICT,
			       "the pattern database is another processor's "
			       "or another Hyperscan's");
	default:
		return err_set(err, STATUS_CORRUPT,
			       "the pattern database is damaged");
	}
}

enum status
pattern_set_open(const void *bytes, size_t n, struct pattern_set **out,
		 struct err *err)
{
	static _Atomic uint64_t serial;
	const char *at = bytes;
	struct pattern_set_head head;

	if (n < sizeof(head)) {
		return err_set(err, STATUS_CORRUPT, "a pattern set is cut off");
	}
	memcpy(&head, at, sizeof(head));
	size_t items_bytes = head.items_n * sizeof(struct pattern_set_item);
	if (head.magic != PATTERN_SET_MAGIC || head.kind > PATTERN_REGEX ||
	    items_bytes > n - sizeof(head) ||
	    head.database_bytes != n - sizeof(head) - items_bytes) {
		return err_set(err, STATUS_CORRUPT, "a pattern set is damaged");
	}
	struct pattern_set *set = memory_get(sizeof(*set));
	*set = (struct pattern_set){ .serial = 1 + atomic_fetch_add(&serial, 1),
				     .kind = (enum pattern_kind)head.kind,
				     .items_n = head.items_n };
	if (head.items_n > 0) {
		set->items = memory_get(items_bytes);
		memcpy(set->items, at + sizeof(head), items_bytes);
		enum status status =
		    open_database(set, at + sizeof(head) + items_bytes,
				  head.database_bytes, err);
		if (status != STATUS_OK) {
			pattern_set_free(set);
			return status;
		}
	}
	*out = set;
	return STATUS_OK;
}

void
pattern_set_free(struct pattern_set *set)
{
	if (set == NULL) {
		return;
	}
	hs_free_database(set->database);
	free(set->items);
	free(set);
}

bool
pattern_set_empty(const struct pattern_set *set)
{
	return set->items_n == 0;
}

/* ---- scan */

struct pattern_scanner *
pattern_scanner_new(void)
{
	struct pattern_scanner *scanner = memory_get(sizeof(*scanner));

	*scanner = (struct pattern_scanner){ 0 };
	return scanner;
}

void
pattern_scanner_free(struct pattern_scanner *scanner)
{
	if (scanner == NULL) {
		return;
	}
	hs_free_scratch(scanner->scratch);
	free(scanner->slots);
	free(scanner);
}

/* Grow what the scanner holds to what SET needs; it never shrinks. */
static enum status
fit(struct pattern_scanner *scanner, const struct pattern_set *set,
    struct err *err)
{
	for (size_t i = 0; i < SCANNER_SETS; i++) {
		if (scanner->fits[i] == set->serial) {
			return STATUS_OK;
		}
	}
	if (hs_alloc_scratch(set->database, &scanner->scratch) != HS_SUCCESS) {
		return err_set(err, STATUS_INTERNAL,
			       "cannot get scratch memory for Hyperscan");
	}
	if (scanner->slots_n < set->items_n) {
		free(scanner->slots);
		size_t bytes = set->items_n * sizeof(*scanner->slots);
		scanner->slots = memory_get(bytes);
		memset(scanner->slots, 0, bytes);
		scanner->slots_n = set->items_n;
	}
	scanner->fits[scanner->fits_next] = set->serial;
	scanner->fits_next = (scanner->fits_next + 1) % SCANNER_SETS;
	return STATUS_OK;
}

struct scan {
	const struct pattern_set *set;
	const char *text;
	size_t n;
	struct arena *arena;
	uint32_t *slots;
	struct pattern_match *matches; /* [matches_n] */
	uint32_t *items;	       /* [matches_n] whose each is */
	size_t matches_n, cap;
};

static void
grow(struct scan *scan)
{
	if (scan->matches_n < scan->cap) {
		return;
	}
	size_t cap = scan->cap == 0 ? MATCHES_FIRST : scan->cap * 2;
	struct pattern_match *matches =
	    arena_array(scan->arena, cap, sizeof(*matches));
	uint32_t *items = arena_array(scan->arena, cap, sizeof(*items));

	if (scan->matches_n > 0) {
		memcpy(matches, scan->matches,
		       scan->matches_n * sizeof(*matches));
		memcpy(items, scan->items, scan->matches_n * sizeof(*items));
	}
	scan->matches = matches;
	scan->items = items;
	scan->cap = cap;
}

static bool
whole_word(const struct scan *scan, size_t start, size_t end)
{
	return fold_word_edge(scan->text, scan->n, start) &&
	       fold_word_edge(scan->text, scan->n, end);
}

/* Hyperscan's callback; 0: go on. */
static int
on_match(unsigned place, unsigned long long from, unsigned long long to,
	 unsigned flags, void *arg)
{
	struct scan *scan = arg;
	const struct pattern_set_item *item = &scan->set->items[place];
	size_t end = (size_t)to, start = end;

	(void)flags;
	if (scan->set->kind == PATTERN_KEYWORD) {
		start = end - item->bytes;
	} else if (item->has_start != 0) {
		start = (size_t)from;
	}
	struct pattern_match match = { .id = item->id,
				       .start = start,
				       .end = end };
	uint32_t slot = scan->slots[place];
	if (slot > 0) {
		if (start < scan->matches[slot - 1].start) {
			scan->matches[slot - 1] = match;
		}
		return 0;
	}
	if (scan->set->kind == PATTERN_KEYWORD &&
	    !whole_word(scan, start, end)) {
		return 0;
	}
	grow(scan);
	scan->matches[scan->matches_n] = match;
	scan->items[scan->matches_n] = place;
	scan->slots[place] = (uint32_t)++scan->matches_n;
	return 0;
}

static int
compare_matches(const void *a, const void *b)
{
	const struct pattern_match *x = a, *y = b;

	if (x->start != y->start) {
		return x->start < y->start ? -1 : 1;
	}
	if (x->end != y->end) {
		return x->end < y->end ? -1 : 1;
	}
	return (x->id > y->id) - (x->id < y->id);
}

enum status
pattern_scan(struct pattern_scanner *scanner, const struct pattern_set *set,
	     const char *text, size_t n, struct arena *arena,
	     struct pattern_match **out, size_t *out_n, struct err *err)
{
	assert(n <= UINT32_MAX);
	if (pattern_set_empty(set) || n == 0) {
		*out = NULL;
		*out_n = 0;
		return STATUS_OK;
	}
	enum status status = fit(scanner, set, err);
	if (status != STATUS_OK) {
		return status;
	}
	struct scan scan = { .set = set,
			     .text = text,
			     .n = n,
			     .arena = arena,
			     .slots = scanner->slots };
	hs_error_t got = hs_scan(set->database, text, (unsigned)n, 0,
				 scanner->scratch, on_match, &scan);
	for (size_t i = 0; i < scan.matches_n; i++) {
		scanner->slots[scan.items[i]] = 0;
	}
	if (got != HS_SUCCESS) {
		return err_set(err, STATUS_INTERNAL,
			       "Hyperscan gave up with %d", got);
	}
	if (scan.matches_n > 0) {
		qsort(scan.matches, scan.matches_n, sizeof(*scan.matches),
		      compare_matches);
	}
	*out = scan.matches;
	*out_n = scan.matches_n;
	return STATUS_OK;
}
