#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* A line of at most PIPE_BUF goes through a pipe in one piece. */
enum { MESSAGE_BYTES = 2048, LINE_BYTES = 4096, NAME_BYTES = 32 };

static char process_name[NAME_BYTES] = "ims-policy";
static _Atomic int least = LOG_INFO;

void
log_open(const char *name, enum log_level level)
{
	snprintf(process_name, sizeof(process_name), "%s", name);
	least = (int)level;
}

/*
 * How many bytes at AT a terminal would obey: those of ASCII's control
 * characters, of Unicode's C1 (C2 80 to C2 9F), or a C1 byte on its own.
 */
static size_t
harmful_n(const unsigned char *at, unsigned char before)
{
	if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
		return 2;
	}
	return at[0] < 0x20 || at[0] == 0x7f ||
	       (at[0] >= 0x80 && at[0] < 0xa0 && before < 0x80);
}

/* TEXT at the end of LINE as far as it fits, one byte left for the newline. */
static size_t
append_escaped(char *line, size_t n, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *at = (const unsigned char *)text;
	unsigned char before = 0;
	size_t harmful = 0;

	for (; *at != '\0'; at++) {
		if (n + 5 > LINE_BYTES) {
			break;
		}
		if (harmful == 0) {
			harmful = harmful_n(at, before);
		}
		if (harmful == 0) {
			before = *at;
			line[n++] = (char)*at;
			continue;
		}
		before = 0;
		harmful--;
		line[n++] = '\\';
		line[n++] = 'x';
		line[n++] = hex[*at >> 4];
		line[n++] = hex[*at & 0xf];
	}
	return n;
}

void
log_at(enum log_level level, const char *format, ...)
{
	static const char *const words[] = { "debug", "info", "warning",
					     "error" };
	int saved_errno = errno;
	char message[MESSAGE_BYTES], line[LINE_BYTES], time[CLOCK_TEXT_BYTES];
	va_list args;

	assert(level >= LOG_DEBUG && level <= LOG_ERROR);
	if ((int)level < least) {
		return;
	}
	va_start(args, format);
	int n = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	assert(n >= 0);
	if ((size_t)n >= sizeof(message)) {
		memcpy(message + sizeof(message) - 4, "...", 4);
	}

	n = snprintf(line, sizeof(line), "%s %s %s[%d] ",
		     clock_rfc3339(clock_now_us(), time), words[level],
		     process_name, (int)getpid());
	assert(n > 0 && (size_t)n < sizeof(line));
	size_t len = append_escaped(line, (size_t)n, message);
	line[len++] = '\n';
	/* nobody is left who could be told that this failed */
	ssize_t ignored = write(STDERR_FILENO, line, len);
	(void)ignored;
	errno = saved_errno;
}
