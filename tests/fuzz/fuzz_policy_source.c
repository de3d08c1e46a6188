/*
 * fuzz_policy_source: any JSON is taken or refused as a policy and as a whole
 * document, and what may be written as a policy also compiles.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "input.h"
#include "policy/snapshot.h"
#include "policy/source.h"

/* A pattern of a few bytes can cost Hyperscan a second: not what is tried. */
enum { TEXT_MAX_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum status
compile(const char *text, size_t n)
{
	struct snapshot *snapshot = NULL;
	struct err err = { 0 };
	enum status status = snapshot_compile(text, n, 0, &snapshot, &err);

	assert((status == STATUS_OK) == (snapshot != NULL));
	assert(status == STATUS_OK || err.text[0] != '\0');
	snapshot_unref(snapshot);
	return status;
}

static bool
has_id(const struct json *root)
{
	struct json id;

	return json_get(root, "policy_id", &id) && json_type(&id) != JSON_NULL;
}

static void
check_policy(const char *text, const struct json *root)
{
	struct err err = { 0 };
	struct buf document = { 0 };
	enum status status = source_check_policy(root, &err);

	assert((status == STATUS_OK) == (err.items_n == 0));
	if (status == STATUS_OK && has_id(root)) {
		buf_adds(&document, "{\"revision\":1,\"policies\":[");
		buf_adds(&document, text);
		buf_adds(&document, "]}");
		status = compile(document.data, document.len);
		assert(status == STATUS_OK || status == STATUS_JSON);
		buf_fini(&document);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct json_doc *doc = NULL;

	if (n > TEXT_MAX_BYTES) {
		return 0;
	}
	char *text = input_text(data, n);
	if (json_doc_parse(text, n, &doc, NULL) == STATUS_OK) {
		struct json root = json_root(doc);

		if (json_type(&root) == JSON_OBJECT) {
			check_policy(text, &root);
		}
		json_doc_free(doc);
	}
	(void)compile(text, n);
	free(text);
	return 0;
}
