#include "engine/facts.h"

#include <assert.h>
#include <string.h>

#include "core/catalogue.h"
#include "core/finding.h"

struct settling {
	const struct body *body;
	const struct facts_sources *sources;
	const struct catalogue *catalogue;
	const struct subject *subject; /* the user's row, or NULL */
	struct arena *arena;
	struct context *ctx;
	struct findings *warnings;
};

/* A text and whose it is; text NULL: nobody's. */
struct word {
	const char *text;
	enum fact_source source;
};

static struct finding *
warn(struct settling *s, const char *type, const char *message)
{
	const struct finding_of nobodys = { .key = CONSTRAINT_N };

	return finding_add(s->warnings, s->arena, &nobodys, FINDING_WARNING,
			   type, message);
}

static void
warn_fact(struct settling *s, const char *type, const char *message,
	  enum fact_id id, struct word used)
{
	struct finding *f = warn(s, type, message);

	finding_text(f, "field", fact_name(id));
	if (used.text != NULL) {
		finding_text(f, "used", used.text);
	}
	finding_text(f, "source", fact_source_name(used.source));
}

/* The one way to write TEXT as fact ID, so that one thing has one name. */
static const char *
canonical(struct settling *s, enum fact_id id, const char *text)
{
	const struct region *region;

	if (text == NULL) {
		return NULL;
	}
	if (fact_folds(id)) {
		text = arena_lower(s->arena, text);
	}
	switch (id) {
	case FACT_vendor_id:
		return catalogue_vendor(s->catalogue, text);
	case FACT_region:
		region = catalogue_region(s->catalogue, text);
		return region != NULL ? region->name : text;
	default:
		return text;
	}
}

/* Is REGION, canonical, one of the key's: by its name, its group, an alias? */
static bool
region_listed(struct settling *s, const char *region)
{
	const struct api_key *key = s->sources->key;
	const struct region *known = catalogue_region(s->catalogue, region);

	for (size_t i = 0; i < key->regions_n; i++) {
		const char *listed = canonical(s, FACT_region, key->regions[i]);
		if (strcmp(listed, region) == 0 ||
		    (known != NULL && strcmp(listed, known->group) == 0)) {
			return true;
		}
	}
	return false;
}

/* Are the key's lists of tiers and regions no reason against TEXT? */
static bool
within_lists(struct settling *s, enum fact_id id, const char *text)
{
	const struct api_key *key = s->sources->key;

	if (key == NULL) {
		return true;
	}
	if (id == FACT_user_tier && key->user_tiers_n > 0) {
		for (size_t i = 0; i < key->user_tiers_n; i++) {
			if (strcmp(key->user_tiers[i], text) == 0) {
				return true;
			}
		}
		return false;
	}
	if (id == FACT_region && key->regions_n > 0) {
		return region_listed(s, text);
	}
	return true;
}

static bool
may_assert(const struct settling *s, enum fact_id id)
{
	const struct api_key *key = s->sources->key;

	return key == NULL || body_own(id) || key->asserts[id];
}

static const char *
bound(const struct settling *s, enum fact_id id)
{
	const struct api_key *key = s->sources->key;

	if (id == FACT_model_id) {
		return NULL; /* a decision about another model is none */
	}
	for (size_t i = 0; key != NULL && i < key->facts_n; i++) {
		if (key->facts[i].fact == id) {
			return key->facts[i].value;
		}
	}
	/* A gateway with one key for all of its users may name theirs. */
	if (id == FACT_api_key_id && key != NULL &&
	    !(key->asserts[id] && s->body->said[id])) {
		return key->key_id;
	}
	return NULL;
}

static const char *
listed(const struct settling *s, enum fact_id id)
{
	const struct subject *subject = s->subject;

	if (subject == NULL) {
		return NULL;
	}
	switch (id) {
	case FACT_user_tier:
		return subject->user_tier;
	case FACT_team_id:
		return subject->team_id;
	case FACT_organization_id:
		return subject->organization_id;
	default:
		return NULL;
	}
}

/*
 * What an administrator has said: on the key, then in the directory.  A
 * directory's tier that the key may not have does not count: whose user it is
 * may be the caller's own claim.
 */
static struct word
settled_word(struct settling *s, enum fact_id id)
{
	struct word word = { canonical(s, id, bound(s, id)), SOURCE_KEY };

	if (word.text != NULL) {
		return word;
	}
	word =
	    (struct word){ canonical(s, id, listed(s, id)), SOURCE_DIRECTORY };
	if (word.text != NULL && !within_lists(s, id, word.text)) {
		warn_fact(s, "fact_not_permitted",
			  "the key does not permit what the directory says", id,
			  (struct word){ NULL, SOURCE_DIRECTORY });
		word.text = NULL;
	}
	return word;
}

bool
facts_header_is_id(const char *text)
{
	size_t n = 0;

	if (text == NULL) {
		return false;
	}
	while (text[n] > ' ' && text[n] < 0x7f) {
		n++;
	}
	return n > 0 && n <= BODY_TEXT_MAX && text[n] == '\0';
}

static struct word
fallback_word(const struct settling *s, enum fact_id id)
{
	const struct facts_sources *sources = s->sources;
	const char *text = NULL;

	switch (id) {
	case FACT_correlation_id:
		if (facts_header_is_id(sources->header_request_id)) {
			return (struct word){ sources->header_request_id,
					      SOURCE_HEADER };
		}
		break;
	case FACT_user_tier:
		text = sources->config->default_user_tier;
		break;
	case FACT_environment:
		text = sources->config->default_environment;
		break;
	default:
		break;
	}
	if (text == NULL || text[0] == '\0') {
		return (struct word){ NULL, SOURCE_MISSING };
	}
	return (struct word){ text, SOURCE_DEFAULT };
}

static struct word
settle_word(struct settling *s, enum fact_id id)
{
	const char *said = NULL;
	struct word word = settled_word(s, id);

	if (s->body->said[id]) {
		said = canonical(s, id, s->body->values[id].text);
	}
	if (word.text != NULL) {
		if (said != NULL && strcmp(said, word.text) != 0) {
			warn_fact(s, "fact_overridden",
				  "another value counts than the body says", id,
				  word);
		}
		return word;
	}
	bool permitted = may_assert(s, id);
	if (said != NULL && permitted && within_lists(s, id, said)) {
		return (struct word){ said, SOURCE_BODY };
	}
	word = fallback_word(s, id);
	if (said != NULL) {
		warn_fact(s, "fact_not_permitted",
			  permitted ? "the key does not permit this value"
				    : "the key may not assert this field",
			  id, word);
	}
	return word;
}

static void
settle_number(struct settling *s, enum fact_id id)
{
	if (!s->body->said[id]) {
		return;
	}
	if (!may_assert(s, id)) {
		warn_fact(s, "fact_not_permitted",
			  "the key may not assert this field", id,
			  (struct word){ NULL, SOURCE_MISSING });
		return;
	}
	s->ctx->facts[id] = (struct fact){ .source = SOURCE_BODY,
					   .value = s->body->values[id] };
}

static void
settle(struct settling *s, enum fact_id id)
{
	if (fact_type(id) != FACT_TYPE_TEXT) {
		settle_number(s, id);
		return;
	}
	struct word word = settle_word(s, id);
	if (word.text != NULL) {
		s->ctx->facts[id] = (struct fact){
			.source = word.source,
			.value.text = word.text,
		};
	}
}

/* The price and the regions of a model are those of this vendor's entry or
 * nobody's: another vendor's may be cheaper, or elsewhere. */
static void
settle_model(struct settling *s)
{
	struct context *ctx = s->ctx;
	const char *model_id = context_text(ctx, FACT_model_id);
	const char *vendor_id = context_text(ctx, FACT_vendor_id);
	const struct catalogue *all = s->catalogue;
	const struct model *any = catalogue_model(all, model_id, NULL);

	if (vendor_id != NULL) {
		ctx->model = catalogue_model(all, model_id, vendor_id);
		if (ctx->model == NULL && any != NULL) {
			struct finding *f =
			    warn(s, "vendor_mismatch",
				 "the catalogue knows the model from another "
				 "vendor; its price and regions are unknown");
			finding_text(f, "model_id", model_id);
			finding_text(f, "vendor_id", vendor_id);
			finding_text(f, "catalogue_vendor_id", any->vendor_id);
		}
		return;
	}
	ctx->model = any;
	if (any == NULL) {
		return;
	}
	ctx->facts[FACT_vendor_id] =
	    (struct fact){ .source = SOURCE_CATALOGUE,
			   .value.text = any->vendor_id };
	if (any + 1 < all->models + all->models_n &&
	    strcmp(any[1].model_id, model_id) == 0) {
		struct finding *f =
		    warn(s, "vendor_ambiguous",
			 "several vendors serve the model and none was sent");
		finding_text(f, "model_id", model_id);
		finding_text(f, "used", any->vendor_id);
	}
}

/* What the catalogue and the text say of themselves. */
static void
compute(struct settling *s)
{
	struct context *ctx = s->ctx;
	const struct model *model = ctx->model;
	size_t length = body_text_length(&s->body->texts);

	ctx->facts[FACT_prompt_length] =
	    (struct fact){ .source = SOURCE_COMPUTED,
			   .value.number = (int64_t)length };
	ctx->has_text = length > 0;
	ctx->region_given = ctx->facts[FACT_region].source != SOURCE_MISSING;
	if (model != NULL && model->tier > 0) {
		ctx->facts[FACT_model_tier] =
		    (struct fact){ .source = SOURCE_CATALOGUE,
				   .value.number = model->tier };
	}
	if (model != NULL && !ctx->region_given && model->regions_n == 1) {
		ctx->facts[FACT_region] =
		    (struct fact){ .source = SOURCE_CATALOGUE,
				   .value.text = model->regions[0]->name };
	}
}

void
facts_settle(const struct body *body, const struct facts_sources *sources,
	     struct arena *arena, struct context *ctx,
	     struct findings *warnings)
{
	assert(body->said[FACT_model_id]);

	*ctx = (struct context){
		.tags = body->tags,
		.tags_n = body->tags_n,
		.requires = body->requires,
		.bypass_all = body->bypass_all,
		.bypass = body->bypass,
		.bypass_n = body->bypass_n,
		.now_us = sources->now_us,
	};
	*warnings = (struct findings){ 0 };
	struct settling s = { .body = body,
			      .sources = sources,
			      .catalogue = &sources->snapshot->catalogue,
			      .arena = arena,
			      .ctx = ctx,
			      .warnings = warnings };

	/* The directory is asked by the user, so the user comes first. */
	settle(&s, FACT_user_id);
	const char *user_id = context_text(ctx, FACT_user_id);
	if (user_id != NULL) {
		s.subject = snapshot_subject(sources->snapshot, user_id);
	}
	for (int id = 0; id < FACT_N; id++) {
		if (id != FACT_user_id && fact_from_body((enum fact_id)id)) {
			settle(&s, (enum fact_id)id);
		}
	}
	settle_model(&s);
	compute(&s);
}
