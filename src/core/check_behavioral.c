/* Source: docs/policies.md, "behavioral". */
#include "core/check.h"

enum { SHOWN = 100 }; /* places of a text that are told */

/* How a count is judged and what is said about it. */
static const struct check_words prompt = {
	"prompt_too_long",   "the text is longer than permitted",
	"prompt_near_limit", "the text's length is near the limit",
	"characters",	     DETAIL_COUNT,
};
static const struct check_words total = {
	"too_many_tokens",
	"the request is estimated at too many tokens",
	NULL,
	NULL,
	"tokens",
	DETAIL_COUNT,
};
static const struct check_words output = {
	"output_too_long",
	"more output tokens are asked for than permitted",
	"output_near_limit",
	"the output tokens asked for are near the limit",
	"tokens",
	DETAIL_COUNT,
};

static void
judge_fact(struct check *check, const struct check_words *words,
	   enum fact_id id)
{
	const struct fact *fact = &check->ctx->facts[id];

	if (fact->source != SOURCE_MISSING) {
		check_limit(check, words, fact->value.number);
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
	check_limit(check, &total, check->estimate.total_tokens);
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
