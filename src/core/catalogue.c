#include "core/catalogue.h"

#include <assert.h>
#include <string.h>

#include "base/money.h"

/* The first of the models whose model_id is not before MODEL_ID. */
static size_t
first_model(const struct catalogue *catalogue, const char *model_id)
{
	size_t low = 0, high = catalogue->models_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(catalogue->models[middle].model_id, model_id) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

const struct model *
catalogue_model(const struct catalogue *catalogue, const char *model_id,
		const char *vendor_id)
{
	assert(model_id != NULL);

	for (size_t i = first_model(catalogue, model_id);
	     i < catalogue->models_n; i++) {
		const struct model *model = &catalogue->models[i];

		if (strcmp(model->model_id, model_id) != 0) {
			break;
		}
		if (vendor_id == NULL ||
		    strcmp(model->vendor_id, vendor_id) == 0) {
			return model;
		}
	}
	return NULL;
}

static const struct alias *
find_alias(const struct alias *aliases, size_t n, const char *from)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(aliases[middle].from, from);

		if (order == 0) {
			return &aliases[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

const char *
catalogue_vendor(const struct catalogue *catalogue, const char *vendor)
{
	const struct alias *alias = find_alias(
	    catalogue->vendor_aliases, catalogue->vendor_aliases_n, vendor);

	return alias == NULL ? vendor : alias->to;
}

/* The region of our own vocabulary, or NULL. */
static const struct region *
own_region(const struct catalogue *catalogue, const char *name)
{
	size_t low = 0, high = catalogue->regions_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(catalogue->regions[middle].name, name);

		if (order == 0) {
			return &catalogue->regions[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

const struct region *
catalogue_region(const struct catalogue *catalogue, const char *name)
{
	const struct region *region = own_region(catalogue, name);

	if (region != NULL) {
		return region;
	}
	const struct alias *alias = find_alias(
	    catalogue->region_aliases, catalogue->region_aliases_n, name);

	return alias == NULL ? NULL : own_region(catalogue, alias->to);
}

int64_t
model_mean_per_mil(const struct model *model)
{
	if (model->input_per_mil == MONEY_UNKNOWN ||
	    model->output_per_mil == MONEY_UNKNOWN) {
		return MONEY_UNKNOWN;
	}
	int64_t sum = money_add(model->input_per_mil, model->output_per_mil);

	return sum / 2 + sum % 2;
}
