/*
 * settle: what a report makes of a reservation.  Pure.
 *
 * Source: docs/policies.md, "Reservations".
 */
#ifndef ENGINE_SETTLE_H
#define ENGINE_SETTLE_H

#include <stdbool.h>

#include "core/catalogue.h"
#include "counter/reservation.h"
#include "engine/body.h"

struct settle {
	const struct reservation *r;
	const struct body_report *report;
	const char *report_id; /* of the report's own evaluation */
	int64_t at_us;
	bool refused; /* R was never admitted */
	/* the model that served, as far as it is told; never NULL where R
	 * has one */
	const char *model_id, *vendor_id;
	const struct model *model;    /* its entry in the catalogue, or NULL */
	int64_t cost_nanousd, tokens; /* really */
	bool missing; /* the report does not say them: R's estimate counts */
};

/* A report and all that its figures come from. */
struct settle_of {
	const struct reservation *r;
	const struct body_report *report;
	const char *report_id;
	const struct catalogue *catalogue;
	int64_t unknown_per_mil; /* the price of what has none */
	int64_t at_us;
};

/**
 * settle_make(of, out):
 * The figures: the cost that is reported; else its tokens at the prices of the
 * model that served; else nothing for a call that failed; else the estimate.
 */
void settle_make(const struct settle_of *of, struct settle *out);

/* Did the call fail, as far as the report says? */
bool settle_failed(const struct body_report *report);

/* Was another model called than the one asked for or its fallback? */
bool settle_honoured(const struct settle *settle);

/* Did another model serve than was to run? */
bool settle_moved(const struct settle *settle);

/* What the report says, but for how it is sent. */
void settle_digest(const struct body_report *report,
		   unsigned char out[RESERVATION_DIGEST_BYTES]);

/* What changes in the counters. */
struct settle_changes {
	struct counter_entry *entries; /* [n] in the arena */
	size_t n;
	bool counted;	/* they have changed; true to begin with */
	uint64_t epoch; /* of the counters */
};

/* Budgets change by the difference to what R took, leases end, rates stay. */
void settle_change(const struct settle *settle, struct arena *arena,
		   struct settle_changes *out);

#endif /* ENGINE_SETTLE_H */
