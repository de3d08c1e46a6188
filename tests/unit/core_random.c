#include "core_random.h"

#include <string.h>

enum { POLICIES_MAX = 9 };

unsigned
random_roll(struct dice *dice, unsigned sides)
{
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return (unsigned)((dice->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) %
	       sides;
}

#define PICK(dice, words) \
	((words)[random_roll(dice, sizeof(words) / sizeof((words)[0]))])

static const char *const rules[] = {
	"cost max_cost_per_request=100000",
	"cost max_cost_per_request=4000000 warn_threshold=100000",
	"cost max_cost_per_mil_tokens=3000000000",
	"cost max_cost_per_mil_tokens=500000000 unknown_price=0",
	"cost unknown_price=0",
	"cost max_daily_cost=60000000",
	"cost max_daily_cost=3000000 unknown_price=2",
	"cost max_weekly_cost=4000000 alert_threshold=2000000",
	"cost max_cost_per_request=4000000 max_daily_cost=700000",
	"cost max_daily_tokens=2000",
	"behavioral max_requests_per_minute=3 max_tokens_per_minute=5000",
	"behavioral max_parallel_requests=2",
	"vendor allowed_vendors=openai,google",
	"vendor allowed_vendors=openai require_approval=1",
	"vendor blocked_vendors=open*",
	"vendor blocked_models=mi*",
	"vendor allowed_models=*i*",
	"behavioral max_prompt_length=100",
	"behavioral max_tokens_estimated=1000 max_output_tokens=50",
	"behavioral blocked_keywords=hit",
	"behavioral blocked_patterns=miss",
	"data_residency allowed_regions=us",
	"data_residency allowed_regions=eu allow_unknown_region=1",
	"data_residency blocked_regions=us-east",
	"compliance require_user_id=1 log_all_requests=1",
	"compliance scan_for_pii=1",
};
static const char *const bypasses[] = {
	"compliance bypass_policies=p0,p1,p2",
	"compliance bypass_policies=p3 log_all_bypasses=1",
	"compliance bypass_policies=p1 require_dev_flag=0 log_all_bypasses=1",
};
static const char *const conditions[] = {
	"",
	"",
	" ?user_tier=free",
	" ?user_tier=free|pro",
	" ?user_tier!=free",
	" ?vendor_id=openai",
	" ?vendor_id=open*",
	" ?model_id=mini|little",
	" ?model_tier<2",
	" ?region=us-east",
	" ?region!?",
	" ?estimated_cost>0.001",
	" ?tags.team=red",
	" ?tags.team=red|blue&user_tier=free",
	" ?tags.size>3",
	" ?user_tier=pro;vendor_id=google",
	" ?tags.team=red;model_id=middle",
};
static const char *const options[] = {
	"",
	"",
	"",
	" @shadow",
	" @on_error=block",
	" @scope=model",
	" @scope=vendor",
	" @stage=continuous",
};
static const char *const actions[] = { "log", "warn", "degrade", "degrade",
				       "block" };

const char *
random_rule(struct dice *dice)
{
	return PICK(dice, rules);
}

const char *
random_bypass(struct dice *dice)
{
	return PICK(dice, bypasses);
}

const char *
random_action(struct dice *dice)
{
	return PICK(dice, actions);
}

const char *
random_text(struct fixture *fx, struct dice *dice, const char *action,
	    const char *rule)
{
	size_t n = strcspn(rule, " ");

	return arena_printf(fx->arena, "%s %.*s %u%s%s%s", action, (int)n, rule,
			    random_roll(dice, 101), rule + n,
			    PICK(dice, options), PICK(dice, conditions));
}

void
random_policy(struct fixture *fx, struct dice *dice, const char *name)
{
	bool bypass = random_roll(dice, 12) == 0;
	const char *rule = bypass ? random_bypass(dice) : random_rule(dice);
	struct policy *p = fixture_policy(
	    fx, name, random_text(fx, dice, random_action(dice), rule));

	if (random_roll(dice, 6) == 0) {
		fixture_exempt(
		    fx, p,
		    (struct exemption){
			"ex", random_roll(dice, 2) ? SCOPE_USER : SCOPE_MODEL,
			random_roll(dice, 2) ? "u" : "mini", 0, INT64_MAX });
	}
	if (p->scope == SCOPE_MODEL && p->constraints_n > 0) {
		fixture_limit(fx, p,
			      (struct subject_limit){
				  p->constraints[0].key,
				  random_roll(dice, 2) ? "big" : "mini",
				  7000000, INT64_MAX });
	}
}

static void
random_context(struct fixture *fx, struct dice *dice)
{
	static const char *const models[] = {
		"model_id=big",
		"model_id=big",
		"model_id=middle",
		"model_id=mini",
		"model_id=none",
		"model_id=priceless",
		"model_id=middle vendor_id=openai",
	};
	static const char *const parts[] = {
		" user_id=u",
		" user_tier=free",
		" user_tier=pro",
		" tags.team=red",
		" tags.team=#3",
		" tags.size=#4",
		" tags.size=x",
		" prompt_length=90",
		" prompt_length=900",
		" estimated_tokens=900",
		" max_output_tokens=40",
		" max_output_tokens=400",
		" estimated_cost=2000000",
		" region=us-east",
		" region=eu-west",
		" region=atlantis",
		" requires=2:0",
		" requires=0:9000",
		" environment=development",
		" environment=development dev_flag=1",
		" bypass=*",
		" bypass=p1,p3",
	};
	const char *text = PICK(dice, models);
	bool team = false, size = false;

	for (unsigned n = random_roll(dice, 8); n > 0; n--) {
		const char *part = PICK(dice, parts);
		bool *once = strstr(part, "tags.team") != NULL	 ? &team
			     : strstr(part, "tags.size") != NULL ? &size
								 : NULL;

		if (once != NULL && *once) {
			continue;
		}
		if (once != NULL) {
			*once = true;
		}
		text = arena_printf(fx->arena, "%s%s", text, part);
	}
	fixture_context(fx, text);
	if (fx->ctx.region_given && random_roll(dice, 3) == 0) {
		fx->ctx.facts[FACT_region].source = SOURCE_KEY;
	}
}

/* A keyword "hit" is in every text, whatever the order of the policies. */
static bool
scan_by_rule(void *arg, struct arena *arena, const struct content_hit **hits,
	     size_t *hits_n, const char **why)
{
	struct fixture *fx = arg;
	struct content_hit *all =
	    arena_array(arena, fx->set.policies_n + 1, sizeof(*all));

	if (fx->scan_fails != NULL) {
		*why = fx->scan_fails;
		return false;
	}
	for (size_t i = fx->set.policies_n; i-- > 0;) {
		if (policy_constraint(&fx->set.policies[i],
				      CONSTRAINT_blocked_keywords) != NULL) {
			all[(*hits_n)++] = (struct content_hit){
				.policy = (uint32_t)i,
				.key = CONSTRAINT_blocked_keywords,
			};
		}
	}
	*hits = all;
	return true;
}

/* Some of the limit is used, seldom all; and some counters are not known. */
static int64_t
begin_by_seed(const struct core_counter *counter, const struct charge *charge)
{
	uint64_t hash =
	    policy_bucket_hash(FACT_user_id, NULL, charge->policy->name) ^
	    policy_bucket_hash(FACT_model_id, NULL, charge->subject) ^
	    ((uint64_t)charge->constraint->key << 40);
	struct dice dice = { (hash ^ counter->seed) | 1 };
	unsigned part = random_roll(&dice, 24);

	random_roll(&dice, 2);
	return part == 23   ? -1
	       : part >= 16 ? charge->limit
			    : charge->limit * part / 16;
}

struct fixture *
random_world(unsigned seed, struct dice *dice)
{
	struct fixture *fx = fixture_new();

	*dice = (struct dice){ (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) };
	for (size_t i = 0; i < fx->catalogue.models_n; i++) {
		fx->models[i].active = random_roll(dice, 5) != 0;
		fx->models[i].tier = (int)random_roll(dice, 4);
	}
	for (unsigned i = 0, n = 1 + random_roll(dice, POLICIES_MAX); i < n;
	     i++) {
		random_policy(fx, dice, arena_printf(fx->arena, "p%u", i));
	}
	random_context(fx, dice);
	fx->ops.scan = scan_by_rule;
	fixture_count(fx);
	fx->counter->forgets = true;
	fx->counter->begin = begin_by_seed;
	fx->counter->seed = seed;
	fx->scan_fails = random_roll(dice, 10) == 0 ? "down" : NULL;
	fx->settings.fail_closed = random_roll(dice, 4) == 0;
	return fx;
}
