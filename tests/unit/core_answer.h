/* core_answer: decisions that can be compared, for laws. */
#ifndef CORE_ANSWER_H
#define CORE_ANSWER_H

#include "core_fixture.h"

enum { FINDINGS_MAX = 256 };

struct answer {
	char findings[FINDINGS_MAX][96]; /* sorted */
	size_t n;
	enum action action;
	bool passed;
	struct fallback chain[FALLBACK_CHAIN];
	size_t chain_n;
};

/* DECISION without what policy EXCEPT (or NULL) said. */
void answer_of(struct fixture *fx, const struct decision *d, const char *except,
	       struct answer *out);

/* Findings that are there twice become one. */
void answer_drop_doubles(struct answer *a);

void answer_assert_same(unsigned seed, const struct answer *a,
			const struct answer *b);
void answer_assert_chain(unsigned seed, const struct fallback *a, size_t a_n,
			 const struct fallback *b, size_t b_n);

#endif /* CORE_ANSWER_H */
