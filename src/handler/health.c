#include "handler/handler.h"

#include <stdlib.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "json/write.h"
#include "record/spool.h"

enum { HOLD_MAX_MS = 3000 };

/* The states of what a decision needs, and of what may be away for a while. */
struct checks {
	bool policies; /* needed: a snapshot */
	bool spool;    /* needed: the last append was stored */
	bool clock;    /* needed: it is right enough to count by */
	bool keeper;
	bool postgresql;
	enum board_counts counts;
};

static struct checks
look(const struct handler_call *call)
{
	const struct board *board = call->app->board;
	bool keeper = board_keeper_beats(board, clock_mono_us());

	return (struct checks){
		.policies = call->snapshot != NULL,
		.spool = atomic_load(&board->spool_failed) == 0,
		.clock = atomic_load(&board->clock_off) == 0,
		.keeper = keeper,
		.postgresql = keeper && atomic_load(&board->pg_up) == 1,
		.counts =
		    (enum board_counts)atomic_load(&board->counter_counts),
	};
}

static bool
is_ready(const struct checks *checks)
{
	return checks->policies && checks->spool && checks->clock;
}

static void
put_checks(struct json_writer *w, const struct checks *checks)
{
	/* by enum board_counts */
	static const char *const counts[BOARD_COUNTS_N] = {
		"unknown", "memcached", "postgresql", "host"
	};

	json_key(w, "checks");
	json_object_begin(w);
	json_member(w, "policies", checks->policies ? "ok" : "missing");
	json_member(w, "spool", checks->spool ? "ok" : "failing");
	json_member(w, "clock", checks->clock ? "ok" : "off");
	json_member(w, "counters", counts[checks->counts]);
	json_member(w, "housekeeper", checks->keeper ? "ok" : "missing");
	json_member(w, "postgresql",
		    checks->postgresql ? "ok"
		    : checks->keeper   ? "down"
				       : "unknown");
	json_object_finish(w);
}

static void
put_process(struct json_writer *w, const struct board_process *process,
	    int64_t now_us)
{
	int64_t uptime_us = now_us - atomic_load(&process->started_us);

	json_object_begin(w);
	json_member_int(w, "pid", atomic_load(&process->pid));
	json_member(w, "name", process->name);
	json_member_int(w, "policy_revision", atomic_load(&process->revision));
	json_member_int(w, "requests",
			(int64_t)atomic_load(&process->requests));
	json_member_int(w, "uptime_seconds",
			uptime_us > 0 ? uptime_us / 1000000 : 0);
	json_object_finish(w);
}

/* What only readers may know: it says how busy whom is, and since when. */
static void
put_details(struct json_writer *w, const struct handler_call *call)
{
	const struct board *board = call->app->board;

	json_member_int(w, "policy_revision",
			atomic_load(&board->policy_revision));
	json_member_int(w, "refused_revision",
			atomic_load(&board->refused_revision));
	json_member_int(w, "counter_epoch",
			(int64_t)atomic_load(&board->counter_epoch));
	json_member_int(w, "spool_backlog_bytes",
			(int64_t)spool_backlog_bytes(board));
	json_member_int(w, "housekeeper_pid", atomic_load(&board->keeper_pid));
	json_key(w, "processes");
	json_array_begin(w);
	for (int i = 0; i < BOARD_PROCESSES; i++) {
		if (atomic_load(&board->processes[i].pid) > 0) {
			put_process(w, &board->processes[i], call->now_us);
		}
	}
	json_array_finish(w);
}

/*
 * A web server that starts a process only when all others are busy
 * (mod_fcgid) is warmed up by requests that last.  How long is a variable that
 * the web server's configuration sets; a caller cannot.
 */
static void
hold(const struct http_request *req)
{
	const char *text = http_header(req, "IMS_HOLD_MS");
	long ms = text == NULL ? 0 : strtol(text, NULL, 10);

	if (ms > 0) {
		clock_sleep_us((ms < HOLD_MAX_MS ? ms : HOLD_MAX_MS) * 1000);
	}
}

enum status
handler_health_live(struct handler_call *call, struct err *err)
{
	(void)err;
	hold(call->req);
	buf_adds(&call->res->body, "{\"status\":\"alive\"}");
	return STATUS_OK;
}

enum status
handler_health_ready(struct handler_call *call, struct err *err)
{
	const struct checks checks = look(call);
	struct json_writer w;

	(void)err;
	json_write_init(&w, &call->res->body);
	json_object_begin(&w);
	json_member(&w, "status", is_ready(&checks) ? "ready" : "not_ready");
	put_checks(&w, &checks);
	if (auth_has_role(call->key, AUTH_READ)) {
		put_details(&w, call);
	}
	json_object_finish(&w);
	json_write_end(&w);
	if (!is_ready(&checks)) {
		call->res->status = 503;
		http_response_header(call->res, "Retry-After", "1");
	}
	return STATUS_OK;
}
