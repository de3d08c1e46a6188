#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_BYTES = 512 };

static bool
differ(const struct json *expected, const struct json *got, const char *place,
       struct buf *complaint)
{
	buf_printf(complaint, "%s: expected %s", place, json_text(expected));
	buf_printf(complaint, ", found %s\n",
		   got == NULL ? "nothing" : json_text(got));
	return false;
}

static bool
same_scalar(const struct json *a, const struct json *b)
{
	double x, y;

	if (json_type(a) != json_type(b)) {
		return false;
	}
	if (json_type(a) == JSON_NUMBER) {
		return json_double(a, -INFINITY, INFINITY, &x, NULL) ==
			   STATUS_OK &&
		       json_double(b, -INFINITY, INFINITY, &y, NULL) ==
			   STATUS_OK &&
		       !(x < y) && !(x > y);
	}
	return strcmp(json_text(a), json_text(b)) == 0;
}

static bool
compare_members(const struct json *expected, const struct json *got,
		const char *place, struct buf *complaint)
{
	struct json_iter iter = { 0 };
	struct json want, have;
	bool same = true;

	while (json_next(expected, &iter, &want)) {
		char inner[PLACE_BYTES];

		snprintf(inner, sizeof(inner), "%s/%s", place, want.key);
		bool there = json_get(got, want.key, &have);
		same &= compare(&want, there ? &have : NULL, inner, complaint);
	}
	return same;
}

static bool
compare_items(const struct json *expected, const struct json *got,
	      const char *place, struct buf *complaint)
{
	bool same = true;

	if (json_n(expected) != json_n(got)) {
		return differ(expected, got, place, complaint);
	}
	for (size_t i = 0; i < json_n(expected); i++) {
		struct json want = json_item(expected, i);
		struct json have = json_item(got, i);
		char inner[PLACE_BYTES];

		snprintf(inner, sizeof(inner), "%s/%zu", place, i);
		same &= compare(&want, &have, inner, complaint);
	}
	return same;
}

/* Each of the items of CONTAINED matches one of GOT's. */
static bool
compare_contained(const struct json *contained, const struct json *got,
		  const char *place, struct buf *complaint)
{
	struct buf ignored = { 0 };
	bool same = json_type(contained) == JSON_ARRAY && json_n(contained) > 0;

	for (size_t i = 0; same && i < json_n(contained); i++) {
		struct json want = json_item(contained, i);
		bool found = false;

		for (size_t j = 0; !found && j < json_n(got); j++) {
			struct json have = json_item(got, j);
			found = compare(&want, &have, "", &ignored);
		}
		same &= found;
	}
	buf_fini(&ignored);
	return same || differ(contained, got, place, complaint);
}

bool
compare(const struct json *expected, const struct json *got, const char *place,
	struct buf *complaint)
{
	struct json contained;

	if (json_type(expected) == JSON_NULL) {
		return got == NULL || json_type(got) == JSON_NULL ||
		       differ(expected, got, place, complaint);
	}
	if (got == NULL) {
		return differ(expected, got, place, complaint);
	}
	if (json_type(expected) == JSON_OBJECT &&
	    json_type(got) == JSON_ARRAY &&
	    json_get(expected, "contains", &contained)) {
		return compare_contained(&contained, got, place, complaint);
	}
	if (json_type(expected) == JSON_OBJECT &&
	    json_type(got) == JSON_OBJECT) {
		return compare_members(expected, got, place, complaint);
	}
	if (json_type(expected) == JSON_ARRAY && json_type(got) == JSON_ARRAY) {
		return compare_items(expected, got, place, complaint);
	}
	return same_scalar(expected, got) ||
	       differ(expected, got, place, complaint);
}
