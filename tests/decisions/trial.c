#include "trial.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define NOW_DEFAULT "2026-11-23T12:00:00Z"

enum { TIMES_MAX = 400, SETTING_MAX = 1000000 };

/* What is being read, and where complaints go. */
struct reading {
	struct trial *trial;
	struct buf *complaint;
	const char *what; /* "", or "before/N: " */
};

static void
complain(struct reading *r, const char *what, const char *why)
{
	buf_printf(r->complaint, "%s%s: %s\n", r->what, what, why);
}

const char *
trial_text(const struct json *at, const char *key, const char *otherwise)
{
	struct json member;
	const char *text;

	if (!json_get(at, key, &member) ||
	    json_string(&member, &text, NULL) != STATUS_OK) {
		return otherwise;
	}
	return text;
}

void
trial_members(const struct json *at, const char *const *known, bool world_too,
	      const char *what, struct buf *complaint)
{
	struct json_iter iter = { 0 };
	struct json member;

	if (json_type(at) != JSON_OBJECT) {
		buf_printf(complaint, "%s: must be an object\n", what);
		return;
	}
	while (json_next(at, &iter, &member)) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], member.key) != 0) {
			i++;
		}
		if (known[i] == NULL &&
		    !(world_too && world_member(member.key))) {
			buf_printf(complaint, "%s: unknown member \"%s\"\n",
				   what, member.key);
		}
	}
}

/* --- settings and words --------------------------------------------------- */

static void
set_text(struct reading *r, const struct json *from, const char *name,
	 char out[CONFIG_TEXT_BYTES])
{
	struct json at;
	const char *text;

	if (!json_get(from, name, &at)) {
		return;
	}
	if (json_string(&at, &text, NULL) == STATUS_OK) {
		snprintf(out, CONFIG_TEXT_BYTES, "%s", text);
	} else {
		complain(r, name, "must be a string");
	}
}

static void
set_number(struct reading *r, const struct json *from, const char *name,
	   int64_t *out)
{
	struct json at;

	if (json_get(from, name, &at) &&
	    json_int(&at, 0, SETTING_MAX, out, NULL) != STATUS_OK) {
		complain(r, name, "must be a whole number");
	}
}

/* One of WORDS (NULL-terminated), which MUST says. */
static void
set_word(struct reading *r, const struct json *from, const char *name,
	 const char *const *words, const char *must, int *out)
{
	struct json at;

	if (json_get(from, name, &at) &&
	    json_word(&at, words, out, NULL) != STATUS_OK) {
		complain(r, name, must);
	}
}

static void
read_settings(struct reading *r, const struct json *from)
{
	static const char *const known[] = { "fail_mode",
					     "default_user_tier",
					     "default_environment",
					     "unknown_price_per_mil_tokens",
					     "reservation_ttl_s",
					     "retry_window_s",
					     NULL };
	static const char *const modes[] = { "open", "closed", NULL };
	struct config *config = &r->trial->question.config;
	struct json settings;

	if (!json_get(from, "settings", &settings)) {
		return;
	}
	trial_members(&settings, known, false, "settings", r->complaint);
	set_word(r, &settings, known[0], modes, "is open or closed",
		 &config->fail_mode);
	set_text(r, &settings, known[1], config->default_user_tier);
	set_text(r, &settings, known[2], config->default_environment);
	set_text(r, &settings, known[3], config->unknown_price_per_mil_tokens);
	set_number(r, &settings, known[4], &config->reservation_ttl_s);
	set_number(r, &settings, known[5], &config->retry_window_s);
}

static void
read_counters(struct reading *r, const struct json *root)
{
	static const char *const counters[] = { "known", "unknown", "lost",
						NULL };
	static const char *const ledgers[] = { "known", "unknown", NULL };
	int counter = COUNTERS_KNOWN, ledger = 0;

	set_word(r, root, "counters", counters, "is known, unknown or lost",
		 &counter);
	set_word(r, root, "ledger", ledgers, "is known or unknown", &ledger);
	r->trial->question.counters = (enum question_counters)counter;
	r->trial->question.ledger_known = ledger == 0;
}

/* --- one request ---------------------------------------------------------- */

static void
read_header(struct reading *r, const struct json *from, struct ask *out)
{
	static const char *const known[] = { "X-Request-ID", NULL };
	struct json headers, at;

	if (!json_get(from, "headers", &headers)) {
		return;
	}
	trial_members(&headers, known, false, "headers", r->complaint);
	if (json_get(&headers, known[0], &at) &&
	    json_string(&at, &out->header, NULL) != STATUS_OK) {
		complain(r, "headers/X-Request-ID", "must be a string");
	}
}

static void
read_now(struct reading *r, const struct json *from, struct ask *out)
{
	struct json at;
	const char *text;

	if (!json_get(from, "now", &at)) {
		return;
	}
	if (json_string(&at, &text, NULL) != STATUS_OK) {
		complain(r, "now", "must be a string");
	} else if (!clock_parse(text, &out->now_us)) {
		complain(r, "now", "is no RFC 3339 time");
	}
}

/* The I-th key in words; one without them asserts anything. */
static const char *
words_of_key(const struct world *world, size_t i)
{
	return world->keys[i] == NULL ? "{}" : json_text(world->keys[i]);
}

/* The same words are the same key. */
static void
read_key(struct reading *r, const struct json *from, struct ask *out)
{
	struct world *world = &r->trial->question.world;
	struct json key;
	size_t i = 0;

	if (!json_get(from, "key", &key)) {
		return;
	}
	if (json_type(&key) == JSON_NULL) {
		out->key = QUESTION_TOOL;
		return;
	}
	while (i < world->keys_n &&
	       strcmp(words_of_key(world, i), json_text(&key)) != 0) {
		i++;
	}
	if (i == WORLD_KEYS_MAX) {
		complain(r, "key", "is one too many");
		return;
	}
	if (i == world->keys_n) {
		r->trial->keys[i] = key;
		world->keys[i] = &r->trial->keys[i];
		world->keys_n++;
	}
	out->key = (int)i;
}

/* An object, or a text of its own. */
static void
read_request(struct reading *r, const struct json *from, struct json *request,
	     struct ask *out)
{
	if (json_get(from, "request_text", request)) {
		if (json_string(request, &out->text, NULL) != STATUS_OK) {
			complain(r, "request_text", "must be a string");
		}
		return;
	}
	if (!json_get(from, "request", request) ||
	    json_type(request) != JSON_OBJECT) {
		complain(r, "request", "must be an object");
		return;
	}
	out->request = request;
}

/* The next of the question's; what FROM does not say is as in OUT. */
static void
read_ask(struct reading *r, const struct json *from, struct ask ask)
{
	struct question *question = &r->trial->question;
	struct json at;

	read_header(r, from, &ask);
	read_now(r, from, &ask);
	read_key(r, from, &ask);
	read_request(r, from, &r->trial->requests[question->asks_n], &ask);
	if (json_get(from, "times", &at) &&
	    json_int(&at, 1, TIMES_MAX, &ask.times, NULL) != STATUS_OK) {
		complain(r, "times", "must be a number from 1 to 400");
	}
	question->asks[question->asks_n++] = ask;
}

/* --- the case ------------------------------------------------------------- */

static void
read_before(struct reading *r, const struct json *root, struct ask otherwise)
{
	static const char *const known[] = {
		"about",	"key",	 "now",	   "headers", "request",
		"request_text", "times", "expect", NULL
	};
	struct trial *trial = r->trial;
	char what[32];

	if (!json_get(root, "before", &trial->before)) {
		return;
	}
	if (json_type(&trial->before) != JSON_ARRAY ||
	    json_n(&trial->before) >= QUESTION_ASKS_MAX) {
		complain(r, "before", "must be a list of 15 requests at most");
		return;
	}
	otherwise.header = NULL;
	for (size_t i = 0; i < json_n(&trial->before); i++) {
		trial->items[i] = json_item(&trial->before, i);
		snprintf(what, sizeof(what), "before/%zu: ", i);
		r->what = what;
		trial_members(&trial->items[i], known, false, "before",
			      r->complaint);
		read_ask(r, &trial->items[i], otherwise);
	}
	r->what = "";
}

void
trial_read(const struct trial_file *file, const struct json *root,
	   struct trial *out, struct buf *complaint)
{
	static const char *const known[] = {
		"name",	    "about",	"key",		"now",	  "headers",
		"settings", "request",	"request_text", "expect", "because",
		"before",   "counters", "ledger",	NULL
	};
	struct reading reading = { out, complaint, "" };
	struct question *question = &out->question;
	struct ask ask = { .text = "", .times = 1 };
	struct ask otherwise;

	*out = (struct trial){
		.root = root,
		.question.world = { .layers = { file->world_file, file->world,
						root },
				    .keys_n = 1 },
	};
	trial_members(root, known, true, "case", complaint);
	config_default(&question->config);
	read_settings(&reading, file->root);
	read_settings(&reading, root);
	read_counters(&reading, root);
	(void)clock_parse(NOW_DEFAULT, &ask.now_us);
	read_now(&reading, root, &ask);
	if (json_get(root, "key", &out->keys[0])) {
		question->world.keys[0] = &out->keys[0];
	}
	otherwise = ask;
	read_key(&reading, root, &otherwise);
	read_before(&reading, root, otherwise);
	read_ask(&reading, root, ask);
}
