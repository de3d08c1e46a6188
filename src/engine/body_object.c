#include "engine/body_field.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
body_field_ignore(struct body_reading *r, const char *name)
{
	struct body *body = r->body;

	body->ignored = arena_grow(r->arena, body->ignored, body->ignored_n,
				   &r->ignored_cap, sizeof(*body->ignored));
	body->ignored[body->ignored_n++] = name;
}

static enum status
read_tag(struct body_reading *r, const struct json *at, struct tag *out)
{
	enum status status;

	if (strlen(at->key) > BODY_TEXT_MAX) {
		return json_refuse(at, r->err,
				   "a tag's name has more than %d bytes",
				   BODY_TEXT_MAX);
	}
	out->name = at->key;
	switch (json_type(at)) {
	case JSON_STRING:
		out->type = FACT_TYPE_TEXT;
		return json_string_max(at, BODY_TEXT_MAX, &out->value.text,
				       r->err);
	case JSON_BOOL:
		out->type = FACT_TYPE_FLAG;
		return json_bool(at, &out->value.flag, r->err);
	case JSON_NUMBER:
		out->type = FACT_TYPE_RATIO;
		status = json_double(at, -INFINITY, INFINITY, &out->value.ratio,
				     r->err);
		return status;
	default:
		return json_refuse(at, r->err,
				   "expected a string, a number or a boolean, "
				   "found %s",
				   json_type_name(json_type(at)));
	}
}

static int
compare_tags(const void *a, const void *b)
{
	return strcmp(((const struct tag *)a)->name,
		      ((const struct tag *)b)->name);
}

enum status
body_field_TAGS(struct body_reading *r, const struct body_field *field,
		const struct json *at)
{
	struct json_iter iter = { 0 };
	struct json member;
	enum status status = json_expect(at, JSON_OBJECT, r->err);

	(void)field;
	if (status != STATUS_OK) {
		return status;
	}
	if (json_n(at) > BODY_TAGS_MAX) {
		return json_refuse(at, r->err, "more than %d tags",
				   BODY_TAGS_MAX);
	}
	struct body *body = r->body;
	body->tags = arena_array(r->arena, json_n(at), sizeof(*body->tags));
	while (json_next(at, &iter, &member)) {
		enum status one =
		    read_tag(r, &member, &body->tags[body->tags_n++]);
		status = one != STATUS_OK ? one : status;
	}
	if (status == STATUS_OK && body->tags_n > 0) {
		qsort(body->tags, body->tags_n, sizeof(*body->tags),
		      compare_tags);
	}
	return status;
}

enum status
body_field_members(struct body_reading *r, const struct json *at,
		   body_member_fn *read)
{
	struct json_iter iter = { 0 };
	struct json member;
	enum status status = json_expect(at, JSON_OBJECT, r->err);

	if (status != STATUS_OK) {
		return status;
	}
	while (json_next(at, &iter, &member)) {
		enum status one = read(r, &member);
		status = one != STATUS_OK ? one : status;
	}
	return status;
}

static enum status
read_requirement(struct body_reading *r, const struct json *at)
{
	static const struct {
		const char *name;
		uint32_t feature;
	} features[] = {
		{ "function_calling", FEATURE_FUNCTION_CALLING },
		{ "vision", FEATURE_VISION },
		{ "reasoning", FEATURE_REASONING },
	};
	struct requirements *requires = &r->body->requires;

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (strcmp(at->key, features[i].name) == 0) {
			bool wanted = false;
			enum status status = json_bool(at, &wanted, r->err);
			if (wanted) {
				requires->features |= features[i].feature;
			}
			return status;
		}
	}
	if (strcmp(at->key, "context_tokens") == 0) {
		return json_int(at, 0, INT64_C(1000000000000),
				&requires->context_tokens, r->err);
	}
	body_field_ignore(r, arena_printf(r->arena, "requires.%s", at->key));
	return STATUS_OK;
}

enum status
body_field_REQUIRES(struct body_reading *r, const struct body_field *field,
		    const struct json *at)
{
	(void)field;
	return body_field_members(r, at, read_requirement);
}

static enum status
read_names(struct body_reading *r, const struct json *at)
{
	struct body *body = r->body;
	enum status status = STATUS_OK;

	if (json_n(at) > BODY_BYPASS_MAX) {
		return json_refuse(at, r->err, "more than %d names",
				   BODY_BYPASS_MAX);
	}
	body->bypass = arena_array(r->arena, json_n(at), sizeof(char *));
	for (size_t i = 0; i < json_n(at); i++) {
		struct json name = json_item(at, i);
		enum status one = json_string_max(&name, BODY_TEXT_MAX,
						  &body->bypass[i], r->err);
		status = one != STATUS_OK ? one : status;
	}
	body->bypass_n = json_n(at);
	return status;
}

enum status
body_field_BYPASS(struct body_reading *r, const struct body_field *field,
		  const struct json *at)
{
	(void)field;
	switch (json_type(at)) {
	case JSON_BOOL:
		return json_bool(at, &r->body->bypass_all, r->err);
	case JSON_ARRAY:
		return read_names(r, at);
	default:
		return json_refuse(at, r->err,
				   "expected true, false or an array of names, "
				   "found %s",
				   json_type_name(json_type(at)));
	}
}
