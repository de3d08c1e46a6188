#include "engine/body_text.h"

#include <assert.h>
#include <string.h>

#include "text/fold.h"

enum { WORD_BYTES_MAX = 256 }; /* of a role or a part's type */

static struct body_text *
add(struct body_texts *texts, struct arena *arena, enum body_text_kind kind,
    const char *text)
{
	texts->items = arena_grow(arena, texts->items, texts->n, &texts->cap,
				  sizeof(*texts->items));
	struct body_text *added = &texts->items[texts->n++];
	*added =
	    (struct body_text){ .text = text, .n = strlen(text), .kind = kind };
	return added;
}

enum status
body_text_read(struct body_texts *texts, struct arena *arena,
	       enum body_text_kind kind, const struct json *at, struct err *err)
{
	const char *text;
	enum status status = json_string(at, &text, err);

	if (status == STATUS_OK) {
		add(texts, arena, kind, text);
	}
	return status;
}

/* The member KEY of AT; complains where it is missing. */
static enum status
need(const struct json *at, const char *key, struct json *member,
     struct err *err)
{
	if (json_get(at, key, member)) {
		return STATUS_OK;
	}
	*member = (struct json){ .up = at, .key = key };
	return json_refuse(member, err, "is required");
}

/*
 * A part with a text counts whatever its type is, so that no text goes past
 * the checks under a type that this engine does not know.
 */
static enum status
read_part(struct body_texts *texts, struct arena *arena, const struct json *at,
	  struct err *err)
{
	struct json member;
	const char *type, *text;
	enum status status = json_expect(at, JSON_OBJECT, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = need(at, "type", &member, err);
	if (status != STATUS_OK) {
		return status;
	}
	status = json_string_max(&member, WORD_BYTES_MAX, &type, err);
	if (status != STATUS_OK) {
		return status;
	}
	if (strcmp(type, "text") != 0 && (!json_get(at, "text", &member) ||
					  json_type(&member) != JSON_STRING)) {
		return STATUS_OK; /* an image, a file */
	}
	status = need(at, "text", &member, err);
	if (status == STATUS_OK) {
		status = json_string(&member, &text, err);
	}
	if (status == STATUS_OK) {
		add(texts, arena, BODY_TEXT_PART, text)->part = at->index;
	}
	return status;
}

static enum status
read_parts(struct body_texts *texts, struct arena *arena, const struct json *at,
	   struct err *err)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < json_n(at); i++) {
		struct json part = json_item(at, i);
		enum status one = read_part(texts, arena, &part, err);

		status = one != STATUS_OK ? one : status;
	}
	return status;
}

static enum status
read_content(struct body_texts *texts, struct arena *arena,
	     const struct json *at, struct err *err)
{
	switch (json_type(at)) {
	case JSON_NULL: /* an assistant's turn that only calls tools */
		return STATUS_OK;
	case JSON_STRING:
		return body_text_read(texts, arena, BODY_TEXT_MESSAGE, at, err);
	case JSON_ARRAY:
		return read_parts(texts, arena, at, err);
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_OBJECT:
	default:
		return json_refuse(at, err,
				   "expected a string or an array of parts, "
				   "found %s",
				   json_type_name(json_type(at)));
	}
}

static enum status
read_message(struct body_texts *texts, struct arena *arena,
	     const struct json *at, struct err *err)
{
	struct json member;
	const char *role;
	size_t before = texts->n;
	enum status status = json_expect(at, JSON_OBJECT, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = need(at, "role", &member, err);
	if (status == STATUS_OK) {
		status = json_string_max(&member, WORD_BYTES_MAX, &role, err);
	}
	if (json_get(at, "content", &member)) {
		enum status content = read_content(texts, arena, &member, err);

		status = content != STATUS_OK ? content : status;
	}
	while (before < texts->n) {
		texts->items[before++].message = at->index;
	}
	return status;
}

enum status
body_text_messages(struct body_texts *texts, struct arena *arena,
		   const struct json *at, struct err *err)
{
	enum status status = json_expect(at, JSON_ARRAY, err);

	if (status != STATUS_OK) {
		return status;
	}
	for (size_t i = 0; i < json_n(at); i++) {
		struct json message = json_item(at, i);
		enum status one = read_message(texts, arena, &message, err);

		status = one != STATUS_OK ? one : status;
	}
	return status;
}

const char *
body_text_pointer(const struct body_text *text, struct arena *arena)
{
	switch (text->kind) {
	case BODY_TEXT_PROMPT:
		return "/prompt";
	case BODY_TEXT_SYSTEM:
		return "/system_instruction";
	case BODY_TEXT_MESSAGE:
		return arena_printf(arena, "/messages/%zu/content",
				    text->message);
	case BODY_TEXT_RESPONSE:
		return "/response";
	case BODY_TEXT_PART:
		break;
	}
	assert(text->kind == BODY_TEXT_PART);
	return arena_printf(arena, "/messages/%zu/content/%zu/text",
			    text->message, text->part);
}

size_t
body_text_length(const struct body_texts *texts)
{
	size_t n = 0;

	for (size_t i = 0; i < texts->n; i++) {
		n += utf8_count(texts->items[i].text, texts->items[i].n);
	}
	return n;
}
