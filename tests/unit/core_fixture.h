/*
 * core_fixture: policies, contexts and answers of core in short texts, so
 * that a rule's test is a row.
 *
 * Words of a text stand apart by one space.
 *
 *	policy      "block cost 95 max_cost_per_request=50000000 unknown_price=0
 *	             allowed_vendors=openai,azure* @shadow @on_error=block
 *	             @scope=team @stage=continuous ?CONDITION"
 *	            numbers are core's own (nano-dollars, index of a word)
 *	condition   "user_tier=free|pro&vendor_id!=open*;estimated_cost>0.5":
 *	            & is AND, ; is OR; =, != lists, <, <=, >, >= numbers,
 *	            fact? there, fact!? missing; tags.x; #1 a number, ^1 a flag
 *	context     "model_id=gpt-4 prompt_length=100 tags.team=a tags.n=#3"
 *	            region= is a named one, requires=features:tokens
 *	answer      "degrade a!cost_per_request_exceeded b~cost_near_limit"
 *	            ! violation, ~ warning, ? unknown, /why it is excused
 */
#ifndef CORE_FIXTURE_H
#define CORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "core/decide.h"
#include "core_counter.h"

enum { FIXTURE_NOW_US = 1000000, FIXTURE_HITS = 8 };

struct fixture {
	struct arena *arena;
	struct decide_settings settings;
	struct catalogue catalogue;
	struct model *models; /* [catalogue.models_n], may be changed */
	struct policy *policies;
	size_t policies_n, policies_cap;
	struct policy_set set;
	struct decide_world world;
	struct context ctx;
	/* the scanner's answer */
	struct content_hit hits[FIXTURE_HITS];
	size_t hits_n;
	const char *scan_fails;	      /* why, or NULL */
	int scans;		      /* how often it was called */
	struct core_counter *counter; /* NULL: nobody counts */
	struct decide_ops ops;
};

/* With the catalogue of core_fixture.c, without policies. */
struct fixture *fixture_new(void);
void fixture_free(struct fixture *fx);

/* From now on counters are kept, in memory. */
void fixture_count(struct fixture *fx);

/* Policy NAME of TEXT; good until the next one is added. */
struct policy *fixture_policy(struct fixture *fx, const char *name,
			      const char *text);
void fixture_limit(struct fixture *fx, struct policy *policy,
		   struct subject_limit limit);
void fixture_exempt(struct fixture *fx, struct policy *policy,
		    struct exemption exemption);
const struct condition *fixture_condition(struct fixture *fx, const char *text);

/* Forget the context and make another. */
void fixture_context(struct fixture *fx, const char *text);

/* The context's model is the catalogue's; region_given as it is. */
void fixture_find_model(struct fixture *fx);

/* Sort and index the policies, list models by price. */
void fixture_compile(struct fixture *fx);

/* Compile and decide at pre_flight. */
void fixture_decide(struct fixture *fx, struct decision *out);

/* The answer as text; with its chain as "-> m1 m2" where there is one. */
const char *fixture_answer(struct fixture *fx, const struct decision *d);

/* Policies a, b, c (up to the first NULL) in a context give an answer. */
struct fixture_row {
	const char *context;
	const char *answer;
	const char *policies[3];
};
void fixture_rows(const struct fixture_row *rows, size_t n);

/* A detail by name, NULL when it is missing. */
const struct detail *fixture_detail(const struct finding *f, const char *name);

#endif /* CORE_FIXTURE_H */
