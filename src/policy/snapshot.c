/*
 * snapshot: a mapped image with its pattern sets, counted by reference.
 */
#include "policy/snapshot.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "policy/compile.h"
#include "policy/freeze.h"
#include "policy/image.h"
#include "policy/snapshot_open.h"

struct snapshot {
	_Atomic size_t refs;
	struct image *image;
	const struct snapshot_data *data;
	struct pattern_set *keywords, *regexes;
};

static void
free_snapshot(struct snapshot *snapshot)
{
	pattern_set_free(snapshot->keywords);
	pattern_set_free(snapshot->regexes);
	image_close(snapshot->image);
	free(snapshot);
}

/* Takes over IMAGE, also when it cannot be used. */
static enum status
from_image(struct image *image, struct snapshot **out, struct err *err)
{
	struct snapshot *snapshot = memory_get(sizeof(*snapshot));
	const struct snapshot_data *data = image_root(image);

	*snapshot = (struct snapshot){ .image = image, .data = data };
	atomic_init(&snapshot->refs, 1);
	enum status status =
	    pattern_set_open(data->keyword_bytes, data->keyword_bytes_n,
			     &snapshot->keywords, err);
	if (status == STATUS_OK) {
		status =
		    pattern_set_open(data->regex_bytes, data->regex_bytes_n,
				     &snapshot->regexes, err);
	}
	if (status != STATUS_OK) {
		free_snapshot(snapshot);
		return status;
	}
	*out = snapshot;
	return STATUS_OK;
}

enum status
snapshot_open(const char *path, struct snapshot **out, struct err *err)
{
	struct image *image = NULL;
	enum status status = image_open(path, freeze_shape(), &image, err);

	return status == STATUS_OK ? from_image(image, out, err) : status;
}

enum status
snapshot_compile(const char *text, size_t n, uint64_t slot,
		 struct snapshot **out, struct err *err)
{
	struct compile_job job = {
		.text = text, .n = n, .slot = slot, .made_us = clock_now_us()
	};
	struct image_builder *builder = NULL;
	enum status status = compile_image(&job, &builder, err);

	return status == STATUS_OK ? from_image(image_adopt(builder), out, err)
				   : status;
}

const struct snapshot_data *
snapshot_data(const struct snapshot *snapshot)
{
	return snapshot->data;
}

const struct pattern_set *
snapshot_keywords(const struct snapshot *snapshot)
{
	return snapshot->keywords;
}

const struct pattern_set *
snapshot_regexes(const struct snapshot *snapshot)
{
	return snapshot->regexes;
}

struct snapshot *
snapshot_ref(struct snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
	return snapshot;
}

void
snapshot_unref(struct snapshot *snapshot)
{
	if (snapshot == NULL) {
		return;
	}
	size_t was =
	    atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel);
	assert(was > 0);
	if (was == 1) {
		free_snapshot(snapshot);
	}
}

static int
compare_key(const void *key_id, const void *key)
{
	return strcmp(key_id, ((const struct api_key *)key)->key_id);
}

const struct api_key *
snapshot_key(const struct snapshot_data *data, const char *key_id)
{
	return data->keys_n == 0 ? NULL
				 : bsearch(key_id, data->keys, data->keys_n,
					   sizeof(*data->keys), compare_key);
}

static int
compare_subject(const void *user_id, const void *subject)
{
	return strcmp(user_id, ((const struct subject *)subject)->user_id);
}

const struct subject *
snapshot_subject(const struct snapshot_data *data, const char *user_id)
{
	return data->subjects_n == 0
		   ? NULL
		   : bsearch(user_id, data->subjects, data->subjects_n,
			     sizeof(*data->subjects), compare_subject);
}
