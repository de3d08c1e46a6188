/* Policies sorted and indexed, as policy/ does it for a snapshot. */
#include "core_fixture.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/money.h"

enum { TAGS = 16 };

/* What the fixture made itself it may write, though core sees it as const. */
static void *
writable(const void *made_here)
{
	return (void *)(uintptr_t)made_here;
}

/* The test of a policy that names exact texts and must hold, or NULL. */
static const struct condition *
key_of(const struct condition *c)
{
	if (c == NULL || c->op == CONDITION_OR) {
		return NULL;
	}
	if (c->op == CONDITION_AND) {
		for (size_t i = 0; i < c->children_n; i++) {
			const struct condition *key = key_of(&c->children[i]);

			if (key != NULL) {
				return key;
			}
		}
		return NULL;
	}
	bool exact = c->op == CONDITION_IN && c->values_n > 0;

	for (size_t i = 0; exact && i < c->values_n; i++) {
		exact =
		    c->values[i].type == FACT_TYPE_TEXT && !c->values[i].glob;
	}
	return exact ? c : NULL;
}

static void
push(struct fixture *fx, const uint32_t **list, size_t *n, uint32_t policy)
{
	bool full = *n == 0 || (*n & (*n - 1)) == 0;
	uint32_t *items = writable(*list);

	if (full) {
		items = arena_array(fx->arena, *n * 2 + 1, sizeof(*items));
		if (*n > 0) {
			memcpy(items, *list, *n * sizeof(*items));
		}
		*list = items;
	}
	if (*n == 0 || items[*n - 1] != policy) {
		items[(*n)++] = policy;
	}
}

static void
put_bucket(struct fixture *fx, struct policy_index *index,
	   const struct condition *key, const char *value, uint32_t policy)
{
	struct policy_bucket *buckets = writable(index->buckets);
	size_t mask = index->buckets_n - 1;
	size_t at =
	    (size_t)policy_bucket_hash(key->fact, key->tag, value) & mask;
	const struct policy_bucket *found =
	    policy_index_bucket(index, key->fact, key->tag, value);

	if (found != NULL) {
		at = (size_t)(found - buckets);
	}
	while (found == NULL && buckets[at].policies_n > 0) {
		at = (at + 1) & mask;
	}
	buckets[at].fact = key->fact;
	buckets[at].tag = key->tag;
	buckets[at].value = value;
	push(fx, &buckets[at].policies, &buckets[at].policies_n, policy);
}

static void
index_policy(struct fixture *fx, const struct policy *policy)
{
	struct policy_index *index = &fx->set.stages[policy->stage];
	const struct condition *key = key_of(policy->condition);

	if (key == NULL) {
		push(fx, &index->always, &index->always_n, policy->index);
		return;
	}
	for (size_t i = 0; i < key->values_n; i++) {
		put_bucket(fx, index, key, key->values[i].value.text,
			   policy->index);
	}
	if (key->fact != FACT_N) {
		index->facts[key->fact] = true;
		return;
	}
	put_bucket(fx, index, key, NULL, policy->index);
	const char **tags = writable(index->tags);

	for (size_t i = 0; i < index->tags_n; i++) {
		if (strcmp(tags[i], key->tag) == 0) {
			return;
		}
	}
	assert(index->tags_n < TAGS);
	tags[index->tags_n++] = key->tag;
}

static bool
by_model(const struct condition *c)
{
	if (c == NULL) {
		return false;
	}
	for (size_t i = 0; i < c->children_n; i++) {
		if (by_model(&c->children[i])) {
			return true;
		}
	}
	bool test = c->op != CONDITION_AND && c->op != CONDITION_OR;

	return test && c->fact != FACT_N && fact_by_model(c->fact);
}

static void
finish_policy(struct policy *policy, uint32_t index)
{
	policy->index = index;
	policy->by_model = by_model(policy->condition);
	policy->needs_content = false;
	policy->counts = false;
	for (size_t i = 0; i < policy->constraints_n; i++) {
		enum constraint_key key = policy->constraints[i].key;

		policy->by_model |=
		    constraint_row(key)->by == CONSTRAINT_BY_MODEL;
		policy->needs_content |= key == CONSTRAINT_blocked_keywords ||
					 key == CONSTRAINT_blocked_patterns;
		policy->counts |= counter_row(key) != NULL;
	}
}

static int
policy_order(const void *a, const void *b)
{
	const struct policy *x = a, *y = b;

	if (x->priority != y->priority) {
		return x->priority > y->priority ? -1 : 1;
	}
	int names = strcmp(x->name, y->name);

	return names != 0 ? names : strcmp(x->policy_id, y->policy_id);
}

static int
price_order(const void *a, const void *b)
{
	const struct model *x = *(const struct model *const *)a;
	const struct model *y = *(const struct model *const *)b;
	int64_t m = model_mean_per_mil(x), n = model_mean_per_mil(y);

	if (m != n) {
		return m < n ? -1 : 1;
	}
	return strcmp(x->model_id, y->model_id);
}

static void
compile_models(struct fixture *fx)
{
	const struct model **by_price = arena_array(
	    fx->arena, fx->catalogue.models_n + 1, sizeof(*by_price));
	size_t n = 0;

	for (size_t i = 0; i < fx->catalogue.models_n; i++) {
		if (fx->models[i].active &&
		    model_mean_per_mil(&fx->models[i]) != MONEY_UNKNOWN) {
			by_price[n++] = &fx->models[i];
		}
	}
	qsort(by_price, n, sizeof(struct model *), price_order);
	fx->catalogue.by_price = by_price;
	fx->catalogue.by_price_n = n;
}

void
fixture_compile(struct fixture *fx)
{
	size_t buckets_n = 8;

	while (buckets_n < fx->policies_n * 8) {
		buckets_n *= 2;
	}
	if (fx->policies_n > 0) {
		qsort(fx->policies, fx->policies_n, sizeof(*fx->policies),
		      policy_order);
	}
	fx->set = (struct policy_set){ .policies = fx->policies,
				       .policies_n = fx->policies_n };
	for (size_t i = 0; i < STAGE_N; i++) {
		fx->set.stages[i].buckets_n = buckets_n;
		fx->set.stages[i].buckets = arena_array(
		    fx->arena, buckets_n, sizeof(struct policy_bucket));
		fx->set.stages[i].tags =
		    arena_array(fx->arena, TAGS, sizeof(char *));
	}
	for (size_t i = 0; i < fx->policies_n; i++) {
		finish_policy(&fx->policies[i], (uint32_t)i);
		index_policy(fx, &fx->policies[i]);
	}
	compile_models(fx);
}
