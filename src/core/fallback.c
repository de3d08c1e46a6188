#include "core/fallback.h"

#include <string.h>

#include "base/arena.h"
#include "core/finding.h"
#include "core/select.h"

/* Input that is not known is taken from the whole. */
static int64_t
context_needed(const struct run *base)
{
	int64_t asked = base->ctx.requires.context_tokens;
	int64_t tokens = base->estimate.input_tokens > 0
			     ? base->estimate.input_tokens
			     : base->estimate.total_tokens;

	return tokens > asked ? tokens : asked;
}

static bool
asked_for(const struct context *ctx, const struct model *model)
{
	const char *model_id = context_text(ctx, FACT_model_id);
	const char *vendor_id = context_text(ctx, FACT_vendor_id);

	return model == ctx->model ||
	       (model_id != NULL && strcmp(model_id, model->model_id) == 0 &&
		(vendor_id == NULL ||
		 strcmp(vendor_id, model->vendor_id) == 0));
}

static bool
suits(const struct fallback_search *search, const struct model *model)
{
	uint32_t features = search->base->ctx.requires.features;

	return model->active && model->tier >= 1 &&
	       model->tier <= search->tier_max &&
	       (model->features & features) == features &&
	       (search->context_tokens == 0 ||
		model->context_tokens >= search->context_tokens) &&
	       !asked_for(&search->base->ctx, model);
}

static void
set_text(struct context *ctx, enum fact_id id, const char *text)
{
	ctx->facts[id].source = SOURCE_CATALOGUE;
	ctx->facts[id].value.text = text;
}

/* The request's facts as if it had asked for MODEL in REGION (or NULL). */
static void
trial_begin(struct fallback_search *search, const struct model *model,
	    const struct region *region)
{
	struct run *trial = &search->trial;
	struct context *ctx = &trial->ctx;

	*ctx = search->base->ctx;
	ctx->model = model;
	set_text(ctx, FACT_model_id, model->model_id);
	set_text(ctx, FACT_vendor_id, model->vendor_id);
	ctx->facts[FACT_model_tier].source = SOURCE_CATALOGUE;
	ctx->facts[FACT_model_tier].value.number = model->tier;
	ctx->facts[FACT_estimated_cost].source = SOURCE_MISSING;
	/*
	 * A region that is not known leaves the fact as it was named, for the
	 * conditions, and is unknown to the lists of regions.
	 */
	ctx->region_given = region != NULL;
	if (region != NULL && region != search->named) {
		set_text(ctx, FACT_region, region->name);
	} else if (region == NULL &&
		   ctx->facts[FACT_region].source == SOURCE_CATALOGUE) {
		/* where the other model is served says nothing about this */
		ctx->facts[FACT_region].source = SOURCE_MISSING;
	}
	trial->out.n = 0;
	run_estimate(trial);
}

static bool
mentions(const struct condition *c, enum fact_id fact)
{
	if (c == NULL) {
		return false;
	}
	if (c->op != CONDITION_AND && c->op != CONDITION_OR) {
		return c->fact == fact;
	}
	for (size_t i = 0; i < c->children_n; i++) {
		if (mentions(&c->children[i], fact)) {
			return true;
		}
	}
	return false;
}

/* Could the same model pass F in another region? */
static bool
depends_on_region(const struct finding *f)
{
	return f->key == CONSTRAINT_allowed_regions ||
	       f->key == CONSTRAINT_blocked_regions ||
	       mentions(f->policy->condition, FACT_region);
}

/* The first finding from FROM on that refuses a candidate, or NULL. */
static const struct finding *
refusal(const struct findings *out, size_t from)
{
	for (size_t i = from; i < out->n; i++) {
		const struct finding *f = &out->items[i];

		if (finding_counts(f) && f->action >= ACTION_DEGRADE) {
			return f;
		}
	}
	return NULL;
}

/* Check PARTS of all the trial's policies until one refuses. */
static bool
trial_checks(struct fallback_search *search, unsigned parts)
{
	struct run *trial = &search->trial;

	for (size_t i = 0; i < trial->applying_n; i++) {
		size_t from = trial->out.n;

		run_policy(trial, i, parts);
		const struct finding *f = refusal(&trial->out, from);

		if (f != NULL) {
			search->by_region =
			    search->bypasses || depends_on_region(f);
			return false;
		}
	}
	return true;
}

/*
 * Policies that do not depend on the model have answered in the base run
 * already, unless a bypass may come or go with the model or the region.
 */
static bool
trial_passes(struct fallback_search *search, const struct model *model,
	     const struct region *region)
{
	struct run *trial = &search->trial;
	unsigned parts = RUN_PLAIN;

	trial_begin(search, model, region);
	run_select(trial, !search->bypasses);
	if (search->with_content) {
		parts |= RUN_CONTENT;
	}
	return trial_checks(search, parts) &&
	       (!trial->bypass.any || trial_checks(search, RUN_BYPASS));
}

static bool
served_in(const struct model *model, const struct region *region)
{
	for (size_t i = 0; i < model->regions_n; i++) {
		if (strcmp(model->regions[i]->name, region->name) == 0) {
			return true;
		}
	}
	return false;
}

/* Is there a place K in which MODEL may be tried?  Then it is *REGION: the one
 * that is named comes first, where there is none that is not known. */
static bool
is_place(const struct fallback_search *search, const struct model *model,
	 size_t k, const struct region **region)
{
	const struct region *named = search->named;

	if (k == 0) {
		*region = model->regions_n == 0 ? NULL : named;
		return model->regions_n == 0 ||
		       (named != NULL && served_in(model, named));
	}
	*region = model->regions[k - 1];
	return !search->stays && *region != named;
}

/* Does MODEL pass in any place that is left?  Then *REGION is where. */
static bool
try_model(struct fallback_search *search, const struct model *model,
	  const struct region **region)
{
	while (search->place <= model->regions_n) {
		if (!is_place(search, model, search->place++, region)) {
			continue;
		}
		if (trial_passes(search, model, *region)) {
			return true;
		}
		if (!search->by_region) {
			break;
		}
	}
	return false;
}

/* Does a policy refuse that answers the same for every model? */
static bool
refused_whatever_runs(const struct run *base)
{
	for (size_t i = 0; i < base->out.n; i++) {
		const struct finding *f = &base->out.items[i];

		if (finding_counts(f) && f->action >= ACTION_DEGRADE &&
		    !policy_by_model(f->policy)) {
			return true;
		}
	}
	return false;
}

struct fallback_search
fallback_begin(const struct run *base, bool with_content)
{
	const struct context *ctx = &base->ctx;
	const char *region = context_text(ctx, FACT_region);
	struct fallback_search search = {
		.base = base,
		.with_content = with_content,
		.tier_max = 1,
		.context_tokens = context_needed(base),
		.bypasses = bypass_possible(ctx),
		.trial = *base,
	};

	if (ctx->model != NULL && ctx->model->tier > 1) {
		search.tier_max = ctx->model->tier;
	}
	if (ctx->region_given && region != NULL) {
		search.named = catalogue_region(base->world->catalogue, region);
		search.stays = ctx->facts[FACT_region].source == SOURCE_KEY;
	}
	search.trial.asked_for = false;
	search.trial.out = (struct findings){ 0 };
	if (!search.bypasses && refused_whatever_runs(base)) {
		search.at = base->world->catalogue->by_price_n;
	}
	return search;
}

bool
fallback_next(struct fallback_search *search, bool elsewhere,
	      struct fallback *found)
{
	const struct catalogue *catalogue = search->base->world->catalogue;

	if (search->place > 0 && !elsewhere) {
		search->at++;
		search->place = 0;
	}
	for (; search->at < catalogue->by_price_n; search->at++) {
		const struct model *model = catalogue->by_price[search->at];
		const struct region *region;

		if (suits(search, model) && try_model(search, model, &region)) {
			*found = (struct fallback){
				.model = model,
				.region = region,
				.estimate = search->trial.estimate,
			};
			return true;
		}
		search->place = 0;
	}
	return false;
}

bool
fallback_by_region(const struct fallback_search *search,
		   const struct policy *policy)
{
	return search->bypasses || mentions(policy->condition, FACT_region);
}

size_t
fallback_find(const struct run *base, bool with_content,
	      struct fallback chain[FALLBACK_CHAIN])
{
	struct fallback_search search = fallback_begin(base, with_content);
	size_t n = 0;

	while (n < FALLBACK_CHAIN && fallback_next(&search, false, &chain[n])) {
		n++;
	}
	return n;
}
