/*
 * store_partition: months of the recorded tables, made and dropped.
 */
#ifndef STORE_STORE_PARTITION_H
#define STORE_STORE_PARTITION_H

#include <stdint.h>

#include "base/status.h"
#include "store/pg.h"

/* Make this month's partitions and those of MONTHS_AHEAD; MADE: how many. */
enum status store_partition_ensure(struct pg *pg, int64_t months_ahead,
				   int64_t *made, struct err *err) MUST_CHECK;

/* Drop what is wholly older than DAYS and that no policy keeps longer. */
enum status store_partition_drop(struct pg *pg, int64_t days, int64_t *dropped,
				 struct err *err) MUST_CHECK;

/* The same of the ledger, but for the last 62 days. */
enum status store_partition_drop_usage(struct pg *pg, int64_t days,
				       int64_t *dropped,
				       struct err *err) MUST_CHECK;

#endif /* STORE_STORE_PARTITION_H */
