#include "base/money.h"

#include <assert.h>
#include <string.h>

#include "base/decimal.h"

enum { DIGITS = 9, PER_MIL = 1000000 };

__extension__ typedef unsigned __int128 wide;

bool
money_parse(const char *text, int64_t *nanousd)
{
	int64_t value;
	bool inexact;

	if (!decimal_parse(text, DIGITS, &value, &inexact)) {
		return false;
	}
	if (!inexact) {
		*nanousd = value;
		return true;
	}
	/* a value that was cut to 0 has lost its sign */
	bool negative = text[0] == '-';
	if (value == (negative ? INT64_MIN : INT64_MAX)) {
		return false;
	}
	*nanousd = negative ? value - 1 : value + 1;
	return true;
}

char *
money_text(int64_t nanousd, char out[MONEY_TEXT_BYTES])
{
	uint64_t all = nanousd < 0 ? -(uint64_t)nanousd : (uint64_t)nanousd;
	uint64_t rest = all % (uint64_t)MONEY_ONE_USD;
	char text[MONEY_TEXT_BYTES], *end = text + sizeof(text) - 1, *at = end;
	int width = DIGITS;

	*end = '\0';
	for (; rest != 0 && rest % 10 == 0; rest /= 10) {
		width--;
	}
	if (rest != 0) {
		at = decimal_digits(at, rest, width);
		*--at = '.';
	}
	at = decimal_digits(at, all / (uint64_t)MONEY_ONE_USD, 1);
	if (nanousd < 0) {
		*--at = '-';
	}
	memcpy(out, at, (size_t)(end - at) + 1);
	return out;
}

int64_t
money_of_tokens(int64_t tokens, int64_t per_mil)
{
	assert(tokens >= 0 && per_mil >= 0);
	wide cost = ((wide)tokens * (wide)per_mil + (PER_MIL - 1)) / PER_MIL;

	return cost > INT64_MAX ? INT64_MAX : (int64_t)cost;
}

int64_t
money_add(int64_t a, int64_t b)
{
	assert(a >= 0 && b >= 0);
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}
