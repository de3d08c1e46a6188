/*
 * source_policy: one policy document (docs/policies.md, "A policy document").
 */
#include "policy/source_parts.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "policy/source.h"

enum {
	PRIORITY_MAX = 100,
	PRIORITY_DEFAULT = 50,
	ID_BYTES = 64,
	NAME_BYTES = 256,
	MESSAGE_BYTES = 2000,
	PROSE_BYTES = 20000,
	URL_BYTES = 2000,
	TAG_BYTES = 64,
	TAGS_MAX = 50,
	TEXT_FIRST_BYTES = 16384
};

/* A policy while its members come in, in any order. */
struct draft {
	struct source_policy out;
	struct json action, applies_to, constraints; /* null: not given */
	const char *description;
};

static void
read_url(struct reading *r, const struct json *at, void *out)
{
	struct draft *draft = out;
	const char *url;

	if (!reading_text(r, at, 1, URL_BYTES, &url)) {
		return;
	}
	if (strncmp(url, "https://", 8) != 0 &&
	    strncmp(url, "http://", 7) != 0) {
		(void)reading_refuse(r, at, "expected https:// or http://");
		return;
	}
	draft->out.policy.help_url = url;
}

static void
read_tags(struct reading *r, const struct json *at, void *out)
{
	const char *const
	    *tags; /* for people: the engine has no use for them */
	size_t n;

	(void)out;
	(void)reading_texts(r, at, TAG_BYTES, TAGS_MAX, &tags, &n);
}

#define AT(member) offsetof(struct draft, member)

static const struct reading_field fields[] = {
	{ .name = "policy_id",
	  .kind = READING_TEXT,
	  .offset = AT(out.policy.policy_id),
	  .low = 1,
	  .high = ID_BYTES },
	{ .name = "version",
	  .kind = READING_INT,
	  .offset = AT(out.policy.version),
	  .low = 1,
	  .high = INT_MAX },
	{ .name = "policy_version_id",
	  .kind = READING_INT,
	  .offset = AT(out.policy.version_id),
	  .low = 0,
	  .high = INT_MAX },
	{ .name = "name",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = AT(out.policy.name),
	  .low = 1,
	  .high = NAME_BYTES },
	{ .name = "category",
	  .kind = READING_WORD,
	  .required = true,
	  .offset = AT(out.policy.category),
	  .words = category_words },
	{ .name = "enabled", .kind = READING_FLAG, .offset = AT(out.enabled) },
	{ .name = "mode",
	  .kind = READING_WORD,
	  .offset = AT(out.policy.mode),
	  .words = mode_words },
	{ .name = "priority",
	  .kind = READING_INT,
	  .offset = AT(out.policy.priority),
	  .low = 0,
	  .high = PRIORITY_MAX },
	{ .name = "evaluation_type",
	  .kind = READING_WORD,
	  .offset = AT(out.policy.stage),
	  .words = stage_words },
	{ .name = "action_on_violation",
	  .kind = READING_PLACE,
	  .offset = AT(action) },
	{ .name = "on_error",
	  .kind = READING_WORD,
	  .offset = AT(out.policy.on_error),
	  .words = on_error_words },
	{ .name = "scope",
	  .kind = READING_WORD,
	  .offset = AT(out.policy.scope),
	  .words = scope_words },
	{ .name = "applies_to",
	  .kind = READING_PLACE,
	  .offset = AT(applies_to) },
	{ .name = "constraints",
	  .kind = READING_PLACE,
	  .required = true,
	  .offset = AT(constraints) },
	{ .name = "description",
	  .kind = READING_PROSE,
	  .offset = AT(description),
	  .high = PROSE_BYTES },
	{ .name = "message",
	  .kind = READING_PROSE,
	  .offset = AT(out.policy.message),
	  .high = MESSAGE_BYTES },
	{ .name = "help_url", .kind = READING_BY, .read = read_url },
	{ .name = "tags", .kind = READING_BY, .read = read_tags },
};

static_assert(sizeof(enum category) == sizeof(int), "words are read as int");
static_assert(sizeof(int32_t) == sizeof(int), "integers are read as int");

/* The first constraint that is the same on every model, or NULL. */
static const struct constraint_row *
fixed_constraint(const struct policy *policy)
{
	for (size_t i = 0; i < policy->constraints_n; i++) {
		const struct constraint_row *row =
		    constraint_row(policy->constraints[i].key);

		if (row->by == CONSTRAINT_BY_FIXED) {
			return row;
		}
	}
	return NULL;
}

/* What the priority asks for, as far as this policy can have it. */
static enum action
default_action(const struct policy *policy)
{
	enum action action = action_default(policy->priority, policy->category);

	if (policy->stage == STAGE_CONTINUOUS && action >= ACTION_DEGRADE) {
		return ACTION_WARN; /* it never refuses */
	}
	if (action == ACTION_DEGRADE && fixed_constraint(policy) != NULL) {
		return ACTION_BLOCK;
	}
	return action;
}

static void
read_action(struct reading *r, const struct json *at, struct policy *policy)
{
	int word;

	/* "allow" is a decision and no policy's action */
	if (!reading_ok(r, json_word(at, action_words + 1, &word, r->err))) {
		return;
	}
	policy->action = (enum action)(word + 1);
	if (policy->stage == STAGE_CONTINUOUS &&
	    policy->action >= ACTION_DEGRADE) {
		(void)reading_refuse(
		    r, at,
		    "a continuous policy alerts and never refuses: "
		    "expected warn or log");
		return;
	}
	const struct constraint_row *fixed = fixed_constraint(policy);
	if (policy->action == ACTION_DEGRADE && fixed != NULL) {
		(void)reading_refuse(
		    r, at,
		    "degrade cannot help: %s does not depend on the model",
		    fixed->key);
	}
}

static bool
constraint_by_model(const struct policy *policy)
{
	for (size_t i = 0; i < policy->constraints_n; i++) {
		if (constraint_row(policy->constraints[i].key)->by ==
		    CONSTRAINT_BY_MODEL) {
			return true;
		}
	}
	return false;
}

void
source_policy(struct reading *r, const struct json *at,
	      struct source_policy *out)
{
	struct draft draft = {
		.out = { .policy = { .version = 1,
				     .priority = PRIORITY_DEFAULT,
				     .category = CATEGORY_N,
				     .stage = STAGE_PRE_FLIGHT,
				     .scope = SCOPE_USER },
			 .enabled = true },
	};
	struct policy *policy = &draft.out.policy;
	struct json stage;

	(void)reading_object(r, at, fields, sizeof(fields) / sizeof(fields[0]),
			     &draft);
	/* a stage that is no word says nothing about the constraints */
	if (json_get(at, "evaluation_type", &stage) &&
	    json_type(&stage) != JSON_NULL &&
	    json_word(&stage, stage_words, &(int){ 0 }, NULL) != STATUS_OK) {
		policy->stage = STAGE_N;
	}
	if (draft.constraints.up != NULL) {
		source_constraints(r, &draft.constraints, policy);
	}
	if (draft.applies_to.up != NULL) {
		policy->condition = source_condition(r, &draft.applies_to);
	}
	policy->severity = severity_of(policy->priority);
	if (draft.action.up != NULL) {
		read_action(r, &draft.action, policy);
	} else if (policy->category != CATEGORY_N) {
		policy->action = default_action(policy);
	}
	policy->by_model = constraint_by_model(policy) ||
			   source_condition_by_model(policy->condition);
	source_counters(r, policy);
	*out = draft.out;
}

enum status
source_check_policy(const struct json *at, struct err *err)
{
	struct arena *arena = arena_new(TEXT_FIRST_BYTES);
	struct reading r = { .arena = arena, .err = err };
	struct source_policy policy;

	source_policy(&r, at, &policy);
	arena_free(arena);
	return r.bad ? STATUS_BODY : STATUS_OK;
}
