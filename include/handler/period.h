/*
 * period: ?start_date=, ?end_date= and ?timezone= of an endpoint.
 *
 * A time is RFC 3339, or a date: the first instant of that day in the time
 * zone.  Room-internal.
 */
#ifndef HANDLER_PERIOD_H
#define HANDLER_PERIOD_H

#include <stdint.h>

#include "base/clock.h"
#include "http/query.h"

#define PERIOD_NAMES "start_date", "end_date", "timezone"

enum { PERIOD_ITEMS = 2 };

struct period {
	int64_t from_us, to_us; /* half open, from 1970 on */
	const char *timezone;	/* IANA's name; "UTC" where none is given */
	/* start_date and end_date as they came to be, for the link to the next
	 * page (http/page.h) */
	struct http_query_item fixed[PERIOD_ITEMS];
};

/* The period that QUERY asks for; without one, this month in UTC until now. */
void period_read(struct http_query *query, int64_t now_us, struct period *out);

#endif /* HANDLER_PERIOD_H */
