#include "engine/body_field.h"

#include <string.h>

#include "base/money.h"
#include "base/uuid.h"

enum { NOT_SAID = -1 };

#define TOKENS_MAX INT64_C(1000000000000)
#define COST_MAX_NANOUSD (INT64_C(1000000000) * MONEY_ONE_USD)

void
body_report_begin(struct body_report *report)
{
	*report = (struct body_report){ .input_tokens = NOT_SAID,
					.output_tokens = NOT_SAID,
					.cost_nanousd = NOT_SAID,
					.latency_us = NOT_SAID };
}

enum status
body_field_EVALUATION_ID(struct body_reading *r, const struct body_field *field,
			 const struct json *at)
{
	struct body_report *report = &r->body->report;
	const char *text;
	enum status status = json_string(at, &text, r->err);

	if (status != STATUS_OK) {
		return status;
	}
	if (!uuid_valid(text)) {
		return json_refuse(at, r->err, "is no UUID");
	}
	text = arena_lower(r->arena, text);
	if (report->evaluation_id != NULL &&
	    strcmp(report->evaluation_id, text) != 0) {
		return json_refuse(at, r->err,
				   "%s is another call than evaluation_id",
				   field->name);
	}
	report->evaluation_id = text;
	return STATUS_OK;
}

static enum status
read_usage_member(struct body_reading *r, const struct json *at)
{
	struct body_report *report = &r->body->report;

	if (strcmp(at->key, "input_tokens") == 0) {
		return json_int(at, 0, TOKENS_MAX, &report->input_tokens,
				r->err);
	}
	if (strcmp(at->key, "output_tokens") == 0) {
		return json_int(at, 0, TOKENS_MAX, &report->output_tokens,
				r->err);
	}
	if (strcmp(at->key, "cost") == 0) {
		return json_money(at, COST_MAX_NANOUSD, &report->cost_nanousd,
				  r->err);
	}
	body_field_ignore(r, arena_printf(r->arena, "usage.%s", at->key));
	return STATUS_OK;
}

enum status
body_field_USAGE(struct body_reading *r, const struct body_field *field,
		 const struct json *at)
{
	(void)field;
	return body_field_members(r, at, read_usage_member);
}

enum status
body_field_LATENCY(struct body_reading *r, const struct body_field *field,
		   const struct json *at)
{
	double ms;
	enum status status =
	    json_double(at, field->low, field->high, &ms, r->err);

	if (status == STATUS_OK) {
		r->body->report.latency_us = (int64_t)(ms * 1000 + 0.5);
	}
	return status;
}

enum status
body_field_SUCCESS(struct body_reading *r, const struct body_field *field,
		   const struct json *at)
{
	bool success;
	enum status status = json_bool(at, &success, r->err);

	(void)field;
	if (status == STATUS_OK) {
		r->body->report.success =
		    success ? BODY_SUCCESS_YES : BODY_SUCCESS_NO;
	}
	return status;
}

/* A text of at most field->high bytes; an empty one is as good as none. */
static enum status
read_text(struct body_reading *r, const struct body_field *field,
	  const struct json *at, const char **out)
{
	const char *text;
	enum status status =
	    json_string_max(at, (size_t)field->high, &text, r->err);

	if (status == STATUS_OK && text[0] != '\0') {
		*out = text;
	}
	return status;
}

enum status
body_field_ERROR(struct body_reading *r, const struct body_field *field,
		 const struct json *at)
{
	return read_text(r, field, at, &r->body->report.error);
}

static enum status
read_name(struct body_reading *r, const struct body_field *field,
	  const struct json *at, const char **out)
{
	const char *name = NULL;
	enum status status = read_text(r, field, at, &name);

	if (name != NULL) {
		*out = arena_lower(r->arena, name);
	}
	return status;
}

enum status
body_field_SERVED_MODEL(struct body_reading *r, const struct body_field *field,
			const struct json *at)
{
	return read_name(r, field, at, &r->body->report.served_model_id);
}

enum status
body_field_SERVED_VENDOR(struct body_reading *r, const struct body_field *field,
			 const struct json *at)
{
	return read_name(r, field, at, &r->body->report.served_vendor_id);
}

enum status
body_field_RESPONSE(struct body_reading *r, const struct body_field *field,
		    const struct json *at)
{
	(void)field;
	return body_text_read(&r->body->texts, r->arena, BODY_TEXT_RESPONSE, at,
			      r->err);
}

enum status
body_report_check(const struct json *root, const struct body *body,
		  struct err *err)
{
	const struct body_report *report = &body->report;
	const struct json id = { .up = root, .key = "evaluation_id" };
	const struct json error = { .up = root, .key = "error" };
	enum status status = STATUS_OK;

	if (report->evaluation_id == NULL &&
	    !(body->said[FACT_correlation_id] && body->said[FACT_request_id])) {
		status = json_refuse(&id, err,
				     "is required, or correlation_id and "
				     "request_id instead");
	}
	if (report->success == BODY_SUCCESS_YES && report->error != NULL) {
		status = json_refuse(&error, err,
				     "a call that succeeded has no error");
	}
	return status;
}
