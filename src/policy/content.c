#include "policy/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum constraint_key keys[] = {
	[PATTERN_KEYWORD] = CONSTRAINT_blocked_keywords,
	[PATTERN_REGEX] = CONSTRAINT_blocked_patterns,
};

static size_t
count(const struct source *source, enum pattern_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < source->policies_n; i++) {
		const struct constraint *c =
		    policy_constraint(&source->policies[i].policy, keys[kind]);

		n += c == NULL ? 0 : c->texts_n;
	}
	return n;
}

/* The patterns of KIND; each one's id is its place in ITEMS. */
static size_t
collect(const struct source *source, enum pattern_kind kind,
	struct content_item *items, size_t items_n, struct pattern *patterns)
{
	size_t n = 0;

	for (size_t i = 0; i < source->policies_n; i++) {
		const struct policy *policy = &source->policies[i].policy;
		const struct constraint *c =
		    policy_constraint(policy, keys[kind]);

		for (size_t j = 0; c != NULL && j < c->texts_n; j++) {
			items[items_n + n] =
			    (struct content_item){ .policy = policy->index,
						   .key = keys[kind],
						   .item = (uint32_t)j };
			patterns[n] =
			    (struct pattern){ .kind = kind,
					      .text = c->texts[j],
					      .id = (uint32_t)(items_n + n) };
			n++;
		}
	}
	return n;
}

/* Say again, of the document, what INNER says of PATTERNS. */
static enum status
translate(const struct source *source, const struct content *content,
	  const struct pattern *patterns, const struct err *inner,
	  struct err *err)
{
	char pointer[ERR_POINTER_BYTES];

	if (inner->items_n == 0) {
		return err_set(err, inner->status, "%s", inner->text);
	}
	size_t place = strtoul(inner->items[0].pointer + 1, NULL, 10);
	const struct content_item *item = &content->items[patterns[place].id];

	(void)snprintf(pointer, sizeof(pointer),
		       "/policies/%zu/constraints/%s/%u",
		       source->policies[item->policy].place,
		       constraint_row(item->key)->key, item->item);
	return err_at(err, inner->status, pointer, "%s",
		      inner->items[0].detail);
}

enum status
content_compile(const struct source *source, struct arena *arena,
		struct content *out, struct err *err)
{
	size_t n =
	    count(source, PATTERN_KEYWORD) + count(source, PATTERN_REGEX);
	struct content_item *items = arena_array(arena, n, sizeof(*items));
	struct buf *const bytes[] = { [PATTERN_KEYWORD] = &out->keywords,
				      [PATTERN_REGEX] = &out->regexes };

	*out = (struct content){ .items = items };
	for (int kind = PATTERN_KEYWORD; kind <= PATTERN_REGEX; kind++) {
		struct pattern *patterns =
		    arena_array(arena, n, sizeof(*patterns));
		struct err inner = { 0 };
		size_t patterns_n = collect(source, (enum pattern_kind)kind,
					    items, out->items_n, patterns);

		if (pattern_compile(patterns, patterns_n, bytes[kind],
				    &inner) != STATUS_OK) {
			return translate(source, out, patterns, &inner, err);
		}
		out->items_n += patterns_n;
	}
	return STATUS_OK;
}

void
content_fini(struct content *content)
{
	buf_fini(&content->keywords);
	buf_fini(&content->regexes);
}
