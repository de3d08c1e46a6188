#include "copy.h"

#include <assert.h>
#include <string.h>

/* The value of C as a digit of BASE, -1 where it is none. */
static int
digit(char c, int base)
{
	static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	/* strchr finds the first of two equal ones */
	int value = at == NULL ? base : (int)(at - digits) / 2;
	return value < base ? value : -1;
}

/* Up to N_MAX digits of BASE at *AT, at least one. */
static char
number(const char **at, int base, int n_max)
{
	int value = 0;

	for (int i = 0; i < n_max && digit(**at, base) >= 0; i++) {
		value = value * base + digit(*(*at)++, base);
	}
	return (char)value;
}

/* What the escape at *AT, behind its backslash, stands for. */
static char
unescape(const char **at)
{
	static const char letters[] = "bfnrtv", meant[] = "\b\f\n\r\t\v";
	char c = *(*at)++;

	assert(c != '\0' && c != '\n' && c != '\r');
	const char *letter = strchr(letters, c);
	if (letter != NULL) {
		return meant[letter - letters];
	}
	if (digit(c, 8) >= 0) {
		(*at)--;
		return number(at, 8, 3);
	}
	if (c == 'x' && digit(**at, 16) >= 0) {
		return number(at, 16, 2);
	}
	return c;
}

char
copy_field(const char **at, struct buf *out, bool *nulled)
{
	const char *start = *at;

	buf_reset(out);
	while (**at != '\t' && **at != '\n') {
		char c = *(*at)++;

		assert(c != '\0' && c != '\r');
		buf_addc(out, c == '\\' ? unescape(at) : c);
	}
	*nulled = *at - start == 2 && strncmp(start, "\\N", 2) == 0;
	return *(*at)++;
}
