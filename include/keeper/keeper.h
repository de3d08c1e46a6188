/*
 * keeper: the housekeeper, the work that one process a host does.
 *
 * It holds the host's lock (flock on state_dir/keeper.lock), listens for
 * policy changes and polls their revision, compiles and publishes the
 * snapshot, drains and flushes the spool, makes and drops partitions, frees
 * the board's slots of dead processes, and says on the board what it sees.
 * Where PostgreSQL is away it goes on trying; the last good snapshot serves.
 * What it does, how often and in which thread is one table: keeper_step.h.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "base/board.h"
#include "base/config.h"
#include "base/status.h"

/**
 * keeper_run(config, board, err):
 * Work until SIGTERM or SIGINT; what is in the spool is drained first, for
 * at most five seconds (and the PostgreSQL statement that runs then).
 *
 * Takes:   the caller's only thread; SIGTERM and SIGINT are blocked meanwhile.
 * Errors:  STATUS_BUSY: another one holds the lock (not a failure);
 *          STATUS_IO: the lock or the spool cannot be opened.
 */
enum status keeper_run(const struct config *config, struct board *board,
		       struct err *err) MUST_CHECK;

/**
 * keeper_start(program, config_path, config):
 * Start `PROGRAM --housekeeper --config CONFIG_PATH` detached, if none runs
 * and start_keeper permits.  For a responder, at its start and when the
 * board's beat is old.
 *
 * Takes:   PROGRAM, a path; CONFIG_PATH NULL: without --config.
 *
 * The new process belongs to nobody: it has its own session, no descriptor of
 * the caller's (a web server's socket must not stay open because of it), and
 * its messages go to state_dir/keeper.log, since the web server's pipe for
 * them ends with the web server.
 */
void keeper_start(const char *program, const char *config_path,
		  const struct config *config);

#endif /* KEEPER_KEEPER_H */
