/*
 * clock: the time of day and RFC 3339.
 *
 * Times are microseconds since 1970-01-01T00:00:00Z in an int64_t named _us.
 * Only main, keeper, engine's callers and this file ask the clock; everybody
 * below is handed a time, so that tests have their own.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_TEXT_BYTES = 32 };

int64_t clock_now_us(void);  /* the time of day, CLOCK_REALTIME */
int64_t clock_mono_us(void); /* never goes back, CLOCK_MONOTONIC */
void clock_sleep_us(int64_t us);

/* "2026-11-23T04:44:27.123456Z" into OUT; returns OUT. */
char *clock_rfc3339(int64_t us, char out[CLOCK_TEXT_BYTES]);

/* Read RFC 3339 with any offset.  False when TEXT is not one, or is in UTC a
 * time of no year from 0000 to 9999, which could not be written again. */
bool clock_parse(const char *text, int64_t *us);

#endif /* BASE_CLOCK_H */
