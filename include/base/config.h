/*
 * config: the settings, read once at start.
 *
 * One INI file (inih), one section, one table (base/config.tbl.h).  An
 * unknown setting, a number out of range or a second value for a setting is
 * refused with its line.  The door to inih.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdint.h>

#include "base/status.h"

enum { CONFIG_TEXT_BYTES = 1024 };

#define CONFIG_PATH_DEFAULT "/etc/ims-policy/ims-policy.conf"

struct config {
#define TEXT(name, fallback, doc) char name[CONFIG_TEXT_BYTES];
#define NUMBER(name, fallback, low, high, unit, doc) int64_t name;
#define CHOICE(name, fallback, words, doc) int name;
#include "base/config.tbl.h"
#undef TEXT
#undef NUMBER
#undef CHOICE
};

/* Values of the CHOICE rows, in the order of their words. */
enum { CONFIG_FAIL_OPEN, CONFIG_FAIL_CLOSED };

/* Every default. */
void config_default(struct config *config);

/**
 * config_load(path, config, err):
 * Defaults, then what the file at PATH says.
 *
 * Takes:   PATH, or NULL for the environment's IMS_CONFIG, or where that is
 *          not set for CONFIG_PATH_DEFAULT.
 * Errors:  STATUS_IO when it cannot be read, STATUS_BODY with "file:line".
 */
enum status config_load(const char *path, struct config *config,
			struct err *err) MUST_CHECK;

/* unknown_price_per_mil_tokens; what is no amount is logged and very dear. */
int64_t config_unknown_per_mil(const struct config *config);

/* A setting, in words; all borrowed for the call. */
struct config_row {
	const char *name;
	const char *kind; /* "text", "0 to 256 threads", "a|b|c" */
	const char *value, *fallback;
	const char *unit; /* of a number; "" */
	const char *doc;
};

/* Call ROW for every setting of CONFIG, in the order of the table. */
void config_describe(const struct config *config,
		     void (*row)(void *arg, const struct config_row *row),
		     void *arg);

#endif /* BASE_CONFIG_H */
