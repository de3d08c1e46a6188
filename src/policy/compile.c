#include "policy/compile.h"

#include "base/arena.h"
#include "json/read.h"
#include "policy/content.h"
#include "policy/freeze.h"
#include "policy/source_parts.h"

static enum status
compile_root(struct compile_job *job, const struct json *root,
	     struct arena *arena, struct image_builder **out, struct err *err)
{
	struct reading r = { .arena = arena,
			     .err = err,
			     .patterns_later = true,
			     .now_us = job->made_us };
	struct source source;
	struct content content = { 0 };
	struct image_builder *builder = NULL;

	enum status status = source_read(&r, root, &source);
	job->revision = source.revision;
	if (status != STATUS_OK) {
		return status;
	}
	status = content_compile(&source, arena, &content, err);
	if (status != STATUS_OK) {
		goto out;
	}
	status = image_builder_new(job->slot, freeze_shape(), &builder, err);
	if (status == STATUS_OK) {
		freeze(builder, &source, &content, job->made_us, arena);
		*out = builder;
	}
out:
	content_fini(&content);
	return status;
}

enum status
compile_image(struct compile_job *job, struct image_builder **out,
	      struct err *err)
{
	struct json_doc *doc = NULL;

	job->revision = 0;
	if (job->n > COMPILE_MAX_BYTES) {
		return err_set(err, STATUS_TOO_LARGE,
			       "the document has %zu bytes, more than %d",
			       job->n, COMPILE_MAX_BYTES);
	}
	enum status status = json_doc_parse_own(job->text, job->n, &doc, err);
	if (status != STATUS_OK) {
		return status;
	}
	struct arena *arena = arena_new(job->n);
	struct json root = json_root(doc);
	status = compile_root(job, &root, arena, out, err);
	arena_free(arena);
	json_doc_free(doc);
	return status;
}
