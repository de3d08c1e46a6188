#include "engine/body_field.h"

#include <stdlib.h>
#include <string.h>

#include "base/money.h"

static const struct body_field fields[] = {
#define FIELD(name, reader, low, high, fact, word, of, doc)    \
	{ #name,       body_field_##reader, low,	 high, \
	  FACT_##fact, WORD_##word,	    BODY_OF_##of },
#define WORD_OWN true
#define WORD_CLAIM false
#include "engine/field.tbl.h"
#undef WORD_OWN
#undef WORD_CLAIM
#undef FIELD
};

enum { FIELDS_N = sizeof(fields) / sizeof(fields[0]) };

static const struct body_field *
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
say(struct body_reading *r, const struct body_field *field, union value value)
{
	r->body->said[field->fact] = true;
	r->body->values[field->fact] = value;
}

enum status
body_field_TEXT(struct body_reading *r, const struct body_field *field,
		const struct json *at)
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

enum status
body_field_COUNT(struct body_reading *r, const struct body_field *field,
		 const struct json *at)
{
	int64_t n;
	enum status status =
	    json_int(at, (int64_t)field->low, (int64_t)field->high, &n, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .number = n });
	}
	return status;
}

enum status
body_field_MONEY(struct body_reading *r, const struct body_field *field,
		 const struct json *at)
{
	int64_t nanousd;
	enum status status = json_money(
	    at, (int64_t)field->high * MONEY_ONE_USD, &nanousd, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .number = nanousd });
	}
	return status;
}

enum status
body_field_RATIO(struct body_reading *r, const struct body_field *field,
		 const struct json *at)
{
	double ratio;
	enum status status =
	    json_double(at, field->low, field->high, &ratio, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .ratio = ratio });
	}
	return status;
}

enum status
body_field_FLAG(struct body_reading *r, const struct body_field *field,
		const struct json *at)
{
	bool flag;
	enum status status = json_bool(at, &flag, r->err);

	if (status == STATUS_OK) {
		say(r, field, (union value){ .flag = flag });
	}
	return status;
}

/* --- words ---------------------------------------------------------------- */

enum status
body_field_STAGE(struct body_reading *r, const struct body_field *field,
		 const struct json *at)
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

enum status
body_field_ENVIRONMENT(struct body_reading *r, const struct body_field *field,
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

enum status
body_field_EXPLAIN(struct body_reading *r, const struct body_field *field,
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

enum status
body_field_PROMPT(struct body_reading *r, const struct body_field *field,
		  const struct json *at)
{
	(void)field;
	return body_text_read(&r->body->texts, r->arena, BODY_TEXT_PROMPT, at,
			      r->err);
}

enum status
body_field_SYSTEM(struct body_reading *r, const struct body_field *field,
		  const struct json *at)
{
	(void)field;
	return body_text_read(&r->body->texts, r->arena, BODY_TEXT_SYSTEM, at,
			      r->err);
}

enum status
body_field_MESSAGES(struct body_reading *r, const struct body_field *field,
		    const struct json *at)
{
	(void)field;
	return body_text_messages(&r->body->texts, r->arena, at, r->err);
}

/* --- the whole ------------------------------------------------------------ */

/* Which fields there are depends on the stage, and a stage that is not built is
 * said before the rest of the body is judged. */
static enum status
read_stage_first(struct body_reading *r, const struct json *root)
{
	struct json at;

	if (!json_get(root, "evaluation_type", &at)) {
		return STATUS_OK;
	}
	enum status status = body_field_STAGE(r, NULL, &at);
	if (status == STATUS_OK && r->body->stage == STAGE_RUNTIME) {
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
gather(struct body_reading *r, const struct json *root, struct members *out)
{
	const enum body_of of = r->body->stage == STAGE_POST_EXECUTION
				    ? BODY_OF_REPORT
				    : BODY_OF_QUESTION;
	struct json_iter iter = { 0 };
	struct json member;

	while (json_next(root, &iter, &member)) {
		const struct body_field *field = field_find(member.key);

		if (field == NULL || (field->of & of) == 0) {
			body_field_ignore(r, member.key);
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

static enum status
read_fields(struct body_reading *r, const struct json *root,
	    const struct members *members)
{
	const struct json model_id = { .up = root, .key = "model_id" };
	bool report = r->body->stage == STAGE_POST_EXECUTION;
	enum status status = STATUS_OK;

	for (size_t i = 0; i < FIELDS_N; i++) {
		enum status one = STATUS_OK;

		if (members->there[i] && fields[i].read != body_field_STAGE) {
			one = fields[i].read(r, &fields[i], &members->at[i]);
		} else if (fields[i].fact == FACT_model_id && !report) {
			one = json_refuse(&model_id, r->err, "is required");
		}
		status = one != STATUS_OK ? one : status;
	}
	if (status == STATUS_OK && report) {
		status = body_report_check(root, r->body, r->err);
	}
	return status;
}

enum status
body_read(const struct json *root, struct arena *arena, struct body *out,
	  struct err *err)
{
	struct body body = { .stage = STAGE_PRE_FLIGHT };
	struct body_reading r = { .arena = arena, .body = &body, .err = err };
	struct members members = { 0 };
	enum status status = json_expect(root, JSON_OBJECT, err);

	if (status != STATUS_OK) {
		return status;
	}
	body_report_begin(&body.report);
	enum status stage = read_stage_first(&r, root);
	if (stage == STATUS_NOT_IMPLEMENTED) {
		return stage;
	}
	gather(&r, root, &members);
	status = read_fields(&r, root, &members);
	if (stage != STATUS_OK || status != STATUS_OK) {
		return status != STATUS_OK ? status : stage;
	}
	if (body.ignored_n > 0) {
		qsort(body.ignored, body.ignored_n, sizeof(*body.ignored),
		      compare_names);
	}
	*out = body;
	return STATUS_OK;
}
