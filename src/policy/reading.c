#include "policy/reading.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/money.h"

bool
reading_ok(struct reading *r, enum status status)
{
	if (status != STATUS_OK) {
		r->bad = true;
	}
	return status == STATUS_OK;
}

bool
reading_refuse(struct reading *r, const struct json *at, const char *format,
	       ...)
{
	char text[ERR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return reading_ok(r, json_refuse(at, r->err, "%s", text));
}

bool
reading_refuse_member(struct reading *r, const struct json *at,
		      const char *name, const char *why)
{
	struct json member = { .up = at, .key = name };

	return reading_refuse(r, &member, "%s", why);
}

/* The first control character of TEXT that ALLOWED does not hold, or NULL. */
static const char *
control_character(const char *text, const char *allowed)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < 0x20 || c == 0x7f) && strchr(allowed, c) == NULL) {
			return text;
		}
	}
	return NULL;
}

static bool
read_text(struct reading *r, const struct json *at, int64_t low, int64_t high,
	  const char *allowed, const char **out)
{
	const char *text;

	if (!reading_ok(r, json_string_max(at, (size_t)high, &text, r->err))) {
		return false;
	}
	if ((int64_t)strlen(text) < low) {
		return reading_refuse(r, at, "must not be empty");
	}
	if (control_character(text, allowed) != NULL) {
		return reading_refuse(r, at,
				      "must not hold control characters");
	}
	*out = text;
	return true;
}

bool
reading_text(struct reading *r, const struct json *at, int64_t low,
	     int64_t high, const char **out)
{
	return read_text(r, at, low, high, "", out);
}

bool
reading_time(struct reading *r, const struct json *at, int64_t *us)
{
	const char *text;

	if (!reading_ok(r, json_string(at, &text, r->err))) {
		return false;
	}
	if (!clock_parse(text, us)) {
		return reading_refuse(r, at, "expected a time (RFC 3339)");
	}
	return true;
}

bool
reading_texts(struct reading *r, const struct json *at, int64_t bytes_max,
	      size_t items_max, const char *const **out, size_t *n)
{
	bool good = true;

	if (!reading_ok(r, json_expect(at, JSON_ARRAY, r->err))) {
		return false;
	}
	size_t items_n = json_n(at);
	if (items_n > items_max) {
		return reading_refuse(r, at, "has more than %zu elements",
				      items_max);
	}
	const char **texts = arena_array(r->arena, items_n, sizeof(*texts));
	for (size_t i = 0; i < items_n; i++) {
		struct json item = json_item(at, i);

		good &= reading_text(r, &item, 1, bytes_max, &texts[i]);
	}
	if (good) {
		*out = texts;
		*n = items_n;
	}
	return good;
}

static void
read_lower(struct reading *r, const struct json *at,
	   const struct reading_field *field, void *place)
{
	const char *text = NULL;

	if (reading_text(r, at, field->low, field->high, &text)) {
		text = arena_lower(r->arena, text);
		memcpy(place, &text, sizeof(text));
	}
}

static void
read_number(struct reading *r, const struct json *at,
	    const struct reading_field *field, void *place)
{
	int64_t number;

	if (!reading_ok(
		r, json_int(at, field->low, field->high, &number, r->err))) {
		return;
	}
	if (field->kind == READING_COUNT) {
		memcpy(place, &number, sizeof(number));
	} else {
		int small = (int)number;
		memcpy(place, &small, sizeof(small));
	}
}

/* The one switch over kinds; each arm writes only what is good. */
static void
read_field(struct reading *r, const struct json *at,
	   const struct reading_field *field, void *out)
{
	void *place = (char *)out + field->offset;
	int word;

	switch (field->kind) {
	case READING_TEXT:
		(void)reading_text(r, at, field->low, field->high, place);
		break;
	case READING_LOWER:
		read_lower(r, at, field, place);
		break;
	case READING_PROSE:
		(void)read_text(r, at, field->low, field->high, "\n\t\r",
				place);
		break;
	case READING_FLAG:
		(void)reading_ok(r, json_bool(at, place, r->err));
		break;
	case READING_INT:
	case READING_COUNT:
		read_number(r, at, field, place);
		break;
	case READING_WORD:
		if (reading_ok(r, json_word(at, field->words, &word, r->err))) {
			memcpy(place, &word, sizeof(word));
		}
		break;
	case READING_TIME:
		(void)reading_time(r, at, place);
		break;
	case READING_PRICE:
		(void)reading_ok(r, json_money(at, field->high * MONEY_ONE_USD,
					       place, r->err));
		break;
	case READING_PLACE:
		memcpy(place, at, sizeof(*at));
		break;
	case READING_BY:
		field->read(r, at, out);
		break;
	}
}

static const struct reading_field *
find_field(const struct reading_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(fields[i].name, name) == 0) {
			return &fields[i];
		}
	}
	return NULL;
}

bool
reading_object(struct reading *r, const struct json *at,
	       const struct reading_field *fields, size_t n, void *out)
{
	bool was_bad = r->bad;
	struct json_iter iter = { 0 };
	struct json member;

	if (!reading_ok(r, json_expect(at, JSON_OBJECT, r->err))) {
		return false;
	}
	r->bad = false;
	while (json_next(at, &iter, &member)) {
		const struct reading_field *field =
		    find_field(fields, n, member.key);

		if (field == NULL) {
			(void)reading_refuse(r, &member, "unknown field");
		} else if (json_type(&member) != JSON_NULL) {
			read_field(r, &member, field, out);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (fields[i].required &&
		    (!json_get(at, fields[i].name, &member) ||
		     json_type(&member) == JSON_NULL)) {
			(void)reading_refuse_member(r, at, fields[i].name,
						    "is required");
		}
	}
	bool good = !r->bad;
	r->bad |= was_bad;
	return good;
}

size_t
reading_rows(struct reading *r, const struct json *at,
	     const struct reading_field *fields, size_t n, const void *fallback,
	     size_t size, void **out)
{
	if (json_type(at) != JSON_NULL &&
	    !reading_ok(r, json_expect(at, JSON_ARRAY, r->err))) {
		*out = NULL;
		return 0;
	}
	size_t rows_n = json_n(at);
	char *rows = arena_array(r->arena, rows_n, size);
	/* kept, since a READING_PLACE knows its way up */
	struct json *places = arena_array(r->arena, rows_n, sizeof(*places));

	for (size_t i = 0; i < rows_n; i++) {
		places[i] = json_item(at, i);
		memcpy(rows + i * size, fallback, size);
		(void)reading_object(r, &places[i], fields, n, rows + i * size);
	}
	*out = rows;
	return rows_n;
}

struct sorting {
	const char *rows;
	size_t size;
	reading_order *order;
};

/* Rows that are equal stay in the order of the document. */
static int
compare_places(const void *a, const void *b, void *arg)
{
	const struct sorting *sorting = arg;
	const size_t *x = a, *y = b;
	int order = sorting->order(sorting->rows + *x * sorting->size,
				   sorting->rows + *y * sorting->size);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

void
reading_sort(struct reading *r, const struct json *at, void *rows, size_t n,
	     size_t size, reading_order *order)
{
	if (n == 0) {
		return;
	}
	char *copy = arena_array(r->arena, n, size);
	size_t *places = arena_array(r->arena, n, sizeof(*places));
	struct sorting sorting = { copy, size, order };

	memcpy(copy, rows, n * size);
	for (size_t i = 0; i < n; i++) {
		places[i] = i;
	}
	qsort_r(places, n, sizeof(*places), compare_places, &sorting);
	for (size_t i = 0; i < n; i++) {
		memcpy((char *)rows + i * size, copy + places[i] * size, size);
		if (i > 0 && order(copy + places[i - 1] * size,
				   copy + places[i] * size) == 0) {
			struct json row = json_item(at, places[i]);

			(void)reading_refuse(r, &row,
					     "is there already as element %zu",
					     places[i - 1]);
		}
	}
}
