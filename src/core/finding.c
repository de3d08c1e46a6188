#include "core/finding.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "core/check.h"

enum action
finding_on_error(const struct policy *policy, bool fail_closed)
{
	switch (policy->on_error) {
	case ON_ERROR_ALLOW:
		return ACTION_ALLOW;
	case ON_ERROR_BLOCK:
		return ACTION_BLOCK;
	case ON_ERROR_DEFAULT:
		break;
	}
	return fail_closed ? ACTION_BLOCK : ACTION_ALLOW;
}

static enum action
action_of(const struct finding_of *of, enum finding_kind kind)
{
	if (kind == FINDING_WARNING || of->policy == NULL) {
		return ACTION_ALLOW;
	}
	return kind == FINDING_VIOLATION
		   ? of->policy->action
		   : finding_on_error(of->policy, of->fail_closed);
}

struct finding *
finding_add(struct findings *findings, struct arena *arena,
	    const struct finding_of *of, enum finding_kind kind,
	    const char *type, const char *message)
{
	findings->items = arena_grow(arena, findings->items, findings->n,
				     &findings->cap, sizeof(*findings->items));
	struct finding *f = &findings->items[findings->n++];

	f->kind = kind;
	f->policy = of->policy;
	f->key = of->key;
	f->type = type;
	f->message = message;
	f->action = action_of(of, kind);
	f->enforced = kind != FINDING_WARNING && of->excused == NULL;
	f->excused = of->excused;
	f->details_n = 0;
	return f;
}

struct finding *
check_add(struct check *check, enum finding_kind kind, const char *type,
	  const char *message)
{
	struct finding_of of = {
		.policy = check->policy,
		.key = check->constraint->key,
		.excused = check->excused,
		.fail_closed = check->settings->fail_closed,
	};

	return finding_add(check->out, check->arena, &of, kind, type, message);
}

static struct detail *
detail_add(struct finding *f, const char *name, enum detail_type type)
{
	assert(f->details_n < FINDING_DETAILS);
	struct detail *d = &f->details[f->details_n++];

	*d = (struct detail){ .name = name, .type = type };
	return d;
}

void
finding_text(struct finding *f, const char *name, const char *text)
{
	detail_add(f, name, DETAIL_TEXT)->value.text = text;
}

void
finding_count(struct finding *f, const char *name, int64_t n)
{
	detail_add(f, name, DETAIL_COUNT)->value.number = n;
}

void
finding_money(struct finding *f, const char *name, int64_t nanousd)
{
	detail_add(f, name, DETAIL_MONEY)->value.number = nanousd;
}

void
finding_time(struct finding *f, const char *name, int64_t us)
{
	detail_add(f, name, DETAIL_TIME)->value.number = us;
}

void
finding_flag(struct finding *f, const char *name, bool flag)
{
	detail_add(f, name, DETAIL_FLAG)->value.flag = flag;
}

void
finding_texts(struct finding *f, const char *name, const char *const *texts,
	      size_t n)
{
	struct detail *d = detail_add(f, name, DETAIL_TEXTS);

	d->value.texts = texts;
	d->n = n;
}

void
finding_models(struct finding *f, const char *name,
	       const struct model *const *models, size_t n)
{
	struct detail *d = detail_add(f, name, DETAIL_MODELS);

	d->value.models = models;
	d->n = n;
}

void
finding_hits(struct finding *f, const char *name,
	     const struct content_hit *hits, size_t n)
{
	struct detail *d = detail_add(f, name, DETAIL_HITS);

	d->value.hits = hits;
	d->n = n;
}

bool
finding_counts(const struct finding *f)
{
	return f->enforced && f->action != ACTION_ALLOW;
}

/* Policy and key in one integer; what is no policy's comes last. */
static uint64_t
place_of(const struct finding *f)
{
	uint64_t policy = f->policy == NULL ? UINT32_MAX : f->policy->index;

	return policy << 8 | (uint64_t)f->key;
}

struct place {
	uint64_t place;
	size_t at;
};

static int
place_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->place != y->place) {
		return x->place < y->place ? -1 : 1;
	}
	return x->at < y->at ? -1 : 1;
}

void
findings_sort(struct findings *findings, struct arena *arena)
{
	size_t n = findings->n, sorted = 1;

	while (sorted < n && place_of(&findings->items[sorted - 1]) <=
				 place_of(&findings->items[sorted])) {
		sorted++;
	}
	if (sorted >= n) {
		return;
	}
	struct place *places = arena_array(arena, n, sizeof(*places));
	struct finding *items = arena_array(arena, n, sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		places[i] = (struct place){ place_of(&findings->items[i]), i };
	}
	qsort(places, n, sizeof(*places), place_order);
	for (size_t i = 0; i < n; i++) {
		items[i] = findings->items[places[i].at];
	}
	findings->items = items;
	findings->cap = n;
}
