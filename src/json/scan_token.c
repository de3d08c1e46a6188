/*
 * scan_token: strings and numbers, nine tenths of a body's bytes.
 */
#include "json/scan.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * The power of ten of a number's first digit up to which a double holds it,
 * and from which it never does (DBL_MAX is 1.8e308).
 */
enum { POWER_SAFE = 307, POWER_NEVER = 309 };

/* Far above what the digits of any text can balance. */
#define EXPONENT_MAX INT64_C(1000000000000)

/* What a byte can do inside a string. */
enum {
	PLAIN, /* itself */
	QUOTE,
	ESCAPE,
	CONTROL, /* 00 to 1F */
	LEAD2,	 /* begins a UTF-8 character of two, three, four bytes */
	LEAD3,
	LEAD4,
	NEVER /* continues one, or is in no UTF-8 text at all */
};

/* clang-format off */
#define X4(c) c, c, c, c
#define X16(c) X4(c), X4(c), X4(c), X4(c)
static const unsigned char classes[256] = {
	X16(CONTROL), X16(CONTROL),
	PLAIN, PLAIN, QUOTE, PLAIN, X4(PLAIN), X4(PLAIN), X4(PLAIN),
	X16(PLAIN), X16(PLAIN),
	X4(PLAIN), X4(PLAIN), X4(PLAIN), ESCAPE, PLAIN, PLAIN, PLAIN,
	X16(PLAIN), X16(PLAIN),
	X16(NEVER), X16(NEVER), X16(NEVER), X16(NEVER),
	NEVER, NEVER, LEAD2, LEAD2, X4(LEAD2), X4(LEAD2), X4(LEAD2),
	X16(LEAD2),
	X16(LEAD3),
	X4(LEAD4), LEAD4, NEVER, NEVER, NEVER, X4(NEVER), X4(NEVER),
};
#undef X4
#undef X16
/* clang-format on */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_digits(const char *at)
{
	while (is_digit(*at)) {
		at++;
	}
	return at;
}

/* Most bytes of a string are plain: eight at a time. */
static const char *
skip_plain(const char *at, const char *end)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t tops = ones << 7;

	while (end - at >= 8) {
		uint64_t w;
		memcpy(&w, at, sizeof(w));
		uint64_t quote = w ^ ones * '"';
		uint64_t escape = w ^ ones * '\\';
		/* a top bit for each byte that is over 7F, under 20 or zero */
		if (((w | (w - ones * 0x20) | (quote - ones) |
		      (escape - ones)) &
		     tops) != 0) {
			break;
		}
		at += 8;
	}
	while (classes[(unsigned char)*at] == PLAIN) {
		at++;
	}
	return at;
}

static bool
continues(const char *at)
{
	return ((unsigned char)*at & 0xC0) == 0x80;
}

/* RFC 3629, 4: the bytes of the character at AT; 0 when it is none. */
static int
utf8_n(const char *at)
{
	unsigned char first = (unsigned char)at[0];
	unsigned char second = (unsigned char)at[1];

	if (!continues(at + 1)) {
		return 0;
	}
	switch (classes[first]) {
	case LEAD2:
		return 2;
	case LEAD3:
		/* no overlong forms, no surrogates */
		return (first == 0xE0 && second < 0xA0) ||
			       (first == 0xED && second > 0x9F) ||
			       !continues(at + 2)
			   ? 0
			   : 3;
	case LEAD4:
		/* no overlong forms, nothing above U+10FFFF */
		return (first == 0xF0 && second < 0x90) ||
			       (first == 0xF4 && second > 0x8F) ||
			       !continues(at + 2) || !continues(at + 3)
			   ? 0
			   : 4;
	default:
		return 0;
	}
}

/* The value of four hex digits, or -1. */
static int
hex4(const char *at)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int c = (unsigned char)at[i];
		int lower = c | 0x20;

		if (is_digit((char)c)) {
			value = value * 16 + c - '0';
		} else if (lower >= 'a' && lower <= 'f') {
			value = value * 16 + lower - 'a' + 10;
		} else {
			return -1;
		}
	}
	return value;
}

/* \uXXXX at AT; a surrogate needs its other half. */
static bool
scan_unicode(struct scan *s, const char *at, const char **next)
{
	int unit = hex4(at + 2);

	if (unit < 0) {
		return scan_fail_expected(s, at, "\\u without four hex digits");
	}
	if (unit == 0) {
		return scan_fail(s, at, "an escaped NUL is not permitted");
	}
	*next = at + 6;
	if (unit < 0xD800 || unit > 0xDFFF) {
		return true;
	}
	int low = at[6] == '\\' && at[7] == 'u' ? hex4(at + 8) : -1;
	if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
		return scan_fail(s, at, "half of a surrogate pair");
	}
	*next = at + 12;
	return true;
}

static bool
scan_escape(struct scan *s, const char *at, const char **next)
{
	switch (at[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		*next = at + 2;
		return true;
	case 'u':
		return scan_unicode(s, at, next);
	default:
		return scan_fail_expected(s, at, "an unknown escape");
	}
}

bool
scan_string(struct scan *s)
{
	const char *at = s->at + 1;

	for (;;) {
		int n;

		at = skip_plain(at, s->end);
		switch (classes[(unsigned char)*at]) {
		case QUOTE:
			s->at = at + 1;
			return true;
		case ESCAPE:
			if (!scan_escape(s, at, &at)) {
				return false;
			}
			break;
		case CONTROL:
			return scan_fail_expected(
			    s, at, "a control character in a string");
		default:
			n = utf8_n(at);
			if (n == 0) {
				return scan_fail(s, at, "not UTF-8");
			}
			at += n;
		}
	}
}

/* Digits without sign, point and exponent: within int64_t? */
static bool
fits_integer(const char *digits, size_t n, bool negative)
{
	const char *most =
	    negative ? "9223372036854775808" : "9223372036854775807";

	return n < 19 || (n == 19 && memcmp(digits, most, 19) <= 0);
}

/* Read the exponent at *AT, kept within EXPONENT_MAX, and pass over it. */
static bool
read_exponent(const char **at, int64_t *out)
{
	bool negative = **at == '-';

	if (**at == '+' || **at == '-') {
		(*at)++;
	}
	if (!is_digit(**at)) {
		return false;
	}
	for (*out = 0; is_digit(**at); (*at)++) {
		if (*out < EXPONENT_MAX) {
			*out = *out * 10 + (**at - '0');
		}
	}
	*out = negative ? -*out : *out;
	return true;
}

/* The power of ten of the first digit that is not 0; false: there is none. */
static bool
first_power(const char *digits, const char *fraction, const char *end,
	    int64_t *out)
{
	if (*digits != '0') {
		const char *point = skip_digits(digits);

		*out = point - digits - 1;
		return true;
	}
	for (const char *at = fraction; at < end; at++) {
		if (*at != '0') {
			*out = fraction - at - 1;
			return true;
		}
	}
	return false;
}

/* After the integer part DIGITS, from START on: ".12e3" at AT. */
static bool
scan_real(struct scan *s, const char *digits, const char *at)
{
	const char *fraction = at, *fraction_end = at;
	int64_t exponent = 0, power;

	if (*at == '.') {
		fraction = at + 1;
		at = fraction_end = skip_digits(fraction);
		if (at == fraction) {
			return scan_fail_expected(s, at,
						  "no digit after the point");
		}
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		if (!read_exponent(&at, &exponent)) {
			return scan_fail_expected(s, at,
						  "no digit in the exponent");
		}
	}
	if (first_power(digits, fraction, fraction_end, &power)) {
		power += exponent;
		if (power >= POWER_NEVER ||
		    (power > POWER_SAFE && isinf(strtod(digits, NULL)))) {
			return scan_fail(s, s->at, "the number is too large");
		}
	}
	s->at = at;
	return true;
}

bool
scan_number(struct scan *s)
{
	bool negative = *s->at == '-';
	const char *digits = s->at + negative;
	const char *at = *digits == '0' ? digits + 1 : skip_digits(digits);

	if (at == digits) {
		return scan_fail_expected(s, at, "no digit after the minus");
	}
	if (is_digit(*at)) {
		return scan_fail(s, s->at, "a number with a leading zero");
	}
	if (*at == '.' || *at == 'e' || *at == 'E') {
		return scan_real(s, digits, at);
	}
	if (!fits_integer(digits, (size_t)(at - digits), negative)) {
		return scan_fail(s, s->at,
				 "the integer does not fit into 64 bits");
	}
	s->at = at;
	return true;
}

/* The UTF-8 of a character that was written as an escape. */
static size_t
put_utf8(int c, char *out)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3F));
		c >>= 6;
	}
	out[0] = (char)(leads[n] | c);
	return n;
}

size_t
scan_unescape(const char *raw, size_t n, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *end = raw + n;
	size_t at = 0;

	while (raw < end) {
		if (*raw != '\\') {
			out[at++] = *raw++;
			continue;
		}
		if (raw[1] != 'u') {
			const char *hit = strchr(from, raw[1]);
			out[at++] = hit == NULL ? raw[1] : to[hit - from];
			raw += 2;
			continue;
		}
		int c = hex4(raw + 2);
		raw += 6;
		if (c >= 0xD800 && c <= 0xDFFF) {
			c = 0x10000 + ((c & 0x3FF) << 10) +
			    (hex4(raw + 2) & 0x3FF);
			raw += 6;
		}
		at += put_utf8(c, out + at);
	}
	return at;
}
