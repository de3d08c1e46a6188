#include "question.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "engine/engine.h"
#include "json/write.h"

enum { MEMBERS_MAX = 64 };

/* "key": value, without the braces that the writer needs around it. */
static void
put_member(struct buf *out, const struct json *member)
{
	struct buf one = { 0 };
	struct json_writer w;

	json_write_init(&w, &one);
	json_object_begin(&w);
	json_key(&w, member->key);
	json_put_raw(&w, json_text(member));
	json_object_finish(&w);
	json_write_end(&w);
	buf_add(out, one.data + 1, one.len - 2);
	buf_fini(&one);
}

static void
make_request(const struct question *question, bool turned, struct buf *out)
{
	struct json members[MEMBERS_MAX];
	struct json_iter iter = { 0 };
	size_t n = 0;

	if (question->request == NULL) {
		buf_adds(out, question->text);
		return;
	}
	while (json_next(question->request, &iter, &members[n])) {
		assert(n + 1 < MEMBERS_MAX);
		n++;
	}
	buf_adds(out, turned ? " {\n\t" : "{");
	for (size_t i = 0; i < n; i++) {
		put_member(out, &members[turned ? n - 1 - i : i]);
		buf_adds(out, i + 1 == n ? "" : turned ? " ,\r\n\t" : ",");
	}
	if (!json_get(question->request, "explain", &members[0])) {
		buf_adds(out, n > 0 ? "," : "");
		buf_adds(out, "\"explain\":\"full\"");
	}
	buf_adds(out, turned ? "\n}\t" : "}");
}

/* What went wrong, in the form of an answer. */
static void
put_errors(struct buf *got, const char *list, const struct err *err)
{
	struct json_writer w;

	json_write_init(&w, got);
	json_object_begin(&w);
	json_member_int(&w, "status", status_http(err->status));
	json_key(&w, list);
	json_array_begin(&w);
	for (size_t i = 0; i < err->items_n && i < ERR_ITEMS; i++) {
		json_object_begin(&w);
		json_member(&w, "pointer", err->items[i].pointer);
		json_member(&w, "detail", err->items[i].detail);
		json_object_finish(&w);
	}
	json_array_finish(&w);
	json_object_finish(&w);
	json_write_end(&w);
}

static void
put_answer(struct buf *got, const struct engine_answer *answer)
{
	struct json_writer w;

	json_write_init(&w, got);
	json_object_begin(&w);
	json_member_int(&w, "status", answer->http_status);
	json_key(&w, "headers");
	json_object_begin(&w);
	for (size_t i = 0; i < answer->headers_n; i++) {
		json_member(&w, answer->headers[i].name,
			    answer->headers[i].value);
	}
	json_object_finish(&w);
	json_key(&w, "answer");
	json_put_raw(&w, buf_text(answer->body));
	json_object_finish(&w);
	json_write_end(&w);
}

static void
ask(const struct question *question, const struct snapshot *snapshot,
    const struct buf *text, struct buf *got)
{
	struct err err = { 0 };
	struct arena *arena = arena_new(65536);
	struct engine *engine = engine_new(&question->config, NULL);
	struct engine_worker *worker = engine_worker_new(engine);
	const struct snapshot_data *data = snapshot_data(snapshot);
	struct engine_answer answer;
	const struct engine_request request = {
		.body = buf_text(text),
		.body_n = text->len,
		.key = question->with_key ? snapshot_key(data, WORLD_KEY_ID)
					  : NULL,
		.header_request_id = question->header,
		.now_us = question->now_us,
	};

	assert(!question->with_key || request.key != NULL);
	if (engine_evaluate(worker, snapshot, &request, arena, &answer, &err) ==
	    STATUS_OK) {
		put_answer(got, &answer);
	} else {
		put_errors(got, "errors", &err);
	}
	engine_worker_free(worker);
	engine_free(engine);
	arena_free(arena);
}

bool
question_ask(const struct question *question, bool turned, struct buf *got)
{
	struct buf source = { 0 }, text = { 0 };
	struct err err = { 0 };
	struct snapshot *snapshot;

	world_compose(&question->world, turned, &source);
	bool compiles = snapshot_compile(buf_text(&source), source.len, 1,
					 &snapshot, &err) == STATUS_OK;
	if (compiles) {
		make_request(question, turned, &text);
		ask(question, snapshot, &text, got);
		snapshot_unref(snapshot);
	} else {
		put_errors(got, "refused", &err);
	}
	buf_fini(&source);
	buf_fini(&text);
	return compiles;
}

void
question_scrub(struct buf *got)
{
	static const char *const keys[] = {
		"\"evaluation_id\":\"", "\"violation_id\":\"",
		"\"evaluation_time_ms\":", "\"evaluation_time_us\":"
	};
	size_t from = 0, to = 0;

	while (from < got->len) {
		size_t k = 0, n = 0;

		while (k < 4 && strncmp(got->data + from, keys[k],
					n = strlen(keys[k])) != 0) {
			k++;
		}
		if (k == 4) {
			got->data[to++] = got->data[from++];
			continue;
		}
		memmove(got->data + to, got->data + from, n);
		to += n;
		from += n;
		from += strcspn(got->data + from, "\",}");
	}
	if (got->data != NULL) {
		got->data[to] = '\0';
	}
	got->len = to;
}
