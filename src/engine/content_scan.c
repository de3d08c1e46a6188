#include "engine/content_scan.h"

#include <string.h>

#include "text/fold.h"

/*
 * Folding can make eleven bytes of one and keeps a map of four bytes for each,
 * so a text is folded a window at a time.  Windows overlap by more than a
 * keyword is long, and begin and end at white space where there is any near.
 */
enum { WINDOW_BYTES = 256 * 1024, OVERLAP_BYTES = 8 * 1024 };

/* What has been found so far, in all pieces. */
struct gathering {
	const struct content_scan *scan;
	struct arena *arena;
	struct content_hit *hits;
	size_t n, cap;
	struct err err;
};

/* A part of a piece; its first byte is byte START of the piece. */
struct stretch {
	const struct body_text *piece;
	size_t start, end;
	bool *seen; /* by item, what an earlier window has; NULL: only one */
	struct arena *scratch;
};

static void
add_hit(struct gathering *g, const struct content_item *item,
	const char *pointer, size_t start, size_t end)
{
	g->hits =
	    arena_grow(g->arena, g->hits, g->n, &g->cap, sizeof(*g->hits));
	g->hits[g->n++] = (struct content_hit){ .policy = item->policy,
						.key = item->key,
						.item = item->item,
						.pointer = pointer,
						.start = start,
						.end = end };
}

/* Add what SET found; OFFSETS, if any, leads back to the window's bytes. */
static void
add_matches(struct gathering *g, const struct stretch *w,
	    const struct pattern_match *matches, size_t matches_n,
	    const uint32_t *offsets)
{
	const struct snapshot_data *data = snapshot_data(g->scan->snapshot);
	const char *pointer =
	    matches_n > 0 ? body_text_pointer(w->piece, g->arena) : NULL;

	for (size_t i = 0; i < matches_n; i++) {
		size_t start = matches[i].start, end = matches[i].end;
		if (offsets != NULL) {
			start = offsets[start];
			end = offsets[end];
		}
		if (w->seen != NULL && w->seen[matches[i].id]) {
			continue;
		}
		if (w->seen != NULL) {
			w->seen[matches[i].id] = true;
		}
		add_hit(g, &data->content[matches[i].id], pointer,
			w->start + start, w->start + end);
	}
}

static bool
match_keywords(struct gathering *g, const struct stretch *w)
{
	struct pattern_match *matches;
	struct folded folded;
	size_t n;

	fold(w->scratch, w->piece->text + w->start, w->end - w->start, &folded);
	if (pattern_scan(g->scan->scanner, snapshot_keywords(g->scan->snapshot),
			 folded.text, folded.n, w->scratch, &matches, &n,
			 &g->err) != STATUS_OK) {
		return false;
	}
	add_matches(g, w, matches, n, folded.offsets);
	return true;
}

static bool
match_regexes(struct gathering *g, const struct body_text *piece)
{
	const struct stretch whole = { .piece = piece, .end = piece->n };
	struct pattern_match *matches;
	size_t n;

	if (pattern_scan(g->scan->scanner, snapshot_regexes(g->scan->snapshot),
			 piece->text, piece->n, g->arena, &matches, &n,
			 &g->err) != STATUS_OK) {
		return false;
	}
	add_matches(g, &whole, matches, n, NULL);
	return true;
}

/* Where to cut near AT: behind white space, else between two characters. */
static size_t
cut(const char *text, size_t at)
{
	for (size_t i = at; i > at - OVERLAP_BYTES; i--) {
		if (text[i - 1] == ' ' || text[i - 1] == '\n') {
			return i;
		}
	}
	while (((unsigned char)text[at] & 0xc0) == 0x80) {
		at--;
	}
	return at;
}

/* The keywords of a text that is longer than a window. */
static bool
match_windows(struct gathering *g, const struct body_text *piece)
{
	size_t items_n = snapshot_data(g->scan->snapshot)->content_n;
	struct stretch w = {
		.piece = piece,
		.seen = arena_array(g->arena, items_n, sizeof(bool)),
		.scratch = arena_new(WINDOW_BYTES),
	};
	bool ok = true;

	while (ok && w.end < piece->n) {
		w.start =
		    w.end == 0 ? 0 : cut(piece->text, w.end - OVERLAP_BYTES);
		w.end = w.start + WINDOW_BYTES;
		w.end = w.end < piece->n ? cut(piece->text, w.end) : piece->n;
		arena_reset(w.scratch);
		ok = match_keywords(g, &w);
	}
	arena_free(w.scratch);
	return ok;
}

static bool
scan_piece(struct gathering *g, const struct body_text *piece)
{
	const struct snapshot *snapshot = g->scan->snapshot;
	const struct stretch whole = { .piece = piece,
				       .end = piece->n,
				       .scratch = g->arena };

	if (!pattern_set_empty(snapshot_keywords(snapshot)) &&
	    !(piece->n > WINDOW_BYTES ? match_windows(g, piece)
				      : match_keywords(g, &whole))) {
		return false;
	}
	return pattern_set_empty(snapshot_regexes(snapshot)) ||
	       match_regexes(g, piece);
}

bool
content_scan(void *arg, struct arena *arena, const struct content_hit **hits,
	     size_t *hits_n, const char **why)
{
	const struct content_scan *scan = arg;
	struct gathering g = { .scan = scan, .arena = arena };

	for (size_t i = 0; i < scan->body->texts.n; i++) {
		if (!scan_piece(&g, &scan->body->texts.items[i])) {
			*why = arena_strdup(arena, g.err.text);
			return false;
		}
	}
	*hits = g.hits;
	*hits_n = g.n;
	return true;
}
