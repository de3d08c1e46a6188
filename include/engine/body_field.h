/*
 * body_field: how each kind of field of a body is read.
 *
 * Belongs to engine/body.c, whose table names these functions by the column
 * `reader` of engine/field.tbl.h; those of objects are in body_object.c, those
 * of reports in body_report.c.
 */
#ifndef ENGINE_BODY_FIELD_H
#define ENGINE_BODY_FIELD_H

#include "engine/body.h"

/* What a reader works on: one body. */
struct body_reading {
	struct arena *arena;
	struct body *body;
	struct err *err;
	size_t ignored_cap;
};

struct body_field;
typedef enum status body_field_fn(struct body_reading *r,
				  const struct body_field *field,
				  const struct json *at);

/* Of which bodies a field is: of those that ask, of those that report. */
enum body_of { BODY_OF_QUESTION = 1, BODY_OF_REPORT = 2, BODY_OF_BOTH = 3 };

struct body_field {
	const char *name;
	body_field_fn *read;
	double low, high;
	enum fact_id fact; /* FACT_N: none */
	bool own;
	enum body_of of;
};

body_field_fn body_field_TEXT, body_field_COUNT, body_field_MONEY,
    body_field_RATIO, body_field_FLAG, body_field_STAGE, body_field_ENVIRONMENT,
    body_field_EXPLAIN, body_field_PROMPT, body_field_SYSTEM,
    body_field_MESSAGES, body_field_TAGS, body_field_REQUIRES,
    body_field_BYPASS;

/* Of reports. */
body_field_fn body_field_EVALUATION_ID, body_field_USAGE, body_field_LATENCY,
    body_field_SUCCESS, body_field_ERROR, body_field_SERVED_MODEL,
    body_field_SERVED_VENDOR, body_field_RESPONSE;

/* NAME is a member that nobody reads. */
void body_field_ignore(struct body_reading *r, const char *name);

/* A report that says nothing yet. */
void body_report_begin(struct body_report *report);

/* Do the fields of the report in BODY, each of them right, agree? */
enum status body_report_check(const struct json *root, const struct body *body,
			      struct err *err) MUST_CHECK;

/* Read every member of the object AT with READ, also behind a wrong one. */
typedef enum status body_member_fn(struct body_reading *r,
				   const struct json *at);
enum status body_field_members(struct body_reading *r, const struct json *at,
			       body_member_fn *read) MUST_CHECK;

#endif /* ENGINE_BODY_FIELD_H */
