/*
 * zone: time zones, from the system's copy of the IANA database.
 *
 * The door to GLib, which reads it.  A zone is taken over as the changes of
 * its offset around a time, since what a snapshot holds must be the same for
 * every process that maps it.
 */
#ifndef POLICY_ZONE_H
#define POLICY_ZONE_H

#include <stdint.h>

#include "base/arena.h"
#include "core/window.h"

/* How long before and after its now a zone is known.  Beyond that its first
 * and last offset go on. */
enum { ZONE_DAYS_BEFORE = 400, ZONE_DAYS_AFTER = 1100 };

/**
 * zone_read(arena, name, now_us):
 * The zone NAME, such as Europe/Berlin, around NOW_US.
 *
 * Gives:   its memory in ARENA.
 * Returns: NULL: the system knows no zone of that name.  Names of files
 *          outside of the database, offsets and rules are no names.
 */
const struct zone *zone_read(struct arena *arena, const char *name,
			     int64_t now_us);

#endif /* POLICY_ZONE_H */
