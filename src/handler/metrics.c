#include "handler/handler.h"

#include "base/clock.h"
#include "base/metric.h"
#include "record/spool.h"

enum status
handler_metrics(struct handler_call *call, struct err *err)
{
	const struct board *board = call->app->board;

	(void)err;
	/* What the board knows, as it is now: the housekeeper may be gone. */
	metric_set(METRIC_policy_revision,
		   atomic_load(&board->policy_revision));
	metric_set(METRIC_spool_backlog_bytes,
		   (int64_t)spool_backlog_bytes(board));
	metric_set(METRIC_postgresql_up, atomic_load(&board->pg_up));
	metric_set(METRIC_housekeeper_up,
		   board_keeper_beats(board, clock_mono_us()));
	call->res->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metric_write(&call->res->body);
	return STATUS_OK;
}
