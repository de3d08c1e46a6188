/*
 * Candidates come from the index as ascending lists of places in the set: the
 * policies that are always tried and one bucket for each fact and tag of the
 * context.  They are merged as integers, and each is tried once.
 */
#include "core/select.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"

static uint64_t
hash_more(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++) {
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	}
	return hash * UINT64_C(0x100000001b3); /* a NUL between two texts */
}

uint64_t
policy_bucket_hash(enum fact_id fact, const char *tag, const char *value)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = (hash ^ (unsigned)fact) * UINT64_C(0x100000001b3);
	if (fact == FACT_N) {
		assert(tag != NULL);
		hash = hash_more(hash, tag);
	}
	if (value == NULL) {
		return ~hash;
	}
	return hash_more(hash, value);
}

static bool
bucket_is(const struct policy_bucket *bucket, enum fact_id fact,
	  const char *tag, const char *value)
{
	if (bucket->fact != fact ||
	    (fact == FACT_N && strcmp(bucket->tag, tag) != 0)) {
		return false;
	}
	if (bucket->value == NULL || value == NULL) {
		return bucket->value == value;
	}
	return strcmp(bucket->value, value) == 0;
}

const struct policy_bucket *
policy_index_bucket(const struct policy_index *index, enum fact_id fact,
		    const char *tag, const char *value)
{
	if (index->buckets_n == 0) {
		return NULL;
	}
	size_t mask = index->buckets_n - 1;
	size_t at = (size_t)policy_bucket_hash(fact, tag, value) & mask;

	while (index->buckets[at].policies_n > 0) {
		if (bucket_is(&index->buckets[at], fact, tag, value)) {
			return &index->buckets[at];
		}
		at = (at + 1) & mask;
	}
	return NULL;
}

/* Ascending lists, and how much of each was taken. */
struct lists {
	struct list {
		const uint32_t *at, *end;
	} * items;
	size_t n;
	size_t total; /* elements of all */
};

static void
lists_add(struct lists *lists, const uint32_t *policies, size_t n)
{
	if (n > 0) {
		lists->items[lists->n++] =
		    (struct list){ policies, policies + n };
		lists->total += n;
	}
}

static void
lists_add_bucket(struct lists *lists, const struct policy_bucket *bucket)
{
	if (bucket != NULL) {
		lists_add(lists, bucket->policies, bucket->policies_n);
	}
}

static void
lists_add_tag(struct lists *lists, const struct policy_index *index,
	      const struct tag *tag)
{
	const char *value =
	    tag->type == FACT_TYPE_TEXT ? tag->value.text : NULL;

	lists_add_bucket(lists,
			 policy_index_bucket(index, FACT_N, tag->name, value));
}

/* Go through the shorter one of the context's and the index's tags. */
static void
lists_add_tags(struct lists *lists, const struct policy_index *index,
	       const struct context *ctx)
{
	if (index->tags_n >= ctx->tags_n) {
		for (size_t i = 0; i < ctx->tags_n; i++) {
			lists_add_tag(lists, index, &ctx->tags[i]);
		}
		return;
	}
	for (size_t i = 0; i < index->tags_n; i++) {
		const struct tag *tag = context_tag(ctx, index->tags[i]);

		if (tag != NULL) {
			lists_add_tag(lists, index, tag);
		}
	}
}

static void
lists_fill(struct lists *lists, const struct policy_index *index,
	   const struct context *ctx, struct arena *arena)
{
	size_t tags_n =
	    index->tags_n < ctx->tags_n ? index->tags_n : ctx->tags_n;

	lists->items = arena_array(arena, 1 + (size_t)FACT_N + tags_n,
				   sizeof(*lists->items));
	lists_add(lists, index->always, index->always_n);
	for (enum fact_id id = 0; id < FACT_N; id++) {
		if (!index->facts[id]) {
			continue;
		}
		const char *value = context_text(ctx, id);

		if (value != NULL) {
			lists_add_bucket(
			    lists, policy_index_bucket(index, id, NULL, value));
		}
	}
	lists_add_tags(lists, index, ctx);
}

/* A merged with B into OUT, what is in both once. Returns the length. */
static size_t
merge(struct list a, struct list b, uint32_t *out)
{
	uint32_t *at = out;

	while (a.at < a.end && b.at < b.end) {
		uint32_t next = *a.at <= *b.at ? *a.at : *b.at;

		a.at += *a.at == next;
		b.at += *b.at == next;
		*at++ = next;
	}
	while (a.at < a.end) {
		*at++ = *a.at++;
	}
	while (b.at < b.end) {
		*at++ = *b.at++;
	}
	return (size_t)(at - out);
}

/* All lists as one: neighbours are merged until one is left. */
static struct list
lists_merge(struct lists *lists, struct arena *arena)
{
	while (lists->n > 1) {
		uint32_t *room =
		    arena_array(arena, lists->total, sizeof(*room));
		size_t kept = 0;

		for (size_t i = 0; i < lists->n; i += 2) {
			struct list rest = { NULL, NULL };
			size_t n =
			    merge(lists->items[i],
				  i + 1 < lists->n ? lists->items[i + 1] : rest,
				  room);

			lists->items[kept++] = (struct list){ room, room + n };
			room += n;
		}
		lists->n = kept;
	}
	return lists->n == 0 ? (struct list){ NULL, NULL } : lists->items[0];
}

/* Add POLICY to OUT when it is for CTX. */
static size_t
try(const struct policy *policy, const struct context *ctx,
    struct applying *out)
{
	enum holds holds = condition_holds(policy->condition, ctx);

	if (holds == HOLDS_NO) {
		return 0;
	}
	*out = (struct applying){ policy, holds == HOLDS_ERROR };
	return 1;
}

bool
policy_by_model(const struct policy *policy)
{
	return policy->by_model || policy->exemptions_n > 0 ||
	       ((policy->limits_n > 0 || policy->counts) &&
		(policy->scope == SCOPE_MODEL ||
		 policy->scope == SCOPE_VENDOR));
}

static bool
policy_counts(const struct policy *policy)
{
	return policy->counts;
}

/* WANTED: which policies are tried at all; NULL: every one. */
static size_t
select_from(const struct policy_set *set, enum stage stage,
	    const struct context *ctx, struct arena *arena,
	    bool (*wanted)(const struct policy *), struct applying **out)
{
	assert(stage < STAGE_N);
	struct lists lists = { 0 };

	lists_fill(&lists, &set->stages[stage], ctx, arena);
	struct list all = lists_merge(&lists, arena);
	size_t n = 0;

	*out =
	    arena_array(arena, (size_t)(all.end - all.at) + 1, sizeof(**out));
	for (; all.at < all.end; all.at++) {
		const struct policy *policy = &set->policies[*all.at];

		if (wanted == NULL || wanted(policy)) {
			n += try(policy, ctx, &(*out)[n]);
		}
	}
	return n;
}

size_t
policy_select(const struct policy_set *set, enum stage stage,
	      const struct context *ctx, struct arena *arena,
	      struct applying **out)
{
	return select_from(set, stage, ctx, arena, NULL, out);
}

size_t
policy_select_by_model(const struct policy_set *set, enum stage stage,
		       const struct context *ctx, struct arena *arena,
		       struct applying **out)
{
	return select_from(set, stage, ctx, arena, policy_by_model, out);
}

size_t
policy_select_counting(const struct policy_set *set, enum stage stage,
		       const struct context *ctx, struct arena *arena,
		       struct applying **out)
{
	return select_from(set, stage, ctx, arena, policy_counts, out);
}

size_t
policy_select_by_scan(const struct policy_set *set, enum stage stage,
		      const struct context *ctx, struct arena *arena,
		      struct applying **out)
{
	size_t n = 0;

	*out = arena_array(arena, set->policies_n + 1, sizeof(**out));
	for (size_t i = 0; i < set->policies_n; i++) {
		const struct policy *policy = &set->policies[i];

		if (policy->stage == stage) {
			n += try(policy, ctx, &(*out)[n]);
		}
	}
	return n;
}
