#include "handler/period.h"

#include <string.h>

#include "core/window.h"
#include "policy/zone.h"

#define HOUR_US INT64_C(3600000000)

enum { ZONE_NAME_BYTES = 64 };

/* The instant at which ZONE's day that is called the same as the one of UTC
 * that begins at UTC_US does. */
static int64_t
day_begins(const struct zone *zone, int64_t utc_us)
{
	const int64_t noon_us = utc_us + 12 * HOUR_US;
	int64_t offset_s = zone->changes[0].offset_s;

	for (size_t i = 1; i < zone->changes_n; i++) {
		if (zone->changes[i].from_s * 1000000 <= noon_us) {
			offset_s = zone->changes[i].offset_s;
		}
	}
	/* Its noon, or an hour beside it, is surely in that day. */
	return window_calendar(WINDOW_DAY, zone, 0,
			       noon_us - offset_s * 1000000)
	    .from_us;
}

static bool
is_date(const char *text)
{
	static const char form[] = "0000-00-00";

	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';
		if (form[i] == '0' ? !digit : text[i] != form[i]) {
			return false;
		}
	}
	return text[sizeof(form) - 1] == '\0';
}

static int64_t
read_time(struct http_query *query, const char *name, const char *timezone,
	  int64_t fallback_us)
{
	const char *text = http_query_text(query, name, CLOCK_TEXT_BYTES * 2);
	int64_t us = 0;

	if (text == NULL) {
		return fallback_us;
	}
	bool date = is_date(text);
	const char *whole =
	    date ? arena_printf(query->arena, "%sT00:00:00Z", text) : text;
	if (!clock_parse(whole, &us) || us < 0) {
		http_query_refuse(query, name,
				  "must be a date (2026-11-23) or a time as of "
				  "RFC 3339, from 1970 on");
		return fallback_us;
	}
	if (!date || strcmp(timezone, "UTC") == 0) {
		return us;
	}
	us = day_begins(zone_read(query->arena, timezone, us), us);
	return us < 0 ? 0 : us;
}

static const char *
read_timezone(struct http_query *query, int64_t now_us)
{
	const char *name = http_query_text(query, "timezone", ZONE_NAME_BYTES);

	if (name == NULL) {
		return "UTC";
	}
	if (zone_read(query->arena, name, now_us) == NULL) {
		http_query_refuse(query, "timezone",
				  "must be the name of a time zone, such as "
				  "Europe/Berlin");
		return "UTC";
	}
	return name;
}

static const char *
time_text(struct http_query *query, int64_t us)
{
	char text[CLOCK_TEXT_BYTES];

	return arena_strdup(query->arena, clock_rfc3339(us, text));
}

void
period_read(struct http_query *query, int64_t now_us, struct period *out)
{
	out->timezone = read_timezone(query, now_us);
	out->to_us = read_time(query, "end_date", out->timezone, now_us);
	out->from_us =
	    read_time(query, "start_date", out->timezone,
		      window_calendar(WINDOW_MONTH, NULL, 0, now_us).from_us);
	if (!query->refused && out->from_us >= out->to_us) {
		http_query_refuse(query, "start_date",
				  "must be before end_date");
	}
	out->fixed[0] =
	    (struct http_query_item){ "start_date",
				      time_text(query, out->from_us) };
	out->fixed[1] =
	    (struct http_query_item){ "end_date",
				      time_text(query, out->to_us) };
}
