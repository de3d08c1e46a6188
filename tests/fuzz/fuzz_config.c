/*
 * fuzz_config: any file of settings is taken or refused.  What is taken is
 * within its limits and can be written and read again; what is refused
 * changes nothing.
 */
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/config.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Word I of "a|b|c", which must have it, as a setting. */
static void
put_choice(struct buf *out, const char *name, const char *words, int i)
{
	assert(i >= 0);
	for (; i > 0; i--) {
		words = strchr(words, '|');
		assert(words != NULL);
		words++;
	}
	buf_printf(out, "%s = %.*s\n", name, (int)strcspn(words, "|"), words);
}

static void
put_all(struct buf *out, const struct config *c)
{
	buf_adds(out, "[ims-policy]\n");
#define TEXT(name, fallback, doc)                            \
	assert(memchr(c->name, 0, sizeof(c->name)) != NULL); \
	buf_printf(out, "%s = %s\n", #name, c->name);
#define NUMBER(name, fallback, low, high, unit, doc)   \
	assert(c->name >= (low) && c->name <= (high)); \
	buf_printf(out, "%s = %" PRId64 "\n", #name, c->name);
#define CHOICE(name, fallback, words, doc) \
	put_choice(out, #name, words, c->name);
#include "base/config.tbl.h"
#undef TEXT
#undef NUMBER
#undef CHOICE
}

static void
check_same(const struct config *a, const struct config *b)
{
#define TEXT(name, fallback, doc) assert(strcmp(a->name, b->name) == 0);
#define NUMBER(name, fallback, low, high, unit, doc) assert(a->name == b->name);
#define CHOICE(name, fallback, words, doc) assert(a->name == b->name);
#include "base/config.tbl.h"
#undef TEXT
#undef NUMBER
#undef CHOICE
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct config config, again, before;
	struct buf text = { 0 };
	struct err err = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/conf", input_folder());
	input_write(path, data, n);
	config_default(&before);
	before.threads = 77;
	config = before;
	enum status status = config_load(path, &config, &err);
	if (status != STATUS_OK) {
		assert(status == STATUS_BODY && err.status == STATUS_BODY);
		assert(strncmp(err.text, path, strlen(path)) == 0);
		check_same(&config, &before);
		return 0;
	}
	put_all(&text, &config);
	input_write(path, text.data, text.len);
	status = config_load(path, &again, &err);
	assert(status == STATUS_OK);
	check_same(&config, &again);
	buf_fini(&text);
	return 0;
}
