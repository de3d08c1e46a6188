#include "core/window.h"

#include <assert.h>

enum {
	S_US = 1000 * 1000,
	MINUTE_S = 60,
	HOUR_S = 60 * MINUTE_S,
	DAY_S = 24 * HOUR_S,
	WEEK_DAYS = 7,
	/* 1970-01-01 was a Thursday */
	EPOCH_WEEKDAY = 3,
	/* days of 400 years, and from 0000-03-01 to 1970-01-01 */
	ERA_DAYS = 146097,
	EPOCH_DAYS = 719468
};

const char *const window_words[] = { "minute", "hour", "day", "week",
				     "month",  "open", NULL };

/* Days from a day to another, as an index from 1970-01-01. */
struct days {
	int64_t first, next;
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

int64_t
window_length_us(enum window_unit unit)
{
	static const int64_t lengths_s[] = { [WINDOW_MINUTE] = MINUTE_S,
					     [WINDOW_HOUR] = HOUR_S,
					     [WINDOW_DAY] = DAY_S };

	assert(unit <= WINDOW_DAY);
	return lengths_s[unit] * S_US;
}

/* The offset of ZONE at AT_S. */
static int32_t
offset_at(const struct zone *zone, int64_t at_s)
{
	size_t i = zone->changes_n - 1;

	while (i > 0 && zone->changes[i].from_s > at_s) {
		i--;
	}
	return zone->changes[i].offset_s;
}

/*
 * The first instant at which ZONE's clocks show DAY or a later one.  Between
 * two changes local time goes on steadily, so it is the first stretch that
 * comes to midnight, or that begins later than that.
 */
static int64_t
day_begin_s(const struct zone *zone, int64_t day)
{
	for (size_t i = 0;; i++) {
		const struct zone_change *change = &zone->changes[i];
		int64_t begin_s = day * DAY_S - change->offset_s;

		if (i > 0 && begin_s < change->from_s) {
			begin_s = change->from_s;
		}
		if (i + 1 == zone->changes_n || begin_s < change[1].from_s) {
			return begin_s;
		}
	}
}

/* The day that holds AT_S.  Clocks that were put back over midnight show the
 * day before once more, but the day had begun. */
static int64_t
day_at(const struct zone *zone, int64_t at_s)
{
	int64_t day = floor_div(at_s + offset_at(zone, at_s), DAY_S);

	while (day_begin_s(zone, day + 1) <= at_s) {
		day++;
	}
	return day;
}

static struct days
week_of(int64_t day)
{
	int64_t weeks = floor_div(day + EPOCH_WEEKDAY, WEEK_DAYS);
	int64_t monday = weeks * WEEK_DAYS - EPOCH_WEEKDAY;

	return (struct days){ .first = monday, .next = monday + WEEK_DAYS };
}

/*
 * The month that holds DAY.  Years are counted from March, so that a leap day
 * is the last of its year, and the months from there on have 31, 30, 31, 30,
 * 31 days again and again: month M begins at day (153 M + 2) / 5.  Source:
 * Howard Hinnant, "chrono-compatible low-level date algorithms".
 */
static struct days
month_of(int64_t day)
{
	int64_t era = floor_div(day + EPOCH_DAYS, ERA_DAYS);
	int64_t of_era = day + EPOCH_DAYS - era * ERA_DAYS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
			of_era / (ERA_DAYS - 1)) /
		       365;
	int64_t year_days = 365 * year + year / 4 - year / 100;
	int64_t month = (5 * (of_era - year_days) + 2) / 153;
	int64_t first = year_days + (153 * month + 2) / 5;
	int64_t next = year_days + (153 * (month + 1) + 2) / 5;

	if (month == 11) { /* February ends where the year does */
		year++;
		next = 365 * year + year / 4 - year / 100 + year / 400;
	}
	int64_t shift = era * ERA_DAYS - EPOCH_DAYS;
	return (struct days){ .first = first + shift, .next = next + shift };
}

static struct days
days_of(enum window_unit unit, int64_t day)
{
	if (unit == WINDOW_WEEK) {
		return week_of(day);
	}
	if (unit == WINDOW_MONTH) {
		return month_of(day);
	}
	return (struct days){ .first = day, .next = day + 1 };
}

struct window
window_calendar(enum window_unit unit, const struct zone *zone, int reset_hour,
		int64_t at_us)
{
	assert(unit >= WINDOW_DAY && unit <= WINDOW_MONTH);
	assert(reset_hour >= 0 && reset_hour < 24);
	assert(zone == NULL || (reset_hour == 0 && zone->changes_n > 0));

	/* A day that begins at an hour of UTC is midnight's of a zone that is
	 * as many hours behind. */
	const struct zone_change behind = { .offset_s = -reset_hour * HOUR_S };
	const struct zone utc = { .changes = &behind, .changes_n = 1 };
	if (zone == NULL) {
		zone = &utc;
	}
	struct days days = days_of(unit, day_at(zone, floor_div(at_us, S_US)));
	return (struct window){
		.from_us = day_begin_s(zone, days.first) * S_US,
		.to_us = day_begin_s(zone, days.next) * S_US,
	};
}
