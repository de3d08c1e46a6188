#include "engine/content_scan.h"

#include <string.h>

#include "text/fold.h"

/* What has been found so far, in all pieces. */
struct gathering {
	const struct content_scan *scan;
	struct arena *arena;
	struct content_hit *hits;
	size_t n, cap;
	struct err err;
};

static void
add_hit(struct gathering *g, const struct content_item *item,
	const char *pointer, size_t start, size_t end)
{
	if (g->n == g->cap) {
		size_t cap = g->cap == 0 ? 8 : g->cap * 2;
		struct content_hit *grown =
		    arena_array(g->arena, cap, sizeof(*grown));
		if (g->n > 0) {
			memcpy(grown, g->hits, g->n * sizeof(*grown));
		}
		g->hits = grown;
		g->cap = cap;
	}
	g->hits[g->n++] = (struct content_hit){ .policy = item->policy,
						.key = item->key,
						.item = item->item,
						.pointer = pointer,
						.start = start,
						.end = end };
}

/* Match SET against one piece; FOLDED leads back to the original's bytes. */
static bool
match(struct gathering *g, const struct pattern_set *set,
      const struct body_text *piece, const struct folded *folded)
{
	const struct snapshot_data *data = snapshot_data(g->scan->snapshot);
	const char *text = folded != NULL ? folded->text : piece->text;
	size_t n = folded != NULL ? folded->n : piece->n;
	const uint32_t *offsets = folded != NULL ? folded->offsets : NULL;
	struct pattern_match *matches;
	size_t matches_n;

	if (pattern_scan(g->scan->scanner, set, text, n, g->arena, &matches,
			 &matches_n, &g->err) != STATUS_OK) {
		return false;
	}
	const char *pointer =
	    matches_n > 0 ? body_text_pointer(piece, g->arena) : NULL;
	for (size_t i = 0; i < matches_n; i++) {
		size_t start = matches[i].start, end = matches[i].end;
		if (offsets != NULL) {
			start = offsets[start];
			end = offsets[end];
		}
		add_hit(g, &data->content[matches[i].id], pointer, start, end);
	}
	return true;
}

static bool
scan_piece(struct gathering *g, const struct body_text *piece)
{
	const struct pattern_set *keywords =
	    snapshot_keywords(g->scan->snapshot);
	const struct pattern_set *regexes = snapshot_regexes(g->scan->snapshot);

	if (!pattern_set_empty(keywords)) {
		struct folded folded;
		fold(g->arena, piece->text, piece->n, &folded);
		if (!match(g, keywords, piece, &folded)) {
			return false;
		}
	}
	return pattern_set_empty(regexes) || match(g, regexes, piece, NULL);
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
