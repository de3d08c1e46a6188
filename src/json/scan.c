#include "json/scan.h"

#include <assert.h>
#include <string.h>

static bool scan_value(struct scan *s);

bool
scan_fail(struct scan *s, const char *at, const char *why)
{
	s->at = at;
	s->why = why;
	return false;
}

bool
scan_fail_expected(struct scan *s, const char *at, const char *why)
{
	return scan_fail(s, at, at == s->end ? "the text ends too early" : why);
}

static void
skip_space(struct scan *s)
{
	while (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' ||
	       *s->at == '\r') {
		s->at++;
	}
}

static bool
scan_word(struct scan *s, const char *word, size_t n)
{
	if (strncmp(s->at, word, n) != 0) {
		return scan_fail(s, s->at, "an unknown word");
	}
	s->at += n;
	return true;
}

static bool
enter(struct scan *s, bool object)
{
	if (s->depth == JSON_DEPTH_MAX) {
		return scan_fail(s, s->at, "nested too deep");
	}
	s->levels[s->depth++] = (struct scan_level){ .object = object };
	s->at++;
	skip_space(s);
	return true;
}

/* After a value: true to go on behind a comma, or at CLOSE with *DONE. */
static bool
next_or_close(struct scan *s, char close, bool *done)
{
	skip_space(s);
	if (*s->at == ',') {
		s->at++;
		skip_space(s);
		return true;
	}
	if (*s->at != close) {
		return scan_fail_expected(s, s->at,
					  "no comma between two values");
	}
	*done = true;
	return true;
}

static bool
leave(struct scan *s)
{
	s->depth--;
	s->at++;
	return true;
}

static bool
scan_array(struct scan *s)
{
	if (!enter(s, false)) {
		return false;
	}
	s->arrays++;
	struct scan_level *level = &s->levels[s->depth - 1];
	bool done = *s->at == ']';

	for (; !done; level->index++) {
		level->inside = true;
		if (!scan_value(s)) {
			return false;
		}
		level->inside = false;
		if (!next_or_close(s, ']', &done)) {
			return false;
		}
	}
	return leave(s);
}

/* "name": */
static bool
scan_key(struct scan *s, struct scan_level *level)
{
	const char *key = s->at + 1;

	if (*s->at != '"') {
		return scan_fail_expected(s, s->at, "no name of a member");
	}
	if (!scan_string(s)) {
		return false;
	}
	level->key = key;
	level->key_n = (size_t)(s->at - 1 - key);
	level->inside = true;
	s->members++;
	if (s->member != NULL && !s->member(s, key, level->key_n)) {
		s->at = key - 1;
		return false;
	}
	skip_space(s);
	if (*s->at != ':') {
		return scan_fail_expected(s, s->at, "no colon after a name");
	}
	s->at++;
	skip_space(s);
	return true;
}

static bool
scan_object(struct scan *s)
{
	if (!enter(s, true)) {
		return false;
	}
	s->objects++;
	struct scan_level *level = &s->levels[s->depth - 1];
	bool done = *s->at == '}';

	if (s->member != NULL && !s->member(s, NULL, 0)) {
		return false;
	}
	while (!done) {
		if (!scan_key(s, level) || !scan_value(s)) {
			return false;
		}
		level->inside = false;
		if (!next_or_close(s, '}', &done)) {
			return false;
		}
	}
	return leave(s);
}

static bool
scan_value(struct scan *s)
{
	s->values++;
	switch (*s->at) {
	case '"':
		return scan_string(s);
	case '{':
		return scan_object(s);
	case '[':
		return scan_array(s);
	case 't':
		return scan_word(s, "true", 4);
	case 'f':
		return scan_word(s, "false", 5);
	case 'n':
		return scan_word(s, "null", 4);
	default:
		if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9')) {
			return scan_number(s);
		}
		return scan_fail_expected(s, s->at,
					  "no value begins like this");
	}
}

bool
scan_text(struct scan *s)
{
	assert(*s->end == '\0');
	s->at = s->start;
	s->depth = 0;
	s->values = s->arrays = s->objects = s->members = 0;
	if (strncmp(s->at, "\xEF\xBB\xBF", 3) == 0) {
		return scan_fail(s, s->at, "a byte order mark");
	}
	skip_space(s);
	if (!scan_value(s)) {
		return false;
	}
	skip_space(s);
	if (s->at != s->end) {
		return scan_fail(s, s->at, "more text after the document");
	}
	return true;
}
