#include "engines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../decisions/world.h"
#include "input.h"

#define WORLD "tests/decisions/world/seed.json"
#define NOW_US INT64_C(1795435200000000) /* 2026-11-23T12:00:00Z */

static const char words[] =
    "{\"policies\":[{\"name\":\"words\",\"category\":\"behavioral\","
    "\"action_on_violation\":\"block\",\"constraints\":{"
    "\"blocked_keywords\":[\"bomb\",\"stra\\u00dfe\"],"
    "\"blocked_patterns\":[\"[0-9]{3}-[0-9]{2}\",\"a+b\"]}}]}";

enum status __wrap_spool_append(struct spool *spool, const char *bytes,
				size_t n, struct err *err);

static struct one {
	bool with_key; /* else as a tool asks, without one */
	bool full;     /* nothing can be recorded */
	int fail_mode;
	struct config config;
	struct buf record; /* stands for its spool */
	struct engine_worker *worker;
} engines[ENGINES_N] = {
	{ .with_key = true, .fail_mode = CONFIG_FAIL_OPEN },
	{ .with_key = false, .fail_mode = CONFIG_FAIL_CLOSED },
	{ .with_key = false, .full = true, .fail_mode = CONFIG_FAIL_OPEN },
	{ .with_key = true, .full = true, .fail_mode = CONFIG_FAIL_CLOSED },
};

static struct snapshot *snapshot;

enum status
__wrap_spool_append(struct spool *spool, const char *bytes, size_t n,
		    struct err *err)
{
	struct one *one = (struct one *)(void *)spool;

	if (one->full) {
		return err_set(err, STATUS_FULL, "no room");
	}
	buf_add(&one->record, bytes, n);
	return STATUS_OK;
}

static void
compile_world(void)
{
	size_t n;
	char *text = input_source(WORLD, &n);
	struct json_doc *seed = NULL, *more = NULL;
	struct buf source = { 0 };

	enum status status = json_doc_parse(text, n, &seed, NULL);
	assert(status == STATUS_OK);
	status = json_doc_parse(words, strlen(words), &more, NULL);
	assert(status == STATUS_OK);
	struct json roots[] = { json_root(seed), json_root(more) };
	const struct world world = { .layers = { &roots[0], &roots[1] } };
	world_compose(&world, false, &source);
	status = snapshot_compile(source.data, source.len, 1, &snapshot, NULL);
	assert(status == STATUS_OK);
	buf_fini(&source);
	json_doc_free(seed);
	json_doc_free(more);
	free(text);
}

static void
begin(void)
{
	compile_world();
	for (int i = 0; i < ENGINES_N; i++) {
		struct one *one = &engines[i];
		struct spool *spool = (struct spool *)(void *)one;

		config_default(&one->config);
		one->config.fail_mode = one->fail_mode;
		one->worker =
		    engine_worker_new(engine_new(&one->config, spool, NULL));
	}
}

enum status
engines_ask(int i, const char *body, size_t n, struct arena *arena,
	    struct engine_answer *out, const struct buf **record,
	    struct err *err)
{
	struct one *one = &engines[i];

	if (snapshot == NULL) {
		begin();
	}
	const struct engine_request request = {
		.body = body,
		.body_n = n,
		.key = one->with_key
			   ? snapshot_key(snapshot_data(snapshot), WORLD_KEY_ID)
			   : NULL,
		.header_request_id = "fuzz",
		.now_us = NOW_US,
	};
	buf_reset(&one->record);
	*record = one->full ? NULL : &one->record;
	return engine_evaluate(one->worker, snapshot, &request, arena, out,
			       err);
}
