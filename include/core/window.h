/*
 * window: the calendar windows of budgets.
 *
 * Days begin at a policy's hour of UTC, or at midnight in its time zone; weeks
 * are those of ISO 8601 and begin on Monday, months on their first, both at
 * the day's own hour.  Windows are half open and follow each other without a
 * gap: where a zone leaves out its midnight (DST), the day begins with its
 * first instant; where it has it twice, with the first of the two.
 *
 * Pure.  A zone is a list of changes that policy/zone.c takes from the system.
 */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* From from_s (UTC) on, local time is UTC + offset_s. */
struct zone_change {
	int64_t from_s;
	int32_t offset_s;
};

struct zone {
	const struct zone_change *changes; /* [changes_n >= 1] ascending; the
					      first counts before it, too */
	size_t changes_n;
};

enum window_unit {
	WINDOW_MINUTE,
	WINDOW_HOUR,
	WINDOW_DAY,
	WINDOW_WEEK,
	WINDOW_MONTH,
	WINDOW_OPEN, /* no window: as long as a call is open */
	WINDOW_N
};
extern const char *const window_words[]; /* "minute", ..., NULL-terminated */

/* How long a rolling one is, in microseconds; MINUTE, HOUR or DAY. */
int64_t window_length_us(enum window_unit unit);

struct window {
	int64_t from_us, to_us; /* half open */
};

/**
 * window_calendar(unit, zone, reset_hour, at_us):
 * The calendar window that holds AT_US.
 *
 * Takes:   UNIT DAY, WEEK or MONTH; ZONE NULL: UTC, and days begin at
 *          RESET_HOUR (0 to 23); with a ZONE, RESET_HOUR is 0.
 */
struct window window_calendar(enum window_unit unit, const struct zone *zone,
			      int reset_hour, int64_t at_us);

#endif /* CORE_WINDOW_H */
