#include "base/decimal.h"

#include <assert.h>
#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* More than any text can balance by its digits, and far from an overflow. */
#define EXPONENT_MAX INT64_C(1000000000000)

/* The parts of a number: -INT.FRACTIONeEXPONENT. */
struct parts {
	bool negative;
	const char *integer, *fraction;
	int64_t integer_n, fraction_n;
	int64_t exponent; /* kept within EXPONENT_MAX */
};

/* The length of the digits at *AT, passed over. */
static int64_t
take_digits(const char **at)
{
	const char *start = *at;

	while (isdigit((unsigned char)**at)) {
		(*at)++;
	}
	return *at - start;
}

static bool
take_exponent(const char **at, int64_t *out)
{
	bool negative = false;
	int64_t value = 0;

	*out = 0;
	if (**at != 'e' && **at != 'E') {
		return true;
	}
	(*at)++;
	if (**at == '+' || **at == '-') {
		negative = *(*at)++ == '-';
	}
	const char *start = *at;
	for (; isdigit((unsigned char)**at); (*at)++) {
		if (value < EXPONENT_MAX) {
			value = value * 10 + (**at - '0');
		}
	}
	*out = negative ? -value : value;
	return *at > start;
}

static bool
split(const char *at, struct parts *out)
{
	*out = (struct parts){ .negative = *at == '-' };
	if (out->negative) {
		at++;
	}
	out->integer = at;
	out->integer_n = take_digits(&at);
	if (out->integer_n == 0 ||
	    (*out->integer == '0' && out->integer_n > 1)) {
		return false;
	}
	if (*at == '.') {
		out->fraction = ++at;
		out->fraction_n = take_digits(&at);
		if (out->fraction_n == 0) {
			return false;
		}
	}
	return take_exponent(&at, &out->exponent) && *at == '\0';
}

/* *MAGNITUDE times ten plus DIGIT; false when that passes 2^63. */
static bool
shift_in(uint64_t *magnitude, unsigned digit)
{
	const uint64_t most = (uint64_t)1 << 63;

	if (*magnitude > (most - digit) / 10) {
		return false;
	}
	*magnitude = *magnitude * 10 + digit;
	return true;
}

/* The digits of P as an integer, the first of which counts 10^PLACE. */
static bool
accumulate(const struct parts *p, int64_t place, uint64_t *magnitude,
	   bool *inexact)
{
	*magnitude = 0;
	*inexact = false;
	for (int64_t i = 0; i < p->integer_n + p->fraction_n; i++, place--) {
		char c = i < p->integer_n ? p->integer[i]
					  : p->fraction[i - p->integer_n];

		if (place < 0) {
			*inexact = *inexact || c != '0';
		} else if (!shift_in(magnitude, (unsigned)(c - '0'))) {
			return false;
		}
	}
	for (; place >= 0 && *magnitude != 0; place--) {
		if (!shift_in(magnitude, 0)) {
			return false;
		}
	}
	return true;
}

bool
decimal_parse(const char *text, int scale, int64_t *out, bool *inexact)
{
	struct parts parts;
	uint64_t magnitude;
	bool cut;

	assert(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
	if (!split(text, &parts) ||
	    !accumulate(&parts, parts.integer_n - 1 + parts.exponent + scale,
			&magnitude, &cut) ||
	    (!parts.negative && magnitude > INT64_MAX)) {
		return false;
	}
	/* by way of -(m - 1) - 1, since -INT64_MIN is no int64_t */
	*out = !parts.negative || magnitude == 0
		   ? (int64_t)magnitude
		   : -(int64_t)(magnitude - 1) - 1;
	*inexact = cut;
	return true;
}

char *
decimal_digits(char *end, uint64_t n, int width)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";

	for (; n >= 100; n /= 100, width -= 2) {
		end -= 2;
		memcpy(end, pairs + n % 100 * 2, 2);
	}
	do {
		*--end = (char)('0' + n % 10);
		n /= 10;
		width--;
	} while (n > 0 || width > 0);
	return end;
}
