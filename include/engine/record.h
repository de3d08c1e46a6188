/*
 * record: an outcome as lines of the spool (record/row.h).
 *
 * One row of evaluations, one of policy_violations for each violation, and for
 * an admitted call the entry `reserve` of usage.
 * Never any text of a prompt, and never the keyword or the match that was
 * found in one.
 */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "base/buf.h"
#include "base/status.h"
#include "engine/outcome.h"
#include "json/write.h"
#include "record/spool.h"

/* The list of a row's warnings is cut at this size. */
enum { RECORD_LIST_MAX_BYTES = 4 * 1024 * 1024 };

/* All lines behind what OUT holds; SCRATCH is overwritten. */
void record_write(const struct outcome *outcome, struct buf *scratch,
		  struct buf *out);

/* Members of an evaluation's metadata: facts that have no column of their own,
 * for a later replay, and tags. */
void record_facts(struct json_writer *w, const struct context *ctx);

/*
 * Store the lines of RECORD; in several records, cut between lines, where they
 * are more than one of RECORD_MAX bytes (SPOOL_RECORD_MAX_BYTES) can hold.
 * Errors: as spool_append.
 */
enum status record_store(struct spool *spool, const struct buf *record,
			 size_t record_max, struct err *err) MUST_CHECK;

#endif /* ENGINE_RECORD_H */
