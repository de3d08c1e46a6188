#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/money.h"

enum { LINE_BYTES = CONFIG_TEXT_BYTES * 2, KIND_BYTES = 128 };

static const char section_name[] = "ims-policy";

enum kind { KIND_TEXT, KIND_NUMBER, KIND_CHOICE };

static const struct setting {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *fallback;
	int64_t low, high;
	const char *unit;  /* NUMBER */
	const char *words; /* CHOICE */
	const char *doc;
} settings[] = {
#define TEXT(name, fallback, doc)                                   \
	{                                                           \
		#name,	  KIND_TEXT, offsetof(struct config, name), \
		fallback, 0,	     0,                             \
		NULL,	  NULL,	     doc                            \
	},
#define NUMBER(name, fallback, low, high, unit, doc)             \
	{ #name,     KIND_NUMBER, offsetof(struct config, name), \
	  #fallback, low,	  high,                          \
	  unit,	     NULL,	  doc },
#define CHOICE(name, fallback, words, doc)                      \
	{ #name,    KIND_CHOICE, offsetof(struct config, name), \
	  fallback, 0,		 0,                             \
	  NULL,	    words,	 doc },
#include "base/config.tbl.h"
#undef TEXT
#undef NUMBER
#undef CHOICE
};

enum { SETTINGS_N = sizeof(settings) / sizeof(settings[0]) };

/* A file that is being read. */
struct reading {
	FILE *file;
	const char *path;
	int line; /* of the last that was read */
	bool seen[SETTINGS_N];
	struct config *config;
	struct err *err;
	enum status status; /* the first refusal; nothing more is taken */
};

static void
refuse(struct reading *r, const char *name, const char *why)
{
	if (r->status == STATUS_OK) {
		r->status =
		    err_set(r->err, STATUS_BODY, "%s:%d: %s%s%s", r->path,
			    r->line, name, name[0] == '\0' ? "" : ": ", why);
	}
}

/* The place of WORD in "a|b|c", or -1. */
static int
word_place(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (int i = 0;; i++) {
		size_t len = strcspn(words, "|");

		if (len == n && memcmp(words, word, n) == 0) {
			return i;
		}
		if (words[len] == '\0') {
			return -1;
		}
		words += len + 1;
	}
}

static bool
parse_number(const char *text, int64_t low, int64_t high, int64_t *out)
{
	char *end;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < low ||
	    value > high) {
		return false;
	}
	*out = value;
	return true;
}

/* Store TEXT; false when it is not a value of the setting. */
static bool
store(const struct setting *setting, const char *text, struct config *config)
{
	char *place = (char *)config + setting->offset;
	int word;

	switch (setting->kind) {
	case KIND_TEXT:
		if (strlen(text) >= CONFIG_TEXT_BYTES) {
			return false;
		}
		strcpy(place, text);
		return true;
	case KIND_NUMBER:
		return parse_number(text, setting->low, setting->high,
				    (int64_t *)(void *)place);
	case KIND_CHOICE:
	default:
		word = word_place(setting->words, text);
		if (word >= 0) {
			*(int *)(void *)place = word;
		}
		return word >= 0;
	}
}

/* What values a setting takes, for a person. */
static const char *
describe_kind(const struct setting *setting, char out[KIND_BYTES])
{
	switch (setting->kind) {
	case KIND_TEXT:
		return "text";
	case KIND_NUMBER:
		snprintf(out, KIND_BYTES, "%" PRId64 " to %" PRId64 " %s",
			 setting->low, setting->high, setting->unit);
		return out;
	case KIND_CHOICE:
	default:
		return setting->words;
	}
}

static void
refuse_value(struct reading *r, const struct setting *setting)
{
	char kind[KIND_BYTES], why[KIND_BYTES + 32];

	if (setting->kind == KIND_TEXT) {
		refuse(r, setting->name, "the text is too long");
		return;
	}
	snprintf(why, sizeof(why), "expected %s", describe_kind(setting, kind));
	refuse(r, setting->name, why);
}

static int
find_setting(const char *name)
{
	int i = 0;

	while (i < SETTINGS_N && strcmp(settings[i].name, name) != 0) {
		i++;
	}
	return i;
}

/* inih's handler: one "name = value"; 0 is a refusal. */
static int
take_setting(void *user, const char *section, const char *name,
	     const char *value)
{
	struct reading *r = user;
	int i = find_setting(name);

	if (strcmp(section, section_name) != 0) {
		refuse(r, name, "not in the section [ims-policy]");
	} else if (i == SETTINGS_N) {
		refuse(r, name, "there is no such setting");
	} else if (r->seen[i]) {
		refuse(r, name, "has a second value");
	} else if (!store(&settings[i], value, r->config)) {
		refuse_value(r, &settings[i]);
	} else {
		r->seen[i] = true;
	}
	return r->status == STATUS_OK;
}

/* inih's reader: counts lines, since its handler is not told of them. */
static char *
read_line(char *out, int cap, void *user)
{
	struct reading *r = user;
	int n = 0, c;

	if (r->status != STATUS_OK) {
		return NULL;
	}
	r->line++;
	while ((c = getc(r->file)) != EOF) {
		if (n + 1 >= cap) {
			refuse(r, "", "the line is too long");
			return NULL;
		}
		if (c == '\0') {
			refuse(r, "", "a NUL is no text");
			return NULL;
		}
		out[n++] = (char)c;
		if (c == '\n') {
			break;
		}
	}
	out[n] = '\0';
	return n == 0 ? NULL : out;
}

void
config_default(struct config *config)
{
	*config = (struct config){ 0 };
	for (int i = 0; i < SETTINGS_N; i++) {
		bool ok = store(&settings[i], settings[i].fallback, config);
		assert(ok);
	}
}

static enum status
read_file(struct reading *r)
{
	/* a value is the whole rest of its line, a password too */
	ini_allow_inline_comments = false;
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	ini_use_stack = false;
	ini_max_line = LINE_BYTES;
	ini_initial_alloc = LINE_BYTES;

	int rc = ini_parse_stream(read_line, r, take_setting, r);
	if (r->status == STATUS_OK && rc > 0) {
		refuse(r, "", "neither a section nor name = value");
	}
	if (ferror(r->file)) {
		return err_set(r->err, STATUS_IO, "cannot read %s: %s", r->path,
			       strerror(errno));
	}
	return r->status;
}

enum status
config_load(const char *path, struct config *config, struct err *err)
{
	const char *named = path != NULL ? path : getenv("IMS_CONFIG");
	struct config fresh;
	struct reading r = { .path =
				 named != NULL ? named : CONFIG_PATH_DEFAULT,
			     .config = &fresh,
			     .err = err };

	config_default(&fresh);
	r.file = fopen(r.path, "re");
	if (r.file == NULL) {
		return err_set(err, STATUS_IO, "cannot open %s: %s", r.path,
			       strerror(errno));
	}
	enum status status = read_file(&r);
	fclose(r.file);
	if (status == STATUS_OK) {
		*config = fresh;
	}
	return status;
}

/* The value that CONFIG has, for a person. */
static const char *
describe_value(const struct setting *setting, const struct config *config,
	       char out[KIND_BYTES])
{
	const char *place = (const char *)config + setting->offset;
	const char *word = setting->words;

	switch (setting->kind) {
	case KIND_TEXT:
		return place;
	case KIND_NUMBER:
		snprintf(out, KIND_BYTES, "%" PRId64,
			 *(const int64_t *)(const void *)place);
		return out;
	case KIND_CHOICE:
	default:
		for (int i = *(const int *)(const void *)place; i > 0; i--) {
			word = strchr(word, '|') + 1;
		}
		snprintf(out, KIND_BYTES, "%.*s", (int)strcspn(word, "|"),
			 word);
		return out;
	}
}

void
config_describe(const struct config *config,
		void (*row)(void *arg, const struct config_row *row), void *arg)
{
	char kind[KIND_BYTES], value[KIND_BYTES];

	for (int i = 0; i < SETTINGS_N; i++) {
		const struct setting *s = &settings[i];
		const struct config_row told = {
			.name = s->name,
			.kind = describe_kind(s, kind),
			.value = describe_value(s, config, value),
			.fallback = s->fallback,
			.unit = s->unit != NULL ? s->unit : "",
			.doc = s->doc,
		};

		row(arg, &told);
	}
}

int64_t
config_unknown_per_mil(const struct config *config)
{
	int64_t per_mil;

	if (!money_parse(config->unknown_price_per_mil_tokens, &per_mil) ||
	    per_mil < 0) {
		log_error("unknown_price_per_mil_tokens is no amount: %s",
			  config->unknown_price_per_mil_tokens);
		per_mil = 1000 * MONEY_ONE_USD;
	}
	return per_mil;
}
