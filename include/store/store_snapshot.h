/*
 * store_snapshot: the policy revision and the document of all that is stored.
 */
#ifndef STORE_STORE_SNAPSHOT_H
#define STORE_STORE_SNAPSHOT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "store/pg.h"

/* The channel on which each change of the revision is notified. */
enum status store_snapshot_listen(struct pg *pg, struct err *err) MUST_CHECK;

enum status store_snapshot_revision(struct pg *pg, int64_t *revision,
				    struct err *err) MUST_CHECK;

/* The document (policy/source.h), of one moment, and the revision it is of. */
enum status store_snapshot_fetch(struct pg *pg, struct buf *out,
				 int64_t *revision, struct err *err) MUST_CHECK;

#endif /* STORE_STORE_SNAPSHOT_H */
