#include "ctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
print_row(const char *name, const char *value, const char *fallback,
	  const char *doc)
{
	printf("%-28s %s", name, value);
	if (strcmp(value, fallback) != 0) {
		printf("  (default %s)", fallback[0] != '\0' ? fallback : "-");
	}
	printf("\n    %s\n", doc);
}

/* A connection string may hold a password. */
static const char *
text_value(const char *text)
{
	if (text[0] == '\0') {
		return "-";
	}
	return strstr(text, "password") != NULL || strstr(text, "://") != NULL
		   ? "(set, not shown)"
		   : text;
}

/* The word at INDEX of "a|b|c". */
static const char *
word_at(const char *words, int index, char out[64])
{
	while (index-- > 0) {
		words = strchr(words, '|') + 1;
	}
	snprintf(out, 64, "%.*s", (int)strcspn(words, "|"), words);
	return out;
}

int
ctl_config(const struct ctl *ctl, int argc, char **argv)
{
	const struct config *config = &ctl->config;
	char value[64], fallback[64];

	if (argc > 1) {
		return ctl_usage(ctl, "unexpected: %s", argv[1]);
	}
	printf("# %s\n", ctl->config_path);
#define TEXT(name, standard, doc)                  \
	print_row(#name, text_value(config->name), \
		  standard[0] != '\0' ? standard : "-", doc);
#define NUMBER(name, standard, low, high, unit, doc)                          \
	snprintf(value, sizeof(value), "%" PRId64 " %s", config->name, unit); \
	snprintf(fallback, sizeof(fallback), "%" PRId64 " %s",                \
		 (int64_t)standard, unit);                                    \
	print_row(#name, value, fallback, doc);
#define CHOICE(name, standard, words, doc) \
	print_row(#name, word_at(words, config->name, value), standard, doc);
#include "base/config.tbl.h"
#undef TEXT
#undef NUMBER
#undef CHOICE
	return CTL_OK;
}
