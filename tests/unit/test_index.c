#include "policy/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "policy/source_parts.h"
#include "policy_fixture.h"

static uint32_t random_state = 88172645;

/* Marsaglia's xorshift: the same documents in every run. */
static uint32_t
random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

/* ---- random documents */

static const char *const tests[] = {
	"'user_id':['u0']",
	"'user_id':['u1','u2','u1']",
	"'user_id':['u*']",
	"'user_id':{'not':['u3']}",
	"'user_tier':['free']",
	"'user_tier':['free','pro']",
	"'team_id':['red','blue']",
	"'model_id':['GPT-4','o1']",
	"'model_id':['gpt-*','o1']",
	"'estimated_tokens':{'gt':10}",
	"'estimated_tokens':[5,20]",
	"'dev_flag':[true]",
	"'tags.a':['x']",
	"'tags.a':['x','y']",
	"'tags.a':['x',5]",
	"'tags.b':{'gte':3}",
	"'tags.b':['z']",
	"'session_id':{'exists':false}",
};

enum { TESTS = sizeof(tests) / sizeof(tests[0]) };

/* The field of a test, so that an object has each but once. */
static size_t
field_n(const char *test)
{
	return (size_t)(strchr(test, ':') - test);
}

static void
add_object(struct buf *out, int depth)
{
	const char *seen[8];
	size_t n = 1 + random_below(3), seen_n = 0;

	buf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		const char *test = tests[random_below(TESTS)];
		bool again = false;

		for (size_t j = 0; j < seen_n; j++) {
			again |= field_n(seen[j]) == field_n(test) &&
				 memcmp(seen[j], test, field_n(test)) == 0;
		}
		if (!again) {
			buf_printf(out, "%s%s", seen_n > 0 ? "," : "", test);
			seen[seen_n++] = test;
		}
	}
	if (depth < 3 && random_below(3) == 0) {
		buf_adds(out, ",'any':[");
		for (uint32_t i = 0, m = 1 + random_below(3); i < m; i++) {
			buf_adds(out, i > 0 ? "," : "");
			add_object(out, depth + 1);
		}
		buf_addc(out, ']');
	}
	buf_addc(out, '}');
}

/* A condition that is not refused as one that never holds. */
static void
add_condition(struct buf *out)
{
	for (;;) {
		struct buf policy = { 0 };
		size_t from = out->len;

		add_object(out, 0);
		buf_printf(&policy,
			   "{'name':'n','category':'cost','priority':1,"
			   "'constraints':{'max_weekly_cost':1},"
			   "'applies_to':%s}",
			   buf_text(out) + from);
		struct json_doc *doc = fixture_doc(buf_text(&policy));
		struct json root = json_root(doc);
		struct arena *arena = arena_new(0);
		struct reading r = { .arena = arena };
		struct source_policy read;
		source_policy(&r, &root, &read);
		json_doc_free(doc);
		arena_free(arena);
		buf_fini(&policy);
		if (!r.bad) {
			return;
		}
		out->len = from;
		out->data[from] = '\0';
	}
}

static struct snapshot *
random_snapshot(int policies_n)
{
	struct buf out = { 0 };

	buf_adds(&out, "{'revision':1,'policies':[");
	for (int i = 0; i < policies_n; i++) {
		buf_printf(&out,
			   "%s{'policy_id':'%d','name':'n%d','category':'cost',"
			   "'priority':%u,'evaluation_type':'%s',"
			   "'constraints':{'max_weekly_cost':1},'applies_to':",
			   i > 0 ? "," : "", i, i, random_below(100),
			   random_below(4) == 0 ? "continuous" : "pre_flight");
		if (random_below(10) == 0) {
			buf_adds(&out, "{}");
		} else {
			add_condition(&out);
		}
		buf_addc(&out, '}');
	}
	buf_adds(&out, "]}");
	struct snapshot *snapshot = fixture_compile(buf_text(&out), "");
	buf_fini(&out);
	return snapshot;
}

/* ---- random contexts */

static void
set_text(struct context *ctx, enum fact_id id, const char *const *texts,
	 uint32_t n)
{
	uint32_t pick = random_below(n + 1);

	if (pick < n) {
		ctx->facts[id] =
		    (struct fact){ SOURCE_BODY, { .text = texts[pick] } };
	}
}

static void
set_tag(struct context *ctx, struct tag *tags, const char *name,
	const char *const *texts)
{
	struct tag tag = { .name = name };
	uint32_t pick = random_below(5);

	if (pick == 4) {
		return;
	}
	if (pick == 3) {
		tag.type = FACT_TYPE_RATIO;
		tag.value.ratio = 5;
	} else {
		tag.type = FACT_TYPE_TEXT;
		tag.value.text = texts[pick];
	}
	tags[ctx->tags_n++] = tag;
}

static void
random_context(struct context *ctx, struct tag *tags)
{
	static const char *const users[] = { "u0", "u1", "u2", "u3", "v" };
	static const char *const tiers[] = { "free", "pro", "max" };
	static const char *const teams[] = { "red", "blue" };
	static const char *const models[] = { "gpt-4", "o1", "claude" };
	static const char *const a[] = { "x", "y", "w" };
	static const char *const b[] = { "z", "3", "y" };

	*ctx = (struct context){ .tags = tags };
	set_text(ctx, FACT_user_id, users, 5);
	set_text(ctx, FACT_user_tier, tiers, 3);
	set_text(ctx, FACT_team_id, teams, 2);
	set_text(ctx, FACT_model_id, models, 3);
	set_text(ctx, FACT_session_id, users, 1);
	if (random_below(2) == 0) {
		ctx->facts[FACT_estimated_tokens] =
		    (struct fact){ SOURCE_BODY,
				   { .number = random_below(25) } };
	}
	ctx->facts[FACT_dev_flag] =
	    (struct fact){ SOURCE_DEFAULT, { .flag = random_below(2) == 0 } };
	set_tag(ctx, tags, "a", a);
	set_tag(ctx, tags, "b", b);
}

static size_t
compare(const struct policy_set *set, enum stage stage,
	const struct context *ctx, struct arena *arena)
{
	struct applying *found, *all;
	size_t found_n = policy_select(set, stage, ctx, arena, &found);
	size_t all_n = policy_select_by_scan(set, stage, ctx, arena, &all);

	assert_int_equal(found_n, all_n);
	for (size_t i = 0; i < all_n; i++) {
		assert_ptr_equal(found[i].policy, all[i].policy);
		assert_int_equal(found[i].error, all[i].error);
	}
	return all_n;
}

static void
the_index_gives_what_a_scan_of_all_gives(void **state)
{
	(void)state;
	struct arena *arena = arena_new(65536);
	size_t applied = 0, tried = 0;

	for (int round = 0; round < 20; round++) {
		struct snapshot *snapshot = random_snapshot(60);
		const struct policy_set *set =
		    &snapshot_data(snapshot)->policies;

		for (int i = 0; i < 200; i++) {
			struct tag tags[2];
			struct context ctx;

			random_context(&ctx, tags);
			for (enum stage s = 0; s < STAGE_N; s++) {
				applied += compare(set, s, &ctx, arena);
			}
			tried += set->policies_n;
			arena_reset(arena);
		}
		/* or the property would be about nothing */
		assert_true(set->stages[STAGE_PRE_FLIGHT].buckets_n > 4);
		assert_true(set->stages[STAGE_PRE_FLIGHT].always_n <
			    set->policies_n / 2);
		assert_int_equal(set->stages[STAGE_RUNTIME].always_n, 0);
		snapshot_unref(snapshot);
	}
	assert_true(applied > tried / 20 && applied < tried / 2);
	arena_free(arena);
}

/* ---- which test is taken */

static const struct policy_bucket *
bucket(const struct policy_index *index, enum fact_id fact, const char *tag,
       const char *value)
{
	for (size_t i = 0; i < index->buckets_n; i++) {
		const struct policy_bucket *b = &index->buckets[i];

		if (b->policies_n > 0 && b->fact == fact &&
		    (tag == NULL || strcmp(b->tag, tag) == 0) &&
		    (value == NULL
			 ? b->value == NULL
			 : b->value != NULL && strcmp(b->value, value) == 0)) {
			return b;
		}
	}
	return NULL;
}

static void
the_rarest_value_is_taken(void **state)
{
	(void)state;
	enum { N = 100 };
	struct buf out = { 0 };

	buf_adds(&out, "{'revision':1,'policies':[");
	for (int i = 0; i < N; i++) {
		buf_printf(&out,
			   "%s{'policy_id':'%d','name':'n%d','category':'cost',"
			   "'priority':1,'constraints':{'max_weekly_cost':1},"
			   "'applies_to':{'environment':['production'],"
			   "'any':[{'user_id':['u%d'],'team_id':['t']},"
			   "{'tags.k':['v%d']}]}}",
			   i > 0 ? "," : "", i, i, i, i);
	}
	buf_adds(&out, "]}");
	struct snapshot *snapshot = fixture_compile(buf_text(&out), "");
	const struct policy_index *index =
	    &snapshot_data(snapshot)->policies.stages[STAGE_PRE_FLIGHT];

	assert_int_equal(index->always_n, 0);
	assert_null(bucket(index, FACT_environment, NULL, "production"));
	assert_null(bucket(index, FACT_team_id, NULL, "t"));
	assert_int_equal(bucket(index, FACT_user_id, NULL, "u7")->policies_n,
			 1);
	assert_int_equal(bucket(index, FACT_N, "k", "v7")->policies_n, 1);
	/* all are to be tried when the tag is no text */
	assert_int_equal(bucket(index, FACT_N, "k", NULL)->policies_n, N);
	assert_true(index->facts[FACT_user_id]);
	assert_false(index->facts[FACT_environment]);
	assert_int_equal(index->tags_n, 1);
	assert_string_equal(index->tags[0], "k");
	snapshot_unref(snapshot);
	buf_fini(&out);
}

static void
what_names_no_value_is_always_tried(void **state)
{
	(void)state;
	static const char *const never[] = {
		"{}",
		"{'user_id':['u*']}",
		"{'user_id':{'not':['u']}}",
		"{'estimated_tokens':[5]}",
		"{'tags.a':['x',1]}",
		"{'any':[{'user_id':['u']},{'estimated_tokens':[5]}]}",
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct buf out = { 0 };

		buf_printf(&out,
			   "{'revision':1,'policies':[{'policy_id':'p',"
			   "'name':'n','category':'cost','priority':1,"
			   "'constraints':{'max_weekly_cost':1},"
			   "'applies_to':%s}]}",
			   never[i]);
		struct snapshot *snapshot = fixture_compile(buf_text(&out), "");
		const struct policy_index *index =
		    &snapshot_data(snapshot)->policies.stages[0];
		assert_int_equal(index->always_n, 1);
		assert_int_equal(index->buckets_n, 0);
		assert_int_equal(index->tags_n, 0);
		snapshot_unref(snapshot);
		buf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(the_index_gives_what_a_scan_of_all_gives),
		cmocka_unit_test(the_rarest_value_is_taken),
		cmocka_unit_test(what_names_no_value_is_always_tried),
	};
	return cmocka_run_group_tests_name("index", cases, NULL, NULL);
}
