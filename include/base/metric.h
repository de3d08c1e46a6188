/*
 * metric: counters that are summed over every process of the host.
 *
 * The table base/metric.tbl.h names them.  They live in a file that all
 * processes map; each thread adds into one of METRIC_LANES lanes with relaxed
 * atomics, so an add costs some nanoseconds, no lock exists, and a process
 * that is killed loses nothing.  Before metric_open, adds go to a private
 * block, so that tests and tools need no file.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

enum metric {
#define COUNTER(name, label, values, help) METRIC_##name,
#define GAUGE(name, help) METRIC_##name,
#define HISTOGRAM(name, help) METRIC_##name,
#include "base/metric.tbl.h"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
	METRIC_N
};

enum {
	METRIC_LANES = 64,
	METRIC_VALUES = 16, /* most values of one label; also buckets + sum */
};

/* Upper bounds of the histograms' buckets in microseconds; +Inf follows. */
#define METRIC_BUCKETS_US                                                  \
	{                                                                  \
		50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000, \
		    1000000                                                \
	}

/* Map the file at PATH, made when it is not there or of another shape. */
enum status metric_open(const char *path, struct err *err) MUST_CHECK;

void metric_add(enum metric metric, int value, uint64_t n);
void metric_set(enum metric metric, int64_t n);
void metric_observe(enum metric metric, int64_t us);

/* The sum of one series; a gauge's value; a histogram's count. */
int64_t metric_read(enum metric metric, int value);

/* All as Prometheus text (exposition format 0.0.4). */
void metric_write(struct buf *out);

#endif /* BASE_METRIC_H */
