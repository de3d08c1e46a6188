#include "engine/body.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/money.h"

/* What a reader works on: one body. */
struct reading {
	struct arena *arena;
	struct body *body;
	struct err *err;
	size_t ignored_cap;
};

struct field;
typedef enum status read_fn(struct reading *r, const struct field *field,
			    const struct json *at);

struct field {
	const char *name;
	read_fn *read;
	double low, high;
	enum fact_id fact; /* FACT_N: none */
	bool own;
};

static read_fn read_TEXT, read_COUNT, read_MONEY, read_RATIO, read_FLAG,
    read_STAGE, read_ENVIRONMENT, read_EXPLAIN, read_PROMPT, read_SYSTEM,
    read_MESSAGES, read_TAGS, read_REQUIRES, read_BYPASS;

static const struct field fields[] = {
#define FIELD(name, reader, low, high, fact, word, doc) \
	{ #name, read_##reader, low, high, FACT_##fact, WORD_##word },
#define WORD_OWN true
#define WORD_CLAIM false
#include "engine/field.tbl.h"
#undef WORD_OWN
#undef WORD_CLAIM
#undef FIELD
};

enum { FIELDS_N = sizeof(fields) / sizeof(fields[0]) };

static const struct field *
field_find(const char *name)
{
	for (size_t i = 0; i < FIELDS_N; i++) {
		if (fields[i].name[0] == name[0] &&
		    strcmp(fields[i].name, name) == 0) {
			return &fields[i];
		}
	}
	return NULL;
}

bool
body_own(enum fact_id fact)
{
	for (size_t i = 0; i < FIELDS_N; i++) {
		if (fields[i].fact == fact) {
			return fields[i].own;
		}
	}
	return false;
}

/* --- facts ---------------------------------------------------------------- */

static void
say(struct reading *r, const struct field *field, union value value)
{
	r->body->said[field->fact] = true;
	r->body->values[field->fact] = value;
}

static enum status
read_TEXT(struct reading *r, const struct field *field, const struct json *at)
{
	const char *text;
	enum status status =
	    json_string_max(at, (size_t)field->high, &text, r->err);

	if (status != STATUS_OK) {
		return status;
	}
	if (strlen(text) < (size_t)field->low) {
		return json_refuse(at, r->err, "must not be empty");
	}
	/* An empty id would be a subject of its own, which nobody meant. */
	if (text[0] != '\0') {
		say(r, field, (union value){ .text = text });
	}
	return STATUS_OK;
}

static enum status
read_COUNT(struct reading *r, const struct field *field, const struct json *at)
{
	int64_t n;
	enum status status =
	    json_int(at, (int64_t)field->low, (int64_t)field->high, &n, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .number = n });
	}
	return status;
}

static enum status
read_MONEY(struct reading *r, const struct field *field, const struct json *at)
{
	int64_t nanousd;
	enum status status = json_money(
	    at, (int64_t)field->high * MONEY_ONE_USD, &nanousd, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .number = nanousd });
	}
	return status;
}

static enum status
read_RATIO(struct reading *r, const struct field *field, const struct json *at)
{
	double ratio;
	enum status status =
	    json_double(at, field->low, field->high, &ratio, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .ratio = ratio });
	}
	return status;
}

static enum status
read_FLAG(struct reading *r, const struct field *field, const struct json *at)
{
	bool flag;
	enum status status = json_bool(at, &flag, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .flag = flag });
	}
	return status;
}

/* --- words ---------------------------------------------------------------- */

static enum status
read_STAGE(struct reading *r, const struct field *field, const struct json *at)
{
	int stage;
	enum status status = json_word(at, stage_words, &stage, r->err);

	(void)field;
	if (status != STATUS_OK) {
		return status;
	}
	if (stage == STAGE_CONTINUOUS) {
		return json_refuse(at, r->err,
				   "continuous policies run by the clock, no "
				   "caller can ask for them");
	}
	r->body->stage = (enum stage)stage;
	return STATUS_OK;
}

static enum status
read_ENVIRONMENT(struct reading *r, const struct field *field,
		 const struct json *at)
{
	static const char *const words[] = { "production", "staging",
					     "development", NULL };
	int word;
	enum status status = json_word(at, words, &word, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .text = words[word] });
	}
	return status;
}

static enum status
read_EXPLAIN(struct reading *r, const struct field *field,
	     const struct json *at)
{
	static const char *const words[] = { "brief", "full", NULL };
	int word;
	enum status status = json_word(at, words, &word, r->err);

	(void)field;
	if (status == STATUS_OK) {
		r->body->explain = (enum explain)word;
	}
	return status;
}

/* --- text ----------------------------------------------------------------- */

static enum status
read_PROMPT(struct reading *r, const struct field *field, const struct json *at)
{
	(void)field;
	return body_text_read(&r->body->texts, r->arena, BODY_TEXT_PROMPT, at,
			      r->err);
}

static enum status
read_SYSTEM(struct reading *r, const struct field *field, const struct json *at)
{
	(void)field;
	return body_text_read(&r->body->texts, r->arena, BODY_TEXT_SYSTEM, at,
			      r->err);
}

static enum status
read_MESSAGES(struct reading *r, const struct field *field,
	      const struct json *at)
{
	(void)field;
	return body_text_messages(&r->body->texts, r->arena, at, r->err);
}

/* --- objects and wishes --------------------------------------------------- */

static void
ignore(struct reading *r, const char *name)
{
	struct body *body = r->body;

	body->ignored = arena_grow(r->arena, body->ignored, body->ignored_n,
				   &r->ignored_cap, sizeof(*body->ignored));
	body->ignored[body->ignored_n++] = name;
}

static enum status
read_tag(struct reading *r, const struct json *at, struct tag *out)
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

static enum status
read_TAGS(struct reading *r, const struct field *field, const struct json *at)
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

static enum status
read_requirement(struct reading *r, const struct json *at)
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
	ignore(r, arena_printf(r->arena, "requires.%s", at->key));
	return STATUS_OK;
}

static enum status
read_REQUIRES(struct reading *r, const struct field *field,
	      const struct json *at)
{
	struct json_iter iter = { 0 };
	struct json member;
	enum status status = json_expect(at, JSON_OBJECT, r->err);

	(void)field;
	if (status != STATUS_OK) {
		return status;
	}
	while (json_next(at, &iter, &member)) {
		enum status one = read_requirement(r, &member);
		status = one != STATUS_OK ? one : status;
	}
	return status;
}

static enum status
read_names(struct reading *r, const struct json *at)
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

static enum status
read_BYPASS(struct reading *r, const struct field *field, const struct json *at)
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

/* --- the whole ------------------------------------------------------------ */

/* A stage that is not built is said before the rest of the body is judged:
 * a report has other fields than a question. */
static enum status
read_stage_first(struct reading *r, const struct json *root)
{
	struct json at;

	if (!json_get(root, "evaluation_type", &at)) {
		return STATUS_OK;
	}
	enum status status = read_STAGE(r, NULL, &at);
	if (status == STATUS_OK && r->body->stage != STAGE_PRE_FLIGHT) {
		return err_set(r->err, STATUS_NOT_IMPLEMENTED,
			       "evaluation_type %s is not built yet",
			       stage_words[r->body->stage]);
	}
	return status;
}

/*
 * The members by their fields, so that the order in which they came changes
 * nothing: neither which text comes first nor which error.
 */
struct members {
	struct json at[FIELDS_N];
	bool there[FIELDS_N];
};

static void
gather(struct reading *r, const struct json *root, struct members *out)
{
	struct json_iter iter = { 0 };
	struct json member;

	while (json_next(root, &iter, &member)) {
		const struct field *field = field_find(member.key);

		if (field == NULL) {
			ignore(r, member.key);
		} else {
			out->at[field - fields] = member;
			out->there[field - fields] = true;
		}
	}
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum status
body_read(const struct json *root, struct arena *arena, struct body *out,
	  struct err *err)
{
	struct body body = { .stage = STAGE_PRE_FLIGHT };
	struct reading r = { .arena = arena, .body = &body, .err = err };
	struct members members = { 0 };
	enum status status = json_expect(root, JSON_OBJECT, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = read_stage_first(&r, root);
	if (status == STATUS_NOT_IMPLEMENTED) {
		return status;
	}
	gather(&r, root, &members);
	for (size_t i = 0; i < FIELDS_N; i++) {
		enum status one = STATUS_OK;

		if (members.there[i] && fields[i].read != read_STAGE) {
			one = fields[i].read(&r, &fields[i], &members.at[i]);
		} else if (fields[i].fact == FACT_model_id) {
			members.at[i] =
			    (struct json){ .up = root, .key = "model_id" };
			one = json_refuse(&members.at[i], err, "is required");
		}
		status = one != STATUS_OK ? one : status;
	}
	if (status != STATUS_OK) {
		return status;
	}
	if (body.ignored_n > 0) {
		qsort(body.ignored, body.ignored_n, sizeof(*body.ignored),
		      compare_names);
	}
	*out = body;
	return STATUS_OK;
}
