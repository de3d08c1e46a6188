/*
 * value: the typed half of json/read.h.
 *
 * Numbers are read from the digits that were written (base/decimal.h): json-c
 * keeps those of a double beside it, and an integer is one already.
 */
#include "json/read.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/money.h"
#include "json/json_c.h"

enum status
json_refuse(const struct json *at, struct err *err, const char *format, ...)
{
	char pointer[ERR_POINTER_BYTES], detail[ERR_TEXT_BYTES * 2];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	assert(n >= 0);
	return err_at(err, STATUS_BODY,
		      json_pointer(at, pointer, sizeof(pointer)), "%s", detail);
}

enum status
json_expect(const struct json *at, enum json_type type, struct err *err)
{
	if (json_type(at) == type) {
		return STATUS_OK;
	}
	return json_refuse(at, err, "expected %s, found %s",
			   json_type_name(type), json_type_name(json_type(at)));
}

enum status
json_string(const struct json *at, const char **out, struct err *err)
{
	enum status status = json_expect(at, JSON_STRING, err);

	if (status == STATUS_OK) {
		*out = json_object_get_string(at->value);
	}
	return status;
}

enum status
json_string_max(const struct json *at, size_t bytes_max, const char **out,
		struct err *err)
{
	enum status status = json_expect(at, JSON_STRING, err);

	if (status != STATUS_OK) {
		return status;
	}
	if ((size_t)json_object_get_string_len(at->value) > bytes_max) {
		return json_refuse(at, err, "expected at most %zu bytes",
				   bytes_max);
	}
	*out = json_object_get_string(at->value);
	return STATUS_OK;
}

enum status
json_bool(const struct json *at, bool *out, struct err *err)
{
	enum status status = json_expect(at, JSON_BOOL, err);

	if (status == STATUS_OK) {
		*out = json_object_get_boolean(at->value);
	}
	return status;
}

static bool
is_integer(const struct json *at)
{
	return json_object_is_type(at->value, json_type_int);
}

/* The digits of a double as they were written. */
static const char *
digits(const struct json *at)
{
	const char *text = json_object_get_userdata(at->value);

	assert(text != NULL);
	return text;
}

enum status
json_int(const struct json *at, int64_t low, int64_t high, int64_t *out,
	 struct err *err)
{
	int64_t value;
	bool inexact = false;
	enum status status = json_expect(at, JSON_NUMBER, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (is_integer(at)) {
		value = json_object_get_int64(at->value);
	} else if (!decimal_parse(digits(at), 0, &value, &inexact)) {
		return json_refuse(
		    at, err, "expected an integer from %" PRId64 " to %" PRId64,
		    low, high);
	}
	if (inexact || value < low || value > high) {
		return json_refuse(
		    at, err, "expected an integer from %" PRId64 " to %" PRId64,
		    low, high);
	}
	*out = value;
	return STATUS_OK;
}

enum status
json_double(const struct json *at, double low, double high, double *out,
	    struct err *err)
{
	enum status status = json_expect(at, JSON_NUMBER, err);

	if (status != STATUS_OK) {
		return status;
	}
	double value = json_object_get_double(at->value);
	if (!(value >= low && value <= high)) {
		return json_refuse(at, err, "expected a number from %g to %g",
				   low, high);
	}
	*out = value;
	return STATUS_OK;
}

/* False when it does not fit. */
static bool
read_money(const struct json *at, int64_t *nanousd)
{
	if (!is_integer(at)) {
		return money_parse(digits(at), nanousd);
	}
	return !__builtin_mul_overflow(json_object_get_int64(at->value),
				       MONEY_ONE_USD, nanousd);
}

enum status
json_money(const struct json *at, int64_t high, int64_t *nanousd,
	   struct err *err)
{
	int64_t value;
	enum status status = json_expect(at, JSON_NUMBER, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (!read_money(at, &value) || value < 0 || value > high) {
		char text[MONEY_TEXT_BYTES];

		return json_refuse(at, err, "expected dollars from 0 to %s",
				   money_text(high, text));
	}
	*nanousd = value;
	return STATUS_OK;
}

/* "a, b or c" of WORDS. */
static enum status
refuse_word(const struct json *at, const char *const *words, struct err *err)
{
	char list[ERR_TEXT_BYTES] = "";
	size_t n = 0;

	for (size_t i = 0; words[i] != NULL && n < sizeof(list); i++) {
		const char *between = i == 0		     ? ""
				      : words[i + 1] != NULL ? ", "
							     : " or ";
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s",
				      between, words[i]);
	}
	return json_refuse(at, err, "expected %s", list);
}

enum status
json_word(const struct json *at, const char *const *words, int *out,
	  struct err *err)
{
	const char *text;
	enum status status = json_string(at, &text, err);

	if (status != STATUS_OK) {
		return status;
	}
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return STATUS_OK;
		}
	}
	return refuse_word(at, words, err);
}

enum status
json_strings(const struct json *at, struct arena *arena, const char ***out,
	     size_t *n, struct err *err)
{
	enum status status = json_expect(at, JSON_ARRAY, err);

	if (status != STATUS_OK) {
		return status;
	}
	size_t items = json_n(at);
	const char **list = arena_array(arena, items, sizeof(*list));
	for (size_t i = 0; i < items; i++) {
		struct json item = json_item(at, i);
		enum status one = json_string(&item, &list[i], err);
		if (one != STATUS_OK) {
			status = one; /* and on, to name each wrong one */
		}
	}
	if (status == STATUS_OK) {
		*out = list;
		*n = items;
	}
	return status;
}
