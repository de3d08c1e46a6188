#include "core_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
text_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Whose it is; by which policy a fallback that is missing is told is a matter
 * of order. */
static const char *
teller(struct fixture *fx, const struct finding *f)
{
	if (f->policy == NULL ||
	    strcmp(f->type, "no_permitted_fallback") == 0) {
		return "";
	}
	return arena_printf(fx->arena, "%s.%d", f->policy->name, (int)f->key);
}

/* DECISION without what policy EXCEPT said. */
void
answer_of(struct fixture *fx, const struct decision *d, const char *except,
	  struct answer *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < d->findings.n; i++) {
		const struct finding *f = &d->findings.items[i];

		if (except != NULL && f->policy != NULL &&
		    strcmp(f->policy->name, except) == 0) {
			continue;
		}
		assert_true(out->n < FINDINGS_MAX);
		snprintf(out->findings[out->n++], sizeof(out->findings[0]),
			 "%s %d %s %s", teller(fx, f), (int)f->kind, f->type,
			 f->excused == NULL ? "-" : f->excused);
	}
	qsort(out->findings, out->n, sizeof(out->findings[0]), text_order);
	out->action = d->action;
	out->passed = d->passed;
	out->chain_n = d->chain_n;
	memcpy(out->chain, d->chain, d->chain_n * sizeof(d->chain[0]));
}

void
answer_drop_doubles(struct answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (n == 0 || strcmp(a->findings[i], a->findings[n - 1]) != 0) {
			memmove(a->findings[n++], a->findings[i],
				sizeof(a->findings[0]));
		}
	}
	a->n = n;
}

void
answer_assert_chain(unsigned seed, const struct fallback *a, size_t a_n,
		    const struct fallback *b, size_t b_n)
{
	bool same = a_n == b_n;

	for (size_t i = 0; same && i < a_n; i++) {
		same = a[i].model == b[i].model && a[i].region == b[i].region;
	}
	if (!same) {
		fail_msg("seed %u: another chain", seed);
	}
}

void
answer_assert_same(unsigned seed, const struct answer *a,
		   const struct answer *b)
{
	bool same =
	    a->action == b->action && a->passed == b->passed && a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++) {
		same = strcmp(a->findings[i], b->findings[i]) == 0;
	}
	if (!same) {
		fail_msg("seed %u: another answer", seed);
	}
	answer_assert_chain(seed, a->chain, a->chain_n, b->chain, b->chain_n);
}
