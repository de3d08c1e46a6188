#include "question.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "counter/worker.h"
#include "engine/engine.h"
#include "json/write.h"
#include "ledger.h"

enum { MEMBERS_MAX = 64, NAME_BYTES = 32 };

/* One time through a question. */
struct talk {
	const struct question *question;
	bool turned;
	const struct snapshot *snapshot;
	struct counter_memory *memory;
	struct counter counter;
	struct engine *engine;
	struct engine_worker *worker;
	/* the evaluation that each request was answered with, "" at first */
	char ids[QUESTION_ASKS_MAX][UUID_TEXT_BYTES];
};

/*
 * The clocks, by way of the linker (--wrap).  A snapshot knows time zones
 * around the time it is made at, which is the case's.  While a request is
 * answered no time goes by, so that answers are the same to the microsecond.
 */
static int64_t made_us;

int64_t __wrap_clock_now_us(void);
int64_t __wrap_clock_mono_us(void);
void __wrap_clock_sleep_us(int64_t us);

int64_t
__wrap_clock_now_us(void)
{
	return made_us;
}

int64_t
__wrap_clock_mono_us(void)
{
	return 0;
}

void
__wrap_clock_sleep_us(int64_t us)
{
	(void)us;
	assert(false); /* there is nobody to wait for */
}

/* --- ids -------------------------------------------------------------------- */

/* Each FROM in TEXT becomes TO. */
static void
replace(struct buf *text, const char *from, const char *to)
{
	struct buf out = { 0 };
	const char *at = buf_text(text), *next;

	while ((next = strstr(at, from)) != NULL) {
		buf_add(&out, at, (size_t)(next - at));
		buf_adds(&out, to);
		at = next + strlen(from);
	}
	buf_adds(&out, at);
	buf_fini(text);
	*text = out;
}

/* "$N" in a request becomes the id. */
static void
put_ids(const struct talk *talk, struct buf *request)
{
	for (size_t i = 0; i < talk->question->asks_n; i++) {
		char name[NAME_BYTES], id[UUID_TEXT_BYTES + 2];

		if (talk->ids[i][0] != '\0') {
			snprintf(name, sizeof(name), "\"$%zu\"", i + 1);
			snprintf(id, sizeof(id), "\"%s\"", talk->ids[i]);
			replace(request, name, id);
		}
	}
}

/* The evaluation_id of an answer, "" without one. */
static void
own_id(const struct buf *got, char out[UUID_TEXT_BYTES])
{
	static const char key[] = "\"evaluation_id\":\"";
	const char *at = strstr(buf_text(got), key);

	out[0] = '\0';
	if (at != NULL) {
		snprintf(out, UUID_TEXT_BYTES, "%s", at + strlen(key));
	}
}

/* Ids in GOT, the answer to the N-th, become "$N"; a new one is its own. */
static void
name_ids(struct talk *talk, size_t n, struct buf *got)
{
	char id[UUID_TEXT_BYTES], name[NAME_BYTES];
	size_t i = 0;

	own_id(got, id);
	while (i < n && strcmp(talk->ids[i], id) != 0) {
		i++;
	}
	if (i == n && id[0] != '\0') {
		memcpy(talk->ids[n], id, sizeof(id));
	}
	for (i = 0; i <= n; i++) {
		if (talk->ids[i][0] != '\0') {
			snprintf(name, sizeof(name), "$%zu", i + 1);
			replace(got, talk->ids[i], name);
		}
	}
}

/* --- the request ------------------------------------------------------------ */

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
make_request(const struct ask *ask, bool turned, struct buf *out)
{
	struct json members[MEMBERS_MAX];
	struct json_iter iter = { 0 };
	size_t n = 0;

	if (ask->request == NULL) {
		buf_adds(out, ask->text);
		return;
	}
	while (json_next(ask->request, &iter, &members[n])) {
		assert(n + 1 < MEMBERS_MAX);
		n++;
	}
	buf_adds(out, turned ? " {\n\t" : "{");
	for (size_t i = 0; i < n; i++) {
		put_member(out, &members[turned ? n - 1 - i : i]);
		buf_adds(out, i + 1 == n ? "" : turned ? " ,\r\n\t" : ",");
	}
	if (!json_get(ask->request, "explain", &members[0])) {
		buf_adds(out, n > 0 ? "," : "");
		buf_adds(out, "\"explain\":\"full\"");
	}
	buf_adds(out, turned ? "\n}\t" : "}");
}

/* --- what came back --------------------------------------------------------- */

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

/* --- one request ------------------------------------------------------------ */

/* A call is in the ledger, a refused one as such; a report is no call. */
static void
tell_ledger(const struct talk *talk, size_t n, int http_status,
	    const struct engine_request *request)
{
	const struct ask *ask = &talk->question->asks[n];
	struct reservation call = { .state = RESERVATION_OPEN,
				    .made_us = ask->now_us };
	struct json model, type;

	if (talk->ids[n][0] == '\0' ||
	    (ask->request != NULL &&
	     json_get(ask->request, "evaluation_type", &type) &&
	     strcmp(json_text(&type), "\"pre_flight\"") != 0)) {
		return;
	}
	memcpy(call.evaluation_id, talk->ids[n], UUID_TEXT_BYTES);
	if (http_status == 403) {
		call.state = RESERVATION_REFUSED;
		call.decision = ACTION_BLOCK;
	}
	if (request->key != NULL) {
		call.key_id = request->key->key_id;
	}
	if (ask->request != NULL &&
	    json_get(ask->request, "model_id", &model) &&
	    json_string(&model, &call.original_model, NULL) != STATUS_OK) {
		call.original_model = NULL;
	}
	ledger_add(&call);
}

static const struct api_key *
key_of(const struct talk *talk, const struct ask *ask)
{
	char id[WORLD_KEY_ID_BYTES];
	const struct api_key *key;

	if (ask->key == QUESTION_TOOL) {
		return NULL;
	}
	world_key_id((size_t)ask->key, id);
	key = snapshot_key(snapshot_data(talk->snapshot), id);
	assert(key != NULL);
	return key;
}

static void
send(struct talk *talk, size_t n, struct buf *got)
{
	const struct ask *ask = &talk->question->asks[n];
	struct arena *arena = arena_new(65536);
	struct buf text = { 0 };
	struct err err = { 0 };
	struct engine_answer answer;

	make_request(ask, talk->turned, &text);
	put_ids(talk, &text);
	const struct engine_request request = {
		.body = buf_text(&text),
		.body_n = text.len,
		.key = key_of(talk, ask),
		.header_request_id = ask->header,
		.now_us = ask->now_us,
	};
	if (engine_evaluate(talk->worker, talk->snapshot, &request, arena,
			    &answer, &err) == STATUS_OK) {
		put_answer(got, &answer);
		name_ids(talk, n, got);
		tell_ledger(talk, n, answer.http_status, &request);
	} else {
		put_errors(got, "errors", &err);
	}
	buf_fini(&text);
	arena_free(arena);
}

/* --- all of them ------------------------------------------------------------ */

static void
begin(struct talk *talk)
{
	const struct question *question = talk->question;
	struct counter_store *store;
	struct counter_worker *worker;

	talk->memory = counter_memory_new();
	talk->counter.config = &question->config;
	if (question->counters != COUNTERS_UNKNOWN) {
		store = counter_memory_store(talk->memory);
		enum status status = store->type->begin(store, 1, NULL);
		assert(status == STATUS_OK);
		counter_store_free(store);
	}
	worker = counter_worker_on(&talk->counter,
				   counter_memory_store(talk->memory));
	talk->engine = engine_new(&question->config, NULL, &talk->counter);
	talk->worker = engine_worker_on(talk->engine, worker);
	ledger_begin(question->ledger_known);
}

static void
end(struct talk *talk)
{
	engine_worker_free(talk->worker);
	engine_free(talk->engine);
	counter_memory_free(talk->memory);
}

static void
send_all(struct talk *talk, question_answered_fn *answered, void *arg)
{
	const struct question *question = talk->question;
	struct buf got = { 0 };

	for (size_t n = 0; n < question->asks_n; n++) {
		if (n + 1 == question->asks_n &&
		    question->counters == COUNTERS_LOST) {
			counter_memory_flush(talk->memory);
		}
		for (int64_t i = 0; i < question->asks[n].times; i++) {
			buf_reset(&got);
			send(talk, n, &got);
			answered(arg, n, &got);
		}
	}
	buf_fini(&got);
}

bool
question_ask(const struct question *question, bool turned,
	     question_answered_fn *answered, void *arg)
{
	struct talk talk = { .question = question, .turned = turned };
	struct buf source = { 0 }, refused = { 0 };
	struct err err = { 0 };
	struct snapshot *snapshot;

	made_us = question->asks[question->asks_n - 1].now_us;
	world_compose(&question->world, turned, &source);
	bool compiles = snapshot_compile(buf_text(&source), source.len, 1,
					 &snapshot, &err) == STATUS_OK;
	if (compiles) {
		talk.snapshot = snapshot;
		begin(&talk);
		send_all(&talk, answered, arg);
		end(&talk);
		snapshot_unref(snapshot);
	} else {
		put_errors(&refused, "refused", &err);
		answered(arg, question->asks_n - 1, &refused);
	}
	buf_fini(&source);
	buf_fini(&refused);
	return compiles;
}

void
question_scrub(struct buf *got)
{
	static const char key[] = "\"violation_id\":\"";
	char *at = got->data;

	while (at != NULL && (at = strstr(at, key)) != NULL) {
		at += strlen(key);
		memset(at, '-', strcspn(at, "\""));
	}
}
