#include "policy/freeze.h"

#include <string.h>

#include "core/window.h"
#include "policy/index.h"

/* Raise it when a number means something else and no struct tells. */
enum { SHAPE_VERSION = 2 };

/* ---- policies */

static void
freeze_texts(struct image_builder *b, void *place, const char *const *texts,
	     size_t n)
{
	const char **copy = image_array(b, place, n, sizeof(*copy));

	for (size_t i = 0; i < n; i++) {
		image_text(b, &copy[i], texts[i]);
	}
}

static void
fill_condition(struct image_builder *b, struct condition *out,
	       const struct condition *in)
{
	*out = *in;
	out->children = NULL;
	out->values = NULL;
	image_text(b, &out->tag, in->tag);
	struct condition_value *values =
	    image_array(b, &out->values, in->values_n, sizeof(*values));
	for (size_t i = 0; i < in->values_n; i++) {
		values[i] = in->values[i];
		if (values[i].type == FACT_TYPE_TEXT) {
			image_text(b, &values[i].value.text,
				   in->values[i].value.text);
		}
	}
	struct condition *children =
	    image_array(b, &out->children, in->children_n, sizeof(*children));
	for (size_t i = 0; i < in->children_n; i++) {
		fill_condition(b, &children[i], &in->children[i]);
	}
}

static void
fill_constraint(struct image_builder *b, struct constraint *out,
		const struct constraint *in)
{
	*out = *in;
	out->texts = NULL;
	image_text(b, &out->text, in->text);
	freeze_texts(b, &out->texts, in->texts, in->texts_n);
}

static void
fill_exceptions(struct image_builder *b, struct policy *out,
		const struct policy *in)
{
	out->limits = NULL;
	out->exemptions = NULL;
	struct subject_limit *limits =
	    image_array(b, &out->limits, in->limits_n, sizeof(*limits));
	for (size_t i = 0; i < in->limits_n; i++) {
		limits[i] = in->limits[i];
		image_text(b, &limits[i].subject, in->limits[i].subject);
	}
	struct exemption *exemptions = image_array(
	    b, &out->exemptions, in->exemptions_n, sizeof(*exemptions));
	for (size_t i = 0; i < in->exemptions_n; i++) {
		exemptions[i] = in->exemptions[i];
		image_text(b, &exemptions[i].exemption_id,
			   in->exemptions[i].exemption_id);
		image_text(b, &exemptions[i].subject,
			   in->exemptions[i].subject);
	}
}

static void
fill_zone(struct image_builder *b, struct zone *out, const struct zone *in)
{
	out->changes_n = in->changes_n;
	struct zone_change *changes =
	    image_array(b, &out->changes, in->changes_n, sizeof(*changes));

	memcpy(changes, in->changes, in->changes_n * sizeof(*changes));
}

static void
fill_policy(struct image_builder *b, struct policy *out,
	    const struct policy *in)
{
	*out = *in;
	out->condition = NULL;
	out->constraints = NULL;
	out->zone = NULL;
	image_text(b, &out->policy_id, in->policy_id);
	image_text(b, &out->name, in->name);
	image_text(b, &out->message, in->message);
	image_text(b, &out->help_url, in->help_url);
	if (in->condition != NULL) {
		struct condition *condition =
		    image_array(b, &out->condition, 1, sizeof(*condition));

		fill_condition(b, condition, in->condition);
	}
	struct constraint *constraints = image_array(
	    b, &out->constraints, in->constraints_n, sizeof(*constraints));
	for (size_t i = 0; i < in->constraints_n; i++) {
		fill_constraint(b, &constraints[i], &in->constraints[i]);
	}
	if (in->zone != NULL) {
		fill_zone(b, image_array(b, &out->zone, 1, sizeof(*in->zone)),
			  in->zone);
	}
	fill_exceptions(b, out, in);
}

/* ---- the index */

static void
freeze_numbers(struct image_builder *b, void *place, const uint32_t *numbers,
	       size_t n)
{
	uint32_t *copy = image_array(b, place, n, sizeof(*copy));

	if (n > 0) {
		memcpy(copy, numbers, n * sizeof(*copy));
	}
}

static void
fill_index(struct image_builder *b, struct policy_index *out,
	   const struct policy_index *in)
{
	*out = *in;
	out->buckets = NULL;
	out->always = NULL;
	out->tags = NULL;
	freeze_numbers(b, &out->always, in->always, in->always_n);
	freeze_texts(b, &out->tags, in->tags, in->tags_n);
	struct policy_bucket *buckets =
	    image_array(b, &out->buckets, in->buckets_n, sizeof(*buckets));
	for (size_t i = 0; i < in->buckets_n; i++) {
		const struct policy_bucket *bucket = &in->buckets[i];

		buckets[i] = *bucket;
		buckets[i].policies = NULL;
		image_text(b, &buckets[i].tag, bucket->tag);
		image_text(b, &buckets[i].value, bucket->value);
		freeze_numbers(b, &buckets[i].policies, bucket->policies,
			       bucket->policies_n);
	}
}

static void
freeze_policies(struct image_builder *b, struct policy_set *out,
		const struct source *source, struct arena *arena)
{
	size_t n = source->policies_n;
	struct policy *plain = arena_array(arena, n, sizeof(*plain));
	struct policy *policies =
	    image_array(b, &out->policies, n, sizeof(*policies));

	out->policies_n = n;
	for (size_t i = 0; i < n; i++) {
		plain[i] = source->policies[i].policy;
		fill_policy(b, &policies[i], &plain[i]);
	}
	for (enum stage stage = 0; stage < STAGE_N; stage++) {
		struct policy_index index;

		index_build(arena, plain, n, stage, &index);
		fill_index(b, &out->stages[stage], &index);
	}
}

/* ---- the catalogue */

static void
freeze_aliases(struct image_builder *b, void *place,
	       const struct alias *aliases, size_t n)
{
	struct alias *copy = image_array(b, place, n, sizeof(*copy));

	for (size_t i = 0; i < n; i++) {
		image_text(b, &copy[i].from, aliases[i].from);
		image_text(b, &copy[i].to, aliases[i].to);
	}
}

static void
freeze_models(struct image_builder *b, struct catalogue *out,
	      const struct catalogue *in, const struct region *regions)
{
	struct model *models =
	    image_array(b, &out->models, in->models_n, sizeof(*models));

	for (size_t i = 0; i < in->models_n; i++) {
		const struct model *model = &in->models[i];

		models[i] = *model;
		models[i].regions = NULL;
		image_text(b, &models[i].model_id, model->model_id);
		image_text(b, &models[i].vendor_id, model->vendor_id);
		const struct region **places = image_array(
		    b, &models[i].regions, model->regions_n, sizeof(*places));
		for (size_t j = 0; j < model->regions_n; j++) {
			image_point(b, &places[j],
				    regions +
					(model->regions[j] - in->regions));
		}
	}
	const struct model **by_price =
	    image_array(b, &out->by_price, in->by_price_n, sizeof(*by_price));
	for (size_t i = 0; i < in->by_price_n; i++) {
		image_point(b, &by_price[i],
			    models + (in->by_price[i] - in->models));
	}
}

static void
freeze_catalogue(struct image_builder *b, struct catalogue *out,
		 const struct catalogue *in)
{
	*out = (struct catalogue){ .models_n = in->models_n,
				   .by_price_n = in->by_price_n,
				   .regions_n = in->regions_n,
				   .vendor_aliases_n = in->vendor_aliases_n,
				   .region_aliases_n = in->region_aliases_n };
	struct region *regions =
	    image_array(b, &out->regions, in->regions_n, sizeof(*regions));
	for (size_t i = 0; i < in->regions_n; i++) {
		image_text(b, &regions[i].name, in->regions[i].name);
		image_text(b, &regions[i].group, in->regions[i].group);
	}
	freeze_aliases(b, &out->vendor_aliases, in->vendor_aliases,
		       in->vendor_aliases_n);
	freeze_aliases(b, &out->region_aliases, in->region_aliases,
		       in->region_aliases_n);
	freeze_models(b, out, in, regions);
}

/* ---- keys and the directory */

static void
fill_key(struct image_builder *b, struct api_key *out, const struct api_key *in)
{
	*out = *in;
	out->facts = NULL;
	out->user_tiers = NULL;
	out->regions = NULL;
	image_text(b, &out->key_id, in->key_id);
	image_text(b, &out->name, in->name);
	struct bound_fact *facts =
	    image_array(b, &out->facts, in->facts_n, sizeof(*facts));
	for (size_t i = 0; i < in->facts_n; i++) {
		facts[i].fact = in->facts[i].fact;
		image_text(b, &facts[i].value, in->facts[i].value);
	}
	freeze_texts(b, &out->user_tiers, in->user_tiers, in->user_tiers_n);
	freeze_texts(b, &out->regions, in->regions, in->regions_n);
}

static void
freeze_people(struct image_builder *b, struct snapshot_data *out,
	      const struct source *source)
{
	struct api_key *keys =
	    image_array(b, &out->keys, source->keys_n, sizeof(*keys));
	struct subject *subjects = image_array(
	    b, &out->subjects, source->subjects_n, sizeof(*subjects));

	out->keys_n = source->keys_n;
	out->subjects_n = source->subjects_n;
	for (size_t i = 0; i < source->keys_n; i++) {
		fill_key(b, &keys[i], &source->keys[i]);
	}
	for (size_t i = 0; i < source->subjects_n; i++) {
		const struct subject *in = &source->subjects[i];

		image_text(b, &subjects[i].user_id, in->user_id);
		image_text(b, &subjects[i].user_tier, in->user_tier);
		image_text(b, &subjects[i].team_id, in->team_id);
		image_text(b, &subjects[i].organization_id,
			   in->organization_id);
	}
}

/* ---- content */

static size_t
freeze_bytes(struct image_builder *b, void *place, const struct buf *bytes)
{
	void *copy = image_array(b, place, bytes->len, 1);

	if (bytes->len > 0) {
		memcpy(copy, bytes->data, bytes->len);
	}
	return bytes->len;
}

static void
freeze_content(struct image_builder *b, struct snapshot_data *out,
	       const struct content *content)
{
	struct content_item *items =
	    image_array(b, &out->content, content->items_n, sizeof(*items));

	out->content_n = content->items_n;
	for (size_t i = 0; i < content->items_n; i++) {
		items[i] = content->items[i];
	}
	out->keyword_bytes_n =
	    freeze_bytes(b, &out->keyword_bytes, &content->keywords);
	out->regex_bytes_n =
	    freeze_bytes(b, &out->regex_bytes, &content->regexes);
}

void
freeze(struct image_builder *builder, const struct source *source,
       const struct content *content, int64_t made_us, struct arena *arena)
{
	struct snapshot_data *data =
	    image_array(builder, NULL, 1, sizeof(*data));

	data->revision = source->revision;
	data->made_us = made_us;
	freeze_policies(builder, &data->policies, source, arena);
	freeze_catalogue(builder, &data->catalogue, &source->catalogue);
	freeze_people(builder, data, source);
	freeze_content(builder, data, content);
}

/* ---- the shape */

static uint64_t
mix(uint64_t hash, uint64_t number)
{
	return (hash ^ number) * UINT64_C(0x100000001b3); /* as FNV-1a */
}

static uint64_t
mix_text(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++) {
		hash = mix(hash, (unsigned char)*text);
	}
	return mix(hash, 0);
}

uint64_t
freeze_shape(void)
{
	static const size_t sizes[] = {
		SHAPE_VERSION,
		sizeof(void *),
		sizeof(struct snapshot_data),
		offsetof(struct snapshot_data, policies),
		offsetof(struct snapshot_data, catalogue),
		offsetof(struct snapshot_data, keys),
		offsetof(struct snapshot_data, subjects),
		offsetof(struct snapshot_data, content),
		offsetof(struct snapshot_data, keyword_bytes),
		offsetof(struct snapshot_data, regex_bytes),
		sizeof(struct policy),
		offsetof(struct policy, policy_id),
		offsetof(struct policy, condition),
		offsetof(struct policy, constraints),
		offsetof(struct policy, limits),
		offsetof(struct policy, exemptions),
		offsetof(struct policy, by_model),
		offsetof(struct policy, needs_content),
		offsetof(struct policy, counts),
		offsetof(struct policy, zone),
		sizeof(struct condition),
		offsetof(struct condition, values),
		offsetof(struct condition, low),
		offsetof(struct condition, wanted),
		sizeof(struct condition_value),
		sizeof(struct constraint),
		offsetof(struct constraint, texts),
		offsetof(struct constraint, counter),
		sizeof(struct zone),
		sizeof(struct zone_change),
		sizeof(struct subject_limit),
		sizeof(struct exemption),
		sizeof(struct policy_index),
		offsetof(struct policy_index, tags),
		sizeof(struct policy_bucket),
		sizeof(struct catalogue),
		offsetof(struct catalogue, by_price),
		offsetof(struct catalogue, region_aliases),
		sizeof(struct model),
		offsetof(struct model, input_per_mil),
		offsetof(struct model, regions),
		sizeof(struct region),
		sizeof(struct alias),
		sizeof(struct api_key),
		offsetof(struct api_key, hash),
		offsetof(struct api_key, asserts),
		sizeof(struct subject),
		sizeof(struct content_item),
	};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		hash = mix(hash, sizes[i]);
	}
	for (enum constraint_key key = 0; key < CONSTRAINT_N; key++) {
		hash = mix_text(hash, constraint_row(key)->key);
	}
	for (enum fact_id fact = 0; fact < FACT_N; fact++) {
		hash = mix_text(hash, fact_name(fact));
	}
	return hash;
}
