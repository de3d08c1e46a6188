#include "base/clock.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/decimal.h"

enum { US = 1000000 };

/* What four digits can say: 0000-01-01T00:00:00Z to 9999-12-31T23:59:59Z. */
#define SECONDS_FIRST INT64_C(-62167219200)
#define SECONDS_LAST INT64_C(253402300799)

static int64_t
ask(clockid_t id)
{
	struct timespec ts;
	int rc = clock_gettime(id, &ts);

	assert(rc == 0);
	return (int64_t)ts.tv_sec * US + ts.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
	return ask(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
	return ask(CLOCK_MONOTONIC);
}

void
clock_sleep_us(int64_t us)
{
	struct timespec left = { .tv_sec = us / US, .tv_nsec = us % US * 1000 };

	if (us <= 0) {
		return;
	}
	/* a signal only wakes us early, so go on with the rest */
	while (nanosleep(&left, &left) != 0 && errno == EINTR) {
	}
}

char *
clock_rfc3339(int64_t us, char out[CLOCK_TEXT_BYTES])
{
	int64_t rest = us % US;
	time_t seconds = us / US;
	struct tm tm;

	if (rest < 0) { /* before 1970 */
		rest += US;
		seconds--;
	}
	struct tm *ok = gmtime_r(&seconds, &tm);
	assert(ok != NULL);
	/* from the end to the front */
	const struct {
		char before;
		int number, width;
	} parts[] = {
		{ '.', (int)rest, 6 },	{ ':', tm.tm_sec, 2 },
		{ ':', tm.tm_min, 2 },	{ 'T', tm.tm_hour, 2 },
		{ '-', tm.tm_mday, 2 }, { '-', tm.tm_mon + 1, 2 },
	};
	char text[CLOCK_TEXT_BYTES], *end = text + sizeof(text), *at = end;

	*--at = '\0';
	*--at = 'Z';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		at = decimal_digits(at, (uint64_t)parts[i].number,
				    parts[i].width);
		*--at = parts[i].before;
	}
	at = decimal_digits(at, (uint64_t)labs(tm.tm_year + 1900L), 4);
	if (tm.tm_year < -1900) {
		*--at = '-';
	}
	memcpy(out, at, (size_t)(end - at));
	return out;
}

/* N digits and then the character END (0: nothing is looked for). */
static bool
take(const char **at, int n, char end, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*at)++) {
		if (!isdigit((unsigned char)**at)) {
			return false;
		}
		value = value * 10 + (**at - '0');
	}
	if (end != 0 && *(*at)++ != end) {
		return false;
	}
	*out = value;
	return true;
}

/* ".123456789": what is finer than a microsecond is cut off. */
static bool
take_fraction(const char **at, int64_t *us)
{
	int64_t unit = US / 10;

	*us = 0;
	if (**at != '.') {
		return true;
	}
	(*at)++;
	if (!isdigit((unsigned char)**at)) {
		return false;
	}
	for (; isdigit((unsigned char)**at); (*at)++, unit /= 10) {
		*us += unit * (**at - '0');
	}
	return true;
}

/* "Z" or "+05:30", as seconds east of UTC. */
static bool
take_offset(const char **at, int *seconds)
{
	int hours, minutes;
	char sign = *(*at)++;

	if (sign == 'Z' || sign == 'z') {
		*seconds = 0;
		return true;
	}
	if ((sign != '+' && sign != '-') || !take(at, 2, ':', &hours) ||
	    !take(at, 2, 0, &minutes) || hours > 23 || minutes > 59) {
		return false;
	}
	*seconds = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
	return true;
}

static bool
take_date(const char **at, struct tm *tm)
{
	if (!take(at, 4, '-', &tm->tm_year) || !take(at, 2, '-', &tm->tm_mon) ||
	    !take(at, 2, 0, &tm->tm_mday) || strchr("Tt ", **at) == NULL ||
	    **at == '\0') {
		return false;
	}
	(*at)++;
	return tm->tm_mon >= 1 && tm->tm_mon <= 12 && tm->tm_mday >= 1;
}

static bool
take_time(const char **at, struct tm *tm)
{
	return take(at, 2, ':', &tm->tm_hour) &&
	       take(at, 2, ':', &tm->tm_min) && take(at, 2, 0, &tm->tm_sec) &&
	       tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

bool
clock_parse(const char *text, int64_t *us)
{
	struct tm tm = { 0 };
	int64_t fraction;
	int offset;

	if (!take_date(&text, &tm) || !take_time(&text, &tm) ||
	    !take_fraction(&text, &fraction) || !take_offset(&text, &offset) ||
	    *text != '\0') {
		return false;
	}
	bool leap = tm.tm_sec == 60;
	struct tm day = { .tm_year = tm.tm_year - 1900,
			  .tm_mon = tm.tm_mon - 1,
			  .tm_mday = tm.tm_mday };
	time_t seconds = timegm(&day);
	if (day.tm_mday != tm.tm_mday) {
		return false; /* timegm made 30 February 1 March */
	}
	seconds += (tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec - offset;
	if (leap && seconds % 86400 != 0) {
		return false; /* a leap second is the last of a UTC day */
	}
	if (seconds < SECONDS_FIRST || seconds > SECONDS_LAST) {
		return false;
	}
	*us = (int64_t)seconds * US + fraction;
	return true;
}
