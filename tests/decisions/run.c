/*
 * run: the rows of tests/decisions, each a question to the engine.
 *
 *	run [FILE ...]     without a FILE: all *.json beside this source
 *
 * Prints a line a case ("ok 7 - cost.json: ...") and a summary; exit status 0
 * when all passed.  How a row is written: tests/decisions/README.md.  Nothing
 * here knows a rule.
 */
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "expect.h"
#include "json/read.h"
#include "question.h"

#define NOW_DEFAULT "2026-11-23T12:00:00Z"

struct totals {
	unsigned cases, passed, failed;
};

/* One document of rows. */
struct file {
	const char *path;
	const struct json *root;
	const struct json *world_file, *world; /* or NULL */
	bool must_fail;
	struct totals *totals;
};

/* One case under way; what is wrong with it is a line of COMPLAINT each. */
struct run {
	const struct file *file;
	const struct json *root;
	struct buf got;
	struct buf complaint;
};

static void
complain(struct run *run, const char *what, const char *why)
{
	buf_printf(&run->complaint, "%s: %s\n", what, why);
}

static struct json_doc *
load(const char *path)
{
	struct err err = { 0 };
	struct buf text = { 0 };
	struct json_doc *doc = NULL;
	FILE *in = fopen(path, "r");

	if (in == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return NULL;
	}
	for (;;) {
		size_t n = fread(buf_room(&text, 65536), 1, 65536, in);
		if (n == 0) {
			break;
		}
		buf_grown(&text, n);
	}
	fclose(in);
	if (json_doc_parse(buf_text(&text), text.len, &doc, &err) !=
	    STATUS_OK) {
		fprintf(stderr, "%s: %s: %s\n", path, err.items[0].pointer,
			err.text);
		doc = NULL;
	}
	buf_fini(&text);
	return doc;
}

/* A member that nobody reads is a typo, and a typo must not pass. */
static void
check_members(struct run *run, const struct json *at, const char *const *known,
	      bool world_too, const char *what)
{
	struct json_iter iter = { 0 };
	struct json member;

	if (json_type(at) != JSON_OBJECT) {
		complain(run, what, "must be an object");
		return;
	}
	while (json_next(at, &iter, &member)) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], member.key) != 0) {
			i++;
		}
		if (known[i] == NULL &&
		    !(world_too && world_member(member.key))) {
			buf_printf(&run->complaint,
				   "%s: unknown member \"%s\"\n", what,
				   member.key);
		}
	}
}

/* --- settings and headers ------------------------------------------------- */

static void
set_text(char out[CONFIG_TEXT_BYTES], const struct json *at)
{
	const char *text;

	if (json_string(at, &text, NULL) == STATUS_OK) {
		snprintf(out, CONFIG_TEXT_BYTES, "%s", text);
	}
}

static void
read_settings(struct run *run, const struct json *from, struct config *config)
{
	static const char *const known[] = { "fail_mode", "default_user_tier",
					     "default_environment",
					     "unknown_price_per_mil_tokens",
					     NULL };
	static const char *const modes[] = { "open", "closed", NULL };
	struct json settings, at;

	if (!json_get(from, "settings", &settings)) {
		return;
	}
	check_members(run, &settings, known, false, "settings");
	if (json_get(&settings, known[0], &at) &&
	    json_word(&at, modes, &config->fail_mode, NULL) != STATUS_OK) {
		complain(run, "settings/fail_mode", "is open or closed");
	}
	if (json_get(&settings, known[1], &at)) {
		set_text(config->default_user_tier, &at);
	}
	if (json_get(&settings, known[2], &at)) {
		set_text(config->default_environment, &at);
	}
	if (json_get(&settings, known[3], &at)) {
		set_text(config->unknown_price_per_mil_tokens, &at);
	}
}

static const char *
read_header(struct run *run)
{
	static const char *const known[] = { "X-Request-ID", NULL };
	struct json headers, at;
	const char *text = NULL;

	if (!json_get(run->root, "headers", &headers)) {
		return NULL;
	}
	check_members(run, &headers, known, false, "headers");
	if (json_get(&headers, known[0], &at) &&
	    json_string(&at, &text, NULL) != STATUS_OK) {
		complain(run, "headers/X-Request-ID", "must be a string");
	}
	return text;
}

static int64_t
read_now(struct run *run)
{
	struct json at;
	const char *text = NOW_DEFAULT;
	int64_t us = 0;

	if (json_get(run->root, "now", &at) &&
	    json_string(&at, &text, NULL) != STATUS_OK) {
		complain(run, "now", "must be a string");
	}
	if (!clock_parse(text, &us)) {
		complain(run, "now", "is no RFC 3339 time");
	}
	return us;
}

/* --- the question --------------------------------------------------------- */

/* The request of the case: an object, or a text of its own. */
static void
read_request(struct run *run, struct json *request, struct question *out)
{
	if (json_get(run->root, "request_text", request)) {
		if (json_string(request, &out->text, NULL) != STATUS_OK) {
			complain(run, "request_text", "must be a string");
			out->text = "";
		}
		return;
	}
	if (!json_get(run->root, "request", request) ||
	    json_type(request) != JSON_OBJECT) {
		complain(run, "request", "must be an object");
		out->text = "";
		return;
	}
	out->request = request;
}

/*
 * Neither the order of members, nor blanks, nor the order of policies may
 * change an answer (docs/policies.md, "How a decision is made").
 */
static void
ask_the_other_way_round(struct run *run, const struct question *question)
{
	struct buf first = { 0 }, second = { 0 };

	buf_add(&first, run->got.data, run->got.len);
	(void)question_ask(question, true, &second);
	question_scrub(&first);
	question_scrub(&second);
	if (strcmp(buf_text(&first), buf_text(&second)) != 0) {
		buf_printf(&run->complaint,
			   "turned round: expected the same answer, found %s\n",
			   buf_text(&second));
	}
	buf_fini(&first);
	buf_fini(&second);
}

static void
ask(struct run *run)
{
	struct json key, request;
	bool has_key = json_get(run->root, "key", &key);
	struct question question = {
		.world = { .layers = { run->file->world_file, run->file->world,
				       run->root },
			   .key = has_key ? &key : NULL },
		.with_key = !has_key || json_type(&key) != JSON_NULL,
		.header = read_header(run),
		.now_us = read_now(run),
	};

	config_default(&question.config);
	read_settings(run, run->file->root, &question.config);
	read_settings(run, run->root, &question.config);
	read_request(run, &request, &question);
	if (question_ask(&question, false, &run->got)) {
		ask_the_other_way_round(run, &question);
	}
}

/* --- cases and files ------------------------------------------------------ */

static const char *
text_of(const struct json *at, const char *key, const char *otherwise)
{
	struct json member;
	const char *text;

	if (!json_get(at, key, &member) ||
	    json_string(&member, &text, NULL) != STATUS_OK) {
		return otherwise;
	}
	return text;
}

/* A case of a file that must fail passes when it fails for its reason. */
static bool
judge(struct run *run, const char *name)
{
	const char *because = text_of(run->root, "because", "");
	bool failed = run->complaint.len > 0;
	bool passed = failed == run->file->must_fail;

	if (passed && failed &&
	    strstr(buf_text(&run->complaint), because) == NULL) {
		complain(run, "because", "is not why it failed");
		passed = false;
	}
	const char *slash = strrchr(run->file->path, '/');
	printf("%s %u - %s: %s\n", passed ? "ok" : "not ok",
	       ++run->file->totals->cases,
	       slash == NULL ? run->file->path : slash + 1, name);
	if (!passed && failed) {
		printf("%s", buf_text(&run->complaint));
	} else if (!passed) {
		printf("it passed, and must not\n");
	}
	return passed;
}

static bool
run_case(const struct file *file, const struct json *root)
{
	static const char *const known[] = {
		"name",	   "about",    "key",	  "now",
		"headers", "settings", "request", "request_text",
		"expect",  "because",  NULL
	};
	struct run run = { .file = file, .root = root };
	const char *name = text_of(root, "name", NULL);

	check_members(&run, root, known, true, "case");
	if (name == NULL) {
		complain(&run, "name", "is missing");
		name = "?";
	}
	ask(&run);
	expect_check(root, &run.got, &run.complaint);
	bool passed = judge(&run, name);
	buf_fini(&run.got);
	buf_fini(&run.complaint);
	return passed;
}

static bool
run_cases(struct file *file)
{
	static const char *const known[] = { "about",	 "world_file", "world",
					     "settings", "must_fail",  "cases",
					     NULL };
	struct run run = { .file = file };
	struct json cases, must_fail;

	check_members(&run, file->root, known, false, file->path);
	if (run.complaint.len > 0 || !json_get(file->root, "cases", &cases) ||
	    json_n(&cases) == 0) {
		printf("%s%s: no good file of cases\n",
		       buf_text(&run.complaint), file->path);
		buf_fini(&run.complaint);
		return false;
	}
	if (json_get(file->root, "must_fail", &must_fail) &&
	    json_bool(&must_fail, &file->must_fail, NULL) != STATUS_OK) {
		return false;
	}
	for (size_t i = 0; i < json_n(&cases); i++) {
		struct json root = json_item(&cases, i);
		bool passed = run_case(file, &root);

		file->totals->passed += passed;
		file->totals->failed += !passed;
	}
	return true;
}

/* PATH's document, with the world that it names beside it. */
static bool
run_file(const char *path, struct totals *totals)
{
	struct json_doc *doc = load(path), *world_doc = NULL;
	char folder[PATH_MAX], world_path[PATH_MAX + 256];
	bool ok = false;

	if (doc == NULL) {
		return false;
	}
	const struct json root = json_root(doc);
	struct file file = { .path = path, .root = &root, .totals = totals };
	struct json outer, world;
	const char *name = text_of(&root, "world_file", NULL);
	if (name != NULL) {
		snprintf(folder, sizeof(folder), "%s", path);
		snprintf(world_path, sizeof(world_path), "%s/%s",
			 dirname(folder), name);
		world_doc = load(world_path);
		if (world_doc == NULL) {
			goto out;
		}
		outer = json_root(world_doc);
		file.world_file = &outer;
	}
	if (json_get(&root, "world", &world)) {
		file.world = &world;
	}
	ok = run_cases(&file);
out:
	json_doc_free(world_doc);
	json_doc_free(doc);
	return ok;
}

int
main(int argc, char **argv)
{
	struct totals totals = { 0 };
	const char *srcdir = getenv("srcdir");
	char pattern[PATH_MAX];
	glob_t found = { 0 };
	bool ok = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		for (int i = 1; i < argc; i++) {
			ok &= run_file(argv[i], &totals);
		}
	} else {
		snprintf(pattern, sizeof(pattern), "%s/tests/decisions/*.json",
			 srcdir != NULL ? srcdir : ".");
		if (glob(pattern, 0, NULL, &found) != 0) {
			fprintf(stderr, "%s: no rows\n", pattern);
			return 1;
		}
		for (size_t i = 0; i < found.gl_pathc; i++) {
			ok &= run_file(found.gl_pathv[i], &totals);
		}
		globfree(&found);
	}
	printf("%u passed, %u failed\n", totals.passed, totals.failed);
	return ok && totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}
