/*
 * snapshot_publish: from a document to what every process serves from.
 */
#include "policy/snapshot.h"

#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/metric.h"
#include "policy/compile.h"
#include "policy/image.h"
#include "policy/replace.h"
#include "policy/snapshot_open.h"

/* Values of snapshot_publishes_total. */
enum { PUBLISH_OK, PUBLISH_REFUSED, PUBLISH_ERROR };

static enum status
write_files(const char *state_dir, struct image_builder *builder,
	    const struct compile_job *job, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/" SNAPSHOT_DOCUMENT, state_dir) >=
	    (int)sizeof(path)) {
		return err_set(err, STATUS_IO, "state_dir is too long");
	}
	enum status status = replace_file(path, job->text, job->n, err);
	if (status != STATUS_OK) {
		return status;
	}
	/* fits: its name is shorter */
	(void)snprintf(path, sizeof(path), "%s/" SNAPSHOT_IMAGE, state_dir);
	return image_write(builder, path, err);
}

bool
snapshot_refuses(enum status status)
{
	return status == STATUS_JSON || status == STATUS_BODY ||
	       status == STATUS_TOO_LARGE;
}

/* The generation goes up last: who sees it finds all the rest. */
static void
announce(struct board *board, int64_t revision)
{
	if (atomic_load(&board->refused_revision) <= revision) {
		atomic_store(&board->refused_revision, 0);
	}
	atomic_store(&board->policy_revision, revision);
	metric_set(METRIC_policy_revision, revision);
	metric_add(METRIC_snapshot_publishes_total, PUBLISH_OK, 1);
	atomic_fetch_add(&board->snapshot_generation, 1);
}

enum status
snapshot_publish(const char *state_dir, struct board *board, const char *text,
		 size_t n, struct err *err)
{
	struct compile_job job = {
		.text = text,
		.n = n,
		.slot = atomic_load(&board->snapshot_generation) + 1,
		.made_us = clock_now_us(),
	};
	struct image_builder *builder = NULL;
	enum status status = compile_image(&job, &builder, err);

	if (status == STATUS_OK) {
		status = write_files(state_dir, builder, &job, err);
		image_builder_free(builder);
	}
	if (status == STATUS_OK) {
		announce(board, job.revision);
	} else if (snapshot_refuses(status)) {
		metric_add(METRIC_snapshot_publishes_total, PUBLISH_REFUSED, 1);
		atomic_store(&board->refused_revision, job.revision);
	} else {
		metric_add(METRIC_snapshot_publishes_total, PUBLISH_ERROR, 1);
	}
	return status;
}
