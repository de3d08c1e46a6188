#include "base/metric.h"

#include <assert.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/mapfile.h"

enum { MAGIC = 0x494d534d, CACHE_LINE_BYTES = 64 };

static const int64_t bounds_us[] = METRIC_BUCKETS_US;
enum {
	BOUNDS_N = sizeof(bounds_us) / sizeof(bounds_us[0]),
	HISTOGRAM_SUM = BOUNDS_N + 1 /* after the bucket of +Inf */
};
_Static_assert((int)HISTOGRAM_SUM < (int)METRIC_VALUES,
	       "a histogram fits a series");

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

static const struct row {
	enum kind kind;
	const char *name, *label, *values, *help;
} rows[METRIC_N] = {
#define COUNTER(name, label, values, help) \
	{ KIND_COUNTER, #name, label, values, help },
#define GAUGE(name, help) { KIND_GAUGE, #name, NULL, NULL, help },
#define HISTOGRAM(name, help) { KIND_HISTOGRAM, #name, NULL, NULL, help },
#include "base/metric.tbl.h"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

/* Two threads that add at once should not fight for a cache line. */
struct lane {
	alignas(
	    CACHE_LINE_BYTES) _Atomic uint64_t series[METRIC_N][METRIC_VALUES];
};

struct metrics {
	struct mapfile_head head;
	_Atomic int64_t gauges[METRIC_N];
	struct lane lanes[METRIC_LANES];
};

static struct metrics private_block;
static struct metrics *metrics = &private_block;

/* Another table is another shape; help and labels are not in the file. */
static uint32_t
table_shape(void)
{
	uint32_t hash = MAPFILE_HASH;

	for (int i = 0; i < METRIC_N; i++) {
		const char *values = rows[i].values;

		hash =
		    mapfile_hash(hash, rows[i].name, strlen(rows[i].name) + 1);
		hash = mapfile_hash(hash, values == NULL ? "" : values,
				    values == NULL ? 1 : strlen(values) + 1);
	}
	return mapfile_hash(hash, bounds_us, sizeof(bounds_us));
}

enum status
metric_open(const char *path, struct err *err)
{
	struct mapfile_head head = { MAGIC, table_shape() };
	void *map;
	int lock;
	enum status status =
	    mapfile_open(path, sizeof(*metrics), head, &map, &lock, err);

	if (status == STATUS_OK) {
		mapfile_unlock(lock);
		metrics = map;
	}
	return status;
}

/* Threads have consecutive numbers, so lanes are shared late if at all. */
static struct lane *
own_lane(void)
{
	static _Thread_local unsigned lane;

	if (lane == 0) {
		lane = (unsigned)gettid();
	}
	return &metrics->lanes[lane % METRIC_LANES];
}

static void
add(enum metric metric, int value, uint64_t n)
{
	atomic_fetch_add_explicit(&own_lane()->series[metric][value], n,
				  memory_order_relaxed);
}

/* The number of values of a label, 1 without one; counted once. */
static int
values_n(enum metric metric)
{
	static _Atomic int counts[METRIC_N];
	int n = atomic_load_explicit(&counts[metric], memory_order_relaxed);

	if (n == 0) {
		n = 1;
		for (const char *at = rows[metric].values;
		     at != NULL && *at != '\0'; at++) {
			n += *at == '|';
		}
		atomic_store_explicit(&counts[metric], n, memory_order_relaxed);
	}
	return n;
}

void
metric_add(enum metric metric, int value, uint64_t n)
{
	assert((unsigned)metric < METRIC_N);
	assert(rows[metric].kind == KIND_COUNTER);
	assert(value >= 0 && value < values_n(metric));
	add(metric, value, n);
}

void
metric_set(enum metric metric, int64_t n)
{
	assert((unsigned)metric < METRIC_N);
	assert(rows[metric].kind == KIND_GAUGE);
	atomic_store_explicit(&metrics->gauges[metric], n,
			      memory_order_relaxed);
}

void
metric_observe(enum metric metric, int64_t us)
{
	int bucket = 0;

	assert((unsigned)metric < METRIC_N);
	assert(rows[metric].kind == KIND_HISTOGRAM);
	us = us < 0 ? 0 : us; /* a clock that was set back */
	while (bucket < BOUNDS_N && us > bounds_us[bucket]) {
		bucket++;
	}
	add(metric, bucket, 1);
	add(metric, HISTOGRAM_SUM, (uint64_t)us);
}

static uint64_t
sum_lanes(enum metric metric, int value)
{
	uint64_t sum = 0;

	for (int i = 0; i < METRIC_LANES; i++) {
		sum += atomic_load_explicit(
		    &metrics->lanes[i].series[metric][value],
		    memory_order_relaxed);
	}
	return sum;
}

int64_t
metric_read(enum metric metric, int value)
{
	uint64_t sum = 0;

	assert((unsigned)metric < METRIC_N);
	switch (rows[metric].kind) {
	case KIND_GAUGE:
		return atomic_load_explicit(&metrics->gauges[metric],
					    memory_order_relaxed);
	case KIND_HISTOGRAM:
		for (int i = 0; i <= BOUNDS_N; i++) {
			sum += sum_lanes(metric, i);
		}
		return (int64_t)sum;
	case KIND_COUNTER:
	default:
		assert(value >= 0 && value < values_n(metric));
		return (int64_t)sum_lanes(metric, value);
	}
}

static void
write_counter(struct buf *out, enum metric metric)
{
	const struct row *row = &rows[metric];
	const char *word = row->values;

	if (word == NULL) {
		buf_printf(out, "ims_policy_%s %" PRIu64 "\n", row->name,
			   sum_lanes(metric, 0));
		return;
	}
	for (int i = 0, n = values_n(metric); i < n; i++) {
		int word_n = (int)strcspn(word, "|");

		buf_printf(out, "ims_policy_%s{%s=\"%.*s\"} %" PRIu64 "\n",
			   row->name, row->label, word_n, word,
			   sum_lanes(metric, i));
		word += word_n + 1;
	}
}

/* Microseconds as seconds, without a detour over floating point. */
static void
write_seconds(struct buf *out, uint64_t us)
{
	buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void
write_histogram(struct buf *out, enum metric metric)
{
	const char *name = rows[metric].name;
	uint64_t count = 0;

	for (int i = 0; i < BOUNDS_N; i++) {
		count += sum_lanes(metric, i);
		buf_printf(out, "ims_policy_%s_bucket{le=\"", name);
		write_seconds(out, (uint64_t)bounds_us[i]);
		buf_printf(out, "\"} %" PRIu64 "\n", count);
	}
	count += sum_lanes(metric, BOUNDS_N);
	buf_printf(out, "ims_policy_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name,
		   count);
	buf_printf(out, "ims_policy_%s_sum ", name);
	write_seconds(out, sum_lanes(metric, HISTOGRAM_SUM));
	buf_printf(out, "\nims_policy_%s_count %" PRIu64 "\n", name, count);
}

void
metric_write(struct buf *out)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };

	for (int i = 0; i < METRIC_N; i++) {
		const struct row *row = &rows[i];

		buf_printf(out, "# HELP ims_policy_%s %s\n", row->name,
			   row->help);
		buf_printf(out, "# TYPE ims_policy_%s %s\n", row->name,
			   kinds[row->kind]);
		switch (row->kind) {
		case KIND_COUNTER:
			write_counter(out, (enum metric)i);
			break;
		case KIND_GAUGE:
			buf_printf(out, "ims_policy_%s %" PRId64 "\n",
				   row->name, metric_read((enum metric)i, 0));
			break;
		case KIND_HISTOGRAM:
		default:
			write_histogram(out, (enum metric)i);
		}
	}
}
