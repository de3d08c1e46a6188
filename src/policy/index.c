#include "policy/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A value of a fact or tag, and who asks for it. */
struct key {
	enum fact_id fact;	 /* FACT_N: tag */
	const char *tag, *value; /* value NULL: misfits of the tag */
	size_t wanted;		 /* by how many tests */
	uint32_t *policies;	 /* [policies_n] that are found by it */
	size_t policies_n, cap;
	bool used; /* of the table */
};

/* Open addressing; doubled when half full. */
struct table {
	struct arena *arena;
	struct key *keys; /* [cap], a power of two */
	size_t n, cap;
};

enum { TABLE_FIRST = 64 };

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct key *
find(const struct table *table, enum fact_id fact, const char *tag,
     const char *value)
{
	size_t mask = table->cap - 1;
	size_t at = (size_t)policy_bucket_hash(fact, tag, value) & mask;
	struct key *key = &table->keys[at];

	while (key->used && (key->fact != fact || !same_text(key->tag, tag) ||
			     !same_text(key->value, value))) {
		at = (at + 1) & mask;
		key = &table->keys[at];
	}
	return key;
}

static void
grow(struct table *table)
{
	struct table old = *table;

	table->cap = old.cap == 0 ? TABLE_FIRST : old.cap * 2;
	table->keys =
	    arena_array(table->arena, table->cap, sizeof(*table->keys));
	for (size_t i = 0; i < old.cap; i++) {
		const struct key *key = &old.keys[i];

		if (key->used) {
			*find(table, key->fact, key->tag, key->value) = *key;
		}
	}
}

static struct key *
find_or_add(struct table *table, enum fact_id fact, const char *tag,
	    const char *value)
{
	if (table->n * 2 >= table->cap) {
		grow(table);
	}
	struct key *key = find(table, fact, tag, value);
	if (!key->used) {
		*key = (struct key){
			.fact = fact, .tag = tag, .value = value, .used = true
		};
		table->n++;
	}
	return key;
}

/* ---- which test */

static bool
is_branch(const struct condition *c)
{
	return c->op == CONDITION_AND || c->op == CONDITION_OR;
}

/* Is C a list of exact texts? */
static bool
is_exact(const struct condition *c)
{
	if (c->op != CONDITION_IN ||
	    (c->fact != FACT_N && fact_type(c->fact) != FACT_TYPE_TEXT)) {
		return false;
	}
	for (size_t i = 0; i < c->values_n; i++) {
		if (c->values[i].type != FACT_TYPE_TEXT || c->values[i].glob) {
			return false;
		}
	}
	return true;
}

static void
count(struct table *table, const struct condition *c)
{
	if (is_branch(c)) {
		for (size_t i = 0; i < c->children_n; i++) {
			count(table, &c->children[i]);
		}
	} else if (is_exact(c)) {
		for (size_t i = 0; i < c->values_n; i++) {
			find_or_add(table, c->fact, c->tag,
				    c->values[i].value.text)
			    ->wanted++;
		}
	}
}

/*
 * How many policies stand behind the best test of C; SIZE_MAX when C can hold
 * without any exact text.
 */
static size_t
cost(const struct table *table, const struct condition *c)
{
	size_t best = c->op == CONDITION_AND ? SIZE_MAX : 0;

	if (!is_branch(c) && !is_exact(c)) {
		return SIZE_MAX;
	}
	if (!is_branch(c)) {
		for (size_t i = 0; i < c->values_n; i++) {
			best += find(table, c->fact, c->tag,
				     c->values[i].value.text)
				    ->wanted;
		}
		return best;
	}
	for (size_t i = 0; i < c->children_n; i++) {
		size_t child = cost(table, &c->children[i]);

		if (c->op == CONDITION_AND) {
			best = child < best ? child : best;
		} else if (child == SIZE_MAX) {
			return SIZE_MAX; /* this branch alone may hold */
		} else {
			best += child;
		}
	}
	return best;
}

/* ---- who stands where */

static void
append(struct table *table, enum fact_id fact, const char *tag,
       const char *value, uint32_t policy)
{
	struct key *key = find_or_add(table, fact, tag, value);

	if (key->policies_n > 0 &&
	    key->policies[key->policies_n - 1] == policy) {
		return; /* two of its values, or branches, are the same */
	}
	key->policies = arena_grow(table->arena, key->policies, key->policies_n,
				   &key->cap, sizeof(*key->policies));
	key->policies[key->policies_n++] = policy;
}

static void
enter(struct table *table, const struct condition *c, uint32_t policy)
{
	if (!is_branch(c)) {
		for (size_t i = 0; i < c->values_n; i++) {
			append(table, c->fact, c->tag, c->values[i].value.text,
			       policy);
		}
		if (c->fact == FACT_N) {
			append(table, FACT_N, c->tag, NULL, policy);
		}
		return;
	}
	size_t best = c->op == CONDITION_AND ? cost(table, c) : 0;
	for (size_t i = 0; i < c->children_n; i++) {
		if (c->op == CONDITION_OR) {
			enter(table, &c->children[i], policy);
		} else if (cost(table, &c->children[i]) == best) {
			enter(table, &c->children[i], policy);
			return;
		}
	}
}

/* ---- the index */

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
put(struct policy_bucket *buckets, size_t buckets_n, const struct key *key)
{
	size_t at =
	    (size_t)policy_bucket_hash(key->fact, key->tag, key->value) &
	    (buckets_n - 1);

	while (buckets[at].policies_n > 0) {
		at = (at + 1) & (buckets_n - 1);
	}
	buckets[at] = (struct policy_bucket){ .fact = key->fact,
					      .tag = key->tag,
					      .value = key->value,
					      .policies = key->policies,
					      .policies_n = key->policies_n };
}

static void
finish(const struct table *table, struct policy_index *out)
{
	size_t used = 0, buckets_n = 1;

	for (size_t i = 0; i < table->cap; i++) {
		used += table->keys[i].policies_n > 0;
	}
	if (used == 0) {
		return;
	}
	while (buckets_n < used * 2) {
		buckets_n *= 2;
	}
	struct policy_bucket *buckets =
	    arena_array(table->arena, buckets_n, sizeof(*buckets));
	const char **tags = arena_array(table->arena, used, sizeof(*tags));
	for (size_t i = 0; i < table->cap; i++) {
		const struct key *key = &table->keys[i];

		if (key->policies_n == 0) {
			continue;
		}
		put(buckets, buckets_n, key);
		if (key->fact != FACT_N) {
			out->facts[key->fact] = true;
		} else if (key->value == NULL) {
			tags[out->tags_n++] = key->tag; /* once a tag */
		}
	}
	if (out->tags_n > 0) {
		qsort(tags, out->tags_n, sizeof(*tags), compare_texts);
	}
	out->buckets = buckets;
	out->buckets_n = buckets_n;
	out->tags = tags;
}

void
index_build(struct arena *arena, const struct policy *policies, size_t n,
	    enum stage stage, struct policy_index *out)
{
	struct table table = { .arena = arena };
	uint32_t *always = arena_array(arena, n, sizeof(*always));

	*out = (struct policy_index){ .always = always };
	grow(&table);
	for (size_t i = 0; i < n; i++) {
		if (policies[i].stage == stage &&
		    policies[i].condition != NULL) {
			count(&table, policies[i].condition);
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct condition *c = policies[i].condition;

		if (policies[i].stage != stage) {
			continue;
		}
		if (c == NULL || cost(&table, c) == SIZE_MAX) {
			always[out->always_n++] = (uint32_t)i;
		} else {
			enter(&table, c, (uint32_t)i);
		}
	}
	finish(&table, out);
}
