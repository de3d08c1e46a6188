/* The short texts of core_fixture.h, read. */
#include "core_fixture.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONSTRAINTS = 24, EXTRAS = 16 };

/* What the fixture made itself it may write, though core sees it as const. */
static void *
writable(const void *made_here)
{
	return (void *)(uintptr_t)made_here;
}

/* The next word of *TEXT up to one of ENDS, NULL at its end. */
static char *
next_word(struct fixture *fx, const char **text, const char *ends)
{
	const char *at = *text + strspn(*text, ends);
	size_t n = strcspn(at, ends);

	*text = at + n;
	return n == 0 ? NULL : arena_strndup(fx->arena, at, n);
}

static const char *const *
texts_of(struct fixture *fx, const char *list, size_t *n)
{
	const char **texts = arena_array(fx->arena, 64, sizeof(*texts));
	char *word;

	*n = 0;
	while ((word = next_word(fx, &list, ",")) != NULL) {
		assert(*n < 64);
		texts[(*n)++] = word;
	}
	return texts;
}

static int
word_of(const char *const *words, const char *word)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0) {
			return i;
		}
	}
	fail_msg("no word %s", word);
	return -1;
}

/* ---- conditions */

/* A value as it stands in a list: #1, ^1 or text with globs. */
static struct condition_value
value_of(enum fact_type type, char *text)
{
	struct condition_value value = { .type = FACT_TYPE_TEXT };
	bool number = type != FACT_TYPE_TEXT && type != FACT_TYPE_FLAG;

	if (text[0] == '#' || number) {
		value.type = FACT_TYPE_RATIO;
		value.value.ratio = strtod(text + (text[0] == '#'), NULL);
	} else if (text[0] == '^' || type == FACT_TYPE_FLAG) {
		value.type = FACT_TYPE_FLAG;
		value.value.flag = strchr(text, '1') != NULL;
	} else {
		value.value.text = text;
		value.glob = strchr(text, '*') != NULL;
	}
	return value;
}

static void
test_list(struct fixture *fx, struct condition *c, const char *list)
{
	enum fact_type type =
	    c->fact == FACT_N ? FACT_TYPE_TEXT : fact_type(c->fact);
	struct condition_value *values =
	    arena_array(fx->arena, EXTRAS, sizeof(*values));
	char *word;

	while ((word = next_word(fx, &list, "|")) != NULL) {
		assert(c->values_n < EXTRAS);
		values[c->values_n++] = value_of(type, word);
	}
	c->values = values;
}

static void
test_range(struct condition *c, const char *op)
{
	bool closed = op[1] == '=';
	double bound = strtod(op + 1 + closed, NULL);

	c->op = CONDITION_RANGE;
	c->low = op[0] == '>' ? bound : -INFINITY;
	c->high = op[0] == '<' ? bound : INFINITY;
	c->low_open = c->high_open = !closed;
}

static struct condition
test_of(struct fixture *fx, const char *text)
{
	struct condition c = { .fact = FACT_N };
	size_t n = strcspn(text, "=!<>?");
	const char *op = text + n;

	if (strncmp(text, "tags.", 5) == 0) {
		c.tag = arena_strndup(fx->arena, text + 5, n - 5);
	} else {
		c.fact = fact_find(text, n);
		assert_int_not_equal(c.fact, FACT_N);
	}
	if (op[0] == '?' || (op[0] == '!' && op[1] == '?')) {
		c.op = CONDITION_EXISTS;
		c.wanted = op[0] == '?';
	} else if (op[0] == '<' || op[0] == '>') {
		test_range(&c, op);
	} else {
		c.op = op[0] == '!' ? CONDITION_NOT_IN : CONDITION_IN;
		test_list(fx, &c, op + (op[0] == '!' ? 2 : 1));
	}
	return c;
}

const struct condition *
fixture_condition(struct fixture *fx, const char *text)
{
	struct condition *any = arena_alloc(fx->arena, sizeof(*any));
	struct condition *alls = arena_array(fx->arena, EXTRAS, sizeof(*alls));
	char *part, *word;

	*any = (struct condition){ .op = CONDITION_OR, .children = alls };
	while ((part = next_word(fx, &text, ";")) != NULL) {
		struct condition *tests =
		    arena_array(fx->arena, EXTRAS, sizeof(*tests));
		const char *rest = part;
		size_t n = 0;

		while ((word = next_word(fx, &rest, "&")) != NULL) {
			tests[n++] = test_of(fx, word);
		}
		alls[any->children_n++] = (struct condition){
			.op = CONDITION_AND, .children = tests, .children_n = n
		};
	}
	return any->children_n == 1 ? &alls[0] : any;
}

/* ---- policies */

static void
add_constraint(struct fixture *fx, struct policy *policy, char *word)
{
	char *equal = strchr(word, '=');
	assert_non_null(equal);
	*equal = '\0';
	struct constraint c = { .key = constraint_find(word) };
	assert_int_not_equal(c.key, CONSTRAINT_N);
	const struct constraint_row *row = constraint_row(c.key);
	struct constraint *all = writable(policy->constraints);
	size_t at = policy->constraints_n++;

	assert(policy->constraints_n <= CONSTRAINTS);
	switch (row->type) {
	case CONSTRAINT_TYPE_TEXTS:
	case CONSTRAINT_TYPE_NAMES:
	case CONSTRAINT_TYPE_KEYWORDS:
	case CONSTRAINT_TYPE_PATTERNS:
		c.texts = texts_of(fx, equal + 1, &c.texts_n);
		break;
	case CONSTRAINT_TYPE_RATIO:
		c.ratio = strtod(equal + 1, NULL);
		break;
	default:
		c.number = strtoll(equal + 1, NULL, 10);
	}
	for (; at > 0 && all[at - 1].key > c.key; at--) {
		all[at] = all[at - 1];
	}
	all[at] = c;
}

static void
set_option(struct policy *policy, const char *word)
{
	const char *value = strchr(word, '=');

	if (strcmp(word, "@shadow") == 0) {
		policy->mode = MODE_SHADOW;
		return;
	}
	assert_non_null(value);
	value++;
	if (strncmp(word, "@on_error", 9) == 0) {
		policy->on_error =
		    (enum on_error)word_of(on_error_words, value);
	} else if (strncmp(word, "@scope", 6) == 0) {
		policy->scope = (enum scope)word_of(scope_words, value);
	} else {
		policy->stage = (enum stage)word_of(stage_words, value);
	}
}

static struct policy *
room_for_policy(struct fixture *fx)
{
	if (fx->policies_n == fx->policies_cap) {
		struct policy *old = fx->policies;

		fx->policies_cap = fx->policies_cap * 2 + 16;
		fx->policies = arena_array(fx->arena, fx->policies_cap,
					   sizeof(*fx->policies));
		if (old != NULL) {
			memcpy(fx->policies, old,
			       fx->policies_n * sizeof(*old));
		}
	}
	return &fx->policies[fx->policies_n++];
}

struct policy *
fixture_policy(struct fixture *fx, const char *name, const char *text)
{
	struct policy *policy = room_for_policy(fx);
	char *word = next_word(fx, &text, " ");

	*policy = (struct policy){
		.name = arena_strdup(fx->arena, name),
		.policy_id = arena_strdup(fx->arena, name),
		.scope = SCOPE_USER,
		.action = (enum action)word_of(action_words, word),
		.constraints = arena_array(fx->arena, CONSTRAINTS,
					   sizeof(*policy->constraints)),
	};
	word = next_word(fx, &text, " ");
	policy->category = (enum category)word_of(category_words, word);
	word = next_word(fx, &text, " ");
	policy->priority = (int)strtol(word, NULL, 10);
	policy->severity = severity_of(policy->priority);
	while ((word = next_word(fx, &text, " ")) != NULL) {
		if (word[0] == '@') {
			set_option(policy, word);
		} else if (word[0] == '?') {
			policy->condition = fixture_condition(fx, word + 1);
		} else {
			add_constraint(fx, policy, word);
		}
	}
	return policy;
}

void
fixture_limit(struct fixture *fx, struct policy *policy,
	      struct subject_limit limit)
{
	struct subject_limit *all =
	    arena_array(fx->arena, policy->limits_n + 1, sizeof(*all));
	size_t at = policy->limits_n;

	if (at > 0) {
		memcpy(all, policy->limits, at * sizeof(*all));
	}
	for (; at > 0 && (all[at - 1].key > limit.key ||
			  (all[at - 1].key == limit.key &&
			   strcmp(all[at - 1].subject, limit.subject) > 0));
	     at--) {
		all[at] = all[at - 1];
	}
	all[at] = limit;
	policy->limits = all;
	policy->limits_n++;
}

void
fixture_exempt(struct fixture *fx, struct policy *policy,
	       struct exemption exemption)
{
	struct exemption *all =
	    arena_array(fx->arena, policy->exemptions_n + 1, sizeof(*all));

	if (policy->exemptions_n > 0) {
		memcpy(all, policy->exemptions,
		       policy->exemptions_n * sizeof(*all));
	}
	all[policy->exemptions_n++] = exemption;
	policy->exemptions = all;
}

/* ---- the context */

static void
set_tag(struct fixture *fx, char *name, char *text)
{
	struct tag *tags = writable(fx->ctx.tags);
	size_t at = fx->ctx.tags_n++;
	struct condition_value value = value_of(FACT_TYPE_TEXT, text);
	struct tag tag = { name, value.type, value.value };

	assert(fx->ctx.tags_n <= EXTRAS);
	for (; at > 0 && strcmp(tags[at - 1].name, name) > 0; at--) {
		tags[at] = tags[at - 1];
	}
	tags[at] = tag;
}

static void
set_fact(struct fixture *fx, const char *name, char *text)
{
	enum fact_id id = fact_find(name, strlen(name));
	assert_int_not_equal(id, FACT_N);
	struct fact *fact = &fx->ctx.facts[id];

	fact->source = SOURCE_BODY;
	switch (fact_type(id)) {
	case FACT_TYPE_TEXT:
		fact->value.text = text;
		break;
	case FACT_TYPE_RATIO:
		fact->value.ratio = strtod(text, NULL);
		break;
	case FACT_TYPE_FLAG:
		fact->value.flag = text[0] == '1';
		break;
	case FACT_TYPE_COUNT:
	case FACT_TYPE_MONEY:
		fact->value.number = strtoll(text, NULL, 10);
		break;
	}
	fx->ctx.region_given |= id == FACT_region;
	fx->ctx.has_text |= id == FACT_prompt_length;
}

static void
set_word(struct fixture *fx, char *word)
{
	char *value = strchr(word, '=');

	assert_non_null(value);
	*value++ = '\0';
	if (strncmp(word, "tags.", 5) == 0) {
		set_tag(fx, word + 5, value);
	} else if (strcmp(word, "requires") == 0) {
		char *tokens = value;

		fx->ctx.requires.features =
		    (uint32_t)strtoul(value, &tokens, 10);
		fx->ctx.requires.context_tokens = strtoll(tokens + 1, NULL, 10);
	} else if (strcmp(word, "bypass") == 0) {
		fx->ctx.bypass_all = strcmp(value, "*") == 0;
		fx->ctx.bypass = texts_of(fx, value, &fx->ctx.bypass_n);
		fx->ctx.bypass_n = fx->ctx.bypass_all ? 0 : fx->ctx.bypass_n;
	} else {
		set_fact(fx, word, value);
	}
}

void
fixture_find_model(struct fixture *fx)
{
	struct context *ctx = &fx->ctx;
	const char *model_id = context_text(ctx, FACT_model_id);

	if (model_id == NULL) {
		return;
	}
	ctx->model = catalogue_model(&fx->catalogue, model_id,
				     context_text(ctx, FACT_vendor_id));
	if (ctx->model != NULL) {
		ctx->facts[FACT_vendor_id].source = SOURCE_CATALOGUE;
		ctx->facts[FACT_vendor_id].value.text = ctx->model->vendor_id;
		ctx->facts[FACT_model_tier].source = SOURCE_CATALOGUE;
		ctx->facts[FACT_model_tier].value.number = ctx->model->tier;
	}
}

void
fixture_context(struct fixture *fx, const char *text)
{
	char *word;

	fx->ctx = (struct context){
		.now_us = FIXTURE_NOW_US,
		.tags = arena_array(fx->arena, EXTRAS, sizeof(struct tag)),
	};
	while ((word = next_word(fx, &text, " ")) != NULL) {
		set_word(fx, word);
	}
	fixture_find_model(fx);
}
