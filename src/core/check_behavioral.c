/* Source: docs/policies.md, "behavioral". */
#include "core/check.h"

enum { SHOWN = 100 }; /* places of a text that are told */

/* How a count is judged and what is said about it. */
struct judged {
	const char *violation, *violation_message;
	const char *near, *near_message; /* NULL: it has no threshold */
	const char *unit;
};

static const struct judged prompt = {
	"prompt_too_long",   "the text is longer than permitted",
	"prompt_near_limit", "the text's length is near the limit",
	"characters",
};
static const struct judged total = {
	"too_many_tokens",
	"the request is estimated at too many tokens",
	NULL,
	NULL,
	"tokens",
};
static const struct judged output = {
	"output_too_long",
	"more output tokens are asked for than permitted",
	"output_near_limit",
	"the output tokens asked for are near the limit",
	"tokens",
};

static void
judge(struct check *check, const struct judged *how, int64_t observed)
{
	const struct policy *policy = check->policy;
	int64_t limit = policy_number(policy, check->constraint, check->ctx);
	struct finding *f;

	if (observed > limit) {
		f = check_add(check, FINDING_VIOLATION, how->violation,
			      how->violation_message);
	} else {
		const struct constraint *c =
		    policy_constraint(policy, CONSTRAINT_warn_threshold);

		if (how->near == NULL || c == NULL ||
		    observed < policy_number(policy, c, check->ctx)) {
			return;
		}
		f = check_add(check, FINDING_WARNING, how->near,
			      how->near_message);
		finding_count(f, "threshold",
			      policy_number(policy, c, check->ctx));
	}
	finding_count(f, "observed", observed);
	finding_count(f, "limit", limit);
	finding_text(f, "unit", how->unit);
}

static void
judge_fact(struct check *check, const struct judged *how, enum fact_id id)
{
	const struct fact *fact = &check->ctx->facts[id];

	if (fact->source != SOURCE_MISSING) {
		judge(check, how, fact->value.number);
	}
}

void
check_prompt_length(struct check *check)
{
	judge_fact(check, &prompt, FACT_prompt_length);
}

void
check_tokens_estimated(struct check *check)
{
	judge(check, &total, check->estimate.total_tokens);
}

void
check_output_tokens(struct check *check)
{
	judge_fact(check, &output, FACT_max_output_tokens);
}

/* The first of the sorted hits that is not before the check's own. */
static size_t
first_hit(const struct check *check)
{
	size_t low = 0, high = check->hits_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct content_hit *hit = &check->hits[middle];

		if (hit->policy < check->policy->index ||
		    (hit->policy == check->policy->index &&
		     hit->key < check->constraint->key)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

void
check_content(struct check *check)
{
	size_t first = first_hit(check), end = first;

	while (end < check->hits_n &&
	       check->hits[end].policy == check->policy->index &&
	       check->hits[end].key == check->constraint->key) {
		end++;
	}
	size_t n = end - first;

	if (n == 0) {
		return;
	}
	struct finding *f =
	    check_add(check, FINDING_VIOLATION, "blocked_content",
		      "the text holds what is not permitted");

	finding_count(f, "count", (int64_t)n);
	finding_hits(f, "matches", &check->hits[first], n < SHOWN ? n : SHOWN);
}
