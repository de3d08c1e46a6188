#include "core/check.h"

#include "base/arena.h"

static check_fn *const checks[CONSTRAINT_N] = {
#define CONSTRAINT(key, category, stages, type, low, high, by, fn, doc) \
	[CONSTRAINT_##key] = check_##fn,
#include "core/constraint.tbl.h"
#undef CONSTRAINT
};

bool
check_is_content(enum constraint_key key)
{
	return checks[key] == check_content;
}

/* A FLAG that is false asks for nothing. */
static bool
asks(const struct constraint *c)
{
	return constraint_row(c->key)->type != CONSTRAINT_TYPE_FLAG ||
	       c->number != 0;
}

void
check_run(struct check *check)
{
	if (asks(check->constraint)) {
		checks[check->constraint->key](check);
	}
}

/* NUMBER in the unit of WORDS. */
static void
say_number(struct finding *f, const struct check_words *words, const char *name,
	   int64_t number)
{
	if (words->type == DETAIL_MONEY) {
		finding_money(f, name, number);
	} else {
		finding_count(f, name, number);
	}
}

/* The finding for OBSERVED, which is not above the limit; NULL: none. */
static struct finding *
near_limit(struct check *check, const struct check_words *words,
	   int64_t observed)
{
	const struct constraint *c =
	    policy_constraint(check->policy, CONSTRAINT_warn_threshold);

	if (words->near == NULL || c == NULL) {
		return NULL;
	}
	int64_t threshold = policy_number(check->policy, c, check->ctx);
	if (observed < threshold) {
		return NULL;
	}
	struct finding *f =
	    check_add(check, FINDING_WARNING, words->near, words->near_message);
	say_number(f, words, "threshold", threshold);
	return f;
}

void
check_limit(struct check *check, const struct check_words *words,
	    int64_t observed)
{
	int64_t limit =
	    policy_number(check->policy, check->constraint, check->ctx);
	struct finding *f =
	    observed > limit
		? check_add(check, FINDING_VIOLATION, words->violation,
			    words->violation_message)
		: near_limit(check, words, observed);

	if (f != NULL) {
		say_number(f, words, "observed", observed);
		say_number(f, words, "limit", limit);
		finding_text(f, "unit", words->unit);
	}
}

void
check_none(struct check *check)
{
	(void)check; /* a parameter of the policy's other constraints */
}

static bool
is_not_built(const struct constraint *c)
{
	return checks[c->key] == check_not_built && asks(c);
}

/* One finding for all such constraints of a policy, by the first of them. */
void
check_not_built(struct check *check)
{
	const struct policy *policy = check->policy;
	const char **keys =
	    arena_array(check->arena, policy->constraints_n, sizeof(*keys));
	size_t n = 0;

	for (size_t i = 0; i < policy->constraints_n; i++) {
		const struct constraint *c = &policy->constraints[i];

		if (!is_not_built(c)) {
			continue;
		}
		if (n == 0 && c != check->constraint) {
			return;
		}
		keys[n++] = constraint_row(c->key)->key;
	}
	struct finding *f = check_add(check, FINDING_UNKNOWN, "not_evaluated",
				      "this version of the engine does not "
				      "evaluate these constraints yet");

	finding_texts(f, "constraints", keys, n);
}
