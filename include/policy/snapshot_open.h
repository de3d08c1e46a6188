/* snapshot_open: a snapshot from its image file, for snapshot_source.c. */
#ifndef POLICY_SNAPSHOT_OPEN_H
#define POLICY_SNAPSHOT_OPEN_H

#include "policy/snapshot.h"

/* Names below state_dir. */
#define SNAPSHOT_IMAGE "snapshot.img"
#define SNAPSHOT_DOCUMENT "snapshot.json"

/**
 * snapshot_open(path, out, err):
 * The snapshot in the image at PATH; yours, end by snapshot_unref.
 *
 * Errors:  those of image_open; STATUS_CONFLICT also for pattern databases of
 *          another processor or Hyperscan: compile the document instead.
 */
enum status snapshot_open(const char *path, struct snapshot **out,
			  struct err *err) MUST_CHECK;

#endif /* POLICY_SNAPSHOT_OPEN_H */
