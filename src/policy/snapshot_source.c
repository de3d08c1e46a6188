/*
 * snapshot_source: following what the housekeeper publishes.
 *
 * `current` is guarded by a lock that is held for two instructions; nobody
 * waits for the thread that loads.
 */
#include "policy/snapshot.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "policy/snapshot_open.h"

enum { LOAD_OK, LOAD_ERROR }; /* values of snapshot_loads_total */

struct snapshot_source {
	char image_path[PATH_MAX];
	char document_path[PATH_MAX];
	struct board *board;
	_Atomic uint64_t seen; /* generation that was tried last */
	_Atomic bool loading;
	pthread_mutex_t lock;
	struct snapshot *current; /* under lock; NULL: none yet */
};

static uint64_t
generation(const struct snapshot_source *source)
{
	return atomic_load_explicit(&source->board->snapshot_generation,
				    memory_order_acquire);
}

static enum status
compile_document(const struct snapshot_source *source, uint64_t slot,
		 struct snapshot **out, struct err *err)
{
	struct buf text = { 0 };
	enum status status = file_read(source->document_path, &text, err);

	if (status == STATUS_OK) {
		status =
		    snapshot_compile(buf_text(&text), text.len, slot, out, err);
	}
	buf_fini(&text);
	return status;
}

static void
take_over(struct snapshot_source *source, struct snapshot *snapshot)
{
	pthread_mutex_lock(&source->lock);
	struct snapshot *old = source->current;
	source->current = snapshot;
	pthread_mutex_unlock(&source->lock);
	snapshot_unref(old);
}

/* By one thread at a time. */
static void
load(struct snapshot_source *source, uint64_t now)
{
	struct snapshot *snapshot = NULL;
	struct err image_err = { 0 }, err = { 0 };
	enum status status =
	    snapshot_open(source->image_path, &snapshot, &image_err);

	if (status != STATUS_OK) {
		status = compile_document(source, now, &snapshot, &err);
	}
	if (status == STATUS_OK) {
		if (image_err.status != STATUS_OK) {
			log_warning("%s; its document was compiled instead",
				    image_err.text);
		}
		metric_add(METRIC_snapshot_loads_total, LOAD_OK, 1);
		take_over(source, snapshot);
	} else if (status != STATUS_NOT_FOUND ||
		   image_err.status != STATUS_NOT_FOUND) {
		log_error("cannot take over snapshot %llu: %s; %s",
			  (unsigned long long)now, image_err.text, err.text);
		metric_add(METRIC_snapshot_loads_total, LOAD_ERROR, 1);
	}
}

enum status
snapshot_source_open(const char *state_dir, struct board *board,
		     struct snapshot_source **out, struct err *err)
{
	struct snapshot_source *source = memory_get(sizeof(*source));
	int n, m;

	*source = (struct snapshot_source){ .board = board };
	n = snprintf(source->image_path, PATH_MAX, "%s/" SNAPSHOT_IMAGE,
		     state_dir);
	m = snprintf(source->document_path, PATH_MAX, "%s/" SNAPSHOT_DOCUMENT,
		     state_dir);
	if (n >= PATH_MAX || m >= PATH_MAX) {
		free(source);
		return err_set(err, STATUS_IO, "state_dir is too long");
	}
	int rc = pthread_mutex_init(&source->lock, NULL);
	assert(rc == 0);
	/* read first: what is published while this loads is loaded again */
	uint64_t now = generation(source);
	load(source, now);
	atomic_store(&source->seen, now);
	*out = source;
	return STATUS_OK;
}

void
snapshot_source_close(struct snapshot_source *source)
{
	if (source != NULL) {
		snapshot_unref(source->current);
		(void)pthread_mutex_destroy(&source->lock);
		free(source);
	}
}

struct snapshot *
snapshot_current(struct snapshot_source *source)
{
	uint64_t now = generation(source);

	if (now != atomic_load(&source->seen) &&
	    !atomic_exchange(&source->loading, true)) {
		if (now != atomic_load(&source->seen)) {
			load(source, now);
			atomic_store(&source->seen, now);
		}
		atomic_store(&source->loading, false);
	}
	pthread_mutex_lock(&source->lock);
	struct snapshot *snapshot = source->current;
	if (snapshot != NULL) {
		(void)snapshot_ref(snapshot);
	}
	pthread_mutex_unlock(&source->lock);
	return snapshot;
}
