/*
 * keeper_step: what the housekeeper does, as a table.
 *
 * A lane is a thread that runs its steps in turn, each when it is due; a slow
 * step delays its own lane only.  To add work, add a row to keeper_steps.
 *
 *	lane	thread owns			waits for
 *	WATCH	one connection			LISTEN's socket, the period
 *	DRAIN	reader, one connection		the period
 *	SYNC	the segments it flushes		the period
 *	COUNT	two connections, stores		the period
 */
#ifndef KEEPER_KEEPER_STEP_H
#define KEEPER_KEEPER_STEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/board.h"
#include "base/buf.h"
#include "base/config.h"
#include "keeper/keeper_epoch.h"
#include "keeper/keeper_usage.h"
#include "record/drain.h"
#include "record/spool_sync.h"
#include "store/pg.h"

enum keeper_lane {
	KEEPER_WATCH,
	KEEPER_DRAIN,
	KEEPER_SYNC,
	KEEPER_COUNT,
	KEEPER_LANES
};

/* When a step is due again. */
enum keeper_due {
	KEEPER_PERIOD,
	KEEPER_AGAIN, /* at once: there is more to do */
	KEEPER_LATER  /* it failed: in a second */
};

struct keeper {
	const struct config *config;
	struct board *board;
	bool has_pg; /* pg_keeper is set */
	int stop_fd; /* can be read when the end has come */
	atomic_bool stop;
	/* of the lane WATCH */
	struct pg *pg;
	uint64_t listen_epoch; /* connection that LISTENs */
	bool published;	       /* what PostgreSQL has, since the start */
	bool restored;	       /* the last good document was published anew */
	bool seen;	       /* pg_up on the board is of this keeper */
	enum status publish_status, partition_status;
	struct buf document;
	/* of the lane DRAIN */
	struct pg *drain_pg;
	struct drain *drain;
	enum status drain_status;
	/* What was recorded before that time is in PostgreSQL; the mark is the
	 * next time of which that will be said, when so much is drained. */
	_Atomic int64_t drained_until_us;
	int64_t mark_us;
	uint64_t mark_bytes;
	/* of the lane SYNC */
	struct spool_sync *sync;
	enum status sync_status;
	/* of the lane COUNT */
	struct pg *count_pg;
	struct keeper_epoch *epoch;
	struct keeper_usage *usage;
	enum status epoch_status, usage_status, clean_status, rollup_status,
	    sweep_status;
};

struct keeper_step {
	const char *name;
	enum keeper_lane lane;
	/* Milliseconds, negative: never. */
	int64_t (*period_ms)(const struct config *config);
	enum keeper_due (*run)(struct keeper *keeper);
	bool on_notify; /* due at once when PostgreSQL notifies */
	bool at_end;	/* once more, until done, before the keeper ends */
};

extern const struct keeper_step keeper_steps[];
extern const size_t keeper_steps_n;

/*
 * Before the lanes run: where there is no snapshot, publish the last good
 * document, so that the host serves also without PostgreSQL.
 */
void keeper_step_begin(struct keeper *keeper);

#endif /* KEEPER_KEEPER_STEP_H */
