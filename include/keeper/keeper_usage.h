/*
 * keeper_usage: the ledger's own work: calls expire, reports that waited are
 * settled, what was not counted is counted, and what killed processes had taken
 * is given back.
 *
 * Source: docs/policies.md, "Budgets and rates";
 * docs/decisions/ADR-0016-usage-is-the-ledger.md.
 */
#ifndef KEEPER_KEEPER_USAGE_H
#define KEEPER_KEEPER_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/board.h"
#include "base/config.h"
#include "base/status.h"
#include "store/pg.h"

struct keeper_usage;

enum status keeper_usage_new(const struct config *config, struct board *board,
			     struct keeper_usage **out,
			     struct err *err) MUST_CHECK;
void keeper_usage_free(struct keeper_usage *usage); /* NULL is fine */

/**
 * keeper_usage_step(usage, pg, drained_until_us, more, err):
 * Some of each.
 *
 * Takes:   DRAINED_UNTIL_US as in keeper_epoch.h.
 * Gives:   MORE: there is more to do now.
 * Errors:  those of PostgreSQL.
 */
enum status keeper_usage_step(struct keeper_usage *usage, struct pg *pg,
			      int64_t drained_until_us, bool *more,
			      struct err *err) MUST_CHECK;

#endif /* KEEPER_KEEPER_USAGE_H */
