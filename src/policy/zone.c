#include "policy/zone.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { S_US = 1000 * 1000, DAY_S = 24 * 60 * 60, PARTS_MAX = 3 };

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

/*
 * One to three parts by '/', of two characters at least, the first a capital
 * ("theory.html" of the IANA database).  Where it knows no name, GLib takes a
 * rule of POSIX, such as ABC5: what has no '/' may have no digit and no '+'.
 * Files beside the zones, such as `localtime`, begin with a small letter.
 */
static bool
is_name(const char *text)
{
	const char *chars = strchr(text, '/') == NULL ? UPPER LOWER "_-"
						      : UPPER LOWER
				"_-+0123456789";

	for (int part = 0; part < PARTS_MAX; part++) {
		size_t n = strspn(text, chars);

		if (n < 2 || text[0] < 'A' || text[0] > 'Z') {
			return false;
		}
		text += n;
		if (*text == '\0') {
			return true;
		}
		if (*text != '/') {
			return false;
		}
		text++;
	}
	return false;
}

static int
interval_at(GTimeZone *system, int64_t at_s)
{
	return g_time_zone_find_interval(system, G_TIME_TYPE_UNIVERSAL, at_s);
}

/* The first second of INTERVAL, which begins after LOW_S and not after
 * HIGH_S: GLib says which one holds a time, and not when one begins. */
static int64_t
interval_begin_s(GTimeZone *system, int interval, int64_t low_s, int64_t high_s)
{
	while (high_s - low_s > 1) {
		int64_t middle_s = low_s + (high_s - low_s) / 2;

		if (interval_at(system, middle_s) < interval) {
			low_s = middle_s;
		} else {
			high_s = middle_s;
		}
	}
	return high_s;
}

static const struct zone *
take_over(struct arena *arena, GTimeZone *system, int64_t from_s, int64_t to_s)
{
	int first = interval_at(system, from_s);
	int last = interval_at(system, to_s);
	struct zone *zone = arena_alloc(arena, sizeof(*zone));
	struct zone_change *changes =
	    arena_array(arena, (size_t)(last - first) + 1, sizeof(*changes));

	changes[0].from_s = from_s;
	changes[0].offset_s = g_time_zone_get_offset(system, first);
	*zone = (struct zone){ .changes = changes, .changes_n = 1 };
	for (int i = first + 1; i <= last; i++) {
		int32_t offset_s = g_time_zone_get_offset(system, i);

		/* only its name, or what it calls summer, changes */
		if (offset_s == changes[zone->changes_n - 1].offset_s) {
			continue;
		}
		changes[zone->changes_n++] = (struct zone_change){
			.from_s = interval_begin_s(system, i, from_s, to_s),
			.offset_s = offset_s,
		};
	}
	return zone;
}

const struct zone *
zone_read(struct arena *arena, const char *name, int64_t now_us)
{
	GTimeZone *system =
	    is_name(name) ? g_time_zone_new_identifier(name) : NULL;
	const int64_t now_s = now_us / S_US;

	if (system == NULL) {
		return NULL;
	}
	const struct zone *zone =
	    take_over(arena, system, now_s - (int64_t)ZONE_DAYS_BEFORE * DAY_S,
		      now_s + (int64_t)ZONE_DAYS_AFTER * DAY_S);
	g_time_zone_unref(system);
	return zone;
}
